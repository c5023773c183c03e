//! `plugin bench`: what a guardrail costs, from its file to a verdict, and which of the
//! limits it would run into.

mod report;
mod sample;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};

use super::component::{Component, config, rehearsal};
use super::say;
use super::shown::{SESSION, Shown};
use crate::chain::{Chain, Circumstances, Link};
use crate::cli::{BenchArgs, Output, Way};
use crate::config::{Guardrail as Spec, Limits, Source};
use crate::guardrail::{Guardrail, Start};
use crate::sandbox::{CacheDir, Sandbox};
use report::Report;

/// The sizes of texts that are measured, in bytes.
const SIZES: [usize; 3] = [200, 10_000, 1_000_000];

/// How long one figure is measured.
const EACH: Duration = Duration::from_millis(400);

/// Checks of one figure: at least, unless each takes very long, and at most.
const CHECKS: std::ops::RangeInclusive<usize> = 10..=5_000;

/// What a guardrail needs is measured beyond the limits that it would have.
fn generous() -> Limits {
    Limits {
        memory: Limits::MAX_MEMORY,
        cpu: Duration::from_secs(60),
        wall: Duration::from_secs(120),
        configure: Duration::from_secs(120),
        ..Limits::default()
    }
}

/// What was measured of one guardrail.
struct Measured {
    name: String,
    size: usize,
    snapshot: Option<usize>,
    /// From the bytes of the file to a guardrail that can judge, for the first time.
    load: Duration,
    /// The same once its snapshot and compiled code are kept.
    reload: Duration,
    configure: Duration,
    instantiate: Times,
    memory_at_start: u64,
    checks: Vec<Check>,
}

/// Checks of texts of one size, one way.
struct Check {
    way: Way,
    size: usize,
    /// Why there are no times.
    outcome: Result<Times, String>,
    memory: u64,
}

/// How long something takes, measured so many times.
#[derive(Debug, Clone, Copy)]
struct Times {
    count: usize,
    p50: Duration,
    p99: Duration,
}

/// Measures guardrails, one by one and as a chain. Says whether all keep to the limits.
///
/// # Errors
/// When one cannot be used.
pub(super) async fn bench(args: &BenchArgs) -> anyhow::Result<bool> {
    // What is found is no news here.
    let _quiet = tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::default());
    let sample = match &args.text {
        None => sample::TEXT.to_owned(),
        Some(file) => std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?,
    };
    let folder = tempfile::tempdir()?;
    let cache = CacheDir::at(folder.path().join("cache"))?;
    let sandbox = rehearsal(Some(cache))?;
    let lease = sandbox.states().open(&Arc::from(SESSION));
    let mut measured = Vec::new();
    let mut links = Vec::new();
    for (index, file) in args.guardrails.iter().enumerate() {
        let component = Component::open(file)?;
        let config = config(args.config.get(index).map(String::as_str))?;
        let (guardrail, one) = measure(&sandbox, &component, &config, &sample)
            .await
            .with_context(|| component.origin.clone())?;
        measured.push(one);
        let name = component
            .name
            .parse()
            .map_err(|error| anyhow!("{}: {error}", component.origin))?;
        let spec = Spec {
            limits: generous(),
            ..Spec::new(name, Source::File(file.clone()))
        };
        links.push(Link::new(guardrail, spec));
    }
    let chain = match links.len() {
        1 => Vec::new(),
        _ => judged(&Chain::new(links), &sample).await?,
    };
    drop(lease);
    let report = Report { measured, chain };
    say(&match args.output() {
        Output::Text => report.text(),
        Output::Json => format!("{:#}\n", report.json()),
    })?;
    Ok(report.broken().is_empty())
}

async fn measure(
    sandbox: &Arc<Sandbox>,
    component: &Component,
    config: &str,
    sample: &str,
) -> anyhow::Result<(Arc<Guardrail>, Measured)> {
    let load = || async {
        let recipe = component.recipe(config, generous());
        let begun = Instant::now();
        let guardrail = Guardrail::load(Arc::clone(sandbox), recipe).await?;
        anyhow::Ok((guardrail, begun.elapsed()))
    };
    let (first, first_load) = load().await?;
    let (guardrail, reload) = load().await?;
    let instantiate = timed(async || {
        let begun = Instant::now();
        let trial = guardrail.trial().await?;
        let took = begun.elapsed();
        drop(trial);
        anyhow::Ok(took)
    })
    .await?;
    let memory_at_start = guardrail.trial().await?.memory();
    let mut checks = Vec::new();
    for way in [Way::ToServer, Way::ToClient] {
        for size in SIZES {
            if let Some(check) = check(&guardrail, sample, way, size).await? {
                checks.push(check);
            }
        }
    }
    let measured = Measured {
        name: component.origin.clone(),
        size: component.bytes.len(),
        snapshot: (*guardrail.start() == Start::Snapshot).then(|| guardrail.size()),
        load: first_load,
        reload,
        configure: first.configured_in().unwrap_or_default(),
        instantiate,
        memory_at_start,
        checks,
    };
    Ok((Arc::new(guardrail), measured))
}

/// Has one instance check a text again and again; nothing if it does not want to see it.
async fn check(
    guardrail: &Guardrail,
    sample: &str,
    way: Way,
    size: usize,
) -> anyhow::Result<Option<Check>> {
    let Shown { envelope, view } = Shown::text(&sample::of_size(sample, size), way)?;
    let (method, kind, direction) = (&*envelope.method, envelope.kind, envelope.direction);
    if !guardrail.manifest().wants(method, kind, direction) {
        return Ok(None);
    }
    let mut trial = guardrail.trial().await?;
    let outcome = timed(async || {
        let view = view.clone();
        let begun = Instant::now();
        trial.check(&envelope, view).await?;
        anyhow::Ok(begun.elapsed())
    })
    .await;
    Ok(Some(Check {
        way,
        size,
        outcome: outcome.map_err(|fault| fault.to_string()),
        memory: trial.memory(),
    }))
}

/// The same for a whole chain, as messages pass it: texts are taken, edits are made.
async fn judged(chain: &Chain, sample: &str) -> anyhow::Result<Vec<Check>> {
    let mut checks = Vec::new();
    for way in [Way::ToServer, Way::ToClient] {
        for size in SIZES {
            let Shown { envelope, view } = Shown::text(&sample::of_size(sample, size), way)?;
            let outcome = timed(async || {
                let message = view.message.clone();
                let begun = Instant::now();
                let judged = chain
                    .judge(&envelope, message, &Circumstances::default())
                    .await;
                let took = begun.elapsed();
                judged.map_err(|block| anyhow!("{}: {}", block.guardrail, block.reason))?;
                anyhow::Ok(took)
            })
            .await;
            checks.push(Check {
                way,
                size,
                outcome: outcome.map_err(|error| error.to_string()),
                memory: 0,
            });
        }
    }
    Ok(checks)
}

/// Does something for a while, and says how long each time took.
async fn timed(mut once: impl AsyncFnMut() -> anyhow::Result<Duration>) -> anyhow::Result<Times> {
    // The first time, memory is touched that is there later.
    once().await?;
    let begun = Instant::now();
    let mut times = Vec::new();
    while times.len() < *CHECKS.end()
        && (begun.elapsed() < EACH
            || (times.len() < *CHECKS.start() && begun.elapsed() < EACH * 10))
    {
        times.push(once().await?);
    }
    times.sort_unstable();
    let at = |percent: usize| {
        let index = (times.len() * percent).div_ceil(100).saturating_sub(1);
        times.get(index).copied().unwrap_or_default()
    };
    Ok(Times {
        count: times.len(),
        p50: at(50),
        p99: at(99),
    })
}
