//! The binary: turns a command line into a task, and its outcome into an exit
//! code.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use mcp_gateway::cli::{self, Cli, LogArgs, LogFormat, Task};
use mcp_gateway::status::{News, Reader};
use mcp_gateway::{
    audit, bundled, demo, doctor, install, oauth, pin, run, scan, secret, status, workbench,
};
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let news = Arc::new(News::default());
    let _log = log_to_stderr(&cli.log(), Arc::clone(&news));
    match act(cli, news) {
        Ok(code) => code,
        Err(error) => {
            // Not through the log, whose level may hide it. If nobody reads it,
            // the exit code remains.
            let _ = writeln!(std::io::stderr(), "mcp-gateway: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn act(cli: Cli, news: Arc<News>) -> anyhow::Result<ExitCode> {
    let task = cli.task(&bundled::names())?;
    if task == Task::Reap {
        #[cfg(unix)]
        mcp_gateway::upstream::reaper::reap();
        return Ok(ExitCode::SUCCESS);
    }
    // One thread relays: a message then needs no hand-over between threads, which
    // would cost it more than all that is done with it.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let code = runtime.block_on(async {
        anyhow::Ok(match task {
            Task::Gateway(source) => {
                run::run(source, news).await?;
                ExitCode::SUCCESS
            }
            Task::Serve { source, options } => {
                run::serve(source, options, news).await?;
                ExitCode::SUCCESS
            }
            Task::Audit { database, action } => {
                audit::audit(&database, &action)?;
                ExitCode::SUCCESS
            }
            Task::Forward(request) => {
                audit::forward(request).await?;
                ExitCode::SUCCESS
            }
            Task::Login(login) => {
                oauth::login(login).await?;
                ExitCode::SUCCESS
            }
            Task::Logout { source, server } => {
                oauth::logout(&source, &server)?;
                ExitCode::SUCCESS
            }
            Task::Demo => {
                demo::demo().await?;
                ExitCode::SUCCESS
            }
            Task::Plugin(task) => workbench::answer(task).await,
            Task::Replay(replay) => workbench::replay(replay).await,
            Task::Install(request) => install::install(&request)?,
            Task::Uninstall(request) => install::uninstall(&request)?,
            Task::Import(request) => install::import(&request)?,
            Task::Status(how) => status::show(how).await?,
            Task::Doctor(request) => doctor::doctor(&request).await?,
            Task::Scan(request) => scan::scan(&request).await?,
            Task::Secret(command) => {
                secret::secret(command)?;
                ExitCode::SUCCESS
            }
            Task::Pin(command) => pin::pin(&command)?,
            Task::Approve(command) => pin::approve(&command)?,
            Task::Completions(shell) => {
                std::io::stdout().write_all(&cli::completions(shell))?;
                ExitCode::SUCCESS
            }
            Task::Man => {
                std::io::stdout().write_all(&cli::man()?)?;
                ExitCode::SUCCESS
            }
            Task::Reap => ExitCode::SUCCESS,
        })
    });
    // A thread that still waits for standard input must not keep the process.
    runtime.shutdown_background();
    code
}

/// Standard output carries the protocol, so the log goes to standard error: by a
/// thread of its own, since a client that does not read there must not hold up
/// its messages. Lines are dropped rather than kept without bounds. What is
/// returned writes the last of them when it is dropped.
fn log_to_stderr(args: &LogArgs, news: Arc<News>) -> WorkerGuard {
    let level = args.level.as_str();
    // wasmtime's own remarks are for its developers.
    let filter = EnvFilter::new(format!(
        "{level},wasmtime=warn,cranelift=warn,wasmtime_internal_cranelift=warn,wasmtime_internal_cache=error"
    ));
    let (writer, guard) = tracing_appender::non_blocking(std::io::stderr());
    let log = tracing_subscriber::fmt::layer()
        // It would be said on standard error, which may be what failed.
        .log_internal_errors(false)
        .with_writer(writer);
    let log = match args.format {
        LogFormat::Text => log
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .with_target(false)
            .boxed(),
        LogFormat::Json => log.json().flatten_event(true).boxed(),
    };
    // Whatever is logged, `status` is told of what the gateway itself does; what servers
    // write is not its affair.
    let told = Targets::new().with_target("mcp_gateway", LevelFilter::INFO);
    tracing_subscriber::registry()
        .with(log.with_filter(filter))
        .with(Reader(news).with_filter(told))
        .init();
    guard
}
