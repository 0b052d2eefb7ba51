//! Jobs: filtered, paged, huge, and while they are worked on.

use axum::body::Body;
use http_body_util::BodyExt as _;
use rstest::rstest;
use wayproof_dashboard::ProofSeen;
use wayproof_ledger::{About, Clock, EventBody, JobOpened};

use crate::markup::is_tame;
use crate::stage::{NOON_US, Stage, request};
use crate::story::{Words, tell};

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
            let Some((before, _)) = seen.split_once("\">Older</a>") else {
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
    assert!(String::from_utf8_lossy(&first).contains("Being proven now"));
    stage.proofs.lock().unwrap().clear();
    let next = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(!String::from_utf8_lossy(&next).contains("Being proven now"));
}
