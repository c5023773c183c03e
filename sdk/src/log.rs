//! Lines for the gateway's log, where the guardrail's name stands beside them.
//!
//! Lines and bytes are limited for each message. Never log what a message holds: the log is no secret.
//! Under a native test the lines go to standard error. While [`configure`](crate::Guardrail::configure) runs,
//! nothing can be logged.

use std::fmt::Display;

use crate::bindings::mcp_gateway::guardrail::log::{Level, write};

/// The guardrail could not do its work.
pub fn error(line: impl Display) {
    write_line(Level::Error, &line.to_string());
}

/// Something that a person should look at.
pub fn warn(line: impl Display) {
    write_line(Level::Warn, &line.to_string());
}

/// Something that a person may want to know.
pub fn info(line: impl Display) {
    write_line(Level::Info, &line.to_string());
}

/// For the author of the guardrail.
pub fn debug(line: impl Display) {
    write_line(Level::Debug, &line.to_string());
}

fn write_line(level: Level, line: &str) {
    if cfg!(target_family = "wasm") {
        write(level, line);
    } else {
        eprintln!("{level:?}: {line}");
    }
}
