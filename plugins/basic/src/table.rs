//! The table of rules: the one format of the bundled rules, of a person's own, and of a `gitleaks.toml`.

use serde::Deserialize;

/// A file of rules, or a `gitleaks.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Table {
    #[serde(default)]
    pub(crate) rules: Vec<Row>,
    #[serde(default)]
    pub(crate) allowlist: Option<AllowList>,
    #[serde(default)]
    pub(crate) allowlists: Vec<AllowList>,
    #[serde(default)]
    pub(crate) extend: Option<Extend>,
    /// What gitleaks has besides, and says nothing about a secret.
    #[serde(default, rename = "title")]
    _title: Option<String>,
    #[serde(default, rename = "description")]
    _description: Option<String>,
    #[serde(default, rename = "minVersion")]
    _min_version: Option<String>,
}

/// What a `gitleaks.toml` builds upon.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Extend {
    /// The bundled rules are always there.
    #[serde(default, rename = "useDefault")]
    _use_default: bool,
    /// Another file, which a guardrail cannot read.
    #[serde(default)]
    pub(crate) path: Option<String>,
    #[serde(default)]
    pub(crate) disabled_rules: Vec<String>,
}

/// A rule as it is written down. `rules/README.md` describes the columns.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) description: String,
    #[serde(default)]
    #[cfg_attr(not(test), expect(dead_code, reason = "for people; a test sees to it"))]
    pub(crate) source: String,
    #[serde(default)]
    pub(crate) severity: Severity,
    #[serde(default)]
    pub(crate) keywords: Vec<String>,
    #[serde(default)]
    pub(crate) regex: Option<String>,
    #[serde(default)]
    pub(crate) value: Option<String>,
    #[serde(default)]
    pub(crate) offset: Option<usize>,
    #[serde(default)]
    pub(crate) lead: Option<usize>,
    #[serde(default, rename = "secretGroup")]
    pub(crate) secret_group: usize,
    #[serde(default)]
    pub(crate) longest: Option<usize>,
    #[serde(default)]
    pub(crate) before: Option<String>,
    #[serde(default)]
    pub(crate) after: Option<String>,
    #[serde(default)]
    pub(crate) entropy: f32,
    #[serde(default)]
    pub(crate) check: Option<Check>,
    #[serde(default)]
    pub(crate) replacement: Option<String>,
    /// Whether it is used only where the configuration says so.
    #[serde(default)]
    pub(crate) optional: bool,
    #[serde(default)]
    pub(crate) samples: Vec<String>,
    #[serde(default)]
    #[cfg_attr(not(test), expect(dead_code, reason = "for the tests"))]
    pub(crate) near_misses: Vec<String>,
    #[serde(default)]
    pub(crate) allowlist: Option<AllowList>,
    #[serde(default)]
    pub(crate) allowlists: Vec<AllowList>,
    /// A rule of gitleaks that looks at the names of files has nothing to look at here.
    #[serde(default)]
    pub(crate) path: Option<String>,
    #[serde(default, rename = "tags")]
    pub(crate) _tags: Vec<String>,
}

/// Secrets that a rule lets pass, as gitleaks writes it down. What it says of files and commits is of no use here.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct AllowList {
    #[serde(default)]
    pub(crate) regexes: Vec<String>,
    #[serde(default)]
    pub(crate) stopwords: Vec<String>,
    #[serde(default)]
    pub(crate) regex_target: Option<String>,
    #[serde(default, alias = "targetRules")]
    pub(crate) target_rules: Vec<String>,
    #[serde(default)]
    pub(crate) condition: Option<String>,
    #[serde(default)]
    pub(crate) paths: Vec<String>,
    #[serde(default)]
    pub(crate) commits: Vec<String>,
    #[serde(default, rename = "description")]
    pub(crate) _description: Option<String>,
}

/// How bad it is when such a secret gets out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// An identifier that is not secret by itself.
    Low,
    /// Little can be done with it, or only by few.
    Medium,
    /// It opens something.
    #[default]
    High,
    /// It opens everything.
    Critical,
}

impl Severity {
    /// As it is written in the table.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// What a match must satisfy besides, or what makes it surer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Check {
    /// The last six characters are the CRC-32 of those between the prefix and them, in base 62: surer if so.
    Crc32,
    /// There is a digit in it.
    Digit,
    /// Its letters are of both cases, or there are digits among them: it is no word.
    Mixed,
    /// It looks random, or the name that it is given to says that it is a token or a key.
    Random,
    /// It looks like a password rather than a name, a word or a placeholder.
    Password,
    /// The same for `name:password`.
    Login,
    /// It looks like a key rather than a name, a path or a placeholder.
    Token,
    /// It is the kind of a Kubernetes Secret, whose data are the secrets.
    Manifest,
    /// It looks drawn by lot, for rules that nothing announces.
    Opaque,
    /// A word and a long run that looks drawn by lot, for rules that nothing else announces.
    Prefixed,
    /// Enough of it is in each case, as in what is drawn by lot from all letters and is as long as this.
    Drawn,
    /// What follows the words at its beginning looks drawn by lot.
    Lot,
    /// The same, and its name is that of a key that opens something.
    Key,
}

/// The rules that are part of the guardrail.
const BUNDLED: [&str; 7] = [
    include_str!("../rules/code.toml"),
    include_str!("../rules/cloud.toml"),
    include_str!("../rules/ai.toml"),
    include_str!("../rules/chat.toml"),
    include_str!("../rules/business.toml"),
    include_str!("../rules/operations.toml"),
    include_str!("../rules/general.toml"),
];

/// The bundled rules, the most particular first.
pub(crate) fn bundled() -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for text in BUNDLED {
        rows.extend(parse(text)?.rules);
    }
    Ok(rows)
}

/// Reads a file of rules.
pub(crate) fn parse(text: &str) -> Result<Table, String> {
    toml::from_str(text).map_err(|error: toml::de::Error| error.to_string())
}
