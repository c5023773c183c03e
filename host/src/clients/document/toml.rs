//! TOML.

use serde_json::{Map, Number, Value as Json};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use super::DocumentError;

/// A TOML file.
#[derive(Debug)]
pub(super) struct Toml {
    document: DocumentMut,
    place: Vec<&'static str>,
}

impl Toml {
    pub(super) fn read(text: &str, place: &'static [&'static str]) -> Result<Self, DocumentError> {
        let document = text
            .parse::<DocumentMut>()
            .map_err(|error| DocumentError::Syntax(error.to_string()))?;
        let place = place.to_vec();
        Ok(Self { document, place })
    }

    pub(super) fn servers(&self) -> Vec<(String, Json)> {
        let mut item = Some(self.document.as_item());
        for key in &self.place {
            item = item.and_then(|item| item.as_table_like()?.get(key));
        }
        let table = item.and_then(Item::as_table_like);
        let entries = table.into_iter().flat_map(|table| table.iter());
        entries
            .map(|(name, item)| (name.to_owned(), json(item)))
            .collect()
    }

    pub(super) fn exchange(&mut self, out: &[String], into: &[(String, Json)]) {
        let Some(servers) = self.table() else {
            return;
        };
        let mut first = None;
        for name in out {
            if let Some(gone) = servers.remove(name) {
                first.get_or_insert(gone);
            }
        }
        for (name, value) in into {
            let mut item = item(value);
            match (&first, &mut item) {
                (Some(Item::Table(gone)), Item::Table(new)) => {
                    new.set_position(gone.position());
                    if gone.decor().prefix().and_then(|prefix| prefix.as_str()) == Some("") {
                        new.decor_mut().set_prefix("");
                    }
                }
                // Inline, as those before it.
                (Some(Item::Value(_)), Item::Table(_)) => {
                    item.make_value();
                }
                _ => {}
            }
            servers.insert(name, item);
        }
    }

    pub(super) fn set(&mut self, name: &str, values: &[(&str, Json)]) {
        let servers = self.table();
        let entry = servers.and_then(|servers| servers.get_mut(name)?.as_table_like_mut());
        let Some(entry) = entry else {
            return;
        };
        for (key, value) in values {
            let Item::Value(mut new) = item(value) else {
                continue;
            };
            if let Some(Item::Value(old)) = entry.get(key) {
                *new.decor_mut() = old.decor().clone();
            }
            match entry.get_mut(key) {
                Some(old) => *old = Item::Value(new),
                None => {
                    entry.insert(key, Item::Value(new));
                }
            }
        }
    }

    pub(super) fn text(&self) -> String {
        self.document.to_string()
    }

    fn table(&mut self) -> Option<&mut dyn TableLike> {
        let mut item = Some(self.document.as_item_mut());
        for key in &self.place {
            item = item.and_then(|item| item.as_table_like_mut()?.get_mut(key));
        }
        item.and_then(Item::as_table_like_mut)
    }
}

fn json(item: &Item) -> Json {
    match item {
        Item::None => Json::Null,
        Item::Value(value) => json_value(value),
        Item::Table(table) => json_table(table),
        Item::ArrayOfTables(tables) => tables.iter().map(|table| json_table(table)).collect(),
    }
}

fn json_table(table: &dyn TableLike) -> Json {
    let entries = table.iter().map(|(key, item)| (key.to_owned(), json(item)));
    Json::Object(entries.collect::<Map<_, _>>())
}

fn json_value(value: &Value) -> Json {
    match value {
        Value::String(text) => Json::String(text.value().clone()),
        Value::Integer(number) => Json::Number((*number.value()).into()),
        Value::Float(number) => Number::from_f64(*number.value()).map_or(Json::Null, Json::Number),
        Value::Boolean(state) => Json::Bool(*state.value()),
        Value::Datetime(date) => Json::String(date.value().to_string()),
        Value::Array(items) => items.iter().map(json_value).collect(),
        Value::InlineTable(table) => json_table(table),
    }
}

/// A table is a section of its own, what is in it is inline.
fn item(value: &Json) -> Item {
    let Json::Object(entries) = value else {
        return Item::Value(inline(value));
    };
    let mut table = Table::new();
    table.decor_mut().set_prefix("\n");
    for (key, value) in entries.iter().filter(|(_, value)| !value.is_null()) {
        table.insert(key, Item::Value(inline(value)));
    }
    Item::Table(table)
}

fn inline(value: &Json) -> Value {
    match value {
        // TOML has none; nothing that is written here does.
        Json::Null => Value::from(""),
        Json::Bool(state) => Value::from(*state),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::from(number),
            None => Value::from(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::Array(items.iter().map(inline).collect::<Array>()),
        Json::Object(entries) => {
            let mut table = InlineTable::new();
            for (key, value) in entries.iter().filter(|(_, value)| !value.is_null()) {
                table.insert(key, inline(value));
            }
            Value::InlineTable(table)
        }
    }
}
