//! What a component is and is able to do, beside a configuration.

use std::fs;

use mcp_gateway_tests::guest;
use serde_json::json;

use super::{folder, plugin};

/// A folder with the guest that uses all that can be granted.
fn keeping(gateway: &str) -> tempfile::TempDir {
    let folder = folder(&[("gateway.toml", gateway)]);
    fs::copy(guest("guest_keeping"), folder.path().join("keeping.wasm")).unwrap();
    folder
}

/// A guardrail's entry with these settings.
fn entry(settings: &str) -> String {
    format!("[[guardrails]]\nuse = \"./keeping.wasm\"\nname = \"k\"\n{settings}\n")
}

#[test]
fn a_configuration_grants_what_a_component_uses_or_is_told_what_to_write() {
    for (gateway, code, words) in [
        (
            entry(""),
            1,
            "configured  as \"k\"; NOT GRANTED is what it uses: write grant = { state = true, keys = true }",
        ),
        (
            entry("grant = { state = true }"),
            1,
            "NOT GRANTED is what it uses: write grant = { keys = true }",
        ),
        (
            entry("grant = { state = true, keys = true }\nmode = \"off\""),
            0,
            "configured  as \"k\", which is off; it is granted what it uses: state, keys",
        ),
        (
            "[[guardrails]]\nuse = \"basic\"\n".to_owned(),
            0,
            "configured  no: the configuration does not name it",
        ),
    ] {
        let folder = keeping(&gateway);
        let words_of = ["inspect", "keeping.wasm", "--config", "gateway.toml"];
        let answer = plugin(folder.path(), &words_of);
        assert_eq!(
            answer.code, code,
            "{gateway}{}{}",
            answer.text, answer.error
        );
        assert!(
            answer.text.contains(words),
            "{words:?} is not in: {}",
            answer.text
        );
    }
}

#[test]
fn the_configuration_of_the_entry_is_what_it_is_loaded_with() {
    let settings = "grant = { state = true, keys = true }\nconfig = { eager = true }";
    let folder = keeping(&entry(settings));
    let words = ["inspect", "keeping.wasm", "--config", "gateway.toml"];
    let answer = plugin(folder.path(), &words);
    assert_eq!(answer.code, 1);
    assert!(
        answer
            .text
            .contains("REFUSED     it fails while it is configured"),
        "{}",
        answer.text
    );
}

#[test]
fn what_it_is_able_to_do_is_said_in_words() {
    let folder = keeping("");
    let report = plugin(folder.path(), &["inspect", "keeping.wasm", "--json"]).json();
    let nothing = "read files, reach the network, see the environment";
    assert_eq!(report["cannot"], json!(nothing));
    let codename = guest("guardrail_codename");
    let report = plugin(
        folder.path(),
        &["inspect", codename.to_str().unwrap(), "--json"],
    )
    .json();
    assert_eq!(
        report["cannot"],
        json!(format!(
            "{nothing}, keep values in the gateway, derive keys from this installation's secret"
        ))
    );
    assert!(report["memory"].as_u64().unwrap() > 0, "{report}");
    let producers = report["producers"].as_array().unwrap();
    let rust = producers
        .iter()
        .any(|it| it["part"] == "language" && it["name"] == "Rust");
    assert!(rust, "{report}");
    let rustc = producers
        .iter()
        .any(|it| it["name"] == "rustc" && it["version"] != "");
    assert!(rustc, "{report}");
}

#[test]
fn its_world_is_shown_in_wit() {
    let folder = keeping("");
    let answer = plugin(folder.path(), &["inspect", "keeping.wasm", "--wit"]);
    for line in [
        "package root:component;",
        "world root {",
        "  import mcp-gateway:guardrail/state@0.1.0;",
        "  import mcp-gateway:guardrail/keys@0.1.0;",
        "  export mcp-gateway:guardrail/guardrail@0.1.0;",
    ] {
        assert!(
            answer.text.lines().any(|it| it == line),
            "{line:?} is not in: {}",
            answer.text
        );
    }
}

#[test]
fn what_is_no_component_has_no_answer() {
    let folder = folder(&[("text.wasm", "no component")]);
    assert_eq!(plugin(folder.path(), &["inspect", "text.wasm"]).code, 2);
    assert_eq!(plugin(folder.path(), &["inspect", "nowhere.wasm"]).code, 2);
    let words = ["inspect", "basic", "--config", "nowhere.toml"];
    assert_eq!(plugin(folder.path(), &words).code, 2);
}
