//! Verification: a whole ledger passes, and every kind of tampering is named.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use wayproof_ledger::{Cost, Ledger, Report};
use wayproof_receipt::SigningKey;
use wayproof_receipt::log::leaf_hash;

use crate::engine::Place;
use crate::fixture::{about, exchange, job_opened, listed, opened};
use crate::on_both;

on_both! {
    a_ledger_is_whole_however_it_was_batched
    an_empty_ledger_is_whole
    a_changed_event_is_named
    a_removed_event_is_named
    an_added_event_is_named
    a_changed_tile_is_noticed
    an_event_changed_with_its_tile_contradicts_the_checkpoint
    a_changed_checkpoint_is_noticed
    a_log_cut_short_is_noticed
    projections_that_disagree_are_noticed
    another_key_did_not_sign
}

async fn filled(place: &Place) -> Ledger {
    let ledger = place.open().await;
    ledger
        .append(&ledger.event(about("s", Some("j"), None), job_opened("bug-fix")))
        .await
        .expect("recorded");
    for number in 0..150 {
        exchange(&ledger, "s", Some("j"), listed(number)).await;
    }
    ledger.flush().await.expect("flushed");
    ledger
}

async fn problem(place: Place, tampering: &str) -> (Report, String) {
    let ledger = filled(&place).await;
    assert!(ledger.verify().await.expect("read").is_whole());
    place.sql(tampering).await;
    let report = ledger.verify().await.expect("read");
    ledger.close().await.expect("closed");
    let what = report.problem.clone().expect("tampering is noticed").what;
    (report, what)
}

async fn an_empty_ledger_is_whole(place: Place) {
    let ledger = place.open().await;
    let report = ledger.verify().await.expect("read");
    assert!(report.is_whole(), "{report:?}");
    assert_eq!((report.events, report.checkpoints), (0, 0));
    ledger.close().await.expect("closed");
}

async fn a_changed_event_is_named(place: Place) {
    let ledger = filled(&place).await;
    let id = ledger
        .event_at(77)
        .await
        .expect("read")
        .expect("there")
        .event
        .id
        .to_string();
    place.sql("UPDATE events SET body = REPLACE(body, 'anthropic', 'anthropiC') WHERE seq IN (77, 90)").await;
    let problem = ledger
        .verify()
        .await
        .expect("read")
        .problem
        .expect("noticed");
    assert_eq!(
        (problem.seq, problem.id.as_deref()),
        (Some(77), Some(id.as_str()))
    );
    assert_eq!(
        problem.what,
        format!("event 77 ({id}) is not what was recorded")
    );
    ledger.close().await.expect("closed");
}

async fn a_removed_event_is_named(place: Place) {
    let (report, what) = problem(place, "DELETE FROM events WHERE seq = 200").await;
    assert_eq!(what, "event 200 is missing");
    assert_eq!(report.events, 200);
}

async fn an_added_event_is_named(place: Place) {
    let (_, what) = problem(place, "INSERT INTO events (seq, body) VALUES (301, '{}')").await;
    assert_eq!(what, "event 301 is stored beyond the end of the log");
}

async fn a_changed_tile_is_noticed(place: Place) {
    let other = STANDARD.encode([7; 32]);
    let (_, what) = problem(
        place,
        &format!("UPDATE tiles SET hashes = '{other}' WHERE level = 1"),
    )
    .await;
    assert_eq!(what, "tile 1/0 does not fit the events below it");
}

async fn an_event_changed_with_its_tile_contradicts_the_checkpoint(place: Place) {
    let ledger = filled(&place).await;
    let mut events = ledger.events(0, 256).await.expect("read");
    events[3].text = events[3].text.replace("anthropic", "anthropiC");
    let hashes: Vec<u8> = events
        .iter()
        .flat_map(|stored| leaf_hash(stored.text.as_bytes()).0)
        .collect();
    place
        .sql("UPDATE events SET body = REPLACE(body, 'anthropic', 'anthropiC') WHERE seq = 3")
        .await;
    place
        .sql(&format!(
            "UPDATE tiles SET hashes = '{}' WHERE level = 0 AND idx = 0",
            STANDARD.encode(hashes)
        ))
        .await;
    let problem = ledger
        .verify()
        .await
        .expect("read")
        .problem
        .expect("noticed");
    assert!(problem.what.starts_with("an event between "), "{problem}");
    assert!(
        problem.what.contains("was changed together with its tile"),
        "{problem}"
    );
    assert!(problem.seq.is_some_and(|seq| seq <= 3), "{problem:?}");
    ledger.close().await.expect("closed");
}

async fn a_changed_checkpoint_is_noticed(place: Place) {
    let (_, what) = problem(
        place,
        "UPDATE checkpoints SET note = REPLACE(note, 'wayproof.dev', 'wayproof.org')",
    )
    .await;
    assert!(
        what.starts_with("the checkpoint at ") && what.contains("is broken"),
        "{what}"
    );
}

async fn a_log_cut_short_is_noticed(place: Place) {
    let ledger = filled(&place).await;
    place.sql("DELETE FROM events WHERE seq = 300").await;
    let problem = ledger
        .verify()
        .await
        .expect("read")
        .problem
        .expect("noticed");
    assert_eq!(problem.what, "event 300 is missing");
    place.sql("UPDATE log SET size = 300").await;
    assert!(
        ledger.verify().await.expect("read").problem.is_some(),
        "the stored frontier still tells"
    );
    ledger.close().await.expect("closed");
}

async fn projections_that_disagree_are_noticed(place: Place) {
    let ledger = filled(&place).await;
    let tamperings = [
        (
            "UPDATE exchanges SET listed_nano_usd = 1 WHERE seq = 5",
            "the table of exchanges disagrees",
        ),
        (
            "UPDATE exchanges SET billed_nano_usd = 0 WHERE seq = 5",
            "the table of exchanges disagrees",
        ),
        (
            "DELETE FROM milestones",
            "the table of milestones disagrees",
        ),
        (
            "UPDATE jobs SET verdict = 'PROVEN'",
            "the row of j in the table of jobs disagrees",
        ),
        (
            "DELETE FROM sessions",
            "the row of s in the table of sessions disagrees",
        ),
        (
            "UPDATE usage_days SET listed_unknown = 7",
            "in the table of usage_days disagrees",
        ),
    ];
    let backups = ["exchanges", "milestones", "jobs", "sessions", "usage_days"];
    for table in backups {
        place
            .sql(&format!(
                "CREATE TABLE backup_{table} AS SELECT * FROM {table}"
            ))
            .await;
    }
    for (tampering, expected) in tamperings {
        place.sql(tampering).await;
        let problem = ledger
            .verify()
            .await
            .expect("read")
            .problem
            .expect("noticed");
        assert!(problem.what.contains(expected), "{tampering}: {problem}");
        for table in backups {
            place.sql(&format!("DELETE FROM {table}")).await;
            place
                .sql(&format!("INSERT INTO {table} SELECT * FROM backup_{table}"))
                .await;
        }
        assert!(ledger.verify().await.expect("read").is_whole());
    }
    ledger.close().await.expect("closed");
}

async fn another_key_did_not_sign(place: Place) {
    let ledger = filled(&place).await;
    let other = SigningKey::from_seed(&[8; 32]).public();
    let report = ledger.verify_with(Some(&other)).await.expect("read");
    assert!(
        report
            .problem
            .is_some_and(|problem| problem.what.starts_with("it is signed with the key "))
    );
    let report = ledger.verify_with(None).await.expect("read");
    assert!(report.is_whole() && !report.is_signed);
    ledger.close().await.expect("closed");
}

/// One thing a random history consists of.
#[derive(Debug, Clone)]
enum Step {
    Exchange {
        session: u8,
        job: Option<u8>,
        listed: Option<i64>,
    },
    Job {
        session: u8,
        job: u8,
    },
    Open {
        session: u8,
    },
    Flush,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..4_u8, proptest::option::of(0..4_u8), proptest::option::of(0..1_000_i64))
            .prop_map(|(session, job, listed)| Step::Exchange { session, job, listed }),
        1 => (0..4_u8, 0..4_u8).prop_map(|(session, job)| Step::Job { session, job }),
        1 => (0..4_u8).prop_map(|session| Step::Open { session }),
        2 => Just(Step::Flush),
    ]
}

async fn take(ledger: &Ledger, step: Step) {
    match step {
        Step::Exchange {
            session,
            job,
            listed,
        } => {
            let cost = Cost {
                listed_nano_usd: listed,
                ..Cost::default()
            };
            exchange(
                ledger,
                &format!("s{session}"),
                job.map(|job| format!("j{job}")).as_deref(),
                cost,
            )
            .await;
        }
        Step::Job { session, job } => {
            let about = about(&format!("s{session}"), Some(&format!("j{job}")), None);
            ledger
                .append(&ledger.event(about, job_opened("bug-fix")))
                .await
                .expect("recorded");
        }
        Step::Open { session } => {
            let id = ledger.ids().next().to_string();
            let about = about(&format!("s{session}"), None, Some(&id));
            ledger
                .note(&ledger.event(about, opened("general", "fast", "m")))
                .expect("recorded");
        }
        Step::Flush => ledger.flush().await.expect("flushed"),
    }
}

async fn a_ledger_is_whole_however_it_was_batched(place: Place) {
    let ledger = place.open().await;
    let runtime = tokio::runtime::Handle::current();
    let walked = ledger.clone();
    let walking = tokio::task::spawn_blocking(move || {
        let mut runner = TestRunner::new(Config {
            cases: 12,
            ..Config::default()
        });
        runner.run(&proptest::collection::vec(step(), 1..60), |steps| {
            runtime.block_on(async {
                for step in steps {
                    take(&walked, step).await;
                }
                walked.flush().await.expect("flushed");
                let report = walked.verify().await.expect("read");
                prop_assert!(report.is_whole(), "{report:?}");
                Ok(())
            })
        })
    });
    walking.await.expect("ran").expect("every history is whole");
    ledger.close().await.expect("closed");
}
