//! `plugin score`: what a guardrail finds of what is to be found in labelled texts.

mod corpus;
mod ranges;
mod report;
mod row;
mod tally;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, anyhow, bail};
use serde_json::{Map, Value};

use super::component::{Component, config, object, rehearsal};
use super::say;
use super::shown::Shown;
use crate::cli::{Output, ScoreArgs};
use crate::guardrail::{Guardrail, LoadError, Verdict};
use crate::run::cache;
use crate::sandbox::{CacheDir, Sandbox};
use corpus::{Entry, Place, entries};
use report::Report;
use row::{Expected, Names, Row};
use tally::{Found, Labelled, Rules, Truth};

/// Scores a guardrail. Says whether it reached the marks that were set.
///
/// # Errors
/// When the guardrail cannot be used, or a corpus not be read.
pub(super) async fn score(args: &ScoreArgs) -> anyhow::Result<bool> {
    let scoring = Scoring::new(args)?;
    let entries = entries(&args.corpora)?;
    let mut guardrails = Guardrails::open(args).await?;
    let mut report = Report::new(&guardrails.component);
    for entry in entries {
        let (place, row, fields) = match entry {
            Entry::Clean(place, text) => (place, Row::clean(text), Map::new()),
            Entry::Line(place, line) => {
                let fields = object_of(&line).with_context(|| place.to_string())?;
                if !scoring.takes(&fields) {
                    continue;
                }
                let row = Row::read(&fields, &scoring.names, args.offsets)
                    .with_context(|| place.to_string())?;
                (place, row, fields)
            }
        };
        let Some(guardrail) = guardrails.of(row.label.as_deref(), &mut report).await? else {
            continue;
        };
        scoring
            .add(&place, &row, &fields, &guardrail, &mut report)
            .await
            .with_context(|| place.to_string())?;
    }
    if report.is_empty() {
        bail!("no row is left to score");
    }
    let reached = report.judge(args);
    say(&match args.output() {
        Output::Text => report.text(args),
        Output::Json => format!("{:#}\n", report.json(args)),
    })?;
    Ok(reached)
}

/// What is asked for.
struct Scoring<'a> {
    args: &'a ScoreArgs,
    names: Names,
    aliases: HashMap<String, String>,
    rules: Rules,
}

impl<'a> Scoring<'a> {
    fn new(args: &'a ScoreArgs) -> anyhow::Result<Self> {
        let mut aliases: HashMap<String, String> = HashMap::new();
        if let Some(file) = &args.aliases {
            let table = object(&file.to_string_lossy())?;
            for (label, name) in table.as_object().into_iter().flatten() {
                let name = name.as_str().with_context(|| {
                    format!("{}: the other name of {label} is no text", file.display())
                })?;
                aliases.insert(label.clone(), name.to_owned());
            }
        }
        aliases.extend(args.alias.iter().cloned());
        Ok(Self {
            args,
            names: Names::with(&args.map)?,
            aliases,
            rules: Rules {
                any_label: args.any_label,
                exact: args.exact,
                show: args.show,
            },
        })
    }

    fn takes(&self, fields: &Map<String, Value>) -> bool {
        let mut wanted = self.args.wanted.iter();
        wanted.all(|(member, value)| fields.get(member).is_some_and(|it| plain(it) == *value))
    }

    async fn add(
        &self,
        place: &Place,
        row: &Row,
        fields: &Map<String, Value>,
        guardrail: &Guardrail,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let Shown { envelope, view } = row.shown(self.args.direction)?;
        let (method, kind, direction) = (&*envelope.method, envelope.kind, envelope.direction);
        if !guardrail.manifest().wants(method, kind, direction) {
            bail!(
                "the guardrail does not want to see it: {method}, {}, {}",
                kind.as_str(),
                direction.as_str()
            );
        }
        let texts = Arc::clone(&view.texts);
        let expected = row.expected(&texts, self.args.direction)?;
        let begun = Instant::now();
        let verdict = guardrail.rehearse(&envelope, view).await;
        report.took += begun.elapsed();
        let verdict = match verdict {
            Ok(verdict) => verdict,
            Err(fault) => {
                report.faulted(place, &fault);
                return Ok(());
            }
        };
        let Some(truth) = self.truth(row, expected) else {
            return Ok(());
        };
        let group = self.args.by.as_ref().map(|member| {
            let value = fields.get(member);
            value.map_or_else(|| format!("no {member}"), plain)
        });
        let labelled = Labelled {
            place,
            text: texts.joined(),
            origin: row.origin(&texts, self.args.direction)?,
            truth,
            group,
        };
        let found = self.found(&verdict, texts.joined().len());
        report.tally.add(&labelled, &found, self.rules);
        Ok(())
    }

    /// What is to be found, as far as one looks at it; nothing if the text is about
    /// something else.
    fn truth(&self, row: &Row, mut expected: Vec<Expected>) -> Option<Truth> {
        let placed = expected.len();
        for it in &mut expected {
            it.label = self.called(&it.label);
        }
        expected.retain(|it| self.looks_at(&it.label));
        let label = self.called(row.label.as_deref().unwrap_or("something"));
        match (row.flag, row.count) {
            (_, Some(count)) if count > placed => self
                .looks_at(&label)
                .then(|| Truth::Spans(expected, Some((label, count - placed)))),
            (Some(true), _) if placed == 0 => {
                self.looks_at(&label).then_some(Truth::Somewhere(label))
            }
            _ => Some(Truth::Spans(expected, None)),
        }
    }

    fn found(&self, verdict: &Verdict, length: usize) -> Vec<Found> {
        let found = verdict.findings.iter().map(|finding| Found {
            label: self.called(&finding.rule),
            confidence: finding.confidence,
            // What is about the whole message is about all of its texts.
            range: match &finding.span {
                Some(span) => span.start as usize..span.end as usize,
                None => 0..length,
            },
        });
        found
            .filter(|it| it.confidence >= self.args.threshold && self.looks_at(&it.label))
            .collect()
    }

    fn called(&self, label: &str) -> String {
        self.aliases
            .get(label)
            .map_or(label, String::as_str)
            .to_owned()
    }

    fn looks_at(&self, label: &str) -> bool {
        self.args.only.is_empty() || self.args.only.iter().any(|only| only == label)
    }
}

/// The guardrail, or one for each label.
struct Guardrails<'a> {
    component: Component,
    sandbox: Arc<Sandbox>,
    /// With `{label}` in it.
    template: Option<&'a str>,
    by_config: HashMap<String, Result<Arc<Guardrail>, String>>,
    config: String,
    /// So many snapshots would drive others out of the cache.
    _folder: Option<tempfile::TempDir>,
}

impl<'a> Guardrails<'a> {
    async fn open(args: &'a ScoreArgs) -> anyhow::Result<Self> {
        let component = Component::open(&args.guardrail)?;
        let (cache, folder) = match args.each_label {
            None => (cache(), None),
            Some(_) => {
                let folder = tempfile::tempdir()?;
                (
                    Some(CacheDir::at(folder.path().join("cache"))?),
                    Some(folder),
                )
            }
        };
        let mut guardrails = Self {
            component,
            sandbox: rehearsal(cache)?,
            template: args.each_label.as_deref(),
            by_config: HashMap::new(),
            config: config(args.config.as_deref())?,
            _folder: folder,
        };
        if guardrails.template.is_none() {
            let config = guardrails.config.clone();
            guardrails
                .load(config)
                .await?
                .map_err(|refusal| anyhow!(refusal))?;
        }
        Ok(guardrails)
    }

    /// The guardrail for rows of this label; nothing if it refuses that.
    async fn of(
        &mut self,
        label: Option<&str>,
        report: &mut Report,
    ) -> anyhow::Result<Option<Arc<Guardrail>>> {
        let label = label.unwrap_or_default();
        let config = match self.template {
            None => self.config.clone(),
            Some(template) => config(Some(&template.replace("{label}", label)))?,
        };
        match self.load(config).await? {
            Ok(guardrail) => Ok(Some(guardrail)),
            Err(refusal) => {
                report.refuse(label, &refusal);
                Ok(None)
            }
        }
    }

    /// Loads it once for each configuration. Inside, why that is refused.
    async fn load(&mut self, config: String) -> anyhow::Result<Result<Arc<Guardrail>, String>> {
        if let Some(known) = self.by_config.get(&config) {
            return Ok(known.clone());
        }
        let loaded = match self.component.load(&self.sandbox, &config).await {
            Ok(guardrail) => Ok(guardrail),
            Err(error @ LoadError::Configuration(_)) => Err(error.to_string()),
            Err(error) => return Err(anyhow!("{}: {error}", self.component.origin)),
        };
        self.by_config.insert(config, loaded.clone());
        Ok(loaded)
    }
}

fn object_of(line: &str) -> anyhow::Result<Map<String, Value>> {
    match serde_json::from_str(line)? {
        Value::Object(fields) => Ok(fields),
        _ => bail!("not an object"),
    }
}

/// A value as one writes it on a command line.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
