//! Every command that a document shows is run: in the document's order, by one reader, who has
//! what the document says they have. What cannot be is in a table, with the reason.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;

use mcp_gateway_tests::{PATIENCE, eventually, guest, in_a_terminal};
use serde_json::json;

use super::markdown::{Document, documents};
use super::reader::Reader;

/// How a command is run.
#[derive(Clone, Copy, PartialEq)]
enum How {
    /// It ends by itself, and well.
    Ends,
    /// A client starts it, and lists its tools.
    Serves,
    /// It asks, and the reader says yes.
    Asks,
    /// It goes on until it is interrupted; what it prints has this in it.
    Lasts(&'static str),
    /// It judges the reader's guardrail, and may find it wanting.
    Judges,
    /// Nowhere here, for this reason.
    Elsewhere(&'static str),
}
use How::{Asks, Elsewhere, Judges, Lasts, Serves};

const BUILT: &str = "tests/examples.rs builds and tests a project of each language";
const PACKED: &str = "tests/packages.rs makes and installs the packages";

/// The commands that do not just end, by how they begin. The first that fits counts.
const HOW: &[(&str, How)] = &[
    ("mcp-gateway --config", Serves),
    ("mcp-gateway --mcp-json-path", Serves),
    ("mcp-gateway wrap", Serves),
    ("mcp-gateway install", Asks),
    ("mcp-gateway uninstall", Asks),
    ("mcp-gateway serve", Lasts("serving at http://127.0.0.1:")),
    (
        "mcp-gateway plugin test ./house-rule.wasm cases.jsonl --watch",
        Lasts(" pass"),
    ),
    (
        "mcp-gateway plugin test dist/my-guardrail.wasm cases.jsonl --watch",
        Lasts(" pass"),
    ),
    (
        "mcp-gateway plugin test target/wasm32-wasip2/release/my_guardrail.wasm",
        Lasts(" pass"),
    ),
    (
        "mcp-gateway plugin fuzz ./house-rule.wasm --text",
        Elsewhere("so many runs take minutes; tests/workbench/fuzz.rs has some"),
    ),
    (
        "mcp-gateway plugin bench basic",
        Elsewhere("compiling them anew takes a minute; tests/workbench/bench.rs does it"),
    ),
    ("mcp-gateway plugin fuzz", Judges),
    ("mcp-gateway plugin bench", Judges),
    (
        "mcp-gateway audit tail -f",
        Elsewhere("tests/audit/readers.rs follows calls as they come"),
    ),
    (
        "mcp-gateway audit forward",
        Elsewhere("it wants a collector; tests/audit.rs has one"),
    ),
    ("export OTEL", Elsewhere("it is for the collector")),
    (
        "mcp-gateway login",
        Elsewhere("it opens a browser; tests/oauth.rs is one"),
    ),
    (
        "mcp-gateway logout",
        Elsewhere("tests/oauth.rs logs out after it has logged in"),
    ),
    (
        "mcp-gateway secret",
        Elsewhere("it wants a keyring; tests/keyring.rs has one"),
    ),
    (
        "mcp-gateway approve 9",
        Elsewhere("tests/approval.rs approves of a call that waits"),
    ),
    (
        "mcp-gateway scan allow",
        Elsewhere("tests/scan.rs allows a server that was held back"),
    ),
    (
        "mcp-gateway demo",
        Elsewhere("tests/command_line.rs runs it"),
    ),
    (
        "mcp-gateway plugin push",
        Elsewhere("it wants a registry; tests/distribution.rs has one"),
    ),
    ("mcp-gateway plugin build", Elsewhere(BUILT)),
    ("npm install && ", Elsewhere(BUILT)),
    ("npm install   ", Elsewhere(BUILT)),
    ("npm test", Elsewhere(BUILT)),
    ("make test", Elsewhere(BUILT)),
    ("cargo test", Elsewhere(BUILT)),
    ("rustup target add", Elsewhere(BUILT)),
    ("python3 -m venv", Elsewhere(BUILT)),
    (
        "mcp-gateway plugin score pii presidio",
        Elsewhere("the texts are other projects'"),
    ),
    (
        "mcp-gateway plugin score pii pii_anon",
        Elsewhere("the texts are other projects'"),
    ),
    (
        "mcp-gateway plugin score basic gitleaks",
        Elsewhere("the texts are other projects'"),
    ),
    ("cd mcp-gateway ", Elsewhere("this repository")),
    (
        "cargo xtask demo",
        Elsewhere("tests/command_line.rs runs the demo"),
    ),
    ("cargo xtask test", Elsewhere("it runs this")),
    (
        "cargo install",
        Elsewhere("it builds a release; .github/workflows/release.yml does"),
    ),
    ("npm install --global", Elsewhere(PACKED)),
    ("pip install", Elsewhere(PACKED)),
    ("uv tool install", Elsewhere("nothing is published yet")),
];

/// What stands for something of the reader's own.
const MEANT: &[(&str, &str)] = &[
    ("/home/me/notes", "notes"),
    ("/mnt/elsewhere", "."),
    ("SERVER NAME…", "notes"),
    ("SERVER", "notes"),
    (" FILE", " gateway.toml"),
    // The port may be somebody else's.
    (
        "serve --config gateway.toml",
        "serve --config gateway.toml --listen 127.0.0.1:0",
    ),
    // The first that the reader made.
    ("4711", "1"),
];

/// What a text names without what it wants to be told.
const NAMES: &[&str] = &[
    "mcp-gateway audit",
    "mcp-gateway doctor",
    "mcp-gateway install",
    "mcp-gateway login",
    "mcp-gateway plugin bench",
    "mcp-gateway plugin inspect",
    "mcp-gateway plugin test",
];

/// Documents whose commands other tests run, or that say what their twin says.
const APART: &[&str] = &[
    "README.zh-CN.md",
    "docs/use-cases.md",
    "docs/first-steps.md",
];

/// A command, and how it is run.
struct Line {
    text: String,
    how: How,
}

fn how(text: &str) -> How {
    let mut known = HOW.iter();
    known
        .find(|(start, _)| text.starts_with(start))
        .map_or(How::Ends, |(_, how)| *how)
}

/// What a document has one type: its blocks for a shell, each of which begins in the same
/// folder, and then what its text names whole.
fn blocks(document: &Document) -> Vec<Vec<Line>> {
    let mut blocks: Vec<Vec<String>> = Vec::new();
    for block in document.blocks() {
        if matches!(block.language, "sh" | "bash") {
            let text = block.text.replace("\\\n", " ");
            let lines = text.lines().map(str::trim);
            let commands = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
            blocks.push(commands.map(str::to_owned).collect());
        }
    }
    // What is left to the reader is in capitals, or left out.
    let is_whole = |text: &String| {
        let mut words = text.split(' ');
        text.starts_with("mcp-gateway ")
            && !text.contains('…')
            && !words.any(|word| word.len() > 2 && word.bytes().all(|it| it.is_ascii_uppercase()))
            && !NAMES.contains(&text.as_str())
    };
    for text in document.inline().into_iter().filter(is_whole) {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if !blocks.iter().flatten().any(|known| *known == text) {
            blocks.push(vec![text]);
        }
    }
    let line = |text: String| Line {
        how: how(&text),
        text,
    };
    let blocks = blocks.into_iter();
    blocks
        .map(|block| block.into_iter().map(line).collect())
        .collect()
}

/// Whoever reads a document has a client with a server, a configuration, a guardrail that was
/// built, texts for it, and has used all that already.
fn prepared(document: &Document) -> Reader {
    let reader = Reader::new();
    reader.write("notes/a.txt", "ask BLUEBIRD\n");
    let notes = reader.path("notes");
    let server = json!({
        "command": "npx",
        "args": ["-y", "@modelcontextprotocol/server-filesystem", notes],
    });
    let servers = match document.name.as_str() {
        // Who comes from the Python gateway has their servers in its entry.
        "docs/migration.md" => json!({"mcp-gateway": {
            "command": "mcp-gateway",
            "args": ["--mcp-json-path", reader.path(".cursor/mcp.json"), "-p", "basic"],
            "servers": {"notes": server},
        }}),
        _ => json!({"notes": server}),
    };
    let servers = json!({"mcpServers": servers});
    reader.write(".cursor/mcp.json", format!("{servers:#}\n"));
    let config = "[servers.notes]\n\
        command = \"npx\"\n\
        args = [\"-y\", \"@modelcontextprotocol/server-filesystem\", \"${HOME}/notes\"]\n\
        [[guardrails]]\nuse = \"basic\"\n\
        [[guardrails]]\nuse = \"./house-rule.wasm\"\n\
        [[guardrails]]\nuse = \"audit\"\n";
    reader.write("gateway.toml", config);
    let component = fs::read(guest("guardrail_codename")).unwrap();
    let built = [
        "house-rule.wasm",
        "old.wasm",
        "new.wasm",
        "dist/house-rule.wasm",
        "dist/my-guardrail.wasm",
        "target/wasm32-wasip2/release/my_guardrail.wasm",
    ];
    for place in built {
        reader.write(place, &component);
    }
    let case = json!({"text": "ask BLUEBIRD", "expects": "redact", "after": "ask <CODENAME>"});
    reader.write("cases.jsonl", format!("{case}\n"));
    let labelled = json!({
        "text": "ask ann@example.org",
        "spans": [{"start": 4, "end": 19, "label": "EMAIL_ADDRESS"}],
    });
    let rule = json!({
        "text": "ask BLUEBIRD",
        "spans": [{"start": 4, "end": 12, "label": "codename"}],
    });
    for file in ["labelled.jsonl", "customers.jsonl"] {
        reader.write(file, format!("{labelled}\n"));
    }
    reader.write("labelled/rule.jsonl", format!("{rule}\n"));
    reader.write("words.txt", "BLUEBIRD\nword\n");
    reader
}

/// A command as this reader types it.
fn meant(text: &str) -> String {
    let mut meant = text.to_owned();
    for (shown, own) in MEANT {
        meant = meant.replace(shown, own);
    }
    meant
}

/// Runs a document's commands; what goes wrong, line by line.
fn type_all_of(document: &Document) -> Vec<String> {
    let reader = prepared(document);
    let home = reader.path("");
    // For compiling nobody has to wait, then.
    for guardrail in ["basic", "pii", "audit"] {
        let line = format!("mcp-gateway plugin inspect {guardrail}");
        let output = reader.shell(&home, &line).output().unwrap();
        assert!(output.status.success(), "{line}");
    }
    // What is said of calls is of some, and of a gateway that runs.
    let gateway = reader.start(&home, "mcp-gateway --config gateway.toml");
    eventually("tools", || !gateway.client.tools().is_empty());
    let read = json!({"path": reader.path("notes/a.txt")});
    let answer = gateway.client.call("notes_read_text_file", read);
    assert!(!answer.is_tool_error(), "{}", answer.raw);
    let mut wrong = Vec::new();
    for block in blocks(document) {
        let mut folder = home.clone();
        for Line { text, how } in block {
            let meant = meant(&text);
            let place = meant.strip_prefix("cd ").filter(|_| how == How::Ends);
            if let Some(place) = place {
                folder.push(place.split_whitespace().next().unwrap());
                // What would have been built there.
                let built = folder.join("dist/house-rule.wasm");
                fs::create_dir_all(built.parent().unwrap()).unwrap();
                fs::copy(home.join("house-rule.wasm"), built).unwrap();
            } else if let Err(why) = typed(&reader, &folder, &meant, how) {
                wrong.push(format!("{}: {text}: {why}", document.name));
            }
        }
    }
    if !gateway.ends_well() {
        wrong.push(format!("{}: the gateway beside it failed", document.name));
    }
    wrong
}

/// Nobody answers there, and nobody far away is asked.
const NOWHERE: &str = "http://127.0.0.1:9";

fn typed(reader: &Reader, folder: &Path, line: &str, how: How) -> Result<(), String> {
    let mut command = reader.shell(folder, line);
    for registry in [
        "NPM",
        "NPM_DOWNLOADS",
        "PYPI",
        "PYPI_DOWNLOADS",
        "GITHUB",
        "SMITHERY",
    ] {
        command.env(format!("MCP_GATEWAY_{registry}_URL"), NOWHERE);
    }
    let output = match how {
        Elsewhere(_) => return Ok(()),
        Serves => {
            let running = reader.start(folder, line);
            // A server may take longer to start than the first list waits for it.
            eventually(line, || !running.client.tools().is_empty());
            return match running.ends_well() {
                true => Ok(()),
                false => Err("it failed in the end".to_owned()),
            };
        }
        Lasts(words) => {
            let mut shell = reader.shell(folder, &format!("exec 2>&1\nexec {line}"));
            let shell = shell.stdin(Stdio::null()).stdout(Stdio::piped());
            let mut process = shell.spawn().unwrap();
            let lines = BufReader::new(process.stdout.take().unwrap()).lines();
            let (found, said) = mpsc::channel();
            let reading = thread::spawn(move || {
                let mut all = Vec::new();
                for line in lines.map_while(Result::ok) {
                    if line.contains(words) {
                        // Nobody may wait any more.
                        let _ = found.send(());
                    }
                    all.push(line);
                }
                all.join("\n")
            });
            let was_said = said.recv_timeout(PATIENCE).is_ok();
            // It may have ended.
            let _ = process.kill();
            process.wait().unwrap();
            let all = reading.join().unwrap();
            return if was_said { Ok(()) } else { Err(all) };
        }
        Asks => in_a_terminal(&command, "y"),
        Judges | How::Ends => command.stdin(Stdio::null()).output().unwrap(),
    };
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match output.status.code() {
        Some(0) => Ok(()),
        Some(1) if how == Judges => Ok(()),
        _ => Err(said(&output.stdout) + &said(&output.stderr)),
    }
}

/// The documents that are read here, those of a folder or of another.
fn read_here(fits: impl Fn(&str) -> bool) -> Vec<Document> {
    let all = documents().into_iter();
    let here = all.filter(|it| !APART.contains(&it.name.as_str()) && fits(&it.name));
    let here: Vec<Document> = here.filter(|it| !blocks(it).is_empty()).collect();
    assert!(!here.is_empty());
    here
}

fn every_command_runs(fits: impl Fn(&str) -> bool) {
    let wrong: Vec<String> = read_here(fits).iter().flat_map(type_all_of).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_command_of_the_readme_runs() {
    every_command_runs(|name| name == "README.md");
}

#[test]
fn every_command_about_guardrails_runs() {
    every_command_runs(|name| {
        ["docs/plugin.md", "docs/guardrails.md", "docs/swap.md"].contains(&name)
    });
}

#[test]
fn every_command_of_the_other_pages_runs() {
    let others = [
        "docs/plugin.md",
        "docs/guardrails.md",
        "docs/swap.md",
        "README.md",
    ];
    every_command_runs(|name| name.starts_with("docs/") && !others.contains(&name));
}

#[test]
fn every_command_of_the_pages_elsewhere_runs() {
    every_command_runs(|name| name.contains('/') && !name.starts_with("docs/"));
}

#[test]
fn what_is_said_of_commands_here_is_of_some_that_are_shown() {
    let documents = read_here(|_| true);
    let texts: Vec<String> = documents
        .iter()
        .flat_map(blocks)
        .flatten()
        .map(|line| line.text)
        .collect();
    for (start, _) in HOW {
        // Not of those that an earlier row is about.
        let mut first = texts
            .iter()
            .map(|text| HOW.iter().find(|(it, _)| text.starts_with(it)));
        assert!(
            first.any(|row| row.is_some_and(|(it, _)| it == start)),
            "{start:?} is not shown"
        );
    }
    for (shown, _) in MEANT {
        assert!(
            texts.iter().any(|text| text.contains(shown)),
            "{shown:?} is not shown"
        );
    }
}
