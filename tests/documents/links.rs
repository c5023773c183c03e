//! Links within the repository lead somewhere.

use std::path::Path;

use mcp_gateway_tests::repository;

use super::markdown::{Document, document, documents};

/// What a code host makes of a heading, to link to.
fn anchors(document: &Document) -> Vec<String> {
    let headings = document.headings().into_iter();
    let anchors = headings.map(|(_, title)| {
        let kept = title.to_lowercase();
        let kept = kept
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.collect::<String>().replace(' ', "-")
    });
    anchors.collect()
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_that_are_there() {
    let mut broken = Vec::new();
    for source in documents() {
        for link in source.links() {
            // Elsewhere, or an item of Rust: these pages are the documentation of crates, too.
            if link.contains("://") || link.contains("::") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let folder = Path::new(&source.name).parent().unwrap();
            let target = match path {
                "" => Path::new(&source.name).to_owned(),
                path => folder.join(path),
            };
            let is_there = repository().join(&target).exists()
                && (anchor.is_empty() || anchors(&document(&target)).iter().any(|it| it == anchor));
            if !is_there {
                broken.push(format!("{}: {link}", source.name));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
