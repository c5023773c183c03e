//! `get_metadata`: a tool of the gateway's own, for who wants it. It says which servers
//! there are and what they list, under the names that they have for it, as that of the
//! Python gateway does.

use std::collections::HashMap;
use std::sync::Arc;

use rmcp::model::CallToolResult;
use serde_json::{Map, Value};

use super::Session;
use super::lists::list_request;
use crate::catalog::{List, PROMPTS, RESOURCES, TOOLS};
use crate::message::{Message, PatchOp};
use crate::protocol::Era;
use crate::upstream::State;

/// What the tool is called.
const NAME: &str = "get_metadata";

/// What the tool is.
const DEFINITION: &str = r#"{"name":"get_metadata","description":"Which MCP servers are behind this gateway, what they are able to do, and which tools, resources and prompts they list, under the names that they have for them","inputSchema":{"type":"object","properties":{}},"annotations":{"readOnlyHint":true,"openWorldHint":false}}"#;

/// What servers list, and what the tool calls it.
static LISTS: [(&List, &str); 3] = [
    (&TOOLS, "original_tools"),
    (&RESOURCES, "original_resources"),
    (&PROMPTS, "original_prompts"),
];

impl Session {
    /// Whether the gateway has a tool of its own in a list.
    pub(super) fn adds_to(&self, list: &List) -> bool {
        self.settings.expose_metadata && list.method == TOOLS.method
    }

    /// A list with the tool, if this is where it belongs: on the last page.
    pub(super) fn with_own_tool(&self, list: &List, page: String) -> String {
        if !self.adds_to(list) || self.catalog.lists_tool(NAME) {
            return page;
        }
        let message = Message::result("0", &page);
        let goes_on = message.value("/nextCursor").is_some();
        let added = PatchOp::Add {
            path: "/tools/-".into(),
            value: DEFINITION.into(),
        };
        let patched = (!goes_on).then(|| message.patch(&[added]).ok()).flatten();
        let patched = patched.as_ref().and_then(Message::payload);
        patched.map_or(page, str::to_owned)
    }

    /// Whether a request calls the tool.
    pub(super) fn calls_own_tool(&self, request: &Message) -> bool {
        self.settings.expose_metadata
            && request.method() == Some("tools/call")
            && request.value("/name") == Some("\"get_metadata\"")
            && !self.catalog.lists_tool(NAME)
    }

    /// What the tool answers: made of what guardrails left of the servers' own words.
    pub(super) async fn metadata(self: &Arc<Self>) -> String {
        let mut listed: HashMap<(Arc<str>, &str), Vec<Value>> = HashMap::new();
        if let Some(client) = self.client() {
            for (list, called) in LISTS {
                let request = list_request(list, &client);
                for (server, listing) in self.listings(list, &request, None).await {
                    let pages = listing.into_iter().flat_map(|listing| listing.pages);
                    let items = listed.entry((server, called)).or_default();
                    for (_, page) in pages {
                        let found = page.result().value(&format!("/{}", list.items));
                        let found: Option<Vec<Value>> =
                            found.and_then(|found| serde_json::from_str(found).ok());
                        items.extend(found.unwrap_or_default());
                    }
                }
            }
        }
        let mut servers = Map::new();
        for upstream in self.catalog.upstreams().iter() {
            let name = upstream.name();
            let mut server = Map::new();
            let (status, capabilities, error) = match upstream.state() {
                State::Ready(ready) => {
                    let capabilities = ready.introduction.message().value("/capabilities");
                    let capabilities = capabilities.and_then(|it| serde_json::from_str(it).ok());
                    ("active", capabilities.unwrap_or(Value::Null), None)
                }
                State::Starting => ("inactive", Value::Null, Some("it is starting".into())),
                State::Down(reason) => ("inactive", Value::Null, Some(reason.to_string())),
            };
            server.insert("status".into(), status.into());
            server.insert("capabilities".into(), capabilities);
            for (_, called) in LISTS {
                let items = listed.remove(&(Arc::clone(name), called));
                server.insert(called.into(), items.unwrap_or_default().into());
            }
            if let Some(error) = error {
                server.insert("error".into(), error.into());
            }
            servers.insert(name.to_string(), server.into());
        }
        let mut result = CallToolResult::structured(servers.into());
        if self.client_era() == Era::Legacy {
            result.result_type = None;
        }
        serde_json::to_string(&result).unwrap_or_else(|_| r#"{"content":[]}"#.to_owned())
    }
}
