//! The database as it is read: at one moment, while gateways go on writing.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use super::call::{self, Call};
use super::failure::AuditError;
use super::filter::Filter;
use crate::journal::Database;

/// Which end of the record comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Earliest,
    Latest,
}

/// A database that is read.
pub(super) struct Reading {
    database: Database,
    path: PathBuf,
}

/// What is done with each row.
type EachRow<'a> = &'a mut dyn FnMut(&Row<'_>) -> Result<(), AuditError>;

impl Reading {
    /// Opens a database. Everything that is read is of this moment, until
    /// [`Reading::release`].
    pub(super) fn open(path: &Path) -> Result<Self, AuditError> {
        let reading = Self {
            database: Database::open(path)?,
            path: path.to_owned(),
        };
        reading.ok(reading.connection().execute_batch("BEGIN"))?;
        Ok(reading)
    }

    /// From here on the present is read.
    pub(super) fn release(&self) -> Result<(), AuditError> {
        self.ok(self.connection().execute_batch("COMMIT"))
    }

    /// The connection, which can change nothing.
    pub(super) fn connection(&self) -> &Connection {
        self.database.connection()
    }

    /// The number of the last record; 0 if there is none.
    pub(super) fn last(&self) -> Result<i64, AuditError> {
        let last = "SELECT coalesce(max(seq), 0) FROM records";
        self.ok(self.connection().query_row(last, [], |row| row.get(0)))
    }

    /// Hands over the calls that meet a condition, at most so many.
    pub(super) fn each(
        &self,
        filter: &Filter,
        order: Order,
        limit: u64,
        f: &mut dyn FnMut(Call) -> Result<(), AuditError>,
    ) -> Result<(), AuditError> {
        let range = 0..=i64::MAX;
        self.rows(call::COLUMNS, filter, range, order, limit, &mut |row| {
            f(self.ok(Call::read(self.connection(), row))?)
        })
    }

    /// Hands over the calls that meet a condition and whose numbers are in a range,
    /// the earliest first.
    pub(super) fn between(
        &self,
        filter: &Filter,
        range: RangeInclusive<i64>,
        f: &mut dyn FnMut(Call) -> Result<(), AuditError>,
    ) -> Result<(), AuditError> {
        let order = Order::Earliest;
        self.rows(call::COLUMNS, filter, range, order, u64::MAX, &mut |row| {
            f(self.ok(Call::read(self.connection(), row))?)
        })
    }

    /// Hands over some columns of the records that meet a condition.
    pub(super) fn rows(
        &self,
        columns: &str,
        filter: &Filter,
        range: RangeInclusive<i64>,
        order: Order,
        limit: u64,
        f: EachRow<'_>,
    ) -> Result<(), AuditError> {
        let condition = filter.condition();
        let direction = match order {
            Order::Earliest => "ASC",
            Order::Latest => "DESC",
        };
        let mut values = condition.values;
        let next = values.len() + 1;
        let sql = format!(
            "SELECT {columns} FROM records WHERE {} AND seq BETWEEN ?{next} AND ?{} \
             ORDER BY seq {direction} LIMIT ?{}",
            condition.sql,
            next + 1,
            next + 2
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        values.extend([*range.start(), *range.end(), limit].map(Value::from));
        let mut statement = self.ok(self.connection().prepare_cached(&sql))?;
        let mut rows = self.ok(statement.query(params_from_iter(values)))?;
        while let Some(row) = self.ok(rows.next())? {
            f(row)?;
        }
        Ok(())
    }

    /// The record of this number.
    pub(super) fn call(&self, seq: i64) -> Result<Call, AuditError> {
        let mut found = None;
        self.between(&Filter::default(), seq..=seq, &mut |call| {
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
