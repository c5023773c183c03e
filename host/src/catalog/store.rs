//! What servers last answered, kept on disk: so that a client sees the tools of
//! a slow server at once when it starts again.
//!
//! It lies in the private folder where compiled guardrails are, one file for an
//! answer, and is what the guardrails had left of it. A file that is not whole,
//! or not in its place, is none.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{env, fs, io};

use sha2::{Digest as _, Sha256};

use crate::config::{Program, Remote, Server, Transport};
use crate::message;
use crate::sandbox::{CacheDir, CacheError};

/// What a file begins with. The number changes with what a file holds.
const FORMAT: &str = "mcp-gateway catalog 1";

/// Files that are kept. Each configuration of a server and each client has up
/// to five, and old ones are of no use.
const FILES: usize = 1000;

/// A longer answer is not kept: it takes long to judge it again.
const LONGEST: usize = 16 << 20;

/// Where answers are kept.
#[derive(Debug, Clone)]
pub struct Store(PathBuf);

/// What an answer depends on: how a server was started, and what the client
/// said about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(String);

/// What tells an answer from another without keeping it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Key {
    /// The key of a server and what a client said about itself.
    pub fn of(server: &Server, client: &str) -> Self {
        // What is not named here decides nothing about the answers.
        let Server {
            name: _,
            transport,
            init_timeout: _,
            timeout: _,
            tool_timeouts: _,
            unresolved: _,
            secrets: _,
            protocol,
        } = server;
        let mut key = Hasher::default();
        match transport {
            Transport::Stdio(program) => key.program(program),
            Transport::Http(remote) => key.remote(remote),
        }
        key.part(format!("{protocol:?}").as_bytes());
        key.part(client.as_bytes());
        Self(key.hex())
    }
}

impl Fingerprint {
    /// Of results, as JSON texts.
    pub fn of<'a>(results: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hasher = Hasher::default();
        for result in results {
            hasher.part(result.as_bytes());
        }
        Self(hasher.0.finalize().into())
    }
}

impl Store {
    /// Opens it where `MCP_GATEWAY_CATALOG_DIR` says, or beside the compiled
    /// guardrails. None is kept if that variable is empty.
    pub fn open() -> Result<Option<Self>, CacheError> {
        let folder = match env::var_os("MCP_GATEWAY_CATALOG_DIR") {
            Some(none) if none.is_empty() => return Ok(None),
            Some(folder) => PathBuf::from(folder),
            None => CacheDir::open()?.path().join("catalog"),
        };
        Self::at(folder).map(Some)
    }

    /// Opens it in a certain folder.
    pub fn at(folder: PathBuf) -> Result<Self, CacheError> {
        let store = Self(CacheDir::at(folder)?.path().to_owned());
        if let Err(error) = store.tidy() {
            tracing::debug!("old catalogs cannot be removed: {error}");
        }
        Ok(store)
    }

    /// The results of a method that were kept last, as JSON texts.
    pub fn load(&self, key: &Key, method: &str) -> Option<Vec<String>> {
        let path = self.path(key, method);
        let length = fs::metadata(&path).ok()?.len();
        if usize::try_from(length).ok()? > LONGEST + 1024 {
            return None;
        }
        let text = fs::read_to_string(&path).ok()?;
        let (head, body) = text.split_once('\n')?;
        if head != heading(key, method, body) {
            tracing::warn!("a kept catalog is not used: it is of another version or damaged");
            return None;
        }
        let results = message::elements(body).ok()?;
        Some(results.into_iter().map(str::to_owned).collect())
    }

    /// Keeps the results of a method, which are JSON texts.
    pub fn save(&self, key: &Key, method: &str, results: &[String]) -> io::Result<()> {
        let body = format!("[{}]", results.join(","));
        if body.len() > LONGEST {
            return Ok(());
        }
        // Readable for this person only, and never there in part.
        let mut file = tempfile::NamedTempFile::new_in(&self.0)?;
        writeln!(file, "{}", heading(key, method, &body))?;
        file.write_all(body.as_bytes())?;
        file.persist(self.path(key, method))?;
        Ok(())
    }

    fn path(&self, key: &Key, method: &str) -> PathBuf {
        self.0
            .join(format!("{}.{}", key.0, method.replace('/', "-")))
    }

    /// Removes the oldest files if there are too many.
    fn tidy(&self) -> io::Result<()> {
        let surplus = fs::read_dir(&self.0)?.count().saturating_sub(FILES);
        if surplus == 0 {
            return Ok(());
        }
        let mut files: Vec<(SystemTime, PathBuf)> = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            files.push((entry.metadata()?.modified()?, entry.path()));
        }
        files.sort();
        let oldest = files.iter().take(surplus);
        oldest.map(|(_, path)| path).try_for_each(remove)
    }
}

fn remove(path: impl AsRef<Path>) -> io::Result<()> {
    match fs::remove_file(path) {
        // Another gateway tidies as well.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// The first line of a file, which no other file has.
fn heading(key: &Key, method: &str, body: &str) -> String {
    let mut digest = Hasher::default();
    for part in [&*key.0, method, body] {
        digest.part(part.as_bytes());
    }
    format!("{FORMAT} {}", digest.hex())
}

/// Hashes parts so that no two sequences of them look alike.
#[derive(Default)]
struct Hasher(Sha256);

impl Hasher {
    fn part(&mut self, part: &[u8]) {
        self.0.update(part.len().to_be_bytes());
        self.0.update(part);
    }

    fn program(&mut self, program: &Program) {
        let Program {
            command,
            args,
            env,
            cwd,
        } = program;
        self.part(command.as_bytes());
        self.part(&args.len().to_be_bytes());
        args.iter().for_each(|arg| self.part(arg.as_bytes()));
        for (name, value) in env {
            self.part(name.as_bytes());
            self.part(value.as_bytes());
        }
        self.part(b"cwd");
        self.part(
            cwd.as_ref()
                .map_or(b"", |cwd| OsStr::as_encoded_bytes(cwd.as_os_str())),
        );
    }

    fn remote(&mut self, remote: &Remote) {
        let Remote {
            url,
            is_secret: _,
            headers,
            flavor: _,
            oauth: _,
            found_by: _,
        } = remote;
        self.part(b"url");
        self.part(url.as_str().as_bytes());
        for (name, value) in headers {
            self.part(name.as_str().as_bytes());
            self.part(value.as_bytes());
        }
    }

    fn hex(self) -> String {
        format!("{:x}", self.0.finalize())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::config::Flavor;

    fn server(args: &[&str]) -> Server {
        let args = args.iter().map(|&arg| arg.to_owned()).collect();
        Server::of_command("s".parse().unwrap(), "x".into(), args)
    }

    fn started(program: Program) -> Server {
        Server::new("s".parse().unwrap(), Transport::Stdio(program))
    }

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path().join("catalog")).unwrap();
        (folder, store)
    }

    #[test]
    fn what_is_kept_comes_back_and_is_nobody_elses() {
        let (_folder, store) = store();
        let key = Key::of(&server(&[]), "{}");
        let results = [
            r#"{"tools":[1e400]}"#.to_owned(),
            r#"{"x":"\ud83d"}"#.to_owned(),
        ];
        store.save(&key, "tools/list", &results).unwrap();
        assert_eq!(store.load(&key, "tools/list").unwrap(), results);
        assert_eq!(store.load(&key, "prompts/list"), None);
        let file = store.path(&key, "tools/list");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&file), 0o600);
            assert_eq!(mode(&store.0), 0o700);
        }
        // A file of another method or client in its place.
        fs::copy(&file, store.path(&key, "prompts/list")).unwrap();
        assert_eq!(store.load(&key, "prompts/list"), None);
    }

    #[test]
    fn a_damaged_file_is_none() {
        let (_folder, store) = store();
        let key = Key::of(&server(&[]), "{}");
        let results = [r#"{"tools":[]}"#.to_owned()];
        store.save(&key, "tools/list", &results).unwrap();
        let file = store.path(&key, "tools/list");
        let whole = fs::read(&file).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            *damaged.get_mut(at).unwrap() ^= 4;
            fs::write(&file, damaged).unwrap();
            assert_eq!(store.load(&key, "tools/list"), None, "byte {at}");
        }
        fs::write(&file, whole.split_at(40).0).unwrap();
        assert_eq!(store.load(&key, "tools/list"), None);
        store.save(&key, "tools/list", &results).unwrap();
        assert_eq!(store.load(&key, "tools/list").unwrap(), results);
    }

    #[test]
    fn what_decides_about_answers_decides_the_key() {
        let usual = "Legacy 2025-06-18 {}";
        let program = Program {
            command: "x".into(),
            ..Program::default()
        };
        let with_env = started(Program {
            env: [("A".into(), "b".into())].into(),
            ..program.clone()
        });
        let elsewhere = started(Program {
            cwd: Some("/tmp".into()),
            ..program
        });
        let remote = |token: &'static str| {
            let mut headers = reqwest::header::HeaderMap::new();
            headers.insert("authorization", token.parse().unwrap());
            let remote = Remote {
                url: "https://x".parse().unwrap(),
                is_secret: false,
                headers,
                flavor: Flavor::Auto,
                oauth: crate::config::OAuth::default(),
                found_by: String::new(),
            };
            Server::new("s".parse().unwrap(), Transport::Http(remote.into()))
        };
        let keys = [
            Key::of(&server(&[]), usual),
            Key::of(&server(&["a", "b"]), usual),
            Key::of(&server(&["ab"]), usual),
            Key::of(&with_env, usual),
            Key::of(&elsewhere, usual),
            Key::of(&remote("a"), usual),
            Key::of(&remote("b"), usual),
            Key::of(&server(&[]), &usual.replace("06-18", "03-26")),
            Key::of(&server(&[]), &usual.replace("{}", "{\"roots\":{}}")),
        ];
        for (index, one) in keys.iter().enumerate() {
            assert_eq!(keys.iter().position(|other| other == one), Some(index));
        }
        let renamed = Server {
            name: "t".parse().unwrap(),
            ..server(&[])
        };
        assert_eq!(keys.first(), Some(&Key::of(&renamed, usual)));
    }

    #[test]
    fn old_files_make_room() {
        let (_folder, store) = store();
        for n in 0..FILES + 5 {
            fs::write(store.0.join(n.to_string()), "").unwrap();
        }
        let store = Store::at(store.0).unwrap();
        assert_eq!(fs::read_dir(&store.0).unwrap().count(), FILES);
    }
}
