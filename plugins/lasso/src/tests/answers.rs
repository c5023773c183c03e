//! What Lasso's answers lead to.

use mcp_gateway_sdk::Decision;

use super::*;

fn finding(action: &str) -> Value {
    json!({"name": "Jailbreak", "category": "SAFETY", "action": action, "severity": "HIGH", "score": 0.95})
}

fn violated(findings: Value) -> Value {
    json!({"violations_detected": true, "deputies": {"jailbreak": true}, "findings": findings})
}

fn mask(index: usize, start: usize, end: usize) -> Value {
    json!({
        "message_index": index, "name": "Email Address", "action": "AUTO_MASKING",
        "severity": "HIGH", "start": start, "end": end, "mask": "<EMAIL>",
    })
}

fn masking(findings: &[Value], messages: Option<Value>) -> Value {
    json!({
        "violations_detected": true,
        "deputies": {"pattern-detection": true},
        "findings": {"pattern-detection": findings},
        "messages": messages,
    })
}

fn results(texts: &[&str]) -> Option<Value> {
    let messages = texts.iter().map(|text| {
        json!({"role": "developer", "content": {"type": "tool_result", "tool_use_id": "0", "content": text}})
    });
    Some(messages.collect())
}

/// The texts that are left of a result.
fn left(texts: &[&str], answer: &Value) -> Result<Vec<String>, String> {
    let sample = result(texts);
    let verdict = judged(&lasso(json!({})), &sample, answer)?;
    assert!(matches!(verdict.decision(), Decision::Redact));
    Ok(redacted(&sample, &verdict))
}

/// The values of `text` members once a verdict is carried out.
fn redacted(sample: &Sample, verdict: &Verdict) -> Vec<String> {
    struct Fixed(Verdict);
    impl Guardrail for Fixed {
        type Config = mcp_gateway_sdk::NoConfig;
        fn configure(_: Self::Config) -> Result<Self, String> {
            Err(String::new())
        }
        fn manifest(&self) -> Manifest {
            manifest!()
        }
        fn check(&self, _: &Message<'_>) -> Result<Verdict, String> {
            Ok(self.0.clone())
        }
    }
    let after = sample.judge(&Fixed(verdict.clone())).unwrap().texts;
    let message = sample.message();
    let values = message.texts().filter(|text| {
        let place = message.place(text.index()).unwrap();
        place.role == mcp_gateway_sdk::Role::Value && !place.pointer.ends_with("/type")
    });
    values.map(|text| after[text.index()].clone()).collect()
}

fn decision(answer: &Value) -> Decision {
    let verdict = judged(&lasso(json!({})), &result(&["hello"]), answer);
    verdict.unwrap().decision().clone()
}

fn blocks(answer: &Value) -> bool {
    matches!(decision(answer), Decision::Block(_))
}

#[test]
fn what_a_policy_blocks_is_blocked_and_named() {
    let answer = violated(json!({"jailbreak": [finding("BLOCK")]}));
    let verdict = judged(&lasso(json!({})), &result(&["hello"]), &answer).unwrap();
    let Decision::Block(reason) = verdict.decision() else {
        panic!("{:?}", verdict.decision());
    };
    assert_eq!(reason, "it violates a policy of Lasso Security (jailbreak)");
    let finding = &verdict.findings()[0];
    assert_eq!(finding.rule, "jailbreak");
    assert_eq!(finding.note.as_deref(), Some("block high"));
    assert!((finding.confidence - 0.95).abs() < 1e-6);
}

#[test]
fn what_a_policy_only_reports_passes_with_a_finding() {
    for action in ["WARN", "USER_ALERT", "ADMIN_ALERT", "SOMETHING_NEW"] {
        let answer = violated(json!({"jailbreak": [finding(action)]}));
        let verdict = judged(&lasso(json!({})), &result(&["hello"]), &answer).unwrap();
        assert!(matches!(verdict.decision(), Decision::Pass), "{action}");
        assert_eq!(verdict.findings().len(), 1, "{action}");
    }
    let off = violated(json!({"jailbreak": [finding("OFF")]}));
    let verdict = judged(&lasso(json!({})), &result(&["hello"]), &off).unwrap();
    assert!(verdict.findings().is_empty());
}

#[test]
fn to_block_comes_before_to_mask() {
    let mut answer = masking(&[mask(0, 0, 5)], results(&["<EMAIL>"]));
    answer["findings"]["jailbreak"] = json!([finding("BLOCK")]);
    assert!(blocks(&answer));
}

#[test]
fn a_violation_of_which_nothing_says_what_to_do_blocks() {
    assert!(blocks(&json!({"violations_detected": true})));
    assert!(blocks(&violated(json!({}))));
    assert!(blocks(&violated(json!(null))));
    assert!(blocks(&violated(json!({"jailbreak": []}))));
    assert!(blocks(&violated(json!({"hate": [finding("WARN")]}))));
    assert!(blocks(&violated(json!({"jailbreak": [{"name": "x"}]}))));
}

#[test]
fn what_does_not_violate_anything_passes() {
    let answer = json!({"violations_detected": false, "deputies": {"new": false}, "findings": {}});
    assert!(matches!(decision(&answer), Decision::Pass));
}

#[test]
fn what_is_no_answer_is_an_error() {
    for answer in [json!({}), json!([]), json!({"violations_detected": "yes"})] {
        assert!(
            judged(&lasso(json!({})), &result(&["hello"]), &answer).is_err(),
            "{answer}"
        );
    }
}

#[test]
fn masked_messages_count_whatever_their_places_count() {
    let text = "päivää 🙂 ann@example.org";
    let masked = "päivää 🙂 <EMAIL>";
    let bytes = text.find("ann").unwrap();
    let characters = text[..bytes].chars().count();
    let utf16 = text[..bytes].encode_utf16().count();
    for start in [bytes, characters, utf16, 0, 999] {
        let answer = masking(&[mask(1, start, start + 15)], results(&["one", masked]));
        assert_eq!(
            left(&["one", text], &answer).unwrap(),
            ["one", masked],
            "{start}"
        );
    }
}

#[test]
fn without_masked_messages_every_meaning_of_a_place_is_masked() {
    let text = "é ann@example.org";
    let bytes = masking(&[mask(0, 3, 18)], None);
    assert!(!left(&[text], &bytes).unwrap()[0].contains("ann@example.org"));
    let characters = masking(&[mask(0, 2, 17)], None);
    let left_of_characters = &left(&[text], &characters).unwrap()[0];
    assert!(
        !left_of_characters.contains("example.org"),
        "{left_of_characters}"
    );
    let plain = masking(&[mask(0, 0, 15)], None);
    assert_eq!(left(&["ann@example.org!"], &plain).unwrap(), ["<EMAIL>!"]);
}

#[test]
fn a_place_that_means_nothing_is_an_error() {
    let lasso = lasso(json!({}));
    for finding in [mask(0, 3, 99), mask(0, 4, 4), mask(7, 0, 2)] {
        let answer = masking(&[finding], None);
        assert!(
            judged(&lasso, &result(&["hello"]), &answer).is_err(),
            "{answer}"
        );
    }
    // Nothing in what came back is masked, and the place is none.
    let answer = masking(&[mask(0, 3, 99)], results(&["hello"]));
    assert!(judged(&lasso, &result(&["hello"]), &answer).is_err());
}

#[test]
fn messages_that_do_not_fit_what_was_sent_do_not_count() {
    let answer = masking(&[mask(1, 0, 3)], results(&["only one"]));
    assert_eq!(left(&["one", "two"], &answer).unwrap(), ["one", "<EMAIL>"]);
}

#[test]
fn several_masks_in_one_text_are_several_findings() {
    let text = "ann@example.org and bob@example.org";
    let findings = [mask(0, 20, 35), mask(0, 0, 15)];
    let answer = masking(&findings, results(&["<EMAIL> and <EMAIL>"]));
    let verdict = judged(&lasso(json!({})), &result(&[text]), &answer).unwrap();
    assert_eq!(verdict.findings().len(), 2);
    assert_eq!(
        verdict.findings()[0].rule,
        "pattern-detection.email-address"
    );
}

#[test]
fn what_is_masked_in_texts_that_were_sent_together_finds_its_way_back() {
    let payload = json!({"structuredContent": {"a": "one", "b": "ann@example.org", "c": "three"}});
    let sample = Sample::of("tools/call", "response", &payload);
    let answer = masking(&[mask(0, 4, 19)], results(&["one\n<EMAIL>\nthree"]));
    let verdict = judged(&lasso(json!({})), &sample, &answer).unwrap();
    assert_eq!(redacted(&sample, &verdict), ["one", "<EMAIL>", "three"]);
    // Without places each line is looked at, and where lines are gone all that differs.
    let answer = masking(&[], results(&["one\n<EMAIL>\nthree"]));
    assert!(blocks_or_passes(&answer, &sample));
    let unplaced = json!({"name": "Email Address", "action": "AUTO_MASKING"});
    let answer = masking(
        std::slice::from_ref(&unplaced),
        results(&["one\n<EMAIL>\nthree"]),
    );
    let verdict = judged(&lasso(json!({})), &sample, &answer).unwrap();
    assert_eq!(redacted(&sample, &verdict), ["one", "<EMAIL>", "three"]);
    let answer = masking(&[unplaced], results(&["one <ALL>"]));
    let verdict = judged(&lasso(json!({})), &sample, &answer).unwrap();
    let left = redacted(&sample, &verdict);
    assert!(!left.concat().contains("ann"), "{left:?}");
}

/// A deputy whose findings say nothing blocks.
fn blocks_or_passes(answer: &Value, sample: &Sample) -> bool {
    let verdict = judged(&lasso(json!({})), sample, answer).unwrap();
    matches!(verdict.decision(), Decision::Block(_))
}

fn used(input: Value) -> Option<Value> {
    Some(json!([{"role": "model", "content": {
        "type": "tool_use", "id": "0", "name": "mail.send", "input": input,
    }}]))
}

#[test]
fn what_is_masked_in_arguments_is_masked_there() {
    let call = call(json!({"b": "to ann@example.org", "a": ["x", "ann"], "n": 1}));
    let masked = json!({"a": ["x", "<NAME>"], "n": 1.0, "b": "to <EMAIL>"});
    let answer = masking(&[mask(0, 3, 18)], used(masked));
    let verdict = judged(&lasso(json!({})), &call, &answer).unwrap();
    assert!(matches!(verdict.decision(), Decision::Redact));
    let texts = redacted(&call, &verdict);
    let mut masked: Vec<&String> = texts.iter().filter(|text| text.contains('<')).collect();
    masked.sort();
    assert_eq!(masked, ["<NAME>", "to <EMAIL>"]);
}

#[test]
fn a_masked_number_is_replaced_by_what_stands_in_for_it() {
    let call = call(json!({"phone": 4915112345678_u64, "name": "Ann"}));
    let masked = json!({"phone": "<PHONE>", "name": "<NAME>"});
    let answer = masking(&[mask(0, 0, 1)], used(masked));
    let verdict = judged(&lasso(json!({})), &call, &answer).unwrap();
    assert!(matches!(verdict.decision(), Decision::Redact));
    let texts = redacted(&call, &verdict);
    let mut masked: Vec<&String> = texts.iter().filter(|text| text.contains('<')).collect();
    masked.sort();
    assert_eq!(masked, ["<NAME>", "<PHONE>"]);
}

#[test]
fn a_short_number_is_no_text_and_is_masked_all_the_same() {
    let call = call(json!({"name": "Ann", "pin": 4915}));
    let masked = json!({"name": "<NAME>", "pin": "<PIN>"});
    let answer = masking(&[mask(0, 0, 1)], used(masked));
    let verdict = judged(&lasso(json!({})), &call, &answer).unwrap();
    let Decision::Patch(operations) = verdict.decision() else {
        panic!("{:?}", verdict.decision());
    };
    assert_eq!(operations.len(), 2);
}

#[test]
fn what_is_masked_in_arguments_and_not_handed_back_is_an_error() {
    let call = call(json!({"b": "ann@example.org"}));
    let answer = masking(&[mask(0, 0, 15)], None);
    assert!(judged(&lasso(json!({})), &call, &answer).is_err());
    let unchanged = masking(&[mask(0, 0, 15)], used(json!({"b": "ann@example.org"})));
    assert!(judged(&lasso(json!({})), &call, &unchanged).is_err());
}

#[test]
fn without_masking_what_would_be_masked_is_reported() {
    let answer = masking(&[mask(0, 0, 5)], None);
    let verdict = judged(
        &lasso(json!({"masking": false})),
        &result(&["hello"]),
        &answer,
    )
    .unwrap();
    assert!(matches!(verdict.decision(), Decision::Pass));
    assert_eq!(
        verdict.findings()[0].rule,
        "pattern-detection.email-address"
    );
}
