//! A client of the gateway's own, for the demo and the doctor: it starts this very
//! program as any MCP client would and talks to it over its standard streams. The
//! gateway's log, as JSON, tells what the guardrails found.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::message::{Kind, Message};

/// How long anything but the server's start may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a list may take, for which a server has to start first.
const LISTING: Duration = Duration::from_secs(120);

/// The code of the error that says that there is no such method.
const UNKNOWN_METHOD: &str = "-32601";

/// A client, and the gateway that it started.
pub struct Client {
    gateway: Child,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
    log: mpsc::UnboundedReceiver<Value>,
    last_id: u64,
    opening: Message,
    findings: Vec<Value>,
}

impl Client {
    /// Starts the gateway with these arguments, and opens the session.
    ///
    /// # Errors
    /// When the gateway does not start or does not answer.
    pub async fn start(args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Result<Self> {
        let mut gateway = Command::new(std::env::current_exe()?)
            .args(args)
            .args(["--trial", "--log", "info", "--log-format", "json"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start the gateway")?;
        let (Some(stdin), Some(stdout), Some(stderr)) = (
            gateway.stdin.take(),
            gateway.stdout.take(),
            gateway.stderr.take(),
        ) else {
            bail!("the gateway has no standard streams");
        };
        let (sender, log) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                match serde_json::from_str(&line) {
                    Ok(event) => drop(sender.send(event)),
                    // Not an event of the log: an error that ends the gateway.
                    Err(_) => eprintln!("{line}"),
                }
            }
        });
        let mut client = Self {
            gateway,
            stdin,
            stdout: BufReader::new(stdout).lines(),
            log,
            last_id: 0,
            opening: Message::result("0", "{}"),
            findings: Vec::new(),
        };
        client.open().await?;
        Ok(client)
    }

    /// Opens the session, or another one, for which the servers are opened anew.
    ///
    /// # Errors
    /// When the gateway does not answer.
    pub async fn open(&mut self) -> Result<()> {
        let params = json!({
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "mcp-gateway", "version": env!("CARGO_PKG_VERSION")},
        });
        let opening = self.exchange("initialize", params, PATIENCE).await?;
        self.opening = answered("initialize", opening)?;
        let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        self.send(&initialized).await
    }

    /// What the gateway said when the session was opened.
    pub fn opening(&self) -> &Message {
        &self.opening
    }

    /// The gateway's process; nothing once it has ended.
    pub fn process(&self) -> Option<u32> {
        self.gateway.id()
    }

    /// What the gateway logs next; `None` once it has ended.
    pub async fn event(&mut self) -> Option<Value> {
        self.log.recv().await
    }

    /// The names of all tools.
    ///
    /// # Errors
    /// When the gateway does not answer.
    pub async fn tools(&mut self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        let mut params = json!({});
        loop {
            let page = self.request("tools/list", params).await?;
            let tools = page.get("tools").and_then(Value::as_array);
            let tools = tools.map(Vec::as_slice).unwrap_or_default();
            let name = |tool: &Value| Some(tool.get("name")?.as_str()?.to_owned());
            names.extend(tools.iter().filter_map(name));
            match page.get("nextCursor") {
                Some(cursor) => params = json!({ "cursor": cursor }),
                None => return Ok(names),
            }
        }
    }

    /// The pages of a list; none where there is no such list.
    ///
    /// # Errors
    /// When the gateway does not answer, or cannot have it listed.
    pub async fn pages(&mut self, method: &str) -> Result<Vec<Message>> {
        let mut pages = Vec::new();
        let mut params = json!({});
        loop {
            let page = self.exchange(method, params, LISTING).await?;
            if page.value("/code") == Some(UNKNOWN_METHOD) && pages.is_empty() {
                return Ok(pages);
            }
            let page = answered(method, page)?;
            let next = page.value("/nextCursor").filter(|it| *it != "null");
            let next: Option<Value> = next.map(serde_json::from_str).transpose()?;
            pages.push(page);
            match next {
                Some(cursor) => params = json!({ "cursor": cursor }),
                None => return Ok(pages),
            }
        }
    }

    /// Waits until a tool is listed, and says how many there are.
    ///
    /// # Errors
    /// When the gateway does not answer as it should.
    pub async fn wait_for_tool(&mut self, name: &str, patience: Duration) -> Result<usize> {
        let begun = Instant::now();
        loop {
            let result = self.request("tools/list", json!({})).await?;
            let tools = result.get("tools").and_then(Value::as_array);
            let tools = tools.map(Vec::as_slice).unwrap_or_default();
            if tools
                .iter()
                .any(|t| t.get("name").is_some_and(|n| n == name))
            {
                return Ok(tools.len());
            }
            if begun.elapsed() > patience {
                bail!(
                    "the server did not start; the demo needs Node.js with npx, see the log above"
                );
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    /// Reads a file through the gateway.
    ///
    /// # Errors
    /// When the gateway does not answer as it should.
    pub async fn read(&mut self, path: &Path) -> Result<String> {
        let params = json!({"name": "files_read_text_file", "arguments": {"path": path}});
        let result = self.request("tools/call", params).await?;
        let text = result.pointer("/content/0/text").and_then(Value::as_str);
        let text = text.context("the answer has no text")?.to_owned();
        // The log is another stream, and may be a little behind.
        tokio::time::sleep(Duration::from_millis(50)).await;
        self.drain_log();
        Ok(text)
    }

    /// What the guardrails found in the last answer, once for each rule and
    /// place.
    pub fn findings(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.findings)
    }

    /// Waits for a line of the gateway's log.
    ///
    /// # Errors
    /// When the gateway does not answer as it should.
    pub async fn wait_for_log(&mut self, message: &str) -> Result<()> {
        let found = async {
            while let Some(event) = self.log.recv().await {
                if event.get("message").is_some_and(|m| m == message) {
                    return Ok(());
                }
            }
            bail!("the gateway ended")
        };
        timeout(PATIENCE, found)
            .await
            .with_context(|| format!("the gateway did not log {message:?}"))?
    }

    /// Leaves, and waits for the gateway to end.
    ///
    /// # Errors
    /// When the gateway does not answer as it should.
    pub async fn end(mut self) -> Result<()> {
        drop(self.stdin);
        let status = timeout(PATIENCE, self.gateway.wait())
            .await
            .context("the gateway does not end")??;
        anyhow::ensure!(status.success(), "the gateway ended with {status}");
        Ok(())
    }

    async fn request(&mut self, method: &str, params: Value) -> Result<Value> {
        let answer = self.exchange(method, params, PATIENCE).await?;
        let answer = answered(method, answer)?;
        Ok(serde_json::from_str(answer.payload().unwrap_or("{}"))?)
    }

    /// Asks for something, and returns the answer to it, whatever that is.
    async fn exchange(
        &mut self,
        method: &str,
        params: Value,
        patience: Duration,
    ) -> Result<Message> {
        self.last_id += 1;
        let id = self.last_id;
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.send(&request).await?;
        let id = id.to_string();
        let answer = async {
            while let Some(line) = self.stdout.next_line().await? {
                let message = Message::parse(line.into())?;
                if message.id() == Some(&*id) && message.method().is_none() {
                    return Ok(message);
                }
            }
            bail!("the gateway ended")
        };
        timeout(patience, answer)
            .await
            .with_context(|| format!("no answer to {method}"))?
    }

    async fn send(&mut self, message: &Value) -> Result<()> {
        self.stdin
            .write_all(format!("{message}\n").as_bytes())
            .await?;
        Ok(())
    }

    fn drain_log(&mut self) {
        while let Ok(event) = self.log.try_recv() {
            if event.get("message").is_some_and(|m| m == "finding") {
                self.findings.push(event);
            }
        }
    }
}

/// An answer that is no error.
fn answered(method: &str, answer: Message) -> Result<Message> {
    match answer.kind() {
        Kind::Error => bail!("{method} failed: {}", answer.payload().unwrap_or_default()),
        _ => Ok(answer),
    }
}
