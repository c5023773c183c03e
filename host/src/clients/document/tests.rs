//! Entries are exchanged, and everything else stays.

#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

fn exchanged(client: &str, text: &str, out: &[&str]) -> String {
    let client = Client::named(client).unwrap();
    let mut document = Document::read(client, text).unwrap();
    let out: Vec<String> = out.iter().map(|name| (*name).to_owned()).collect();
    let ours = match client.shape {
        crate::clients::Shape::Listed => json!({"name": "gateway", "command": "/g", "args": ["x"]}),
        _ => json!({"command": "/g", "args": ["x"]}),
    };
    document
        .exchange(&out, &[("gateway".to_owned(), ours)])
        .unwrap();
    let text = document.text();
    // What was written can be read, and holds what it should.
    let again = Document::read(client, &text).unwrap();
    assert!(
        again.servers().iter().any(|(name, _)| name == "gateway"),
        "{text}"
    );
    assert!(
        !again.servers().iter().any(|(name, _)| out.contains(name)),
        "{text}"
    );
    text
}

#[test]
fn json_keeps_comments_order_and_form() {
    let text = r#"// mine
{
    "theme": "dark", // nice
    "mcpServers": {
        // the first
        "a": { "command": "npx" },
        "keep": {"command":"x"}, // stays
        "b": {
            "command": "uvx"
        },
    },
    "last": [1,  2]
}
"#;
    insta::assert_snapshot!(exchanged("cursor", text, &["a", "b"]), @r#"
    // mine
    {
        "theme": "dark", // nice
        "mcpServers": {
            "gateway": {
                "command": "/g",
                "args": ["x"],
            },
            // the first
            "keep": {"command":"x"}, // stays
        },
        "last": [1,  2]
    }
    "#);
}

#[test]
fn json_in_one_line_stays_json() {
    let text = r#"{"mcpServers":{"a":{"command":"npx"}},"x":1.50}"#;
    let new = exchanged("cursor", text, &["a"]);
    assert!(new.ends_with(r#""x":1.50}"#), "{new}");
}

#[test]
fn toml_keeps_comments_order_and_form() {
    let text = r#"model = "o3"   # mine

# the first
[mcp_servers.a]
command = "npx"

[mcp_servers.a.env]
K = "v"

[mcp_servers.keep] # stays
command = 'x'

[mcp_servers.b]
command = "uvx"

[tui]
theme  =  "dark"
"#;
    insta::assert_snapshot!(exchanged("codex", text, &["a", "b"]), @r#"
    model = "o3"   # mine

    [mcp_servers.gateway]
    command = "/g"
    args = ["x"]

    [mcp_servers.keep] # stays
    command = 'x'

    [tui]
    theme  =  "dark"
    "#);
    let inline = "mcp_servers = { a = { command = \"x\" } }\nx = 1\n";
    insta::assert_snapshot!(exchanged("codex", inline, &["a"]), @r#"
    mcp_servers = { gateway = { command = "/g", args = ["x"] } }
    x = 1
    "#);
}

#[test]
fn yaml_keeps_comments_order_and_form() {
    let text = r#"name: mine  # a comment
extensions:
  # the first
  a:
    type: stdio
    cmd: npx
    args:
      - -y
      - "pkg"   # quoted

  keep:
    type:   builtin
  b:
    type: stdio
    cmd: uvx
    envs: {K: v}
# at the end
GOOSE_MODEL: x
"#;
    insta::assert_snapshot!(exchanged("goose", text, &["a", "b"]), @r#"
    name: mine  # a comment
    extensions:
      # the first
      gateway:
        command: /g
        args: ["x"]

      keep:
        type:   builtin
    # at the end
    GOOSE_MODEL: x
    "#);
    let last = "extensions:\n  a:\n    cmd: x\n    args: []";
    insta::assert_snapshot!(exchanged("goose", last, &["a"]), @r#"
    extensions:
      gateway:
        command: /g
        args: ["x"]
    "#);
}

#[test]
fn yaml_keeps_comments_order_and_form_in_a_list() {
    let text = r#"models: []
mcpServers:
- name: a
  command: npx
  args:
  - -y
  - pkg
- command: x   # stays
  name: keep
- name: b
  command: uvx
context:
  - provider: code
"#;
    insta::assert_snapshot!(exchanged("continue", text, &["a", "b"]), @r#"
    models: []
    mcpServers:
    - name: gateway
      command: /g
      args: ["x"]
    - command: x   # stays
      name: keep
    context:
      - provider: code
    "#);
}

#[test]
fn yaml_that_would_have_to_be_written_anew_is_refused() {
    let client = Client::named("continue").unwrap();
    let refused = |text| Document::read(client, text).unwrap_err().to_string();
    assert!(refused("mcpServers: [{name: a, command: x}]").contains("in braces or brackets"));
    assert!(refused("x: &a 1\nmcpServers:\n  - name: *a\n").contains("uses aliases"));
    assert!(refused("mcpServers: [").contains("error of syntax"));
}

#[test]
fn values_of_an_entry_are_set() {
    let check = |client: &str, key: &str, text: &str, expected: &str| {
        let client = Client::named(client).unwrap();
        let mut document = Document::read(client, text).unwrap();
        document
            .set(
                "a",
                &[(key, json!("/g")), ("args", json!(["wrap", "--", "x: y"]))],
            )
            .unwrap();
        assert_eq!(document.text(), expected);
    };
    check(
        "goose",
        "cmd",
        "extensions:\n  a:\n    cmd: npx # c\n    args:\n    - -y\n    - b\n    type: stdio\n  b:\n    cmd: x\n",
        "extensions:\n  a:\n    cmd: /g # c\n    args: [\"wrap\", \"--\", \"x: y\"]\n    type: stdio\n  b:\n    cmd: x\n",
    );
    check(
        "continue",
        "command",
        "mcpServers:\n  - name: a\n    command: \"npx\"\n  - name: b\n",
        "mcpServers:\n  - name: a\n    command: /g\n    args: [\"wrap\", \"--\", \"x: y\"]\n  - name: b\n",
    );
    check(
        "codex",
        "command",
        "[mcp_servers.a]\ncommand = \"x\" # c\nother = 1\n",
        "[mcp_servers.a]\ncommand = \"/g\" # c\nother = 1\nargs = [\"wrap\", \"--\", \"x: y\"]\n",
    );
    check(
        "zed",
        "command",
        "{\"context_servers\": {\"a\": {\"args\": [], \"command\": \"x\" /* c */}}}",
        "{\"context_servers\": {\"a\": {\"args\": [\"wrap\", \"--\", \"x: y\"], \"command\": \"/g\" /* c */}}}",
    );
}

#[test]
fn the_ends_of_lines_and_a_mark_at_the_beginning_stay() {
    for (client, text) in [
        (
            "cursor",
            "\u{feff}{\r\n  \"mcpServers\": {\r\n    \"a\": {\"command\": \"x\"}\r\n  }\r\n}\r\n",
        ),
        ("codex", "[mcp_servers.a]\r\ncommand = \"x\"\r\n"),
        ("goose", "extensions:\r\n  a:\r\n    cmd: x\r\n"),
    ] {
        let new = exchanged(client, text, &["a"]);
        assert_eq!(
            new.matches('\n').count(),
            new.matches("\r\n").count(),
            "{new:?}"
        );
        assert_eq!(new.starts_with('\u{feff}'), text.starts_with('\u{feff}'));
    }
}
