//! Advice on the policy: what is proposed, what is not, and that nothing hostile gets out of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use wayproof_dashboard::{AdviceSeen, Advised, Adviser, Answer, Proposal};
use wayproof_engine::Policy;
use wayproof_ledger::Clock;

use crate::hostile::PAYLOADS;
use crate::markup::is_tame;
use crate::stage::{NOON_US, Stage};

/// Says these words, and counts how often it was asked.
#[derive(Clone)]
pub(crate) struct Says {
    pub(crate) words: String,
    pub(crate) asked: Arc<AtomicUsize>,
}

impl Adviser for Says {
    fn advise(&self, _: Arc<Policy>) -> Answer<'_, Vec<AdviceSeen>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let words = || self.words.clone();
        if self.words == "fail" {
            return Box::pin(std::future::ready(Err("No advice today.".to_owned())));
        }
        let seen = |advised| AdviceSeen {
            task: words(),
            today: Some(words()),
            jobs: 120,
            advised,
        };
        let change = Proposal {
            to: words(),
            gain_points: (-1.25, 3.5),
            cost_percent: (41.2, 58.9),
            tasks: 118,
            undetermined: 4,
            leak_percent: 7.6,
            leaked: (1, 9),
            diff: format!("-route = \"strong\"\n+route = \"{}\"\n", self.words),
        };
        let advice = vec![
            seen(Advised::Change(Box::new(change))),
            seen(Advised::NotEnough { why: words() }),
        ];
        Box::pin(std::future::ready(Ok(advice)))
    }
}

pub(crate) async fn advised(words: &str) -> (Stage, Arc<AtomicUsize>) {
    let asked = Arc::<AtomicUsize>::default();
    let says = Says {
        words: words.to_owned(),
        asked: Arc::clone(&asked),
    };
    let stage = Stage::with(
        |house| house.adviser = Some(Box::new(says)),
        Clock::fixed(NOON_US),
    );
    (stage.await, asked)
}

#[tokio::test]
async fn a_proposal_has_its_intervals_and_its_patch() {
    let (stage, asked) = advised("fast").await;
    assert!(stage.get("/policy").await.text.contains("/policy/advice"));
    for _ in 0..3 {
        let page = stage.get("/policy/advice").await;
        assert_eq!(page.status, 200);
        is_tame("/policy/advice", &page.text);
        for words in [
            "-1.2 to +3.5 points",
            "41 to 59 % of today",
            "118 jobs, 4 of unknown outcome",
            "known to have accepted 1 of 9",
            "Not enough data",
            "+route = &quot;fast&quot;",
        ] {
            assert!(page.text.contains(words), "{words}: {}", page.text);
        }
    }
    assert_eq!(
        asked.load(Ordering::Relaxed),
        1,
        "advice is not worked out for every look"
    );
}

#[tokio::test]
async fn without_advice_a_page_says_so() {
    let stage = Stage::new().await;
    assert!(!stage.get("/policy").await.text.contains("/policy/advice"));
    let page = stage.get("/policy/advice").await;
    assert_eq!(page.status, 404);
    assert!(page.text.contains("wayproof policy advise"));
    let (stage, _) = advised("fail").await;
    let page = stage.get("/policy/advice").await;
    assert_eq!(page.status, 422);
    assert!(page.text.contains("No advice today."));
}

#[tokio::test]
async fn hostile_advice_stays_text() {
    for payload in PAYLOADS {
        let (stage, _) = advised(payload).await;
        let page = stage.get("/policy/advice").await;
        assert_eq!(page.status, 200, "{payload}");
        is_tame(payload, &page.text);
    }
}
