//! A person's home with the files of all clients, and what is done in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use mcp_gateway_tests::real::npm_script;
use mcp_gateway_tests::{Client, Gateway, repository};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Each client, where its file is on Linux, and how its entries are written.
pub(crate) const CLIENTS: [(&str, &str, &str); 12] = [
    (
        "claude-desktop",
        ".config/Claude/claude_desktop_config.json",
        "/mcpServers",
    ),
    ("claude-code", ".claude.json", "/mcpServers"),
    ("cursor", ".cursor/mcp.json", "/mcpServers"),
    ("vscode", ".config/Code/User/mcp.json", "/servers"),
    (
        "cline",
        ".config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
        "/mcpServers",
    ),
    (
        "windsurf",
        ".codeium/windsurf/mcp_config.json",
        "/mcpServers",
    ),
    ("continue", ".continue/config.yaml", "yaml"),
    ("zed", ".config/zed/settings.json", "/context_servers"),
    ("gemini-cli", ".gemini/settings.json", "/mcpServers"),
    ("codex", ".codex/config.toml", "toml"),
    ("goose", ".config/goose/config.yaml", "yaml"),
    ("opencode", ".config/opencode/opencode.json", "/mcp"),
];

/// A token that nobody has, put together here so that no scanner takes it for one.
pub(crate) fn secret() -> String {
    ["hf_", "okpaLGklBeJFhdqd", "OvkrXljOCTwhADRrXo"].concat()
}

/// A person's home, with the files of all clients.
pub(crate) struct Home {
    pub(crate) folder: TempDir,
}

/// What a command printed.
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) ok: bool,
}

impl Home {
    pub(crate) fn new() -> Self {
        let home = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(home.path("notes")).unwrap();
        fs::write(home.path("notes/a.txt"), format!("token = {}\n", secret())).unwrap();
        for (client, file, _) in CLIENTS {
            let ending = file.rsplit('.').next().unwrap();
            let fixture = format!("tests/install/{client}.{ending}");
            let text = fs::read_to_string(repository().join(fixture)).unwrap();
            let path = home.path(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, home.filled(&text)).unwrap();
        }
        home
    }

    pub(crate) fn filled(&self, text: &str) -> String {
        text.replace("NODE", &which_node())
            .replace("SCRIPT", npm_script("server-filesystem").to_str().unwrap())
            .replace("FOLDER}", "/nowhere}")
            .replace("FOLDER", self.path("notes").to_str().unwrap())
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        // As the server resolves it, which refuses what lies elsewhere.
        self.folder.path().canonicalize().unwrap().join(file)
    }

    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        let gateway = Gateway::command();
        let known = gateway.get_envs();
        command
            .envs(known.filter_map(|(name, value)| Some((name, value?))))
            .env("HOME", self.path(""))
            .env("NOTES_TOKEN", "t")
            .env("NOTES_DIR", self.path("notes"))
            .env("ISSUES_TOKEN", "t")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_STATE_HOME")
            .env_remove("MCP_GATEWAY_STATE_DIR")
            .env_remove("CODEX_HOME");
        command
    }

    pub(crate) fn run(&self, args: &str) -> Said {
        let gateway = Gateway::command();
        let output = self
            .command(gateway.get_program())
            .args(args.split(' '))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let mut text = String::from_utf8(output.stdout).unwrap();
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        Said {
            text,
            ok: output.status.success(),
        }
    }

    pub(crate) fn done(&self, args: &str) -> String {
        let said = self.run(args);
        assert!(said.ok, "{args}: {}", said.text);
        said.text
    }

    /// Every file and what is in it.
    pub(crate) fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.path("")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => drop(files.insert(path.clone(), fs::read(&path).unwrap())),
                }
            }
        }
        files
    }

    pub(crate) fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap()
    }

    /// What a client starts for an entry: the words, and the variables.
    pub(crate) fn entry(&self, client: &str, name: &str) -> (Vec<String>, Vec<(String, String)>) {
        let (_, file, form) = CLIENTS.iter().find(|(known, ..)| *known == client).unwrap();
        let text = self.read(file);
        let entry: Value = match *form {
            "yaml" => yaml_entry(&text, name),
            "toml" => json!(toml::from_str::<toml::Table>(&text).unwrap()["mcp_servers"][name]),
            place => without_comments(&text).pointer(place).unwrap()[name].clone(),
        };
        let texts = |value: &Value| -> Vec<String> {
            let items = value.as_array().into_iter().flatten();
            items
                .map(|item| item.as_str().unwrap().to_owned())
                .collect()
        };
        let mut words = texts(&entry["command"]);
        words.extend(
            entry["command"]
                .as_str()
                .or(entry["cmd"].as_str())
                .map(str::to_owned),
        );
        words.extend(texts(&entry["args"]));
        let env = [&entry["env"], &entry["environment"]];
        let env = env.into_iter().filter_map(Value::as_object).flatten();
        // Of those the fixtures use, all clients know the value.
        let env = env.map(|(name, _)| (name.clone(), "t".to_owned()));
        (words, env.filter(|(name, _)| name != "NOTES_DIR").collect())
    }

    /// Starts an entry as its client does, and reads the note through it.
    pub(crate) fn note(&self, client: &str, name: &str, tool: &str) -> String {
        let (words, env) = self.entry(client, name);
        assert!(words[0].starts_with('/'), "{words:?}");
        let mut child = self
            .command(&words[0])
            .args(&words[1..])
            .envs(env)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let connection = Client::on(child.stdin.take().unwrap(), child.stdout.take().unwrap());
        connection.initialize();
        let path = self.path("notes/a.txt");
        let answer = connection.call(tool, json!({"path": path})).text();
        let status = self.run("status --json").text;
        let status: Value = serde_json::from_str(&status).unwrap();
        let running = status["gateways"].as_array().unwrap().iter();
        let mut own = running.filter(|it| it["process"] == json!(child.id()));
        let session = &own.next().unwrap()["sessions"][0];
        assert_eq!(session["client"]["name"], "tests", "{client}: {status:#}");
        let servers = session["servers"].as_array().unwrap().iter();
        let ready: Vec<_> = servers.filter(|it| it["state"] == "ready").collect();
        assert!(!ready.is_empty(), "{client}: {status:#}");
        connection.leave();
        child.wait().unwrap();
        answer
    }
}

pub(crate) fn which_node() -> String {
    let path = std::env::var_os("PATH").unwrap();
    let mut folders = std::env::split_paths(&path);
    let node = folders.find_map(|folder| Some(folder.join("node")).filter(|path| path.exists()));
    node.expect("Node.js is installed")
        .to_str()
        .unwrap()
        .to_owned()
}

/// Comments stand on lines of their own, or after a blank, in the fixtures.
pub(crate) fn without_comments(text: &str) -> Value {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("/*"));
    let lines = lines.map(|line| match line.find("// ") {
        Some(at) => &line[..at],
        None => line,
    });
    let text: String = lines.map(str::trim).collect();
    let text = text.replace(",}", "}").replace(",]", "]");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// An entry as the gateway writes it: a key a line.
pub(crate) fn yaml_entry(text: &str, name: &str) -> Value {
    let mut lines = text.lines().skip_while(|line| {
        let line = line.trim();
        line != format!("{name}:") && line != format!("- name: {name}")
    });
    lines.next();
    let lines = lines.take_while(|line| !line.trim().starts_with("- "));
    let pairs = lines.map_while(|line| {
        let (key, value) = line.trim().split_once(": ")?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
        Some((key.to_owned(), value))
    });
    pairs.collect()
}
