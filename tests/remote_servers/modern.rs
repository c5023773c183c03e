//! Servers of 2026-07-28, whose requests say in headers what they say in their
//! body.

use mcp_gateway_tests::{Gateway, Server, eventually};
use serde_json::{Value, json};

use crate::mcp::{result_of, says};
use crate::web::{Reply, Request, Web};

const VERSION: &str = "2026-07-28";

/// A server that knows no sessions. What `unlike` answers is its own.
fn server(unlike: impl Fn(&Request, &mut Reply<'_>) -> bool + Send + Sync + 'static) -> Web {
    Web::start(move |request, reply| {
        if request.method != "POST" {
            return reply.status("405 Method Not Allowed");
        }
        if unlike(request, reply) {
            return;
        }
        let result = match request.says("method").as_str() {
            "server/discover" => json!({
                "resultType": "complete",
                "supportedVersions": [VERSION],
                "capabilities": {"tools": {}},
                "ttlMs": 0,
                "cacheScope": "private",
            }),
            "tools/list" => json!({
                "resultType": "complete",
                "tools": [
                    {"name": "sql", "inputSchema": {"type": "object", "properties": {
                        "region": {"type": "string", "x-mcp-header": "Region"},
                        "limit": {"type": "integer", "x-mcp-header": "Limit"},
                    }}},
                    {"name": "wrong", "inputSchema": {"type": "object", "properties": {
                        "x": {"type": "number", "x-mcp-header": "X"},
                    }}},
                    {"name": "wörk", "inputSchema": {"type": "object"}},
                ],
                "ttlMs": 0,
                "cacheScope": "private",
            }),
            "tools/call" => {
                let mut result: Value = serde_json::from_str(&says(request, "done")).unwrap();
                result["result"]["resultType"] = json!("complete");
                result["result"].clone()
            }
            method => {
                let error = json!({"code": -32601, "message": format!("no {method}")});
                let error =
                    json!({"jsonrpc": "2.0", "id": request.message()["id"], "error": error});
                return reply.body("404 Not Found", "application/json", &error.to_string());
            }
        };
        reply.json(&result_of(request, &result.to_string()));
    })
}

/// A gateway whose client says nothing that is not modern.
fn gateway(web: &Web) -> Gateway {
    let server = Server::remote("r", &web.url("/mcp"));
    Gateway::with()
        .setting("naming = \"bare\"")
        .server(server)
        .start_silent()
}

fn with_meta(mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": VERSION,
        "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    params
}

fn call(tool: &str, arguments: Value) -> Value {
    with_meta(json!({"name": tool, "arguments": arguments}))
}

#[test]
fn modern_requests_say_in_headers_what_they_say_in_their_body() {
    let web = server(|_, _| false);
    let gateway = gateway(&web);
    let client = &gateway.client;
    client.request("server/discover", with_meta(json!({})));
    let tools = client.request("tools/list", with_meta(json!({}))).value();
    let names: Vec<_> = tools["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].clone())
        .collect();
    // A tool that asks for what cannot be is left out, as the specification has it.
    assert_eq!(names, ["sql", "wörk"]);
    let log = gateway.log.wait("left out of the list");
    assert!(log.raw.contains("wrong"), "{}", log.raw);

    let sql = json!({"region": " eu", "limit": 5, "other": "x"});
    client.request("tools/call", call("sql", sql));
    client.request("tools/call", call("wörk", json!({"region": "eu"})));
    let calls: Vec<_> = web
        .seen()
        .into_iter()
        .filter(|it| it.says("method") == "tools/call")
        .collect();
    let [sql, work] = &calls[..] else {
        panic!("{calls:?}")
    };
    assert_eq!(sql.header("mcp-protocol-version"), VERSION);
    assert_eq!(sql.header("mcp-method"), "tools/call");
    assert_eq!(sql.header("mcp-name"), "sql");
    assert_eq!(sql.header("mcp-param-region"), "=?base64?IGV1?=");
    assert_eq!(sql.header("mcp-param-limit"), "5");
    assert_eq!(work.header("mcp-name"), "=?base64?d8O2cms=?=");
    assert_eq!(work.header("mcp-param-region"), "");
    // No session, nothing to listen to, no leave to take.
    gateway.end();
    assert!(
        web.seen()
            .iter()
            .all(|it| it.method == "POST" && it.header("mcp-session-id").is_empty())
    );
}

#[test]
fn a_modern_request_is_cancelled_by_hanging_up() {
    let (hung_up, hangs_up) = std::sync::mpsc::channel();
    let web = server(move |request, reply| {
        let slow = request.tool() == "slow";
        if slow {
            reply.stream();
            reply.wait_for_hang_up();
            hung_up.send(()).unwrap();
        }
        slow
    });
    let gateway = gateway(&web);
    let client = &gateway.client;
    client.request("server/discover", with_meta(json!({})));
    client.request("tools/list", with_meta(json!({})));
    let id = client.start("tools/call", call("slow", json!({})));
    web.wait_for("the call", |request| request.tool() == "slow");
    client.notify(
        "notifications/cancelled",
        json!({"requestId": id.parse::<u64>().unwrap()}),
    );
    hangs_up.recv_timeout(mcp_gateway_tests::PATIENCE).unwrap();
    gateway.end();
    assert!(
        web.seen()
            .iter()
            .all(|it| it.says("method") != "notifications/cancelled")
    );
}

#[test]
fn an_error_of_the_protocol_is_the_answer() {
    let web = server(|request, reply| {
        let call = request.says("method") == "tools/call";
        if call {
            let error = json!({"code": -32020, "message": "Header mismatch"});
            let error = json!({"jsonrpc": "2.0", "id": request.message()["id"], "error": error});
            reply.body("400 Bad Request", "application/json", &error.to_string());
        }
        call
    });
    let gateway = gateway(&web);
    gateway
        .client
        .request("server/discover", with_meta(json!({})));
    let answer = gateway.client.request("tools/call", call("sql", json!({})));
    assert_eq!(answer.value()["error"]["code"], json!(-32020));
}

#[test]
fn a_stream_of_a_modern_request_does_not_go_on_elsewhere() {
    let web = server(|request, reply| {
        let call = request.says("method") == "tools/call";
        if call {
            reply.stream();
            reply.piece("retry: 1\nid: 1\ndata:\n\n");
        }
        call
    });
    let gateway = gateway(&web);
    gateway
        .client
        .request("server/discover", with_meta(json!({})));
    let answer = gateway.client.request("tools/call", call("sql", json!({})));
    assert!(
        answer.text().contains("its stream ended before the answer"),
        "{}",
        answer.raw
    );
    assert!(web.seen().iter().all(|it| it.method == "POST"));
}

#[test]
fn a_legacy_client_comes_to_a_modern_server() {
    let web = server(|_, _| false);
    let gateway = gateway(&web);
    gateway.client.initialize();
    assert_eq!(gateway.client.tools(), ["sql", "wörk"]);
    assert_eq!(
        gateway.client.call("sql", json!({"region": "eu"})).text(),
        "done"
    );
    let call = web.wait_for_method("tools/call");
    assert_eq!(call.header("mcp-protocol-version"), VERSION);
    assert_eq!(call.header("mcp-param-region"), "eu");
}

#[test]
fn a_server_that_misses_headers_is_asked_what_it_wants_and_then_once_more() {
    let web = server(|request, reply| {
        let misses = request.says("method") == "tools/call"
            && (request.header("mcp-param-region").is_empty() || request.tool() == "wörk");
        if misses {
            let error = json!({"code": -32020, "message": "Header mismatch: Mcp-Param-Region"});
            let error = json!({"jsonrpc": "2.0", "id": request.message()["id"], "error": error});
            reply.body("400 Bad Request", "application/json", &error.to_string());
        }
        misses
    });
    let gateway = gateway(&web);
    let client = &gateway.client;
    client.request("server/discover", with_meta(json!({})));
    // The client has learned the name elsewhere, and never asks for the list.
    let sql = client.request("tools/call", call("sql", json!({"region": "eu"})));
    assert_eq!(sql.text(), "done");
    let methods = |web: &Web| -> Vec<String> {
        let seen = web.seen();
        let methods = seen.iter().map(|it| it.says("method"));
        methods.filter(|it| it.starts_with("tools/")).collect()
    };
    assert_eq!(methods(&web), ["tools/call", "tools/list", "tools/call"]);
    // What the list does not mend is passed on, and tried no more.
    let refused = client
        .request("tools/call", call("wörk", json!({})))
        .value();
    assert_eq!(refused["error"]["code"], -32020, "{refused}");
    assert_eq!(methods(&web)[3..], ["tools/call", "tools/list"]);
}

#[test]
fn a_resource_that_a_server_refuses_costs_no_other() {
    let web = server(|request, reply| {
        let message = request.message();
        let wanted = &message["params"]["notifications"];
        let uris = wanted["resourceSubscriptions"].as_array();
        match request.says("method").as_str() {
            "subscriptions/listen" if uris.is_some_and(|it| it.contains(&json!("x:bad"))) => {
                let error = json!({"code": -32602, "message": "no such resource"});
                let error = json!({"jsonrpc": "2.0", "id": message["id"], "error": error});
                reply.json(&error.to_string());
            }
            "subscriptions/listen" => {
                let meta = json!({"io.modelcontextprotocol/subscriptionId": message["id"]});
                let told = |method: &str, mut params: Value| {
                    params["_meta"] = meta.clone();
                    json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string()
                };
                reply.stream();
                let acknowledged = json!({"notifications": wanted});
                reply.event(&told(
                    "notifications/subscriptions/acknowledged",
                    acknowledged,
                ));
                for uri in uris.into_iter().flatten() {
                    let updated = json!({"uri": uri});
                    reply.event(&told("notifications/resources/updated", updated));
                }
                reply.wait_for_hang_up();
            }
            _ => return false,
        }
        true
    });
    let gateway = gateway(&web);
    let client = &gateway.client;
    client.initialize();
    for uri in ["x:1", "x:bad", "x:2"] {
        let answer = client.request("resources/subscribe", json!({"uri": uri}));
        assert_eq!(answer.value()["result"], json!({}), "{}", answer.raw);
    }
    client.receive("the last one", |it| {
        it.raw.contains("resources/updated") && it.raw.contains("x:2")
    });
    client.request("resources/unsubscribe", json!({"uri": "x:2"}));
    let told = || {
        let received = client.received();
        let mut told = received.iter().rev();
        told.find(|line| line.contains("resources/updated"))
            .cloned()
    };
    eventually("the ones that stay", || {
        told().is_some_and(|last| last.contains("x:1"))
    });
}
