//! What a guardrail can send over HTTP, and what it cannot.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "http_capability/certificates.rs"]
mod certificates;
#[path = "http_capability/http_2.rs"]
mod http_2;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use mcp_gateway_tests::web::{Peer, Reply, Seen};
use mcp_gateway_tests::{Gateway, Setup, eventually, guest};
use serde_json::json;

fn with_guest(settings: &str) -> Setup {
    Gateway::with()
        .mirror()
        .guardrail(guest("guest_network"), settings)
}

fn granting(peer: &Peer) -> String {
    format!("grant.http = [\"{}\"]", peer.origin())
}

/// What becomes of an order: the mirror says what it was sent in its place.
fn obeys(gateway: &Gateway, order: &str) -> String {
    gateway.client.call("m_echo", json!({"text": order})).text()
}

fn greeting() -> Peer {
    Peer::start(greet)
}

fn greet(_: &Seen, reply: &mut Reply<'_>) {
    reply.body("200 OK", "", "hello");
}

#[test]
fn a_granted_request_is_answered() {
    let peer = Peer::start(|request, reply| {
        let body = format!("{} {}", request.target, request.body);
        reply.body("201 Created", "", &body);
    });
    let gateway = with_guest(&granting(&peer)).start();
    let origin = peer.origin();
    assert_eq!(
        obeys(&gateway, &format!("@get {origin}/a?b=c")),
        "201 /a?b=c"
    );
    assert_eq!(
        obeys(&gateway, &format!("@post {origin}/a b c")),
        "201 /a b c"
    );
    let methods: Vec<_> = peer.seen().into_iter().map(|seen| seen.method).collect();
    assert_eq!(methods, ["GET", "POST"]);
}

#[test]
fn a_key_is_added_by_the_gateway_and_is_in_no_guest() {
    let peer = greeting();
    let grant = format!(
        "[guardrails.grant.http.\"{}\"]\nheaders = {{ api-key = \"${{KEY}}\", x-more = \"m\" }}",
        peer.origin()
    );
    let gateway = with_guest(&grant).variable("KEY", "hunter2").start();
    assert_eq!(
        obeys(&gateway, &format!("@get {}", peer.origin())),
        "200 hello"
    );
    let seen = peer.seen();
    assert_eq!(seen[0].header("api-key"), "hunter2");
    assert_eq!(seen[0].header("x-more"), "m");
    assert!(!gateway.log.text().contains("hunter2"));
}

#[test]
fn what_is_not_granted_does_not_leave_and_the_words_say_how_to_allow_it() {
    let (granted, other) = (greeting(), greeting());
    let gateway = with_guest(&granting(&granted)).start();
    let origin = other.origin();
    let words = format!(
        "{origin} is not granted; to allow requests to it, write `grant = {{ http = [\"{origin}\"] }}`"
    );
    let said = obeys(&gateway, &format!("@get {origin}/secret"));
    assert!(said.contains(&words), "{said}");
    let event = gateway.log.wait("a request was refused: ");
    assert!(event.message().contains(&words), "{}", event.raw);
    for host in ["localhost", "user@127.0.0.1"] {
        let said = obeys(&gateway, &format!("@get {}", granted.named(host)));
        assert!(
            said.contains("the request does not leave"),
            "{host}: {said}"
        );
    }
    assert_eq!((granted.connections(), other.connections()), (0, 0));
}

#[test]
fn an_empty_list_grants_nothing() {
    let peer = greeting();
    let gateway = with_guest("grant.http = []").start();
    let said = obeys(&gateway, &format!("@get {}", peer.origin()));
    assert!(said.contains("is not granted"), "{said}");
    assert_eq!(peer.connections(), 0);
}

#[test]
fn a_guardrail_that_sends_requests_is_refused_unless_that_is_granted() {
    let refusal = with_guest("").refused();
    let words = "it imports http, which it is not granted; to allow that, write \
                 `grant = { http = [\"https://…\"] }` into its entry";
    assert!(refusal.contains(words), "{refusal}");
}

#[test]
fn a_redirect_is_an_answer_and_leads_nowhere() {
    let peer = Peer::start(|_, reply| {
        let metadata = "Location: http://169.254.169.254/latest/meta-data/\r\n";
        reply.body("302 Found", metadata, "");
    });
    let gateway = with_guest(&granting(&peer)).start();
    assert_eq!(obeys(&gateway, &format!("@get {}", peer.origin())), "302");
    assert_eq!(peer.seen().len(), 1);
    let said = obeys(&gateway, "@get http://169.254.169.254/latest/meta-data/");
    assert!(
        said.contains("http://169.254.169.254 is not granted"),
        "{said}"
    );
}

/// The name of this machine stands for an address of its own, as anybody's name could
/// from one moment to the next.
#[test]
fn a_name_for_an_address_of_ones_own_has_to_be_granted_as_such() {
    let name = machine();
    let peer = greeting();
    let origin = peer.named(&name);
    let order = format!("@get {origin}");
    let gateway = with_guest(&format!("grant.http = [\"{origin}\"]")).start();
    let said = obeys(&gateway, &order);
    let words = format!(
        "which is no public address; to allow that, write `grant.http.\"{origin}\" = {{ private = true }}`"
    );
    assert!(said.contains(&words), "{said}");
    assert_eq!(peer.connections(), 0);

    let granted = format!("grant.http.\"{origin}\".private = true");
    let gateway = with_guest(&granted).start();
    let said = obeys(&gateway, &order);
    assert!(!said.contains("which is no public address"), "{said}");
}

fn machine() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    name.trim().to_lowercase()
}

#[test]
fn localhost_says_itself_what_it_is() {
    let peer = greeting();
    let origin = peer.named("localhost");
    let gateway = with_guest(&format!("grant.http = [\"{origin}\"]")).start();
    assert_eq!(obeys(&gateway, &format!("@get {origin}")), "200 hello");
}

#[test]
fn one_connection_serves_many_requests() {
    let peer = greeting();
    let gateway = with_guest(&granting(&peer)).start();
    for _ in 0..3 {
        let order = format!("@often {} 5", peer.origin());
        assert_eq!(obeys(&gateway, &order), "sent");
    }
    assert_eq!((peer.seen().len(), peer.connections()), (15, 1));
}

#[test]
fn no_more_requests_leave_than_a_message_may_cause() {
    let peer = greeting();
    let settings = format!("{}\nlimits.http_requests = 3", granting(&peer));
    let gateway = with_guest(&settings).start();
    let order = format!("@often {} 5", peer.origin());
    for message in 1..=2 {
        let said = obeys(&gateway, &order);
        let words =
            "after 3: the request does not leave: it sent more than its limit of 3 requests";
        assert!(said.contains(words), "{said}");
        assert_eq!(peer.seen().len(), 3 * message);
    }
}

#[test]
fn what_is_larger_than_it_may_be_ends_in_the_middle() {
    let peer = Peer::start(|request, reply| {
        let length = request.target.trim_start_matches('/').parse().unwrap();
        reply.body("200 OK", "", &"x".repeat(length));
    });
    let settings = format!("{}\nlimits.http_body = \"64KiB\"", granting(&peer));
    let gateway = with_guest(&settings).start();
    let origin = peer.origin();
    let fits = obeys(&gateway, &format!("@get {origin}/65536"));
    assert_eq!(fits.len(), "200 ".len() + 65536);
    for order in [
        format!("@get {origin}/65537"),
        format!("@get {origin}/100000000"),
        format!("@large {origin}/0 65537"),
    ] {
        let said = obeys(&gateway, &order);
        assert!(
            said.starts_with("it is larger than it may be"),
            "{order}: {said}"
        );
    }
    // Whose answer does not say how long it is.
    let endless = dripping(&Arc::default());
    let limits = "limits.http_body = 10";
    let gateway_of_endless = with_guest(&format!("{}\n{limits}", granting(&endless))).start();
    let said = obeys(&gateway_of_endless, &format!("@get {}", endless.origin()));
    assert!(said.contains("exceeds limit"), "{said}");
    assert_eq!(obeys(&gateway, &format!("@large {origin}/0 65536")), "200");
    assert_eq!(peer.seen().last().unwrap().body.len(), 65536);
}

/// A server that never ends its answer.
fn dripping(hung_up: &Arc<AtomicBool>) -> Peer {
    let hung_up = Arc::clone(hung_up);
    Peer::start(move |_, reply| {
        reply.piece("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        while reply.piece("1\r\nx\r\n") {
            thread::sleep(Duration::from_millis(5));
        }
        hung_up.store(true, Ordering::SeqCst);
    })
}

#[test]
fn an_answer_that_drips_for_ever_ends_with_the_check_and_holds_up_nobody() {
    let hung_up = Arc::default();
    let peer = dripping(&hung_up);
    // What its many pieces cost does not matter here.
    let limits = "limits = { wall = \"2s\", cpu = \"60s\" }";
    let settings = format!("{}\n{limits}", granting(&peer));
    let gateway = with_guest(&settings).start();
    let order = json!({"text": format!("@get {}", peer.origin())});
    let slow = gateway.client.start_call("m_echo", order);
    eventually("the request", || !peer.seen().is_empty());
    assert_eq!(obeys(&gateway, "meanwhile"), "meanwhile");
    assert!(!hung_up.load(Ordering::SeqCst));

    let answer = gateway.client.answer(&slow);
    let words = "it took longer than its limit of 2000 ms";
    assert!(answer.text().contains(words), "{}", answer.raw);
    eventually("the end of the request", || hung_up.load(Ordering::SeqCst));
}

#[test]
fn a_guest_can_have_less_patience_than_its_check_has_time() {
    let silent = Peer::start(|_, reply| reply.wait_for_hang_up());
    let halting = Peer::start(|_, reply| {
        reply.piece("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx");
        reply.wait_for_hang_up();
    });
    for (peer, words) in [
        (silent, "there is no answer in time"),
        (halting, "connection read timeout"),
    ] {
        let gateway = with_guest(&granting(&peer)).start();
        let said = obeys(&gateway, &format!("@soon {} 50", peer.origin()));
        assert!(said.contains(words), "{said}");
    }
}

/// Each piece of the answer comes after a tick of the clock that CPU is counted by.
#[test]
fn waiting_is_not_taken_for_cpu() {
    const PIECES: usize = 40;
    let peer = Peer::start(|_, reply| {
        reply.piece("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for _ in 0..PIECES {
            thread::sleep(Duration::from_millis(15));
            reply.piece("1\r\nx\r\n");
        }
        reply.piece("0\r\n\r\n");
    });
    let gateway = with_guest(&granting(&peer)).start();
    let said = obeys(&gateway, &format!("@get {}", peer.origin()));
    assert_eq!(said, format!("200 {}", "x".repeat(PIECES)));
}

#[test]
fn a_large_message_that_waits_holds_up_no_other_large_message() {
    let hung_up = Arc::default();
    let peer = dripping(&hung_up);
    let gateway = with_guest(&granting(&peer)).start();
    let text = format!("@get {}\n{}", peer.origin(), "x".repeat(64 << 10));
    let calls = (0..8).map(|_| {
        let order = json!({"text": text});
        gateway.client.start_call("m_echo", order)
    });
    let calls: Vec<_> = calls.collect();
    eventually("the requests", || peer.seen().len() == calls.len());
    let large = "y".repeat(64 << 10);
    assert_eq!(obeys(&gateway, &large), large);
    assert!(!hung_up.load(Ordering::SeqCst));
}

#[test]
fn a_request_that_nobody_waits_for_ends_with_the_check() {
    let hung_up: Arc<AtomicBool> = Arc::default();
    let heard = Arc::clone(&hung_up);
    let peer = Peer::start(move |_, reply| {
        reply.wait_for_hang_up();
        heard.store(true, Ordering::SeqCst);
    });
    let gateway = with_guest(&granting(&peer)).start();
    assert_eq!(
        obeys(&gateway, &format!("@leave {}/", peer.origin())),
        "left"
    );
    // It may have ended before it had begun.
    eventually("the end of the request", || {
        hung_up.load(Ordering::SeqCst) || peer.seen().is_empty()
    });
    assert_eq!(obeys(&gateway, "next"), "next");
}

#[test]
fn who_cannot_be_reached_leaves_no_verdict() {
    let peer = greeting();
    let closed = peer
        .origin()
        .replace("http://127.0.0.1", "http://127.0.0.2");
    let gateway = with_guest(&format!("grant.http = [\"{closed}\"]")).start();
    let order = json!({"text": format!("@must {closed}")});
    let answer = gateway.client.call("m_echo", order);
    assert!(answer.is_tool_error(), "{}", answer.raw);
    assert!(
        answer.text().contains("nobody is reached"),
        "{}",
        answer.raw
    );
}

#[test]
fn nothing_leaves_while_a_guardrail_is_configured() {
    let peer = greeting();
    let settings = format!("{}\nconfig.eager = \"{}\"", granting(&peer), peer.origin());
    let refusal = with_guest(&settings).refused();
    let words = "no request leaves while a guardrail is configured";
    assert!(refusal.contains(words), "{refusal}");
    assert_eq!(peer.connections(), 0);
}

#[test]
fn nothing_leaves_for_messages_that_nobody_sent() {
    let peer = greeting();
    let settings = format!("{}\nconfig.always = \"{}\"", granting(&peer), peer.origin());
    let gateway = with_guest(&settings).start();
    gateway.log.wait("guardrail loaded");
    assert_eq!(peer.connections(), 0);
    assert_eq!(obeys(&gateway, "anything"), "anything");
    assert_eq!(peer.seen().len(), 1);
}

#[test]
fn who_is_not_trusted_is_told_nothing() {
    let certificates = certificates::localhost();
    let peer = certificates.serve(greet);
    let by_name = peer.named("localhost");
    let ask = |origin: &str, trusted: bool| {
        let mut setup = with_guest(&format!("grant.http = [\"{origin}\"]"));
        if trusted {
            setup = setup.variable("SSL_CERT_FILE", &certificates.authority);
        }
        obeys(&setup.start(), &format!("@post {origin} secret"))
    };
    assert_eq!(ask(&by_name, true), "200 hello");
    let before = peer.seen().len();
    for (origin, trusted) in [(by_name, false), (peer.origin(), true)] {
        let said = ask(&origin, trusted);
        assert!(said.starts_with("the other side is not trusted"), "{said}");
    }
    assert_eq!(peer.seen().len(), before);
}

#[test]
fn who_speaks_http_2_is_spoken_to_so_over_one_connection() {
    let certificates = certificates::localhost();
    let server = http_2::Server::start(&certificates.config);
    let gateway = with_guest(&format!("grant.http = [\"{}\"]", server.origin()))
        .variable("SSL_CERT_FILE", &certificates.authority)
        .start();
    for _ in 0..3 {
        let said = obeys(&gateway, &format!("@post {} secret", server.origin()));
        assert_eq!(said, "200 secret");
    }
    assert_eq!((server.connections(), server.answered()), (1, 3));
}

#[test]
fn a_proxy_of_the_environment_is_used() {
    let proxy = greeting();
    let origin = "http://far.example:8080";
    let gateway = with_guest(&format!("grant.http = [\"{origin}\"]"))
        .variable("http_proxy", proxy.origin())
        .start();
    assert_eq!(obeys(&gateway, &format!("@get {origin}/a")), "200 hello");
    assert_eq!(proxy.seen()[0].target, format!("{origin}/a"));
}
