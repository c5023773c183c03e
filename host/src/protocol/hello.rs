//! What a client says about itself.

use super::{Era, LEGACY, MODERN, meta, pointer};
use crate::message::{Message, quote, string, unique_member};

/// What a client says about itself when it opens a session, or in its first
/// request where there are no sessions.
#[derive(Debug, Clone)]
pub struct Hello {
    /// How it says so.
    pub era: Era,
    /// The request that says so.
    request: Message,
    /// The JSON text of its name and version.
    info: Option<String>,
    /// The JSON text of its capabilities.
    capabilities: String,
}

impl Hello {
    /// What a request says about its sender; `None` if it says nothing.
    pub fn of(request: &Message) -> Option<Self> {
        let text = |pointer: &str| request.value(pointer).map(str::to_owned);
        if request.method() == Some("initialize") {
            return Some(Self {
                era: Era::Legacy,
                info: text("/clientInfo"),
                capabilities: text("/capabilities").unwrap_or_else(|| "{}".into()),
                request: request.clone(),
            });
        }
        request.value(&pointer(meta::PROTOCOL_VERSION))?;
        Some(Self {
            era: Era::Modern,
            info: text(&pointer(meta::CLIENT_INFO)),
            capabilities: text(&pointer(meta::CLIENT_CAPABILITIES)).unwrap_or_else(|| "{}".into()),
            request: request.clone(),
        })
    }

    /// The JSON text of its name and version.
    pub fn info(&self) -> Option<&str> {
        self.info.as_deref()
    }

    /// The request that opens the session with a legacy server. A legacy
    /// client's own is passed on as it is.
    pub fn initialize(&self) -> Message {
        match self.era {
            Era::Legacy => self.request.clone(),
            Era::Modern => {
                let info = self.info.as_deref().unwrap_or(UNNAMED);
                let capabilities = &self.capabilities;
                let params = format!(
                    r#"{{"protocolVersion":"{LEGACY}","capabilities":{capabilities},"clientInfo":{info}}}"#
                );
                Message::request("0", "initialize", Some(&params))
            }
        }
    }

    /// The request that asks a modern server what it is.
    pub fn discover(&self) -> Message {
        let own = self.request.method() == Some("server/discover");
        if own && self.era == Era::Modern {
            return self.request.clone();
        }
        let entries: Vec<String> = self
            .meta(None)
            .into_iter()
            .map(|(key, value)| format!("{}:{value}", quote(&key.replace("~1", "/"))))
            .collect();
        let params = format!(r#"{{"_meta":{{{}}}}}"#, entries.join(","));
        Message::request("0", "server/discover", Some(&params))
    }

    /// The revision that the client asks for.
    pub fn version(&self) -> String {
        let asked = match self.era {
            Era::Legacy => self.request.value("/protocolVersion"),
            Era::Modern => self.request.value(&pointer(meta::PROTOCOL_VERSION)),
        };
        asked.and_then(string).unwrap_or_default().into_owned()
    }

    /// Whether the client is able to do something, such as `sampling`.
    pub fn can(&self, capability: &str) -> bool {
        unique_member(&self.capabilities, capability).is_ok_and(|value| value.is_some())
    }

    /// Whether a person can be asked through the client: by a form, as all clients have
    /// that have anything of the kind, unless they say that they open pages only.
    pub fn can_ask(&self) -> bool {
        let asks = unique_member(&self.capabilities, "elicitation")
            .ok()
            .flatten();
        let has = |asks, how| unique_member(asks, how).is_ok_and(|it| it.is_some());
        asks.is_some_and(|asks| has(asks, "form") || !has(asks, "url"))
    }

    /// What every request to a modern server says of its sender.
    pub(super) fn meta<'a>(&'a self, log_level: Option<&'a str>) -> Vec<(&'static str, String)> {
        let mut entries = vec![
            (meta::PROTOCOL_VERSION, quote(MODERN)),
            (
                meta::CLIENT_INFO,
                self.info.clone().unwrap_or_else(|| UNNAMED.into()),
            ),
            (meta::CLIENT_CAPABILITIES, self.capabilities.clone()),
        ];
        entries.extend(log_level.map(|level| (meta::LOG_LEVEL, level.to_owned())));
        entries
    }

    /// What a cache of what servers offer such a client depends on.
    pub fn fingerprint(&self) -> String {
        format!("{:?} {} {}", self.era, self.version(), self.capabilities)
    }
}

/// A client that does not say what it is called.
const UNNAMED: &str = r#"{"name":"unknown","version":"0"}"#;
