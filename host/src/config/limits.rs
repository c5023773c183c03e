//! What one guardrail may use up before it is stopped.

use std::time::Duration;

/// What one guardrail may use up. Unless said otherwise, per message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory of one instance, in bytes. 64 MiB: a Python or JavaScript
    /// guest takes about 30 MiB before it does anything.
    pub memory: u64,
    /// Time on the CPU, for a message of up to 64 KiB of text; each further 64 KiB
    /// have a quarter of it in addition, since a large message takes longer to read.
    /// 100 ms: still too short for a person to notice. A table of nothing but
    /// customers takes `pii` 15 ms per 64 KiB, and several times that on a
    /// machine that does much else, since time is counted by a clock.
    pub cpu: Duration,
    /// Time by the clock around everything, waiting included. 10 s: a check in
    /// the cloud may be slow, but the client must get an answer before it
    /// gives up.
    pub wall: Duration,
    /// What a guardrail may hand back, in bytes: findings, replacements,
    /// patches. 4 MiB: enough to rewrite a large result.
    pub output: usize,
    /// Lines in the log. 100: enough to find a fault, too few to flood a disk.
    pub log_lines: u32,
    /// Length of those lines together, in bytes. 16 KiB, for the same reason.
    pub log_bytes: u32,
    /// Calls of capabilities. 10 000: one per text of a large list, but no
    /// endless loop, since time spent in the host is not billed as CPU.
    pub host_calls: u32,
    /// HTTP requests. 10: a long message in several pieces, and another attempt at
    /// some of them.
    pub http_requests: u32,
    /// Length of the body of a request, and of its answer, in bytes. 1 MiB: what is
    /// held for one that waits.
    pub http_body: usize,
    /// Entries in one store of `state`: what a guardrail keeps for one session, or for
    /// all. 10 000, enough for every name in a long conversation.
    pub state_entries: usize,
    /// Length of a key in it, in bytes. 1 KiB.
    pub state_key: usize,
    /// Length of a value in it, in bytes. 64 KiB: what is larger is no note about a
    /// message but the message.
    pub state_value: usize,
    /// Length of all keys and values of a store together, in bytes. 4 MiB, since a
    /// gateway that serves may have a hundred sessions.
    pub state_bytes: usize,
    /// Time on the CPU for `configure`, once per load. 5 s: compiling hundreds
    /// of patterns is the work that a snapshot saves later.
    pub configure: Duration,
}

impl Limits {
    /// The most memory that can be granted: 1 GiB, which is reserved as address
    /// space for every instance that can exist.
    pub const MAX_MEMORY: u64 = 1 << 30;

    /// The time on the CPU for a message with so many bytes of text.
    pub fn cpu_for(&self, text: usize) -> Duration {
        let further = u32::try_from(text.saturating_sub(1) >> 16).unwrap_or(u32::MAX);
        self.cpu + (self.cpu / 4).saturating_mul(further)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 64 << 20,
            cpu: Duration::from_millis(100),
            wall: Duration::from_secs(10),
            output: 4 << 20,
            log_lines: 100,
            log_bytes: 16 << 10,
            host_calls: 10_000,
            http_requests: 10,
            http_body: 1 << 20,
            state_entries: 10_000,
            state_key: 1 << 10,
            state_value: 64 << 10,
            state_bytes: 4 << 20,
            configure: Duration::from_secs(5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_message_has_more_time() {
        let limits = Limits::default();
        let time = |text| limits.cpu_for(text).as_millis();
        assert_eq!([time(0), time(1 << 16)], [100, 100]);
        assert_eq!([time((1 << 16) + 1), time(1 << 20)], [125, 475]);
    }
}
