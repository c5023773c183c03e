//! Who does not answer is left alone for a while.

use std::time::Duration;

use mcp_gateway_sdk::State;

/// So many failures in a row, within this time, are enough.
const FAILURES: i64 = 5;
const WITHIN: Duration = Duration::from_secs(30);

/// How long nobody is asked then. The next failure after that is enough again.
const PAUSE: Duration = Duration::from_secs(30);

/// The longest that Lasso can ask for.
const LONGEST_PAUSE: u64 = 300;

const COUNT: &str = "failures";
const PAUSED: &str = "paused";

/// Why nobody is asked at the moment.
pub(crate) fn paused(state: &State<'_>) -> Option<String> {
    let why = state.get(PAUSED)?;
    Some(String::from_utf8_lossy(&why).into_owned())
}

/// Notes that Lasso answered.
pub(crate) fn succeeded(state: &State<'_>) {
    state.delete(COUNT);
}

/// Notes that Lasso did not answer, or could not. Where there is no room to note it, it is asked
/// on.
pub(crate) fn failed(state: &State<'_>) {
    let count = state.increment(COUNT, 1, Some(WITHIN));
    if count.is_ok_and(|count| count >= FAILURES) {
        let why = format!("it failed {FAILURES} times in a row");
        let _ = state.set_for(PAUSED, why.as_bytes(), PAUSE);
        let last = (FAILURES - 1).to_string();
        let _ = state.set_for(COUNT, last.as_bytes(), PAUSE + WITHIN);
    }
}

/// Notes for how many seconds Lasso wants to be left alone.
pub(crate) fn pause(state: &State<'_>, seconds: u64) {
    let time = Duration::from_secs(seconds.min(LONGEST_PAUSE));
    let _ = state.set_for(PAUSED, b"it asked for a pause", time);
}

#[cfg(test)]
mod tests {
    use mcp_gateway_sdk::Scope;
    use mcp_gateway_sdk::testing::{Gateway, Sample};

    use super::*;

    #[test]
    fn failures_in_a_row_are_followed_by_a_pause_and_then_one_is_enough() {
        let gateway = Gateway::default();
        let sample = Sample::request("tools/call", ["a"]).within(&gateway);
        let message = sample.message();
        let state = message.state(Scope::Global);
        for _ in 1..FAILURES {
            failed(&state);
        }
        succeeded(&state);
        for _ in 1..FAILURES {
            failed(&state);
        }
        assert_eq!(paused(&state), None);
        failed(&state);
        assert!(paused(&state).is_some());
        gateway.wait(PAUSE + Duration::from_secs(1));
        assert_eq!(paused(&state), None);
        failed(&state);
        assert!(paused(&state).is_some());
    }
}
