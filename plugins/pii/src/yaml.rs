//! YAML as the values that JSON has, which is all that configurations are made of.

use saphyr_parser::{Event, Parser, ScalarStyle, StrInput};
use serde_json::{Map, Number, Value};

/// So deep a document may be.
const DEPTH: usize = 64;

/// The first document of a text.
///
/// # Errors
/// What is wrong with it, and where.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    let mut events = Parser::new_from_str(text);
    loop {
        match next(&mut events)? {
            Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
            Event::StreamEnd | Event::DocumentEnd => return Ok(Value::Null),
            event => return value(&mut events, event, DEPTH),
        }
    }
}

type Events<'t> = Parser<'t, StrInput<'t>>;

fn next<'t>(events: &mut Events<'t>) -> Result<Event<'t>, String> {
    match events.next() {
        Some(Ok((event, _))) => Ok(event),
        Some(Err(error)) => Err(error.to_string()),
        None => Ok(Event::StreamEnd),
    }
}

fn value<'t>(events: &mut Events<'t>, event: Event<'t>, depth: usize) -> Result<Value, String> {
    let depth = depth.checked_sub(1).ok_or("it is too deep")?;
    match event {
        Event::Scalar(text, ScalarStyle::Plain, ..) => Ok(plain(&text)),
        Event::Scalar(text, ..) => Ok(Value::from(text.into_owned())),
        Event::SequenceStart(..) => {
            let mut list = Vec::new();
            loop {
                match next(events)? {
                    Event::SequenceEnd => return Ok(Value::from(list)),
                    event => list.push(value(events, event, depth)?),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut map = Map::new();
            loop {
                let key = match next(events)? {
                    Event::MappingEnd => return Ok(Value::from(map)),
                    Event::Scalar(key, ..) => key.into_owned(),
                    _ => return Err("a key is no text".to_owned()),
                };
                let event = next(events)?;
                let said = value(events, event, depth)?;
                if map.insert(key.clone(), said).is_some() {
                    return Err(format!("{key:?} is there twice"));
                }
            }
        }
        Event::Alias(_) => Err("there are aliases in it, which nobody follows here".to_owned()),
        _ => Err("it ends early".to_owned()),
    }
}

/// What a scalar without quotes says, by the core schema of YAML 1.2.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    let number = is_number.then(|| {
        let float = || text.parse().ok().and_then(Number::from_f64);
        text.parse::<i64>().map(Number::from).ok().or_else(float)
    });
    number.flatten().map_or_else(|| text.into(), Value::Number)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn yaml_says_what_json_would() {
        let text = "# so\na: 1\nb: [x, 'y', \"z\\n\", 1.5, .5, -2, 1.2.3]\nc:\n- d: true\n  e: ~\n  f:\n-\n  g: |\n    h\n    i\n";
        let said = json!({"a": 1, "b": ["x", "y", "z\n", 1.5, 0.5, -2, "1.2.3"],
            "c": [{"d": true, "e": null, "f": null}, {"g": "h\ni\n"}]});
        assert_eq!(parse(text), Ok(said));
        assert_eq!(parse(""), Ok(Value::Null));
        for (text, says) in [
            ("a: [", "did not find expected node"),
            ("a: 1\na: 2", "twice"),
            ("a: &x 1\nb: *x", "aliases"),
            (&"[".repeat(100), "deep"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
