//! What stands around a name of a person, and how much surer or less sure that makes it.

use super::cue::Cues;
use super::name::Names;

/// How much surer what is said before it makes a name.
pub(super) fn before(text: &str, cues: &Cues<'_>, names: &Names, start: usize, end: usize) -> f32 {
    let mut from = start.saturating_sub(32);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let head = text.get(from..start).unwrap_or_default();
    let trimmed = head.trim_end_matches([' ', '"', '\'', '\t', '`', '\\', '\n']);
    if let Some((column, cell)) = cues.column(start)
        && text
            .get(cell..start)
            .is_some_and(|it| it.trim_matches([' ', '"']).is_empty())
    {
        return named(names, column);
    }
    if let Some(key) = trimmed.strip_suffix([':', '=']) {
        return named(names, key.trim_end_matches(['"', '\'', ' ', '*', '`']));
    }
    if let Some(name) = element(trimmed) {
        return named(names, name);
    }
    let whole =
        start == 0 && end == text.len() || trimmed.is_empty() && start < 8 && text.len() <= 64;
    if whole {
        return named(names, cues.key());
    }
    let said = names
        .said(trimmed)
        .iter()
        .filter(|(said, _)| ends_with_word(trimmed, said));
    said.map(|(_, surer)| *surer).fold(0.0, f32::max)
}

/// The name of the element of XML whose text begins here.
fn element(before: &str) -> Option<&str> {
    let (_, tag) = before.strip_suffix('>')?.rsplit_once('<')?;
    let name = tag.split(' ').next()?;
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        .then_some(name)
}

/// How much surer the name of a value makes a name of a person.
fn named(names: &Names, key: &str) -> f32 {
    let letters = |c: &char| c.is_ascii_alphanumeric();
    let line = key
        .rsplit(['\n', ',', '{', '|', ';'])
        .next()
        .unwrap_or_default();
    let key: String = line.chars().filter(letters).collect();
    let lower = key.to_ascii_lowercase();
    // Whatever has a name has one of these; in a form it begins with a capital.
    if lower == "name" {
        return if key == "Name" { 0.25 } else { 0.2 };
    }
    let known = names
        .cues
        .keys
        .iter()
        .find(|known| lower.ends_with(known.as_str()));
    match known.map(String::as_str) {
        Some("name") | None => 0.0,
        Some("to" | "from" | "owner" | "username" | "client" | "lead") => 0.25,
        Some(_) => 0.4,
    }
}

/// How much surer what follows it makes a name.
pub(super) fn behind(text: &str, names: &Names, end: usize) -> f32 {
    let rest = text.get(end..).unwrap_or_default();
    if rest.starts_with("'s ") {
        return 0.1;
    }
    let next = rest
        .strip_prefix(' ')
        .and_then(|rest| rest.split(|c: char| !c.is_alphanumeric()).next());
    if next.is_some_and(|next| {
        names
            .cues
            .firms
            .iter()
            .any(|firm| firm.eq_ignore_ascii_case(next))
    }) {
        return -0.3;
    }
    if let Some(address) = rest.strip_prefix(" <").or_else(|| rest.strip_prefix(" (")) {
        let close = address
            .bytes()
            .take(80)
            .position(|byte| byte == b'>' || byte == b')');
        let inside = close.and_then(|at| address.get(..at)).unwrap_or_default();
        return if inside.contains('@') { 0.4 } else { 0.0 };
    }
    let Some(rest) = rest.strip_prefix(' ') else {
        return 0.0;
    };
    let does = names.cues.does.iter().find(|(does, _)| {
        let behind = rest.strip_prefix(does);
        behind.is_some_and(|behind| !behind.starts_with(|c: char| c.is_alphanumeric()))
    });
    does.map_or(0.0, |(_, surer)| *surer)
}

/// Whether a name is that of a saint, of whom places are called: it begins or stands behind such a word.
pub(super) fn is_saint(text: &str, names: &Names, start: usize, first: &str) -> bool {
    let before = match text.get(..start).is_some_and(|it| it.ends_with(' ')) {
        true => word_before(head(text, start)),
        false => "",
    };
    // All of them begin like this.
    let may_be = |word: &str| word.starts_with(['S', 's']);
    if !may_be(first) && !may_be(before) {
        return false;
    }
    let saints = &names.cues.saints;
    saints
        .iter()
        .any(|it| it.eq_ignore_ascii_case(first) || it.eq_ignore_ascii_case(before))
}

/// How much less sure a name is that stands in the address of a house.
pub(super) fn addressed(text: &str, names: &Names, start: usize, end: usize) -> f32 {
    let head = head(text, start);
    let word = word_before(head);
    let street = names
        .cues
        .streets
        .iter()
        .any(|it| it.eq_ignore_ascii_case(word));
    let numbered = head.ends_with(|c: char| c.is_ascii_digit());
    let rest = text.get(end..).unwrap_or_default();
    let number = rest
        .strip_prefix(' ')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if street {
        0.4
    } else {
        0.2 * f32::from(u8::from(numbered) + u8::from(number))
    }
}

/// What stands before a name, without what is between them.
fn head(text: &str, start: usize) -> &str {
    let mut from = start.saturating_sub(16);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let head = text.get(from..start).unwrap_or_default();
    head.trim_end_matches([' ', '.'])
}

fn word_before(head: &str) -> &str {
    let word = head.rsplit([' ', '\n', ',', '"', '\'', '(', '|']).next();
    word.unwrap_or_default()
}

/// Whether a text ends with these words, in whatever case.
fn ends_with_word(text: &str, words: &str) -> bool {
    let Some((head, tail)) = text
        .len()
        .checked_sub(words.len())
        .and_then(|at| text.split_at_checked(at))
    else {
        return false;
    };
    tail.eq_ignore_ascii_case(words) && !head.ends_with(|c: char| c.is_alphanumeric())
}
