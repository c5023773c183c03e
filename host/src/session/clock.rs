//! How long an exchange may go without a sign of life.

use std::pin::Pin;

use tokio::time::{Instant, Sleep, sleep};

use crate::config::Patience;

/// Strikes when patience ends, and never for those who have all the time.
pub(super) struct Clock<'a> {
    patience: Option<Patience>,
    sleep: Pin<&'a mut Sleep>,
}

/// What a clock sleeps in.
pub(super) fn bed(patience: Option<Patience>) -> Sleep {
    sleep(patience.map(|patience| patience.limit).unwrap_or_default())
}

impl<'a> Clock<'a> {
    /// A clock that runs from now on.
    pub(super) fn new(patience: Option<Patience>, bed: Pin<&'a mut Sleep>) -> Self {
        Self {
            patience,
            sleep: bed,
        }
    }

    /// Starts it again.
    pub(super) fn restart(&mut self) {
        let end = self
            .patience
            .and_then(|patience| Instant::now().checked_add(patience.limit));
        if let Some(end) = end {
            self.sleep.as_mut().reset(end);
        }
    }

    /// Waits until it strikes.
    pub(super) async fn struck(&mut self) -> Patience {
        let Some(patience) = self.patience else {
            return std::future::pending().await;
        };
        self.sleep.as_mut().await;
        patience
    }
}
