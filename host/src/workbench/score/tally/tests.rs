//! Scores of a few texts, by hand.

use super::*;
use crate::workbench::score::corpus;

const HALF: Rules = Rules {
    any_label: false,
    exact: false,
    show: 0,
};

fn expected(spans: &[(&str, Range<usize>)]) -> Vec<Expected> {
    let spans = spans.iter().map(|(label, range)| Expected {
        label: (*label).to_owned(),
        range: range.clone(),
    });
    spans.collect()
}

fn found(spans: &[(&str, Range<usize>)]) -> Vec<Found> {
    let spans = spans.iter().map(|(label, range)| Found {
        label: (*label).to_owned(),
        confidence: 0.5,
        range: range.clone(),
    });
    spans.collect()
}

fn tally(text: &str, truth: Truth, f: &[(&str, Range<usize>)], rules: Rules) -> Tally {
    let mut tally = Tally::default();
    let place = corpus::Place::of_line("corpus.jsonl".as_ref(), 7);
    let labelled = Labelled {
        place: &place,
        text,
        origin: 0,
        truth,
        group: None,
    };
    tally.add(&labelled, &found(f), rules);
    tally
}

fn spans(
    text: &str,
    e: &[(&str, Range<usize>)],
    f: &[(&str, Range<usize>)],
    rules: Rules,
) -> Tally {
    tally(text, Truth::Spans(expected(e), None), f, rules)
}

/// Expected, found, reported, right.
fn counts(count: Count) -> [usize; 4] {
    [count.expected, count.found, count.reported, count.right]
}

#[test]
fn half_of_a_span_is_found_and_less_is_not() {
    let text = "0123456789";
    let tally = spans(text, &[("A", 0..8)], &[("A", 4..10)], HALF);
    assert_eq!(counts(tally.all()), [1, 1, 1, 1]);
    let characters = tally.all().characters;
    assert_eq!(
        [characters.expected, characters.reported, characters.common],
        [8, 6, 4]
    );
    let tally = spans(text, &[("A", 0..8)], &[("A", 5..10)], HALF);
    assert_eq!(counts(tally.all()), [1, 0, 1, 1]);
    // Several findings may cover it together.
    let tally = spans(text, &[("A", 0..8)], &[("A", 0..2), ("A", 5..7)], HALF);
    assert_eq!(counts(tally.all()), [1, 1, 2, 2]);
    let exact = Rules {
        exact: true,
        ..HALF
    };
    let tally = spans(text, &[("A", 0..8)], &[("A", 0..7)], exact);
    assert_eq!(counts(tally.all()), [1, 0, 1, 0]);
}

#[test]
fn a_finding_of_another_label_is_a_miss_and_a_false_alarm() {
    let tally = spans("0123456789", &[("A", 0..4)], &[("B", 0..4)], HALF);
    assert_eq!(counts(tally.labels["A"]), [1, 0, 0, 0]);
    assert_eq!(counts(tally.labels["B"]), [0, 0, 1, 0]);
    assert_eq!(counts(tally.any), [1, 1, 1, 1]);
    assert_eq!((tally.misses.len(), tally.alarms.len()), (1, 1));
    let blind = Rules {
        any_label: true,
        ..HALF
    };
    let tally = spans("0123456789", &[("A", 0..4)], &[("B", 0..4)], blind);
    assert_eq!(counts(tally.all()), [1, 1, 1, 1]);
    assert_eq!(tally.all().characters.common, 4);
}

#[test]
fn characters_are_counted_and_not_bytes() {
    let tally = spans("üüü 🙂", &[("A", 0..6)], &[("A", 2..6), ("A", 7..11)], HALF);
    let characters = tally.all().characters;
    assert_eq!(
        [characters.expected, characters.reported, characters.common],
        [3, 3, 2]
    );
}

#[test]
fn every_finding_in_a_clean_text_is_a_false_alarm() {
    let tally = spans("clean text", &[], &[("A", 0..5), ("A", 6..10)], HALF);
    let texts = tally.texts;
    assert_eq!((texts.clean, texts.flagged, texts.alarms), (1, 1, 2));
    assert_eq!(tally.all().precision(), Some(0.0));
    assert_eq!(tally.all().recall(), None);
}

#[test]
fn of_things_without_a_place_so_many_are_right() {
    let truth = || Truth::Spans(Vec::new(), Some(("A".to_owned(), 2)));
    let text = "0123456789";
    let both = tally(text, truth(), &[("A", 0..2), ("A", 3..4)], HALF);
    assert_eq!(counts(both.all()), [2, 2, 2, 2]);
    let one = tally(text, truth(), &[("A", 0..2), ("B", 3..4)], HALF);
    assert_eq!(counts(one.all()), [2, 1, 2, 1]);
    assert_eq!(one.misses.len(), 1);
}

#[test]
fn a_text_with_something_somewhere_is_noticed_by_any_finding() {
    let truth = || Truth::Somewhere("A".to_owned());
    let noticed = tally("0123", truth(), &[("B", 0..2), ("C", 2..4)], HALF);
    assert_eq!(counts(noticed.all()), [1, 1, 1, 1]);
    let missed = tally("0123", truth(), &[], HALF);
    assert_eq!(counts(missed.all()), [1, 0, 0, 0]);
    assert_eq!(missed.texts.noticed, 0);
}

#[test]
fn mistakes_are_told_from_where_the_text_of_the_row_starts() {
    let mut tally = Tally::default();
    let place = corpus::Place::of_line("corpus.jsonl".as_ref(), 7);
    let labelled = Labelled {
        place: &place,
        text: "texta secret",
        origin: 4,
        truth: Truth::Spans(expected(&[("A", 6..12)]), None),
        group: None,
    };
    tally.add(&labelled, &[], Rules { show: 20, ..HALF });
    assert_eq!(
        tally.misses[0].to_string(),
        "corpus.jsonl:7 A 2..8 \"a secret\""
    );
}

#[test]
fn no_more_of_a_text_is_kept_than_was_asked_for() {
    let text = "before secret after";
    for (most, shown) in [(0, ""), (3, "sec"), (6, "secret"), (10, "e secret a")] {
        let rules = Rules { show: most, ..HALF };
        let tally = spans(text, &[("A", 7..13)], &[], rules);
        assert_eq!(tally.misses.first().unwrap().excerpt, shown);
    }
}
