//! Jobs: filtered, paged, huge, and while they are worked on.

use axum::body::Body;
use http_body_util::BodyExt as _;
use rstest::rstest;
use wayproof_dashboard::ProofSeen;
use wayproof_engine::Cause;
use wayproof_ledger::{About, Clock, Escalated, EventBody, JobClosed, JobOpened, ProofFinished};
use wayproof_receipt::Verdict;

use crate::markup::is_tame;
use crate::stage::{NOON_US, Stage, request};
use crate::story::{Words, settled, tell};

#[rstest]
#[case("task=bug-fix", true)]
#[case("task=documentation", false)]
#[case("class=strong", true)]
#[case("class=max", false)]
#[case("verdict=PROVEN", true)]
#[case("verdict=REFUTED", false)]
#[case("verdict=open", false)]
#[case("verdict=none", true)]
#[case("agent=claude-code", true)]
#[case("agent=codex", false)]
#[case("repo=https%3A%2F%2Fexample.org%2Fteam%2Fshop.git", true)]
#[case("repo=shop", false)]
#[case("since=day", true)]
#[case("q=TEAM%2Fshop", true)]
#[case("q=%25", false)]
#[case("q=_", false)]
#[case("q=a%00b", false)]
#[case("sort=cost&task=bug-fix", true)]
#[case("sort=nonsense&seq=x&value=y&since=z", true)]
#[case("seq=0", false)]
#[case("seq=-9223372036854775808", false)]
#[tokio::test]
async fn jobs_are_filtered(#[case] query: &str, #[case] is_found: bool) {
    let stage = Stage::new().await;
    tell(&stage.ledger, &Words::plain("job-of-a-story")).await;
    let seen = stage.get(&format!("/jobs?{query}")).await;
    assert_eq!(seen.status, 200);
    assert_eq!(
        seen.text.contains("/jobs/job-of-a-story"),
        is_found,
        "{}",
        seen.text
    );
}

#[tokio::test]
async fn an_old_job_is_found_by_since_only_as_long_as_it_is_new() {
    let clock = Clock::fixed(NOON_US);
    let stage = Stage::with(|_| {}, clock).await;
    tell(&stage.ledger, &Words::plain("job-that-ages")).await;
    stage.clock.set(NOON_US + 3 * 86_400_000_000);
    tell(&stage.ledger, &Words::plain("job-of-today")).await;
    let seen = stage.get("/jobs?since=day").await.text;
    assert!(
        seen.contains("job-of-today") && !seen.contains("job-that-ages"),
        "{seen}"
    );
    let seen = stage.get("/jobs?since=week").await.text;
    assert!(seen.contains("job-of-today") && seen.contains("job-that-ages"));
    assert!(seen.contains("3 d ago"));
}

#[tokio::test]
async fn many_jobs_are_paged_without_loss_in_every_order() {
    let stage = Stage::new().await;
    for number in 0..120 {
        let about = About {
            session: Some(format!("s{}", number % 7)),
            job: Some(format!("job-number-{number:03}")),
            exchange: None,
        };
        let body = EventBody::JobOpened(JobOpened {
            task: "bug-fix".into(),
            ..JobOpened::default()
        });
        stage.ledger.note(&stage.ledger.event(about, body)).unwrap();
    }
    stage.ledger.flush().await.unwrap();
    for sort in ["newest", "cost", "turns", "escalations"] {
        let mut path = format!("/jobs?sort={sort}&task=bug-fix");
        let mut found = std::collections::BTreeSet::new();
        let mut pages = 0;
        loop {
            let seen = stage.get(&path).await.text;
            pages += 1;
            for number in 0..120 {
                if seen.contains(&format!("/jobs/job-number-{number:03}\"")) {
                    assert!(found.insert(number), "{sort}: {number} twice");
                }
            }
            let Some((before, _)) = seen.split_once("\">More</a>") else {
                break;
            };
            path = before
                .rsplit("href=\"")
                .next()
                .unwrap()
                .replace("&amp;", "&");
        }
        assert_eq!((found.len(), pages), (120, 3), "{sort}");
    }
}

#[tokio::test]
async fn all_jobs_in_flight_are_counted_though_few_are_shown() {
    let stage = Stage::new().await;
    for number in 0..42 {
        note(&stage, number, job_opened());
    }
    stage.ledger.flush().await.unwrap();
    let now = stage.get("/").await.text;
    assert!(
        now.contains("In flight <span class=\"count\">42</span>"),
        "{now}"
    );
    assert_eq!(now.matches("class=\"card\"").count(), 30);
    assert!(now.contains("The last 30 are shown. <a href=\"/jobs?verdict=open\">"));
}

fn note(stage: &Stage, number: usize, body: EventBody) {
    let about = About {
        session: Some("s".to_owned()),
        job: Some(format!("job-number-{number:03}")),
        exchange: None,
    };
    stage.ledger.note(&stage.ledger.event(about, body)).unwrap();
}

fn job_opened() -> EventBody {
    EventBody::JobOpened(JobOpened {
        task: "bug-fix".into(),
        ..JobOpened::default()
    })
}

/// A job of a dollar that ended so, maybe after it moved up.
fn judge(stage: &Stage, number: usize, verdict: Verdict, has_moved: bool) {
    if has_moved {
        let moved = Escalated {
            cause: Cause::CompileError,
            from: "fast".into(),
            to: "strong".into(),
            why: "it does not build".into(),
        };
        note(stage, number, EventBody::Escalated(moved));
    }
    let finished = ProofFinished {
        verdict,
        task: "bug-fix".into(),
        head_tree: None,
        receipt_digest: None,
        one_fact: None,
        wall_us: None,
    };
    note(stage, number, EventBody::ProofFinished(finished));
    let closed = JobClosed {
        verdict: Some(verdict),
        why: None,
    };
    note(stage, number, EventBody::JobClosed(closed));
}

#[tokio::test]
async fn shares_are_of_the_jobs_that_were_judged() {
    let stage = Stage::new().await;
    for number in 0..6 {
        note(&stage, number, job_opened());
        let dollar = settled(&Words::plain("any"), "fast", Some(1_000_000_000));
        note(&stage, number, dollar);
    }
    judge(&stage, 0, Verdict::Proven, false);
    judge(&stage, 1, Verdict::Proven, true);
    judge(&stage, 2, Verdict::ProvenWithGaps, false);
    judge(&stage, 3, Verdict::Refuted, false);
    judge(&stage, 4, Verdict::InvalidInfra, false);
    stage.ledger.flush().await.unwrap();
    // Of six jobs four were judged, and one of these was proven by its first proof without moving up.
    for (path, words) in [
        ("/", "<b>25 %</b><span>of 4 jobs judged, without moving up"),
        ("/", "<b>2</b><span>of 6 jobs in 30 days"),
        (
            "/policy",
            "<td class=\"num\">6</td><td class=\"num\">4</td><td class=\"num\">2</td><td class=\"num\">25 %</td>",
        ),
        (
            "/spend",
            "<span>Proven work</span><span class=\"num\">$2.00</span>",
        ),
        (
            "/spend",
            "<span>Work that was proven with gaps</span><span class=\"num\">$1.00</span>",
        ),
        ("/spend", "2 of 6 jobs proven"),
        ("/read/v1/quality", "\"judged\":4"),
        ("/read/v1/quality", "\"proven_at_first\":1"),
    ] {
        let seen = stage.get(path).await;
        assert!(seen.text.contains(words), "{path}: {words}: {}", seen.text);
    }
}

#[tokio::test]
async fn a_huge_job_is_cut_and_stays_small() {
    let stage = Stage::new().await;
    let mut words = Words::plain("huge-job-of-them");
    words.output = "x".repeat(9_000);
    words.why = "y".repeat(9_000);
    words.repo = "z".repeat(5_000);
    for _ in 0..60 {
        tell(&stage.ledger, &words).await;
    }
    for path in [
        "/",
        "/jobs",
        "/jobs/huge-job-of-them",
        "/receipts",
        "/spend?one=repo&two=day",
    ] {
        let seen = stage.get(path).await;
        assert_eq!(seen.status, 200);
        assert!(
            seen.text.len() < 900_000,
            "{path} has {} bytes",
            seen.text.len()
        );
    }
}

#[tokio::test]
async fn the_live_page_sends_what_goes_on() {
    let stage = Stage::new().await;
    let live = request("GET", "/live").body(Body::empty()).unwrap();
    let response = stage.raw([127, 0, 0, 1], live).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    let first = String::from_utf8_lossy(&first).into_owned();
    assert!(
        first.starts_with("data: ") && first.contains("No job is being worked on"),
        "{first}"
    );
    let about = About {
        session: None,
        job: Some("job-in-flight".into()),
        exchange: None,
    };
    let body_of = EventBody::JobOpened(JobOpened {
        task: "migration".into(),
        ..JobOpened::default()
    });
    stage
        .ledger
        .note(&stage.ledger.event(about, body_of))
        .unwrap();
    stage.ledger.flush().await.unwrap();
    let next = body.frame().await.unwrap().unwrap().into_data().unwrap();
    let next = String::from_utf8_lossy(&next).into_owned();
    assert!(
        next.contains("migration") && next.ends_with("\n\n"),
        "{next}"
    );
}

#[tokio::test]
async fn a_job_that_is_none_cannot_be_watched() {
    let stage = Stage::new().await;
    for id in [
        "unknown",
        "%00",
        "a%0Ab%0D",
        "%3Cscript%3E",
        "..%2F..%2Fjobs",
        "%20",
        "%ff",
    ] {
        let seen = stage.get(&format!("/live?job={id}")).await;
        assert_eq!(seen.status, 404, "{id}");
        is_tame("/live", &seen.text);
    }
    let long = "x".repeat(4_000);
    assert_eq!(stage.get(&format!("/live?job={long}")).await.status, 404);
}

#[tokio::test]
async fn a_proof_is_watched_while_it_goes_on() {
    let stage = Stage::new().await;
    let about = About {
        session: None,
        job: Some("job-in-flight".into()),
        exchange: None,
    };
    let opened = EventBody::JobOpened(JobOpened {
        task: "migration".into(),
        ..JobOpened::default()
    });
    stage
        .ledger
        .note(&stage.ledger.event(about, opened))
        .unwrap();
    stage.ledger.flush().await.unwrap();
    stage.proofs.lock().unwrap().push(ProofSeen {
        job: "job-in-flight".into(),
        steps: vec![
            (
                NOON_US - 3_000_000,
                "trees written out, 2 suites judge the change".into(),
            ),
            (
                NOON_US - 1_500_000,
                "<img src=x onerror=alert(1)> on head: run 1 of 3".into(),
            ),
        ],
    });
    let page = stage.get("/jobs/job-in-flight").await.text;
    is_tame("/jobs/job-in-flight", &page);
    for words in [
        "Being proven now",
        "2 suites judge the change",
        "took 1.5 s",
        "goes on",
        "/live?job=job-in-flight",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let now = stage.get("/").await.text;
    is_tame("/", &now);
    assert!(now.contains("on head: run 1 of 3"), "{now}");

    let live = request("GET", "/live?job=job-in-flight")
        .body(Body::empty())
        .unwrap();
    let mut body = stage.raw([127, 0, 0, 1], live).await.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    let first = String::from_utf8_lossy(&first).into_owned();
    for words in [
        "Being proven now",
        "hx-target=\"#story-part\"",
        "What happened",
    ] {
        assert!(first.contains(words), "{words}: {first}");
    }
    stage.proofs.lock().unwrap().clear();
    let next = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(!String::from_utf8_lossy(&next).contains("Being proven now"));
}
