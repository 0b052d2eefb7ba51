//! The walk over candidates: again, onward, or the provider's own words.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::HeaderMap;
use tokio::net::TcpListener;
use wayproof_testkit::{Provider as Scripted, Reply};
use wayproof_upstream::{
    AttemptFault, AttemptRecord, BreakerLimits, CallerCredential, Settings, Upstream, Walked,
};

use crate::stage::{self, candidate, keyed, quick};

const OWN: CallerCredential = CallerCredential::Own;

/// A provider that answers with these statuses one after the other, the last one for ever.
async fn statuses(list: &'static [u16], retry_after: Option<&'static str>) -> Scripted {
    let next = AtomicUsize::new(0);
    Scripted::start(move |_| {
        let at = next.fetch_add(1, Ordering::SeqCst).min(list.len() - 1);
        let reply = Reply::json(list[at], format!("{{\"status\":{}}}", list[at]));
        match retry_after {
            Some(value) => reply.with_header("retry-after", value),
            None => reply,
        }
    })
    .await
    .unwrap()
}

/// An address where nobody listens.
async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn faults(records: &[AttemptRecord]) -> Vec<(&str, Option<u16>, Option<AttemptFault>)> {
    records
        .iter()
        .map(|record| (record.provider.as_str(), record.status, record.fault))
        .collect()
}

#[tokio::test]
async fn a_target_that_stumbles_is_asked_again() {
    let a = statuses(&[503, 200], None).await;
    let upstream = Upstream::new(vec![keyed("a", &a.url())], quick()).unwrap();
    let (walked, records) =
        stage::ask(&upstream, &HeaderMap::new(), OWN, &[candidate("a", "{}")]).await;
    assert_eq!(stage::read(walked).await.1, 200);
    assert_eq!(
        faults(&records),
        [
            ("a", Some(503), Some(AttemptFault::Status)),
            ("a", Some(200), None)
        ]
    );
    assert!(records[1].started_us >= 1_000 && records[1].ttfb_us.is_some());
}

#[tokio::test]
async fn a_short_retry_after_is_waited_for_and_a_long_one_is_not() {
    let short = statuses(&[429, 200], Some("0")).await;
    let long = statuses(&[429, 200], Some("60")).await;
    let providers = vec![keyed("short", &short.url()), keyed("long", &long.url())];
    let upstream = Upstream::new(providers, quick()).unwrap();

    let candidates = [candidate("short", "{}")];
    let (walked, _) = stage::ask(&upstream, &HeaderMap::new(), OWN, &candidates).await;
    assert_eq!(stage::read(walked).await.1, 200);

    let candidates = [candidate("long", "{}"), candidate("short", "{}")];
    let (walked, records) = stage::ask(&upstream, &HeaderMap::new(), OWN, &candidates).await;
    assert_eq!(stage::read(walked).await.0, 1);
    assert_eq!(
        faults(&records),
        [
            ("long", Some(429), Some(AttemptFault::Status)),
            ("short", Some(200), None)
        ]
    );
}

#[tokio::test]
async fn the_next_target_is_asked_when_one_is_gone() {
    let b = statuses(&[200], None).await;
    let providers = vec![keyed("a", &nobody().await), keyed("b", &b.url())];
    let upstream = Upstream::new(providers, quick()).unwrap();
    let candidates = [candidate("a", "{}"), candidate("b", "{}")];
    let (walked, records) = stage::ask(&upstream, &HeaderMap::new(), OWN, &candidates).await;
    assert_eq!(stage::read(walked).await.0, 1);
    let connect = Some(AttemptFault::Connect);
    assert_eq!(
        faults(&records),
        [
            ("a", None, connect),
            ("a", None, connect),
            ("b", Some(200), None)
        ]
    );
}

#[tokio::test]
async fn a_refusal_is_an_answer_and_goes_nowhere_else() {
    let a = statuses(&[400], None).await;
    let b = statuses(&[200], None).await;
    let providers = vec![keyed("a", &a.url()), keyed("b", &b.url())];
    let upstream = Upstream::new(providers, quick()).unwrap();
    let candidates = [candidate("a", "{}"), candidate("b", "{}")];
    let (walked, records) = stage::ask(&upstream, &HeaderMap::new(), OWN, &candidates).await;
    assert_eq!(stage::read(walked).await.1, 400);
    assert_eq!(faults(&records), [("a", Some(400), None)]);
}

#[tokio::test]
async fn a_providers_own_words_win_over_silence() {
    let a = statuses(&[529], None).await;
    let providers = vec![keyed("a", &a.url()), keyed("b", &nobody().await)];
    let upstream = Upstream::new(providers, quick()).unwrap();
    let candidates = [candidate("a", "{}"), candidate("b", "{}")];
    let (walked, _) = stage::ask(&upstream, &HeaderMap::new(), OWN, &candidates).await;
    let (index, status, body) = stage::read(walked).await;
    assert_eq!((index, status, &*body), (0, 529, &br#"{"status":529}"#[..]));
}

#[tokio::test]
async fn no_first_byte_in_time_goes_sideways() {
    let slow = Scripted::start(|_| Reply::json(200, "{}").after(Duration::from_secs(30)))
        .await
        .unwrap();
    let b = statuses(&[200], None).await;
    let settings = Settings {
        first_byte: Duration::from_millis(100),
        ..quick()
    };
    let providers = vec![keyed("slow", &slow.url()), keyed("b", &b.url())];
    let upstream = Upstream::new(providers, settings).unwrap();
    let candidates = [candidate("slow", "{}"), candidate("b", "{}")];
    let (walked, records) = stage::ask(&upstream, &HeaderMap::new(), OWN, &candidates).await;
    assert_eq!(stage::read(walked).await.0, 1);
    assert_eq!(records[0].fault, Some(AttemptFault::TimedOut));
}

#[tokio::test]
async fn an_ailing_provider_is_left_alone_but_not_when_it_is_all_there_is() {
    let a = statuses(&[500], None).await;
    let b = statuses(&[200], None).await;
    let settings = Settings {
        breaker: BreakerLimits {
            faults_to_open: 2,
            ..BreakerLimits::default()
        },
        ..quick()
    };
    let providers = vec![keyed("a", &a.url()), keyed("b", &b.url())];
    let upstream = Upstream::new(providers, settings).unwrap();
    let both = [candidate("a", "{}"), candidate("b", "{}")];
    let (walked, _) = stage::ask(&upstream, &HeaderMap::new(), OWN, &both).await;
    stage::read(walked).await;
    assert!(!upstream.is_healthy("a") && upstream.is_healthy("b"));

    let (walked, records) = stage::ask(&upstream, &HeaderMap::new(), OWN, &both).await;
    assert_eq!(stage::read(walked).await.0, 1);
    assert_eq!(
        faults(&records),
        [
            ("a", None, Some(AttemptFault::BreakerOpen)),
            ("b", Some(200), None)
        ]
    );

    let alone = [candidate("a", "{}")];
    let (walked, records) = stage::ask(&upstream, &HeaderMap::new(), OWN, &alone).await;
    assert_eq!(stage::read(walked).await.1, 500);
    assert_eq!(records[1].fault, Some(AttemptFault::Status));
}

#[tokio::test]
async fn an_unknown_provider_is_one_clear_sentence() {
    let upstream = Upstream::new(Vec::new(), quick()).unwrap();
    let (walked, records) =
        stage::ask(&upstream, &HeaderMap::new(), OWN, &[candidate("x", "{}")]).await;
    let Walked::Unanswered(error) = walked else {
        panic!("{walked:?}");
    };
    assert_eq!(error.to_string(), "no provider is named x");
    assert_eq!(records[0].fault, Some(AttemptFault::Misdirected));
    let (walked, _) = stage::ask(&upstream, &HeaderMap::new(), OWN, &[]).await;
    assert!(matches!(walked, Walked::Empty));
}

#[tokio::test]
async fn a_walk_that_is_dropped_leaves_a_record() {
    let slow = Scripted::start(|_| Reply::json(200, "{}").after(Duration::from_secs(30)))
        .await
        .unwrap();
    let upstream = Upstream::new(vec![keyed("slow", &slow.url())], quick()).unwrap();
    let headers = HeaderMap::new();
    let mut records = Vec::new();
    let call = wayproof_upstream::Call {
        method: &http::Method::POST,
        headers: &headers,
        caller: OWN,
        deadline: tokio::time::Instant::now() + Duration::from_secs(20),
    };
    let candidates = [candidate("slow", "{}")];
    {
        let walk = wayproof_upstream::walk(&upstream, &call, &candidates, &mut records);
        let arrived = async {
            while slow.captured().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            walked = walk => panic!("{walked:?}"),
            () = arrived => {}
        }
    }
    assert_eq!(records[0].fault, Some(AttemptFault::Abandoned));
}
