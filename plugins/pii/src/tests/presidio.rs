//! Files of Presidio, as its documentation has them.

use serde_json::json;

use super::{outcome, pii, refusal};

fn with(yaml: &str) -> crate::Pii {
    pii(&json!({"presidio": yaml}).to_string())
}

fn refused(yaml: &str) -> String {
    refusal(&json!({"presidio": yaml}).to_string())
}

fn masked(guardrail: &crate::Pii, text: &str) -> String {
    outcome(guardrail, text).texts.concat()
}

/// By the form of `conf/example_recognizers.yaml`.
const OWN: &str = r#"
recognizers:
  -
    name: "Zip code Recognizer"
    supported_language: "de"
    patterns:
      -
         name: "zip code (weak)"
         regex: "(\\b\\d{5}(?:\\-\\d{4})?\\b)"
         score: 0.01
    context:
     - zip
     - code
    supported_entity: "ZIP"
  -
    name: "Titles recognizer"
    supported_language: "en"
    supported_entity: "TITLE"
    deny_list:
      - Mr.
      - Miss
  -
    name: "BR CPF Recognizer"
    supported_language: "pt"
    supported_entity: "BR_CPF"
    country_code: "br"
    patterns:
      - name: "br_cpf (weak)"
        regex: "\\b\\d{3}\\.\\d{3}\\.\\d{3}-\\d{2}\\b"
        score: 0.3
    context: [cpf]
"#;

/// By the form of `conf/default_recognizers.yaml`.
const REGISTRY: &str = r"
supported_languages:
  - en
global_regex_flags: 26

recognizers:
  - name: CreditCardRecognizer
    supported_languages:
    - language: en
      context: [credit, card, plastic]
    - language: es
      context: [tarjeta]
    - language: it
    type: predefined

  - name: UsBankRecognizer
    supported_languages:
    - en
    type: predefined

  - name: EsNifRecognizer
    supported_languages:
    - es
    type: predefined

  - NhsRecognizer

  - name: ExampleCustomRecognizer
    patterns:
    - name: staff
      regex: 'st-\d{4}'
      score: 0.8
    supported_languages:
    - language: en
      context: [staff]
    supported_entity: STAFF
    type: custom
    enabled: true

  - name: OllamaRecognizer
    class_name: OllamaLangExtractRecognizer
    type: predefined
    enabled: false
    config_path: conf/langextract_config_ollama.yaml
";

/// By the form of an analyzer's configuration.
const ANALYZER: &str = r"
supported_languages:
- en
default_score_threshold: 0.9

nlp_configuration:
  nlp_engine_name: spacy
  models:
    - lang_code: en
      model_name: en_core_web_lg
  ner_model_configuration:
    model_to_presidio_entity_mapping:
      PER: PERSON
      GPE: LOCATION
      CARDINAL: NUMBER
    low_confidence_score_multiplier: 0.4
    labels_to_ignore:
    - CARDINAL

recognizer_registry:
  global_regex_flags: 26
  recognizers:
  - name: EmailRecognizer
    type: predefined
  - ItFiscalCodeRecognizer
";

#[test]
fn recognizers_of_ones_own_are_looked_for_besides() {
    let guardrail = with(OWN);
    assert_eq!(
        masked(&guardrail, "mr. X and Miss Y, a@b.de, zip 12345-1234"),
        "<TITLE> X and <TITLE> Y, <EMAIL>, zip <ZIP>"
    );
    assert_eq!(
        masked(&guardrail, "Mississippi, Mr X, 12345"),
        "Mississippi, Mr X, 12345"
    );
    assert_eq!(masked(&guardrail, "cpf 123.456.789-10"), "cpf <BR_CPF>");
}

#[test]
fn a_list_of_predefined_recognizers_says_what_is_looked_for() {
    let guardrail = with(REGISTRY);
    assert_eq!(
        masked(
            &guardrail,
            "4111 1111 1111 1111, a@b.de, nhs 943 476 5919, ST-1234, by Anna Keller"
        ),
        "<CREDIT_CARD>, a@b.de, nhs <UK_NHS>, <STAFF>, by <PERSON>"
    );
    // A word of the file makes it surer.
    let card = "4222222222222";
    assert_eq!(masked(&guardrail, card), card);
    assert_eq!(
        masked(&guardrail, &format!("plastic {card}")),
        "plastic <CREDIT_CARD>"
    );
    // Another list is stronger.
    let config = json!({"presidio": REGISTRY, "entities": ["EMAIL"]});
    assert_eq!(
        masked(&pii(&config.to_string()), "a@b.de 4111 1111 1111 1111"),
        "<EMAIL> 4111 1111 1111 1111"
    );
}

#[test]
fn the_configuration_of_an_analyzer_has_a_threshold_and_names() {
    let guardrail = with(ANALYZER);
    assert_eq!(
        masked(&guardrail, "a@b.de, (415) 555-2671, RSSMRA85T10A562S"),
        "<EMAIL>, (415) 555-2671, <IT_FISCAL_CODE>"
    );
    let config = json!({"presidio": ANALYZER, "threshold": 0.5});
    assert_eq!(
        masked(&pii(&config.to_string()), "from Los Angeles"),
        "from <LOCATION>"
    );
}

#[test]
fn what_cannot_be_carried_is_refused_by_name() {
    for (yaml, says) in [
        ("recognizers.yaml", "a guardrail reads no files"),
        (
            "recognizers:\n- FooRecognizer",
            "FooRecognizer: there is no such recognizer",
        ),
        (
            "recognizers:\n- name: GLiNERRecognizer\n  type: predefined\n  model_name: x",
            "GLiNERRecognizer: unknown field `model_name`",
        ),
        (
            "recognizers:\n- name: A\n  supported_entity: X1\n  patterns:\n  - regex: '(?<!a)b'\n    score: 1",
            "A: \"(?ims)(?<!a)b\"",
        ),
        (
            "recognizers:\n- name: A\n  supported_entity: x\n  patterns:\n  - regex: a\n    score: 1",
            "A: the name is not of capital letters",
        ),
        (
            "recognizers:\n- name: A\n  supported_entity: X1\n  patterns:\n  - regex: a\n    score: 2",
            "A: 2 is not from 0 to 1",
        ),
        (
            "recognizers:\n- name: A\n  patterns: []",
            "A: it says no entity",
        ),
        (
            "recognizers:\n- name: A\n  type: other",
            "A: there is no type \"other\"",
        ),
        (
            "recognizers:\n- name: IpRecognizer\n  type: predefined\n  supported_entity: ADDR",
            "IpRecognizer: it cannot be called ADDR",
        ),
        (
            "global_regex_flags: 4\nrecognizers:\n- name: A\n  supported_entity: X1\n  deny_list: [a]",
            "A: there is nothing like the flags 4",
        ),
        (
            "nlp_configuration:\n  ner_model_configuration:\n    model_to_presidio_entity_mapping:\n      ID: ID",
            "nlp_configuration: there is no entity \"ID\"",
        ),
        ("recognizers:\n- [", "did not find expected node"),
        ("anonymizers:\n- a", "unknown field `anonymizers`"),
    ] {
        let refusal = refused(yaml);
        assert!(
            refusal.starts_with("presidio: ") && refusal.contains(says),
            "{refusal}"
        );
    }
}
