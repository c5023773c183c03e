//! What the suite is run against: the fixture server, and gateways in front of
//! it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;

use mcp_gateway_tests::{Gateway, Server, Serving, Setup, real, repository};

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

/// A gateway that serves in front of a server.
pub(crate) fn serve(server: Server) -> Serving {
    bare().server(server).serve(&[])
}

/// A gateway in which names stay as they are, with a guardrail.
fn bare() -> Setup {
    Gateway::with()
        .setting("naming = \"bare\"")
        .guardrail("basic", "")
}

/// The command line of a client for the suite: the one that connects itself.
pub(crate) fn client() -> String {
    let script = repository().join("tests/clients/conformance.py");
    format!("{} -B {}", real::python().display(), script.display())
}

/// The same, which talks to a gateway that connects; its configuration is there
/// as long as what comes with it. `setting` is a line for the server.
pub(crate) fn client_of_a_gateway(setting: &str) -> (String, Setup) {
    let setup = bare().server(Server::remote("suite", "${CONFORMANCE_URL}").setting(setting));
    let (command, args, env) = setup.command_line();
    let env = env.as_object().unwrap().iter();
    let env = env.map(|(name, value)| format!("{name}={}", value.as_str().unwrap()));
    let mut words = vec![client(), "env".to_owned()];
    words.extend(env);
    words.push(command);
    words.extend(args);
    (words.join(" "), setup)
}
