//! A call as OpenTelemetry tells it: a log record and a span, with the names of its
//! conventions for MCP and for GenAI where there are some, and `mcp_gateway.…` else.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};
use opentelemetry_proto::tonic::trace::v1::span::{Event, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};

use super::super::call::{Call, Content, Finding};
use super::Contents;

/// A record, and its hash, which is the identity of its span and trace: one that is sent
/// twice is the same.
pub(super) struct Told {
    pub(super) call: Call,
    pub(super) hash: Vec<u8>,
}

impl Told {
    /// As a log record.
    pub(super) fn log(&self, contents: Contents) -> LogRecord {
        let severity = match self.call.outcome.as_str() {
            "ok" => SeverityNumber::Info,
            "lost" => SeverityNumber::Error,
            _ => SeverityNumber::Warn,
        };
        let said = match &self.call.reason {
            Some(reason) => format!("{}: {}: {reason}", self.call.what(), self.call.outcome),
            None => format!("{}: {}", self.call.what(), self.call.outcome),
        };
        let mut attributes = self.attributes(contents);
        let found = self.call.findings.iter().map(|it| list(finding(it)));
        let found = ArrayValue {
            values: found.collect(),
        };
        attributes.push(pair("mcp_gateway.findings", Value::ArrayValue(found)));
        LogRecord {
            time_unix_nano: self.end(),
            observed_time_unix_nano: self.end(),
            severity_number: severity.into(),
            severity_text: severity
                .as_str_name()
                .trim_start_matches("SEVERITY_NUMBER_")
                .into(),
            body: Some(string(&said)),
            attributes,
            trace_id: self.trace_id(),
            span_id: self.span_id(),
            event_name: format!("mcp_gateway.{}", self.call.kind),
            ..LogRecord::default()
        }
    }

    /// As a span, with what was found as its events. Only calls take time.
    pub(super) fn span(&self, contents: Contents) -> Option<Span> {
        let call = &self.call;
        if call.kind != "call" {
            return None;
        }
        let name = match (&call.subject, call.method.as_str()) {
            (Some(name), "tools/call" | "prompts/get") => format!("{} {name}", call.method),
            // A URI is one of too many.
            _ => call.method.clone(),
        };
        let events = call.findings.iter().map(|it| Event {
            time_unix_nano: self.end(),
            name: "mcp_gateway.finding".into(),
            attributes: finding(it),
            dropped_attributes_count: 0,
        });
        let status = error_type(call).map(|_| Status {
            code: StatusCode::Error.into(),
            message: call.reason.clone().unwrap_or_default(),
        });
        Some(Span {
            trace_id: self.trace_id(),
            span_id: self.span_id(),
            name,
            kind: SpanKind::Client.into(),
            start_time_unix_nano: self.begin(),
            end_time_unix_nano: self.end(),
            attributes: self.attributes(contents),
            events: events.collect(),
            status,
            ..Span::default()
        })
    }

    fn attributes(&self, contents: Contents) -> Vec<KeyValue> {
        let call = &self.call;
        let mut all = operation(call);
        // A guardrail came into force in no session.
        if !call.session.is_empty() {
            all.push(pair("mcp.session.id", text(&call.session)));
        }
        all.extend([
            pair("mcp_gateway.audit.seq", Value::IntValue(call.seq)),
            pair("mcp_gateway.direction", text(&call.direction)),
            pair("mcp_gateway.server_time", micros(call.server_time)),
            pair("mcp_gateway.guardrail_time", micros(call.guardrail_time)),
            pair(
                "mcp_gateway.request.size",
                Value::IntValue(call.request_bytes),
            ),
            pair(
                "mcp_gateway.result.size",
                Value::IntValue(call.result_bytes),
            ),
        ]);
        for (name, of) in [
            ("mcp.resource.uri", uri(call)),
            ("mcp_gateway.client.name", &call.client),
            ("mcp_gateway.client.version", &call.client_version),
            ("mcp_gateway.blocked_by", &call.blocked_by),
            ("mcp_gateway.reason", &call.reason),
        ] {
            all.extend(of.as_ref().map(|of| pair(name, text(of))));
        }
        if contents == Contents::Included {
            for (name, content) in [
                ("gen_ai.tool.call.arguments", &call.arguments),
                ("gen_ai.tool.call.result", &call.result),
            ] {
                let Content { text: of, .. } = content;
                all.extend(of.as_ref().map(|of| pair(name, text(of))));
            }
        }
        all
    }

    fn begin(&self) -> u64 {
        u64::try_from(self.call.time.0)
            .unwrap_or_default()
            .saturating_mul(1_000_000)
    }

    fn end(&self) -> u64 {
        let nanos = u64::try_from(self.call.duration).unwrap_or_default();
        self.begin().saturating_add(nanos.saturating_mul(1_000))
    }

    fn trace_id(&self) -> Vec<u8> {
        self.hash.iter().take(16).copied().collect()
    }

    fn span_id(&self) -> Vec<u8> {
        self.hash.iter().skip(16).take(8).copied().collect()
    }
}

/// What was done, in words of which there are few: they tell metrics apart, too.
pub(super) fn operation(call: &Call) -> Vec<KeyValue> {
    let mut all = vec![
        pair("mcp.method.name", text(&call.method)),
        pair("mcp_gateway.outcome", text(&call.outcome)),
    ];
    let name = match call.method.as_str() {
        "tools/call" => {
            all.push(pair("gen_ai.operation.name", text("execute_tool")));
            Some("gen_ai.tool.name")
        }
        "prompts/get" => Some("gen_ai.prompt.name"),
        _ => None,
    };
    for (name, of) in [
        (name, &call.subject),
        (Some("mcp_gateway.server"), &call.server),
        (Some("error.type"), &error_type(call)),
    ] {
        let both = name.zip(of.as_ref());
        all.extend(both.map(|(name, of)| pair(name, text(of))));
    }
    all
}

/// What was found, where, and what that led to.
pub(super) fn finding(it: &Finding) -> Vec<KeyValue> {
    let mut all = rule(it);
    all.extend([
        pair("mcp_gateway.guardrail.digest", text(&it.digest)),
        pair("mcp_gateway.finding.count", Value::IntValue(it.count)),
        pair("mcp_gateway.finding.place", text(&it.place)),
        pair("mcp_gateway.finding.message", text(&it.message)),
    ]);
    all
}

/// Which rule fired, and what that led to.
pub(super) fn rule(it: &Finding) -> Vec<KeyValue> {
    vec![
        pair("mcp_gateway.guardrail", text(&it.guardrail)),
        pair("mcp_gateway.rule", text(&it.rule)),
        pair("mcp_gateway.decision", text(&it.decision)),
        pair("mcp_gateway.enforced", Value::BoolValue(it.is_enforced)),
    ]
}

/// The class of what went wrong.
fn error_type(call: &Call) -> Option<String> {
    match call.outcome.as_str() {
        "ok" => None,
        "timed-out" => Some("timeout".into()),
        other => Some(other.replace('-', "_")),
    }
}

fn uri(call: &Call) -> &Option<String> {
    match call.method.starts_with("resources/") {
        true => &call.subject,
        false => &None,
    }
}

pub(super) fn pair(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

fn string(of: &str) -> AnyValue {
    AnyValue {
        value: Some(text(of)),
    }
}

fn list(values: Vec<KeyValue>) -> AnyValue {
    AnyValue {
        value: Some(Value::KvlistValue(KeyValueList { values })),
    }
}

pub(super) fn text(text: &str) -> Value {
    Value::StringValue(text.to_owned())
}

/// Microseconds as seconds.
fn micros(micros: i64) -> Value {
    Value::DoubleValue(seconds(micros))
}

/// The same as a number.
pub(super) fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}
