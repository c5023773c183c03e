//! Rust sources as lines, with what is for tests only left out.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A file of a crate.
pub(crate) struct File {
    /// Its path in the folder that was asked for, with slashes.
    pub(crate) name: String,
    /// All of it.
    pub(crate) text: String,
    /// Whether it is compiled for tests only.
    for_tests: bool,
}

/// All Rust files in a folder, but for those that were made by a build.
pub(crate) fn rust_files(folder: &Path) -> Vec<File> {
    let mut paths = Vec::new();
    collect(folder, &mut paths);
    let mut files: Vec<File> = paths
        .into_iter()
        .map(|path| File {
            name: path
                .strip_prefix(folder)
                .unwrap()
                .to_str()
                .unwrap()
                .replace('\\', "/"),
            text: fs::read_to_string(&path).unwrap(),
            for_tests: false,
        })
        .collect();
    let for_tests: BTreeSet<String> = files.iter().flat_map(File::modules_for_tests).collect();
    for file in &mut files {
        file.for_tests = for_tests.iter().any(|module| {
            file.name == format!("{module}.rs") || file.name.starts_with(&format!("{module}/"))
        });
    }
    files
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, paths);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            paths.push(path);
        }
    }
}

impl File {
    /// The module of the crate that it is part of.
    pub(crate) fn module(&self) -> String {
        let first = self.name.split('/').next().unwrap();
        first.trim_end_matches(".rs").to_owned()
    }

    /// Its name without folder and ending.
    pub(crate) fn stem(&self) -> String {
        let last = self.name.rsplit('/').next().unwrap();
        last.trim_end_matches(".rs").to_owned()
    }

    /// The lines that are code and compiled into the product, with their
    /// numbers.
    pub(crate) fn code(&self) -> Vec<(usize, &str)> {
        if self.for_tests {
            return Vec::new();
        }
        let lines: Vec<&str> = self.text.lines().collect();
        let end = (0..lines.len())
            .find(|&at| {
                is_for_tests(lines[at])
                    && declared(&lines[at..]).is_some_and(|line| line.ends_with('{'))
            })
            .unwrap_or(lines.len());
        let numbered = (1..).zip(lines).take(end);
        numbered
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
            .collect()
    }

    /// The modules of this crate that it mentions, with the lines where it does.
    pub(crate) fn uses_of_crate(&self) -> Vec<(usize, String)> {
        let mut uses = Vec::new();
        for (number, line) in self.code() {
            assert!(
                !line.contains("crate::{"),
                "{}:{number}: one module a line, so that this can be checked",
                self.name
            );
            for rest in line.split("crate::").skip(1) {
                let end = rest
                    .find(|c: char| !c.is_alphanumeric() && c != '_')
                    .unwrap_or(rest.len());
                let name = &rest[..end];
                // Only modules are lower case.
                if name.starts_with(|c: char| c.is_ascii_lowercase()) {
                    uses.push((number, name.to_owned()));
                }
            }
        }
        uses
    }

    /// The files that it declares for tests only, without their ending.
    fn modules_for_tests(&self) -> Vec<String> {
        let lines: Vec<&str> = self.text.lines().collect();
        let folder = match self.name.trim_end_matches(".rs") {
            "lib" | "main" => String::new(),
            module => format!("{module}/"),
        };
        (0..lines.len())
            .filter(|&at| is_for_tests(lines[at]))
            .filter_map(|at| declared(&lines[at..])?.strip_suffix(';'))
            .filter_map(|line| Some(format!("{folder}{}", line.strip_prefix("mod ")?)))
            .collect()
    }
}

/// The first line after some attributes.
fn declared<'a>(lines: &[&'a str]) -> Option<&'a str> {
    lines.iter().copied().find(|line| !line.starts_with("#["))
}

fn is_for_tests(line: &str) -> bool {
    line == "#[cfg(test)]" || line.starts_with("#[cfg(all(test,")
}
