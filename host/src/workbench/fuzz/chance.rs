//! Numbers that look random and are the same for the same seed.

/// A generator (SplitMix64).
pub(super) struct Chance(u64);

impl Chance {
    /// The numbers of one case, whatever cases came before it.
    pub(super) fn of(seed: u64, case: u64) -> Self {
        let mut mixed = Self(seed);
        let base = mixed.next();
        Self(base ^ case.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below a bound; 0 if that is 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX);
        let number = self.next().checked_rem(bound).unwrap_or_default();
        usize::try_from(number).unwrap_or_default()
    }

    /// Whether something happens that does once in so many times.
    pub(super) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of several; the default of none.
    pub(super) fn one_of<T: Clone + Default>(&mut self, all: &[T]) -> T {
        all.get(self.below(all.len())).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_the_same_each_time_and_no_other() {
        let numbers = |seed, case| {
            let mut chance = Chance::of(seed, case);
            [chance.next(), chance.next()]
        };
        assert_eq!(numbers(7, 3), numbers(7, 3));
        assert_ne!(numbers(7, 3), numbers(7, 4));
        assert_ne!(numbers(7, 3), numbers(8, 3));
        assert_eq!(Chance::of(1, 1).below(0), 0);
    }
}
