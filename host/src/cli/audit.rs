//! `audit`: the record of all calls, read.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Task;
use crate::audit::{
    Action, Begin, Contents, FileFormat, Filter, Format, Forward, NotATime, Records, Tail, When,
    Whereabouts,
};

#[derive(Debug, Clone, Args)]
pub(super) struct AuditArgs {
    /// The database; by default XETRACK_DB_PATH, or else the one in the state folder
    #[arg(long, value_name = "FILE", global = true)]
    db: Option<PathBuf>,
    /// The gateway.toml whose `[journal]` says where the database is
    // The gateway's own argument goes by the same name.
    #[arg(
        id = "journal-config",
        long = "config",
        value_name = "FILE",
        global = true
    )]
    #[arg(conflicts_with = "db")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Debug, Clone, Subcommand)]
enum AuditCommand {
    #[command(flatten)]
    Read(Box<ReadCommand>),
    /// Send records to a collector of OpenTelemetry, as logs, traces and metrics
    ///
    /// Where to, and what is sent, say the variables that OpenTelemetry has for that, such as
    /// OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS and OTEL_TRACES_EXPORTER=none.
    /// It is kept how far this has come: what has arrived is not sent again the next time.
    Forward(ForwardArgs),
}

/// What is done with a database alone.
#[derive(Debug, Clone, Subcommand)]
enum ReadCommand {
    /// Find calls, the latest first
    ///
    /// All tool calls of the last 24 hours whose name contains "delete" or "drop":
    ///   mcp-gateway audit query --since 24h --tool '*delete*' --tool '*drop*'
    #[command(verbatim_doc_comment)]
    Query {
        #[command(flatten)]
        filter: FilterArgs,
        /// How many calls at most; 0 for all
        #[arg(long, short = 'n', value_name = "NUMBER", default_value_t = 100)]
        limit: u64,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Show the latest calls, and with -f each one as it comes
    Tail {
        #[command(flatten)]
        filter: FilterArgs,
        /// How many calls to begin with
        #[arg(long, short = 'n', value_name = "NUMBER", default_value_t = 10)]
        lines: u64,
        /// Go on with the calls that come
        #[arg(long, short = 'f')]
        follow: bool,
        /// An object a line, for scripts
        #[arg(long)]
        json: bool,
    },
    /// Show one call as a page: what was asked, what was masked, who decided what
    Show {
        /// Its number, as the other commands show it
        id: i64,
        /// The object, for scripts
        #[arg(long)]
        json: bool,
    },
    /// Count calls, blocks and findings, and show how long calls took
    Stats {
        #[command(flatten)]
        filter: FilterArgs,
        /// An object, for scripts
        #[arg(long)]
        json: bool,
    },
    /// Write calls to a file, the earliest first
    Export {
        #[command(flatten)]
        filter: FilterArgs,
        /// What to write
        // The log's format goes by the name of its field, too.
        #[arg(id = "file-format", long = "format", value_enum)]
        #[arg(value_name = "FORMAT", default_value = "jsonl")]
        format: ExportFormat,
        /// A new file; by default, standard output
        #[arg(long, short = 'o', value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Prove that nobody changed, removed or moved a record
    ///
    /// What was removed at the end shows by a checkpoint only: make them with `audit checkpoint`,
    /// and keep them where whoever writes the database cannot change them.
    ///
    /// Exit code: 0 nobody changed anything, 1 somebody did, or nobody can tell.
    Verify {
        /// A file of checkpoints that were made before
        #[arg(long, value_name = "FILE")]
        checkpoint: Vec<PathBuf>,
        /// An object, for scripts
        #[arg(long)]
        json: bool,
    },
    /// Sign the last record: a line of JSON to be kept elsewhere, for `audit verify --checkpoint`
    Checkpoint {
        /// A new file; by default, standard output
        #[arg(long, short = 'o', value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Move records into a compressed archive beside the database
    ///
    /// Everything else reads them there as before. Gateways may go on writing meanwhile.
    Rotate {
        /// Only records before this: how long ago, a day or a time
        #[arg(long, value_name = "WHEN", value_parser = when)]
        before: Option<When>,
        /// An object, for scripts
        #[arg(long)]
        json: bool,
    },
    /// Show which archives are older than a time, and with --yes delete them for good
    Prune {
        /// Archives whose records are all older than this: how long ago, a day or a time
        #[arg(long, value_name = "WHEN", value_parser = when)]
        before: When,
        /// Delete them
        #[arg(long)]
        yes: bool,
        /// An object a line, for scripts
        #[arg(long)]
        json: bool,
    },
    /// Print the database's schema, or run a query of your own, which cannot change anything
    Sql {
        /// One SELECT statement
        statement: Option<String>,
        /// On archives, too: unpacks them and puts all records together first
        #[arg(long, requires = "statement")]
        all: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
}

/// Which records are sent, and how.
#[derive(Debug, Clone, Args)]
struct ForwardArgs {
    /// Go on with the records that come, and wait for a collector that is down
    #[arg(long, short = 'f')]
    follow: bool,
    /// Begin with the next record that comes, not with the first that there is
    #[arg(long)]
    new: bool,
    /// Send arguments and results, too, in the form in which they are kept
    #[arg(long)]
    content: bool,
    /// Where to keep how far it has come; by default, beside the database
    #[arg(long, value_name = "FILE")]
    cursor: Option<PathBuf>,
}

/// Which calls. What is given several times is met by any of them; all kinds of
/// conditions have to be met.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Which calls (* stands for anything; capitals do not matter)")]
struct FilterArgs {
    /// Not before: how long ago (15m, 24h, 7d), a day or a time
    #[arg(long, value_name = "WHEN", value_parser = when)]
    since: Option<When>,
    /// Before this
    #[arg(long, value_name = "WHEN", value_parser = when)]
    until: Option<When>,
    /// Calls of this tool
    #[arg(long, value_name = "PATTERN")]
    tool: Vec<String>,
    /// What was asked of this server
    #[arg(long, value_name = "PATTERN")]
    server: Vec<String>,
    /// Requests of this method, such as resources/read
    #[arg(long, value_name = "PATTERN")]
    method: Vec<String>,
    /// What came of it: ok, tool-error, protocol-error, blocked, cancelled, timed-out …
    #[arg(long, value_name = "PATTERN")]
    outcome: Vec<String>,
    /// Where this rule found something
    #[arg(long, value_name = "PATTERN")]
    rule: Vec<String>,
    /// Where this guardrail found something
    #[arg(long, value_name = "PATTERN")]
    guardrail: Vec<String>,
    /// From this client
    #[arg(long, value_name = "PATTERN")]
    client: Vec<String>,
    /// In this session
    #[arg(long, value_name = "PATTERN")]
    session: Vec<String>,
    /// Where arguments or result contain this text
    #[arg(long, value_name = "TEXT")]
    text: Vec<String>,
}

/// How to answer; by default, as a table.
#[derive(Debug, Clone, Args)]
#[group(multiple = false)]
struct OutputArgs {
    /// An object a line, for scripts
    #[arg(long)]
    json: bool,
    /// Values with commas, for spreadsheets
    #[arg(long)]
    csv: bool,
}

/// What an export can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExportFormat {
    /// An object a line
    Jsonl,
    /// Values with commas, for spreadsheets
    Csv,
    /// Columns with types, for DuckDB, Spark and data frames
    Parquet,
}

fn when(text: &str) -> Result<When, NotATime> {
    text.parse()
}

impl AuditArgs {
    pub(super) fn task(self) -> Task {
        let database = match (self.db, self.config) {
            (Some(file), _) => Whereabouts::File(file),
            (None, Some(config)) => Whereabouts::Config(config),
            (None, None) => Whereabouts::Usual,
        };
        match self.command {
            AuditCommand::Read(command) => Task::Audit {
                database,
                action: command.action(),
            },
            AuditCommand::Forward(args) => Task::Forward(args.forward(database)),
        }
    }
}

impl ForwardArgs {
    fn forward(self, database: Whereabouts) -> Forward {
        Forward {
            database,
            cursor: self.cursor,
            begin: if self.new { Begin::Next } else { Begin::First },
            follows: self.follow,
            contents: match self.content {
                true => Contents::Included,
                false => Contents::LeftOut,
            },
        }
    }
}

impl ReadCommand {
    fn action(self) -> Action {
        match self {
            Self::Query {
                filter,
                limit,
                output,
            } => Action::Query {
                filter: filter.filter(),
                limit: if limit == 0 { u64::MAX } else { limit },
                format: output.format(),
            },
            Self::Tail {
                filter,
                lines,
                follow,
                json,
            } => {
                let tail = Tail {
                    lines,
                    follows: follow,
                    is_json: json,
                };
                Action::Tail(filter.filter(), tail)
            }
            Self::Show { id, json } => Action::Show {
                seq: id,
                is_json: json,
            },
            Self::Stats { filter, json } => Action::Stats {
                filter: filter.filter(),
                is_json: json,
            },
            Self::Export {
                filter,
                format,
                output,
            } => Action::Export {
                filter: filter.filter(),
                format: match format {
                    ExportFormat::Jsonl => FileFormat::Jsonl,
                    ExportFormat::Csv => FileFormat::Csv,
                    ExportFormat::Parquet => FileFormat::Parquet,
                },
                output,
            },
            Self::Verify { checkpoint, json } => Action::Verify {
                checkpoints: checkpoint,
                is_json: json,
            },
            Self::Checkpoint { output } => Action::Checkpoint { output },
            Self::Rotate { before, json } => Action::Rotate {
                before,
                is_json: json,
            },
            Self::Prune { before, yes, json } => Action::Prune {
                before,
                is_sure: yes,
                is_json: json,
            },
            Self::Sql {
                statement: None, ..
            } => Action::Schema,
            Self::Sql {
                statement: Some(statement),
                all,
                output,
            } => Action::Sql {
                statement,
                of: match all {
                    true => Records::All,
                    false => Records::Journal,
                },
                format: output.format(),
            },
        }
    }
}

impl FilterArgs {
    fn filter(self) -> Filter {
        Filter {
            since: self.since,
            until: self.until,
            tools: self.tool,
            servers: self.server,
            methods: self.method,
            outcomes: self.outcome,
            rules: self.rule,
            guardrails: self.guardrail,
            clients: self.client,
            sessions: self.session,
            texts: self.text,
        }
    }
}

impl OutputArgs {
    fn format(&self) -> Format {
        match (self.json, self.csv) {
            (true, _) => Format::Json,
            (_, true) => Format::Csv,
            _ => Format::Table,
        }
    }
}
