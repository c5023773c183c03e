//! Settings that differ from place to place.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error};
use serde_json::{Map, Value};

use crate::{Message, Places, Text};

/// What a configuration says of one place in messages: which servers, tools and parts of the payload it is, and in the
/// same table the settings that differ there.
///
/// ```toml
/// [[guardrails.config.where]]
/// server = "crm*"
/// tool = "get_*"
/// path = "/result/structuredContent/*/email"
/// requests = "block"
/// ```
///
/// A `*` stands for anything. `tool` is the name of a tool or prompt as its server has it, or the address of a resource.
/// `path` is a JSON Pointer (RFC 6901) that begins with `/params`, `/result` or `/error`; in it `*` is any one part and
/// `**` are any number of parts, and it covers all that is below it.
#[derive(Debug, Clone)]
pub struct Where<S> {
    place: Pattern,
    settings: S,
}

#[derive(Debug, Clone)]
struct Pattern {
    server: Option<String>,
    tool: Option<String>,
    path: Option<Vec<String>>,
}

impl<S> Where<S> {
    /// What differs there.
    pub fn settings(&self) -> &S {
        &self.settings
    }
}

/// Settings, and those of some places, of which the first that fits holds.
#[derive(Debug, Clone)]
pub struct ByPlace<S> {
    everywhere: S,
    places: Vec<(Pattern, S)>,
}

/// The settings for one message.
#[derive(Debug)]
pub struct Here<'s, S> {
    everywhere: &'s S,
    places: Vec<&'s (Pattern, S)>,
}

impl<S> Where<S> {
    /// Whether it is a part of messages only.
    pub fn has_path(&self) -> bool {
        self.place.path.is_some()
    }
}

impl<S> ByPlace<S> {
    /// The same settings everywhere, but for some places.
    ///
    /// `settle` makes whole settings of what is said of a place, which is only what differs there.
    ///
    /// # Errors
    /// Those of `settle`, with the number of the place.
    pub fn new<D>(
        everywhere: S,
        places: Vec<Where<D>>,
        mut settle: impl FnMut(D) -> Result<S, String>,
    ) -> Result<Self, String> {
        let settled = (1..)
            .zip(places)
            .map(|(number, Where { place, settings })| {
                let settings =
                    settle(settings).map_err(|error| format!("where {number}: {error}"))?;
                Ok((place, settings))
            });
        let places = settled.collect::<Result<_, String>>()?;
        Ok(Self { everywhere, places })
    }

    /// What holds where nothing else is said.
    pub fn everywhere(&self) -> &S {
        &self.everywhere
    }

    /// All settings that there are.
    pub fn all(&self) -> impl Iterator<Item = &S> {
        std::iter::once(&self.everywhere).chain(self.places.iter().map(|(_, settings)| settings))
    }

    /// The settings for a message.
    pub fn here<'s>(&'s self, message: &Message<'_>) -> Here<'s, S> {
        let root = match message.kind() {
            "response" => "result",
            "error" => "error",
            _ => "params",
        };
        let tool = message.subject().unwrap_or_default();
        let includes = |(place, _): &&'s (Pattern, S)| {
            let first = place.path.as_deref().and_then(<[String]>::first);
            is(&place.server, message.server())
                && is(&place.tool, tool)
                && first.is_none_or(|first| fits(first, root))
        };
        Here {
            everywhere: &self.everywhere,
            places: self.places.iter().filter(includes).collect(),
        }
    }
}

impl<'s, S> Here<'s, S> {
    /// All settings that may hold somewhere in the message.
    pub fn any(&self) -> impl Iterator<Item = &'s S> {
        let places = self.places.iter().map(|(_, settings)| settings);
        places.chain(std::iter::once(self.everywhere))
    }

    /// The settings for the message as a whole: those of the first place that names no path.
    pub fn whole(&self) -> &'s S {
        let mut each = self.places.iter();
        let found = each.find(|(place, _)| place.path.is_none());
        found.map_or(self.everywhere, |(_, settings)| settings)
    }

    /// The settings for a text. Only where a path decides it matters where the text stands.
    pub fn at(&self, text: &Text<'_>, places: &Places<'_>) -> &'s S {
        let mut place = None;
        let mut is_below = |path: &[String]| {
            let place = place.get_or_insert_with(|| places.of_text(text));
            let pointer = place.as_ref().map_or("", |place| &place.pointer);
            let parts: Vec<&str> = pointer.split('/').skip(1).collect();
            path.split_first()
                .is_some_and(|(first, rest)| match first == "**" {
                    true => covers(path, &parts),
                    false => covers(rest, &parts),
                })
        };
        let mut each = self.places.iter();
        let found = each.find(|(place, _)| place.path.as_deref().is_none_or(&mut is_below));
        found.map_or(self.everywhere, |(_, settings)| settings)
    }
}

/// In small letters, in one table with what differs there.
impl<'de, S: DeserializeOwned> Deserialize<'de> for Where<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut table = Map::<String, Value>::deserialize(deserializer)?;
        let mut name = |key: &str| match table.remove(key) {
            None => Ok(None),
            Some(Value::String(pattern)) if !pattern.is_empty() => Ok(Some(pattern)),
            Some(_) => Err(Error::custom(format_args!("where: {key} is no name"))),
        };
        let (server, tool, path) = (name("server")?, name("tool")?, name("path")?);
        if server.is_none() && tool.is_none() && path.is_none() {
            let says = "where: one of server, tool and path says which place it is";
            return Err(Error::custom(says));
        }
        let path = path.map(|path| parts(&path)).transpose();
        let settings = S::deserialize(Value::Object(table));
        Ok(Self {
            place: Pattern {
                server,
                tool,
                path: path.map_err(Error::custom)?,
            },
            settings: settings.map_err(|error| Error::custom(format_args!("where: {error}")))?,
        })
    }
}

/// The parts of a path, the first of which says what of a message it is about.
fn parts(path: &str) -> Result<Vec<String>, String> {
    let parts = path.strip_prefix('/').unwrap_or_default().split('/');
    let parts: Vec<String> = parts.map(str::to_owned).collect();
    let first = parts.first().map_or("", String::as_str);
    match ["params", "result", "error", "*", "**"].contains(&first) {
        true => Ok(parts),
        false => Err(format!(
            "where: path {path:?} does not begin with /params, /result or /error"
        )),
    }
}

fn is(pattern: &Option<String>, text: &str) -> bool {
    let pattern = pattern.as_deref();
    pattern.is_none_or(|pattern| fits(pattern, text))
}

/// Whether a text is what a pattern means, in which each `*` stands for anything.
pub fn fits(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(start) else {
        return false;
    };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        let Some((_, after)) = text.split_once(part) else {
            return false;
        };
        text = after;
    }
    text.ends_with(end)
}

/// Whether a path leads to what is at these parts of a pointer, or to what that is in.
fn covers(path: &[String], parts: &[&str]) -> bool {
    match path.split_first() {
        None => true,
        Some((any, rest)) if any == "**" => {
            let mut ends = (0..=parts.len()).filter_map(|skip| parts.get(skip..));
            ends.any(|parts| covers(rest, parts))
        }
        Some((one, rest)) => {
            let part = parts.split_first();
            part.is_some_and(|(part, parts)| fits(one, part) && covers(rest, parts))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::Sample;

    #[derive(Debug, Clone, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Level {
        level: u32,
    }

    fn settings(places: Value) -> ByPlace<u32> {
        let places: Vec<Where<Level>> = serde_json::from_value(places).unwrap();
        let settle = |Level { level }| match level {
            9 => Err("9 is too much".to_owned()),
            level => Ok(level),
        };
        ByPlace::new(0, places, settle).unwrap()
    }

    /// The levels of the values of a payload, in their order.
    fn levels(settings: &ByPlace<u32>, sample: &Sample) -> Vec<u32> {
        let message = sample.message();
        let (here, places) = (settings.here(&message), Places::of(&message));
        let texts = message.texts();
        texts.map(|text| *here.at(&text, &places)).collect()
    }

    #[test]
    fn the_first_place_that_fits_decides() {
        let settings = settings(json!([
            {"server": "crm*", "tool": "get_*", "path": "/result/structuredContent/*/email", "level": 1},
            {"server": "crm*", "path": "/result/structuredContent", "level": 2},
            {"tool": "*_all", "level": 3},
            {"path": "/params/**/note", "level": 4},
        ]));
        let rows = json!({"structuredContent": [{"email": "x"}], "text": "y"});
        let result = |server: &str, tool: &str| {
            let sample = Sample::of("tools/call", "response", &rows);
            levels(&settings, &sample.server(server).subject(tool))
        };
        // The texts are: structuredContent, email, x, text, y.
        assert_eq!(result("crm-eu", "get_one"), [2, 1, 1, 0, 0]);
        assert_eq!(result("crm", "put"), [2, 2, 2, 0, 0]);
        assert_eq!(result("web", "get_one"), [0; 5]);
        assert_eq!(result("crm", "list_all"), [2, 2, 2, 3, 3]);
        let call = json!({"arguments": {"a": [{"note": {"b": "x"}}], "n": "x"}});
        let call = Sample::of("tools/call", "request", &call);
        // The texts are: arguments, a, note, b, x, n, x.
        assert_eq!(levels(&settings, &call), [0, 0, 4, 4, 4, 0, 0]);
        let without = ByPlace::new(0, Vec::<Where<Level>>::new(), |_| Ok(1)).unwrap();
        assert_eq!(levels(&without, &call), [0; 7]);
    }

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text) in [
            ("", ""),
            ("*", ""),
            ("*", "abc"),
            ("a*", "abc"),
            ("*c", "abc"),
            ("a*c", "ac"),
            ("a*b*c", "a1b2c"),
            ("*b*", "abc"),
            ("a**c", "abc"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "a"),
            ("a", "ab"),
            ("a*", "ba"),
            ("a*a", "a"),
            ("ab*bc", "abc"),
            ("a*b*c", "acb"),
        ] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_no_place_is_refused_by_name() {
        for (place, says) in [
            (json!({"level": 1}), "one of server, tool and path"),
            (json!({"server": "", "level": 1}), "server is no name"),
            (json!({"tool": 1, "level": 1}), "tool is no name"),
            (
                json!({"path": "/structuredContent", "level": 1}),
                "\"/structuredContent\" does not begin with /params, /result or /error",
            ),
            (
                json!({"server": "a", "levels": 1}),
                "unknown field `levels`",
            ),
        ] {
            let error = serde_json::from_value::<Where<Level>>(place).unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
        }
        let place: Where<Level> = serde_json::from_value(json!({"tool": "a", "level": 1})).unwrap();
        let refused = |_| Err("no".to_owned());
        let error = ByPlace::new(0, vec![place], refused).unwrap_err();
        assert_eq!(error, "where 1: no");
    }
}
