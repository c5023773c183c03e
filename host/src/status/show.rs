//! Asking the gateways that run, and showing what they say.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::seconds;
use crate::plural::counted;

/// How to show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Show {
    /// For a program.
    pub json: bool,
    /// Again and again.
    pub watch: bool,
}

/// Why nothing can be shown.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// The screen is gone.
    #[error("cannot write on standard output: {0}")]
    Output(#[from] io::Error),
    /// No gateway has a socket here.
    #[error("status is not available on this system")]
    #[cfg(not(unix))]
    Unavailable,
}

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// How long a gateway may take to answer.
#[cfg(unix)]
const PATIENCE: Duration = Duration::from_secs(2);

/// Shows how the gateways are that run; the exit code is a failure if there are none.
///
/// # Errors
/// When it cannot be shown.
pub async fn show(how: Show) -> Result<ExitCode, ShowError> {
    loop {
        let all = ask().await?;
        let text = match how {
            Show { json: true, .. } => format!("{}\n", json!({ "gateways": all })),
            Show { watch: true, .. } => format!("\u{1b}[H\u{1b}[2J{}", text(&all)),
            _ => text(&all),
        };
        io::stdout().write_all(text.as_bytes())?;
        io::stdout().flush()?;
        if !how.watch {
            return Ok(match all.is_empty() {
                true => ExitCode::FAILURE,
                false => ExitCode::SUCCESS,
            });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// What the gateway of this process says; nothing if it cannot be asked.
pub async fn status_of(process: u32) -> Option<Value> {
    let all = ask().await.ok()?;
    all.into_iter()
        .find(|it| it.get("process").and_then(Value::as_u64) == Some(process.into()))
}

#[cfg(not(unix))]
async fn ask() -> Result<Vec<Value>, ShowError> {
    Err(ShowError::Unavailable)
}

/// What all gateways say. Sockets of those that are gone are cleared away.
#[cfg(unix)]
async fn ask() -> Result<Vec<Value>, ShowError> {
    let entries = super::folder().and_then(|folder| std::fs::read_dir(folder).ok());
    let mut paths: Vec<_> = entries
        .into_iter()
        .flatten()
        .flatten()
        .map(|it| it.path())
        .collect();
    paths.sort();
    let mut all = Vec::new();
    for path in paths {
        match tokio::time::timeout(PATIENCE, answer(&path)).await {
            Ok(Ok(status)) => all.push(status),
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                // Another may have done so already.
                let _ = std::fs::remove_file(path);
            }
            // One that is ending, or hangs.
            Ok(Err(_)) | Err(_) => {}
        }
    }
    Ok(all)
}

#[cfg(unix)]
async fn answer(path: &std::path::Path) -> io::Result<Value> {
    use tokio::io::AsyncReadExt;
    let mut stream = tokio::net::UnixStream::connect(path).await?;
    let mut text = Vec::new();
    stream.read_to_end(&mut text).await?;
    Ok(serde_json::from_slice(&text)?)
}

fn text(all: &[Value]) -> String {
    if all.is_empty() {
        return "no gateway runs\n".to_owned();
    }
    all.iter()
        .flat_map(|gateway| lines(gateway).into_iter().chain([String::new()]))
        .fold(String::new(), |text, line| text + &plain(&line) + "\n")
}

fn lines(gateway: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let now = seconds(SystemTime::now());
    let ago = |time: &Value| now.saturating_sub(time.as_u64().unwrap_or(now));
    lines.push(format!(
        "gateway {} {}, for {} s: {}",
        word(gateway, "process"),
        word(gateway, "version"),
        ago(gateway.get("since").unwrap_or(&Value::Null)),
        word(gateway, "config"),
    ));
    for session in items(gateway, "sessions") {
        let client = session.get("client").unwrap_or(&Value::Null);
        lines.push(format!(
            "  client     {} {}: {}, {} in flight",
            word(client, "name"),
            word(client, "version"),
            counted(word(session, "requests"), "request"),
            word(session, "inFlight"),
        ));
        for server in items(session, "servers") {
            let reason = server.get("reason").and_then(Value::as_str);
            let reason = reason
                .map(|reason| format!(": {reason}"))
                .unwrap_or_default();
            let (name, state) = (word(server, "name"), word(server, "state"));
            let version = server.get("version").and_then(Value::as_str);
            let version = version.map(|it| format!(" {it}")).unwrap_or_default();
            lines.push(format!("    server   {name}{version}: {state}{reason}"));
        }
    }
    for guardrail in items(gateway, "guardrails") {
        let did = guardrail.get("did").unwrap_or(&Value::Null);
        let health = match guardrail.get("healthy") {
            Some(Value::Bool(false)) => "UNHEALTHY",
            _ => "well",
        };
        let differing = match word(guardrail, "mode").as_str() {
            "shadow" => format!(", {}", counted(word(did, "differences"), "difference")),
            _ => String::new(),
        };
        lines.push(format!(
            "  guardrail  {} {}, {}, {health}: {}, {} blocked, {}{}\n             {}",
            word(guardrail, "name"),
            word(guardrail, "version"),
            word(guardrail, "mode"),
            counted(word(did, "findings"), "finding"),
            word(did, "blocked"),
            counted(word(did, "failures"), "failure"),
            differing,
            word(guardrail, "digest"),
        ));
        lines.extend(swap(guardrail, ago));
    }
    let slowest = items(gateway, "slowest").enumerate();
    lines.extend(slowest.map(|(place, guardrail)| {
        let title = if place == 0 { "slowest" } else { "" };
        format!("  {title:<10} {}", took(guardrail))
    }));
    for event in items(gateway, "news") {
        let named = ["guardrail", "rule", "server", "method"];
        let names = named
            .iter()
            .filter_map(|key| Some(format!("{key} {}", event.get(key)?.as_str()?)));
        let names: Vec<String> = names.collect();
        lines.push(format!(
            "  {:>6} s ago  {} ({})",
            ago(event.get("at").unwrap_or(&Value::Null)),
            word(event, "message"),
            names.join(", "),
        ));
    }
    lines
}

/// What a guardrail's checks took.
fn took(guardrail: &Value) -> String {
    let of = |key: &str| {
        let micros = guardrail.get(key).and_then(Value::as_u64);
        match micros.unwrap_or_default() {
            micros @ ..10_000 => format!("{micros} µs"),
            micros @ ..10_000_000 => format!("{} ms", micros / 1_000),
            micros => format!("{} s", micros / 1_000_000),
        }
    };
    let waiting = match word(guardrail, "mode").as_str() {
        "shadow" => ", while messages go on",
        _ => "",
    };
    format!(
        "{}: median {}, p99 {}, longest {}, {}, {} in all{waiting}",
        word(guardrail, "guardrail"),
        of("medianMicroseconds"),
        of("p99Microseconds"),
        of("longestMicroseconds"),
        counted(word(guardrail, "checks"), "check"),
        of("totalMicroseconds"),
    )
}

/// What a guardrail uses of what it is granted, and what became of its last new build.
fn swap(guardrail: &Value, ago: impl Fn(&Value) -> u64) -> Vec<String> {
    let mut lines = Vec::new();
    let granted: Vec<&str> = items(guardrail, "granted")
        .filter_map(Value::as_str)
        .collect();
    if !granted.is_empty() {
        lines.push(format!("             uses {}", granted.join(", ")));
    }
    let Some(swap) = guardrail.get("swap").filter(|it| it.is_object()) else {
        return lines;
    };
    let at = ago(swap.get("at").unwrap_or(&Value::Null));
    lines.push(match swap.get("reason").and_then(Value::as_str) {
        Some(reason) => format!("             new build refused {at} s ago: {reason}"),
        None => format!("             new build taken {at} s ago"),
    });
    let table = swap.get("table").and_then(Value::as_str);
    let table = table.into_iter().flat_map(str::lines);
    lines.extend(table.map(|line| format!("               {line}")));
    lines
}

fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn word(value: &Value, key: &str) -> String {
    match value.get(key) {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => "-".to_owned(),
        Some(other) => other.to_string(),
    }
}

/// A client may call itself anything; nothing of it moves the cursor.
fn plain(line: &str) -> String {
    line.chars()
        .filter(|c| !c.is_control() || *c == '\n')
        .collect()
}
