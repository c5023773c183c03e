//! `gateway.toml`.

use super::*;

fn toml(text: &str) -> Result<Config, String> {
    load(Form::GatewayToml, text)
}

fn errors(text: &str) -> String {
    toml(text).expect_err("an error was expected")
}

#[test]
fn everything_that_can_be_written_is_read() {
    let config = toml(
        r#"
        [gateway]
        naming = "bare"
        ready_timeout = "3s"
        catalog_cache = false
        max_message = "1MiB"
        request_timeout = "30m"
        timeouts = { "tools/call" = "5m", "prompts/*" = "10s" }
        max_in_flight = 50
        pinning = "hide"
        scan = true
        expose_metadata = true
        trusted_keys = ["ed25519:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="]

[journal]
file = "/etc/gateway/audit.db"
durability = "strict"
rotate_every = "month"
rotate_size = "1GiB"
rotate_age = "90d"
keep_archives = "365d"

[swap]
default = "replay"
messages = 10
bytes = "1MiB"
cost = 2
capture = "/etc/gateway/seen.jsonl"
capture_bare = ["mine"]

        [servers.zoo]
        command = "./bin/zoo"
        args = ["--token", "${TOKEN}", "${NONE:-none}"]
        env = { KEY = "${env:TOKEN}", PLAIN = "$x" }
        cwd = "data"
        init_timeout = "2m"
        timeout = "20m"
        tool_timeouts = { "slow_*" = "2h" }
        protocol = "legacy"

        [servers.ant]
        command = "npx"

        [servers.old]
        enabled = false
        comand = "broken"

        [[guardrails]]
        use = "./mine.wasm"
        mode = "warn"
        swap = "examples"
        on_error = "allow"
        isolation = "message"
        only = { servers = ["zoo", "old"], methods = ["tools/*", "log-line"] }
        config = { key = "${TOKEN}", deep = [{ n = 1.5, on = true, day = 2026-01-02 }] }

        [guardrails.limits]
        memory = "32MiB"
        cpu = "50ms"
        wall = "1s"
        output = 4096
        log_lines = 5
        log_bytes = "1KiB"
        host_calls = 7
        configure = "1s"
        state_entries = 3
        state_key = 16
        state_value = "1KiB"
        state_bytes = "1MiB"
        http_requests = 2
        http_body = "2KiB"

        [guardrails.grant]
        state = true

        [guardrails.grant.http."https://example.com:443"]
        headers = { api-key = "${TOKEN}" }

        [guardrails.grant.http."http://10.0.0.1:8080"]
        private = true

        [[guardrails]]
        use = "xetrack"
        name = "trace"
        grant.keys = false
        "#,
    )
    .unwrap();

    let zoo = Program {
        command: "/etc/gateway/bin/zoo".into(),
        args: ["--token", "hunter2", "none"].map(String::from).into(),
        env: [("KEY", "hunter2"), ("PLAIN", "$x")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        cwd: Some("/etc/gateway/data".into()),
    };
    let zoo = Server {
        init_timeout: Duration::from_secs(120),
        timeout: Some(Duration::from_secs(1200)),
        tool_timeouts: Timeouts(vec![("slow_*".into(), Duration::from_secs(7200))]),
        protocol: Protocol::Legacy,
        ..started("zoo", zoo)
    };
    let ant = Server::of_command("ant".parse().unwrap(), "npx".into(), vec![]);
    let mine = Guardrail {
        mode: Mode::Warn,
        on_error: OnError::Allow,
        isolation: Isolation::Message,
        proof: Proof::Examples,
        only: Only {
            servers: vec!["zoo".parse().unwrap(), "old".parse().unwrap()],
            methods: vec!["tools/*".into(), "log-line".into()],
        },
        limits: Limits {
            memory: 32 << 20,
            cpu: Duration::from_millis(50),
            wall: Duration::from_secs(1),
            output: 4096,
            log_lines: 5,
            log_bytes: 1024,
            host_calls: 7,
            configure: Duration::from_secs(1),
            state_entries: 3,
            state_key: 16,
            state_value: 1024,
            state_bytes: 1 << 20,
            http_requests: 2,
            http_body: 2048,
        },
        grants: Grants {
            state: true,
            keys: false,
            http: true,
            journal: false,
        },
        destinations: grants::destinations([
            ("https://example.com", &[("api-key", "hunter2")], false),
            ("http://10.0.0.1:8080", &[], true),
        ]),
        config: r#"{"key":"hunter2","deep":[{"n":1.5,"on":true,"day":"2026-01-02"}]}"#.into(),
        ..Guardrail::new(
            "mine".parse().unwrap(),
            Source::File("/etc/gateway/mine.wasm".into()),
        )
    };
    // What is bundled is granted what nobody took from it.
    let trace = Guardrail {
        proof: Proof::Replay,
        grants: Grants {
            state: true,
            keys: false,
            http: true,
            journal: true,
        },
        ..Guardrail::new("trace".parse().unwrap(), Source::Bundled("audit".into()))
    };
    let gateway = Gateway {
        naming: Naming::Bare,
        ready_timeout: Duration::from_secs(3),
        catalog_cache: false,
        max_message: 1 << 20,
        request_timeout: Duration::from_secs(1800),
        timeouts: Timeouts(vec![
            ("tools/call".into(), Duration::from_secs(300)),
            ("prompts/*".into(), Duration::from_secs(10)),
        ]),
        max_in_flight: 50,
        pinning: Pinning::Hide,
        scan: true,
        expose_metadata: true,
        trusted_keys: vec![TrustedKey::of([7; 32])],
    };
    let journal = Journal {
        file: Some("/etc/gateway/audit.db".into()),
        durability: Durability::Strict,
        rotate: Rotate {
            every: Some(Period::Month),
            bytes: Some(1 << 30),
            age: Some(Duration::from_secs(90 * 86_400)),
            keep: Some(Duration::from_secs(365 * 86_400)),
        },
    };
    let swap = Swap {
        messages: 10,
        bytes: 1 << 20,
        cost: 2,
        capture: Some("/etc/gateway/seen.jsonl".into()),
        bare: vec!["mine".parse().unwrap()],
    };
    let expected = Config {
        gateway,
        journal,
        swap,
        servers: vec![zoo, ant],
        guardrails: vec![mine, trace],
        source: Some("/etc/gateway/config".into()),
        secrets: vec![],
        warnings: vec![],
    };
    assert_eq!(config, expected);
}

#[test]
fn an_empty_file_runs_and_warns() {
    let config = toml("").unwrap();
    assert_eq!(config.gateway, Gateway::default());
    insta::assert_snapshot!(config.warnings.join("\n"), @r#"
    no servers to start
    no guardrails are configured; every message passes unchecked
    "#);
}

#[test]
fn all_errors_are_listed_at_once_in_order() {
    let text = r#"[gateway]
naming = "pretty"
port = 1

[servers.git]
comand = "uvx"
args = ["ok", 3]
cwd = "${NOWHERE}"

[servers.db]
command = ""
init_timeout = 5
env = { "A=B" = "x", T = "${input:t}" }

[servers.web]
url = "ftp://x"

[[guardrails]]
use = "presidio"
mode = "enforced"

[[guardrails]]
use = "basic"
only = { servers = ["gti", "nowhere"], methods = ["tools/cal", "tools*", "*"] }
limits = { memory = "4GiB", cpu = "fast", wal = "1s", log_lines = -1, output = [] }

[[guardrails]]
use = "basic"
config = "x"

[[guardrails]]
mode = "off"

[sever]
"#;
    insta::assert_snapshot!(errors(text), @r#"
    config:2:10: "naming" in [gateway] is "pretty"; known: prefixed, bare
    config:3:1: unknown key "port" in [gateway]; known: naming, ready_timeout, catalog_cache, max_message, request_timeout, timeouts, max_in_flight, pinning, scan, expose_metadata, trusted_keys
    config:5:10: [servers.git] has no "command"; write the program that starts the server, or a "url" if it runs elsewhere
    config:6:1: unknown key "comand" in [servers.git]; did you mean "command"?
    config:7:15: "args[1]" in [servers.git] must be a string, not a number
    config:8:7: "cwd" in [servers.git] uses ${NOWHERE}, which is not set; set it in the gateway's environment (in a client's file: "env" of the gateway's entry), or write a default: ${NOWHERE:-default}
    config:11:11: "command" in [servers.db] is empty; write the program that starts the server, or a "url" if it runs elsewhere
    config:12:16: "init_timeout" in [servers.db] is 5; write a duration such as "100ms", "10s" or "2m"
    config:13:9: "env.A=B" in [servers.db]: a variable's name can't be empty or contain "="
    config:13:22: "env.T" in [servers.db] uses ${input:t}, which only an editor can fill in; write the value itself, or a variable of the environment: ${NAME}
    config:16:7: "url" in [servers.web] is no address that a server can be reached at: it must start with "http://" or "https://"
    config:19:7: guardrail "pii" (you wrote "presidio") is not part of this build; known: basic, audit
    config:20:8: "mode" in guardrail "presidio" is "enforced"; did you mean "enforce"?
    config:24:21: "only.servers[0]" in guardrail "basic" names no server: "gti"; did you mean "git"?
    config:24:28: "only.servers[1]" in guardrail "basic" names no server: "nowhere"; known: git, db, web
    config:24:51: "only.methods[0]" in guardrail "basic" can never match: "tools/cal"; did you mean "tools/call"?
    config:24:64: "only.methods[1]" in guardrail "basic" can never match: "tools*"; a "*" can only follow the last "/", as in "tools/*"
    config:24:74: "only.methods[2]" in guardrail "basic" can never match: "*"; leave "methods" out to mean all
    config:25:21: "limits.memory" in guardrail "basic" is 4GiB; it can be 1MiB to 1GiB
    config:25:35: "limits.cpu" in guardrail "basic" is "fast"; write a duration such as "100ms", "10s" or "2m"
    config:25:43: unknown key "wal" in "limits" in guardrail "basic"; did you mean "wall"?
    config:25:67: "limits.log_lines" in guardrail "basic" is -1; write a whole number
    config:25:80: "limits.output" in guardrail "basic" must be a size, not a list
    config:27:1: two guardrails are named "basic": the bundled basic and the bundled basic; in gateway.toml, "name" tells them apart
    config:29:10: "config" in guardrail "basic" must be a table, not a string
    config:31:1: [[guardrails]] 4 has no "use"; write the name of a bundled guardrail, or the path of a .wasm file
    config:34:2: unknown key "sever" in the file; did you mean "servers"?
    "#);
}

#[test]
fn every_fault_of_syntax_has_its_line() {
    insta::assert_snapshot!(errors("a = \nb = [1\n\n[x"), @r#"
    config:1:5: TOML syntax error: string values must be quoted, expected literal string
    config:4:1: TOML syntax error: missing comma between array elements, expected `,`
    "#);
    insta::assert_snapshot!(errors("[servers.a]\ncommand = \"x\"\ncommand = \"y\""), @"config:3:1: TOML syntax error: duplicate key");
    insta::assert_snapshot!(errors("[servers.a]\ncommand = 99999999999999999999"), @"config:2:11: TOML syntax error: number out of range");
    insta::assert_snapshot!(errors("[servers.a]\n[servers.a]"), @"config:2:10: TOML syntax error: duplicate key");
    insta::assert_snapshot!(errors("servers = 3\nguardrails = { }"), @r#"
    config:1:11: "servers" in the file must be a table, not a number
    config:2:14: "guardrails" in the file must be a list, not a table
    "#);
}

#[test]
fn guardrails_of_one_component_need_names() {
    let twice = "[[guardrails]]\nuse = \"basic\"\n";
    insta::assert_snapshot!(errors(&twice.repeat(2)), @r#"config:3:1: two guardrails are named "basic": the bundled basic and the bundled basic; in gateway.toml, "name" tells them apart"#);
    let named = format!("{twice}name = \"again\"\n{twice}");
    assert_eq!(toml(&named).unwrap().guardrails.len(), 2);
}

#[test]
fn a_method_of_an_extension_is_only_a_warning() {
    let text = "[servers.a]\ncommand = \"x\"\n[[guardrails]]\nuse = \"basic\"\n\
                only.methods = [\"skills/list\"]";
    let config = toml(text).unwrap();
    assert_eq!(config.guardrails[0].only.methods, ["skills/list"]);
    insta::assert_snapshot!(config.warnings.join("\n"), @r#"config:5:17: "only.methods[0]" in guardrail "basic": "skills/list" is not a method that MCP defines"#);
}

#[test]
fn secrets_around_a_variable_are_not_quoted() {
    let text = "[servers.a]\ncommand = \"x\"\nargs = [\"hunter2${NONE}\", \"hunter2${\", \"hunter2${a b}\"]";
    insta::assert_snapshot!(errors(text), @r#"
    config:3:9: "args[0]" in [servers.a] uses ${NONE}, which is not set; set it in the gateway's environment (in a client's file: "env" of the gateway's entry), or write a default: ${NONE:-default}
    config:3:27: "args[1]" in [servers.a] has a "${" without its "}"; for a literal "${" write "$${"
    config:3:40: "args[2]" in [servers.a] has a "${" without a variable's name; for a literal "${" write "$${"
    "#);
}

#[test]
fn a_time_for_nothing_is_an_error() {
    let text = r#"
[gateway]
timeouts = { "*" = "5m", "tools/cal" = "5m", "ping" = "1ms", "tools/list" = 5 }
max_in_flight = 0

[servers.git]
command = "git"
tool_timeouts = { "*" = "5m", "a*b" = "5m", "a*" = "5m" }
"#;
    insta::assert_snapshot!(errors(text), @r#"
    config:3:14: "timeouts.*" in [gateway] can never match: "*"; "request_timeout" is for all
    config:3:26: "timeouts.tools/cal" in [gateway] can never match: "tools/cal"; did you mean "tools/call"?
    config:3:46: "timeouts.ping" in [gateway] is 1ms; it can be 100ms to 7d
    config:3:62: "timeouts.tools/list" in [gateway] is 5; write a duration such as "100ms", "10s" or "2m"
    config:4:17: "max_in_flight" in [gateway] is 0; it can be 1 to 100000
    config:8:19: "tool_timeouts.*" in [servers.git] can never match: "*"; write a tool's name, or the start of one and a "*"; "timeout" is for all
    config:8:31: "tool_timeouts.a*b" in [servers.git] can never match: "a*b"; write a tool's name, or the start of one and a "*"; "timeout" is for all
    "#);
}
