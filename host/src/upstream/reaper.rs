//! Ends the servers of a gateway that was killed.
//!
//! A gateway that is told to end does so itself. One that is killed can't, and
//! servers that ignore the end of their standard input would live on. So each
//! gateway keeps a small process of its own, which learns the process groups
//! over a pipe and ends them when that pipe ends, whatever the reason.
//!
//! On Windows job objects do this in the system.

#[cfg(unix)]
pub use unix::{group_alive, reap};

use std::io::{PipeWriter, Write};
use std::process::Child;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The process that reaps. It ends after the last clone of this.
#[derive(Debug, Clone)]
pub struct Reaper(Arc<Helper>);

/// The process, and the pipe to it.
#[derive(Debug)]
struct Helper {
    pipe: Mutex<Option<PipeWriter>>,
    process: Child,
}

/// A process group that is to be ended if the gateway does not do so itself.
#[derive(Debug)]
pub struct Watch {
    reaper: Reaper,
    group: u32,
}

impl Reaper {
    /// Starts the process that reaps. `None` where the system does its work, or
    /// where it cannot be started; the latter is logged.
    pub fn start() -> Option<Self> {
        #[cfg(unix)]
        match unix::spawn() {
            Ok((process, pipe)) => {
                let pipe = Mutex::new(Some(pipe));
                return Some(Self(Arc::new(Helper { pipe, process })));
            }
            Err(error) => {
                tracing::warn!(%error, "servers may outlive this gateway if it is killed");
            }
        }
        None
    }

    /// Has a process group ended with the gateway.
    pub fn watch(&self, group: u32) -> Watch {
        self.tell('+', group);
        Watch {
            reaper: self.clone(),
            group,
        }
    }

    fn tell(&self, sign: char, group: u32) {
        let mut pipe = self.0.pipe.lock().unwrap_or_else(PoisonError::into_inner);
        let told = pipe.as_mut().map(|pipe| writeln!(pipe, "{sign}{group}"));
        if let Some(Err(error)) = told {
            tracing::warn!(%error, "the process that ends orphaned servers is gone");
        }
    }
}

impl Drop for Helper {
    /// Lets the process end. Since no server is left, it does so at once.
    fn drop(&mut self) {
        const PATIENCE: Duration = Duration::from_millis(100);
        drop(self.pipe.get_mut().map(Option::take));
        let deadline = Instant::now() + PATIENCE;
        while matches!(self.process.try_wait(), Ok(None)) && Instant::now() < deadline {
            sleep(Duration::from_millis(1));
        }
    }
}

impl Watch {
    /// Says that nothing of the group is left.
    pub fn ended(self) {
        self.reaper.tell('-', self.group);
    }
}

#[cfg(unix)]
mod unix {
    use std::collections::BTreeSet;
    use std::io::{self, BufRead, PipeWriter};
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command, Stdio};
    use std::thread::sleep;
    use std::time::{Duration, Instant};

    use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

    /// How long the servers may take to end by themselves, and then once they
    /// were told to terminate.
    const PATIENCE: Duration = Duration::from_millis(1500);

    pub(super) fn spawn() -> io::Result<(Child, PipeWriter)> {
        let (reader, writer) = io::pipe()?;
        let process = Command::new(std::env::current_exe()?)
            .arg("reap")
            .stdin(reader)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A Ctrl-C that ends the gateway must not end this before its time.
            .process_group(0)
            .spawn()?;
        Ok((process, writer))
    }

    /// The work of the process that reaps. Returns when all is done.
    pub fn reap() {
        let mut groups = BTreeSet::new();
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            match (
                line.get(..1),
                line.get(1..).and_then(|group| group.parse().ok()),
            ) {
                (Some("+"), Some(group)) => groups.insert(group),
                (Some("-"), Some(group)) => groups.remove(&group),
                _ => false,
            };
        }
        for signal in [None, Some(Signal::TERM), Some(Signal::KILL)] {
            for group in &groups {
                if let (Some(signal), Some(pid)) = (signal, pid(*group)) {
                    // An error says that nobody is left.
                    let _ = kill_process_group(pid, signal);
                }
            }
            let deadline = Instant::now() + PATIENCE;
            while groups.iter().any(|group| group_alive(*group)) {
                if Instant::now() >= deadline {
                    break;
                }
                sleep(Duration::from_millis(20));
            }
        }
    }

    /// Whether any process of a group is left.
    pub fn group_alive(group: u32) -> bool {
        pid(group).is_some_and(|pid| test_kill_process_group(pid).is_ok())
    }

    fn pid(group: u32) -> Option<Pid> {
        i32::try_from(group).ok().and_then(Pid::from_raw)
    }
}
