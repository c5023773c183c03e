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

/// How long anything but the server's start may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a list may take, for which a server has to start first.
const LISTING: Duration = Duration::from_secs(120);

/// A client, and the gateway that it started.
pub struct Client {
    gateway: Child,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
    log: mpsc::UnboundedReceiver<Value>,
    last_id: u64,
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
            findings: Vec::new(),
        };
        let params = json!({
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "mcp-gateway", "version": env!("CARGO_PKG_VERSION")},
        });
        client.request("initialize", params).await?;
        let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        client.send(&initialized).await?;
        Ok(client)
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

    /// The definitions of all tools, as they are listed.
    ///
    /// # Errors
    /// When the gateway does not answer, or nothing can be listed.
    pub async fn definitions(&mut self) -> Result<Vec<Value>> {
        let mut definitions = Vec::new();
        let mut params = json!({});
        loop {
            let mut page = self.request_within("tools/list", params, LISTING).await?;
            let tools = page.get_mut("tools").and_then(Value::as_array_mut);
            definitions.append(tools.context("it lists no tools")?);
            match page.get("nextCursor").filter(|cursor| !cursor.is_null()) {
                Some(cursor) => params = json!({ "cursor": cursor }),
                None => return Ok(definitions),
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
        self.request_within(method, params, PATIENCE).await
    }

    async fn request_within(
        &mut self,
        method: &str,
        params: Value,
        patience: Duration,
    ) -> Result<Value> {
        self.last_id += 1;
        let id = self.last_id;
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.send(&request).await?;
        let answer = async {
            while let Some(line) = self.stdout.next_line().await? {
                let message: Value = serde_json::from_str(&line)?;
                if message.get("id").is_some_and(|theirs| *theirs == id) {
                    return Ok(message);
                }
            }
            bail!("the gateway ended")
        };
        let mut answer = timeout(patience, answer)
            .await
            .with_context(|| format!("no answer to {method}"))??;
        match answer.get_mut("result") {
            Some(result) => Ok(result.take()),
            None => bail!("{method} failed: {answer}"),
        }
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
