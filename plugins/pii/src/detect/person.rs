//! Names of people: behind a title, under a name that says so, or with a given name that is widely known.

use super::bounds::before;
use super::cue::Cues;
use super::{Hit, Token};
use crate::entity::Kind;

const TITLES: &[&str] = &[
    "Mr",
    "Mrs",
    "Ms",
    "Miss",
    "Dr",
    "Prof",
    "Professor",
    "Dear",
    "Herr",
    "Frau",
    "Mme",
    "Mlle",
    "Monsieur",
    "Madame",
    "Sir",
];

/// Words that follow a title or a cue and are nobody's name.
const NOBODY: &[&str] = &[
    "Sir", "Madam", "Customer", "Team", "All", "User", "Hiring", "Friend", "Client", "Dr", "Prof",
    "Mr", "Mrs", "Ms",
];

/// Names of values that are people.
const KEYS: &[&str] = &[
    "name",
    "full name",
    "full_name",
    "fullname",
    "author",
    "assignee",
    "owner",
    "contact",
    "customer",
    "patient",
    "employee",
    "manager",
    "reporter",
    "recipient",
    "sender",
    "cardholder",
    "account holder",
    "my name is",
];

/// Given names, sorted.
const GIVEN: &[&str] = &[
    "Aaron",
    "Adam",
    "Alan",
    "Albert",
    "Alexander",
    "Alice",
    "Amanda",
    "Amy",
    "Andrea",
    "Andrew",
    "Angela",
    "Ann",
    "Anna",
    "Anne",
    "Anthony",
    "Antonio",
    "Arthur",
    "Ashley",
    "Barbara",
    "Benjamin",
    "Betty",
    "Brandon",
    "Brenda",
    "Brian",
    "Carl",
    "Carlos",
    "Carol",
    "Caroline",
    "Catherine",
    "Charles",
    "Charlotte",
    "Christian",
    "Christina",
    "Christine",
    "Christopher",
    "Cynthia",
    "Daniel",
    "David",
    "Deborah",
    "Dennis",
    "Diana",
    "Diane",
    "Donald",
    "Donna",
    "Dorothy",
    "Douglas",
    "Edward",
    "Elizabeth",
    "Emily",
    "Emma",
    "Eric",
    "Ethan",
    "Eugene",
    "Evelyn",
    "Frances",
    "Francisco",
    "Frank",
    "Gary",
    "George",
    "Gerald",
    "Gloria",
    "Gregory",
    "Hannah",
    "Harold",
    "Heather",
    "Helen",
    "Henry",
    "Isabella",
    "Jack",
    "Jacob",
    "Jacqueline",
    "James",
    "Janet",
    "Jason",
    "Jean",
    "Jeffrey",
    "Jennifer",
    "Jeremy",
    "Jessica",
    "Joan",
    "Johann",
    "John",
    "Jonathan",
    "Jose",
    "Joseph",
    "Joshua",
    "Joyce",
    "Juan",
    "Judith",
    "Judy",
    "Julia",
    "Julie",
    "Justin",
    "Karen",
    "Katherine",
    "Kathleen",
    "Kathryn",
    "Keith",
    "Kelly",
    "Kenneth",
    "Kevin",
    "Kimberly",
    "Larry",
    "Laura",
    "Lauren",
    "Lawrence",
    "Linda",
    "Lisa",
    "Louis",
    "Luis",
    "Margaret",
    "Maria",
    "Marie",
    "Marilyn",
    "Mark",
    "Martha",
    "Martin",
    "Mary",
    "Matthew",
    "Megan",
    "Melissa",
    "Michael",
    "Michelle",
    "Mohammed",
    "Nancy",
    "Nathan",
    "Nicholas",
    "Nicole",
    "Olivia",
    "Pamela",
    "Patricia",
    "Patrick",
    "Paul",
    "Pedro",
    "Peter",
    "Philip",
    "Rachel",
    "Ralph",
    "Raymond",
    "Rebecca",
    "Richard",
    "Robert",
    "Roger",
    "Ronald",
    "Russell",
    "Ruth",
    "Ryan",
    "Samantha",
    "Samuel",
    "Sandra",
    "Sara",
    "Sarah",
    "Scott",
    "Sharon",
    "Shirley",
    "Sophia",
    "Stephanie",
    "Stephen",
    "Steven",
    "Susan",
    "Teresa",
    "Theresa",
    "Thomas",
    "Timothy",
    "Tyler",
    "Victoria",
    "Vincent",
    "Walter",
    "Wayne",
    "William",
    "Zachary",
];

/// How many words a name has at most.
const WORDS: usize = 4;

pub(super) fn find(text: &str, cues: &Cues<'_>, token: &Token) -> Option<Hit> {
    let bytes = text.as_bytes();
    let last = before(bytes, token.start);
    if last.is_ascii_alphanumeric() || last >= 0x80 || b"_./@-\\<#$".contains(&last) {
        return None;
    }
    let first = word(text, token.start)?;
    if TITLES.contains(&first) {
        let behind = token.start + first.len();
        let rest = text.get(behind..)?;
        let gap = rest.len() - rest.trim_start_matches(['.', ' ']).len();
        if gap == 0 || gap > 2 {
            return None;
        }
        let (end, count) = name(text, behind + gap);
        return (count > 0).then(|| hit(text, behind + gap, end, 0.7));
    }
    let (end, count) = name(text, token.start);
    if count == 0 {
        return None;
    }
    if count > 1 && GIVEN.binary_search(&first).is_ok() {
        return Some(hit(text, token.start, end, 0.6));
    }
    let head = text.get(..token.start)?.trim_end_matches([' ', '"', '\'']);
    let said = head.ends_with([':', '=']) || head.ends_with(" is") || head.is_empty();
    (said
        && count > 1
        && count < WORDS
        && cues.says(token.start, KEYS)
        && GIVEN.binary_search(&first).is_ok())
    .then(|| hit(text, token.start, end, 0.6))
}

/// Where a name ends that starts here, and how many words it has.
fn name(text: &str, start: usize) -> (usize, usize) {
    let (mut end, mut count, mut next) = (start, 0, start);
    while count < WORDS {
        let Some(word) = word(text, next).filter(|word| !NOBODY.contains(word)) else {
            break;
        };
        end = next + word.len();
        count += 1;
        let rest = text.get(end..).unwrap_or_default();
        next = end
            + match rest.as_bytes() {
                [b' ', ..] => 1,
                [b'.', b' ', ..] if word.len() == 1 => 2,
                _ => break,
            };
    }
    (end, count)
}

/// The capitalised word that starts here.
fn word(text: &str, start: usize) -> Option<&str> {
    let rest = text.get(start..)?;
    let mut characters = rest.char_indices();
    let (_, first) = characters.next()?;
    if !first.is_uppercase() {
        return None;
    }
    let part = |c: char| c.is_alphabetic() || c == '-' || c == '\'' || c == '’';
    let end = characters
        .take(32)
        .find(|(_, c)| !part(*c))
        .map_or(rest.len().min(32), |(at, _)| at);
    let word = rest.get(..end)?.trim_end_matches(['-', '\'']);
    let word = word.strip_suffix("'s").unwrap_or(word);
    let next = rest
        .get(word.len()..)
        .and_then(|rest| rest.bytes().next())
        .unwrap_or_default();
    (!next.is_ascii_digit() && next != b'_' && next != b'(').then_some(word)
}

fn hit(text: &str, start: usize, end: usize, score: f32) -> Hit {
    let value = text.get(start..end).unwrap_or_default();
    Hit {
        entity: Kind::Person.entity(),
        range: start..end,
        score,
        canonical: value.to_lowercase(),
    }
}
