//! What the names of values say of them.

use mcp_gateway_sdk::testing::Sample;
use serde_json::json;

use super::{masked, pii};

#[test]
fn what_its_name_says_to_be_personal_is_masked_whole() {
    for (text, expected) in [
        (
            r#"{"first_name": "Xqvar", "lastName": "van Breugel", "plan": "Team Annual"}"#,
            r#"{"first_name": "<PERSON>", "lastName": "<PERSON>", "plan": "Team Annual"}"#,
        ),
        (
            r#"{"billing": {"name": "Joep Hazenveld", "email": "j@h.nl"}}"#,
            r#"{"billing": {"name": "<PERSON>", "email": "<EMAIL>"}}"#,
        ),
        (
            r#"[{"ФИО":"Крылова Регина Тимофеевна","Дата рождения":"1957-05-16"}]"#,
            r#"[{"ФИО":"<PERSON>","Дата рождения":"<DATE_OF_BIRTH>"}]"#,
        ),
        (
            "Vorname: Sönke\nStraße: Görresstr. 392\nGeburtsdatum: 2. Mai 1962\n",
            "Vorname: <PERSON>\nStraße: <ADDRESS>\nGeburtsdatum: <DATE_OF_BIRTH>\n",
        ),
        (
            "Nom;Prénom;Téléphone;Ville\nFouquet;Madeleine;0016-83-9446;Lyon\n",
            "Nom;Prénom;Téléphone;Ville\n<PERSON>;<PERSON>;<PHONE>;Lyon\n",
        ),
        (
            "INSERT INTO t (id, full_name, address, dob) VALUES (7, 'Öz Öcal', '4丁目7番5号', '1980/1/2'), (8, NULL, 'x', NULL);",
            "INSERT INTO t (id, full_name, address, dob) VALUES (7, '<PERSON>', '<ADDRESS>', '<DATE_OF_BIRTH>'), (8, NULL, 'x', NULL);",
        ),
        (
            " id | first_name | national_id \n----+------------+-------------\n  7 | Zoé        | ZZ 81 24 45 T\n",
            " id | first_name | national_id \n----+------------+-------------\n  7 | <PERSON>        | <NATIONAL_ID>\n",
        ),
        (
            "<customer><FirstName>Niamh</FirstName><Nr>12345678</Nr></customer>",
            "<customer><FirstName><PERSON></FirstName><Nr>12345678</Nr></customer>",
        ),
        (
            "updated id=17 owner=\"Dilara Küter\" took=12ms",
            "updated id=17 owner=\"<PERSON>\" took=12ms",
        ),
        (
            "{'cardNumber': '6011461003307665'}",
            "{'cardNumber': '<CREDIT_CARD>'}",
        ),
    ] {
        assert_eq!(masked(text), expected, "{text}");
    }
}

#[test]
fn a_value_is_masked_by_its_name_where_it_stands_alone() {
    let guardrail = pii("{}");
    let result = json!({"structuredContent": {
        "contact_person": "Xqvar Zzemlin", "homeAddress": "Rua das Flores", "birthDate": "19 March 1971",
        "status": "Closed Won", "address": "server-1:8080", "file_name": "Report Final"
    }});
    let document = Sample::of("tools/call", "response", &result);
    let mut rules = document.judge(&guardrail).unwrap().rules;
    rules.sort();
    assert_eq!(rules, ["DATE_OF_BIRTH", "PERSON", "STREET_ADDRESS"]);
}

#[test]
fn what_has_such_a_name_and_is_nothing_of_the_kind_stays() {
    for text in [
        "struct Person { first_name: String, last_name: Option<String>, street: &'static str }",
        "first_name = request.POST['first_name']",
        r#"{"name": "left-pad", "owner": "rust-lang", "address": "0x7ffe1234", "phone": null}"#,
        "first_name VARCHAR(80), birth_date: date, ssn: unknown",
        "listen address: 0.0.0.0:8080\nbase address = main + 0x40\n",
        "file_name: Quarterly Report\nproject name: Blue Whale\n",
        "owner: Finance Group\ncontact: Sales Department\n",
        "name,version\nVisual Studio,1.2.3\n",
        r#"{"ssn": null, "bytes": "536904399"}"#,
    ] {
        assert_eq!(masked(text), text);
    }
}

#[test]
fn who_is_named_in_a_text_is_hidden_where_the_name_stands_alone_beside_it() {
    let guardrail = pii("{}");
    let row = r#"[{"name": "Xqvar Hazenveld", "email": "x@h.nl", "plan": "Annual"}]"#;
    let sample = Sample::response("tools/call", [row, "Xqvar Hazenveld", "Annual", "Xqvar"]);
    let outcome = sample.judge(&guardrail).unwrap();
    let [text, name, plan, part] = &outcome.texts[..] else {
        panic!("{:?}", outcome.texts);
    };
    assert!(name.starts_with("<PERSON"), "{name}");
    assert!(text.contains(&**name), "{text}");
    assert_eq!([&**plan, &**part], ["Annual", "Xqvar"]);
}
