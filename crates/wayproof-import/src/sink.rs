//! What the readers of logs find, kept until it is certain.
//!
//! Agents write one answer down in several lines, with counts that grow; so the last few answers wait for more. An
//! answer that may still be written is left for the next time, with everything after it.

use std::collections::VecDeque;

use wayproof_ledger::{Activity, LogGap, QuotaSampled, SessionStarted};
use wayproof_wire::Usage;

/// Answers that wait for more lines of theirs.
const WAITING: usize = 64;

/// Gaps that are told one by one.
const TOLD_GAPS: usize = 8;

/// What is younger than this is left alone, so that the gateway's own record of it comes first.
const FRESH_US: i64 = 5_000_000;

/// An answer without an end is taken for being written no longer than this.
const UNFINISHED_US: i64 = 600_000_000;

/// Nothing before 2020 or of more than a day in the future is a time of a log.
const EARLIEST_US: i64 = 1_577_836_800_000_000;
const AHEAD_US: i64 = 86_400_000_000;

/// An answer of a model, as a log tells of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Answer {
    /// The log's own name for it, unique among this agent's logs.
    pub(crate) id: String,
    /// Other names the gateway may know it by.
    pub(crate) request_ids: Vec<String>,
    pub(crate) at_us: i64,
    pub(crate) session: Option<String>,
    pub(crate) requested_model: Option<String>,
    pub(crate) provider: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) usage: Option<Usage>,
    pub(crate) stop: Option<String>,
    pub(crate) subagent: Option<String>,
    /// Whether the log marks the end of answers, and this one has none yet.
    pub(crate) is_unfinished: bool,
}

#[derive(Debug)]
struct Waiting {
    answer: Answer,
    /// Everything as it was before the answer's first line.
    before: Mark,
}

/// A place to go back to.
#[derive(Debug, Clone, Default)]
struct Mark {
    offset: u64,
    activity: Activity,
    gap_count: u64,
    state: Option<String>,
}

/// Collects what one file holds.
#[derive(Debug)]
pub(crate) struct Sink {
    now_us: i64,
    since_us: Option<i64>,
    line: u64,
    waiting: VecDeque<Waiting>,
    ready: Vec<Answer>,
    stopped: bool,
    has_skipped: bool,
    last_us: Option<i64>,
    pub(crate) activity: Activity,
    pub(crate) gaps: Vec<LogGap>,
    pub(crate) gap_count: u64,
    pub(crate) sessions: Vec<(String, SessionStarted)>,
    pub(crate) quota: Option<(i64, QuotaSampled)>,
}

/// What may still be written, and is left for the next time.
#[derive(Debug)]
pub(crate) struct Left {
    /// Where to go on.
    pub(crate) offset: u64,
    /// What the reader remembered there.
    pub(crate) state: Option<String>,
}

impl Sink {
    pub(crate) fn new(now_us: i64, since_us: Option<i64>) -> Self {
        Self {
            now_us,
            since_us,
            line: 0,
            waiting: VecDeque::new(),
            ready: Vec::new(),
            stopped: false,
            has_skipped: false,
            last_us: None,
            activity: Activity::default(),
            gaps: Vec::new(),
            gap_count: 0,
            sessions: Vec::new(),
            quota: None,
        }
    }

    /// A line begins here.
    pub(crate) fn line(&mut self, offset: u64) {
        self.line = offset;
    }

    /// Whether what follows is too young to be read.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Whether answers were left out because they are too old.
    pub(crate) fn has_skipped(&self) -> bool {
        self.has_skipped
    }

    /// When the last answer was given.
    pub(crate) fn last_us(&self) -> Option<i64> {
        self.last_us
    }

    /// What cannot be taken in is said.
    pub(crate) fn gap(&mut self, why: &str) {
        self.gap_count += 1;
        if self.gaps.len() < TOLD_GAPS {
            self.gaps.push(LogGap {
                at: self.line,
                why: why.to_owned(),
            });
        }
    }

    /// What is known of a conversation, the last word first.
    pub(crate) fn session(&mut self, id: &str, started: SessionStarted) {
        let is_known = self.sessions.iter().any(|(known, _)| known == id);
        if !is_known && self.sessions.len() < WAITING {
            self.sessions.push((id.to_owned(), started));
        }
    }

    /// Takes in an answer, or more of one.
    pub(crate) fn answer(&mut self, answer: Answer, state: impl FnOnce() -> Option<String>) {
        if self.stopped {
            return;
        }
        let earlier = self
            .waiting
            .iter_mut()
            .rev()
            .find(|waiting| waiting.answer.id == answer.id);
        if let Some(earlier) = earlier {
            merge(&mut earlier.answer, answer);
            return;
        }
        if answer.at_us < EARLIEST_US || answer.at_us > self.now_us + AHEAD_US {
            self.gap("an answer without a time that can be");
            return;
        }
        if answer.at_us > self.now_us - FRESH_US {
            self.stopped = true;
            let before = self.mark(state);
            self.waiting.push_back(Waiting { answer, before });
            return;
        }
        self.last_us = self.last_us.max(Some(answer.at_us));
        if self.since_us.is_some_and(|since| answer.at_us < since) {
            self.has_skipped = true;
            return;
        }
        let may_grow = answer.at_us > self.now_us - UNFINISHED_US;
        let before = if may_grow {
            self.mark(state)
        } else {
            Mark::default()
        };
        self.waiting.push_back(Waiting { answer, before });
        if self.waiting.len() > WAITING
            && let Some(first) = self.waiting.pop_front()
        {
            self.ready.push(first.answer);
        }
    }

    /// Answers that are certain.
    pub(crate) fn ready(&mut self) -> &mut Vec<Answer> {
        &mut self.ready
    }

    /// Nothing more is read: what may still grow is left, the rest is certain.
    pub(crate) fn end(&mut self) -> Option<Left> {
        let unfinished = self.waiting.iter().position(|waiting| {
            let answer = &waiting.answer;
            let is_fresh = answer.at_us > self.now_us - FRESH_US;
            let is_growing = answer.is_unfinished && answer.at_us > self.now_us - UNFINISHED_US;
            is_fresh || is_growing
        });
        let left = self
            .waiting
            .split_off(unfinished.unwrap_or(self.waiting.len()));
        self.ready
            .extend(self.waiting.drain(..).map(|waiting| waiting.answer));
        let before = left.into_iter().next()?.before;
        self.activity = before.activity;
        self.gap_count = before.gap_count;
        let told = usize::try_from(before.gap_count).unwrap_or(usize::MAX);
        self.gaps.truncate(told);
        Some(Left {
            offset: before.offset,
            state: before.state,
        })
    }

    fn mark(&self, state: impl FnOnce() -> Option<String>) -> Mark {
        Mark {
            offset: self.line,
            activity: self.activity,
            gap_count: self.gap_count,
            state: state(),
        }
    }
}

/// Later lines of an answer know more: the last counts win.
fn merge(earlier: &mut Answer, later: Answer) {
    earlier.usage = match (earlier.usage, later.usage) {
        (Some(old), Some(new)) => Some(old.updated_by(new)),
        (old, new) => new.or(old),
    };
    earlier.stop = later.stop.or_else(|| earlier.stop.take());
    earlier.model = later.model.or_else(|| earlier.model.take());
    earlier.is_unfinished &= later.is_unfinished;
    for id in later.request_ids {
        if !earlier.request_ids.contains(&id) {
            earlier.request_ids.push(id);
        }
    }
}
