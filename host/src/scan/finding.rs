//! What is wrong with a server: each rule has a name that stays, for scripts and for
//! those who have decided to live with it.

use crate::pinning::{Definition, Offer};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Good to know.
    Note,
    /// Somebody should look.
    Warning,
    /// It should not be used like this.
    Error,
}

/// A rule: its name, and what it is about.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
}

/// Something that is wrong, or good to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) rule: &'static Rule,
    pub(super) level: Level,
    /// What it is about, of all that the server shows, and its name.
    pub(super) of: Option<(Offer, String)>,
    /// Where, as a JSON Pointer into that or into the server's entry.
    pub(super) at: String,
    /// What it is, and what can be done.
    pub(super) text: String,
}

macro_rules! rules {
    ($($name:ident = $text:literal: $about:literal;)*) => {
        $(pub(super) static $name: Rule = Rule { name: $text, about: $about };)*

        /// All rules.
        pub(super) static RULES: &[&Rule] = &[$(&$name),*];
    };
}

rules! {
    RISKY = "risky-package": "Little is known of the package, or something against it.";
    REPUTATION = "weak-reputation": "Not much speaks for the package.";
    UNKNOWN = "unknown-reputation": "Nobody could be asked about the package.";
    UNPINNED = "unpinned-version": "The command fetches whatever version is newest.";
    FETCHED = "fetch-and-run": "The command fetches something from the network and runs it.";
    TYPOSQUAT = "lookalike-package": "The package is called almost like a well-known one.";
    PLAIN_HTTP = "plain-http": "The connection to the server is not encrypted.";
    CONTAINER = "open-container": "The container is not one: it has much of this machine.";
    TEMPORARY = "temporary-program": "The program is where anybody may write.";
    SECRET = "secret-in-config": "A secret stands in the file.";
    HIDDEN = "hidden-text": "Something that the server shows has text that people do not see.";
    NAME = "deceptive-name": "A tool or a prompt has a name that is not what it looks like.";
    SHADOWING = "other-servers-tool": "Something that the server shows speaks of another server's tool.";
    COLLISION = "name-collision": "Two servers of a client have tools, or prompts, of one name.";
    POISONED = "poisoned-text": "Words of the server give the model orders.";
    MOSTLY = "poisoned-server": "Most of the server's tools are what an attacker would have.";
    ABILITY = "dangerous-ability": "A tool or a prompt says that it does what an attacker's does.";
    HINT = "contradicting-hint": "A tool calls itself harmless, and its name says otherwise.";
    SMELL = "telling-parameter": "A tool or a prompt asks for the conversation or the model's thoughts.";
    TRIFECTA = "lethal-trifecta": "Together the tools read what strangers write, see private data, and can send it away.";
    NOT_LISTED = "not-listed": "Something that the server shows could not be seen.";
}

impl Finding {
    pub(super) fn new(rule: &'static Rule, level: Level, text: String) -> Self {
        Self {
            rule,
            level,
            of: None,
            at: String::new(),
            text,
        }
    }

    /// The same about a place.
    pub(super) fn at(self, at: &str) -> Self {
        Self {
            at: at.to_owned(),
            ..self
        }
    }

    /// The same about something that the server shows.
    pub(super) fn of(self, definition: &Definition) -> Self {
        Self {
            of: Some((definition.offer, definition.name.clone())),
            ..self
        }
    }

    /// The tool that it is about, if it is about one.
    pub(super) fn tool(&self) -> Option<&str> {
        match &self.of {
            Some((Offer::Tool, name)) => Some(name),
            _ => None,
        }
    }

    /// Whether the server is better not started to find out more.
    pub(super) fn stops_start(&self) -> bool {
        self.level == Level::Error
            && [&RISKY, &FETCHED, &TYPOSQUAT]
                .iter()
                .any(|rule| **rule == *self.rule)
    }
}

/// A server of which something could not be seen.
pub(super) fn not_listed(offer: Offer, why: &str) -> Finding {
    let text = format!("its {} could not be seen: {why}", offer.words());
    Finding::new(&NOT_LISTED, Level::Note, text)
}

impl Level {
    /// As SARIF calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}
