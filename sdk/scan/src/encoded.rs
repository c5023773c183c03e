//! Text that is written down in base64 or hexadecimal digits.

use std::ops::Range;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::Class;

/// The shortest run that is looked at: shorter ones hold nothing that could be told from noise.
const SHORTEST: usize = 20;

const DIGITS: Class = Class::ranges("AZaz09++//--__");

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// A part of a text that is encoded text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Where it stands.
    pub range: Range<usize>,
    /// What it says.
    pub text: String,
    scheme: Scheme,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Base64 {
        url_safe: bool,
        padded: bool,
        /// Whether more of it follows in the next line, so that nothing may end here.
        goes_on: bool,
    },
    Hex {
        upper: bool,
    },
}

impl Encoded {
    /// Another text, written down the same way.
    pub fn encode(&self, text: &str) -> String {
        match self.scheme {
            Scheme::Base64 {
                url_safe,
                padded,
                goes_on,
            } => {
                let blanks = if goes_on { (3 - text.len() % 3) % 3 } else { 0 };
                let text = format!("{text}{}", " ".repeat(blanks));
                let alphabet = if url_safe {
                    &alphabet::URL_SAFE
                } else {
                    &alphabet::STANDARD
                };
                let config = LENIENT.with_encode_padding(padded);
                GeneralPurpose::new(alphabet, config).encode(text)
            }
            Scheme::Hex { upper } => {
                let digits = text.bytes().flat_map(|byte| [byte >> 4, byte & 15]);
                let digits = digits.filter_map(|digit| char::from_digit(digit.into(), 16));
                let text: String = digits.collect();
                if upper {
                    text.to_ascii_uppercase()
                } else {
                    text
                }
            }
        }
    }
}

/// Every part of the text that is encoded text. What decodes to anything but text is not: images, hashes, random keys.
pub fn encoded(text: &str) -> impl Iterator<Item = Encoded> + '_ {
    runs(text.as_bytes()).filter_map(|run| decode(text, run))
}

/// Runs of digits. Looks at one byte of each `SHORTEST` only, which a run cannot escape.
fn runs(text: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut done = 0;
    std::iter::from_fn(move || {
        loop {
            let probe = done + SHORTEST - 1;
            let byte = *text.get(probe)?;
            if !DIGITS.contains(byte) {
                done = probe + 1;
                continue;
            }
            let before = text.get(done..probe)?;
            let start = probe
                - before
                    .iter()
                    .rev()
                    .take_while(|b| DIGITS.contains(**b))
                    .count();
            let after = text.get(probe..)?;
            let end = probe + after.iter().take_while(|b| DIGITS.contains(**b)).count();
            done = end;
            if end - start >= SHORTEST {
                return Some(start..end);
            }
        }
    })
}

fn decode(text: &str, run: Range<usize>) -> Option<Encoded> {
    let digits = text.get(run.clone())?;
    if digits.len() % 2 == 0 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let said = from_hex(digits)?;
        let upper = digits.bytes().any(|byte| byte.is_ascii_uppercase());
        return Some(Encoded {
            range: run,
            text: said,
            scheme: Scheme::Hex { upper },
        });
    }
    let url_safe = digits.contains(['-', '_']);
    if url_safe && digits.contains(['+', '/']) {
        return None;
    }
    let engine = if url_safe { &URL_SAFE } else { &STANDARD };
    // Most runs are words, paths or keys, and the first few bytes tell.
    let (head, tail) = digits.split_at_checked(SHORTEST & !3)?;
    if !is_text(&engine.decode(head).ok()?) || digits.len() % 4 == 1 {
        return None;
    }
    let mut bytes = engine.decode(head).ok()?;
    bytes.extend(engine.decode(tail).ok()?);
    let said = String::from_utf8(bytes)
        .ok()
        .filter(|said| is_text(said.as_bytes()))?;
    let padding = text
        .get(run.end..)?
        .bytes()
        .take(2)
        .take_while(|byte| *byte == b'=')
        .count();
    Some(Encoded {
        range: run.start..run.end + padding,
        text: said,
        scheme: Scheme::Base64 {
            url_safe,
            // Where none is needed, another text may need some: it is what most write.
            padded: padding > 0 || digits.len() % 4 == 0,
            goes_on: padding == 0 && goes_on(text.get(run.end..)?),
        },
    })
}

/// Whether the next line begins with a digit.
fn goes_on(rest: &str) -> bool {
    let line = rest.strip_prefix('\r').unwrap_or(rest);
    let next = line.strip_prefix('\n').and_then(|line| line.bytes().next());
    next.is_some_and(|byte| DIGITS.contains(byte))
}

fn from_hex(digits: &str) -> Option<String> {
    let bytes = |digits: &str| -> Vec<u8> {
        let value = |digit: &u8| char::from(*digit).to_digit(16);
        let pairs = digits.as_bytes().chunks_exact(2).filter_map(|pair| {
            let [high, low] = pair else { return None };
            u8::try_from(value(high)? * 16 + value(low)?).ok()
        });
        pairs.collect()
    };
    // Most are hashes and numbers, and the first few bytes tell.
    if !is_text(&bytes(digits.get(..SHORTEST)?)) {
        return None;
    }
    String::from_utf8(bytes(digits))
        .ok()
        .filter(|said| is_text(said.as_bytes()))
}

/// Whether the bytes are text that a person may have written, cut off anywhere.
fn is_text(bytes: &[u8]) -> bool {
    let valid = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    valid
        && bytes
            .iter()
            .all(|byte| *byte >= 0x20 && *byte != 0x7f || b"\t\r\n".contains(byte))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_found_in_base64_and_hexadecimal() {
        let said = "TOKEN=correct-horse-battery";
        for written in [
            "VE9LRU49Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5",
            "544f4b454e3d636f72726563742d686f7273652d62617474657279",
        ] {
            let text = format!("data: {written}, x");
            let found: Vec<_> = encoded(&text).collect();
            assert_eq!(found.len(), 1, "{written}");
            assert_eq!(found[0].text, said);
            assert_eq!(text.get(found[0].range.clone()), Some(written));
            assert_eq!(found[0].encode(said), written);
        }
    }

    #[test]
    fn what_decodes_to_no_text_is_left_alone() {
        for text in [
            "48e4875032cc26d5d89c9d23b486c905f032dd9d",
            "OUQQjmN5B20oqmoREmSY6jC80dMJsB1FVDoUEJSl1T4=",
            "/usr/local/lib/python3/dist-packages/serde",
            "aVeryLongIdentifierInSomeProgram",
        ] {
            assert_eq!(encoded(text).count(), 0, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(said in "[ -~]{20,60}", before in "[ .\"]{0,30}") {
            let written = STANDARD.encode(&said);
            let text = format!("{before}{written}");
            let found: Vec<_> = encoded(&text).collect();
            prop_assert_eq!(found.len(), 1);
            prop_assert_eq!(&found[0].text, &said);
            prop_assert_eq!(found[0].encode(&said), written);
        }
    }
}
