//! What guardrails are granted.

use reqwest::header::{HeaderMap, HeaderName};

use super::*;

/// Origin, headers, and whether it may be private.
type Written<'a> = (&'a str, &'a [(&'static str, &'a str)], bool);

/// Destinations as they are used.
pub(super) fn destinations<const N: usize>(all: [Written<'_>; N]) -> Destinations {
    let destination = |(url, headers, private): Written<'_>| {
        let headers = headers.iter();
        let headers: HeaderMap = headers
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        Destination {
            url: url.parse().unwrap(),
            headers,
            private,
        }
    };
    Destinations(all.into_iter().map(destination).collect())
}

fn guarded(grant: &str) -> Result<Config, String> {
    let text =
        format!("[servers.git]\ncommand = \"uvx\"\n[[guardrails]]\nuse = \"./a.wasm\"\n{grant}\n");
    load(Form::GatewayToml, &text)
}

fn granted(grant: &str) -> (Grants, Destinations) {
    let guardrail = guarded(grant).unwrap().guardrails.remove(0);
    (guardrail.grants, guardrail.destinations)
}

#[test]
fn nothing_can_be_reached_unless_it_is_granted() {
    let none = Destinations::default();
    assert_eq!(granted(""), (Grants::default(), none.clone()));
    let http = Grants {
        http: true,
        ..Grants::default()
    };
    assert_eq!(granted("grant.http = []"), (http, none));
    let list = "grant.http = [\"https://example.com\", \"http://localhost:8080/\"]";
    let two = destinations([
        ("https://example.com", &[], false),
        ("http://localhost:8080", &[], false),
    ]);
    assert_eq!(granted(list), (http, two));
}

#[test]
fn what_is_no_destination_is_an_error() {
    let errors = guarded(
        r#"grant.http = [
            "example.com",
            "ftp://example.com",
            "https://example.com/v3",
            "https://ann:hunter2@example.com",
            "https://example.com",
            "https://EXAMPLE.com:443/",
            "https://${NOWHERE}",
            1,
        ]"#,
    );
    insta::assert_snapshot!(errors.unwrap_err(), @r#"
    config:6:13: "grant.http[0]" in guardrail "./a.wasm" is no address that a server can be reached at: relative URL without a base
    config:7:13: "grant.http[1]" in guardrail "./a.wasm" is no address that a server can be reached at: it must start with "http://" or "https://"
    config:8:13: "grant.http[2]" in guardrail "./a.wasm" is no address that a server can be reached at: it is granted by scheme, host and port; leave out what follows
    config:9:13: "grant.http[3]" in guardrail "./a.wasm" holds a user name or a password, which may show in logs on the way; write an "Authorization" header in "headers"
    config:11:13: "https://example.com" stands twice in "grant.http" in guardrail "./a.wasm"; remove one
    config:12:13: "grant.http[6]" in guardrail "./a.wasm" uses ${NOWHERE}, which is not set; set it in the gateway's environment (in a client's file: "env" of the gateway's entry), or write a default: ${NOWHERE:-default}
    config:13:13: "grant.http[7]" in guardrail "./a.wasm" must be a string, not a number
    "#);
    let errors = guarded(
        r#"
        [guardrails.grant.http."https://example.com"]
        header = { api-key = "k" }
        private = "yes"
        headers = { host = "x" }
        [guardrails.grant.http."https://example.org/path"]
        "#,
    );
    insta::assert_snapshot!(errors.unwrap_err(), @r#"
    config:7:9: unknown key "header" in "grant.http.https://example.com" in guardrail "./a.wasm"; did you mean "headers"?
    config:8:19: "grant.http.https://example.com.private" in guardrail "./a.wasm" must be true or false, not a string
    config:9:21: "grant.http.https://example.com.headers.host" in guardrail "./a.wasm" is for the gateway to say; remove it
    config:10:32: "grant.http.https://example.org/path" in guardrail "./a.wasm" is no address that a server can be reached at: it is granted by scheme, host and port; leave out what follows
    "#);
}

#[test]
fn a_key_that_everybody_on_the_way_can_read_warns() {
    let grant = |url| format!("[guardrails.grant.http.\"{url}\"]\nheaders = {{ api-key = \"k\" }}");
    let warnings = |url| guarded(&grant(url)).unwrap().warnings.join("\n");
    insta::assert_snapshot!(warnings("http://example.com"), @r#"config:5:24: "grant.http.http://example.com" in guardrail "./a.wasm" is sent its headers over http://, where everybody on the way can read them; use https://"#);
    assert_eq!(warnings("https://example.com"), "");
    assert_eq!(warnings("http://localhost:1"), "");
}
