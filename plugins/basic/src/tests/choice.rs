//! What a person can choose: rules of their own, a `gitleaks.toml`, what is allowed, replacements.

use mcp_gateway_sdk::testing::{Sample, configured};

use super::{aws, basic, outcome};
use crate::Basic;
use crate::template::expand;

#[test]
fn a_rule_of_ones_own_is_used_and_takes_the_place_of_a_bundled_one() {
    let config = r#"{"rules": [
        {"id": "badge", "keywords": ["bdg-"], "regex": "bdg-[0-9]{6}", "offset": 0},
        {"id": "door", "keywords": ["door_code"], "value": "[0-9]{4}", "replacement": "<DOOR>"},
        {"id": "jwt", "regex": "never-[0-9]{9}"}
    ]}"#;
    let jwt = expand("eyJ[A-Za-z0-9]{17}.ey[A-Za-z0-9]{30}.", "d");
    let text = format!("bdg-123456 bdg-1234567, door_code: 4711, {jwt}");
    let after = outcome(&basic(config), &[&text]).texts.concat();
    assert!(
        after.starts_with("<BADGE> bdg-1234567, door_code: <DOOR>, eyJ"),
        "{after}"
    );
}

const GITLEAKS: &str = r#"
title = "ours"
[extend]
useDefault = true
disabledRules = ["jwt", "a-rule-of-gitleaks-alone"]
[allowlist]
description = "of everybody"
paths = ['''.*\.lock''']
regexes = ['''aaaa1111''']
[[rules]]
id = "badge"
description = "Badge"
regex = '''(?i)\bbadge[\s'"]{0,3}(?:=|:)[\s'"]{0,5}([a-z0-9]{8})(?:['"\s;]|$)'''
secretGroup = 1
entropy = 1
keywords = ["badge"]
tags = ["x"]
[[rules.allowlists]]
stopwords = ["example"]
[[rules]]
id = "key-file"
path = '''\.p12$'''
"#;

#[test]
fn a_gitleaks_file_is_taken_as_it_is() {
    let said: serde_json::Value = toml::from_str(GITLEAKS).unwrap();
    for gitleaks in [serde_json::json!(GITLEAKS), said] {
        let guardrail = basic(&serde_json::json!({ "gitleaks": gitleaks }).to_string());
        let after = |text: &str| outcome(&guardrail, &[text]).texts.concat();
        let text = "badge = \"x9y8z7w6\" badge: aaaa1111 badge: example1 ";
        assert_eq!(after(text), text.replace("x9y8z7w6", "<BADGE>"));
        assert_eq!(after(&aws()), "<AWS_ACCESS_KEY>", "the bundled rules stay");
    }
}

#[test]
fn a_file_that_cannot_be_taken_says_why() {
    let error = |gitleaks: &str| {
        let config = serde_json::json!({ "gitleaks": gitleaks }).to_string();
        configured::<Basic>(&config).err().unwrap()
    };
    let of = error("[[rules]]\nid = \"x\"\nregex = '(?=a)b'");
    assert!(
        of.starts_with("rule \"x\": the expression cannot be used: look-around"),
        "{of}"
    );
    let of = error("[extend]\npath = \"base.toml\"");
    assert!(of.contains("extends \"base.toml\""), "{of}");
    let of = error("[[rules]]\nid = \"x\"\nregexp = 'a'");
    assert!(of.contains("regexp"), "{of}");
}

#[test]
fn what_is_allowed_stays() {
    let secret = aws();
    let config = serde_json::json!({"allow": {"values": [secret], "patterns": ["^ghp_0"]}});
    let token = |start: &str| format!("ghp_{start}{}", expand("[A-Za-z0-9]{35}", "e"));
    let text = format!("{secret} {} {}", token("0"), token("1"));
    let after = outcome(&basic(&config.to_string()), &[&text])
        .texts
        .concat();
    assert_eq!(
        after,
        text.replace(&token("1"), "<GITHUB_PERSONAL_ACCESS_TOKEN>")
    );
}

#[test]
fn a_consistent_replacement_tells_secrets_apart_within_a_session() {
    let guardrail = basic(r#"{"consistent": true}"#);
    let other = expand("AKIA[A-Z2-7]{16}", "other");
    let judge = |session: &str| {
        let sample = Sample::response("tools/call", [aws(), other.clone(), aws()]);
        sample.session(session).judge(&guardrail).unwrap().texts
    };
    let texts = judge("one");
    let tag = texts[0]
        .strip_prefix("<AWS_ACCESS_KEY:")
        .and_then(|rest| rest.strip_suffix('>'));
    assert_eq!(tag.map(str::len), Some(4), "{texts:?}");
    assert!(texts[0] == texts[2] && texts[0] != texts[1], "{texts:?}");
    assert_ne!(judge("two")[0], texts[0]);
}

#[test]
fn a_rule_that_is_both_asked_for_and_not_is_an_error() {
    let error = |config| configured::<Basic>(config).err().unwrap();
    assert!(error(r#"{"enable": ["opaque"]}"#).contains("did you mean"));
    let both = error(r#"{"enable": ["opaque-string"], "disable": ["opaque-string"]}"#);
    assert!(both.contains("both in"), "{both}");
}
