//! Command lines as they are typed, and what becomes of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod help;

use std::path::PathBuf;

use clap::CommandFactory;

use super::*;
use crate::config::{Form, GuardrailArg, Server};
use crate::front::http::TokenSource;

const BUNDLED: [&str; 2] = ["basic", "audit"];

fn parse(line: &str) -> Cli {
    let words = std::iter::once("mcp-gateway").chain(line.split_whitespace());
    Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn task(line: &str) -> Result<Task, String> {
    parse(line)
        .task(&BUNDLED)
        .map_err(|error| error.to_string())
}

fn check(line: &str, form: Form) {
    let expected = Task::Gateway(ConfigSource::new(form, &BUNDLED));
    assert_eq!(task(line), Ok(expected), "{line}");
}

fn mcp_json(guardrails: &[&str]) -> Form {
    let arg = |name: &&str| match *name {
        "*" => GuardrailArg::AllBundled,
        name => GuardrailArg::Named(name.to_owned()),
    };
    Form::McpJson {
        file: "mcp.json".into(),
        guardrails: guardrails.iter().map(arg).collect(),
    }
}

#[test]
fn clap_finds_no_fault() {
    Cli::command().debug_assert();
}

#[test]
fn command_lines_of_the_python_gateway_keep_their_meaning() {
    check("--mcp-json-path mcp.json", mcp_json(&[]));
    check(
        "--mcp-json-path mcp.json --plugin basic --plugin xetrack",
        mcp_json(&["basic", "xetrack"]),
    );
    check(
        "--mcp-json-path=mcp.json -pbasic -p=lasso",
        mcp_json(&["basic", "lasso"]),
    );
    check("--mcp-json mcp.json --plug basic", mcp_json(&["basic"]));
    check(
        "--mcp-json-path mcp.json --enable-guardrails",
        mcp_json(&["*"]),
    );
    check(
        "--enable-guardrails --mcp-json-path mcp.json --enable-tracing",
        mcp_json(&["*", "audit"]),
    );
    check(
        "--mcp-json-path mcp.json --enable-tracing xetrack --enable-guardrails basic \
         --enable-guardrails lasso -p presidio",
        mcp_json(&["presidio", "basic", "lasso", "xetrack"]),
    );
}

#[test]
fn the_gateways_own_file_stands_alone() {
    check(
        "--config gateway.toml",
        Form::GatewayToml("gateway.toml".into()),
    );
    insta::assert_snapshot!(task("--config g.toml -p basic").unwrap_err(), @r#"--plugin can't be used with --config; name the guardrail in that file: [[guardrails]] with use = "NAME""#);
    let both = Cli::try_parse_from(["mcp-gateway", "--config", "a", "--mcp-json-path", "b"]);
    insta::assert_snapshot!(both.unwrap_err(), @r#"
    error: the argument '--config <FILE>' cannot be used with '--mcp-json-path <FILE>'

    Usage: mcp-gateway --config <FILE>

    For more information, try '--help'.
    "#);
}

#[test]
fn what_is_missing_or_impossible_is_said_with_its_remedy() {
    insta::assert_snapshot!(task("-p basic").unwrap_err(), @r#"
    no servers to guard: name the client's file or the gateway's own, for example
      mcp-gateway --mcp-json-path ~/.cursor/mcp.json -p basic
      mcp-gateway --config gateway.toml
    or guard one server: mcp-gateway wrap -p basic -- npx some-server
    "#);
    insta::assert_snapshot!(task("-p basic demo").unwrap_err(), @"--plugin means nothing to this command; leave it out, or write it after the command");
    insta::assert_snapshot!(task("wrap -- ..").unwrap_err(), @r#"the server's name "" can't be used: a name can't be empty; choose one with --name"#);
}

#[test]
fn who_serves_listens_on_this_machine_unless_told_otherwise() {
    let serve = |line: &str| match task(line).unwrap() {
        Task::Serve { source, options } => (source, options),
        other => panic!("{other:?}"),
    };
    let (source, options) = serve("serve --config g.toml");
    let form = Form::GatewayToml("g.toml".into());
    assert_eq!(source, ConfigSource::new(form, &BUNDLED));
    assert_eq!(options.listen.to_string(), "127.0.0.1:8808");
    assert_eq!(options.token, TokenSource::Environment);
    let (source, options) = serve(
        "serve --mcp-json-path mcp.json -p basic --listen [::]:80 --token-file t --allow-host a \
         --allow-host b --allow-origin https://c --max-sessions 5 --session-idle 90s",
    );
    assert_eq!(source, ConfigSource::new(mcp_json(&["basic"]), &BUNDLED));
    let expected = Options {
        listen: "[::]:80".parse().unwrap(),
        token: TokenSource::File("t".into()),
        hosts: vec!["a".into(), "b".into()],
        origins: vec!["https://c".into()],
        max_sessions: 5,
        idle: std::time::Duration::from_secs(90),
    };
    assert_eq!(options, expected);
    let (_, options) = serve("serve --config g --listen localhost:1");
    assert_eq!(options.listen.to_string(), "127.0.0.1:1");
    for wrong in [
        "--session-idle 0s",
        "--session-idle soon",
        "--listen localhost",
        "--listen gateway.example:1",
    ] {
        let words = ["mcp-gateway", "serve", "--config", "g"].into_iter();
        let refused = Cli::try_parse_from(words.chain(wrong.split(' ')));
        assert!(refused.is_err(), "{wrong}");
    }
    assert!(task("serve").unwrap_err().contains("no servers to guard"));
    assert!(
        task("--config g serve")
            .unwrap_err()
            .contains("after the command")
    );
}

#[test]
fn a_wrapped_server_is_named_after_its_program() {
    let wrap = |name: &str, args: &[&str]| Form::Wrap {
        server: Server::of_command(
            name.parse().unwrap(),
            "/opt/git-server.exe".to_owned(),
            args.iter().map(|&arg| arg.to_owned()).collect(),
        ),
        guardrails: vec![GuardrailArg::Named("basic".to_owned())],
    };
    check(
        "wrap -p basic -- /opt/git-server.exe",
        wrap("git-server", &[]),
    );
    check(
        "wrap -p basic --name git -- /opt/git-server.exe -p 1 --name x",
        wrap("git", &["-p", "1", "--name", "x"]),
    );
}

#[test]
fn other_commands_are_read() {
    assert_eq!(task("demo"), Ok(Task::Demo));
    assert_eq!(task("reap"), Ok(Task::Reap));
    match task("plugin inspect x.wasm --json") {
        Ok(Task::Plugin(PluginTask::Inspect(args))) => {
            assert_eq!(args.file, PathBuf::from("x.wasm"));
            assert_eq!(args.output(), Output::Json);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_score_takes_several_corpora_and_lists_of_names() {
    let line = "plugin score pii a.jsonl b --map text=body,label=kind --alias A=B --alias C=D \
                --only A,B --where language=en";
    let Ok(Task::Plugin(PluginTask::Score(args))) = task(line) else {
        panic!("{line}");
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(args.corpora, ["a.jsonl", "b"].map(PathBuf::from));
    assert_eq!(args.map, [pair("text", "body"), pair("label", "kind")]);
    assert_eq!(args.alias, [pair("A", "B"), pair("C", "D")]);
    assert_eq!(args.only, ["A", "B"]);
    assert_eq!(args.wanted, [pair("language", "en")]);
    assert!(Cli::try_parse_from(["mcp-gateway", "plugin", "score", "pii"]).is_err());
}

#[test]
fn levels_go_by_their_python_names_too() {
    for (word, level) in [
        ("DEBUG", LogLevel::Debug),
        ("Warning", LogLevel::Warn),
        ("CRITICAL", LogLevel::Error),
        ("error", LogLevel::Error),
        ("trace", LogLevel::Trace),
    ] {
        assert_eq!(parse(&format!("--log {word} demo")).log().level, level);
        assert_eq!(parse(&format!("demo --log {word}")).log().level, level);
    }
}

#[test]
fn every_command_of_the_audit_database_is_understood() {
    for line in [
        "audit query --since 24h --tool *delete* --tool *drop*",
        "audit tail -f --server db",
        "audit show 1 --json",
        "audit stats --until 2026-11-01",
        "audit export --log-format json",
        "audit sql",
        "audit sql --all SELECT",
        "audit verify --checkpoint a --checkpoint b",
        "audit checkpoint -o a",
        "audit rotate --before 24h",
        "audit prune --before 400d --yes",
    ] {
        assert!(matches!(task(line), Ok(Task::Audit { .. })), "{line}");
    }
    for (line, place) in [
        ("audit query", Whereabouts::Usual),
        ("audit --db a query", Whereabouts::File("a".into())),
        (
            "audit query --config a.toml",
            Whereabouts::Config("a.toml".into()),
        ),
    ] {
        let Ok(Task::Audit { database, .. }) = task(line) else {
            panic!("{line}");
        };
        assert_eq!(database, place, "{line}");
    }
    // The log has a format, too.
    let export = task("audit export --format parquet -o a --db b");
    let format = match export {
        Ok(Task::Audit {
            action: Action::Export { format, .. },
            ..
        }) => Some(format),
        _ => None,
    };
    assert_eq!(format, Some(crate::audit::FileFormat::Parquet));
}
