//! A document as headings, blocks of code and the rest.

use std::fs;
use std::path::{Path, PathBuf};

use mcp_gateway_tests::repository;

/// A document.
pub(crate) struct Document {
    /// Its path in the repository.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// A block of code.
pub(crate) struct Block<'a> {
    pub(crate) language: &'a str,
    pub(crate) text: String,
}

/// All documents that users read.
pub(crate) fn documents() -> Vec<Document> {
    let mut paths = vec!["README.md".into(), "README.zh-CN.md".into()];
    let mut folders = vec![PathBuf::from("docs")];
    for folder in ["plugins", "sdk", "examples", "host/templates"] {
        let entries = fs::read_dir(repository().join(folder)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name());
        folders.extend(names.map(|name| Path::new(folder).join(name)));
    }
    for folder in folders {
        let Ok(entries) = fs::read_dir(repository().join(&folder)) else {
            continue;
        };
        let names = entries.map(|entry| entry.unwrap().file_name());
        let files = names.filter(|name| name.to_str().unwrap().ends_with(".md"));
        paths.extend(files.map(|name| folder.join(name)));
    }
    paths.sort();
    paths.iter().map(document).collect()
}

/// One document, by its path in the repository.
pub(crate) fn document(path: impl AsRef<Path>) -> Document {
    let path = path.as_ref();
    let text = fs::read_to_string(repository().join(path)).unwrap();
    Document {
        name: path.to_str().unwrap().replace('\\', "/"),
        text,
    }
}

impl Document {
    /// The blocks of code, in their order.
    pub(crate) fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks: Vec<Block<'_>> = Vec::new();
        let mut is_open = false;
        for line in self.text.lines() {
            match line.trim_start().strip_prefix("```") {
                Some(_) if is_open => is_open = false,
                Some(language) => {
                    is_open = true;
                    let text = String::new();
                    blocks.push(Block { language, text });
                }
                None if is_open => {
                    let block = blocks.last_mut().unwrap();
                    block.text += line;
                    block.text.push('\n');
                }
                None => {}
            }
        }
        assert!(!is_open, "{}: a block has no end", self.name);
        blocks
    }

    /// The lines that are not code.
    pub(crate) fn prose(&self) -> Vec<&str> {
        let mut is_code = false;
        let lines = self.text.lines().filter(|line| {
            let is_fence = line.trim_start().starts_with("```");
            is_code ^= is_fence;
            !is_code && !is_fence
        });
        lines.collect()
    }

    /// The headings, each with its level.
    pub(crate) fn headings(&self) -> Vec<(usize, &str)> {
        let headings = self.prose().into_iter().filter_map(|line| {
            let title = line.trim_start_matches('#');
            let level = line.len() - title.len();
            (level > 0 && title.starts_with(' ')).then(|| (level, title.trim()))
        });
        headings.collect()
    }

    /// The rows of the tables below a heading, as cells.
    pub(crate) fn rows(&self, heading: &str) -> Vec<Vec<&str>> {
        let mut lines = self.prose().into_iter();
        let is_here = |line: &str| line.trim_start_matches('#').trim() == heading;
        lines
            .by_ref()
            .find(|line| line.starts_with('#') && is_here(line))
            .unwrap_or_else(|| panic!("{} has no heading {heading:?}", self.name));
        lines
            .take_while(|line| !line.starts_with('#'))
            .filter(|line| line.starts_with("| `"))
            .map(|line| {
                let cells = line.trim_matches('|').split('|');
                cells.map(str::trim).collect()
            })
            .collect()
    }

    /// What stands between backticks in the prose.
    pub(crate) fn inline(&self) -> Vec<String> {
        let text = self.prose().join("\n");
        let parts = text.split('`').skip(1).step_by(2);
        parts.map(|part| part.replace('\n', " ")).collect()
    }

    /// Where its links lead.
    pub(crate) fn links(&self) -> Vec<String> {
        let text = self.prose().join("\n");
        let ends = text.split("](").skip(1);
        let links = ends.map(|rest| rest.split(')').next().unwrap_or_default());
        links.map(str::to_owned).collect()
    }
}
