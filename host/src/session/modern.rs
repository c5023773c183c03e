//! What a client of the modern era asks of the gateway itself, and what it may
//! not ask any more.

use std::sync::Arc;

use rmcp::model::ErrorCode;

use super::Session;
use super::asked::Asking;
use super::failure::Failure;
use super::requests::Reply;
use crate::catalog;
use crate::message::{Message, quote, string};
use crate::protocol::{MODERN_VERSIONS, Severity, code, meta};

/// Methods of the legacy era that the modern one has given up.
const GIVEN_UP: [&str; 4] = [
    "ping",
    "logging/setLevel",
    "resources/subscribe",
    "resources/unsubscribe",
];

impl Session {
    /// Answers a modern client's request, or has it answered.
    pub(super) async fn modern_request(
        self: &Arc<Self>,
        request: &Message,
        asking: &mut Asking,
    ) -> Result<Reply, Failure> {
        check(request)?;
        let level = request.value(&format!("/_meta/{}", meta::LOG_LEVEL));
        asking.want_log(level.and_then(Severity::of));
        match request.method().unwrap_or_default() {
            "server/discover" => Ok(Reply::Own(self.discover().await)),
            "subscriptions/listen" => self.listen(request, asking).await,
            method if GIVEN_UP.contains(&method) => Err(Failure::Protocol {
                code: ErrorCode::METHOD_NOT_FOUND.0.into(),
                message: format!("Method not found: {method}"),
                data: None,
            }),
            _ => self.client_request(request, asking).await,
        }
    }

    /// What the servers are, as one.
    async fn discover(&self) -> String {
        let upstreams = self.catalog.upstreams();
        let openings = self.openings(&upstreams, self.welcome_patience()).await;
        let introduction = self.promising(catalog::introduction(&openings, upstreams.len()));
        self.changes.told(&introduction);
        introduction
    }

    /// The least severe log messages that a legacy client wants.
    pub(super) fn log_level(&self) -> Option<Arc<str>> {
        let level = self.log_level.lock();
        level
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }

    /// Remembers which log messages a legacy client wants; the level is a JSON
    /// text.
    pub(super) fn set_log_level(&self, level: &str) {
        let current = self.log_level.lock();
        *current.unwrap_or_else(std::sync::PoisonError::into_inner) = Some(level.into());
    }
}

/// Sees to it that a request says of its sender what the modern era demands.
fn check(request: &Message) -> Result<(), Failure> {
    let value = |key: &str| request.value(&format!("/_meta/{key}"));
    let invalid = |key: &str| Failure::Protocol {
        code: ErrorCode::INVALID_PARAMS.0.into(),
        message: format!(
            "Invalid params: _meta[{:?}] is missing",
            key.replace("~1", "/")
        ),
        data: None,
    };
    let version = value(meta::PROTOCOL_VERSION).and_then(string);
    let version = version.ok_or_else(|| invalid(meta::PROTOCOL_VERSION))?;
    if !MODERN_VERSIONS.contains(&&*version) {
        let supported: Vec<String> = MODERN_VERSIONS.iter().map(|it| quote(it)).collect();
        return Err(Failure::Protocol {
            code: code::UNSUPPORTED_VERSION,
            message: "Unsupported protocol version".into(),
            data: Some(format!(
                r#"{{"supported":[{}],"requested":{}}}"#,
                supported.join(","),
                quote(&version)
            )),
        });
    }
    if value(meta::CLIENT_CAPABILITIES).is_none_or(|it| !it.starts_with('{')) {
        return Err(invalid(meta::CLIENT_CAPABILITIES));
    }
    Ok(())
}
