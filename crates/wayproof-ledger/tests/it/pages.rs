//! What the dashboard asks: found, ordered, paged and summed the same on both databases.

use std::collections::BTreeSet;

use wayproof_engine::Cause;
use wayproof_ledger::{
    Cost, CrossBy, Escalated, EventBody, JobClosed, JobOrder, JobPhase, JobSearch, JobSpan, Ledger,
    Page, ProofFinished, ReceiptIssued,
};
use wayproof_receipt::Verdict;

use crate::engine::Place;
use crate::fixture::{NOON_US, about, job_opened, listed, opened, settled};
use crate::on_both;

on_both! {
    jobs_are_found_by_every_condition_and_paged_without_loss
    what_goes_on_and_what_was_seen_is_told_from_the_end_of_the_log
    rows_days_and_two_dimensions_are_summed_without_mixing_money
}

async fn record(ledger: &Ledger, job: &str, exchange: Option<&str>, body: EventBody) {
    let event = ledger.event(about("s", Some(job), exchange), body);
    ledger.append(&event).await.expect("recorded");
}

async fn work(ledger: &Ledger, job: &str, cost: Cost) {
    record(ledger, job, None, job_opened("bug-fix")).await;
    let id = ledger.ids().next().to_string();
    record(ledger, job, Some(&id), opened("bug-fix", "fast", "haiku")).await;
    record(
        ledger,
        job,
        Some(&id),
        settled("bug-fix", "fast", "haiku", cost),
    )
    .await;
}

async fn close(ledger: &Ledger, job: &str, verdict: Verdict) {
    let closed = JobClosed {
        verdict: Some(verdict),
        why: None,
    };
    record(ledger, job, None, EventBody::JobClosed(closed)).await;
}

async fn escalate(ledger: &Ledger, job: &str) {
    let escalated = Escalated {
        cause: Cause::ProofRefuted,
        from: "fast".to_owned(),
        to: "strong".to_owned(),
        why: "it failed".to_owned(),
    };
    record(ledger, job, None, EventBody::Escalated(escalated)).await;
}

async fn ids(ledger: &Ledger, search: &JobSearch) -> Vec<String> {
    let page = ledger
        .find_jobs(search, JobOrder::Newest, JobSpan::new(None, 50))
        .await
        .expect("read");
    assert!(page.next.is_none() && !page.is_cut);
    page.rows.into_iter().map(|row| row.id).collect()
}

/// The ids of all that fit, page after page of three.
async fn all_pages(
    ledger: &Ledger,
    search: &JobSearch,
    order: JobOrder,
    window: u32,
) -> Vec<String> {
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let span = JobSpan {
            window,
            ..JobSpan::new(after, 3)
        };
        let page = ledger.find_jobs(search, order, span).await.expect("read");
        seen.extend(page.rows.into_iter().map(|row| row.id));
        after = page.next;
        if after.is_none() {
            return seen;
        }
    }
}

#[expect(clippy::too_many_lines, reason = "one story, read from top to bottom")]
async fn jobs_are_found_by_every_condition_and_paged_without_loss(place: Place) {
    let ledger = place.open().await;
    for number in 0..7 {
        work(&ledger, &format!("job-{number}"), listed(100 - number)).await;
    }
    escalate(&ledger, "job-3").await;
    close(&ledger, "job-3", Verdict::Proven).await;
    ledger.flush().await.expect("flushed");
    let some = |text: &str| Some(text.to_owned());
    let all = JobSearch::default;
    let cases: [(JobSearch, usize); 12] = [
        (all(), 7),
        (
            JobSearch {
                task: some("bug-fix"),
                ..all()
            },
            7,
        ),
        (
            JobSearch {
                task: some("none"),
                ..all()
            },
            0,
        ),
        (
            JobSearch {
                class: some("strong"),
                ..all()
            },
            1,
        ),
        (
            JobSearch {
                verdict: some("PROVEN"),
                ..all()
            },
            1,
        ),
        (
            JobSearch {
                repo: some("https://example.org/shop.git"),
                ..all()
            },
            7,
        ),
        (
            JobSearch {
                state: JobPhase::Open,
                ..all()
            },
            6,
        ),
        (
            JobSearch {
                state: JobPhase::Closed,
                ..all()
            },
            1,
        ),
        (
            JobSearch {
                words: some("SHOP.git"),
                ..all()
            },
            7,
        ),
        (
            JobSearch {
                words: some("%"),
                ..all()
            },
            0,
        ),
        (
            JobSearch {
                since_us: Some(NOON_US),
                ..all()
            },
            7,
        ),
        (
            JobSearch {
                since_us: Some(NOON_US + 1),
                ..all()
            },
            0,
        ),
    ];
    for (search, found) in cases {
        assert_eq!(ids(&ledger, &search).await.len(), found, "{search:?}");
    }
    assert!(
        ids(
            &ledger,
            &JobSearch {
                agent: some("a\0"),
                ..all()
            }
        )
        .await
        .is_empty()
    );
    // A page looks at so many jobs, and pages together at all of them.
    let windows = [50, 2];
    let orders = [
        JobOrder::Newest,
        JobOrder::Dearest,
        JobOrder::Busiest,
        JobOrder::Escalated,
    ];
    for (order, window) in orders
        .map(|order| windows.map(|window| (order, window)))
        .concat()
    {
        let seen = all_pages(&ledger, &all(), order, window).await;
        let rare = JobSearch {
            words: some("job-5"),
            ..all()
        };
        assert_eq!(all_pages(&ledger, &rare, order, window).await, ["job-5"]);
        let first = match order {
            JobOrder::Newest | JobOrder::Busiest => "job-6",
            JobOrder::Dearest => "job-0",
            JobOrder::Escalated => "job-3",
        };
        assert_eq!(seen.first().map(String::as_str), Some(first), "{order:?}");
        let once: BTreeSet<&String> = seen.iter().collect();
        assert_eq!((seen.len(), once.len()), (7, 7), "{order:?} {window}");
    }
    ledger.close().await.expect("closed");
}

#[expect(clippy::too_many_lines, reason = "one story, read from top to bottom")]
async fn what_goes_on_and_what_was_seen_is_told_from_the_end_of_the_log(place: Place) {
    let ledger = place.open().await;
    work(&ledger, "open", listed(1)).await;
    escalate(&ledger, "open").await;
    work(&ledger, "done", Cost::default()).await;
    let issued = ReceiptIssued {
        receipt_digest: "ab".repeat(32),
        verdict: Verdict::Proven,
        commit: None,
        tree: None,
        key_id: None,
    };
    record(&ledger, "done", None, EventBody::ReceiptIssued(issued)).await;
    close(&ledger, "done", Verdict::Proven).await;
    ledger.flush().await.expect("flushed");
    let flying = ledger.jobs_in_flight(NOON_US - 1, 10).await.expect("read");
    assert_eq!(
        flying.iter().map(|job| job.id.as_str()).collect::<Vec<_>>(),
        ["open"]
    );
    assert!(
        ledger
            .jobs_in_flight(NOON_US + 1, 10)
            .await
            .expect("read")
            .is_empty()
    );
    let moves = ledger
        .last_moves(&["open".to_owned(), "done".to_owned()])
        .await
        .expect("read");
    assert!(matches!(&moves[..], [one] if matches!(one.event.body, EventBody::Escalated(_))));
    let answers = ledger.answers_seen(10).await.expect("read");
    assert_eq!(answers.len(), 2);
    assert_eq!(
        (answers[0].total_us, answers[0].output),
        (Some(2_100_000), Some(310))
    );
    let page = Page {
        limit: 5,
        before: None,
    };
    let receipts = ledger.receipts_issued(None, page).await.expect("read");
    assert_eq!(
        (receipts.len(), receipts[0].task.as_deref()),
        (1, Some("bug-fix"))
    );
    for (digest, found) in [("ab", 1), ("abab", 1), ("ac", 0), ("zz", 0), ("'", 0)] {
        let receipts = ledger
            .receipts_issued(Some(digest), page)
            .await
            .expect("read");
        assert_eq!(receipts.len(), found, "{digest}");
    }
    let before = Page {
        limit: 5,
        before: Some(receipts[0].seq),
    };
    assert!(
        ledger
            .receipts_issued(None, before)
            .await
            .expect("read")
            .is_empty()
    );
    let size = ledger.size().await.expect("read");
    assert_eq!(
        (size, ledger.signed_size().await.expect("read")),
        (9, Some(9))
    );
    ledger.close().await.expect("closed");
}

#[expect(clippy::too_many_lines, reason = "one story, read from top to bottom")]
async fn rows_days_and_two_dimensions_are_summed_without_mixing_money(place: Place) {
    let ledger = place.open().await;
    let billed = Cost {
        billed_nano_usd: Some(7),
        subscription_nano_usd: Some(3),
        ..Cost::default()
    };
    work(&ledger, "a", listed(100)).await;
    let finished = ProofFinished {
        verdict: Verdict::Proven,
        task: "bug-fix".to_owned(),
        head_tree: None,
        receipt_digest: None,
        one_fact: None,
        wall_us: None,
    };
    record(&ledger, "a", None, EventBody::ProofFinished(finished)).await;
    close(&ledger, "a", Verdict::Proven).await;
    work(&ledger, "b", billed).await;
    escalate(&ledger, "b").await;
    close(&ledger, "b", Verdict::Refuted).await;
    ledger.flush().await.expect("flushed");
    let records = ledger.task_records(0).await.expect("read");
    let [row] = &records[..] else {
        panic!("{records:?}")
    };
    assert_eq!(
        (row.jobs, row.proven, row.proven_at_first, row.not_proven),
        (2, 1, 1, 1)
    );
    assert_eq!((row.escalated, row.escalated_proven), (1, 0));
    assert_eq!(
        (row.money.listed_nano_usd, row.money.listed_unknown),
        (Some(100), 1)
    );
    assert_eq!(
        (row.money.billed_nano_usd, row.money.subscription_nano_usd),
        (Some(7), Some(3))
    );
    assert!(
        ledger
            .task_records(NOON_US + 1)
            .await
            .expect("read")
            .is_empty()
    );
    let cube = ledger.spend_cube(0).await.expect("read");
    let cells = cube.by_two([CrossBy::Verdict, CrossBy::Model], &(0..=i64::MAX), 10);
    let names: Vec<_> = cells.iter().map(|cell| cell.names.join(" ")).collect();
    assert_eq!(names, ["PROVEN anthropic/haiku", "REFUTED anthropic/haiku"]);
    assert_eq!(
        (
            cells[1].money.listed_nano_usd,
            cells[1].money.billed_nano_usd
        ),
        (None, Some(7))
    );
    for by in [
        CrossBy::Task,
        CrossBy::Class,
        CrossBy::Provider,
        CrossBy::Agent,
        CrossBy::Repo,
        CrossBy::Day,
    ] {
        let cells = cube.by_two([by, CrossBy::Task], &(0..=i64::MAX), 10);
        assert_eq!(
            cells.iter().map(|cell| cell.exchanges).sum::<i64>(),
            2,
            "{by:?}"
        );
    }
    let days = cube.days(&(0..=i64::MAX));
    let [day] = &days[..] else { panic!("{days:?}") };
    assert_eq!(
        (day.day, day.exchanges, day.proven),
        (NOON_US / 86_400_000_000, 2, 1)
    );
    ledger.close().await.expect("closed");
}
