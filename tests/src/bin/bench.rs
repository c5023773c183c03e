//! What the gateway costs: the time that a call takes longer than without it,
//! the calls that it carries, its CPU time and its memory.
//!
//! Run by hand (`cargo xtask bench`), never by a test. The rounds of all set-ups
//! are interleaved, so that noise hits all alike; only ratios within one run
//! mean anything. `pipes` is the server between two `cat`s: what two more
//! processes cost that do nothing at all.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

use serde_json::{Value, json};

const ROUNDS: usize = 5;

/// Bytes of text in a call, and calls a round.
const SIZES: [(usize, usize); 3] = [(200, 2000), (10_000, 1000), (1_000_000, 40)];

/// Calls at a time, and calls a round, of 200 bytes each.
const IN_FLIGHT: (usize, usize) = (64, 6400);

/// One way to reach the server, and the best that was seen of it.
struct Setup {
    name: &'static str,
    command: Vec<String>,
    best: Best,
}

#[derive(Clone, Copy)]
struct Best {
    start: Duration,
    median: [Duration; SIZES.len()],
    calls_a_second: f64,
    cpu_a_call: Duration,
    memory: u64,
}

fn main() {
    let beside = |name: &str| {
        let here = env::current_exe().unwrap();
        let file = format!("{name}{}", env::consts::EXE_SUFFIX);
        here.with_file_name(file).to_string_lossy().into_owned()
    };
    let (mirror, gateway) = (beside("mirror"), beside("mcp-gateway"));
    let wrap = |guardrails: &[&str]| {
        let mut command: Vec<String> = vec![gateway.clone(), "--log".into(), "error".into()];
        command.push("wrap".into());
        for guardrail in guardrails {
            command.extend(["-p".into(), (*guardrail).into()]);
        }
        command.extend(["--".into(), mirror.clone()]);
        command
    };
    let configured = |name: &str, guardrails: &str| {
        let file = env::temp_dir().join(format!("mcp-gateway-bench-{name}.toml"));
        let server = format!("[gateway]\nnaming = \"bare\"\n[servers.m]\ncommand = {mirror:?}\n");
        fs::write(&file, server + guardrails).unwrap();
        let options = ["--log", "error", "--config"].map(String::from);
        let file = file.to_string_lossy().into_owned();
        [vec![gateway.clone()], options.into(), vec![file]].concat()
    };
    let kept = "[[guardrails]]\nuse = \"basic\"\nswap = \"replay\"\n";
    let beside =
        "[[guardrails]]\nuse = \"basic\"\n[[guardrails]]\nuse = \"pii\"\nmode = \"shadow\"\n";
    let pipes = format!("cat | '{mirror}' | cat");
    let mut setups = [
        Setup::new("direct", vec![mirror.clone()]),
        Setup::new("pipes", vec!["sh".into(), "-c".into(), pipes]),
        Setup::new("gateway", wrap(&[])),
        Setup::new("gateway, basic", wrap(&["basic"])),
        Setup::new("gateway, basic, replay", configured("replay", kept)),
        Setup::new("gateway, basic, pii", wrap(&["basic", "pii"])),
        Setup::new("gateway, basic, shadow pii", configured("shadow", beside)),
        Setup::new("gateway, audit", wrap(&["audit"])),
        Setup::new("gateway, all three", wrap(&["basic", "pii", "audit"])),
    ];
    for _ in 0..ROUNDS {
        for setup in &mut setups {
            setup.best.improve(round(&setup.command));
        }
    }
    eprintln!(
        "| set-up | start ms | 200 B µs | 10 kB µs | 1 MB ms | calls/s, 64 at a time | CPU µs/call | memory MB |"
    );
    eprintln!("|---|---|---|---|---|---|---|---|");
    for Setup { name, best, .. } in &setups {
        let [small, medium, large] = best.median.map(|median| median.as_secs_f64() * 1e6);
        eprintln!(
            "| {name} | {:.0} | {small:.0} | {medium:.0} | {:.2} | {:.0} | {:.0} | {:.0} |",
            best.start.as_secs_f64() * 1e3,
            large / 1e3,
            best.calls_a_second,
            best.cpu_a_call.as_secs_f64() * 1e6,
            best.memory as f64 / 1e6,
        );
    }
}

impl Setup {
    fn new(name: &'static str, command: Vec<String>) -> Self {
        let best = Best {
            start: Duration::MAX,
            median: [Duration::MAX; SIZES.len()],
            calls_a_second: 0.0,
            cpu_a_call: Duration::MAX,
            memory: u64::MAX,
        };
        Self {
            name,
            command,
            best,
        }
    }
}

impl Best {
    fn improve(&mut self, seen: Self) {
        self.start = self.start.min(seen.start);
        for (best, seen) in self.median.iter_mut().zip(seen.median) {
            *best = (*best).min(seen);
        }
        self.calls_a_second = self.calls_a_second.max(seen.calls_a_second);
        self.cpu_a_call = self.cpu_a_call.min(seen.cpu_a_call);
        self.memory = self.memory.min(seen.memory);
    }
}

fn round(command: &[String]) -> Best {
    let begun = Instant::now();
    let mut peer = Peer::start(command);
    let start = begun.elapsed();
    let median = SIZES.map(|(bytes, calls)| {
        let mut times: Vec<Duration> = (0..calls)
            .map(|_| {
                let begun = Instant::now();
                peer.call(bytes);
                peer.answer();
                begun.elapsed()
            })
            .collect();
        times.sort();
        times.get(calls / 2).copied().unwrap_or_default()
    });
    let (at_a_time, calls) = IN_FLIGHT;
    let (cpu, begun) = (peer.cpu(), Instant::now());
    for sent in 0..calls {
        peer.call(200);
        if sent >= at_a_time {
            peer.answer();
        }
    }
    for _ in 0..at_a_time {
        peer.answer();
    }
    Best {
        start,
        median,
        calls_a_second: calls as f64 / begun.elapsed().as_secs_f64(),
        cpu_a_call: peer.cpu().saturating_sub(cpu) / u32::try_from(calls).unwrap_or(1),
        memory: peer.memory(),
    }
}

/// A server, or what stands in front of it.
struct Peer {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    last_id: u64,
    line: String,
}

impl Peer {
    /// Starts it; returns when its tools are listed.
    fn start(command: &[String]) -> Self {
        let (program, arguments) = command.split_first().unwrap();
        let mut process = Command::new(program)
            .args(arguments)
            // Not into the person's own records.
            .env(
                "XETRACK_DB_PATH",
                env::temp_dir().join("mcp-gateway-bench.db"),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut peer = Self {
            input: process.stdin.take().unwrap(),
            output: BufReader::with_capacity(1 << 20, process.stdout.take().unwrap()),
            process,
            last_id: 0,
            line: String::new(),
        };
        let client = json!({"name": "bench", "version": "1"});
        let params =
            json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client});
        peer.request("initialize", &params);
        peer.answer();
        peer.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        peer.request("tools/list", &json!({}));
        peer.answer();
        peer
    }

    fn call(&mut self, bytes: usize) {
        let text = "lorem ipsum ".repeat(bytes / 12 + 1);
        let arguments = json!({"text": text.get(..bytes)});
        self.request(
            "tools/call",
            &json!({"name": "echo", "arguments": arguments}),
        );
    }

    fn request(&mut self, method: &str, params: &Value) {
        self.last_id += 1;
        let id = self.last_id;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
    }

    fn send(&mut self, message: &Value) {
        self.input
            .write_all(format!("{message}\n").as_bytes())
            .unwrap();
    }

    /// Waits for one answer.
    fn answer(&mut self) {
        loop {
            self.line.clear();
            self.output.read_line(&mut self.line).unwrap();
            assert!(!self.line.is_empty(), "the server is gone");
            if !self.line.contains("\"method\"") {
                assert!(!self.line.contains("isError"), "{}", self.line);
                return;
            }
        }
    }

    /// The CPU time that the process itself has used.
    fn cpu(&self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.process.id()));
        let nanoseconds = tasks.into_iter().flatten().flatten().filter_map(|task| {
            let times = fs::read_to_string(task.path().join("schedstat")).ok()?;
            times.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanoseconds.sum())
    }

    /// The memory that the process itself holds.
    fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kilobytes.unwrap_or(0) * 1024
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
