//! What stands in for values, and how it becomes them again.

use mcp_gateway_sdk::testing::{Gateway, Outcome, Sample, configured};
use mcp_gateway_sdk::{Decision, Direction};
use serde_json::json;

use crate::Pii;

pub(super) struct World {
    pii: Pii,
    gateway: Gateway,
}

impl World {
    pub(super) fn new(config: &str) -> Self {
        Self {
            pii: configured(config).unwrap(),
            gateway: Gateway::default(),
        }
    }

    pub(super) fn judged(&self, sample: Sample) -> Outcome {
        sample.within(&self.gateway).judge(&self.pii).unwrap()
    }

    fn shown(&self, text: &str) -> String {
        let sample = Sample::response("tools/call", [text]);
        self.judged(sample).texts.concat()
    }

    pub(super) fn sent(&self, text: &str) -> Outcome {
        self.judged(Sample::request("tools/call", [text]))
    }
}

fn refusal(outcome: Outcome) -> String {
    match outcome.decision {
        Decision::Block(reason) => reason,
        other => format!("not refused: {other:?}"),
    }
}

const TEXT: &str = r#"{"by": "Anna Keller", "mail": "a.k@b.de", "card": "4111 1111 1111 1111",
    "phone": "+44 20 7946 0958", "iban": "GB29 NWBK 6016 1331 9268 19", "ip": "93.184.216.34", "ssn": "536-90-4399"}"#;

#[test]
fn a_name_stands_in_for_a_value_and_is_the_same_everywhere() {
    let world = World::new("{}");
    let shown = world.shown("a@b.de or a@b.de");
    let (one, two) = shown.split_once(" or ").unwrap();
    assert!(one.starts_with("<EMAIL_") && one == two, "{shown}");
    let rows =
        json!({"content": [{"text": "mail a@b.de"}], "structuredContent": {"mail": "a@b.de"}});
    let outcome = world.judged(Sample::of("tools/call", "response", &rows));
    let places = outcome.texts.iter().filter(|text| text.ends_with(one));
    assert_eq!(places.count(), 2, "{:?}", outcome.texts);
}

#[test]
fn every_operator_hides_everything_and_changes_nothing_the_second_time() {
    for operator in [
        "redact",
        "replace",
        "mask",
        "hash",
        "encrypt",
        "pseudonym",
        "surrogate",
    ] {
        let world = World::new(&format!(r#"{{"operators": {{"DEFAULT": "{operator}"}}}}"#));
        let once = world.shown(TEXT);
        for value in [
            "Keller", "a.k@", "4111 1", "7946", "NWBK", "93.184", "536-90",
        ] {
            assert!(!once.contains(value), "{operator}: {once}");
        }
        assert_eq!(world.shown(&once), once, "{operator}");
        serde_json::from_str::<serde_json::Value>(&once).unwrap();
    }
}

#[test]
fn what_stands_in_goes_back_as_the_value_and_is_hidden_in_the_answer() {
    for operator in ["encrypt", "pseudonym", "surrogate"] {
        let world = World::new(&format!(r#"{{"operators": {{"DEFAULT": "{operator}"}}}}"#));
        let shown = world.shown(TEXT);
        let sent = world.sent(&shown);
        assert_eq!(sent.texts.concat(), TEXT, "{operator}");
        // Nothing but the request tells that this is a name.
        assert_eq!(world.shown(TEXT), shown, "{operator}");
    }
}

#[test]
fn what_nobody_issued_or_another_server_showed_is_refused() {
    let world = World::new("{}");
    let reason = refusal(world.sent("to <EMAIL_0000AA>"));
    assert!(reason.contains("stands for nothing"), "{reason}");
    let shown = world.shown("a@b.de");
    let other = Sample::request("tools/call", [&shown]).server("other");
    let reason = refusal(world.judged(other));
    assert!(
        reason.contains("does not go to server \"other\""),
        "{reason}"
    );
    let allowed = World::new(r#"{"stand_ins": {"allow": ["other"]}}"#);
    let shown = allowed.shown("a@b.de");
    let other = Sample::request("tools/call", [&shown]).server("other");
    assert_eq!(allowed.judged(other).texts, ["a@b.de"]);
}

#[test]
fn numbers_of_documents_stay_numbers() {
    let world = World::new("{}");
    let shown = world.shown(r#"{"card":4111111111111111,"ssn":536904399}"#);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let card = shown["card"].as_u64().unwrap().to_string();
    assert!(card.starts_with("400000") && card.len() == 16, "{card}");
    let ssn = shown["ssn"].as_u64().unwrap().to_string();
    assert!(ssn.starts_with("999") && ssn.len() == 9, "{ssn}");
    let sent = world.sent(&format!("card = '{card}' ssn = {ssn}"));
    assert_eq!(sent.texts, ["card = '4111111111111111' ssn = 536904399"]);
}

#[test]
fn settings_differ_by_server_tool_and_path() {
    let world = World::new(
        r#"{"operators": {"DEFAULT": "replace"}, "where": [
            {"server": "crm*", "tool": "get_*", "path": "/result/structuredContent/*/email", "operators": {"EMAIL": "keep"}},
            {"tool": "send_*", "requests": "block"}]}"#,
    );
    let rows = json!({"structuredContent": [{"email": "a@b.de", "to": "a@b.de"}]});
    let shown = |server: &str| {
        let sample = Sample::of("tools/call", "response", &rows);
        world.judged(sample.server(server).subject("get_one")).texts
    };
    assert_eq!(
        shown("crm"),
        ["structuredContent", "email", "a@b.de", "to", "<EMAIL>"]
    );
    assert_eq!(
        shown("web"),
        ["structuredContent", "email", "<EMAIL>", "to", "<EMAIL>"]
    );
    let sent = |tool: &str| {
        let sample = Sample::new("tools/call", "request", Direction::ToServer, ["a@b.de"]);
        world.judged(sample.subject(tool)).decision
    };
    assert!(matches!(sent("send_mail"), Decision::Block(_)));
    assert!(matches!(sent("get_one"), Decision::Pass));
}

#[test]
fn entities_of_ones_own_are_found_named_and_put_back() {
    let world = World::new(
        r#"{"custom": [{"entity": "STAFF_ID", "patterns": ["\\bST-[0-9]{4}\\b"], "score": 0.2, "words": ["staff"],
            "samples": ["staff ST-1234"], "misses": ["ST-1234", "staff ST-12345"]}],
            "deny": [{"entity": "STAFF_ID", "values": ["the boss"]}], "allow": {"values": ["A@B.DE"], "ignore_case": true}}"#,
    );
    let shown = world.shown("ST-1234, staff: ST-1234, The Boss, a@b.de");
    assert!(shown.starts_with("ST-1234, staff: <STAFF_ID_"), "{shown}");
    assert!(
        shown.ends_with(">, a@b.de") && !shown.contains("Boss"),
        "{shown}"
    );
    let sent = world.sent(&shown).texts.concat();
    assert_eq!(sent, "ST-1234, staff: ST-1234, The Boss, a@b.de");
    for (custom, says) in [
        (r#"{"entity": "X1", "patterns": ["("]}"#, r#"X1: "(""#),
        (r#"{"entity": "x", "patterns": []}"#, "capital letters"),
        (r#"{"entity": "EMAIL", "patterns": []}"#, "EMAIL already"),
        (
            r#"{"entity": "X1", "patterns": ["a"], "samples": ["b"]}"#,
            r#"its sample "b""#,
        ),
        (
            r#"{"entity": "X1", "patterns": ["a"], "misses": ["a"]}"#,
            r#"its miss "a""#,
        ),
    ] {
        let config = format!(r#"{{"custom": [{custom}]}}"#);
        let refusal = configured::<Pii>(&config).err().unwrap();
        assert!(refusal.contains(says), "{refusal}");
    }
}

#[test]
fn where_a_tools_schema_demands_a_format_the_stand_in_has_it() {
    let world = World::new("{}");
    let mail = json!({"type": "string", "format": "email"});
    let row = json!({"type": "object", "properties": {"mail": mail, "note": {"type": "string"}}});
    let tools = json!({"tools": [{"name": "get", "outputSchema": {"type": "object", "properties": {"rows": {"type": "array", "items": row}}}}]});
    world.judged(Sample::of("tools/list", "response", &tools));
    let result = json!({"structuredContent": {"rows": [{"mail": "a@b.de", "note": "a@b.de"}]}});
    let shown = |tool: &str| {
        let sample = Sample::of("tools/call", "response", &result);
        world.judged(sample.subject(tool)).texts
    };
    let [.., mail, _, note] = &shown("get")[..] else {
        unreachable!("it has that many texts")
    };
    assert!(mail.ends_with("@example.invalid"), "{mail}");
    assert!(note.starts_with("<EMAIL_"), "{note}");
    assert!(shown("other").iter().all(|text| !text.contains('@')));
    assert_eq!(world.sent(mail).texts, ["a@b.de"]);
}

#[test]
fn every_format_and_pattern_has_its_stand_in_which_comes_back() {
    let world = World::new(r#"{"also": ["URL", "UUID", "DOB", "DATE_TIME"]}"#);
    let values = [
        (
            json!({"format": "uri"}),
            "https://web.mycorp.de/anna?b=c",
            "uri",
        ),
        (
            json!({"format": "uuid"}),
            "123e4567-e89b-42d3-a456-426614174000",
            "id",
        ),
        (json!({"format": "date"}), "1985-10-26", "date_of_birth"),
        (
            json!({"format": "date-time"}),
            "2026-07-28T10:11:12Z",
            "seen",
        ),
        (
            json!({"pattern": "^[0-9]{3}-[0-9]{2}-[0-9]{4}$"}),
            "536-90-4399",
            "ssn",
        ),
        (json!({"pattern": "^[0-9]{9}$"}), "536904398", "ssn_digits"),
        (
            json!({"pattern": r"^4[0-9]{15}$"}),
            "4111111111111111",
            "card",
        ),
        (json!({"pattern": "^.*$"}), "a@b.de", "mail"),
    ];
    let mut properties = serde_json::Map::new();
    let mut content = serde_json::Map::new();
    for (schema, value, name) in &values {
        properties.insert((*name).to_owned(), schema.clone());
        content.insert((*name).to_owned(), json!(value));
    }
    let tool = json!({"name": "get", "outputSchema": {"type": "object", "properties": properties}});
    world.judged(Sample::of(
        "tools/list",
        "response",
        &json!({"tools": [tool]}),
    ));
    let result = json!({"structuredContent": content});
    let sample = Sample::of("tools/call", "response", &result).subject("get");
    let texts = world.judged(sample).texts;
    let shown = |name: &str| {
        let at = texts.iter().position(|text| text == name).unwrap();
        texts[at + 1].clone()
    };
    for (name, start, length) in [
        ("uri", "https://u", 34),
        ("id", "00000000-0000-8000-8", 36),
        ("date_of_birth", "16", 10),
        ("seen", "16", 20),
        ("ssn", "999-", 11),
        ("ssn_digits", "999", 9),
        ("card", "400000", 16),
        ("mail", "<EMAIL_", 14),
    ] {
        let shown = shown(name);
        assert!(
            shown.starts_with(start) && shown.len() == length,
            "{name}: {shown}"
        );
    }
    for (_, value, name) in &values {
        let text = format!("it is {}", shown(name));
        assert_eq!(world.sent(&text).texts, [format!("it is {value}")]);
    }
}

#[test]
fn what_is_found_beside_a_value_that_goes_back_is_masked_all_the_same() {
    let world = World::new(r#"{"requests": "mask"}"#);
    let ann = world.shown("ann@example.org");
    for before in [
        r#"{"b": "ANN bob@example.org"}"#,
        r#"["caf\u00e9 \ud83d\ude00 \"ANN\" bob@example.org\n"]"#,
        r#"{"c": "{\"d\": \"ANN, bob@example.org\"}"}"#,
    ] {
        let sent = world.sent(&before.replace("ANN", &ann)).texts.concat();
        let (start, end) = before.split_once("bob@example.org").unwrap();
        let start = start.replace("ANN", "ann@example.org");
        let hidden = sent
            .strip_prefix(&start)
            .and_then(|it| it.strip_suffix(end));
        let hidden = hidden.unwrap_or(&sent);
        assert!(hidden.starts_with("<EMAIL_"), "{sent}");
    }
}

#[test]
fn what_is_written_in_digits_is_hidden_in_them_and_comes_back() {
    let world = World::new("{}");
    // "write to anna@example.org today", in base64 and in hexadecimal digits.
    for written in [
        "d3JpdGUgdG8gYW5uYUBleGFtcGxlLm9yZyB0b2RheQ==",
        "777269746520746f20616e6e61406578616d706c652e6f726720746f646179",
    ] {
        let shown = world.shown(&format!("{{\"content\": \"{written}\"}}"));
        assert!(!shown.contains(written), "{shown}");
        let encoded: Vec<_> = mcp_gateway_scan::encoded::encoded(&shown).collect();
        let [encoded] = &encoded[..] else {
            panic!("{shown}")
        };
        let said = &encoded.text;
        assert!(
            said.starts_with("write to <EMAIL_") && said.ends_with("> today"),
            "{said}"
        );
        let outcome = world.sent(&shown);
        assert!(
            outcome.texts.concat().contains(written),
            "{:?}",
            outcome.texts
        );
        assert_eq!(world.shown(&shown), shown, "the second time");
    }
    let forged = "d3JpdGUgdG8gPEVNQUlMXzdLM1FYTT4gdG9kYXk=";
    assert!(refusal(world.sent(forged)).contains("EMAIL_7K3QXM"));
}

/// In base64 with the alphabet of most.
fn base64(text: &str) -> String {
    // "some text of no account" is one, and is written as everything else.
    let one = "c29tZSB0ZXh0IG9mIG5vIGFjY291bnQ=";
    let encoded = mcp_gateway_scan::encoded::encoded(one).next().unwrap();
    encoded.encode(text)
}

#[test]
fn nobody_beside_a_value_that_goes_back_leaves_in_digits() {
    let world = World::new(r#"{"requests": "mask"}"#);
    let ann = world.shown("ann@example.org");
    let outcome = world.sent(&base64(&format!("{ann}, bob@example.org")));
    assert!(refusal(outcome).contains("send them apart"));
    let outcome = world.sent(&base64(&format!("to {ann}, and nobody else")));
    assert_eq!(
        outcome.texts.concat(),
        base64("to ann@example.org, and nobody else")
    );
}

#[test]
fn what_came_back_in_digits_is_hidden_in_the_answer() {
    let world = World::new("{}");
    let shown = world.judged(Sample::of(
        "tools/call",
        "response",
        &json!({"structuredContent": {"passport": "912803456"}}),
    ));
    let token = shown.texts.iter().find(|it| it.starts_with('<')).unwrap();
    let written = base64(&format!("number {token} of somebody"));
    let sent = world.sent(&written).texts.concat();
    assert_eq!(sent, base64("number 912803456 of somebody"));
    assert_eq!(world.shown(&sent), written, "the server repeats it");
}

#[test]
fn lines_of_base64_stay_ones_that_go_on() {
    let world = World::new("{}");
    let line = "d3JpdGUgdG8gYW5uYUBleGFtcGxlLm9yZyB0b2RheSAg";
    let shown = world.shown(&format!("{line}\n{line}\n"));
    let (first, last) = shown.trim_end().split_once('\n').unwrap();
    assert!(!first.contains('=') && last != line, "{shown}");
}

#[test]
fn what_is_in_digits_and_not_personal_stays() {
    let world = World::new("{}");
    for text in [
        "bm90aGluZyBvZiBhbnlib2R5IGlzIGluIHRoaXM=",
        "8f14e45fceea167a5a36dedd4bea25438f14e45f",
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ",
    ] {
        assert_eq!(world.shown(text), text);
    }
}
