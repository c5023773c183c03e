//! The texts that are measured: what tools answer, of several kinds, and clean.

/// Lines of a log, JSON, prose in two scripts, code.
pub(super) const TEXT: &str = "\
2026-07-28T10:11:12.345Z INFO server::http{request_id=8f14e45f} GET /api/v1/items/42?page=3 -> 200 in 12ms
{\"id\":17,\"name\":\"report.pdf\",\"size\":48213,\"owner\":{\"login\":\"mona\",\"id\":583231},\"labels\":[\"bug\",\"p1\"],\
\"updated_at\":\"2026-07-28T10:11:12Z\",\"sha\":\"48e4875032cc26d5d89c9d23b486c905f032dd9d\"}
The quick brown fox reads a README, installs a package and wonders why the token bucket is empty.
Größere Änderungen brauchen etwas Zeit; 日本語の文章もあります。
fn main() { let total: u64 = items.iter().map(|item| item.price * item.count).sum(); println!(\"{total}\"); }
| name | size | state |
|---|---:|---|
| alpha | 1204 | open |
";

/// So many bytes of a text, from its beginning and again as often as needed.
pub(super) fn of_size(text: &str, size: usize) -> String {
    let mut sized = String::with_capacity(size);
    while sized.len() < size && !text.is_empty() {
        let room = size - sized.len();
        let end = text.floor_char_boundary(room);
        sized.push_str(text.get(..end).unwrap_or_default());
        if end < text.len() {
            // What is left is less than a character.
            sized.extend(std::iter::repeat_n(' ', room - end));
        }
    }
    sized
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_the_size_that_was_asked_for() {
        for size in [0, 1, 200, 777, 778, 779, 10_000] {
            assert_eq!(of_size(TEXT, size).len(), size);
        }
        assert_eq!(of_size("ü", 5), "üü ");
        assert_eq!(of_size("", 5), "");
    }
}
