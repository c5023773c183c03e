//! Finds the secrets in a text.

use std::ops::Range;

use crate::anchors::Anchors;
use crate::secrets::Secret;
use crate::shape::{Case, Shape};

/// Looks for a choice of secrets.
#[derive(Debug)]
pub(crate) struct Scanner {
    secrets: Vec<&'static Secret>,
    /// What each anchor announces; in the order of `anchors`.
    announced: Vec<Announced>,
    anchors: Anchors,
}

#[derive(Debug)]
struct Announced {
    secret: &'static Secret,
    shape: &'static Shape,
    anchor: &'static str,
}

impl Scanner {
    /// A scanner for these secrets.
    pub(crate) fn new(secrets: impl Iterator<Item = &'static Secret>) -> Self {
        let secrets: Vec<_> = secrets.collect();
        let mut announced = Vec::new();
        for secret in &secrets {
            for shape in secret.shapes {
                let anchors = shape.anchors.iter();
                announced.extend(anchors.map(|anchor| Announced {
                    secret,
                    shape,
                    anchor,
                }));
            }
        }
        let anchors = Anchors::new(announced.iter().map(|announced| announced.anchor).collect());
        Self {
            secrets,
            announced,
            anchors,
        }
    }

    /// The secrets that it looks for.
    pub(crate) fn secrets(&self) -> &[&'static Secret] {
        &self.secrets
    }

    /// Calls `found` with every secret of the text and its place in it. Places may overlap.
    pub(crate) fn scan(&self, text: &str, mut found: impl FnMut(&'static Secret, Range<usize>)) {
        self.anchors.search(text.as_bytes(), |number, place| {
            let Some(Announced {
                secret,
                shape,
                anchor,
            }) = self.announced.get(number)
            else {
                return;
            };
            let exact = text.get(place.clone()) == Some(*anchor);
            if !exact && shape.case == Case::Exact {
                return;
            }
            if let Some(range) = shape.find(text.as_bytes(), place) {
                found(secret, range);
            }
        });
    }
}
