//! The gateway's log: one JSON object a line, on standard error.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use serde_json::Value;

use crate::PATIENCE;

/// What the gateway has logged so far. Cheap to clone.
#[derive(Clone, Default)]
pub struct Log(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    events: Vec<Event>,
    ended: bool,
}

/// One line of the log.
#[derive(Debug, Clone)]
pub struct Event {
    /// As it was written.
    pub raw: String,
    /// Its fields; null for a line that is no JSON.
    pub fields: Value,
}

impl Event {
    /// A field's text, or nothing.
    pub fn text(&self, field: &str) -> &str {
        self.fields.get(field).and_then(Value::as_str).unwrap_or("")
    }

    /// What it says.
    pub fn message(&self) -> &str {
        self.text("message")
    }
}

impl Log {
    /// Reads what a gateway writes on standard error, until that ends.
    pub fn read(stderr: impl Read + Send + 'static) -> Self {
        let log = Self::default();
        let shared = Arc::clone(&log.0);
        std::thread::spawn(move || {
            let mut lines = BufReader::new(stderr);
            let mut line = Vec::new();
            while lines
                .read_until(b'\n', &mut line)
                .is_ok_and(|read| read > 0)
            {
                let raw = String::from_utf8_lossy(&line).trim_end().to_owned();
                let fields = serde_json::from_str(&raw).unwrap_or_default();
                shared
                    .state
                    .lock()
                    .unwrap()
                    .events
                    .push(Event { raw, fields });
                shared.changed.notify_all();
                line.clear();
            }
            shared.state.lock().unwrap().ended = true;
            shared.changed.notify_all();
        });
        log
    }

    /// How many lines there are: from here on, everything is new.
    pub fn mark(&self) -> usize {
        self.0.state.lock().unwrap().events.len()
    }

    /// All lines so far.
    pub fn events(&self) -> Vec<Event> {
        self.0.state.lock().unwrap().events.clone()
    }

    /// All lines so far, as they were written.
    pub fn text(&self) -> String {
        let state = self.0.state.lock().unwrap();
        let lines: Vec<&str> = state
            .events
            .iter()
            .map(|event| event.raw.as_str())
            .collect();
        lines.join("\n")
    }

    /// Waits for a line whose message contains this, among those since a mark.
    ///
    /// # Panics
    /// When it does not come in time.
    pub fn wait_since(&self, mark: usize, message: &str) -> Event {
        self.wait_for(mark, message, |event| event.message().contains(message))
    }

    /// Waits for a line whose message contains this, however long ago.
    ///
    /// # Panics
    /// When it does not come in time.
    pub fn wait(&self, message: &str) -> Event {
        self.wait_since(0, message)
    }

    /// Waits for a line that fits, among those since a mark.
    ///
    /// # Panics
    /// When it does not come in time.
    pub fn wait_for(&self, mark: usize, what: &str, fits: impl Fn(&Event) -> bool) -> Event {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.0.state.lock().unwrap();
        loop {
            if let Some(event) = state.events.iter().skip(mark).find(|event| fits(event)) {
                return event.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || state.ended {
                // Others may still read the log when this test has failed.
                drop(state);
                panic!("the log does not say {what:?}; it says:\n{}", self.text());
            }
            state = self.0.changed.wait_timeout(state, left).unwrap().0;
        }
    }

    /// Waits until the stream has ended: the process is gone.
    pub(crate) fn wait_for_end(&self) {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.0.state.lock().unwrap();
        while !state.ended && Instant::now() < deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            state = self.0.changed.wait_timeout(state, left).unwrap().0;
        }
    }
}
