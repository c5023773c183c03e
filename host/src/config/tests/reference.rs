//! `docs/configuration.md`, held against what is read.

use std::collections::BTreeSet;

use super::*;

const REFERENCE: &str = include_str!("../../../../docs/configuration.md");

/// Tables of the reference, each by its heading, with what makes a file of its keys. A
/// server has some keys only where it is started, others only where it is reached.
const TABLES: [(&str, &[&str]); 10] = [
    ("The file", &[""]),
    ("`[gateway]`", &["[gateway]\n"]),
    ("`[journal]`", &["[journal]\n"]),
    ("`[swap]`", &["[swap]\n"]),
    (
        "`[servers.NAME]`",
        &[
            "[servers.x]\n",
            "[servers.x]\ncommand = \"x\"\n",
            "[servers.x]\nurl = \"https://example.com\"\n",
        ],
    ),
    (
        "`[servers.NAME.oauth]`",
        &["[servers.x]\nurl = \"https://example.com\"\n[servers.x.oauth]\n"],
    ),
    (
        "`[[guardrails]]`",
        &["[[guardrails]]\n", "[[guardrails]]\nuse = \"basic\"\n"],
    ),
    (
        "`[guardrails.only]`",
        &["[[guardrails]]\nuse = \"basic\"\n[guardrails.only]\n"],
    ),
    (
        "`[guardrails.limits]`",
        &["[[guardrails]]\nuse = \"basic\"\n[guardrails.limits]\n"],
    ),
    (
        "`[guardrails.grant]`",
        &["[[guardrails]]\nuse = \"./x.wasm\"\n[guardrails.grant]\n"],
    ),
];

const OF_ORIGINS: (&str, &[&str]) = (
    "`[guardrails.grant.http.\"ORIGIN\"]`",
    &["[[guardrails]]\nuse = \"basic\"\n[guardrails.grant.http.\"https://example.com\"]\n"],
);

/// A word that is near to none.
const NONSENSE: &str = "qqqqqqqqqqqq";

/// A row of the reference.
struct Row {
    key: String,
    kind: String,
    default: String,
}

fn tables() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    TABLES.into_iter().chain([OF_ORIGINS])
}

/// The rows of the table below a heading.
fn rows(heading: &str) -> Vec<Row> {
    let is_heading = |line: &&str| line.starts_with('#');
    let mut lines = REFERENCE.lines();
    lines
        .by_ref()
        .find(|line| line.trim_start_matches('#').trim() == heading)
        .unwrap_or_else(|| panic!("no heading {heading:?}"));
    let rows = lines.take_while(|line| !is_heading(line));
    rows.filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [key, kind, default, _] = cells[..] else {
                panic!("{line:?} has no four cells");
            };
            Row {
                key: key.trim_matches('`').to_owned(),
                kind: kind.to_owned(),
                default: default.to_owned(),
            }
        })
        .collect()
}

fn read(text: &str) -> Result<Config, String> {
    load(Form::GatewayToml, text)
}

/// What is said to be known, in place of nonsense.
fn known(said: &str) -> BTreeSet<String> {
    let mut lines = said.lines().filter(|line| line.contains(NONSENSE));
    let list = lines.find_map(|line| Some(line.split_once("known: ")?.1));
    let list = list.unwrap_or_else(|| panic!("{said}"));
    list.split(", ").map(str::to_owned).collect()
}

/// What is said where a key has this value, in any of the frames.
fn said(frames: &[&str], key: &str, value: &str) -> String {
    let has_not = |frame: &&&str| !frame.contains(&format!("{key} ="));
    let errors = frames.iter().filter(has_not).map(|frame| {
        let text = format!("{frame}{key} = {value}\n");
        read(&text).err().unwrap_or_default() + "\n"
    });
    errors.collect()
}

#[test]
fn the_reference_has_every_key_and_no_other() {
    for (heading, frames) in tables() {
        let written: BTreeSet<_> = rows(heading).into_iter().map(|row| row.key).collect();
        let known: BTreeSet<_> = frames
            .iter()
            .flat_map(|frame| known(&read(&format!("{frame}{NONSENSE} = 1\n")).unwrap_err()))
            .collect();
        assert_eq!(written, known, "{heading}");
    }
}

/// So no table of fixed keys is overlooked.
#[test]
fn the_reference_has_every_table() {
    for (heading, frames) in tables() {
        for row in rows(heading) {
            let key = &row.key;
            let has_its_own = tables().any(|(other, _)| {
                other
                    .trim_end_matches(['`', ']'])
                    .ends_with(&format!(".{key}"))
                    || other.trim_matches(['`', '[', ']']) == key
            });
            let nested = format!("{{ {NONSENSE} = {{ {NONSENSE} = 1 }} }}");
            let has_keys =
                said(frames, key, &nested).contains(&format!("unknown key \"{NONSENSE}\""));
            match row.kind.as_str() {
                "table" => assert!(has_keys && has_its_own, "{heading} {key}"),
                "table of servers" | "table of origins" => assert!(has_keys, "{heading} {key}"),
                _ => assert!(!has_keys, "{heading} {key} is a table"),
            }
        }
    }
}

#[test]
fn types_choices_and_bounds_are_as_the_reference_says() {
    for (heading, frames) in tables() {
        for row in rows(heading) {
            let (key, kind) = (&row.key, row.kind.as_str());
            let (word, bounds) = kind.split_once(", ").unwrap_or((kind, ""));
            let (value, expected) = match word {
                "boolean" => ("1", "must be true or false".to_owned()),
                "text" => ("1", "must be a string".to_owned()),
                "list of texts" | "list of tables" => ("1", "must be a list".to_owned()),
                "duration" => ("\"99999999d\"", format!("it can be {bounds}\n")),
                "size" => ("\"99999999GiB\"", format!("it can be {bounds}\n")),
                "number" => ("4294967295", format!("it can be {bounds}\n")),
                // A list does as well.
                "table of origins" => ("1", "must be a list".to_owned()),
                word if word.starts_with("table") => ("1", "must be a table".to_owned()),
                choices => {
                    assert!(choices.starts_with("`\""), "{heading} {key}: {kind}");
                    let written = kind.replace(['`', '"'], "");
                    let written: BTreeSet<_> = written.split(", ").map(str::to_owned).collect();
                    let said = said(frames, key, &format!("\"{NONSENSE}\""));
                    assert_eq!(written, known(&said), "{heading} {key}");
                    continue;
                }
            };
            let said = said(frames, key, value);
            assert!(
                said.contains(&expected),
                "{heading} {key}: {expected}: {said}"
            );
        }
    }
}

/// A file that says what holds anyway is the same as one that says nothing.
#[test]
fn defaults_are_as_the_reference_says() {
    for (heading, frames) in tables() {
        let frame = frames.last().unwrap();
        let without = read(frame).unwrap();
        for row in rows(heading) {
            let key = &row.key;
            let literal = row
                .default
                .strip_prefix('`')
                .and_then(|text| text.strip_suffix('`'));
            let fixed = ["boolean", "duration", "size", "number", "`"];
            let Some(literal) = literal.filter(|_| fixed.iter().any(|it| row.kind.starts_with(it)))
            else {
                continue;
            };
            if literal == "request_timeout" {
                continue;
            }
            let mut with = read(&format!("{frame}{key} = {literal}\n")).unwrap();
            with.source.clone_from(&without.source);
            assert_eq!(
                format!("{with:?}"),
                format!("{without:?}"),
                "{heading} {key}"
            );
        }
    }
}

#[test]
fn the_examples_of_the_reference_are_read() {
    let blocks: Vec<_> = REFERENCE.split("```toml\n").skip(1).collect();
    assert!(blocks.len() > 5);
    for block in blocks {
        let text = block
            .split("```")
            .next()
            .unwrap()
            .replace("\"pii\"", "\"basic\"");
        read(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    }
}
