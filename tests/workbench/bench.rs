//! What guardrails cost. No figure is held against a mark: the machine is busy.

use mcp_gateway_tests::guest;
use serde_json::{Value, json};

use super::{folder, plugin};

#[test]
fn guardrails_are_measured_one_by_one_and_as_a_chain() {
    let folder = folder(&[]);
    let codename = guest("guardrail_codename");
    let email = guest("guardrail_email");
    let (codename, email) = (codename.to_str().unwrap(), email.to_str().unwrap());
    let report = plugin(folder.path(), &["bench", codename, email, "--json"]).json();
    let measured = |checks: &Value| -> Vec<(Value, Value, bool)> {
        let checks = checks.as_array().unwrap().iter();
        checks
            .map(|check| {
                let p50 = check["times"]["p50Microseconds"].as_f64().unwrap();
                let p99 = check["times"]["p99Microseconds"].as_f64().unwrap();
                let plausible = 0.0 < p50 && p50 <= p99;
                (
                    check["direction"].clone(),
                    check["bytes"].clone(),
                    plausible,
                )
            })
            .collect()
    };
    let all: Vec<_> = ["to-server", "to-client"]
        .into_iter()
        .flat_map(|way| [200, 10_000, 1_000_000].map(|size| (json!(way), json!(size), true)))
        .collect();
    assert_eq!(measured(&report["chain"]), all);
    for one in report["guardrails"].as_array().unwrap() {
        let checks = measured(&one["checks"]);
        assert!(!checks.is_empty() && all.ends_with(&checks), "{one}");
        assert!(one["snapshotBytes"].as_u64().unwrap() > 0, "{one}");
        assert!(one["memoryAtStart"].as_u64().unwrap() > 0, "{one}");
        assert!(one["configureSeconds"].as_f64().unwrap() > 0.0, "{one}");
    }
}

#[test]
fn a_guardrail_that_gives_no_verdict_breaks_its_limits() {
    let folder = folder(&[("fault.txt", "FAULT ")]);
    let faulty = guest("guest_faulty");
    let words = [
        "bench",
        faulty.to_str().unwrap(),
        "--config",
        "fault = 'trap'",
        "--text",
        "fault.txt",
    ];
    let answer = plugin(folder.path(), &words);
    assert_eq!(answer.code, 1, "{}{}", answer.text, answer.error);
    assert!(
        answer.text.contains("NO VERDICT: it crashed"),
        "{}",
        answer.text
    );
    assert!(answer.text.contains("BREAKS "), "{}", answer.text);
    let answer = plugin(folder.path(), &["bench", "basic", "--config", "no = 1"]);
    assert_eq!(answer.code, 2);
    assert!(
        answer.error.contains("refuses its configuration"),
        "{}",
        answer.error
    );
}
