//! Numbers of things, as a person reads them.

use std::fmt::Display;

/// So many things of which one is called so: `1 server`, `2 servers`.
pub fn counted(number: impl Display, one: &str) -> String {
    let number = number.to_string();
    let ending = if number == "1" { "" } else { "s" };
    format!("{number} {one}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_not_several() {
        assert_eq!(counted(0, "server"), "0 servers");
        assert_eq!(counted(1_u64, "server"), "1 server");
        assert_eq!(counted(21, "note"), "21 notes");
    }
}
