//! `audit sql`: the schema, and statements of the person's own.

use std::io::Write;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Statement};
use serde_json::{Map, Value};

use super::csv;
use super::failure::AuditError;
use super::table::{self, Align, Column, Width};
use super::{Format, query::object_line};

/// Runs a statement that changes nothing: the database was opened so that it could
/// not, and what tries is told so.
pub(super) fn sql(
    database: &Connection,
    statement: &str,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), AuditError> {
    let prepared = database.prepare(statement);
    let mut prepared = prepared.map_err(AuditError::Statement)?;
    if !prepared.readonly() {
        return Err(AuditError::NotReadOnly);
    }
    let names: Vec<String> = prepared.column_names().map(str::to_owned).collect();
    let columns: Vec<_> = names.iter().map(|name| column(name)).collect();
    match format {
        Format::Table => {
            let mut table = Vec::new();
            each(&mut prepared, |values| {
                let cells = values.iter().map(|value| text(value).unwrap_or_default());
                table.push(cells.collect());
                Ok(())
            })?;
            let text = table::render(&columns, &table, table::terminal());
            Ok(out.write_all(text.as_bytes())?)
        }
        Format::Json => each(&mut prepared, |values| {
            let object: Map<_, _> = names.iter().cloned().zip(values).collect();
            Ok(out.write_all(object_line(&object.into()).as_bytes())?)
        }),
        Format::Csv => {
            let mut sheet = csv::Rows::of(&names, out)?;
            each(&mut prepared, |values| {
                let cells: Vec<_> = values.iter().map(text).collect();
                let cells: Vec<_> = cells.iter().map(Option::as_deref).collect();
                sheet.row(&cells)
            })?;
            sheet.end()
        }
    }
}

/// Hands over the values of each row.
fn each(
    statement: &mut Statement<'_>,
    mut f: impl FnMut(Vec<Value>) -> Result<(), AuditError>,
) -> Result<(), AuditError> {
    let count = statement.column_count();
    let mut rows = statement.query([]).map_err(AuditError::Statement)?;
    while let Some(row) = rows.next().map_err(AuditError::Statement)? {
        let values = (0..count).map(|at| row.get_ref(at).map(value));
        f(values
            .collect::<Result<_, _>>()
            .map_err(AuditError::Statement)?)?;
    }
    Ok(())
}

fn column(name: &str) -> Column<'_> {
    Column {
        head: name,
        align: Align::Left,
        width: Width::Cut,
    }
}

fn value(of: ValueRef<'_>) -> Value {
    match of {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
        ValueRef::Blob(bytes) => crate::journal::hex(bytes).into(),
    }
}

/// What a cell shows; nothing for what is absent.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
