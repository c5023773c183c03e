//! What is known about a tool.

use std::fmt;

/// What a tool, or a resource, is: any of four things.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Labels(u8);

impl Labels {
    /// Nothing that matters here.
    pub(crate) const NONE: Self = Self(0);
    /// It shows what strangers wrote.
    pub(crate) const UNTRUSTED: Self = Self(1);
    /// It shows private data.
    pub(crate) const PRIVATE: Self = Self(2);
    /// It sends away what it is called with.
    pub(crate) const SENDS: Self = Self(4);
    /// It asks an address that it is called with, which can carry data away.
    pub(crate) const FETCHES: Self = Self(8);

    const NAMES: [(Self, &'static str); 4] = [
        (Self::UNTRUSTED, "untrusted"),
        (Self::PRIVATE, "private"),
        (Self::SENDS, "sends"),
        (Self::FETCHES, "fetches"),
    ];

    /// These and others.
    pub(crate) const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    pub(crate) fn add(&mut self, others: Self) {
        *self = self.and(others);
    }

    /// Whether it is any of these.
    pub(crate) fn has(self, any: Self) -> bool {
        self.0 & any.0 != 0
    }

    pub(crate) fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// As they are kept.
    pub(crate) fn to_byte(self) -> u8 {
        self.0
    }

    /// As they were kept.
    pub(crate) fn from_byte(byte: u8) -> Self {
        Self(byte)
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Self::NAMES.iter().filter(|(label, _)| self.has(*label));
        let names: Vec<&str> = names.map(|(_, name)| *name).collect();
        f.write_str(&names.join(" "))
    }
}
