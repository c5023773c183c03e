//! Many messages through two sessions: memory stays as it is once everything is
//! warm.
//!
//! `SOAK` says how many calls each session makes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::thread;

use mcp_gateway_tests::{Client, Gateway, resident};
use serde_json::json;

const CALLERS: usize = 4;

/// Calls of each session, unless said otherwise. With answers and progress these
/// are more than 20,000 messages.
const CALLS: usize = 5000;

/// What memory may grow by. Much less is lost in what allocators keep; a leak of
/// every message would be more.
const SLACK: u64 = 5 << 20;

/// A GitHub token that never was one, for the guardrail to find.
fn secret() -> String {
    format!(
        "ghp_{}",
        ["x7Kq2Lm9Pz4R", "t8Wv3Yb6Nc1H", "d5Fg0JsAuEiO"].concat()
    )
}

/// Calls of many kinds, beside each other, each of them checked.
fn talk(client: &Client, calls: usize) {
    thread::scope(|scope| {
        for caller in 0..CALLERS {
            scope.spawn(move || {
                for number in 0..calls / CALLERS {
                    call(client, number, &format!("{caller} {number}"));
                }
            });
        }
    });
}

fn call(client: &Client, number: usize, words: &str) {
    match number % 4 {
        0 => {
            let text = format!("{words} {}", secret());
            let said = client.call("m_echo", json!({"text": text})).text();
            assert!(
                said.starts_with(words) && !said.contains(&secret()),
                "{said}"
            );
        }
        1 => {
            let params = json!({
                "name": "m_progress",
                "arguments": {"steps": 2},
                "_meta": {"progressToken": words},
            });
            client.request("tools/call", params).text();
        }
        2 => {
            let refused = client.request("tools/call", json!({"name": words}));
            assert!(refused.value()["error"].is_object(), "{}", refused.raw);
        }
        _ => {
            // An answer of many pages, now and then a list.
            let big = client.call("m_big", json!({"bytes": 10_000})).text();
            assert_eq!(big.len(), 10_000);
            if number % 32 == 3 {
                assert!(!client.tools().is_empty());
            }
        }
    }
}

#[test]
fn memory_stays_as_it_is_over_many_messages_of_two_sessions() {
    let calls: usize = std::env::var("SOAK").map_or(CALLS, |calls| calls.parse().unwrap());
    let sessions = [(); 2].map(|()| {
        let setup = Gateway::with().mirror().guardrail("basic", "");
        setup.log_level("error").start()
    });
    let talked = |calls: usize| {
        thread::scope(|scope| {
            for session in &sessions {
                scope.spawn(move || talk(&session.client, calls));
            }
        });
        let resident = |session: &Gateway| resident(session.process());
        [&sessions[0], &sessions[1]].map(resident)
    };
    let warm = talked(calls / 4);
    let end = talked(calls);
    for (session, (warm, end)) in sessions.iter().zip(warm.into_iter().zip(end)) {
        let messages = session.client.received().len();
        println!(
            "{calls} calls, {messages} messages received: {warm} bytes warm, {end} at the end"
        );
        assert!(end < warm + SLACK, "memory grew from {warm} to {end} bytes");
    }
}
