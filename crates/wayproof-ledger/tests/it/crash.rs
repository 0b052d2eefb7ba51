//! Processes that are killed, and processes that share a ledger.
//!
//! A recorder is this test binary again: it records exchanges and writes an identifier to its output once the ledger has
//! acknowledged it. Whatever was acknowledged must be there exactly once, whenever the recorder was killed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};

use wayproof_ledger::{Clock, Cost, Ledger, Location};

use crate::engine::Place;
use crate::fixture::{about, exchange, job_opened, key, listed};
use crate::process::command;

/// Where a recorder records; without it the recorder is a test of its own.
const PLACE: &str = "WAYPROOF_TEST_LEDGER";

const ACKNOWLEDGED: &str = "acknowledged ";

/// Records from four tasks at once until it is killed, or a few dozen exchanges if it is on its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorder() {
    let told = std::env::var_os(PLACE).map(PathBuf::from);
    let own = tempfile::tempdir().expect("a directory");
    let rounds = if told.is_some() { 500 } else { 12 };
    let place = told.unwrap_or_else(|| own.path().to_owned());
    let ledger = Ledger::open(Location::Sqlite(place), Clock::system(), Some(key()))
        .await
        .expect("opened");
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..4 {
        let ledger = ledger.clone();
        tasks.spawn(async move {
            for round in 0..rounds {
                let id = exchange(&ledger, &format!("s{task}"), None, listed(round)).await;
                if round % 5 == task {
                    // Some wait for the disk in between.
                    let about = about(&format!("s{task}"), Some("j"), None);
                    let event = ledger.event(about, job_opened("general"));
                    ledger.append(&event).await.expect("the ledger records");
                }
                println!("{ACKNOWLEDGED}{id}");
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.expect("a task");
    }
    ledger.close().await.expect("closed");
    let again = Ledger::open(ledger.location().clone(), Clock::system(), Some(key()))
        .await
        .expect("opened");
    let report = again.verify().await.expect("read");
    assert!(
        report.is_whole() && report.events >= 2 * 4 * rounds.unsigned_abs(),
        "{report:?}"
    );
    again.close().await.expect("closed");
}

fn start_recorder(place: &Place) -> Child {
    command(std::env::current_exe().expect("this binary"))
        .args(["crash::recorder", "--exact", "--nocapture"])
        .env(PLACE, place.data())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a recorder starts")
}

/// Reads acknowledgements; kills the recorder after `lives` of them and reads on to the end of its output.
fn acknowledged(recorder: &mut Child, lives: usize) -> Vec<String> {
    let output = recorder.stdout.take().expect("its output");
    let mut ids = Vec::new();
    for line in BufReader::new(output).lines() {
        let line = line.expect("text");
        // The test harness writes on the same line before the first one.
        if let Some((_, id)) = line.split_once(ACKNOWLEDGED) {
            ids.push(id.to_owned());
        }
        if ids.len() == lives {
            recorder.kill().expect("killed");
        }
    }
    recorder.wait().expect("ended");
    ids
}

/// Every acknowledged exchange is opened exactly once, and the ledger is whole.
async fn check(place: &Place, acknowledged: &[String]) {
    let ledger = place.open().await;
    ledger.flush().await.expect("flushed");
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    let mut from = 0;
    loop {
        let events = ledger.events(from, 10_000).await.expect("read");
        let Some(last) = events.last() else { break };
        from = last.seq + 1;
        for stored in events {
            if matches!(
                stored.event.body,
                wayproof_ledger::EventBody::ExchangeOpened(_)
            ) {
                *times
                    .entry(stored.event.exchange.expect("an exchange"))
                    .or_default() += 1;
            }
        }
    }
    for id in acknowledged {
        assert_eq!(times.get(id), Some(&1), "exchange {id} is there once");
    }
    assert!(
        times.values().all(|times| *times == 1),
        "nothing is there twice"
    );
    let report = ledger.verify().await.expect("read");
    assert!(report.is_whole(), "{report:?}");
    ledger.close().await.expect("closed");
    let leftovers = std::fs::read_dir(place.data().join("journal"))
        .expect("a directory")
        .count();
    assert_eq!(leftovers, 0, "no journal is left behind");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_whenever_the_process_is_killed() {
    let place = Place::sqlite();
    let mut all = Vec::new();
    // Lives of any length, up to one that begins a second journal file and one that is not killed at all.
    for lives in [1, 2, 7, 3, 40, 11, 150, 1, 600, 29, 1_200, usize::MAX] {
        let mut recorder = start_recorder(&place);
        let ids = acknowledged(&mut recorder, lives);
        assert!(
            ids.len() >= lives.min(2_000),
            "the recorder lived for {}",
            ids.len()
        );
        all.extend(ids);
    }
    check(&place, &all).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_share_one_ledger_and_one_may_die() {
    let place = Place::sqlite();
    let ledger = place.open().await;
    let mut recorders: Vec<_> = (0..3).map(|_| start_recorder(&place)).collect();
    let mut all = Vec::new();
    for _ in 0..200 {
        all.push(exchange(&ledger, "own", None, Cost::default()).await);
    }
    let mut lives = [300, usize::MAX, 900].into_iter();
    let readers: Vec<_> = recorders
        .drain(..)
        .map(|mut recorder| {
            let lives = lives.next().unwrap_or(usize::MAX);
            tokio::task::spawn_blocking(move || acknowledged(&mut recorder, lives))
        })
        .collect();
    for reader in readers {
        all.extend(reader.await.expect("read"));
    }
    ledger.close().await.expect("closed");
    check(&place, &all).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ledger_that_is_only_dropped_loses_nothing() {
    let place = Place::sqlite();
    let mut all = Vec::new();
    for _ in 0..3 {
        let ledger = place.open().await;
        for _ in 0..20 {
            all.push(exchange(&ledger, "s", None, Cost::default()).await);
        }
    }
    let mut recorder = start_recorder(&place);
    all.extend(acknowledged(&mut recorder, 5));
    // The dropped ledgers' threads hold their journals for a moment longer; each open takes over what is free.
    check_when_released(&place, &all).await;
}

async fn check_when_released(place: &Place, all: &[String]) {
    loop {
        let ledger = place.open().await;
        ledger.close().await.expect("closed");
        let journals = std::fs::read_dir(place.data().join("journal"))
            .expect("a directory")
            .count();
        if journals == 0 {
            return check(place, all).await;
        }
        tokio::task::yield_now().await;
    }
}
