//! The values of a Kubernetes Secret, in YAML or JSON: whatever its `data` holds is meant to be secret.

use std::ops::Range;

use mcp_gateway_scan::measure::is_placeholder;

/// How far from its kind a manifest is read, to either side.
const REACH: usize = 1 << 16;

/// No value is shorter that is worth hiding.
const SHORTEST: usize = 6;

/// The values of the Secret whose kind stands at `kind` (`kind: Secret`), and how far it was read. What stands before
/// `floor` has been read for another one.
pub(crate) fn values(
    text: &str,
    kind: Range<usize>,
    floor: usize,
) -> (Range<usize>, Vec<Range<usize>>) {
    let mut floor = floor.max(kind.start.saturating_sub(REACH)).min(kind.start);
    while !text.is_char_boundary(floor) {
        floor += 1;
    }
    let bytes = text.as_bytes();
    let is_json = text
        .get(kind.clone())
        .is_some_and(|kind| kind.starts_with("kind\""));
    let (whole, mut values) = if is_json {
        let whole = object(bytes, &kind, floor);
        let values = members(bytes, &whole);
        (whole, values)
    } else {
        let block = block(text, &kind, floor);
        (block.lines, block.values)
    };
    values.retain(|value| {
        let said = text.get(value.clone()).unwrap_or_default();
        said.len() >= SHORTEST && !is_placeholder(said)
    });
    (kind.start..whole.end.max(kind.end), values)
}

/// What YAML says of one object.
#[derive(Default)]
struct Block {
    lines: Range<usize>,
    values: Vec<Range<usize>>,
}

/// A line of YAML: where what it says starts, and in which column.
struct Line<'t> {
    column: usize,
    start: usize,
    said: &'t str,
    /// Whether it begins an item of a list.
    is_item: bool,
}

/// The line that starts at `at`.
fn line(text: &str, at: usize) -> Line<'_> {
    let rest = text.get(at..).unwrap_or_default();
    let whole = rest.split('\n').next().unwrap_or_default();
    let mut said = whole.trim_start_matches([' ', '\t']);
    let mut is_item = false;
    while let Some(item) = said.strip_prefix("- ") {
        said = item.trim_start_matches(' ');
        is_item = true;
    }
    let column = whole.len() - said.len();
    Line {
        column,
        start: at + column,
        said: said.trim_end(),
        is_item,
    }
}

/// The lines of the object that has this kind, and the values of its data: lines that stand as far right as the kind or
/// farther, up to the item of a list that they begin with.
fn block(text: &str, kind: &Range<usize>, floor: usize) -> Block {
    let before = text.get(..kind.start).unwrap_or_default();
    let left = before.trim_end_matches([' ', '\t', '-']);
    // The first line of a string begins behind its quote.
    let is_first = left.len() == before.len() && before.ends_with(['"', '\'', '`']);
    if !is_first && !left.is_empty() && !left.ends_with('\n') {
        return Block::default();
    }
    let mut start = left.len();
    let here = line(text, start);
    if here.start != kind.start {
        return Block::default();
    }
    let column = here.column;
    let belongs = |line: &Line<'_>| {
        line.said.is_empty() || line.column >= column && !line.said.starts_with("---")
    };
    let mut begun = here.is_item || is_first;
    while !begun && start > floor {
        let above = text.get(floor..start - 1).unwrap_or_default();
        let above = above.rfind('\n').map_or(floor, |end| floor + end + 1);
        let before = line(text, above);
        if !belongs(&before) {
            break;
        }
        begun = before.is_item && before.column == column;
        start = above;
    }
    let mut block = Block {
        lines: start..start,
        values: Vec::new(),
    };
    let (mut in_data, mut entries, mut folded) = (false, None, false);
    let mut at = start;
    while at < text.len() && at < kind.end + REACH {
        let line = line(text, at);
        let is_start = at == start;
        let end = text.get(at..).and_then(|rest| rest.find('\n'));
        let is_next = line.is_item && line.column == column && at > kind.start;
        if at > start && (is_next || !belongs(&line)) {
            break;
        }
        at = end.map_or(text.len(), |end| at + end + 1);
        block.lines.end = at;
        if line.said.is_empty() || line.said.starts_with('#') {
            continue;
        }
        if line.column <= column {
            // What the manifest is a string in may stand before its first line.
            let said = match is_start {
                true => line
                    .said
                    .rsplit(['"', '\'', '`'])
                    .next()
                    .unwrap_or_default(),
                false => line.said,
            };
            in_data = matches!(said, "data:" | "stringData:");
            (entries, folded) = (None, false);
        } else if in_data {
            let depth = *entries.get_or_insert(line.column);
            if line.column > depth {
                let lines = line.start..line.start + within(line.said).len();
                block.values.extend(folded.then_some(lines));
                continue;
            }
            let value = entry(&line);
            folded = value.is_none();
            block.values.extend(value);
        }
    }
    block
}

/// The value of `name: value`, without its quotes; nothing if it is in the lines below.
fn entry(line: &Line<'_>) -> Option<Range<usize>> {
    let (name, rest) = line.said.split_once(": ")?;
    let said = rest.trim_start();
    let start = line.start + name.len() + 2 + (rest.len() - said.len());
    if said.starts_with(['|', '>']) {
        return None;
    }
    let (quote, inner) = match said.chars().next() {
        Some(quote @ ('"' | '\'')) => (1, said.get(1..)?.split(quote).next()?),
        _ => (0, within(said)),
    };
    Some(start + quote..start + quote + inner.len())
}

/// A line without what ends the string that it may be in: `value","next":1}`.
fn within(said: &str) -> &str {
    let ends = |(at, _): &(usize, &str)| {
        let rest = said.get(at + 1..).unwrap_or_default();
        rest.is_empty() || rest.starts_with([',', '}', ']', '"'])
    };
    let end = said.match_indices('"').find(ends);
    end.and_then(|(at, _)| said.get(..at)).unwrap_or(said)
}

/// The object of JSON that this stands in.
fn object(text: &[u8], kind: &Range<usize>, floor: usize) -> Range<usize> {
    let to = text.len().min(kind.end + REACH);
    let edge = |part: &mut dyn Iterator<Item = (usize, &u8)>, opening: &[u8], closing: &[u8]| {
        let mut depth = 0_usize;
        for (at, byte) in part {
            if opening.contains(byte) {
                depth += 1;
            } else if closing.contains(byte) {
                match depth.checked_sub(1) {
                    Some(less) => depth = less,
                    None => return Some(at),
                }
            }
        }
        None
    };
    let before = text.get(floor..kind.start).unwrap_or_default();
    let after = text.get(kind.end..to).unwrap_or_default();
    let start = edge(&mut before.iter().enumerate().rev(), b"}]", b"{[");
    let end = edge(&mut after.iter().enumerate(), b"{[", b"}]");
    start.map_or(floor, |at| floor + at)..end.map_or(to, |at| kind.end + at)
}

/// The strings in the members `data` and `stringData` of an object of JSON.
fn members(text: &[u8], object: &Range<usize>) -> Vec<Range<usize>> {
    let (mut values, mut depth, mut in_data) = (Vec::new(), 0_usize, false);
    // The string before a colon, and whether the colon has been read.
    let (mut name, mut is_value) = (0..0, false);
    let mut at = object.start;
    while at < object.end {
        match text.get(at) {
            Some(b'"') => {
                let end = string(text, at + 1, object.end);
                if is_value && in_data && depth == 2 {
                    values.push(at + 1..end);
                }
                name = at + 1..end;
                at = end;
            }
            Some(b':') => is_value = true,
            Some(b',') => is_value = false,
            Some(b'{' | b'[') => {
                let said = text.get(name.clone()).unwrap_or_default();
                in_data = match depth {
                    1 => is_value && (said == b"data" || said == b"stringData"),
                    _ => in_data,
                };
                depth += 1;
                is_value = false;
            }
            Some(b'}' | b']') => {
                depth = depth.saturating_sub(1);
                is_value = false;
            }
            _ => {}
        }
        at += 1;
    }
    values
}

/// Where the string ends that starts at `at`.
fn string(text: &[u8], at: usize, end: usize) -> usize {
    let mut here = at;
    while here < end {
        match text.get(here) {
            Some(b'"') => return here,
            Some(b'\\') => here += 2,
            _ => here += 1,
        }
    }
    end
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found<'t>(text: &'t str, kind: &str) -> Vec<&'t str> {
        let at = text.find(kind).unwrap();
        let (_, values) = values(text, at..at + kind.len(), 0);
        values.into_iter().map(|value| &text[value]).collect()
    }

    #[test]
    fn every_value_of_a_manifest_is_found_before_its_kind_and_behind() {
        let text = "apiVersion: v1\ndata:\n  # two\n  a.crt: 'QUFBQUFB'\n  b: QkJCQkJC\nkind: Secret\nmetadata:\n  name: not-this-one\nstringData:\n  c: |\n    line one\n    line two\n  d: \"\"\n---\ndata:\n  e: RUVFRUVF\n";
        let expected = ["QUFBQUFB", "QkJCQkJC", "line one", "line two"];
        assert_eq!(found(text, "kind: Secret"), expected);
        assert_eq!(found(&text.replace('\n', "\r\n"), "kind: Secret"), expected);
    }

    #[test]
    fn an_item_of_a_list_has_its_own_values_only() {
        let item = |kind: &str, value: &str| {
            format!(
                "- apiVersion: v1\n  data:\n    k: {value}\n  kind: {kind}\n  metadata:\n    name: {value}-n\n"
            )
        };
        let text = format!(
            "items:\n{}{}{}kind: List\n",
            item("ConfigMap", "QUFBQUFB"),
            item("Secret", "QkJCQkJC"),
            item("Pod", "Q0NDQ0ND")
        );
        assert_eq!(found(&text, "kind: Secret"), ["QkJCQkJC"]);
        assert_eq!(
            found(
                "- kind: Secret\n  data:\n    k: QUFBQUFB\n- data:\n    k: no-secret",
                "kind: Secret"
            ),
            ["QUFBQUFB"]
        );
    }

    #[test]
    fn a_manifest_in_a_string_ends_with_it() {
        let text = "{\"text\":\"kind: Secret\ndata:\n  a: QUFBQUFB\n  b: QkJCQkJC\",\"data\":{\"c\":\"no-secret\"}}";
        assert_eq!(found(text, "kind: Secret"), ["QUFBQUFB", "QkJCQkJC"]);
        let text = "{\"a\":1,\"text\":\"data:\n  a: QUFBQUFB\nkind: Secret\n\",\"data\":{\"c\":\"no-secret\"}}";
        assert_eq!(found(text, "kind: Secret"), ["QUFBQUFB"]);
    }

    #[test]
    fn json_is_read_as_well() {
        let text = r#"{"items":[{"data":{"x":"no-secret"},"kind":"ConfigMap"},{"apiVersion":"v1","data":{"a":"QUFBQUFB","b":"QkJCQkJC","n":1},"metadata":{"annotations":{"data":"{\"kept\":1}"}},"kind": "Secret","stringData":{"c":"a \"c\""}}]}"#;
        assert_eq!(
            found(text, r#"kind": "Secret""#),
            ["QUFBQUFB", "QkJCQkJC", r#"a \"c\""#]
        );
    }

    proptest! {
        #[test]
        fn every_place_is_a_part_of_the_text(text in "(kind: Secret|\"kind\":\"Secret\"|data:|\"data\":|stringData:|[{}\\[\\]\",:'|#-]|\n| |\t|\\\\|ä|- |k: abcdefgh){0,50}") {
            for (at, kind) in text.match_indices("kind") {
                let (read, values) = values(&text, at..at + kind.len(), at / 2);
                prop_assert!(read.start == at && read.end <= text.len());
                for value in values {
                    prop_assert!(text.get(value).is_some_and(|part| !part.is_empty()));
                }
            }
        }
    }
}
