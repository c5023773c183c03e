//! What a configuration grants, by the SDK of each language: in front of a mirror, with web
//! servers that are granted and that are not.

use std::net::TcpListener;

use mcp_gateway_tests::web::Peer;
use mcp_gateway_tests::{Gateway, Setup, guest};
use serde_json::json;

use super::project::Project;

/// What is imported of WASI with requests, which enables nothing else.
const STREAMS: [&str; 3] = [
    "wasi:io/error@0.2",
    "wasi:io/poll@0.2",
    "wasi:io/streams@0.2",
];

/// A component imports what its guardrail uses, or its world says that it does.
pub(super) fn imports_what_it_uses(project: &Project, inert: &[&str]) {
    let report = project.inspected();
    let imports = |class: &str| -> Vec<String> {
        let names = report["imports"][class].as_array().unwrap().iter();
        let names = names.map(|name| name.as_str().unwrap());
        // Of WASI's versions 0.2 each goes with the others.
        let names = names.map(|name| match name.starts_with("wasi:") {
            true => name.rsplit_once('.').unwrap().0.to_owned(),
            false => name.to_owned(),
        });
        names.collect()
    };
    let granted = [
        "mcp-gateway:guardrail/state@0.1.0",
        "mcp-gateway:guardrail/keys@0.1.0",
        "wasi:http/types@0.2",
        "wasi:http/outgoing-handler@0.2",
    ];
    assert_eq!(imports("toGrant"), granted);
    let streams = STREAMS.iter().chain(inert);
    for name in imports("inert") {
        assert!(streams.clone().any(|known| *known == name), "{name}");
    }
    assert!(imports("refused").is_empty(), "{report}");
}

/// The guardrail that does what it is told uses all three.
pub(super) fn does_what_it_is_granted(project: &Project) {
    let granted = Peer::start(|request, reply| {
        let body = match request.target.as_str() {
            "/large" => "x".repeat(200_000),
            target => {
                let (method, header) = (&request.method, request.header("x-guardrail"));
                format!("{method} {target} {header} {}", request.body.len())
            }
        };
        reply.body("201 Created", "X-Answer: yes\r\n", &body);
    });
    let other = Peer::start(|_, reply| reply.body("200 OK", "", "never"));
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let (origin, elsewhere) = (granted.origin(), other.origin());
    let grant = format!("state = true, keys = true, http = [\"{origin}\", \"{nobody}\"]");
    let gateway = granting(project, &grant).start();
    let told = |words: &str| {
        let words = json!({ "text": words, "also": "BLUEBIRD" });
        let answer = gateway.client.call("m_echo", words);
        let text = answer.text();
        let (_, said) = text
            .split_once("Reason: ")
            .unwrap_or_else(|| panic!("{text}"));
        let (said, _) = said.split_once(". Repeating").unwrap();
        said.trim_end().to_owned()
    };

    assert_eq!(told("earlier"), "hides found codename");
    assert_eq!(told("elapsed"), "some time passed");

    assert_eq!(told("swap"), "false true false true two é");
    // What the gateway keeps is there for the next message.
    assert_eq!(told("swap"), "false false false false two é");

    let keys = told("key");
    let [key, again, other_key] = keys.split(' ').collect::<Vec<_>>()[..] else {
        panic!("{keys}");
    };
    assert_eq!((key.len(), key), (64, again));
    assert_ne!(key, other_key);
    assert_eq!(told("key"), keys);

    assert_eq!(
        told(&format!("post {origin}/a?b=c {}", "é".repeat(100_000))),
        "201 yes 22 POST /a?b=c all 200000"
    );
    let large = told(&format!("post {origin}/large x"));
    assert_eq!(large, format!("201 yes 200000 {}", "x".repeat(40)));

    let refused = told(&format!("post {elsewhere}/a x"));
    let line = format!("write `grant = {{ http = [\"{elsewhere}\"] }}`");
    assert!(refused.starts_with("refused: "), "{refused}");
    assert!(refused.contains(&line), "{refused}");
    assert_eq!(other.connections(), 0);
    let refused = told("post ftp://a.example/a x");
    assert!(refused.starts_with("refused: "), "{refused}");
    let unreachable = told(&format!("post {nobody}/a x"));
    assert!(unreachable.starts_with("unreachable: "), "{unreachable}");

    // What it was not granted it does not get: it does not even start.
    let refusal = granting(project, "state = true, http = []").refused();
    assert!(refusal.contains("grant = { keys = true }"), "{refusal}");
}

fn granting(project: &Project, grant: &str) -> Setup {
    // Beside the builds of others all takes its time.
    let settings = format!("grant = {{ {grant} }}\nlimits = {{ cpu = \"10s\", wall = \"60s\" }}");
    Gateway::with()
        .mirror()
        .guardrail(guest("guardrail_codename"), "name = \"hides\"")
        .guardrail(project.component(), &settings)
}
