//! The SDKs: their own tests, and one set of cases for all of them, each with a guardrail
//! that uses all that it has.

use mcp_gateway_tests::repository;

use super::granted::{does_what_it_is_granted, imports_what_it_uses};
use super::project::{Project, succeeds};

#[test]
fn that_of_c_keeps_to_the_contract_and_does_what_it_is_granted() {
    let project = Project::of_sdk("c");
    imports_what_it_uses(&project, &[]);
    does_what_it_is_granted(&project);
}

#[test]
fn that_of_go_keeps_to_the_contract_and_does_what_it_is_granted() {
    let project = Project::of_sdk("go");
    imports_what_it_uses(&project, &[]);
    does_what_it_is_granted(&project);
}

#[test]
fn that_of_javascript_keeps_to_the_contract_and_does_what_it_is_granted() {
    let project = Project::of_sdk("js");
    imports_what_it_uses(&project, &[]);
    does_what_it_is_granted(&project);
}

#[test]
fn that_of_python_keeps_to_the_contract_and_does_what_it_is_granted() {
    let project = Project::of_sdk("python");
    imports_what_it_uses(&project, &[]);
    does_what_it_is_granted(&project);
}

#[test]
fn the_tests_of_javascript_pass() {
    succeeds(&repository().join("sdk/js"), &["node", "--test"]);
}

#[test]
fn the_tests_of_python_pass() {
    let words = ["python3", "-B", "-c", PYTHON];
    succeeds(&repository().join("sdk/python"), &words);
}

/// As `python3 -m unittest discover tests`, with the package where it is.
const PYTHON: &str = "import sys, unittest; sys.path.insert(0, '.'); \
    unittest.main(None, argv=['sdk', 'discover', 'tests'])";

#[test]
fn the_tests_of_go_pass() {
    succeeds(&repository().join("sdk/go"), &["go", "test", "./..."]);
}
