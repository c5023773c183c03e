//! What is not in a file: guardrails of the command line, the file itself.

use super::*;

fn wrap(guardrails: &[GuardrailArg]) -> Result<Config, String> {
    let server = Server::of_command("git".parse().unwrap(), "uvx".into(), vec![]);
    let guardrails = guardrails.to_vec();
    let source = ConfigSource::new(Form::Wrap { server, guardrails }, &BUNDLED);
    source.load_with(&env).map_err(|errors| errors.to_string())
}

fn named(name: &str) -> GuardrailArg {
    GuardrailArg::Named(name.to_owned())
}

#[test]
fn a_wrapped_server_keeps_its_names() {
    let config = wrap(&[named("./a.wasm"), named("Basic")]).unwrap();
    assert_eq!(config.gateway.naming, Naming::Bare);
    assert_eq!(config.source, None);
    assert_eq!(names(&config), ["git"]);
    let here = std::env::current_dir().unwrap();
    assert_eq!(
        config.guardrails[0].component,
        Source::File(here.join("a.wasm"))
    );
    assert_eq!(config.guardrails[0].name.as_str(), "a");
    assert_eq!(config.guardrails[1].name.as_str(), "basic");
}

#[test]
fn what_is_asked_for_twice_is_one_guardrail() {
    let config = wrap(&[named("xetrack"), named("audit"), GuardrailArg::AllBundled]).unwrap();
    let names: Vec<_> = config
        .guardrails
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(names, ["audit", "basic"]);
}

#[test]
fn guardrails_that_cannot_be_had_are_errors() {
    let wanted = [
        "presidio",
        "lasso",
        "basci",
        "nonsense",
        "/x/a.wasm",
        "/y/a.wasm",
    ];
    let errors = wrap(&wanted.map(named)).unwrap_err();
    insta::assert_snapshot!(errors, @r#"
    command line: guardrail "pii" (you wrote "presidio") is not part of this build; known: basic, audit
    command line: guardrail "lasso" is not part of this build; known: basic, audit
    command line: unknown guardrail "basci"; did you mean "basic"? known: basic, audit; a file is named by its path, such as ./basci.wasm
    command line: unknown guardrail "nonsense"; known: basic, audit; a file is named by its path, such as ./nonsense.wasm
    command line: two guardrails are named "a": /x/a.wasm and /y/a.wasm; in gateway.toml, "name" tells them apart
    "#);
}

#[test]
fn a_run_without_guardrails_warns() {
    insta::assert_snapshot!(wrap(&[]).unwrap().warnings.join("\n"), @"no guardrails are configured; every message passes unchecked");
}

#[test]
fn a_file_that_is_not_there_is_named_in_full() {
    let file = |path: &str| ConfigSource::new(Form::GatewayToml(path.into()), &BUNDLED);
    let errors = |path| file(path).load_with(&env).unwrap_err().to_string();
    insta::assert_snapshot!(errors("~/nowhere.toml"), @"/home/ann/nowhere.toml: can't read the file: No such file or directory (os error 2)");
    let relative = errors("nowhere.toml");
    assert!(relative.starts_with('/'), "{relative}");
    let homeless = file("~/nowhere.toml").load_with(&|_| None).unwrap_err();
    insta::assert_snapshot!(homeless, @r#"command line: "~/nowhere.toml" starts with "~", but HOME is not set; write the whole path"#);
}

#[test]
fn a_source_can_be_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.toml");
    let source = ConfigSource::new(Form::GatewayToml(file.clone()), &BUNDLED);
    assert!(source.load_with(&env).is_err());
    std::fs::write(&file, "[servers.a]\ncommand = \"x\"").unwrap();
    let first = source.load_with(&env).unwrap();
    assert_eq!(first, source.load_with(&env).unwrap());
    std::fs::write(&file, "[servers.a]\ncommand = \"y\"").unwrap();
    assert_ne!(first.servers, source.load_with(&env).unwrap().servers);
}

#[test]
fn errors_of_the_file_and_of_the_command_line_come_together() {
    let guardrails = vec![named("nonsense")];
    let errors = load(|file| Form::McpJson { file, guardrails }, "{").unwrap_err();
    assert_eq!(errors.lines().count(), 2, "{errors}");
}
