//! The bearer token that clients must have.

use std::path::PathBuf;

use sha2::{Digest, Sha256};

/// The variable that may hold the token. In an argument, everybody on the
/// machine could read it.
const VARIABLE: &str = "MCP_GATEWAY_TOKEN";

/// Where the token is, if clients need one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSource {
    /// In a file.
    File(PathBuf),
    /// In the environment, or nowhere.
    Environment,
}

/// Why there is no token where one should be.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read.
    #[error("cannot read the token file {}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// What is no secret keeps nobody out.
    #[error("the bearer token in {0} is empty")]
    Empty(String),
}

/// A token as its digest: two digests can be compared without telling how much
/// of the tokens is alike.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Token([u8; 32]);

impl TokenSource {
    /// Reads the token.
    pub(super) fn read(self) -> Result<Option<Token>, TokenError> {
        let (text, place) = match self {
            Self::File(file) => match std::fs::read_to_string(&file) {
                Ok(text) => (text, file.display().to_string()),
                Err(cause) => return Err(TokenError::File { file, cause }),
            },
            Self::Environment => match std::env::var(VARIABLE) {
                Ok(text) => (text, VARIABLE.to_owned()),
                Err(_) => return Ok(None),
            },
        };
        match Token::new(&text) {
            Some(token) => Ok(Some(token)),
            None => Err(TokenError::Empty(place)),
        }
    }
}

impl Token {
    /// A token, unless there is nothing in the text.
    pub(super) fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(Sha256::digest(text).into()))
    }

    /// What tells one token from another.
    pub(super) fn digest(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}
