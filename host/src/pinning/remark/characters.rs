//! Characters that a person does not see, or takes for others.

/// A flag, after which tags spell out a region.
const FLAG: char = '\u{1f3f4}';

/// More variation selectors one after the other than any character takes.
const SELECTORS: usize = 3;

/// What is in a text that nobody sees, in words.
pub(super) fn hidden(text: &str) -> Option<String> {
    if text
        .bytes()
        .all(|b| matches!(b, b' '..=b'~' | b'\n' | b'\r' | b'\t'))
    {
        return None;
    }
    let mut in_flag = false;
    let mut selectors = 0;
    for c in text.chars() {
        let what = match c {
            '\u{e0000}'..='\u{e007f}' if in_flag => continue,
            '\u{e0000}'..='\u{e007f}' => "tag characters, which models read and people do not see",
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                "characters that turn the direction of the text"
            }
            '\u{200b}'
            | '\u{2060}'..='\u{2064}'
            | '\u{180e}'
            | '\u{206a}'..='\u{206f}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{3164}'
            | '\u{ffa0}' => "characters without width",
            '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => {
                selectors += 1;
                if selectors < SELECTORS {
                    continue;
                }
                "variation selectors in a row, in which text can be hidden"
            }
            '\u{0}'..='\u{8}' | '\u{b}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => {
                "control characters, which terminals act upon"
            }
            _ => {
                in_flag = c == FLAG;
                selectors = 0;
                continue;
            }
        };
        return Some(format!("it has {what} (U+{:04X})", u32::from(c)));
    }
    None
}

/// Whether a name has Latin letters and such of another alphabet that look like them.
pub(super) fn mixes_scripts(name: &str) -> bool {
    let latin = name.chars().any(|c| c.is_ascii_alphabetic());
    let alike = |c: char| {
        // Greek, Cyrillic, Armenian, Cherokee, letters of mathematics, and of full width.
        matches!(c, '\u{370}'..='\u{58f}' | '\u{13a0}'..='\u{13ff}' | '\u{1d400}'..='\u{1d7ff}' | '\u{ff21}'..='\u{ff5a}')
    };
    latin && name.chars().any(alike)
}
