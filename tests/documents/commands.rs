//! Every command line that a document shows is one that the program takes. Here it is only
//! parsed; what the commands do has tests of its own.

use std::collections::BTreeSet;
use std::process::Stdio;

use mcp_gateway_tests::Gateway;
use serde_json::Value;

use super::markdown::documents;

/// The words of a command as a shell splits them, up to a comment, a pipe or a redirection.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for character in line.chars() {
        match (quote, character) {
            (Some(end), _) if character == end => quote = None,
            (Some(_), _) => word.get_or_insert_default().push(character),
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, '|' | '>' | '<' | ';' | '&') => break,
            (None, '#') if word.is_none() => break,
            (None, _) if character.is_whitespace() => words.extend(word.take()),
            (None, _) => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

/// The command lines of this program in all documents, as words after the program's name,
/// each with where it stands.
fn shown() -> BTreeSet<(Vec<String>, String)> {
    let mut shown = BTreeSet::new();
    for document in documents() {
        let mut lines = document.inline();
        for block in document.blocks() {
            if matches!(block.language, "sh" | "bash" | "console") {
                let text = block.text.replace("\\\n", " ");
                lines.extend(text.lines().map(|line| line.trim().to_owned()));
            }
            if block.language == "json" {
                let values = serde_json::Deserializer::from_str(&block.text).into_iter();
                for value in values {
                    let value = value.unwrap_or_else(|error| panic!("{}: {error}", document.name));
                    started(&value, &mut |words| {
                        shown.insert((words, document.name.clone()));
                    });
                }
            }
        }
        let of_ours = lines.iter().filter(|line| line.starts_with("mcp-gateway "));
        shown.extend(of_ours.map(|line| (words(line)[1..].to_vec(), document.name.clone())));
    }
    shown
}

/// What a client would start this program with.
fn started(value: &Value, found: &mut impl FnMut(Vec<String>)) {
    let program = value["command"].as_str().unwrap_or_default();
    if program.rsplit('/').next() == Some("mcp-gateway") {
        let args = value["args"].as_array().unwrap().iter();
        found(args.map(|arg| arg.as_str().unwrap().to_owned()).collect());
    }
    let children = value
        .as_object()
        .into_iter()
        .flat_map(|object| object.values());
    for child in children {
        started(child, found);
    }
}

#[test]
fn every_command_that_is_shown_exists_with_its_arguments() {
    let shown = shown();
    assert!(shown.len() > 60, "{shown:?}");
    let mut wrong = Vec::new();
    for (mut words, document) in shown {
        // What is left to the reader.
        words.retain(|word| !word.contains('…') && !word.starts_with('['));
        let end = words.iter().position(|word| word == "--");
        let end = end.unwrap_or(words.len());
        // Help is shown once everything before it was understood.
        words.insert(end, "--help".to_owned());
        let output = Gateway::command()
            .args(&words)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.lines().next().unwrap_or_default();
            wrong.push(format!("{document}: {}: {said}", words.join(" ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The sub-commands that help lists.
fn sub_commands(of: &[&str]) -> Vec<String> {
    let output = Gateway::command().args(of).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let mut lines = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands"));
    lines.next();
    let lines = lines.take_while(|line| !line.is_empty() && !line.starts_with("Options"));
    // What is further in is the rest of an explanation.
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_command_is_shown_somewhere() {
    let shown = shown();
    let is_shown = |command: &[&str]| {
        let mut shown = shown.iter();
        shown.any(|(words, _)| {
            words.iter().zip(command).filter(|(a, b)| a == b).count() == command.len()
        })
    };
    let mut missing = Vec::new();
    for group in [&[][..], &["plugin"], &["audit"], &["pin"]] {
        let names = sub_commands(group);
        assert!(names.len() > 2, "{group:?}: {names:?}");
        for name in names {
            let command = [group, &[name.as_str()]].concat();
            if !is_shown(&command) {
                missing.push(command.join(" "));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn words_are_split_as_a_shell_does() {
    let line = r#"mcp-gateway audit sql "SELECT 'a'" --tool '*x*' '' > out # comment"#;
    let expected = [
        "mcp-gateway",
        "audit",
        "sql",
        "SELECT 'a'",
        "--tool",
        "*x*",
        "",
    ];
    assert_eq!(words(line), expected);
    assert_eq!(words("mcp-gateway man # prints"), ["mcp-gateway", "man"]);
}
