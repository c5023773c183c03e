//! What Presidio is configured with: files of recognizers, of its analyzer, of its model of language.
//!
//! What a file says that means nothing here is an error, unless it changes nothing of what is found: a recognizer that
//! is not enabled, or one of a language that is not asked for.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::entity::{Entity, all, named};
use crate::own::Own;
use crate::yaml;

/// A file, as its text or as what it says.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Presidio {
    /// The text of a file.
    Text(String),
    /// What it says.
    Said(Value),
}

/// What a file asks for.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// The entities of all predefined recognizers, if there are any.
    pub(crate) entities: Option<Vec<&'static Entity>>,
    pub(crate) threshold: Option<f32>,
    /// Recognizers of one's own.
    pub(crate) own: Vec<Own>,
    /// Words that speak of entities which are known here.
    pub(crate) words: Vec<(&'static Entity, Vec<String>)>,
}

/// Any of the files: each has keys of its own.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    supported_languages: Option<Vec<String>>,
    default_score_threshold: Option<f32>,
    global_regex_flags: Option<u32>,
    recognizers: Option<Vec<Entry>>,
    recognizer_registry: Option<Registry>,
    nlp_configuration: Option<Nlp>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Registry {
    supported_languages: Option<Vec<String>>,
    global_regex_flags: Option<u32>,
    recognizers: Option<Vec<Entry>>,
}

/// A model finds names; what else it says of them is for it alone.
#[derive(Debug, Deserialize)]
struct Nlp {
    ner_model_configuration: Option<Ner>,
}

#[derive(Debug, Deserialize)]
struct Ner {
    #[serde(default)]
    labels_to_ignore: Vec<String>,
    #[serde(default)]
    model_to_presidio_entity_mapping: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Entry {
    /// The name of a predefined one.
    Name(String),
    Recognizer(Box<Value>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Recognizer {
    name: String,
    class_name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    enabled: Option<bool>,
    supported_language: Option<String>,
    supported_languages: Option<Vec<Language>>,
    supported_entity: Option<String>,
    supported_entities: Option<Vec<String>>,
    patterns: Option<Vec<Regex>>,
    deny_list: Option<Vec<String>>,
    deny_list_score: Option<f32>,
    context: Option<Vec<String>>,
    global_regex_flags: Option<u32>,
    /// Names and numbers that say nothing of what is found.
    #[serde(rename = "country_code")]
    _country: Option<String>,
    #[serde(rename = "version")]
    _version: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Language {
    Code(String),
    Context {
        language: String,
        #[serde(default)]
        context: Option<Vec<String>>,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Regex {
    #[serde(rename = "name")]
    _name: Option<String>,
    regex: String,
    score: f32,
}

/// The flags of expressions that Presidio sets by itself: in any letter case, lines have ends, and a dot is anything.
const FLAGS: u32 = 2 | 8 | 16;

/// Where the name of a predefined recognizer is not that of its entity.
const CLASSES: &[(&str, &[&str])] = &[
    ("AbaRoutingRecognizer", &["ABA_ROUTING_NUMBER"]),
    ("DateRecognizer", &["DATE_TIME"]),
    ("EmailRecognizer", &["EMAIL_ADDRESS"]),
    ("IbanRecognizer", &["IBAN_CODE"]),
    ("IpRecognizer", &["IP_ADDRESS"]),
    ("NhsRecognizer", &["UK_NHS"]),
    ("PhoneRecognizer", &["PHONE_NUMBER"]),
    ("SgFinRecognizer", &["SG_NRIC_FIN"]),
    ("UsBankRecognizer", &["US_BANK_NUMBER"]),
    ("UsLicenseRecognizer", &["US_DRIVER_LICENSE"]),
    ("SpacyRecognizer", NER),
    ("StanzaRecognizer", NER),
    ("TransformersRecognizer", NER),
];

/// What a model of language finds.
const NER: &[&str] = &["PERSON", "LOCATION", "NRP", "DATE_TIME"];

impl Presidio {
    /// What it asks for.
    ///
    /// # Errors
    /// What cannot be done here, by its name.
    pub(crate) fn asked(self) -> Result<Asked, String> {
        let said = match self {
            Self::Said(said) => said,
            Self::Text(text) if !text.contains('\n') => {
                return Err(format!(
                    "{text:?} is no text of YAML; a guardrail reads no files, so give what is in it"
                ));
            }
            Self::Text(text) => yaml::parse(&text)?,
        };
        let file: File = serde_json::from_value(said).map_err(|error| error.to_string())?;
        let registry = file.recognizer_registry.unwrap_or_default();
        let languages = file.supported_languages.or(registry.supported_languages);
        let flags = file.global_regex_flags.or(registry.global_regex_flags);
        let entries = file.recognizers.or(registry.recognizers);
        let mut asked = Asked {
            threshold: file.default_score_threshold,
            ..Asked::default()
        };
        for entry in entries.unwrap_or_default() {
            asked.add(entry, languages.as_deref(), flags.unwrap_or(FLAGS))?;
        }
        if let Some(ner) = file
            .nlp_configuration
            .and_then(|nlp| nlp.ner_model_configuration)
        {
            for (label, entity) in ner.model_to_presidio_entity_mapping {
                if !ner.labels_to_ignore.contains(&label) {
                    let found = named(&entity);
                    asked.seek(found.map_err(|error| format!("nlp_configuration: {error}"))?);
                }
            }
        }
        if let Some(entities) = &mut asked.entities {
            // Presidio looks for names of people whatever the list says.
            entities.extend(all().find(|it| it.name == "PERSON" && !entities.contains(it)));
        }
        Ok(asked)
    }
}

impl Asked {
    fn seek(&mut self, entity: &'static Entity) {
        let entities = self.entities.get_or_insert_default();
        if !entities.contains(&entity) {
            entities.push(entity);
        }
    }

    fn add(
        &mut self,
        entry: Entry,
        languages: Option<&[String]>,
        flags: u32,
    ) -> Result<(), String> {
        let recognizer = match entry {
            Entry::Name(name) => Recognizer {
                name,
                kind: Some("predefined".to_owned()),
                ..Recognizer::default()
            },
            Entry::Recognizer(said) => {
                // One that is not used may say anything.
                if said.get("enabled") == Some(&Value::Bool(false)) {
                    return Ok(());
                }
                let name = said
                    .get("name")
                    .and_then(Value::as_str)
                    .unwrap_or("a recognizer");
                let name = name.to_owned();
                serde_json::from_value(*said).map_err(|error| format!("{name}: {error}"))?
            }
        };
        if recognizer.enabled == Some(false) {
            return Ok(());
        }
        let Some(words) = recognizer.words(languages) else {
            return Ok(());
        };
        let is_custom = match recognizer.kind.as_deref() {
            Some("custom") => true,
            Some("predefined") => false,
            None => recognizer.patterns.is_some() || recognizer.deny_list.is_some(),
            Some(other) => return Err(format!("{}: there is no type {other:?}", recognizer.name)),
        };
        let added = match is_custom {
            true => self.custom(&recognizer, words, flags),
            false => self.predefined(&recognizer, words),
        };
        added.map_err(|error| format!("{}: {error}", recognizer.name))
    }

    fn predefined(&mut self, recognizer: &Recognizer, words: Vec<String>) -> Result<(), String> {
        if recognizer.patterns.is_some() || recognizer.deny_list.is_some() {
            return Err("a predefined recognizer has its own patterns".to_owned());
        }
        let class = recognizer.class_name.as_ref().unwrap_or(&recognizer.name);
        let known = CLASSES.iter().find(|(name, _)| name == class);
        let entities: Vec<&'static Entity> = match known {
            Some((_, names)) => names
                .iter()
                .map(|name| named(name))
                .collect::<Result<_, _>>()?,
            None => {
                let name = entity_name(class);
                let mut known = all();
                let known = known.find(|it| it.name == name);
                vec![known.ok_or("there is no such recognizer here")?]
            }
        };
        let mut renamed = recognizer.supported_entity.iter();
        if let Some(name) = renamed.find(|name| !entities.iter().any(|it| it.name == **name)) {
            return Err(format!("it cannot be called {name} here"));
        }
        let wanted = recognizer.supported_entities.as_deref();
        let wanted =
            |entity: &Entity| wanted.is_none_or(|it| it.iter().any(|it| it == entity.name));
        for entity in entities.into_iter().filter(|entity| wanted(entity)) {
            self.seek(entity);
            if !words.is_empty() {
                self.words.push((entity, words.clone()));
            }
        }
        Ok(())
    }

    fn custom(
        &mut self,
        recognizer: &Recognizer,
        words: Vec<String>,
        flags: u32,
    ) -> Result<(), String> {
        let name = match (
            &recognizer.supported_entity,
            recognizer.supported_entities.as_deref(),
        ) {
            (Some(name), None) => name,
            (None, Some([name])) => name,
            _ => return Err("it says no entity, or several".to_owned()),
        };
        let known = self.own.iter().map(|own| own.entity);
        let known = known
            .chain(all())
            .find(|entity| entity.name == name.as_str());
        let flags = modes(recognizer.global_regex_flags.unwrap_or(flags))?;
        let listed = recognizer.deny_list.iter().flatten().map(|value| Regex {
            _name: None,
            regex: whole(value),
            score: recognizer.deny_list_score.unwrap_or(1.0),
        });
        let patterns = recognizer.patterns.iter().flatten();
        let patterns = patterns.map(|it| (it.regex.clone(), it.score));
        let mut entity = known;
        for (regex, score) in patterns.chain(listed.map(|it| (it.regex, it.score))) {
            let expression = format!("(?{flags}){regex}");
            let own = Own::of(name, entity, &[expression], score, &words)?;
            entity = Some(own.entity);
            self.own.push(own);
        }
        Ok(())
    }
}

impl Recognizer {
    /// The words that speak of what it finds; none if it is of no language that is asked for.
    fn words(&self, languages: Option<&[String]>) -> Option<Vec<String>> {
        let asked = |code: &String| languages.is_none_or(|all| all.contains(code));
        let mut words: Vec<String> = self.context.clone().unwrap_or_default();
        let all = self.supported_languages.as_deref().unwrap_or_default();
        let mut spoken = all.iter().filter(|it| match it {
            Language::Code(code) | Language::Context { language: code, .. } => asked(code),
        });
        let one = self.supported_language.as_ref();
        let any = all.is_empty() && one.is_none_or(asked);
        let mut is_spoken = any;
        for language in &mut spoken {
            is_spoken = true;
            if let Language::Context { context, .. } = language {
                words.extend(context.iter().flatten().cloned());
            }
        }
        is_spoken.then(|| words.iter().map(|word| word.to_lowercase()).collect())
    }
}

/// The name of the entity that a recognizer is called by: `UsSsnRecognizer` finds `US_SSN`.
fn entity_name(class: &str) -> String {
    let mut name = String::new();
    for c in class.strip_suffix("Recognizer").unwrap_or(class).chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(c.to_ascii_uppercase());
    }
    name
}

/// Flags of Python's expressions as they are written in one.
fn modes(flags: u32) -> Result<String, String> {
    // That a text is Unicode is so in any case.
    const UNICODE: u32 = 32;
    let mut left = flags & !UNICODE;
    let mut modes = String::new();
    for (flag, mode) in [(2, 'i'), (8, 'm'), (16, 's'), (64, 'x')] {
        if left & flag != 0 {
            modes.push(mode);
            left &= !flag;
        }
    }
    match left {
        0 => Ok(if modes.is_empty() {
            "u".to_owned()
        } else {
            modes
        }),
        _ => Err(format!(
            "there is nothing like the flags {flags} of expressions here"
        )),
    }
}

/// An expression for a text as a word.
fn whole(text: &str) -> String {
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let bound = |c| if is_word(c) { r"\b" } else { "" };
    let mut escaped = String::new();
    for c in text.chars() {
        if !c.is_alphanumeric() && c.is_ascii() && !c.is_whitespace() {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    let (first, last) = (text.chars().next(), text.chars().next_back());
    format!("{}{escaped}{}", bound(first), bound(last))
}
