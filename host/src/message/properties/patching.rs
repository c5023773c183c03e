//! Patches agree with a naive model on parsed values.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

use super::documents::ordinary_document;
use super::{PatchOp, json, response};

/// The pointers to all values, and to places where a value could be added.
fn pointers(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        Value::Array(items) => {
            out.extend(["-", "01", "x"].map(|token| format!("{at}/{token}")));
            out.extend([0, 1].map(|beyond| format!("{at}/{}", items.len() + beyond)));
            for (index, item) in items.iter().enumerate() {
                pointers(item, &format!("{at}/{index}"), out);
            }
        }
        Value::Object(members) => {
            out.push(format!("{at}/new"));
            for (key, member) in members {
                let token = key.replace('~', "~0").replace('/', "~1");
                pointers(member, &format!("{at}/{token}"), out);
            }
        }
        _ => out.push(format!("{at}/0")),
    }
}

/// Applies one operation; nothing if it does not fit.
fn apply(document: &mut Value, op: &PatchOp) -> Option<()> {
    let (PatchOp::Add { path, .. } | PatchOp::Replace { path, .. } | PatchOp::Remove { path }) = op;
    let new = match op {
        PatchOp::Add { value, .. } | PatchOp::Replace { value, .. } => {
            Some(serde_json::from_str::<Value>(value).ok()?)
        }
        PatchOp::Remove { .. } => None,
    };
    let Some((parent, token)) = path.rsplit_once('/') else {
        *document = new?;
        return Some(());
    };
    let token = token.replace("~1", "/").replace("~0", "~");
    match (document.pointer_mut(parent)?, op) {
        (Value::Object(members), PatchOp::Add { .. }) => drop(members.insert(token, new?)),
        (Value::Object(members), PatchOp::Replace { .. }) => *members.get_mut(&token)? = new?,
        (Value::Object(members), PatchOp::Remove { .. }) => drop(members.shift_remove(&token)?),
        (Value::Array(items), op) => {
            let append = token == "-" && matches!(op, PatchOp::Add { .. });
            let index = if append {
                items.len()
            } else {
                token.parse().ok()?
            };
            if !append && index.to_string() != token {
                return None;
            }
            match op {
                PatchOp::Add { .. } if index <= items.len() => items.insert(index, new?),
                PatchOp::Replace { .. } => *items.get_mut(index)? = new?,
                PatchOp::Remove { .. } if index < items.len() => drop(items.remove(index)),
                _ => return None,
            }
        }
        _ => return None,
    }
    Some(())
}

proptest! {
    #[test]
    fn a_patch_agrees_with_a_model(
        payload in ordinary_document(),
        picks in vec((0..3, any::<Index>(), ordinary_document()), 1..5),
    ) {
        let mut message = response(&payload);
        for (op, path, value) in picks {
            let mut model: Value = serde_json::from_str(message.payload().unwrap()).unwrap();
            let mut paths = Vec::new();
            pointers(&model, "", &mut paths);
            let path = paths[path.index(paths.len())].clone();
            let op = match op {
                0 => PatchOp::Add { path, value },
                1 => PatchOp::Replace { path, value },
                _ => PatchOp::Remove { path },
            };
            let expected = apply(&mut model, &op);
            let patched = message.patch(std::slice::from_ref(&op));
            prop_assert_eq!(patched.is_ok(), expected.is_some(), "{:?}", op);
            if let Ok(patched) = patched {
                message = super::Message::parse(patched.raw()).unwrap();
                prop_assert_eq!(message.payload(), patched.payload());
                let read: Value = serde_json::from_str(message.payload().unwrap()).unwrap();
                prop_assert_eq!(&read, &model);
                // The order of keys too, which values do not compare.
                prop_assert_eq!(read.to_string(), model.to_string());
            }
        }
    }

    #[test]
    fn a_removed_element_leaves_the_others_as_they_were(
        items in vec(ordinary_document(), 1..6),
        pick in any::<Index>(),
    ) {
        let message = response(&format!("[ {} ]", items.join(" , ")));
        let removed = pick.index(items.len());
        let path = format!("/{removed}");
        let patched = message.patch(&[PatchOp::Remove { path }]).unwrap();
        let mut expected = items.clone();
        expected.remove(removed);
        prop_assert_eq!(json::elements(patched.payload().unwrap()).unwrap(), expected);
    }
}
