//! `docs/first-steps.md` is what a terminal shows: its commands are typed, and what comes of
//! them is held against what stands there. Only numbers, digests and the places of this
//! machine may be others.

use std::fs;
use std::os::unix::fs::symlink;

use mcp_gateway_tests::real::printed;
use mcp_gateway_tests::{built, gateway_binary, in_a_terminal};
use serde_json::{Value, json};

use super::markdown::{Document, document};
use super::reader::Reader;

/// The home, and the program, as the document has them.
const HOME: &str = "/home/me";
const PROGRAM: &str = "/home/me/.cargo/bin/mcp-gateway";

/// A person who has a client and a server.
struct Person(Reader);

impl Person {
    fn of(document: &Document) -> Self {
        let reader = Reader::new();
        let blocks = document.blocks();
        let file = blocks.iter().find(|it| it.language == "json").unwrap();
        let home = reader.path("");
        let home = home.to_str().unwrap().trim_end_matches('/');
        reader.write(".cursor/mcp.json", file.text.replace(HOME, home));
        // Put together here so that no scanner takes it for one.
        let token = ["hf_", "okpaLGklBeJFhdqd", "OvkrXljOCTwhADRrXo"].concat();
        reader.write("notes/todo.txt", format!("token = {token}\n"));
        // Whatever starts the gateway, it need not compile.
        let cache = built("tests-home-cache");
        fs::create_dir_all(&cache).unwrap();
        symlink(cache.canonicalize().unwrap(), reader.path(".cache")).unwrap();
        let person = Self(reader);
        person.types("mcp-gateway plugin inspect basic");
        person
    }

    /// What a terminal shows after this.
    fn types(&self, line: &str) -> String {
        let home = self.0.path("");
        let meant = line.replace(HOME, home.to_str().unwrap().trim_end_matches('/'));
        let mut shell = self.0.shell(&home, &meant);
        shell
            .env("NO_COLOR", "1")
            .env("MCP_INSPECTOR_SECRET_STORE", "memory")
            .env_remove("XDG_CACHE_HOME")
            .env_remove("MCP_GATEWAY_CACHE_DIR")
            .env_remove("MCP_GATEWAY_STATE_DIR")
            .env_remove("MCP_GATEWAY_CATALOG_DIR");
        let asks = line.starts_with("mcp-gateway install") || line.contains(" uninstall");
        let output = match asks {
            true => in_a_terminal(&shell, "y"),
            false => shell.output().unwrap(),
        };
        self.as_shown(&printed(line, &output))
    }

    fn as_shown(&self, text: &str) -> String {
        let program = gateway_binary().canonicalize().unwrap();
        let home = self.0.path("");
        text.replace(program.to_str().unwrap(), PROGRAM)
            .replace(home.join("bin/npx").to_str().unwrap(), "/usr/bin/npx")
            .replace(home.to_str().unwrap().trim_end_matches('/'), HOME)
    }

    /// What the gateway that the client starts says of itself after a call.
    fn looks_while_the_client_runs(&self, line: &str) -> String {
        let file = fs::read_to_string(self.0.path(".cursor/mcp.json")).unwrap();
        let file: Value = serde_json::from_str(&file).unwrap();
        let entry = &file["mcpServers"]["gateway"];
        let mut words = vec![entry["command"].as_str().unwrap()];
        let args = entry["args"].as_array().unwrap().iter();
        words.extend(args.map(|word| word.as_str().unwrap()));
        let unset =
            "env -u MCP_GATEWAY_CACHE_DIR -u MCP_GATEWAY_STATE_DIR -u MCP_GATEWAY_CATALOG_DIR";
        let start = format!("{unset} {}", words.join(" "));
        let running = self.0.start(&self.0.path(""), &start);
        let path = json!({"path": self.0.path("notes/todo.txt")});
        let answer = running.client.call("notes_read_text_file", path).text();
        assert_eq!(answer, "token = <HUGGINGFACE_TOKEN>\n");
        let said = self.types(line);
        assert!(running.ends_well());
        said
    }
}

/// The commands of a block, each with what follows it.
fn commands(text: &str) -> Vec<(&str, String)> {
    let mut commands: Vec<(&str, String)> = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("$ ") {
            Some(command) => commands.push((command, String::new())),
            None => commands.last_mut().unwrap().1 += &format!("{line}\n"),
        }
    }
    commands
}

/// The same whatever the numbers, the digests, the units of times and the blanks are.
fn without_numbers(text: &str) -> String {
    let mut kept = String::new();
    for (at, part) in text.split("sha256:").enumerate() {
        let rest = part.trim_start_matches(|it: char| at > 0 && it.is_ascii_hexdigit());
        for character in rest.chars() {
            let character = if character.is_ascii_digit() {
                '0'
            } else {
                character
            };
            if !(character == '0' && kept.ends_with('0')) {
                kept.push(character);
            }
        }
    }
    let lines = kept.lines().map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words
            .join(" ")
            .replace("0 ms", "0 µs")
            .replace("0 s", "0 µs")
            + "\n"
    });
    lines.collect()
}

#[test]
fn the_first_steps_are_what_a_terminal_shows() {
    let document = document("docs/first-steps.md");
    let person = Person::of(&document);
    let before = fs::read(person.0.path(".cursor/mcp.json")).unwrap();
    let mut text = document.text.clone();
    let (mut typed, mut is_same) = (0, true);
    for block in document.blocks() {
        if block.language != "console" {
            continue;
        }
        for (command, shown) in commands(&block.text) {
            let said = match command {
                "mcp-gateway status" => person.looks_while_the_client_runs(command),
                _ => person.types(command),
            };
            typed += 1;
            is_same &= without_numbers(&said) == without_numbers(&shown);
            let entry = |said: &str| format!("$ {command}\n{said}");
            text = text.replacen(&entry(&shown), &entry(&said), 1);
        }
    }
    assert_eq!(fs::read(person.0.path(".cursor/mcp.json")).unwrap(), before);
    assert!(typed > 5, "{typed}");
    let came = built("first-steps.md");
    fs::write(&came, text).unwrap();
    assert!(
        is_same,
        "it is otherwise; as it is now it stands in {}",
        came.display()
    );
}

#[test]
fn numbers_digests_and_units_are_no_difference() {
    let one = "basic: median 41 µs, 4 checks\n  sha256:00ff, 2 s ago";
    let other = "basic: median 7 ms, 12 checks\n  sha256:abc, 17 s ago";
    assert_eq!(without_numbers(one), without_numbers(other));
    assert_ne!(without_numbers(one), without_numbers("basic: median 41 µs"));
}
