//! What the value of a name looks like that is personal.

use std::ops::Range;

use super::is_mark;
use crate::detect::name::{Known, Names};

/// What stands where nobody is named.
const NOBODY: &[&str] = &[
    "none",
    "null",
    "nil",
    "true",
    "false",
    "unknown",
    "anonymous",
    "undefined",
    "string",
    "text",
    "varchar",
    "admin",
    "root",
    "system",
    "guest",
    "test",
    "default",
    "nobody",
    "everyone",
    "unassigned",
    "n/a",
    "required",
    "optional",
    "integer",
    "number",
    "boolean",
    "char",
    "str",
    "self",
    "this",
];

/// Whether a text may be the value of a name that says something, as far as its first character tells.
pub(super) fn may_be(value: &str) -> bool {
    let first = value.chars().next();
    first.is_some_and(|c| {
        c.is_uppercase()
            || c.is_ascii_digit()
            || c == '+'
            || c == '('
            || !c.is_ascii()
            || particle(value)
    }) && value.len() >= 3
}

fn particle(value: &str) -> bool {
    value
        .split_once(' ')
        .is_some_and(|(first, rest)| first.len() <= 3 && rest.starts_with(char::is_uppercase))
}

/// The part of a value that is the name of a person. Where it may be something else, all words of it have to look like
/// those of names.
pub(super) fn person(value: &str, names: &Names, certain: bool) -> Option<Range<usize>> {
    let title = |word: &str| {
        let word = word.trim_end_matches('.');
        names.cues.titles.iter().any(|title| title == word)
    };
    let start = match value.split_once(' ') {
        Some((first, rest)) if title(first) => value.len() - rest.len(),
        _ => 0,
    };
    let name = value.get(start..)?;
    if name.len() > 80 || !name.chars().all(|c| is_letter(c) || " -'.,·".contains(c)) {
        return None;
    }
    let (mut count, mut alike, mut longest) = (0, 0, 0);
    for word in name.split([' ', ',', '·']).filter(|word| !word.is_empty()) {
        count += 1;
        longest = longest.max(word.trim_end_matches('.').chars().count());
        let small = word.starts_with(|c: char| c.is_lowercase());
        let particle = names.cues.particles.iter().any(|it| it == word) || word.contains('\'');
        if small && !particle {
            // `anna keller`, but no sentence.
            let known = names.known(word);
            if !certain || !(known.is(Known::GIVEN) || known.is(Known::FAMILY)) {
                return None;
            }
        }
        let known = names.known(word);
        alike += usize::from(known == Known::WORD || is_code(word));
        if !certain && (known == Known::WORD || is_firm(word, names) || is_code(word)) {
            return None;
        }
        if word.contains('.') && !word.ends_with('.') && word.len() > 6 {
            return None;
        }
    }
    let nobody = NOBODY.iter().any(|it| it.eq_ignore_ascii_case(name));
    let script = name.chars().any(|c| c >= '\u{2e80}');
    let short = longest < 2 && !script;
    let most = if certain { 7 } else { 5 };
    if nobody || short || count > most || alike == count {
        return None;
    }
    if !certain {
        let known = names.known(name);
        let is_one = known != Known::NOTHING || names.ends_like_one(name);
        // Of a script without capitals only what is as short as a name.
        let sized = match script {
            true => (2..=12).contains(&name.chars().count()),
            false => count > 1 || is_one || !name.is_ascii(),
        };
        if !sized {
            return None;
        }
    }
    Some(start..value.len())
}

/// Whether a word is an abbreviation or an identifier.
fn is_code(word: &str) -> bool {
    let capitals = word.chars().filter(|c| c.is_uppercase()).count();
    let shouted = capitals > 1 && capitals == word.chars().count();
    let within = word
        .chars()
        .skip(4)
        .zip(word.chars().skip(3))
        .any(|(c, before)| c.is_uppercase() && before.is_lowercase());
    shouted && word.len() < 4 || within
}

fn is_firm(word: &str, names: &Names) -> bool {
    let word = word.trim_matches(['.', ',']);
    names
        .cues
        .firms
        .iter()
        .any(|firm| firm.eq_ignore_ascii_case(word))
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() || is_mark(c) || c == '々'
}

/// Whether a value is the address of a house, where its name says so.
pub(super) fn is_street(value: &str) -> bool {
    let words = value.split_whitespace().count();
    let capital = value
        .chars()
        .any(|c| c.is_uppercase() || c >= '\u{590}' && is_letter(c));
    let numbered = value.bytes().any(|byte| byte.is_ascii_digit());
    is_postal(value)
        && capital
        && (numbered || words > 1 || !value.is_ascii())
        && value.chars().count() >= 4
}

/// Whether it is one for certain: it has the number of a house, and a word.
pub(super) fn is_house(value: &str) -> bool {
    let number = |word: &str| {
        let word = word.trim_matches([',', '.', '#', '(', ')']);
        let digits = word.bytes().take_while(u8::is_ascii_digit).count();
        (1..=5).contains(&digits) && word.len() <= digits + 6
    };
    let word = |word: &str| {
        word.chars().filter(|c| is_letter(*c)).count() >= 3
            && word.starts_with(|c: char| c.is_uppercase() || !c.is_ascii())
    };
    let words = || value.split([' ', ',']);
    let far =
        value.chars().any(|c| c >= '\u{2e80}') && value.bytes().any(|byte| byte.is_ascii_digit());
    is_postal(value) && (words().any(number) && words().any(word) || far)
}

/// Whether a value has nothing in it that addresses of houses have not.
fn is_postal(value: &str) -> bool {
    let plain = |c: char| is_letter(c) || c.is_ascii_digit() || " ,.-/#'()&:;№º°\u{a0}".contains(c);
    let letters = value.chars().filter(|c| is_letter(*c)).count();
    value.len() <= 160 && letters >= 2 && value.chars().all(plain) && !value.contains("://")
}

/// Whether a value is a day.
pub(super) fn is_day(value: &str) -> bool {
    if value.len() > 48 {
        return false;
    }
    let plain = |c: char| is_letter(c) || c.is_ascii_digit() || " .,-/:+'年月日".contains(c);
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let numbers: Vec<&str> = value
        .split(|c: char| !c.is_ascii_digit())
        .filter(|it| !it.is_empty())
        .collect();
    let year = |it: &&str| it.len() == 4 && ("1880".."2100").contains(it);
    let long = |it: &&str| {
        it.len() == 8
            && (it.starts_with("19")
                || it.starts_with("20")
                || it.get(4..).is_some_and(|it| year(&it)))
    };
    let short = numbers.len() == 3 && numbers.iter().all(|it| it.len() <= 2) && value.len() <= 10;
    let words = value.split_whitespace().count();
    value.chars().all(plain)
        && (4..=20).contains(&digits)
        && words <= 6
        && (numbers.iter().any(year) && (numbers.len() >= 2)
            || numbers.len() == 1 && numbers.iter().any(long)
            || short)
}

/// Whether a value is the number of a telephone.
pub(super) fn is_phone(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let plain = |c: char| c.is_ascii_digit() || " +-./()x#".contains(c);
    let start = value.strip_prefix("tel:").unwrap_or(value);
    let number = start.split(" ext").next().unwrap_or_default();
    (6..=18).contains(&digits) && value.len() <= 32 && number.chars().all(plain) && !is_day(value)
}

/// Whether a value is the number of a card.
pub(super) fn is_card(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    (12..=19).contains(&digits)
        && value
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b' ' || byte == b'-')
}

/// Whether a value is a number that a state gave somebody.
pub(super) fn is_number(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b" .-/+".contains(&byte);
    let groups = value.split([' ', '-', '.', '/']).count();
    digits >= 4
        && (6..=20).contains(&value.len())
        && groups <= 6
        && value.bytes().all(plain)
        && !value.bytes().any(|byte| byte.is_ascii_lowercase())
}
