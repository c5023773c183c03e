//! Tells when one of a set of files may have changed.
//!
//! What is watched are the files' folders, since a rename over a file ends a
//! watch on the file itself. An event is only a hint; and since some file
//! systems give none, the files are looked at now and then as well.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

/// How often the files are looked at without an event.
const LOOK: Duration = Duration::from_secs(2);

/// The files that are watched.
pub(crate) struct Files {
    paths: Vec<PathBuf>,
    seen: Vec<Option<Seen>>,
    events: mpsc::Receiver<()>,
    watcher: Option<RecommendedWatcher>,
    folders: BTreeSet<PathBuf>,
    /// What the files are called, for telling their events from those of others
    /// in the same folder.
    names: Arc<Mutex<BTreeSet<OsString>>>,
}

/// What tells one state of a file from another without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    length: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

impl Files {
    pub(crate) fn watch(paths: Vec<PathBuf>) -> Self {
        // One hint that waits is as good as many.
        let (sender, events) = mpsc::channel(1);
        let names = Arc::new(Mutex::new(BTreeSet::new()));
        let watcher = notify::recommended_watcher({
            let names = Arc::clone(&names);
            move |event: notify::Result<notify::Event>| {
                if concerns(&event, &names) {
                    let _ = sender.try_send(());
                }
            }
        });
        let watcher = watcher
            .inspect_err(|error| {
                tracing::warn!(%error, "changes of files are noticed every {LOOK:?} only");
            })
            .ok();
        let mut files = Self {
            paths: Vec::new(),
            seen: Vec::new(),
            events,
            watcher,
            folders: BTreeSet::new(),
            names,
        };
        files.set(paths);
        files
    }

    /// Changes what is watched. Of files that are watched already, a change that
    /// was not told yet is still told.
    pub(super) fn set(&mut self, paths: Vec<PathBuf>) {
        let wanted: BTreeSet<PathBuf> = paths
            .iter()
            .filter_map(|path| path.parent())
            .map(Path::to_path_buf)
            .collect();
        if let Some(watcher) = &mut self.watcher {
            for folder in self.folders.difference(&wanted) {
                // It may be gone.
                let _ = watcher.unwatch(folder);
            }
            for folder in wanted.difference(&self.folders) {
                if let Err(error) = watcher.watch(folder, RecursiveMode::NonRecursive) {
                    tracing::warn!(folder = %folder.display(), %error, "changes in this folder are noticed every {LOOK:?} only");
                }
            }
        }
        self.folders = wanted;
        let names = paths.iter().filter_map(|path| path.file_name());
        *self.names.lock().unwrap_or_else(PoisonError::into_inner) =
            names.map(OsString::from).collect();
        let known: HashMap<PathBuf, Option<Seen>> =
            self.paths.drain(..).zip(self.seen.drain(..)).collect();
        let seen = paths.iter().map(|path| match known.get(path) {
            Some(seen) => seen.clone(),
            None => Seen::of(path),
        });
        self.seen = seen.collect();
        self.paths = paths;
    }

    /// Waits until a file may have changed, and then until nothing has happened
    /// for a moment.
    pub(crate) async fn changed(&mut self, settle: Duration) {
        loop {
            tokio::select! {
                Some(()) = self.events.recv() => break,
                () = tokio::time::sleep(LOOK) => {
                    if self.look() {
                        break;
                    }
                }
            }
        }
        self.look();
        let mut restless = 0;
        loop {
            tokio::time::sleep(settle).await;
            // Something that never rests must not put off the reload for ever.
            restless += 1;
            let event = self.events.try_recv().is_ok();
            if !(self.look() || event) || restless == 20 {
                return;
            }
        }
    }

    /// Whether a file differs from when it was last looked at.
    fn look(&mut self) -> bool {
        let now: Vec<Option<Seen>> = self.paths.iter().map(|path| Seen::of(path)).collect();
        let changed = now != self.seen;
        self.seen = now;
        changed
    }
}

/// Whether an event may be about one of the files.
fn concerns(event: &notify::Result<notify::Event>, names: &Mutex<BTreeSet<OsString>>) -> bool {
    match event {
        Ok(event) if event.kind.is_access() => false,
        Ok(event) => {
            let names = names.lock().unwrap_or_else(PoisonError::into_inner);
            let mut touched = event.paths.iter().filter_map(|path| path.file_name());
            event.paths.is_empty() || touched.any(|name| names.contains(name))
        }
        Err(_) => true,
    }
}

impl Seen {
    fn of(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok()?;
        Some(Self {
            length: found.len(),
            modified: found.modified().ok(),
            #[cfg(unix)]
            inode: std::os::unix::fs::MetadataExt::ino(&found),
            #[cfg(not(unix))]
            inode: 0,
        })
    }
}
