//! A job's events and requests as a story: what happened, in its order, in sentences.

mod event;
mod turn;

use std::collections::BTreeMap;

use wayproof_engine::Decision;
use wayproof_ledger::{EventBody, ExchangeRow, JobDetail, StoredEvent};

pub(crate) use self::event::plain_digest;
pub(crate) use self::turn::{DecisionView, Turn, in_and_out, money, target};
use super::Badge;
use crate::desk::Desk;
use crate::problem::Problem;
use crate::show::time::{at, stamp};

/// One step of the story.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    /// How its dot is coloured.
    pub(crate) tone: &'static str,
    pub(crate) title: String,
    pub(crate) at: String,
    pub(crate) stamp: String,
    pub(crate) badge: Option<Badge>,
    pub(crate) notes: Vec<String>,
    pub(crate) facts: Vec<(&'static str, String)>,
    /// Places to look closer: address and name.
    pub(crate) links: Vec<(String, String)>,
    pub(crate) decision: Option<DecisionView>,
    pub(crate) turns: Vec<Turn>,
}

/// Runs of requests whose decision is told along with them.
const TOLD: usize = 40;
/// Requests listed in one step; the rest is counted.
const LISTED: usize = 25;
/// Steps of one page.
const MAX_ENTRIES: usize = 240;

enum Piece<'a> {
    Event(&'a StoredEvent),
    Turns(Vec<&'a ExchangeRow>),
}

/// The story, and whether it was cut.
pub(crate) async fn tell(desk: &Desk, detail: &JobDetail) -> Result<(Vec<Entry>, bool), Problem> {
    let mut pieces = pieces(detail);
    let is_cut = pieces.len() > MAX_ENTRIES;
    if is_cut {
        // The beginning says what was owed, the end what came of it.
        pieces.drain(MAX_ENTRIES / 2..pieces.len() - MAX_ENTRIES / 2);
    }
    let decisions = decisions(desk, &pieces).await?;
    let entries = pieces.iter().map(|piece| match piece {
        Piece::Event(stored) => event::entry(stored),
        Piece::Turns(rows) => turns(rows, &decisions),
    });
    Ok((entries.collect(), is_cut))
}

/// Events and requests by their place; requests that follow each other in the same way are one step.
fn pieces(detail: &JobDetail) -> Vec<Piece<'_>> {
    let mut exchanges = detail.exchanges.iter().rev().peekable();
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    for stored in &detail.story {
        while let Some(row) = exchanges.next_if(|row| row.seq < stored.seq) {
            push(&mut pieces, row);
        }
        pieces.push(Piece::Event(stored));
    }
    for row in exchanges {
        push(&mut pieces, row);
    }
    pieces
}

fn push<'a>(pieces: &mut Vec<Piece<'a>>, row: &'a ExchangeRow) {
    let key = |row: &'a ExchangeRow| (&row.provider, &row.model, &row.class, &row.outcome);
    match pieces.last_mut() {
        Some(Piece::Turns(rows)) if rows.last().is_some_and(|last| key(last) == key(row)) => {
            rows.push(row);
        }
        _ => pieces.push(Piece::Turns(vec![row])),
    }
}

/// The decision of the first request of each run.
async fn decisions(desk: &Desk, pieces: &[Piece<'_>]) -> Result<BTreeMap<i64, Decision>, Problem> {
    let firsts = pieces.iter().filter_map(|piece| match piece {
        Piece::Turns(rows) => rows.first().map(|row| row.seq),
        Piece::Event(_) => None,
    });
    let places: Vec<i64> = firsts.take(TOLD).collect();
    let events = desk.ledger().events_at(&places).await?;
    let decided = events.iter().filter_map(|stored| match &stored.event.body {
        EventBody::ExchangeOpened(opened) => {
            let text = opened.decision.as_deref()?.get();
            Some((stored.seq, serde_json::from_str(text).ok()?))
        }
        _ => None,
    });
    Ok(decided.collect())
}

fn turns(rows: &[&ExchangeRow], decisions: &BTreeMap<i64, Decision>) -> Entry {
    let Some(first) = rows.first() else {
        return Entry::default();
    };
    let mut entry = Entry {
        tone: turn::tone(first),
        title: turn::title(rows),
        at: at(first.opened_us),
        stamp: stamp(first.opened_us),
        facts: turn::facts(rows),
        decision: decisions.get(&first.seq).map(DecisionView::of),
        turns: rows.iter().take(LISTED).map(|row| Turn::of(row)).collect(),
        ..Entry::default()
    };
    if rows.len() > LISTED {
        let more = rows.len() - LISTED;
        entry.notes.push(format!("and {more} more like these"));
    }
    entry
}
