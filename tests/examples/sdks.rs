//! The SDKs' own tests.

use mcp_gateway_tests::repository;

use super::project::succeeds;

#[test]
fn those_of_javascript_pass() {
    succeeds(&repository().join("sdk/js"), &["node", "--test"]);
}

#[test]
fn those_of_python_pass() {
    let words = ["python3", "-B", "-c", PYTHON];
    succeeds(&repository().join("sdk/python"), &words);
}

/// As `python3 -m unittest discover tests`, with the package where it is.
const PYTHON: &str = "import sys, unittest; sys.path.insert(0, '.'); \
    unittest.main(None, argv=['sdk', 'discover', 'tests'])";

#[test]
fn those_of_go_pass() {
    succeeds(&repository().join("sdk/go"), &["go", "test", "./..."]);
}
