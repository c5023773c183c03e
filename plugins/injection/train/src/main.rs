//! Trains the model of the guardrail `injection` on a folder of labelled texts, after showing what it is worth: each
//! family of attacks is found by a model that has seen none of it.
//!
//! ```sh
//! cargo run -p mcp-gateway-injection-train -- FOLDER [--write FILE]
//! ```

mod corpus;
mod fit;
mod mutate;
mod own;
mod random;
mod report;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

/// Everything that is drawn by lot is drawn from this.
const SEED: u64 = 20_261_126;

fn main() -> Result<()> {
    let mut folder = None;
    let mut write = None;
    let mut words = std::env::args_os().skip(1);
    while let Some(word) = words.next() {
        match word.to_str() {
            Some("--write") => write = Some(PathBuf::from(words.next().context("--write FILE")?)),
            _ if folder.is_none() => folder = Some(PathBuf::from(word)),
            _ => bail!("usage: FOLDER [--write FILE]"),
        }
    }
    let folder = folder.context("usage: FOLDER [--write FILE]")?;
    let detector = fit::bare()?;
    let mut texts = corpus::read(&folder)?;
    texts.extend(own::texts(SEED)?);
    let samples = fit::samples(&detector, &texts);
    let limits = report::leave_one_family_out(&texts, &samples)?;
    let parts = fit::whole(&samples, limits);
    let bytes = parts.write();
    eprintln!(
        "the whole model: {} weights, {} bytes",
        parts.weights.len(),
        bytes.len()
    );
    if let Some(file) = write {
        fs::write(&file, bytes).with_context(|| file.display().to_string())?;
    }
    Ok(())
}
