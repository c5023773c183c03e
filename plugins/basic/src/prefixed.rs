//! Tokens that start with a word for who issued them, as in `acme_…`.

use std::ops::Range;

use memchr::memchr2;

use crate::rule::ends_in_escape;

/// What is shorter behind the word may be an identifier, which is handed back.
const SHORTEST: usize = 32;

/// The longest word.
const WORD: usize = 12;

/// What may be left of an escape sequence before it.
const ESCAPE: usize = 6;

/// Every word of a text and the long run of letters, digits, `_` and `-` behind it, with the sign between them.
pub(crate) fn runs(text: &str) -> impl Iterator<Item = (usize, Range<usize>)> + '_ {
    let bytes = text.as_bytes();
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let at = from + memchr2(b'_', b'-', bytes.get(from..)?)?;
            from = at + 1;
            // Asked first, for most words end sooner.
            if !bytes.get(at + SHORTEST).is_some_and(is_part) {
                continue;
            }
            let run = bytes.get(from..)?.iter().take_while(|byte| is_part(byte));
            let run = from..from + run.count();
            from = run.end;
            if let Some(word) = word(bytes, at).filter(|_| run.len() >= SHORTEST) {
                return Some((word, run));
            }
        }
    })
}

fn is_part(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-".contains(byte)
}

/// Where the word before a sign starts, if it is one: letters, and no more than two digits at its end.
fn word(bytes: &[u8], sign: usize) -> Option<usize> {
    let before = bytes.get(..sign)?.iter().rev();
    let run = before
        .take(WORD + ESCAPE)
        .take_while(|byte| byte.is_ascii_alphanumeric());
    let first = sign - run.count();
    let mut escaped = (first + 1..sign).filter(|at| bytes.get(..*at).is_some_and(ends_in_escape));
    let start = escaped.next_back().unwrap_or(first);
    let word = bytes.get(start..sign)?;
    let digits = word.iter().rev().take_while(|byte| byte.is_ascii_digit());
    let letters = word.len() - digits.count();
    let is_word = (2..=WORD).contains(&word.len())
        && (1..=word.len()).contains(&letters)
        && letters + 2 >= word.len()
        && word.iter().take(letters).all(u8::is_ascii_alphabetic);
    let inside = start == first && first > 0 && bytes.get(first - 1).is_some_and(is_part);
    (is_word && !inside).then_some(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_found_with_the_word_before_it() {
        let body = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF";
        for (text, word) in [
            (format!("acme_{body}"), "acme"),
            (format!("use acme2-{body}."), "acme2"),
            (format!("a_b acme_sk_{body}"), "acme"),
            (format!(r"x\nacme_{body}"), "acme"),
            (format!("t%3Dacme_{body}"), "acme"),
        ] {
            let (start, run) = runs(&text).next().unwrap_or_default();
            assert!(text[start..].starts_with(word), "{text}");
            assert!(text[run].ends_with(body), "{text}");
        }
        for text in [
            format!("_{body}"),
            format!("x9y8-{body}"),
            format!("aVeryLongWordBefore_{body}"),
            format!("acme_{}", &body[1..]),
        ] {
            assert_eq!(runs(&text).next(), None, "{text}");
        }
    }
}
