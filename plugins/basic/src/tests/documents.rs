//! Masked documents stay documents: a thousand results in JSON with secrets of all rules at random places.

use serde_json::{Map, Value, json};

use super::{BASIC, masked, used};
use crate::scanner::Search;
use crate::table::{Check, Row};

/// So many documents are made.
const DOCUMENTS: usize = 1_000;

/// Draws by lot; the same seed draws the same ones.
struct Lot(u64);

impl Lot {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn value(&mut self, secret: &str, depth: usize) -> Value {
        match self.below(if depth == 0 { 6 } else { 8 }) {
            0 => json!(self.below(100_000)),
            1 => json!("ein Wörtchen 秘, \"quoted\" \\ and\nmore"),
            2 => json!(format!("see {secret} there")),
            3 => json!(secret),
            4 => json!(json!({"inner": [secret, 1.50, null]}).to_string()),
            5 => json!(json!({"deep": json!([secret]).to_string()}).to_string()),
            6 => (0..self.below(4))
                .map(|_| self.value(secret, depth - 1))
                .collect(),
            _ => {
                let mut members = Map::new();
                for number in 0..=self.below(4) {
                    members.insert(format!("member{number}"), self.value(secret, depth - 1));
                }
                Value::Object(members)
            }
        }
    }
}

/// A secret of a row as it stands in a text.
fn secret(row: &Row, seed: usize) -> String {
    let samples = &row.samples;
    let drawn = Row {
        id: format!("{}{seed}", row.id),
        ..row.clone()
    };
    crate::sample(&drawn, &samples[seed % samples.len()])
}

/// What is secret in a text, whatever stands around it.
fn hidden(text: &str) -> Vec<String> {
    let search = Search {
        mask: &|rule, _| rule.replacement.clone(),
        off: &[],
        allowed: &[],
    };
    BASIC.with(|basic| {
        let found = basic.0.scanner.scan(text, &search);
        found.into_iter().map(|found| found.secret).collect()
    })
}

/// Every string of a document, and of the documents that are strings in it.
fn strings(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            if let Ok(inner @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text) {
                strings(&inner, all);
            }
            all.push(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| strings(item, all)),
        Value::Object(members) => members.values().for_each(|member| strings(member, all)),
        _ => {}
    }
}

#[test]
fn a_masked_document_is_a_document_without_secrets_and_stays_as_it_is() {
    let rows: Vec<_> = used()
        .into_iter()
        .filter(|row| row.check != Some(Check::Manifest))
        .collect();
    let (mut with_secrets, mut wrong) = (0, Vec::new());
    for number in 0..DOCUMENTS {
        let row = &rows[number % rows.len()];
        let secret = secret(row, number);
        let mut lot = Lot(0x9e37_79b9 + number as u64);
        let document = json!({"first": lot.value(&secret, 3), "second": lot.value(&secret, 3)});
        let before = document.to_string();
        let after = masked(&before);
        with_secrets += usize::from(after != before);
        let Ok(read) = serde_json::from_str::<Value>(&after) else {
            wrong.push(format!("{}: no JSON any more: {after}", row.id));
            continue;
        };
        let mut said = Vec::new();
        strings(&read, &mut said);
        let hidden = hidden(&secret);
        assert!(!hidden.is_empty(), "{}: {secret}", row.id);
        if hidden
            .iter()
            .any(|it| said.iter().any(|said| said.contains(it)))
        {
            wrong.push(format!("{}: seen: {before}: {after}", row.id));
        }
        if masked(&after) != after {
            wrong.push(format!("{}: masked twice: {after}", row.id));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {DOCUMENTS}: {wrong:#?}",
        wrong.len()
    );
    assert!(with_secrets > DOCUMENTS / 2, "{with_secrets} have any");
}
