//! What the journal knows of one exchange, as it is written and as it is chained.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::types::Value;

/// One exchange, from its request to its end; or a guardrail that came into force; or what
/// stands in the journal for records that could not be written.
///
/// The meaning of each field is told in `schema.sql`.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// When the request came: milliseconds since 1970 in UTC.
    pub time: i64,
    /// What the record is of.
    pub kind: Kind,
    /// The client connection.
    pub session: Arc<str>,
    /// The number of the exchange in its session.
    pub exchange: Option<u64>,
    /// What the client says it is.
    pub client: Option<Arc<str>>,
    /// And of which version.
    pub client_version: Option<Arc<str>>,
    /// The server, as the configuration names it.
    pub server: Option<Arc<str>>,
    /// The method.
    pub method: Arc<str>,
    /// The tool, the prompt or the resource.
    pub subject: Option<Arc<str>>,
    /// Which way the request goes.
    pub direction: &'static str,
    /// What was asked.
    pub arguments: Content,
    /// What was answered.
    pub result: Content,
    /// How it ended.
    pub outcome: Outcome,
    /// The guardrail that blocked it.
    pub blocked_by: Option<Arc<str>>,
    /// Why it did not end well.
    pub reason: Option<String>,
    /// Microseconds from the request to the end.
    pub duration: u64,
    /// Of these, what the answering side took.
    pub server_time: u64,
    /// And what the guardrails took.
    pub guardrail_time: u64,
    /// Bytes of the request as it came in.
    pub request_bytes: usize,
    /// Bytes of the answer as it came in.
    pub result_bytes: usize,
    /// What guardrails found and decided.
    pub findings: Vec<Finding>,
}

/// What a record is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A request and what became of it.
    Call,
    /// A guardrail that came into force.
    Guardrail,
    /// Records that could not be written.
    Gap,
}

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// With a result.
    Ok,
    /// With the result of a tool that failed.
    ToolError,
    /// With a JSON-RPC error.
    ProtocolError,
    /// A guardrail refused the request or its answer.
    Blocked,
    /// Whoever asked did not want to know any more.
    Cancelled,
    /// No answer came in time.
    TimedOut,
    /// There is no answer, for a reason that is no guardrail's.
    Unavailable,
    /// Nobody knows, since the record was lost.
    Lost,
}

/// What is kept of what was said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// A JSON text, or the hash of one in hexadecimal digits.
    pub text: Option<String>,
    /// What it is.
    pub form: Form,
    /// Whether only its beginning is there.
    pub is_cut: bool,
}

/// In what form something is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// As the guardrails left it.
    Full,
    /// The same, with all that a guardrail found covered.
    Masked,
    /// Its keyed hash.
    Hash,
    /// Not at all.
    #[default]
    None,
}

/// What a guardrail found or decided: one rule in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The guardrail's name.
    pub guardrail: Arc<str>,
    /// The digest of its component.
    pub digest: Arc<str>,
    /// The rule that fired; empty if none is named.
    pub rule: String,
    /// How often.
    pub count: usize,
    /// Where: a JSON Pointer, empty if it has no place.
    pub place: String,
    /// In what: `request`, `response`, `error` or `notification`.
    pub message: &'static str,
    /// What the guardrail decided: `pass`, `redact`, `patch`, `block`, `ask`, or
    /// `fault` if it failed.
    pub decision: &'static str,
    /// Whether that was carried out.
    pub is_enforced: bool,
}

impl Kind {
    /// As the database has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Guardrail => "guardrail",
            Self::Gap => "gap",
        }
    }
}

impl Outcome {
    /// All that there are.
    pub const ALL: [Self; 8] = [
        Self::Ok,
        Self::ToolError,
        Self::ProtocolError,
        Self::Blocked,
        Self::Cancelled,
        Self::TimedOut,
        Self::Unavailable,
        Self::Lost,
    ];

    /// As the database has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ToolError => "tool-error",
            Self::ProtocolError => "protocol-error",
            Self::Blocked => "blocked",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed-out",
            Self::Unavailable => "unavailable",
            Self::Lost => "lost",
        }
    }
}

impl Form {
    /// As the database has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Masked => "masked",
            Self::Hash => "hash",
            Self::None => "none",
        }
    }
}

/// The columns of `records` between `seq` and `hash`, in their order.
pub const COLUMNS: [&str; 24] = [
    "time",
    "kind",
    "session",
    "exchange",
    "client",
    "client_version",
    "server",
    "method",
    "subject",
    "direction",
    "arguments",
    "arguments_form",
    "arguments_cut",
    "result",
    "result_form",
    "result_cut",
    "outcome",
    "blocked_by",
    "reason",
    "duration",
    "server_time",
    "guardrail_time",
    "request_bytes",
    "result_bytes",
];

/// The time: milliseconds since 1970 in UTC.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}

impl Record {
    /// One that belongs to no exchange, and that says only this.
    pub fn alone(kind: Kind, method: &str, said: String) -> Self {
        Self {
            time: now(),
            kind,
            session: "".into(),
            exchange: None,
            client: None,
            client_version: None,
            server: None,
            method: method.into(),
            subject: None,
            direction: "to-server",
            arguments: Content {
                text: Some(said),
                form: Form::Full,
                is_cut: false,
            },
            result: Content::default(),
            outcome: Outcome::Ok,
            blocked_by: None,
            reason: None,
            duration: 0,
            server_time: 0,
            guardrail_time: 0,
            request_bytes: 0,
            result_bytes: 0,
            findings: Vec::new(),
        }
    }

    /// How many bytes it takes, about.
    pub fn size(&self) -> usize {
        let texts = [&self.arguments.text, &self.result.text, &self.reason];
        let findings = self
            .findings
            .iter()
            .map(|it| it.rule.len() + it.place.len());
        let texts = texts.into_iter().flatten().map(String::len);
        512 + texts.sum::<usize>() + findings.map(|bytes| bytes + 128).sum::<usize>()
    }

    /// The values of the columns from `time` to `result_bytes`.
    pub(super) fn values(&self) -> [Value; 24] {
        [
            self.time.into(),
            text(self.kind.as_str()),
            text(&self.session),
            self.exchange.map(whole).into(),
            optional(self.client.as_deref()),
            optional(self.client_version.as_deref()),
            optional(self.server.as_deref()),
            text(&self.method),
            optional(self.subject.as_deref()),
            text(self.direction),
            optional(self.arguments.text.as_deref()),
            text(self.arguments.form.as_str()),
            self.arguments.is_cut.into(),
            optional(self.result.text.as_deref()),
            text(self.result.form.as_str()),
            self.result.is_cut.into(),
            text(self.outcome.as_str()),
            optional(self.blocked_by.as_deref()),
            optional(self.reason.as_deref()),
            whole(self.duration).into(),
            whole(self.server_time).into(),
            whole(self.guardrail_time).into(),
            whole(self.request_bytes as u64).into(),
            whole(self.result_bytes as u64).into(),
        ]
    }
}

impl Finding {
    /// Whether another one is the same but for how often.
    pub fn is_like(&self, other: &Self) -> bool {
        let same = Self {
            count: self.count,
            ..other.clone()
        };
        *self == same
    }

    /// The values of the columns from `guardrail` to `enforced`.
    pub(super) fn values(&self) -> [Value; 8] {
        [
            text(&self.guardrail),
            text(&self.digest),
            text(&self.rule),
            whole(self.count as u64).into(),
            text(&self.place),
            text(self.message),
            text(self.decision),
            self.is_enforced.into(),
        ]
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn optional(it: Option<&str>) -> Value {
    it.map_or(Value::Null, text)
}

/// SQLite's integers are signed.
fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
