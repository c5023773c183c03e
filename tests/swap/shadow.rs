//! Guardrails that are asked beside the chain.

use mcp_gateway_tests::{Event, Gateway, Log, eventually, guest};
use serde_json::{Value, json};

use super::{before_customers, customers, query, status};

fn echo(gateway: &Gateway, text: &str) -> String {
    let answer = gateway.client.call("m_echo", json!({"text": text}));
    assert!(!answer.is_tool_error(), "{}", answer.raw);
    answer.text()
}

/// Waits until a shadow would have done this.
fn differs(log: &Log, change: &str, rule: &str) {
    log.wait_for(0, &format!("{change} {rule}"), |event| {
        event.message() == "shadow differs"
            && event.text("change") == change
            && event.text("rule") == rule
    });
}

#[test]
fn a_shadow_stops_and_changes_nothing_and_what_it_would_have_done_is_recorded() {
    let gateway = Gateway::with()
        .mirror()
        .guardrail(guest("guardrail_email"), "mode = \"shadow\"")
        .guardrail("audit", "")
        .start();
    assert_eq!(echo(&gateway, "ann@example.org"), "ann@example.org");
    differs(&gateway.log, "new redaction", "email");
    let all: Value = serde_json::from_str(&status(&gateway, &["--json"])).unwrap();
    let shadow = &all["gateways"][0]["guardrails"][0];
    assert_eq!(shadow["mode"], json!("shadow"));
    assert!(
        shadow["did"]["differences"].as_u64().unwrap() > 0,
        "{shadow:#}"
    );
    gateway.end();
    let database = gateway.folder().join("state/audit.db");
    let database = rusqlite::Connection::open(database).unwrap();
    let found: String = database
        .query_row(
            "SELECT guardrail || ' ' || rule || ' ' || decision || ' ' || enforced \
             FROM findings JOIN records USING (seq) WHERE method = 'guardrail/shadow'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(found, "guardrail_email email redact 0");
}

#[test]
fn a_shadow_that_crashes_stops_nobody() {
    let settings = "mode = \"shadow\"\nconfig = { fault = \"trap\" }";
    let gateway = Gateway::with()
        .mirror()
        .guardrail(guest("guest_faulty"), settings)
        .start();
    assert_eq!(echo(&gateway, "FAULT"), "FAULT");
    differs(&gateway.log, "new failure", "crash");
    assert_eq!(echo(&gateway, "FAULT"), "FAULT");
}

#[test]
fn a_candidate_is_asked_beside_the_build_that_serves() {
    let shadow = guest("guest_weakened");
    let (gateway, _) = customers(&format!("shadow = {:?}", shadow.to_str().unwrap()));
    let said = query(&gateway);
    assert!(
        said.contains("<PERSON_") && !said.contains("Miller"),
        "{said}"
    );
    differs(&gateway.log, "lost redaction", "PERSON");
    let text = status(&gateway, &[]);
    assert!(
        text.contains("guardrail  rule-shadow 0.1.0, shadow, well"),
        "{text}"
    );
}

/// It has the keys of the one that it stands beside, so that stand-ins are the same.
#[test]
fn a_build_beside_itself_agrees_also_on_what_comes_back() {
    let shadow = guest("mcp_gateway_pii");
    let settings = format!("shadow = {:?}", shadow.to_str().unwrap());
    let setup = Gateway::with().log_level("debug");
    let (setup, _) = before_customers(setup, &settings);
    let gateway = setup.start();
    let said = query(&gateway);
    let (_, rest) = said.split_once("'mail': '").unwrap();
    let (token, _) = rest.split_once('\'').unwrap();
    let update = format!("UPDATE customers SET mail = '{token}' WHERE id = 2");
    let answer = gateway
        .client
        .call("crm_write_query", json!({"query": update}));
    assert!(!answer.is_tool_error(), "{}", answer.raw);
    let judged = |event: &Event| {
        event.message().starts_with("shadow ") && event.text("method") == "tools/call"
    };
    eventually("the shadow's word on two calls and their answers", || {
        let events = gateway.log.events();
        events.iter().filter(|event| judged(event)).count() == 4
    });
    let events = gateway.log.events();
    let differs = events.iter().find(|it| it.message() == "shadow differs");
    assert!(differs.is_none(), "{differs:?}");
}
