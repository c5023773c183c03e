//! What the checks of a guardrail take: a histogram that costs a message two looks at the
//! clock and some additions, and whose figures are worked out when somebody asks.

use std::array;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Buckets of one power of two, as bits: 8 of them, so that a figure is at most an eighth
/// above what it stands for.
const BITS: u32 = 3;

/// Up to which each number of nanoseconds has a bucket of its own.
const EXACT: u64 = 1 << BITS;

/// Buckets for any number of nanoseconds.
const BUCKETS: usize = (64 - BITS as usize + 1) << BITS;

/// The times of all checks.
pub(super) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    longest: AtomicU64,
    total: AtomicU64,
}

/// What checks took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    /// How many there were.
    pub checks: u64,
    /// What half of them did not exceed, at most an eighth too high.
    pub median: Duration,
    /// What 99 of 100 did not exceed, as exact.
    pub p99: Duration,
    /// The longest.
    pub longest: Duration,
    /// All together.
    pub total: Duration,
}

impl Histogram {
    pub(super) fn new() -> Self {
        Self {
            buckets: array::from_fn(|_| AtomicU64::new(0)),
            longest: AtomicU64::new(0),
            total: AtomicU64::new(0),
        }
    }

    /// Notes how long a check takes. One that nobody waits for to the end is not noted.
    pub(super) async fn during<T>(&self, check: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let outcome = check.await;
        self.add(begun.elapsed());
        outcome
    }

    fn add(&self, took: Duration) {
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get(index(nanoseconds)) {
            bucket.fetch_add(1, Relaxed);
        }
        self.total.fetch_add(nanoseconds, Relaxed);
        // Mostly it is not, and then nothing is written.
        if nanoseconds > self.longest.load(Relaxed) {
            self.longest.fetch_max(nanoseconds, Relaxed);
        }
    }

    /// Nothing if there was no check.
    pub(super) fn latency(&self) -> Option<Latency> {
        let counts = self.buckets.iter().map(|bucket| bucket.load(Relaxed));
        let counts: Vec<u64> = counts.collect();
        let checks: u64 = counts.iter().sum();
        let longest = self.longest.load(Relaxed);
        let of_hundred = |share: u64| {
            let mut left = checks.saturating_mul(share).div_ceil(100);
            let bucket = counts.iter().position(|count| {
                left = left.saturating_sub(*count);
                left == 0
            });
            Duration::from_nanos(bucket.map_or(0, last).min(longest))
        };
        (checks > 0).then(|| Latency {
            checks,
            median: of_hundred(50),
            p99: of_hundred(99),
            longest: Duration::from_nanos(longest),
            total: Duration::from_nanos(self.total.load(Relaxed)),
        })
    }
}

/// The bucket for so many nanoseconds.
fn index(nanoseconds: u64) -> usize {
    let index = match nanoseconds {
        0..EXACT => nanoseconds,
        _ => {
            let shift = nanoseconds.ilog2() - BITS;
            (u64::from(shift) << BITS) + (nanoseconds >> shift)
        }
    };
    usize::try_from(index).unwrap_or(BUCKETS)
}

/// The most nanoseconds that are in a bucket.
fn last(index: usize) -> u64 {
    let index = index as u64;
    match index {
        0..EXACT => index,
        _ => {
            let shift = (index >> BITS) - 1;
            let next = (index & (EXACT - 1)) + EXACT + 1;
            u64::try_from((u128::from(next) << shift) - 1).unwrap_or(u64::MAX)
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_in_a_bucket_that_ends_at_most_an_eighth_above_it() {
        let powers = (0..64).map(|power| 1_u64 << power);
        let times = powers.flat_map(|it| [it - 1, it, it + it / 3, it + (it - 1)]);
        let mut times: Vec<u64> = times.chain([u64::MAX]).collect();
        times.sort_unstable();
        for time in &times {
            let end = last(index(*time));
            assert!(
                index(*time) < BUCKETS && end >= *time && end - time <= time / 8,
                "{time}: {end}"
            );
        }
        assert!(times.is_sorted_by_key(|time| index(*time)));
        for bucket in 0..BUCKETS {
            assert_eq!(index(last(bucket)), bucket);
        }
    }

    #[test]
    fn figures_are_those_of_the_checks() {
        let histogram = Histogram::new();
        assert_eq!(histogram.latency(), None);
        for milliseconds in 1..=200 {
            histogram.add(Duration::from_millis(milliseconds));
        }
        let latency = histogram.latency().unwrap();
        assert_eq!(latency.checks, 200);
        assert_eq!(latency.longest, Duration::from_millis(200));
        assert_eq!(latency.total, Duration::from_millis(200 * 201 / 2));
        let near = |took: Duration, milliseconds: u64| {
            let exact = Duration::from_millis(milliseconds);
            took >= exact && took <= exact + exact / 8
        };
        assert!(
            near(latency.median, 100) && near(latency.p99, 198),
            "{latency:?}"
        );
    }

    #[test]
    fn one_check_is_all_figures() {
        let histogram = Histogram::new();
        let took = Duration::from_micros(41);
        histogram.add(took);
        let latency = histogram.latency().unwrap();
        let Latency {
            median,
            p99,
            longest,
            total,
            ..
        } = latency;
        assert_eq!([median, p99, longest, total], [took; 4]);
    }
}
