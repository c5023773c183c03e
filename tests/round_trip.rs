//! Customers in a real database behind the gateway: a client sees none of their
//! addresses, and can work with them all the same.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::path::Path;
use std::process::Command;

use mcp_gateway_tests::real::{printed, python, sqlite_server};
use mcp_gateway_tests::{Gateway, Received, Server, Setup, guest};
use serde_json::json;

const ADDRESSES: [&str; 3] = [
    "jane.doe@example.com",
    "anna.o'neil@example.com",
    "bert+news@example.org",
];

/// A gateway in front of a database and another server, with a guardrail that hides
/// addresses.
fn with_config(config: &str) -> Gateway {
    let setup = Gateway::with();
    let database = setup.folder().join("customers.db");
    fill(&database);
    let settings = format!("grant = {{ state = true, keys = true }}\nconfig = {{ {config} }}");
    veiled(setup.server(sqlite_server("crm", &database)), &settings).start()
}

fn veiled(setup: Setup, settings: &str) -> Setup {
    let setup = setup.server(Server::mirror("m"));
    setup.guardrail(guest("guest_veil"), settings)
}

/// Runs a script on the database itself, past the gateway; returns what it prints.
fn on_database(database: &Path, script: &str) -> String {
    let script = format!("import sqlite3, sys\nwith sqlite3.connect(sys.argv[1]) as db:\n{script}");
    let mut command = Command::new(python());
    let output = command.args(["-c", &script]).arg(database).output();
    printed("the database", &output.unwrap())
}

fn fill(database: &Path) {
    let rows = ADDRESSES.map(|address| format!("{address:?}")).join(", ");
    on_database(
        database,
        &format!(
            "  db.execute('create table customers (id integer primary key, email text, plan text)')\n  \
             db.executemany('insert into customers (email, plan) values (?, \"basic\")', [(a,) for a in [{rows}]])"
        ),
    );
}

/// All rows as they are in the database.
fn rows(gateway: &Gateway) -> String {
    on_database(
        &gateway.folder().join("customers.db"),
        "  for row in db.execute('select email, plan from customers order by id'): print(*row)",
    )
}

fn query(gateway: &Gateway, kind: &str, query: &str) -> Received {
    let tool = format!("crm_{kind}_query");
    gateway.client.call(&tool, json!({"query": query}))
}

/// What stands in for the addresses, in the order of the rows.
fn seen(gateway: &Gateway) -> Vec<String> {
    let answer = query(gateway, "read", "SELECT email FROM customers ORDER BY id");
    for address in ADDRESSES {
        assert!(!answer.raw.contains(address), "{}", answer.raw);
    }
    let text = answer.text();
    let mut seen = Vec::new();
    for row in text.split("'email': ").skip(1) {
        seen.push(row[1..].split(['\'', '"']).next().unwrap().to_owned());
    }
    assert_eq!(seen.len(), 3, "{text}");
    seen
}

#[test]
fn a_row_is_updated_by_what_stands_in_for_its_address() {
    for operator in ["pseudonym", "surrogate", "encrypt"] {
        let gateway = with_config(&format!("operator = \"{operator}\""));
        let seen = seen(&gateway);
        for (row, shown) in seen.iter().enumerate() {
            let plan = format!("plan-{row}");
            let update = format!("UPDATE customers SET plan = '{plan}' WHERE email = '{shown}'");
            let answer = query(&gateway, "write", &update);
            assert_eq!(
                answer.text(),
                "[{'affected_rows': 1}]",
                "{operator}: {update}"
            );
        }
        let expected = format!(
            "{} plan-0\n{} plan-1\n{} plan-2\n",
            ADDRESSES[0], ADDRESSES[1], ADDRESSES[2]
        );
        assert_eq!(rows(&gateway), expected, "{operator}");
    }
}

/// Without a line of configuration: it is granted what it uses.
#[test]
fn the_bundled_pii_lets_a_client_read_customers_and_update_one_by_a_token() {
    let setup = Gateway::with();
    fill(&setup.folder().join("customers.db"));
    let database = setup.folder().join("customers.db");
    let setup = setup.server(sqlite_server("crm", &database));
    let gateway = setup
        .server(Server::mirror("m"))
        .guardrail("pii", "")
        .start();
    assert_eq!(
        gateway.log.wait("guardrail loaded").text("uses"),
        "state, keys"
    );
    let answer = query(
        &gateway,
        "read",
        "SELECT 'Anna Keller' AS name, email FROM customers WHERE id <> 2",
    );
    let text = answer.text();
    for value in ["jane.doe", "bert", "Keller"] {
        assert!(!answer.raw.contains(value), "{}", answer.raw);
    }
    let token = |label: &str| {
        let start = text.find(&format!("<{label}_")).unwrap();
        let end = start + text[start..].find('>').unwrap();
        text[start..=end].to_owned()
    };
    let (mail, name) = (token("EMAIL"), token("PERSON"));
    let update = format!("UPDATE customers SET plan = '{name}' WHERE email = '{mail}'");
    let answer = query(&gateway, "write", &update);
    assert_eq!(answer.text(), "[{'affected_rows': 1}]");
    let real = format!(
        "{} Anna Keller\n{} basic\n{} basic\n",
        ADDRESSES[0], ADDRESSES[1], ADDRESSES[2]
    );
    assert_eq!(rows(&gateway), real);
    let plan = format!("SELECT plan FROM customers WHERE email = '{mail}'");
    let answer = query(&gateway, "read", &plan);
    assert_eq!(answer.text(), format!("[{{'plan': '{name}'}}]"));

    let forged = "UPDATE customers SET plan = 'x' WHERE email = '<EMAIL_0000AA>'";
    let answer = query(&gateway, "write", forged);
    assert!(answer.is_tool_error(), "{}", answer.raw);
    let elsewhere = gateway.client.call("m_echo", json!({"text": mail}));
    assert!(elsewhere.is_tool_error(), "{}", elsewhere.raw);
    assert_eq!(rows(&gateway), real);
}

#[test]
fn an_address_that_was_put_back_is_hidden_in_the_answer() {
    let gateway = with_config("");
    let shown = &seen(&gateway)[0];
    let answer = query(
        &gateway,
        "read",
        &format!("SELECT 'wrote to {shown}' AS note"),
    );
    let expected = format!("[{{'note': 'wrote to {shown}'}}]");
    assert_eq!(answer.text(), expected);
}

#[test]
fn another_server_gets_no_address_unless_it_is_allowed() {
    let gateway = with_config("");
    let shown = &seen(&gateway)[0];
    let call = |gateway: &Gateway, text: &str| gateway.client.call("m_echo", json!({"text": text}));
    let answer = call(&gateway, shown);
    assert!(answer.is_tool_error(), "{}", answer.raw);
    let words = "stands for a value of server \"crm\", which does not go to server \"m\"";
    assert!(answer.text().contains(words), "{}", answer.raw);
    let received = gateway.server_named("m").received().join("\n");
    assert!(!received.contains("EMAIL_"), "{received}");

    let gateway = with_config("stand_ins = { allow = [\"m/echo\"] }");
    let shown = &seen(&gateway)[0];
    assert_eq!(call(&gateway, shown).text(), *shown);
    let received = gateway.server_named("m").received().join("\n");
    assert!(received.contains(ADDRESSES[0]), "{received}");
}

#[test]
fn what_nobody_issued_is_refused_before_it_reaches_a_server() {
    let gateway = with_config("");
    seen(&gateway);
    let forged = "UPDATE customers SET plan = 'x' WHERE email = '<EMAIL_0000AA>'";
    let answer = query(&gateway, "write", forged);
    assert!(answer.is_tool_error(), "{}", answer.raw);
    let words = "<EMAIL_0000AA> stands for nothing that can be put back";
    assert!(answer.text().contains(words), "{}", answer.raw);
    assert!(!rows(&gateway).contains(" x\n"));
}

#[test]
fn the_session_of_another_client_puts_nothing_back() {
    let settings = "grant = { state = true, keys = true }";
    let gateway = veiled(Gateway::with(), settings).serve(&[]);
    let [one, two] = [gateway.client(), gateway.client()];
    let text = |text: &str| json!({"text": text});
    let shown = one.call("m_echo", text("to jane.doe@example.com"));
    assert!(shown.starts_with("to <EMAIL_"), "{shown}");
    assert_eq!(one.call("m_echo", text(&shown)), shown);
    let answer = two.start_call("m_echo", text(&shown)).answer();
    assert_eq!(answer["result"]["isError"], json!(true), "{answer}");
    let reason = answer["result"]["content"][0]["text"].as_str().unwrap();
    assert!(
        reason.contains("was not issued in this session"),
        "{reason}"
    );
    // The same address, and nobody can tell.
    let other = two.call("m_echo", text("to jane.doe@example.com"));
    assert!(other.starts_with("to <EMAIL_") && other != shown, "{other}");
}

#[test]
fn a_new_build_puts_back_what_an_old_one_hid() {
    let setup = Gateway::with();
    let database = setup.folder().join("customers.db");
    fill(&database);
    let file = setup.folder().join("veil.wasm");
    std::fs::copy(guest("guest_veil"), &file).unwrap();
    let gateway = setup
        .server(sqlite_server("crm", &database))
        .guardrail(&file, "grant = { state = true, keys = true }")
        .start();
    let shown = seen(&gateway);

    let mut build = std::fs::read(&file).unwrap();
    build.extend([0, 8, 7]);
    build.extend(b"rebuilt");
    Gateway::rename_over(&file, &build);
    gateway.log.wait("guardrail swapped");
    let update = format!(
        "UPDATE customers SET plan = 'pro' WHERE email = '{}'",
        shown[1]
    );
    let answer = query(&gateway, "write", &update);
    assert_eq!(answer.text(), "[{'affected_rows': 1}]");
    assert_eq!(seen(&gateway), shown);
}

/// A server knows a resource by the very address that it has listed.
#[test]
fn a_resource_whose_address_holds_a_value_is_read_by_what_is_shown() {
    let uri = format!("crm://people/{}", ADDRESSES[2]);
    let mirror = Server::mirror("m");
    let mirror = mirror
        .env("MIRROR_RESOURCES", &uri)
        .env("MIRROR_READS", &uri);
    let gateway = Gateway::with().server(mirror).guardrail("pii", "").start();
    let listed = gateway.client.request("resources/list", json!({}));
    assert!(!listed.raw.contains(ADDRESSES[2]), "{}", listed.raw);
    let shown = listed.value()["result"]["resources"][0]["uri"].clone();
    let read = gateway
        .client
        .request("resources/read", json!({"uri": shown}));
    let contents = &read.value()["result"]["contents"];
    assert_eq!(contents[0]["uri"], shown, "{}", read.raw);
}
