//! What the gateway logs, as far as it is of use later: counts by guardrail, and the
//! last remarkable events.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::Serialize;
use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Events that are kept.
const KEPT: usize = 20;

/// Events that are remarkable although nothing is wrong.
const REMARKABLE: [&str; 3] = [
    "guardrail loaded",
    "guardrail swapped",
    "the configuration was reloaded",
];

/// What has happened.
#[derive(Debug, Default)]
pub struct News(Mutex<Noted>);

/// What reads it from the log.
#[derive(Debug)]
pub struct Reader(pub Arc<News>);

#[derive(Debug, Default)]
struct Noted {
    last: VecDeque<Value>,
    tallies: BTreeMap<String, Tally>,
}

/// What one guardrail did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// What it found.
    pub findings: u64,
    /// Messages that it stopped.
    pub blocked: u64,
    /// Messages that it failed on.
    pub failures: u64,
    /// What it would have done otherwise, if it is a shadow.
    pub differences: u64,
}

impl News {
    /// The last remarkable events, the latest last.
    pub fn last(&self) -> Vec<Value> {
        self.noted().last.iter().cloned().collect()
    }

    /// What a guardrail did.
    pub fn tally(&self, guardrail: &str) -> Tally {
        self.noted()
            .tallies
            .get(guardrail)
            .copied()
            .unwrap_or_default()
    }

    fn note(&self, level: Level, mut fields: Map<String, Value>) {
        let message = fields.get("message").and_then(Value::as_str);
        let message = message.unwrap_or_default().to_owned();
        let mut noted = self.noted();
        if let Some(name) = fields.get("guardrail").and_then(Value::as_str) {
            let count = fields.get("count").and_then(Value::as_u64).unwrap_or(1);
            let tally = noted.tallies.entry(name.to_owned()).or_default();
            match message.as_str() {
                "finding" | "more findings in the same message" => tally.findings += count,
                "blocked" => tally.blocked += 1,
                "shadow differs" => tally.differences += 1,
                _ if message.starts_with("guardrail failed") => tally.failures += 1,
                _ => {}
            }
        }
        if level <= Level::WARN || REMARKABLE.contains(&message.as_str()) {
            fields.insert("at".to_owned(), json!(super::seconds(SystemTime::now())));
            if noted.last.len() == KEPT {
                noted.last.pop_front();
            }
            noted.last.push_back(Value::Object(fields));
        }
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Subscriber> Layer<S> for Reader {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        self.0.note(*event.metadata().level(), fields.0);
    }
}

/// The fields of an event.
struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0
            .insert(field.name().to_owned(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[test]
    fn what_guardrails_did_is_counted_and_the_last_of_what_is_remarkable_is_kept() {
        let news = Arc::new(News::default());
        let reader = tracing_subscriber::registry().with(Reader(Arc::clone(&news)));
        tracing::subscriber::with_default(reader, || {
            tracing::info!(guardrail = "basic", count = 3_u64, "finding");
            tracing::warn!(guardrail = "basic", rule = "x", "blocked");
            tracing::error!(guardrail = "pii", "guardrail failed: it crashed");
            tracing::info!("serving");
            for number in 0..30_u64 {
                tracing::info!(number, "guardrail swapped");
            }
        });
        let basic = Tally {
            findings: 3,
            blocked: 1,
            failures: 0,
            differences: 0,
        };
        assert_eq!(news.tally("basic"), basic);
        assert_eq!(news.tally("pii").failures, 1);
        assert_eq!(news.tally("other"), Tally::default());
        let last = news.last();
        assert_eq!(last.len(), KEPT);
        assert_eq!(
            last.last().and_then(|it| it.get("number")),
            Some(&json!(29))
        );
    }
}
