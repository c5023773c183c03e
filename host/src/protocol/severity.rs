//! How severe a log message is.

use crate::message::string;

/// A level of RFC 5424, the least severe first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Severity(usize);

const LEVELS: [&str; 8] = [
    "debug",
    "info",
    "notice",
    "warning",
    "error",
    "critical",
    "alert",
    "emergency",
];

impl Severity {
    /// Reads a level, which is a JSON text; absent if there is no such level.
    pub fn of(level: &str) -> Option<Self> {
        let level = string(level)?;
        LEVELS.iter().position(|it| *it == level).map(Self)
    }

    /// The level, as a JSON text.
    pub fn level(self) -> String {
        format!("\"{}\"", LEVELS.get(self.0).copied().unwrap_or("emergency"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_ordered_and_read_as_they_are_written() {
        let of = |level: &str| Severity::of(level).unwrap();
        assert!(of(r#""debug""#) < of(r#""warning""#));
        assert!(of(r#""emergency""#) > of(r#""alert""#));
        assert_eq!(of(r#""not\u0069ce""#).level(), r#""notice""#);
        assert_eq!(Severity::of(r#""loud""#), None);
        assert_eq!(Severity::of("3"), None);
    }
}
