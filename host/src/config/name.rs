//! The names of servers and guardrails.
//!
//! Names come from files that other programs wrote, so little is forbidden:
//! only what would garble a log line or vanish in a message.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Why a text can't be a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Nothing to call it by.
    #[error("a name can't be empty")]
    Empty,
    /// It would garble logs and messages.
    #[error("a name can't contain control characters such as line breaks")]
    Control,
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Arc<str>);

        impl $type {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                checked(text).map(Self)
            }
        }

        impl From<$type> for Arc<str> {
            fn from(name: $type) -> Self {
                name.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// The name of a server, as the configuration has it. Cheap to clone.
    ServerName
}

name! {
    /// The name of a guardrail in the chain. Cheap to clone.
    GuardrailName
}

fn checked(text: &str) -> Result<Arc<str>, InvalidName> {
    if text.trim().is_empty() {
        return Err(InvalidName::Empty);
    }
    if text.chars().any(char::is_control) {
        return Err(InvalidName::Control);
    }
    Ok(text.into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_be_anything_that_prints() {
        for text in ["git", "my server", "io.github.x/y", "天気"] {
            assert_eq!(text.parse::<ServerName>().unwrap().as_str(), text);
        }
        assert_eq!(" ".parse::<ServerName>(), Err(InvalidName::Empty));
        assert_eq!("a\nb".parse::<GuardrailName>(), Err(InvalidName::Control));
    }
}
