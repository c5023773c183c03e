#![doc = include_str!("../README.md")]

use std::time::Duration;

use mcp_gateway_sdk::http::{HttpError, Request, Response};
use mcp_gateway_sdk::{Guardrail, Interest, Manifest, Message, Verdict, export, manifest};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    eager: Option<String>,
    always: Option<String>,
}

struct Network {
    always: Option<String>,
}

impl Guardrail for Network {
    type Config = Config;

    fn configure(config: Config) -> Result<Self, String> {
        if let Some(url) = &config.eager {
            Request::get(url).send()?;
        }
        Ok(Self {
            always: config.always,
        })
    }

    fn manifest(&self) -> Manifest {
        manifest!().wants(Interest::all().methods(["tools/call"]).kinds(["request"]))
    }

    fn check(&self, message: &Message<'_>) -> Result<Verdict, String> {
        if let Some(url) = &self.always {
            Request::get(url).send()?;
        }
        let mut verdict = Verdict::builder();
        for text in message.texts().filter(|text| text.starts_with('@')) {
            let order = text.lines().next().unwrap_or_default();
            let outcome = obey(order)?;
            verdict.mask(&text, 0..text.len(), "order", &outcome);
        }
        verdict.finish()
    }
}

fn obey(order: &str) -> Result<String, String> {
    let mut words = order.splitn(3, ' ');
    let (order, url) = (words.next(), words.next().unwrap_or_default());
    let rest = words.next().unwrap_or_default();
    let number = || rest.parse::<usize>().unwrap_or(0);
    Ok(match order {
        Some("@get") => {
            let request = Request::get(url).header("api-key", "the guest's own");
            told(request.send())
        }
        Some("@post") => told(Request::post(url, rest.as_bytes()).send()),
        Some("@large") => told(Request::post(url, &vec![b'x'; number()]).send()),
        Some("@often") => {
            for time in 0..number() {
                if let Err(error) = Request::get(url).send() {
                    return Ok(format!("after {time}: {error}"));
                }
            }
            "sent".into()
        }
        Some("@soon") => {
            let patience = Duration::from_millis(number() as u64);
            told(Request::get(url).patience(patience).send())
        }
        Some("@must") => told(Ok(Request::get(url).send()?)),
        Some("@leave") => {
            leave(url);
            "left".into()
        }
        _ => return Err("there is no such order".into()),
    })
}

fn told(outcome: Result<Response, HttpError>) -> String {
    match outcome {
        Ok(response) => {
            let body = String::from_utf8_lossy(&response.body);
            format!("{} {body}", response.status).trim_end().to_owned()
        }
        Err(error) => error.to_string(),
    }
}

/// Starts a request and keeps what waits for its answer.
#[cfg(target_family = "wasm")]
fn leave(url: &str) {
    use wasip2::http::outgoing_handler::handle;
    use wasip2::http::types::{Fields, OutgoingRequest, Scheme};
    let request = OutgoingRequest::new(Fields::new());
    let address = url.strip_prefix("http://").unwrap_or(url);
    let (authority, path) = address.split_once('/').unwrap_or((address, ""));
    let _ = request.set_scheme(Some(&Scheme::Http));
    let _ = request.set_authority(Some(authority));
    let _ = request.set_path_with_query(Some(&format!("/{path}")));
    std::mem::forget(handle(request, None));
}

#[cfg(not(target_family = "wasm"))]
fn leave(_url: &str) {}

export!(Network);
