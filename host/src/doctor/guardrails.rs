//! Each guardrail is built as the gateway builds it: checked, configured, with its
//! examples and the canary. Then it judges a small message some times.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::finding;
use super::report::{Report, SeenGuardrail};
use crate::chain::{Chain, Circumstances};
use crate::config::{Capability, Config, Guardrail as Spec, Mode};
use crate::guardrail::{Direction, Envelope, Kind};
use crate::message::Message;
use crate::reload::build;
use crate::run::cache;
use crate::sandbox::Sandbox;

/// Messages of one measurement.
const TIMES: usize = 50;

/// What most people would notice in a conversation.
const SLOW: Duration = Duration::from_millis(5);

/// The session in which they are measured; no client's is named so.
const SESSION: &str = "doctor";

pub(super) async fn look(config: &Config, report: &mut Report) -> anyhow::Result<()> {
    let sandbox = Arc::new(Sandbox::new(cache())?);
    let lease = sandbox.states().open(&Arc::from(SESSION));
    for spec in config
        .guardrails
        .iter()
        .filter(|spec| spec.mode != Mode::Off)
    {
        let alone = Config {
            guardrails: vec![spec.clone()],
            gateway: config.gateway.clone(),
            source: config.source.clone(),
            ..Config::default()
        };
        match build(&sandbox, &alone, &Arc::default(), None).await {
            Ok(chain) => seen(&chain, spec, report).await,
            Err(error) => {
                let finding = finding::guardrail(spec.name.as_str(), error.to_string());
                report.findings.push(finding);
            }
        }
    }
    drop(lease);
    Ok(())
}

async fn seen(chain: &Chain, spec: &Spec, report: &mut Report) {
    let Some(link) = chain.links().first() else {
        return;
    };
    let guardrail = link.guardrail();
    let server = spec
        .only
        .servers
        .first()
        .map_or(SESSION, |name| name.as_str());
    let cost = match guardrail.uses().http {
        false => cost(chain, server).await,
        // Nobody's message is sent to anybody.
        true => None,
    };
    if let Some(cost) = cost.filter(|cost| *cost > SLOW) {
        let what = format!(
            "guardrail \"{}\" takes {cost:?} for a small message",
            spec.name
        );
        report
            .findings
            .push(finding::slow_guardrail(spec.name.as_str(), what));
    }
    let manifest = guardrail.manifest();
    report.guardrails.push(SeenGuardrail {
        name: spec.name.to_string(),
        version: manifest.version.clone(),
        digest: guardrail.anatomy().digest.clone(),
        uses: guardrail.uses().iter().map(Capability::name).collect(),
        examples: manifest.examples.len(),
        microseconds: cost.map(|cost| u64::try_from(cost.as_micros()).unwrap_or(u64::MAX)),
    });
}

/// What an answer of a tool costs, in the middle of some.
async fn cost(chain: &Chain, server: &str) -> Option<Duration> {
    let method = "tools/call";
    if !chain.concerns(server, method, Kind::Response, Direction::ToClient) {
        return None;
    }
    let text = "Nothing to see here but some words of a usual length. ".repeat(4);
    let result = format!(r#"{{"content":[{{"type":"text","text":"{text}"}}]}}"#);
    let envelope = Envelope {
        session: SESSION.into(),
        exchange: Some(1),
        server: server.into(),
        method: method.into(),
        kind: Kind::Response,
        direction: Direction::ToClient,
        subject: Some("read_file".into()),
    };
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let message = Message::result("1", &result);
        let begun = Instant::now();
        // What it decides is its affair.
        let _ = chain
            .judge(&envelope, message, &Circumstances::default())
            .await;
        times.push(begun.elapsed());
    }
    times.sort();
    times.get(times.len() / 2).copied()
}
