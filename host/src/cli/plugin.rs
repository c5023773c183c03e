//! `plugin`: what the author of a guardrail can ask about a component.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{BuildArgs, NewArgs, Output};
use crate::config::Reference;

/// What can be asked about a component.
#[derive(Debug, Clone, PartialEq, Subcommand)]
pub enum PluginTask {
    /// Make the project of a new guardrail, in the language of your choice
    ///
    /// The project has one rule, its test, its examples and all that its build needs but the
    /// language's own tools. See docs/guardrails.md.
    ///
    /// Exit code: 0 made, 2 not made.
    New(NewArgs),
    /// Build a guardrail with its language's own tools, and check it
    ///
    /// Says first which tools are missing. Then runs the project's own build, and does on the
    /// component what inspect and test do, with cases.jsonl if the project has it.
    ///
    /// Exit code: 0 built, and it does what it says; 1 it does not, or cannot be used; 2 not built.
    Build(BuildArgs),
    /// Show what a component is and what it can do
    ///
    /// Exit code: 0 the gateway would take it, 1 it would refuse it, or the configuration does
    /// not grant what it uses, 2 it is no component of a guardrail.
    Inspect(InspectArgs),
    /// Measure what a guardrail finds in labelled texts
    ///
    /// A corpus is a JSONL file (may be packed: .gz), one text or message a line with what is
    /// to be found in it; a text file, in which nothing is to be found; or a folder of such
    /// files. See docs/plugin.md for the format.
    ///
    /// Exit code: 0 scored, 1 below a mark that was set (--min-…, --max-…), 2 not scored.
    Score(Box<ScoreArgs>),
    /// Run a guardrail's own examples, and cases of yours
    ///
    /// Cases are JSONL files: a text, several, or a message a line, and what is expected of the
    /// guardrail. See docs/plugin.md for the format.
    ///
    /// Exit code: 0 all pass, 1 one fails, 2 they cannot be run.
    Test(TestArgs),
    /// Show a guardrail messages of all sorts: odd, huge, empty, cut
    ///
    /// Says where it crashes, runs into a limit, or answers what breaks the contract, with what
    /// makes it happen again.
    ///
    /// Exit code: 0 a valid verdict on each, 1 not on one, 2 it cannot be tried.
    Fuzz(FuzzArgs),
    /// Measure what a guardrail costs, and which limits it breaks
    ///
    /// Several guardrails are measured one by one, and then as a chain. See docs/plugin.md.
    ///
    /// Exit code: 0 within the default limits, 1 beyond one of them, 2 not measured.
    Bench(BenchArgs),
    /// Hold a build against another, on canary texts, examples and captures
    ///
    /// Exit code: 0 the new one protects no less, 1 it protects less or costs too much, 2 they
    /// cannot be compared.
    Diff(DiffArgs),
    /// Make a key that signs components, and print what others trust
    Keygen {
        /// The new file, which only you can read
        file: PathBuf,
    },
    /// Sign a component: the signature stands beside it, in FILE.sig
    Sign(SignArgs),
    /// Push a component to a registry, with its signature if there is one
    ///
    /// Credentials are those that `docker login` writes into its config.json.
    Push(PushArgs),
    /// Take what references stand for now, and write it into the lock file
    ///
    /// A gateway that runs takes the new build if that passes; the old one serves until then.
    Update(UpdateArgs),
}

/// What to sign, and as whom.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct SignArgs {
    /// A .wasm file
    pub file: PathBuf,
    /// The key: Ed25519 in PKCS #8 (PEM)
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
}

/// What to push, and where to.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct PushArgs {
    /// A .wasm file
    pub file: PathBuf,
    /// Where to, such as oci://ghcr.io/acme/rule:1.0.0
    pub reference: Reference,
}

/// Whose references to take anew.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct UpdateArgs {
    /// The gateway.toml
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Guardrails by their names there; without any, all that come from a registry
    pub names: Vec<String>,
}

/// Which component, and for whom the answer is.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct InspectArgs {
    /// A .wasm file, or the name of a bundled guardrail
    pub file: PathBuf,
    /// A gateway.toml: is the component granted there what it uses?
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Show its world in WIT instead
    #[arg(long, conflicts_with = "json")]
    pub wit: bool,
    /// Answer in JSON, for scripts
    #[arg(long)]
    json: bool,
}

/// Which builds to compare, and on what.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct DiffArgs {
    /// A .wasm file, or the name of a bundled guardrail
    pub old: PathBuf,
    /// The same, which is to take its place
    pub new: PathBuf,
    /// A file that a gateway wrote with --capture
    #[arg(long, value_name = "FILE")]
    pub capture: Option<PathBuf>,
    /// The configuration of both: JSON, TOML, or a .json or .toml file
    #[arg(long, value_name = "CONFIG")]
    pub config: Option<String>,
    /// How many times the time of the old one the new one may take
    #[arg(long, value_name = "TIMES", default_value_t = 4)]
    pub cost: u32,
    /// Answer in JSON, for scripts
    #[arg(long)]
    json: bool,
}

impl DiffArgs {
    /// For whom the answer is.
    pub fn output(&self) -> Output {
        Output::of(self.json)
    }
}

/// What to score, on what, and how.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct ScoreArgs {
    /// A .wasm file, or the name of a bundled guardrail
    pub guardrail: PathBuf,
    /// Labelled texts: JSONL files (.gz too), text files in which nothing is to be found, folders
    #[arg(required = true, value_name = "CORPUS")]
    pub corpora: Vec<PathBuf>,
    /// The guardrail's configuration: JSON, TOML, or a .json or .toml file
    #[arg(long, value_name = "CONFIG")]
    pub config: Option<String>,
    /// A configuration for each label of whole rows, in which {label} stands for it; rows whose
    /// label the guardrail refuses are left out and counted
    #[arg(long, value_name = "CONFIG", conflicts_with = "config")]
    pub each_label: Option<String>,
    /// Count only findings that are at least so sure (0 to 1)
    #[arg(long, value_name = "CONFIDENCE", default_value_t = 0.0)]
    pub threshold: f32,
    /// The way that the texts travel
    #[arg(long, value_enum, default_value = "to-client")]
    pub direction: Way,
    /// Other names of members: text=body,spans=entities,start=from,end=to,label=type,flag=bad,count=n
    #[arg(long, value_name = "MEMBER=NAME,…", value_delimiter = ',', value_parser = pair)]
    pub map: Vec<(String, String)>,
    /// What start and end count, where a row does not say it itself
    #[arg(long, value_enum, default_value = "code-points")]
    pub offsets: Offsets,
    /// Call the label A by the name B, in the corpus and in the findings; may be repeated
    #[arg(long, value_name = "A=B", value_parser = pair)]
    pub alias: Vec<(String, String)>,
    /// The same from a file: a JSON object or a TOML table of A = "B"
    #[arg(long, value_name = "FILE")]
    pub aliases: Option<PathBuf>,
    /// Take a finding of any rule for what is expected, whatever its label
    #[arg(long)]
    pub any_label: bool,
    /// A span is found only if a finding is exactly it (else: if half of it is covered)
    #[arg(long)]
    pub exact: bool,
    /// Look only at these labels; may be repeated
    #[arg(long, value_name = "LABEL", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Take only rows with this member and value; may be repeated
    #[arg(long = "where", value_name = "MEMBER=VALUE", value_parser = pair)]
    pub wanted: Vec<(String, String)>,
    /// A line of the table for each value of this member of rows, not for each label
    #[arg(long, value_name = "MEMBER")]
    pub by: Option<String>,
    /// How many misses and false alarms to list
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub worst: usize,
    /// How many characters of its text to show beside each of them
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub show: usize,
    /// The least recall over all
    #[arg(long, value_name = "SHARE")]
    pub min_recall: Option<f64>,
    /// The least precision over all
    #[arg(long, value_name = "SHARE")]
    pub min_precision: Option<f64>,
    /// The most findings in texts in which nothing is to be found
    #[arg(long, value_name = "N")]
    pub max_alarms: Option<u64>,
    /// Answer in JSON, for scripts
    #[arg(long)]
    json: bool,
}

/// What to test, and with what.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct TestArgs {
    /// A .wasm file, or the name of a bundled guardrail
    pub guardrail: PathBuf,
    /// JSONL files of cases; the examples in the manifest are always run
    #[arg(value_name = "CASES")]
    pub cases: Vec<PathBuf>,
    /// The guardrail's configuration: JSON, TOML, or a .json or .toml file
    #[arg(long, value_name = "CONFIG")]
    pub config: Option<String>,
    /// Run them again whenever one of the files changes, until you press Ctrl-C
    #[arg(long)]
    pub watch: bool,
    /// Answer in JSON, for scripts
    #[arg(long)]
    json: bool,
}

impl TestArgs {
    /// What is run of a component that was just built.
    pub fn of(guardrail: PathBuf, cases: Vec<PathBuf>, config: Option<String>) -> Self {
        Self {
            guardrail,
            cases,
            config,
            watch: false,
            json: false,
        }
    }

    /// For whom the answer is.
    pub fn output(&self) -> Output {
        Output::of(self.json)
    }
}

/// What to measure, and on what.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct BenchArgs {
    /// .wasm files, or names of bundled guardrails; several make a chain
    #[arg(required = true, value_name = "GUARDRAIL")]
    pub guardrails: Vec<PathBuf>,
    /// The configuration of the first guardrail, then of the second …: JSON, TOML, or a .json or
    /// .toml file
    #[arg(long, value_name = "CONFIG")]
    pub config: Vec<String>,
    /// A text to measure with, repeated to each size; else a mix of what tools answer
    #[arg(long, value_name = "FILE")]
    pub text: Option<PathBuf>,
    /// Answer in JSON, for scripts
    #[arg(long)]
    json: bool,
}

impl BenchArgs {
    /// For whom the answer is.
    pub fn output(&self) -> Output {
        Output::of(self.json)
    }
}

/// What to try, and with how much.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct FuzzArgs {
    /// A .wasm file, or the name of a bundled guardrail
    pub guardrail: PathBuf,
    /// The guardrail's configuration: JSON, TOML, or a .json or .toml file
    #[arg(long, value_name = "CONFIG")]
    pub config: Option<String>,
    /// How many cases to run, each with a fresh instance and up to four messages
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    pub runs: u64,
    /// What the cases are made from; else another each time
    #[arg(long, value_name = "SEED")]
    pub seed: Option<u64>,
    /// Only this case of a seed
    #[arg(long, value_name = "CASE", requires = "seed")]
    pub case: Option<u64>,
    /// Lines to make messages of, besides the examples in the manifest; may be repeated
    #[arg(long, value_name = "FILE")]
    pub text: Vec<PathBuf>,
    /// About the bytes of the largest messages
    #[arg(long, value_name = "BYTES", default_value_t = 2 << 20)]
    pub largest: usize,
    /// Write the first message of each failure to a file of cases for `plugin test`
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Answer in JSON, for scripts
    #[arg(long)]
    json: bool,
}

impl FuzzArgs {
    /// For whom the answer is.
    pub fn output(&self) -> Output {
        Output::of(self.json)
    }
}

/// Which way texts travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Way {
    /// As the arguments of a tool call.
    ToServer,
    /// As the result of one.
    ToClient,
}

/// What offsets into a text count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Offsets {
    /// Unicode code points, as Python does.
    CodePoints,
    /// Bytes of UTF-8, as guardrails do.
    Bytes,
    /// Units of UTF-16, as JavaScript does.
    Utf16,
}

impl InspectArgs {
    /// What is asked about a component that was just built.
    pub fn of(file: PathBuf) -> Self {
        Self {
            file,
            config: None,
            wit: false,
            json: false,
        }
    }

    /// For whom the answer is.
    pub fn output(&self) -> Output {
        Output::of(self.json)
    }
}

impl ScoreArgs {
    /// For whom the answer is.
    pub fn output(&self) -> Output {
        Output::of(self.json)
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}
