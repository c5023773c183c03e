//! What a use costs, in the file and in memory.

use super::*;
use crate::capability::state::table::{Table, Timed};

#[test]
#[ignore = "measures"]
fn what_a_use_costs() {
    const TIMES: u32 = 5_000;
    fn measured(what: &str, mut once: impl FnMut()) {
        let mut times: Vec<Duration> = (0..TIMES)
            .map(|_| {
                let begun = Instant::now();
                once();
                begun.elapsed()
            })
            .collect();
        times.sort();
        let at = |share: usize| times[times.len() * share / 1000];
        println!(
            "{what}: p50 {:?}, p99 {:?}, max {:?}",
            at(500),
            at(990),
            times[times.len() - 1]
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits::default();
    let begun = Instant::now();
    let shared = shared(folder.path());
    at(&shared, 0, |store| store.get("k")).unwrap();
    println!("file, the first use, which makes it: {:?}", begun.elapsed());
    let begun = Instant::now();
    let shared = super::shared(folder.path());
    at(&shared, 0, |store| store.get("k")).unwrap();
    println!(
        "file, the first use of one that is there: {:?}",
        begun.elapsed()
    );
    let mut table = Table::default();
    type Work<'a> = &'a dyn Fn(&mut dyn Store) -> Result<(), Broken>;
    let uses: [(&str, Work<'_>); 4] = [
        ("set", &|store| {
            store.set("k", b"value", Some(60), &limits).map(drop)
        }),
        ("get", &|store| store.get("k").map(drop)),
        ("increment", &|store| {
            store.increment("n", 1, Some(60), &limits).map(drop)
        }),
        ("get of nothing", &|store| store.get("nothing").map(drop)),
    ];
    for (what, work) in uses {
        measured(&format!("memory, {what}"), || {
            let now = Instant::now();
            work(&mut Timed {
                table: &mut table,
                now,
            })
            .unwrap();
        });
        measured(&format!("file, {what}"), || {
            at(&shared, 0, |store| work(store)).unwrap();
        });
    }
}
