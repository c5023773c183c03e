//! What names and descriptions of tools say about them, by their words.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::labels::Labels;

/// The list, which the gateway's scan reads as well.
const LIST: &str = include_str!("../words.toml");

/// So much of a description is read: its first sentence, or this many bytes of it.
const SENTENCE: usize = 200;

/// The words that are known.
#[derive(Debug)]
pub(crate) struct Words(BTreeMap<String, Meaning>);

/// What a word can mean.
#[derive(Debug, Clone, Copy, Default)]
struct Meaning {
    /// As a noun.
    is_about: Labels,
    /// As a noun, where no other is.
    alone: Labels,
    verb: Option<Verb>,
    /// Whether it asks an address of the caller's choice.
    fetches: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Read,
    Write,
    Change,
    Send,
    Run,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    untrusted: Vec<String>,
    private: Vec<String>,
    sends: Vec<String>,
    runs: Vec<String>,
    fetches: Vec<String>,
    reads: Vec<String>,
    writes: Vec<String>,
    changes: Vec<String>,
    untrusted_alone: Vec<String>,
    private_alone: Vec<String>,
}

/// What is said about a tool.
#[derive(Debug, Default)]
struct Said {
    about: Labels,
    alone: Labels,
    verb: Option<Verb>,
    fetches: bool,
}

impl Words {
    pub(crate) fn new() -> Result<Self, String> {
        let list: List = toml::from_str(LIST).map_err(|error| error.to_string())?;
        let mut words = Self(BTreeMap::new());
        words.learn(list.untrusted, |it| it.is_about.add(Labels::UNTRUSTED));
        words.learn(list.private, |it| it.is_about.add(Labels::PRIVATE));
        words.learn(list.untrusted_alone, |it| it.alone.add(Labels::UNTRUSTED));
        words.learn(list.private_alone, |it| it.alone.add(Labels::PRIVATE));
        words.learn(list.fetches, |it| it.fetches = true);
        for (verbs, verb) in [
            (list.reads, Verb::Read),
            (list.writes, Verb::Write),
            (list.changes, Verb::Change),
            (list.sends, Verb::Send),
            (list.runs, Verb::Run),
        ] {
            words.learn(verbs, |it| it.verb = Some(verb));
        }
        Ok(words)
    }

    fn learn(&mut self, words: Vec<String>, meaning: impl Fn(&mut Meaning)) {
        for word in words {
            meaning(self.0.entry(word).or_default());
        }
    }

    /// What a tool is by its name and that of its server.
    pub(crate) fn of_name(&self, server: &str, name: &str) -> Labels {
        let said = self.said(name);
        let labels = said.labels(self.said(server).about);
        match labels.is_none() && !said.changes() {
            true => said.alone,
            false => labels,
        }
    }

    /// What is known by a server, and by what something is called that is no tool.
    pub(crate) fn of_noun(&self, server: &str, name: &str) -> Labels {
        self.said(server).about.and(self.said(name).about)
    }

    /// What a tool is by its name and, where that leaves it open, by how its description begins.
    pub(crate) fn of_listed(&self, server: &str, name: &str, description: &str) -> Labels {
        let (mut said, server) = (self.said(name), self.said(server).about);
        let sentence = sentence(description);
        if said.verb.is_none() && !said.fetches {
            // It begins with its verb, as an order or in the third person; later ones are of other things.
            let first = words(sentence).into_iter().next().unwrap_or_default();
            said.verb = self.stem(&first).and_then(|it| it.verb);
        }
        let labels = said.labels(server);
        if !labels.is_none() || said.changes() {
            return labels;
        }
        let described = self.said(sentence);
        said.about = described.about;
        said.fetches = described.fetches;
        let labels = said.labels(Labels::NONE);
        match labels.is_none() {
            true => said.alone,
            false => labels,
        }
    }

    /// Whether the first verb of a name is one of those with which a tool looks at something.
    pub(crate) fn reads(&self, name: &str) -> bool {
        self.said(name).verb == Some(Verb::Read)
    }

    fn said(&self, name: &str) -> Said {
        let mut said = Said::default();
        for word in words(name) {
            if let Some(meaning) = self.0.get(&word) {
                said.verb = said.verb.or(meaning.verb);
                said.alone.add(meaning.alone);
            }
            if let Some(meaning) = self.stem(&word) {
                said.about.add(meaning.is_about);
                said.fetches |= meaning.fetches;
            }
        }
        said
    }

    /// What a word means that may have an ending.
    fn stem(&self, word: &str) -> Option<Meaning> {
        let known = |word: &str| self.0.get(word).copied();
        known(word)
            .or_else(|| known(word.strip_suffix('s')?))
            .or_else(|| known(word.strip_suffix("es")?))
            .or_else(|| known(&format!("{}y", word.strip_suffix("ies")?)))
    }
}

impl Said {
    /// What a tool is of which this is said, and whose server is about this.
    fn labels(&self, server: Labels) -> Labels {
        let mut about = self.about;
        about.add(server);
        let mut labels = match self.verb {
            Some(Verb::Send) => Labels::SENDS,
            Some(Verb::Write) if about.has(Labels::UNTRUSTED) => Labels::SENDS,
            Some(Verb::Write | Verb::Change) => Labels::NONE,
            Some(Verb::Run) => Labels::SENDS.and(Labels::PRIVATE),
            Some(Verb::Read) | None => about,
        };
        // To fetch one's own mails is to read them.
        if self.fetches && !self.about.has(Labels::PRIVATE) {
            labels.add(Labels::FETCHES.and(Labels::UNTRUSTED));
        }
        labels
    }

    /// Whether it is known that it shows nothing.
    fn changes(&self) -> bool {
        matches!(self.verb, Some(Verb::Write | Verb::Change))
    }
}

/// How a description begins.
fn sentence(description: &str) -> &str {
    let mut end = description.len().min(SENTENCE);
    while !description.is_char_boundary(end) {
        end -= 1;
    }
    let start = description.get(..end).unwrap_or_default().trim_start();
    let stop = start.find(['.', '\n', ';', ':']).unwrap_or(start.len());
    start.get(..stop).unwrap_or_default()
}

/// The words in a name such as `read_file`, `readFile` or `fetchURLNow`, in small letters.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut characters = name.chars().peekable();
    let mut before = ' ';
    while let Some(character) = characters.next() {
        let next_is_small = characters.peek().is_some_and(|it| it.is_lowercase());
        let begins = character.is_uppercase()
            && (before.is_lowercase() || before.is_uppercase() && next_is_small);
        if begins || !character.is_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| character.is_alphanumeric()) {
            word.extend(character.to_lowercase());
        }
        before = character;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_fall_into_words() {
        for (name, expected) in [
            ("readFile-now_x", "read file now x"),
            ("fetchURLNow", "fetch url now"),
            ("SQLQuery", "sql query"),
            ("getURL", "get url"),
            ("__", ""),
        ] {
            assert_eq!(words(name).join(" "), expected);
        }
    }

    #[test]
    fn tools_are_known_by_their_names() {
        let words = Words::new().unwrap();
        for (server, name, expected) in [
            ("web", "fetch", "untrusted fetches"),
            ("x", "fetch_html", "untrusted fetches"),
            ("x", "browser_navigate", "untrusted fetches"),
            ("x", "firecrawl_scrape", "untrusted fetches"),
            ("x", "brave_web_search", "untrusted"),
            ("x", "search", "untrusted"),
            ("memory", "search", "private"),
            ("x", "query", "private"),
            ("files", "read_text_file", "private"),
            ("files", "list_allowed_directories", "private"),
            ("files", "write_file", ""),
            ("files", "move_file", ""),
            ("db", "read_query", "private"),
            ("db", "write_query", ""),
            ("x", "create_table", ""),
            ("x", "execute_sql", "private"),
            ("x", "list_issues", "untrusted"),
            ("x", "get_issue_comments", "untrusted"),
            ("x", "add_issue_comment", "sends"),
            ("x", "create_issue", "sends"),
            ("github", "get_file_contents", "untrusted private"),
            ("github", "create_or_update_file", "sends"),
            ("x", "createPullRequest", "sends"),
            ("x", "send_email", "sends"),
            ("x", "draft_email", ""),
            ("x", "search_emails", "untrusted private"),
            ("x", "fetch_emails", "untrusted private"),
            ("x", "slack_post_message", "sends"),
            ("x", "slack_get_channel_history", "untrusted private"),
            ("x", "list_calendar_events", "untrusted private"),
            ("x", "create_event", "sends"),
            ("x", "run_shell", "private sends"),
            ("git", "git_log", "private"),
            ("git", "git_commit", ""),
            ("x", "getRepositories", "private"),
            ("time", "get_current_time", ""),
            ("m", "echo", ""),
            ("m", "add", ""),
        ] {
            let labels = words.of_name(server, name).to_string();
            assert_eq!(labels, expected, "{server}/{name}");
        }
    }

    #[test]
    fn descriptions_say_what_names_leave_open() {
        let words = Words::new().unwrap();
        for (name, description, expected) in [
            ("look", "Search the company's documents.", "private"),
            ("search", "Search the company's documents.", "private"),
            ("search", "Finds things.", "untrusted"),
            (
                "grab",
                "Fetches a URL from the internet.",
                "untrusted fetches",
            ),
            ("deliver", "Sends a text to anybody. Be careful.", "sends"),
            ("read_graph", "Read the entire knowledge graph", "private"),
            ("lookup", "Finds people who send mail", "untrusted private"),
            ("inbox", "Send a letter", "sends"),
            ("sum", "Returns the sum. Use it on web pages.", ""),
            ("write_file", "Send the file away", ""),
        ] {
            let labels = words.of_listed("x", name, description).to_string();
            assert_eq!(labels, expected, "{name}: {description}");
        }
    }
}
