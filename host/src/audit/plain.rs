//! Recorded content on its way to a terminal or a file that a person opens: what
//! servers and models wrote must not be able to move the cursor, recolour the
//! screen, or turn the direction of what stands beside it.

use std::borrow::Cow;

/// The text with everything that a terminal would act upon written out, such as
/// `\u{1b}`. Line breaks and tabs stay.
pub(super) fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c != '\n' && c != '\t')
}

/// The same for one line: line breaks are written out, too.
pub(super) fn line(text: &str) -> Cow<'_, str> {
    escaped(text, |_| true)
}

/// JSON with everything of that kind as an escape of JSON's own, so that it
/// stays the same value. What stands outside of strings is never of that kind.
pub(super) fn json(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| acts(c) && c != '\n') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if acts(c) && c != '\n' {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

fn escaped(text: &str, also: impl Fn(char) -> bool) -> Cow<'_, str> {
    let acts = |c: char| acts(c) && also(c);
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if acts(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Control characters of both sets, separators of lines, and what changes the
/// direction of text or cannot be seen at all.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NASTY: &str = "a\u{1b}[2Jb\u{9b}31mc\u{202e}d\u{7}\r\ne\u{7f}\tf";

    #[test]
    fn nothing_that_a_terminal_acts_upon_is_left() {
        assert_eq!(
            line(NASTY),
            r"a\u{1b}[2Jb\u{9b}31mc\u{202e}d\u{7}\r\ne\u{7f}\tf"
        );
        assert_eq!(
            lines(NASTY),
            "a\\u{1b}[2Jb\\u{9b}31mc\\u{202e}d\\u{7}\\r\ne\\u{7f}\tf"
        );
        assert!(matches!(line("plain tëxt 日本"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_stays_the_same_value() {
        let value = serde_json::json!({ "text": NASTY, "tag": "\u{e0041}" });
        let text = value.to_string();
        let plain = json(&text);
        assert!(!plain.chars().any(acts), "{plain}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&plain).unwrap(),
            value
        );
    }
}
