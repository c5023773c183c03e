//! There and back: what is shown in place of values, and what servers get for it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod bounds;
mod round_trip;

use std::time::Duration;

use mcp_gateway_sdk::testing::{Gateway, Outcome, Sample};
use mcp_gateway_sdk::{Decision, Guardrail, Manifest, Message, NoConfig, Verdict, manifest};

use crate::{Elsewhere, Form, Issuer, Operator, Reach, Settings, Subject, hide_echoes, restore};

/// A guardrail that restores and hides, and finds nothing by itself.
struct Restores(Settings);

impl Guardrail for Restores {
    type Config = NoConfig;

    fn configure(NoConfig {}: NoConfig) -> Result<Self, String> {
        Ok(Self(Settings::default()))
    }

    fn manifest(&self) -> Manifest {
        manifest!()
    }

    fn check(&self, message: &Message<'_>) -> Result<Verdict, String> {
        let mut verdict = Verdict::builder();
        restore(
            message,
            &self.0,
            &|label| label == "PERSON",
            &|_| false,
            &mut verdict,
        )?;
        hide_echoes(message, &self.0, &|_| false, &mut verdict);
        verdict.finish()
    }
}

/// A session with servers, as a guardrail sees it.
struct World {
    gateway: Gateway,
    settings: Settings,
    session: &'static str,
}

impl World {
    fn new() -> Self {
        Self::with(Settings::default())
    }

    fn with(settings: Settings) -> Self {
        Self {
            gateway: Gateway::default(),
            settings,
            session: "one",
        }
    }

    fn other_session(&self) -> Self {
        Self {
            gateway: self.gateway.clone(),
            settings: self.settings.clone(),
            session: "two",
        }
    }

    fn sample(&self, sample: Sample, server: &str) -> Sample {
        let sample = sample.server(server).session(self.session);
        sample.subject("tool").within(&self.gateway)
    }

    /// What a client sees of a value that a server shows.
    fn shown(&self, operator: Operator, server: &str, value: &str) -> String {
        self.shown_as(operator, server, None, value, value)
    }

    fn shown_as(
        &self,
        operator: Operator,
        server: &str,
        form: Option<Form>,
        value: &str,
        canonical: &str,
    ) -> String {
        let sample = self.sample(Sample::response("tools/call", [value]), server);
        let message = sample.message();
        let mut issuer = Issuer::new(&message, &self.settings);
        let subject = Subject {
            label: "PERSON",
            form,
            value,
            canonical,
        };
        let shown = issuer.stand_in(operator, subject).unwrap();
        assert_eq!(issuer.stand_in(operator, subject).unwrap(), shown);
        shown
    }

    fn judged(&self, sample: Sample, server: &str) -> Outcome {
        let guardrail = Restores(self.settings.clone());
        self.sample(sample, server).judge(&guardrail).unwrap()
    }

    /// What a server gets.
    fn sent(&self, server: &str, text: &str) -> String {
        let outcome = self.judged(Sample::request("tools/call", [text]), server);
        match outcome.decision {
            Decision::Block(reason) => panic!("{text} is refused: {reason}"),
            _ => outcome.texts.concat(),
        }
    }

    fn refused(&self, server: &str, text: &str) -> String {
        let outcome = self.judged(Sample::request("tools/call", [text]), server);
        match outcome.decision {
            Decision::Block(reason) => reason,
            _ => panic!("{text} becomes {:?}", outcome.texts),
        }
    }

    fn received(&self, server: &str, text: &str) -> String {
        let outcome = self.judged(Sample::response("tools/call", [text]), server);
        outcome.texts.concat()
    }
}

const REVERSIBLE: [Operator; 3] = [Operator::Pseudonym, Operator::Surrogate, Operator::Encrypt];

#[test]
fn a_value_goes_back_to_the_server_that_showed_it() {
    for operator in REVERSIBLE {
        let world = World::new();
        let shown = world.shown(operator, "crm", "Anna Keller");
        assert!(shown.starts_with("<PERSON_"), "{shown}");
        let sent = world.sent("crm", &format!("call {shown}, please"));
        assert_eq!(sent, "call Anna Keller, please", "{operator:?}");
    }
}

#[test]
fn and_to_no_other_unless_that_is_allowed() {
    for operator in REVERSIBLE {
        let mut world = World::new();
        let shown = world.shown(operator, "crm", "Anna Keller");
        let reason = world.refused("web", &format!("?q={shown}"));
        let words = "stands for a value of server \"crm\", which does not go to server \"web\"";
        assert!(
            reason.contains(words) && reason.contains(&shown),
            "{reason}"
        );
        assert!(!reason.contains("Keller"), "{reason}");

        world.settings.elsewhere = Elsewhere::Keep;
        assert_eq!(world.sent("web", &shown), shown);
        for (allowed, goes) in [
            ("web", true),
            ("web/tool", true),
            ("web/to*", true),
            ("w*/t*l", true),
            ("*/tool", true),
            ("*", true),
            ("w*/x*l", false),
            ("we", false),
            ("web/other", false),
        ] {
            world.settings.allow = vec![allowed.into()];
            let expected = if goes { "Anna Keller" } else { &shown };
            assert_eq!(world.sent("web", &shown), expected, "{allowed}");
        }
    }
}

#[test]
fn a_value_goes_to_every_server_that_showed_it() {
    let world = World::new();
    let shown = world.shown(Operator::Pseudonym, "crm", "Anna Keller");
    assert_eq!(
        world.shown(Operator::Pseudonym, "mail", "Anna Keller"),
        shown
    );
    assert_eq!(world.sent("crm", &shown), "Anna Keller");
    assert_eq!(world.sent("mail", &shown), "Anna Keller");
}

#[test]
fn what_was_never_issued_is_refused() {
    let world = World::new();
    world.shown(Operator::Pseudonym, "crm", "Anna Keller");
    for forged in [
        "<PERSON_0K3QXM>",
        "%3Cperson_0k3qxm%3E",
        "<PERSON_E1_00000000000000000000000000>",
    ] {
        let reason = world.refused("crm", forged);
        assert!(
            reason.contains("was not issued in this session"),
            "{reason}"
        );
        assert!(reason.contains(forged), "{reason}");
    }
    for other in ["PERSON_0K3QXM", "<NAME_0K3QXM>", "<PERSON>", "1 < 2 > 0"] {
        assert_eq!(world.sent("crm", other), other);
    }
}

#[test]
fn sessions_neither_share_nor_link_their_stand_ins() {
    let one = World::new();
    let two = one.other_session();
    let shown = one.shown(Operator::Pseudonym, "crm", "Anna Keller");
    two.refused("crm", &shown);
    assert_ne!(two.shown(Operator::Pseudonym, "crm", "Anna Keller"), shown);
    assert_ne!(
        one.shown(Operator::Hash, "crm", "Anna Keller"),
        two.shown(Operator::Hash, "crm", "Anna Keller")
    );
}

#[test]
fn in_an_installation_a_value_has_one_stand_in() {
    let one = World::with(Settings {
        reach: Reach::Installation,
        ..Settings::default()
    });
    let two = one.other_session();
    for operator in [Operator::Pseudonym, Operator::Hash, Operator::Encrypt] {
        let shown = one.shown(operator, "crm", "Anna Keller");
        assert_eq!(two.shown(operator, "crm", "Anna Keller"), shown);
    }
    // What is encrypted comes back whenever.
    let later = World::new();
    let shown = one.shown(Operator::Encrypt, "crm", "Anna Keller");
    assert_eq!(later.sent("crm", &shown), "Anna Keller");
    let mut damaged = shown.into_bytes();
    damaged[20] = if damaged[20] == b'0' { b'1' } else { b'0' };
    later.refused("crm", &String::from_utf8(damaged).unwrap());
}

#[test]
fn spellings_of_one_value_begin_alike_and_come_back_as_they_were() {
    let world = World::new();
    let spellings = ["Jane@X.org", "jane@x.org", "JANE@X.ORG"];
    let shown = spellings
        .map(|spelling| world.shown_as(Operator::Pseudonym, "crm", None, spelling, "jane@x.org"));
    let alike = |text: &String| text.starts_with(shown[0].trim_end_matches('>'));
    assert!(shown.iter().all(alike), "{shown:?}");
    for (spelling, shown) in spellings.iter().zip(&shown) {
        assert_eq!(world.sent("crm", shown), *spelling);
    }
}

#[test]
fn a_stand_in_is_undone_however_a_model_writes_it() {
    let world = World::new();
    let value = "Zoë \"Z\" O'Neil & <Co>\\\n";
    let shown = world.shown(Operator::Pseudonym, "crm", value);
    let name = shown.trim_matches(['<', '>']);
    let json = serde_json::Value::from(value).to_string();
    let percent = "Zo%C3%AB%20%22Z%22%20O%27Neil%20%26%20%3CCo%3E%5C%0A";
    let html = "Zoë &quot;Z&quot; O&#39;Neil &amp; &lt;Co&gt;\\\n";
    let nested = serde_json::Value::from(format!("{{\"n\":{json}}}")).to_string();
    for (written, expected) in [
        (shown.clone(), value.to_owned()),
        (shown.to_lowercase(), value.to_owned()),
        (name.to_owned(), value.to_owned()),
        (
            format!("https://x/?n={shown}"),
            format!("https://x/?n={percent}"),
        ),
        (
            format!("https://x/?n=%3C{name}%3E&z"),
            format!("https://x/?n={percent}&z"),
        ),
        (
            format!("n=%3c{}%3e", name.to_lowercase()),
            format!("n={percent}"),
        ),
        (format!("<b>&lt;{name}&gt;</b>"), format!("<b>{html}</b>")),
        (
            format!("{{\"n\":\"{shown}\"}}"),
            format!("{{\"n\":{json}}}"),
        ),
        (
            format!("[\"\\u003c{name}\\u003e\", 1]"),
            format!("[{json}, 1]"),
        ),
        (
            format!("[\"{{\\\"n\\\":\\\"{shown}\\\"}}\"]"),
            format!("[{nested}]"),
        ),
        (
            format!("{{\"n\":\"{shown}\"}}\n{{\"m\":1}}\n"),
            format!("{{\"n\":{json}}}\n{{\"m\":1}}\n"),
        ),
        (
            format!("update t set n='{shown}'"),
            format!("update t set n='{}'", value.replace('\'', "''")),
        ),
    ] {
        assert_eq!(world.sent("crm", &written), expected, "{written}");
    }
}

#[test]
fn surrogates_come_back_and_stay_as_they_are_when_seen_again() {
    let world = World::new();
    for (form, value) in [
        (Form::Email, "jane.doe@example.com"),
        (Form::Ip, "93.184.216.34"),
        (Form::Ip, "2606:2800:220:1::1"),
        (Form::Phone, "+49 30 901820"),
        (Form::Card, "4111 1111 1111 1111"),
        (Form::Iban, "DE89 3704 0044 0532 0130 00"),
    ] {
        let shown = world.shown_as(Operator::Surrogate, "crm", Some(form), value, value);
        assert_ne!(shown, value);
        assert_eq!(
            world.sent("crm", &format!("to {shown}!")),
            format!("to {value}!")
        );
        let json = format!("{{\"k\":\"{shown}\"}}");
        assert_eq!(world.sent("crm", &json), format!("{{\"k\":\"{value}\"}}"));
        world.refused("web", &shown);
        let again = world.shown_as(Operator::Surrogate, "crm", Some(form), &shown, &shown);
        assert_eq!(again, shown);
    }
    // A telephone number of the range that was not issued is somebody's example.
    assert_eq!(world.sent("crm", "+1-201-555-0199"), "+1-201-555-0199");
}

#[test]
fn a_value_is_forgotten_some_time_after_it_was_last_shown() {
    let world = World::with(Settings {
        keep: 60,
        ..Settings::default()
    });
    let shown = world.shown(Operator::Pseudonym, "crm", "Anna Keller");
    world.gateway.wait(Duration::from_secs(59));
    world.shown(Operator::Pseudonym, "crm", "Anna Keller");
    world.gateway.wait(Duration::from_secs(59));
    assert_eq!(world.sent("crm", &shown), "Anna Keller");
    world.gateway.wait(Duration::from_secs(1));
    let reason = world.refused("crm", &shown);
    assert!(reason.contains("or it has expired"), "{reason}");
}

#[test]
fn what_was_put_back_is_hidden_in_the_answer() {
    for operator in REVERSIBLE {
        let world = World::new();
        let shown = world.shown(operator, "crm", "Jo \"K\" Ann");
        for (answer, expected) in [
            ("Jo \"K\" Ann was renamed", format!("{shown} was renamed")),
            (
                "{\"was\":\"Jo \\\"K\\\" Ann\"}",
                format!("{{\"was\":\"{shown}\"}}"),
            ),
            ("Jo \"K\" Annabel", "Jo \"K\" Annabel".to_owned()),
        ] {
            world.sent("crm", &format!("rename {shown}"));
            assert_eq!(world.received("crm", answer), expected);
            // Only in the answer to that very request.
            assert_eq!(world.received("crm", answer), answer);
        }
    }
}

#[test]
fn what_was_put_back_is_hidden_however_the_answer_writes_it() {
    let world = World::new();
    let shown = world.shown(Operator::Pseudonym, "crm", "Jo O'Brien");
    for written in [
        "Jo O'Brien",
        "Jo O''Brien",
        "Jo%20O%27Brien",
        "Jo O&#39;Brien",
        "JO O'BRIEN",
        "jo%20o%27brien",
    ] {
        world.sent("crm", &format!("rename {shown}"));
        let answer = format!("near '{written}': no such row");
        let expected = format!("near '{shown}': no such row");
        assert_eq!(world.received("crm", &answer), expected);
    }
}

#[test]
fn a_hash_is_the_same_for_all_spellings_and_tells_nothing() {
    let world = World::new();
    let hash = |value| world.shown_as(Operator::Hash, "crm", None, value, "jane@x.org");
    assert_eq!(hash("Jane@X.org"), hash("jane@x.org"));
    assert_eq!(hash("jane@x.org").len(), 32);
    assert_ne!(
        hash("jane@x.org"),
        world.shown(Operator::Hash, "crm", "john@x.org")
    );
}
