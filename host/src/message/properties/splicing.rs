//! Another id, another name: what is put in the place of something else changes
//! that and nothing else, wherever it stands and whatever was edited before.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::documents::{document, ordinary_document, unique_document};
use super::{Bytes, Edit, Message, PatchOp, json};

/// A request with its id before or after the params.
fn request(params: &str, id_first: bool) -> Message {
    let id = r#""id" : "an\/id""#;
    let rest = format!(r#""method":"m","params" :{params}"#);
    let (one, other) = if id_first { (id, &*rest) } else { (&*rest, id) };
    Message::parse(Bytes::from(format!(
        r#"{{"jsonrpc":"2.0", {one} , {other}}}"#
    )))
    .unwrap()
}

/// The message as it is sent with another id.
fn sent(message: &Message, id: &str) -> Message {
    let (head, tail) = message.split_at_id().unwrap();
    Message::parse(Bytes::from([&*head, id.as_bytes(), &*tail].concat())).unwrap()
}

fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<u64>().prop_map(|id| id.to_string()),
        ".{0,9}".prop_map(|id| json::quote(&id)),
    ]
}

proptest! {
    #[test]
    fn another_id_changes_the_id_and_nothing_else(
        params in document(),
        id in id(),
        id_first in any::<bool>(),
        replacement in "[a-z\"\\\\é😀]{0,9}",
    ) {
        let message = request(&params, id_first);
        let other = sent(&message, &id);
        prop_assert_eq!(other.id(), Some(&*id));
        prop_assert_eq!(other.payload(), message.payload());
        let back = sent(&other, message.id().unwrap());
        prop_assert_eq!(back.line(), message.line());
        // And after an edit, which may have moved the id.
        let texts = message.texts().unwrap();
        if let Some(end) = texts.ends().first() {
            let edit = Edit { span: 0..*end, replacement: &replacement };
            let edited = texts.redact(&[edit], 1_000).unwrap();
            let other = sent(&edited, &id);
            prop_assert_eq!(other.id(), Some(&*id));
            prop_assert_eq!(other.payload(), edited.payload());
            prop_assert_eq!(other.method(), Some("m"));
        }
    }

    #[test]
    fn a_member_that_is_replaced_and_put_back_was_never_away(
        before in unique_document(),
        after in unique_document(),
        old in unique_document(),
        new in unique_document(),
        id_first in any::<bool>(),
    ) {
        let params = |token: &str| format!(
            r#"{{"a":{before} ,"_meta" : {{"x":{before},"progressToken":{token} , "z":{after}}},"b":{after}}}"#
        );
        let path = ["_meta", "progressToken"];
        let (old, new) = (old.trim(), new.trim());
        let message = request(&params(old), id_first);
        let renamed = message.with_payload_member(&path, new).unwrap();
        let expected = request(&params(new), id_first);
        prop_assert_eq!(renamed.line(), expected.line());
        prop_assert_eq!(renamed.id(), message.id());
        prop_assert_eq!(renamed.value("/_meta/progressToken"), Some(new));
        let back = renamed.with_payload_member(&path, old).unwrap();
        prop_assert_eq!(back.line(), message.line());
    }

    /// A guardrail redacts, the next one patches: each finds what the other left.
    #[test]
    fn redactions_and_patches_do_not_get_into_each_others_way(
        text in "[ -~é😀]{1,40}",
        other in ordinary_document(),
        replacement in "[ -~é]{0,9}",
    ) {
        let code = STANDARD.encode(&text);
        let payload = format!(r#"{{"a":{other},"blob":"{code}","c":[{other},{other}]}}"#);
        let message = request(&payload, true);
        let remove = [PatchOp::Remove { path: "/c/0".to_owned() }];
        let redact = |message: &Message| {
            let texts = message.texts().unwrap();
            let key = texts.iter().position(|text| text == "blob").unwrap();
            let (start, end) = (texts.ends()[key], texts.ends()[key + 1]);
            assert_eq!(texts.get(key + 1), Some(&*text));
            let edit = Edit { span: start..end, replacement: &replacement };
            texts.redact(&[edit], 1_000).unwrap()
        };
        let one = redact(&message).patch(&remove).unwrap();
        let other_way = redact(&message.patch(&remove).unwrap());
        prop_assert_eq!(one.line(), other_way.line());
        let expected = json::quote(&STANDARD.encode(&replacement));
        prop_assert_eq!(one.value("/blob"), Some(&*expected));
    }
}
