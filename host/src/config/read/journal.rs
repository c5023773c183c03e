//! `[journal]`.

use std::path::Path;

use crate::config::bundled::absolute;
use crate::config::section::Section;
use crate::config::{Durability, Journal};

const DURABILITY: [(&str, Durability); 2] = [
    ("strict", Durability::Strict),
    ("batch", Durability::Batch),
];

/// What `[journal]` says. Its file is relative to the folder of the configuration.
pub(super) fn journal(mut section: Section<'_>, folder: &Path) -> Journal {
    let file = section.take("file").and_then(|field| field.text());
    let durability = section.take("durability");
    let durability = durability.and_then(|field| field.choice(&DURABILITY));
    section.finish();
    Journal {
        file: file.map(|file| absolute(folder, &file)),
        durability: durability.unwrap_or_default(),
    }
}
