//! `plugin`: what the author of a guardrail asks about it; and `replay`, what a chain of
//! guardrails makes of captured messages. Nothing here judges
//! messages by itself: what is shown and measured is the gateway's own
//! [`Guardrail`](crate::guardrail::Guardrail) at work.
//!
//! Exit codes are the same everywhere: 0 all is well, 1 it is not, 2 the question
//! cannot be answered.

mod bench;
mod build;
mod cases;
mod component;
mod diff;
mod distribute;
mod fuzz;
mod inspect;
mod project;
mod replay;
mod score;
mod shown;

use std::io::Write;
use std::process::ExitCode;

use crate::cli::{PluginTask, Replay};

/// The answer is not what was hoped for.
const BAD: u8 = 1;

/// There is no answer.
const NO_ANSWER: u8 = 2;

/// Answers on standard output.
pub async fn answer(task: PluginTask) -> ExitCode {
    let outcome = match task {
        PluginTask::New(args) => project::new(&args),
        PluginTask::Build(args) => build::build(&args).await,
        PluginTask::Inspect(args) => inspect::inspect(&args).await,
        PluginTask::Score(args) => score::score(&args).await,
        PluginTask::Test(args) => cases::test(&args).await,
        PluginTask::Fuzz(args) => fuzz::fuzz(&args).await,
        PluginTask::Bench(args) => bench::bench(&args).await,
        PluginTask::Keygen { file } => distribute::keygen(&file),
        PluginTask::Sign(args) => distribute::sign(&args),
        PluginTask::Push(args) => distribute::push(&args).await,
        PluginTask::Update(args) => distribute::update(&args).await,
        PluginTask::Diff(args) => diff::diff(&args).await,
    };
    code(outcome)
}

/// Shows what would become of captured messages, on standard output.
pub async fn replay(replay: Replay) -> ExitCode {
    code(replay::show(&replay).await)
}

fn code(outcome: anyhow::Result<bool>) -> ExitCode {
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(BAD),
        Err(error) => {
            // If nobody reads it, the exit code remains.
            let _ = writeln!(std::io::stderr(), "mcp-gateway: {error:#}");
            ExitCode::from(NO_ANSWER)
        }
    }
}

/// Writes an answer. A reader that has seen enough and leaves is no error.
fn say(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
