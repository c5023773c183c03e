//! Whoever reads a document, and types what it says: a home of their own, with the programs
//! that it names. What would be fetched (`npx`, `uvx`) is replaced by what is installed.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use mcp_gateway_tests::{Client, Gateway, gateway_binary, peers};
use tempfile::TempDir;

/// A home, which is the folder that commands are typed in, too.
pub(crate) struct Reader {
    folder: TempDir,
}

/// A program that speaks MCP, and its client.
pub(crate) struct Running {
    pub(crate) client: Client,
    process: Child,
}

const NPX: &str = r#"[ "$1" = -y ] && shift; package=$1; shift
inspector=@modelcontextprotocol/inspector
if [ "$package" = $inspector ]; then
  exec "$PEERS/node_modules/node/bin/node" \
    "$PEERS/node_modules/$inspector/clients/launcher/build/index.js" "$@"
fi
exec node "$PEERS/node_modules/$package/dist/index.js" "$@""#;

/// The pages of the tests are on this machine, where the server would not look for any.
const UVX: &str = r#"[ "$1" = --with ] && shift 2; package=$1; shift
case $package in
  mcp-server-sqlite) exec "$PEERS/venv-1/bin/$package" "$@" ;;
  mcp-server-fetch) exec "$PEERS/venv/bin/$package" --allow-private-ips "$@" ;;
  *) exec "$PEERS/venv/bin/$package" "$@" ;;
esac"#;

impl Reader {
    pub(crate) fn new() -> Self {
        let reader = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let programs = reader.path("bin");
        fs::create_dir(&programs).unwrap();
        for (name, script) in [("npx", NPX), ("uvx", UVX)] {
            let peers = peers();
            let script = format!("#!/bin/sh\nPEERS='{}'\n{script}\n", peers.display());
            let program = programs.join(name);
            fs::write(&program, script).unwrap();
            fs::set_permissions(&program, PermissionsExt::from_mode(0o700)).unwrap();
        }
        symlink(gateway_binary(), programs.join("mcp-gateway")).unwrap();
        reader
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        // As servers resolve it, which refuse what lies elsewhere.
        self.folder.path().canonicalize().unwrap().join(name)
    }

    /// A file that only this person can read.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        path
    }

    /// A line that is typed into a shell, in a folder of this home.
    pub(crate) fn shell(&self, folder: &Path, line: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-ec", line]).current_dir(folder);
        let gateway = Gateway::command();
        let known = gateway.get_envs();
        shell.envs(known.filter_map(|(name, value)| Some((name, value?))));
        let path = std::env::var("PATH").unwrap();
        shell
            .env("HOME", self.path(""))
            .env("PATH", format!("{}:{path}", self.path("bin").display()))
            .env("MCP_GATEWAY_STATE_DIR", self.path("state"))
            .env("MCP_GATEWAY_CATALOG_DIR", self.path("catalog"))
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_STATE_HOME")
            .env_remove("XETRACK_DB_PATH");
        shell
    }

    /// A line that a client starts, and the client.
    pub(crate) fn start(&self, folder: &Path, line: &str) -> Running {
        let mut command = self.shell(folder, &format!("exec {line}"));
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let client = Client::on(
            process.stdin.take().unwrap(),
            process.stdout.take().unwrap(),
        );
        client.initialize();
        Running { client, process }
    }
}

impl Running {
    /// Has the client leave; says whether the program ended well.
    pub(crate) fn ends_well(mut self) -> bool {
        self.client.leave();
        self.process.wait().unwrap().success()
    }
}
