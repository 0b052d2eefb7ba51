//! Forgetting: words and names go, hashes and sums stay, and nobody else can replace a text.

use wayproof_ledger::{
    Body, BooksChanged, Capture, Escalated, EventBody, ForgetSubject, Ledger, Location, Retention,
    ReviewRecorded, SessionStarted, SpendBy,
};

use crate::engine::Place;
use crate::fixture::{NOON_US, about, exchange, job_opened, listed};
use crate::on_both;

on_both! {
    the_words_of_a_conversation_go_and_its_figures_stay
    a_name_goes_from_every_event_and_row
    a_text_that_no_list_names_is_damage
    captured_bodies_go_with_the_events_that_are_pruned
    captured_bodies_go_after_the_time_of_their_kind
}

async fn record(ledger: &Ledger, session: &str, job: Option<&str>, body: EventBody) {
    let event = ledger.event(about(session, job, None), body);
    ledger.append(&event).await.expect("recorded");
}

fn started(cwd: &str) -> EventBody {
    EventBody::SessionStarted(SessionStarted {
        agent: "claude-code".to_owned(),
        cwd: Some(cwd.to_owned()),
        repo: Some("git@example.org:ana/orchid.git".to_owned()),
        branch: Some("ana/orchid".to_owned()),
        ..SessionStarted::default()
    })
}

fn escalated() -> EventBody {
    EventBody::Escalated(Escalated {
        cause: wayproof_engine::Cause::RepeatedFailure,
        from: "fast".to_owned(),
        to: "strong".to_owned(),
        why: "the test `orchid blooms` failed twice".to_owned(),
    })
}

fn body(part: &'static str, text: &str, holder: Option<&str>) -> Body {
    Body {
        part,
        capture: Capture::Redacted,
        bytes: text.as_bytes().to_vec(),
        length: text.len() as u64,
        is_cut: false,
        holder: holder.map(str::to_owned),
    }
}

/// Two conversations of which the first one says `orchid`, and a person `ana` in both.
async fn filled(place: &Place) -> Ledger {
    let ledger = place.open().await;
    for (session, job, cwd) in [("s", "j", "/home/ana/orchid"), ("t", "k", "/home/bo/tulip")] {
        record(&ledger, session, None, started(cwd)).await;
        record(&ledger, session, Some(job), job_opened("bug-fix")).await;
        exchange(&ledger, session, Some(job), listed(7)).await;
        record(&ledger, session, Some(job), escalated()).await;
        let review = ReviewRecorded {
            reviewer: "ana".to_owned(),
            decision: "approved".to_owned(),
            remark: Some("banana says ana".to_owned()),
            ..ReviewRecorded::default()
        };
        record(
            &ledger,
            session,
            Some(job),
            EventBody::ReviewRecorded(review),
        )
        .await;
        let asked = format!("{session} asks about the orchid");
        let about = about(session, Some(job), Some("e-1"));
        ledger
            .capture(about, body("request", &asked, Some("ana")))
            .await
            .expect("captured");
    }
    let books = BooksChanged {
        change: "person-set".to_owned(),
        subject: "ana".to_owned(),
        by: Some("ana".to_owned()),
        ..BooksChanged::default()
    };
    let event = ledger.event(
        wayproof_ledger::About::default(),
        EventBody::BooksChanged(books),
    );
    ledger.append(&event).await.expect("recorded");
    ledger.flush().await.expect("flushed");
    ledger
}

async fn texts(ledger: &Ledger) -> String {
    let events = ledger.events(0, 1000).await.expect("read");
    events.into_iter().map(|event| event.text + "\n").collect()
}

fn of(name: &str) -> ForgetSubject {
    ForgetSubject::Session(name.to_owned())
}

async fn the_words_of_a_conversation_go_and_its_figures_stay(place: Place) {
    let ledger = filled(&place).await;
    assert!(ledger.verify().await.expect("verified").is_whole());
    let spend = ledger.spend(SpendBy::Model, 0).await.expect("read");
    let would = ledger.would_forget(&of("s")).await.expect("read");
    let before = texts(&ledger).await;
    let done = ledger.forget(&of("s")).await.expect("forgotten");
    let report = done.report.clone().expect("verified");
    assert!(report.is_whole(), "{report:?}");
    assert_eq!((would.events, would.contents), (done.events, done.contents));
    assert_eq!(done.contents, 1);
    let after = texts(&ledger).await;
    assert_eq!(before.matches("orchid blooms").count(), 2);
    assert_eq!(after.matches("orchid blooms").count(), 1, "{after}");
    assert!(!after.contains("/home/ana/orchid") && after.contains("/home/bo/tulip"));
    let session = ledger.session("s").await.expect("read").expect("there");
    assert_eq!(session.cwd.as_deref(), Some("forgotten"));
    assert_eq!(ledger.spend(SpendBy::Model, 0).await.expect("read"), spend);
    // The other conversation's capture is there, under the exchange's name.
    let kept = ledger.captured("e-1").await.expect("read");
    let bodies: Vec<_> = kept.iter().map(|each| each.body.is_some()).collect();
    assert_eq!(bodies, [false, true]);
    // Once more finds nothing, and an unknown one neither.
    assert!(ledger.forget(&of("s")).await.expect("done").is_nothing());
    assert!(
        ledger
            .forget(&of("nobody"))
            .await
            .expect("done")
            .is_nothing()
    );
    // A copy and the tiles are as good.
    let folder = tempfile::tempdir().expect("a folder");
    let copy = Location::Sqlite(folder.path().join("copy"));
    let copied = ledger.copy_to(&copy).await.expect("copied");
    assert!(copied.is_whole(), "{copied:?}");
    let tiles = ledger
        .export_tiles(&folder.path().join("tiles"))
        .await
        .expect("exported");
    assert_eq!(tiles.root, ledger.verify().await.expect("verified").root);
    ledger.close().await.expect("closed");
    // Work goes on, and a later deletion is over the earlier one.
    let ledger = place.open().await;
    exchange(&ledger, "s", Some("j"), listed(8)).await;
    let done = ledger
        .forget(&ForgetSubject::Person("ana".to_owned()))
        .await
        .expect("done");
    assert!(done.report.expect("verified").is_whole());
    ledger.close().await.expect("closed");
}

async fn a_name_goes_from_every_event_and_row(place: Place) {
    let ledger = filled(&place).await;
    let done = ledger
        .forget(&ForgetSubject::Person("ana".to_owned()))
        .await
        .expect("done");
    let report = done.report.expect("verified");
    assert!(report.is_whole(), "{report:?}");
    assert_eq!(done.contents, 2);
    let after = texts(&ledger).await;
    assert!(
        !after.contains("\"ana\"") && !after.contains("/ana/"),
        "{after}"
    );
    assert!(after.contains("banana says forgotten-"), "{after}");
    assert!(after.contains("/home/bo/tulip") && after.contains("orchid"));
    let session = ledger.session("s").await.expect("read").expect("there");
    assert!(session.cwd.expect("told").starts_with("/home/forgotten-"));
    assert!(
        ledger
            .captured("e-1")
            .await
            .expect("read")
            .iter()
            .all(|each| each.body.is_none())
    );
    ledger.close().await.expect("closed");
}

async fn a_text_that_no_list_names_is_damage(place: Place) {
    let ledger = filled(&place).await;
    let done = ledger.forget(&of("s")).await.expect("done");
    assert!(done.report.expect("verified").is_whole());
    for change in [
        // Another text where one was replaced, and where none was.
        "UPDATE events SET body = replace(body, 'forgotten', 'invented') WHERE seq = 0",
        "UPDATE events SET body = replace(body, 'tulip', 'daisy') WHERE body LIKE '%tulip%'",
    ] {
        place.sql(change).await;
        let report = ledger.verify().await.expect("verified");
        assert!(!report.is_whole(), "{change}");
        let back = change.replace("'forgotten', 'invented'", "'invented', 'forgotten'");
        let back = back
            .replace("'tulip', 'daisy'", "'daisy', 'tulip'")
            .replace("'%tulip%'", "'%daisy%'");
        place.sql(&back).await;
        assert!(
            ledger.verify().await.expect("verified").is_whole(),
            "{back}"
        );
    }
    // A list that is gone.
    let list = ledger
        .events(0, 1000)
        .await
        .expect("read")
        .into_iter()
        .find_map(|event| match event.event.body {
            EventBody::SubjectForgotten(told) => Some(told.list_digest),
            _ => None,
        });
    place
        .sql(&format!(
            "DELETE FROM contents WHERE digest = '{}'",
            list.expect("told")
        ))
        .await;
    assert!(!ledger.verify().await.expect("verified").is_whole());
    ledger.close().await.expect("closed");
}

async fn captured_bodies_go_with_the_events_that_are_pruned(place: Place) {
    let ledger = filled(&place).await;
    assert_eq!(ledger.captured("e-1").await.expect("read").len(), 2);
    let pruned = ledger.prune(i64::MAX, None).await.expect("pruned");
    assert!(pruned.report.expect("verified").is_whole());
    assert!(ledger.captured("e-1").await.expect("read").is_empty());
    let would = ledger
        .would_forget(&ForgetSubject::Person("ana".to_owned()))
        .await
        .expect("read");
    assert!(would.is_in_pruned, "{would:?}");
    ledger.close().await.expect("closed");
}

async fn captured_bodies_go_after_the_time_of_their_kind(place: Place) {
    const HOUR_US: i64 = 3_600_000_000;
    for (hours, exchange) in [(5, "e-old"), (1, "e-new")] {
        let ledger = place.open_at(NOON_US - hours * HOUR_US).await;
        for (capture, part) in [(Capture::Redacted, "request"), (Capture::Full, "answer")] {
            let body = Body {
                capture,
                ..body(part, &format!("{part} of {exchange}"), None)
            };
            let about = about("s", None, Some(exchange));
            ledger.capture(about, body).await.expect("captured");
        }
        ledger.close().await.expect("closed");
    }
    let ledger = place.open_at(NOON_US).await;
    let limits = [
        Retention {
            capture: Capture::Full,
            until_us: NOON_US,
        },
        Retention {
            capture: Capture::Redacted,
            until_us: NOON_US - 2 * HOUR_US,
        },
    ];
    let would = ledger.outlived(&limits).await.expect("read");
    let counts: Vec<_> = would.iter().map(|gone| gone.bodies).collect();
    assert_eq!(counts, [2, 1]);
    assert!(would.iter().all(|gone| gone.bytes > 0), "{would:?}");
    let gone = ledger.prune_captured(&limits).await.expect("pruned");
    assert_eq!(gone, would);
    let is_there = async |exchange: &str| {
        let captured = ledger.captured(exchange).await.expect("read");
        let bodies = captured.iter();
        bodies.map(|body| body.body.is_some()).collect::<Vec<_>>()
    };
    assert_eq!(is_there("e-old").await, [false, false]);
    assert_eq!(is_there("e-new").await, [true, false]);
    let report = ledger.verify().await.expect("verified");
    assert!(report.is_whole(), "{report:?}");
    let again = ledger.prune_captured(&limits).await.expect("pruned");
    assert!(again.iter().all(|gone| gone.bodies == 0), "{again:?}");
    ledger.close().await.expect("closed");
}
