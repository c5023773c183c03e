//! 10,000 values of all sorts go out as stand-ins and come back as they were.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;

/// Values with what breaks encodings: quotes, escapes, other scripts, emoji, what looks
/// like a stand-in itself.
fn values() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{1,40}",
        "[\\x01-\\x7f]{1,30}",
        "[a-zA-Z'\"\\\\/&%<>#?= ]{1,30}",
        "[\u{4e00}-\u{4eff}\u{3040}-\u{30ff}가-힣]{1,12}",
        "[\u{1f300}-\u{1f6ff}\u{200d}\u{fe0f}👨👩👧]{1,8}",
        "(%[0-9A-F]{2}|&[a-z]{2,4};|\\\\u00[0-9a-f]{2}|\\\\[nt\"]){1,6}",
        "<PERSON_[0-9A-Z]{6}>",
        "[a-z]{1,8}\\.[a-z]{1,8}@[a-z]{1,8}\\.com",
    ]
}

#[test]
fn ten_thousand_values_come_back_as_they_were() {
    let config = Config {
        cases: 2_500,
        failure_persistence: None,
        ..Config::default()
    };
    let operators = prop::sample::select(REVERSIBLE.to_vec());
    let several = prop::collection::vec((operators, values()), 4);
    let check = TestRunner::new(config).run(&several, |several| {
        let world = World::new();
        let shown: Vec<String> = several
            .iter()
            .map(|(operator, value)| world.shown(*operator, "crm", value))
            .collect();
        for ((_, value), shown) in several.iter().zip(&shown) {
            prop_assert!(!shown.contains(value.as_str()) || value.len() < 3);
            prop_assert_eq!(&world.sent("crm", shown), value);
        }
        // All of them in one document, whose strings have to say what they said.
        let document = serde_json::Value::from(shown).to_string();
        let sent = world.sent("crm", &document);
        let sent: Vec<String> = serde_json::from_str(&sent).unwrap();
        let values: Vec<String> = several.into_iter().map(|(_, value)| value).collect();
        prop_assert_eq!(sent, values);
        Ok(())
    });
    check.unwrap();
}

#[test]
fn any_text_is_looked_through_without_a_fault() {
    let config = Config {
        cases: 2_000,
        failure_persistence: None,
        ..Config::default()
    };
    let pieces = prop_oneof![
        "\\PC{0,12}",
        "(<|%3C|%253c|&lt;|\\\\u003c|\\{|\\[|\"|')?(PERSON|person)_[0-9A-Z]{5,9}(>|%3E|&gt;)?",
        "[0-9 +().:-]{1,24}",
        "[A-Z]{2}[0-9]{2}[A-Z0-9 ]{4,30}",
    ];
    let texts = prop::collection::vec(pieces, 0..6);
    let check = TestRunner::new(config).run(&texts, |pieces| {
        let world = World::with(Settings {
            elsewhere: Elsewhere::Keep,
            ..Settings::default()
        });
        let text = pieces.concat();
        let outcome = world.judged(Sample::request("tools/call", [&text]), "crm");
        let is_refused = matches!(outcome.decision, Decision::Block(_));
        // Nothing was issued, so nothing is put back.
        prop_assert!(is_refused || outcome.texts.concat() == text);
        Ok(())
    });
    check.unwrap();
}
