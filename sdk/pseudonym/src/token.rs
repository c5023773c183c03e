//! What tokens look like, and where they are in a text.
//!
//! `<PERSON_7K3QXM>`: a label, and digits of Crockford's base32, at least one of them
//! from 0 to 9, so that no two English words are one. `<PERSON_E1_…>` holds its value
//! encrypted, with the version of the key. Either is known again in any case, and with
//! its brackets written as URLs, HTML and JSON have them.

use std::ops::Range;

use crate::base32;

/// Digits of a token, from which there may be more if others have the first ones.
pub(crate) const LENGTHS: [usize; 4] = [6, 8, 10, 13];

/// What an encrypted value begins with, before the digits.
const ENCRYPTED: &str = "E1";

/// A token in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// Where it is, with its brackets.
    pub(crate) range: Range<usize>,
    /// Its label and its digits, in upper case.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) brackets: Brackets,
}

/// What is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name for what is kept elsewhere.
    Name,
    /// Label and ciphertext.
    Encrypted(String, Vec<u8>),
}

/// How its brackets are written, which says what else is written so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Brackets {
    /// `<` and `>`.
    Plain,
    /// `%3C`, or `%253C` where it was done twice.
    Percent { twice: bool },
    /// `&lt;` or `&#60;`.
    Html,
    /// `\u003c`.
    Json,
    /// Left out.
    None,
}

/// A token for what is kept elsewhere.
pub(crate) fn of_name(name: &str) -> String {
    format!("<{name}>")
}

/// What a token's value is kept under.
pub(crate) fn key(name: &str) -> String {
    format!("t/{name}")
}

/// A token that holds its value.
pub(crate) fn of_ciphertext(label: &str, ciphertext: &[u8]) -> String {
    format!("<{label}_{ENCRYPTED}_{}>", base32::encode(ciphertext))
}

/// The first digits of these that a token can have.
pub(crate) fn digits(of: &[u8]) -> String {
    let all = base32::encode(of);
    let windows = (0..all.len()).filter_map(|start| all.get(start..start + LENGTHS[0]));
    let mut fit = windows.filter(|digits| is_name(digits));
    // Of 51 digits some six fit but once in 10^40 times.
    fit.next().unwrap_or("000000").to_owned()
}

/// All tokens with these labels in a text, from left to right.
pub(crate) fn find(text: &str, labels: &dyn Fn(&str) -> bool) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::new();
    for body in bodies(text) {
        let Some((body, name, kind)) = parse(text, body, labels) else {
            continue;
        };
        let brackets = BRACKETS.iter().find_map(|(open, close, brackets)| {
            let start = ends_with(text.get(..body.start)?, open)?;
            let end = body.end + starts_with(text.get(body.end..)?, close)?;
            Some((start..end, *brackets))
        });
        let (range, brackets) = brackets.unwrap_or((body, Brackets::None));
        if found
            .last()
            .is_none_or(|last| last.range.end <= range.start)
        {
            found.push(Token {
                range,
                name,
                kind,
                brackets,
            });
        }
    }
    found
}

/// Pairs of brackets in lower case; those that others end in come later.
const BRACKETS: [(&str, &str, Brackets); 8] = [
    ("<", ">", Brackets::Plain),
    ("%3c", "%3e", Brackets::Percent { twice: false }),
    ("%253c", "%253e", Brackets::Percent { twice: true }),
    ("&lt;", "&gt;", Brackets::Html),
    ("&#60;", "&#62;", Brackets::Html),
    ("&#x3c;", "&#x3e;", Brackets::Html),
    ("\\u003c", "\\u003e", Brackets::Json),
    // As some models write what they take for a tag.
    ("\\<", "\\>", Brackets::Plain),
];

/// Runs of the characters that tokens are made of; an underscore may have a backslash before it, as markdown has it.
fn bodies(text: &str) -> impl Iterator<Item = Range<usize>> {
    let is_body = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(at..)?;
        let start = at + rest.iter().position(is_body)?;
        at = start;
        loop {
            let rest = bytes.get(at..)?;
            let length = rest.iter().position(|byte| !is_body(byte));
            at += length.unwrap_or(rest.len());
            match bytes.get(at..) {
                Some([b'\\', b'_', ..]) => at += 1,
                _ => return Some(start..at),
            }
        }
    })
}

/// What a run says, if it is a token; without what of the brackets is in it.
fn parse(
    text: &str,
    body: Range<usize>,
    labels: &dyn Fn(&str) -> bool,
) -> Option<(Range<usize>, String, Kind)> {
    let run = text.get(body.clone())?;
    let (front, digits) = run.rsplit_once('_')?;
    if !base32::is_one(digits) {
        return None;
    }
    let before = text.get(..body.start)?;
    // The last characters of an opening bracket may be of those that bodies are of.
    let opening = BRACKETS.iter().filter_map(|(open, ..)| {
        let inside = open.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        let outside = open.strip_suffix(inside)?;
        let is_open = !inside.is_empty()
            && starts_with(front, inside).is_some()
            && ends_with(before, outside).is_some();
        is_open.then_some(inside.len())
    });
    let skip = opening.max().unwrap_or(0);
    let front = front.get(skip..)?.replace('\\', "").to_ascii_uppercase();
    let range = body.start + skip..body.end;
    let digits = digits.to_ascii_uppercase();
    if let Some(label) = front.strip_suffix(ENCRYPTED) {
        let label = label.strip_suffix('_')?;
        let ciphertext = base32::decode(&digits)?;
        let name = format!("{front}_{digits}");
        return labels(label).then(|| (range, name, Kind::Encrypted(label.to_owned(), ciphertext)));
    }
    let is_token = is_name(&digits) && LENGTHS.contains(&digits.len()) && labels(&front);
    is_token.then(|| (range, format!("{front}_{digits}"), Kind::Name))
}

fn is_name(digits: &str) -> bool {
    digits.bytes().any(|digit| digit.is_ascii_digit())
}

/// Where a text ends with another, in any case.
fn ends_with(text: &str, end: &str) -> Option<usize> {
    let start = text.len().checked_sub(end.len())?;
    let is_end = text.get(start..)?.eq_ignore_ascii_case(end);
    is_end.then_some(start)
}

/// The length of another text that this begins with, in any case.
fn starts_with(text: &str, start: &str) -> Option<usize> {
    let is_start = text.get(..start.len())?.eq_ignore_ascii_case(start);
    is_start.then_some(start.len())
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&str, String, Brackets)> {
        let labels = |label: &str| ["PERSON", "EMAIL_ADDRESS"].contains(&label);
        let tokens = find(text, &labels).into_iter();
        let tokens = tokens.map(|token| (&text[token.range], token.name, token.brackets));
        tokens.collect()
    }

    fn is_found(text: &str, token: &str, brackets: Brackets) {
        let name = "PERSON_7K3QXM".to_owned();
        assert_eq!(found(text), [(token, name, brackets)], "{text}");
    }

    #[test]
    fn a_token_is_known_however_it_is_written() {
        let percent = Brackets::Percent { twice: false };
        let twice = Brackets::Percent { twice: true };
        for (token, brackets) in [
            ("<PERSON_7K3QXM>", Brackets::Plain),
            ("<person_7k3qxm>", Brackets::Plain),
            ("<Person_7K3qxM>", Brackets::Plain),
            ("%3CPERSON_7K3QXM%3E", percent),
            ("%3cperson_7k3qxm%3e", percent),
            ("%253CPERSON_7K3QXM%253E", twice),
            ("&lt;PERSON_7K3QXM&gt;", Brackets::Html),
            ("&#60;PERSON_7K3QXM&#62;", Brackets::Html),
            ("&#x3C;PERSON_7K3QXM&#x3E;", Brackets::Html),
            ("\\u003cPERSON_7K3QXM\\u003e", Brackets::Json),
            ("<PERSON\\_7K3QXM>", Brackets::Plain),
            ("PERSON_7K3QXM", Brackets::None),
        ] {
            is_found(token, token, brackets);
            is_found(&format!("é {token}, x"), token, brackets);
            is_found(&format!("(\"{token}\")"), token, brackets);
        }
        is_found(
            "https://x/?n=%3CPERSON_7K3QXM%3E&k=v",
            "%3CPERSON_7K3QXM%3E",
            percent,
        );
    }

    #[test]
    fn what_only_looks_like_a_token_is_none() {
        for text in [
            "<PERSON_FATHER>",
            "<PERSON_NAME>",
            "<PERSON_7K3QX>",
            "<PERSON_7K3QXU>",
            "<PLACE_7K3QXM>",
            "<PERSON>",
            "PERSON_",
            "_7K3QXM",
            "<PERSON_E1_0>",
            "%3C",
            "",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn several_are_found_side_by_side() {
        let text = "<PERSON_7K3QXM><EMAIL_ADDRESS_00000000>PERSON_7K3QXM";
        let names: Vec<String> = found(text).into_iter().map(|(_, name, _)| name).collect();
        assert_eq!(
            names,
            ["PERSON_7K3QXM", "EMAIL_ADDRESS_00000000", "PERSON_7K3QXM"]
        );
    }

    #[test]
    fn digits_have_one_from_0_to_9() {
        for n in 0..200_u8 {
            let digits = digits(&[n; 32]);
            assert!(is_name(&digits) && digits.len() == 6, "{digits}");
        }
    }

    #[test]
    fn ciphertext_comes_back() {
        let text = of_ciphertext("PERSON", &[1, 2, 3, 255]);
        let labels = |label: &str| label == "PERSON";
        let [token] = &find(&text.to_lowercase(), &labels)[..] else {
            panic!("{text}");
        };
        let kind = Kind::Encrypted("PERSON".into(), vec![1, 2, 3, 255]);
        assert_eq!((&token.kind, &token.range), (&kind, &(0..text.len())));
    }
}
