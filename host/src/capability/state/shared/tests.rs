//! The file does what a store in memory does, for several processes, and says why when it cannot.

mod alike;
mod cost;

use std::fs;
use std::path::Path;

use super::*;
use crate::capability::state::store::Store;
use crate::config::Limits;

/// A moment, in milliseconds since 1970.
const MOMENT: i64 = 1_800_000_000_000;

fn known() -> Result<Secret, SecretError> {
    Ok(Secret::fixed())
}

fn shared(folder: &Path) -> Shared {
    of(folder, "configuration")
}

fn of(folder: &Path, configuration: &str) -> Shared {
    Shared::within(Some(folder.to_owned()), configuration.to_owned(), known)
}

fn at<T>(
    shared: &Shared,
    seconds: i64,
    work: impl FnOnce(&mut dyn Store) -> Result<T, Broken>,
) -> Result<T, SharedError> {
    let now = MOMENT + seconds * 1000;
    shared.at(now, "g", PATIENCE, |entries| work(entries))
}

fn set(shared: &Shared, key: &str, value: &str) {
    let (value, limits) = (value.as_bytes(), Limits::default());
    let set = at(shared, 0, |store| store.set(key, value, None, &limits));
    assert_eq!(set.unwrap(), Ok(()));
}

fn get(shared: &Shared, key: &str) -> Option<String> {
    let value = at(shared, 0, |store| store.get(key)).unwrap();
    value.map(|value| String::from_utf8(value).unwrap())
}

/// What the file says of its stores: entries and bytes, as they are counted on and as they
/// are.
fn accounts(folder: &Path) -> Vec<[i64; 4]> {
    let connection = rusqlite::Connection::open(file::within(folder)).unwrap();
    let mut select = connection
        .prepare(
            "SELECT entries, bytes,
               (SELECT count(*) FROM entries WHERE store = stores.id),
               (SELECT coalesce(sum(size), 0) FROM entries WHERE store = stores.id)
             FROM stores",
        )
        .unwrap();
    let rows = select.query_map([], |row| {
        Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])
    });
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn guardrails_and_configurations_do_not_see_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (of(folder.path(), "one"), of(folder.path(), "other"));
    set(&one, "k", "v");
    assert_eq!(get(&one, "k").as_deref(), Some("v"));
    assert_eq!(get(&other, "k"), None);
    let of_another = one.at(MOMENT, "h", PATIENCE, |entries| entries.get("k"));
    assert_eq!(of_another.unwrap(), None);
}

#[test]
fn gateways_that_start_at_once_agree_on_one_file_and_lose_no_increment() {
    const GATEWAYS: i64 = 4;
    const EACH: i64 = 200;
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits::default();
    let add = |shared: &Shared, by| {
        let sum = at(shared, 0, |store| store.increment("n", by, None, &limits));
        sum.unwrap().unwrap()
    };
    std::thread::scope(|scope| {
        for _ in 0..GATEWAYS {
            scope.spawn(|| {
                let shared = shared(folder.path());
                for _ in 0..EACH {
                    add(&shared, 1);
                }
            });
        }
    });
    assert_eq!(add(&shared(folder.path()), 0), GATEWAYS * EACH);
}

#[test]
fn what_has_expired_is_gone_from_the_file_also_where_nobody_asks_for_it_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits::default();
    let (gone, next) = (of(folder.path(), "gone"), of(folder.path(), "next"));
    for (key, ttl) in [("a", Some(10)), ("b", Some(30)), ("c", None)] {
        let set = at(&gone, 0, |store| store.set(key, b"v", ttl, &limits));
        set.unwrap().unwrap();
    }
    at(&next, 20, |store| store.get("k")).unwrap();
    assert!(accounts(folder.path()).contains(&[2, 4, 2, 4]));
}

#[cfg(unix)]
#[test]
fn the_file_and_those_beside_it_are_for_this_person_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(folder.path());
    set(&shared, "k", "v");
    let file = file::within(folder.path());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(file.parent().unwrap()), 0o700);
    let files = fs::read_dir(file.parent().unwrap()).unwrap();
    let files: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 3, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn nothing_that_is_kept_can_be_read_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let shared = of(folder.path(), "a configuration");
    set(&shared, "the key of it", "the value of it");
    drop(shared);
    let file = fs::read(file::within(folder.path())).unwrap();
    let has = |text: &str| file.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(has("CREATE TABLE entries"), "all is in the one file");
    for text in ["a configuration", "the key of it", "the value of it"] {
        assert!(!has(text), "{text}");
    }
}

/// What is said of a file, and what peers are told.
fn refused(shared: &Shared) -> (String, String) {
    let error = at(shared, 0, |store| store.get("k")).unwrap_err();
    (error.to_string(), error.cause.reason())
}

#[test]
fn a_file_that_is_none_of_ours_is_refused_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = file::within(folder.path());
    set(&shared(folder.path()), "k", "v");
    let ours = fs::read(&file).unwrap();

    let refuses = |says: &str, tells: &str| {
        let before = fs::read(&file).unwrap();
        let (said, told) = refused(&shared(folder.path()));
        assert!(said.starts_with(&file.display().to_string()), "{said}");
        assert!(said.contains(says), "{said}");
        assert_eq!(told, tells);
        assert_eq!(fs::read(&file).unwrap(), before);
    };
    fs::write(
        &file,
        "no database at all, but longer than its head. ".repeat(200),
    )
    .unwrap();
    refuses("not a database", "file is not a database");
    fs::remove_file(&file).unwrap();
    let foreign = rusqlite::Connection::open(&file).unwrap();
    foreign.execute_batch("CREATE TABLE t (a)").unwrap();
    drop(foreign);
    refuses(
        "not what a gateway made",
        "the file is not what a gateway made",
    );
    fs::write(&file, &ours).unwrap();
    let later = rusqlite::Connection::open(&file).unwrap();
    later.pragma_update(None, "user_version", 2).unwrap();
    drop(later);
    let words = "it has the schema of a later version (2; this one knows 1)";
    refuses(words, words);

    fs::write(&file, &ours).unwrap();
    assert_eq!(get(&shared(folder.path()), "k").as_deref(), Some("v"));
}

#[test]
fn a_file_of_another_secret_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    set(&shared(folder.path()), "k", "v");
    set(&shared(other.path()), "k", "v");
    let file = file::within(folder.path());
    let change = rusqlite::Connection::open(&file).unwrap();
    let set = "UPDATE meta SET value = zeroblob(32) WHERE key = 'key_check'";
    assert_eq!(change.execute(set, []).unwrap(), 1);
    drop(change);
    let (said, told) = refused(&shared(folder.path()));
    assert!(
        said.contains("made with the secret of another installation"),
        "{said}"
    );
    assert_eq!(told, "the file was made with another secret");
}

#[test]
fn a_value_that_somebody_changed_is_not_taken_for_one_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(folder.path());
    set(&shared, "k", "1");
    let change = rusqlite::Connection::open(file::within(folder.path())).unwrap();
    let set = "UPDATE entries SET value = zeroblob(length(value))";
    assert_eq!(change.execute(set, []).unwrap(), 1);
    let limits = Limits::default();
    assert!(matches!(
        at(&shared, 0, |store| store.get("k")).unwrap_err().cause,
        Broken::Changed
    ));
    assert!(matches!(
        at(&shared, 0, |store| store.increment("k", 1, None, &limits))
            .unwrap_err()
            .cause,
        Broken::Changed
    ));
}

#[test]
fn a_file_that_is_removed_is_made_anew_and_that_one_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (shared(folder.path()), shared(folder.path()));
    set(&one, "k", "v");
    fs::remove_dir_all(file::within(folder.path()).parent().unwrap()).unwrap();
    assert_eq!(get(&other, "k"), None);
    set(&other, "k", "w");
    if cfg!(unix) {
        assert_eq!(get(&one, "k").as_deref(), Some("w"));
    }
}

#[test]
fn a_file_that_another_has_to_itself_is_an_error_and_works_again_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(folder.path());
    set(&shared, "k", "v");
    let other = rusqlite::Connection::open(file::within(folder.path())).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let limits = Limits::default();
    let patience = Duration::from_millis(20);
    let add = || {
        shared.at(MOMENT, "g", patience, |it| {
            it.increment("n", 1, None, &limits)
        })
    };
    let error = add().unwrap_err();
    assert!(error.cause.is_busy(), "{error}");
    assert_eq!(
        get(&shared, "k").as_deref(),
        Some("v"),
        "it can be read meanwhile"
    );
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(add().unwrap(), Ok(1));
}

/// It does not have it back before somebody else works on this very thread.
#[tokio::test]
async fn who_waits_for_another_lets_everybody_else_work() {
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(folder.path());
    set(&shared, "k", "v");
    let other = rusqlite::Connection::open(file::within(folder.path())).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let limits = Limits::default();
    let add = shared.with("g", PATIENCE, |it| it.increment("n", 1, None, &limits));
    let (sum, ()) = tokio::join!(add, async { other.execute_batch("COMMIT").unwrap() });
    assert_eq!(sum.unwrap(), Ok(1));
}
