//! Puts values back in place of their stand-ins, on the way to a server.

use std::ops::Range;

use mcp_gateway_scan::encoded::encoded;
use mcp_gateway_sdk::{Direction, Message, PatchOp, PatchValue, Text, VerdictBuilder};

use crate::echo::Echoes;
use crate::keyed::Cipher;
use crate::place::Places;
use crate::token::{Brackets, Kind, Token};
use crate::vault::{Entry, Vault};
use crate::{Elsewhere, Settings, place, surrogate, token};

/// The rule under which restored values are reported.
const RULE: &str = "restored";

/// Strings in strings are looked into so far.
const DEPTH: usize = 8;

/// Puts the values back that may go where the message goes, or refuses it. Does nothing
/// with a message on its way to the client. The labels are those that tokens may have.
/// Where a number is wanted, a value that is one takes the place of the string that stood
/// for it.
///
/// # Errors
/// The gateway's keys are of no use.
pub fn restore(
    message: &Message<'_>,
    settings: &Settings,
    is_label: &dyn Fn(&str) -> bool,
    is_number: &dyn Fn(&Text<'_>) -> bool,
    verdict: &mut VerdictBuilder,
) -> Result<(), String> {
    if message.direction() != Direction::ToServer {
        return Ok(());
    }
    let mut restoring = Restoring {
        message: *message,
        settings,
        is_label,
        vault: Vault::of(message, settings.time()),
        cipher: None,
        echoes: Echoes::default(),
    };
    let mut numbers = 0;
    for text in message.texts() {
        match restoring.text(&text, DEPTH) {
            Ok(edits) => {
                if let [(range, value)] = &edits[..]
                    && *range == (0..text.len())
                    && place::is_number(value)
                    && !place::is_number(&text)
                    && is_number(&text)
                    && let Some(place) = message.place(text.index())
                {
                    let (path, value) = (place.pointer, value.clone());
                    verdict.patch(PatchOp::Replace(PatchValue { path, value }));
                    numbers += 1;
                }
                if numbers > NUMBERS {
                    verdict.block(TOO_MANY);
                    return Ok(());
                }
                for (range, value) in edits {
                    verdict.mask(&text, range, RULE, value);
                }
            }
            Err(Stop::Refused(reason)) => {
                verdict.block(reason);
                return Ok(());
            }
            Err(Stop::Fault(fault)) => return Err(fault),
        }
    }
    restoring.echoes.note(message, &mut restoring.vault);
    Ok(())
}

/// Whether one of these, which stand in order and apart from each other, is here, too.
fn overlaps(known: &[Range<usize>], range: &Range<usize>) -> bool {
    let at = known.partition_point(|known| known.end <= range.start);
    known.get(at).is_some_and(|known| known.start < range.end)
}

/// Whether anything in a text may stand for a value.
pub fn holds_stand_in(text: &str, is_label: &dyn Fn(&str) -> bool) -> bool {
    !token::find(text, is_label).is_empty() || !surrogate::find(text).is_empty()
}

/// So many operations a verdict may have.
const NUMBERS: usize = 1_000;

/// Parts of a text, and what takes their place.
type Edits = Vec<(Range<usize>, String)>;

/// Why nothing is restored.
enum Stop {
    Refused(String),
    Fault(String),
}

struct Restoring<'a> {
    message: Message<'a>,
    settings: &'a Settings,
    is_label: &'a dyn Fn(&str) -> bool,
    vault: Vault<'a>,
    cipher: Option<Cipher>,
    echoes: Echoes,
}

impl Restoring<'_> {
    fn text(&mut self, text: &str, depth: usize) -> Result<Edits, Stop> {
        let tokens = token::find(text, self.is_label);
        let surrogates = surrogate::find(text);
        if tokens.is_empty() && surrogates.is_empty() {
            return self.encoded(text, depth);
        }
        if let Some(strings) = (depth > 0).then(|| place::strings(text)).flatten() {
            return self.strings(text, strings, depth);
        }
        let lines = text.lines().filter(|line| place::strings(line).is_some());
        if depth > 0 && lines.count() > 0 {
            return self.lines(text, depth);
        }
        let places = Places::of(text);
        let mut edits = self.encoded(text, depth)?;
        // They stand in order, and apart from each other, as do the tokens.
        let runs: Vec<Range<usize>> = edits.iter().map(|(run, _)| run.clone()).collect();
        for token in tokens {
            if overlaps(&runs, &token.range) {
                continue;
            }
            let shown = text.get(token.range.clone()).unwrap_or_default();
            let key = token::key(&token.name);
            let entry = self.held(&token, &key).map_err(Stop::Fault)?;
            if entry.is_none() && self.vault.is_spent() {
                return Err(Stop::Refused(TOO_MANY.to_owned()));
            }
            // Without its brackets it may be any word.
            let is_certain = token.brackets != Brackets::None;
            if entry.is_none() && is_certain && self.settings.elsewhere == Elsewhere::Refuse {
                return Err(Stop::Refused(unknown(shown)));
            }
            let Some(entry) = entry else { continue };
            if let Some(value) = self.allowed(entry, shown)? {
                let written = places.written(&value, token.range.start, token.brackets);
                let written = written.ok_or_else(|| Stop::Refused(unsafe_in_sql(shown)))?;
                self.echoes.add(&key, &token::of_name(&token.name), &value);
                edits.push((token.range, written));
            }
        }
        let mut known: Vec<Range<usize>> = edits.iter().map(|(known, _)| known.clone()).collect();
        known.sort_unstable_by_key(|known| known.start);
        for (range, known_by) in surrogates {
            if overlaps(&known, &range) {
                continue;
            }
            let shown = text.get(range.clone()).unwrap_or_default();
            if let Some(value) = self.surrogate(shown, &known_by)? {
                let written = places.written(&value, range.start, Brackets::Plain);
                let written = written.ok_or_else(|| Stop::Refused(unsafe_in_sql(shown)))?;
                edits.push((range, written));
            }
        }
        Ok(edits)
    }

    /// What stands in text that is written in base64 or hexadecimal digits, in which it is written again.
    fn encoded(&mut self, text: &str, depth: usize) -> Result<Edits, Stop> {
        let mut edits = Edits::new();
        if depth == 0 {
            return Ok(edits);
        }
        for encoded in encoded(text) {
            let mut inner = self.text(&encoded.text, depth - 1)?;
            inner.sort_by_key(|(range, _)| range.start);
            let (mut said, mut end) = (String::new(), 0);
            for (range, value) in &inner {
                said.push_str(encoded.text.get(end..range.start).unwrap_or_default());
                said.push_str(value);
                end = range.end;
            }
            said.push_str(encoded.text.get(end..).unwrap_or_default());
            if !inner.is_empty() {
                edits.push((encoded.range.clone(), encoded.encode(&said)));
            }
        }
        Ok(edits)
    }

    /// What something stands for that looks like any value of its form.
    fn surrogate(&mut self, shown: &str, known_by: &str) -> Result<Option<String>, Stop> {
        let key = surrogate::key(known_by);
        let Some(entry) = self.vault.get(&key) else {
            return Ok(None);
        };
        let value = self.allowed(entry, shown)?;
        if let Some(value) = &value {
            self.echoes.add(&key, shown, value);
        }
        Ok(value)
    }

    /// What stands between the strings of a JSON text are numbers.
    fn numbers(&mut self, text: &str, between: Range<usize>) -> Result<Edits, Stop> {
        let mut edits = Edits::new();
        for (range, known_by) in surrogate::find(text.get(between.clone()).unwrap_or_default()) {
            let range = between.start + range.start..between.start + range.end;
            let shown = text.get(range.clone()).unwrap_or_default();
            if let Some(value) = self.surrogate(shown, &known_by)? {
                let written = match place::is_number(&value) {
                    true => value,
                    false => format!("\"{}\"", place::json(&value)),
                };
                edits.push((range, written));
            }
        }
        Ok(edits)
    }

    /// What the strings of a JSON text say is restored, and written as they are; numbers,
    /// too.
    fn strings(
        &mut self,
        text: &str,
        strings: Vec<Range<usize>>,
        depth: usize,
    ) -> Result<Edits, Stop> {
        let mut edits = Edits::new();
        let mut done = 0;
        for range in strings {
            edits.extend(self.numbers(text, done..range.start)?);
            done = range.end;
            let written = text.get(range.clone()).unwrap_or_default();
            let Some(content) = place::says(written) else {
                continue;
            };
            let inner = self.text(&content, depth - 1)?;
            if inner.is_empty() {
                continue;
            }
            // Only what is restored is written anew: the rest may be somebody else's to hide.
            let at = place::written_at(written);
            for (part, value) in inner {
                let ends = (at.get(part.start), at.get(part.end));
                if let (Some(from), Some(to)) = ends {
                    edits.push((range.start + from..range.start + to, place::json(&value)));
                }
            }
        }
        edits.extend(self.numbers(text, done..text.len())?);
        Ok(edits)
    }

    /// Some lines are JSON texts.
    fn lines(&mut self, text: &str, depth: usize) -> Result<Edits, Stop> {
        let mut edits = Edits::new();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            // The break, too, is not part of a text that is JSON.
            let depth = if place::strings(line).is_some() {
                depth
            } else {
                0
            };
            let inner = self.text(line, depth)?.into_iter();
            edits.extend(inner.map(|(at, value)| (start + at.start..start + at.end, value)));
            start += line.len();
        }
        Ok(edits)
    }

    /// What a token stands for.
    fn held(&mut self, token: &Token, key: &str) -> Result<Option<Entry>, String> {
        let Kind::Encrypted(label, ciphertext) = &token.kind else {
            return Ok(self.vault.get(key));
        };
        let cipher = match &mut self.cipher {
            Some(cipher) => cipher,
            None => self.cipher.insert(Cipher::of(&self.message)?),
        };
        let entry = cipher.decrypt(label, ciphertext);
        let entry = entry.as_deref().and_then(Entry::parse);
        if let Some(entry) = &entry {
            // For the answer, where it is to be hidden again.
            self.vault.keep(
                key,
                &entry.value,
                entry.servers.first().map_or("", |name| name),
            );
        }
        Ok(entry)
    }

    /// The value, if it goes where the message goes.
    fn allowed(&self, entry: Entry, shown: &str) -> Result<Option<String>, Stop> {
        if self.settings.allows(&entry.servers, &self.message) {
            return Ok(Some(entry.value));
        }
        match self.settings.elsewhere {
            Elsewhere::Keep => Ok(None),
            Elsewhere::Refuse => Err(Stop::Refused(foreign(shown, &entry, &self.message))),
        }
    }
}

/// Why a message is refused that the gateway would be asked too often for.
const TOO_MANY: &str = "there are too many different stand-ins in one message: send it in parts";

fn unsafe_in_sql(shown: &str) -> String {
    format!(
        "{shown} stands for a value with a backslash before the end of a literal, which databases read differently. \
         Pass it as a parameter, or quote names in backticks if this is MySQL"
    )
}

fn unknown(shown: &str) -> String {
    format!(
        "{shown} stands for nothing that can be put back: it was not issued in this session, or it has expired. \
         Read the data again, and use what is then shown in place of the value"
    )
}

fn foreign(shown: &str, entry: &Entry, message: &Message<'_>) -> String {
    format!(
        "{shown} stands for a value of server \"{}\", which does not go to server \"{}\". \
         A person can allow that in the guardrail's configuration: stand_ins = {{ allow = [\"{}\"] }}",
        entry.servers.join("\", \""),
        message.server(),
        message.server()
    )
}
