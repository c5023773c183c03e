//! What was the last record at some time, signed: to be kept elsewhere, so that it
//! shows if the end of a journal is cut off, or if somebody who has the key of the
//! chain writes it anew.

use ring::signature::{ED25519, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use super::chain::{Hash, Keys, hex};
use super::store::Head;
use super::verify::Tampered;

/// A record that a journal had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// The id of the database.
    #[serde(with = "digits")]
    pub database: Vec<u8>,
    /// The number of the record.
    pub seq: i64,
    /// Its hash.
    #[serde(with = "digits")]
    pub hash: Hash,
    /// When this was made: milliseconds since 1970 in UTC.
    pub time: i64,
    /// The key that verifies the signature, Ed25519.
    #[serde(with = "digits")]
    pub public_key: Vec<u8>,
    /// Of all of this but the key.
    #[serde(with = "digits")]
    pub signature: Vec<u8>,
}

impl Checkpoint {
    /// Signs the last record of a database. `None` only if the library cannot sign.
    pub fn new(database: &[u8], head: &Head, time: i64, keys: &Keys) -> Option<Self> {
        let pair = keys.signing()?;
        let signed = signed(database, head.seq, &head.hash, time);
        Some(Self {
            database: database.to_owned(),
            seq: head.seq,
            hash: head.hash,
            time,
            public_key: pair.public_key().as_ref().to_owned(),
            signature: pair.sign(signed.as_bytes()).as_ref().to_owned(),
        })
    }

    /// Whether it is of this database and this installation.
    pub(super) fn check(&self, database: &[u8], keys: &Keys) -> Result<(), Tampered> {
        let ours = keys.signing();
        let is_ours = ours.is_some_and(|pair| pair.public_key().as_ref() == self.public_key);
        if !is_ours || !self.is_signed() {
            return Err(Tampered::Signature(self.seq));
        }
        match self.database == database {
            true => Ok(()),
            false => Err(Tampered::OtherDatabase(self.seq)),
        }
    }

    /// Whether its signature is that of its key.
    pub fn is_signed(&self) -> bool {
        let signed = signed(&self.database, self.seq, &self.hash, self.time);
        let key = UnparsedPublicKey::new(&ED25519, &self.public_key);
        key.verify(signed.as_bytes(), &self.signature).is_ok()
    }
}

fn signed(database: &[u8], seq: i64, hash: &Hash, time: i64) -> String {
    let (database, hash) = (hex(database), hex(hash));
    format!("mcp-gateway checkpoint 1\n{database}\n{seq}\n{hash}\n{time}\n")
}

/// Bytes as hexadecimal digits in JSON.
pub(super) mod digits {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(
        bytes: &[u8],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(&super::hex(bytes))
    }

    pub(in super::super) fn deserialize<'de, B, D>(from: D) -> Result<B, D::Error>
    where
        B: TryFrom<Vec<u8>>,
        D: Deserializer<'de>,
    {
        let text = String::deserialize(from)?;
        let mut bytes = Vec::with_capacity(text.len() / 2);
        let mut rest = text.as_str();
        while let Some((digits, after)) = rest.split_at_checked(2) {
            bytes.push(u8::from_str_radix(digits, 16).map_err(D::Error::custom)?);
            rest = after;
        }
        let bytes = rest.is_empty().then_some(bytes);
        let bytes = bytes.and_then(|bytes| B::try_from(bytes).ok());
        bytes.ok_or_else(|| D::Error::custom("not as many hexadecimal digits as it has"))
    }
}
