//! How known names end: most of those in a text are told from them by their last four letters.

use crate::detect::bounds::before;

/// How many bits the table has, as a power of two.
const BITS: u32 = 14;

/// What names end in, of which something is said.
#[derive(Debug)]
pub(super) struct Ends(Vec<u64>);

impl Default for Ends {
    fn default() -> Self {
        Self(vec![0; 1 << (BITS - 6)])
    }
}

impl Ends {
    /// Adds a name.
    pub(super) fn add(&mut self, name: &[u8]) {
        let end = last(name, name.len());
        let tail = name.iter().take(end).rev().take(4);
        let letters = tail.fold(0, |letters, byte| with(letters, *byte));
        let (word, bit) = place(letters);
        if let Some(bits) = self.0.get_mut(word) {
            *bits |= bit;
        }
    }

    /// Whether a name may be known that ends here.
    pub(super) fn may_be(&self, bytes: &[u8], end: usize) -> bool {
        let (mut letters, mut count) = (0, 0);
        let (mut at, mut later) = (last(bytes, end), b' ');
        while at > 0 && count < 4 {
            let byte = before(bytes, at);
            let is_letter = byte.is_ascii_alphabetic() || byte >= 0x80;
            let begins = !is_letter || later.is_ascii_uppercase() && byte.is_ascii_lowercase();
            if begins && count > 1 && self.has(letters) {
                return true;
            }
            if is_letter {
                letters = with(letters, byte);
                count += 1;
            } else if !b"_- '".contains(&byte) {
                break;
            }
            later = byte;
            at -= 1;
        }
        self.has(letters)
    }

    fn has(&self, letters: u32) -> bool {
        let (word, bit) = place(letters);
        self.0.get(word).is_some_and(|bits| bits & bit != 0)
    }
}

fn with(letters: u32, byte: u8) -> u32 {
    letters << 8 | u32::from(byte.to_ascii_lowercase())
}

/// Where a name ends without a number behind it.
fn last(bytes: &[u8], end: usize) -> usize {
    let mut end = end;
    while matches!(before(bytes, end), b'0'..=b'9' | b'_' | b' ') {
        end -= 1;
    }
    end
}

fn place(letters: u32) -> (usize, u64) {
    let mixed = letters.wrapping_mul(0x9e37_79b1) >> (32 - BITS);
    let word = usize::try_from(mixed >> 6).unwrap_or_default();
    (word, 1 << (mixed & 63))
}
