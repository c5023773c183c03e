//! Whether a URI can be an expansion of a URI template (RFC 6570).
//!
//! Servers are more generous with what they take than the RFC is with what it
//! expands, so this is, too: it tells which server a URI is likely for, not
//! whether it is valid. Its time is that of the URI's length times the
//! template's.

/// A template longer than this is not matched, in bytes.
const LONGEST_TEMPLATE: usize = 256;

/// A URI longer than this is not matched, in bytes.
const LONGEST_URI: usize = 2048;

/// A URI template, ready to be matched.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Step>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// This byte.
    Byte(u8),
    /// This byte and what the next step takes, or neither.
    Perhaps(u8),
    /// Any number of bytes but these.
    Any(&'static [u8]),
}

impl Template {
    /// Reads a template; absent if it is none, or too long to be worth it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST_TEMPLATE {
            return None;
        }
        let mut steps = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once('{') {
            steps.extend(literal.bytes().map(Step::Byte));
            let (expression, after) = after.split_once('}')?;
            rest = after;
            // What each operator puts in front, and what its values have not in
            // them unless it is escaped.
            let (first, without): (Option<u8>, &'static [u8]) = match expression.bytes().next()? {
                b'+' => (None, b""),
                b'#' => (Some(b'#'), b""),
                b'.' => (Some(b'.'), b"/?#"),
                b'/' => (Some(b'/'), b"?#"),
                b';' => (Some(b';'), b"/?#"),
                b'?' => (Some(b'?'), b"#"),
                b'&' => (Some(b'&'), b"#"),
                _ => (None, b"/?#"),
            };
            steps.extend(first.map(Step::Perhaps));
            steps.push(Step::Any(without));
        }
        steps.extend(rest.bytes().map(Step::Byte));
        Some(Self(steps))
    }

    /// How much of a matching URI the template itself says: of two templates
    /// that match, the one that says more is meant.
    pub(super) fn literal_length(&self) -> usize {
        let literal = |step: &&Step| matches!(step, Step::Byte(_));
        self.0.iter().filter(literal).count()
    }

    /// Whether a URI can be an expansion of it.
    pub(super) fn matches(&self, uri: &str) -> bool {
        if uri.len() > LONGEST_URI {
            return false;
        }
        // The steps that may come next, given what was read.
        let mut current = vec![false; self.0.len() + 1];
        let mut next = current.clone();
        self.enter(&mut current, 0);
        for byte in uri.bytes() {
            next.fill(false);
            for (at, step) in self.0.iter().enumerate() {
                if current.get(at) != Some(&true) {
                    continue;
                }
                match step {
                    Step::Byte(literal) | Step::Perhaps(literal) if *literal == byte => {
                        self.enter(&mut next, at + 1);
                    }
                    Step::Any(without) if !without.contains(&byte) => self.enter(&mut next, at),
                    _ => {}
                }
            }
            if !next.contains(&true) {
                return false;
            }
            std::mem::swap(&mut current, &mut next);
        }
        current.last() == Some(&true)
    }

    /// Notes that a step may come next, and those after it that it may be left
    /// out before.
    fn enter(&self, steps: &mut [bool], mut at: usize) {
        while let Some(entered) = steps.get_mut(at) {
            if *entered {
                break;
            }
            *entered = true;
            at += match self.0.get(at) {
                Some(Step::Any(_)) => 1,
                Some(Step::Perhaps(_)) => 2,
                Some(Step::Byte(_)) | None => break,
            };
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_template_matches_what_it_expands_to_and_nothing_else() {
        let yes = [
            ("file:///a", "file:///a"),
            ("note://{id}", "note://17"),
            ("note://{id}", "note://"),
            ("note://{id}/text", "note://a%2Fb/text"),
            ("file:///{+path}", "file:///a/b?c#d"),
            ("db://{table}/{row}{?columns,limit}", "db://users/1"),
            (
                "db://{table}/{row}{?columns,limit}",
                "db://users/1?columns=a,b&limit=2",
            ),
            ("x://a{/rest*}", "x://a/b/c"),
            ("x://a{/rest*}", "x://a"),
            ("x://a{.ext}", "x://a.tar.gz"),
            ("x://a{;p}", "x://a;p=1"),
            ("x://a?b=1{&c}", "x://a?b=1&c=2"),
            ("x://a{#part}", "x://a#sec/1"),
            ("{+any}", "whatever://x"),
            ("x://{a}-{b}", "x://1-2-3"),
            ("x://{name}", "x://für"),
        ];
        for (template, uri) in yes {
            assert!(
                Template::parse(template).unwrap().matches(uri),
                "{template} {uri}"
            );
        }
        let no = [
            ("file:///a", "file:///ab"),
            ("file:///ab", "file:///a"),
            ("note://{id}", "note://a/b"),
            ("note://{id}/text", "note://a/texts"),
            ("x://a{/rest*}", "x://ab"),
            ("x://a{?q}", "x://a&q=1"),
            ("x://{a}-{b}", "x://12"),
        ];
        for (template, uri) in no {
            assert!(
                !Template::parse(template).unwrap().matches(uri),
                "{template} {uri}"
            );
        }
        for none in ["x://{", "x://{}", "x://{a"] {
            assert_eq!(Template::parse(none), None, "{none}");
        }
    }

    #[test]
    fn many_variables_take_no_longer_than_few() {
        let template = Template::parse(&"{a}".repeat(80)).unwrap();
        assert!(!template.matches(&format!("{}/", "a".repeat(2000))));
    }

    proptest! {
        #[test]
        fn every_expansion_matches(
            parts in prop::collection::vec(("[a-z:/.-]{0,8}", "[A-Za-z0-9._~%-]{0,8}"), 0..6)
        ) {
            let template: String = parts.iter().map(|(text, _)| format!("{text}{{v}}")).collect();
            let uri: String = parts.iter().map(|(text, value)| format!("{text}{value}")).collect();
            prop_assert!(Template::parse(&template).unwrap().matches(&uri));
        }
    }
}
