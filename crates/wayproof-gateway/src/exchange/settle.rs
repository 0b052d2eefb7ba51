//! Last stage: what came of the exchange goes to the ledger, the session and the metrics.
//!
//! A [`Settlement`] exists from the decision on and settles when it is dropped, so an exchange is
//! settled exactly once whether it ended, was cut, failed, or was dropped by a client that hung up.

mod held;
mod signs;
mod words;

use std::sync::Arc;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, response};
use tokio::time::Instant;
use wayproof_engine::{Decision, LastAnswer, Planned, Target, TaskName, cost};
use wayproof_ledger::{About, Cost, EventBody, ExchangeOutcome, ExchangeSettled, MadeBy};
use wayproof_upstream::{AnswerBody, AttemptRecord as Tried, Candidate};
use wayproof_wire::{Answer, Loss, Protocol, Usage};

use crate::callers;
use crate::capture::Pending;
use crate::exchange::Wish;
use crate::exchange::copy::Copy;
use crate::exchange::identify::Turn;
use crate::exchange::keep::Keeping;
use crate::gateway::Shared;
use crate::metrics::Settled;
use crate::plan;
use crate::quota;
use crate::sessions::Session;
use words::{base, page, request_id, stop_name, tried_at};

/// How an exchange ended, as far as the connection goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Its future was dropped: the client went away.
    Dropped,
    /// The last byte of the answer went out.
    Whole,
    /// The provider's answer broke off.
    Cut,
    /// The provider's answer came, but the client had to be told that it was none.
    Garbled,
    /// No provider answered.
    Failed,
    /// The gateway refused.
    Refused,
}

/// What is known of an exchange until it is settled.
pub(crate) struct Settlement {
    shared: Arc<Shared>,
    about: About,
    by: MadeBy,
    protocol: Protocol,
    wish: Wish,
    session: Arc<Session>,
    /// What was decided.
    pub(crate) decision: Decision,
    /// Whether the caller showed a subscription's sign-in.
    is_signed_in: bool,
    began: Instant,
    opened_us: i64,
    /// Every try at a target, filled in while it is under way.
    pub(crate) records: Vec<Tried>,
    answerer: Option<Target>,
    status: Option<StatusCode>,
    /// The status the client got, where it is another than the provider's.
    told: Option<StatusCode>,
    /// The protocol the provider was asked in, where it is another than the client's.
    asked_in: Option<Protocol>,
    losses: Vec<Loss>,
    provider_request_id: Option<String>,
    ttfb_us: Option<i64>,
    copy: Copy,
    bytes: u64,
    end: End,
    /// What is held for it on budgets of operators.
    held_nano_usd: Option<i64>,
    /// What is held for it on its job.
    held_on_job: Option<i64>,
    /// The id of the key whose pace its tokens count for.
    paced: Option<String>,
    /// The bodies, where they are kept.
    pending: Option<Pending>,
    /// Whether later requests may continue from the answer by its id.
    keeping: Option<Keeping>,
    /// The gateway's address as the client reached it.
    base: String,
}

/// What a client is told to wait by, when a provider limits rates without saying for how long.
const DEFAULT_RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const EXCHANGE: HeaderName = HeaderName::from_static("x-wayproof-exchange");
const TASK: HeaderName = HeaderName::from_static("x-wayproof-task");
const CLASS: HeaderName = HeaderName::from_static("x-wayproof-class");
const TARGET: HeaderName = HeaderName::from_static("x-wayproof-target");
const CAUSE: HeaderName = HeaderName::from_static("x-wayproof-cause");
const PAGE: HeaderName = HeaderName::from_static("x-wayproof-page");

impl Settlement {
    /// Begins to settle a decided exchange.
    pub(crate) fn begin(
        shared: &Arc<Shared>,
        turn: &Turn,
        about: About,
        session: Arc<Session>,
        decision: Decision,
    ) -> Self {
        shared.metrics.opened();
        session.meet(&turn.call.id);
        let paced = turn.call.caller.holder().map(|holder| holder.id.clone());
        Self {
            shared: Arc::clone(shared),
            about,
            by: callers::made_by(&turn.call.caller),
            protocol: turn.call.protocol,
            wish: turn.call.wish,
            session,
            decision,
            is_signed_in: plan::is_signed_in(&turn.call),
            began: turn.call.began,
            opened_us: turn.call.at_us,
            records: Vec::new(),
            answerer: None,
            status: None,
            told: None,
            asked_in: None,
            losses: Vec::new(),
            provider_request_id: None,
            ttfb_us: None,
            copy: Copy::None,
            bytes: 0,
            end: End::Dropped,
            held_nano_usd: None,
            held_on_job: None,
            paced,
            pending: Pending::of(shared, turn),
            keeping: Keeping::of(turn),
            base: base(&turn.call.head),
        }
    }

    /// Takes in the head of the answer.
    pub(crate) fn answered(&mut self, response: &Response<AnswerBody>, by: Option<&Candidate>) {
        let headers = response.headers();
        self.ttfb_us = Some(self.elapsed_us());
        self.status = Some(response.status());
        if let Some(pending) = &mut self.pending {
            pending.answered(headers);
        }
        self.provider_request_id = request_id(headers);
        self.answerer = by.map(|candidate| Target {
            provider: candidate.provider.clone(),
            model: candidate.model.clone(),
            effort: None,
        });
        let protocol = by.map_or(self.protocol, |candidate| candidate.protocol);
        self.copy = Copy::begin(protocol, self.wish, response.status(), headers);
        if let Some(candidate) = by {
            for sample in quota::samples(&candidate.provider, headers, self.opened_us) {
                if self.shared.quotas.is_news(&sample) {
                    self.shared
                        .note(self.about.clone(), EventBody::QuotaSampled(sample));
                }
            }
        }
    }

    /// Notes that the answer is translated, and what was left behind on the way out.
    pub(crate) fn translated(&mut self, asked_in: Protocol, losses: Vec<Loss>) {
        self.asked_in = Some(asked_in);
        self.losses = losses;
    }

    /// Notes what was left behind on the way back.
    pub(crate) fn lost(&mut self, losses: Vec<Loss>) {
        for loss in losses {
            let known = self
                .losses
                .iter_mut()
                .find(|known| known.kind == loss.kind && known.name == loss.name);
            match known {
                Some(known) => known.times = known.times.saturating_add(loss.times),
                None => self.losses.push(loss),
            }
        }
    }

    /// Notes a status of ours in the place of the provider's.
    pub(crate) fn told(&mut self, status: StatusCode) {
        self.told = Some(status);
    }

    /// The conversation it is part of.
    pub(crate) const fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// What its events belong to.
    pub(crate) const fn about(&self) -> &About {
        &self.about
    }

    /// The exchange's id.
    pub(crate) fn exchange(&self) -> &str {
        self.about.exchange.as_deref().unwrap_or_default()
    }

    /// The protocol that the client speaks.
    pub(crate) const fn client(&self) -> Protocol {
        self.protocol
    }

    /// When the request came, in microseconds since 1970.
    pub(crate) const fn opened_us(&self) -> i64 {
        self.opened_us
    }

    /// Adds what the client is told about the exchange to the head of its answer.
    pub(crate) fn add_headers(&self, parts: &mut response::Parts) {
        let headers = &mut parts.headers;
        let mut put = |name: HeaderName, text: &str| {
            if let Ok(value) = HeaderValue::from_str(text) {
                headers.insert(name, value);
            }
        };
        let exchange = self.exchange();
        put(EXCHANGE, exchange);
        put(TASK, self.decision.task.as_str());
        if let Some(class) = &self.decision.class {
            put(CLASS, class.as_str());
        }
        if let Some(target) = &self.answerer {
            put(TARGET, &format!("{}/{}", target.provider, target.model));
        }
        let causes = causes(&self.decision);
        if !causes.is_empty() {
            put(CAUSE, &causes.join(", "));
        }
        let job = self.about.job.as_deref();
        put(PAGE, &page(&self.base, job, exchange));
        // Claude Code writes this id into its own log; the provider's own, where there is one, is
        // kept, since its support asks for it.
        if self.protocol == Protocol::Messages && !headers.contains_key(REQUEST_ID) {
            put_request_id(headers, exchange);
        }
        if parts.status == StatusCode::TOO_MANY_REQUESTS && !headers.contains_key(RETRY_AFTER) {
            headers.insert(RETRY_AFTER, DEFAULT_RETRY_AFTER);
        }
    }

    /// Takes in the next bytes of the answer.
    pub(crate) fn saw(&mut self, data: &Bytes) {
        self.bytes += data.len() as u64;
        self.copy.push(data);
        if let Some(pending) = &mut self.pending {
            pending.saw(data);
        }
    }

    /// Notes how the exchange ended; the first word counts.
    pub(crate) fn end(&mut self, end: End) {
        if self.end == End::Dropped {
            self.end = end;
        }
    }

    pub(crate) fn elapsed_us(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX)
    }

    fn settle(&mut self) {
        let (mut answer, error) = std::mem::replace(&mut self.copy, Copy::None).finish();
        let seals = self.sealed(answer.as_mut());
        let kept = self.kept(answer.as_ref());
        let outcome = self.outcome(answer.as_ref());
        let usage = answer.as_ref().and_then(|answer| answer.usage);
        let listed = self.listed(usage.as_ref());
        let by_use = self.is_paid_by_use().then_some(listed);
        self.remember(outcome, usage.as_ref(), by_use.unwrap_or(Some(0)));
        self.settle_budgets(outcome, listed);
        let used = usage.and_then(|usage| usage.total_input()?.checked_add(usage.total_output()?));
        if let (Some(key), Some(used)) = (&self.paced, used) {
            self.shared.paces.used(key, used);
        }
        self.tell_losses();
        let failure = self.read_signs(answer.as_ref(), error.as_deref());
        self.shared.metrics.settled(&Settled {
            protocol: self.protocol,
            outcome,
            total_us: self.elapsed_us(),
            ttfb_us: self.ttfb_us,
            usage,
            listed_nano_usd: listed,
        });
        let settled = ExchangeSettled {
            seals,
            kept,
            failure,
            ..self.settled(outcome, usage, listed, answer)
        };
        self.shared.note(
            self.about.clone(),
            EventBody::ExchangeSettled(Box::new(settled)),
        );
        if let Some(pending) = self.pending.take() {
            let shared = &self.shared;
            shared.captures.keep(&shared.ledger, &self.about, pending);
        }
    }

    /// Says in the log what translating left behind, once a conversation.
    fn tell_losses(&self) {
        if self.losses.is_empty() || !self.session.is_news(&self.losses) {
            return;
        }
        let lost: Vec<String> = self.losses.iter().map(ToString::to_string).collect();
        tracing::info!(
            exchange = self.exchange(),
            client = %self.protocol,
            provider = self.asked_in.map(Protocol::name),
            lost = lost.join(", "),
            "an exchange was translated"
        );
    }

    fn outcome(&self, answer: Option<&Answer>) -> ExchangeOutcome {
        let is_refused_by_provider = self.status.is_some_and(|status| !status.is_success());
        let is_complete = answer.map(|answer| answer.is_complete);
        match self.end {
            End::Refused => ExchangeOutcome::Refused,
            End::Failed => ExchangeOutcome::Failed,
            End::Garbled => ExchangeOutcome::Cut,
            // Some agents hang up as soon as they have read the last event they need.
            End::Dropped if is_complete == Some(true) => ExchangeOutcome::Completed,
            End::Dropped => ExchangeOutcome::Cancelled,
            End::Whole | End::Cut if is_refused_by_provider => ExchangeOutcome::Failed,
            // What cannot be read is taken for what the connection says it is.
            End::Whole if is_complete.unwrap_or(true) => ExchangeOutcome::Completed,
            End::Cut if is_complete == Some(true) => ExchangeOutcome::Completed,
            End::Whole | End::Cut => ExchangeOutcome::Cut,
        }
    }

    /// The listed cost, where usage and prices are known.
    fn listed(&self, usage: Option<&Usage>) -> Option<i64> {
        let target = self.answerer.as_ref()?;
        let catalog = &self.shared.catalog;
        let row = catalog.price(&target.provider, &target.model, self.opened_us)?;
        cost(row, usage?)
    }

    /// Adds what somebody is billed to the job, and remembers where its conversation is warm.
    fn remember(&self, outcome: ExchangeOutcome, usage: Option<&Usage>, listed: Option<i64>) {
        let is_answered = self.status.is_some_and(|status| status.is_success());
        let Some(job) = self.about.job.as_deref().filter(|_| is_answered) else {
            return;
        };
        if self.wish == Wish::Count {
            return;
        }
        // A title or a summary is asked for beside the conversation, and leaves it as warm as it was.
        let is_upkeep = self.decision.task.as_str() == TaskName::HOUSEKEEPING;
        let answerer = self.answerer.as_ref().filter(|_| !is_upkeep);
        let last = match (outcome, answerer, usage.and_then(Usage::total_input)) {
            (ExchangeOutcome::Completed, Some(target), Some(prefix_tokens)) => Some(LastAnswer {
                target: target.clone(),
                prefix_tokens,
                class: self.decision.class.clone(),
                at_us: self.opened_us,
                switch_nano_usd: self
                    .planned(target)
                    .and_then(|planned| planned.switch_nano_usd),
            }),
            _ => None,
        };
        self.session.lock().settle(job, listed, last);
    }

    /// Whether a subscription of the caller's pays for what a target answers.
    pub(crate) fn is_by_plan(&self, target: &Target) -> bool {
        plan::pays(
            self.is_signed_in,
            self.shared.upstream.provider(&target.provider),
        )
    }

    /// Whether somebody is billed for the answer: no subscription of the caller's pays for it.
    fn is_paid_by_use(&self) -> bool {
        let by_plan = self.answerer.as_ref().map(|target| self.is_by_plan(target));
        by_plan != Some(true)
    }

    /// The attempt that was planned at a target.
    fn planned(&self, target: &Target) -> Option<&Planned> {
        let mut attempts = self.decision.attempts.iter();
        attempts.find(|planned| is_same(&planned.target, target))
    }

    fn settled(
        &mut self,
        outcome: ExchangeOutcome,
        usage: Option<Usage>,
        listed: Option<i64>,
        answer: Option<Answer>,
    ) -> ExchangeSettled {
        let is_by_use = self.is_paid_by_use();
        let answerer = self.answerer.take();
        let planned = self.decision.attempts.first();
        // Spend is summed from this event alone, so it names its target even where that is the one planned.
        let target = answerer.or_else(|| planned.map(|planned| planned.target.clone()));
        let (provider, model) = target.map_or((None, None), |target| {
            (Some(target.provider), Some(target.model))
        });
        ExchangeSettled {
            outcome,
            by: std::mem::take(&mut self.by),
            task: self.decision.task.as_str().to_owned(),
            class: self
                .decision
                .class
                .as_ref()
                .map(|class| class.as_str().to_owned()),
            status: self.told.or(self.status).map(|status| status.as_u16()),
            attempts: self
                .records
                .drain(..)
                .map(|tried| tried_at(tried, self.opened_us))
                .collect(),
            provider,
            model,
            asked_in: self.asked_in,
            losses: std::mem::take(&mut self.losses),
            seals: Vec::new(),
            kept: None,
            failure: None,
            usage,
            cost: Cost {
                listed_nano_usd: listed,
                billed_nano_usd: answer.as_ref().and_then(|answer| answer.billed_nano_usd),
                subscription_nano_usd: listed.filter(|_| !is_by_use),
            },
            held_nano_usd: self.held_nano_usd.or(self.held_on_job),
            catalog_digest: listed.map(|_| self.shared.catalog.digest().to_owned()),
            ttfb_us: self.ttfb_us,
            total_us: self.elapsed_us(),
            response_bytes: self.bytes,
            stop: answer
                .as_ref()
                .and_then(|answer| answer.stop)
                .map(stop_name),
            provider_request_id: self
                .provider_request_id
                .take()
                .or(answer.and_then(|answer| answer.id)),
        }
    }
}

impl Drop for Settlement {
    fn drop(&mut self) {
        self.settle();
    }
}

/// The causes that moved the job up, each once.
fn causes(decision: &Decision) -> Vec<&'static str> {
    let mut causes = Vec::new();
    for noted in decision.causes.iter().filter(|noted| noted.to.is_some()) {
        if !causes.contains(&noted.cause.as_str()) {
            causes.push(noted.cause.as_str());
        }
    }
    causes
}

/// Whether two targets are the same provider's same model.
fn is_same(one: &Target, other: &Target) -> bool {
    one.provider == other.provider && one.model == other.model
}

fn put_request_id(headers: &mut HeaderMap, exchange: &str) {
    if let Ok(value) = HeaderValue::from_str(exchange) {
        headers.insert(REQUEST_ID, value);
    }
}
