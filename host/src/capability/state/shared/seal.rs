//! What keeps the file from telling anything: every key and value in it is hashed or
//! sealed with keys that come from the installation's secret.

use hkdf::InvalidLength;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::error::Unspecified;
use ring::hmac::{Context, HMAC_SHA256, Key, Tag};
use zeroize::Zeroizing;

use crate::capability::keys::Secret;

/// A keyed hash of a name.
pub(super) type Name = [u8; 32];

/// What the keys of one file come from.
pub(super) struct FileKey {
    key: Key,
    id: Vec<u8>,
}

/// The keys of one guardrail of one configuration.
pub(super) struct Seal {
    owner: Name,
    names: Key,
    values: LessSafeKey,
}

impl FileKey {
    /// The key of the file that has this id.
    pub(super) fn new(secret: &Secret, id: Vec<u8>) -> Result<Self, InvalidLength> {
        let key = secret.kept()?;
        Ok(Self {
            key: Key::new(HMAC_SHA256, key.as_slice()),
            id,
        })
    }

    /// Tells whether a file was made with this secret.
    pub(super) fn check(&self) -> Name {
        name(&self.derive("check", &[]))
    }

    /// What belongs to a guardrail.
    pub(super) fn seal(&self, configuration: &str, guardrail: &str) -> Result<Seal, Unspecified> {
        let derive = |purpose| self.derive(purpose, &[configuration, guardrail]);
        let values = derive("values");
        let values = UnboundKey::new(&CHACHA20_POLY1305, values.as_ref())?;
        Ok(Seal {
            owner: name(&derive("owner")),
            names: Key::new(HMAC_SHA256, derive("names").as_ref()),
            values: LessSafeKey::new(values),
        })
    }

    fn derive(&self, purpose: &str, parts: &[&str]) -> Tag {
        let mut context = Context::with_key(&self.key);
        let parts = parts.iter().map(|part| part.as_bytes());
        // With their lengths, so that no two ways to divide a text are the same.
        for part in [self.id.as_slice(), purpose.as_bytes()]
            .into_iter()
            .chain(parts)
        {
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part);
        }
        context.sign()
    }
}

impl Seal {
    /// Whose the entries are.
    pub(super) fn owner(&self) -> &Name {
        &self.owner
    }

    /// What stands in the file for a key.
    pub(super) fn name(&self, key: &str) -> Name {
        name(&ring::hmac::sign(&self.names, key.as_bytes()))
    }

    /// Seals a value in its place: that name, until that time.
    pub(super) fn close(
        &self,
        name: &Name,
        until: Option<i64>,
        value: &[u8],
    ) -> Result<Vec<u8>, getrandom::Error> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce)?;
        let mut sealed = Vec::with_capacity(NONCE_LEN + value.len() + CHACHA20_POLY1305.tag_len());
        sealed.extend(nonce);
        sealed.extend(value);
        let place = place(name, until);
        let (_, text) = sealed.split_at_mut(NONCE_LEN);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .values
            .seal_in_place_separate_tag(nonce, Aad::from(place), text)
            .map_err(|Unspecified| getrandom::Error::UNEXPECTED)?;
        sealed.extend(tag.as_ref());
        Ok(sealed)
    }

    /// The value, if this is one that was sealed in this place.
    pub(super) fn open(
        &self,
        name: &Name,
        until: Option<i64>,
        mut sealed: Vec<u8>,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, text) = sealed.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let place = Aad::from(place(name, until));
        let value = self.values.open_in_place(nonce, place, text).ok()?;
        let value = Zeroizing::new(value.to_vec());
        drop(Zeroizing::new(sealed));
        Some(value)
    }
}

/// What a value is sealed to, so that it can't be moved to another key, nor given another
/// time. The owner has a key of its own.
fn place(name: &Name, until: Option<i64>) -> [u8; 41] {
    let mut place = [0; 41];
    let (head, tail) = place.split_at_mut(32);
    head.copy_from_slice(name);
    let (mark, time) = tail.split_at_mut(1);
    mark.fill(u8::from(until.is_some()));
    time.copy_from_slice(&until.unwrap_or_default().to_le_bytes());
    place
}

fn name(tag: &Tag) -> Name {
    let mut name = [0; 32];
    name.copy_from_slice(tag.as_ref());
    name
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn seal(id: u8, configuration: &str, guardrail: &str) -> Seal {
        let key = FileKey::new(&Secret::fixed(), vec![id; 16]).unwrap();
        key.seal(configuration, guardrail).unwrap()
    }

    #[test]
    fn a_value_is_read_in_its_place_by_its_owner_and_nowhere_else() {
        let own = seal(1, "c", "g");
        let (k, l) = (own.name("k"), own.name("l"));
        let sealed = own.close(&k, Some(7), b"a value").unwrap();
        let read = |by: &Seal, name, until| by.open(name, until, sealed.clone());
        assert_eq!(
            read(&own, &k, Some(7)).as_deref(),
            Some(&b"a value".to_vec())
        );
        assert_eq!(read(&own, &l, Some(7)), None);
        assert_eq!(read(&own, &k, Some(8)), None);
        assert_eq!(read(&own, &k, None), None);
        for other in [seal(2, "c", "g"), seal(1, "d", "g"), seal(1, "cg", "")] {
            assert_eq!(read(&other, &k, Some(7)), None);
        }
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(own.open(&k, Some(7), changed), None, "{at}");
        }
        for short in 0..sealed.len() {
            assert_eq!(own.open(&k, Some(7), sealed[..short].to_vec()), None);
        }
    }

    #[test]
    fn nothing_in_the_file_is_the_same_for_two_owners_nor_a_value_twice() {
        let owners = [
            seal(1, "c", "g"),
            seal(2, "c", "g"),
            seal(1, "c", "h"),
            seal(1, "d", "g"),
        ];
        let names: HashSet<Name> = owners
            .iter()
            .flat_map(|seal| [*seal.owner(), seal.name("k"), seal.name("l")])
            .collect();
        assert_eq!(names.len(), 12);
        let seal = &owners[0];
        let sealed = || seal.close(&seal.name("k"), None, b"v").unwrap();
        assert_ne!(sealed(), sealed());
    }
}
