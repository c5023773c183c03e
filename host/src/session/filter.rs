//! What somebody wants to be told of.

use std::collections::BTreeSet;

use crate::message::{self, Message, quote, string};

/// That a resource has changed.
pub(super) const UPDATED: &str = "notifications/resources/updated";

/// What is listened to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) tools: bool,
    pub(super) prompts: bool,
    pub(super) resources: bool,
    pub(super) uris: BTreeSet<String>,
}

impl Filter {
    /// What a request or an acknowledgement names.
    pub(super) fn of(message: &Message) -> Self {
        let flag = |name: &str| message.value(&format!("/notifications/{name}")) == Some("true");
        let uris = message.value("/notifications/resourceSubscriptions");
        let uris = uris.and_then(|uris| message::elements(uris).ok());
        Self {
            tools: flag("toolsListChanged"),
            prompts: flag("promptsListChanged"),
            resources: flag("resourcesListChanged"),
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
            (self.tools, "toolsListChanged"),
            (self.prompts, "promptsListChanged"),
            (self.resources, "resourcesListChanged"),
        ] {
            if flag {
                members.push(format!("{}:true", quote(name)));
            }
        }
        if !self.uris.is_empty() {
            let uris: Vec<String> = self.uris.iter().map(|uri| quote(uri)).collect();
            members.push(format!("\"resourceSubscriptions\":[{}]", uris.join(",")));
        }
        format!("{{{}}}", members.join(","))
    }

    pub(super) fn unite(&mut self, other: Self) {
        self.tools |= other.tools;
        self.prompts |= other.prompts;
        self.resources |= other.resources;
        self.uris.extend(other.uris);
    }

    /// Keeps what another one names, too.
    pub(super) fn keep(&mut self, other: &Self) {
        self.tools &= other.tools;
        self.prompts &= other.prompts;
        self.resources &= other.resources;
        self.uris.retain(|uri| other.uris.contains(uri));
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
