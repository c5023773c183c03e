//! From facts to a number. docs/scan.md has the same for people.
//!
//! It is a sum, and not the better of several: a well-kept account says little about a
//! package that nobody uses. What is not known is left out of it, on both sides.

use super::date::now;
use super::facts::{Facts, Owner, Repository};

/// A package with that much or less is risky. It is the Python gateway's threshold.
pub const THRESHOLD: u8 = 30;

/// With that much or less a person is told.
pub const WARNING: u8 = 50;

/// What a package is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reputation {
    /// So much, of 100.
    Scored {
        /// The number.
        score: u8,
        /// What it comes from, for a person.
        because: Vec<String>,
    },
    /// Nobody could be asked.
    Unknown(String),
}

const DAY: u64 = 24 * 3600;

impl Reputation {
    /// Whether a server of that package should not be started without a person's word.
    pub fn is_risky(&self) -> bool {
        matches!(self, Self::Scored { score, .. } if *score <= THRESHOLD)
    }
}

/// The reputation that facts make.
pub(super) fn reputation(facts: &Facts) -> Reputation {
    at(facts, now())
}

fn at(facts: &Facts, now: u64) -> Reputation {
    if !facts.exists {
        return Reputation::Scored {
            score: 0,
            because: vec!["the registry does not have it, so anybody could publish it".to_owned()],
        };
    }
    let mut sum = Sum::default();
    let mut because = Vec::new();
    if let Some(downloads) = facts.downloads {
        sum.add(30.0, logarithmic(downloads, 5.0));
        because.push(format!("{downloads} downloads a month"));
    }
    if let Some(versions) = facts.versions {
        sum.add(15.0, logarithmic(versions, 1.3));
        because.push(format!("{versions} versions"));
    }
    let age = facts
        .created
        .map(|created| now.saturating_sub(created) / DAY);
    if let Some(age) = age {
        sum.add(20.0, by_age(age));
        because.push(format!("{age} days old"));
    }
    if let Some(maintainers) = facts.maintainers {
        sum.add(10.0, if maintainers > 1 { 1.0 } else { 0.5 });
        because.push(format!("{maintainers} maintainers"));
    }
    sum.add(10.0, if facts.licence.is_some() { 1.0 } else { 0.0 });
    because.push(match &facts.licence {
        Some(licence) => format!("licence {licence:?}"),
        None => "no licence".to_owned(),
    });
    match &facts.code {
        Some(code) => sum.add(15.0, repository(code, now, &mut because)),
        None if facts.repository.is_none() || facts.repository_is_missing => sum.add(15.0, 0.0),
        // It has one, of which nothing is known at the moment.
        None => {}
    }
    if facts.verified {
        because.push("verified publisher".to_owned());
        sum.bonus += 5.0;
    }
    let mut score = sum.of_100();
    let mut cap = |most: f64, holds: bool, why: &str| {
        if holds && score > most {
            score = most;
            because.push(why.to_owned());
        }
    };
    cap(
        30.0,
        age.is_some_and(|age| age <= 10),
        "at most 30: it is very new",
    );
    cap(
        50.0,
        facts.repository.is_none(),
        "at most 50: it does not say where its code is",
    );
    cap(
        40.0,
        facts.repository_is_missing,
        "at most 40: the code is not where it says",
    );
    let archived = facts.code.as_ref().is_some_and(|code| code.archived);
    cap(
        60.0,
        archived,
        "at most 60: nobody works on the code any more",
    );
    cap(
        50.0,
        !facts.warnings.is_empty(),
        "at most 50: the registry warns",
    );
    cap(
        0.0,
        !facts.objections.is_empty(),
        "0: there is something against it",
    );
    because.extend(facts.warnings.iter().chain(&facts.objections).cloned());
    Reputation::Scored {
        score: score.round().clamp(0.0, 100.0) as u8,
        because,
    }
}

/// Of the repository: stars 30 %, forks 20 %, licence 5 %, age 15 %, its owner 30 %.
fn repository(code: &Repository, now: u64, because: &mut Vec<String>) -> f64 {
    because.push(format!("{} stars, {} forks", code.stars, code.forks));
    let mut sum = Sum::default();
    sum.add(30.0, logarithmic(code.stars, 3.0));
    sum.add(20.0, logarithmic(code.forks, 2.0));
    sum.add(5.0, if code.licence.is_some() { 1.0 } else { 0.0 });
    if let Some(created) = code.created {
        sum.add(15.0, by_age(now.saturating_sub(created) / DAY));
    }
    if let Some(person) = &code.owner {
        sum.add(30.0, owner(person, now));
    }
    sum.of_100() / 100.0
}

/// Of the owner: followers 35 %, repositories 20 %, age 20 %, verified 25 %.
fn owner(person: &Owner, now: u64) -> f64 {
    let mut sum = Sum::default();
    sum.add(35.0, logarithmic(person.followers, 3.0));
    sum.add(20.0, logarithmic(person.repositories, 1.5));
    if let Some(created) = person.created {
        let years = now.saturating_sub(created) as f64 / (365.0 * DAY as f64);
        sum.add(20.0, (years / 3.0).min(1.0));
    }
    sum.add(25.0, if person.verified { 1.0 } else { 0.0 });
    sum.of_100() / 100.0
}

/// A sum of which parts may be missing.
#[derive(Default)]
struct Sum {
    reached: f64,
    possible: f64,
    bonus: f64,
}

impl Sum {
    fn add(&mut self, weight: f64, part: f64) {
        self.reached += weight * part;
        self.possible += weight;
    }

    fn of_100(&self) -> f64 {
        match self.possible > 0.0 {
            true => (self.reached / self.possible * 100.0 + self.bonus).min(100.0),
            false => 0.0,
        }
    }
}

/// From nothing to 1, which a power of ten is enough for.
fn logarithmic(count: u64, power: f64) -> f64 {
    ((count as f64 + 1.0).log10() / power).min(1.0)
}

fn by_age(days: u64) -> f64 {
    match days {
        0..=10 => 0.0,
        11..=30 => 0.3,
        31..=90 => 0.6,
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 20_000 * DAY;

    fn score(facts: &Facts) -> u8 {
        match at(facts, NOW) {
            Reputation::Scored { score, .. } => score,
            Reputation::Unknown(why) => unreachable!("{why}"),
        }
    }

    fn well_known() -> Facts {
        Facts {
            exists: true,
            created: Some(NOW - 400 * DAY),
            versions: Some(30),
            downloads: Some(200_000),
            maintainers: Some(3),
            licence: Some("MIT".to_owned()),
            repository: Some("o/r".to_owned()),
            code: Some(Repository {
                stars: 5_000,
                forks: 700,
                licence: Some("MIT".to_owned()),
                created: Some(NOW - 500 * DAY),
                archived: false,
                owner: Some(Owner {
                    followers: 2_000,
                    repositories: 40,
                    created: Some(NOW - 3_000 * DAY),
                    verified: true,
                }),
            }),
            ..Facts::default()
        }
    }

    #[test]
    fn what_many_use_for_long_is_well_known_and_what_nobody_uses_is_risky() {
        assert_eq!(score(&well_known()), 100);
        let unknown = Facts {
            exists: true,
            created: Some(NOW - 5 * DAY),
            versions: Some(1),
            downloads: Some(12),
            maintainers: Some(1),
            ..Facts::default()
        };
        assert!(score(&unknown) <= THRESHOLD, "{}", score(&unknown));
        assert_eq!(score(&Facts::default()), 0);
    }

    #[test]
    fn an_honest_small_package_is_not_risky() {
        let small = Facts {
            exists: true,
            created: Some(NOW - 60 * DAY),
            versions: Some(6),
            downloads: Some(300),
            maintainers: Some(1),
            licence: Some("MIT".to_owned()),
            repository: Some("o/r".to_owned()),
            code: Some(Repository {
                stars: 9,
                created: Some(NOW - 80 * DAY),
                ..Repository::default()
            }),
            ..Facts::default()
        };
        assert!(score(&small) > THRESHOLD, "{}", score(&small));
    }

    #[test]
    fn whatever_else_speaks_for_it_some_things_weigh_more() {
        type Change = fn(&mut Facts);
        let cases: [(Change, u8); 6] = [
            (|facts| facts.created = Some(NOW - DAY), 30),
            (|facts| facts.repository = None, 50),
            (|facts| facts.repository_is_missing = true, 40),
            (|facts| facts.warnings.push("deprecated".to_owned()), 50),
            (|facts| facts.objections.push("taken down".to_owned()), 0),
            (|facts| facts.exists = false, 0),
        ];
        for (change, most) in cases {
            let mut facts = well_known();
            change(&mut facts);
            assert_eq!(score(&facts), most);
        }
    }

    #[test]
    fn what_is_not_known_counts_neither_for_nor_against() {
        let mut facts = well_known();
        facts.downloads = None;
        facts.code = None;
        assert_eq!(score(&facts), 100);
    }
}
