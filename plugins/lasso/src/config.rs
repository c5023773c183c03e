//! The configuration.

use std::time::Duration;

use serde::Deserialize;

use crate::body::MessageType;
use crate::ident;

/// Where Lasso is, unless somebody has their own.
const API_BASE: &str = "https://server.lasso.security/gateway/v3";

/// The configuration. Kept in step with `SCHEMA`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    api_base: String,
    user_id: Option<String>,
    conversation_id: Option<String>,
    agent_id: Option<String>,
    agent_name: Option<String>,
    mapping: Mapping,
    calls_are: CallsAre,
    check: Check,
    masking: bool,
    timeout: u64,
    cache: u64,
}

/// The JSON Schema of the configuration.
pub(crate) const SCHEMA: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "api_base": { "description": "Where the API is; a /classify or /classifix at its end is left out.", "type": "string", "default": "https://server.lasso.security/gateway/v3" },
    "user_id": { "description": "Whom Lasso takes the messages for.", "type": "string", "maxLength": 128 },
    "conversation_id": { "description": "One conversation for all sessions, a ULID.", "type": "string", "maxLength": 128 },
    "agent_id": { "description": "Which agent it is.", "type": "string", "maxLength": 128 },
    "agent_name": { "description": "What that agent is called.", "type": "string", "maxLength": 128 },
    "mapping": { "description": "Calls and results as such, or as the plain text that the Python gateway sent.", "enum": ["native", "legacy"], "default": "native" },
    "calls_are": { "description": "What the policies take calls of tools for.", "enum": ["completion", "prompt"], "default": "completion" },
    "check": { "description": "Which messages are sent to Lasso.", "enum": ["all", "to-server", "to-client"], "default": "all" },
    "masking": { "description": "Whether what a policy masks is masked, or only reported.", "type": "boolean", "default": true },
    "timeout": { "description": "Seconds that an answer may take.", "type": "integer", "minimum": 1, "maximum": 60, "default": 3 },
    "cache": { "description": "Seconds for which the same content has the same verdict.", "type": "integer", "minimum": 0, "maximum": 86400, "default": 60 }
  }
}"#;

/// How messages are put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mapping {
    /// Calls as uses of tools, what comes back as their results.
    #[default]
    Native,
    /// As the Python gateway did.
    Legacy,
}

/// What the policies take calls of tools for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CallsAre {
    /// What a model says.
    #[default]
    Completion,
    /// What somebody says to it.
    Prompt,
}

/// Which messages are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Check {
    #[default]
    All,
    ToServer,
    ToClient,
}

/// The configuration as it is used.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) url: String,
    pub(crate) ids: Ids,
    pub(crate) mapping: Mapping,
    pub(crate) calls_are: MessageType,
    pub(crate) check: Check,
    pub(crate) masking: bool,
    pub(crate) timeout: Duration,
    pub(crate) cache: Option<Duration>,
}

/// Who is said to be talking.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    pub(crate) user: Option<String>,
    pub(crate) conversation: Option<String>,
    pub(crate) agent: Option<String>,
    pub(crate) agent_name: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            api_base: API_BASE.to_owned(),
            user_id: None,
            conversation_id: None,
            agent_id: None,
            agent_name: None,
            mapping: Mapping::default(),
            calls_are: CallsAre::default(),
            check: Check::default(),
            masking: true,
            timeout: 3,
            cache: 60,
        }
    }
}

impl Config {
    pub(crate) fn settle(self) -> Result<Settings, String> {
        let base = self.api_base.trim().trim_end_matches('/');
        // The Python gateway's was the whole address.
        let base = ["/classify", "/classifix"]
            .iter()
            .find_map(|end| base.strip_suffix(end))
            .unwrap_or(base);
        if !base.starts_with("https://") && !base.starts_with("http://") {
            return Err("api_base: it must start with https:// or http://".to_owned());
        }
        let endpoint = match self.masking {
            true => "classifix",
            false => "classify",
        };
        let within = |key: &str, value: u64, least: u64, most: u64| match value {
            value if (least..=most).contains(&value) => Ok(Duration::from_secs(value)),
            value => Err(format!(
                "{key}: {value} is not from {least} to {most} seconds"
            )),
        };
        let cache = within("cache", self.cache, 0, 86_400)?;
        Ok(Settings {
            url: format!("{base}/{endpoint}"),
            ids: Ids {
                user: id("user_id", self.user_id)?,
                conversation: id("conversation_id", self.conversation_id)?,
                agent: id("agent_id", self.agent_id)?,
                agent_name: id("agent_name", self.agent_name)?,
            },
            mapping: self.mapping,
            calls_are: match self.calls_are {
                CallsAre::Completion => MessageType::Completion,
                CallsAre::Prompt => MessageType::Prompt,
            },
            check: self.check,
            masking: self.masking,
            timeout: within("timeout", self.timeout, 1, 60)?,
            cache: (!cache.is_zero()).then_some(cache),
        })
    }
}

/// An id that the API takes: with one that it does not take, it would refuse every message.
fn id(key: &str, value: Option<String>) -> Result<Option<String>, String> {
    let Some(value) = value.filter(|value| !value.trim().is_empty()) else {
        return Ok(None);
    };
    let id = ident::sanitised(&value).filter(|id| id == value.trim());
    let longest = ident::LONGEST;
    let why = || format!("{key}: Lasso takes at most {longest} characters, all of them visible");
    id.map(Some).ok_or_else(why)
}
