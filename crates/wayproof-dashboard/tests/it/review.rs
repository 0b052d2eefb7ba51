//! The review desk: who may, what is shown, how a decision is signed, and that hostile text stays text.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use wayproof_dashboard::{
    Answer, ChangeSeen, Decided, DecisionSeen, Difference, FileSeen, FindingSeen, Kept, LineSeen,
    Month, Place, ReceiptSeen, Reviews, ToSign, Waiting,
};
use wayproof_ledger::{About, Clock, EventBody, ReviewRecorded};
use wayproof_receipt::{Trust, Verdict, sha256_hex, verify};

use crate::hostile::PAYLOADS;
use crate::markup::{is_tame, kinds};
use crate::stage::{NOON_US, Stage, form, prover, request};
use crate::story::{Words, bundle, tell};

/// Who sent what back, and why.
type SentBack = (String, String, Option<String>);

/// A desk that says these words everywhere and remembers what it was told.
#[derive(Clone, Default)]
pub(crate) struct Said {
    words: String,
    pub(crate) kept: Arc<Mutex<Vec<(Place, Decided, String)>>>,
    sent_back: Arc<Mutex<Vec<SentBack>>>,
}

pub(crate) fn place() -> Place {
    Place {
        repo: "abc".to_owned(),
        base: "a".repeat(40),
        head: "b".repeat(40),
        task: "security-review".to_owned(),
    }
}

pub(crate) fn address() -> String {
    let Place {
        repo, base, head, ..
    } = place();
    format!("/review/change?repo={repo}&base={base}&head={head}&task=security-review")
}

impl Said {
    pub(crate) fn words(words: &str) -> Self {
        Self {
            words: words.to_owned(),
            ..Self::default()
        }
    }

    pub(crate) async fn stage(&self) -> Stage {
        let desk = self.clone();
        Stage::with(
            |house| house.reviews = Some(Box::new(desk)),
            Clock::fixed(NOON_US),
        )
        .await
    }

    /// A receipt in which everything is these words; it counts where they are plain.
    fn receipt(&self) -> ReceiptSeen {
        let words = match self.words.as_str() {
            "proven" => Words::plain("job-of-a-story"),
            other => Words::all("job-of-a-story", other),
        };
        let bundle = bundle(&words);
        let trust = Trust::default().and("ci", &prover().public());
        ReceiptSeen {
            digest: sha256_hex(bundle.as_bytes()),
            verification: verify(bundle.as_bytes(), Some(&trust)),
            signers: vec![self.words.clone()],
            objections: if self.words == "proven" {
                Vec::new()
            } else {
                vec![self.words.clone()]
            },
        }
    }

    fn change_seen(&self) -> ChangeSeen {
        let words = || self.words.clone();
        let line = |mark, number, text: String| LineSeen { mark, number, text };
        ChangeSeen {
            tree: "c".repeat(40),
            repo: words(),
            touches: vec![words()],
            files: vec![FileSeen {
                path: words(),
                kind: "changed",
                runs: vec![
                    vec![
                        line(' ', 1, "def check(user, given):".to_owned()),
                        line('-', 2, words()),
                        line('+', 2, words()),
                    ],
                    vec![line('+', 90, words())],
                ],
            }],
            is_cut: true,
            receipts: vec![self.receipt()],
            looked: vec!["reviewer".to_owned(), words()],
            findings: vec![FindingSeen {
                id: "0f3a".to_owned(),
                place: words(),
                rule: words(),
                level: "error".to_owned(),
                is_new: true,
                is_owed: true,
                said: vec![Some(words()), None],
            }],
            checklist: words(),
            decisions: vec![DecisionSeen {
                reviewer: words(),
                decision: "rejected".to_owned(),
                at_us: Some(NOON_US),
                comment: Some(words()),
                objections: vec![words()],
            }],
            missing: vec![words()],
            reviewers: vec![words(), "ana".to_owned()],
            command: "wayproof review approve".to_owned(),
        }
    }
}

fn ready<T: Send + 'static>(value: Result<T, String>) -> Answer<'static, T> {
    Box::pin(std::future::ready(value))
}

impl Reviews for Said {
    fn waiting(&self) -> Answer<'_, Vec<Waiting>> {
        let one = |missing| Waiting {
            place: place(),
            repo: self.words.clone(),
            branch: self.words.clone(),
            subject: self.words.clone(),
            at_us: NOON_US - 60_000_000,
            files: 3,
            why: self.words.clone(),
            missing,
            findings: Some(2),
            verdict: Some(Verdict::Refuted),
        };
        ready(Ok(vec![one(vec![self.words.clone()]), one(Vec::new())]))
    }

    fn change(&self, asked: Place) -> Answer<'_, ChangeSeen> {
        assert_eq!(asked, place());
        ready(Ok(self.change_seen()))
    }

    fn to_sign(&self, _: Place, _: Decided) -> Answer<'_, ToSign> {
        ready(Ok(ToSign {
            command: "printf %s abc | ssh-keygen -Y sign".to_owned(),
            statement: self.words.clone(),
        }))
    }

    fn keep(&self, place: Place, decided: Decided, signature: String) -> Answer<'_, Kept> {
        if !signature.starts_with("-----BEGIN SSH SIGNATURE-----") {
            return ready(Err(format!("no signature: {signature}")));
        }
        self.kept.lock().unwrap().push((place, decided, signature));
        ready(Ok(Kept::default()))
    }

    fn redo(&self, job: String, by: String, remark: Option<String>) -> Answer<'_, ()> {
        self.sent_back.lock().unwrap().push((job, by, remark));
        ready(Ok(()))
    }

    fn between(&self, base: String, head: String) -> Answer<'_, Option<Difference>> {
        assert!(base.len() == 40 && head.len() == 40, "{base} {head}");
        let seen = self.change_seen();
        ready(Ok(Some(Difference {
            files: seen.files,
            is_cut: seen.is_cut,
        })))
    }

    fn record(&self) -> Answer<'_, Vec<Month>> {
        ready(Ok(vec![Month {
            name: self.words.clone(),
            approved: 3,
            rejected: 1,
            ..Month::default()
        }]))
    }
}

fn fields<'a>(csrf: &'a str, place: &'a Place) -> Vec<(&'a str, &'a str)> {
    vec![
        ("csrf", csrf),
        ("repo", &place.repo),
        ("base", &place.base),
        ("head", &place.head),
        ("task", &place.task),
        ("reviewer", "ana"),
        ("decision", "approve"),
        ("comment", "looks right\r\nto me"),
        ("answer-0f3a", "guarded above"),
    ]
}

#[tokio::test]
async fn whoever_decides_sees_the_proof_and_where_it_comes_from() {
    let desk = Said::words("proven");
    let stage = desk.stage().await;
    let left = tell(&stage.ledger, &Words::plain("job-of-a-story")).await;
    let list = stage.get("/review").await.text;
    assert!(list.contains("</span> REFUTED"), "{list}");
    let change = stage.get(&address()).await.text;
    is_tame("/review/change", &change);
    for words in [
        "</span> PROVEN",
        "counts for the gate",
        "12 of 12 tests passed, 0 failed, 0 skipped",
        "1 test failed before and pass now",
        "anthropic/claude-haiku-5-5 by claude-code",
        "$0.1111 + 1 unknown",
        &format!("href=\"/receipts/{}\"", left.receipt),
        "href=\"/jobs/job-of-a-story\"",
    ] {
        assert!(change.contains(words), "{words}: {change}");
    }
    // What is claimed of a file stands beside its lines, whether it speaks for the change or against it.
    let change = Said::words("src/parser.rs").stage().await;
    let change = change.get(&address()).await.text;
    for words in [
        "does not count for the gate",
        "<ul class=\"claims\" aria-label=\"Claims about src/parser.rs\">",
        "src/parser.rs: src/parser.rs",
    ] {
        assert!(change.contains(words), "{words}: {change}");
    }
}

#[tokio::test]
async fn a_decision_is_signed_elsewhere_and_kept() {
    let desk = Said::words("the words");
    let stage = desk.stage().await;
    let list = stage.get("/review").await;
    assert_eq!(list.status, 200);
    assert!(list.text.contains("25 %"), "{}", list.text);
    let change = stage.get(&address()).await;
    assert_eq!(change.status, 200, "{}", change.text);
    for words in [
        "not found",
        "What becomes of",
        "There is more than this page shows",
    ] {
        assert!(change.text.contains(words), "{words}: {}", change.text);
    }
    let (csrf, place) = (change.csrf(), place());
    let signing = stage
        .ask(form("/review/sign", "", &fields(&csrf, &place)))
        .await;
    assert_eq!(signing.status, 200, "{}", signing.text);
    assert!(
        signing.text.contains("ssh-keygen -Y sign"),
        "{}",
        signing.text
    );
    let at = NOON_US.to_string();
    let mut sent = fields(&csrf, &place);
    sent.extend([("at", at.as_str()), ("signature", "nonsense <b>")]);
    let wrong = stage.ask(form("/review/keep", "", &sent)).await;
    assert_eq!(wrong.status, 422);
    assert!(
        wrong.text.contains("no signature: nonsense &lt;b&gt;"),
        "{}",
        wrong.text
    );
    assert!(
        wrong.text.contains("guarded above"),
        "what was decided stays: {}",
        wrong.text
    );
    sent.pop();
    sent.push((
        "signature",
        "-----BEGIN SSH SIGNATURE-----\nx\n-----END SSH SIGNATURE-----",
    ));
    let right = stage.ask(form("/review/keep", "", &sent)).await;
    assert_eq!(right.status, 303, "{}", right.text);
    let kept = desk.kept.lock().unwrap();
    let (where_, decided, _) = &kept[0];
    assert_eq!(*where_, place);
    assert!(decided.is_approved && decided.at_us == NOON_US);
    assert_eq!(decided.comment.as_deref(), Some("looks right\nto me"));
    assert_eq!(
        decided.answers,
        [("0f3a".to_owned(), "guarded above".to_owned())]
    );
}

#[tokio::test]
async fn what_is_no_decision_is_refused_in_a_sentence() {
    let desk = Said::words("x");
    let stage = desk.stage().await;
    let csrf = stage.get("/review").await.csrf();
    let place = place();
    let bend = |name: &'static str, value: &'static str| {
        let mut sent = fields(&csrf, &place);
        sent.retain(|(known, _)| *known != name);
        sent.push((name, value));
        form("/review/sign", "", &sent)
    };
    for (name, value) in [
        ("decision", "perhaps"),
        ("base", "main"),
        ("head", "--upload-pack=x"),
        ("task", ""),
        ("reviewer", ""),
    ] {
        let seen = stage.ask(bend(name, value)).await;
        assert_eq!(seen.status, 422, "{name}={value}: {}", seen.text);
    }
    let late = (NOON_US - 2 * 86_400_000_000).to_string();
    let early = (NOON_US + 3_600_000_000).to_string();
    for at in [late.as_str(), early.as_str(), "", "x"] {
        let mut sent = fields(&csrf, &place);
        sent.extend([("at", at), ("signature", "-----BEGIN SSH SIGNATURE-----")]);
        let seen = stage.ask(form("/review/keep", "", &sent)).await;
        assert_eq!(seen.status, 422, "{at}: {}", seen.text);
    }
    assert!(desk.kept.lock().unwrap().is_empty());
    let bare = stage.get("/review/change").await;
    assert_eq!(bare.status, 422);
    let mut unsigned = fields("0", &place);
    unsigned.push(("signature", "-----BEGIN SSH SIGNATURE-----"));
    let seen = stage.ask(form("/review/keep", "", &unsigned)).await;
    assert_eq!(seen.status, 403);
}

#[tokio::test]
async fn without_a_repository_the_desk_says_so() {
    let stage = Stage::new().await;
    let list = stage.get("/review").await;
    assert_eq!(list.status, 200);
    assert!(list.text.contains("without a repository"), "{}", list.text);
    assert_eq!(stage.get(&address()).await.status, 404);
}

#[tokio::test]
async fn a_job_is_sent_back_in_the_name_of_whoever_signed_in() {
    let desk = Said::words("x");
    let stage = desk.stage().await;
    let csrf = stage.get("/review").await.csrf();
    let sent = [
        ("csrf", csrf.as_str()),
        ("job", "job-1"),
        ("comment", "no limit"),
    ];
    let seen = stage.ask(form("/review/redo", "", &sent)).await;
    assert_eq!(
        (seen.status.as_u16(), seen.header("location")),
        (303, "/review?sent=job-1")
    );
    let sent_back = desk.sent_back.lock().unwrap();
    assert_eq!(sent_back[0].0, "job-1");
    assert_eq!(sent_back[0].1, "somebody on this machine");
    assert_eq!(sent_back[0].2.as_deref(), Some("no limit"));
}

#[tokio::test]
async fn hostile_words_of_a_repository_stay_text() {
    let plain = Said::words("plain").stage().await;
    let mut known = kinds(&plain.get("/review").await.text);
    known.extend(kinds(&plain.get(&address()).await.text));
    let (plain_place, csrf) = (place(), plain.get(&address()).await.csrf());
    let signing = fields(&csrf, &plain_place);
    let signing = plain.ask(form("/review/sign", "", &signing)).await;
    let signing_kinds = kinds(&signing.text);
    for payload in PAYLOADS {
        let stage = Said::words(payload).stage().await;
        for path in ["/review", &address()] {
            let seen = stage.get(path).await;
            assert_eq!(seen.status, 200, "{payload:?} {path}");
            is_tame(path, &seen.text);
            let strange: Vec<_> = kinds(&seen.text).difference(&known).cloned().collect();
            assert!(strange.is_empty(), "{payload:?} {path}: {strange:?}");
        }
        let (place, csrf) = (place(), stage.get(&address()).await.csrf());
        let mut sent = fields(&csrf, &place);
        sent.extend([("comment", payload), ("answer-0f3a", payload)]);
        let signing = stage.ask(form("/review/sign", "", &sent)).await;
        assert_eq!(signing.status, 200, "{payload:?}");
        is_tame("/review/sign", &signing.text);
        let strange: Vec<_> = kinds(&signing.text)
            .difference(&signing_kinds)
            .cloned()
            .collect();
        assert!(strange.is_empty(), "{payload:?} /review/sign: {strange:?}");
        let asked = request("GET", "/review?sent=%3Cb%3E")
            .body(Body::empty())
            .unwrap();
        let seen = stage.ask(asked).await;
        assert!(seen.text.contains("&lt;b&gt;"), "{}", seen.text);
    }
}

#[tokio::test]
async fn a_receipt_shows_the_change_beside_what_is_claimed_of_it() {
    let stage = Said::words("src/parser.rs").stage().await;
    let left = tell(&stage.ledger, &Words::plain("job-of-a-story")).await;
    let page = stage.get(&format!("/receipts/{}", left.receipt)).await;
    assert_eq!(page.status, 200);
    is_tame("/receipts", &page.text);
    for words in [
        "beside what is claimed of it",
        "1 test failed before and pass",
        "11 tests that passed still pass",
        "parser::rejects_empty failed 3 of 3 times before and passed 3 of 3 after",
        "def check(user, given):",
        "There is more than this page shows",
    ] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
}

#[tokio::test]
async fn a_receipt_without_its_repository_keeps_its_claims() {
    let stage = Stage::new().await;
    let left = tell(&stage.ledger, &Words::plain("job-of-a-story")).await;
    let page = stage.get(&format!("/receipts/{}", left.receipt)).await;
    for words in [
        "started without a repository",
        "11 tests that passed still pass",
    ] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
}

#[tokio::test]
async fn a_hostile_change_beside_a_receipt_stays_text() {
    for payload in PAYLOADS {
        let stage = Said::words(payload).stage().await;
        let left = tell(&stage.ledger, &Words::all("job-of-a-story", payload)).await;
        let page = stage.get(&format!("/receipts/{}", left.receipt)).await;
        assert_eq!(page.status, 200, "{payload}");
        is_tame(payload, &page.text);
    }
}

#[tokio::test]
async fn work_that_was_sent_back_counts_in_its_month() {
    let stage = Said::words("x").stage().await;
    for decision in ["redo", "redo", "found"] {
        let review = ReviewRecorded {
            reviewer: "ana".to_owned(),
            decision: decision.to_owned(),
            ..ReviewRecorded::default()
        };
        let event = EventBody::ReviewRecorded(review);
        let event = stage.ledger.event(About::default(), event);
        stage.ledger.note(&event).unwrap();
    }
    stage.ledger.flush().await.unwrap();
    let page = stage.get("/review").await;
    let row = page.text.split("<tr><th scope=\"row\">2026-11</th>").nth(1);
    let row = row.and_then(|rest| rest.split("</tr>").next()).unwrap();
    assert!(row.contains("<td class=\"num\">2</td>"), "{row}");
}
