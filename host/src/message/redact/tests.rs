//! What an edit changes, what it leaves, and which edits are refused.

use bytes::Bytes;

use super::*;

fn parse(line: &str) -> Message {
    Message::parse(Bytes::copy_from_slice(line.as_bytes())).unwrap()
}

/// The result after replacing what stands at the spans.
fn redact(result: &str, edits: &[(Range<u32>, &str)]) -> Result<String, EditError> {
    let edits: Vec<_> = edits
        .iter()
        .map(|(span, replacement)| Edit {
            span: span.clone(),
            replacement,
        })
        .collect();
    let redacted = Message::result("1", result)
        .texts()
        .unwrap()
        .redact(&edits, 1000)?;
    assert_eq!(redacted.id(), Some("1"));
    parse(redacted.line());
    Ok(redacted.payload().unwrap().to_owned())
}

#[test]
fn a_lone_surrogate_is_spliced_around() {
    let result = r#"["\ud83dabc\u0064\udE00\/", "\ud83d"]"#;
    let texts = Message::result("1", result).texts().unwrap();
    assert_eq!(
        texts.iter().collect::<Vec<_>>(),
        ["\u{fffd}abcd\u{fffd}/", "\u{fffd}"]
    );
    // "bc", then the "d" that is written as an escape.
    let redacted = redact(result, &[(4..6, "*"), (6..7, "\"\n\u{1}é")]).unwrap();
    assert_eq!(redacted, r#"["\ud83da*\"\n\u0001é\udE00\/", "\ud83d"]"#);
    // The lone surrogate itself.
    assert_eq!(
        redact(result, &[(0..3, "")]).unwrap(),
        r#"["abc\u0064\udE00\/", "\ud83d"]"#
    );
}

#[test]
fn lone_surrogates_do_not_become_a_pair() {
    let edits = [(3..4, ""), (4..5, "")];
    assert_eq!(
        redact(r#""\ud83dab\ude00""#, &edits).unwrap(),
        r#""\ufffd\ude00""#
    );
    let edits = [(3..4, ""), (4..5, "-")];
    assert_eq!(
        redact(r#""\ud83dab\ude00""#, &edits).unwrap(),
        r#""\ud83d-\ude00""#
    );
    // An escaped backslash and the letters after it are no surrogate.
    assert_eq!(
        redact(r#""\\ud83da\ude00""#, &[(6..7, "")]).unwrap(),
        r#""\\ud83d\ude00""#
    );
}

#[test]
fn keys_and_values_are_edited_alike() {
    let result = r#"{ "a@b" : "c@d", "n":1e400,"x":[ "e\u0040f" ] }"#;
    // Joined: a@bc@dnxe@f
    let redacted = redact(result, &[(0..3, "KEY"), (3..6, ""), (9..10, "\\")]).unwrap();
    assert_eq!(redacted, r#"{ "KEY" : "", "n":1e400,"x":[ "e\\f" ] }"#);
}

#[test]
fn an_edit_before_the_id_moves_it() {
    let message = parse(r#"{"result":"secret","id":"x"}"#);
    for replacement in ["", "much longer than it was"] {
        let edit = Edit {
            span: 0..6,
            replacement,
        };
        let redacted = message.texts().unwrap().redact(&[edit], 100).unwrap();
        assert_eq!(
            redacted.line(),
            format!(r#"{{"result":"{replacement}","id":"x"}}"#)
        );
        assert_eq!(redacted.id(), Some(r#""x""#));
        assert_eq!(redacted.payload(), Some(&*format!(r#""{replacement}""#)));
    }
}

#[test]
fn edits_must_be_in_order_and_apart() {
    let result = r#"["abc","def"]"#;
    assert_eq!(
        redact(result, &[(0..2, ""), (1..3, "")]),
        Err(EditError::Overlap { index: 1 })
    );
    assert_eq!(
        redact(result, &[(3..4, ""), (0..1, "")]),
        Err(EditError::Overlap { index: 1 })
    );
    assert_eq!(
        redact(result, &[(1..2, "x"), (2..2, "y"), (2..3, "z")]).unwrap(),
        r#"["axyz","def"]"#
    );
    let error = SpanError::Straddles(2, 4);
    assert_eq!(
        redact(result, &[(2..4, "")]),
        Err(EditError::Span { index: 0, error })
    );
}

#[test]
fn growth_is_bounded_as_it_is_written() {
    let message = Message::result("1", r#"["abc"]"#);
    let texts = message.texts().unwrap();
    let grow = |replacement, growth| {
        texts.redact(
            &[Edit {
                span: 0..1,
                replacement,
            }],
            growth,
        )
    };
    assert!(grow("abcd", 3).is_ok());
    assert_eq!(
        grow("abcde", 3).unwrap_err(),
        EditError::Growth { limit: 3 }
    );
    // A control character takes six bytes.
    assert_eq!(
        grow("\u{1}", 4).unwrap_err(),
        EditError::Growth { limit: 4 }
    );
    assert!(grow("\u{1}", 5).is_ok());
    assert!(grow("", 0).is_ok());
}

#[test]
fn a_long_number_is_a_text_and_becomes_a_string_unless_it_stays_one() {
    let result = r#"{"card":4111111111111111,"n":[123456,1234567.0 ,0.12345678,-7654321,4.1111111e9],"x":"1"}"#;
    let texts = Message::result("1", result).texts().unwrap();
    assert_eq!(
        texts.iter().collect::<Vec<_>>(),
        [
            "card",
            "4111111111111111",
            "n",
            "1234567.0",
            "-7654321",
            "4.1111111e9",
            "x",
            "1"
        ]
    );
    assert_eq!(texts.place(1).unwrap().pointer, "/card");
    assert_eq!(texts.place(3).unwrap().pointer, "/n/1");
    assert_eq!(texts.place(7).unwrap().pointer, "/x");
    for (edit, expected) in [
        ((4..20, "<CARD>"), r#"{"card":"<CARD>","n""#),
        (
            (4..20, "4000000000000002"),
            r#"{"card":4000000000000002,"n""#,
        ),
        ((4..16, "****"), r#"{"card":"****1111","n""#),
        ((4..20, ""), r#"{"card":"","n""#),
        ((4..20, "1"), r#"{"card":"1","n""#),
        ((4..5, "0"), r#"{"card":"0111111111111111","n""#),
        ((4..20, "1,2345678"), r#"{"card":"1,2345678","n""#),
    ] {
        let redacted = redact(result, &[edit]).unwrap();
        assert!(redacted.starts_with(expected), "{redacted}");
        assert!(redacted.ends_with(&result[27..]), "{redacted}");
    }
    assert_eq!(redact("1234567", &[(3..7, "*")]).unwrap(), r#""123*""#);
}
