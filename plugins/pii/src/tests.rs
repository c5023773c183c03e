//! What is found and what is not, and what becomes of it.

mod fields;
mod numbers;
mod presidio;
mod score;
mod stand_ins;

use mcp_gateway_sdk::testing::{Outcome, Sample, configured, examples_hold};
use mcp_gateway_sdk::{Decision, Direction, Place, Role};
use proptest::prelude::*;

use crate::Pii;
use crate::detect::{Context, bundled};
use crate::entity::all;

/// With names of entities in place of values, unless the configuration says otherwise.
fn pii(config: &str) -> Pii {
    let mut config: serde_json::Value = serde_json::from_str(config).unwrap();
    let operators = config.as_object_mut().unwrap().entry("operators");
    let operators = operators.or_insert_with(|| serde_json::json!({}));
    let default = operators.as_object_mut().unwrap().entry("DEFAULT");
    default.or_insert_with(|| "replace".into());
    configured(&config.to_string()).unwrap()
}

fn refusal(config: &str) -> String {
    configured::<Pii>(config).err().unwrap()
}

fn outcome(pii: &Pii, text: &str) -> Outcome {
    Sample::response("tools/call", [text]).judge(pii).unwrap()
}

fn masked(text: &str) -> String {
    outcome(&pii("{}"), text).texts.concat()
}

#[test]
fn the_comparison_says_how_many_entities_there_are() {
    let page = include_str!("../../../docs/comparison.md");
    let count = all().count();
    assert!(page.contains(&format!(" {count} entities, ")), "{count}");
}

#[test]
fn every_row_finds_its_samples_and_leaves_its_misses() {
    let mut wrong = Vec::new();
    for row in bundled().unwrap() {
        let guardrail = pii(&format!(r#"{{"entities": ["{}"]}}"#, row.entity));
        let found = |text: &str| outcome(&guardrail, text).rules;
        let missed = row
            .samples
            .iter()
            .filter(|it| found(it) != [row.entity.as_str()]);
        let stray = row.misses.iter().filter(|it| !found(it).is_empty());
        wrong.extend(
            missed
                .chain(stray)
                .map(|text| format!("{}: {text}", row.entity)),
        );
        assert!(
            !row.samples.is_empty() && !row.misses.is_empty(),
            "{}",
            row.entity
        );
        examples_hold(&guardrail).unwrap();
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_form_of_an_entity_has_a_row() {
    let rows = bundled().unwrap();
    let forms = all().filter(|it| it.kind == crate::entity::Kind::Form);
    for entity in forms {
        assert!(
            rows.iter().any(|row| row.entity == entity.name),
            "{}",
            entity.name
        );
    }
}

#[test]
fn what_is_personal_is_masked_and_the_rest_stays() {
    for (text, expected) in [
        ("mail Jo.Ann@Example.com, please", "mail <EMAIL>, please"),
        (
            "pay with 4111 1111 1111 1111 now",
            "pay with <CREDIT_CARD> now",
        ),
        ("2223 0031 2200 3222", "<CREDIT_CARD>"),
        ("to GB29 NWBK 6016 1331 9268 19.", "to <IBAN>."),
        ("from 93.184.216.34:443", "from <IP>:443"),
        ("at 2606:2800:220:1:248:1893:25c8:1946", "at <IP>"),
        (
            "call (415) 555-2671 or +44 20 7946 0958",
            "call <PHONE> or <PHONE>",
        ),
        ("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "<CRYPTO>"),
        ("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", "<CRYPTO>"),
        ("ssn 536-90-4399", "ssn <US_SSN>"),
        ("Dear Mr. Keller, hello", "Dear Mr. <PERSON>, hello"),
        ("by Anna Keller today", "by <PERSON> today"),
        (
            r#"{"email":"a@b.de","n":1}"#,
            r#"{"email":"<EMAIL>","n":1}"#,
        ),
        (
            r#"{"card":4111111111111111,"n":1}"#,
            r#"{"card":9999999999999999,"n":1}"#,
        ),
        (
            "[{'card': 4111111111111111.0}]",
            "[{'card': 9999999999999999.0}]",
        ),
        ("ａｎｎ＠ｅｘａｍｐｌｅ．ｃｏｍ", "<EMAIL>"),
        ("[FILE] ann@example.com.txt", "[FILE] <EMAIL>.txt"),
        ("|4111111111111111.0|", "|<CREDIT_CARD>.0|"),
        ("phone|4155552671.0|", "phone|<PHONE>.0|"),
        ("an\u{200b}n@exam\u{200b}ple.com", "<EMAIL>"),
    ] {
        assert_eq!(masked(text), expected, "{text}");
    }
}

#[test]
fn what_only_looks_personal_stays() {
    for text in [
        "4111 1111 1111 1112",
        "at 1753698896123 ms",
        r#"{"id":4111111111111111}"#,
        "48e4875032cc26d5d89c9d23b486c905f032dd9d",
        "123e4567-e89b-12d3-a456-426614174000",
        "10.0.0.1 and 127.0.0.1 and 192.168.1.20",
        "version 93.184.216.34",
        "2026-07-28T10:11:12.345Z",
        "std::fs::read and a::b",
        "icon@2x.png",
        "jquery@3.7.min.js and app@2x.chunk.css",
        r#"{"phone":"none","lat":-58.616586,"score":0.123456789}"#,
        "https://git@github.com/a/b.git",
        "origin git@github.com:a/b.git (fetch)",
        "1.2.3.4 and 0.10.2.30",
        "583231000 bytes, 912803456 rows",
        "Dear Customer",
        "New York Times",
        "0.8.4 (2024-02-13)",
        "root 17 0.0  0.1   8548  4676",
        "UnixStream and CardReader",
    ] {
        assert_eq!(masked(text), text);
    }
}

#[test]
fn people_are_found_by_their_names_and_by_what_is_said_around_them() {
    for (text, expected) in [
        ("Krystyna Wodecka called", "<PERSON> called"),
        (
            "Author: Clara Vogel <b@x.org>",
            "Author: <PERSON> <<EMAIL>>",
        ),
        ("my name is Brankowitz", "my name is <PERSON>"),
        (
            "Ask Anna, Bogumil or Ole",
            "Ask <PERSON>, <PERSON> or <PERSON>",
        ),
        (
            "Anna Brankowitz came. Later Brankowitz left.",
            "<PERSON> came. Later <PERSON> left.",
        ),
        (
            "{\"assignee\": \"Teruo Minagawa\"}",
            "{\"assignee\": \"<PERSON>\"}",
        ),
        ("Ludwig van der Berg", "<PERSON>"),
        ("JOHN SMITH", "<PERSON>"),
    ] {
        assert_eq!(masked(text), expected, "{text}");
    }
    for text in [
        "Pull Request Review",
        "Wayne Enterprises",
        "service_name: Acme Corp",
        "Visual Studio Code",
        "Mark Done",
        "Grant Access to May",
        "use Julia or Ruby",
        "Anna.Module and Anna::new",
    ] {
        assert_eq!(masked(text), text);
    }
}

#[test]
fn a_place_that_is_called_by_a_saint_is_nobody() {
    for text in [
        "from São Paulo to San Antonio, via Santa Monica, Saint Louis and St. Martin, then São José dos Campos and Santo Domingo",
        r#"{"city":"São Paulo","home":"San José"}"#,
        "city,country\nSão Paulo,Brazil\nSan Diego,USA",
    ] {
        assert_eq!(masked(text), text);
    }
}

#[test]
fn places_peoples_and_organizations_are_found_if_they_are_asked_for() {
    let guardrail = pii(r#"{"entities": ["LOCATION", "NRP", "ORG", "ADDRESS", "URL"]}"#);
    for (text, expected) in [
        (
            "from Los Angeles to Czech Republic",
            "from <LOCATION> to <LOCATION>",
        ),
        ("city,x\nKleinheim,1", "city,x\n<LOCATION>,1"),
        ("two Germans and a Buddhist", "two <NRP> and a <NRP>"),
        (
            "Foxglove Inc and Microsoft",
            "<ORGANIZATION> and <ORGANIZATION>",
        ),
        ("at 12 Long Oak Street, and", "at <ADDRESS>, and"),
        ("at Rue de la Paix 12", "at <ADDRESS>"),
        ("at Rosengasse 7", "at <ADDRESS>"),
        ("see https://a.example/b?c=1.", "see <URL>."),
        (
            "README.md, main.rs and 12 files",
            "README.md, main.rs and 12 files",
        ),
    ] {
        assert_eq!(outcome(&guardrail, text).texts.concat(), expected, "{text}");
    }
}

#[test]
fn the_profile_of_presidio_takes_every_form_that_stands_as_a_word() {
    let compat = pii(r#"{"profile": "presidio-compat"}"#);
    for (text, expected) in [
        ("{\"id\": 912803456 }", "{\"id\": 999999999 }"),
        ("10.0.0.1", "<IP>"),
        ("at ::1/128", "at <IP>"),
    ] {
        assert_eq!(outcome(&compat, text).texts.concat(), expected, "{text}");
        assert_eq!(masked(text), text);
    }
}

#[test]
fn the_head_of_a_column_says_what_its_cells_are() {
    for (text, expected) in [
        (
            "id,ssn,note\n536904399,536904398,x\n",
            "id,ssn,note\n536904399,<US_SSN>,x\n",
        ),
        (
            "| order | passport |\n|---|---|\n| 912803456 | 912803457 |",
            "| order | passport |\n|---|---|\n| 912803456 | <US_PASSPORT> |",
        ),
        (
            "full_name;city\nBela Farkas;Pecs",
            "full_name;city\n<PERSON>;Pecs",
        ),
        (
            "card\tcommit\n4111111111111111\t4111111111111111",
            "card\tcommit\n<CREDIT_CARD>\t4111111111111111",
        ),
    ] {
        assert_eq!(masked(text), expected, "{text}");
    }
}

#[test]
fn masking_twice_changes_nothing_more() {
    let text = "Dear Mr. Keller (a@b.de, 4111 1111 1111 1111, +44 20 7946 0958, 536-90-4399) 93.184.216.34";
    let once = masked(text);
    assert_ne!(once, text);
    assert_eq!(masked(&once), once);
}

#[test]
fn operators_say_what_takes_the_place() {
    let text = "4111 1111 1111 1111";
    for (operator, expected) in [
        (r#""keep""#, text),
        (r#""redact""#, ""),
        (r#""mask""#, "**** **** **** ****"),
        (
            r##"{"mask": {"char": "#", "keep_last": 4}}"##,
            "#### #### #### 1111",
        ),
        (r#"{"replace": "[card]"}"#, "[card]"),
    ] {
        let guardrail = pii(&format!(r#"{{"operators": {{"CARD": {operator}}}}}"#));
        let outcome = outcome(&guardrail, text);
        assert_eq!(outcome.texts.concat(), expected);
        assert_eq!(outcome.rules, ["CREDIT_CARD"]);
    }
}

#[test]
fn what_is_allowed_stays_and_what_is_denied_does_not() {
    let guardrail = pii(
        r#"{"allow": {"values": ["a@b.de"], "patterns": ["^test"], "networks": ["93.184.0.0/16"], "domains": ["example.com"]},
            "deny": [{"entity": "PERSON", "values": ["zork"]}]}"#,
    );
    let text = "a@b.de test1@b.de 93.184.216.34 x@mail.example.com b@b.de zork zorked";
    assert_eq!(
        outcome(&guardrail, text).texts.concat(),
        "a@b.de test1@b.de 93.184.216.34 x@mail.example.com <EMAIL> <PERSON> zorked"
    );
}

#[test]
fn a_wrong_configuration_is_refused_with_what_was_meant() {
    for (config, says) in [
        (r#"{"entities": ["EMIAL"]}"#, r#"did you mean "EMAIL"?"#),
        (
            r#"{"operators": {"PHONES": "keep"}}"#,
            r#"did you mean "PHONE"?"#,
        ),
        (
            r#"{"thresholds": {"UK_POSTCODE": 0.5}}"#,
            "UK_POSTCODE is not looked for",
        ),
        (r#"{"threshold": 2}"#, "not from 0 to 1"),
        (r#"{"allow": {"networks": ["10.0.0.0/40"]}}"#, "no network"),
        (r#"{"allow": {"patterns": ["("]}}"#, "allow.patterns"),
        (r#"{"entity": []}"#, "unknown field"),
    ] {
        let refusal = refusal(config);
        assert!(refusal.contains(says), "{config}: {refusal}");
    }
}

#[test]
fn keys_of_objects_stay_and_tell_what_their_values_are() {
    let place = |pointer: &str, role| Place {
        pointer: pointer.into(),
        role,
    };
    let sample = Sample::response("tools/call", ["a@b.de", "536904399", "536904399"]).places(vec![
        place("/a@b.de", Role::Key),
        place("/user/ssn", Role::Value),
        place("/user/id", Role::Value),
    ]);
    let outcome = sample.judge(&pii("{}")).unwrap();
    assert_eq!(outcome.texts, ["a@b.de", "<US_SSN>", "536904399"]);
}

/// A row of Python, as mcp-server-sqlite writes it.
#[test]
fn an_address_ends_before_the_quote_that_it_stands_in() {
    for (text, expected) in [
        (
            "{'street': '56 rue de Rivoli', 'zip': '75004'}",
            "{'street': '<ADDRESS>', 'zip': '75004'}",
        ),
        ("('12 Long O'Neil Street', 2)", "('<ADDRESS>', 2)"),
        ("at 3 O'Connell Street", "at <ADDRESS>"),
    ] {
        assert_eq!(masked(text), expected);
    }
}

#[test]
fn requests_are_treated_as_the_configuration_says() {
    let judge = |requests: &str| {
        let guardrail = pii(&format!(r#"{{"requests": "{requests}"}}"#));
        let sample = Sample::new("request", "tools/call", Direction::ToServer, ["a@b.de"]);
        sample.judge(&guardrail).unwrap()
    };
    assert!(judge("off").rules.is_empty());
    assert_eq!(judge("warn").texts, ["a@b.de"]);
    assert_eq!(judge("warn").rules, ["EMAIL_ADDRESS"]);
    assert_eq!(judge("mask").texts, ["<EMAIL>"]);
    assert!(matches!(judge("block").decision, Decision::Block(_)));
}

/// What takes time that grows with the square of the length would not end here.
#[test]
fn long_texts_of_every_hard_kind_are_read_to_their_end() {
    let parts = [
        "0123456789",
        "a",
        "A",
        "@",
        "a@",
        "1.1.1.1.",
        "1 ",
        "1-2 ",
        "a:",
        "::",
        "+1",
        "(1) ",
        "Anna ",
        "Ann, ",
        "A ",
        "Mr. ",
        "4111 1111 ",
        "DE12 ",
        "\u{fc}",
        "\\",
        "12:",
        "1 Main ",
        "1 A 2 ",
        "1,2\n",
        "a,b\n1,2\n",
        "{\"a\":",
        "Via A ",
        "www.",
        "1/2/",
        "May ",
        "|",
        "a,",
    ];
    let config = r#"{"ip_scope": "all", "also": ["MAC", "ADDRESS", "LOCATION", "NRP", "ORGANIZATION", "AGE", "DATE_TIME", "URL", "UUID", "US_DRIVER_LICENSE", "UK_POSTCODE", "DE_KFZ"]}"#;
    let guardrail = pii(config);
    for part in parts {
        let text = part.repeat(100_000 / part.len());
        let found = guardrail
            .policies
            .everywhere()
            .detector
            .find(&text, &Context::NONE);
        assert!(
            found.iter().all(|it| text.get(it.range.clone()).is_some()),
            "{part:?}"
        );
    }
}

proptest! {
    #[test]
    fn ranges_are_sorted_apart_and_on_the_bounds_of_characters(text in "(?s)([0-9 .:@+()-]|[a-cA-C]|Anna |ssn |é|\u{200b}|\\\\u00e9|%40|.){0,80}") {
        let guardrail = pii(r#"{"threshold": 0, "ip_scope": "all", "also": ["MAC", "ADDRESS", "LOCATION", "NRP", "ORGANIZATION", "AGE", "DATE_TIME", "URL", "UUID", "DOB", "FR_NIR", "UK_NINO", "US_BANK_NUMBER", "IT_FISCAL_CODE"]}"#);
        let mut end = 0;
        for found in guardrail.policies.everywhere().detector.find(&text, &Context::NONE) {
            prop_assert!(found.range.start >= end && !found.range.is_empty());
            prop_assert!(text.get(found.range.clone()).is_some());
            end = found.range.end;
        }
    }
}
