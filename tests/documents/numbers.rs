//! The numbers of `docs/comparison.md` are those that were measured.

use super::markdown::document;

/// The rows of a table whose cells are these at the start.
fn measured(source: &str, context: &str, texts: &str) -> Option<f64> {
    let scores = document("plugins/injection/train/SCORES.md");
    let rows = scores.prose().into_iter().map(|line| {
        let cells = line.trim_matches('|').split('|');
        cells.map(str::trim).collect::<Vec<_>>()
    });
    let mut rows = rows.filter(|cells| cells.len() == 6);
    let row = rows.find(|cells| cells[..3] == [source, context, texts])?;
    row[3].parse().ok()
}

#[test]
fn what_is_said_to_be_found_of_attacks_is_what_the_scores_say() {
    let comparison = document("docs/comparison.md");
    let rows = comparison.rows("Prompt injection");
    assert!(rows.len() > 8, "{rows:?}");
    for row in rows {
        let [source, context, _, texts, share] = row[..] else {
            panic!("{row:?}");
        };
        let source = source.trim_matches('`');
        let share = share.trim_end_matches(" %");
        let digits = share.split_once('.').map_or(0, |(_, digits)| digits.len());
        let measured = measured(source, context, texts);
        let measured = measured.map(|share| format!("{:.digits$}", share * 100.0));
        assert_eq!(measured.as_deref(), Some(share), "{row:?}");
    }
}

#[test]
fn the_rules_of_basic_are_as_many_as_its_page_says() {
    let providers = document("plugins/basic/PROVIDERS.md");
    let (before, _) = providers.text.split_once(" rules").unwrap();
    let count = before.rsplit(' ').next().unwrap();
    assert!(count.parse::<u32>().is_ok(), "{count}");
    let comparison = document("docs/comparison.md").text;
    assert_eq!(comparison.matches(&format!("{count} rules")).count(), 1);
}
