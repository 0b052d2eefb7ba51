//! One change at the review desk: the difference, findings side by side, the checklist, and a decision that its
//! reviewer signs with a key which never comes here.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use super::diff::{self, File};
use super::proof_seen::{self, ProofLine};
use super::review::{href, refused, reviews};
use crate::desk::Desk;
use crate::frame::{Frame, page};
use crate::guard::Signed;
use crate::params::{Params, address};
use crate::problem::Problem;
use crate::reviews::{ChangeSeen, Decided, DecisionSeen, Place, ToSign};
use crate::show::text::{abbreviated, cut, repo};
use crate::show::time::at;

/// A decision that waits for its signature for longer is begun anew.
const LONGEST_US: i64 = 24 * 60 * 60 * 1_000_000;
/// Clocks differ by less.
const AHEAD_US: i64 = 60 * 1_000_000;
const MOST_ANSWERS: usize = 200;
const LONGEST_WORDS: usize = 2_000;

#[derive(Template)]
#[template(path = "review_change.html")]
struct ChangePage {
    frame: Frame,
    place: Place,
    short_base: String,
    short_head: String,
    seen: ChangeSeen,
    files: Vec<File>,
    proofs: Vec<ProofLine>,
    decisions: Vec<(DecisionSeen, String)>,
    repo: String,
    me: String,
    is_kept: bool,
}

#[derive(Template)]
#[template(path = "review_sign.html")]
struct SignPage {
    frame: Frame,
    place: Place,
    back: String,
    decided: Decided,
    decision: &'static str,
    told: ToSign,
    problem: Option<String>,
    pasted: String,
}

/// Which change an address or a form means.
fn place(params: &Params) -> Result<Place, Problem> {
    let is_hex = |text: &str| {
        matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let whole = |name: &str| params.get(name).unwrap_or_default();
    let place = Place {
        repo: whole("repo"),
        base: whole("base"),
        head: whole("head"),
        task: whole("task"),
    };
    if is_hex(&place.base) && is_hex(&place.head) && !place.task.is_empty() {
        Ok(place)
    } else {
        Err(refused(
            "The address names no change: it has a repository, two commits in full and a task."
                .to_owned(),
        ))
    }
}

/// The change.
pub(crate) async fn show(
    State(desk): State<Desk>,
    frame: Frame,
    params: Params,
) -> Result<Response, Problem> {
    let place = place(&params)?;
    let seen = reviews(&desk)?.change(place.clone()).await;
    let mut seen = seen.map_err(refused)?;
    let files = std::mem::take(&mut seen.files);
    let receipts = std::mem::take(&mut seen.receipts);
    let proofs = proof_seen::lines(&desk, &receipts, &place.head).await?;
    let decisions = seen.decisions.iter().cloned().map(|decision| {
        let when = decision.at_us.map_or_else(|| "at no time".to_owned(), at);
        (decision, when)
    });
    page(&ChangePage {
        short_base: abbreviated(&place.base),
        short_head: abbreviated(&place.head),
        decisions: decisions.collect(),
        repo: repo(&seen.repo),
        me: frame
            .who
            .as_ref()
            .map(|who| who.name.clone())
            .unwrap_or_default(),
        is_kept: params.get("kept").is_some(),
        files: diff::files(files, |path| proof_seen::claims(&receipts, path)),
        proofs,
        seen,
        place,
        frame,
    })
}

/// What a form decides.
fn decided(form: &Params, at_us: i64) -> Result<Decided, Problem> {
    let is_approved = match form.whole("decision") {
        "approve" => true,
        "reject" => false,
        _ => return Err(refused("Say whether you approve or reject.".to_owned())),
    };
    let words = |name: &str| {
        let text = form.whole(name).trim().replace("\r\n", "\n");
        if text.chars().count() > LONGEST_WORDS {
            let sentence = format!("A remark has at most {LONGEST_WORDS} characters.");
            return Err(refused(sentence));
        }
        Ok((!text.is_empty()).then_some(text))
    };
    let mut answers = Vec::new();
    for name in form.names("answer-").take(MOST_ANSWERS) {
        if let Some(words) = words(name)? {
            let id = name.strip_prefix("answer-").unwrap_or_default();
            answers.push((id.to_owned(), words));
        }
    }
    let reviewer = form.get("reviewer");
    Ok(Decided {
        is_approved,
        reviewer: reviewer.ok_or_else(|| {
            refused("Say who decides; the base's trust file lists them.".to_owned())
        })?,
        comment: words("comment")?,
        answers,
        at_us,
    })
}

/// The command that signs a decision.
pub(crate) async fn sign(
    State(desk): State<Desk>,
    frame: Frame,
    Signed(form): Signed,
) -> Result<Response, Problem> {
    let place = place(&form)?;
    let decided = decided(&form, desk.now_us())?;
    signing(&desk, frame, (place, decided), None).await
}

/// Keeps a decision with its signature.
pub(crate) async fn keep(
    State(desk): State<Desk>,
    frame: Frame,
    Signed(form): Signed,
) -> Result<Response, Problem> {
    let place = place(&form)?;
    let at_us = form.int("at").unwrap_or_default();
    let age = desk.now_us().saturating_sub(at_us);
    if !(-AHEAD_US..=LONGEST_US).contains(&age) {
        return Err(refused(
            "The decision was begun more than a day ago, or in the future; begin anew.".to_owned(),
        ));
    }
    let decided = decided(&form, at_us)?;
    let pasted = form.whole("signature").to_owned();
    let kept = reviews(&desk)?
        .keep(place.clone(), decided.clone(), pasted.clone())
        .await;
    match kept {
        Ok(_) => {
            let to = href(&place) + "&kept=1";
            Ok(Redirect::to(&to).into_response())
        }
        Err(sentence) => {
            let page = signing(&desk, frame, (place, decided), Some((sentence, pasted))).await?;
            Ok((axum::http::StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

async fn signing(
    desk: &Desk,
    frame: Frame,
    (place, decided): (Place, Decided),
    wrong: Option<(String, String)>,
) -> Result<Response, Problem> {
    let told = reviews(desk)?
        .to_sign(place.clone(), decided.clone())
        .await
        .map_err(refused)?;
    let (problem, pasted) = wrong.unzip();
    page(&SignPage {
        back: href(&place),
        decision: if decided.is_approved {
            "approve"
        } else {
            "reject"
        },
        told,
        problem,
        pasted: cut(&pasted.unwrap_or_default(), 6_000),
        place,
        decided,
        frame,
    })
}

impl ChangePage {
    /// Whether somebody is chosen already in the list of reviewers.
    fn is_me(&self, name: &str) -> bool {
        self.me == name
    }

    fn other() -> String {
        address("/review", &[])
    }
}
