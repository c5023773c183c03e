//! Scores on a corpus of a few rows, each there for a reason.

use mcp_gateway_tests::guest;

use super::{folder, plugin};

/// Two addresses of which one is under another label, a number that nobody finds, a text
/// with an address that is not expected, and one that is clean.
const PEOPLE: &str = r#"{"text":"ü: write to ann@corp-mail.net today","spans":[{"label":"EMAIL_ADDRESS","start":12,"end":29}],"language":"en"}
{"text":"bob@corp-mail.net","annotations":[{"entity_type":"CONTACT","start":0,"end":17}],"language":"en"}
{"text":"ticket 17","spans":[{"label":"TICKET","start":7,"end":9}],"language":"en"}
{"text":"eve@corp-mail.net is no secret","spans":[],"language":"de"}
{"text":"nothing at all","spans":[],"language":"en"}
"#;

/// As the answer, without what differs from time to time.
fn steady(text: &str) -> String {
    let lines = text.lines().map(|line| match line.split_once(" in ") {
        Some((start, _)) if start.starts_with("speed: ") => format!("{start} in …"),
        _ => line.trim_end().to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_score_says_what_was_found_of_what_is_to_be_found() {
    let folder = folder(&[("people.jsonl", PEOPLE)]);
    let answer = plugin(folder.path(), &["score", "pii", "people.jsonl"]);
    assert_eq!(answer.code, 0, "{}", answer.error);
    insta::assert_snapshot!(steady(&answer.text), @r"
    pii (bundled)

    label         expected    found   recall reported    right precision     F1  characters: recall precision
    CONTACT              1        0    0.000        0        0         -      -               0.000         -
    EMAIL_ADDRESS        1        1    1.000        3        1     0.333  0.500               1.000     0.333
    TICKET               1        0    0.000        0        0         -      -               0.000         -
    all                  3        1    0.333        3        1     0.333  0.333               0.472     0.333
    (any label)          3        2    0.667        3        2     0.667  0.667               0.944     0.667

    texts with something: 2 of 3 noticed (0.667)
    texts with exactly what is expected: 2 of 5 (0.400)
    clean texts: 1 of 2 flagged (0.500), 1 finding in 0.0 kB
    speed: 0.1 kB in …

    misses (2 of 2):
      people.jsonl:2 CONTACT 0..17
      people.jsonl:3 TICKET 7..9

    false alarms (2 of 2):
      people.jsonl:2 EMAIL_ADDRESS 0..17 (1.00)
      people.jsonl:4 EMAIL_ADDRESS 0..17 (1.00)
    ");
}

#[test]
fn of_a_text_only_so_much_is_shown_as_was_asked_for() {
    let folder = folder(&[("people.jsonl", PEOPLE)]);
    let answer = plugin(folder.path(), &["score", "pii", "people.jsonl"]);
    assert!(!answer.text.contains("corp"), "{}", answer.text);
    let words = [
        "score",
        "pii",
        "people.jsonl",
        "--show",
        "3",
        "--only",
        "EMAIL_ADDRESS",
    ];
    let answer = plugin(folder.path(), &words);
    assert!(answer.text.contains("\"eve\""), "{}", answer.text);
    assert!(!answer.text.contains("eve@"), "{}", answer.text);
}

#[test]
fn labels_of_corpus_and_guardrail_are_brought_together() {
    let folder = folder(&[
        ("people.jsonl", PEOPLE),
        ("names.toml", "CONTACT = \"EMAIL_ADDRESS\"\n"),
    ]);
    let score = |words: &[&str]| {
        let all = [&["score", "pii", "people.jsonl", "--json"], words].concat();
        let answer = plugin(folder.path(), &all);
        let all = &answer.json()["all"];
        ["expected", "found", "reported", "right"].map(|name| all[name].as_u64().unwrap())
    };
    assert_eq!(score(&[]), [3, 1, 3, 1]);
    assert_eq!(score(&["--alias", "CONTACT=EMAIL_ADDRESS"]), [3, 2, 3, 2]);
    assert_eq!(score(&["--aliases", "names.toml"]), [3, 2, 3, 2]);
    assert_eq!(score(&["--any-label"]), [3, 2, 3, 2]);
    assert_eq!(score(&["--where", "language=en"]), [3, 1, 2, 1]);
    assert_eq!(score(&["--only", "TICKET"]), [1, 0, 0, 0]);
}

#[test]
fn below_a_mark_the_exit_code_is_one_and_without_an_answer_two() {
    let folder = folder(&[
        ("people.jsonl", PEOPLE),
        ("clean.txt", "nothing but words"),
        ("silent.jsonl", r#"{"text":"does not say"}"#),
        (
            "cut.jsonl",
            r#"{"text":"x","spans":[{"label":"A","start":5,"end":9}]}"#,
        ),
    ]);
    let code = |words: &[&str]| {
        let words = [&["score", "pii"], words].concat();
        let answer = plugin(folder.path(), &words);
        (answer.code, answer.text + &answer.error)
    };
    assert_eq!(code(&["people.jsonl", "--min-recall", "0.3"]).0, 0);
    let (one, text) = code(&["people.jsonl", "--min-recall", "0.4"]);
    assert_eq!(one, 1);
    assert!(
        text.contains("NOT REACHED: recall is 0.333, below 0.4"),
        "{text}"
    );
    assert_eq!(code(&["people.jsonl", "--max-alarms", "0"]).0, 1);
    assert_eq!(code(&["clean.txt", "--max-alarms", "0"]).0, 0);
    for (words, why) in [
        (&["nowhere.jsonl"][..], "nowhere.jsonl"),
        (
            &["silent.jsonl"],
            "silent.jsonl:1: it does not say what is to be found",
        ),
        (&["cut.jsonl"], "its offset 5 is no place in the text"),
        (
            &["people.jsonl", "--config", r#"{"entities":["NOPE"]}"#],
            "refuses its configuration",
        ),
        (
            &["people.jsonl", "--where", "language=fr"],
            "no row is left",
        ),
        (
            &["people.jsonl", "--map", "body=x"],
            "a row has text, message",
        ),
    ] {
        let (code, text) = code(words);
        assert_eq!(code, 2, "{words:?}: {text}");
        assert!(text.contains(why), "{why:?} is not in: {text}");
    }
}

#[test]
fn packed_files_and_flags_are_read_as_they_are() {
    // A key that nobody has, put together here so that no scanner takes it for one.
    let key = ["AKIA", "QYLPMN5HHHFPZAM2"].concat();
    let rows = format!(
        "{{\"text\":\"aws_access_key_id = {key}\",\"is_secret\":true,\"rule\":\"aws\"}}\n\
         {{\"text\":\"a harmless line\",\"is_secret\":false,\"rule\":\"aws\"}}\n"
    );
    let folder = folder(&[("secrets.jsonl", &rows)]);
    let packed = std::process::Command::new("gzip")
        .arg("secrets.jsonl")
        .current_dir(folder.path())
        .status();
    assert!(packed.unwrap().success());
    let answer = plugin(
        folder.path(),
        &["score", "basic", "secrets.jsonl.gz", "--json"],
    );
    let report = answer.json();
    assert_eq!(report["all"]["recall"], 1.0, "{report}");
    assert_eq!(report["texts"]["withSomething"], 1);
    assert_eq!(report["texts"]["flagged"], 0);
}

#[test]
fn a_rule_alone_is_scored_by_the_label_of_its_rows() {
    let rows = r#"{"text":"ann@corp-mail.net","entity":"EMAIL_ADDRESS","expected":[[0,17]],"expected_len":1}
{"text":"10.1.2.3","entity":"IP_ADDRESS","expected":[],"expected_len":1}
{"text":"X1","entity":"SPACESHIP","expected":[[0,2]],"expected_len":1}
"#;
    let folder = folder(&[("cases.jsonl", rows)]);
    let template = r#"{"entities":["{label}"],"ip_scope":"all","threshold":0}"#;
    let words = [
        "score",
        "pii",
        "cases.jsonl",
        "--exact",
        "--json",
        "--each-label",
        template,
    ];
    let report = plugin(folder.path(), &words).json();
    assert_eq!(report["all"]["found"], 2, "{report}");
    assert_eq!(report["refusedLabels"][0]["label"], "SPACESHIP");
}

#[test]
fn a_row_can_be_a_whole_message_of_either_way() {
    let rows = r#"{"message":{"jsonrpc":"2.0","id":1,"result":{"people":[{"mail":"ann@corp-mail.net"}]}},"spans":[{"label":"EMAIL_ADDRESS","pointer":"/people/0/mail","start":0,"end":17}]}
{"message":{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"to":"ann@corp-mail.net"}}},"spans":[{"label":"EMAIL_ADDRESS","pointer":"/arguments/to","start":0,"end":17}]}
"#;
    let folder = folder(&[("messages.jsonl", rows)]);
    let words = ["score", "pii", "messages.jsonl", "--exact", "--json"];
    let found = |more: &[&str]| {
        let report = plugin(folder.path(), &[&words, more].concat()).json();
        report["all"]["found"].as_u64().unwrap()
    };
    // What goes to a server is not looked at, unless that is configured.
    assert_eq!(found(&[]), 1);
    assert_eq!(found(&["--config", "requests = 'mask'"]), 2);
}

#[test]
fn a_text_without_a_verdict_is_below_every_mark() {
    let folder = folder(&[("people.jsonl", PEOPLE)]);
    let failing = guest("guest_failing");
    let answer = plugin(
        folder.path(),
        &["score", failing.to_str().unwrap(), "people.jsonl"],
    );
    assert_eq!(answer.code, 1, "{}", answer.error);
    assert!(
        answer.text.contains("NO VERDICT on 5 texts"),
        "{}",
        answer.text
    );
    assert!(
        answer.text.contains("no message is good enough for it"),
        "{}",
        answer.text
    );
}
