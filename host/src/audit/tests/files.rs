//! What is written into files.

use std::fs::File;

use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::{Row, RowAccessor};

use super::*;

#[test]
fn an_export_is_a_new_private_file_with_the_earliest_first() {
    let (folder, path) = written(&calls());
    let output = folder.path().join("calls.jsonl");
    let export = Action::Export {
        filter: Filter::default(),
        format: FileFormat::Jsonl,
        output: Some(output.clone()),
    };
    assert_eq!(said(&path, &export), "");
    let text = std::fs::read_to_string(&output).unwrap();
    let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!((text.lines().count(), &first["seq"]), (6, &1.into()));
    assert_eq!(first["arguments"]["table"], "users");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&output).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let again = tried(&path, &export);
    assert!(matches!(again, Err(AuditError::File { .. })), "{again:?}");
}

#[test]
fn parquet_has_a_row_for_each_call_with_its_findings() {
    let (folder, path) = written(&calls());
    let output = folder.path().join("calls.parquet");
    let export = Action::Export {
        filter: Filter::default(),
        format: FileFormat::Parquet,
        output: Some(output.clone()),
    };
    assert_eq!(said(&path, &export), "");
    let file = SerializedFileReader::new(File::open(&output).unwrap()).unwrap();
    let names: Vec<_> = file
        .metadata()
        .file_metadata()
        .schema()
        .get_fields()
        .iter()
        .map(|field| field.name().to_owned())
        .collect();
    let known: Vec<_> = ["seq"]
        .into_iter()
        .chain(crate::journal::COLUMNS)
        .chain(["findings"])
        .collect();
    assert_eq!(names, known);
    let rows: Vec<Row> = file
        .get_row_iter(None)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(rows.len(), 6);
    assert_eq!(rows[3].get_string(17).unwrap(), "blocked");
    assert!(rows[3].get_timestamp_millis(1).unwrap() > When::now().0 - 2 * HOUR);
    let [block, list] = [3, 4].map(|at| rows[at].to_string());
    let found = "findings: [{guardrail: \"sql\", digest: \"0123456789abcdef\", rule: \"drop-table\", \
         count: 2, place: \"/arguments/table\", message: \"request\", decision: \"block\", \
         enforced: true}]";
    assert!(block.contains(found), "{block}");
    assert!(block.contains("subject: \"DropTable\""), "{block}");
    assert!(
        list.contains("findings: []") && list.contains("subject: null"),
        "{list}"
    );
}
