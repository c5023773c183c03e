//! Calls as Parquet: columns with types, packed, as DuckDB, Spark and data frames read
//! them. Findings are a list in each row.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;

use super::call::{Call, Finding};
use super::failure::AuditError;
use super::reading::{Reading, Wanted};

/// Rows that are written together, and the bytes of what they say, about.
const ROWS: usize = 20_000;
const BYTES: usize = 32 << 20;

/// A column, and what is in it.
type Column = (&'static str, Get);

/// What is taken of a call.
enum Get {
    Time(fn(&Call) -> i64),
    Number(fn(&Call) -> i64),
    MaybeNumber(fn(&Call) -> Option<i64>),
    Text(fn(&Call) -> &str),
    MaybeText(fn(&Call) -> Option<&str>),
    Flag(fn(&Call) -> bool),
}

/// What is taken of a finding.
enum GetFound {
    Number(fn(&Finding) -> i64),
    Text(fn(&Finding) -> &str),
    Flag(fn(&Finding) -> bool),
}

/// The columns of `records`; the meaning of each is told in the database's schema.
const COLUMNS: [Column; 25] = [
    ("seq", Get::Number(|it| it.seq)),
    ("time", Get::Time(|it| it.time.0)),
    ("kind", Get::Text(|it| &it.kind)),
    ("session", Get::Text(|it| &it.session)),
    ("exchange", Get::MaybeNumber(|it| it.exchange)),
    ("client", Get::MaybeText(|it| it.client.as_deref())),
    (
        "client_version",
        Get::MaybeText(|it| it.client_version.as_deref()),
    ),
    ("server", Get::MaybeText(|it| it.server.as_deref())),
    ("method", Get::Text(|it| &it.method)),
    ("subject", Get::MaybeText(|it| it.subject.as_deref())),
    ("direction", Get::Text(|it| &it.direction)),
    (
        "arguments",
        Get::MaybeText(|it| it.arguments.text.as_deref()),
    ),
    ("arguments_form", Get::Text(|it| &it.arguments.form)),
    ("arguments_cut", Get::Flag(|it| it.arguments.is_cut)),
    ("result", Get::MaybeText(|it| it.result.text.as_deref())),
    ("result_form", Get::Text(|it| &it.result.form)),
    ("result_cut", Get::Flag(|it| it.result.is_cut)),
    ("outcome", Get::Text(|it| &it.outcome)),
    ("blocked_by", Get::MaybeText(|it| it.blocked_by.as_deref())),
    ("reason", Get::MaybeText(|it| it.reason.as_deref())),
    ("duration", Get::Number(|it| it.duration)),
    ("server_time", Get::Number(|it| it.server_time)),
    ("guardrail_time", Get::Number(|it| it.guardrail_time)),
    ("request_bytes", Get::Number(|it| it.request_bytes)),
    ("result_bytes", Get::Number(|it| it.result_bytes)),
];

/// The columns of `findings`.
const FINDINGS: [(&str, GetFound); 8] = [
    ("guardrail", GetFound::Text(|it| &it.guardrail)),
    ("digest", GetFound::Text(|it| &it.digest)),
    ("rule", GetFound::Text(|it| &it.rule)),
    ("count", GetFound::Number(|it| it.count)),
    ("place", GetFound::Text(|it| &it.place)),
    ("message", GetFound::Text(|it| &it.message)),
    ("decision", GetFound::Text(|it| &it.decision)),
    ("enforced", GetFound::Flag(|it| it.is_enforced)),
];

/// Writes calls as a file.
pub(super) fn export(
    reading: &Reading,
    wanted: Wanted<'_>,
    out: &mut (dyn Write + Send),
) -> Result<(), AuditError> {
    let schema = parse_message_type(&schema()).map_err(failed)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(concat!("mcp-gateway ", env!("CARGO_PKG_VERSION")).to_owned());
    let properties = Arc::new(properties.build());
    let mut file = SerializedFileWriter::new(out, Arc::new(schema), properties).map_err(failed)?;
    let (mut calls, mut bytes) = (Vec::new(), 0);
    reading.each(wanted, &mut |call| {
        bytes += call.size();
        calls.push(call);
        if calls.len() >= ROWS || bytes >= BYTES {
            write(&calls, &mut file).map_err(failed)?;
            calls.clear();
            bytes = 0;
        }
        Ok(())
    })?;
    if !calls.is_empty() {
        write(&calls, &mut file).map_err(failed)?;
    }
    file.close().map_err(failed)?;
    Ok(())
}

fn failed(error: ParquetError) -> AuditError {
    AuditError::Output(io::Error::other(error))
}

fn schema() -> String {
    let mut text = "message records {\n".to_owned();
    for (name, get) in &COLUMNS {
        let (kind, of) = match get {
            Get::Time(_) => ("REQUIRED INT64", " (TIMESTAMP(MILLIS,true))"),
            Get::Number(_) => ("REQUIRED INT64", ""),
            Get::MaybeNumber(_) => ("OPTIONAL INT64", ""),
            Get::Text(_) => ("REQUIRED BYTE_ARRAY", " (STRING)"),
            Get::MaybeText(_) => ("OPTIONAL BYTE_ARRAY", " (STRING)"),
            Get::Flag(_) => ("REQUIRED BOOLEAN", ""),
        };
        text.push_str(&format!("{kind} {name}{of};\n"));
    }
    text.push_str(
        "REQUIRED GROUP findings (LIST) { REPEATED GROUP list { REQUIRED GROUP element {\n",
    );
    for (name, get) in &FINDINGS {
        let (kind, of) = match get {
            GetFound::Number(_) => ("INT64", ""),
            GetFound::Text(_) => ("BYTE_ARRAY", " (STRING)"),
            GetFound::Flag(_) => ("BOOLEAN", ""),
        };
        text.push_str(&format!("REQUIRED {kind} {name}{of};\n"));
    }
    text.push_str("} } } }");
    text
}

/// Writes rows, column by column.
fn write<W: Write + Send>(
    calls: &[Call],
    file: &mut SerializedFileWriter<W>,
) -> Result<(), ParquetError> {
    let mut group = file.next_row_group()?;
    for (_, get) in &COLUMNS {
        let Some(mut column) = group.next_column()? else {
            break;
        };
        get.write(calls, &mut column)?;
        column.close()?;
    }
    let levels = Levels::of(calls);
    for (_, get) in &FINDINGS {
        let Some(mut column) = group.next_column()? else {
            break;
        };
        get.write(calls, &levels, &mut column)?;
        column.close()?;
    }
    group.close()?;
    Ok(())
}

impl Get {
    fn write(
        &self,
        calls: &[Call],
        to: &mut SerializedColumnWriter<'_>,
    ) -> Result<(), ParquetError> {
        let calls = calls.iter();
        match self {
            Self::Time(get) | Self::Number(get) => all::<Int64Type>(calls.map(get), to),
            Self::Text(get) => all::<ByteArrayType>(calls.map(|it| bytes(get(it))), to),
            Self::Flag(get) => all::<BoolType>(calls.map(get), to),
            Self::MaybeNumber(get) => some::<Int64Type>(calls.map(get), to),
            Self::MaybeText(get) => some::<ByteArrayType>(calls.map(|it| get(it).map(bytes)), to),
        }
    }
}

impl GetFound {
    fn write(
        &self,
        calls: &[Call],
        levels: &Levels,
        to: &mut SerializedColumnWriter<'_>,
    ) -> Result<(), ParquetError> {
        let found = calls.iter().flat_map(|call| &call.findings);
        match self {
            Self::Number(get) => levels.write::<Int64Type>(found.map(get), to),
            Self::Text(get) => levels.write::<ByteArrayType>(found.map(|it| bytes(get(it))), to),
            Self::Flag(get) => levels.write::<BoolType>(found.map(get), to),
        }
    }
}

fn bytes(text: &str) -> ByteArray {
    text.as_bytes().to_vec().into()
}

/// Writes a value for each row.
fn all<T: DataType>(
    values: impl Iterator<Item = T::T>,
    to: &mut SerializedColumnWriter<'_>,
) -> Result<(), ParquetError> {
    let values: Vec<_> = values.collect();
    to.typed::<T>().write_batch(&values, None, None).map(drop)
}

/// Writes a value for each row that has one.
fn some<T: DataType>(
    values: impl Iterator<Item = Option<T::T>>,
    to: &mut SerializedColumnWriter<'_>,
) -> Result<(), ParquetError> {
    let values: Vec<_> = values.collect();
    let is_there: Vec<_> = values.iter().map(|it| it.is_some().into()).collect();
    let values: Vec<_> = values.into_iter().flatten().collect();
    to.typed::<T>()
        .write_batch(&values, Some(&is_there), None)
        .map(drop)
}

/// Which findings are of which row, in Parquet's way: for each finding, and for each row
/// without any, whether there is one, and whether it is of the same row as the last.
#[derive(Default)]
struct Levels {
    is_there: Vec<i16>,
    is_of_same: Vec<i16>,
}

impl Levels {
    fn of(calls: &[Call]) -> Self {
        let mut levels = Self::default();
        for call in calls {
            for at in 0..call.findings.len().max(1) {
                levels.is_there.push((!call.findings.is_empty()).into());
                levels.is_of_same.push((at > 0).into());
            }
        }
        levels
    }

    fn write<T: DataType>(
        &self,
        values: impl Iterator<Item = T::T>,
        to: &mut SerializedColumnWriter<'_>,
    ) -> Result<(), ParquetError> {
        let values: Vec<_> = values.collect();
        let (there, same) = (Some(&*self.is_there), Some(&*self.is_of_same));
        to.typed::<T>().write_batch(&values, there, same).map(drop)
    }
}
