//! The last messages that came to a chain, in memory and within bounds: what a new build
//! of a guardrail is tried on.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::sync::mpsc;

use super::Circumstances;
use crate::guardrail::Envelope;
use crate::message::Message;

/// A message as it came to the chain.
#[derive(Debug, Clone)]
pub struct Input {
    /// What is known about it.
    pub envelope: Envelope,
    /// The message, which no guardrail has seen yet.
    pub message: Message,
    /// The request that it belongs to, as it was sent on.
    pub request: Option<Message>,
    /// Microseconds since then, for a message that ends the exchange.
    pub elapsed: u64,
}

/// A message that went through the chain.
#[derive(Debug)]
pub struct Seen {
    /// As it came.
    pub input: Input,
    /// As it was let pass, if it was.
    pub left: Option<Message>,
}

/// Recent inputs of a chain, the oldest first. They are in memory only, and outlive the
/// chains of one gateway.
pub struct Recent {
    most: usize,
    bytes: usize,
    held: Mutex<Held>,
    /// Who is told of each.
    told: OnceLock<mpsc::Sender<Seen>>,
}

#[derive(Default)]
struct Held {
    inputs: VecDeque<Input>,
    bytes: usize,
}

impl Input {
    /// What its parts take in memory, about.
    fn size(&self) -> usize {
        let request = self.request.as_ref().map_or(0, |it| it.line().len());
        256 + self.message.line().len() + request
    }
}

impl Recent {
    /// Room for so many messages, of so many bytes together.
    pub fn new(most: usize, bytes: usize) -> Self {
        Self {
            most,
            bytes,
            held: Mutex::default(),
            told: OnceLock::new(),
        }
    }

    /// Tells somebody of each message from now on, as far as there is room for it with
    /// them. Whoever was first stays.
    pub fn tell(&self, somebody: mpsc::Sender<Seen>) {
        let _ = self.told.set(somebody);
    }

    /// Who is told.
    pub fn told(&self) -> Option<&mpsc::Sender<Seen>> {
        self.told.get()
    }

    /// Whether it has this room.
    pub fn has_room_for(&self, most: usize, bytes: usize) -> bool {
        self.most == most && self.bytes == bytes
    }

    /// All that are there.
    pub fn inputs(&self) -> Vec<Input> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.inputs.iter().cloned().collect()
    }

    /// Keeps a message, in the place of the oldest if there is no room for all. One that
    /// would take the place of most others is not kept.
    pub(super) fn keep(
        &self,
        envelope: &Envelope,
        message: Message,
        circumstances: &Circumstances,
        left: Option<&Message>,
    ) {
        let input = Input {
            envelope: envelope.clone(),
            message,
            request: circumstances.request.clone(),
            elapsed: circumstances.elapsed,
        };
        if let Some(told) = self.told() {
            // Nobody waits for a file.
            let _ = told.try_send(Seen {
                input: input.clone(),
                left: left.cloned(),
            });
        }
        let size = input.size();
        if size > self.bytes / 4 {
            return;
        }
        let mut gone = Vec::new();
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        while held.inputs.len() >= self.most || held.bytes + size > self.bytes {
            let Some(oldest) = held.inputs.pop_front() else {
                break;
            };
            held.bytes -= oldest.size();
            gone.push(oldest);
        }
        held.bytes += size;
        held.inputs.push_back(input);
        // Before what is gone is freed.
        drop(held);
    }
}

/// What it holds is nobody's business.
impl std::fmt::Debug for Recent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recent").finish_non_exhaustive()
    }
}

/// A chain's memory of messages, if any of its guardrails wants one.
pub type Memory = Option<Arc<Recent>>;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::guardrail::{Direction, Kind};

    fn keep(recent: &Recent, text: &str) {
        let message = Message::notification("x", Some(&format!("[\"{text}\"]")));
        let envelope = Envelope {
            session: "s".into(),
            exchange: None,
            server: "m".into(),
            method: "x".into(),
            kind: Kind::Notification,
            direction: Direction::ToClient,
            subject: None,
        };
        recent.keep(&envelope, message, &Circumstances::default(), None);
    }

    fn kept(recent: &Recent) -> Vec<String> {
        let inputs = recent.inputs();
        let text = |input: &Input| input.message.payload().unwrap().to_owned();
        inputs.iter().map(text).collect()
    }

    #[test]
    fn the_last_messages_are_kept_in_their_order() {
        let recent = Recent::new(2, 1 << 20);
        for text in ["one", "two", "three"] {
            keep(&recent, text);
        }
        assert_eq!(kept(&recent), ["[\"two\"]", "[\"three\"]"]);
    }

    #[test]
    fn bytes_are_bounded_as_well() {
        let recent = Recent::new(100, 4_000);
        for n in 0..50 {
            keep(&recent, &format!("{n:0500}"));
        }
        let held = recent.held.lock().unwrap();
        assert!(held.bytes <= 4_000, "{}", held.bytes);
        assert!((3..=5).contains(&held.inputs.len()));
        let sizes = held.inputs.iter().map(Input::size);
        assert_eq!(held.bytes, sizes.sum::<usize>());
    }

    #[test]
    fn one_that_takes_most_of_the_room_is_not_kept() {
        let recent = Recent::new(100, 4_000);
        keep(&recent, "small");
        keep(&recent, &"x".repeat(1_000));
        assert_eq!(kept(&recent), ["[\"small\"]"]);
    }
}
