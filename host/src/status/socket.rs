//! The socket at which a gateway says how it is.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::UnixListener;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::{Running, folder};
use crate::sandbox::CacheDir;

/// How long somebody who asked may take to read the answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// A socket that is listened at, until this is dropped.
#[derive(Debug)]
pub struct Listening {
    path: PathBuf,
    task: AbortHandle,
}

/// Says how a gateway is to whoever connects. A gateway that cannot say so works as
/// well without.
pub fn listen(running: Running) -> Option<Listening> {
    let listening = || -> io::Result<(PathBuf, UnixListener)> {
        let folder = folder().ok_or_else(|| io::Error::other("the home folder is not set"))?;
        let folder = CacheDir::at(folder).map_err(io::Error::other)?;
        let path = folder.path().join(format!("{}.sock", std::process::id()));
        // Of a process of the same number, which is gone.
        let _ = fs::remove_file(&path);
        let listener = UnixListener::bind(&path)?;
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        Ok((path, listener))
    };
    let (path, listener) = listening()
        .inspect_err(|error| tracing::debug!("mcp-gateway status will not know of this: {error}"))
        .ok()?;
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let status = running.status().await.to_string();
            // Whoever asked may be gone.
            let _ = timeout(PATIENCE, stream.write_all(status.as_bytes())).await;
        }
    });
    Some(Listening {
        path,
        task: task.abort_handle(),
    })
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
        // Somebody may have cleared it away.
        let _ = fs::remove_file(&self.path);
    }
}
