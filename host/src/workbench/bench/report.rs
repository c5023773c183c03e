//! What was measured, for a person and for a program.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Check, Measured, Times};
use crate::cli::Way;
use crate::config::Limits;

/// All that was measured.
pub(super) struct Report {
    pub(super) measured: Vec<Measured>,
    /// Of all of them one after the other; empty if there is one only.
    pub(super) chain: Vec<Check>,
}

impl Report {
    /// The limits that would be broken, in words.
    pub(super) fn broken(&self) -> Vec<String> {
        self.measured.iter().flat_map(Measured::broken).collect()
    }

    pub(super) fn text(&self) -> String {
        let mut lines = Vec::new();
        for one in &self.measured {
            lines.push(one.name.clone());
            lines.push(format!("  component    {}", bytes(one.size as u64)));
            lines.push(match one.snapshot {
                Some(size) => format!("  snapshot     {}", bytes(size as u64)),
                None => "  snapshot     none: each instance is configured".to_owned(),
            });
            lines.push(format!(
                "  load         {} at first, {} from the cache",
                time(one.load),
                time(one.reload)
            ));
            lines.push(format!("  configure    {}", time(one.configure)));
            lines.push(format!(
                "  instantiate  p50 {}, p99 {}, {} of memory",
                time(one.instantiate.p50),
                time(one.instantiate.p99),
                memory(one.memory_at_start)
            ));
            lines.extend(one.checks.iter().map(Check::line));
            if one.checks.is_empty() {
                lines.push("  it does not want to see calls of tools".to_owned());
            }
            lines.push(String::new());
        }
        if !self.chain.is_empty() {
            lines.push("all of them, as a chain".to_owned());
            lines.extend(self.chain.iter().map(Check::line));
            lines.push(String::new());
        }
        let broken = self.broken();
        match broken.is_empty() {
            true => lines.push("within the limits that guardrails have by default".to_owned()),
            false => {
                lines.extend(broken.into_iter().map(|line| format!("BREAKS {line}")));
                lines.push("`limits` in its entry of gateway.toml can allow more".to_owned());
            }
        }
        lines.join("\n") + "\n"
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "guardrails": self.measured.iter().map(Measured::json).collect::<Vec<_>>(),
            "chain": self.chain.iter().map(Check::json).collect::<Vec<_>>(),
            "breaks": self.broken(),
        })
    }
}

impl Measured {
    fn broken(&self) -> Vec<String> {
        let limits = Limits::default();
        let mut broken = Vec::new();
        if self.configure > limits.configure {
            broken.push(format!(
                "configure = {}: it takes {}",
                time(limits.configure),
                time(self.configure)
            ));
        }
        let most = self.checks.iter().map(|check| check.memory).max();
        let most = most.unwrap_or_default().max(self.memory_at_start);
        if most > limits.memory {
            broken.push(format!(
                "memory = {}: it takes {}",
                memory(limits.memory),
                memory(most)
            ));
        }
        for check in &self.checks {
            let size = bytes(check.size as u64);
            let limit = limits.cpu_for(check.size);
            match &check.outcome {
                // The slowest of a few may be another program's fault.
                Ok(times) if times.p50 > limit => broken.push(format!(
                    "cpu = {}: {size} {} take {}",
                    time(limit),
                    way(check.way),
                    time(times.p50)
                )),
                Ok(_) => {}
                Err(fault) => broken.push(format!("{size} {}: {fault}", way(check.way))),
            }
        }
        let name = &self.name;
        broken
            .into_iter()
            .map(|line| format!("{name}: {line}"))
            .collect()
    }

    fn json(&self) -> Value {
        json!({
            "guardrail": self.name,
            "componentBytes": self.size,
            "snapshotBytes": self.snapshot,
            "loadSeconds": self.load.as_secs_f64(),
            "reloadSeconds": self.reload.as_secs_f64(),
            "configureSeconds": self.configure.as_secs_f64(),
            "instantiate": self.instantiate.json(),
            "memoryAtStart": self.memory_at_start,
            "checks": self.checks.iter().map(Check::json).collect::<Vec<_>>(),
        })
    }
}

impl Check {
    fn line(&self) -> String {
        let size = bytes(self.size as u64);
        let start = format!("  {:<10} {size:>8}", way(self.way));
        match &self.outcome {
            Err(fault) => format!("{start}  NO VERDICT: {fault}"),
            Ok(times) => {
                let mut line = format!(
                    "{start}  p50 {:>9}, p99 {:>9}",
                    time(times.p50),
                    time(times.p99)
                );
                // What a call costs, whatever its size, says nothing about a kB.
                if self.size >= 10_000 {
                    line.push_str(&format!(", {} a kB", time(self.per_kilobyte(*times))));
                }
                if self.memory > 0 {
                    line.push_str(&format!(", then {} of memory", memory(self.memory)));
                }
                line
            }
        }
    }

    /// A guardrail waits for nothing, so its time is time of the processor.
    fn per_kilobyte(&self, times: Times) -> Duration {
        let kilobytes = u32::try_from(self.size).unwrap_or(u32::MAX).max(1);
        times.p50.saturating_mul(1_000) / kilobytes
    }

    fn json(&self) -> Value {
        let times = self.outcome.as_ref();
        json!({
            "direction": way(self.way),
            "bytes": self.size,
            "times": times.ok().map(|times| times.json()),
            "microsecondsPerKilobyte": times.ok().map(|times| micros(self.per_kilobyte(*times))),
            "fault": times.err(),
            "memoryAfter": (self.memory > 0).then_some(self.memory),
        })
    }
}

impl Times {
    fn json(self) -> Value {
        json!({
            "measured": self.count,
            "p50Microseconds": micros(self.p50),
            "p99Microseconds": micros(self.p99),
        })
    }
}

fn way(way: Way) -> &'static str {
    match way {
        Way::ToServer => "to-server",
        Way::ToClient => "to-client",
    }
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

fn time(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match duration.as_micros() {
        0..10 => format!("{:.2} µs", seconds * 1e6),
        10..1_000 => format!("{:.0} µs", seconds * 1e6),
        1_000..10_000 => format!("{:.2} ms", seconds * 1e3),
        10_000..1_000_000 => format!("{:.0} ms", seconds * 1e3),
        _ => format!("{seconds:.2} s"),
    }
}

fn bytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let size = bytes as f64;
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.0} kB", size / 1e3),
        _ => format!("{:.1} MB", size / 1e6),
    }
}

/// Memory is counted, and limited, in powers of two.
fn memory(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let size = bytes as f64 / f64::from(1 << 20);
    format!("{size:.1} MiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(checks: Vec<Check>) -> Measured {
        let quick = Times {
            count: 1,
            p50: Duration::from_micros(20),
            p99: Duration::from_micros(30),
        };
        Measured {
            name: "g".into(),
            size: 1,
            snapshot: None,
            load: Duration::ZERO,
            reload: Duration::ZERO,
            configure: Duration::ZERO,
            instantiate: quick,
            memory_at_start: 1 << 20,
            checks,
        }
    }

    fn check(outcome: Result<Times, String>, memory: u64) -> Check {
        Check {
            way: Way::ToClient,
            size: 1_000_000,
            outcome,
            memory,
        }
    }

    #[test]
    fn a_limit_is_broken_by_what_takes_more() {
        let times = |p50| Times {
            count: 10,
            p50: Duration::from_millis(p50),
            p99: Duration::from_millis(500),
        };
        let broken = |check| measured(vec![check]).broken();
        assert_eq!(broken(check(Ok(times(475)), 64 << 20)), [""; 0]);
        assert_eq!(
            broken(check(Ok(times(476)), 65 << 20)),
            [
                "g: memory = 64.0 MiB: it takes 65.0 MiB",
                "g: cpu = 475 ms: 1.0 MB to-client take 476 ms",
            ]
        );
        let fault = broken(check(Err("it crashed".into()), 0));
        assert_eq!(fault, ["g: 1.0 MB to-client: it crashed"]);
    }
}
