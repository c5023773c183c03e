//! Disguises that an attacker may put over an attack.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::translate::translate;

/// A disguise, and its name.
pub(crate) type Disguise = (&'static str, fn(&str) -> String);

/// The disguises.
pub(crate) const MUTATIONS: [Disguise; 9] = [
    ("case", |text| {
        let odd = |(index, letter): (usize, char)| match index % 2 {
            0 => letter.to_ascii_uppercase(),
            _ => letter.to_ascii_lowercase(),
        };
        text.chars().enumerate().map(odd).collect()
    }),
    ("zero-width", |text| {
        text.chars()
            .flat_map(|letter| [letter, '\u{200b}'])
            .collect()
    }),
    ("homoglyph", |text| {
        let alike = |letter| match letter {
            'a' => 'а',
            'c' => 'с',
            'e' => 'е',
            'i' => 'і',
            'o' => 'о',
            'p' => 'р',
            other => other,
        };
        text.chars().map(alike).collect()
    }),
    ("leet", |text| {
        let digit = |letter| match letter {
            'o' => '0',
            'i' => '1',
            'e' => '3',
            'a' => '4',
            's' => '5',
            other => other,
        };
        text.chars().map(digit).collect()
    }),
    ("base64", |text| {
        format!("See below.\n{}\n", STANDARD.encode(text))
    }),
    ("comment", |text| {
        format!("<p>Welcome.</p>\n<!-- {text} -->\n<p>Bye.</p>")
    }),
    ("json", |text| {
        format!("{{\"page\": {}}}", serde_json::Value::from(text))
    }),
    ("translated", translate),
    ("split", |text| {
        // Two blocks of content are read with a line between them.
        let half = text
            .char_indices()
            .nth(text.chars().count() / 2)
            .map_or(0, |(at, _)| at);
        let space = text
            .get(half..)
            .and_then(|rest| rest.find(' '))
            .map_or(half, |at| half + at);
        let (one, other) = text.split_at(space);
        format!("{one}\n{}", other.trim_start())
    }),
];
