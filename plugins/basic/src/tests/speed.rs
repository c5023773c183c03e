//! Measures how fast texts are read, and shows it; run by hand.
//!
//! ```sh
//! cargo test --release -p mcp-gateway-basic speed -- --ignored --nocapture
//! ```
//! With `MCP_GATEWAY_TEXTS` a folder, its files are read, too; with `MCP_GATEWAY_TEXT`
//! the name of a text, only that; with `MCP_GATEWAY_BYTES` a number, texts are so long,
//! and each is read once, which is what a profiler wants.

use std::fs;
use std::time::{Duration, Instant};

use super::{basic, outcome};
use crate::template::expand;

const MEGABYTE: usize = 1_000_000;

/// The time that this thread has executed, whatever else the machine does; where nobody counts it, the time.
pub(super) fn time(since: Instant) -> Duration {
    let counted = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = counted.and_then(|it| it.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| since.elapsed(), Duration::from_nanos)
}

/// How long texts are, if the environment says so.
fn chosen() -> Option<usize> {
    std::env::var("MCP_GATEWAY_BYTES").ok()?.parse().ok()
}

fn repeated(part: &str) -> String {
    part.repeat(chosen().unwrap_or(MEGABYTE) / part.len() + 1)
}

/// Lines of a file of settings, of which most are secrets, and no two are the same.
fn dump(line: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for number in 0.. {
        text += &line(number);
        if text.len() >= chosen().unwrap_or(MEGABYTE) {
            break;
        }
    }
    text
}

fn dumps() -> [(&'static str, String); 4] {
    let secret = |number: usize| expand("[A-Za-z0-9]{32}7", &number.to_string());
    [
        (
            "env",
            dump(|n| format!("SERVICE_{n}_API_TOKEN={}\n", secret(n))),
        ),
        (
            "passwords",
            dump(|n| format!("password=hQ{}\n", &secret(n)[..10])),
        ),
        ("same password", dump(|_| "password=hunter2x!\n".to_owned())),
        (
            "keys",
            dump(|n| {
                format!(
                    "{{\"access_key\":\"AKIA{}\"}},",
                    secret(n)[..16].to_ascii_uppercase()
                )
            }),
        ),
    ]
}

/// Texts that are the worst for one part of the scanner or another.
fn worst() -> Vec<(&'static str, String)> {
    let texts = [
        ("a", "a"),
        ("digits", "0123456789"),
        ("blanks", " "),
        ("quotes", "\""),
        ("backslashes", "\\"),
        ("percents", "%"),
        ("escapes", "\\\"a\\\":\\\"b\\\","),
        ("ümläüts", "für ünd ä "),
        ("password=", "password="),
        ("key: ", "key: "),
        ("token", "token "),
        ("names", "api_key_secret_token_password_"),
        ("as the key", "x as the key "),
        ("commas", "key,token,"),
        ("rows", "key,token\na,b\n"),
        ("hex", "68657820"),
        ("ghp_", "ghp_"),
        ("sk-", "sk-"),
        ("eyJ", "eyJhbGciOi"),
        ("https://", "https://a:b@"),
        ("-----BEGIN", "-----BEGIN RSA PRIVATE KEY-----\n"),
        ("xoxb-", "xoxb-1-"),
        ("pieces", "\"ab\" + "),
    ];
    let texts = texts.into_iter();
    texts
        .map(|(name, part)| (name, repeated(part)))
        .chain(dumps())
        .collect()
}

fn ordinary() -> Vec<(String, String)> {
    let log = "2026-07-28T10:11:12.345Z INFO server::http{request_id=8f14e45f} GET /api/v1/users/42?page=3 -> 200 in 12ms\n";
    let json = r#"{"id":17,"name":"report.pdf","size":48213,"owner":{"login":"mona","id":583231},"labels":["bug","p1"],"updated_at":"2026-07-28T10:11:12Z","sha":"48e4875032cc26d5d89c9d23b486c905f032dd9d","url":"https://example.com/repos/a/b/contents/report.pdf?ref=main"},"#;
    let prose = "The quick brown fox reads a README, installs a package and wonders why the token bucket is empty. Keys are documented below; the password policy is strict. ";
    let nested = serde_json::to_string(json).unwrap();
    let mut texts: Vec<(String, String)> = [
        ("log", log),
        ("json", json),
        ("prose", prose),
        ("nested json", &nested),
    ]
    .into_iter()
    .map(|(name, part)| (name.to_owned(), repeated(part)))
    .collect();
    if let Ok(folder) = std::env::var("MCP_GATEWAY_TEXTS") {
        for file in fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if let Ok(text) = fs::read_to_string(&path) {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                texts.push((name, text));
            }
        }
    }
    texts
}

#[test]
#[ignore = "measures"]
fn speed() {
    let start = Instant::now();
    let guardrail = basic("{}");
    let worst = worst()
        .into_iter()
        .map(|(name, text)| (name.to_owned(), text));
    let only = std::env::var("MCP_GATEWAY_TEXT").ok();
    let all = ordinary().into_iter().chain(worst);
    for (name, text) in all.filter(|(name, _)| only.as_ref().is_none_or(|it| it == name)) {
        let mut best = Duration::MAX;
        let times = if chosen().is_some() { 1 } else { 3 };
        for _ in 0..times {
            let begun = time(start);
            outcome(&guardrail, &[&text]);
            best = best.min(time(start) - begun);
        }
        let rate = text.len() as f64 / best.as_secs_f64() / 1e6;
        eprintln!("{rate:8.1} MB/s  {name} ({} kB)", text.len() / 1000);
    }
    if only.is_some_and(|only| only != "call") {
        return;
    }
    let call = r#"{"path":"/home/mona/project/README.md","head":20,"note":"a token of appreciation, no key"}, and so on to two hundred bytes or so"#;
    let begun = time(start);
    let times = chosen().unwrap_or(10_000);
    for _ in 0..times {
        outcome(&guardrail, &[call]);
    }
    eprintln!(
        "{:?} for {} bytes",
        (time(start) - begun) / times as u32,
        call.len()
    );
}
