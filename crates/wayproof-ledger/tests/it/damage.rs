//! Single bits that flip on the disk: every one that changes what the ledger says is noticed.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sqlx::{AnyConnection, Connection, Row as _};
use wayproof_ledger::{Clock, Ledger, Location};

use crate::engine::Place;
use crate::fixture::{about, exchange, job_opened, key, listed};

/// Everything a reader can learn, as the database gives it; `None` if it cannot be read at all.
async fn content(directory: &Path) -> Option<Vec<String>> {
    const TABLES: [(&str, &str); 9] = [
        ("log", "origin || frontier"),
        ("events", "seq || body"),
        ("tiles", "level || '/' || idx || hashes"),
        ("checkpoints", "size || note"),
        ("contents", "digest || content"),
        ("sessions", "id || exchanges || last_us"),
        ("jobs", "id || task || exchanges || last_us"),
        ("exchanges", "id || session || task || model || opened_us"),
        ("milestones", "seq || kind || at_us"),
    ];
    let url = format!("sqlite://{}", directory.join("ledger.db").display());
    let mut connection = AnyConnection::connect(&url).await.ok()?;
    let mut all = Vec::new();
    for (table, columns) in TABLES {
        let sql = sqlx::AssertSqlSafe(format!(
            "SELECT {columns} FROM {table} NOT INDEXED ORDER BY 1"
        ));
        for row in sqlx::query(sql).fetch_all(&mut connection).await.ok()? {
            all.push(row.try_get::<Option<String>, _>(0).ok()??);
        }
    }
    Some(all)
}

/// Whether the ledger refuses to open, cannot be read or is found broken.
async fn is_noticed(directory: &Path) -> bool {
    let location = Location::Sqlite(directory.to_owned());
    let Ok(ledger) = Ledger::open(location, Clock::system(), Some(key())).await else {
        return true;
    };
    let report = ledger.verify().await;
    // A broken database may refuse the last checkpoint as well; the verdict counts.
    drop(ledger.close().await);
    report.map_or(true, |report| !report.is_whole())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_in_the_log_is_noticed_or_harmless() {
    let place = Place::sqlite();
    let ledger = place.open().await;
    ledger
        .append(&ledger.event(about("s", Some("j"), None), job_opened("bug-fix")))
        .await
        .expect("recorded");
    for number in 0..40 {
        exchange(&ledger, "s", Some("j"), listed(number)).await;
    }
    ledger.keep("a receipt\n").await.expect("kept");
    ledger.close().await.expect("closed");
    let bytes = fs::read(place.data().join("ledger.db")).expect("read");
    let original = content(&place.data()).await.expect("readable");
    let runtime = tokio::runtime::Handle::current();
    let walking = tokio::task::spawn_blocking(move || {
        let mut runner = TestRunner::new(Config {
            cases: 150,
            ..Config::default()
        });
        runner.run(&(0..bytes.len(), 0..8_u32), |(at, bit)| {
            let copy = tempfile::tempdir().expect("a directory");
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            fs::write(copy.path().join("ledger.db"), &flipped).expect("written");
            runtime.block_on(async {
                let is_changed = content(copy.path()).await.as_ref() != Some(&original);
                prop_assert!(
                    !is_changed || is_noticed(copy.path()).await,
                    "byte {at}, bit {bit}"
                );
                Ok(())
            })
        })
    });
    walking
        .await
        .expect("ran")
        .expect("every change is noticed");
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
