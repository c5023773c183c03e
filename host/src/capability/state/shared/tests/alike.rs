//! What is kept in the file behaves like what is kept in memory.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::Union;

use super::*;
use crate::capability::state::table::{Refusal, Table, Timed};

#[derive(Debug, Clone)]
enum Use {
    Get(&'static str),
    Set(&'static str, Vec<u8>, Option<u32>),
    Delete(&'static str),
    Add(&'static str, i64, Option<u32>),
    Swap(&'static str, Option<Vec<u8>>, Vec<u8>, Option<u32>),
    Wait(i64),
    /// The gateway is started again.
    Restart,
}

/// What came of a use.
#[derive(Debug, PartialEq)]
enum Came {
    Value(Option<Vec<u8>>),
    Set(Result<(), Refusal>),
    Deleted(bool),
    Sum(Result<i64, Refusal>),
    Swapped(Result<bool, Refusal>),
    Nothing,
}

impl Use {
    fn of(&self, store: &mut dyn Store, limits: &Limits) -> Result<Came, Broken> {
        Ok(match self.clone() {
            Self::Get(key) => Came::Value(store.get(key)?),
            Self::Set(key, value, ttl) => Came::Set(store.set(key, &value, ttl, limits)?),
            Self::Delete(key) => Came::Deleted(store.delete(key)?),
            Self::Add(key, by, ttl) => Came::Sum(store.increment(key, by, ttl, limits)?),
            Self::Swap(key, expected, value, ttl) => {
                let expected = expected.as_deref();
                Came::Swapped(store.compare_and_swap(key, expected, &value, ttl, limits)?)
            }
            Self::Wait(_) | Self::Restart => Came::Nothing,
        })
    }
}

fn uses() -> impl Strategy<Value = Vec<Use>> {
    let key = || prop::sample::select(vec!["a", "b", "c", "d", "too long"]);
    let value = || {
        Union::new([
            vec(any::<u8>(), 0..12).boxed(),
            any::<i64>()
                .prop_map(|it| it.to_string().into_bytes())
                .boxed(),
            (-2..3_i64)
                .prop_map(|it| it.to_string().into_bytes())
                .boxed(),
        ])
    };
    let by = || Union::new([(-2..3_i64).boxed(), any::<i64>().boxed()]);
    let ttl = || prop::option::of(0..6_u32);
    let one = prop_oneof![
        key().prop_map(Use::Get),
        (key(), value(), ttl()).prop_map(|(key, value, ttl)| Use::Set(key, value, ttl)),
        key().prop_map(Use::Delete),
        (key(), by(), ttl()).prop_map(|(key, by, ttl)| Use::Add(key, by, ttl)),
        (key(), prop::option::of(value()), value(), ttl())
            .prop_map(|(key, expected, value, ttl)| Use::Swap(key, expected, value, ttl)),
        (0..4_i64).prop_map(Use::Wait),
        Just(Use::Restart),
    ];
    vec(one, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_file_and_the_memory_behave_alike(uses in uses()) {
        let limits = Limits {
            state_entries: 3,
            state_key: 4,
            state_value: 20,
            state_bytes: 30,
            ..Limits::default()
        };
        let folder = tempfile::tempdir().unwrap();
        let (mut shared, mut table) = (super::shared(folder.path()), Table::default());
        let (begun, mut waited) = (Instant::now(), 0);
        for one in &uses {
            match one {
                Use::Wait(seconds) => waited += seconds,
                Use::Restart => shared = super::shared(folder.path()),
                _ => {}
            }
            let now = begun + Duration::from_secs(u64::try_from(waited).unwrap());
            let expected = one.of(&mut Timed { table: &mut table, now }, &limits).unwrap();
            let came = at(&shared, waited, |store| one.of(store, &limits)).unwrap();
            prop_assert_eq!(came, expected, "{:?}", one);
        }
        for [entries, bytes, counted, summed] in accounts(folder.path()) {
            prop_assert_eq!((entries, bytes), (counted, summed));
        }
    }
}
