//! Keeps score on labelled texts, which are no part of the project, and measures how fast texts are read.
//!
//! ```sh
//! MCP_GATEWAY_CORPUS=people.jsonl cargo test --release -p mcp-gateway-pii score -- --ignored --nocapture
//! ```
//! Each line is an object with the text as `text` or `full_text`, and as `spans` or `annotations` what is in it: the kind as
//! `entity_type`, and `start` and `end` (or `start_position`, `end_position`) in characters. With `MCP_GATEWAY_CLEAN` a folder of
//! texts in which nothing is personal, what is found there is shown. A line may have the name of the value that its text is
//! as `key`. With `MCP_GATEWAY_FOUND` a file, what is found in each line is written to it, to be compared by other measures.

use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

use mcp_gateway_sdk::testing::Sample;
use serde_json::Value;

use super::{outcome, pii};
use crate::detect::Context;

/// What labelled texts of people have besides what is looked for by default.
const EVERYTHING: &str = r#"{"ip_scope": "all", "also": ["MAC", "ADDRESS", "LOCATION", "NRP", "ORGANIZATION", "AGE", "DATE_TIME", "URL"]}"#;

/// What the Python gateway looks for.
const NINE: &str = r#"{"entities": ["CREDIT_CARD", "IP_ADDRESS", "EMAIL_ADDRESS", "PHONE_NUMBER", "CRYPTO", "MEDICAL_LICENSE", "US_PASSPORT", "US_ITIN", "US_SSN"]}"#;

#[test]
#[ignore = "needs a file of labelled texts, named by MCP_GATEWAY_CORPUS"]
fn score() {
    let path = std::env::var("MCP_GATEWAY_CORPUS").unwrap();
    let show = std::env::var("MCP_GATEWAY_SHOW").unwrap_or_default();
    // A configuration as JSON, if not all that there is.
    let config = std::env::var("MCP_GATEWAY_CONFIG").unwrap_or_else(|_| EVERYTHING.to_owned());
    let guardrail = pii(&config);
    let mut written = String::new();
    let mut characters = [0; 3];
    let mut counts: BTreeMap<String, [usize; 4]> = BTreeMap::new();
    for line in fs::read_to_string(path).unwrap().lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        if row["language"]
            .as_str()
            .is_some_and(|language| language != "en")
        {
            continue;
        }
        let text = row["text"].as_str().or(row["full_text"].as_str()).unwrap();
        let starts: Vec<usize> = text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .collect();
        let spans = row["spans"]
            .as_array()
            .or(row["annotations"].as_array())
            .unwrap();
        let place = |span: &Value, name: &str| {
            let at = span[name]
                .as_u64()
                .or(span[format!("{name}_position")].as_u64())
                .unwrap();
            starts[at as usize]
        };
        let gold: Vec<(&str, usize, usize)> = spans
            .iter()
            .map(|span| {
                let kind = match span["entity_type"].as_str().unwrap() {
                    "PERSON_NAME" => "PERSON",
                    "US_ITIN" | "SSN" | "SOCIAL_SECURITY_NUMBER" | "NATIONAL_ID" => "US_SSN",
                    "CREDIT_CARD_NUMBER" => "CREDIT_CARD",
                    "IBAN" => "IBAN_CODE",
                    "DOMAIN_NAME" => "URL",
                    "ORGANIZATION_NAME" => "ORGANIZATION",
                    "GPE" => "LOCATION",
                    kind => kind,
                };
                (kind, place(span, "start"), place(span, "end"))
            })
            .collect();
        let key = || row["key"].as_str().map(str::to_owned);
        let found = guardrail
            .policies
            .everywhere()
            .detector
            .find(text, &Context { key: &key });
        let in_characters = |at: usize| starts.partition_point(|start| *start < at);
        let list = found.iter().map(|it| {
            let (start, end) = (in_characters(it.range.start), in_characters(it.range.end));
            serde_json::json!([it.entity.name, start, end, it.score])
        });
        written.push_str(&Value::Array(list.collect()).to_string());
        written.push('\n');
        let kind = |name: &'static str| if name == "US_ITIN" { "US_SSN" } else { name };
        // Where the address of a house ends and its town begins is told in many ways.
        let address = |name: &str| ["LOCATION", "STREET_ADDRESS", "ZIP_CODE"].contains(&name);
        let same = |a: &str, b: &str| a == b || address(a) && address(b);
        let within = |at: &usize, range: &(usize, usize)| (range.0..range.1).contains(at);
        let golden: Vec<(usize, usize)> = gold.iter().map(|it| (it.1, it.2)).collect();
        let masked: Vec<(usize, usize)> = found
            .iter()
            .map(|it| (it.range.start, it.range.end))
            .collect();
        for (at, _) in text.char_indices() {
            let personal = golden.iter().any(|it| within(&at, it));
            let covered = masked.iter().any(|it| within(&at, it));
            characters[0] += usize::from(personal);
            characters[1] += usize::from(covered);
            characters[2] += usize::from(personal && covered);
        }
        for (wanted, start, end) in &gold {
            let hit = found.iter().any(|it| {
                let common = it
                    .range
                    .end
                    .min(*end)
                    .saturating_sub(it.range.start.max(*start));
                same(kind(it.entity.name), wanted) && common * 2 >= end - start
            });
            let count = counts.entry((*wanted).to_owned()).or_default();
            count[0] += 1;
            count[1] += usize::from(hit);
            if !hit && show == *wanted {
                eprintln!("missed {:?} in {text:?}", &text[*start..*end]);
            }
        }
        for it in &found {
            let right = gold.iter().any(|(wanted, start, end)| {
                same(kind(it.entity.name), wanted) && it.range.start < *end && *start < it.range.end
            });
            let count = counts.entry(kind(it.entity.name).to_owned()).or_default();
            count[2] += 1;
            count[3] += usize::from(right);
            if !right && show == kind(it.entity.name) {
                eprintln!("wrong {:?} in {text:?}", &text[it.range.clone()]);
            }
        }
    }
    if let Ok(path) = std::env::var("MCP_GATEWAY_FOUND") {
        fs::write(path, written).unwrap();
    }
    for (kind, [gold, hit, found, right]) in counts {
        let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
        eprintln!(
            "{kind:24} recall {hit}/{gold} {:.3}  precision {right}/{found} {:.3}",
            share(hit, gold),
            share(right, found)
        );
    }
    let [gold, found, both] = characters.map(|it| it as f64);
    eprintln!(
        "characters recall {:.3}  precision {:.3}",
        both / gold,
        both / found
    );
}

/// Each line an object with the `entity`, and of a `kind`: a "span" has the `text`, and as `expected` lists that begin with
/// start and end, or, with `positions_complete` false, their number as `expected_len`; a "validate" has an `input`, and as
/// `expected` whether its check digits are right, or nothing where there are none or it has not the form; a "context" has a `text` whose words
/// make what is found in it surer.
#[test]
#[ignore = "needs a file of cases, named by MCP_GATEWAY_CASES"]
fn cases() {
    let path = std::env::var("MCP_GATEWAY_CASES").unwrap();
    let show = std::env::var("MCP_GATEWAY_SHOW").unwrap_or_default();
    let mut kinds: BTreeMap<String, BTreeMap<String, [usize; 2]>> = BTreeMap::new();
    for line in fs::read_to_string(path).unwrap().lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let (kind, entity) = (
            row["kind"].as_str().unwrap(),
            row["entity"].as_str().unwrap(),
        );
        let right = match kind {
            "span" => span_is_right(&row, entity),
            "validate" if row["method"] == "validate_result" => check_is_right(&row, entity),
            "context" => context_is_right(&row, entity),
            _ => continue,
        };
        let count = kinds
            .entry(kind.to_owned())
            .or_default()
            .entry(entity.to_owned())
            .or_default();
        count[0] += usize::from(right);
        count[1] += 1;
        if !right && (show == entity || show == "*") {
            eprintln!(
                "{kind} {row}: {:?}",
                found(
                    entity,
                    row["text"].as_str().unwrap_or_default(),
                    "presidio-compat"
                )
            );
        }
    }
    for (kind, counts) in kinds {
        let all = counts
            .values()
            .fold([0, 0], |all, it| [all[0] + it[0], all[1] + it[1]]);
        eprintln!(
            "{} of {} {kind} cases; missed in {:?}",
            all[0],
            all[1],
            counts
                .iter()
                .filter(|(_, it)| it[0] < it[1])
                .collect::<Vec<_>>()
        );
    }
}

/// What is found of one entity, in characters, and how sure it is.
fn found(entity: &str, text: &str, profile: &str) -> Vec<(u64, u64, f32)> {
    if crate::entity::named(entity).is_err() {
        return Vec::new();
    }
    let guardrail = pii(&format!(
        r#"{{"entities": ["{entity}"], "profile": "{profile}"}}"#
    ));
    let characters = |at: usize| text[..at].chars().count() as u64;
    let all = guardrail
        .policies
        .everywhere()
        .detector
        .find(text, &Context::NONE);
    all.iter()
        .map(|it| {
            (
                characters(it.range.start),
                characters(it.range.end),
                it.score,
            )
        })
        .collect()
}

fn span_is_right(row: &Value, entity: &str) -> bool {
    let text = row["text"].as_str().unwrap();
    let found: Vec<(u64, u64)> = match row["ctor"]["deny_list"].as_array() {
        // A list of one's own is our `deny`.
        Some(list) => {
            let deny =
                serde_json::json!({"entities": [], "deny": [{"entity": "PERSON", "values": list}]});
            let found = pii(&deny.to_string())
                .policies
                .everywhere()
                .detector
                .find(text, &Context::NONE);
            found
                .iter()
                .map(|it| (it.range.start as u64, it.range.end as u64))
                .collect()
        }
        None => found(entity, text, "presidio-compat")
            .iter()
            .map(|it| (it.0, it.1))
            .collect(),
    };
    let place = |it: &Value| (it[0].as_u64().unwrap(), it[1].as_u64().unwrap());
    let expected: Vec<(u64, u64)> = row["expected"]
        .as_array()
        .unwrap()
        .iter()
        .map(place)
        .collect();
    match row["positions_complete"].as_bool().unwrap_or(true) {
        true => found == expected,
        false => row["expected_len"].as_u64() == Some(found.len() as u64),
    }
}

fn check_is_right(row: &Value, entity: &str) -> bool {
    let found = found(entity, row["input"].as_str().unwrap(), "presidio-compat");
    match row["expected"].as_bool() {
        Some(true) => found.len() == 1 && found[0].2 == 1.0,
        Some(false) => found.is_empty(),
        None => found.len() < 2,
    }
}

fn context_is_right(row: &Value, entity: &str) -> bool {
    let text = row["text"].as_str().unwrap();
    let before = found(entity, text, "presidio-compat");
    let alone = |it: &(u64, u64, f32)| {
        let value: String = text
            .chars()
            .skip(it.0 as usize)
            .take((it.1 - it.0) as usize)
            .collect();
        found(entity, &value, "presidio-compat")
            .iter()
            .map(|it| it.2)
            .fold(0.0, f32::max)
    };
    before.iter().all(|it| it.2 > alone(it) || it.2 == 1.0)
}

#[test]
#[ignore = "needs a folder of clean texts, named by MCP_GATEWAY_CLEAN"]
fn clean_texts_stay() {
    let folder = std::env::var("MCP_GATEWAY_CLEAN").unwrap();
    for config in [NINE, "{}"] {
        let guardrail = pii(config);
        let (mut bytes, mut masks) = (0, 0);
        for file in fs::read_dir(&folder).unwrap() {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            if let Ok(document) = serde_json::from_str::<Value>(&text) {
                let sample = Sample::of("tools/call", "response", &document);
                let rules = sample.judge(&guardrail).unwrap().rules;
                masks += rules.len();
                eprintln!("{rules:?} in its values");
            }
            bytes += text.len();
            for found in guardrail
                .policies
                .everywhere()
                .detector
                .find(&text, &Context::NONE)
            {
                masks += 1;
                eprintln!("{} {:?}", found.entity.name, &text[found.range]);
            }
        }
        eprintln!("{masks} masks in {bytes} bytes");
    }
}

#[test]
#[ignore = "measures"]
fn speed() {
    let guardrail = pii(&std::env::var("MCP_GATEWAY_CONFIG").unwrap_or_else(|_| "{}".to_owned()));
    let log = "2026-07-28T10:11:12.345Z INFO server::http{request_id=8f14e45f} GET /api/v1/users/42?page=3 -> 200 in 12ms\n";
    let json = r#"{"id":17,"name":"report.pdf","size":48213,"owner":{"login":"mona","id":583231},"labels":["bug","p1"],"updated_at":"2026-07-28T10:11:12Z","sha":"48e4875032cc26d5d89c9d23b486c905f032dd9d","url":"https://example.com/repos/a/b/contents/report.pdf?ref=main"},"#;
    let prose = "The quick brown fox reads a README, installs a package and wonders why the token bucket is empty. Keys are documented below; the password policy is strict. ";
    let worst = [
        "0123456789",
        "a",
        "@",
        "1.1.1.1.",
        "1 ",
        "1-2 ",
        "a@",
        "a:",
        "::",
        "+1",
        "(1) ",
        "Anna ",
        "Mr. ",
        "4111 1111 ",
        "DE12 ",
        "ü",
        "\\",
        "12:",
        "1 Main ",
        "A ",
        "1,2\n",
        "a,b\n1,2\n",
        "Ann, ",
        "1 A 2 ",
        "уважаемый ",
        "с уважением\n",
        "\"name\":\"Bob\",",
    ];
    for part in [log, json, prose].into_iter().chain(worst) {
        let text = part.repeat(10_000_000 / part.len());
        let begun = Instant::now();
        let found = guardrail
            .policies
            .everywhere()
            .detector
            .find(&text, &Context::NONE)
            .len();
        let rate = text.len() as f64 / begun.elapsed().as_secs_f64() / 1e6;
        eprintln!(
            "{rate:8.1} MB/s  {found:7} found  {:?}",
            part.get(..12).unwrap_or(part)
        );
    }
    let call = r#"{"path":"/home/mona/project/README.md","head":20,"note":"a token of appreciation, no key"}, and so on to two hundred bytes or so, which is what most calls are, of 2026"#;
    let begun = Instant::now();
    for _ in 0..10_000 {
        outcome(&guardrail, call);
    }
    eprintln!("{:?} for {} bytes", begun.elapsed() / 10_000, call.len());
}
