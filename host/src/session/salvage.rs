//! The id of a message that cannot be read as a whole, so that whoever waits
//! for its answer does not wait for ever. Best effort, from both ends: some
//! servers write the id first, some last.

/// The literal after the first `"id":` near the start, or after the last near
/// the end.
pub(super) fn id(head: &[u8], tail: &[u8]) -> Option<String> {
    const NEAR: usize = 256;
    let head = head.get(..NEAR.min(head.len()))?;
    let tail = tail.get(tail.len().saturating_sub(NEAR)..)?;
    let first = memchr::memmem::find(head, KEY).and_then(|at| literal(head.get(at + KEY.len()..)?));
    first.or_else(|| {
        let at = memchr::memmem::rfind(tail, KEY)?;
        literal(tail.get(at + KEY.len()..)?)
    })
}

/// Whether it is likely a request.
pub(super) fn has_method(head: &[u8], tail: &[u8]) -> bool {
    [head, tail]
        .iter()
        .any(|end| memchr::memmem::find(end, b"\"method\"").is_some())
}

const KEY: &[u8] = b"\"id\"";

/// A string or an integer after a colon.
fn literal(rest: &[u8]) -> Option<String> {
    let rest = std::str::from_utf8(rest.get(..100.min(rest.len()))?)
        .unwrap_or_else(|cut| {
            rest.get(..cut.valid_up_to())
                .and_then(|valid| std::str::from_utf8(valid).ok())
                .unwrap_or_default()
        })
        .trim_start()
        .strip_prefix(':')?
        .trim_start();
    let literal = match rest.strip_prefix('"') {
        Some(text) => {
            let end = text.find(['"', '\\'])?;
            rest.get(..end + 2)
                .filter(|literal| literal.ends_with('"'))?
        }
        None => {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '-')?;
            rest.get(..end).filter(|literal| !literal.is_empty())?
        }
    };
    Some(literal.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_found_at_either_end() {
        let cases: [(&str, Option<&str>); 6] = [
            (r#"{"jsonrpc":"2.0","id":17,"result":{"a"#, Some("17")),
            (
                r#"{"jsonrpc":"2.0","id" : "a-b","result":{"a"#,
                Some("\"a-b\""),
            ),
            (r#"{"result":{"x":1},"jsonrpc":"2.0","id":4}"#, Some("4")),
            (r#"{"id":null,"method":"x"}"#, None),
            (r#"{"id":"un\"usual"}"#, None),
            ("plain text", None),
        ];
        for (line, expected) in cases {
            let found = id(line.as_bytes(), line.as_bytes());
            assert_eq!(found.as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn text_that_is_cut_within_a_character_is_harmless() {
        let line = "{\"id\":5,\"x\":\"ü";
        let cut = line.as_bytes().split_last().map(|(_, rest)| rest);
        assert_eq!(id(cut.unwrap_or_default(), b"").as_deref(), Some("5"));
    }
}
