//! What becomes of messages when Lasso cannot be asked, or does not answer as it should.

use mcp_gateway_tests::{Gateway, eventually};

use crate::service::{Fault, Service};
use crate::{blocked, echo, with};

#[test]
fn a_key_that_is_not_accepted_shows_also_where_failures_may_pass() {
    let service = Service::start();
    let gateway = with(&service, "on_error = \"allow\"")
        .variable("LASSO_API_KEY", "another")
        .start();
    blocked(
        &echo(&gateway, "hello"),
        "Lasso does not accept the key (401); check LASSO_API_KEY",
    );
    // What it may still ask would take the answer that is meant for the next.
    drop(gateway);
    let gateway = with(
        &service,
        "on_error = \"allow\"\nconfig.check = \"to-server\"",
    )
    .start();
    service.fail([Fault::Status("403 Forbidden", "")]);
    blocked(&echo(&gateway, "hello"), "(403)");
}

/// A gateway of which only calls are judged, so that one call is one message.
fn calls_only(service: &Service, settings: &str) -> Gateway {
    let settings = format!("config.check = \"to-server\"\nconfig.cache = 0\n{settings}");
    with(service, &settings).start()
}

#[test]
fn who_is_not_there_for_a_moment_is_asked_once_more() {
    let service = Service::start();
    let gateway = calls_only(&service, "");
    let faults = [
        Fault::Status("502 Bad Gateway", ""),
        Fault::Status("503 Service Unavailable", ""),
        Fault::Status("504 Gateway Timeout", ""),
        Fault::HangsUp,
    ];
    for (nth, fault) in faults.into_iter().enumerate() {
        let text = format!("text {nth}");
        service.fail([fault]);
        assert_eq!(echo(&gateway, &text).text(), text);
        assert_eq!(service.asked_about(&text).len(), 2);
    }
    service.fail(vec![Fault::Status("503 Service Unavailable", ""); 2]);
    blocked(&echo(&gateway, "twice"), "Lasso cannot answer (503)");
    assert_eq!(service.asked_about("twice").len(), 2);
}

#[test]
fn what_another_attempt_would_not_mend_is_not_tried_again() {
    let service = Service::start();
    let gateway = calls_only(&service, "config.timeout = 1");
    for (fault, words) in [
        (
            Fault::Status("400 Bad Request", ""),
            "does not accept what it is asked (400)",
        ),
        (Fault::Status("422 Unprocessable Entity", ""), "(422)"),
        (
            Fault::Status("429 Too Many Requests", ""),
            "asked too often (429)",
        ),
        (
            Fault::Status("500 Internal Server Error", ""),
            "Lasso cannot answer (500)",
        ),
        (
            Fault::Status("302 Found", "Location: http://169.254.169.254/\r\n"),
            "check api_base",
        ),
        (Fault::Status("404 Not Found", ""), "check api_base"),
        (Fault::Says("<html>"), "answer is not what its API says"),
        (Fault::Says("{}"), "answer is not what its API says"),
        (
            Fault::Silent,
            "Lasso cannot be asked: there is no answer in time",
        ),
    ] {
        let before = service.asked().len();
        service.fail([fault]);
        blocked(&echo(&gateway, "hello"), words);
        assert_eq!(service.asked().len(), before + 1, "{words}");
        assert_eq!(echo(&gateway, "next").text(), "next");
    }
}

#[test]
fn what_cannot_be_judged_passes_if_a_person_wants_so() {
    let service = Service::start();
    let gateway = calls_only(&service, "on_error = \"allow\"");
    service.fail([Fault::Status("500 Internal Server Error", "")]);
    assert_eq!(echo(&gateway, "LASSO_BLOCK").text(), "LASSO_BLOCK");
    gateway
        .log
        .wait("the message passes without this guardrail");
    blocked(&echo(&gateway, "LASSO_BLOCK"), "jailbreak");
}

#[test]
fn who_asks_for_a_pause_has_it() {
    let service = Service::start();
    let gateway = calls_only(&service, "");
    service.fail([Fault::Status("429 Too Many Requests", "Retry-After: 1\r\n")]);
    blocked(&echo(&gateway, "first"), "asked too often (429)");
    let before = service.asked().len();
    // However busy the machine is, the pause may be over already.
    let second = echo(&gateway, "second");
    if second.is_tool_error() {
        blocked(
            &second,
            "not asked at the moment, since it asked for a pause",
        );
        assert_eq!(service.asked().len(), before);
    }
    eventually("the end of the pause", || {
        !echo(&gateway, "third").is_tool_error()
    });
}

#[test]
fn who_fails_again_and_again_is_left_alone() {
    let service = Service::start();
    let gateway = calls_only(&service, "");
    for _ in 0..5 {
        service.fail([Fault::Status("500 Internal Server Error", "")]);
        blocked(&echo(&gateway, "hello"), "Lasso cannot answer (500)");
    }
    let before = service.asked().len();
    blocked(&echo(&gateway, "hello"), "since it failed 5 times in a row");
    assert_eq!(service.asked().len(), before);
}
