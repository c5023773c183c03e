//! How long an answer may take.

use std::fmt;
use std::time::Duration;

use super::{Gateway, Server};

/// Times for what a pattern means: a name, or the start of one and `*`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Timeouts(pub Vec<(String, Duration)>);

/// How long an answer may take without a sign of life, and which key says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How long.
    pub limit: Duration,
    /// Where a person can change it.
    pub key: Key,
}

/// A key that says how long an answer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// `tool_timeouts` of the server.
    Tool,
    /// `timeout` of the server.
    Server,
    /// `timeouts` of the gateway.
    Method,
    /// `request_timeout` of the gateway.
    Any,
}

impl Timeouts {
    /// The time for a name: that of the pattern which says most of it.
    pub fn of(&self, name: &str) -> Option<Duration> {
        let fits = |pattern: &str| match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => pattern == name,
        };
        let patterns = self.0.iter().filter(|(pattern, _)| fits(pattern));
        let most = patterns.max_by_key(|(pattern, _)| (!pattern.ends_with('*'), pattern.len()));
        most.map(|(_, time)| *time)
    }
}

impl Patience {
    /// How long the answer to a request may take that goes to a server or comes
    /// from it: what is said of the tool counts before what is said of the
    /// server, then of the method, then of all.
    pub fn with(
        gateway: &Gateway,
        server: Option<&Server>,
        method: &str,
        tool: Option<&str>,
    ) -> Self {
        let of_tool = tool.and_then(|tool| server?.tool_timeouts.of(tool));
        let of_server = || server.and_then(|server| server.timeout);
        let of_method = || gateway.timeouts.of(method);
        let (limit, key) = of_tool
            .map(|limit| (limit, Key::Tool))
            .or_else(|| Some((of_server()?, Key::Server)))
            .or_else(|| Some((of_method()?, Key::Method)))
            .unwrap_or((gateway.request_timeout, Key::Any));
        Self { limit, key }
    }
}

impl Key {
    /// The key and its table, as the configuration has them.
    pub fn in_file(self, server: &str) -> impl fmt::Display {
        let key = match self {
            Self::Tool => "tool_timeouts",
            Self::Server => "timeout",
            Self::Method => "timeouts",
            Self::Any => "request_timeout",
        };
        match self {
            Self::Tool | Self::Server => format!("\"{key}\" in [servers.{server}]"),
            Self::Method | Self::Any => format!("\"{key}\" in [gateway]"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn timeouts(times: &[(&str, u64)]) -> Timeouts {
        let time = |(pattern, seconds): &(&str, u64)| {
            ((*pattern).to_owned(), Duration::from_secs(*seconds))
        };
        Timeouts(times.iter().map(time).collect())
    }

    #[test]
    fn the_pattern_that_says_most_counts() {
        let times = timeouts(&[("slow_*", 1), ("slow", 2), ("slow_b*", 3), ("slow_big", 4)]);
        let of = |name| times.of(name).map(|time| time.as_secs());
        assert_eq!(of("slow_a"), Some(1));
        assert_eq!(of("slow"), Some(2));
        assert_eq!(of("slow_bigger"), Some(3));
        assert_eq!(of("slow_big"), Some(4));
        assert_eq!(of("fast"), None);
    }

    #[test]
    fn what_is_said_of_less_counts_first() {
        let mut gateway = Gateway::default();
        let mut server = Server::of_command("s".parse().unwrap(), "x".into(), Vec::new());
        let key = |gateway: &Gateway, server: &Server| {
            Patience::with(gateway, Some(server), "tools/call", Some("slow_a")).key
        };
        assert_eq!(key(&gateway, &server), Key::Any);
        gateway.timeouts = timeouts(&[("tools/*", 5)]);
        assert_eq!(key(&gateway, &server), Key::Method);
        server.timeout = Some(Duration::from_secs(6));
        assert_eq!(key(&gateway, &server), Key::Server);
        server.tool_timeouts = timeouts(&[("slow_*", 7)]);
        assert_eq!(key(&gateway, &server), Key::Tool);
        assert_eq!(
            Key::Tool.in_file("s").to_string(),
            "\"tool_timeouts\" in [servers.s]"
        );
    }
}
