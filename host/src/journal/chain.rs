//! What holds records together: each has the keyed hash of itself and of the record
//! before, so that none can be changed, taken out or moved without the key.

use ring::signature::{Ed25519KeyPair, KeyPair};
use rusqlite::types::Value;

/// What stands for a record in the next one.
pub type Hash = [u8; 32];

/// The hash before the first record of all.
pub const BEGINNING: Hash = [0; 32];

/// The keys of this installation for its journals. All come from one secret, which
/// leaves it by none of them.
#[derive(Clone)]
pub struct Keys {
    secret: Hash,
}

/// The key of one database's chain.
#[derive(Clone)]
pub struct ChainKey(Hash);

impl Keys {
    /// Derives all keys from a secret.
    pub fn new(secret: [u8; 32]) -> Self {
        Self { secret }
    }

    /// The key of the chain of the database with this id.
    pub fn chain(&self, database: &[u8]) -> ChainKey {
        ChainKey(self.derive("chain", database))
    }

    /// The hash that stands in place of a content. Equal contents have equal hashes in
    /// all databases of the installation, and nobody else can try contents out.
    pub fn content(&self, text: &str) -> String {
        let key = self.derive("content", b"");
        blake3::keyed_hash(&key, text.as_bytes())
            .to_hex()
            .to_string()
    }

    /// The key that checkpoints are signed with; `None` only if the library has none.
    pub(super) fn signing(&self) -> Option<Ed25519KeyPair> {
        Ed25519KeyPair::from_seed_unchecked(&self.derive("checkpoint", b"")).ok()
    }

    /// What others tell this installation's checkpoints by, in hexadecimal digits.
    pub fn public(&self) -> Option<String> {
        Some(hex(self.signing()?.public_key().as_ref()))
    }

    fn derive(&self, purpose: &str, of: &[u8]) -> Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        hasher.update(&(purpose.len() as u64).to_le_bytes());
        hasher.update(purpose.as_bytes());
        hasher.update(of);
        *hasher.finalize().as_bytes()
    }
}

impl ChainKey {
    /// The hash of a record: of its place, its columns and its findings, after the one
    /// before.
    pub fn hash(
        &self,
        before: &Hash,
        seq: i64,
        columns: &[Value],
        findings: &[Vec<Value>],
    ) -> Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        let mut line = Vec::with_capacity(1024);
        line.extend_from_slice(before);
        line.extend_from_slice(&seq.to_le_bytes());
        add_row(&mut line, columns);
        line.extend_from_slice(&(findings.len() as u64).to_le_bytes());
        for finding in findings {
            add_row(&mut line, finding);
        }
        hasher.update(&line);
        *hasher.finalize().as_bytes()
    }

    /// Proves that the chain goes on after this record, although it is elsewhere.
    pub fn anchor(&self, seq: i64, hash: &Hash) -> Hash {
        self.keyed("anchor", &[&seq.to_le_bytes(), hash])
    }

    /// Proves what the manifest of the archives says.
    pub(super) fn manifest(&self, said: &str) -> Hash {
        self.keyed("manifest", &[said.as_bytes()])
    }

    /// What tells whether a database was made with this key.
    pub(super) fn check(&self) -> Hash {
        self.keyed("check", &[])
    }

    fn keyed(&self, purpose: &str, parts: &[&[u8]]) -> Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        // No record's hash begins with so short a text.
        hasher.update(purpose.as_bytes());
        for part in parts {
            hasher.update(part);
        }
        *hasher.finalize().as_bytes()
    }
}

/// Values with their types and lengths, so that no two rows are the same bytes.
fn add_row(line: &mut Vec<u8>, row: &[Value]) {
    line.extend_from_slice(&(row.len() as u64).to_le_bytes());
    for value in row {
        match value {
            Value::Null => line.push(0),
            Value::Integer(number) => {
                line.push(1);
                line.extend_from_slice(&number.to_le_bytes());
            }
            Value::Real(number) => {
                line.push(2);
                line.extend_from_slice(&number.to_le_bytes());
            }
            Value::Text(text) => add_bytes(line, 3, text.as_bytes()),
            Value::Blob(bytes) => add_bytes(line, 4, bytes),
        }
    }
}

fn add_bytes(line: &mut Vec<u8>, kind: u8, bytes: &[u8]) {
    line.push(kind);
    line.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    line.extend_from_slice(bytes);
}

/// Bytes in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_rows_have_the_same_hash() {
        let key = Keys::new([7; 32]).chain(b"db");
        let text = |text: &str| Value::Text(text.into());
        let rows = [
            vec![text("ab"), text("c")],
            vec![text("a"), text("bc")],
            vec![text("abc"), Value::Null],
            vec![text("abc")],
            vec![Value::Blob(b"abc".to_vec())],
            vec![Value::Integer(1)],
            vec![Value::Real(1.0)],
        ];
        let mut hashes = Vec::new();
        for row in &rows {
            hashes.push(key.hash(&BEGINNING, 1, row, &[]));
            hashes.push(key.hash(&BEGINNING, 2, row, &[]));
            hashes.push(key.hash(&BEGINNING, 1, &[], std::slice::from_ref(row)));
            hashes.push(key.hash(&[1; 32], 1, row, &[]));
        }
        let all = hashes.len();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), all);
    }

    #[test]
    fn every_database_and_every_installation_has_its_own_chain() {
        let (ours, theirs) = (Keys::new([1; 32]), Keys::new([2; 32]));
        let hash = |keys: &Keys, id: &[u8]| keys.chain(id).hash(&BEGINNING, 1, &[], &[]);
        assert_eq!(hash(&ours, b"a"), hash(&ours, b"a"));
        assert_ne!(hash(&ours, b"a"), hash(&ours, b"b"));
        assert_ne!(hash(&ours, b"a"), hash(&theirs, b"a"));
        assert_ne!(ours.content("x"), theirs.content("x"));
        assert_ne!(ours.public(), theirs.public());
    }
}
