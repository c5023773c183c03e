//! What is wrong with a server: each rule has a name that stays, for scripts and for
//! those who have decided to live with it.

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
    /// The tool that it is about.
    pub(super) tool: Option<String>,
    /// Where, as a JSON Pointer into the tool or into the server's entry.
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
    HIDDEN = "hidden-text": "A tool has text that people do not see.";
    NAME = "deceptive-name": "A tool has a name that is not what it looks like.";
    SHADOWING = "other-servers-tool": "A tool speaks of another server's.";
    COLLISION = "name-collision": "Two servers of a client have tools of one name.";
    POISONED = "poisoned-text": "A tool's words give the model orders.";
    MOSTLY = "poisoned-server": "Most of the server's tools are what an attacker would have.";
    ABILITY = "dangerous-ability": "A tool says that it does what an attacker's does.";
    HINT = "contradicting-hint": "A tool calls itself harmless, and its name says otherwise.";
    SMELL = "telling-parameter": "A tool asks for the conversation or the model's thoughts.";
    TRIFECTA = "lethal-trifecta": "Together the tools read what strangers write, see private data, and can send it away.";
    NOT_LISTED = "not-listed": "The server's tools could not be seen.";
}

impl Finding {
    pub(super) fn new(rule: &'static Rule, level: Level, text: String) -> Self {
        Self {
            rule,
            level,
            tool: None,
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

    /// The same about a tool.
    pub(super) fn of_tool(self, tool: &str) -> Self {
        Self {
            tool: Some(tool.to_owned()),
            ..self
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

/// A server whose tools could not be seen.
pub(super) fn not_listed(why: &str) -> Finding {
    Finding::new(
        &NOT_LISTED,
        Level::Note,
        format!("its tools could not be seen: {why}"),
    )
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
