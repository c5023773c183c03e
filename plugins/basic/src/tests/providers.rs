//! The list of what is carried says what is carried.

use crate::table::{Row, parse};

const LIST: &str = include_str!("../../PROVIDERS.md");
const NOT_CARRIED: &str = include_str!("../../rules/not-carried.txt");

/// The files of rules, and what the list calls them.
const CHAPTERS: [(&str, &str); 7] = [
    (
        "Source code, packages and their builds",
        include_str!("../../rules/code.toml"),
    ),
    ("Clouds and hosting", include_str!("../../rules/cloud.toml")),
    (
        "Models and what serves them",
        include_str!("../../rules/ai.toml"),
    ),
    (
        "Chat, mail and telephony",
        include_str!("../../rules/chat.toml"),
    ),
    (
        "Payment, shops and business software",
        include_str!("../../rules/business.toml"),
    ),
    (
        "Monitoring and operations",
        include_str!("../../rules/operations.toml"),
    ),
    (
        "Of no one provider",
        include_str!("../../rules/general.toml"),
    ),
];

fn line(row: &Row) -> String {
    let known = match row.value {
        Some(_) => "its name",
        None => "its form",
    };
    let what = row.description.replace('|', "&#124;");
    format!(
        "| `{}` | [{what}]({}) | {} | {known} |\n",
        row.id,
        row.source,
        row.severity.as_str()
    )
}

#[test]
fn the_list_of_providers_is_that_of_the_rules() {
    let (mut chapters, mut count) = (String::new(), 0);
    for (title, file) in CHAPTERS {
        let rows = parse(file).unwrap().rules;
        count += rows.len();
        chapters += &format!(
            "\n## {title}\n\n| Rule | What it finds | Severity | Known by |\n|---|---|---|---|\n"
        );
        chapters.extend(rows.iter().map(line));
    }
    assert!(LIST.contains(&format!(" {count} rules.")), "{count} rules");
    let carried = LIST.find("\n## ").unwrap()..LIST.find("\n## Not carried").unwrap();
    assert_eq!(&LIST[carried], chapters);
}

#[test]
fn what_is_not_carried_is_no_provider_of_a_rule() {
    let names: Vec<&str> = NOT_CARRIED.lines().collect();
    assert!(LIST.ends_with(&format!("\n\n{}.\n", names.join(", "))));
    for name in names {
        let id = name.to_ascii_lowercase().replace(['.', ' '], "-");
        for (_, file) in CHAPTERS {
            let rows = parse(file).unwrap().rules;
            let of_it = |row: &&Row| row.id == id || row.id.starts_with(&format!("{id}-"));
            assert!(rows.iter().find(of_it).is_none(), "{name} is carried");
        }
    }
}
