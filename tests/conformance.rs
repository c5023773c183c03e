//! The official conformance suite: each check that passes directly passes
//! through the gateway, too. What differs is listed in
//! `conformance/differences.toml`, with reasons.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "conformance/expected.rs"]
mod expected;
#[path = "conformance/suite.rs"]
mod suite;
#[path = "conformance/targets.rs"]
mod targets;

use expected::compare;
use mcp_gateway_tests::Server;
use suite::{LEGACY, MODERN, STABLE, Suite, TASKS};
use targets::{Fixture, client, client_of_a_gateway, over_stdio, serve};

/// Scenarios of a client that has nobody to log in. They are named, since
/// those of a suite would all run at once.
const LEGACY_CLIENT: [&str; 4] = [
    "initialize",
    "tools_call",
    "elicitation-sep1034-client-defaults",
    "sse-retry",
];
const MODERN_CLIENT: [&str; 8] = [
    "tools_call",
    "request-metadata",
    "sep-2322-client-request-state",
    "http-standard-headers",
    "http-custom-headers",
    "http-invalid-tool-headers",
    "json-schema-ref-no-deref",
    "json-schema-2020-12-preservation",
];

/// Scenarios of a person who logs in, as far as no browser but only what it loads
/// matters; one more has the client registered beforehand.
const LEGACY_LOG_IN: [&str; 13] = [
    "auth/metadata-default",
    "auth/metadata-var1",
    "auth/metadata-var2",
    "auth/metadata-var3",
    "auth/basic-cimd",
    "auth/scope-from-www-authenticate",
    "auth/scope-from-scopes-supported",
    "auth/scope-omitted-when-undefined",
    "auth/scope-step-up",
    "auth/scope-retry-limit",
    "auth/token-endpoint-auth-basic",
    "auth/token-endpoint-auth-post",
    "auth/token-endpoint-auth-none",
];
const MODERN_LOG_IN: [&str; 14] = [
    "auth/metadata-var3",
    "auth/scope-step-up",
    "auth/scope-retry-limit",
    "auth/resource-mismatch",
    "auth/offline-access-scope",
    "auth/offline-access-not-supported",
    "auth/authorization-server-migration",
    "auth/iss-supported",
    "auth/iss-not-advertised",
    "auth/iss-supported-missing",
    "auth/iss-wrong-issuer",
    "auth/iss-unexpected",
    "auth/iss-normalized",
    "auth/metadata-issuer-mismatch",
];

/// The fixture, and gateways that serve in front of it.
fn servers_are_the_same(suite: &Suite) {
    let direct = suite.check_server(&Fixture::start().url);
    let serving = serve(over_stdio("fixture"));
    suite.warm_up(&serving.url());
    let checks = suite.check_server(&serving.url());
    compare(suite.name, "server over stdio", &direct, &checks);

    let fixture = Fixture::start();
    let serving = serve(Server::remote("fixture", &fixture.url));
    suite.warm_up(&serving.url());
    let checks = suite.check_server(&serving.url());
    compare(suite.name, "server over HTTP", &direct, &checks);
}

/// A client that connects, and one whose gateway connects.
fn clients_are_the_same(suite: &Suite, scenarios: &[&str]) {
    let (guarded, _setup) = client_of_a_gateway("");
    let direct = suite.check_client(scenarios, &client());
    let checks = suite.check_client(scenarios, &guarded);
    compare(suite.name, "client", &direct, &checks);
}

/// A client that logs in, and a person who logs a gateway in.
fn log_ins_are_the_same(suite: &Suite, scenarios: &[&str], registered: &[&str]) {
    let mut direct = suite.check_client(scenarios, &client());
    direct.extend(suite.check_client(registered, &client()));
    let (guarded, _setup) = client_of_a_gateway("");
    let mut checks = suite.check_client(scenarios, &guarded);
    let known = r#"oauth = { client_id = "pre-registered-client", client_secret = "pre-registered-secret" }"#;
    let (guarded, _setup) = client_of_a_gateway(known);
    checks.extend(suite.check_client(registered, &guarded));
    compare(suite.name, "log-in", &direct, &checks);
}

#[test]
fn a_served_server_passes_what_it_passes_directly_in_the_stable_suite() {
    servers_are_the_same(&STABLE);
}

#[test]
fn a_served_server_passes_what_it_passes_directly_in_the_legacy_era() {
    servers_are_the_same(&LEGACY);
}

#[test]
fn a_served_server_passes_what_it_passes_directly_in_the_modern_era() {
    servers_are_the_same(&MODERN);
}

#[test]
fn a_served_server_passes_what_it_passes_directly_with_tasks() {
    servers_are_the_same(&TASKS);
}

#[test]
fn a_client_passes_what_it_passes_directly_in_the_stable_suite() {
    clients_are_the_same(&STABLE, &LEGACY_CLIENT);
}

#[test]
fn a_client_passes_what_it_passes_directly_in_the_legacy_era() {
    clients_are_the_same(&LEGACY, &LEGACY_CLIENT);
}

#[test]
fn a_client_passes_what_it_passes_directly_in_the_modern_era() {
    clients_are_the_same(&MODERN, &MODERN_CLIENT);
}

#[test]
fn a_person_logs_in_as_a_client_does_directly_in_the_legacy_era() {
    log_ins_are_the_same(&LEGACY, &LEGACY_LOG_IN, &["auth/pre-registration"]);
}

#[test]
fn a_person_logs_in_as_a_client_does_directly_in_the_modern_era() {
    log_ins_are_the_same(&MODERN, &MODERN_LOG_IN, &["auth/pre-registration"]);
}
