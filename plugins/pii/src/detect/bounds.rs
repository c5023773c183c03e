//! Where values begin and end.

/// The byte at an index; zero where there is none.
pub(super) fn byte(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or_default()
}

/// The byte before an index; zero where there is none.
pub(super) fn before(bytes: &[u8], at: usize) -> u8 {
    at.checked_sub(1).map_or(0, |at| byte(bytes, at))
}

/// Whether nothing before it belongs to what starts here: no letter, no digit, no part of a longer number or identifier.
pub(super) fn is_alone(bytes: &[u8], start: usize) -> bool {
    let last = before(bytes, start);
    let earlier = start.checked_sub(1).map_or(0, |at| before(bytes, at));
    let joined = b"-./_:+".contains(&last) && earlier.is_ascii_alphanumeric();
    !(last.is_ascii_alphanumeric() || last == b'_' || last >= 0x80 && is_letter(bytes, start))
        && (!joined || last == b':' && !earlier.is_ascii_digit())
}

/// Whether a letter ends here, of a script that has blanks between its words.
fn is_letter(bytes: &[u8], end: usize) -> bool {
    let from = end.saturating_sub(4);
    let tail = String::from_utf8_lossy(bytes.get(from..end).unwrap_or_default()).into_owned();
    tail.chars().next_back().is_some_and(in_words)
}

/// Whether a character is a part of a word that has blanks around it: no Thai, Chinese, Japanese or Korean.
fn in_words(character: char) -> bool {
    let joined = matches!(character, '\u{e00}'..='\u{e7f}' | '\u{1100}'..='\u{11ff}' | '\u{3040}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}');
    character.is_alphanumeric() && !joined
}

/// Whether nothing behind it belongs to what ends here.
pub(super) fn is_over(bytes: &[u8], end: usize) -> bool {
    let next = byte(bytes, end);
    let later = byte(bytes, end + 1);
    let goes_on = match next {
        b'-' | b'/' => later.is_ascii_alphanumeric(),
        b'.' | b',' | b':' => later.is_ascii_digit() && !is_whole(bytes, end),
        _ => next.is_ascii_alphanumeric() || next == b'_',
    };
    !goes_on
}

/// Whether what ends here is a whole number that a program wrote with a point: `4111111111111111.0`.
pub(super) fn is_whole(bytes: &[u8], end: usize) -> bool {
    let behind = byte(bytes, end + 2);
    byte(bytes, end) == b'.'
        && byte(bytes, end + 1) == b'0'
        && !(behind.is_ascii_alphanumeric() || b"._-".contains(&behind))
}

/// The digits of a text.
pub(super) fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Whether a word starts here, as `\b` of most expressions has it.
pub(super) fn is_word_start(text: &str, start: usize) -> bool {
    let before = text.get(..start).and_then(|it| it.chars().next_back());
    !before.is_some_and(|it| it == '_' || in_words(it))
}

/// Whether a word ends here, as `\b` of most expressions has it.
pub(super) fn is_word_end(text: &str, end: usize) -> bool {
    let next = text.get(end..).and_then(|it| it.chars().next());
    !next.is_some_and(|it| it == '_' || in_words(it))
}
