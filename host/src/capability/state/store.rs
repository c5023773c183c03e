//! What can be done with a store, wherever its values are.

use super::shared::Broken;
use super::table::Refusal;
use crate::config::Limits;

/// A bounded store at a certain time: what has expired by then is gone.
pub(super) trait Store {
    /// The value of a key.
    fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>, Broken>;

    /// Sets a value, whatever was there.
    fn set(&mut self, key: &str, value: &[u8], ttl: Option<u32>, limits: &Limits) -> Outcome<()>;

    /// Removes a value. Says whether there was one.
    fn delete(&mut self, key: &str) -> Result<bool, Broken>;

    /// Adds to a number, and gives the sum.
    fn increment(&mut self, key: &str, by: i64, ttl: Option<u32>, limits: &Limits) -> Outcome<i64>;

    /// Sets a value if what is there is what is expected. Says whether it did.
    fn compare_and_swap(
        &mut self,
        key: &str,
        expected: Option<&[u8]>,
        value: &[u8],
        ttl: Option<u32>,
        limits: &Limits,
    ) -> Outcome<bool>;
}

/// What came of a change: done, refused, or nobody knows since the store cannot be used.
pub(super) type Outcome<T> = Result<Result<T, Refusal>, Broken>;

/// The number that a value is.
pub(super) fn number(value: &[u8]) -> Result<i64, Refusal> {
    let digits = std::str::from_utf8(value).ok();
    let number = digits.and_then(|digits| digits.parse().ok());
    number.ok_or(Refusal::NotANumber)
}
