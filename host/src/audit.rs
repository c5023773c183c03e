//! `audit`: the record of all calls, read by people. Nothing here can change a record, and
//! nothing that is recorded reaches a terminal as more than text.

mod call;
mod csv;
mod failure;
mod filter;
mod forward;
mod parquet;
mod plain;
mod query;
mod reading;
mod rotate;
mod show;
mod sql;
mod stats;
mod table;
mod verify;
mod when;

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

pub use failure::AuditError;
pub use filter::Filter;
pub use forward::{Begin, Contents, Forward, ForwardError, forward};
pub use when::{NotATime, When};

use crate::config::journal_of;
use crate::journal::{Keys, SCHEMA, gather};
use crate::sandbox::{SecretError, journal_file, journal_keys};
use reading::{Order, Reading, Wanted};

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
        format: FileFormat,
        /// Where to; standard output if nothing is named.
        output: Option<PathBuf>,
    },
    /// Say whether nobody changed anything.
    Verify {
        /// Files of checkpoints, which were made before.
        checkpoints: Vec<PathBuf>,
        /// Whether as an object.
        is_json: bool,
    },
    /// Sign the last record, to be kept elsewhere.
    Checkpoint {
        /// Where to; standard output if nothing is named.
        output: Option<PathBuf>,
    },
    /// Move records into an archive.
    Rotate {
        /// Only those before the first one of this time.
        before: Option<When>,
        /// Whether to say so as an object.
        is_json: bool,
    },
    /// Delete archives.
    Prune {
        /// Those whose records are all older than this.
        before: When,
        /// Whether to do it, and not only to show which.
        is_sure: bool,
        /// Whether to say so as objects.
        is_json: bool,
    },
    /// Print the schema.
    Schema,
    /// Run a statement of the person's.
    Sql {
        /// The statement.
        statement: String,
        /// On what.
        of: Records,
        /// How to print its rows.
        format: Format,
    },
}

/// Which records a statement is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Records {
    /// Those that are in no archive.
    Journal,
    /// All, which are put together first.
    All,
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

/// What an export can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// An object a line.
    Jsonl,
    /// With commas.
    Csv,
    /// Parquet.
    Parquet,
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

/// Where the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whereabouts {
    /// Where gateways have it that are not told otherwise: at what the Python gateway's
    /// variable names, or in the state folder.
    Usual,
    /// Here.
    File(PathBuf),
    /// Where a gateway with this `gateway.toml` has it.
    Config(PathBuf),
}

/// Reads the record of all calls, and prints what was asked for.
///
/// # Errors
/// When there is no such database, or when what was asked for is not in it.
pub fn audit(database: &Whereabouts, action: &Action) -> Result<(), AuditError> {
    let mut out = BufWriter::new(io::stdout());
    let done = perform(database, action, &journal_keys, &mut out).and_then(|()| Ok(out.flush()?));
    match done {
        Err(error) if error.is_hang_up() => Ok(()),
        done => done,
    }
}

/// Where answers go.
type Output<'a> = &'a mut (dyn Write + Send);

fn perform(
    database: &Whereabouts,
    action: &Action,
    keys: &dyn Fn() -> Result<Keys, SecretError>,
    out: Output<'_>,
) -> Result<(), AuditError> {
    let path = || database.path();
    let reading = || Reading::open(&path()?);
    match action {
        Action::Query {
            filter,
            limit,
            format,
        } => {
            let latest = Wanted {
                order: Order::Latest,
                limit: *limit,
                ..Wanted::all(filter)
            };
            query::query(&reading()?, latest, *format, out)
        }
        Action::Tail(filter, options) => query::tail(&reading()?, filter, *options, out),
        Action::Show { seq, is_json } => match (reading()?.call(*seq)?, is_json) {
            (call, true) => query::object(&call, out),
            (call, false) => show::show(&call, out),
        },
        Action::Stats { filter, is_json } => stats::stats(&reading()?, filter, *is_json, out),
        Action::Export {
            filter,
            format,
            output,
        } => {
            if *format == FileFormat::Parquet && output.is_none() && io::stdout().is_terminal() {
                return Err(AuditError::Binary);
            }
            let reading = reading()?;
            let all = Wanted::all(filter);
            into(output.as_deref(), out, |out| match format {
                FileFormat::Jsonl => query::query(&reading, all, Format::Json, out),
                FileFormat::Csv => query::query(&reading, all, Format::Csv, out),
                FileFormat::Parquet => parquet::export(&reading, all, out),
            })
        }
        Action::Verify {
            checkpoints,
            is_json,
        } => verify::verify(&path()?, &keys()?, checkpoints, *is_json, out),
        Action::Checkpoint { output } => {
            let (path, keys) = (path()?, keys()?);
            into(output.as_deref(), out, |out| {
                verify::checkpoint(&path, &keys, out)
            })
        }
        Action::Rotate { before, is_json } => {
            rotate::rotate(&path()?, &keys()?, *before, *is_json, out)
        }
        Action::Prune {
            before,
            is_sure,
            is_json,
        } => {
            let wanted = (*before, *is_sure);
            rotate::prune(&path()?, &keys()?, wanted, *is_json, out)
        }
        Action::Schema => Ok(out.write_all(SCHEMA.as_bytes())?),
        Action::Sql {
            statement,
            of: Records::Journal,
            format,
        } => sql::sql(reading()?.connection(), statement, *format, out),
        Action::Sql {
            statement,
            of: Records::All,
            format,
        } => sql::sql(gather(&path()?)?.connection(), statement, *format, out),
    }
}

/// Writes into a new file, which only this person can read since it may say what the calls
/// said; without one, to where answers go.
fn into(
    file: Option<&Path>,
    out: Output<'_>,
    write: impl FnOnce(Output<'_>) -> Result<(), AuditError>,
) -> Result<(), AuditError> {
    let Some(path) = file else { return write(out) };
    let failed = AuditError::file(path);
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = BufWriter::new(options.open(path).map_err(&failed)?);
    write(&mut file)?;
    file.flush().map_err(&failed)
}

impl Whereabouts {
    fn path(&self) -> Result<PathBuf, AuditError> {
        let file = match self {
            Self::Usual => None,
            Self::File(file) => Some(file.clone()),
            Self::Config(config) => journal_of(config)?.file,
        };
        journal_file(file.as_deref()).ok_or(AuditError::Nowhere)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
