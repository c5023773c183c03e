//! Where each method goes: the whole of MCP's routing, as data.

use super::lists::{List, PROMPTS, RESOURCES, TASKS, TEMPLATES, TOOLS};
use super::names::Kind;

/// How a client's request finds its server.
#[derive(Debug, Clone, Copy)]
pub enum Plan {
    /// The gateway opens the session.
    Initialize,
    /// The gateway answers.
    Ping,
    /// Every server is asked for its list.
    Gather(&'static List),
    /// Every server that has the capability is told.
    Everyone {
        /// The capability.
        capability: &'static str,
    },
    /// By the name in the params.
    ByName {
        /// What it names.
        kind: Kind,
        /// Where the name stands.
        path: &'static [&'static str],
    },
    /// By the URI in the params.
    ByUri {
        /// What the server must be able to do.
        capability: &'static str,
        /// Where the URI stands.
        path: &'static [&'static str],
    },
    /// By the reference in the params of a completion.
    ByReference,
    /// By the id of a task in the params.
    ByTask,
    /// To the only server, if there is only one.
    OnlyOne,
}

const URI: Plan = Plan::ByUri {
    capability: "resources",
    path: &["uri"],
};

const METHODS: &[(&str, Plan)] = &[
    ("initialize", Plan::Initialize),
    ("ping", Plan::Ping),
    ("tools/list", Plan::Gather(&TOOLS)),
    ("prompts/list", Plan::Gather(&PROMPTS)),
    ("resources/list", Plan::Gather(&RESOURCES)),
    ("resources/templates/list", Plan::Gather(&TEMPLATES)),
    (
        "tools/call",
        Plan::ByName {
            kind: Kind::Tool,
            path: &["name"],
        },
    ),
    (
        "prompts/get",
        Plan::ByName {
            kind: Kind::Prompt,
            path: &["name"],
        },
    ),
    ("resources/read", URI),
    ("resources/subscribe", URI),
    ("resources/unsubscribe", URI),
    ("completion/complete", Plan::ByReference),
    ("tasks/list", Plan::Gather(&TASKS)),
    ("tasks/get", Plan::ByTask),
    ("tasks/result", Plan::ByTask),
    ("tasks/update", Plan::ByTask),
    ("tasks/cancel", Plan::ByTask),
    (
        "logging/setLevel",
        Plan::Everyone {
            capability: "logging",
        },
    ),
];

/// How requests of a method find their server.
pub(super) fn plan(method: &str) -> Plan {
    let known = METHODS.iter().find(|(name, _)| *name == method);
    known.map_or(Plan::OnlyOne, |(_, plan)| *plan)
}
