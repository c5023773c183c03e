//! What a guardrail says about itself.

use crate::bindings::mcp_gateway::guardrail::types;
use crate::{Direction, Expectation};

/// What a guardrail says about itself once it is configured. Start from [`manifest!`](crate::manifest!).
#[derive(Debug, Clone)]
pub struct Manifest {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) description: String,
    pub(crate) wants: Vec<Interest>,
    pub(crate) config_schema: Option<String>,
    pub(crate) examples: Vec<Example>,
}

/// A [`Manifest`] with the name, version and description of the crate that this is written in.
#[macro_export]
macro_rules! manifest {
    () => {
        $crate::Manifest::new(
            ::core::env!("CARGO_PKG_NAME"),
            ::core::env!("CARGO_PKG_VERSION"),
            ::core::env!("CARGO_PKG_DESCRIPTION"),
        )
    };
}

impl Manifest {
    /// A guardrail that wants every message and has neither examples nor a configuration schema.
    pub fn new(name: &str, version: &str, description: &str) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            description: description.into(),
            wants: Vec::new(),
            config_schema: None,
            examples: Vec::new(),
        }
    }

    /// Another name than the crate's.
    #[must_use]
    pub fn name(self, name: &str) -> Self {
        Self {
            name: name.into(),
            ..self
        }
    }

    /// Asks for these messages; the gateway spares the guardrail all that no call of this asks for.
    #[must_use]
    pub fn wants(mut self, interest: Interest) -> Self {
        self.wants.push(interest);
        self
    }

    /// A JSON Schema for the configuration, as a JSON text.
    #[must_use]
    pub fn config_schema(self, schema: &str) -> Self {
        Self {
            config_schema: Some(schema.into()),
            ..self
        }
    }

    /// Adds a case that holds under this configuration. The gateway runs all of them before a build goes live.
    #[must_use]
    pub fn example(mut self, example: Example) -> Self {
        self.examples.push(example);
        self
    }

    pub(crate) fn into_raw(self) -> types::Manifest {
        types::Manifest {
            name: self.name,
            version: self.version,
            description: self.description,
            wants: self.wants.into_iter().map(|interest| interest.0).collect(),
            config_schema: self.config_schema,
            examples: self.examples.into_iter().map(|example| example.0).collect(),
        }
    }
}

/// Messages that a guardrail wants to see: all, unless narrowed down.
#[derive(Debug, Clone)]
pub struct Interest(types::Interest);

impl Interest {
    /// Every message.
    pub fn all() -> Self {
        Self(types::Interest {
            methods: Vec::new(),
            kinds: Vec::new(),
            directions: Vec::new(),
        })
    }

    /// Only these MCP methods. One that ends in `/*` stands for all that start with what precedes the star.
    #[must_use]
    pub fn methods<'a>(mut self, methods: impl IntoIterator<Item = &'a str>) -> Self {
        self.0.methods = methods.into_iter().map(str::to_owned).collect();
        self
    }

    /// Only these kinds, such as `response`.
    #[must_use]
    pub fn kinds<'a>(mut self, kinds: impl IntoIterator<Item = &'a str>) -> Self {
        self.0.kinds = kinds.into_iter().map(str::to_owned).collect();
        self
    }

    /// Only what travels this way.
    #[must_use]
    pub fn direction(mut self, direction: Direction) -> Self {
        self.0.directions = vec![direction];
        self
    }
}

/// A case that a guardrail ships about itself: a response on its way to the client, unless changed.
#[derive(Debug, Clone)]
pub struct Example(pub(crate) types::Example);

impl Example {
    /// The message passes unchanged.
    pub fn pass<'a>(method: &str, texts: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(method, texts, Expectation::Pass)
    }

    /// The texts become those of `after`.
    pub fn redact<'a>(
        method: &str,
        texts: impl IntoIterator<Item = &'a str>,
        after: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut example = Self::new(method, texts, Expectation::Redact);
        example.0.after = after.into_iter().map(str::to_owned).collect();
        example
    }

    /// Something in the texts is replaced, by what cannot be told beforehand since keys are in it.
    pub fn hide<'a>(method: &str, texts: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(method, texts, Expectation::Redact)
    }

    /// The payload's structure is changed.
    pub fn patch<'a>(method: &str, texts: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(method, texts, Expectation::Patch)
    }

    /// The message is refused.
    pub fn block<'a>(method: &str, texts: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(method, texts, Expectation::Block)
    }

    /// A person is asked.
    pub fn ask<'a>(method: &str, texts: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(method, texts, Expectation::Ask)
    }

    /// Another kind of message than a response.
    #[must_use]
    pub fn kind(mut self, kind: &str) -> Self {
        self.0.kind = kind.into();
        self
    }

    /// A request on its way to the server.
    #[must_use]
    pub fn to_server(mut self) -> Self {
        self.0.direction = Direction::ToServer;
        self.kind("request")
    }

    fn new<'a>(
        method: &str,
        texts: impl IntoIterator<Item = &'a str>,
        expects: Expectation,
    ) -> Self {
        Self(types::Example {
            method: method.into(),
            kind: "response".into(),
            direction: Direction::ToClient,
            texts: texts.into_iter().map(str::to_owned).collect(),
            expects,
            after: Vec::new(),
        })
    }
}
