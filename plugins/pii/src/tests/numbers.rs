//! Numbers that are no part of a text: of structured results and of arguments.

use mcp_gateway_sdk::Decision;
use mcp_gateway_sdk::testing::{Outcome, Sample};
use serde_json::{Value, json};

use super::stand_ins::World;
use super::{masked, outcome, pii};

/// The texts of a result with this structured content, once it is masked.
fn shown(world: &World, tool: &str, content: &Value) -> Outcome {
    let result = json!({"structuredContent": content});
    let sample = Sample::of("tools/call", "response", &result);
    world.judged(sample.subject(tool))
}

/// Tells the tool `put` of `card` and `ssn`, both numbers, and of a list of such.
fn told(world: &World) {
    let row = json!({"type": "object", "properties": {"card": {"$ref": "#/$defs/number"}, "ssn": {"type": ["integer", "null"]},
        "free": {"anyOf": [{"type": "number"}, {"type": "string"}]}}});
    let defs = json!({"number": {"anyOf": [{"type": "integer"}, {"type": "null"}]}});
    let schema = json!({"type": "object", "$defs": defs, "properties": {"rows": {"type": "array", "items": row}}});
    let tool = json!({"name": "put", "inputSchema": schema, "outputSchema": schema});
    world.judged(Sample::of(
        "tools/list",
        "response",
        &json!({"tools": [tool]}),
    ));
}

#[test]
fn a_number_that_is_personal_is_masked_and_any_other_stays() {
    let guardrail = pii("{}");
    let shown = |content: &Value| {
        let sample = Sample::of("tools/call", "response", content);
        sample.judge(&guardrail).unwrap().texts
    };
    assert_eq!(
        shown(
            &json!({"card": 4111111111111111_u64, "mobile": 4155552671_u64, "n": [5555555555554444_u64], "ssn": 536904399})
        ),
        [
            "card",
            "<CREDIT_CARD>",
            "mobile",
            "<PHONE>",
            "n",
            "<CREDIT_CARD>",
            "ssn",
            "<US_SSN>"
        ]
    );
    let clean = json!({"id": 4111111111111111_u64, "user_id": 4155552671_u64, "created_at": 1753698896123_u64, "updated": 1753698896,
        "timestamp": 1753698896123456789_u64, "price": 12345678.5, "size": 583231000, "total": 9128034560_u64, "count": 4000000000_u64,
        "lat": 52.52000659999, "offset": 4155552671_u64, "ids": [4155552671_u64, 536904399], "version": 20260728, "rows": [[1234567890, 98765432]],
        "run_number": 4155552671_u64, "stars": 2147483647, "zip": 1234567, "revenue": -4155552671_i64, "ns": 1753698896123456789_u64});
    let outcome = Sample::of("tools/call", "response", &clean)
        .judge(&guardrail)
        .unwrap();
    assert_eq!(outcome.rules, [""; 0], "{:?}", outcome.texts);
}

#[test]
fn a_whole_number_is_read_however_it_is_written() {
    for (text, expected) in [
        ("4111111111111111.0", "<CREDIT_CARD>"),
        ("4.111111111111111E15", "<CREDIT_CARD>"),
        ("4.111111111111111e+15", "<CREDIT_CARD>"),
        ("4111111111111111.5", "4111111111111111.5"),
        ("4.1111111111111112E15", "4.1111111111111112E15"),
        ("4.111111111111111E14", "4.111111111111111E14"),
        ("1.2345678E9", "1.2345678E9"),
        ("1.5E9999999999", "1.5E9999999999"),
    ] {
        assert_eq!(masked(text), expected, "{text}");
    }
}

#[test]
fn a_number_stays_one_where_a_schema_says_so_and_comes_back() {
    let world = World::new("{}");
    told(&world);
    let row = json!({"card": 4111111111111111_u64, "free": 4111111111111111_u64, "ssn": 536904399});
    let content = json!({"card": 4111111111111111_u64, "rows": [row]});
    let texts = shown(&world, "put", &content).texts;
    let [_, _, token, _, _, card, _, free, _, ssn] = &texts[..] else {
        panic!("{texts:?}");
    };
    assert!(
        token.starts_with("<CREDIT_CARD_") && token == free,
        "{texts:?}"
    );
    assert!(card.starts_with("400000") && card.len() == 16, "{texts:?}");
    assert!(ssn.starts_with("999") && ssn.len() == 9, "{texts:?}");
    // What is shown is masked no further, and another value does not get its number.
    let number = |text: &str| text.parse::<u64>().unwrap();
    let again = json!({"rows": [{"card": number(card), "ssn": number(ssn)}, {"ssn": 536904398}]});
    let texts = shown(&world, "put", &again).texts;
    assert!(texts.contains(card) && texts.contains(ssn), "{texts:?}");
    let [.., other] = &texts[..] else {
        panic!("{texts:?}");
    };
    assert!(other != ssn && other.starts_with("999"), "{texts:?}");
    for text in [
        format!("ssn = {ssn}"),
        format!(r#"{{"a": [{ssn}, {card}]}}"#),
    ] {
        let back = text
            .replace(ssn, "536904399")
            .replace(card, "4111111111111111");
        assert_eq!(world.sent(&text).texts, [back]);
    }
    let call = json!({"arguments": {"rows": [{"card": number(card), "ssn": number(ssn)}]}});
    let sent = world.judged(Sample::of("tools/call", "request", &call).subject("put"));
    assert!(matches!(sent.decision, Decision::Redact));
    let expected = [
        "arguments",
        "rows",
        "card",
        "4111111111111111",
        "ssn",
        "536904399",
    ];
    assert_eq!(sent.texts, expected);
}

#[test]
fn a_name_becomes_the_number_again_where_a_schema_wants_one() {
    let world = World::new("{}");
    told(&world);
    let texts = shown(
        &world,
        "get",
        &json!({"card": 4111111111111111_u64, "mail": "a@b.de"}),
    )
    .texts;
    let [.., card, _, mail] = &texts[..] else {
        panic!("{texts:?}");
    };
    let call = json!({"arguments": {"rows": [{"card": card, "free": card, "ssn": mail}]}});
    let request = Sample::of("tools/call", "request", &call).subject("put");
    let sent = world.judged(request);
    let Decision::Patch(patch) = &sent.decision else {
        panic!("{:?}", sent.decision);
    };
    let [mcp_gateway_sdk::PatchOp::Replace(put)] = &patch[..] else {
        panic!("{patch:?}");
    };
    assert_eq!(
        (put.path.as_str(), put.value.as_str()),
        ("/arguments/rows/0/card", "4111111111111111")
    );
    let (number, mail) = ("4111111111111111", "a@b.de");
    assert_eq!(
        sent.texts,
        [
            "arguments",
            "rows",
            "card",
            number,
            "free",
            number,
            "ssn",
            mail
        ]
    );
    // Where the answer has to have a number, one of nines hides what was put back.
    let answer = json!({"structuredContent": {"rows": [{"card": 4111111111111111_u64, "free": 4111111111111111_u64}]}});
    let answer = world.judged(Sample::of("tools/call", "response", &answer).subject("put"));
    assert_eq!(answer.texts[3], "9".repeat(16));
    assert_eq!(&answer.texts[5], card);
}

#[test]
fn every_operator_leaves_a_number_where_a_schema_says_so() {
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
        told(&world);
        let content = json!({"rows": [{"card": 4111111111111111_u64, "ssn": 536904399}]});
        let texts = shown(&world, "put", &content).texts;
        for (index, count) in [(3, 16), (5, 9)] {
            let number = &texts[index];
            assert!(
                number.parse::<u64>().is_ok() && number.len() == count,
                "{operator}: {texts:?}"
            );
            assert!(
                !["4111111111111111", "536904399"].contains(&number.as_str()),
                "{operator}"
            );
        }
    }
}

#[test]
fn what_is_looked_for_differs_by_place() {
    let guardrail = pii(r#"{"where": [
            {"path": "/result/structuredContent/log", "entities": ["EMAIL"]},
            {"path": "/result/structuredContent/doc", "also": ["URL"]},
            {"path": "/result/structuredContent/strict", "threshold": 0.2, "thresholds": {"PERSON": 1}}]}"#);
    let text = "by Anna Keller: https://a.example/b a@b.de 93.184.216.34 (415) 5552671";
    let result =
        json!({"structuredContent": {"doc": text, "log": text, "other": text, "strict": text}});
    let texts = Sample::of("tools/call", "response", &result)
        .judge(&guardrail)
        .unwrap()
        .texts;
    assert_eq!(
        [&texts[2], &texts[4], &texts[6], &texts[8]],
        [
            "by <PERSON>: <URL> <EMAIL> <IP> (415) 5552671",
            "by Anna Keller: https://a.example/b <EMAIL> 93.184.216.34 (415) 5552671",
            "by <PERSON>: https://a.example/b <EMAIL> <IP> (415) 5552671",
            "by Anna Keller: https://a.example/b <EMAIL> <IP> <PHONE>",
        ]
    );
    for (place, says) in [
        (
            r#"{"server": "a", "entities": ["EMIAL"]}"#,
            r#"where 1: entities: there is no entity "EMIAL""#,
        ),
        (
            r#"{"server": "a", "entities": ["EMAIL"], "thresholds": {"PHONE": 1}}"#,
            "where 1: thresholds: PHONE is not looked for",
        ),
        (
            r#"{"server": "a", "threshold": 7}"#,
            "where 1: threshold: 7 is not from 0 to 1",
        ),
    ] {
        let refusal = super::refusal(&format!(r#"{{"where": [{place}]}}"#));
        assert!(refusal.contains(says), "{refusal}");
    }
    assert_eq!(outcome(&guardrail, "a@b.de").texts, ["<EMAIL>"]);
}
