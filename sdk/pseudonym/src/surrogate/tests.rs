//! What surrogates look like, and how they are known again.

use super::*;

const VALUES: [(Form, &str); 8] = [
    (Form::Email, "jane.doe@example.com"),
    (Form::Ip, "93.184.216.34"),
    (Form::Ip, "2606:2800:220:1::1"),
    (Form::Phone, "+49 30 901820"),
    (Form::Card, "4111 1111 1111 1111"),
    (Form::Card, "378282246310005"),
    (Form::Iban, "DE89 3704 0044 0532 0130 00"),
    (Form::Iban, "GB82WEST12345698765432"),
];

#[test]
fn a_stand_in_has_the_form_of_the_value() {
    let made = VALUES.map(|(form, value)| {
        let random: Vec<u8> = (0..32_u8).map(|n| n.wrapping_mul(37) ^ 91).collect();
        make(form, value, &random).unwrap().0
    });
    assert_eq!(
        made,
        [
            "ubdz12d6f@example.invalid",
            "198.19.126.17",
            "2001:db8:5b7e:1134:cfe2:8558:7316:29cc",
            "+1-503-555-0127",
            "4000 0016 7276 3851",
            "400000167276381",
            "DE45 0000 7638 5214 1632 16",
            "GB85XXXX76385214163216",
        ]
    );
}

#[test]
fn stand_ins_are_found_in_a_text() {
    for seed in 0..=255_u8 {
        let random: Vec<u8> = (0..32_u8).map(|n| n.wrapping_mul(29) ^ seed).collect();
        for (form, value) in VALUES {
            let (made, known_by) = make(form, value, &random).unwrap();
            assert!(is_one(form, &made), "{made}");
            assert!(!is_one(form, value), "{value}");
            for text in [
                made.clone(),
                format!("to {made}, please"),
                format!("{{\"k\":\"{made}\"}}"),
                format!("é='{made}'."),
            ] {
                let found = find(&text);
                let [(range, found)] = &found[..] else {
                    panic!("{found:?} in {text}");
                };
                assert_eq!((found, &text[range.clone()]), (&known_by, &*made), "{text}");
            }
        }
    }
}

#[test]
fn other_values_are_not_taken_for_stand_ins() {
    let text = "jane@example.com 10.0.0.1 +1 202 555 0199 4111 1111 1111 1111 v1.2.3 12:30";
    let found = find(text);
    assert!(
        found
            .iter()
            .all(|(_, known)| known.starts_with("phone 1202555")),
        "{found:?}"
    );
}

#[test]
fn what_does_not_have_the_form_has_no_stand_in() {
    for (form, value) in [
        (Form::Ip, "x"),
        (Form::Card, "12"),
        (Form::Iban, "D"),
        (Form::Iban, "é"),
    ] {
        assert_eq!(make(form, value, &[7; 32]), None, "{value}");
    }
}
