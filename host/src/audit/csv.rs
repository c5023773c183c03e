//! Calls as values with commas (RFC 4180), for spreadsheets: a text that a
//! spreadsheet would take for a formula has an apostrophe before it, and control
//! characters are written out.

use std::io::{self, Write};

use super::call::{Call, Content};
use super::failure::AuditError;
use super::plain;

/// The columns: those of a record, with its findings in one.
const COLUMNS: [&str; 23] = [
    "seq",
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
    "outcome",
    "blocked_by",
    "reason",
    "duration_ms",
    "server_ms",
    "guardrail_ms",
    "request_bytes",
    "result_bytes",
    "findings",
    "arguments",
    "result",
    "content",
];

/// Rows below a row of names.
pub(super) struct Rows<'a> {
    out: csv::Writer<&'a mut dyn Write>,
}

impl<'a> Rows<'a> {
    /// Writes the names of a call's columns.
    pub(super) fn begin(out: &'a mut dyn Write) -> Result<Self, AuditError> {
        Self::of(&COLUMNS, out)
    }

    /// The same for columns of another kind.
    pub(super) fn of(
        names: &[impl AsRef<str>],
        out: &'a mut dyn Write,
    ) -> Result<Self, AuditError> {
        let mut writer = csv::WriterBuilder::new();
        let writer = writer.terminator(csv::Terminator::CRLF);
        let mut rows = Self {
            out: writer.from_writer(out),
        };
        let names: Vec<_> = names.iter().map(|name| Some(name.as_ref())).collect();
        rows.row(&names)?;
        Ok(rows)
    }

    /// Writes a call.
    pub(super) fn call(&mut self, call: &Call) -> Result<(), AuditError> {
        let rules = call.rules().into_iter();
        let findings = rules.map(|(rule, count)| format!("{rule} {count}"));
        let findings = findings.collect::<Vec<_>>().join("; ");
        let millis = |micros: i64| format!("{}.{:03}", micros / 1000, micros % 1000);
        self.row(&[
            Some(&call.seq.to_string()),
            Some(&call.time.to_string()),
            Some(&call.kind),
            Some(&call.session),
            call.exchange.map(|number| number.to_string()).as_deref(),
            call.client.as_deref(),
            call.client_version.as_deref(),
            call.server.as_deref(),
            Some(&call.method),
            call.subject.as_deref(),
            Some(&call.direction),
            Some(&call.outcome),
            call.blocked_by.as_deref(),
            call.reason.as_deref(),
            Some(&millis(call.duration)),
            Some(&millis(call.server_time)),
            Some(&millis(call.guardrail_time)),
            Some(&call.request_bytes.to_string()),
            Some(&call.result_bytes.to_string()),
            Some(&findings),
            call.arguments.text.as_deref(),
            call.result.text.as_deref(),
            Some(&kept(&call.arguments, &call.result)),
        ])
    }

    /// Writes a row. What is absent is empty.
    pub(super) fn row(&mut self, cells: &[Option<&str>]) -> Result<(), AuditError> {
        let cells = cells
            .iter()
            .map(|cell| cell.map_or_else(String::new, harmless));
        self.out.write_record(cells).map_err(io::Error::from)?;
        Ok(())
    }

    /// Writes what is not written yet.
    pub(super) fn end(mut self) -> Result<(), AuditError> {
        Ok(self.out.flush()?)
    }
}

/// In what form arguments and result are kept.
fn kept(arguments: &Content, result: &Content) -> String {
    let form = |content: &Content| {
        let cut = if content.is_cut { ", cut" } else { "" };
        format!("{}{cut}", content.form)
    };
    format!("arguments {}; result {}", form(arguments), form(result))
}

fn harmless(text: &str) -> String {
    let text = plain::lines(text);
    let is_number = text.parse::<f64>().is_ok();
    match !is_number && text.starts_with(['=', '+', '-', '@', '\t']) {
        true => format!("'{text}"),
        false => text.into_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn row(cells: &[Option<&str>]) -> String {
        let mut out = Vec::new();
        let mut rows = Rows::of(&["names"; 4], &mut out).unwrap();
        rows.row(cells).unwrap();
        rows.end().unwrap();
        let text = String::from_utf8(out).unwrap();
        text.split_once("\r\n").unwrap().1.to_owned()
    }

    #[test]
    fn values_are_quoted_where_they_have_to_be() {
        assert_eq!(
            row(&[Some("plain"), None, Some("a, \"b\"\nc"), Some("")]),
            "plain,,\"a, \"\"b\"\"\nc\",\r\n"
        );
    }

    #[test]
    fn nothing_is_a_formula_or_moves_the_cursor() {
        assert_eq!(
            row(&[
                Some("=HYPERLINK(\"x\")"),
                Some("@a"),
                Some("-1.5"),
                Some("\u{1b}[2J")
            ]),
            "\"'=HYPERLINK(\"\"x\"\")\",'@a,-1.5,\\u{1b}[2J\r\n"
        );
    }
}
