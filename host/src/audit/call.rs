//! A record as it is read again.

use rusqlite::{Connection, Row};
use serde_json::{Value, json};

use super::when::When;

/// A row of `records`, with its findings.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) seq: i64,
    pub(super) time: When,
    pub(super) kind: String,
    pub(super) session: String,
    pub(super) exchange: Option<i64>,
    pub(super) client: Option<String>,
    pub(super) client_version: Option<String>,
    pub(super) server: Option<String>,
    pub(super) method: String,
    pub(super) subject: Option<String>,
    pub(super) direction: String,
    pub(super) arguments: Content,
    pub(super) result: Content,
    pub(super) outcome: String,
    pub(super) blocked_by: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) duration: i64,
    pub(super) server_time: i64,
    pub(super) guardrail_time: i64,
    pub(super) request_bytes: i64,
    pub(super) result_bytes: i64,
    pub(super) findings: Vec<Finding>,
}

/// What is kept of what was said.
#[derive(Debug, Clone)]
pub(super) struct Content {
    pub(super) text: Option<String>,
    pub(super) form: String,
    pub(super) is_cut: bool,
}

/// A row of `findings`.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) guardrail: String,
    pub(super) digest: String,
    pub(super) rule: String,
    pub(super) count: i64,
    pub(super) place: String,
    pub(super) message: String,
    pub(super) decision: String,
    pub(super) is_enforced: bool,
}

/// What [`Call::read`] needs of a row, in its order.
pub(super) const COLUMNS: &str = "seq, time, kind, session, exchange, client, client_version, \
     server, method, subject, direction, arguments, arguments_form, arguments_cut, result, \
     result_form, result_cut, outcome, blocked_by, reason, duration, server_time, \
     guardrail_time, request_bytes, result_bytes";

const FINDINGS: &str = "SELECT guardrail, digest, rule, count, place, message, decision, enforced \
     FROM findings WHERE seq = ? ORDER BY number";

impl Call {
    /// The call in a row of [`COLUMNS`], and its findings.
    pub(super) fn read(database: &Connection, row: &Row<'_>) -> rusqlite::Result<Self> {
        let content = |at: usize| {
            Ok::<_, rusqlite::Error>(Content {
                text: row.get(at)?,
                form: row.get(at + 1)?,
                is_cut: row.get(at + 2)?,
            })
        };
        let seq = row.get(0)?;
        let mut found = database.prepare_cached(FINDINGS)?;
        let findings = found.query_map([seq], Finding::read)?;
        Ok(Self {
            seq,
            time: When(row.get(1)?),
            kind: row.get(2)?,
            session: row.get(3)?,
            exchange: row.get(4)?,
            client: row.get(5)?,
            client_version: row.get(6)?,
            server: row.get(7)?,
            method: row.get(8)?,
            subject: row.get(9)?,
            direction: row.get(10)?,
            arguments: content(11)?,
            result: content(14)?,
            outcome: row.get(17)?,
            blocked_by: row.get(18)?,
            reason: row.get(19)?,
            duration: row.get(20)?,
            server_time: row.get(21)?,
            guardrail_time: row.get(22)?,
            request_bytes: row.get(23)?,
            result_bytes: row.get(24)?,
            findings: findings.collect::<Result<_, _>>()?,
        })
    }

    /// How many bytes its texts take, about.
    pub(super) fn size(&self) -> usize {
        let texts = [&self.arguments.text, &self.result.text, &self.reason];
        let texts = texts.into_iter().flatten().map(String::len);
        256 + texts.sum::<usize>() + 256 * self.findings.len()
    }

    /// What was asked for: the tool, or the method and its subject.
    pub(super) fn what(&self) -> String {
        match (&self.subject, self.method.as_str()) {
            (Some(tool), "tools/call") => tool.clone(),
            (Some(subject), method) => format!("{method} {subject}"),
            (None, method) => method.to_owned(),
        }
    }

    /// The client's name and version.
    pub(super) fn who(&self) -> String {
        let parts = [self.client.as_deref(), self.client_version.as_deref()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// The rules that fired, each with its guardrail and how often.
    pub(super) fn rules(&self) -> Vec<(String, i64)> {
        let mut rules: Vec<(String, i64)> = Vec::new();
        for finding in &self.findings {
            let name = finding.name();
            match rules.iter_mut().find(|(known, _)| *known == name) {
                Some((_, count)) => *count += finding.count,
                None => rules.push((name, finding.count)),
            }
        }
        rules
    }

    /// As an object, whose keys are the names of the columns; content is a value
    /// again where all of it is there.
    pub(super) fn json(&self) -> Value {
        json!({
            "seq": self.seq,
            "time": self.time.to_string(),
            "kind": self.kind,
            "session": self.session,
            "exchange": self.exchange,
            "client": self.client,
            "client_version": self.client_version,
            "server": self.server,
            "method": self.method,
            "subject": self.subject,
            "direction": self.direction,
            "arguments": self.arguments.json(),
            "arguments_form": self.arguments.form,
            "arguments_cut": self.arguments.is_cut,
            "result": self.result.json(),
            "result_form": self.result.form,
            "result_cut": self.result.is_cut,
            "outcome": self.outcome,
            "blocked_by": self.blocked_by,
            "reason": self.reason,
            "duration": self.duration,
            "server_time": self.server_time,
            "guardrail_time": self.guardrail_time,
            "request_bytes": self.request_bytes,
            "result_bytes": self.result_bytes,
            "findings": self.findings.iter().map(Finding::json).collect::<Vec<_>>(),
        })
    }
}

impl Content {
    /// The value, if all of it is there.
    pub(super) fn value(&self) -> Option<Value> {
        let is_whole = !self.is_cut && matches!(self.form.as_str(), "full" | "masked");
        let text = self.text.as_ref().filter(|_| is_whole)?;
        serde_json::from_str(text).ok()
    }

    fn json(&self) -> Value {
        self.value().unwrap_or_else(|| self.text.clone().into())
    }
}

impl Finding {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            guardrail: row.get(0)?,
            digest: row.get(1)?,
            rule: row.get(2)?,
            count: row.get(3)?,
            place: row.get(4)?,
            message: row.get(5)?,
            decision: row.get(6)?,
            is_enforced: row.get(7)?,
        })
    }

    /// The guardrail and its rule.
    pub(super) fn name(&self) -> String {
        match self.rule.as_str() {
            "" => self.guardrail.clone(),
            rule => format!("{}/{rule}", self.guardrail),
        }
    }

    fn json(&self) -> Value {
        json!({
            "guardrail": self.guardrail,
            "digest": self.digest,
            "rule": self.rule,
            "count": self.count,
            "place": self.place,
            "message": self.message,
            "decision": self.decision,
            "enforced": self.is_enforced,
        })
    }
}
