//! Servers that are reached over HTTP, in either file.

use reqwest::header::HeaderMap;

use super::*;

fn toml(text: &str) -> Result<Config, String> {
    load(Form::GatewayToml, text)
}

/// Reads a client's file whose gateway entry has these servers.
fn nested(servers: &str) -> Result<Config, String> {
    let guardrails = vec![GuardrailArg::Named("basic".into())];
    let text = format!("{{\"mcpServers\": {{\"gw\": {{\"servers\": {{\n{servers}\n}}}}}}}}");
    load(|file| Form::McpJson { file, guardrails }, &text)
}

/// What a server is reached by: address, transport, and headers in full.
fn reached(config: &Config) -> Vec<String> {
    let shown = |server: &Server| match &server.transport {
        Transport::Stdio(program) => format!("{}: {}", server.name, program.command),
        Transport::Http(remote) => {
            let header = |(name, value): (&_, &reqwest::header::HeaderValue)| {
                format!(" {name}={}", value.to_str().unwrap())
            };
            let headers: String = remote.headers.iter().map(header).collect();
            format!(
                "{}: {} {:?}{headers}",
                server.name, remote.url, remote.flavor
            )
        }
    };
    config.servers.iter().map(shown).collect()
}

#[test]
fn a_server_with_a_url_is_reached_over_http() {
    let config = toml(
        r#"
        [servers.a]
        url = "https://example.com/mcp?key=${TOKEN}"
        bearer = "${TOKEN}"
        headers = { X-Team = "red ${TOKEN}" }
        transport = "streamable-http"
        protocol = "modern"
        init_timeout = "5s"

        [servers.b]
        url = "http://[::1]:3001/sse"
        transport = "sse"
        headers = { Authorization = "Basic ${TOKEN}" }

        [servers.c]
        url = "http://localhost"

        [[guardrails]]
        use = "basic"
        "#,
    )
    .unwrap();
    insta::assert_snapshot!(reached(&config).join("\n"), @r"
    a: https://example.com/mcp?key=hunter2 StreamableHttp x-team=red hunter2 authorization=Bearer hunter2
    b: http://[::1]:3001/sse Sse authorization=Basic hunter2
    c: http://localhost/ Auto
    ");
    assert_eq!(config.servers[0].protocol, Protocol::Modern);
    assert_eq!(config.servers[0].init_timeout, Duration::from_secs(5));
    assert_eq!(config.warnings, [""; 0]);
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn clients_spell_addresses_and_transports_in_many_ways() {
    let config = nested(
        r#""a": {"url": "https://x/a", "headers": {"Authorization": "Bearer ${TOKEN}"}},
        "b": {"type": "http", "url": "https://x/b"},
        "c": {"type": "sse", "serverUrl": "https://x/c"},
        "d": {"type": "streamable-http", "url": "https://x/d", "timeout": 3},
        "e": {"transport": "streamableHttp", "url": "https://x/e", "headers": null},
        "f": {"httpUrl": "https://x/f", "command": null},
        "g": {"type": "stdio", "command": "x", "url": null}"#,
    )
    .unwrap();
    insta::assert_snapshot!(reached(&config).join("\n"), @r"
    a: https://x/a Auto authorization=Bearer hunter2
    b: https://x/b Auto
    c: https://x/c Sse
    d: https://x/d StreamableHttp
    e: https://x/e StreamableHttp
    f: https://x/f Auto
    g: x
    ");
    assert_eq!(config.warnings, [""; 0]);
}

#[test]
fn what_cannot_be_reached_is_an_error_with_its_line() {
    let result = toml(
        r#"
[servers.a]
url = "https://x"
command = "x"

[servers.b]
url = "ws://x"

[servers.c]
url = "not an address, ${TOKEN}"

[servers.d]
url = "https://me:${TOKEN}@x"

[servers.e]
url = "https://x"
transport = "http"
args = []
headers = { "a b" = "1", X-A = "a\nb", Content-Length = "3", X-B = "${NONE}", X-C = 1 }

[servers.f]
transport = "sse"

[servers.g]
url = "https://x"
bearer = "${TOKEN}"
headers = { authorization = "x" }

[servers.h]
serverUrl = "https://x"

[servers.i]
url = "https://x"
bearer = " "
protocol = "old"
"#,
    );
    let errors = result.expect_err("an error was expected");
    insta::assert_snapshot!(errors, @r#"
    config:2:10: [servers.a] has both "command" and "url"; keep "command" for a server that the gateway starts, or "url" for one that runs elsewhere
    config:7:7: "url" in [servers.b] is no address that a server can be reached at: it must start with "http://" or "https://"
    config:10:7: "url" in [servers.c] is no address that a server can be reached at: relative URL without a base
    config:13:7: "url" in [servers.d] holds a user name or a password, which may show in logs on the way; write an "Authorization" header in "headers"
    config:17:13: "transport" in [servers.e] is "http"; known: auto, streamable-http, sse
    config:18:1: unknown key "args" in [servers.e]; known: enabled, transport, url, headers, bearer, oauth, protocol, init_timeout, timeout, tool_timeouts
    config:19:13: "headers.a b" in [servers.e]: a header's name has letters, digits and "-" only
    config:19:26: "headers.X-A" in [servers.e] can't be sent: a header's value has no line breaks or other control characters
    config:19:40: "headers.Content-Length" in [servers.e] is for the gateway to say; remove it
    config:19:62: "headers.X-B" in [servers.e] uses ${NONE}, which is not set; set it in the gateway's environment (in a client's file: "env" of the gateway's entry), or write a default: ${NONE:-default}
    config:19:79: "headers.X-C" in [servers.e] must be a string, not a number
    config:21:10: [servers.f] has no "url"; write the address of the server, such as "https://example.com/mcp"
    config:24:10: [servers.g] has both "bearer" and a header "Authorization"; a request has one; remove the other
    config:29:10: [servers.h] has no "command"; write the program that starts the server, or a "url" if it runs elsewhere
    config:30:1: unknown key "serverUrl" in [servers.h]; known: enabled, transport, url, command, args, env, cwd, protocol, init_timeout, timeout, tool_timeouts
    config:34:10: "bearer" in [servers.i] is empty; write the token, such as "${TOKEN}"
    config:35:12: "protocol" in [servers.i] is "old"; known: auto, legacy, modern
    "#);
    assert!(!errors.contains("hunter2"));
}

#[test]
fn what_clients_write_can_be_wrong_as_well() {
    let result = nested(
        r#""a": {"type": "ws", "url": "wss://x"},
"b": {"type": "http", "headers": {}},
"c": {"url": "https://x", "serverUrl": "https://y"},
"d": {"url": "https://x", "command": "x"},
"e": {"type": "stdio", "env": {}},
"f": {"url": "https://x", "bearer": "x"}"#,
    );
    let errors = result.expect_err("an error was expected");
    insta::assert_snapshot!(errors, @r#"
    config:2:15: "type" in server "a" is "ws"; MCP has no WebSocket transport: write the address at which the server speaks HTTP, and "http"
    config:3:1: server "b" has no "url"; write the address of the server, such as "https://example.com/mcp"
    config:4:1: server "c" has both "url" and "serverUrl"; keep "command" for a server that the gateway starts, or "url" for one that runs elsewhere
    config:5:1: server "d" has both "command" and "url"; keep "command" for a server that the gateway starts, or "url" for one that runs elsewhere
    config:6:1: server "e" has no "command"; write the program that starts the server, or a "url" if it runs elsewhere
    config:7:27: unknown key "bearer" in server "f"; known: enabled, disabled, blocked, type, transport, url, serverUrl, httpUrl, headers, protocol, init_timeout, tool_timeouts
    "#);
}

#[test]
fn credentials_over_plain_http_deserve_a_warning() {
    let config = toml(
        r#"
[servers.a]
url = "http://example.com/mcp"
bearer = "${TOKEN}"

[servers.b]
url = "http://example.com/mcp"

[servers.c]
url = "http://127.0.0.2/mcp"
bearer = "${TOKEN}"

[[guardrails]]
use = "basic"
"#,
    )
    .unwrap();
    insta::assert_snapshot!(config.warnings.join("\n"), @r"
    config:2:10: [servers.a] sends what it logs in with over http://, where everybody on the way can read it; use https://
    ");
}

#[test]
fn a_name_cannot_run_in_a_shell() {
    use crate::config::shell_word;
    assert_eq!(shell_word("tickets-2"), "tickets-2");
    assert_eq!(shell_word("it's $(x)"), r"'it'\''s $(x)'");
}

#[test]
fn other_credentials_make_another_server() {
    let server = |header: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert("x", header.parse().unwrap());
        let remote = Remote {
            url: "https://x".parse().unwrap(),
            is_secret: false,
            headers,
            flavor: Flavor::Auto,
            oauth: OAuth::default(),
            found_by: String::new(),
        };
        Server::new("a".parse().unwrap(), Transport::Http(remote.into()))
    };
    assert_eq!(server("1"), server("1"));
    assert_ne!(server("1"), server("2"));
}
