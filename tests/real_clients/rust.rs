//! The official Rust client, `rmcp`: does what a plan says and returns what it
//! saw.

use rmcp::ServiceExt;
use rmcp::model::{CallToolRequestParams, GetPromptRequestParams, ReadResourceRequestParams};
use rmcp::transport::TokioChildProcess;
use serde_json::{Value, json};

/// Follows a plan.
pub(crate) fn client(plan: &Value) -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(follow(plan))
}

async fn follow(plan: &Value) -> Value {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut command = tokio::process::Command::new(text(&plan["command"]));
    command.args(plan["args"].as_array().unwrap().iter().map(text));
    for (name, value) in plan["env"].as_object().unwrap() {
        command.env(name, text(value));
    }
    let (transport, _) = TokioChildProcess::builder(command)
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let client = ().serve(transport).await.unwrap();
    let prefix = text(&plan["prefix"]);
    let ours = |mut items: Value| {
        for item in items.as_array_mut().unwrap() {
            let name = item["name"].as_str().unwrap();
            item["name"] = json!(name.strip_prefix(&prefix).unwrap());
        }
        items
    };
    let asked = |list: &str| plan[list].as_array().unwrap().clone();

    let mut saw = json!({
        "welcome": client.peer_info(),
        "tools": ours(json!(client.list_all_tools().await.unwrap())),
        "calls": [],
        "got": [],
        "read": [],
    });
    if !asked("prompts").is_empty() {
        saw["prompts"] = ours(json!(client.list_all_prompts().await.unwrap()));
    }
    if !asked("resources").is_empty() {
        saw["resources"] = json!(client.list_all_resources().await.unwrap());
    }
    let answer = |answer: Result<Value, rmcp::ServiceError>| match answer {
        Ok(value) => value,
        Err(error) => json!({"error": error.to_string()}),
    };
    for call in asked("calls") {
        let params = json!({"name": format!("{prefix}{}", text(&call[0])), "arguments": call[1]});
        let params: CallToolRequestParams = serde_json::from_value(params).unwrap();
        let called = client.call_tool(params).await.map(|result| json!(result));
        saw["calls"].as_array_mut().unwrap().push(answer(called));
    }
    for prompt in asked("prompts") {
        let params =
            json!({"name": format!("{prefix}{}", text(&prompt[0])), "arguments": prompt[1]});
        let params: GetPromptRequestParams = serde_json::from_value(params).unwrap();
        let got = client.get_prompt(params).await.map(|result| json!(result));
        saw["got"].as_array_mut().unwrap().push(answer(got));
    }
    for uri in asked("resources") {
        let params: ReadResourceRequestParams =
            serde_json::from_value(json!({ "uri": uri })).unwrap();
        let read = client
            .read_resource(params)
            .await
            .map(|result| json!(result));
        saw["read"].as_array_mut().unwrap().push(answer(read));
    }
    client.cancel().await.unwrap();
    saw
}
