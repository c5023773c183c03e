//! `audit forward`: records on their way to a collector of OpenTelemetry, as logs, traces
//! and metrics. They are read from the database, so that no call waits for a collector,
//! and none is lost while it is down.

mod metrics;
mod otlp;
mod target;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::{ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{ResourceMetrics, ScopeMetrics};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use reqwest::StatusCode;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use tokio::sync::mpsc;

use super::Whereabouts;
use super::call::{self, Call};
use super::failure::AuditError;
use super::filter::Filter;
use super::reading::{Reading, Wanted};
use crate::journal::hex;
use crate::plural::counted;
use metrics::Metrics;
use otlp::Told;
use target::Target;

/// Records that are sent together, and the bytes of what they say, about.
const GROUP: usize = 500;
const BYTES: usize = 1 << 20;

/// How often it is looked for new records.
const PACE: Duration = Duration::from_secs(1);

/// How often it is tried to send something, unless it goes on for ever.
const ATTEMPTS: u32 = 5;

/// Which records are sent, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// Where the database is.
    pub database: Whereabouts,
    /// Where it is kept how far it has come; beside the database if nothing is named.
    pub cursor: Option<PathBuf>,
    /// With which record to begin if it has never been done.
    pub begin: Begin,
    /// Whether to go on with those that come.
    pub follows: bool,
    /// Whether to send arguments and results.
    pub contents: Contents,
}

/// With which record to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// The first that there is, also in an archive.
    First,
    /// The next one that comes.
    Next,
}

/// Whether what was said is a part of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contents {
    /// As it is kept.
    Included,
    /// Not.
    LeftOut,
}

/// Why records are not sent.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// A variable of the environment has no value that is known here.
    #[error("{0} has to be {1}")]
    Variable(String, &'static str),
    /// A file that a variable of the environment names cannot be read.
    #[error("{0} names {1}, which cannot be read: {2}")]
    File(String, String, std::io::Error),
    /// It cannot be made smaller.
    #[error("records cannot be compressed: {0}")]
    Packing(std::io::Error),
    /// There can be no connections.
    #[error("no connection can be made: {0}")]
    Client(reqwest::Error),
    /// Nobody is there.
    #[error("{url} cannot be reached: {cause}")]
    Unreachable {
        /// The address.
        url: String,
        /// What went wrong, in the words of whoever noticed first.
        cause: String,
    },
    /// It asks for patience.
    #[error("{url} is busy: {status}")]
    Busy {
        /// The address.
        url: String,
        /// What it answered.
        status: StatusCode,
        /// For how long.
        again: Option<Duration>,
    },
    /// It does not want them.
    #[error("{url} refused the records: {status}")]
    Refused {
        /// The address.
        url: String,
        /// What it answered.
        status: StatusCode,
    },
    /// It is no collector.
    #[error("{url} does not answer as a collector does: {cause}")]
    Answer {
        /// The address.
        url: String,
        /// What is wrong with the answer.
        cause: prost::DecodeError,
    },
    /// What reads the database is gone.
    #[error("the records are not read any more")]
    Gone,
}

/// How far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cursor {
    /// Of which database.
    database: String,
    /// The last record that has arrived.
    seq: i64,
}

/// Sends records to where the variables of the environment say.
///
/// # Errors
/// When they cannot be read, or do not arrive.
pub async fn forward(request: Forward) -> Result<(), AuditError> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let sent = run(&request, &set).await?;
    let mut out = std::io::stdout();
    Ok(writeln!(out, "{} sent", counted(sent, "record"))?)
}

async fn run(
    request: &Forward,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<u64, AuditError> {
    let target = Target::of(variable)?;
    let path = request.database.path()?;
    let file = request.cursor.clone().unwrap_or_else(|| beside(&path));
    let mut cursor = Cursor::read(&file, &path, request.begin)?;
    cursor.write(&file)?;
    let mut metrics = Metrics::new(target.temporality, now());
    let attempts = (!request.follows).then_some(ATTEMPTS);
    let mut sent = 0;
    loop {
        // Reading waits for sending, and does so elsewhere.
        let (to, mut groups) = mpsc::channel(1);
        let (path, after) = (path.clone(), cursor.seq);
        let newest = Reading::open(&path)?.last()?;
        let reading = tokio::task::spawn_blocking(move || read(&path, after, &to));
        while let Some(group) = groups.recv().await {
            cursor.seq = group.last().map_or(cursor.seq, |told| told.call.seq);
            let waiting = (newest - cursor.seq).max(0);
            let counted = (&mut metrics, waiting);
            send(&group, &target, counted, request.contents, attempts).await?;
            sent += group.len() as u64;
            cursor.write(&file)?;
        }
        reading.await.map_err(|_| ForwardError::Gone)??;
        if !request.follows {
            return Ok(sent);
        }
        tokio::time::sleep(PACE).await;
    }
}

/// Hands over groups of records, until nobody takes them any more.
fn read(path: &Path, after: i64, to: &mpsc::Sender<Vec<Told>>) -> Result<(), AuditError> {
    let reading = Reading::open(path)?;
    if reading.last()? <= after {
        return Ok(());
    }
    let filter = Filter::default();
    let wanted = Wanted {
        range: after + 1..=i64::MAX,
        ..Wanted::all(&filter)
    };
    let columns = format!("{}, hash", call::COLUMNS);
    let (mut group, mut bytes) = (Vec::new(), 0);
    reading.rows(&columns, wanted, &mut |database, row| {
        let call = reading.ok(Call::read(database, row))?;
        let hash = reading.ok(row.get("hash"))?;
        bytes += call.size();
        group.push(Told { call, hash });
        if group.len() >= GROUP || bytes >= BYTES {
            let whole = std::mem::take(&mut group);
            to.blocking_send(whole).map_err(|_| ForwardError::Gone)?;
            bytes = 0;
        }
        Ok(())
    })?;
    if !group.is_empty() {
        to.blocking_send(group).map_err(|_| ForwardError::Gone)?;
    }
    Ok(())
}

/// Sends records, and what was counted of all so far.
async fn send(
    group: &[Told],
    target: &Target,
    (metrics, waiting): (&mut Metrics, i64),
    contents: Contents,
    attempts: Option<u32>,
) -> Result<(), AuditError> {
    let resource = || {
        Some(Resource {
            attributes: target.resource.clone(),
            ..Resource::default()
        })
    };
    let scope = || {
        Some(InstrumentationScope {
            name: "mcp-gateway".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..InstrumentationScope::default()
        })
    };
    if let Some(endpoint) = &target.logs {
        let logs = ScopeLogs {
            scope: scope(),
            log_records: group.iter().map(|told| told.log(contents)).collect(),
            ..ScopeLogs::default()
        };
        let request = ExportLogsServiceRequest {
            resource_logs: vec![ResourceLogs {
                resource: resource(),
                scope_logs: vec![logs],
                ..ResourceLogs::default()
            }],
        };
        let answer: ExportLogsServiceResponse = target.send(endpoint, &request, attempts).await?;
        if let Some(partial) = answer.partial_success {
            rejected("log records", partial.rejected_log_records);
        }
    }
    if let Some(endpoint) = &target.traces {
        let spans = ScopeSpans {
            scope: scope(),
            spans: group
                .iter()
                .filter_map(|told| told.span(contents))
                .collect(),
            ..ScopeSpans::default()
        };
        let request = ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                resource: resource(),
                scope_spans: vec![spans],
                ..ResourceSpans::default()
            }],
        };
        let answer: ExportTraceServiceResponse = target.send(endpoint, &request, attempts).await?;
        if let Some(partial) = answer.partial_success {
            rejected("spans", partial.rejected_spans);
        }
    }
    if let Some(endpoint) = &target.metrics {
        group.iter().for_each(|told| metrics.add(told));
        let now = now();
        let told = ScopeMetrics {
            scope: scope(),
            metrics: metrics.told(now, waiting),
            ..ScopeMetrics::default()
        };
        let request = ExportMetricsServiceRequest {
            resource_metrics: vec![ResourceMetrics {
                resource: resource(),
                scope_metrics: vec![told],
                ..ResourceMetrics::default()
            }],
        };
        let answer: ExportMetricsServiceResponse =
            target.send(endpoint, &request, attempts).await?;
        if let Some(partial) = answer.partial_success {
            rejected("metrics", partial.rejected_data_points);
        }
        metrics.arrived(now);
    }
    Ok(())
}

fn rejected(what: &str, count: i64) {
    if count > 0 {
        tracing::warn!("the collector took all but {count} {what}");
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_nanos()).unwrap_or(u64::MAX)
}

/// Where it is kept how far it has come.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".forwarded");
    path.with_file_name(name)
}

impl Cursor {
    /// How far it has come with a database.
    fn read(file: &Path, path: &Path, begin: Begin) -> Result<Self, AuditError> {
        let reading = Reading::open(path)?;
        let database = hex(reading.id());
        let failed = AuditError::file(file);
        let known = match fs::read(file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            read => {
                let known = serde_json::from_slice::<Self>(&read.map_err(&failed)?);
                Some(known.map_err(|error| failed(error.into()))?)
            }
        };
        let seq = match (known, begin) {
            // Another database may stand in the place of the one that it was of.
            (Some(known), _) if known.database == database => known.seq,
            (_, Begin::First) => 0,
            (_, Begin::Next) => reading.last()?,
        };
        Ok(Self { database, seq })
    }

    /// Keeps it, whole.
    fn write(&self, file: &Path) -> Result<(), AuditError> {
        let folder = file.parent().filter(|it| !it.as_os_str().is_empty());
        let written = || {
            let mut new = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
            new.write_all(&serde_json::to_vec(self)?)?;
            new.persist(file).map_err(|error| error.error).map(drop)
        };
        written().map_err(AuditError::file(file))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
mod tests;
