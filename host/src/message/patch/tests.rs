//! What a patch changes, and what it leaves.

use super::*;

fn add(path: &str, value: &str) -> PatchOp {
    PatchOp::Add {
        path: path.to_owned(),
        value: value.to_owned(),
    }
}

fn replace(path: &str, value: &str) -> PatchOp {
    PatchOp::Replace {
        path: path.to_owned(),
        value: value.to_owned(),
    }
}

fn remove(path: &str) -> PatchOp {
    PatchOp::Remove {
        path: path.to_owned(),
    }
}

#[track_caller]
fn check(payload: &str, op: PatchOp, expected: &str) {
    let patched = Message::result("1", payload).patch(&[op]).unwrap();
    assert_eq!(patched.payload(), Some(expected));
}

#[track_caller]
fn check_error(payload: &str, op: PatchOp, expected: &str) {
    let error = Message::result("1", payload).patch(&[op]).unwrap_err();
    assert_eq!(error.error.to_string(), expected);
}

#[test]
fn a_removed_value_takes_one_comma_along() {
    let object = r#"{ "a" : 1e400 ,  "b":[1 , 2,3 ], "c" : "\/" }"#;
    check(object, remove("/a"), r#"{ "b":[1 , 2,3 ], "c" : "\/" }"#);
    check(object, remove("/b"), r#"{ "a" : 1e400, "c" : "\/" }"#);
    check(object, remove("/c"), r#"{ "a" : 1e400 ,  "b":[1 , 2,3 ] }"#);
    check(
        object,
        remove("/b/0"),
        r#"{ "a" : 1e400 ,  "b":[2,3 ], "c" : "\/" }"#,
    );
    check(
        object,
        remove("/b/2"),
        r#"{ "a" : 1e400 ,  "b":[1 , 2 ], "c" : "\/" }"#,
    );
    check("[ [ 1 ] ]", remove("/0/0"), "[ [  ] ]");
    check(r#"{"a":1}"#, remove("/a"), "{}");
}

#[test]
fn a_value_is_added_where_the_path_says() {
    check("[ ]", add("/0", "1"), "[1 ]");
    check("[ ]", add("/-", "1"), "[1 ]");
    check("[ 2 , 3 ]", add("/0", "1"), "[ 1,2 , 3 ]");
    check("[ 2 , 3 ]", add("/1", "1"), "[ 2 , 1,3 ]");
    check("[ 2 , 3 ]", add("/2", "1"), "[ 2 , 3,1 ]");
    check("[ 2 , 3 ]", add("/-", " {\n} "), "[ 2 , 3,{ } ]");
    check("{ }", add("/a~1\"", "1"), r#"{"a/\"":1 }"#);
    check(r#"{ "-" : 0 }"#, add("/-", "1"), r#"{ "-" : 1 }"#);
    check(r#"{ "\u0061" : 0 }"#, add("/a", "1"), r#"{ "\u0061" : 1 }"#);
    check(r#"{ "a" : 0 }"#, add("/b", "1"), r#"{ "a" : 0,"b":1 }"#);
    check("[1]", add("", "2"), "2");
}

#[test]
fn a_value_is_replaced_in_its_place() {
    check(
        r#"{"a":[ 0 ,1]}"#,
        replace("/a/0", "\"x\""),
        r#"{"a":[ "x" ,1]}"#,
    );
    check(r#"{"a": 1 }"#, replace("/a", "2"), r#"{"a": 2 }"#);
    check("[1]", replace("", "{}"), "{}");
}

#[test]
fn a_patch_that_does_not_fit_is_refused() {
    let missing = "nothing stands at the path";
    for op in [
        remove("/b"),
        remove("/a/3"),
        replace("/a/-", "1"),
        add("/a/4", "1"),
    ] {
        check_error(r#"{"a":[1,2,3]}"#, op, missing);
    }
    for op in [
        add("/a/01", "1"),
        add("/a/x", "1"),
        add("/a/0/x", "1"),
        add("/b/c", "1"),
    ] {
        check_error(r#"{"a":[1,2,3]}"#, op, missing);
    }
    check_error("{}", remove(""), "the whole payload cannot be removed");
    check_error("{}", add("a", "1"), "path is not a json pointer");
    check_error("{}", add("/~2", "1"), "path is not a json pointer");
    check_error("{}", add("/a", "1,\"b\":2"), "the new value is not json");
    let twice = "a key on the path is ambiguous";
    for op in [remove("/a"), replace("/\u{61}/b", "1"), add("/a", "1")] {
        check_error(r#"{"a":{"b":0},"x":1,"\u0061":{"b":0}}"#, op, twice);
    }
}

#[test]
fn operations_apply_in_their_order_or_not_at_all() {
    let message = Message::result("1", r#"{"tools":["a","b","c"]}"#);
    let patched = message.patch(&[remove("/tools/0"), remove("/tools/0"), add("/n", "1")]);
    assert_eq!(patched.unwrap().payload(), Some(r#"{"tools":["c"],"n":1}"#));
    let error = message
        .patch(&[remove("/tools/0"), remove("/tools/2")])
        .unwrap_err();
    assert_eq!(error.index, 1);
}

#[test]
fn a_nested_member_gets_another_value() {
    let params = r#"{ "name" : "fs_read", "_meta":{"progressToken":"p","x":1}}"#;
    let message = Message::request("1", "tools/call", Some(params));
    let renamed = message.with_payload_member(&["name"], "\"read\"").unwrap();
    assert_eq!(
        renamed.payload().unwrap(),
        params.replace("fs_read", "read")
    );
    let token = renamed
        .with_payload_member(&["_meta", "progressToken"], "7")
        .unwrap();
    assert_eq!(token.value("/_meta"), Some(r#"{"progressToken":7,"x":1}"#));
    assert_eq!(token.id(), Some("1"));
    assert!(matches!(
        token.with_payload_member(&["uri"], "1"),
        Err(PathError::Missing)
    ));
    assert!(matches!(
        token.with_payload_member(&["name"], "}"),
        Err(PathError::NotJson(_))
    ));
}

#[test]
fn a_member_that_parsers_read_differently_is_not_replaced() {
    for params in [
        r#"{"name":"a","n\u0061me":"b"}"#,
        r#"{"name":"a","Name":"b"}"#,
        r#"{"Name":"b"}"#,
    ] {
        let message = Message::request("1", "tools/call", Some(params));
        let error = message.with_payload_member(&["name"], "1").unwrap_err();
        assert!(matches!(error, PathError::Ambiguous), "{params}");
    }
}
