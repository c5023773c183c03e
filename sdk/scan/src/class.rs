//! Sets of ASCII characters.

/// A set of ASCII characters. No other character is ever in one, so a secret made of them starts and ends on
/// character boundaries.
#[derive(Debug, Clone, Copy)]
pub struct Class {
    low: u64,
    high: u64,
}

impl Class {
    /// No character.
    pub const NONE: Self = Self { low: 0, high: 0 };

    /// Pairs of first and last, each a range: `"AZ09__"` is the upper-case letters, the digits and the underscore.
    pub const fn ranges(pairs: &str) -> Self {
        let mut class = Self::NONE;
        let mut rest = pairs.as_bytes();
        while let [first, last, tail @ ..] = rest {
            let mut byte = *first;
            while byte <= *last {
                class = class.with(byte);
                byte += 1;
            }
            rest = tail;
        }
        class
    }

    /// As it is written in a regular expression, without the brackets: `A-Za-z0-9_-`. Nothing if it is not ASCII.
    pub fn of(members: &str) -> Option<Self> {
        let mut class = Self::NONE;
        let mut rest = members.as_bytes();
        while let Some((first, tail)) = rest.split_first() {
            let (last, tail) = match tail {
                [b'-', last, tail @ ..] => (last, tail),
                _ => (first, tail),
            };
            if last < first || !first.is_ascii() || !last.is_ascii() {
                return None;
            }
            class = (*first..=*last).fold(class, Self::with);
            rest = tail;
        }
        Some(class)
    }

    /// Whether the byte is one of the set.
    pub const fn contains(self, byte: u8) -> bool {
        let half = if byte & 64 == 0 { self.low } else { self.high };
        byte < 128 && half >> (byte & 63) & 1 == 1
    }

    const fn with(self, byte: u8) -> Self {
        let bit = 1 << (byte & 63);
        if byte & 64 == 0 {
            Self {
                low: self.low | bit,
                ..self
            }
        } else {
            Self {
                high: self.high | bit,
                ..self
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_read_as_in_an_expression() {
        let class = Class::of("A-F0-9_-").unwrap();
        for byte in 0..=u8::MAX {
            assert_eq!(
                class.contains(byte),
                b"ABCDEF0123456789_-".contains(&byte),
                "{byte}"
            );
        }
        assert!(Class::of("z-a").is_none() && Class::of("é").is_none());
    }

    #[test]
    fn a_class_holds_its_ranges_and_nothing_else() {
        let class = Class::ranges("AZ09__");
        for byte in 0..=u8::MAX {
            let expected = byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
            assert_eq!(class.contains(byte), expected, "{byte}");
        }
    }
}
