//! Secrets that the configuration only refers to.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

/// Reads a configuration beside which there is a file `key`, with these permissions.
fn load_beside(mode: u32, text: &str, changed: fn(ConfigSource) -> ConfigSource) -> Loaded {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    fs::write(&key, "hunter2\n").unwrap();
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

#[test]
fn a_file_that_others_can_read_is_an_error_with_the_remedy() {
    let errors = load_beside(0o604, SERVER, |source| source).unwrap_err();
    assert_eq!(
        errors,
        "gateway.toml:3:9: \"env.KEY\" in [servers.a] refers to the file key, but its \
         permissions are 604, so others can read it; run: chmod 600 key"
    );
}

#[test]
fn all_files_that_are_missing_are_named_at_once() {
    let text = SERVER.replace("${file:key}", "${file:none} ${file:} ${file:~/none}");
    let errors = load_beside(0o600, &text, |source| source).unwrap_err();
    let expected = [
        "refers to the file none, but No such file or directory",
        "has a \"${file:}\" without a path; write ${file:/path/of/the/secret}",
        "refers to the file /home/ann/none, but No such file or directory",
    ];
    let lines: Vec<&str> = errors.lines().collect();
    assert_eq!(lines.len(), expected.len(), "{errors}");
    for (line, words) in lines.iter().zip(expected) {
        assert!(line.contains(words), "{line}");
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
