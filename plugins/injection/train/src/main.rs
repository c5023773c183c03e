//! Trains the model of the guardrail `injection` on a folder of labelled texts, after showing what it is worth: each
//! family of attacks is found by a model that has seen none of it.
//!
//! ```sh
//! cargo run -p mcp-gateway-injection-train -- FOLDER [--write FILE] [--lines FILE]
//! cargo run -p mcp-gateway-injection-train -- FOLDER --shipped [--lines FILE]
//! ```
//!
//! With `--shipped` nothing is trained: it shows what the model in the repository says of the folder.

mod corpus;
mod fit;
mod mutate;
mod own;
mod random;
mod report;
mod shipped;
mod translate;

use std::fs;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

/// Everything that is drawn by lot is drawn from this.
const SEED: u64 = 20_261_126;
const USAGE: &str = "usage: FOLDER [--write FILE | --shipped] [--lines FILE]";

fn main() -> Result<()> {
    let mut folder = None;
    let mut write = None;
    let mut shipped = false;
    let mut lines: Box<dyn Write> = Box::new(std::io::sink());
    let mut words = std::env::args_os().skip(1);
    while let Some(word) = words.next() {
        match word.to_str() {
            Some("--write") => write = Some(PathBuf::from(words.next().context("--write FILE")?)),
            Some("--shipped") => shipped = true,
            Some("--lines") => {
                let file = fs::File::create(words.next().context("--lines FILE")?)?;
                lines = Box::new(BufWriter::new(file));
            }
            _ if folder.is_none() => folder = Some(PathBuf::from(word)),
            _ => bail!("{USAGE}"),
        }
    }
    let folder = folder.context(USAGE)?;
    let mut texts = corpus::read(&folder)?;
    if shipped {
        return shipped::table(&texts, &mut lines);
    }
    let detector = fit::bare()?;
    texts.extend(own::texts(SEED)?);
    let samples = fit::samples(&detector, &texts);
    let limits = report::leave_one_family_out(&texts, &samples, &mut lines)?;
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
