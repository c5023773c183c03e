//! The gateway as a client starts it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;

use tempfile::TempDir;

use crate::{Client, Log, Server, Serving, eventually, gateway_binary, paths, quote};

/// A configuration in the making, in a folder of its own.
pub struct Setup {
    folder: TempDir,
    gateway: String,
    servers: Vec<Server>,
    guardrails: String,
    level: &'static str,
    variables: Vec<(&'static str, PathBuf)>,
    catalog: Option<PathBuf>,
    launcher: Vec<String>,
}

/// A running gateway. Dropping it kills it.
pub struct Gateway {
    /// The client that started it.
    pub client: Client,
    /// What it logs.
    pub log: Log,
    /// Its configuration file.
    pub config: PathBuf,
    child: Mutex<Child>,
    servers: Vec<Server>,
    folder: TempDir,
}

impl Setup {
    /// A line for `[gateway]`.
    #[must_use]
    pub fn setting(mut self, line: &str) -> Self {
        self.gateway.push_str(line);
        self.gateway.push('\n');
        self
    }

    /// Adds a server.
    #[must_use]
    pub fn server(mut self, mut server: Server) -> Self {
        server.keep_diary(self.folder.path());
        self.servers.push(server);
        self
    }

    /// Adds a mirror of that name.
    #[must_use]
    pub fn mirror(self) -> Self {
        self.server(Server::mirror("m"))
    }

    /// Adds a guardrail: a component's file or a bundled one's name, and what
    /// else the configuration says about it.
    #[must_use]
    pub fn guardrail(mut self, component: impl AsRef<Path>, settings: &str) -> Self {
        let component = quote(component.as_ref().to_str().unwrap());
        self.guardrails
            .push_str(&format!("[[guardrails]]\nuse = {component}\n{settings}\n"));
        self
    }

    /// Adds a variable to the gateway's own environment.
    #[must_use]
    pub fn variable(mut self, name: &'static str, value: impl AsRef<Path>) -> Self {
        self.variables.push((name, value.as_ref().to_owned()));
        self
    }

    /// Logs more or less than usual.
    #[must_use]
    pub fn log_level(mut self, level: &'static str) -> Self {
        self.level = level;
        self
    }

    /// Keeps what servers answered in a folder that outlives this gateway; by
    /// default each gateway has its own, and knows nothing at its start.
    #[must_use]
    pub fn catalog(mut self, folder: &Path) -> Self {
        self.catalog = Some(folder.to_owned());
        self
    }

    /// Has another program start the gateway: it gets these arguments, and then the
    /// gateway's command line, into which it turns itself.
    #[must_use]
    pub fn launched_by(mut self, program: &str, args: &[&str]) -> Self {
        let words = std::iter::once(&program).chain(args);
        self.launcher = words.map(|word| (*word).to_owned()).collect();
        self
    }

    /// The folder of the configuration.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What is written into the configuration file.
    pub fn toml(&self) -> String {
        let mut text = format!("[gateway]\n{}\n", self.gateway);
        for server in &self.servers {
            text.push_str(&server.toml());
        }
        text + &self.guardrails
    }

    /// What a client starts: the program, its arguments, and the variables that
    /// it needs, as an object. The configuration is there as long as this is.
    pub fn command_line(&self) -> (String, Vec<String>, serde_json::Value) {
        let config = self.write_config();
        let text = |text: &std::ffi::OsStr| text.to_str().unwrap().to_owned();
        let command = self.command(&config);
        let args = command.get_args().map(text).collect();
        let env = command.get_envs();
        let env = env.filter_map(|(name, value)| Some((text(name), text(value?))));
        (text(command.get_program()), args, env.collect())
    }

    /// Starts the gateway and opens the session.
    pub fn start(self) -> Gateway {
        let gateway = self.start_silent();
        gateway.client.initialize();
        gateway
    }

    /// Starts the gateway; the client has not said anything yet.
    pub fn start_silent(self) -> Gateway {
        let config = self.write_config();
        let mut child = self.command(&config).spawn().unwrap();
        Gateway {
            client: Client::on(child.stdin.take().unwrap(), child.stdout.take().unwrap()),
            log: Log::read(child.stderr.take().unwrap()),
            config,
            child: Mutex::new(child),
            servers: self.servers,
            folder: self.folder,
        }
    }

    /// Has the gateway serve over HTTP, on a port that the system chooses.
    pub fn serve(self, args: &[&str]) -> Serving {
        let mut args = args.to_vec();
        if !args.contains(&"--listen") {
            args.extend(["--listen", "127.0.0.1:0"]);
        }
        let mut serving = self.start_serving(&args, &[]);
        serving.wait_to_listen();
        serving
    }

    /// Starts a gateway that refuses to serve; returns why, in its own words.
    ///
    /// # Panics
    /// When it serves.
    pub fn refused_to_serve(self, args: &[&str], env: &[(&str, &str)]) -> String {
        let serving = self.start_serving(args, env);
        let status = serving.wait();
        serving.log.wait_for_end();
        assert!(!status.success(), "it served: {}", serving.log.text());
        serving.log.text()
    }

    fn start_serving(self, args: &[&str], env: &[(&str, &str)]) -> Serving {
        let config = self.write_config();
        let mut command = Gateway::command();
        command
            .args(["serve", "--config"])
            .arg(&config)
            .args(["--log", self.level, "--log-format", "json"])
            .args(args)
            .env("MCP_GATEWAY_STATE_DIR", self.folder.path().join("state"))
            .env_remove("MCP_GATEWAY_TOKEN")
            .envs(env.iter().copied());
        let mut child = self.launched(command).spawn().unwrap();
        Serving {
            log: Log::read(child.stderr.take().unwrap()),
            config,
            address: String::new(),
            child: Mutex::new(child),
            servers: self.servers,
            folder: self.folder,
        }
    }

    /// Starts the gateway for a client that has closed the end of the log, and
    /// opens the session.
    pub fn start_without_a_log(self) -> Gateway {
        let config = self.write_config();
        let mut child = self.command(&config).spawn().unwrap();
        drop(child.stderr.take());
        let gateway = Gateway {
            client: Client::on(child.stdin.take().unwrap(), child.stdout.take().unwrap()),
            log: Log::read(std::io::empty()),
            config,
            child: Mutex::new(child),
            servers: self.servers,
            folder: self.folder,
        };
        gateway.client.initialize();
        gateway
    }

    /// Starts the gateway behind another process, which holds the pipe that
    /// the client writes to; returns that as well.
    pub fn start_behind_another_process(self) -> (Gateway, Child) {
        let config = self.write_config();
        let mut holder = Command::new("cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let pipe = holder.stdout.take().unwrap();
        let mut child = self.command(&config).stdin(pipe).spawn().unwrap();
        let gateway = Gateway {
            client: Client::on(holder.stdin.take().unwrap(), child.stdout.take().unwrap()),
            log: Log::read(child.stderr.take().unwrap()),
            config,
            child: Mutex::new(child),
            servers: self.servers,
            folder: self.folder,
        };
        gateway.client.initialize();
        (gateway, holder)
    }

    /// Starts a gateway that refuses to run; returns why, in its own words.
    ///
    /// # Panics
    /// When it runs.
    pub fn refused(self) -> String {
        let config = self.write_config();
        let mut child = self.command(&config).spawn().unwrap();
        // A gateway that runs would wait for this client for ever.
        let client = Client::on(child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let log = Log::read(child.stderr.take().unwrap());
        client.leave();
        log.wait_for_end();
        let status = child.wait().unwrap();
        assert!(
            !status.success(),
            "the gateway starts; it logs:\n{}",
            log.text()
        );
        log.text()
    }

    fn write_config(&self) -> PathBuf {
        let config = self.folder.path().join("gateway.toml");
        std::fs::write(&config, self.toml()).unwrap();
        config
    }

    fn command(&self, config: &Path) -> Command {
        let own = self.folder.path().join("catalog");
        let mut command = Gateway::command();
        command
            .env(
                "MCP_GATEWAY_CATALOG_DIR",
                self.catalog.as_ref().unwrap_or(&own),
            )
            .env("MCP_GATEWAY_STATE_DIR", self.folder.path().join("state"))
            .envs(self.variables.iter().cloned())
            .arg("--config")
            .arg(config)
            .args(["--log", self.level, "--log-format", "json"]);
        self.launched(command)
    }

    /// What starts a gateway with this command line.
    fn launched(&self, command: Command) -> Command {
        let [program, args @ ..] = self.launcher.as_slice() else {
            return command;
        };
        let mut launcher = Command::new(program);
        launcher
            .args(args)
            .arg(command.get_program())
            .args(command.get_args())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => launcher.env(name, value),
                None => launcher.env_remove(name),
            };
        }
        launcher
    }
}

impl Gateway {
    /// A gateway with nothing yet.
    pub fn with() -> Setup {
        Setup {
            folder: tempfile::tempdir().unwrap(),
            gateway: String::new(),
            servers: Vec::new(),
            guardrails: String::new(),
            level: "info",
            variables: Vec::new(),
            catalog: None,
            launcher: Vec::new(),
        }
    }

    /// The bare binary, with the cache that all tests share: components are
    /// compiled once. What servers answer is not kept.
    pub fn command() -> Command {
        let mut command = Command::new(gateway_binary());
        command
            .env("MCP_GATEWAY_CACHE_DIR", paths::target().join("tests-cache"))
            .env("MCP_GATEWAY_CATALOG_DIR", "")
            .env_remove("LOGLEVEL")
            .env_remove("RUST_LOG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// The first server, or the only one.
    pub fn server(&self) -> &Server {
        &self.servers[0]
    }

    /// A server by its name.
    pub fn server_named(&self, name: &str) -> &Server {
        self.servers
            .iter()
            .find(|server| server.name == name)
            .unwrap()
    }

    /// The folder of its configuration.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its process.
    pub fn process(&self) -> u32 {
        self.child.lock().unwrap().id()
    }

    /// Waits for it to end by itself.
    ///
    /// # Panics
    /// When it does not.
    pub fn wait(&self) -> ExitStatus {
        let mut status = None;
        eventually("the end of the gateway", || {
            status = self.child.lock().unwrap().try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    /// Has the client leave, and waits until everything is written and ended.
    pub fn end(&self) -> ExitStatus {
        self.client.leave();
        let status = self.wait();
        self.log.wait_for_end();
        status
    }

    /// Replaces a file the way that editors and package managers do: written
    /// beside it, then renamed over it.
    pub fn rename_over(path: &Path, content: &[u8]) {
        let folder = path.parent().unwrap();
        let mut fresh = tempfile::NamedTempFile::new_in(folder).unwrap();
        fresh.write_all(content).unwrap();
        fresh.persist(path).unwrap();
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let mut child = self.child.lock().unwrap();
        // It may have ended already.
        let _ = child.kill();
        let _ = child.wait();
        if std::thread::panicking() {
            eprintln!("the gateway's log:\n{}", self.log.text());
        }
    }
}
