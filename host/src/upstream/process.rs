//! A server's process: started with a small environment and in a group of its
//! own, and ended with everything that it started.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use process_wrap::tokio::{ChildWrapper, CommandWrap, KillOnDrop};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use super::connection::{Connection, Incoming, Link};
use super::reaper::{Reaper, Watch};
use crate::config::Program;
use crate::wire::{Lines, outbox, widen};

/// The variables of the gateway's own environment that a server gets unasked:
/// those that the official SDKs pass on, so that a server behind the gateway
/// sees what it sees without it, and no secret that is not meant for it.
const INHERITED: &[&str] = if cfg!(windows) {
    &[
        "APPDATA",
        "HOMEDRIVE",
        "HOMEPATH",
        "LOCALAPPDATA",
        "PATH",
        "PATHEXT",
        "PROCESSOR_ARCHITECTURE",
        "PROGRAMFILES",
        "SYSTEMDRIVE",
        "SYSTEMROOT",
        "TEMP",
        "USERNAME",
        "USERPROFILE",
    ]
} else {
    &["HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER"]
};

/// How long a server may take to end once its standard input is closed.
const AFTER_EOF: Duration = Duration::from_millis(1500);

/// How long it may take once it was told to terminate.
#[cfg(unix)]
const AFTER_TERM: Duration = Duration::from_millis(1000);

/// How long the system may take to end it.
const AFTER_KILL: Duration = Duration::from_millis(500);

/// The longest line of a server's log that is kept whole.
const LOG_LINE: usize = 16 << 10;

/// A running process, with all that it started.
#[derive(Debug)]
pub struct Process {
    child: Box<dyn ChildWrapper>,
    #[cfg(unix)]
    group: Option<u32>,
    /// Writes to its standard input, and closes it when it is aborted.
    writer: AbortHandle,
    watch: Option<Watch>,
}

/// Why a server's process did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no such program.
    #[error(
        "command {command:?} was not found on the PATH ({path}); give its absolute path as `command`, or add its folder to `env.PATH`"
    )]
    NotFound {
        /// The command.
        command: String,
        /// The PATH that was searched.
        path: String,
    },
    /// The working folder is missing.
    #[error("its working folder {0} does not exist")]
    NoFolder(PathBuf),
    /// The system refused.
    #[error("command {command:?} cannot be started: {cause}")]
    Spawn {
        /// The command.
        command: String,
        /// What the system said.
        cause: io::Error,
    },
}

/// Starts a server's process.
pub(super) fn start(
    server: &Program,
    longest_message: usize,
    reaper: Option<&Reaper>,
) -> Result<Connection, StartError> {
    let spawn_error = |cause: io::Error| StartError::Spawn {
        command: server.command.clone(),
        cause,
    };
    if let Some(folder) = server.cwd.as_deref().filter(|folder| !folder.is_dir()) {
        return Err(StartError::NoFolder(folder.to_owned()));
    }
    let mut command = CommandWrap::with_new(program(server)?, |command| {
        command
            .args(&server.args)
            .env_clear()
            .envs(
                INHERITED
                    .iter()
                    .filter_map(|&name| std::env::var_os(name).map(|value| (name, value))),
            )
            .envs(&server.env)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(folder) = &server.cwd {
            command.current_dir(folder);
        }
    });
    command.wrap(KillOnDrop);
    #[cfg(unix)]
    command.wrap(process_wrap::tokio::ProcessGroup::leader());
    #[cfg(windows)]
    command.wrap(process_wrap::tokio::JobObject);

    let mut child = command.spawn().map_err(spawn_error)?;
    let streams = (
        child.stdin().take(),
        child.stdout().take(),
        child.stderr().take(),
    );
    let (Some(stdin), Some(stdout), Some(stderr)) = streams else {
        return Err(spawn_error(io::Error::other("it has no standard streams")));
    };
    widen(&stdin);
    widen(&stdout);
    let group = child.id();
    let (outbox, write) = outbox(stdin);
    let writer = tokio::spawn(write).abort_handle();
    Ok(Connection {
        outbox,
        messages: Incoming::Process(Lines::new(stdout, longest_message)),
        log: Some(Lines::new(stderr, LOG_LINE)),
        link: Link::Process(Process {
            watch: group.zip(reaper).map(|(group, reaper)| reaper.watch(group)),
            child,
            #[cfg(unix)]
            group,
            writer,
        }),
    })
}

impl Process {
    /// Waits for the process to end by itself, and says how it did.
    pub async fn ended(&mut self) -> String {
        match self.child.inner_mut().wait().await {
            Ok(status) => match status.code() {
                Some(code) => format!("it exited with code {code}"),
                None => format!("it was ended ({status})"),
            },
            Err(error) => format!("it is gone ({error})"),
        }
    }

    /// Ends the process and everything in its group: its standard input is
    /// closed, and a server that heeds that is given time to.
    pub async fn end(mut self) {
        self.writer.abort();
        if self.is_ended().await
            && let Some(watch) = self.watch.take()
        {
            watch.ended();
        }
    }

    /// Whether nothing of it is left in the end.
    async fn is_ended(&mut self) -> bool {
        if self.gone_within(AFTER_EOF).await {
            return true;
        }
        #[cfg(unix)]
        {
            const SIGTERM: i32 = 15;
            // An error says that nobody is left.
            let _ = self.child.signal(SIGTERM);
            if self.gone_within(AFTER_TERM).await {
                return true;
            }
        }
        let _ = self.child.start_kill();
        self.gone_within(AFTER_KILL).await
    }

    async fn gone_within(&mut self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        let leader = self.child.inner_mut().wait();
        if timeout(patience, leader).await.is_err() {
            return false;
        }
        // The leader's children may be alive.
        while self.group_alive() {
            if Instant::now() >= deadline {
                return false;
            }
            sleep(Duration::from_millis(10)).await;
        }
        true
    }

    #[cfg(unix)]
    fn group_alive(&self) -> bool {
        self.group.is_some_and(super::reaper::group_alive)
    }

    /// A job object ends with its last handle.
    #[cfg(windows)]
    fn group_alive(&self) -> bool {
        false
    }
}

/// The program that a server's command names: on the PATH that the server gets,
/// with the endings that make a file executable on Windows.
pub fn program(server: &Program) -> Result<PathBuf, StartError> {
    let command = Path::new(&server.command);
    let path = match server.env.get("PATH") {
        Some(path) => path.into(),
        None => std::env::var_os("PATH").unwrap_or_default(),
    };
    let folder = match &server.cwd {
        Some(folder) => folder.clone(),
        None => PathBuf::new(),
    };
    which::which_in(command, Some(&path), folder).map_err(|_| StartError::NotFound {
        command: server.command.clone(),
        path: path.to_string_lossy().into_owned(),
    })
}
