//! A server that is reached over HTTP, in either file.

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use super::server::Dialect;
use crate::config::error::Problem;
use crate::config::field::Field;
use crate::config::section::Section;
use crate::config::{Flavor, OAuth, Remote};

/// How the gateway comes to a server.
pub(super) enum Reached<'a> {
    /// It starts the server.
    Started,
    /// The server runs at this address.
    At(Address<'a>),
}

/// Where a server runs, as the file has it.
pub(super) struct Address<'a> {
    url: Field<'a>,
    flavor: Flavor,
}

/// The address, as clients spell its key.
const URLS: [&str; 3] = ["url", "serverUrl", "httpUrl"];

/// Transports in `gateway.toml`.
const FLAVORS: [(&str, Flavor); 3] = [
    ("auto", Flavor::Auto),
    ("streamable-http", Flavor::StreamableHttp),
    ("sse", Flavor::Sse),
];

/// Transports as clients spell them. What they call `http` falls back to
/// HTTP+SSE in most of them.
const TRANSPORTS: [(&str, Spoken); 6] = [
    ("stdio", Spoken::Stdio),
    ("http", Spoken::Http(Flavor::Auto)),
    ("sse", Spoken::Http(Flavor::Sse)),
    ("streamable-http", Spoken::Http(Flavor::StreamableHttp)),
    ("streamableHttp", Spoken::Http(Flavor::StreamableHttp)),
    ("ws", Spoken::WebSocket),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spoken {
    Stdio,
    Http(Flavor),
    WebSocket,
}

/// Headers that frame a request, or that MCP has rules for.
const RESERVED: [&str; 12] = [
    "connection",
    "content-length",
    "host",
    "last-event-id",
    "mcp-method",
    "mcp-name",
    "mcp-protocol-version",
    "mcp-session-id",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// How the gateway comes to the server of this section; if not at all, that is reported.
pub(super) fn reached<'a>(section: &mut Section<'a>, dialect: Dialect<'_>) -> Option<Reached<'a>> {
    let spoken = match dialect {
        Dialect::GatewayToml(_) => section
            .take("transport")
            .and_then(|field| field.choice(&FLAVORS))
            .map(Spoken::Http),
        Dialect::McpJson => match spoken_by_client(section) {
            Some(Spoken::WebSocket) => return None,
            spoken => spoken,
        },
    };
    let keys = match dialect {
        Dialect::GatewayToml(_) => URLS.get(..1).unwrap_or_default(),
        Dialect::McpJson => &URLS,
    };
    let mut urls = keys
        .iter()
        .filter_map(|&key| Some((key, section.take(key)?)));
    let (url, second) = (urls.next(), urls.next());
    drop(urls);
    let both = match (&url, &second) {
        (Some((first, _)), Some((second, _))) => Some((*first, *second)),
        (Some((url, _)), None) if section.has("command") => Some(("command", *url)),
        _ => None,
    };
    if let Some((first, second)) = both {
        let inside = section.label().to_string();
        section.error(Problem::Both {
            inside,
            first,
            second,
        });
        return None;
    }
    match (url, spoken) {
        (Some((_, url)), Some(Spoken::Http(flavor))) => Some(Reached::At(Address { url, flavor })),
        (Some((_, url)), _) => Some(Reached::At(Address {
            url,
            flavor: Flavor::Auto,
        })),
        (None, Some(Spoken::Http(_))) => {
            section.error(Problem::Missing {
                inside: section.label().to_string(),
                key: "url",
                remedy: "write the address of the server, such as \"https://example.com/mcp\"",
            });
            None
        }
        (None, _) => Some(Reached::Started),
    }
}

fn spoken_by_client(section: &mut Section<'_>) -> Option<Spoken> {
    let mut spoken = None;
    for key in ["type", "transport"] {
        let Some(field) = section.take(key) else {
            continue;
        };
        let (reading, at, what) = (field.reading, field.at, field.what());
        let choice = field.choice(&TRANSPORTS);
        if choice == Some(Spoken::WebSocket) {
            reading.error(at, Problem::WebSocket { what });
        }
        spoken = spoken.or(choice);
    }
    spoken
}

/// The server at an address.
pub(super) fn remote(
    section: &mut Section<'_>,
    dialect: Dialect<'_>,
    address: Address<'_>,
) -> Option<Remote> {
    let is_secret = address.url.refers_to_secret();
    let url = url(address.url);
    let mut headers = headers(section.subsection("headers"));
    if let Dialect::GatewayToml(_) = dialect
        && let Some(value) = section.take("bearer").and_then(bearer)
        && headers.insert(AUTHORIZATION, value).is_some()
    {
        let inside = section.label().to_string();
        section.error(Problem::TwoAuthorizations { inside });
    }
    let remote = Remote {
        url: url?,
        is_secret,
        headers,
        flavor: address.flavor,
        oauth: match dialect {
            Dialect::GatewayToml(_) => oauth(section.subsection("oauth")),
            // There it is the client's.
            Dialect::McpJson => OAuth::default(),
        },
        found_by: String::new(),
    };
    if remote.has_credentials() && remote.url.scheme() == "http" && !remote.is_local() {
        section.warn(
            "sends what it logs in with over http://, where everybody on the way can read it; \
             use https://",
        );
    }
    Some(remote)
}

fn oauth(mut section: Section<'_>) -> OAuth {
    let remedy = "write the id that the secret goes with";
    let client_secret = section.take("client_secret").and_then(Field::expanded);
    let client_id = match client_secret {
        Some(_) => section.require("client_id", remedy),
        None => section.take("client_id"),
    };
    let scopes = section.take("scopes").and_then(Field::items);
    let oauth = OAuth {
        client_id: client_id.and_then(Field::expanded),
        client_secret,
        scopes: scopes
            .unwrap_or_default()
            .into_iter()
            .filter_map(Field::text)
            .collect(),
    };
    section.finish();
    oauth
}

/// An address. Errors do not quote it: its query may hold a key.
pub(super) fn url(field: Field<'_>) -> Option<Url> {
    let (blame, what) = (field.blame(), field.what());
    let text = field.expanded()?;
    let problem = match Url::parse(text.trim()) {
        Err(cause) => Problem::Url {
            what,
            cause: cause.to_string(),
        },
        Ok(url) if !matches!(url.scheme(), "http" | "https") => Problem::Url {
            what,
            cause: "it must start with \"http://\" or \"https://\"".to_owned(),
        },
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            Problem::Userinfo { what }
        }
        Ok(url) => return Some(url),
    };
    Url::parse(&blame.for_value(problem)?).ok()
}

pub(super) fn headers(section: Section<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (key, field) in section.into_fields() {
        let (blame, what) = (field.blame(), field.what());
        let Some(value) = field.expanded() else {
            continue;
        };
        let problem = match (key.parse::<HeaderName>(), header_value(&value)) {
            (Err(_), _) => Problem::HeaderName { what },
            (Ok(name), _) if RESERVED.contains(&name.as_str()) => Problem::HeaderReserved { what },
            (Ok(_), None) => {
                // What stands in is of no use to anybody.
                let _ = blame.for_value(Problem::HeaderValue { what });
                continue;
            }
            (Ok(name), Some(value)) => {
                headers.append(name, value);
                continue;
            }
        };
        blame.for_entry(problem);
    }
    headers
}

fn bearer(field: Field<'_>) -> Option<HeaderValue> {
    let (blame, what) = (field.blame(), field.what());
    let token = field.expanded()?;
    let token = token.trim();
    let problem = match header_value(&format!("Bearer {token}")) {
        Some(_) if token.is_empty() => Problem::Empty {
            what,
            remedy: "write the token, such as \"${TOKEN}\"",
        },
        Some(value) => return Some(value),
        None => Problem::HeaderValue { what },
    };
    header_value(&blame.for_value(problem)?)
}

/// A header's value, which nothing shows.
fn header_value(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
