//! The connections of clients: so many at a time. Anybody may open some and say nothing
//! on them, so those on which nobody has been let in make way for others.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::{AbortHandle, JoinSet};

/// All connections. Dropping it ends them.
pub(super) struct Connections {
    most: usize,
    tasks: JoinSet<()>,
    /// Those on which nobody has been let in, in the order in which they came.
    strangers: VecDeque<(Visitor, AbortHandle)>,
}

/// Whoever is at the other end of a connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Visitor(Arc<AtomicBool>);

impl Visitor {
    /// Notes that somebody may be here.
    pub(super) fn let_in(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_stranger(&self) -> bool {
        !self.0.load(Ordering::Relaxed)
    }
}

impl Connections {
    /// At most so many.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            tasks: JoinSet::new(),
            strangers: VecDeque::new(),
        }
    }

    /// Serves another, unless there are too many on which somebody has been let in.
    pub(super) fn take<F>(&mut self, serve: impl FnOnce(Visitor) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        while self.tasks.try_join_next().is_some() {}
        self.strangers
            .retain(|(visitor, task)| visitor.is_stranger() && !task.is_finished());
        if self.tasks.len() >= self.most {
            match self.strangers.pop_front() {
                Some((_, oldest)) => oldest.abort(),
                None => {
                    tracing::warn!("a connection was refused: there are {}", self.most);
                    return;
                }
            }
        }
        let visitor = Visitor::default();
        let task = self.tasks.spawn(serve(visitor.clone()));
        self.strangers.push_back((visitor, task));
    }

    /// Waits for the end of all.
    pub(super) async fn end(self) {
        self.tasks.join_all().await;
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn who_says_nothing_makes_way_and_who_was_let_in_does_not() {
        let mut connections = Connections::new(2);
        let mut connect = |is_known: bool| {
            let (open, closed) = oneshot::channel::<()>();
            connections.take(|visitor| async move {
                if is_known {
                    visitor.let_in();
                }
                let _open = open;
                pending().await
            });
            closed
        };
        let mut known = connect(true);
        let silent = connect(false);
        // Whoever is let in says so when they are served.
        tokio::task::yield_now().await;
        let mut another = connect(true);
        assert!(silent.await.is_err());
        tokio::task::yield_now().await;
        let refused = connect(true);
        assert!(refused.await.is_err());
        for open in [&mut known, &mut another] {
            let is_open = open.try_recv() == Err(oneshot::error::TryRecvError::Empty);
            assert!(is_open);
        }
    }
}
