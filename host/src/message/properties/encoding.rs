//! Text in base64 is read, edited and written like any other.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::{Edit, edited, json, response, spans};

/// A text in one of the ways to write base64, some with line breaks.
fn written(text: &str, engine: usize, lines: bool) -> String {
    let engines = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD];
    let written = engines[engine % 4].encode(text);
    if !lines {
        return written;
    }
    let lines: Vec<_> = written
        .as_bytes()
        .chunks(76)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    lines.join("\r\n")
}

/// What is written in any of those ways.
fn read(written: &str) -> String {
    let dense: String = written
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '=')
        .map(|c| match c {
            '-' => '+',
            '_' => '/',
            c => c,
        })
        .collect();
    String::from_utf8(STANDARD_NO_PAD.decode(dense).unwrap()).unwrap()
}

proptest! {
    #[test]
    fn text_in_base64_is_shown_decoded_and_edited_in_its_place(
        text in "[ -~é漢😀\n\t]{0,120}",
        other in "[a-z]{0,5}",
        engine in 0..4_usize,
        lines in any::<bool>(),
        uri in any::<bool>(),
        picks in vec(any::<(Index, Index, Index)>(), 0..4),
        replacements in vec("[a-z\"é]{0,9}", 4),
    ) {
        let code = written(&text, engine, lines);
        let head = if uri { "data:text/plain;x=\"1\";base64," } else { "" };
        let member = if uri { "src" } else { "blob" };
        let quoted = json::quote(&format!("{head}{code}"));
        let payload = format!(
            r#"{{"a":{},"contents":[{{"x":1.0, "{member}" : {quoted},"z":{}}}]}}"#,
            json::quote(&other), json::quote(&other),
        );
        let message = response(&payload);
        let texts = message.texts().unwrap();
        let index = texts.iter().position(|text| text == member).unwrap() + 1;
        let shown = format!("{head}{text}");
        prop_assert_eq!(texts.get(index), Some(shown.as_str()));
        let pointer = format!("/contents/0/{member}");
        prop_assert_eq!(texts.place(index).unwrap().pointer, pointer.clone());

        let untouched = texts.redact(&[], 0).unwrap();
        prop_assert_eq!(untouched.line(), message.line());

        // Edits in what is decoded only: one in the head can be anything.
        let from = texts.start(index) + u32::try_from(head.len()).unwrap();
        let to = texts.ends()[index];
        let spans = spans(&texts, &picks);
        let edits: Vec<_> = spans
            .iter()
            .filter(|span| {
                let inside = span.start >= from && span.end <= to;
                inside && texts.check_span(span) == Ok(index)
            })
            .zip(&replacements)
            .map(|(span, replacement)| Edit { span: span.clone(), replacement })
            .collect();
        let changed = texts.redact(&edits, 10_000).unwrap();
        let changed = super::Message::parse(changed.raw()).unwrap();
        let value = json::string(changed.value(&pointer).unwrap()).unwrap();
        let code = value.strip_prefix(head).unwrap();
        let shift = texts.start(index);
        let local: Vec<_> = edits
            .iter()
            .map(|edit| Edit {
                span: edit.span.start - shift..edit.span.end - shift,
                replacement: edit.replacement,
            })
            .collect();
        prop_assert_eq!(format!("{head}{}", read(code)), edited(&shown, &local));
        // And what is shown next is what was written.
        let again = changed.texts().unwrap();
        prop_assert_eq!(again.joined(), edited(texts.joined(), &edits));
    }

    #[test]
    fn whatever_a_blob_holds_it_leaves_as_it_came(bytes in vec(any::<u8>(), 0..200), raw in any::<bool>()) {
        let code = if raw {
            String::from_utf8_lossy(&bytes).into_owned()
        } else {
            STANDARD.encode(&bytes)
        };
        let payload = format!(r#"{{"blob":{}}}"#, json::quote(&code));
        let message = response(&payload);
        let texts = message.texts().unwrap();
        prop_assert_eq!(texts.len(), 2);
        let shown = texts.get(1).unwrap();
        let text = std::str::from_utf8(&bytes).ok().filter(|_| !raw);
        if shown != code {
            prop_assert!(raw || text == Some(shown));
        }
        let untouched = texts.redact(&[], 0).unwrap();
        prop_assert_eq!(untouched.line(), message.line());
    }
}

#[test]
fn only_what_is_text_is_decoded_and_however_its_key_is_written() {
    let secret = STANDARD.encode("the secret");
    let binary = STANDARD.encode([0x89, b'P', b'N', b'G', 0, 1, 2]);
    for (payload, shown) in [
        (format!(r#"{{"blob":"{secret}"}}"#), "the secret"),
        (format!(r#"{{"bl\u006fb" : "{secret}"}}"#), "the secret"),
        (
            format!(r#"{{"blob":"{}"}}"#, secret.replace("=", "\\u003d")),
            "the secret",
        ),
        (format!(r#"{{"blob":"{binary}"}}"#), &*binary),
        (format!(r#"{{"blob":1,"x":"{secret}"}}"#), &*secret),
        (format!(r#"["blob","{secret}"]"#), &*secret),
        (format!(r#"{{"data":"{secret}"}}"#), &*secret),
        (format!(r#"{{"blob":"{secret}!"}}"#), &*format!("{secret}!")),
        (
            format!(r#"{{"icon":"DATA:image/svg+xml;BASE64,{secret}"}}"#),
            "DATA:image/svg+xml;BASE64,the secret",
        ),
        (format!(r#"{{"data:text/plain;base64,{secret}":"x"}}"#), "x"),
    ] {
        let texts = response(&payload).texts().unwrap();
        assert_eq!(texts.get(texts.len() - 1), Some(shown), "{payload}");
    }
}

/// The text's start and what is encoded are one text, so an edit may lie in both.
#[test]
fn an_edit_across_the_head_of_a_data_uri_hides_what_it_covers() {
    let uri = format!("data:text/plain;base64,{}", STANDARD.encode("the secret"));
    let texts = response(&json::quote(&uri)).texts().unwrap();
    let edits = [
        Edit {
            span: 5..9,
            replacement: "x",
        },
        Edit {
            span: 20..26,
            replacement: "*",
        },
        Edit {
            span: 27..33,
            replacement: "#",
        },
    ];
    let changed = texts.redact(&edits, 100).unwrap();
    let expected = format!("\"data:x/plain;base{}\"", STANDARD.encode("* #"));
    assert_eq!(changed.payload(), Some(&*expected));
}
