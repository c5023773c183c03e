//! Secrets that leave for another server than the one that they came from.

use mcp_gateway_sdk::Decision;
use mcp_gateway_sdk::testing::{Gateway, Outcome, Sample};

use super::{aws, basic, expand};
use crate::Basic;

/// A session with several servers.
struct Session {
    basic: Basic,
    gateway: Gateway,
}

impl Session {
    fn with(config: &str) -> Self {
        Self {
            basic: basic(config),
            gateway: Gateway::default(),
        }
    }

    fn judge(&self, sample: Sample, server: &str) -> Outcome {
        let sample = sample.server(server).within(&self.gateway);
        sample.judge(&self.basic).unwrap()
    }

    fn says(&self, server: &str, text: &str) -> Outcome {
        self.judge(Sample::response("tools/call", [text]), server)
    }

    fn is_told(&self, server: &str, text: &str) -> Outcome {
        self.judge(Sample::request("tools/call", [text]), server)
    }
}

#[test]
fn a_secret_of_one_server_goes_to_no_other_unless_the_configuration_says_so() {
    let told = format!("use {} please", aws());
    for (config, decision, text) in [
        ("{}", "block", &told),
        (
            r#"{"crossing": "block", "requests": "off"}"#,
            "block",
            &told,
        ),
        (
            r#"{"crossing": "block", "requests": "mask"}"#,
            "block",
            &told,
        ),
        (
            r#"{"crossing": "mask"}"#,
            "redact",
            &"use <AWS_ACCESS_KEY> please".to_owned(),
        ),
        (r#"{"crossing": "allow"}"#, "pass", &told),
    ] {
        let session = Session::with(config);
        session.says("vault", &format!("key = {}", aws()));
        let back = session.is_told("vault", &told);
        assert!(
            !matches!(back.decision, Decision::Block(_)),
            "{config}: it came from there"
        );
        let other = session.is_told("web", &told);
        let got = match &other.decision {
            Decision::Block(reason) => {
                assert!(
                    reason.contains("another server") && !reason.contains(&aws()),
                    "{reason}"
                );
                "block"
            }
            Decision::Redact => "redact",
            _ => "pass",
        };
        assert_eq!((got, &other.texts.concat()), (decision, text), "{config}");
    }
}

#[test]
fn what_the_client_had_first_goes_where_it_is_sent() {
    let session = Session::with("{}");
    let first = session.is_told("database", &aws());
    assert!(matches!(first.decision, Decision::Pass));
    // The server repeats it, which does not make it the server's.
    session.says("database", &aws());
    let second = session.is_told("web", &aws());
    assert!(matches!(second.decision, Decision::Pass), "{second:?}");
}

#[test]
fn a_secret_of_two_servers_goes_to_both() {
    let session = Session::with("{}");
    session.says("one", &aws());
    session.says("two", &aws());
    for (server, passes) in [("one", true), ("two", true), ("three", false)] {
        let told = session.is_told(server, &aws());
        assert_eq!(
            !matches!(told.decision, Decision::Block(_)),
            passes,
            "{server}"
        );
    }
}

#[test]
fn another_disguise_is_the_same_secret() {
    let session = Session::with("{}");
    let token = expand("ghp_[A-Za-z0-9]{36}", "x");
    session.says("vault", &token);
    for text in [token.replace('_', "%5F"), token.replace('_', "\\u005f")] {
        let told = session.is_told("web", &text);
        assert!(matches!(told.decision, Decision::Block(_)), "{text}");
    }
}

#[test]
fn an_identifier_that_opens_nothing_may_go_anywhere() {
    let session = Session::with("{}");
    let public = expand("FLWPUBK-[A-Za-z0-9]{32}-X", "x");
    assert!(!session.says("shop", &public).rules.is_empty());
    let told = session.is_told("web", &public);
    assert!(matches!(told.decision, Decision::Pass));
}

#[test]
fn what_cannot_be_remembered_is_said() {
    let session = Session::with("{}");
    let keys: Vec<String> = (0..2_001)
        .map(|n| expand("AKIA[A-Z2-7]{16}", &n.to_string()))
        .collect();
    let answer = session.says("vault", &keys.join(" "));
    assert!(answer.rules.iter().any(|rule| rule == "origin-unknown"));
    assert!(!answer.texts.concat().contains("AKIA"), "all are masked");
    // Behind as many others no secret slips through.
    let session = Session::with("{}");
    session.says("vault", &aws());
    let told = session.is_told("web", &format!("{} {}", keys.join(" "), aws()));
    assert!(matches!(told.decision, Decision::Block(_)));
}
