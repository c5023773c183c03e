//! Fills an audit database with made-up calls, and says how long that took:
//! `fill_journal FILE RECORDS`. Reading it is measured with the commands themselves, such
//! as `time mcp-gateway audit --db FILE query --since 24h --tool '*delete*'`.

#![allow(clippy::print_stdout, reason = "it is a program of its own")]

use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use mcp_gateway::journal::{Content, Durability, Finding, Form, Kind, Outcome, Record, Store};
use mcp_gateway::sandbox::journal_keys;

/// As many as the thread of a gateway writes together.
const GROUP: i64 = 256;

/// The calls are spread over so many days.
const DAYS: i64 = 30;

const TOOLS: [&str; 16] = [
    "read_file",
    "write_file",
    "list_directory",
    "search",
    "query",
    "execute",
    "get_issue",
    "create_issue",
    "list_pull_requests",
    "fetch",
    "convert_time",
    "read_row",
    "delete_row",
    "update_row",
    "drop_table",
    "send_message",
];

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), Some(count)) = (arguments.next(), arguments.next()) else {
        bail!("fill_journal FILE RECORDS");
    };
    let (path, count) = (Path::new(&path), count.parse::<i64>()?);
    let mut store = Store::open(path, &journal_keys()?, Durability::Batch)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let now = i64::try_from(now.as_millis()).context("the clock")?;
    let apart = DAYS * 86_400_000 / count.max(1);
    let begun = Instant::now();
    let mut at = 0;
    while at < count {
        let group: Vec<_> = (at..count.min(at + GROUP))
            .map(|number| record(number, now - (count - number) * apart))
            .collect();
        store.append(&group)?;
        at += GROUP;
    }
    let seconds = begun.elapsed().as_secs_f64();
    drop(store);
    let bytes = std::fs::metadata(path)?.len();
    println!(
        "{count} records in {seconds:.1} s: {:.0} a second, {} bytes each",
        count as f64 / seconds,
        bytes / u64::try_from(count.max(1))?
    );
    Ok(())
}

fn record(number: i64, time: i64) -> Record {
    // The numbers look as if nobody had ordered them, and are the same each time.
    let mixed = number.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let of = |shift: u32, many: u64| (mixed >> shift) % many;
    // The first tools are called far more often than the last.
    let tool = usize::try_from(of(8, 16).min(of(12, 16))).unwrap_or_default();
    let tool = TOOLS.get(tool).unwrap_or(&"query");
    let outcome = match of(16, 100) {
        0 => Outcome::Blocked,
        1..3 => Outcome::ToolError,
        _ => Outcome::Ok,
    };
    let finding = (of(24, 10) == 0).then(|| Finding {
        guardrail: "basic".into(),
        digest: "3f5ca7a1c1b9be46b0d1c9d1f4b4fa1fd1b5a5f5b8f0b1a8f6d9b1f5e0a4c7d2".into(),
        rule: ["aws-access-key", "github-token", "private-key", "jwt"]
            .get(usize::try_from(of(30, 4)).unwrap_or_default())
            .map_or_else(String::new, |rule| (*rule).to_owned()),
        count: 1,
        place: "/content/0/text".into(),
        message: "response",
        decision: if outcome == Outcome::Blocked {
            "block"
        } else {
            "redact"
        },
        is_enforced: true,
    });
    let (server, id) = (of(40, 5), format!("{mixed:016x}"));
    Record {
        time,
        kind: Kind::Call,
        session: format!("{:08x}", number / 500).into(),
        exchange: Some(number.unsigned_abs() % 500),
        client: Some("claude-code".into()),
        client_version: Some("2.0.14".into()),
        server: Some(format!("server-{server}").into()),
        method: "tools/call".into(),
        subject: Some((*tool).into()),
        direction: "to-server",
        arguments: content(format!(
            r#"{{"path":"/srv/projects/{id}/notes.md","limit":{},"query":"all that is newer than {id}"}}"#,
            of(20, 1000)
        )),
        result: content(format!(
            r#"{{"content":[{{"type":"text","text":"{id}: {}"}}],"isError":false}}"#,
            "what a server says, which is a little longer. ".repeat(4)
        )),
        outcome,
        blocked_by: (outcome == Outcome::Blocked).then(|| "basic".into()),
        reason: (outcome == Outcome::Blocked).then(|| "a secret was found".to_owned()),
        duration: 500 + of(32, 20_000),
        server_time: 400 + of(32, 20_000),
        guardrail_time: 80,
        request_bytes: 220,
        result_bytes: 310,
        findings: finding.into_iter().collect(),
    }
}

fn content(text: String) -> Content {
    Content {
        text: Some(text),
        form: Form::Masked,
        is_cut: false,
    }
}
