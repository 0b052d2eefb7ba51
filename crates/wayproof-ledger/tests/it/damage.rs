//! Single bits that flip on the disk: every one that changes what the ledger says is noticed.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::{AnyConnection, Connection, Row as _};
use wayproof_engine::{Budget, Window};
use wayproof_ledger::{Clock, EventBody, Ledger, Location, LogRead, Person, ReceiptIssued};
use wayproof_receipt::Verdict;

use crate::engine::Place;
use crate::fixture::{NOON_US, about, exchange, job_opened, key, listed};

/// Tables with their columns, as a whole ledger has them.
type Tables = Vec<(String, Vec<String>)>;

/// When a migration ran and how long that took, which nothing ever reads.
const MEANINGLESS: [&str; 2] = ["installed_on", "execution_time"];

async fn connect(directory: &Path) -> Result<AnyConnection, sqlx::Error> {
    let file = directory.join("ledger.db");
    AnyConnection::connect(&format!(
        "sqlite://{}?mode=ro&immutable=true",
        file.display()
    ))
    .await
}

async fn tables(directory: &Path) -> Tables {
    let mut connection = connect(directory).await.expect("connected");
    let names: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
            .fetch_all(&mut connection)
            .await
            .expect("read");
    let mut tables = vec![(
        "sqlite_schema".to_owned(),
        ["type", "name", "tbl_name", "sql"]
            .map(str::to_owned)
            .into(),
    )];
    for name in names {
        let columns: Vec<String> =
            sqlx::query_scalar("SELECT name FROM pragma_table_info($1) ORDER BY cid")
                .bind(name.clone())
                .fetch_all(&mut connection)
                .await
                .expect("read");
        let columns = columns
            .into_iter()
            .filter(|column| !MEANINGLESS.contains(&column.as_str()));
        tables.push((name, columns.collect()));
    }
    tables
}

/// Everything a reader can learn, as the database gives it, with the kind of each value; `None` if it cannot be read.
async fn content(directory: &Path, tables: &Tables) -> Option<Vec<Option<Vec<u8>>>> {
    let mut connection = connect(directory).await.ok()?;
    let mut all = Vec::new();
    for (table, columns) in tables {
        let values: Vec<_> = columns
            .iter()
            .map(|column| format!("quote({column})"))
            .collect();
        let sql = sqlx::AssertSqlSafe(format!(
            "SELECT CAST({} AS BLOB) FROM {table} NOT INDEXED",
            values.join(" || ',' || ")
        ));
        for row in sqlx::query(sql).fetch_all(&mut connection).await.ok()? {
            all.push(row.try_get::<Option<Vec<u8>>, _>(0).ok()?);
        }
        all.push(None);
    }
    Some(all)
}

/// A ledger with something in every table, closed in order.
async fn filled(place: &Place) {
    let ledger = place.open_at(NOON_US - 1).await;
    for number in 0..30 {
        exchange(&ledger, "old", Some("j"), listed(number)).await;
    }
    ledger.close().await.expect("closed");
    let ledger = place.open_at(NOON_US).await;
    ledger
        .append(&ledger.event(about("s", Some("j"), None), job_opened("bug-fix")))
        .await
        .expect("recorded");
    for number in 0..60 {
        exchange(&ledger, "s", Some("j"), listed(number)).await;
    }
    let digest = ledger.keep("a receipt\n").await.expect("kept");
    let issued = EventBody::ReceiptIssued(ReceiptIssued {
        receipt_digest: digest,
        verdict: Verdict::Proven,
        commit: None,
        tree: None,
        key_id: None,
    });
    ledger
        .append(&ledger.event(about("s", Some("j"), None), issued))
        .await
        .expect("recorded");
    let read = EventBody::LogRead(Box::new(LogRead {
        agent: "codex".to_owned(),
        file: "a.jsonl".to_owned(),
        to: 900,
        gap_count: 1,
        ..LogRead::default()
    }));
    ledger
        .append(&ledger.event(about("s", None, None), read))
        .await
        .expect("recorded");
    let books = ledger.books();
    let budget = Budget {
        subject: "team:web".parse().expect("a subject"),
        window: Window::Month,
        limit_nano_usd: 5_000_000_000,
        soft_nano_usd: Some(4_000_000_000),
    };
    books.put_budget(budget).await.expect("set");
    let person = Person {
        name: "ada".to_owned(),
        teams: std::collections::BTreeSet::new(),
        role: wayproof_ledger::Role::default(),
    };
    books.put_person(person).await.expect("set");
    ledger.prune(NOON_US, None).await.expect("pruned");
    ledger.close().await.expect("closed");
    let sql = "INSERT INTO holders (id, seen_us, seal) VALUES ('h', 1, NULL)";
    place.sql(sql).await;
    place
        .sql("DELETE FROM rebuilt WHERE name = 'seals-1'")
        .await;
    place.open().await.close().await.expect("sealed and closed");
}

fn number(variable: &str, default: u64) -> u64 {
    let told = std::env::var_os(variable).and_then(|text| text.into_string().ok());
    told.map_or(default, |text| text.parse().expect("a number"))
}

/// What came of flips.
#[derive(Debug, Default)]
struct Flips {
    found: u64,
    meaningless: u64,
    missed: Vec<(u64, u64)>,
}

/// Flips bits of one copy of a database, each on its own.
async fn flip(directory: PathBuf, tables: Arc<Tables>, places: Vec<u64>) -> Flips {
    let original = content(&directory, &tables).await.expect("readable");
    let location = Location::Sqlite(directory.clone());
    let public = key().public();
    let file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(directory.join("ledger.db"))
        .expect("opened");
    let mut flips = Flips::default();
    for place in places {
        let (at, bit) = (place / 8, place % 8);
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).expect("read");
        file.write_all_at(&[byte[0] ^ (1 << bit)], at)
            .expect("written");
        let report = Ledger::verify_unopened(&location, Some(&public)).await;
        if report.map_or(true, |report| !report.is_whole()) {
            flips.found += 1;
        } else if content(&directory, &tables).await.as_ref() == Some(&original) {
            flips.meaningless += 1;
        } else {
            flips.missed.push((at, bit));
        }
        file.write_all_at(&byte, at).expect("written");
    }
    flips
}

/// `cargo xtask crash --flips N` runs it over more bits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_flipped_bit_is_found() {
    let place = Place::sqlite();
    filled(&place).await;
    let whole = Ledger::verify_unopened(&place.location, Some(&key().public())).await;
    let whole = whole.expect("read");
    assert!(whole.is_whole() && whole.pruned.is_some(), "{whole:?}");
    let tables = Arc::new(tables(&place.data()).await);
    let database = place.data().join("ledger.db");
    let bits = fs::metadata(&database).expect("there").len() * 8;
    let count = number("WAYPROOF_TEST_FLIPS", 300);
    let seed = number("WAYPROOF_TEST_SEED", 1);
    // A generator of our own (SplitMix64), so that a seed names the same bits everywhere.
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bits
    };
    let places: Vec<u64> = (0..count).map(|_| next()).collect();
    let mut workers = tokio::task::JoinSet::new();
    let copies: Vec<_> = (0..2)
        .map(|_| tempfile::tempdir().expect("a directory"))
        .collect();
    let half = places.len().div_ceil(2).max(1);
    for (copy, places) in copies.iter().zip(places.chunks(half)) {
        fs::copy(&database, copy.path().join("ledger.db")).expect("copied");
        let runtime = tokio::runtime::Handle::current();
        let (copy, tables) = (copy.path().to_owned(), Arc::clone(&tables));
        let places = places.to_vec();
        workers.spawn_blocking(move || runtime.block_on(flip(copy, tables, places)));
    }
    let mut all = Flips::default();
    while let Some(flips) = workers.join_next().await {
        let flips = flips.expect("ran");
        all.found += flips.found;
        all.meaningless += flips.meaningless;
        all.missed.extend(flips.missed);
    }
    println!(
        "flips: {{\"flips\": {count}, \"bits\": {bits}, \"found\": {}, \"without_meaning\": {}, \"missed\": {}}}",
        all.found,
        all.meaningless,
        all.missed.len()
    );
    assert!(all.missed.is_empty(), "byte and bit: {:?}", all.missed);
    assert!(all.found > count / 10, "{all:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_in_an_acknowledged_journal_stops_the_next_open() {
    let place = Place::sqlite();
    let ledger = place.open().await;
    for _ in 0..20 {
        exchange(&ledger, "s", None, listed(1)).await;
    }
    // The disk has them all, and what is written next tells so.
    ledger.flush().await.expect("flushed");
    exchange(&ledger, "s", None, listed(1)).await;
    // The journal as a crash would leave it: a copy beside a database that has nothing of it.
    let copy = tempfile::tempdir().expect("a directory");
    let journal = copy.path().join("journal");
    fs::create_dir(&journal).expect("a directory");
    for entry in fs::read_dir(place.data().join("journal")).expect("a directory") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), journal.join(entry.file_name())).expect("copied");
    }
    ledger.close().await.expect("closed");
    let file = fs::read_dir(&journal)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| {
            path.extension()
                .is_some_and(|extension| extension == "journal")
        })
        .expect("a journal");
    let mut bytes = fs::read(&file).expect("read");
    bytes[700] ^= 4;
    fs::write(&file, &bytes).expect("written");
    let location = Location::Sqlite(copy.path().to_owned());
    let refused = Ledger::open(location.clone(), Clock::system(), Some(key()))
        .await
        .expect_err("damaged");
    assert_eq!(
        refused.to_string(),
        format!(
            "the journal {} is damaged at byte 32, and events behind it had been acknowledged",
            file.display()
        )
    );

    bytes[700] ^= 4;
    fs::write(&file, &bytes).expect("written");
    let ledger = Ledger::open(location, Clock::system(), Some(key()))
        .await
        .expect("whole again");
    assert!(
        ledger.events(0, 100).await.expect("read").len() >= 39,
        "only a note of the last group may be missing"
    );
    ledger.close().await.expect("closed");
}
