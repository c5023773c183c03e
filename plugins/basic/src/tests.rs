//! Every rule, in the places where secrets stand.

mod choice;
mod crossing;
mod documents;
mod places;
mod properties;
mod providers;
mod score;
mod speed;

use std::time::{Duration, Instant};

use crate::config::{Policy, Settled};
use crate::crossing::Crossing;
use crate::rule::Rule;
use crate::scanner::Scanner;
use crate::table::{Check, Row, bundled};
use crate::template::expand;
use crate::{Basic, sample};
use mcp_gateway_sdk::testing::{Outcome, Sample, configured, examples_hold};
use mcp_gateway_sdk::{ByPlace, Decision, Direction, Place, Requests, Where};

/// What may surround a secret; `§` is its place.
const CONTEXTS: &[&str] = &[
    "§",
    "'§'",
    "\"§\"",
    "`§`",
    r#"{"token": "§", "n": 1}"#,
    r#"{"text": "{\"token\":\"§\"}"}"#,
    r"line one\n§\nline three",
    "the token is §.",
    "is it §? Or §!",
    "<token>§</token>",
    "https://host.example/path?a=1&tok=§&b=2",
    "https://host.example/?tok%3D§",
    "a,§,b",
    "| name | § |",
    "[§](§);{§}",
    "first\n§\nlast",
    "§ at the start",
    "at the end §",
    "TOKEN=§",
    "token:§",
    "\u{1b}[31m§\u{1b}[0m",
    "geheim„§“ 秘§密",
];

/// The texts of templates are drawn by lot; so many of each.
const DRAWS: usize = 4;

fn basic(config: &str) -> Basic {
    configured(config).unwrap()
}

thread_local! {
    static BASIC: Basic = basic("{}");
}

/// A guardrail with this one rule.
fn only(row: &Row) -> Basic {
    let rule = Rule::new(row).unwrap();
    let scanner = Scanner::new(vec![rule], vec![row.keywords.clone()], Vec::new()).unwrap();
    let policy = Policy {
        requests: Requests::Warn,
        crossing: Crossing::Allow,
        off: Vec::new(),
        allowed: Vec::new(),
    };
    let nowhere: Vec<Where<()>> = Vec::new();
    Basic(Settled {
        scanner,
        policies: ByPlace::new(policy, nowhere, |()| Err(String::new())).unwrap(),
        consistent: false,
        rows: vec![row.clone()],
    })
}

fn outcome(basic: &Basic, texts: &[&str]) -> Outcome {
    Sample::response("tools/call", texts).judge(basic).unwrap()
}

fn masked(text: &str) -> String {
    BASIC.with(|basic| outcome(basic, &[text]).texts.concat())
}

fn aws() -> String {
    expand("AKIA[A-Z2-7]{16}", "a")
}

fn row(id: &str) -> Row {
    bundled()
        .unwrap()
        .into_iter()
        .find(|row| row.id == id)
        .unwrap()
}

/// The bundled rules that are used unless the configuration says otherwise.
fn used() -> Vec<Row> {
    let rows = bundled().unwrap().into_iter();
    rows.filter(|row| !row.optional).collect()
}

#[test]
fn every_rule_finds_its_samples_and_not_its_near_misses() {
    let mut wrong = Vec::new();
    for row in bundled().unwrap() {
        let basic = only(&row);
        for number in 0..DRAWS {
            let seeded = Row {
                id: format!("{}{number}", row.id),
                ..row.clone()
            };
            for template in &row.samples {
                let text = sample(&seeded, template);
                if outcome(&basic, &[&text]).rules.is_empty() {
                    wrong.push(format!("{}: not found: {text}", row.id));
                }
            }
            for template in &row.near_misses {
                let text = sample(&seeded, template);
                if !outcome(&basic, &[&text]).rules.is_empty() {
                    wrong.push(format!("{}: found: {text}", row.id));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_rule_is_described_and_no_two_share_a_name() {
    let rows = bundled().unwrap();
    for (place, row) in rows.iter().enumerate() {
        let described = !row.description.is_empty() && row.source.starts_with("https://");
        assert!(described, "{}", row.id);
        assert!(
            !row.samples.is_empty() && !row.near_misses.is_empty(),
            "{}",
            row.id
        );
        // What nothing announces would be looked for in every text.
        assert!(
            !row.keywords.is_empty() || row.optional || row.check == Some(Check::Prefixed),
            "{}",
            row.id
        );
        assert!(
            rows[..place].iter().all(|other| other.id != row.id),
            "{}",
            row.id
        );
    }
    assert!(rows.len() > 300, "{}", rows.len());
}

/// The kinds that the Python gateway knows, and what it puts in their place.
const DROP_IN: [(&str, &str); 12] = [
    ("aws-access-key", "<AWS_ACCESS_KEY>"),
    ("azure-ad-client-secret", "<AZURE_KEY>"),
    ("gcp-api-key", "<GCP_API_KEY>"),
    ("github-app-token", "<GITHUB_APP_TOKEN>"),
    ("github-fine-grained-pat", "<GITHUB_FINE_GRAINED_TOKEN>"),
    ("github-oauth-token", "<GITHUB_OAUTH_TOKEN>"),
    ("github-pat", "<GITHUB_PERSONAL_ACCESS_TOKEN>"),
    ("gitlab-session-cookie", "<GITLAB_SESSION_TOKEN>"),
    ("huggingface-access-token", "<HUGGINGFACE_TOKEN>"),
    ("jwt", "<JWT_TOKEN>"),
    ("microsoft-teams-webhook", "<MICROSOFT_TEAMS_WEBHOOK>"),
    ("slack-app-token", "<SLACK_APP_TOKEN>"),
];

#[test]
fn every_kind_of_the_python_gateway_is_masked_in_every_context_and_the_context_stays() {
    for (id, replacement) in DROP_IN {
        for template in &row(id).samples {
            let sample = expand(template, id);
            for context in CONTEXTS {
                let text = context.replace('§', &sample);
                let expected = context.replace('§', replacement);
                assert_eq!(masked(&text), expected, "{id} in {context:?}");
            }
        }
    }
}

#[test]
fn every_token_is_masked_in_every_context() {
    for row in used() {
        let is_part = row.secret_group > 0 || row.check == Some(Check::Manifest);
        if row.value.is_some() || is_part {
            continue;
        }
        let sample = expand(&row.samples[0], &row.id);
        for context in CONTEXTS {
            let after = masked(&context.replace('§', &sample));
            assert!(
                !after.contains(&sample),
                "{} in {context:?}: {after}",
                row.id
            );
        }
    }
}

#[test]
fn masked_json_is_still_json_and_masking_twice_changes_nothing() {
    for row in used() {
        let secret = sample(&row, &row.samples[0]);
        let value = serde_json::json!({ "a": secret, "b": [1, null], "c\\\"": secret });
        let nested = serde_json::json!({ "text": value.to_string() });
        for text in [value.to_string(), nested.to_string()] {
            let after = masked(&text);
            assert_ne!(after, text, "{}", row.id);
            let read = serde_json::from_str::<serde_json::Value>(&after);
            assert!(read.is_ok(), "{}: {after}", row.id);
            assert_eq!(masked(&after), after, "{}", row.id);
        }
    }
}

/// Base64, written down once more so that the guardrail is not checked by its own means.
fn base64(text: &str) -> String {
    let digits = ('A'..='Z')
        .chain('a'..='z')
        .chain('0'..='9')
        .chain(['+', '/']);
    let digits: Vec<char> = digits.collect();
    let mut written = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits = chunk
            .iter()
            .fold(0, |bits, byte| bits << 8 | usize::from(*byte));
        let bits = bits << (8 * (3 - chunk.len()));
        let used = (0..=chunk.len()).map(|place| digits[bits >> (18 - 6 * place) & 63]);
        written.extend(used.chain(std::iter::repeat('=')).take(4));
    }
    written
}

#[test]
fn a_secret_is_found_behind_every_disguise() {
    let token = expand("ghp_[A-Za-z0-9]{36}", "b");
    let hex = |text: &str| {
        text.bytes()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let said = format!("TOKEN={token}");
    let (head, tail) = token.split_at(12);
    for text in [
        format!("{head}\u{200b}{tail}"),
        format!("{head}\u{200d}{tail}"),
        token.replace('p', "\u{440}"),
        token.replace('_', "\u{ff3f}"),
        token.replace('_', "\\u005f"),
        token.replace('_', "\\\\u005f"),
        token.replace('_', "%5F"),
        token.replace('_', "%255f"),
        base64(&said),
        format!("x: {}", base64(&base64(&said))),
        hex(&said),
        format!("\"{head}\" + \"{tail}\""),
        format!("KEY_1=\"{head}\"\nKEY_2=\"{tail}\""),
    ] {
        let after = masked(&text);
        assert_ne!(after, text);
        assert!(!after.contains(tail), "{text}: {after}");
        assert_eq!(masked(&after), after, "{text}");
    }
    let after = masked(&format!("a {} b", base64(&said)));
    let expected = base64("TOKEN=<GITHUB_PERSONAL_ACCESS_TOKEN>");
    assert_eq!(after, format!("a {expected} b"));
}

#[test]
fn the_key_of_a_member_is_the_name_of_its_value() {
    use mcp_gateway_sdk::Role::{Key, Value};
    let place = |pointer: &str, role| Place {
        pointer: pointer.into(),
        role,
    };
    let secret = expand("[A-Za-z0-9]{37}/+7", "c");
    let name = "aws_secret_access_key";
    let judge = |places| {
        let sample = Sample::response("tools/call", [name, &secret, "note", name]);
        sample.places(places).judge(&basic("{}")).unwrap().texts
    };
    let member = vec![
        place("/a", Key),
        place("/a", Value),
        place("/b", Key),
        place("/b", Value),
    ];
    assert_eq!(judge(member), [name, "<AWS_SECRET_KEY>", "note", name]);
    let list = vec![place("/0", Value), place("/1", Value)];
    assert_eq!(judge(list)[1], secret, "two items of a list name nothing");
}

#[test]
fn what_is_no_secret_stays() {
    for text in [
        "commit 48e4875032cc26d5d89c9d23b486c905f032dd9d",
        "image: nginx@sha256:7839232a63b4ac0916cdab473c0ea497fe4941a938f6f9c1a46715fc950cadfb",
        r#"{"next_page_token": "eyJvZmZzZXQiOiA5ODU0LCAibGltaXQiOiA1MH0="}"#,
        r#"{"id": "9981d28f-a09c-4325-f047-fbeb2483c458", "sha": "513ad4c7137cf95c2ec8eb03323f70f835cfd943"}"#,
        "password: ${DB_PASSWORD}\ntoken: {{ secrets.GITHUB_TOKEN }}\nkey = os.environ['API_KEY']",
        "password = request.form.get('password2')\nif password == user.password2: pass",
        "max_tokens: 4096, token_count=12345678901234, tokenizer: cl100k_base_v2",
        "Authorization: Bearer <token>",
        "integrity sha512-iFT+bXrYf0vuYdI8Gv2dbWkMYz5LzJ1JyOFXsAGW0qV0KJ9WqBuXNLqdrQ==",
        "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ",
        "postgres://user:password@localhost:5432/db",
        "the secret of the 3 musketeers is friendship",
    ] {
        assert_eq!(masked(text), text);
    }
}

#[test]
fn a_secret_is_not_put_together_from_two_texts() {
    let (start, end) = (&aws()[..10], &aws()[10..]);
    assert_eq!(
        BASIC.with(|basic| outcome(basic, &[start, end])).texts,
        [start, end]
    );
}

#[test]
fn what_goes_to_the_client_is_masked_whatever_its_kind() {
    for config in ["{}", r#"{"requests": "off"}"#, r#"{"requests": "block"}"#] {
        for kind in [
            "request",
            "response",
            "error",
            "notification",
            "log-line",
            "of-the-future",
        ] {
            let message = Sample::new("x/y", kind, Direction::ToClient, [aws()]);
            let outcome = message.judge(&basic(config)).unwrap();
            assert_eq!(outcome.texts, ["<AWS_ACCESS_KEY>"], "{config} {kind}");
        }
    }
}

#[test]
fn what_goes_to_the_server_follows_the_setting() {
    let outcome = |config| {
        let message = Sample::request("tools/call", [aws()]);
        message.judge(&basic(config)).unwrap()
    };
    let off = outcome(r#"{"requests": "off"}"#);
    assert!(matches!(off.decision, Decision::Pass) && off.rules.is_empty());
    let warn = outcome("{}");
    assert!(matches!(warn.decision, Decision::Pass));
    assert_eq!(
        (warn.rules, warn.texts),
        (vec!["aws-access-key".into()], vec![aws()])
    );
    assert_eq!(
        outcome(r#"{"requests": "mask"}"#).texts,
        ["<AWS_ACCESS_KEY>"]
    );
    let block = outcome(r#"{"requests": "block"}"#);
    assert!(matches!(block.decision, Decision::Block(reason) if !reason.contains(&aws())));
    let clean = Sample::request("tools/call", ["clean"]).judge(&basic(r#"{"requests": "block"}"#));
    assert!(matches!(clean.unwrap().decision, Decision::Pass));
}

#[test]
fn a_disabled_secret_passes() {
    let guardrail = basic(r#"{"disable": ["aws-access-key"]}"#);
    let outcome = Sample::response("tools/call", [aws()])
        .judge(&guardrail)
        .unwrap();
    assert!(matches!(outcome.decision, Decision::Pass));
}

#[test]
fn a_wrong_configuration_is_an_error_that_names_the_remedy() {
    let error = |config| configured::<Basic>(config).err().unwrap();
    assert!(error(r#"{"disable": ["awsaccess-key"]}"#).contains("did you mean \"aws-access-key\""));
    assert!(error(r#"{"request": "mask"}"#).contains("unknown field `request`"));
    assert!(error(r#"{"requests": "deny"}"#).contains("\"requests\": unknown variant `deny`"));
}

#[test]
fn its_examples_hold_under_every_configuration() {
    for config in [
        "{}",
        r#"{"requests": "block"}"#,
        r#"{"disable": ["jwt"]}"#,
        r#"{"severity": "critical"}"#,
    ] {
        examples_hold(&basic(config)).unwrap();
    }
}

/// A reading that starts again from every keyword would take hours here, even on a slow machine.
#[test]
fn keywords_without_end_take_linear_time() {
    let start = Instant::now();
    let begun = speed::time(start);
    let plain = [
        "a",
        "0",
        "[",
        "\\",
        "%25",
        "\"",
        "{\"a\":",
        "QUJD",
        "://",
        "=",
        ".eyJ",
        "\"a\"+",
        "kind: Secret\n",
        "\"kind\":\"Secret\"}",
        " kind: Secret\nx\n",
        "'kind: Secret",
    ];
    let mut units: Vec<String> = plain.map(String::from).to_vec();
    for row in bundled().unwrap().into_iter().step_by(5) {
        let spam = sample(&row, &row.samples[0]);
        units.push(format!(" {}", spam.get(..spam.len() / 2).unwrap_or("x")));
        units.extend(row.keywords.iter().take(2).cloned());
    }
    for unit in units {
        masked(&unit.repeat(16_000 / unit.len()));
    }
    let used = speed::time(start) - begun;
    assert!(used < Duration::from_secs(120), "{used:?}");
}
