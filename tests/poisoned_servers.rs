//! How many servers of poisoned tools `scan` finds, and that it finds nothing in real ones. It needs a folder of
//! labelled descriptions, which is no part of the project, so it is run by hand:
//!
//! ```sh
//! MCP_GATEWAY_CORPUS=FOLDER cargo test -p mcp-gateway-tests --test poisoned_servers -- --ignored --nocapture
//! ```
//!
//! The folder is the one that the model of `injection` is trained on (`plugins/injection/train/README.md`): `*.jsonl`
//! and `*.jsonl.gz`, an object a line with `text`, `label`, `source` and `context`. Besides, `*.tools.json` are lists of
//! tools of real servers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use mcp_gateway_tests::{Gateway, program_beside};
use serde_json::{Map, Value, json};

/// A server that lists these tools.
struct Listing {
    name: String,
    source: String,
    is_poisoned: bool,
    tools: Vec<Value>,
}

/// In these nothing is to be found; in the descriptions of the other harmless sources hardly anything.
const CLEAN: [&str; 3] = [
    "cisco-evals-benign",
    "github.tools.json",
    "mcp-reference-servers",
];

/// A server of a list lists so many tools at most, as real ones do.
const MOST: usize = 50;

fn corpus() -> PathBuf {
    let folder = std::env::var_os("MCP_GATEWAY_CORPUS");
    folder.expect("MCP_GATEWAY_CORPUS names the folder").into()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// A tool of a description. Where the description starts with a name and a colon, that is what it is called.
fn tool(number: usize, text: &str) -> Value {
    let is_name = |name: &str| {
        let mut letters = name.bytes();
        letters.all(|it| it.is_ascii_alphanumeric() || it == b'_')
    };
    let (name, description) = match text.split_once(": ") {
        Some((name, rest)) if is_name(name) => (name.to_owned(), rest),
        _ => (format!("tool_{number}"), text),
    };
    json!({"name": name, "description": description, "inputSchema": {"type": "object"}})
}

/// The servers of the corpus: poisoned tools that have names of the kind `exfil_http_post` are one server for what they
/// are there for, other ones a server each; harmless ones stand together.
fn servers(folder: &Path) -> Vec<Listing> {
    let mut groups: BTreeMap<(String, bool, String), Vec<Value>> = BTreeMap::new();
    let mut add = |source: &str, is_poisoned: bool, group: String, tool: Value| {
        groups
            .entry((source.to_owned(), is_poisoned, group))
            .or_default()
            .push(tool);
    };
    for path in files(folder) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let file = || fs::File::open(&path).unwrap();
        let lines: Box<dyn Read> = if name.ends_with(".jsonl.gz") {
            Box::new(GzDecoder::new(file()))
        } else if name.ends_with(".jsonl") {
            Box::new(file())
        } else if name.ends_with(".tools.json") {
            let tools: Vec<Value> = serde_json::from_reader(file()).unwrap();
            for (number, tool) in tools.into_iter().enumerate() {
                add(&name, false, (number / MOST).to_string(), tool);
            }
            continue;
        } else {
            continue;
        };
        for (number, line) in BufReader::new(lines).lines().enumerate() {
            let row: Value = serde_json::from_str(&line.unwrap()).unwrap();
            let (source, text) = (
                row["source"].as_str().unwrap(),
                row["text"].as_str().unwrap(),
            );
            // Summaries of packages are no tools, and what the threat rules test are often only names.
            if row["context"] != json!("tool_description")
                || ["atr", "pypi-summaries"].contains(&source)
            {
                continue;
            }
            let tool = tool(number, text);
            let kind = tool["name"]
                .as_str()
                .unwrap()
                .split('_')
                .next()
                .unwrap()
                .to_owned();
            let is_poisoned = row["label"] == json!(1);
            let group = match (is_poisoned, kind.as_str()) {
                (true, "tool") => number.to_string(),
                (true, _) => kind,
                (false, _) => (number / MOST).to_string(),
            };
            add(source, is_poisoned, group, tool);
        }
    }
    groups
        .into_iter()
        .map(|((source, is_poisoned, group), tools)| Listing {
            name: format!("{source} {group}"),
            source,
            is_poisoned,
            tools,
        })
        .collect()
}

/// What `scan` says of these servers, in a file of a client's.
fn scan(listings: &[&Listing]) -> Vec<Value> {
    let home = tempfile::tempdir().unwrap();
    let entries = listings.iter().map(|listing| {
        let answers = json!({"tools/list": {"tools": listing.tools}}).to_string();
        let entry =
            json!({"command": program_beside("mirror"), "env": {"MIRROR_ANSWERS": answers}});
        (listing.name.clone(), entry)
    });
    let entries: Map<String, Value> = entries.collect();
    let file = home.path().join("servers.json");
    fs::write(&file, json!({ "mcpServers": entries }).to_string()).unwrap();
    let output = Gateway::command()
        .env("HOME", home.path())
        .env("MCP_GATEWAY_STATE_DIR", home.path().join("state"))
        .args(["scan", "--offline", "--json"])
        .arg(&file)
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["servers"].as_array().unwrap().clone()
}

/// The tools of a server in which something is wrong: more than a note.
fn found(server: &Value) -> BTreeSet<&str> {
    let findings = server["findings"].as_array().unwrap().iter();
    findings
        .filter(|it| it["level"] != json!("note"))
        .filter_map(|it| it["tool"].as_str())
        .collect()
}

/// How many servers there are, in how many something was found; and the same of their tools.
#[derive(Default)]
struct Count {
    servers: usize,
    found: usize,
    tools: usize,
    tools_found: usize,
}

#[test]
#[ignore = "needs a corpus: see the top of this file"]
fn poisoned_servers_are_found_and_real_ones_are_not() {
    let listings = servers(&corpus());
    let mut counts: BTreeMap<(bool, &str), Count> = BTreeMap::new();
    for listing in &listings {
        counts
            .entry((listing.is_poisoned, &listing.source))
            .or_default();
    }
    for ((is_poisoned, source), count) in &mut counts {
        let of: Vec<&Listing> = listings
            .iter()
            .filter(|it| it.is_poisoned == *is_poisoned && it.source == *source)
            .collect();
        let scanned = scan(&of);
        for listing in of {
            let server = scanned.iter().find(|it| it["name"] == json!(listing.name));
            let server = server.unwrap_or_else(|| panic!("{} was not scanned", listing.name));
            let listed = server["tools"].as_array().map(Vec::len);
            assert_eq!(listed, Some(listing.tools.len()), "{server:#}");
            let found = found(server);
            if found.is_empty() == *is_poisoned {
                println!("{}: {:#}", listing.name, server["findings"]);
            }
            count.servers += 1;
            count.found += usize::from(!found.is_empty());
            count.tools += listing.tools.len();
            count.tools_found += found.len();
        }
    }
    println!("| source | poisoned | servers | found | tools | found |\n|---|---|--:|--:|--:|--:|");
    for ((is_poisoned, source), it) in &counts {
        let Count {
            servers,
            found,
            tools,
            tools_found,
        } = it;
        println!("| {source} | {is_poisoned} | {servers} | {found} | {tools} | {tools_found} |");
    }
    let (mut servers, mut found) = (0, 0);
    for ((is_poisoned, source), count) in &counts {
        if *is_poisoned {
            servers += count.servers;
            found += count.found;
        } else if CLEAN.contains(source) {
            assert_eq!(count.tools_found, 0, "{source}");
        }
    }
    assert!(
        found * 100 >= servers * 95,
        "{found} of {servers} poisoned servers were found"
    );
}
