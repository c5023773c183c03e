//! What the mirror reads and says: just enough of MCP to find its way, and raw
//! JSON for the rest.

use serde::Deserialize;
use serde_json::value::RawValue;

pub(crate) const ODD: &str = r#"{"zeta":1,"content":[{"type":"text","text":"odd","x-vendor":true,"annotations":{"priority":0.5,"x-a":1},"_meta":{"k":"v"}},{"type":"com.example/custom","payload":{"b":1,"a":2}},{"type":"resource_link","uri":"demo://x","name":"x","x-v":1,"size":10}],"structuredContent":{"b":1.0,"a":12345678901234567890,"c":1e400,"z":-0.0,"nul":null},"isError":false,"x-result":{"deep":[1,2,{"k":null}]},"_meta":{"com.example/r":1}}"#;

pub(crate) const CAPABILITIES: &str = r#"{"tools":{"listChanged":true},"prompts":{},"resources":{"subscribe":true},"logging":{},"experimental":{"com.example/x":{"on":true}},"com.example/top":{"z":1}}"#;

/// What is added to them if it has tasks.
pub(crate) const TASKS: &str =
    r#""tasks":{"list":{},"cancel":{},"requests":{"tools":{"call":{}}}}"#;

pub(crate) const TOOLS: [&str; 16] = [
    "echo", "mirror", "odd", "raw", "say", "whisper", "fail", "progress", "hold", "release", "ask",
    "grow", "big", "flood", "complain", "crash",
];

/// A line from the client.
#[derive(Deserialize)]
pub(crate) struct Line<'a> {
    #[serde(borrow)]
    pub(crate) id: Option<&'a RawValue>,
    pub(crate) method: Option<String>,
    #[serde(borrow)]
    pub(crate) params: Option<&'a RawValue>,
}

/// What any of the methods here has in its params.
#[derive(Deserialize, Default)]
pub(crate) struct Params<'a> {
    pub(crate) name: Option<String>,
    #[serde(borrow)]
    pub(crate) arguments: Option<&'a RawValue>,
    pub(crate) uri: Option<String>,
    pub(crate) cursor: Option<String>,
    #[serde(rename = "taskId")]
    pub(crate) task_id: Option<String>,
    #[serde(rename = "protocolVersion")]
    pub(crate) version: Option<String>,
    #[serde(rename = "requestId", borrow)]
    pub(crate) request_id: Option<&'a RawValue>,
    #[serde(rename = "_meta", borrow)]
    pub(crate) meta: Option<Meta<'a>>,
}

#[derive(Deserialize, Default)]
pub(crate) struct Meta<'a> {
    #[serde(rename = "progressToken", borrow)]
    pub(crate) progress_token: Option<&'a RawValue>,
}

/// What any of the tools here has in its arguments.
#[derive(Deserialize, Default)]
pub(crate) struct Arguments<'a> {
    #[serde(borrow)]
    pub(crate) text: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) result: Option<&'a RawValue>,
    pub(crate) lines: Option<Vec<String>>,
    pub(crate) steps: Option<u64>,
    pub(crate) bytes: Option<usize>,
    pub(crate) key: Option<String>,
    pub(crate) method: Option<String>,
    #[serde(borrow)]
    pub(crate) params: Option<&'a RawValue>,
    pub(crate) line: Option<String>,
}

pub(crate) fn params<'a>(raw: &Option<&'a RawValue>) -> Params<'a> {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default()
}

pub(crate) fn arguments<'a>(params: &Params<'a>) -> Arguments<'a> {
    let raw = params.arguments.map(RawValue::get);
    raw.and_then(|raw| serde_json::from_str(raw).ok())
        .unwrap_or_default()
}

pub(crate) fn spoken(text: &str) -> String {
    text.replace('~', "")
}

pub(crate) fn quote(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}
