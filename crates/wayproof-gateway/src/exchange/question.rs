//! Between observing and deciding, where the policy wants it: a model is asked what an ask is that no rule and no word
//! makes sure.
//!
//! The question is an exchange of its own: it goes through the stages from the decision on, is held against budgets and
//! settled in the ledger, and its cost is the job's. Whatever goes wrong with it, the work goes on without an answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Limited};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use wayproof_engine::{Question, answer_question, put_question};
use wayproof_upstream::CallerCredential;
use wayproof_wire::{Fault, FaultKind, Housekeeping, Identity, Protocol};

use crate::body::Outgoing;
use crate::exchange::admit::Call;
use crate::exchange::decide::Step;
use crate::exchange::identify::Turn;
use crate::exchange::observe::{self, Context, Observed};
use crate::exchange::{Wish, answer, decide};
use crate::gateway::Shared;

/// A turn that waits for a model's word on what its job is.
pub(crate) struct Asking {
    pub(crate) observed: Observed,
    pub(crate) question: Question,
}

/// An agent waits meanwhile, so a model that takes longer is not waited for.
const PATIENCE: Duration = Duration::from_secs(8);

/// Room for the name of a task, and for those models that think before they say anything.
const MOST_TOKENS: u32 = 1024;

/// An answer that is longer names no task.
const MOST_BYTES: usize = 64 << 10;

/// Asks, takes in the answer, and hands the turn back to be decided.
pub(crate) async fn put(shared: &Arc<Shared>, asking: Box<Asking>) -> Observed {
    let Asking { observed, question } = *asking;
    put_question(&mut observed.session.lock());
    let said = timeout(PATIENCE, ask(shared, &observed, &question)).await;
    let task = match &said {
        Ok(Ok(text)) => question.read(text),
        Ok(Err(fault)) => {
            tracing::warn!(
                job = question.job,
                why = fault.message,
                "nobody says what an ask is"
            );
            None
        }
        Err(_elapsed) => {
            tracing::warn!(job = question.job, "nobody says in time what an ask is");
            None
        }
    };
    let (noted, about) = {
        let mut state = observed.session.lock();
        let noted = answer_question(&shared.policy.load(), &mut state, &question.job, task);
        (noted, observe::about(&observed.turn, &state))
    };
    let noted = noted.into_iter().collect();
    observe::record(shared, &about, noted, Some(&observed.turn));
    observed
}

/// What the model says.
async fn ask(
    shared: &Arc<Shared>,
    observed: &Observed,
    question: &Question,
) -> Result<String, Fault> {
    let turn = turn(shared, &observed.turn, question)?;
    let asked = Observed {
        turn,
        session: Arc::clone(&observed.session),
        context: Context::of_question(),
    };
    let Step::Decided(decided) = decide::decide(shared, asked)? else {
        return Err(internal("a question led to a question"));
    };
    text(answer(shared, decided).await?).await
}

/// The question as a request of a client.
fn turn(shared: &Shared, about: &Turn, question: &Question) -> Result<Turn, Fault> {
    let body = json!({
        "model": question.model(),
        "max_tokens": MOST_TOKENS,
        "system": question.instruction(),
        "messages": [{"role": "user", "content": question.text()}],
    });
    let body = Bytes::from(body.to_string());
    let request = Request::builder()
        .method(Method::POST)
        .uri("/v1/messages")
        .header(CONTENT_TYPE, "application/json")
        .header("anthropic-version", "2023-06-01")
        .body(())
        .map_err(|error| internal(error.to_string()))?;
    let (head, ()) = request.into_parts();
    let peek = wayproof_wire::peek(Protocol::Messages, &body)
        .map_err(|error| internal(error.to_string()))?;
    let call = Call {
        id: shared.ids.next().to_string(),
        protocol: Protocol::Messages,
        wish: Wish::Answer,
        head,
        caller: about.call.caller.clone(),
        repo: about.call.repo.clone(),
        // The client's own credential is for what the client asks.
        credential: CallerCredential::Gateway,
        began: Instant::now(),
        at_us: shared.clock.now_us(),
    };
    Ok(Turn {
        call,
        body,
        packed: None,
        peek,
        identity: Identity {
            housekeeping: Some(Housekeeping::Judging),
            ..about.identity.clone()
        },
        continued: None,
    })
}

/// The text of an answer in the dialect of Messages.
async fn text(response: Response<Outgoing>) -> Result<String, Fault> {
    let status = response.status();
    let body = Limited::new(response.into_body(), MOST_BYTES);
    let body = body.collect().await;
    let body = body
        .map_err(|error| internal(error.to_string()))?
        .to_bytes();
    if !status.is_success() {
        return Err(internal(format!(
            "the model that was asked answered with {status}"
        )));
    }
    let answer: Value =
        serde_json::from_slice(&body).map_err(|error| internal(error.to_string()))?;
    let blocks = answer["content"].as_array().into_iter().flatten();
    let texts = blocks.filter_map(|block| block["text"].as_str());
    Ok(texts.collect())
}

fn internal(why: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Internal, why)
}
