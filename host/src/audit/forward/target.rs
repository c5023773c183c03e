//! Where records are sent to, by the variables that OpenTelemetry has for that, and how:
//! OTLP over HTTP, again after what may pass.

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use prost::Message;
use reqwest::header::{
    CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Identity, StatusCode, Url};

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
    client: Client,
    url: Url,
    headers: HeaderMap,
    timeout: Duration,
    is_packed: bool,
}

/// Where all goes, and what is said about who sends it.
pub(super) struct Target {
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
        Ok(Self {
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
        let body = message.encode_to_vec();
        let body = match to.is_packed {
            true => packed(&body).map_err(ForwardError::Packing)?,
            false => body,
        };
        let body = bytes::Bytes::from(body);
        let mut pause = PAUSE;
        for attempt in 1.. {
            let failed = match post(to, body.clone()).await {
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
}

async fn post<A: Message + Default>(to: &Endpoint, body: bytes::Bytes) -> Result<A, ForwardError> {
    let mut request = to.client.post(to.url.clone()).headers(to.headers.clone());
    if to.is_packed {
        request = request.header(CONTENT_ENCODING, "gzip");
    }
    let request = request
        .header(CONTENT_TYPE, "application/x-protobuf")
        .timeout(to.timeout)
        .body(body);
    let url = || plain(&to.url);
    let unreachable = |cause: reqwest::Error| ForwardError::Unreachable {
        url: url(),
        cause: first_cause(&cause.without_url()),
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

fn first_cause(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => first_cause(cause),
        None => error.to_string(),
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
    if let Some((name, value)) = either("PROTOCOL")
        && value != "http/protobuf"
    {
        let words = "http/protobuf, for which collectors listen on port 4318";
        return Err(ForwardError::Variable(name, words));
    }
    let is_packed = match either("COMPRESSION") {
        None => false,
        Some((_, value)) if value == "none" => false,
        Some((_, value)) if value == "gzip" => true,
        Some((name, _)) => return Err(ForwardError::Variable(name, "gzip or none")),
    };
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
        client: client(&either)?,
        url,
        headers,
        timeout,
        is_packed,
    }))
}

/// What connects: it trusts whom the system trusts or the certificates that a variable
/// names, and shows a certificate of its own if variables name it and its key.
fn client(either: &dyn Fn(&str) -> Option<(String, String)>) -> Result<Client, ForwardError> {
    let mut builder = Client::builder()
        .user_agent(concat!("mcp-gateway/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none());
    let read = |kind: &str| {
        let found = either(kind).map(|(name, file)| {
            let failed = |cause| ForwardError::File(name.clone(), file.clone(), cause);
            let pem = fs::read(&file).map_err(failed)?;
            Ok::<_, ForwardError>((name, pem))
        });
        found.transpose()
    };
    if let Some((name, pem)) = read("CERTIFICATE")? {
        let trusted = Certificate::from_pem_bundle(&pem).ok();
        let Some(trusted) = trusted.filter(|all| !all.is_empty()) else {
            return Err(ForwardError::Variable(
                name,
                "a file of certificates in PEM",
            ));
        };
        builder = builder.tls_certs_only(trusted);
    }
    match (read("CLIENT_CERTIFICATE")?, read("CLIENT_KEY")?) {
        (None, None) => {}
        (Some((name, mut pem)), Some((_, key))) => {
            pem.push(b'\n');
            pem.extend(key);
            let words = "a file of certificates in PEM, and that of CLIENT_KEY their key";
            let identity = Identity::from_pem(&pem);
            let identity = identity.map_err(|_| ForwardError::Variable(name, words))?;
            builder = builder.identity(identity);
        }
        (Some((name, _)), None) | (None, Some((name, _))) => {
            let words = "set together with its counterpart: CLIENT_CERTIFICATE and CLIENT_KEY";
            return Err(ForwardError::Variable(name, words));
        }
    }
    builder.build().map_err(ForwardError::Client)
}

fn packed(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(body)?;
    packed.finish()
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
