//! What is kept of which message.

use mcp_gateway_sdk::testing::{Gateway, Sample, configured};
use mcp_gateway_sdk::{Content, Form};

use crate::Audit;

fn kept(config: &str, sample: Sample) -> Option<(String, Form, u32)> {
    let gateway = Gateway::default();
    let outcome = sample
        .within(&gateway)
        .judge(&configured::<Audit>(config).unwrap());
    assert_eq!(outcome.unwrap().rules, Vec::<String>::new());
    let contents = gateway.contents();
    assert_eq!(contents.len(), 1, "it is said once what is kept");
    let told = |content: Content| (content.pointer, content.form, content.limit);
    contents.into_iter().next().flatten().map(told)
}

fn call() -> Sample {
    Sample::request("tools/call", ["x"])
        .server("crm")
        .subject("get_customer")
}

#[test]
fn arguments_and_results_are_kept_masked() {
    let arguments = ("/arguments".into(), Form::Masked, 65_536);
    assert_eq!(kept("{}", call()), Some(arguments));
    let result = Sample::response("tools/call", ["x"]);
    assert_eq!(
        kept("{}", result),
        Some((String::new(), Form::Masked, 65_536))
    );
    let read = Sample::request("resources/read", ["x"]);
    assert_eq!(
        kept("{}", read),
        Some((String::new(), Form::Masked, 65_536))
    );
}

#[test]
fn of_lists_only_the_hash_is_kept() {
    let list = |config| kept(config, Sample::response("tools/list", ["x"]));
    assert_eq!(list("{}").unwrap().1, Form::Hash);
    assert_eq!(list(r#"{"result": "full"}"#).unwrap().1, Form::Hash);
    assert_eq!(list(r#"{"result": "none"}"#), None);
}

#[test]
fn servers_and_tools_have_settings_of_their_own() {
    let config = r#"{"arguments": "hash", "where": [
        {"server": "crm", "tool": "get_*", "arguments": "full", "limit": 10},
        {"server": "crm", "arguments": "none"}
    ]}"#;
    assert_eq!(
        kept(config, call()),
        Some(("/arguments".into(), Form::Full, 10))
    );
    assert_eq!(kept(config, call().subject("set_customer")), None);
    assert_eq!(kept(config, call().server("db")).unwrap().1, Form::Hash);
}

#[test]
fn a_configuration_that_means_nothing_is_refused() {
    for (config, said) in [
        (
            r#"{"result": "some"}"#,
            "unknown variant `some`, expected one of `full`, `masked`, `hash`, `none`",
        ),
        (r#"{"argument": "none"}"#, "argument"),
        (
            r#"{"where": [{"path": "/result", "result": "none"}]}"#,
            "where 1: a record is of a whole message: leave out path",
        ),
    ] {
        let refusal = configured::<Audit>(config).err().unwrap();
        assert!(refusal.contains(said), "{refusal}");
    }
}
