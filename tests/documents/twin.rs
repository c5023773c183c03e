//! `README.zh-CN.md` says what `README.md` says: the same headings, code and links.

use super::markdown::{Document, document};

fn twins() -> (Document, Document) {
    (document("README.md"), document("README.zh-CN.md"))
}

/// Code without its comments, which are in the language of the document.
fn bare(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| match line.split_once("# ") {
        Some((code, _)) if code.is_empty() || code.ends_with(' ') => code.trim().to_owned(),
        _ => line.trim().to_owned(),
    });
    lines.filter(|line| !line.is_empty()).collect()
}

#[test]
fn the_chinese_readme_has_the_same_sections() {
    let (english, chinese) = twins();
    let levels = |document: &Document| -> Vec<usize> {
        document
            .headings()
            .into_iter()
            .map(|(level, _)| level)
            .collect()
    };
    assert_eq!(
        levels(&chinese),
        levels(&english),
        "{:#?}\n{:#?}",
        chinese.headings(),
        english.headings()
    );
}

#[test]
fn the_chinese_readme_has_the_same_code() {
    let (english, chinese) = twins();
    let (english, chinese) = (english.blocks(), chinese.blocks());
    for (ours, theirs) in chinese.iter().zip(&english) {
        assert_eq!(ours.language, theirs.language, "{}", theirs.text);
        // A picture has words in it.
        if !ours.language.is_empty() {
            assert_eq!(bare(&ours.text), bare(&theirs.text));
        }
    }
    assert_eq!(chinese.len(), english.len());
}

#[test]
fn the_chinese_readme_leads_to_the_same_places() {
    let places = |document: &Document, twin: &str| {
        let links = document.links().into_iter();
        let mut places: Vec<_> = links
            .map(|link| link.split('#').next().unwrap_or_default().to_owned())
            .filter(|link| link != twin)
            .collect();
        places.sort();
        places
    };
    let (english, chinese) = twins();
    assert_eq!(
        places(&chinese, "README.md"),
        places(&english, "README.zh-CN.md")
    );
}

#[test]
fn the_chinese_readme_has_the_same_tables() {
    let (english, chinese) = twins();
    let rows = |document: &Document| -> Vec<usize> {
        let lines = document.prose().into_iter();
        let rows = lines.filter(|line| line.starts_with('|'));
        rows.map(|row| row.matches(" | ").count()).collect()
    };
    assert_eq!(rows(&chinese), rows(&english));
}
