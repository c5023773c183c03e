//! What can be configured.

use std::time::Duration;

use mcp_gateway_sdk::{Message, Scope, fits};
use serde::Deserialize;

/// How stand-ins are made and undone. Kept in step with [`SCHEMA`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Where the same value has the same stand-in.
    pub reach: Reach,
    /// Seconds for which a value can come back after it was last shown.
    pub keep: u32,
    /// The destinations that any value may go back to: a server, or a server and a
    /// tool, such as `mailer/send_*`; each `*` stands for anything.
    pub allow: Vec<String>,
    /// What happens to a stand-in on its way to any other, and to what looks like one but
    /// was not issued.
    pub elsewhere: Elsewhere,
}

/// The JSON Schema of [`Settings`].
pub const SCHEMA: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "reach": {
      "description": "Where the same value has the same stand-in: in one session, or in all of this installation.",
      "enum": ["session", "installation"],
      "default": "session"
    },
    "keep": {
      "description": "Seconds for which a value can come back after it was last shown.",
      "type": "integer",
      "minimum": 1,
      "default": 86400
    },
    "allow": {
      "description": "Destinations that any value may go back to, besides the server that showed it: a server, or a server and a tool, such as mailer/send_*. A * stands for anything.",
      "type": "array",
      "items": { "type": "string" },
      "default": []
    },
    "elsewhere": {
      "description": "What happens to a stand-in on its way to any other server: the request is refused, or the stand-in goes there as it is. The same holds for what only looks like one.",
      "enum": ["refuse", "keep"],
      "default": "refuse"
    }
  }
}"#;

/// Where the same value has the same stand-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// In one session; nobody can tell that another session is about the same.
    #[default]
    Session,
    /// In all sessions of this installation.
    Installation,
}

/// What happens to a stand-in on its way to where its value may not go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Elsewhere {
    /// The request is refused.
    #[default]
    Refuse,
    /// It goes there as it is.
    Keep,
}

impl Settings {
    pub(crate) fn scope(&self) -> Scope {
        match self.reach {
            Reach::Session => Scope::Session,
            Reach::Installation => Scope::Global,
        }
    }

    pub(crate) fn time(&self) -> Duration {
        Duration::from_secs(self.keep.into())
    }

    /// Whether a value that these servers showed may go where a message goes.
    pub(crate) fn allows(&self, servers: &[String], message: &Message<'_>) -> bool {
        let server = message.server();
        let tool = message.subject().unwrap_or_default();
        let destination = format!("{server}/{tool}");
        let covers = |pattern: &String| pattern == server || fits(pattern, &destination);
        servers.iter().any(|known| known == server) || self.allow.iter().any(covers)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            reach: Reach::default(),
            keep: 24 * 60 * 60,
            allow: Vec::new(),
            elsewhere: Elsewhere::default(),
        }
    }
}
