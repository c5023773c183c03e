//! Logging in to a server over HTTP: the official SDK's authorization server, a
//! browser that this test plays, and gateways that use what comes of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

use mcp_gateway_tests::real::{Listening, script_server};
use mcp_gateway_tests::{Gateway, Server, eventually};
use serde_json::json;

/// A server to log in to, and a running gateway in front of it.
struct Guarded {
    gateway: Gateway,
    _server: Listening,
}

/// `mcp-gateway login`, which waits for the browser.
struct Login {
    process: Child,
    lines: std::io::Lines<BufReader<ChildStderr>>,
    page: String,
}

impl Guarded {
    /// Tokens last so many seconds.
    fn start(lifetime: u32) -> Self {
        let setup = Gateway::with();
        let notes = setup.folder().join("notes");
        let lifetime = lifetime.to_string();
        let script = script_server("s", "guarded.py", &[&lifetime, notes.to_str().unwrap()]);
        let (program, args) = script.command_line();
        let mut command = Command::new(program);
        command.args(args);
        let server = Listening::start(command, "listening on ", str::to_owned);
        let setup = setup.server(Server::remote("s", &server.url));
        Self {
            gateway: setup.log_level("debug").start(),
            _server: server,
        }
    }

    fn command(&self, what: &str) -> Command {
        let mut command = Gateway::command();
        command
            .args([what, "s", "--config"])
            .arg(&self.gateway.config)
            .env("MCP_GATEWAY_STATE_DIR", self.state());
        command
    }

    fn state(&self) -> PathBuf {
        self.gateway.folder().join("state")
    }

    /// No token is good any more.
    fn refuse(&self) {
        std::fs::write(self.gateway.folder().join("notes"), "refuse").unwrap();
    }

    fn begin(&self) -> Login {
        let mut command = self.command("login");
        let mut process = command.arg("--no-browser").spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let page = lines
            .find_map(|line| line.ok().filter(|line| line.starts_with("http://")))
            .expect("an address to open");
        Login {
            process,
            lines,
            page,
        }
    }

    fn log_in(&self) {
        let login = self.begin();
        let (status, back) = get(&login.page);
        assert_eq!(status, 302, "the page sends the browser back");
        assert_eq!(get(&back).0, 200);
        assert!(login.end().0.success());
    }

    /// Calls until the gateway has come to the server again.
    fn calls_until_it_works(&self) {
        eventually("a call that works", || {
            let call = self.gateway.client.call("s_test_simple_text", json!({}));
            !call.is_tool_error()
        });
    }

    fn refused_call(&self) -> String {
        let call = self.gateway.client.call("s_test_simple_text", json!({}));
        assert!(call.is_tool_error(), "{}", call.raw);
        call.text()
    }
}

impl Login {
    fn end(mut self) -> (ExitStatus, String) {
        let status = self.process.wait().unwrap();
        let said: Vec<String> = self.lines.map_while(Result::ok).collect();
        (status, said.join("\n"))
    }
}

/// Opens a page as a browser does: its status, and where it sends the browser or
/// what it says.
fn get(url: &str) -> (u16, String) {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_at(rest.find('/').unwrap());
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let location = answer
        .lines()
        .find_map(|line| line.strip_prefix("location: "));
    (status, location.map_or(answer.clone(), str::to_owned))
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn whoever_is_not_logged_in_is_told_the_command_and_a_running_gateway_goes_on_once_they_are() {
    let guarded = Guarded::start(3600);
    let text = guarded.refused_call();
    assert!(text.contains("mcp-gateway login s"), "{text}");
    guarded.log_in();
    guarded.calls_until_it_works();

    let logins = guarded.state().join("logins");
    let files: Vec<PathBuf> = std::fs::read_dir(&logins)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(mode(&logins), 0o700);
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(mode(&files[0]), 0o600);
    let log = guarded.gateway.log.text();
    assert!(
        !log.contains("access-") && !log.contains("refresh-"),
        "{log}"
    );

    assert!(guarded.command("logout").status().unwrap().success());
    let text = guarded.refused_call();
    assert!(text.contains("mcp-gateway login s"), "{text}");
}

#[test]
fn a_token_that_is_over_is_renewed_and_one_that_is_not_renewed_means_to_log_in_again() {
    let guarded = Guarded::start(2);
    guarded.log_in();
    guarded.calls_until_it_works();
    let kept = || {
        let logins = std::fs::read_dir(guarded.state().join("logins")).unwrap();
        let files = logins.map(|entry| entry.unwrap().path());
        let file = files.filter(|path| path.extension().is_some_and(|it| it == "json"));
        file.map(|path| std::fs::read_to_string(path).unwrap_or_default())
            .collect::<String>()
    };
    let first = kept();
    eventually("another token", || {
        let call = guarded.gateway.client.call("s_test_simple_text", json!({}));
        assert!(!call.is_tool_error(), "{}", call.raw);
        kept() != first
    });

    guarded.refuse();
    eventually("the words of who is not logged in", || {
        let call = guarded.gateway.client.call("s_test_simple_text", json!({}));
        call.is_tool_error() && call.text().contains("mcp-gateway login s")
    });
}

#[test]
fn an_answer_that_nobody_waits_for_logs_nobody_in() {
    let guarded = Guarded::start(3600);
    let login = guarded.begin();
    let (_, back) = get(&login.page);
    let (origin, _) = back.split_once("/callback").unwrap();
    assert_eq!(
        get(&format!("{origin}/callback?code=x&state=forged")).0,
        400
    );
    assert_eq!(get(&format!("{origin}/elsewhere")).0, 404);
    // The right one still counts.
    assert_eq!(get(&back).0, 200);
    let (status, said) = login.end();
    assert!(status.success(), "{said}");
}

#[test]
fn what_cannot_be_logged_in_to_is_an_error() {
    let setup = Gateway::with().mirror();
    let (program, args, _) = setup.command_line();
    let config = &args[args.iter().position(|arg| arg == "--config").unwrap() + 1];
    let say = |server: &str| {
        let output = Command::new(&program)
            .args(["login", server, "--config", config])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(say("m").contains("nothing to log in to"), "{}", say("m"));
    assert!(say("x").contains("no server \"x\""), "{}", say("x"));
}
