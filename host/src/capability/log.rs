//! The `log` capability: lines for the gateway's log.

use super::contract::v0_1::mcp_gateway::guardrail::log::{Host, Level};
use super::contract::v0_1::mcp_gateway::guardrail::types;
use crate::sandbox::Confined;

/// One line that a guardrail wants logged.
pub(crate) struct Line<'a> {
    level: Level,
    pub(crate) text: &'a str,
}

impl<'a> Line<'a> {
    /// A line of the gateway itself about what a guardrail does.
    pub(crate) fn warning(text: &'a str) -> Self {
        Self {
            level: Level::Warn,
            text,
        }
    }

    /// A line that the guest, or its language's runtime, wrote to standard
    /// output or error. Only for who debugs the guardrail: the words of a panic
    /// quote the text that a slice was to be taken of.
    pub(crate) fn standard_error(text: &'a str) -> Self {
        Self {
            level: Level::Debug,
            text,
        }
    }
}

/// Writes a guardrail's line to the gateway's log.
pub(crate) fn emit(guardrail: &str, line: Line<'_>) {
    let text = line.text;
    match line.level {
        Level::Error => tracing::error!(guardrail, "{text}"),
        Level::Warn => tracing::warn!(guardrail, "{text}"),
        Level::Info => tracing::info!(guardrail, "{text}"),
        Level::Debug => tracing::debug!(guardrail, "{text}"),
    }
}

impl types::Host for Confined {}

impl Host for Confined {
    fn write(&mut self, level: Level, line: String) -> wasmtime::Result<()> {
        self.spend_host_call()?;
        self.write_log(Line { level, text: &line })?;
        Ok(())
    }
}
