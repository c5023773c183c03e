//! `audit`: the record of all calls, read by people. Nothing here can change it, and
//! nothing that is recorded reaches a terminal as more than text.

mod call;
mod csv;
mod failure;
mod filter;
mod plain;
mod query;
mod reading;
mod show;
mod sql;
mod stats;
mod table;
mod when;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

pub use failure::AuditError;
pub use filter::Filter;
pub use when::{NotATime, When};

use crate::journal::SCHEMA;
use crate::sandbox::state_folder;
use reading::{Order, Reading};

/// What is to be done with the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Print calls, the latest first.
    Query {
        /// Which.
        filter: Filter,
        /// How many at most.
        limit: u64,
        /// How.
        format: Format,
    },
    /// Print the latest calls, and those that come.
    Tail(Filter, Tail),
    /// Print one call.
    Show {
        /// Its number.
        seq: i64,
        /// Whether as an object.
        is_json: bool,
    },
    /// Print numbers.
    Stats {
        /// Of which calls.
        filter: Filter,
        /// Whether as an object.
        is_json: bool,
    },
    /// Write calls to a file, the earliest first.
    Export {
        /// Which.
        filter: Filter,
        /// How.
        format: Format,
        /// Where to; standard output if nothing is named.
        output: Option<PathBuf>,
    },
    /// Print the schema.
    Schema,
    /// Run a statement of the person's.
    Sql {
        /// The statement.
        statement: String,
        /// How to print its rows.
        format: Format,
    },
}

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// In columns, for people.
    Table,
    /// An object a line.
    Json,
    /// With commas.
    Csv,
}

/// How the latest calls are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tail {
    /// With how many to begin.
    pub lines: u64,
    /// Whether to go on.
    pub follows: bool,
    /// Whether as objects.
    pub is_json: bool,
}

/// Reads the record in this file, or the one that this person's gateways write to,
/// and prints what was asked for.
///
/// # Errors
/// When there is no such database, or when what was asked for is not in it.
pub fn audit(database: Option<PathBuf>, action: &Action) -> Result<(), AuditError> {
    let mut out = BufWriter::new(io::stdout().lock());
    let done = perform(database, action, &mut out).and_then(|()| Ok(out.flush()?));
    match done {
        Err(error) if error.is_hang_up() => Ok(()),
        done => done,
    }
}

fn perform(
    database: Option<PathBuf>,
    action: &Action,
    out: &mut dyn Write,
) -> Result<(), AuditError> {
    if *action == Action::Schema {
        return Ok(out.write_all(SCHEMA.as_bytes())?);
    }
    let reading = Reading::open(&place(database)?)?;
    match action {
        Action::Query {
            filter,
            limit,
            format,
        } => query::query(&reading, filter, (Order::Latest, *limit), *format, out),
        Action::Tail(filter, options) => query::tail(&reading, filter, *options, out),
        Action::Show { seq, is_json } => match (reading.call(*seq)?, is_json) {
            (call, true) => query::object(&call, out),
            (call, false) => show::show(&call, out),
        },
        Action::Stats { filter, is_json } => stats::stats(&reading, filter, *is_json, out),
        Action::Export {
            filter,
            format,
            output,
        } => {
            let all = (Order::Earliest, u64::MAX);
            match output {
                None => query::query(&reading, filter, all, *format, out),
                Some(path) => export(path, |out| query::query(&reading, filter, all, *format, out)),
            }
        }
        Action::Schema => Ok(()),
        Action::Sql { statement, format } => sql::sql(&reading, statement, *format, out),
    }
}

/// Writes a new file, for this person alone to read: it may say what the calls said.
fn export(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), AuditError>,
) -> Result<(), AuditError> {
    let failed = AuditError::file(path);
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = BufWriter::new(options.open(path).map_err(&failed)?);
    write(&mut file)?;
    file.flush().map_err(&failed)
}

/// Where the database is: what was named, else what the Python gateway's variable
/// names, else where gateways of this person keep it.
fn place(named: Option<PathBuf>) -> Result<PathBuf, AuditError> {
    let variable = std::env::var_os("XETRACK_DB_PATH").filter(|path| !path.is_empty());
    named
        .or_else(|| variable.map(PathBuf::from))
        .or_else(|| Some(state_folder()?.join("audit.db")))
        .ok_or(AuditError::Nowhere)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
