//! Real servers, clients and scripts, as `cargo xtask setup` installs them.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;

use serde_json::Value;

use crate::{Server, peer, peers, repository};

/// A server that is an npm package.
pub fn npm_server(name: &str, package: &str, args: &[&str]) -> Server {
    let script = npm_script(package);
    let mut all = vec![script.to_str().unwrap()];
    all.extend(args);
    Server::command(name, "node", &all)
}

/// The script of a server that is an npm package.
pub fn npm_script(package: &str) -> PathBuf {
    peer(&format!(
        "node_modules/@modelcontextprotocol/{package}/dist/index.js"
    ))
}

/// A server that is a Python package.
pub fn python_server(name: &str, program: &str, args: &[&str]) -> Server {
    let program = peer(&format!("venv/bin/{program}"));
    Server::command(name, program.to_str().unwrap(), args)
}

/// The real server of a SQLite database.
pub fn sqlite_server(name: &str, database: &Path) -> Server {
    let program = peer("venv-1/bin/mcp-server-sqlite");
    let database = database.to_str().unwrap();
    Server::command(name, program.to_str().unwrap(), &["--db-path", database])
}

/// A server that is a script of `tests/peers`.
pub fn script_server(name: &str, script: &str, args: &[&str]) -> Server {
    let script = repository().join("tests/peers").join(script);
    let mut all = vec!["-B", script.to_str().unwrap()];
    all.extend(args);
    Server::command(name, python().to_str().unwrap(), &all)
}

/// The Python that has the official client and servers.
pub fn python() -> PathBuf {
    peer("venv/bin/python")
}

/// A Node.js that is new enough for everything.
pub fn node22() -> PathBuf {
    peer("node_modules/node/bin/node")
}

/// Runs a client of `tests/clients` in the folder where the packages are, and
/// returns what it prints.
///
/// # Panics
/// When it fails.
pub fn client(
    program: &Path,
    script: &str,
    args: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> Value {
    let output = Command::new(program)
        .arg(repository().join("tests/clients").join(script))
        .args(args)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(peers())
        .output()
        .unwrap();
    let stdout = printed(script, &output);
    serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{script}: {error}: {stdout}"))
}

/// What a program printed that has succeeded.
///
/// # Panics
/// When it has not.
pub fn printed(what: &str, output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A port that nobody uses at this moment.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// A server that listens. Dropping it ends it.
pub struct Listening {
    process: Child,
    /// Its address.
    pub url: String,
}

impl Listening {
    /// Starts a server, and waits until it has written on its standard error
    /// that it listens; `url` makes its address of the rest of that line.
    ///
    /// # Panics
    /// When it does not listen.
    pub fn start(mut command: Command, says: &str, url: impl Fn(&str) -> String) -> Self {
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let url = lines
            .find_map(|line| line.unwrap().strip_prefix(says).map(&url))
            .expect("the server listens");
        // Somebody has to read what it writes later.
        thread::spawn(move || lines.for_each(drop));
        Self { process, url }
    }

    /// server-everything, over one of its transports.
    pub fn everything(mode: &str, says: &str, path: &str) -> Self {
        let mut command = Command::new("node");
        let port = free_port();
        command
            .arg(npm_script("server-everything"))
            .arg(mode)
            .env("PORT", port.to_string());
        Self::start(command, says, |_| format!("http://127.0.0.1:{port}{path}"))
    }

    /// The fixture, of an era.
    pub fn fixture(era: &str) -> Self {
        let server = script_server("fixture", "fixture.py", &["--era", era, "http", "0"]);
        let (program, args) = server.command_line();
        let mut command = Command::new(program);
        command.args(args);
        Self::start(command, "listening on ", str::to_owned)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
