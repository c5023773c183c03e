//! Puts stand-ins in place of values.

use std::collections::HashMap;

use mcp_gateway_sdk::Message;
use serde::Deserialize;

use crate::keyed::{Authenticator, Cipher};
use crate::surrogate::{self, Form};
use crate::token::{self, LENGTHS};
use crate::vault::{Entry, Kept, Vault};
use crate::{Settings, base32};

/// What stands in for a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operator {
    /// A name, such as `<PERSON_7K3QXM>`.
    #[default]
    Pseudonym,
    /// What has the same form; a name where there is no form.
    Surrogate,
    /// The value, encrypted.
    Encrypt,
    /// A number that cannot be undone.
    Hash,
}

/// A value that must not be seen.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'v> {
    /// What its kind is called in a stand-in: capital letters, digits and `_`.
    pub label: &'v str,
    /// The form that a surrogate can have.
    pub form: Option<Form>,
    /// The value as it is written.
    pub value: &'v str,
    /// What all spellings of the value have in common.
    pub canonical: &'v str,
}

/// How many surrogates are tried before there is none for a value.
const TRIES: u32 = 32;

/// Makes the stand-ins of one message.
pub struct Issuer<'a> {
    message: Message<'a>,
    settings: &'a Settings,
    vault: Vault<'a>,
    authenticator: Option<Authenticator>,
    cipher: Option<Cipher>,
    /// What this message has had already.
    issued: HashMap<(Operator, Option<Form>, String, String), String>,
}

impl<'a> Issuer<'a> {
    /// For the values of a message.
    pub fn new(message: &Message<'a>, settings: &'a Settings) -> Self {
        Self {
            message: *message,
            settings,
            vault: Vault::of(message, settings.time()),
            authenticator: None,
            cipher: None,
            issued: HashMap::new(),
        }
    }

    /// What is to be seen in place of a value.
    ///
    /// # Errors
    /// The gateway's keys are of no use.
    pub fn stand_in(&mut self, operator: Operator, subject: Subject<'_>) -> Result<String, String> {
        let (label, value) = (subject.label.to_owned(), subject.value.to_owned());
        let known = (operator, subject.form, label, value);
        if let Some(issued) = self.issued.get(&known) {
            return Ok(issued.clone());
        }
        let issued = match (operator, subject.form) {
            (Operator::Pseudonym, _) | (Operator::Surrogate, None) => self.pseudonym(subject)?,
            (Operator::Surrogate, Some(form)) => self.surrogate(form, subject)?,
            (Operator::Encrypt, _) => self.encrypted(subject)?,
            (Operator::Hash, _) => {
                let code = self.code(&["hash", subject.label, subject.canonical])?;
                code.iter()
                    .take(16)
                    .map(|byte| format!("{byte:02x}"))
                    .collect()
            }
        };
        self.issued.insert(known, issued.clone());
        Ok(issued)
    }

    fn pseudonym(&mut self, subject: Subject<'_>) -> Result<String, String> {
        let label = subject.label;
        let code = self.code(&["name", label, subject.canonical])?;
        let mut name = format!("{label}_{}", token::digits(&code));
        let first = name.len() - LENGTHS[0];
        let mut more = String::new();
        for length in LENGTHS {
            if length > LENGTHS[0] && more.is_empty() {
                let code = self.code(&["spelling", label, subject.value])?;
                more = base32::encode(&code);
            }
            name.truncate(first + LENGTHS[0]);
            name.extend(more.chars().take(length - LENGTHS[0]));
            match self.keep(&token::key(&name), subject.value) {
                Kept::Yes => return Ok(token::of_name(&name)),
                // Then it has to hold the value itself.
                Kept::NoRoom => return self.encrypted(subject),
                Kept::Taken => {}
            }
        }
        // It would come back as another.
        Ok(token::of_name(label))
    }

    fn surrogate(&mut self, form: Form, subject: Subject<'_>) -> Result<String, String> {
        // Only the vault tells a number that is one from any other.
        let is_one = match form {
            Form::Number => surrogate::number(subject.value)
                .is_some_and(|known_by| self.vault.get(&surrogate::key(&known_by)).is_some()),
            _ => surrogate::is_one(form, subject.value),
        };
        if is_one {
            return Ok(subject.value.to_owned());
        }
        for attempt in 0..TRIES {
            let attempt = attempt.to_string();
            let code = self.code(&["surrogate", subject.label, subject.value, &attempt])?;
            let Some((made, known_by)) = surrogate::make(form, subject.value, &code) else {
                break;
            };
            match self.keep(&surrogate::key(&known_by), subject.value) {
                Kept::Yes | Kept::NoRoom => return Ok(made),
                Kept::Taken => {}
            }
        }
        match form {
            // It has to stay a number, if it cannot come back.
            Form::Number => Ok("9".repeat(subject.value.len())),
            _ => self.pseudonym(subject),
        }
    }

    fn encrypted(&mut self, subject: Subject<'_>) -> Result<String, String> {
        let entry = Entry::of(subject.value, self.message.server());
        let cipher = match &mut self.cipher {
            Some(cipher) => cipher,
            None => self.cipher.insert(Cipher::of(&self.message)?),
        };
        let ciphertext = cipher.encrypt(subject.label, &entry.bytes())?;
        Ok(token::of_ciphertext(subject.label, &ciphertext))
    }

    fn keep(&mut self, key: &str, value: &str) -> Kept {
        self.vault.keep(key, value, self.message.server())
    }

    fn code(&mut self, parts: &[&str]) -> Result<[u8; 32], String> {
        let scope = self.settings.scope();
        let authenticator = match &self.authenticator {
            Some(authenticator) => authenticator,
            None => self
                .authenticator
                .insert(Authenticator::of(&self.message, scope)),
        };
        authenticator.code(parts)
    }
}
