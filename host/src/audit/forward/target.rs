//! Where records are sent to, by the variables that OpenTelemetry has for that, and how:
//! OTLP over HTTP, again after what may pass.

use std::time::Duration;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use prost::Message;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};

use super::ForwardError;
use super::metrics::Temporality;
use super::otlp::{pair, text};

/// The first and the longest pause before something is sent once more.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// How long an answer may take, unless a variable says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Where one kind of data goes.
pub(super) struct Endpoint {
    url: Url,
    headers: HeaderMap,
    timeout: Duration,
}

/// Where all goes, and what is said about who sends it.
pub(super) struct Target {
    client: Client,
    pub(super) logs: Option<Endpoint>,
    pub(super) traces: Option<Endpoint>,
    pub(super) metrics: Option<Endpoint>,
    pub(super) temporality: Temporality,
    pub(super) resource: Vec<KeyValue>,
}

/// What a variable holds, if it is set and not empty.
type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Target {
    /// What the variables say.
    pub(super) fn of(variable: Variable<'_>) -> Result<Self, ForwardError> {
        // An error says that there is one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("mcp-gateway/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .build();
        Ok(Self {
            client: client.map_err(ForwardError::Client)?,
            logs: endpoint("LOGS", "v1/logs", variable)?,
            traces: endpoint("TRACES", "v1/traces", variable)?,
            metrics: endpoint("METRICS", "v1/metrics", variable)?,
            temporality: temporality(variable)?,
            resource: resource(variable)?,
        })
    }

    /// Sends a message until it has arrived, or so many times. Gives the answer.
    pub(super) async fn send<A: Message + Default>(
        &self,
        to: &Endpoint,
        message: &impl Message,
        attempts: Option<u32>,
    ) -> Result<A, ForwardError> {
        let body = bytes::Bytes::from(message.encode_to_vec());
        let mut pause = PAUSE;
        for attempt in 1.. {
            let failed = match self.post(to, body.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            let may_pass = !matches!(failed, ForwardError::Refused { .. });
            if !may_pass || attempts.is_some_and(|most| attempt >= most) {
                return Err(failed);
            }
            tracing::warn!("records do not arrive yet: {failed}");
            let asked = match &failed {
                ForwardError::Busy { again, .. } => *again,
                _ => None,
            };
            tokio::time::sleep(asked.unwrap_or(pause).min(LONGEST)).await;
            pause = (pause * 2).min(LONGEST);
        }
        Err(ForwardError::Gone)
    }

    async fn post<A: Message + Default>(
        &self,
        to: &Endpoint,
        body: bytes::Bytes,
    ) -> Result<A, ForwardError> {
        let request = self
            .client
            .post(to.url.clone())
            .headers(to.headers.clone())
            .header(CONTENT_TYPE, "application/x-protobuf")
            .timeout(to.timeout)
            .body(body);
        let url = || plain(&to.url);
        let unreachable = |cause: reqwest::Error| ForwardError::Unreachable {
            url: url(),
            cause: cause.without_url(),
        };
        let answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        let again = answer.headers().get(RETRY_AFTER).and_then(seconds);
        match status {
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Err(ForwardError::Busy {
                url: url(),
                status,
                again,
            }),
            status if !status.is_success() => Err(ForwardError::Refused { url: url(), status }),
            _ => {
                let answer = answer.bytes().await.map_err(unreachable)?;
                A::decode(answer).map_err(|cause| ForwardError::Answer { url: url(), cause })
            }
        }
    }
}

/// An address without what may be a secret.
fn plain(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

fn seconds(value: &HeaderValue) -> Option<Duration> {
    value
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
        .map(Duration::from_secs)
}

/// Where data of a kind goes; nothing if a variable says that it goes nowhere.
fn endpoint(
    kind: &str,
    path: &str,
    variable: Variable<'_>,
) -> Result<Option<Endpoint>, ForwardError> {
    let exporter = format!("OTEL_{kind}_EXPORTER");
    match variable(&exporter).as_deref() {
        None | Some("otlp") => {}
        Some("none") => return Ok(None),
        Some(_) => return Err(ForwardError::Variable(exporter, "otlp or none")),
    }
    let own = |name: &str| format!("OTEL_EXPORTER_OTLP_{kind}_{name}");
    let shared = |name: &str| format!("OTEL_EXPORTER_OTLP_{name}");
    // The variable that counts, and what it holds.
    let either = |name: &str| {
        [own(name), shared(name)]
            .into_iter()
            .find_map(|it| variable(&it).map(|value| (it, value)))
    };
    for (name, known, words) in [
        ("PROTOCOL", "http/protobuf", "http/protobuf"),
        ("COMPRESSION", "none", "none"),
    ] {
        match either(name) {
            Some((_, value)) if value == known => {}
            Some((name, _)) => return Err(ForwardError::Variable(name, words)),
            None => {}
        }
    }
    if let Some((name, _)) = either("CERTIFICATE").or_else(|| either("CLIENT_CERTIFICATE")) {
        let words = "not set: certificates are those that the system trusts";
        return Err(ForwardError::Variable(name, words));
    }
    let (name, address) = match variable(&own("ENDPOINT")) {
        Some(address) => (own("ENDPOINT"), address),
        None => {
            let base = variable(&shared("ENDPOINT"));
            let base = base.unwrap_or_else(|| "http://localhost:4318".to_owned());
            (
                shared("ENDPOINT"),
                format!("{}/{path}", base.trim_end_matches('/')),
            )
        }
    };
    let url = Url::parse(&address).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
    let Some(url) = url else {
        return Err(ForwardError::Variable(name, "an address of http or https"));
    };
    let timeout = match either("TIMEOUT") {
        Some((name, value)) => {
            let millis = value.parse().map_err(|_| milliseconds(&name))?;
            Duration::from_millis(millis)
        }
        None => TIMEOUT,
    };
    let mut headers = HeaderMap::new();
    if let Some((variable, value)) = either("HEADERS") {
        for (name, value) in pairs(&variable, &value)? {
            let name = HeaderName::try_from(name);
            let value = HeaderValue::try_from(value);
            let (Ok(name), Ok(mut value)) = (name, value) else {
                return Err(ForwardError::Variable(variable, PAIRS));
            };
            value.set_sensitive(true);
            headers.insert(name, value);
        }
    }
    Ok(Some(Endpoint {
        url,
        headers,
        timeout,
    }))
}

fn milliseconds(name: &str) -> ForwardError {
    ForwardError::Variable(name.to_owned(), "a number of milliseconds")
}

fn temporality(variable: Variable<'_>) -> Result<Temporality, ForwardError> {
    let name = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
    let value = variable(name).map(|it| it.to_ascii_lowercase());
    match value.as_deref() {
        None | Some("cumulative") => Ok(Temporality::Cumulative),
        Some("delta" | "lowmemory") => Ok(Temporality::Delta),
        Some(_) => Err(ForwardError::Variable(
            name.to_owned(),
            "cumulative, delta or lowmemory",
        )),
    }
}

/// What is said about who sends.
fn resource(variable: Variable<'_>) -> Result<Vec<KeyValue>, ForwardError> {
    let attributes = "OTEL_RESOURCE_ATTRIBUTES";
    let mut all = match variable(attributes) {
        Some(value) => pairs(attributes, &value)?,
        None => Vec::new(),
    };
    if let Some(name) = variable("OTEL_SERVICE_NAME") {
        all.retain(|(key, _)| key != "service.name");
        all.push(("service.name".to_owned(), name));
    }
    for (key, value) in [
        ("service.name", "mcp-gateway"),
        ("service.version", env!("CARGO_PKG_VERSION")),
    ] {
        if all.iter().all(|(known, _)| known != key) {
            all.push((key.to_owned(), value.to_owned()));
        }
    }
    Ok(all
        .iter()
        .map(|(key, value)| pair(key, text(value)))
        .collect())
}

const PAIRS: &str = "name=value,name=value, with %XX for what is special";

/// Names and values, as in `a=1,b=two%20words`.
fn pairs(variable: &str, text: &str) -> Result<Vec<(String, String)>, ForwardError> {
    let parts = text.split(',').map(str::trim).filter(|it| !it.is_empty());
    let pairs = parts.map(|part| {
        let (name, value) = part.split_once('=')?;
        Some((decoded(name)?, decoded(value)?))
    });
    let pairs: Option<Vec<_>> = pairs.collect();
    pairs.ok_or_else(|| ForwardError::Variable(variable.to_owned(), PAIRS))
}

/// The text with `%XX` as what it stands for.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.trim().as_bytes().iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [*rest.next()?, *rest.next()?];
                let digits = std::str::from_utf8(&digits).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
            }
            _ => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).ok()
}
