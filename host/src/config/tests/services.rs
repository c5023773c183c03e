//! What guardrails that ask a service elsewhere take of the environment.

use super::*;

const BUNDLED: [&str; 4] = ["trifecta", "basic", "lasso", "pii"];

/// The variables of a test, by their names.
type Variables<'a> = &'a [(&'a str, &'a str)];

const KEY: (&str, &str) = ("LASSO_API_KEY", "hunter2");

fn from(
    form: impl FnOnce(PathBuf) -> Form,
    text: &str,
    set: Variables<'_>,
) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::write(&file, text).unwrap();
    let env = |name: &str| {
        let found = set.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let here = |text: String| text.replace(&format!("{}/", folder.path().display()), "");
    let loaded = ConfigSource::new(form(file), &BUNDLED).load_with(&env);
    let mut config = loaded.map_err(|errors| here(errors.to_string()))?;
    config.warnings = config.warnings.into_iter().map(here).collect();
    Ok(config)
}

fn file(entries: &str, set: Variables<'_>) -> Result<Config, String> {
    let text = format!("[servers.git]\ncommand = \"uvx\"\n{entries}");
    from(Form::GatewayToml, &text, set)
}

fn line(guardrails: &[&str], set: Variables<'_>) -> Result<Config, String> {
    let named = guardrails.iter().map(|name| match *name {
        "all" => GuardrailArg::AllBundled,
        name => GuardrailArg::Named(name.to_owned()),
    });
    let guardrails = named.collect();
    let server = Server::of_command("git".parse().unwrap(), "uvx".into(), vec![]);
    from(|_| Form::Wrap { server, guardrails }, "", set)
}

/// Names and configurations.
fn order(config: &Config) -> Vec<(&str, &str)> {
    let all = config.guardrails.iter();
    all.map(|one| (one.name.as_str(), one.config.as_str()))
        .collect()
}

fn reached(config: &Config) -> Vec<(String, Vec<String>)> {
    let destinations = config.guardrails[0].destinations.0.iter();
    destinations
        .map(|it| {
            let values = it.headers.iter();
            let values = values.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
            (it.origin(), values.collect())
        })
        .collect()
}

#[test]
fn a_key_in_the_environment_is_all_that_is_needed() {
    let config = line(&["lasso"], &[KEY]).unwrap();
    let header = vec!["lasso-api-key: hunter2".to_owned()];
    let origin = "https://server.lasso.security".to_owned();
    assert_eq!(reached(&config), [(origin, header)]);
    assert_eq!(order(&config), [("lasso", "{}")]);
    let file = file("[[guardrails]]\nuse = \"lasso\"\n", &[KEY]).unwrap();
    assert_eq!(reached(&file), reached(&config));
}

#[test]
fn the_environment_says_where_and_who_unless_the_entry_does() {
    let set = [
        KEY,
        ("LASSO_API_BASE", "http://localhost:8000/gateway/v3"),
        ("LASSO_USER_ID", "ann"),
        ("LASSO_CONVERSATION_ID", ""),
    ];
    let config = line(&["lasso"], &set).unwrap();
    assert_eq!(reached(&config)[0].0, "http://localhost:8000");
    insta::assert_snapshot!(config.guardrails[0].config, @r#"{"api_base":"http://localhost:8000/gateway/v3","user_id":"ann"}"#);
    let entry = "[[guardrails]]\nuse = \"lasso\"\nconfig = { user_id = \"bob\", api_base = \"https://a.example/v3\" }\n";
    let config = file(entry, &set).unwrap();
    assert_eq!(reached(&config)[0].0, "https://a.example");
    insta::assert_snapshot!(config.guardrails[0].config, @r#"{"user_id":"bob","api_base":"https://a.example/v3"}"#);
}

#[test]
fn without_a_key_nothing_starts_and_the_remedy_is_named() {
    insta::assert_snapshot!(line(&["lasso"], &[]).unwrap_err(), @r#"command line: guardrail "lasso" needs a key: set LASSO_API_KEY in the gateway's environment (in a client's file: "env" of the gateway's entry), or write `grant.http."https://server.lasso.security".headers.lasso-api-key = "…"` into its entry of gateway.toml"#);
    let entry = "[[guardrails]]\nuse = \"lasso\"\n";
    let error = file(entry, &[("LASSO_API_KEY", " ")]).unwrap_err();
    assert!(
        error.starts_with("config:3:1: guardrail \"lasso\" needs a key"),
        "{error}"
    );
    assert!(file(&format!("{entry}mode = \"off\"\n"), &[]).is_ok());
    let error = line(&["lasso"], &[("LASSO_API_KEY", "a\nb")]).unwrap_err();
    assert!(error.contains("LASSO_API_KEY"), "{error}");
}

#[test]
fn of_all_guardrails_one_without_its_key_is_left_out_and_that_is_said() {
    let config = line(&["all"], &[]).unwrap();
    let kept = [("basic", "{}"), ("pii", "{}")];
    assert_eq!(order(&config), kept);
    assert!(
        config.warnings[0].ends_with("; it is left out"),
        "{:?}",
        config.warnings
    );
}

#[test]
fn a_grant_of_ones_own_has_to_list_what_is_asked_and_may_leave_the_key_out() {
    let entry = "[[guardrails]]\nuse = \"lasso\"\n";
    let other = file(
        &format!("{entry}grant.http = [\"https://example.com\"]\n"),
        &[KEY],
    );
    insta::assert_snapshot!(other.unwrap_err(), @r#"config:3:1: guardrail "lasso" asks https://server.lasso.security, which its "grant.http" does not list; add it, or remove "grant.http""#);
    assert!(file(&format!("{entry}grant.http = []\n"), &[KEY]).is_err());
    let listed = "grant.http = [\"https://server.lasso.security\", \"https://example.com\"]\n";
    let config = file(&format!("{entry}{listed}"), &[KEY]).unwrap();
    let both = reached(&config);
    assert_eq!(both[0].1, ["lasso-api-key: hunter2"]);
    assert_eq!(both[1].1, Vec::<String>::new());
    let own = "grant.http.\"https://server.lasso.security\".headers.lasso-api-key = \"mine\"\n";
    let config = file(&format!("{entry}{own}"), &[]).unwrap();
    assert_eq!(reached(&config)[0].1, ["lasso-api-key: mine"]);
}

#[test]
fn an_address_that_is_none_is_refused_and_one_that_everybody_hears_warns() {
    let set = |base| [KEY, ("LASSO_API_BASE", base)];
    let error = line(&["lasso"], &set("server.lasso.security")).unwrap_err();
    assert!(
        error.contains("\"api_base\" in guardrail \"lasso\""),
        "{error}"
    );
    let warnings = |base| line(&["lasso"], &set(base)).unwrap().warnings.join("\n");
    insta::assert_snapshot!(warnings("http://example.com"), @r#"guardrail "lasso" sends its key over http:// to http://example.com, where everybody on the way can read it; use https://"#);
    assert_eq!(warnings("http://127.0.0.1:8000"), "");
}

#[test]
fn on_a_command_line_it_comes_last_but_sees_calls_before_values_come_back() {
    let config = line(&["lasso", "basic"], &[KEY]).unwrap();
    assert_eq!(order(&config), [("basic", "{}"), ("lasso", "{}")]);
    let config = line(&["pii", "lasso", "basic"], &[KEY]).unwrap();
    assert_eq!(
        order(&config),
        [
            ("lasso-calls", r#"{"check":"to-server"}"#),
            ("pii", "{}"),
            ("basic", "{}"),
            ("lasso", r#"{"check":"to-client"}"#),
        ]
    );
    assert_eq!(
        config.guardrails[0].destinations,
        config.guardrails[3].destinations
    );
    assert_eq!(config.warnings, Vec::<String>::new());
}

#[test]
fn what_counts_what_others_find_comes_behind_them_or_that_is_said() {
    let config = line(&["lasso", "trifecta", "basic"], &[KEY]).unwrap();
    let names: Vec<&str> = order(&config).iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["basic", "trifecta", "lasso"]);
    let entry = |name: &str| format!("[[guardrails]]\nuse = \"{name}\"\n");
    let warnings = |entries: String| file(&entries, &[]).unwrap().warnings.join("\n");
    insta::assert_snapshot!(warnings(entry("trifecta") + &entry("pii")), @r#"guardrail "trifecta" stands before "pii", so it does not count what that finds"#);
    assert_eq!(warnings(entry("pii") + &entry("trifecta")), "");
}

#[test]
fn in_a_file_the_order_is_ones_own_and_what_is_sent_unmasked_warns() {
    let entry = |name: &str, more: &str| format!("[[guardrails]]\nuse = \"{name}\"\n{more}");
    let calls = entry("lasso", "config.check = \"to-server\"\n");
    let warnings = |entries: String| file(&entries, &[KEY]).unwrap().warnings.join("\n");
    insta::assert_snapshot!(warnings(entry("lasso", "") + &entry("pii", "")), @r#"guardrail "lasso" stands before "pii", so what it sends to its service is not masked yet"#);
    assert_eq!(warnings(entry("pii", "") + &entry("lasso", "")), "");
    assert_eq!(warnings(calls + &entry("pii", "")), "");
    assert_eq!(
        warnings(entry("lasso", "mode = \"off\"\n") + &entry("pii", "")),
        ""
    );
}
