//! What results have shown, remembered so that it is known again and nothing else can be made of it.

use mcp_gateway_sdk::State;

/// The bytes of a set, which is one value in the gateway.
const BYTES: usize = 8 * 1024;

/// Bits that are set for a member.
const BITS: u64 = 4;

/// How often it is tried again when another message was faster.
const ATTEMPTS: usize = 8;

/// A number of so many digits that stand in groups is a value.
const GROUPED: usize = 9;

/// A word with a digit in it is a value from this length on.
const LONG: usize = 6;

/// A set of texts that tells whether it has one, and is wrong about that now and then: a Bloom filter.
#[derive(Debug, Clone)]
pub(crate) struct Shown(Vec<u8>);

impl Shown {
    /// The set that is kept under a key.
    pub(crate) fn kept(state: &State<'_>, key: &str) -> Self {
        Self::of(state.get(key))
    }

    fn of(bytes: Option<Vec<u8>>) -> Self {
        let whole = bytes.filter(|bytes| bytes.len() == BYTES);
        Self(whole.unwrap_or_else(|| vec![0; BYTES]))
    }

    /// Whether so much is in it that it takes anything for a member too often.
    pub(crate) fn is_full(&self) -> bool {
        let set: u32 = self.0.iter().map(|byte| byte.count_ones()).sum();
        usize::try_from(set).is_ok_and(|set| set > BYTES * 4)
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        self.has_hash(hash(text))
    }

    fn has_hash(&self, hash: u64) -> bool {
        let is_set = |(byte, bit)| self.0.get(byte).is_some_and(|byte| byte & bit != 0);
        bits(hash).all(is_set)
    }

    fn add(&mut self, hash: u64) {
        for (byte, bit) in bits(hash) {
            if let Some(byte) = self.0.get_mut(byte) {
                *byte |= bit;
            }
        }
    }
}

/// Texts that are to be remembered, by their hashes.
#[derive(Debug, Default)]
pub(crate) struct New(Vec<u64>);

impl New {
    pub(crate) fn add(&mut self, text: &str) {
        self.0.push(hash(text));
    }

    /// Adds all to the set that is kept under a key. Most results have nothing new, which costs the least.
    pub(crate) fn keep(&self, state: &State<'_>, key: &str) -> Result<(), String> {
        if self.0.is_empty() {
            return Ok(());
        }
        for _ in 0..ATTEMPTS {
            let found = state.get(key);
            let mut all = Shown::of(found.clone());
            if self.0.iter().all(|hash| all.has_hash(*hash)) {
                return Ok(());
            }
            self.0.iter().for_each(|hash| all.add(*hash));
            if state.compare_and_swap(key, found.as_deref(), &all.0, None)? {
                return Ok(());
            }
        }
        Err("too many messages at a time change what is kept".into())
    }
}

/// FNV-1a, which every build of this guardrail computes alike.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The bits of a member: which byte, and which of its bits.
fn bits(hash: u64) -> impl Iterator<Item = (usize, u8)> {
    let (start, step) = (hash, (hash >> 32) | 1);
    (0..BITS).map(move |number| {
        let bit = start.wrapping_add(step.wrapping_mul(number)) >> 8;
        let byte = usize::try_from((bit >> 3) % BYTES as u64).unwrap_or_default();
        (byte, 1 << (bit & 7))
    })
}

/// Calls `found` with the values in a text, in small letters: words with digits in them, long numbers in groups, and
/// addresses of mail. Ordinary words are none, since they are everywhere.
pub(crate) fn values(text: &str, found: &mut dyn FnMut(&str)) {
    let mut word = Word::default();
    let mut group = String::new();
    let mut is_grouped = false;
    // One byte more ends what is open.
    for (at, byte) in text.bytes().chain([0]).enumerate() {
        if byte.is_ascii_alphanumeric() {
            word.has_digit |= byte.is_ascii_digit();
        } else {
            if word.has_digit && at - word.start >= LONG {
                let word = text.get(word.start..at).unwrap_or_default();
                found(&word.to_ascii_lowercase());
            }
            word = Word {
                start: at + 1,
                has_digit: false,
            };
        }
        if byte.is_ascii_digit() {
            group.push(char::from(byte));
        } else if matches!(byte, b'-' | b'.' | b' ') {
            is_grouped |= !group.is_empty();
        } else {
            if is_grouped && group.len() >= GROUPED {
                found(&group);
            }
            is_grouped = false;
            group.clear();
        }
        if byte == b'@' {
            address(text, at, found);
        }
    }
}

/// A word that is read at the moment.
#[derive(Default)]
struct Word {
    start: usize,
    has_digit: bool,
}

/// Calls `found` with the address of mail whose `@` this is.
fn address(text: &str, at: usize, found: &mut dyn FnMut(&str)) {
    let (before, after) = (text.get(..at), text.get(at + 1..));
    let is_local = |it: char| it.is_ascii_alphanumeric() || "._%+-".contains(it);
    let is_domain = |it: char| it.is_ascii_alphanumeric() || ".-".contains(it);
    let local = before.and_then(|text| text.rsplit(|it| !is_local(it)).next());
    let domain = after.and_then(|text| text.split(|it| !is_domain(it)).next());
    let local = local.unwrap_or_default();
    let domain = domain.unwrap_or_default().trim_end_matches('.');
    if !local.is_empty() && domain.contains('.') {
        found(&format!("{local}@{domain}").to_ascii_lowercase());
    }
}

/// Calls `found` with the links in a text.
pub(crate) fn links(text: &str, found: &mut dyn FnMut(&str)) {
    for (at, _) in text.match_indices("://") {
        let before = text.get(..at).unwrap_or_default();
        let Some(scheme) = ["https", "http"].iter().find(|it| before.ends_with(**it)) else {
            continue;
        };
        let link = text.get(at - scheme.len()..).unwrap_or_default();
        let ends = |it: char| it.is_whitespace() || "\"'<>()[]{}\\`⟦⟧".contains(it);
        let link = link.split(ends).next().unwrap_or_default();
        found(link.trim_end_matches(['.', ',', ';', ':', '!', '?', '*', '_']));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(find: impl Fn(&str, &mut dyn FnMut(&str)), text: &str) -> Vec<String> {
        let mut all = Vec::new();
        find(text, &mut |it| all.push(it.to_owned()));
        all
    }

    #[test]
    fn values_are_what_is_not_everywhere() {
        let text = "Order 482913 of Jane.Doe@Example.org, card 4111 1111 1111 1111, 2026-11-26, key AKIA7Q; the words stay";
        let expected = [
            "482913",
            "jane.doe@example.org",
            "4111111111111111",
            "akia7q",
        ];
        assert_eq!(all(values, text), expected);
        assert!(all(values, "see 2026-11-26, v1.2.3, a@b and @all").is_empty());
    }

    #[test]
    fn links_end_where_readers_see_it() {
        let text =
            "(https://a.example/x?y=1), [b](http://b.example/). httpd https://c.example/ü\\n";
        let expected = [
            "https://a.example/x?y=1",
            "http://b.example/",
            "https://c.example/ü",
        ];
        assert_eq!(all(links, text), expected);
    }

    #[test]
    fn a_set_knows_its_members_until_it_is_full() {
        let mut set = Shown::of(None);
        assert!(!set.has("482913"));
        let member = |number: u32| format!("value{number}");
        (0..5_000).for_each(|number| set.add(hash(&member(number))));
        assert!((0..5_000).all(|number| set.has(&member(number))));
        let wrong = (5_000..15_000).filter(|number| set.has(&member(*number)));
        assert!(wrong.count() < 200, "at most 2 %");
        assert!(!set.is_full());
        (0..30_000).for_each(|number| set.add(hash(&member(number))));
        assert!(set.is_full());
    }
}
