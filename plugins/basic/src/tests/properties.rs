//! What holds for every text.

use proptest::prelude::*;

use super::{DROP_IN, basic, masked};
use crate::Basic;
use crate::scanner::Search;
use crate::table::bundled;
use crate::template::expand;

thread_local! {
    static EVERYTHING: Basic = basic(r#"{"enable": ["opaque-string"]}"#);
}

proptest! {
    #[test]
    fn masking_twice_is_masking_once(
        parts in prop::collection::vec((0..DROP_IN.len(), "[ ,;\"'<>/.\\\\n-]{1,3}", "[a-z]{0,6}"), 0..8),
    ) {
        let rows = bundled().unwrap();
        let text: String = parts
            .iter()
            .map(|(number, delimiter, word)| {
                let row = rows.iter().find(|row| row.id == DROP_IN[*number].0).unwrap();
                let secret = expand(&row.samples[0], word);
                format!("{word}{delimiter}{secret}{delimiter}")
            })
            .collect();
        let once = masked(&text);
        prop_assert_eq!(masked(&once), once);
    }

    #[test]
    fn words_stay(words in prop::collection::vec("[A-Za-z_.@/-]{0,12}", 0..60)) {
        let text = words.join(" ");
        prop_assert_eq!(masked(&text), text);
    }

    #[test]
    fn no_text_breaks_the_contract(
        text in "(\\PC|eyJ|[.]ey|AKIA|8Q~|xapp-1-|hf_|[A-Z]{16}|password|token|=|\"|QUtJQQ|%41|\\\\u0041|\u{200b}|\\n){0,80}",
    ) {
        masked(&text);
    }

    #[test]
    fn every_place_is_a_part_of_its_text_whatever_is_looked_for(
        text in "(\\PC|[A-Za-z0-9]{24}|ghp_[a-z]{36}|AKIA[A-Z]{16}|password|token|=|: |\\\\?\"|\"\\+\"|QUtJQQ|%41|\\\\u0041|\u{200b}|\u{ff21}|,|\n|\\| ){0,60}",
    ) {
        EVERYTHING.with(|basic| {
            let all = basic.0.policies.everywhere();
            let search = Search {
                mask: &|rule, _| rule.replacement.clone(),
                off: &all.off,
                allowed: &all.allowed,
            };
            for found in basic.0.scanner.scan(&text, &search) {
                assert!(!found.places.is_empty() && !found.secret.is_empty());
                for place in found.places {
                    assert!(text.get(place).is_some_and(|part| !part.is_empty()));
                }
            }
        });
    }
}
