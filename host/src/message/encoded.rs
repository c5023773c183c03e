//! Text that is written in base64: the `blob` of a resource, a `data:` URI.
//! What it is decides alone: a media type that says otherwise would hide it.

use base64::Engine;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// How a text was written in base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Encoding {
    url_safe: bool,
    padded: bool,
}

/// Characters that tell most images and archives from text. A multiple of four,
/// so that they can be decoded by themselves.
const START: usize = 64;

/// The length of what stands before the base64 of a `data:` URI.
pub(super) fn data_uri_head(uri: &str) -> Option<usize> {
    const MARK: &str = ";base64";
    let comma = memchr::memchr(b',', uri.as_bytes())?;
    let mark = uri.get(comma.checked_sub(MARK.len())?..comma)?;
    mark.eq_ignore_ascii_case(MARK).then_some(comma + 1)
}

/// What base64 says, if it is text. Line breaks in it are passed over, as most
/// readers do.
pub(super) fn decode(written: &str) -> Option<(String, Encoding)> {
    let engine = |encoding: Encoding| {
        let decoding = GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::Indifferent);
        GeneralPurpose::new(encoding.alphabet(), decoding)
    };
    let kind = |text: &str| Encoding {
        url_safe: text.contains(['-', '_']),
        padded: text.ends_with('=') || text.len().is_multiple_of(4),
    };
    let start = written.get(..START).unwrap_or_default();
    if !start.contains(SPACE) && !start.is_empty() {
        let start = engine(kind(start)).decode(start).ok()?;
        let text = match std::str::from_utf8(&start) {
            Ok(text) => text,
            // The last character may be cut.
            Err(error) if error.error_len().is_none() => {
                std::str::from_utf8(start.get(..error.valid_up_to())?).ok()?
            }
            Err(_) => return None,
        };
        if !is_plain(text) {
            return None;
        }
    }
    let dense;
    let written = if written.contains(SPACE) {
        dense = written.replace(SPACE, "");
        &dense
    } else {
        written
    };
    let encoding = kind(written);
    let text = String::from_utf8(engine(encoding).decode(written).ok()?).ok()?;
    is_plain(&text).then_some((text, encoding))
}

impl Encoding {
    /// The text in base64, as it was written before.
    pub(super) fn encode(self, text: &str) -> String {
        let config = GeneralPurposeConfig::new().with_encode_padding(self.padded);
        GeneralPurpose::new(self.alphabet(), config).encode(text)
    }

    fn alphabet(self) -> &'static Alphabet {
        if self.url_safe { &URL_SAFE } else { &STANDARD }
    }
}

const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// Whether a text has nothing in it that only binary data has.
fn is_plain(text: &str) -> bool {
    let binary = |byte| matches!(byte, 0..b'\t' | 0xb | 0xc | 0xe..b' ' | 0x7f);
    !text.bytes().any(binary)
}
