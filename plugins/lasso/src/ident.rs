//! Ids that the API takes.

use std::time::{SystemTime, UNIX_EPOCH};

use mcp_gateway_sdk::{Message, Scope};
use sha2::{Digest, Sha256};

/// Characters of an id; one that is longer makes the API refuse the whole request.
pub(crate) const LONGEST: usize = 128;

/// The key under which a session's id is kept.
const SESSION: &str = "session";

/// The digits of a ULID.
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// What is left of a name once everything is taken out that the API refuses: characters of the
/// categories Cc and Cf. Nothing if nothing is left, or too much.
pub(crate) fn sanitised(name: &str) -> Option<String> {
    let visible: String = name.chars().filter(|c| !is_invisible(*c)).collect();
    let visible = visible.trim();
    let fits = !visible.is_empty() && visible.chars().count() <= LONGEST;
    fits.then(|| visible.to_owned())
}

fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
            | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0001}'
            | '\u{e0020}'..='\u{e007f}')
}

/// The ULID of the message's session: the same as long as that lasts, for all instances.
pub(crate) fn of_session(message: &Message<'_>) -> String {
    let state = message.state(Scope::Session);
    let kept = || state.get(SESSION).and_then(|id| String::from_utf8(id).ok());
    if let Some(id) = kept() {
        return id;
    }
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let fresh = ulid(now.as_millis(), message.session(), now.as_nanos());
    // Another instance may have been first. Without room it is another id each time.
    match state.compare_and_swap(SESSION, None, fresh.as_bytes(), None) {
        Ok(false) => kept().unwrap_or(fresh),
        Ok(true) | Err(_) => fresh,
    }
}

fn ulid(milliseconds: u128, session: &str, moment: u128) -> String {
    let digest = Sha256::new()
        .chain_update(session)
        .chain_update(moment.to_be_bytes())
        .finalize();
    let low = digest
        .iter()
        .take(10)
        .fold(0_u128, |sum, byte| (sum << 8) | u128::from(*byte));
    let bits = ((milliseconds & 0xffff_ffff_ffff) << 80) | low;
    let digit = |place: u32| {
        let digit = usize::try_from((bits >> (5 * place)) & 31).unwrap_or_default();
        char::from(CROCKFORD.get(digit).copied().unwrap_or(b'0'))
    };
    (0..26).rev().map(digit).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mcp_gateway_sdk::testing::{Gateway, Sample};

    use super::*;

    #[test]
    fn an_id_begins_with_its_time_and_has_the_digits_of_a_ulid() {
        // The time of the example in the specification of ULID.
        let id = ulid(1_469_918_176_385, "a", 1);
        assert!(id.starts_with("01ARYZ6S41"), "{id}");
        assert_eq!(id.len(), 26);
        assert!(id.bytes().all(|digit| CROCKFORD.contains(&digit)), "{id}");
        assert_ne!(id, ulid(1_469_918_176_385, "a", 2));
        assert!(ulid(u128::MAX, "a", 1).starts_with('7'));
    }

    #[test]
    fn a_session_keeps_its_id() {
        let gateway = Gateway::default();
        let one = Sample::request("tools/call", ["a"]).within(&gateway);
        let other = Sample::response("tools/call", ["b"]).within(&gateway);
        let id = of_session(&one.message());
        assert_eq!(of_session(&other.message()), id);
        let elsewhere = Sample::request("tools/call", ["a"]);
        assert_ne!(of_session(&elsewhere.message()), id);
    }

    #[test]
    fn what_the_api_refuses_is_taken_out_of_a_name() {
        for (name, left) in [
            ("git.commit", Some("git.commit")),
            (" a\u{200b}b\u{7}c\u{e0041} ", Some("abc")),
            ("\u{feff}", None),
            ("", None),
        ] {
            assert_eq!(sanitised(name).as_deref(), left, "{name:?}");
        }
        assert!(sanitised(&"é".repeat(LONGEST)).is_some());
        assert_eq!(sanitised(&"é".repeat(LONGEST + 1)), None);
    }
}
