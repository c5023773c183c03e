//! What holds for every document, every edit and every patch, checked against
//! slow and simple models of them.

mod documents;
mod encoding;
mod patching;
mod splicing;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use self::documents::{Unit, document, is_long, is_number, says, unique_document, units};
use super::*;

fn response(payload: &str) -> Message {
    let line = format!(r#"{{ "result":{payload} , "id":"an\/id","jsonrpc":"2.0"}}"#);
    Message::parse(Bytes::from(line)).unwrap()
}

/// Sorted spans that do not overlap, at character boundaries within a text.
fn spans(texts: &Texts, picks: &[(Index, Index, Index)]) -> Vec<Range<u32>> {
    let mut spans = Vec::new();
    for (text, one, other) in picks.iter().filter(|_| !texts.is_empty()) {
        let index = text.index(texts.len());
        let start = texts.start(index);
        let text = texts.get(index).unwrap();
        let bounds: Vec<_> = (0..=text.len())
            .filter(|at| text.is_char_boundary(*at))
            .collect();
        let mut pair = [
            bounds[one.index(bounds.len())],
            bounds[other.index(bounds.len())],
        ];
        pair.sort_unstable();
        let [from, to] = pair.map(|at| start + u32::try_from(at).unwrap());
        spans.push(from..to);
    }
    spans.sort_unstable_by_key(|span| (span.start, span.end));
    let mut end = 0;
    spans.retain(|span| {
        let apart = span.start >= end;
        end = if apart { span.end } else { end };
        apart
    });
    spans
}

/// The joined texts with the edits applied.
fn edited(joined: &str, edits: &[Edit<'_>]) -> String {
    let mut joined = joined.to_owned();
    for edit in edits.iter().rev() {
        let span = edit.span.start as usize..edit.span.end as usize;
        joined.replace_range(span, edit.replacement);
    }
    joined
}

/// The payload with the edits applied unit by unit: a unit is an escape or a
/// character, with what it says and how it is written.
fn edited_units(payload: &str, texts: &Texts, edits: &[Edit<'_>]) -> String {
    let mut out = String::new();
    let mut copied = 0;
    for (index, string) in documents::texts(payload).into_iter().enumerate() {
        out.push_str(&payload[copied..string.start]);
        copied = string.end;
        if is_number(payload, &string) {
            let start = texts.start(index);
            let of_it = edits
                .iter()
                .filter(|it| texts.check_span(&it.span) == Ok(index));
            let of_it: Vec<_> = of_it
                .map(|it| Edit {
                    span: it.span.start - start..it.span.end - start,
                    replacement: it.replacement,
                })
                .collect();
            let number = edited(&payload[string], &of_it);
            let stays = serde_json::from_str::<&serde_json::value::RawValue>(&number).is_ok()
                && number.ends_with(|c: char| c.is_ascii_digit())
                && is_long(&number);
            out.push_str(&if stays {
                number
            } else {
                serde_json::to_string(&number).unwrap()
            });
            continue;
        }
        let mut at = texts.start(index);
        let mut edits = edits
            .iter()
            .filter(|it| texts.check_span(&it.span) == Ok(index))
            .peekable();
        let mut insert = |at: u32, out: &mut String| {
            let mut hidden = false;
            while let Some(edit) = edits.peek().filter(|it| it.span.start <= at) {
                if edit.span.start == at {
                    let quoted = serde_json::to_string(edit.replacement).unwrap();
                    out.push_str(&quoted[1..quoted.len() - 1]);
                }
                hidden = edit.span.end > at;
                if hidden {
                    break;
                }
                edits.next();
            }
            hidden
        };
        for Unit { says, written } in units(&payload[string]) {
            if !insert(at, &mut out) {
                out.push_str(&written);
            }
            at += u32::try_from(says.len_utf8()).unwrap();
        }
        insert(at, &mut out);
    }
    out + &payload[copied..]
}

proptest! {
    #[test]
    fn an_unedited_message_leaves_as_it_came(payload in document()) {
        let message = response(&payload);
        let line = format!(r#"{{ "result":{payload} , "id":"an\/id","jsonrpc":"2.0"}}"#);
        prop_assert_eq!(message.raw(), line.as_bytes());
        prop_assert_eq!(message.payload(), Some(payload.trim()));
        let untouched = message.texts().unwrap().redact(&[], 0).unwrap();
        prop_assert_eq!(untouched.line(), &line);
        let unpatched = message.patch(&[]).unwrap();
        prop_assert_eq!(unpatched.line(), &line);
    }

    #[test]
    fn texts_say_what_strings_and_long_numbers_say(payload in document()) {
        let message = response(&payload);
        let texts = message.texts().unwrap();
        let written = documents::texts(&payload);
        let expected: Vec<_> = written.iter().map(|it| says(&payload[it.clone()])).collect();
        prop_assert_eq!(texts.iter().collect::<Vec<_>>(), expected.clone());
        prop_assert_eq!(texts.joined(), expected.concat());
        for (literal, text) in written.iter().zip(&expected).filter(|it| !is_number(&payload, it.0)) {
            let literal = &payload[literal.start - 1..literal.end + 1];
            prop_assert_eq!(json::string(literal).unwrap(), text.as_str());
        }
    }

    #[test]
    fn an_edit_changes_its_span_and_nothing_else(
        payload in document(),
        picks in vec((any::<Index>(), any::<Index>(), any::<Index>()), 1..6),
        replacements in vec(prop_oneof![Just(String::new()), ".{0,6}", "[\"\\\\\u{0}-\u{1f}\u{7f}é😀]{0,4}"], 6),
    ) {
        let message = response(&payload);
        let texts = message.texts().unwrap();
        let spans = spans(&texts, &picks);
        let edits: Vec<_> = spans
            .into_iter()
            .zip(&replacements)
            .map(|(span, replacement)| Edit { span, replacement })
            .collect();
        let redacted = texts.redact(&edits, 10_000).unwrap();
        let read = Message::parse(redacted.raw()).unwrap();
        prop_assert_eq!(read.payload(), redacted.payload());
        prop_assert_eq!(read.id(), redacted.id());
        let after = read.texts().unwrap();
        prop_assert_eq!(after.joined(), edited(texts.joined(), &edits));
        prop_assert_eq!(after.len(), texts.len());
        let expected = edited_units(payload.trim(), &texts, &edits);
        // Two lone surrogates that an edit brought together are kept apart,
        // which the model does not know of.
        if response(&expected).texts().unwrap().joined() == after.joined() {
            prop_assert_eq!(redacted.payload(), Some(&*expected));
        }
    }

    #[test]
    fn a_place_leads_back_to_its_text(payload in unique_document()) {
        let message = response(&payload);
        let texts = message.texts().unwrap();
        for (index, text) in texts.iter().enumerate() {
            let place = texts.place(index).unwrap();
            prop_assert_eq!(Some(place.role), texts.role(index));
            let value = message.value(&place.pointer);
            match place.role {
                Role::Value if texts.is_number(index) => prop_assert_eq!(value, Some(text)),
                Role::Value => prop_assert_eq!(json::string(value.unwrap()).unwrap(), text),
                Role::Key => {
                    prop_assert!(value.is_some());
                    let (parent, _) = place.pointer.rsplit_once('/').unwrap();
                    let members = json::members(message.value(parent).unwrap()).unwrap();
                    prop_assert!(members.iter().any(|member| member.key == text));
                }
            }
        }
    }

    #[test]
    fn members_and_elements_put_together_are_the_document(payload in document()) {
        let payload = payload.trim();
        let mut parts = Vec::new();
        if let Ok(members) = json::members(payload) {
            parts.extend(members.iter().map(|member| member.value));
        } else if let Ok(elements) = json::elements(payload) {
            parts.extend(elements);
        }
        let walked = scan::children(payload, 0).map(|child| &payload[child.value]);
        prop_assert_eq!(walked.collect::<Vec<_>>(), parts);
    }

    #[test]
    fn a_span_is_located_or_refused(payload in document(), start in 0_u32..60, end in 0_u32..60) {
        let message = response(&payload);
        let texts = message.texts().unwrap();
        if let Ok(index) = texts.check_span(&(start..end)) {
            prop_assert!(texts.start(index) <= start && start <= end && end <= texts.ends()[index]);
            prop_assert!(texts.joined().get(start as usize..end as usize).is_some());
        }
        let _ = texts.redact(&[Edit { span: start..end, replacement: "x" }], 10);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..200), text in ".{0,60}", at in 0_usize..70) {
        let _ = Message::parse(Bytes::from(bytes));
        let _ = (json::members(&text), json::elements(&text), json::string(&text));
        let _ = (json::one_line(&text), scan::children(&text, at).take(99).count());
        let _ = (pointer::value(&text, &text), place::Places::walk(&text));
        let _ = Message::parse(Message::error(&text, 1, &text, Some(&text)).raw());
        let quoted = json::quote(&text);
        prop_assert_eq!(json::string(&quoted).unwrap(), text);
    }

    #[test]
    fn no_broken_document_makes_it_panic(
        payload in document(),
        cuts in vec((any::<Index>(), "[\\[\\]{}\",:\\\\u\\n 0d]?"), 1..4),
        path in "(/[a-c0-2~\"]{0,2}){0,3}",
    ) {
        let mut broken = format!(r#"{{"id":1,"result":{payload}}}"#);
        for (at, junk) in cuts {
            let at = at.index(broken.len());
            if let Some(c) = broken.get(at..).and_then(|rest| rest.chars().next()) {
                broken.replace_range(at..at + c.len_utf8(), &junk);
            }
        }
        let _ = (pointer::value(&broken, &path), place::Places::walk(&broken));
        let _ = (json::members(&broken), json::string(&broken));
        if let Ok(message) = Message::parse(Bytes::from(broken.clone())) {
            prop_assert!(serde_json::from_str::<&serde_json::value::RawValue>(&broken).is_ok());
            let texts = message.texts().unwrap();
            let places: Vec<_> = (0..texts.len()).map(|index| texts.place(index).unwrap()).collect();
            prop_assert!(places.iter().all(|it| message.value(&it.pointer).is_some() || !it.pointer.is_empty()));
            let _ = message.patch(&[PatchOp::Remove { path }]);
        }
    }
}
