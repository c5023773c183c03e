//! What can be wrong: a code that stays, what it means, and what mends it.

use serde::Serialize;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// Stays the same from version to version.
    pub(super) code: &'static str,
    pub(super) severity: Severity,
    /// What was seen.
    pub(super) what: String,
    pub(super) means: &'static str,
    pub(super) mend: String,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Severity {
    /// Everything works, perhaps otherwise than meant.
    Warning,
    /// Something does not work.
    Error,
}

fn error(
    code: &'static str,
    what: String,
    means: &'static str,
    mend: impl Into<String>,
) -> Finding {
    Finding {
        code,
        severity: Severity::Error,
        what,
        means,
        mend: mend.into(),
    }
}

fn warning(
    code: &'static str,
    what: String,
    means: &'static str,
    mend: impl Into<String>,
) -> Finding {
    Finding {
        severity: Severity::Warning,
        ..error(code, what, means, mend)
    }
}

pub(super) fn configuration(what: String) -> Finding {
    error(
        "config.error",
        what,
        "the gateway does not start with this configuration",
        "change the line that is named as it says",
    )
}

pub(super) fn remark(what: &str) -> Finding {
    warning(
        "config.remark",
        what.to_owned(),
        "the gateway starts, but may not do what you mean",
        "see README.md, gateway.toml",
    )
}

pub(super) fn not_tried() -> Finding {
    warning(
        "server.not-tried",
        "the servers were not started".to_owned(),
        "no message passes a gateway that lacks a guardrail, so it does not start",
        "mend the guardrails, and run this once more",
    )
}

pub(super) fn guardrail(name: &str, what: String) -> Finding {
    error(
        "guardrail.refused",
        what,
        "the gateway does not start, or goes on with the build that it has",
        format!("mcp-gateway plugin inspect COMPONENT says what \"{name}\" is and wants"),
    )
}

pub(super) fn slow_guardrail(name: &str, what: String) -> Finding {
    warning(
        "guardrail.slow",
        what,
        "every message waits for it so long",
        format!("mcp-gateway plugin bench COMPONENT measures \"{name}\"; `only` has it see less"),
    )
}

#[cfg(unix)]
pub(super) fn readable(file: &str, what: String) -> Finding {
    warning(
        "file.readable",
        what,
        "it holds values that servers log in with, or their programs, and others can read it",
        format!("chmod 600 '{file}'"),
    )
}

#[cfg(unix)]
pub(super) fn writable(file: &str, what: String) -> Finding {
    error(
        "file.writable",
        what,
        "whoever can write it decides which programs run in your name",
        format!("chmod go-w '{file}'"),
    )
}

pub(super) fn folder(what: String) -> Finding {
    error(
        "folder.unusable",
        what,
        "what the gateway keeps there is not private, so it does not use it",
        "chmod 700 the folder that is named, or remove it",
    )
}

pub(super) fn state(what: String) -> Finding {
    error(
        "state.unusable",
        what,
        "guardrails that keep something for all sessions fail, and `on_error` decides",
        "put the file back, or remove the folder it is in, and what guardrails kept with it",
    )
}

pub(super) fn clock(what: String) -> Finding {
    error(
        "clock.wrong",
        what,
        "certificates and log-ins are not valid yet for this machine",
        "set the clock: on Linux, timedatectl set-ntp true",
    )
}

#[cfg(target_os = "linux")]
pub(super) fn orphan(pid: u32) -> Finding {
    warning(
        "process.left",
        format!("a gateway runs whose client has ended (process {pid})"),
        "it keeps its servers, and their memory",
        format!("kill {pid}"),
    )
}

pub(super) fn gateway(what: String) -> Finding {
    error(
        "gateway.fails",
        what,
        "a client that starts it sees no server",
        "run the gateway with --log debug, and see what it says",
    )
}

pub(super) fn no_tools(name: &str) -> Finding {
    warning(
        "server.no-tools",
        format!("server \"{name}\" lists no tools"),
        "a model cannot do anything with it, unless it is there for prompts or resources",
        "see its documentation for what it needs",
    )
}

/// Why a server cannot be used, in the words that its clients are told.
pub(super) fn server(name: &str, command: &str, reason: &str) -> Finding {
    let what = format!("server \"{name}\": {reason}");
    let has = |words: &str| reason.contains(words);
    if has("its configuration cannot be filled in") {
        error(
            "server.unresolved",
            what,
            "a variable or a secret that its entry refers to cannot be had, so it is not started; the other servers are",
            "do what the reason says; a gateway that runs notices by itself when a file changes",
        )
    } else if has("was not found on the PATH") {
        let mend = format!(
            "`command -v {command}` in a terminal says where it is: write that as `command`"
        );
        error(
            "server.command-not-found",
            what,
            "the program is not installed, or not where this PATH leads; that of a desktop program is short",
            mend,
        )
    } else if has("its working folder") {
        let means = "it has no place to run";
        error(
            "server.no-folder",
            what,
            means,
            "make the folder, or change `cwd`",
        )
    } else if has("cannot be started") {
        let means = "the system refuses to run the program";
        error(
            "server.cannot-start",
            what,
            means,
            format!("chmod +x '{command}', if it is a script of yours"),
        )
    } else if has("mcp-gateway login") {
        let means = "it wants to know who you are";
        error(
            "server.log-in",
            what,
            means,
            format!("mcp-gateway login {name} --config FILE"),
        )
    } else if has("cannot connect") {
        let means = "nothing answers at its address";
        error(
            "server.unreachable",
            what,
            means,
            "see whether `url` is right, and the server is running",
        )
    } else if has("exited")
        || has("was ended")
        || has("closed its standard output")
        || has("is gone")
    {
        let means = "its program starts, and ends before it has said what it is";
        let mend =
            format!("run `{command}` with its arguments in a terminal; its last words are above");
        error("server.exits", what, means, mend)
    } else if has("did not answer") || has("has not said") {
        let means =
            "its program runs, but does not speak MCP on its standard output, or is very slow";
        error(
            "server.silent",
            what,
            means,
            "see whether it needs an argument for stdio; raise `init_timeout` if it is slow",
        )
    } else {
        let means = "no tool of it is offered";
        error("server.fails", what, means, "its last words are above")
    }
}
