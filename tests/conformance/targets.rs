//! What the suite is run against: the fixture server, and gateways in front of
//! it.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;

use mcp_gateway_tests::{Gateway, Server, gateway_binary, real, repository};
use tempfile::TempDir;

/// The fixture server over streamable HTTP. Dropping it ends it.
pub(crate) struct Fixture {
    process: Child,
    /// Where it listens.
    pub(crate) url: String,
}

impl Fixture {
    pub(crate) fn start() -> Self {
        let server = over_stdio("fixture");
        let (program, args) = server.command_line();
        let args = args.iter().filter(|arg| *arg != "stdio");
        let mut process = Command::new(program)
            .args(args)
            .args(["http", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let url = lines
            .find_map(|line| Some(line.unwrap().strip_prefix("listening on ")?.to_owned()))
            .expect("the fixture listens");
        // Somebody has to read what it writes later.
        thread::spawn(move || lines.for_each(drop));
        Self { process, url }
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The fixture server as a command.
pub(crate) fn over_stdio(name: &str) -> Server {
    real::script_server(name, "fixture.py", &["stdio"])
}

/// Where a gateway reaches the server.
pub(crate) enum Upstream<'a> {
    /// It starts the fixture.
    Stdio,
    /// It connects to it.
    Http(&'a Fixture),
}

/// A gateway that serves over HTTP. Dropping it ends it.
pub(crate) struct Served {
    process: Child,
    /// Where it listens.
    pub(crate) url: String,
    _folder: TempDir,
}

impl Served {
    pub(crate) fn start(upstream: &Upstream<'_>) -> Self {
        let server = match upstream {
            Upstream::Stdio => over_stdio("fixture").toml(),
            Upstream::Http(fixture) => format!("[servers.fixture]\nurl = {:?}\n", fixture.url),
        };
        let folder = tempfile::tempdir().unwrap();
        let config = configured(&folder, &server);
        let mut process = Gateway::command()
            .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json"])
            .arg("--config")
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let url = lines
            .find_map(|line| {
                let line = line.unwrap();
                let (_, rest) = line.split_once("http://")?;
                let end = rest.find(['"', ' ', '\\'])?;
                Some(format!("http://{}", &rest[..end]))
            })
            .expect("the gateway listens");
        thread::spawn(move || lines.for_each(drop));
        Self {
            process,
            url,
            _folder: folder,
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The command line of a client for the suite: the one that connects itself.
pub(crate) fn client() -> String {
    let script = repository().join("tests/clients/conformance.py");
    format!("{} -B {}", real::python().display(), script.display())
}

/// The same, which talks to a gateway that connects.
pub(crate) fn client_of_a_gateway(folder: &TempDir) -> String {
    let config = configured(folder, "[servers.suite]\nurl = \"${CONFORMANCE_URL}\"\n");
    let cache = Gateway::command();
    let cache = cache
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}={}", name.to_str()?, value?.to_str()?)));
    let cache: Vec<String> = cache.collect();
    format!(
        "{} env {} {} --config {}",
        client(),
        cache.join(" "),
        gateway_binary().display(),
        config.display()
    )
}

/// Writes a configuration in which names stay as they are.
fn configured(folder: &TempDir, server: &str) -> PathBuf {
    let config = folder.path().join("gateway.toml");
    let text = format!("[gateway]\nnaming = \"bare\"\n{server}\n[[guardrails]]\nuse = \"basic\"\n");
    std::fs::write(&config, text).unwrap();
    config
}
