//! `demo`: the gateway at work in front of a real server, for whoever wants to
//! see it before they trust it.
//!
//! It starts this very binary as a client would, in front of the official
//! filesystem server on a folder with planted secrets, and shows what is in the
//! file, what the client gets, and which rule made the difference. Then it puts
//! another guardrail in the place of one that is in use, and asks again.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, io};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::bundled;
use crate::client::Client;

/// How long `npx` may take to fetch the server the first time.
const SERVER_START: Duration = Duration::from_secs(120);

/// Shows the gateway at work.
///
/// # Errors
/// When Node.js is missing, or a step does not have the effect that it should.
pub async fn demo() -> Result<()> {
    let folder = tempfile::Builder::new()
        .prefix("mcp-gateway-demo-")
        .tempdir()
        .context("cannot make a folder for the demo")?;
    // As the server resolves it, which refuses what lies elsewhere.
    let root = folder.path().canonicalize()?;
    let planted = Planted::new();
    fs::create_dir(root.join("files"))?;
    fs::write(root.join("files/notes.txt"), planted.text())?;
    let component = root.join("house-rule.wasm");
    fs::write(&component, bundled::CODENAME)?;
    let config = root.join("gateway.toml");
    fs::write(&config, gateway_toml(&root.join("files")))?;

    let mut screen = Screen::new();
    screen.title(
        "1. A file that a real MCP server may read (@modelcontextprotocol/server-filesystem)",
    );
    screen.text(&screen.mark(&planted.text(), &planted.parts()))?;

    screen.title("2. What a client gets through the gateway");
    screen.text(&fs::read_to_string(&config)?)?;
    let mut client = Client::start([OsStr::new("--config"), config.as_os_str()]).await?;
    let tools = client
        .wait_for_tool("files_read_text_file", SERVER_START)
        .await?;
    screen.text(&format!(
        "{tools} tools of the server are there, as files_…\n\n"
    ))?;
    let path = root.join("files/notes.txt");
    let first = client.read(&path).await?;
    screen.answer(&first, &client.findings())?;
    expect(!first.contains(&planted.token), "the token is masked")?;
    expect(!first.contains(&planted.key), "the AWS key is masked")?;
    expect(
        first.contains(&planted.email),
        "the e-mail address is there",
    )?;

    screen.title("3. house-rule.wasm is replaced on disk; the gateway goes on running");
    let swap = Instant::now();
    let fresh = root.join("house-rule.wasm.new");
    fs::write(&fresh, bundled::EMAIL)?;
    fs::rename(&fresh, &component)?;
    client.wait_for_log("guardrail swapped").await?;
    screen.text(&format!(
        "in use after {} ms\n\n",
        swap.elapsed().as_millis()
    ))?;
    let second = client.read(&path).await?;
    screen.answer(&second, &client.findings())?;
    expect(
        !second.contains(&planted.email),
        "the e-mail address is masked",
    )?;
    expect(
        !second.contains(&planted.token),
        "the token is still masked",
    )?;

    client.end().await?;
    screen.title("Done: three guardrails, one gateway, no restart");
    Ok(())
}

/// What stands in the file. Put together here, so that it is in no source.
struct Planted {
    token: String,
    key: String,
    email: String,
}

impl Planted {
    fn new() -> Self {
        Self {
            token: format!("hf_{}", "okpaLGklBeJFhdqdOvkrXljOCTwhADRrXo"),
            key: format!("AKIA{}", "IOSFODNN7EXAMPLE"),
            email: format!("jane.doe@{}", "example.com"),
        }
    }

    fn parts(&self) -> [&str; 4] {
        [&self.token, &self.key, &self.email, "BLUEBIRD"]
    }

    fn text(&self) -> String {
        format!(
            "Project BLUEBIRD, contact {}\nHF_TOKEN = \"{}\"\naws_access_key_id={}\n",
            self.email, self.token, self.key
        )
    }
}

fn gateway_toml(files: &Path) -> String {
    format!(
        r#"[servers.files]
command = "npx"
args = ["-y", "@modelcontextprotocol/server-filesystem", {}]
init_timeout = "120s"

[[guardrails]]
use = "basic"                # secrets

[[guardrails]]
use = "./house-rule.wasm"    # a rule of one's own: here, a project's name
swap = "examples"            # here, what takes its place may hide less
"#,
        json!(files)
    )
}

fn expect(holds: bool, what: &str) -> Result<()> {
    anyhow::ensure!(holds, "the demo failed: expected that {what}");
    Ok(())
}

/// Where the demo is shown: standard output, in colour on a terminal.
struct Screen {
    out: io::Stdout,
    colour: bool,
}

impl Screen {
    fn new() -> Self {
        let out = io::stdout();
        let colour = out.is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { out, colour }
    }

    fn title(&mut self, title: &str) {
        let line = self.paint("1;36", title);
        // A screen that is gone shows nothing more.
        let _ = writeln!(self.out, "\n{line}\n");
    }

    fn text(&self, text: &str) -> Result<()> {
        let indented = text.lines().fold(String::new(), |mut all, line| {
            let _ = writeln!(all, "    {line}");
            all
        });
        (&self.out).write_all(indented.as_bytes())?;
        Ok(())
    }

    fn answer(&self, text: &str, findings: &[Value]) -> Result<()> {
        let masks = [
            "<HUGGINGFACE_TOKEN>",
            "<AWS_ACCESS_KEY>",
            "<EMAIL>",
            "<CODENAME>",
        ];
        self.text(&self.mark(text, &masks))?;
        self.text("\n")?;
        for finding in findings {
            let field = |name: &str| finding.get(name).and_then(Value::as_str).unwrap_or("");
            self.text(&format!(
                "↳ guardrail {:<12} rule {:<26} in {} of {}/{}",
                field("guardrail"),
                field("rule"),
                field("place"),
                field("server"),
                field("subject"),
            ))?;
        }
        Ok(())
    }

    fn mark(&self, text: &str, parts: &[&str]) -> String {
        parts.iter().fold(text.to_owned(), |text, part| {
            text.replace(part, &self.paint("1;33", part))
        })
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}
