//! What somebody wants to be told of.

use std::collections::{BTreeMap, BTreeSet};

use crate::message::{self, Message, quote, string};

/// That a resource has changed.
pub(super) const UPDATED: &str = "notifications/resources/updated";

/// Resources that are divided to find one that a server refuses.
const DIVISIBLE: usize = 256;

/// What is listened to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) tools: bool,
    pub(super) prompts: bool,
    pub(super) resources: bool,
    pub(super) uris: BTreeSet<String>,
    /// What extensions add, such as `taskIds`: JSON texts.
    pub(super) others: BTreeMap<String, String>,
}

const TOOLS: &str = "toolsListChanged";
const PROMPTS: &str = "promptsListChanged";
const RESOURCES: &str = "resourcesListChanged";
const URIS: &str = "resourceSubscriptions";

impl Filter {
    /// What a request or an acknowledgement names.
    pub(super) fn of(message: &Message) -> Self {
        let flag = |name: &str| message.value(&format!("/notifications/{name}")) == Some("true");
        let uris = message.value(&format!("/notifications/{URIS}"));
        let uris = uris.and_then(|uris| message::elements(uris).ok());
        let all = message.value("/notifications").map(message::members);
        let all = all.and_then(Result::ok).unwrap_or_default();
        let known = [TOOLS, PROMPTS, RESOURCES, URIS];
        Self {
            tools: flag(TOOLS),
            prompts: flag(PROMPTS),
            resources: flag(RESOURCES),
            others: all
                .into_iter()
                .filter(|member| !known.contains(&&*member.key))
                .map(|member| (member.key.into_owned(), member.value.to_owned()))
                .collect(),
            uris: uris
                .into_iter()
                .flatten()
                .filter_map(|uri| Some(string(uri)?.into_owned()))
                .collect(),
        }
    }

    pub(super) fn to_json(&self) -> String {
        let mut members = Vec::new();
        for (flag, name) in [
            (self.tools, TOOLS),
            (self.prompts, PROMPTS),
            (self.resources, RESOURCES),
        ] {
            if flag {
                members.push(format!("{}:true", quote(name)));
            }
        }
        if !self.uris.is_empty() {
            let uris: Vec<String> = self.uris.iter().map(|uri| quote(uri)).collect();
            members.push(format!("{}:[{}]", quote(URIS), uris.join(",")));
        }
        let others = self.others.iter();
        members.extend(others.map(|(name, value)| format!("{}:{value}", quote(name))));
        format!("{{{}}}", members.join(","))
    }

    pub(super) fn unite(&mut self, other: Self) {
        self.tools |= other.tools;
        self.prompts |= other.prompts;
        self.resources |= other.resources;
        self.uris.extend(other.uris);
        self.others.extend(other.others);
    }

    /// Keeps what another one names, too. What an extension adds has to be the
    /// same in both.
    pub(super) fn keep(&mut self, other: &Self) {
        self.tools &= other.tools;
        self.prompts &= other.prompts;
        self.resources &= other.resources;
        self.uris.retain(|uri| other.uris.contains(uri));
        self.others
            .retain(|name, value| other.others.get(name) == Some(value));
    }

    /// The same in two parts, if it names several resources, and not too many to
    /// look for one of them.
    pub(super) fn halves(&self) -> Option<(Self, Self)> {
        if !(2..=DIVISIBLE).contains(&self.uris.len()) {
            return None;
        }
        let middle = self.uris.iter().nth(self.uris.len() / 2)?.clone();
        let mut one = self.clone();
        let uris = one.uris.split_off(&middle);
        let other = Self {
            uris,
            ..Self::default()
        };
        Some((one, other))
    }

    /// Whether this is about a list that it names.
    fn has_list(&self, changed: &str) -> bool {
        match changed {
            "notifications/tools/list_changed" => self.tools,
            "notifications/prompts/list_changed" => self.prompts,
            "notifications/resources/list_changed" => self.resources,
            _ => false,
        }
    }

    pub(super) fn wants(&self, notification: &Message) -> bool {
        match notification.method() {
            Some(UPDATED) => notification
                .value("/uri")
                .and_then(string)
                .is_some_and(|uri| self.uris.contains(&*uri)),
            Some(method) => self.has_list(method),
            None => false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn filter(json: &str) -> Filter {
        let params = format!(r#"{{"notifications":{json}}}"#);
        Filter::of(&Message::notification("n", Some(&params)))
    }

    #[test]
    fn what_an_extension_adds_is_passed_on() {
        let json = r#"{"toolsListChanged":true,"resourceSubscriptions":["a:b"],"taskIds":["t"]}"#;
        assert_eq!(filter(json).to_json(), json);
        assert!(!filter(r#"{"taskIds":[]}"#).is_empty());
    }

    #[test]
    fn several_resources_come_in_halves() {
        let all = filter(r#"{"resourceSubscriptions":["a:1","a:2","a:3"]}"#);
        let (one, other) = all.halves().unwrap();
        assert_eq!(one.to_json(), r#"{"resourceSubscriptions":["a:1"]}"#);
        assert_eq!(other.uris.len(), 2);
        assert_eq!(one.halves(), None);
    }

    #[test]
    fn only_words_of_the_client_are_kept_of_what_a_server_says() {
        let asked = r#"{"toolsListChanged":true,"resourceSubscriptions":["a:b","a:c"],"taskIds":["t"],"x":1}"#;
        let mut said = filter(
            r#"{"toolsListChanged":true,"promptsListChanged":true,"resourceSubscriptions":["a:b","said"],"taskIds":["said"],"x":1,"said":"said"}"#,
        );
        said.keep(&filter(asked));
        let kept = r#"{"toolsListChanged":true,"resourceSubscriptions":["a:b"],"x":1}"#;
        assert_eq!(said.to_json(), kept);
    }
}
