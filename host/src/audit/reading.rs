//! The record as it is read, from the journal and its archives: at one moment, while
//! gateways go on writing.

use std::ops::{ControlFlow, RangeInclusive};
use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use super::call::{self, Call};
use super::failure::AuditError;
use super::filter::Filter;
use crate::journal::{Archive, Archives, Database};

/// Which end of the record comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Earliest,
    Latest,
}

/// A journal that is read, with its archives.
pub(super) struct Reading {
    journal: Database,
    path: PathBuf,
}

/// A database that holds some of the records.
enum Part<'a> {
    /// The journal itself.
    Journal,
    /// An archive, as far as its records are not in the journal as well.
    Archive(&'a Archive),
}

/// What is done with each row.
type EachRow<'a> = &'a mut dyn FnMut(&Connection, &Row<'_>) -> Result<(), AuditError>;

/// What is done with each database, and with the numbers that are to be read in it.
type EachPart<'a> =
    &'a mut dyn FnMut(&Connection, RangeInclusive<i64>) -> Result<ControlFlow<()>, AuditError>;

/// Which records are read: those that meet a condition and whose numbers are in a
/// range, in an order, at most so many.
#[derive(Debug, Clone)]
pub(super) struct Wanted<'a> {
    pub(super) filter: &'a Filter,
    pub(super) range: RangeInclusive<i64>,
    pub(super) order: Order,
    pub(super) limit: u64,
}

impl<'a> Wanted<'a> {
    /// All that meet a condition, the earliest first.
    pub(super) fn all(filter: &'a Filter) -> Self {
        Self {
            filter,
            range: 0..=i64::MAX,
            order: Order::Earliest,
            limit: u64::MAX,
        }
    }
}

impl Reading {
    /// Opens a journal. Everything that is read is of this moment, until
    /// [`Reading::release`].
    pub(super) fn open(path: &Path) -> Result<Self, AuditError> {
        let reading = Self {
            journal: Database::open(path)?,
            path: path.to_owned(),
        };
        reading.look()?;
        Ok(reading)
    }

    /// From here on this moment is read.
    pub(super) fn look(&self) -> Result<(), AuditError> {
        self.ok(self.connection().execute_batch("BEGIN"))?;
        // The moment is that of the first look into the file. Whatever leaves it for an
        // archive later is read here.
        self.ok(self.journal.begins_after())?;
        Ok(())
    }

    /// Lets the moment go, so that it does not keep the file from being tidied up.
    pub(super) fn release(&self) -> Result<(), AuditError> {
        self.ok(self.connection().execute_batch("COMMIT"))
    }

    /// What tells the journal from all others.
    pub(super) fn id(&self) -> &[u8] {
        self.journal.id()
    }

    /// The connection to the journal, which can change nothing.
    pub(super) fn connection(&self) -> &Connection {
        self.journal.connection()
    }

    /// The number of the last record; 0 if there is none.
    pub(super) fn last(&self) -> Result<i64, AuditError> {
        let last = "SELECT max(seq) FROM records";
        let last = self.connection().query_row(last, [], |row| row.get(0));
        match self.ok(last)? {
            Some(last) => Ok(last),
            None => self.ok(self.journal.begins_after()),
        }
    }

    /// Hands over calls.
    pub(super) fn each(
        &self,
        wanted: Wanted<'_>,
        f: &mut dyn FnMut(Call) -> Result<(), AuditError>,
    ) -> Result<(), AuditError> {
        self.rows(call::COLUMNS, wanted, &mut |database, row| {
            f(self.ok(Call::read(database, row))?)
        })
    }

    /// Hands over some columns of records.
    pub(super) fn rows(
        &self,
        columns: &str,
        wanted: Wanted<'_>,
        f: EachRow<'_>,
    ) -> Result<(), AuditError> {
        let condition = wanted.filter.condition();
        let direction = match wanted.order {
            Order::Earliest => "ASC",
            Order::Latest => "DESC",
        };
        let next = condition.values.len() + 1;
        let which = |index: &str| {
            format!(
                "FROM records {index} WHERE {} AND seq BETWEEN ?{next} AND ?{} \
                 ORDER BY seq {direction} LIMIT ?{}",
                condition.sql,
                next + 1,
                next + 2
            )
        };
        let sql = match (wanted.limit, wanted.filter.is_of_index()) {
            (u64::MAX, _) => format!("SELECT {columns} {}", which("")),
            // Of many rows few are shown: which, an index says, and only they are read.
            (_, is_of_index) => {
                let index = if is_of_index {
                    "INDEXED BY records_by_time"
                } else {
                    ""
                };
                format!(
                    "SELECT {columns} FROM records WHERE seq IN (SELECT seq {}) \
                     ORDER BY seq {direction}",
                    which(index)
                )
            }
        };
        let mut left = i64::try_from(wanted.limit).unwrap_or(i64::MAX);
        self.parts(&wanted, &mut |database, range| {
            let mut values = condition.values.clone();
            values.extend([*range.start(), *range.end(), left].map(Value::from));
            let mut statement = self.ok(database.prepare_cached(&sql))?;
            let mut rows = self.ok(statement.query(params_from_iter(values)))?;
            while let Some(row) = self.ok(rows.next())? {
                f(database, row)?;
                left -= 1;
            }
            Ok(match left {
                0 => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            })
        })
    }

    /// Hands over the databases that may hold such records, in their order, and with the
    /// numbers that are to be read in each.
    fn parts(&self, wanted: &Wanted<'_>, f: EachPart<'_>) -> Result<(), AuditError> {
        let begins_after = self.ok(self.journal.begins_after())?;
        let archives = Archives::of(&self.path);
        // After the look into the journal, so that nothing is between the two.
        let manifest = archives.manifest()?;
        let archived = manifest.iter().flat_map(|manifest| &manifest.archives);
        let mut parts: Vec<_> = archived
            .filter(|it| wanted.may_be_in(it) && it.first <= begins_after)
            .map(Part::Archive)
            .collect();
        parts.push(Part::Journal);
        if wanted.order == Order::Latest {
            parts.reverse();
        }
        for part in parts {
            let flow = match part {
                Part::Journal => f(self.connection(), wanted.range.clone())?,
                Part::Archive(archive) => {
                    let end = begins_after.min(*wanted.range.end());
                    let database = archives.open(archive)?;
                    f(database.connection(), *wanted.range.start()..=end)?
                }
            };
            if flow.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The record of this number.
    pub(super) fn call(&self, seq: i64) -> Result<Call, AuditError> {
        let mut found = None;
        let filter = Filter::default();
        let wanted = Wanted {
            range: seq..=seq,
            ..Wanted::all(&filter)
        };
        self.each(wanted, &mut |call| {
            found = Some(call);
            Ok(())
        })?;
        found.ok_or(AuditError::NoRecord(seq))
    }

    /// The same, or what SQLite says about the file.
    pub(super) fn ok<T>(&self, result: rusqlite::Result<T>) -> Result<T, AuditError> {
        result.map_err(|cause| AuditError::Database {
            path: self.path.clone(),
            cause,
        })
    }
}

impl Wanted<'_> {
    /// Whether any of these can be in an archive.
    fn may_be_in(&self, archive: &Archive) -> bool {
        let Filter { since, until, .. } = self.filter;
        since.is_none_or(|since| archive.until >= since.0)
            && until.is_none_or(|until| archive.since < until.0)
            && archive.last >= *self.range.start()
            && archive.first <= *self.range.end()
    }
}
