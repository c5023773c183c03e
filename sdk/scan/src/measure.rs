//! How random a text looks.

use std::sync::LazyLock;

use crate::Words;

/// Shannon's entropy of the bytes, in bits for each.
pub fn entropy(text: &str) -> f32 {
    let mut counts = [0u32; 256];
    for byte in text.bytes() {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
    // Most bytes of a short text are there once, for which nothing needs to be calculated.
    let mut sum = 0.0;
    for byte in text.bytes() {
        let count = counts.get_mut(usize::from(byte)).map(std::mem::take);
        sum += match count.unwrap_or_default() {
            0 | 1 => 0.0,
            2 => 2.0,
            4 => 8.0,
            count => count as f32 * (count as f32).log2(),
        };
    }
    match text.len() as f32 {
        0.0 => 0.0,
        length => length.log2() - sum / length,
    }
}

/// How many of the bytes are lower-case letters, upper-case letters, digits, and others.
pub fn kinds(text: &str) -> [usize; 4] {
    let mut kinds = [0; 4];
    for byte in text.bytes() {
        let [lower, upper, digits, others] = &mut kinds;
        let kind = match byte {
            b'a'..=b'z' => lower,
            b'A'..=b'Z' => upper,
            b'0'..=b'9' => digits,
            _ => others,
        };
        *kind += 1;
    }
    kinds
}

/// Whether this stands for a value rather than is one: `<token>`, `${TOKEN}`, `xxxx`, `your-key-here`, `changeme`.
pub fn is_placeholder(value: &str) -> bool {
    let marks = [
        "${", "{{", "$(", "%(", "<", "[", "{", "$", "%", "*", "…", "...",
    ];
    if marks.iter().any(|mark| value.starts_with(mark)) {
        return true;
    }
    PLACEHOLDERS
        .as_ref()
        .is_some_and(|words| words.are_in(value))
}

/// Words that no value has in it which is one.
static PLACEHOLDERS: LazyLock<Option<Words>> = LazyLock::new(|| {
    Words::new([
        "example",
        "changeme",
        "change-me",
        "change_me",
        "your-",
        "your_",
        "yours",
        "placeholder",
        "dummy",
        "redacted",
        "insert",
        "replace",
        "goes-here",
        "goes_here",
        "_here",
        "-here",
        "secret_key_base",
        "not-set",
        "undefined",
        "todo",
        "my-secret",
        "my_secret",
    ])
    .ok()
});

/// Whether a byte stands so many times in a row.
pub fn has_run(value: &str, longest: usize) -> bool {
    let (mut same, mut before) = (1, None);
    for byte in value.bytes() {
        same = if before == Some(byte) { same + 1 } else { 1 };
        if same >= longest {
            return true;
        }
        before = Some(byte);
    }
    false
}

/// Whether so many characters in a row are each the next one of the alphabet or the digits: `abcdef`, `12345`.
pub fn has_sequence(value: &str, longest: usize) -> bool {
    let (mut ordered, mut before) = (1, None::<u8>);
    for byte in value.bytes().map(|byte| byte.to_ascii_lowercase()) {
        let next = before.and_then(|before| before.checked_add(1));
        ordered = if next == Some(byte) && byte.is_ascii_alphanumeric() {
            ordered + 1
        } else {
            1
        };
        if ordered >= longest {
            return true;
        }
        before = Some(byte);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_grows_with_variety() {
        assert_eq!(entropy(""), 0.0);
        assert_eq!(entropy("aaaa"), 0.0);
        assert!((entropy("abcdabcd") - 2.0).abs() < 1e-6);
    }

    #[test]
    fn what_stands_for_a_value_is_told_from_one() {
        for value in ["${X}", "<token>", "your-key-here", "changeme", "*****"] {
            assert!(is_placeholder(value), "{value}");
        }
        assert!(has_run("axxxxx", 5) && !has_run("xxaxx", 3));
        assert!(has_sequence("xaBcDy", 4) && !has_sequence("abcxabc", 4));
        for value in ["s3cr3tP4ss", "a8f5f167f44f4964e6c998dee827110c", "hunter2"] {
            assert!(!is_placeholder(value), "{value}");
        }
    }
}
