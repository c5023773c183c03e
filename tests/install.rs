//! One command in, one command out: the gateway is put before the servers of every
//! client, works there as the client starts it, and is taken away without a trace.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "install/home.rs"]
mod home;
#[path = "install/import.rs"]
mod import;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use home::{CLIENTS, Home, without_comments};
use mcp_gateway_tests::repository;
use serde_json::{Value, json};

#[test]
fn one_command_in_and_one_out_for_every_client() {
    let home = Home::new();
    let before = home.contents();

    let shown = home.done("install --client all -p basic --dry-run");
    assert_eq!(home.contents(), before, "a dry run changes nothing");
    assert!(shown.contains("+[servers.notes]"), "{shown}");

    let said = home.done("install --client all -p basic --yes");
    for (client, file, _) in CLIENTS {
        let answer = home.note(client, "gateway", "notes_read_text_file");
        assert!(answer.contains("<HUGGINGFACE_TOKEN>"), "{client}: {answer}");
        let config = home.path(&format!(".config/mcp-gateway/{client}.toml"));
        let mode = config.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{client}");
        assert!(said.contains(home.path(file).to_str().unwrap()), "{said}");
    }
    for note in [
        "off stays as it is: it is switched off",
        "servers that are there for one project only stay as they are: 1",
        "logged-in stays as it is: it is reached over HTTP without credentials",
        "here stays as it is: it uses ${workspaceFolder}, which only the client can fill in",
        "asking stays as it is: it uses ${input:key}, which only the client can fill in",
        "secretive stays as it is: it uses ${{ secrets.KEY }}, which only the client",
        "few stays as it is: its \"includeTools\" hides tools",
        "few stays as it is: its \"enabled_tools\" hides tools",
        "developer stays as it is: it is built into the client",
        "keyed stays as it is: its \"env_keys\" is for the client",
        "web stays as it is: its \"oauth\" is for the client",
        "notes: its \"autoApprove\" ends",
    ] {
        assert!(said.contains(note), "{note:?} is not in {said}");
    }

    let installed = home.contents();
    let again = home.done("install --client all -p basic --yes");
    assert_eq!(home.contents(), installed, "once more is once: {again}");

    home.done("uninstall --client all --yes");
    let mut after = home.contents();
    let own = [".local/state/mcp-gateway", ".config/mcp-gateway"].map(|folder| home.path(folder));
    after.retain(|path, _| !own.iter().any(|own| path.starts_with(own)));
    assert_eq!(
        after.keys().collect::<Vec<_>>(),
        before.keys().collect::<Vec<_>>()
    );
    for (path, bytes) in before {
        assert_eq!(after[&path], bytes, "{}", path.display());
    }
    for (client, ..) in CLIENTS {
        let config = home.path(&format!(".config/mcp-gateway/{client}.toml"));
        assert!(!config.exists(), "{client}");
    }
}

#[test]
fn each_server_can_be_wrapped_in_its_place() {
    let home = Home::new();
    let before = home.contents();
    home.done("install --client all -p basic --wrap --yes");
    for client in ["cursor", "continue", "codex", "goose", "opencode"] {
        let answer = home.note(client, "notes", "read_text_file");
        assert!(answer.contains("<HUGGINGFACE_TOKEN>"), "{client}: {answer}");
    }
    // What only the client fills in is filled in by it, and its filters fit.
    let (words, _) = home.entry("vscode", "asking");
    assert_eq!(
        words[1..],
        [
            "wrap", "-p", "basic", "--name", "asking", "--env", "KEY", "--", "npx"
        ]
    );
    assert!(
        home.read(".gemini/settings.json")
            .contains("\"includeTools\"")
    );
    home.done("uninstall --client all --yes");
    for (path, bytes) in before {
        assert_eq!(fs::read(&path).unwrap(), bytes, "{}", path.display());
    }
}

#[test]
fn only_our_change_is_undone_in_files_that_somebody_changed_since() {
    let home = Home::new();
    home.done("install --client all --yes");
    let edit = |file: &str, from: &str, to: &str| {
        let text = home.read(file);
        assert!(text.contains(from), "{from:?} is not in {text}");
        fs::write(home.path(file), text.replace(from, to)).unwrap();
    };
    edit(".gemini/settings.json", "oauth-personal", "api-key");
    edit(".codex/config.toml", "\"on-request\"", "\"never\"");
    edit(
        ".config/goose/config.yaml",
        "GOOSE_MODEL: x",
        "GOOSE_MODEL: y",
    );
    // In the line beside ours, and in the only one, where lines do not tell.
    edit(".cursor/mcp.json", "\"here\"", "\"there\"");
    edit(
        ".codeium/windsurf/mcp_config.json",
        "{\"mcpServers\":",
        "{\"new\": 1, \"mcpServers\":",
    );
    home.done("uninstall --client all --yes");
    let fixture = |client: &str, file: &str| {
        let text = fs::read_to_string(repository().join("tests/install").join(client)).unwrap();
        (home.filled(&text), home.read(file))
    };
    let (text, now) = fixture("gemini-cli.json", ".gemini/settings.json");
    assert_eq!(now, text.replace("oauth-personal", "api-key"));
    let (text, now) = fixture("codex.toml", ".codex/config.toml");
    assert_eq!(now, text.replace("\"on-request\"", "\"never\""));
    let (text, now) = fixture("goose.yaml", ".config/goose/config.yaml");
    assert_eq!(now, text.replace("GOOSE_MODEL: x", "GOOSE_MODEL: y"));
    let (text, now) = fixture("cursor.json", ".cursor/mcp.json");
    let text = text.replace("\"here\"", "\"there\"");
    assert_eq!(without_comments(&now), without_comments(&text));
    assert!(now.contains("// my notes"), "{now}");
    let (text, now) = fixture("windsurf.json", ".codeium/windsurf/mcp_config.json");
    let (text, now) = (without_comments(&text), without_comments(&now));
    assert_eq!(now["new"], json!(1));
    assert_eq!(now["mcpServers"]["notes"], text["mcpServers"]["notes"]);
    assert_eq!(now["mcpServers"]["gateway"], Value::Null);
}

#[test]
fn a_server_that_is_new_follows_the_others() {
    let home = Home::new();
    let file = home.path(".cursor/mcp.json");
    home.done("install --client cursor --yes");
    let config = home.path(".config/mcp-gateway/cursor.toml");
    let mine = fs::read_to_string(&config).unwrap() + "\n# mine\n";
    fs::write(&config, &mine).unwrap();
    let text = fs::read_to_string(&file).unwrap();
    let new = "\"new\": {\"command\": \"npx\", \"env\": {\"K\": \"${env:K}\"}}, \"here\"";
    let text = text.replacen("\"here\"", new, 1);
    fs::write(&file, &text).unwrap();

    home.done("install --client cursor --yes");
    let written = fs::read_to_string(&config).unwrap();
    assert!(
        written.contains("# mine") && written.contains("[servers.new]"),
        "{written}"
    );
    let now = fs::read_to_string(&file).unwrap();
    assert!(
        !now.contains("\"new\"") && now.contains("\"K\": \"${env:K}\""),
        "{now}"
    );
    assert!(
        now.contains("\"NOTES_TOKEN\": \"${env:NOTES_TOKEN}\""),
        "{now}"
    );

    home.done("uninstall --client cursor --yes");
    let now = without_comments(&fs::read_to_string(&file).unwrap());
    assert_eq!(now["mcpServers"]["new"]["command"], json!("npx"));
    assert_eq!(now["mcpServers"]["notes"]["unknownKey"], json!(false));
    assert_eq!(now["mcpServers"]["gateway"], Value::Null);
}

#[test]
fn what_was_left_of_a_configuration_is_used_again() {
    let home = Home::new();
    let file = home.path(".cursor/mcp.json");
    let before = fs::read_to_string(&file).unwrap();
    home.done("install --client cursor -p basic --yes");
    let config = home.path(".config/mcp-gateway/cursor.toml");
    let mine = fs::read_to_string(&config).unwrap() + "\n[[guardrails]]\nuse = \"pii\"\n";
    fs::write(&config, &mine).unwrap();
    let said = home.done("uninstall --client cursor --yes");
    assert!(
        said.contains("cursor.toml was changed, so it stays"),
        "{said}"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), before);

    // Meanwhile the server is another.
    fs::write(&file, before.replace("NOTES_TOKEN", "OTHER_TOKEN")).unwrap();
    let said = home.done("install --client cursor --yes");
    assert!(
        said.contains("was there already, and its guardrails stay"),
        "{said}"
    );
    let now = fs::read_to_string(&config).unwrap();
    assert!(
        now.contains("use = \"pii\"") && now.contains("${OTHER_TOKEN}"),
        "{now}"
    );
    assert!(!now.contains("${NOTES_TOKEN}"), "{now}");
}

#[test]
fn links_and_permissions_stay() {
    let home = Home::new();
    let (link, file) = (home.path(".cursor/mcp.json"), home.path("dotfiles.json"));
    fs::rename(&link, &file).unwrap();
    symlink(&file, &link).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    home.done("install --client cursor --yes");
    assert!(link.is_symlink());
    assert!(fs::read_to_string(&file).unwrap().contains("\"gateway\""));
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    home.done("uninstall --client cursor --yes");
    assert!(link.is_symlink() && !fs::read_to_string(&file).unwrap().contains("\"gateway\""));
}

#[test]
fn a_file_is_that_of_one_client() {
    let said = Home::new().run("install --client all --file x.json --yes");
    assert!(
        !said.ok && said.text.contains("--file is the file of one client"),
        "{}",
        said.text
    );
}

#[test]
fn nothing_is_written_without_a_yes() {
    let home = Home::new();
    let before = home.contents();
    let said = home.run("install --client cursor");
    assert!(
        !said.ok && said.text.contains("run it with --yes"),
        "{}",
        said.text
    );
    assert_eq!(home.contents(), before);
}

#[test]
fn what_would_not_work_is_not_installed() {
    let home = Home::new();
    let said = home.run("install --client cursor -p basik --yes");
    assert!(
        !said.ok && said.text.contains("did you mean \"basic\""),
        "{}",
        said.text
    );
    fs::write(home.path(".gemini/settings.json"), "{\"mcpServers\": ").unwrap();
    let said = home.run("install --client gemini-cli --yes");
    assert!(
        !said.ok && said.text.contains("error of syntax"),
        "{}",
        said.text
    );
    let restricted =
        json!({"mcp": {"allowed": ["a"]}, "mcpServers": {"a": {"command": "x"}}}).to_string();
    fs::write(home.path(".gemini/settings.json"), restricted).unwrap();
    let said = home.run("install --client gemini-cli --yes");
    assert!(
        !said.ok && said.text.contains("add \"gateway\" to it first"),
        "{}",
        said.text
    );
    let said = home.run("uninstall --client cursor --yes");
    assert!(
        !said.ok && said.text.contains("nothing to do"),
        "{}",
        said.text
    );
}

#[test]
fn a_file_in_a_project_has_a_configuration_of_its_own() {
    let home = Home::new();
    let project = home.path("project.json");
    let copy = |from: &str, to: &Path| fs::copy(home.path(from), to).unwrap();
    copy(".cursor/mcp.json", &project);
    home.done(&format!(
        "install --client cursor --file {} --yes",
        project.display()
    ));
    home.done("install --client cursor --yes");
    let configs = fs::read_dir(home.path(".config/mcp-gateway"))
        .unwrap()
        .count();
    assert_eq!(configs, 2);
    home.done("uninstall --client all --yes");
    assert_eq!(
        fs::read(&project).unwrap(),
        fs::read(home.path(".cursor/mcp.json")).unwrap()
    );
}

#[test]
fn shells_and_man_are_told_of_every_command() {
    let home = Home::new();
    for page in [
        "completions bash",
        "completions zsh",
        "completions fish",
        "man",
    ] {
        let text = home.done(page);
        assert!(text.contains("uninstall"), "{page}: {text}");
    }
}

#[test]
fn a_configuration_that_was_there_before_is_as_it_was_and_lets_nobody_else_read_secrets() {
    let home = Home::new();
    let config = home.path("mine.toml");
    let mine = "# by hand\n[[guardrails]]\nuse = \"basic\"\n\n[servers.old]\ncommand = \"old\"\n";
    fs::write(&config, mine).unwrap();
    fs::set_permissions(&config, fs::Permissions::from_mode(0o644)).unwrap();
    let file = home.path(".cursor/mcp.json");
    let with = |servers: &str| {
        let path = config.display();
        format!(
            "{{\"mcpServers\": {{\n  \"gateway\": {{\"command\": \"/bin/mcp-gateway\", \
             \"args\": [\"--config\", \"{path}\"]}}{servers}\n}}}}\n"
        )
    };
    let one = ",\n  \"one\": {\"command\": \"a\", \"env\": {\"TOKEN\": \"t0ken-of-mine\"}}";
    fs::write(&file, with(one)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let said = home.done("install --client cursor --yes");
    assert!(
        said.contains("TOKEN = \"…\"") && !said.contains("t0ken-of-mine"),
        "{said}"
    );
    assert!(
        fs::read_to_string(&config)
            .unwrap()
            .contains("t0ken-of-mine")
    );
    let mode = fs::metadata(&config).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // A second step goes back over the first.
    let text = fs::read_to_string(&file).unwrap();
    let two = "\"mcpServers\": {\n  \"two\": {\"command\": \"b\"},";
    fs::write(&file, text.replacen("\"mcpServers\": {", two, 1)).unwrap();
    home.done("install --client cursor --yes");
    assert!(
        fs::read_to_string(&config)
            .unwrap()
            .contains("[servers.two]")
    );
    home.done("uninstall --client cursor --yes");
    assert_eq!(fs::read_to_string(&config).unwrap(), mine);
    let now = fs::read_to_string(&file).unwrap();
    assert!(now.contains("\"one\"") && now.contains("\"two\""), "{now}");
}
