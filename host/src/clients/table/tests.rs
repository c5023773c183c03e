//! Where each client has its files, on each system.

#![allow(clippy::unwrap_used)]

use super::*;

fn files(os: Os, variables: &[(&str, &str)]) -> Vec<String> {
    let env = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let of = |client: &Client| {
        let files = client.files(os, &env);
        let files = files.iter().map(|file| file.to_str().unwrap().to_owned());
        files
            .map(|file| format!("{}: {file}", client.name))
            .collect::<Vec<_>>()
    };
    CLIENTS.iter().flat_map(of).collect()
}

#[test]
fn files_on_linux() {
    insta::assert_snapshot!(files(Os::Linux, &[("HOME", "/home/ann")]).join("\n"), @r#"
    claude-desktop: /home/ann/.config/Claude/claude_desktop_config.json
    claude-code: /home/ann/.claude.json
    cursor: /home/ann/.cursor/mcp.json
    vscode: /home/ann/.config/Code/User/mcp.json
    cline: /home/ann/.config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json
    windsurf: /home/ann/.codeium/windsurf/mcp_config.json
    windsurf: /home/ann/.codeium/mcp_config.json
    continue: /home/ann/.continue/config.yaml
    zed: /home/ann/.config/zed/settings.json
    gemini-cli: /home/ann/.gemini/settings.json
    codex: /home/ann/.codex/config.toml
    goose: /home/ann/.config/goose/config.yaml
    opencode: /home/ann/.config/opencode/opencode.json
    opencode: /home/ann/.config/opencode/opencode.jsonc
    "#);
}

#[test]
fn files_on_linux_with_folders_of_ones_own() {
    let variables = [
        ("HOME", "/home/ann"),
        ("XDG_CONFIG_HOME", "/cfg"),
        ("CODEX_HOME", "/codex"),
    ];
    insta::assert_snapshot!(files(Os::Linux, &variables).join("\n"), @r#"
    claude-desktop: /cfg/Claude/claude_desktop_config.json
    claude-code: /home/ann/.claude.json
    cursor: /home/ann/.cursor/mcp.json
    vscode: /cfg/Code/User/mcp.json
    cline: /cfg/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json
    windsurf: /home/ann/.codeium/windsurf/mcp_config.json
    windsurf: /home/ann/.codeium/mcp_config.json
    continue: /home/ann/.continue/config.yaml
    zed: /cfg/zed/settings.json
    gemini-cli: /home/ann/.gemini/settings.json
    codex: /codex/config.toml
    goose: /cfg/goose/config.yaml
    opencode: /cfg/opencode/opencode.json
    opencode: /cfg/opencode/opencode.jsonc
    "#);
}

#[test]
fn files_on_macos() {
    insta::assert_snapshot!(files(Os::MacOs, &[("HOME", "/Users/ann")]).join("\n"), @r#"
    claude-desktop: /Users/ann/Library/Application Support/Claude/claude_desktop_config.json
    claude-code: /Users/ann/.claude.json
    cursor: /Users/ann/.cursor/mcp.json
    vscode: /Users/ann/Library/Application Support/Code/User/mcp.json
    cline: /Users/ann/Library/Application Support/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json
    windsurf: /Users/ann/.codeium/windsurf/mcp_config.json
    windsurf: /Users/ann/.codeium/mcp_config.json
    continue: /Users/ann/.continue/config.yaml
    zed: /Users/ann/.config/zed/settings.json
    gemini-cli: /Users/ann/.gemini/settings.json
    codex: /Users/ann/.codex/config.toml
    goose: /Users/ann/.config/goose/config.yaml
    opencode: /Users/ann/.config/opencode/opencode.json
    opencode: /Users/ann/.config/opencode/opencode.jsonc
    "#);
}

#[test]
fn files_on_windows() {
    let variables = [
        ("USERPROFILE", r"C:\Users\Ann"),
        ("APPDATA", r"C:\Users\Ann\AppData\Roaming"),
    ];
    insta::assert_snapshot!(files(Os::Windows, &variables).join("\n"), @r#"
    claude-desktop: C:\Users\Ann\AppData\Roaming\Claude\claude_desktop_config.json
    claude-code: C:\Users\Ann\.claude.json
    cursor: C:\Users\Ann\.cursor\mcp.json
    vscode: C:\Users\Ann\AppData\Roaming\Code\User\mcp.json
    cline: C:\Users\Ann\AppData\Roaming\Code\User\globalStorage\saoudrizwan.claude-dev\settings\cline_mcp_settings.json
    windsurf: C:\Users\Ann\.codeium\windsurf\mcp_config.json
    windsurf: C:\Users\Ann\.codeium\mcp_config.json
    continue: C:\Users\Ann\.continue\config.yaml
    zed: C:\Users\Ann\AppData\Roaming\Zed\settings.json
    gemini-cli: C:\Users\Ann\.gemini\settings.json
    codex: C:\Users\Ann\.codex\config.toml
    goose: C:\Users\Ann\AppData\Roaming\Block\goose\config\config.yaml
    opencode: C:\Users\Ann\.config\opencode\opencode.json
    opencode: C:\Users\Ann\.config\opencode\opencode.jsonc
    "#);
}

#[test]
fn without_a_home_there_are_no_files() {
    for os in ALL {
        assert_eq!(files(*os, &[]), Vec::<String>::new());
    }
    let relative = [("HOME", "/home/ann"), ("XDG_CONFIG_HOME", "cfg")];
    assert_eq!(
        files(Os::Linux, &relative),
        files(Os::Linux, &[("HOME", "/home/ann")])
    );
}
