//! `[journal]`.

use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use crate::config::bundled::absolute;
use crate::config::section::Section;
use crate::config::{Durability, Journal, Period, Rotate};

const DURABILITY: [(&str, Durability); 2] =
    [("strict", Durability::Strict), ("batch", Durability::Batch)];

const PERIODS: [(&str, Period); 2] = [("day", Period::Day), ("month", Period::Month)];

/// From a minute to a hundred years.
const AGES: RangeInclusive<Duration> =
    Duration::from_secs(60)..=Duration::from_secs(100 * 366 * 24 * 3600);

/// What `[journal]` says. Its file is relative to the folder of the configuration.
pub(super) fn journal(mut section: Section<'_>, folder: &Path) -> Journal {
    let file = section.take("file").and_then(|field| field.path());
    let durability = section.take("durability");
    let durability = durability.and_then(|field| field.choice(&DURABILITY));
    let every = section.take("rotate_every");
    let bytes = section.take("rotate_size");
    let age = section.take("rotate_age");
    let keep = section.take("keep_archives");
    section.finish();
    Journal {
        file: file.map(|file| absolute(folder, &file)),
        durability: durability.unwrap_or_default(),
        rotate: Rotate {
            every: every.and_then(|field| field.choice(&PERIODS)),
            bytes: bytes.and_then(|field| field.size(1 << 20..=1 << 50)),
            age: age.and_then(|field| field.duration(AGES)),
            keep: keep.and_then(|field| field.duration(AGES)),
        },
    }
}
