//! A person's word on single calls: what a guardrail wants a person to approve, where the
//! client cannot ask them. A call waits in a file until somebody says yes in a terminal;
//! the same call then passes, once.
//!
//! What is kept of a call is what guardrails leave of it. By its digest, the word is for
//! this call alone: the same server, the same tool, the same arguments.

use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::message::Message;
use crate::pinning::{canonical, digest};
use crate::sandbox::{CacheDir, CacheError, state_folder};

/// For how long a call waits for a person.
const WAITS: Duration = Duration::from_secs(24 * 60 * 60);

/// For how long a person's word is good.
const GOOD: Duration = Duration::from_secs(60 * 60);

/// How many calls may wait. Beyond, the oldest gives way: a model that repeats itself
/// must not fill the disk.
const MOST: usize = 200;

/// Digits of a code: enough that no two calls that wait have the same.
const DIGITS: usize = 12;

/// What is not a part of what a call does: it differs each time.
const CIRCUMSTANTIAL: [&str; 3] = ["_meta", "inputResponses", "requestState"];

/// A call that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// The digest of the call, which the word is bound to.
    pub digest: String,
    /// The guardrail that asks.
    pub guardrail: String,
    /// What it asks.
    pub question: String,
    /// The server.
    pub server: String,
    /// The method, such as `tools/call`.
    pub method: String,
    /// The tool, prompt or resource.
    pub subject: Option<String>,
    /// The arguments as guardrails leave them, a JSON text.
    pub arguments: Option<String>,
    /// Since when it waits, in seconds since 1970.
    pub asked: u64,
    /// When a person approved, in seconds since 1970.
    pub approved: Option<u64>,
}

/// Why a person's word cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalError {
    /// No environment variable says where this person keeps such things.
    #[error("neither MCP_GATEWAY_STATE_DIR nor a home folder is set")]
    Nowhere,
    /// The folder is not to be trusted.
    #[error(transparent)]
    Folder(#[from] CacheError),
    /// A file in it cannot be used.
    #[error("cannot use {0} in the folder of approvals: {1}")]
    File(String, io::Error),
    /// Nothing waits under such a code.
    #[error("nothing waits under {0:?}; `mcp-gateway approve` shows what does")]
    Unknown(String),
}

/// All calls that wait for a person, or have their word.
#[derive(Debug)]
pub struct Approvals(CacheDir);

/// The digest of what a guardrail asks about: any other call has another one.
pub fn digest_of(guardrail: &str, server: &str, request: &Message) -> String {
    let method = request.method().unwrap_or_default();
    let params = request
        .payload()
        .and_then(|it| crate::message::members(it).ok());
    let members = params.iter().flat_map(|members| members.iter());
    let counts = members.filter(|member| !CIRCUMSTANTIAL.contains(&&*member.key));
    let mut texts: Vec<String> = counts
        .map(|member| {
            let key = crate::message::quote(&member.key);
            format!("{key}:{}", canonical(member.value))
        })
        .collect();
    texts.sort();
    digest(&format!(
        "{guardrail}\0{server}\0{method}\0{}",
        texts.join(",")
    ))
}

impl Wanted {
    /// By which a person names it.
    pub fn code(&self) -> &str {
        code(&self.digest)
    }

    fn is_over(&self, now: u64) -> bool {
        let (since, lasts) = match self.approved {
            Some(approved) => (approved, GOOD),
            None => (self.asked, WAITS),
        };
        now.saturating_sub(since) > lasts.as_secs()
    }
}

impl Approvals {
    /// Those in the folder for such things, which is made if it is not there.
    ///
    /// # Errors
    /// When there is no such folder, or others can write to it.
    pub fn open() -> Result<Self, ApprovalError> {
        let state = state_folder().ok_or(ApprovalError::Nowhere)?;
        Ok(Self(CacheDir::at(state.join("approvals"))?))
    }

    /// Has a call wait for a person.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub fn ask(&self, wanted: &Wanted) -> Result<(), ApprovalError> {
        let _locked = self.lock()?;
        let mut all = self.all()?;
        let others = all.len().saturating_sub(MOST - 1);
        for oldest in all.drain(..others) {
            self.remove(oldest.code())?;
        }
        self.write(wanted)
    }

    /// Whether a person has approved of a call. Their word is good once.
    ///
    /// # Errors
    /// When it cannot be read, or not be taken back.
    pub fn redeem(&self, digest: &str) -> Result<bool, ApprovalError> {
        let _locked = self.lock()?;
        let Some(wanted) = self.read(code(digest))? else {
            return Ok(false);
        };
        let is_good = wanted.digest == digest && wanted.approved.is_some();
        if is_good {
            self.remove(wanted.code())?;
        }
        Ok(is_good && !wanted.is_over(now()))
    }

    /// The calls that wait, the oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn waiting(&self) -> Result<Vec<Wanted>, ApprovalError> {
        let _locked = self.lock()?;
        let mut all = self.all()?;
        all.retain(|wanted| wanted.approved.is_none());
        Ok(all)
    }

    /// Takes a person's word on a call that waits.
    ///
    /// # Errors
    /// When nothing waits under that code, or it cannot be written.
    pub fn approve(&self, code: &str) -> Result<(), ApprovalError> {
        let _locked = self.lock()?;
        let wanted = self.read(code)?.filter(|wanted| !wanted.is_over(now()));
        let unknown = || ApprovalError::Unknown(code.to_owned());
        let approved = Some(now());
        self.write(&Wanted {
            approved,
            ..wanted.ok_or_else(unknown)?
        })
    }

    /// All that are not over, the oldest first. What is over is removed.
    fn all(&self) -> Result<Vec<Wanted>, ApprovalError> {
        let names = self.0.names().map_err(failed("the files"))?;
        let codes = names.iter().filter_map(|name| name.strip_suffix(".json"));
        let (mut all, now) = (Vec::new(), now());
        for code in codes {
            match self.read(code)? {
                Some(wanted) if wanted.code() == code && !wanted.is_over(now) => all.push(wanted),
                _ => self.remove(code)?,
            }
        }
        all.sort_by_key(|wanted| wanted.asked);
        Ok(all)
    }

    /// What stands under a code. What is damaged stands for nothing: it approves nothing.
    fn read(&self, code: &str) -> Result<Option<Wanted>, ApprovalError> {
        if code.len() != DIGITS || !code.bytes().all(|it| it.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let name = format!("{code}.json");
        let text = self.0.read(&name).map_err(failed(&name))?;
        Ok(text.and_then(|text| serde_json::from_slice(&text).ok()))
    }

    fn write(&self, wanted: &Wanted) -> Result<(), ApprovalError> {
        let name = format!("{}.json", wanted.code());
        let text = serde_json::to_vec(wanted).map_err(io::Error::from);
        let written = text.and_then(|text| self.0.write(&name, &text));
        written.map_err(failed(&name))
    }

    fn remove(&self, code: &str) -> Result<(), ApprovalError> {
        let name = format!("{code}.json");
        self.0.remove(&name).map_err(failed(&name))
    }

    fn lock(&self) -> Result<std::fs::File, ApprovalError> {
        self.0.lock().map_err(failed("lock"))
    }
}

/// The part of a digest that a person types.
fn code(digest: &str) -> &str {
    let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
    hex.get(..DIGITS).unwrap_or(hex)
}

fn failed(name: &str) -> impl FnOnce(io::Error) -> ApprovalError {
    let name = name.to_owned();
    |cause| ApprovalError::File(name, cause)
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_secs()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn approvals() -> (tempfile::TempDir, Approvals) {
        let folder = tempfile::tempdir().unwrap();
        let approvals = Approvals(CacheDir::at(folder.path().join("approvals")).unwrap());
        (folder, approvals)
    }

    fn call(arguments: &str) -> Message {
        let params = format!(r#"{{"name":"send","arguments":{arguments},"_meta":{{"a":1}}}}"#);
        Message::request("1", "tools/call", Some(&params))
    }

    fn wanted(request: &Message, asked: u64) -> Wanted {
        Wanted {
            digest: digest_of("ask", "mail", request),
            guardrail: "ask".into(),
            question: "Send it?".into(),
            server: "mail".into(),
            method: "tools/call".into(),
            subject: Some("send".into()),
            arguments: None,
            asked,
            approved: None,
        }
    }

    #[test]
    fn a_word_is_for_one_call_alone_and_for_once() {
        let (_folder, approvals) = approvals();
        let wanted = wanted(&call(r#"{"to":"a","n":1}"#), now());
        approvals.ask(&wanted).unwrap();
        assert!(!approvals.redeem(&wanted.digest).unwrap());
        assert_eq!(approvals.waiting().unwrap(), std::slice::from_ref(&wanted));
        approvals.approve(wanted.code()).unwrap();
        assert_eq!(approvals.waiting().unwrap(), []);
        for other in [
            digest_of("ask", "mail", &call(r#"{"to":"b","n":1}"#)),
            digest_of("other", "mail", &call(r#"{"to":"a","n":1}"#)),
            digest_of("ask", "chat", &call(r#"{"to":"a","n":1}"#)),
        ] {
            assert!(!approvals.redeem(&other).unwrap());
        }
        // The same in other words.
        let same = Message::request(
            "7",
            "tools/call",
            Some(r#"{"arguments": {"n":1, "to":"\u0061"}, "name":"send"}"#),
        );
        assert_eq!(digest_of("ask", "mail", &same), wanted.digest);
        assert!(approvals.redeem(&wanted.digest).unwrap());
        assert!(!approvals.redeem(&wanted.digest).unwrap());
    }

    #[test]
    fn a_call_does_not_wait_for_ever_and_a_word_is_not_good_for_ever() {
        let (_folder, approvals) = approvals();
        let old = wanted(&call("1"), now() - WAITS.as_secs() - 1);
        approvals.ask(&old).unwrap();
        assert!(matches!(
            approvals.approve(old.code()),
            Err(ApprovalError::Unknown(_))
        ));
        assert_eq!(approvals.waiting().unwrap(), []);
        let stale = Wanted {
            approved: Some(now() - GOOD.as_secs() - 1),
            ..wanted(&call("2"), now())
        };
        approvals.write(&stale).unwrap();
        assert!(!approvals.redeem(&stale.digest).unwrap());
    }

    #[test]
    fn what_waits_is_bounded_and_what_is_damaged_approves_nothing() {
        let (_folder, approvals) = approvals();
        for number in 0..MOST + 3 {
            let wanted = wanted(&call(&number.to_string()), now() - 1000 + number as u64);
            approvals.ask(&wanted).unwrap();
        }
        let waiting = approvals.waiting().unwrap();
        assert_eq!(waiting.len(), MOST);
        let first = wanted(&call("0"), 0);
        assert!(waiting.iter().all(|it| it.digest != first.digest));
        let name = format!("{}.json", waiting.first().unwrap().code());
        approvals.0.write(&name, b"{\"approved\":1}").unwrap();
        assert!(!approvals.redeem(&waiting.first().unwrap().digest).unwrap());
        for code in ["../../x", "", "zzzzzzzzzzzz", "é"] {
            assert!(matches!(
                approvals.approve(code),
                Err(ApprovalError::Unknown(_))
            ));
        }
    }
}
