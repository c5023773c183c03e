//! Records as the Python gateway logged them: a line of JSON for each event, in a file a
//! day, in the folder that `XETRACK_LOGS_PATH` names.
//!
//! What stands in them is what is in the database. The view `events` has the same shape.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::record::{Kind, Outcome, Record};

/// Where events are logged, and in what shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Events {
    folder: PathBuf,
    /// Whether each argument is a member of its own.
    flatten_arguments: bool,
    /// Whether each content of a result is an event of its own.
    flatten_response: bool,
}

impl Events {
    /// As the variables of the Python gateway say: `XETRACK_LOGS_PATH`, without which nothing
    /// is logged, `XETRACK_FLATTEN_ARGUMENTS` and `XETRACK_FLATTEN_RESPONSE`.
    pub fn from_env() -> Option<Self> {
        let folder = env::var_os("XETRACK_LOGS_PATH").filter(|path| !path.is_empty())?;
        let is_on = |name| env::var(name).map_or(true, |text| text.eq_ignore_ascii_case("true"));
        Some(Self {
            folder: folder.into(),
            flatten_arguments: is_on("XETRACK_FLATTEN_ARGUMENTS"),
            flatten_response: is_on("XETRACK_FLATTEN_RESPONSE"),
        })
    }

    /// Logs records.
    pub(super) fn log(&self, records: &[Record]) -> io::Result<()> {
        let mut lines = String::new();
        for event in records.iter().flat_map(|record| self.events(record)) {
            lines.push_str(&event.to_string());
            lines.push('\n');
        }
        if lines.is_empty() {
            return Ok(());
        }
        fs::create_dir_all(&self.folder)?;
        let today = OffsetDateTime::now_utc().date();
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        // In one piece, so that lines of several gateways do not mix.
        let mut file = options.open(self.folder.join(format!("{today}.log")))?;
        file.write_all(lines.as_bytes())
    }

    fn events(&self, record: &Record) -> Vec<Value> {
        if record.kind != Kind::Call || record.direction != "to-server" {
            return Vec::new();
        }
        let mut event = Map::new();
        let mut set = |key: &str, value: Value| event.insert(key.to_owned(), value);
        set("timestamp", timestamp(record.time).into());
        set("track_id", (*record.session).into());
        set("call_id", call_id(record).into());
        set("server_name", record.server.as_deref().into());
        let (capability, response) = match &*record.method {
            "tools/call" => ("tool", "CallToolResult"),
            "prompts/get" => ("prompt", "GetPromptResult"),
            "resources/read" => ("resource", "tuple"),
            other => (other, "unknown"),
        };
        set("capability_type", capability.into());
        set("capability_name", record.subject.as_deref().into());
        set("response_type", response.into());
        set("isError", (record.outcome != Outcome::Ok).into());
        set("outcome", record.outcome.as_str().into());
        let json = |text: &Option<String>| text.as_deref().map(parsed).unwrap_or_default();
        match json(&record.arguments.text) {
            Value::Object(arguments) if self.flatten_arguments => event.extend(arguments),
            arguments => {
                event.insert("arguments".to_owned(), arguments);
            }
        }
        let mut contents = Vec::new();
        if let Value::Object(mut result) = json(&record.result.text) {
            if self.flatten_response {
                let lists = ["content", "contents", "messages"];
                let list = lists.into_iter().find_map(|name| result.remove(name));
                contents = list.map(items).unwrap_or_default();
            }
            result.remove("isError");
            event.extend(result);
        }
        if contents.is_empty() {
            return vec![event.into()];
        }
        let with = |content: Value| {
            let mut event = event.clone();
            if let Value::Object(content) = content {
                let members = content.into_iter();
                event.extend(members.map(|(key, value)| (format!("content_{key}"), value)));
            }
            event.into()
        };
        contents.into_iter().map(with).collect()
    }
}

/// What is no JSON since its end is cut off stays a text.
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

fn items(list: Value) -> Vec<Value> {
    match list {
        Value::Array(items) => items,
        one => vec![one],
    }
}

fn timestamp(time: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(time) * 1_000_000);
    at.ok()
        .and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_default()
}

fn call_id(record: &Record) -> String {
    let exchange = record.exchange.unwrap_or_default();
    format!("{}-{exchange}-{}", record.session, record.time)
}
