//! `cargo xtask`: prepares this machine, runs the tests, shows the demo.
//!
//! Everything that a run needs besides Rust is installed below `target/`, so
//! `cargo clean` leaves nothing behind.

mod guests;
mod mutants;
mod packages;
mod peers;
mod program;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use program::Program;

const USAGE: &str = "\
usage: cargo xtask TASK

  setup    install what the tests need: the WebAssembly target, real MCP
           servers and clients (npm and Python packages, below target/)
  test     setup, then build everything and run all tests
  demo     show guardrails at work in front of a real MCP server
  conformance
           setup, then run the official conformance suite against the
           gateway, and compare with direct runs
  mutants  leave out one check of a message after the other, and see
           whether a test notices; takes long, so it is run by hand
  bench    measure what the gateway costs, on this machine as it is now
  package  make the packages of this platform, for npm and PyPI and as an
           archive, in target/packages: of a release build, or of the program
           in the file --binary FILE; elsewhere with --out FOLDER
  guests   build the guardrail components that the tests use";

/// Why a task did not succeed, in words for a person.
type Outcome = Result<(), String>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut words = words.iter().map(String::as_str);
    let outcome = match (words.next(), words.next()) {
        (Some("setup"), None) => setup(),
        (Some("test"), None) => test(),
        (Some("demo"), None) => demo(),
        (Some("conformance"), None) => conformance(),
        (Some("mutants"), None) => mutants(),
        (Some("bench"), None) => bench(),
        (Some("guests"), None) => guests::build(),
        (Some("package"), first) => package(first.into_iter().chain(words)),
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn setup() -> Outcome {
    guests::require_target()?;
    peers::npm()?;
    peers::python()?;
    peers::registry()?;
    peers::keyring()
}

fn test() -> Outcome {
    prepare()?;
    Program::cargo()
        .args(["test", "--workspace", "--no-fail-fast"])
        .run()
}

fn conformance() -> Outcome {
    prepare()?;
    Program::cargo()
        .args(["test", "--package", "mcp-gateway-tests"])
        .args(["--test", "conformance", "--", "--nocapture"])
        .run()
}

fn mutants() -> Outcome {
    prepare()?;
    mutants::run()
}

/// Installs and builds what the end-to-end tests need.
fn prepare() -> Outcome {
    setup()?;
    guests::build()?;
    // The end-to-end tests start the binary; cargo does not know that.
    Program::cargo()
        .args(["build", "--package", "mcp-gateway", "--bin", "mcp-gateway"])
        .run()
}

fn demo() -> Outcome {
    guests::require_target()?;
    let folder = peers::filesystem_server()?;
    build_release("mcp-gateway", "mcp-gateway")?;
    // In the folder where npx finds the installed server.
    released("mcp-gateway").args(["demo"]).inside(&folder).run()
}

fn bench() -> Outcome {
    guests::require_target()?;
    build_release("mcp-gateway", "mcp-gateway")?;
    build_release("mcp-gateway-tests", "mirror")?;
    build_release("mcp-gateway-tests", "bench")?;
    released("bench").run()
}

fn package<'a>(mut words: impl Iterator<Item = &'a str>) -> Outcome {
    let (mut binary, mut out) = (None, None);
    while let Some(word) = words.next() {
        match word {
            "--binary" => binary = Some(words.next().ok_or(USAGE)?),
            "--out" => out = Some(words.next().ok_or(USAGE)?),
            _ => return Err(USAGE.to_owned()),
        }
    }
    packages::make(binary, out)
}

fn build_release(package: &str, binary: &str) -> Outcome {
    Program::cargo()
        .args(["build", "--release", "--package", package, "--bin", binary])
        .run()
}

fn released(binary: &str) -> Program {
    let file = format!("{binary}{}", std::env::consts::EXE_SUFFIX);
    Program::at(&target().join("release").join(file))
}

/// The repository.
fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// Where everything that can be made again is kept.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), |folder| root().join(folder))
}
