//! Advice on the policy: what is proposed, what is not, and that nothing hostile gets out of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use wayproof_dashboard::{
    AdviceSeen, Advised, Adviser, Answer, Fate, JobReplayed, Proposal, ReplaySeen,
};
use wayproof_engine::Policy;
use wayproof_ledger::Clock;

use crate::hostile::PAYLOADS;
use crate::markup::is_tame;
use crate::stage::{NOON_US, Seen, Stage, form};

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

    fn replay(&self, _: Arc<Policy>) -> Answer<'_, ReplaySeen> {
        let words = || self.words.clone();
        if self.words == "fail" {
            return Box::pin(std::future::ready(Err("No replay today.".to_owned())));
        }
        let job = |fate, is_outcome_known, cost_nano_usd| JobReplayed {
            job: words(),
            task: Some(words()),
            verdict: Some(if is_outcome_known {
                "PROVEN".to_owned()
            } else {
                words()
            }),
            is_outcome_known,
            cost_nano_usd,
            fate,
        };
        let (to, why) = (words(), words());
        let seen = ReplaySeen {
            jobs: vec![
                job(Fate::Same, true, (Some(10_000_000), Some(10_000_000))),
                job(Fate::Unknown { why: words() }, false, (None, None)),
                job(
                    Fate::Changed { to, why },
                    false,
                    (Some(20_000_000), Some(2_000_000_000)),
                ),
            ],
            most: 200,
            proven: (1, 3),
            cost_nano_usd: (30_000_000, None),
            unpriced: 1,
        };
        Box::pin(std::future::ready(Ok(seen)))
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
async fn a_patch_is_downloaded_whole() {
    let (stage, _) = advised("fast & cheap").await;
    let page = stage.get("/policy/advice").await.text;
    let link = "/policy/advice/patch?task=fast+%26+cheap";
    assert!(page.contains(&link.replace('&', "&amp;")), "{page}");
    let patch = stage.get(link).await;
    assert_eq!(patch.status, 200);
    assert!(patch.header("content-type").starts_with("text/x-patch"));
    assert_eq!(
        patch.text,
        "-route = \"strong\"\n+route = \"fast & cheap\"\n"
    );
    let none = stage.get("/policy/advice/patch?task=none").await;
    assert_eq!(none.status, 404);
}

async fn what_if(stage: &Stage) -> Seen {
    let csrf = stage.get("/policy").await.csrf();
    let text = "version = 1\n[task.bug-fix]\nroute = \"fast\"\n";
    let fields = [("csrf", csrf.as_str()), ("policy", text)];
    stage.ask(form("/policy", "", &fields)).await
}

#[tokio::test]
async fn a_changed_policy_is_replayed_job_by_job() {
    let (stage, _) = advised("job-that-moves").await;
    let page = what_if(&stage).await;
    assert_eq!(page.status, 200);
    for words in [
        "<dt>Looked at</dt><dd>3 jobs</dd>",
        "<dt>The same</dt><dd>1</dd>",
        "<dt>Elsewhere</dt><dd>1</dd>",
        "<dt>Proven</dt><dd>1 to 3</dd>",
        "<dd>$0.0300 or more, beside 1 job of unknown cost</dd>",
        "href=\"/jobs/job-that-moves\"",
        "$0.0200 to $2.00",
    ] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
    let (stage, _) = advised("fail").await;
    let page = what_if(&stage).await;
    assert!(page.text.contains("No replay today."), "{}", page.text);
    let page = what_if(&Stage::new().await).await;
    assert!(!page.text.contains("What would become of"), "{}", page.text);
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
        for page in [stage.get("/policy/advice").await, what_if(&stage).await] {
            assert_eq!(page.status, 200, "{payload}");
            is_tame(payload, &page.text);
        }
    }
}
