//! What goes wrong around a ledger is said in one sentence, and nothing acknowledged is lost.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use wayproof_ledger::{Clock, Cost, Ledger, LedgerError, Location};

use crate::engine::Place;
use crate::fixture::{about, exchange, job_opened, key};
use crate::on_both;
use crate::process::command;

on_both! { a_ledger_of_a_newer_version_is_left_alone  closing_twice_is_harmless_and_late_events_are_refused }

async fn a_ledger_of_a_newer_version_is_left_alone(place: Place) {
    place.open().await.close().await.expect("closed");
    place
        .sql(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
              SELECT 999, 'later', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1",
        )
        .await;
    let refused = place.try_open().await.expect_err("newer");
    assert!(
        matches!(refused, LedgerError::NewerSchema { found: 999, .. }),
        "{refused}"
    );
    assert!(
        refused
            .to_string()
            .contains("was made by a newer version of Wayproof"),
        "{refused}"
    );
}

async fn closing_twice_is_harmless_and_late_events_are_refused(place: Place) {
    let ledger = place.open().await;
    ledger.close().await.expect("closed");
    ledger.close().await.expect("closed again");
    let event = ledger.event(about("s", None, None), job_opened("general"));
    assert!(matches!(
        ledger.append(&event).await,
        Err(LedgerError::Closed)
    ));
    assert!(matches!(ledger.note(&event), Err(LedgerError::Closed)));
    assert!(matches!(ledger.flush().await, Err(LedgerError::Closed)));
}

#[test]
fn a_place_that_is_none_is_refused_without_its_password() {
    for bad in [
        "",
        "mysql://root:secret@host/db",
        "postgres://me:secret@[bad/db",
    ] {
        let refused = Location::parse(bad).expect_err("not a place");
        assert!(
            refused.to_string().contains("is not a place for a ledger"),
            "{refused}"
        );
        assert!(!refused.to_string().contains("secret"), "{refused}");
    }
    assert_eq!(
        Location::parse("sqlite:/var/x").expect("a place"),
        Location::Sqlite(PathBuf::from("/var/x"))
    );
    assert_eq!(
        Location::parse("ledger").expect("a place"),
        Location::Sqlite(PathBuf::from("ledger"))
    );
    let server = Location::parse("postgres://me:secret@db.example/wayproof").expect("a place");
    assert_eq!(
        format!("{server} {server:?}"),
        "postgres://me@db.example/wayproof Location(postgres://me@db.example/wayproof)"
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_to_be_out_of_reach() {
    let nowhere = Location::Postgres("postgres://me:secret@127.0.0.1:9/wayproof".to_owned());
    let refused = Ledger::open(nowhere, Clock::system(), None)
        .await
        .expect_err("nobody listens");
    assert!(
        matches!(refused, LedgerError::Unreachable { .. }),
        "{refused:?}"
    );
    assert!(!refused.to_string().contains("secret"), "{refused}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_called_corrupt() {
    let place = Place::sqlite();
    fs::create_dir_all(place.data()).expect("a directory");
    fs::write(
        place.data().join("ledger.db"),
        "this is no database at all. ".repeat(1_000),
    )
    .expect("written");
    let refused = place.try_open().await.expect_err("corrupt");
    assert!(
        matches!(refused, LedgerError::Corrupt { .. }),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_is_called_read_only() {
    let refused = Ledger::open(
        Location::Sqlite("/sys/wayproof".into()),
        Clock::system(),
        None,
    )
    .await;
    assert!(
        matches!(refused, Err(LedgerError::ReadOnly { .. })),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_database_delays_nothing_but_the_carrying_over() {
    let place = Place::sqlite();
    let ledger = place.open().await;
    let url = format!("sqlite://{}", place.data().join("ledger.db").display());
    let mut other = <sqlx::AnyConnection as sqlx::Connection>::connect(&url)
        .await
        .expect("connected");
    sqlx::raw_sql("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .expect("locked");
    let id = exchange(&ledger, "s", None, Cost::default()).await;
    let refused = ledger.flush().await.expect_err("locked");
    assert!(matches!(refused, LedgerError::Locked { .. }), "{refused:?}");
    assert_eq!(
        refused.to_string(),
        format!(
            "the ledger at {} is locked by another program",
            place.data().display()
        )
    );
    sqlx::raw_sql("ROLLBACK")
        .execute(&mut other)
        .await
        .expect("unlocked");
    ledger.flush().await.expect("carried over");
    assert!(ledger.exchange(&id).await.expect("read").is_some());
    ledger.close().await.expect("closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_crashes_refuses_work_and_gets_what_was_noted() {
    let place = Place::postgres();
    let ledger = place.open().await;
    let before = exchange(&ledger, "s", None, Cost::default()).await;
    place.stop();
    let about = || about("s", Some("j"), None);
    ledger
        .note(&ledger.event(about(), job_opened("bug-fix")))
        .expect("taken");
    let refused = ledger
        .append(&ledger.event(about(), job_opened("bug-fix")))
        .await
        .expect_err("no server");
    assert!(
        matches!(refused, LedgerError::Unreachable { .. }),
        "{refused:?}"
    );
    place.start();
    let after = exchange(&ledger, "s", None, Cost::default()).await;
    ledger.flush().await.expect("flushed");
    for id in [before, after] {
        let detail = ledger.exchange(&id).await.expect("read").expect("recorded");
        assert!(detail.settled.is_some(), "the note was kept");
    }
    let story = ledger
        .job("j")
        .await
        .expect("read")
        .expect("recorded")
        .story;
    assert_eq!(
        story.len(),
        1,
        "what was noted is there once, what was refused is not"
    );
    assert!(ledger.verify().await.expect("read").is_whole());
    ledger.close().await.expect("closed");
    place.restart();
}

/// Where the next test runs once more, with a limit on the size of files.
const LIMITED: &str = "WAYPROOF_TEST_LIMITED";

/// A process that may not write files beyond half a megabyte stands for a full disk. The limit needs a process of its
/// own whose signal is ignored, so the test starts itself again through a shell.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_work_and_is_recovered_from() {
    let Some(directory) = std::env::var_os(LIMITED).map(PathBuf::from) else {
        return run_limited();
    };
    let location = Location::Sqlite(directory);
    let ledger = Ledger::open(location.clone(), Clock::system(), Some(key()))
        .await
        .expect("opened");
    limit_files(512 * 1024);
    let event = || ledger.event(about("s", Some("j"), None), job_opened("general"));
    let refused = ledger
        .append(&event())
        .await
        .expect_err("no room for a journal");
    assert!(
        matches!(refused, LedgerError::DiskFull { .. }),
        "{refused:?}"
    );
    assert!(refused.to_string().ends_with("is full"), "{refused}");
    ledger.note(&event()).expect("kept in memory");
    limit_files(1 << 40);
    ledger.append(&event()).await.expect("there is room again");
    ledger.flush().await.expect("flushed");
    let story = ledger
        .job("j")
        .await
        .expect("read")
        .expect("recorded")
        .story;
    assert_eq!(story.len(), 2, "the note and the second try");
    ledger.close().await.expect("closed");
    let again = Ledger::open(location, Clock::system(), Some(key()))
        .await
        .expect("opened");
    assert!(again.verify().await.expect("read").is_whole());
    again.close().await.expect("closed");
}

fn limit_files(bytes: u64) {
    let maximum = getrlimit(Resource::Fsize).maximum;
    setrlimit(
        Resource::Fsize,
        Rlimit {
            current: Some(bytes),
            maximum,
        },
    )
    .expect("a limit");
}

fn run_limited() {
    let directory = tempfile::tempdir().expect("a directory");
    let output = command("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" failure::a_full_disk_refuses_work_and_is_recovered_from --exact --nocapture"])
        .arg(std::env::current_exe().expect("this binary"))
        .env(LIMITED, directory.path())
        .stdin(Stdio::null())
        .output()
        .expect("a shell");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("1 passed"),
        "the limited run took place"
    );
}
