//! What is different about a definition, for a person to judge.

use diffy::DiffOptions;
use serde_json::Value;

/// The difference between two definitions.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// The members that differ.
    pub(super) members: Vec<String>,
    /// The lines, with what came and what went.
    pub(super) lines: Vec<String>,
}

impl Difference {
    /// Between what was approved, if anything was, and what is now; both are JSON.
    pub(super) fn between(approved: Option<&str>, now: &str) -> Self {
        let (before, after) = (parsed(approved.unwrap_or("null")), parsed(now));
        let names = |value: &Value| -> Vec<String> {
            let members = value.as_object();
            members
                .map(|it| it.keys().cloned().collect())
                .unwrap_or_default()
        };
        let mut members = names(&before);
        members.extend(names(&after));
        members.sort();
        members.dedup();
        members.retain(|name| before.get(name) != after.get(name));
        let text = |value: &Value| match value {
            Value::Null => String::new(),
            // Instructions are nothing but a text, which has lines of its own.
            Value::String(text) => visible(&format!("{text}\n")),
            value => visible(&format!("{value:#}\n")),
        };
        let patch = DiffOptions::new()
            .create_patch(&text(&before), &text(&after))
            .to_string();
        // The names of files, of which there are none.
        let lines = patch.lines().skip_while(|line| !line.starts_with("@@"));
        Self {
            members,
            lines: lines
                .filter(|line| !line.starts_with("@@"))
                .map(str::to_owned)
                .collect(),
        }
    }
}

fn parsed(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|_| Value::String(json.to_owned()))
}

/// The text with everything written out that a person would not see.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => shown.push(c),
            c if c.is_control() || has_no_shape(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    shown
}

/// Characters that take no room, or turn what stands around them.
fn has_no_shape(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_sees_which_members_differ_and_how() {
        let difference = Difference::between(
            Some(r#"{"description":"adds","name":"add","title":"x"}"#),
            "{\"description\":\"adds\u{e0041}\\u001b[8m\",\"name\":\"add\"}",
        );
        assert_eq!(difference.members, ["description", "title"]);
        assert_eq!(
            difference.lines,
            [
                " {",
                "-  \"description\": \"adds\",",
                "-  \"name\": \"add\",",
                "-  \"title\": \"x\"",
                "+  \"description\": \"adds\\u{e0041}\\u001b[8m\",",
                "+  \"name\": \"add\"",
                " }",
            ]
        );
    }

    #[test]
    fn of_a_text_a_person_sees_the_lines_that_differ() {
        let difference = Difference::between(Some(r#""a\nb""#), r#""a\nc\u001b""#);
        assert_eq!(difference.members, [""; 0]);
        assert_eq!(difference.lines, [" a", "-b", "+c\\u{1b}"]);
    }

    #[test]
    fn a_new_tool_is_shown_whole() {
        let difference = Difference::between(None, r#"{"name":"añadir"}"#);
        assert_eq!(difference.members, ["name"]);
        assert_eq!(difference.lines, ["+{", "+  \"name\": \"añadir\"", "+}"]);
    }
}
