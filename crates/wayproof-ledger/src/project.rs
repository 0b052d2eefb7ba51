//! Which event makes which row.
//!
//! A projection looks at one event at a time and never reads the database, so events can be folded in batches of any
//! size, by any process, with the same result. Amounts of the three kinds of money stay in columns of their own.

mod usage;

use wayproof_receipt::Verdict;

pub(crate) use self::usage::{ACTIVITY, IMPORT_FILES, USAGE_DAYS};
use crate::event::{Event, EventBody, ExchangeOpened, ExchangeSettled};
use crate::made_by::MadeBy;
use crate::table::{Cell, Collapsed, Column, Kind, Row, Rule, Table};

const fn text(name: &'static str, rule: Rule) -> Column {
    Column {
        name,
        kind: Kind::Text,
        rule,
        is_later: false,
    }
}

/// A text that older rows do not have.
const fn later_text(name: &'static str, rule: Rule) -> Column {
    Column {
        is_later: true,
        ..text(name, rule)
    }
}

const fn int(name: &'static str, rule: Rule) -> Column {
    Column {
        name,
        kind: Kind::Int,
        rule,
        is_later: false,
    }
}

pub(crate) static SESSIONS: Table = Table {
    name: "sessions",
    key: "id",
    columns: &[
        int("seq", Rule::Once),
        text("id", Rule::Once),
        text("agent", Rule::First),
        text("agent_version", Rule::First),
        text("parent", Rule::First),
        text("cwd", Rule::First),
        text("repo", Rule::First),
        text("branch", Rule::First),
        int("started_us", Rule::Once),
        int("last_us", Rule::Max),
        int("exchanges", Rule::Sum),
        int("settled", Rule::Sum),
        int("listed_nano_usd", Rule::Sum),
        int("listed_unknown", Rule::Sum),
        int("billed_nano_usd", Rule::Sum),
        int("subscription_nano_usd", Rule::Sum),
    ],
};

pub(crate) static JOBS: Table = Table {
    name: "jobs",
    key: "id",
    columns: &[
        int("seq", Rule::Once),
        text("id", Rule::Once),
        text("session", Rule::First),
        text("task", Rule::Last),
        text("class", Rule::Last),
        text("repo", Rule::First),
        text("base", Rule::First),
        text("agent", Rule::First),
        text("key_digest", Rule::First),
        int("opened_us", Rule::Once),
        int("last_us", Rule::Max),
        int("closed_us", Rule::Last),
        text("verdict", Rule::Last),
        text("receipt_digest", Rule::Last),
        int("escalations", Rule::Sum),
        int("proofs", Rule::Sum),
        int("exchanges", Rule::Sum),
        int("settled", Rule::Sum),
        int("listed_nano_usd", Rule::Sum),
        int("listed_unknown", Rule::Sum),
        int("billed_nano_usd", Rule::Sum),
        int("subscription_nano_usd", Rule::Sum),
    ],
};

pub(crate) static EXCHANGES: Table = Table {
    name: "exchanges",
    key: "id",
    columns: &[
        int("seq", Rule::Once),
        text("id", Rule::Once),
        text("session", Rule::Once),
        text("job", Rule::Once),
        text("protocol", Rule::Once),
        text("agent", Rule::Once),
        text("task", Rule::Once),
        text("class", Rule::Last),
        text("requested_model", Rule::Once),
        text("provider", Rule::Last),
        text("model", Rule::Last),
        int("opened_us", Rule::Once),
        int("settled_seq", Rule::Last),
        text("outcome", Rule::Last),
        int("status", Rule::Last),
        int("attempts", Rule::Last),
        int("total_us", Rule::Last),
        int("input", Rule::Last),
        int("cache_read", Rule::Last),
        int("cache_write", Rule::Last),
        int("output", Rule::Last),
        int("reasoning", Rule::Last),
        int("listed_nano_usd", Rule::Last),
        int("billed_nano_usd", Rule::Last),
        int("subscription_nano_usd", Rule::Last),
        text("provider_request_id", Rule::Last),
        int("imported", Rule::Last),
        later_text("kept", Rule::Last),
        later_text("person", Rule::Once),
        later_text("team", Rule::Once),
        later_text("key_name", Rule::Once),
    ],
};

pub(crate) static MILESTONES: Table = Table {
    name: "milestones",
    key: "",
    columns: &[
        int("seq", Rule::Once),
        text("kind", Rule::Once),
        int("at_us", Rule::Once),
        text("session", Rule::Once),
        text("job", Rule::Once),
        text("digest", Rule::Once),
    ],
};

/// Microseconds of a day.
pub(crate) const DAY_US: i64 = 86_400_000_000;

/// What a run of events does to the projections.
#[derive(Debug)]
pub(crate) struct Projection {
    pub(crate) sessions: Collapsed,
    pub(crate) jobs: Collapsed,
    pub(crate) exchanges: Collapsed,
    pub(crate) milestones: Collapsed,
    pub(crate) usage: Collapsed,
    pub(crate) activity: Collapsed,
    pub(crate) import_files: Collapsed,
}

impl Projection {
    pub(crate) fn new() -> Self {
        Self {
            sessions: Collapsed::new(&SESSIONS),
            jobs: Collapsed::new(&JOBS),
            exchanges: Collapsed::new(&EXCHANGES),
            milestones: Collapsed::new(&MILESTONES),
            usage: Collapsed::new(&USAGE_DAYS),
            activity: Collapsed::new(&ACTIVITY),
            import_files: Collapsed::new(&IMPORT_FILES),
        }
    }

    /// All tables, in the order they are written in.
    pub(crate) fn tables(&self) -> [&Collapsed; 7] {
        [
            &self.sessions,
            &self.jobs,
            &self.exchanges,
            &self.milestones,
            &self.usage,
            &self.activity,
            &self.import_files,
        ]
    }

    /// The same, to fill them.
    pub(crate) fn tables_mut(&mut self) -> [&mut Collapsed; 7] {
        [
            &mut self.sessions,
            &mut self.jobs,
            &mut self.exchanges,
            &mut self.milestones,
            &mut self.usage,
            &mut self.activity,
            &mut self.import_files,
        ]
    }

    /// Takes in one event.
    pub(crate) fn absorb(&mut self, seq: i64, event: &Event) {
        let effect = Effect::of(&event.body);
        if let Some(id) = &event.session {
            self.sessions
                .add(id.clone(), session_row(seq, id, event, &effect));
        }
        if let Some(id) = &event.job {
            self.jobs.add(id.clone(), job_row(seq, id, event, &effect));
        }
        match &event.body {
            EventBody::ExchangeOpened(opened) => {
                if let Some(id) = &event.exchange {
                    self.exchanges
                        .add(id.clone(), opened_row(seq, id, event, opened));
                }
            }
            EventBody::ExchangeSettled(settled) => {
                if let Some(id) = &event.exchange {
                    self.exchanges
                        .add(id.clone(), settled_row(seq, id, event, settled));
                }
                let (key, row) = usage::settled_usage(event, settled);
                self.usage.add(key, row);
            }
            EventBody::ExchangeImported(imported) => {
                if let Some(id) = &event.exchange {
                    let row = usage::imported_row(seq, id, event, imported);
                    self.exchanges.add(id.clone(), row);
                }
                let (key, row) = usage::imported_usage(event, imported);
                self.usage.add(key, row);
            }
            EventBody::LogRead(read) => {
                let (key, row) = usage::file_row(seq, event, read);
                self.import_files.add(key, row);
                if !read.activity.is_nothing() || read.gap_count > 0 {
                    let (key, row) = usage::activity_row(event, read);
                    self.activity.add(key, row);
                }
                self.add_milestone(seq, event);
            }
            EventBody::SessionStarted(_)
            | EventBody::JobOpened(_)
            | EventBody::ObligationFrozen(_)
            | EventBody::EvidenceNoted(_)
            | EventBody::Escalated(_)
            | EventBody::ProofFinished(_)
            | EventBody::ReceiptIssued(_)
            | EventBody::ReviewRecorded(_)
            | EventBody::BooksChanged(_)
            | EventBody::QuotaSampled(_)
            | EventBody::JobClosed(_)
            | EventBody::EventsPruned(_)
            | EventBody::ContentCaptured(_)
            | EventBody::SubjectForgotten(_)
            | EventBody::Unknown { .. } => self.add_milestone(seq, event),
        }
    }

    fn add_milestone(&mut self, seq: i64, event: &Event) {
        self.milestones
            .add(format!("{seq:020}"), milestone_row(seq, event));
    }
}

/// What an event adds to the counters of its session and its job.
#[derive(Debug, Default)]
struct Effect {
    exchanges: i64,
    settled: i64,
    listed: Option<i64>,
    listed_unknown: i64,
    billed: Option<i64>,
    subscription: Option<i64>,
}

impl Effect {
    fn of(body: &EventBody) -> Self {
        if let EventBody::ExchangeSettled(settled) = body {
            let cost = settled.cost;
            return Self {
                settled: 1,
                listed: cost.listed_nano_usd,
                listed_unknown: i64::from(cost.listed_nano_usd.is_none()),
                billed: cost.billed_nano_usd,
                subscription: cost.subscription_nano_usd,
                ..Self::default()
            };
        }
        if let EventBody::ExchangeImported(imported) = body {
            let cost = imported.cost;
            return Self {
                exchanges: 1,
                settled: 1,
                listed: cost.listed_nano_usd,
                listed_unknown: i64::from(cost.listed_nano_usd.is_none()),
                billed: cost.billed_nano_usd,
                subscription: cost.subscription_nano_usd,
            };
        }
        Self {
            exchanges: i64::from(matches!(body, EventBody::ExchangeOpened(_))),
            ..Self::default()
        }
    }

    fn counters(&self) -> [Cell; 6] {
        [
            self.exchanges.into(),
            self.settled.into(),
            self.listed.into(),
            self.listed_unknown.into(),
            self.billed.into(),
            self.subscription.into(),
        ]
    }
}

fn session_row(seq: i64, id: &str, event: &Event, effect: &Effect) -> Row {
    let started = match &event.body {
        EventBody::SessionStarted(started) => Some(started),
        _ => None,
    };
    let agent = match &event.body {
        EventBody::SessionStarted(started) => Some(&started.agent),
        EventBody::ExchangeOpened(opened) => Some(&opened.agent),
        EventBody::ExchangeImported(imported) => Some(&imported.agent),
        EventBody::LogRead(read) => Some(&read.agent),
        _ => None,
    };
    let mut row = vec![
        seq.into(),
        id.into(),
        agent.cloned().into(),
        started
            .and_then(|started| started.agent_version.clone())
            .into(),
        started.and_then(|started| started.parent.clone()).into(),
        started.and_then(|started| started.cwd.clone()).into(),
        started.and_then(|started| started.repo.clone()).into(),
        started.and_then(|started| started.branch.clone()).into(),
        event.at_us.into(),
        event.at_us.into(),
    ];
    row.extend(effect.counters());
    row
}

fn job_row(seq: i64, id: &str, event: &Event, effect: &Effect) -> Row {
    let opened = match &event.body {
        EventBody::JobOpened(opened) => Some(opened),
        _ => None,
    };
    let (class, verdict, receipt) = match &event.body {
        EventBody::JobOpened(opened) => (opened.class.clone(), None, None),
        EventBody::Escalated(escalated) => (Some(escalated.to.clone()), None, None),
        EventBody::ProofFinished(proof) => {
            (None, Some(proof.verdict), proof.receipt_digest.clone())
        }
        EventBody::ReceiptIssued(receipt) => (None, None, Some(receipt.receipt_digest.clone())),
        EventBody::JobClosed(closed) => (None, closed.verdict, None),
        _ => (None, None, None),
    };
    let closed_us = matches!(event.body, EventBody::JobClosed(_)).then_some(event.at_us);
    let mut row = vec![
        seq.into(),
        id.into(),
        event.session.clone().into(),
        opened.map(|opened| opened.task.clone()).into(),
        class.into(),
        opened.and_then(|opened| opened.repo.clone()).into(),
        opened.and_then(|opened| opened.base.clone()).into(),
        opened.and_then(|opened| opened.agent.clone()).into(),
        opened.and_then(|opened| opened.key_digest.clone()).into(),
        event.at_us.into(),
        event.at_us.into(),
        closed_us.into(),
        verdict.map(Verdict::name).into(),
        receipt.into(),
        i64::from(matches!(event.body, EventBody::Escalated(_))).into(),
        i64::from(matches!(event.body, EventBody::ProofFinished(_))).into(),
    ];
    row.extend(effect.counters());
    row
}

fn opened_row(seq: i64, id: &str, event: &Event, opened: &ExchangeOpened) -> Row {
    let mut row = vec![
        seq.into(),
        id.into(),
        event.session.clone().into(),
        event.job.clone().into(),
        opened.protocol.name().into(),
        opened.agent.as_str().into(),
        opened.task.as_str().into(),
        opened.class.clone().into(),
        opened.requested_model.as_str().into(),
        opened.provider.as_str().into(),
        opened.model.as_str().into(),
        event.at_us.into(),
    ];
    row.resize(EXCHANGES.columns.len() - MAKER, Cell::Null);
    row.extend(made_by(&opened.by));
    row
}

fn settled_row(seq: i64, id: &str, event: &Event, settled: &ExchangeSettled) -> Row {
    let mut row = vec![
        seq.into(),
        id.into(),
        event.session.clone().into(),
        event.job.clone().into(),
        Cell::Null,
        Cell::Null,
        settled.task.as_str().into(),
        settled.class.clone().into(),
        Cell::Null,
        settled.provider.clone().into(),
        settled.model.clone().into(),
        event.at_us.into(),
        seq.into(),
        settled.outcome.as_str().into(),
        settled.status.map(i64::from).into(),
        i64::try_from(settled.attempts.len()).ok().into(),
        settled.total_us.into(),
    ];
    row.extend(usage::tokens(settled.usage.as_ref()));
    row.extend([
        settled.cost.listed_nano_usd.into(),
        settled.cost.billed_nano_usd.into(),
        settled.cost.subscription_nano_usd.into(),
        settled.provider_request_id.clone().into(),
        Cell::Null,
        settled.kept.clone().into(),
    ]);
    row.extend(made_by(&settled.by));
    row
}

/// How many columns say whose an exchange is.
const MAKER: usize = 3;

/// Whose an exchange is.
fn made_by(by: &MadeBy) -> [Cell; MAKER] {
    [
        by.person.clone().into(),
        by.team().into(),
        by.key.clone().into(),
    ]
}

fn milestone_row(seq: i64, event: &Event) -> Row {
    let digest = match &event.body {
        EventBody::ReceiptIssued(receipt) => Some(receipt.receipt_digest.as_str()),
        _ => None,
    };
    vec![
        seq.into(),
        event.body.kind().into(),
        event.at_us.into(),
        event.session.clone().into(),
        event.job.clone().into(),
        digest.into(),
    ]
}
