//! What guardrails keep for all sessions: a file, which all gateways of this person share
//! and which outlasts them.
//!
//! It is opened when it is first needed, and whatever is wrong with it is an error of the
//! guardrail that asked: nothing is taken as not there that only cannot be read.

mod entries;
mod file;
mod seal;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::capability::keys::{Secret, SecretError};
use crate::sandbox::{CacheError, state_folder};
pub(super) use entries::Entries;
use file::Open;

/// The longest that a guardrail waits until another gateway has made its change, which
/// takes that a fraction of a millisecond.
const PATIENCE: Duration = Duration::from_secs(1);

/// The part of it in which nothing else is done on the thread, which may be the one that
/// relays messages.
const BRIEF: Duration = Duration::from_micros(500);

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(3);

/// The stores of the guardrails of one configuration.
pub(super) struct Shared {
    /// What tells it from others, in which other guardrails have the same names.
    configuration: String,
    /// Absent where nothing says where this person keeps such things.
    folder: Option<PathBuf>,
    secret: fn() -> Result<Secret, SecretError>,
    open: Mutex<Option<Open>>,
}

/// Why what is kept for all sessions cannot be used, and the file if that is known.
#[derive(Debug, thiserror::Error)]
#[error("{}{cause}", self.place())]
pub struct SharedError {
    /// The file.
    pub path: Option<PathBuf>,
    /// What is wrong.
    pub cause: Broken,
}

/// What is wrong with what is kept for all sessions.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// Nothing can be read without the secret of the installation.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The folder is not to be trusted.
    #[error(transparent)]
    Folder(#[from] CacheError),
    /// The file cannot be made.
    #[error("it cannot be made: {0}")]
    File(std::io::Error),
    /// It is something else.
    #[error("it is not what a gateway made; remove it, or put back what was there")]
    Foreign,
    /// A later gateway made it.
    #[error(
        "it has the schema of a later version ({0}; this one knows {known})",
        known = file::VERSION
    )]
    Newer(i32),
    /// It was made with another secret.
    #[error(
        "it was made with the secret of another installation (\"keys/installation\" in the state \
         folder); put that back, or remove the file, and what guardrails kept is gone"
    )]
    OtherSecret,
    /// Somebody changed it, or the disk did.
    #[error(
        "a value in it is not the one that a gateway wrote; remove the file, and what guardrails kept is gone"
    )]
    Changed,
    /// SQLite says no: the disk is full, the file is locked or damaged.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The system has no random numbers.
    #[error("the system gives no random bytes: {0}")]
    Random(#[from] getrandom::Error),
    /// No key can be made.
    #[error("no key can be derived from the secret")]
    Derive,
}

impl Shared {
    /// Those of the configuration that this tells from others. Nothing is opened yet.
    pub(super) fn of(configuration: String) -> Self {
        Self::within(state_folder(), configuration, Secret::open)
    }

    fn within(
        folder: Option<PathBuf>,
        configuration: String,
        secret: fn() -> Result<Secret, SecretError>,
    ) -> Self {
        Self {
            configuration,
            folder,
            secret,
            open: Mutex::default(),
        }
    }

    /// Does something with a guardrail's store. Other gateways' changes are waited for at
    /// most so long, while other work goes on: it is begun again and again, and what was
    /// begun in vain has done nothing.
    pub(super) async fn with<T>(
        &self,
        guardrail: &str,
        patience: Duration,
        mut work: impl FnMut(&mut Entries<'_>) -> Result<T, Broken>,
    ) -> Result<T, SharedError> {
        let deadline = Instant::now() + patience.min(PATIENCE);
        loop {
            match self.at(now(), guardrail, BRIEF, &mut work) {
                Err(error) if error.cause.is_busy() && Instant::now() < deadline => {
                    tokio::time::sleep(PAUSE).await;
                }
                done => return done,
            }
        }
    }

    fn at<T>(
        &self,
        now: i64,
        guardrail: &str,
        patience: Duration,
        work: impl FnOnce(&mut Entries<'_>) -> Result<T, Broken>,
    ) -> Result<T, SharedError> {
        // Before others are waited for that are ahead on another thread.
        let deadline = Instant::now() + patience;
        let mut slot = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let done = self
            .opened(&mut slot, deadline, now)
            .and_then(|open| work(&mut open.entries(&self.configuration, guardrail, now)?));
        done.map_err(|cause| {
            let path = slot.as_ref().map(|open| open.path().to_owned());
            let path = path.or_else(|| Some(file::within(self.folder.as_deref()?)));
            if !cause.is_busy() {
                // Whoever mends the file need not start the gateway again.
                *slot = None;
            }
            SharedError { path, cause }
        })
    }

    fn opened<'a>(
        &self,
        slot: &'a mut Option<Open>,
        deadline: Instant,
        now: i64,
    ) -> Result<&'a mut Open, Broken> {
        let open = match slot.take().filter(Open::is_in_place) {
            Some(open) => open,
            None => {
                let folder = self.folder.as_deref().ok_or(SecretError::Nowhere)?;
                let mut open = Open::new(folder, self.secret, deadline)?;
                open.sweep(now)?;
                open
            }
        };
        open.wait_until(deadline);
        Ok(slot.insert(open))
    }
}

/// Looks whether what guardrails keep for all sessions can be used, if anything is kept.
///
/// # Errors
/// When it cannot.
pub fn look_at_shared() -> Result<(), SharedError> {
    let Some(folder) = state_folder() else {
        return Ok(());
    };
    let path = file::within(&folder);
    if !path.exists() {
        return Ok(());
    }
    let opened = Open::new(&folder, Secret::open, Instant::now() + PATIENCE);
    match opened.and_then(|open| open.is_whole()) {
        Ok(()) => Ok(()),
        Err(cause) => Err(SharedError {
            path: Some(path),
            cause,
        }),
    }
}

impl SharedError {
    fn place(&self) -> String {
        match &self.path {
            Some(path) => format!("{}: ", path.display()),
            None => String::new(),
        }
    }
}

impl Broken {
    /// The same for peers, who need not know where things are.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Secret(_) => "there is no secret to read it with".to_owned(),
            Self::Folder(_) => "its folder is not to be used".to_owned(),
            Self::File(error) => error.kind().to_string(),
            Self::Foreign => "the file is not what a gateway made".to_owned(),
            Self::OtherSecret => "the file was made with another secret".to_owned(),
            Self::Changed => "the file was changed or is damaged".to_owned(),
            Self::Sqlite(rusqlite::Error::SqliteFailure(error, _)) => {
                rusqlite::ffi::code_to_str(error.extended_code).to_owned()
            }
            Self::Sqlite(_) => "the file does not hold what it should".to_owned(),
            Self::Newer(_) | Self::Random(_) | Self::Derive => self.to_string(),
        }
    }

    /// Whether another gateway has it to itself for now, so that nothing was done.
    fn is_busy(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
        match self {
            Self::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                Some(DatabaseBusy | DatabaseLocked)
            ),
            _ => false,
        }
    }
}

/// Milliseconds since 1970: what is kept outlasts every other clock.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]
mod tests;
