//! Hints that a tool gives about itself, by which clients decide whether to ask a
//! person, and that its name contradicts.

use serde_json::Value;

/// What tools begin with that change something.
const CHANGES: &[&str] = &[
    "add",
    "append",
    "create",
    "delete",
    "destroy",
    "drop",
    "edit",
    "erase",
    "execute",
    "insert",
    "kill",
    "modify",
    "move",
    "overwrite",
    "patch",
    "post",
    "publish",
    "purge",
    "push",
    "remove",
    "rename",
    "replace",
    "send",
    "transfer",
    "truncate",
    "update",
    "upload",
    "wipe",
    "write",
];

/// What tools begin with that destroy something.
const DESTROYS: &[&str] = &[
    "delete",
    "destroy",
    "drop",
    "erase",
    "overwrite",
    "purge",
    "remove",
    "truncate",
    "wipe",
];

/// The hint that a tool's first word contradicts, and that word.
pub(super) fn contradicted(tool: &Value) -> Option<(&'static str, String)> {
    let name = tool.get("name").and_then(Value::as_str)?;
    let verb = super::tools::words(name).into_iter().next()?;
    let says = |hint: &str, value: bool| {
        tool.pointer(&format!("/annotations/{hint}")) == Some(&Value::Bool(value))
    };
    let hint = if says("readOnlyHint", true) && CHANGES.contains(&verb.as_str()) {
        "readOnlyHint"
    } else if says("destructiveHint", false) && DESTROYS.contains(&verb.as_str()) {
        "destructiveHint"
    } else {
        return None;
    };
    Some((hint, verb))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tool_that_deletes_is_neither_harmless_nor_one_that_only_reads() {
        for (name, annotations, expected) in [
            (
                "delete_file",
                json!({"readOnlyHint": true}),
                Some("readOnlyHint"),
            ),
            (
                "sendMail",
                json!({"readOnlyHint": true}),
                Some("readOnlyHint"),
            ),
            (
                "drop-table",
                json!({"destructiveHint": false}),
                Some("destructiveHint"),
            ),
            ("delete_file", json!({"destructiveHint": true}), None),
            ("create_file", json!({"destructiveHint": false}), None),
            ("list_deleted", json!({"readOnlyHint": true}), None),
            ("delete_file", json!({}), None),
        ] {
            let tool = json!({"name": name, "annotations": annotations});
            let found = contradicted(&tool).map(|(hint, _)| hint);
            assert_eq!(found, expected, "{tool}");
        }
    }
}
