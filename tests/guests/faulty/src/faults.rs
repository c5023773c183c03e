//! The faults, one match arm each.

use std::hint::black_box;
use std::time::{Duration, Instant};

use mcp_gateway_sdk::bindings::mcp_gateway::guardrail::log::{Level, write};
use mcp_gateway_sdk::bindings::mcp_gateway::guardrail::message::Message;
use mcp_gateway_sdk::bindings::mcp_gateway::guardrail::types::{
    Decision, PatchOp, PatchValue, Texts, Verdict,
};

use crate::{decided, finding};

const MIB: usize = 1 << 20;

const CHECK_FAULTS: [&str; 29] = [
    "none",
    "block",
    "ask",
    "patch",
    "trap",
    "spin",
    "grow",
    "error",
    "flood-output",
    "flood-log",
    "flood-stderr",
    "grow-replacement",
    "slow",
    "sleep",
    "flood-host",
    "recurse",
    "span-out-of-range",
    "span-reversed",
    "span-inside-character",
    "span-crosses-texts",
    "spans-overlap",
    "spans-unsorted",
    "bad-patch",
    "bad-patch-value",
    "stateful",
    "stateful-invalid",
    "work",
    "bad-example",
    "unknown-kind",
];

/// Does what a fault does while the guardrail is configured, and refuses one that there isn't.
pub(crate) fn configure(fault: &str) -> Result<(), String> {
    match fault {
        "configure-error" => Err("configure fails as it was asked to: set another fault".into()),
        "configure-trap" => trap(),
        "configure-spin" => spin(),
        "configure-sleep" => sleep(),
        "configure-prints" => {
            eprintln!("a handle of standard error stays open");
            Ok(())
        }
        _ if CHECK_FAULTS.contains(&fault.split(':').next().unwrap_or(fault)) => Ok(()),
        _ => Err(format!("fault: there is no fault {fault:?}")),
    }
}

/// Does what a fault does to a message.
pub(crate) fn check(fault: &str, texts: &Texts, message: &Message) -> Result<Verdict, String> {
    let length = texts.joined.len();
    Ok(match fault {
        "block" => decided(Decision::Block("blocked as it was asked to".into())),
        "ask" => decided(Decision::Ask("is this fault all right?".into())),
        "patch" => decided(Decision::Patch(vec![PatchOp::Remove("/content/0".into())])),
        "bad-patch" => decided(Decision::Patch(vec![PatchOp::Remove("content/~2".into())])),
        "bad-patch-value" => {
            let value = PatchValue {
                path: "/content".into(),
                value: "{\"open\":".into(),
            };
            decided(Decision::Patch(vec![PatchOp::Replace(value)]))
        }
        "error" => return Err("the guardrail could not do its work".into()),
        "trap" => trap(),
        "spin" => spin(),
        "grow" => grow(),
        "sleep" => sleep(),
        "flood-host" => loop {
            black_box(message.elapsed());
        },
        "recurse" => {
            black_box(recurse(1));
            decided(Decision::Pass)
        }
        "flood-output" => decided(Decision::Block("x".repeat(16 * MIB))),
        "flood-log" => loop {
            write(Level::Info, "one line of many");
        },
        "flood-stderr" => loop {
            eprintln!("one line of many");
        },
        "grow-replacement" => {
            let places = texts
                .joined
                .match_indices("FAULT")
                .map(|(start, _)| (start, start + 5));
            redact(places, &"x".repeat(2 * MIB))
        }
        "span-out-of-range" | "stateful-invalid" => redact([(length, length + 10)], ""),
        "span-reversed" => redact([(3, 1)], ""),
        "span-inside-character" => {
            let inside = (0..length).find(|at| !texts.joined.is_char_boundary(*at));
            let inside = inside.ok_or("needs a text that isn't ASCII")?;
            redact([(inside, inside + 1)], "")
        }
        "span-crosses-texts" => {
            let first = texts
                .ends
                .iter()
                .map(|end| *end as usize)
                .find(|end| (1..length).contains(end));
            let end = first.ok_or("needs two texts")?;
            redact([(end - 1, end + 1)], "")
        }
        "spans-overlap" | "spans-unsorted" => {
            let word = texts.joined.find("FAULT").ok_or("needs the word")?;
            match fault {
                "spans-overlap" => redact([(word, word + 3), (word + 2, word + 5)], ""),
                _ => redact([(word + 3, word + 5), (word, word + 2)], ""),
            }
        }
        _ => {
            if let Some(steps) = fault.strip_prefix("work:").and_then(|n| n.parse().ok()) {
                black_box((0..steps).fold(1_u64, |sum, step| black_box(sum) ^ step));
            }
            if let Some(milliseconds) = fault.strip_prefix("slow:").and_then(|ms| ms.parse().ok()) {
                let start = Instant::now();
                while start.elapsed() < Duration::from_millis(milliseconds) {
                    black_box(());
                }
            }
            decided(Decision::Pass)
        }
    })
}

fn redact(places: impl IntoIterator<Item = (usize, usize)>, replacement: &str) -> Verdict {
    let findings = places.into_iter();
    let findings = findings.map(|(start, end)| finding(start, end, Some(replacement.into())));
    Verdict {
        decision: Decision::Redact,
        findings: findings.collect(),
    }
}

#[expect(clippy::panic, reason = "the fault itself")]
fn trap() -> ! {
    panic!("this guest panics as it was asked to")
}

fn sleep() -> ! {
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}

fn spin() -> ! {
    loop {
        black_box(());
    }
}

/// Needs a frame for each step, whatever the optimizer thinks of it.
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    let below = if black_box(true) {
        recurse(depth + 1)
    } else {
        0
    };
    below + black_box(frame).iter().sum::<u64>()
}

/// Touches what it allocates, so that the pages are really there.
fn grow() -> ! {
    let mut hoard = Vec::new();
    loop {
        hoard.push(vec![1_u8; MIB]);
        black_box(&hoard);
    }
}
