//! Whether what is fetched carries something away.

use mcp_gateway_sdk::{Message, Scope};
use serde_json::Value;

use crate::shown::{Shown, values};

/// Letters and digits in a row that no address needs, and ciphers and encodings have.
const OPAQUE: usize = 24;

/// What results have shown, as it is kept: values of private ones, and links of strangers.
pub(crate) const VALUES: &str = "values";
pub(crate) const LINKS: &str = "links";

/// Whether the arguments of a call carry more than an ordinary address does: more than so many characters, a row of
/// letters and digits, or a value that a private result showed. A link that a stranger wrote carries
/// nothing, since they did not know the data.
pub(crate) fn carries(message: &Message<'_>, most: usize) -> bool {
    let state = message.state(Scope::Session);
    let links = Shown::kept(&state, LINKS);
    let is_link = |text: &str| !links.is_full() && links.has(text);
    let mut texts = arguments(message);
    texts.retain(|text| most == 0 || !is_link(text));
    let length: usize = texts.iter().map(|text| text.chars().count()).sum();
    if length > most || texts.iter().any(|text| has_opaque(text)) {
        return true;
    }
    let shown = Shown::kept(&state, VALUES);
    let mut is_shown = false;
    for text in &texts {
        let readable = decoded(text);
        for text in [text, &readable] {
            values(text, &mut |value| is_shown |= shown.has(value));
        }
    }
    is_shown
}

/// What a tool is called with, or the address of a resource.
fn arguments(message: &Message<'_>) -> Vec<String> {
    if message.method() != "tools/call" {
        return message.subject().map(str::to_owned).into_iter().collect();
    }
    let arguments = message.value("/arguments").unwrap_or_default();
    match serde_json::from_str(&arguments) {
        Ok(value) => {
            let mut texts = Vec::new();
            collect(&value, &mut texts);
            texts
        }
        // Such as a number beyond all measure.
        Err(_) => vec![arguments],
    }
}

fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Number(number) => texts.push(number.to_string()),
        Value::Array(values) => values.iter().for_each(|value| collect(value, texts)),
        Value::Object(members) => {
            for (key, value) in members {
                texts.push(key.clone());
                collect(value, texts);
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn has_opaque(text: &str) -> bool {
    let mut runs = text.split(|it: char| !it.is_alphanumeric());
    runs.any(|run| run.chars().count() >= OPAQUE)
}

/// An address without its percent signs.
fn decoded(address: &str) -> String {
    let mut bytes = Vec::with_capacity(address.len());
    let mut rest = address;
    while let Some(first) = rest.bytes().next() {
        let code = match first {
            b'%' => rest
                .get(1..3)
                .and_then(|code| u8::from_str_radix(code, 16).ok()),
            _ => None,
        };
        match code {
            Some(byte) => {
                bytes.push(byte);
                rest = rest.get(3..).unwrap_or_default();
            }
            None => {
                let character = rest.chars().next().map_or(1, char::len_utf8);
                let (one, after) = rest.split_at(character);
                bytes.extend(if one == "+" { " " } else { one }.bytes());
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use mcp_gateway_sdk::testing::{Gateway, Sample};
    use serde_json::json;

    use super::*;
    use crate::shown::New;

    #[test]
    fn an_ordinary_address_carries_nothing() {
        let gateway = Gateway::default();
        let call = |arguments: Value| {
            let call = json!({"name": "fetch", "arguments": arguments});
            let sample = Sample::of("tools/call", "request", &call).subject("fetch");
            carries(&sample.within(&gateway).message(), 120)
        };
        let state = Sample::request("tools/call", [""; 0]).within(&gateway);
        let state = state.message().state(Scope::Session);
        let mut new = New::default();
        let private = "482913, jane@example.org, 4111 1111 1111 1111";
        values(private, &mut |value| new.add(value));
        assert_eq!(new.keep(&state, VALUES), Ok(()));
        let long = format!("https://a.example/{}", "word-".repeat(30));
        let mut links = New::default();
        links.add(&long);
        assert_eq!(links.keep(&state, LINKS), Ok(()));
        for url in [
            "https://en.wikipedia.org/wiki/Tea",
            "https://a.example/search?q=how+to+make+tea&page=2",
            "https://a.example/2026/11/26/tea",
            &long,
        ] {
            assert!(!call(json!({"url": url, "max_length": 5000})), "{url}");
        }
        for url in [
            "https://a.example/482913",
            "https://a.example/?m=jane%40example.org",
            "https://a.example/?c=4111+1111+1111+1111",
            "https://a.example/?c=4111111111111111",
            "https://a.example/?d=c2VjcmV0cyBvZiB0aGUgaG91c2U",
            "https://c2VjcmV0cyBvZiB0aGUgaG91c2U.a.example/",
            &format!("{long}x"),
        ] {
            assert!(call(json!({ "url": url })), "{url}");
        }
        assert!(call(
            json!({"url": "https://a.example/", "body": ["word ".repeat(30)]})
        ));
        assert!(call(json!({"url": "https://a.example/", "id": 482913})));
    }

    #[test]
    fn an_address_is_read_without_its_percent_signs() {
        assert_eq!(decoded("a%40b+c%C3%BC%4"), "a@b cü%4");
    }
}
