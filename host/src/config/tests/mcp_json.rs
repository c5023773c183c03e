//! The client's `mcp.json`.

use super::*;

fn json(text: &str) -> Result<Config, String> {
    let guardrails = vec![GuardrailArg::Named("basic".into())];
    load(|file| Form::McpJson { file, guardrails }, text)
}

/// Reads a file whose gateway entry has these servers.
fn nested(servers: &str) -> Result<Config, String> {
    json(&format!(
        "{{\"mcpServers\": {{\"other\": {{\"command\": \"x\"}}, \"gw\": {{\"servers\": {{\n{servers}\n}}}}}}}}"
    ))
}

fn errors(result: Result<Config, String>) -> String {
    result.expect_err("an error was expected")
}

#[test]
fn the_servers_are_nested_in_the_entry_that_has_some() {
    let config = json(
        r#"{
            // what Cursor writes
            "theme": "dark", "theme": "light",
            "mcpServers": {
                "other": {"url": "https://x", "anything": 1},
                "mcp-gateway": {
                    "command": "mcp-gateway",
                    "args": ["--mcp-json-path", "~/.cursor/mcp.json", "-p", "basic"],
                    "env": {"LASSO_API_KEY": "${input:key}"},
                    "servers": {
                        "filesystem": {
                            "command": "npx",
                            "args": ["-y", "@modelcontextprotocol/server-filesystem", "."],
                            "env": null,
                        },
                        "git": {"command": "~/bin/git", "cwd": "~/src", "env": {"T": "${TOKEN}"}}
                    },
                },
            },
        }"#,
    )
    .unwrap();
    let filesystem = Server::of_command(
        "filesystem".parse().unwrap(),
        "npx".into(),
        ["-y", "@modelcontextprotocol/server-filesystem", "."]
            .map(String::from)
            .into(),
    );
    let git = Program {
        command: "/home/ann/bin/git".into(),
        cwd: Some("/home/ann/src".into()),
        env: [("T".to_owned(), "hunter2".to_owned())].into(),
        ..Program::default()
    };
    assert_eq!(config.servers, [filesystem, started("git", git)]);
    assert_eq!(config.gateway, Gateway::default());
    assert_eq!(config.warnings, [""; 0]);
    assert_eq!(config.source, Some("/etc/gateway/config".into()));
    assert_eq!(config.guardrails.len(), 1);
}

#[test]
fn what_clients_write_for_themselves_is_accepted() {
    let config = nested(
        r#""a": {"command": "x", "type": "stdio", "timeout": 60, "autoApprove": ["y"],
            "alwaysAllow": [], "description": "d", "disabled": false, "blocked": "passed"},
        "b": {"command": "x", "blocked": null, "url": null, "disabledTools": ["t"]},
        "c": {"command": "x", "blocked": "skipped"}"#,
    )
    .unwrap();
    assert_eq!(names(&config), ["a", "b", "c"]);
    insta::assert_snapshot!(config.warnings.join("\n"), @r#"config:4:9: server "b" has "disabledTools", which has no effect here: all its tools are offered"#);
}

#[test]
fn a_server_that_is_off_is_left_out_whatever_it_holds() {
    let config = nested(
        r#""a": {"disabled": true, "url": "no address"},
        "b": {"enabled": false, "comand": "${NONE}"},
        "c": {"command": "x", "blocked": "blocked"},
        "d": {"command": "x"}"#,
    )
    .unwrap();
    assert_eq!(names(&config), ["d"]);
    insta::assert_snapshot!(config.warnings.join("\n"), @r#"config:4:9: server "c" is left out, because the scanner of the Python gateway marked it as "blocked"; if you trust it, remove that key"#);
}

#[test]
fn all_errors_of_the_servers_are_listed_at_once() {
    let result = nested(
        r#""a": {"comand": "x", "args": "y", "env": {"N": 1}},
"b": {"url": "https://x"},
"c": {"type": "http", "headers": {}},
"d": {"command": "x", "command": "y", "blocked": "maybe"},
"d": {"command": "${userHome}/x", "disabled": "yes"},
"": {"command": "x"},
"e": 3,
"f": {"command": "x", "envFile": ".env"}"#,
    );
    insta::assert_snapshot!(errors(result), @r#"
    config:2:1: server "a" has no "command"; write the program that starts the server, or a "url" if it runs elsewhere
    config:2:7: unknown key "comand" in server "a"; did you mean "command"?
    config:2:30: "args" in server "a" must be an array, not a string
    config:2:43: "env.N" in server "a" must be a string, not a number
    config:4:1: server "c" has no "url"; write the address of the server, such as "https://example.com/mcp"
    config:5:23: "command" stands twice in server "d"; remove one
    config:5:50: "blocked" in server "d" is "maybe"; known: blocked, passed, skipped
    config:6:1: "d" stands twice in "mcpServers.gw.servers" in the file; remove one
    config:6:18: "command" in server "d" uses ${userHome}, which only an editor can fill in; write the value itself, or a variable of the environment: ${NAME}
    config:6:47: "disabled" in server "d" must be true or false, not a string
    config:7:1: server "": a name can't be empty
    config:8:1: server "e" must be an object, not a number
    config:9:23: unknown key "envFile" in server "f"; known: enabled, disabled, blocked, type, transport, url, serverUrl, httpUrl, command, args, env, cwd, protocol, init_timeout, tool_timeouts
    "#);
}

#[test]
fn the_expected_shape_is_shown_when_no_entry_fits() {
    insta::assert_snapshot!(errors(json(r#"{"mcpServers": {"a": {"command": "x"}}}"#)), @r#"config:1:1: no entry of "mcpServers" holds an object "servers"; move the servers to guard into the gateway's own entry: {"mcpServers": {"mcp-gateway": {"command": "mcp-gateway", "args": […], "servers": {"git": {"command": "uvx", "args": ["mcp-server-git"]}}}}}"#);
    insta::assert_snapshot!(errors(json("{\"servers\": {}}")), @r#"config:1:1: no entry of "mcpServers" holds an object "servers"; move the servers to guard into the gateway's own entry: {"mcpServers": {"mcp-gateway": {"command": "mcp-gateway", "args": […], "servers": {"git": {"command": "uvx", "args": ["mcp-server-git"]}}}}}"#);
    insta::assert_snapshot!(errors(json("")), @"config:1:1: JSON syntax error: the file is empty");
    insta::assert_snapshot!(errors(json("[]")), @"config:1:1: the file must be an object, not an array");
}

#[test]
fn several_entries_that_fit_are_named() {
    let text = r#"{"mcpServers": {"a": {"servers": {}}, "b": {}, "c": {"servers": {}}}}"#;
    insta::assert_snapshot!(errors(json(text)), @r#"config:1:1: several entries of "mcpServers" hold "servers": a, c; keep them in one"#);
}

#[test]
fn a_fault_of_syntax_has_its_line() {
    insta::assert_snapshot!(errors(json("{\n  \"mcpServers\": {,}\n}")), @"config:2:18: JSON syntax error: unexpected token in object");
    insta::assert_snapshot!(errors(json("{\"mcpServers\": {'a': 1}}")), @"config:1:17: JSON syntax error: single-quoted strings are not allowed");
    insta::assert_snapshot!(errors(json("{\"mcpServers\": {")), @"config:1:16: JSON syntax error: unterminated object");
}

#[test]
fn a_byte_order_mark_is_no_fault() {
    assert!(json("\u{feff}{\"mcpServers\": {\"gw\": {\"servers\": {}}}}").is_ok());
}
