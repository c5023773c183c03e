//! What of a server a person approves of: whatever it shows a model before anything of
//! it is used.
//!
//! Resources are not among it. Their lists are data, which comes and goes: a file more,
//! another size.

use serde::{Deserialize, Serialize};

/// A kind of thing that a server shows a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Offer {
    /// A tool.
    Tool,
    /// A prompt.
    Prompt,
    /// A template of resources.
    Template,
    /// What it tells the model when it is opened.
    Instructions,
}

impl Offer {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Tool, Self::Prompt, Self::Template, Self::Instructions];

    /// What answers to a method show.
    pub fn shown_by(method: &str) -> Option<Self> {
        match method {
            "server/discover" => Some(Self::Instructions),
            _ => Self::ALL.into_iter().find(|it| it.method() == method),
        }
    }

    /// The method whose answers show them; that of the older era, where each has its own.
    pub fn method(self) -> &'static str {
        match self {
            Self::Tool => "tools/list",
            Self::Prompt => "prompts/list",
            Self::Template => "resources/templates/list",
            Self::Instructions => "initialize",
        }
    }

    /// What a request of a method uses one of, by its name.
    pub fn used_by(method: &str) -> Option<Self> {
        Some(match method {
            "tools/call" => Self::Tool,
            "prompts/get" => Self::Prompt,
            _ => return None,
        })
    }

    /// What it is called, as in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Prompt => "prompt",
            Self::Template => "template",
            Self::Instructions => "instructions",
        }
    }

    /// All of a server's, in a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Tool => "tools",
            Self::Prompt => "prompts",
            Self::Template => "resource templates",
            Self::Instructions => "instructions",
        }
    }

    /// One of them, in a sentence.
    pub fn described(self, name: &str) -> String {
        match self {
            Self::Tool | Self::Prompt => format!("{} {name:?}", self.word()),
            Self::Template => format!("resource template {name:?}"),
            Self::Instructions => self.word().to_owned(),
        }
    }

    /// One of them as a person names it on a command line: a tool by its name, anything
    /// else with what it is before that. No two are named alike.
    pub fn label(self, name: &str) -> String {
        match self {
            Self::Instructions => self.word().to_owned(),
            Self::Tool if !name.contains(':') && name != Self::Instructions.word() => {
                name.to_owned()
            }
            _ => format!("{}:{name}", self.word()),
        }
    }

    /// The member of the answer that has them.
    pub fn member(self) -> &'static str {
        match self {
            Self::Tool => "tools",
            Self::Prompt => "prompts",
            Self::Template => "resourceTemplates",
            Self::Instructions => "instructions",
        }
    }

    /// The member of a definition by which it is told from others of its kind.
    pub(super) fn key(self) -> Option<&'static str> {
        match self {
            Self::Tool | Self::Prompt => Some("name"),
            Self::Template => Some("uriTemplate"),
            Self::Instructions => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_shown_by_its_own_method() {
        for offer in Offer::ALL {
            assert_eq!(Offer::shown_by(offer.method()), Some(offer));
        }
        let discovered = Offer::shown_by("server/discover");
        assert_eq!(discovered, Some(Offer::Instructions));
        assert_eq!(Offer::shown_by("resources/list"), None);
    }

    #[test]
    fn no_two_things_are_named_alike() {
        assert_eq!(Offer::Tool.label("add"), "add");
        assert_eq!(Offer::Prompt.label("add"), "prompt:add");
        assert_eq!(Offer::Instructions.label(""), "instructions");
        assert_eq!(Offer::Tool.label("instructions"), "tool:instructions");
        assert_eq!(Offer::Tool.label("prompt:add"), "tool:prompt:add");
    }
}
