//! The record as it is read: by the gateway's own commands, and by what others made.

use std::fs::{self, File};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command};

use mcp_gateway_tests::real::{self, free_port, npm_server, printed};
use mcp_gateway_tests::{Gateway, Server, eventually};
use serde_json::json;

use super::{audit, database, recorded, rows};

/// The question that the mission begins with, by the command that the README has.
#[test]
fn calls_that_delete_or_drop_are_found_by_one_command() {
    let setup = recorded("");
    let memory = npm_server("memory", "server-memory", &[]);
    let kept = setup.folder().join("memory.json");
    let memory = memory.env("MEMORY_FILE_PATH", kept.to_str().unwrap());
    let tool = |name| json!({"name": name, "inputSchema": {"type": "object"}}).to_string();
    let tools = ["delete_row", "drop_table", "read_row"].map(tool).join(",");
    let mirror = Server::mirror("db").env("MIRROR_TOOLS", &tools);
    let gateway = setup.server(memory).server(mirror).start();
    let client = &gateway.client;
    client.call("memory_create_entities", json!({"entities": []}));
    let deleted = client.call("memory_delete_entities", json!({"entityNames": ["Ann"]}));
    assert!(!deleted.is_tool_error(), "{}", deleted.raw);
    for tool in ["db_delete_row", "db_read_row", "db_drop_table", "m_echo"] {
        client.call(tool, json!({"text": "x"}));
    }
    gateway.end();
    let mut command = Gateway::command();
    command.args([
        "audit", "query", "--since", "24h", "--tool", "*delete*", "--tool", "*drop*", "--json",
        "--db",
    ]);
    let output = command.arg(database(&gateway)).output().unwrap();
    let found = String::from_utf8(output.stdout).unwrap();
    let subjects: Vec<String> = found
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|call| call["subject"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(subjects, ["drop_table", "delete_row", "delete_entities"]);
}

#[test]
fn what_was_recorded_can_be_read_in_every_way_before_and_after_it_is_archived() {
    let gateway = recorded("").start();
    gateway.client.call("m_echo", json!({"text": "hello"}));
    gateway.end();
    let parquet = gateway.folder().join("calls.parquet");
    let text = |args: &[&str]| String::from_utf8(audit(&gateway, args)).unwrap();
    let last = rows(&database(&gateway), "SELECT max(seq) FROM records").remove(0);
    for round in ["in the database", "in an archive"] {
        for args in [
            &["query"][..],
            &["query", "--csv"],
            &["query", "--json"],
            &["tail"],
            &["show", &last],
            &["stats"],
            &["export"],
            &["export", "--format", "csv"],
        ] {
            let text = text(args);
            assert!(text.contains("echo"), "{round}: {args:?}: {text}");
        }
        let _ = fs::remove_file(&parquet);
        text(&[
            "export",
            "--format",
            "parquet",
            "-o",
            parquet.to_str().unwrap(),
        ]);
        assert!(fs::read(&parquet).unwrap().starts_with(b"PAR1"), "{round}");
        text(&["verify"]);
        let count = text(&[
            "sql",
            "--all",
            "--csv",
            "SELECT count(*) FROM events WHERE capability_name = 'echo'",
        ]);
        assert_eq!(count.lines().last(), Some("1"), "{round}: {count}");
        text(&["rotate"]);
    }
    assert!(text(&["checkpoint"]).contains("signature"));
    assert!(text(&["sql"]).contains("CREATE TABLE records"));
}

/// The collector is Rotel, which is packaged for Python.
#[test]
fn a_collector_of_opentelemetry_takes_logs_spans_and_metrics() {
    let setup = recorded("").guardrail("basic", "");
    let gateway = setup.start();
    let token = super::secret();
    gateway.client.call("m_echo", json!({"text": token}));
    gateway.client.call("m_fail", json!({"line": "wrong"}));
    gateway.end();
    let (port, grpc) = (free_port(), free_port());
    let said = gateway.folder().join("collector.log");
    let package = "import os, rotel, sys; agent = os.path.join(os.path.dirname(rotel.__file__), \
                   'rotel-agent'); os.execv(agent, [agent, *sys.argv[1:]])";
    let mut collector = Command::new(real::python());
    collector
        .args(["-c", package])
        .args(["start", "--exporter", "blackhole"])
        .args(["--otlp-http-endpoint", &format!("127.0.0.1:{port}")])
        .args(["--otlp-grpc-endpoint", &format!("127.0.0.1:{grpc}")])
        .args(["--debug-log-verbosity", "detailed"]);
    for kind in ["logs", "traces", "metrics"] {
        collector.args(["--debug-log", kind]);
    }
    let output = File::create(&said).unwrap();
    collector.stderr(output.try_clone().unwrap()).stdout(output);
    let _collector = Ended(collector.spawn().unwrap());
    eventually("the collector listens", || {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    let mut command = Gateway::command();
    command
        .args(["audit", "forward", "--content", "--db"])
        .arg(database(&gateway))
        .env(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            format!("http://127.0.0.1:{port}"),
        )
        .env("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
        .env(
            "OTEL_RESOURCE_ATTRIBUTES",
            "deployment.environment.name=here",
        );
    let output = printed("audit forward", &command.output().unwrap());
    let sent: u64 = output.split(' ').next().unwrap().parse().unwrap();
    let count = rows(&database(&gateway), "SELECT count(*) FROM records");
    assert_eq!(count, [sent.to_string()]);
    let text = || fs::read_to_string(&said).unwrap();
    eventually("the collector has it all", || {
        text().contains("Name: mcp_gateway.guardrail.duration")
    });
    let text = text();
    assert_eq!(text.matches("LogRecord #").count() as u64, sent, "{text}");
    for part in [
        "deployment.environment.name: Str(here)",
        "Name           : tools/call echo",
        "Kind           : SPAN_KIND_CLIENT",
        "gen_ai.tool.name: Str(fail)",
        "mcp_gateway.outcome: Str(protocol-error)",
        "<GITHUB_PERSONAL_ACCESS_TOKEN>",
        "Name: mcp_gateway.calls",
        "Name: mcp_gateway.findings",
        "Name: mcp_gateway.audit.queue",
        "Name: mcp.client.operation.duration",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains(&token), "{text}");
}

/// Dropping it ends the process.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn duckdb_reads_the_database_and_an_export() {
    let gateway = recorded("").start();
    gateway.client.call("m_echo", json!({"text": "hello"}));
    gateway.client.call("m_fail", json!({"line": "wrong"}));
    gateway.end();
    let parquet = gateway.folder().join("calls.parquet");
    let file = parquet.to_str().unwrap();
    audit(&gateway, &["export", "--format", "parquet", "-o", file]);
    let files = [database(&gateway).as_path(), &parquet].map(Path::to_owned);
    let read = real::client(&real::python(), "duckdb_reads.py", files);
    assert_eq!(
        read,
        json!({
            "attached": [["echo", "ok", true], ["fail", "protocol-error", true]],
            "events": [["echo", "hello"], ["fail", null]],
            "exported": [["echo", "ok", 0], ["fail", "protocol-error", 0]],
        })
    );
}
