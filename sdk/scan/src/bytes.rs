//! Sets of bytes.

/// A set of bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Bytes([u64; 4]);

impl Bytes {
    /// The bytes that are so.
    pub(crate) fn of(is_one: impl Fn(&u8) -> bool) -> Self {
        let mut bytes = Self::default();
        let all = (0..=u8::MAX).filter(is_one);
        all.for_each(|byte| bytes.add(byte, byte));
        bytes
    }

    /// Adds a range.
    pub(crate) fn add(&mut self, first: u8, last: u8) {
        for byte in first..=last {
            if let Some(word) = self.0.get_mut(usize::from(byte >> 6)) {
                *word |= 1 << (byte & 63);
            }
        }
    }

    /// Whether the byte is one of the set.
    pub(crate) fn has(&self, byte: u8) -> bool {
        let word = self.0.get(usize::from(byte >> 6));
        word.is_some_and(|word| word >> (byte & 63) & 1 == 1)
    }

    /// The bytes of either set.
    pub(crate) fn or(mut self, other: Self) -> Self {
        for (word, others) in self.0.iter_mut().zip(other.0) {
            *word |= others;
        }
        self
    }

    /// Whether no byte is in both sets.
    pub(crate) fn is_apart_from(&self, other: &Self) -> bool {
        self.0
            .iter()
            .zip(other.0)
            .all(|(word, others)| word & others == 0)
    }

    /// The byte, if there is just one.
    pub(crate) fn single(&self) -> Option<u8> {
        let count: u32 = self.0.iter().map(|word| word.count_ones()).sum();
        let (word, bits) = (0u8..).zip(self.0).find(|(_, bits)| *bits != 0)?;
        let byte = word * 64 + u8::try_from(bits.trailing_zeros()).ok()?;
        (count == 1).then_some(byte)
    }
}

impl From<u8> for Bytes {
    fn from(byte: u8) -> Self {
        let mut bytes = Self::default();
        bytes.add(byte, byte);
        bytes
    }
}
