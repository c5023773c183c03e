//! How much comes back, and what becomes of what does not.

use mcp_gateway_sdk::testing::{Gateway, Sample};

use super::World;
use crate::{Elsewhere, Issuer, Operator, Subject};

#[test]
fn what_the_vault_has_no_room_for_holds_its_value_itself() {
    let world = World {
        gateway: Gateway::with_room(1),
        ..World::new()
    };
    let first = world.shown(Operator::Pseudonym, "crm", "Anna Keller");
    let second = world.shown(Operator::Pseudonym, "crm", "Bert Kell");
    assert!(second.starts_with("<PERSON_E1_"), "{second}");
    assert_eq!(world.sent("crm", &first), "Anna Keller");
    assert_eq!(world.sent("crm", &second), "Bert Kell");
    world.refused("web", &second);
}

#[test]
fn a_stand_in_comes_back_wherever_and_however_often_it_stands_in_a_message() {
    let world = World::new();
    let shown = world.shown(Operator::Pseudonym, "crm", "Jo");
    let often = |one: &str| [one; 20_000].join(", ");
    assert_eq!(world.sent("crm", &often(&shown)), often("Jo"));
}

#[test]
fn a_message_with_too_many_stand_ins_is_refused_for_that() {
    let world = World::new();
    let many: Vec<String> = (0..9_000).map(|n| format!("PERSON_{n:06}")).collect();
    let reason = world.refused("crm", &format!("{} <PERSON_000000>", many.join(" ")));
    assert!(reason.contains("too many"), "{reason}");
}

#[test]
fn more_values_than_a_message_may_keep_come_back_all_the_same() {
    let world = World::new();
    let sample = world.sample(Sample::response("tools/call", [""]), "crm");
    let message = sample.message();
    let mut issuer = Issuer::new(&message, &world.settings);
    let mut shown = Vec::new();
    for n in 0..4_100 {
        let value = format!("Jo {n}");
        let subject = Subject {
            label: "PERSON",
            form: None,
            value: &value,
            canonical: &value,
        };
        shown.push(issuer.stand_in(Operator::Pseudonym, subject).unwrap());
    }
    assert!(shown[4_099].starts_with("<PERSON_E1_"), "{}", shown[4_099]);
    for (n, shown) in shown.iter().enumerate().skip(3_990) {
        assert_eq!(world.sent("crm", shown), format!("Jo {n}"));
    }
}

#[test]
fn what_only_looks_like_a_stand_in_goes_where_stand_ins_go() {
    let mut world = World::new();
    let reason = world.refused("crm", "to <PERSON_000001>");
    assert!(reason.contains("stands for nothing"), "{reason}");
    world.settings.elsewhere = Elsewhere::Keep;
    assert_eq!(
        world.sent("crm", "to <PERSON_000001>"),
        "to <PERSON_000001>"
    );
}
