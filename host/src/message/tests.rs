//! What a message keeps, what it refuses, and what an edit touches.

use bytes::Bytes;

use super::*;

fn parse(line: &str) -> Message {
    Message::parse(Bytes::copy_from_slice(line.as_bytes())).unwrap()
}

fn refusal(line: &[u8]) -> String {
    Message::parse(Bytes::copy_from_slice(line))
        .unwrap_err()
        .to_string()
}

/// A response with this result.
fn response(result: &str) -> Message {
    parse(&format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#))
}

#[test]
fn a_message_leaves_as_it_came() {
    for params in [
        "123456789012345678901234567890",
        "[1e400,-0.0,1E+2,0.10000000000000000000001]",
        r#"{"a":1,"a":2,"b":3,"a":4}"#,
        r#"{"z":1,"y":2 ,	"x" : [ 3 , 4 ] }"#,
        r#"{"nul":"\u0000","slash":"\/","lone":"\ud83d","low":"\udE00","pair":"\ud83d\ude00"}"#,
        r#""漢字 😀 é \u00e9""#,
        r#"{"\u006eame":"\"\\\b\f\n\r\t"}"#,
        "null",
        "[]",
    ] {
        let line =
            format!(r#" {{ "id" : "a\/b" ,"method":"m","vendor":[], "params": {params} }} "#);
        let message = parse(&line);
        assert_eq!(message.raw(), line.as_bytes());
        assert_eq!(message.payload(), Some(params));
        assert_eq!(message.id(), Some(r#""a\/b""#));
        let untouched = message.texts().unwrap().redact(&[], 0).unwrap();
        assert_eq!(untouched.line(), line);
        assert_eq!(message.patch(&[]).unwrap().line(), line);
    }
}

#[test]
fn a_message_is_one_of_four_kinds() {
    for (line, kind, method, id, payload) in [
        (
            r#"{"id":1,"method":"m","params":[]}"#,
            Kind::Request,
            Some("m"),
            Some("1"),
            Some("[]"),
        ),
        (
            r#"{"id":-1.5e3,"method":"a\/b"}"#,
            Kind::Request,
            Some("a/b"),
            Some("-1.5e3"),
            None,
        ),
        (
            r#"{"method":"m"}"#,
            Kind::Notification,
            Some("m"),
            None,
            None,
        ),
        (
            r#"{"id":"x","result":null}"#,
            Kind::Response,
            None,
            Some(r#""x""#),
            Some("null"),
        ),
        (
            r#"{"error":{},"id":7}"#,
            Kind::Error,
            None,
            Some("7"),
            Some("{}"),
        ),
        (
            r#"{"error":{},"id":null}"#,
            Kind::Error,
            None,
            None,
            Some("{}"),
        ),
        (r#"{"error":{}}"#, Kind::Error, None, None, Some("{}")),
    ] {
        let message = parse(line);
        assert_eq!(message.kind(), kind, "{line}");
        assert_eq!(message.method(), method, "{line}");
        assert_eq!(message.id(), id, "{line}");
        assert_eq!(message.payload(), payload, "{line}");
    }
}

#[test]
fn what_is_no_message_is_refused() {
    for (line, reason) in [
        ("", "message is not json"),
        ("hello", "message is not json"),
        (r#"{"id":1,"method":"m"} x"#, "message is not json"),
        (r#"{"id":1,"method":"m""#, "message is not json"),
        ("{\"id\":1,\"method\":\"\u{1}\"}", "message is not json"),
        (r#"{"method":"m","params":"\u12"}"#, "message is not json"),
        (r#"{"method":"m","params":"\x"}"#, "message is not json"),
        ("[1", "message is not json"),
        (
            r#"[{"id":1,"method":"m"}]"#,
            "message is a batch of messages",
        ),
        (r#" [] "#, "message is a batch of messages"),
        (r#""text""#, "message is not a json object"),
        ("{}", "message has neither method nor result nor error"),
        (
            r#"{"id":1,"params":{}}"#,
            "message has neither method nor result nor error",
        ),
        (
            r#"{"id":1,"method":7}"#,
            "message has a method that is not a string",
        ),
        (
            r#"{"id":null,"method":"m"}"#,
            "message has an id that is neither string nor number",
        ),
        (
            r#"{"id":{},"method":"m"}"#,
            "message has an id that is neither string nor number",
        ),
        (
            r#"{"id":true,"result":1}"#,
            "message has an id that is neither string nor number",
        ),
        (
            r#"{"id":null,"result":1}"#,
            "message has a result but no id",
        ),
        (r#"{"result":1}"#, "message has a result but no id"),
    ] {
        assert_eq!(refusal(line.as_bytes()), reason, "{line}");
    }
    assert_eq!(refusal(b"{\"method\":\"\xff\"}"), "message is not utf-8");
}

#[test]
fn what_parsers_read_differently_is_refused() {
    for (line, reason) in [
        (r#"{"method":"a","method":"b"}"#, "message has method twice"),
        (
            r#"{"id":1,"i\u0064":2,"method":"b"}"#,
            "message has id twice",
        ),
        (
            r#"{"x":1,"x":1,"method":"b"}"#,
            "message has a member of its own twice",
        ),
        (
            r#"{"method":"a","Method":"b"}"#,
            "message has method in another letter case",
        ),
        (
            r#"{"method":"a","param\u017f":1}"#,
            "message has params in another letter case",
        ),
        (
            r#"{"id":1,"RESULT":1,"result":1}"#,
            "message has result in another letter case",
        ),
    ] {
        assert_eq!(refusal(line.as_bytes()), reason, "{line}");
    }
    for line in [
        r#"{"id":1,"result":1,"error":{}}"#,
        r#"{"id":1,"method":"m","result":1}"#,
        r#"{"id":1,"result":1,"params":{}}"#,
        r#"{"id":1,"error":1,"params":{}}"#,
    ] {
        let reason = "message is a request and an answer, or two answers, at once";
        assert_eq!(refusal(line.as_bytes()), reason, "{line}");
    }
}

#[test]
fn a_line_break_cannot_hide_a_second_message() {
    for line_break in ["\n", "\r", "\r\n"] {
        let document = format!(
            r#"{{"method":"m","params":{line_break}{{"id":1,"method":"evil"}}{line_break}}}"#
        );
        assert_eq!(
            refusal(document.as_bytes()),
            "message has a line break in it"
        );
    }
}

#[test]
fn members_that_no_guardrail_sees_are_told() {
    assert!(parse(r#"{"method":"m","x":"secret"}"#).has_other_members());
    assert!(!parse(r#"{"jsonrpc":"2.0","id":1,"method":"m","params":{}}"#).has_other_members());
}

#[test]
fn another_id_goes_where_the_id_was() {
    for line in [
        r#"{"id":"old","result":{"id":3}}"#,
        r#"{"result":{"id":3},"id":"old"}"#,
    ] {
        let (head, tail) = parse(line).split_at_id().unwrap();
        let sent = [&*head, b"42", &*tail].concat();
        assert_eq!(sent, line.replace(r#""old""#, "42").as_bytes());
    }
    assert!(parse(r#"{"method":"m"}"#).split_at_id().is_none());
}

#[test]
fn ten_thousand_levels_do_not_exhaust_the_stack() {
    const DEPTH: usize = 10_000;
    let arrays = format!(r#"{}"x@y"{}"#, "[".repeat(DEPTH), "]".repeat(DEPTH));
    let objects = format!(r#"{}"x@y"{}"#, r#"{"a":"#.repeat(DEPTH), "}".repeat(DEPTH));
    for (payload, step, last) in [(arrays, "/0", 0), (objects, "/a", DEPTH)] {
        let message = response(&payload);
        let texts = message.texts().unwrap();
        let place = texts.place(last).unwrap();
        assert_eq!(place.pointer, step.repeat(DEPTH));
        assert_eq!(message.value(&place.pointer), Some(r#""x@y""#));
        let patched = message
            .patch(&[PatchOp::Remove {
                path: place.pointer,
            }])
            .unwrap();
        assert!(parse(patched.line()).texts().unwrap().joined().len() <= DEPTH);
    }
    assert_eq!(refusal("[".repeat(DEPTH).as_bytes()), "message is not json");
}

#[test]
fn texts_are_keys_and_values_in_their_order() {
    let message = response(r#"{"a":["b","",{"c\n" : "d"}],"e":null,"f":"\ud83d\ude00\/漢"}"#);
    let texts = message.texts().unwrap();
    assert_eq!(texts.joined(), "abc\ndef😀/漢");
    assert_eq!(texts.ends(), [1, 2, 2, 4, 5, 6, 7, 15]);
    let keys: Vec<_> = (0..8)
        .map(|index| texts.role(index) == Some(Role::Key))
        .collect();
    assert_eq!(keys, [true, false, false, true, false, true, true, false]);
    let places: Vec<_> = (0..9).filter_map(|index| texts.place(index)).collect();
    let pointers: Vec<_> = places.iter().map(|place| place.pointer.as_str()).collect();
    assert_eq!(
        pointers,
        [
            "/a", "/a/0", "/a/1", "/a/2/c\n", "/a/2/c\n", "/e", "/f", "/f"
        ]
    );
    assert_eq!(places[3].role, Role::Key);
    assert_eq!(places[4].role, Role::Value);
}

#[test]
fn a_message_without_payload_has_no_texts() {
    let message = parse(r#"{"id":1,"method":"ping"}"#);
    assert!(message.texts().unwrap().is_empty());
    assert_eq!(message.value(""), None);
    assert!(
        message
            .patch(&[PatchOp::Remove {
                path: "/a".to_owned()
            }])
            .is_err()
    );
}

#[test]
fn a_pointer_escapes_its_keys() {
    let message = response(r#"{"a/b~c":{"":"x"}}"#);
    let place = message.texts().unwrap().place(2).unwrap();
    assert_eq!(place.pointer, "/a~1b~0c/");
    assert_eq!(message.value(&place.pointer), Some(r#""x""#));
}

#[test]
fn a_span_must_lie_inside_one_text() {
    // Ends at 1, 3, 3 and 5.
    let message = response(r#"["a","é","","cd"]"#);
    let texts = message.texts().unwrap();
    let reversed = Range { start: 2, end: 1 };
    for (span, expected) in [
        (0..1, Ok(0)),
        (1..3, Ok(1)),
        (3..5, Ok(3)),
        (4..5, Ok(3)),
        (0..0, Ok(0)),
        (1..1, Ok(0)),
        (3..3, Ok(1)),
        (5..5, Ok(3)),
        (reversed, Err(SpanError::Reversed(2, 1))),
        (0..3, Err(SpanError::Straddles(0, 3))),
        (1..2, Err(SpanError::CutsCharacter(1, 2))),
        (2..2, Err(SpanError::CutsCharacter(2, 2))),
        (4..6, Err(SpanError::OutOfRange(4, 6))),
        (6..6, Err(SpanError::OutOfRange(6, 6))),
        (9..u32::MAX, Err(SpanError::OutOfRange(9, u32::MAX))),
    ] {
        assert_eq!(texts.check_span(&span), expected, "{span:?}");
    }
    let empty = response("1").texts().unwrap();
    assert_eq!(empty.check_span(&(0..0)), Err(SpanError::OutOfRange(0, 0)));
}

#[test]
fn the_gateways_own_messages_read_back() {
    for message in [
        Message::request("1", "tools/list", None),
        Message::request(r#""a""#, "tools/\"call", Some(" {\"a\":\n1} ")),
        Message::notification("notifications/initialized", None),
        Message::notification("n", Some("{}")),
        Message::result("7", r#"{"a":[]}"#),
        Message::error("7", -32001, "blocked by \"pii\"\n", Some("{}")),
        Message::error("null", -32700, "", None),
        Message::result("1", r#"1},"error":{"#),
    ] {
        let read = parse(message.line());
        assert_eq!(read.kind(), message.kind());
        assert_eq!(read.method(), message.method());
        assert_eq!(read.id(), message.id());
        assert_eq!(read.payload(), message.payload());
        assert!(!read.has_other_members());
    }
    assert_eq!(
        Message::error("7", -32001, "no", Some("[1]")).line(),
        r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32001,"message":"no","data":[1]}}"#
    );
}

#[test]
fn what_is_logged_of_a_message_is_not_its_payload() {
    let message = response(r#""secret""#);
    let logged = format!("{message:?} {:?}", message.texts().unwrap());
    assert!(!logged.contains("secret"), "{logged}");
}
