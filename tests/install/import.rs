//! A configuration made of a client's file.

use std::fs;

use serde_json::json;

use crate::home::{CLIENTS, Home};

#[test]
fn import_makes_a_configuration_of_any_clients_file() {
    let home = Home::new();
    for (client, file, _) in CLIENTS {
        let said = home.run(&format!("import {} -p pii", home.path(file).display()));
        assert!(
            said.text.contains("[servers.notes]"),
            "{client}: {}",
            said.text
        );
        assert!(
            said.text.contains("use = \"pii\""),
            "{client}: {}",
            said.text
        );
    }
    let moved = home.path("elsewhere.json");
    fs::copy(home.path(".config/zed/settings.json"), &moved).unwrap();
    let said = home.run(&format!("import {}", moved.display()));
    assert!(said.text.contains("The servers of Zed"), "{}", said.text);
}

#[test]
fn import_takes_the_servers_that_stand_in_the_gateways_own_entry() {
    let home = Home::new();
    let servers = json!({
        "notes": {"command": "npx", "args": ["${NOTES_DIR}"], "blocked": "passed"},
        "bad": {"command": "x", "blocked": "blocked"},
    });
    let entry = json!({"command": "mcp-gateway", "args": ["-p", "pii"], "servers": servers});
    let file = json!({"mcpServers": {"mcp-gateway": entry}});
    let path = home.path(".cursor/mcp.json");
    fs::write(&path, file.to_string()).unwrap();
    let said = home.run(&format!("import {}", path.display())).text;
    for words in [
        "[servers.notes]",
        "args = [\"${NOTES_DIR}\"]",
        "the servers of mcp-gateway are taken over, its \"args\" and \"env\" are not",
        "bad is left out: its \"blocked\"",
    ] {
        assert!(said.contains(words), "{words:?} is not in {said}");
    }
    assert!(!said.contains("[servers.bad]"), "{said}");
}
