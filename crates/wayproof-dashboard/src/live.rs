//! The page that moves: what goes on, sent again when it changed.
//!
//! However many watch the same, it is made once a second; while nobody watches it is not made at all. Nothing here is on the way
//! of an exchange, and a reader who does not keep up is sent the newest state, not a backlog.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::Mutex;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use crate::desk::Desk;
use crate::guard::{Ticket, Visit};
use crate::pages::job::{self, Told};
use crate::pages::now;
use crate::params::Params;
use crate::problem::Problem;

const EVERY: Duration = Duration::from_secs(1);
/// A line that says nothing, so that neither side takes the silence for an end.
const KEEP_ALIVE: u32 = 15;
/// How long it is kept what a state was made of, once nobody watches.
const KEPT: Duration = Duration::from_secs(10);
const MAX_WATCHERS: usize = 1_024;

/// What those who watch share.
#[derive(Default)]
pub(crate) struct Live {
    /// By what is watched: the first page, or a job by its id.
    made: Mutex<BTreeMap<Option<String>, Made>>,
    watchers: AtomicUsize,
}

struct Made {
    at: Instant,
    /// The state as it is sent, which a change is told by. All who watch share its bytes.
    event: Bytes,
    /// What a job's state was made of.
    told: Option<Told>,
}

impl Made {
    fn is_new(&self) -> bool {
        self.at.elapsed() < EVERY * 9 / 10
    }
}

impl Live {
    /// The newest state, made again if it is older than a second.
    async fn state(&self, desk: &Desk, job: Option<&str>) -> Result<Bytes, Problem> {
        let mut made = self.made.lock().await;
        made.retain(|_, known| known.at.elapsed() < KEPT);
        let what = job.map(str::to_owned);
        if let Some(known) = made.get(&what).filter(|known| known.is_new()) {
            return Ok(known.event.clone());
        }
        let known = made.get(&what).and_then(|known| known.told.clone());
        let (state, told) = match job {
            None => (now::fragment(desk).await?, None),
            Some(id) => {
                let (state, told) = job::fragment(desk, id, known).await?;
                (state, Some(told))
            }
        };
        let event = event(&state);
        let new = Made {
            at: Instant::now(),
            event: event.clone(),
            told,
        };
        made.insert(what, new);
        drop(made);
        Ok(event)
    }
}

/// One who watches; leaving is noticed however it happens.
struct Watcher {
    desk: Desk,
    ticket: Option<Ticket>,
    /// The job that is watched, if it is not the first page.
    job: Option<String>,
    tick: Interval,
    sent: Option<Bytes>,
    quiet: u32,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.desk.live().watchers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Watcher {
    /// Waits for something to send.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let stopping = self.desk.house().stopping();
            tokio::select! {
                biased;
                () = stopping => return None,
                _ = self.tick.tick() => {}
            }
            // Whoever may not look any more is told when their browser asks again.
            if !self.desk.is_still_good(self.ticket.as_ref()) {
                return None;
            }
            let live = self.desk.live();
            let state = match live.state(&self.desk, self.job.as_deref()).await {
                Ok(state) => state,
                // A browser that asks again is told that it is gone.
                Err(problem) if problem.is_not_found() => return None,
                // The ledger may be back in a moment; until then the reader keeps what it has.
                Err(_) => continue,
            };
            if self.sent.as_ref() != Some(&state) {
                self.sent = Some(state.clone());
                self.quiet = 0;
                return Some(state);
            }
            self.quiet += 1;
            if self.quiet >= KEEP_ALIVE {
                self.quiet = 0;
                return Some(Bytes::from_static(b": still here\n\n"));
            }
        }
    }
}

/// One event; every line of the state is a line of data. A carriage return alone ends a line too.
fn event(state: &str) -> Bytes {
    let lines = state.split(['\n', '\r']);
    let lines = lines
        .filter(|line| !line.is_empty())
        .map(|line| format!("data: {line}\n"));
    Bytes::from(lines.collect::<String>() + "\n")
}

/// Streams the state.
pub(crate) async fn stream(
    State(desk): State<Desk>,
    Extension(visit): Extension<Visit>,
    params: Params,
) -> Response {
    let job = Some(params.whole("job")).filter(|id| !id.is_empty());
    let job = job.map(str::to_owned);
    if let Some(id) = &job {
        match job::is_known(&desk, id).await {
            Ok(true) => {}
            Ok(false) => return Problem::not_found("job", id).into_response(),
            Err(problem) => return problem.into_response(),
        }
    }
    let watching = desk.live().watchers.fetch_add(1, Ordering::Relaxed);
    // Jobs are made one by one for those who watch them, so they are made half as often.
    let mut tick = interval(if job.is_some() { EVERY * 2 } else { EVERY });
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let watcher = Watcher {
        desk,
        ticket: visit.ticket(),
        job,
        tick,
        sent: None,
        quiet: 0,
    };
    if watching >= MAX_WATCHERS {
        return Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Too many watchers",
            "Too many live pages are open. This one can still be reloaded.",
        )
        .into_response();
    }
    let events = stream::unfold(watcher, async |mut watcher| {
        let event = watcher.next().await?;
        Some((Ok::<_, Infallible>(event), watcher))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, Body::from_stream(events)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_cannot_be_broken_out_of() {
        assert_eq!(
            event("a\nevent: x\rid: 1\r\n\nb"),
            "data: a\ndata: event: x\ndata: id: 1\ndata: b\n\n"
        );
    }
}
