//! What an answer to a routed request means: what is in it is called what the
//! client calls it, and whose it is what it names is learnt.

use std::sync::Arc;

use super::Catalog;
use crate::gate::Cleared;
use crate::message::{self, Message, quote, string};

/// What comes of the answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sequel {
    /// It is passed on.
    Nothing,
    /// It may name resources and tasks of the server's.
    Mentions,
    /// It tells what a resource says that the client calls by this URI.
    Contents {
        /// By which the server knows it.
        uri: Arc<str>,
        /// By which the client does.
        called: Arc<str>,
    },
    /// The client is told of a resource's changes from now on.
    Subscribed,
    /// The client is not told of a resource's changes any more.
    Unsubscribed,
}

impl Catalog {
    /// Takes from a server's result what it means for later requests, and
    /// returns it as the client understands it.
    pub fn conclude(&self, server: &Arc<str>, sequel: &Sequel, answer: Cleared) -> Cleared {
        match sequel {
            Sequel::Mentions => {
                self.learn_task(server, answer.message());
                self.learn_mentions(server, answer.message());
                answer
            }
            Sequel::Contents { uri, called } => self
                .contents_as_called(server, uri, called, &answer)
                .and_then(|contents| answer.clone().renamed(&["contents"], &contents).ok())
                .unwrap_or(answer),
            Sequel::Nothing | Sequel::Subscribed | Sequel::Unsubscribed => answer,
        }
    }

    /// Learns whose the resources are that a result links to or embeds.
    fn learn_mentions(&self, server: &Arc<str>, result: &Message) {
        // Most results name none, and some are long.
        if memchr::memmem::find(result.line().as_bytes(), br#""uri""#).is_none() {
            return;
        }
        let uris = mentions(result);
        let mut resources = self.resources();
        for uri in uris {
            resources.mention(server, &uri);
        }
    }

    /// The `contents` of a resource with the client's URIs; absent if they are
    /// the server's.
    fn contents_as_called(
        &self,
        server: &Arc<str>,
        uri: &str,
        called: &str,
        answer: &Cleared,
    ) -> Option<String> {
        let contents = answer.message().value("/contents")?;
        let mut elements = Vec::new();
        let mut changed = false;
        for element in message::elements(contents).ok()? {
            let renamed = || {
                let raw = message::unique_member(element, "uri").ok()??;
                let own = string(raw)?;
                let name = if *own == *uri {
                    called.to_owned()
                } else {
                    self.resources().called(server, &own)
                };
                (*own != *name).then(|| message::replace_within(element, raw, &quote(&name)))?
            };
            let renamed = renamed();
            changed |= renamed.is_some();
            elements.push(renamed.unwrap_or_else(|| element.to_owned()));
        }
        changed.then(|| format!("[{}]", elements.join(",")))
    }
}

/// The URIs of the resources that a tool's or prompt's result links to or
/// embeds.
fn mentions(result: &Message) -> Vec<String> {
    let list = |pointer| {
        let array = result.value(pointer);
        array.and_then(|array| message::elements(array).ok())
    };
    let mut blocks = list("/content").unwrap_or_default();
    for message in list("/messages").unwrap_or_default() {
        let content = message::unique_member(message, "content").ok().flatten();
        let Some(content) = content else { continue };
        blocks.extend(message::elements(content).unwrap_or_else(|_| vec![content]));
    }
    blocks.into_iter().filter_map(mention).collect()
}

fn mention(block: &str) -> Option<String> {
    let members = message::members(block).ok()?;
    let uri = match members.unique("resource").ok()? {
        Some(embedded) => message::unique_member(embedded, "uri").ok()?,
        None => members.unique("uri").ok()?,
    };
    uri.and_then(string).map(|uri| uri.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_embedded_resources_are_found() {
        let result = r#"{"content":[
            {"type":"text","text":"\"uri\""},
            {"type":"resource_link","uri":"x://1"},
            {"type":"resource","resource":{"uri":"x://2","text":"t"}},
            {"type":"resource_link","uri":"x://a","uri":"x://b"}, 7
        ],"messages":[
            {"role":"user","content":{"type":"resource_link","uri":"x://3"}},
            {"role":"user","content":[{"type":"resource","resource":{"uri":"x://4"}}]}
        ]}"#;
        let found = mentions(&Message::result("1", result));
        assert_eq!(found, ["x://1", "x://2", "x://3", "x://4"]);
    }
}
