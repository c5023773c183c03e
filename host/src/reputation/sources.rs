//! Who is asked about packages, and how.

use std::time::Duration;

use reqwest::{Client, Url};
use serde_json::Value;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest answer: npm's, with all versions of a package.
const LONGEST: usize = 32 << 20;

/// Why a package is unknown whose registry answers something else: a page to log in
/// at, or an error.
pub(super) const NO_PACKAGE: &str = "the registry does not answer with a package";

/// Whether the network is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// It is.
    On,
    /// Only what is known from another time counts.
    Off,
}

/// Who is asked. Each address can be replaced by a variable of the environment, for
/// mirrors and tests.
#[derive(Debug, Clone)]
pub struct Sources {
    network: Network,
    client: Option<Client>,
    /// For addresses of this machine, to which no proxy leads.
    direct: Option<Client>,
    pub(super) npm: String,
    pub(super) npm_downloads: String,
    pub(super) pypi: String,
    pub(super) pypi_downloads: String,
    pub(super) github: String,
    pub(super) smithery: String,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// There is no such thing.
    Missing,
    /// It could not be asked, or answered something else.
    Failed(String),
}

impl Sources {
    /// The usual ones, or those that the environment names.
    pub fn new(network: Network) -> Self {
        let address = |name: &str, usual: &str| {
            let set = std::env::var(name).ok().filter(|it| !it.is_empty());
            let address = set.unwrap_or_else(|| usual.to_owned());
            address.trim_end_matches('/').to_owned()
        };
        // An error says that there is one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = || {
            Client::builder()
                .user_agent(concat!("mcp-gateway/", env!("CARGO_PKG_VERSION")))
                .timeout(PATIENCE)
                .referer(false)
        };
        Self {
            network,
            client: builder().build().ok(),
            direct: builder().no_proxy().build().ok(),
            npm: address("MCP_GATEWAY_NPM_URL", "https://registry.npmjs.org"),
            npm_downloads: address("MCP_GATEWAY_NPM_DOWNLOADS_URL", "https://api.npmjs.org"),
            pypi: address("MCP_GATEWAY_PYPI_URL", "https://pypi.org"),
            pypi_downloads: address("MCP_GATEWAY_PYPI_DOWNLOADS_URL", "https://pypistats.org"),
            github: address("MCP_GATEWAY_GITHUB_URL", "https://api.github.com"),
            smithery: address("MCP_GATEWAY_SMITHERY_URL", "https://registry.smithery.ai"),
        }
    }

    pub(super) fn network(&self) -> Network {
        self.network
    }

    /// What is at an address, as JSON. A token goes along if the environment has it.
    pub(super) async fn get(
        &self,
        base: &str,
        path: &[&str],
        query: &[(&str, &str)],
        token: Option<&str>,
    ) -> Result<Value, NoAnswer> {
        let failed = |why: String| NoAnswer::Failed(format!("{base} {why}"));
        let mut url: Url = base
            .parse()
            .map_err(|_| failed("is no address".to_owned()))?;
        if let Ok(mut segments) = url.path_segments_mut() {
            // A slash within a name is part of the name.
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let is_local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let client = if is_local { &self.direct } else { &self.client };
        let client = client.as_ref();
        let client =
            client.ok_or_else(|| failed("cannot be asked: TLS is not to be had".to_owned()))?;
        let mut request = client.get(url).header("accept", "application/json");
        let token = token.and_then(|name| std::env::var(name).ok());
        if let Some(token) = token.filter(|token| !token.is_empty()) {
            request = request.bearer_auth(token);
        }
        let mut answer = request
            .send()
            .await
            .map_err(|_| failed("did not answer".to_owned()))?;
        match answer.status().as_u16() {
            200 => {}
            404 => return Err(NoAnswer::Missing),
            status => return Err(failed(format!("answered with status {status}"))),
        }
        let mut body = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= LONGEST => {
                    body.extend_from_slice(&chunk);
                }
                Ok(None) => break,
                Ok(Some(_)) => return Err(failed("answered too much".to_owned())),
                Err(_) => return Err(failed("did not answer in time".to_owned())),
            }
        }
        serde_json::from_slice(&body).map_err(|_| failed("did not answer in JSON".to_owned()))
    }
}

impl NoAnswer {
    pub(super) fn why(self) -> String {
        match self {
            Self::Missing => "the registry does not have it".to_owned(),
            Self::Failed(why) => why,
        }
    }
}

/// A text at a JSON Pointer.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value
        .pointer(pointer)?
        .as_str()
        .filter(|text| !text.is_empty())
}

/// A number at a JSON Pointer.
pub(super) fn number(value: &Value, pointer: &str) -> Option<u64> {
    value.pointer(pointer)?.as_u64()
}
