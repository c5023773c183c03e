//! What looks drawn by lot, and nothing beside it says what it is.

use std::ops::Range;

use mcp_gateway_scan::encoded::encoded;
use mcp_gateway_scan::measure::{entropy, has_run, has_sequence, is_placeholder, kinds};

use crate::check::ends_with;

/// What is longer is a file or a picture rather than a key.
const LONGEST: usize = 100;

/// How long the lines are that programs break base64 into.
const LINES: [usize; 3] = [60, 64, 76];

/// What names end in whose values are drawn by lot, too, and open nothing.
const NAMED: [&str; 16] = [
    "id", "ids", "sha", "hash", "ref", "rev", "url", "uri", "href", "src", "path", "file", "name",
    "version", "nonce", "h1",
];

/// Whether a run of letters, digits, `+`, `/`, `-` and `_` is one: letters of both cases and digits, mixed as lots mix
/// them. Hashes and identifiers in hexadecimal digits are not, nor are words, paths and text in base64.
pub(crate) fn is_opaque(said: &str) -> bool {
    let body = said.trim_end_matches('=');
    let [lower, upper, digits, _] = kinds(body);
    body.len() <= LONGEST
        && lower.min(upper).min(digits) > 0
        && digits * 2 < body.len()
        && is_mixed(body)
        && entropy(body) >= 0.84 * (body.len() as f32).log2().min(4.9)
        && !is_path(body)
        && !is_compound(body)
        && !is_known(body)
        && !has_run(body, 5)
        && !has_sequence(body, 6)
        && !is_placeholder(body)
        && encoded(said).next().is_none()
}

/// Whether it is opaque, or drawn by lot from digits and the letters of one case: a key in hexadecimal digits, say.
/// Of what has a name of its own only, for hashes look no different.
pub(crate) fn is_lot(said: &str) -> bool {
    let [lower, upper, digits, others] = kinds(said);
    let letters = lower + upper;
    let one_case = others == 0
        && lower.min(upper) == 0
        && (28..=128).contains(&said.len())
        && digits * 8 >= said.len()
        && letters * 8 >= said.len()
        && entropy(said) >= 3.2
        && !has_run(said, 5)
        && !has_sequence(said, 8);
    one_case || is_opaque(said)
}

/// Whether one character is seldom of the same kind as the one before it, and what there is of lower-case letters in a
/// row is too little for words. Of lots the first is so six times in ten, and the second are a sixth.
fn is_mixed(body: &str) -> bool {
    let (mut turns, mut worded, mut row, mut before) = (0, 0, 0, None);
    for byte in body.bytes() {
        let kind = match byte {
            b'a'..=b'z' => 0,
            b'A'..=b'Z' => 1,
            b'0'..=b'9' => 2,
            _ => 3,
        };
        turns += usize::from(before.is_some_and(|before| before != kind));
        row = if kind == 0 { row + 1 } else { 0 };
        worded += match row {
            0..3 => 0,
            3 => 3,
            _ => 1,
        };
        before = Some(kind);
    }
    turns * 25 >= body.len() * 9 && worded * 20 <= body.len() * 9
}

/// Whether a part between slashes is a word or a number.
fn is_path(body: &str) -> bool {
    let is_word = |part: &str| {
        let [lower, upper, digits, others] = kinds(part);
        part.len() >= 4 && [lower, upper, digits].contains(&part.len()) && others == 0
    };
    body.starts_with('/') || body.contains('/') && body.split('/').any(is_word)
}

/// Whether more stands between `_` and `-` than lots put there, which draw them once in thirty times.
fn is_compound(body: &str) -> bool {
    let between = body.bytes().filter(|byte| b"_-".contains(byte)).count();
    between * 10 > body.len()
}

/// Checksums that say so, and public keys of SSH, which all start with the length of a short word.
fn is_known(body: &str) -> bool {
    ["sha1-", "sha256-", "sha384-", "sha512-", "AAAA"]
        .iter()
        .any(|start| body.starts_with(start))
}

/// Whether a name says that its value opens nothing.
pub(crate) fn is_identifier(name: &str) -> bool {
    NAMED.iter().any(|end| ends_with(name, end))
}

/// Whether it is a line of base64 that goes on in the next or came from the one before: a certificate, an attachment.
pub(crate) fn is_line_of_many(text: &str, run: &Range<usize>) -> bool {
    let bytes = text.as_bytes();
    let before = bytes.get(..run.start).unwrap_or_default();
    let after = bytes.get(run.end..).unwrap_or_default();
    LINES.contains(&run.len())
        && matches!(before, [] | [.., b'\n'])
        && matches!(after, [] | [b'\n', ..] | [b'\r', b'\n', ..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::expand;

    #[test]
    fn nearly_all_that_is_drawn_by_lot_is_opaque() {
        for (template, least) in [
            ("[A-Za-z0-9]{20}", 88),
            ("[A-Za-z0-9]{32}", 95),
            ("[A-Za-z0-9+/]{40}", 95),
            ("[A-Za-z0-9_-]{43}", 95),
            ("[A-Za-z0-9]{64}", 98),
        ] {
            let drawn = (0..1000).filter(|n| is_opaque(&expand(template, &n.to_string())));
            let count = drawn.count();
            assert!(count >= least * 10, "{template}: {count}");
        }
    }

    #[test]
    fn what_people_and_programs_write_is_not() {
        for text in [
            "48e4875032cc26d5d89c9d23b486c905f032dd9d",
            "0f9a1c52-6d4f-4c1b-9b7e-2f1f6a3c8d10",
            "sizeEndCentDir64Locator",
            "Win32_System_Variant",
            "bigIntAndBufferInt64Check",
            "com/archives/C01N7PP1THC",
            "szOID_ECC_CURVE_X962P256V1",
            "DigiCert_TLS_RSA4096_Root_G5",
            "astral-sh/uv/blob/c5187e200db51bfe/AI_POLICY",
            "SGVsbG8sIHdvcmxkLCB0aGlzIGlzIHRleHQu",
            "sha512-QmFzZTY0IG9mIGEgc3VtQ+pjID0",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        ] {
            assert!(!is_opaque(text), "{text}");
        }
        assert!(is_identifier("fileId") && is_identifier("git_sha") && is_identifier("HREF"));
        assert!(!is_identifier("value") && !is_identifier(""));
    }

    #[test]
    fn a_line_of_a_certificate_is_one_of_many() {
        let line = expand("[A-Za-z0-9+/]{64}", "a");
        let text = format!("-----BEGIN CERTIFICATE-----\n{line}\n{line}");
        assert!(is_line_of_many(&text, &(28..92)));
        let alone = format!("key {line}\n");
        assert!(!is_line_of_many(&alone, &(4..68)));
    }
}
