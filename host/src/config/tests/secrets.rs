//! Secrets that the configuration only refers to.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

/// Reads a configuration beside which there is a file `key`, with these permissions.
fn load_beside(mode: u32, text: &str, changed: fn(ConfigSource) -> ConfigSource) -> Loaded {
    load_key(b"hunter2\n", mode, text, changed)
}

/// The same, with something else in that file.
fn load_content(key: &[u8], text: &str) -> Loaded {
    load_key(key, 0o600, text, |source| source)
}

fn load_key(
    content: &[u8],
    mode: u32,
    text: &str,
    changed: fn(ConfigSource) -> ConfigSource,
) -> Loaded {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    fs::write(&key, content).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
    let file = folder.path().join("gateway.toml");
    fs::write(&file, text).unwrap();
    let source = changed(ConfigSource::new(Form::GatewayToml(file), &BUNDLED));
    let here = format!("{}/", folder.path().display());
    let loaded = source.load_with(&env);
    loaded
        .map(|mut config| {
            let files = config.secrets.iter();
            let files = files.map(|path| path.strip_prefix(folder.path()).unwrap().into());
            config.secrets = files.collect();
            config
        })
        .map_err(|errors| errors.to_string().replace(&here, ""))
}

type Loaded = Result<Config, String>;

const SERVER: &str = "[servers.a]\ncommand = \"a\"\nenv = { KEY = \"x ${file:key}\" }\n\
                      [[guardrails]]\nuse = \"basic\"\n";

fn key(config: &Config) -> &str {
    let Transport::Stdio(program) = &config.servers[0].transport else {
        panic!("it is started")
    };
    program.env.get("KEY").unwrap()
}

#[test]
fn a_secret_comes_from_a_file_beside_the_configuration_which_is_watched() {
    let config = load_beside(0o600, SERVER, |source| source).unwrap();
    assert_eq!(key(&config), "x hunter2");
    assert_eq!(config.secrets, [Path::new("key")]);
    assert_eq!(config.warnings, Vec::<String>::new());
}

/// Why the only server must not be started.
fn unresolved(config: &Config) -> String {
    let why = config.servers[0].unresolved().unwrap_or_default();
    let file = config.source.as_deref().unwrap();
    let here = format!("{}/", file.parent().unwrap().display());
    why.replace(&here, "")
}

#[test]
fn a_file_that_others_can_read_is_no_secret_of_a_server_which_says_the_remedy() {
    let config = load_beside(0o604, SERVER, |source| source).unwrap();
    assert_eq!(
        unresolved(&config),
        "its configuration cannot be filled in: gateway.toml:3:9: \"env.KEY\" in [servers.a] \
         refers to the file key, but its permissions are 604, so others can read it; \
         run: chmod 600 key"
    );
    assert_eq!(config.secrets, [Path::new("key")]);
}

#[test]
fn all_that_a_server_lacks_is_named_at_once_and_the_others_lack_nothing() {
    let text = SERVER.replace("${file:key}", "${file:none} ${NOWHERE} ${input:key}")
        + "[servers.b]\ncommand = \"b\"\nenv = { KEY = \"${file:key}\" }\n";
    let config = load_beside(0o600, &text, |source| source).unwrap();
    let why = unresolved(&config);
    for words in [
        "refers to the file none, but No such file or directory",
        "uses ${NOWHERE}, which is not set",
        "uses ${input:key}, which only an editor can fill in",
    ] {
        assert_eq!(why.matches(words).count(), 1, "{words:?} is not in {why}");
    }
    assert_eq!(config.servers[1].unresolved(), None);
}

#[test]
fn what_a_server_lacks_is_named_with_the_mistakes_if_there_are_any() {
    let text = SERVER.replace("${file:key}", "${file:none} ${file:}");
    let errors = load_beside(0o600, &text, |source| source).unwrap_err();
    assert_eq!(errors.lines().count(), 2, "{errors}");
    for words in [
        "has a \"${file:}\" without a path; write ${file:/path/of/the/secret}",
        "refers to the file none, but No such file or directory",
    ] {
        assert!(errors.contains(words), "{errors}");
    }
}

#[test]
fn a_guardrail_and_the_gateway_itself_do_without_nothing() {
    let lack = "${file:none}";
    for text in [
        format!("{SERVER}config = {{ key = \"{lack}\" }}\n"),
        format!("{SERVER}grant.http.\"https://x.example\".headers.k = \"{lack}\"\n"),
        format!("{SERVER}[journal]\nfile = \"{lack}\"\n"),
    ] {
        let errors = load_beside(0o600, &text, |source| source).unwrap_err();
        assert!(errors.contains("refers to the file none"), "{errors}");
    }
}

#[test]
fn a_secret_that_cannot_be_sent_concerns_its_server_only() {
    for entry in [
        "url = \"https://x.example\"\nheaders = { k = \"${file:key}\" }",
        "url = \"https://x.example\"\nbearer = \"${file:key}\"",
        "url = \"${file:key}\"",
    ] {
        let text = format!("[servers.a]\n{entry}\n[servers.b]\ncommand = \"b\"\n");
        let config = load_content(b"hunter2 \x01", &text).unwrap();
        let why = unresolved(&config);
        assert!(why.contains("[servers.a]"), "{entry}: {why}");
        assert!(!why.contains("hunter2"), "{why}");
        assert_eq!(config.servers[1].unresolved(), None);
    }
}

#[test]
fn where_nothing_runs_with_it_a_secret_need_not_be_there() {
    let text = SERVER.replace("${file:key}", "${file:none}");
    let config = load_beside(0o600, &text, ConfigSource::assuming_secrets).unwrap();
    assert_eq!(key(&config), "x https://unset.invalid");
}

#[test]
fn a_secret_among_the_arguments_of_a_program_is_warned_of() {
    let text = SERVER.replace("env", "args = [\"-k\", \"${file:key}\"]\nenv");
    let config = load_beside(0o600, &text, |source| source).unwrap();
    assert!(
        config.warnings[0].contains("[servers.a] has a secret among its \"args\""),
        "{:?}",
        config.warnings
    );
}

#[test]
fn no_path_is_looked_for_in_the_keyring() {
    for line in [
        "command = \"${keyring:a/b}\"",
        "command = \"a\"\ncwd = \"${keyring:a/b}\"",
    ] {
        let told = load_content(b"x", &format!("[servers.a]\n{line}\n")).unwrap_err();
        assert!(
            told.contains("is a path, which is not looked for in the keyring"),
            "{told}"
        );
    }
}
