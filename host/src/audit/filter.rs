//! Which records are meant: conditions of the command line as conditions of SQL.

use rusqlite::types::Value;

use super::when::When;
use crate::journal::Outcome;

/// Conditions on records. Of one kind any suffices; all kinds have to be met.
/// Names may be patterns, where `*` stands for anything and `?` for one
/// character; capitals do not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Not before this.
    pub since: Option<When>,
    /// Before this.
    pub until: Option<When>,
    /// Calls of these tools.
    pub tools: Vec<String>,
    /// What was asked of these servers.
    pub servers: Vec<String>,
    /// Requests of these methods.
    pub methods: Vec<String>,
    /// What came of it.
    pub outcomes: Vec<String>,
    /// Where these rules fired.
    pub rules: Vec<String>,
    /// Where these guardrails found something.
    pub guardrails: Vec<String>,
    /// From these clients.
    pub clients: Vec<String>,
    /// In these sessions.
    pub sessions: Vec<String>,
    /// Where arguments, result or reason contain these texts.
    pub texts: Vec<String>,
}

/// What stands after `WHERE`, and the values for its parameters.
pub(super) struct Condition {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

/// The tools and resources whose name fits. Each different one is found by a step in
/// the index, instead of a walk through all of it.
const SUBJECT: &str = "subject IN (WITH RECURSIVE each(it) AS (\
     SELECT min(subject) FROM records UNION ALL \
     SELECT (SELECT min(subject) FROM records WHERE subject > it) FROM each \
     WHERE it IS NOT NULL) SELECT it FROM each WHERE lower(it) GLOB ?#)";

const RULE: &str = "seq IN (SELECT seq FROM findings WHERE rule IN (WITH RECURSIVE each(it) AS (\
     SELECT min(rule) FROM findings UNION ALL \
     SELECT (SELECT min(rule) FROM findings WHERE rule > it) FROM each \
     WHERE it IS NOT NULL) SELECT it FROM each WHERE lower(it) GLOB ?#))";

const GUARDRAIL: &str = "(lower(blocked_by) GLOB ?# OR EXISTS (SELECT 1 FROM findings AS found \
     WHERE found.seq = records.seq AND lower(found.guardrail) GLOB ?#))";

const TEXT: &str = "(arguments LIKE ?# ESCAPE '\\' OR result LIKE ?# ESCAPE '\\' \
     OR reason LIKE ?# ESCAPE '\\')";

impl Filter {
    /// The condition on a row of `records`.
    pub(super) fn condition(&self) -> Condition {
        let mut all = Condition {
            sql: "TRUE".to_owned(),
            values: Vec::new(),
        };
        let times = [("time >= ?#", self.since), ("time < ?#", self.until)];
        for (sql, when) in times {
            all.any(sql, when.map(|When(millis)| millis));
        }
        if !self.tools.is_empty() {
            all.sql.push_str(" AND method = 'tools/call'");
        }
        all.any(SUBJECT, self.tools.iter().map(|tool| pattern(tool)));
        for (sql, patterns) in [
            ("lower(server) GLOB ?#", &self.servers),
            ("lower(method) GLOB ?#", &self.methods),
            (RULE, &self.rules),
            (GUARDRAIL, &self.guardrails),
            ("lower(client) GLOB ?#", &self.clients),
            ("lower(session) GLOB ?#", &self.sessions),
        ] {
            all.any(sql, patterns.iter().map(|text| pattern(text)));
        }
        self.add_outcomes(&mut all);
        all.any(TEXT, self.texts.iter().flat_map(|text| containing(text)));
        all
    }

    /// Outcomes are few, and the index of those that are not "ok" is found by their names.
    fn add_outcomes(&self, to: &mut Condition) {
        let fits = |name: &&str| self.outcomes.iter().any(|it| fits(it, name));
        let names: Vec<_> = Outcome::ALL
            .iter()
            .map(|it| it.as_str())
            .filter(fits)
            .collect();
        if !self.outcomes.is_empty() && !names.contains(&Outcome::Ok.as_str()) {
            to.sql.push_str(" AND outcome <> 'ok'");
        }
        let unknown = self.outcomes.iter().filter(|_| names.is_empty());
        let values = names.iter().map(|it| (*it).to_owned());
        to.any("outcome = ?#", values.chain(unknown.cloned()));
    }

    /// Whether the index by time holds all that it asks about, and there is none that
    /// leads to what it asks for.
    pub(super) fn is_of_index(&self) -> bool {
        let Self {
            tools,
            servers,
            methods,
            outcomes,
            rules,
            guardrails,
            clients,
            sessions,
            texts,
            ..
        } = self;
        let others = [tools, outcomes, rules, guardrails, sessions, texts];
        let held = [servers, methods, clients];
        let is_any = self.until.is_some() || held.iter().any(|it| !it.is_empty());
        is_any && others.iter().all(|it| it.is_empty())
    }
}

impl Condition {
    /// Has to be met as well: the condition with one of these values for `?#`. None
    /// at all is no condition.
    fn any(&mut self, sql: &str, values: impl IntoIterator<Item = impl Into<Value>>) {
        let mut alternatives = Vec::new();
        for value in values {
            self.values.push(value.into());
            alternatives.push(sql.replace("?#", &format!("?{}", self.values.len())));
        }
        if !alternatives.is_empty() {
            self.sql
                .push_str(&format!(" AND ({})", alternatives.join(" OR ")));
        }
    }
}

/// Whether a name is one of those that a pattern means.
fn fits(pattern: &str, name: &str) -> bool {
    let mut pattern = pattern.chars();
    let mut rest = name.chars();
    match pattern.next() {
        None => name.is_empty(),
        Some('*') => {
            let pattern = pattern.as_str();
            let mut ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            ends.any(|at| name.get(at..).is_some_and(|rest| fits(pattern, rest)))
        }
        Some('?') => rest.next().is_some() && fits(pattern.as_str(), rest.as_str()),
        Some(c) => {
            let is_same = rest.next().is_some_and(|it| it.eq_ignore_ascii_case(&c));
            is_same && fits(pattern.as_str(), rest.as_str())
        }
    }
}

/// A pattern of SQLite's. Brackets stand for themselves.
fn pattern(text: &str) -> String {
    text.to_ascii_lowercase().replace('[', "[[]")
}

/// What is `LIKE` a text that contains this one, also where it stands in JSON and is
/// written otherwise there.
fn containing(text: &str) -> Vec<String> {
    let like = |text: &str| {
        let literal = text
            .replace('\\', "\\\\")
            .replace('%', "\\%")
            .replace('_', "\\_");
        format!("%{literal}%")
    };
    let quoted = serde_json::Value::from(text).to_string();
    let inside = quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let otherwise = inside.filter(|inside| *inside != text);
    std::iter::once(text).chain(otherwise).map(like).collect()
}
