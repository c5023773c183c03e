//! Sixteen callers never stop calling while the guardrail's file is replaced
//! again and again, by good builds and by broken ones. Not one call fails, gets
//! lost or gets past the guardrail.
//!
//! `SWAPS` says how often the file is replaced.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mcp_gateway_tests::{Gateway, eventually, guest};
use serde_json::json;

const CALLERS: usize = 16;
const TEXT: &str = "BLUEBIRD jane@example.com";

/// What the two builds make of it.
const VERDICTS: [&str; 2] = ["<CODENAME> jane@example.com", "BLUEBIRD <EMAIL>"];

#[test]
fn no_call_fails_or_passes_unguarded_while_the_guardrail_is_swapped() {
    let swaps: usize = std::env::var("SWAPS").map_or(12, |swaps| swaps.parse().unwrap());
    let builds =
        ["guardrail_codename", "guardrail_email"].map(|name| fs::read(guest(name)).unwrap());
    let broken = &builds[0][..builds[0].len() / 3];
    let setup = Gateway::with().mirror();
    let file = setup.folder().join("rule.wasm");
    fs::write(&file, &builds[0]).unwrap();
    // Each build forgets what the other one hides.
    let taken = "swap = \"examples\"";
    let gateway = setup.guardrail(&file, taken).log_level("warn").start();

    let (over, calls) = (AtomicBool::new(false), AtomicUsize::new(0));
    let times = thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let client = gateway.client.clone();
                let (over, calls) = (&over, &calls);
                scope.spawn(move || {
                    while !over.load(Ordering::Relaxed) {
                        let said = client.call("m_echo", json!({"text": TEXT})).text();
                        assert!(VERDICTS.contains(&said.as_str()), "{said}");
                        calls.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        let mut times = Vec::new();
        for swap in 1..=swaps {
            let mark = gateway.log.mark();
            Gateway::rename_over(&file, broken);
            gateway
                .log
                .wait_since(mark, "the old build goes on serving");
            let (build, verdict) = (&builds[swap % 2], VERDICTS[swap % 2]);
            let written = Instant::now();
            Gateway::rename_over(&file, build);
            eventually("the verdict of the new build", || {
                gateway.client.call("m_echo", json!({"text": TEXT})).text() == verdict
            });
            times.push(written.elapsed());
        }
        over.store(true, Ordering::Relaxed);
        for caller in callers {
            caller.join().unwrap();
        }
        times
    });
    for line in gateway.server().received() {
        let unguarded = line.contains("BLUEBIRD") && line.contains("jane@");
        assert!(!unguarded, "reached the server: {line}");
    }
    println!(
        "{swaps} swaps under {} calls of {CALLERS} callers: median {:?} from the write to the new verdict",
        calls.into_inner(),
        median(times),
    );
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
