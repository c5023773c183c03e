//! Three real servers as one.

use mcp_gateway_tests::{Gateway, Server, Setup, peer};
use serde_json::json;

use super::{items, read};

#[test]
fn three_real_servers_are_one() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "in a file").unwrap();
    let real = |name: &str, args: &[&str]| {
        let script = peer(&format!(
            "node_modules/@modelcontextprotocol/server-{name}/dist/index.js"
        ));
        let args: Vec<&str> = std::iter::once(script.to_str().unwrap())
            .chain(args.iter().copied())
            .collect();
        Server::command(name, "node", &args)
    };
    let memory = real("memory", &[]).env(
        "MEMORY_FILE_PATH",
        folder.path().join("memory.jsonl").to_str().unwrap(),
    );
    let servers = [
        real("everything", &["stdio"]),
        real("filesystem", &[folder.path().to_str().unwrap()]),
        memory,
    ];
    let kept = tempfile::tempdir().unwrap();
    let start = || {
        let setup = Gateway::with().setting("ready_timeout = \"30s\"");
        let setup = setup.catalog(&kept.path().join("catalog"));
        let setup = servers.iter().cloned().fold(setup, Setup::server);
        setup.start()
    };
    let gateway = start();
    let client = &gateway.client;
    let tools = client.tools();
    for tool in [
        "everything_echo",
        "filesystem_read_text_file",
        "memory_read_graph",
    ] {
        assert!(tools.iter().any(|name| name == tool), "{tool} in {tools:?}");
    }
    let path = folder.path().join("a.txt");
    let read_file = client.call("filesystem_read_text_file", json!({ "path": path }));
    assert_eq!(read_file.text(), "in a file");
    let entities = json!([{"name": "Ann", "entityType": "person", "observations": ["likes tea"]}]);
    client.call("memory_create_entities", json!({ "entities": entities }));
    assert!(
        client
            .call("memory_read_graph", json!({}))
            .text()
            .contains("likes tea")
    );

    let resources = client.request("resources/list", json!({}));
    let uris = items(&resources, "resources", "uri");
    let answer = read(&gateway, &uris[0]);
    assert_eq!(
        answer["result"]["contents"][0]["uri"],
        json!(uris[0]),
        "{answer}"
    );
    let templates = client.request("resources/templates/list", json!({}));
    let templates = items(&templates, "resourceTemplates", "uriTemplate");
    let template = templates
        .iter()
        .find(|template| template.contains("text"))
        .unwrap();
    let (stem, _) = template.split_once('{').unwrap();
    let answer = read(&gateway, &format!("{stem}1"));
    assert!(
        answer["result"]["contents"][0]["text"].is_string(),
        "{answer}"
    );
    let prompts = client.request("prompts/list", json!({}));
    assert!(
        items(&prompts, "prompts", "name")
            .iter()
            .all(|name| name.starts_with("everything_"))
    );

    // The next gateway has their tools before they are there, and they work.
    gateway.end();
    let gateway = start();
    assert_eq!(gateway.client.tools(), tools);
    let graph = gateway.client.call("memory_read_graph", json!({}));
    assert!(graph.text().contains("likes tea"));
}
