//! What a gateway says of itself at this moment.

use std::cmp::Reverse;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Running, seconds};
use crate::chain::Link;
use crate::config::Capability;
use crate::guardrail::Latency;

impl Running {
    pub(super) async fn status(&self) -> Value {
        let chain = self.chain.load_full();
        let guardrails: Vec<Value> = chain
            .links()
            .iter()
            .map(|link| self.guardrail(link))
            .collect();
        json!({
            "process": std::process::id(),
            "version": env!("CARGO_PKG_VERSION"),
            "config": self.source,
            "since": seconds(self.since),
            "sessions": self.sessions.seen().await,
            "guardrails": guardrails,
            "slowest": slowest(chain.links()),
            "news": self.news.last(),
        })
    }

    fn guardrail(&self, link: &Link) -> Value {
        let guardrail = link.guardrail();
        let uses = guardrail.uses();
        let granted = uses.iter().map(Capability::name);
        json!({
            "name": guardrail.name(),
            "version": guardrail.manifest().version,
            "digest": guardrail.anatomy().digest,
            "mode": mode(link),
            "healthy": link.is_healthy(),
            "granted": granted.collect::<Vec<_>>(),
            "swap": self.outcomes.of(guardrail.name()),
            "did": self.news.tally(guardrail.name()),
        })
    }
}

/// What the guardrails' checks took, the slowest first. One that was not asked has no place.
fn slowest(links: &[Link]) -> Vec<Value> {
    let timed = links
        .iter()
        .filter_map(|link| Some((link, link.guardrail().latency()?)));
    let mut timed: Vec<(&Link, Latency)> = timed.collect();
    timed.sort_by_key(|(_, latency)| Reverse((latency.median, latency.longest)));
    let slowest = timed.iter().map(|(link, latency)| {
        json!({
            "guardrail": link.guardrail().name(),
            "mode": mode(link),
            "checks": latency.checks,
            "medianMicroseconds": microseconds(latency.median),
            "p99Microseconds": microseconds(latency.p99),
            "longestMicroseconds": microseconds(latency.longest),
            "totalMicroseconds": microseconds(latency.total),
        })
    });
    slowest.collect()
}

fn mode(link: &Link) -> String {
    format!("{:?}", link.spec().mode).to_lowercase()
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
