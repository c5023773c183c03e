//! Every configuration that the page of a bundled guardrail shows is one that it takes, and
//! what the README has one write into the files of clients is what their servers look like.

use std::fs;

use mcp_gateway_tests::Gateway;

use super::markdown::{document, documents};

/// The name of the guardrail whose page this is.
fn guardrail(page: &str) -> Option<&str> {
    let name = page.strip_prefix("plugins/")?;
    name.strip_suffix("/README.md")
}

/// Variables that a text names, for which any value will do.
fn variables(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let names = text
        .split("${")
        .skip(1)
        .filter_map(|rest| rest.split('}').next());
    names.map(|name| (name, "a-value"))
}

#[test]
fn every_configuration_of_a_bundled_guardrail_that_is_shown_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.toml");
    let mut tried = 0;
    let mut wrong = Vec::new();
    for document in documents() {
        let Some(guardrail) = guardrail(&document.name) else {
            continue;
        };
        let blocks = document.blocks().into_iter();
        for block in blocks.filter(|block| block.language == "toml") {
            // Some show only what follows the first lines of an entry.
            let is_part = !block.text.contains("use = ");
            let start = format!("[[guardrails]]\nuse = \"{guardrail}\"\n");
            let text = if is_part { start } else { String::new() } + &block.text;
            fs::write(&file, &text).unwrap();
            let output = Gateway::command()
                .args(["plugin", "inspect", guardrail, "--config"])
                .arg(&file)
                .env("MCP_GATEWAY_STATE_DIR", folder.path())
                .env("LASSO_API_KEY", "a-key")
                .envs(variables(&text))
                .output()
                .unwrap();
            tried += 1;
            if !output.status.success() {
                let said = String::from_utf8_lossy(&output.stdout);
                let refused = said.lines().filter(|line| line.starts_with("REFUSED"));
                let refused: Vec<_> = refused.collect();
                let error = String::from_utf8_lossy(&output.stderr);
                wrong.push(format!("{}:\n{text}{refused:?}{error}", document.name));
            }
        }
    }
    assert!(tried > 8, "{tried}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_to_be_written_into_the_files_of_clients_is_in_their_form() {
    let readme = document("README.md");
    let folder = tempfile::tempdir().unwrap();
    for (title, client, before) in [
        ("VS Code", "vscode", ""),
        ("Zed", "zed", ""),
        ("Continue", "continue", "mcpServers:\n  "),
        ("Goose", "goose", "extensions:\n  "),
        ("OpenCode", "opencode", ""),
    ] {
        let lines = readme.prose();
        let mut rows = lines
            .iter()
            .filter(|line| line.starts_with(&format!("| {title} |")));
        let row = rows.next().unwrap_or_else(|| panic!("no row for {title}"));
        let code = row.split('`').skip(1).step_by(2);
        let code = code
            .last()
            .unwrap()
            .replace("/path/to/mcp-gateway", "/path/to/server");
        let file = folder.path().join(client);
        fs::write(&file, format!("{before}{code}\n")).unwrap();
        let output = Gateway::command()
            .args(["import", "--client", client])
            .arg(&file)
            .output()
            .unwrap();
        let read = String::from_utf8_lossy(&output.stdout);
        let expected = "[servers.gateway]\ncommand = \"/path/to/server\"\n\
                        args = [\"--config\", \"/path/to/gateway.toml\"]";
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(read.contains(expected), "{title}: {read}{said}");
    }
}
