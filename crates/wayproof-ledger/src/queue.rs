//! The queue between everybody who records and the one thread that makes records durable.
//!
//! Events wait here as one growing run of frames; the writer takes the whole run, makes it durable at once and
//! wakes whoever waits for it (group commit, without any artificial delay). Where the writer has put a segment of the
//! journal beside the queue, who needs no more than to outlive this process writes the run there himself and is not
//! kept waiting. The queue is bounded: a full one makes [`Durable`] wait before the event goes in.

use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::error::AppendError;
use crate::frame;
use crate::journal::{Segment, Unsynced};

/// How long a record whose disk nobody waits for may not be on it.
const SYNC_DELAY: Duration = Duration::from_millis(20);

/// Why an event is in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Somebody waits until the disk has it.
    Now,
    /// It goes along.
    Soon,
}

/// Events that become durable together.
#[derive(Debug, Default)]
pub(crate) struct Group {
    outcome: OnceLock<Result<(), AppendError>>,
    wakers: Mutex<Vec<Waker>>,
}

impl Group {
    /// Tells everybody who waits for the group how it went.
    pub(crate) fn settle(&self, outcome: Result<(), AppendError>) {
        // A group is settled once, by the writer that took it.
        self.outcome.get_or_init(|| outcome);
        let wakers = mem::take(&mut *lock(&self.wakers));
        wakers.into_iter().for_each(Waker::wake);
    }

    fn poll(&self, context: &Context<'_>) -> Poll<Result<(), AppendError>> {
        if let Some(outcome) = self.outcome.get() {
            return Poll::Ready(outcome.clone());
        }
        lock(&self.wakers).push(context.waker().clone());
        // The writer may have settled between the two looks.
        match self.outcome.get() {
            Some(outcome) => Poll::Ready(outcome.clone()),
            None => Poll::Pending,
        }
    }
}

/// What was written to the segment and waits for the disk.
#[derive(Debug)]
pub(crate) struct Written {
    /// Where.
    pub(crate) unsynced: Unsynced,
    /// The segment itself, once nothing more goes into it.
    pub(crate) full: Option<Segment>,
    /// For each frame, its length and who waits for it.
    marks: Vec<(usize, Wanted)>,
    /// Whom to tell.
    pub(crate) groups: Vec<Arc<Group>>,
}

/// What the writer takes at once.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// What is written already.
    pub(crate) written: Option<Box<Written>>,
    /// Frames, one after the other.
    pub(crate) frames: Vec<u8>,
    /// For each frame, where it ends and who waits for it.
    pub(crate) marks: Vec<(usize, Wanted)>,
    /// Whom to tell.
    pub(crate) group: Arc<Group>,
    /// Whether somebody asked for everything to be brought up to date.
    pub(crate) is_flush: bool,
}

/// Why the writer woke up.
#[derive(Debug)]
pub(crate) enum Turn {
    /// There is something to make durable, or somebody waits.
    Group(Taken),
    /// Nothing happened for the time given.
    Idle,
    /// The ledger is closed and everything was taken.
    Closed,
}

#[derive(Debug, Default)]
struct State {
    frames: Vec<u8>,
    marks: Vec<(usize, Wanted)>,
    group: Arc<Group>,
    has_waiter: bool,
    /// Where events are written at once.
    segment: Option<Segment>,
    /// For each frame written since the last sync, its length and who waits for it.
    unsynced: Vec<(usize, Wanted)>,
    /// Whoever waits for the disk to have what is written.
    written_groups: Vec<Arc<Group>>,
    is_flush: bool,
    is_closed: bool,
    writer_sleeps: bool,
    refusal: Option<AppendError>,
    room: VecDeque<Waker>,
    /// Buffers of the group before, empty again.
    spare: (Vec<u8>, Vec<(usize, Wanted)>),
}

impl State {
    /// Whether something is not on the disk yet.
    fn is_behind(&self) -> bool {
        !self.marks.is_empty() || !self.unsynced.is_empty()
    }

    /// Writes all that waits into the segment; `false` if there is none, or no room in it.
    fn write_through(&mut self) -> bool {
        let Some(segment) = &mut self.segment else {
            return false;
        };
        if !segment.has_room(self.frames.len()) {
            return false;
        }
        if let Err(error) = segment.write(&mut self.frames) {
            tracing::warn!(%error, "the journal goes on in another file");
            return false;
        }
        self.frames.clear();
        let mut start = 0;
        for (end, wanted) in self.marks.drain(..) {
            self.unsynced.push((end - start, wanted));
            start = end;
        }
        if self.has_waiter {
            self.written_groups.push(mem::take(&mut self.group));
        }
        true
    }
}

/// The queue itself.
pub(crate) struct Queue {
    state: Mutex<State>,
    work: Condvar,
    limit: usize,
}

impl Queue {
    /// A queue that holds about `limit` bytes.
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            work: Condvar::new(),
            limit,
        })
    }

    /// Puts an event in, or says that there is no room for it now.
    fn push(&self, text: &[u8], wanted: Wanted) -> Result<Option<Arc<Group>>, AppendError> {
        let mut state = lock(&self.state);
        if state.is_closed {
            return Err(AppendError::Closed);
        }
        if wanted == Wanted::Now {
            if let Some(refusal) = &state.refusal {
                return Err(refusal.clone());
            }
            if state.frames.len() >= self.limit {
                return Ok(None);
            }
        }
        let is_first = !state.is_behind();
        frame::put(&mut state.frames, text);
        let end = state.frames.len();
        state.marks.push((end, wanted));
        let group = Arc::clone(&state.group);
        let is_news = (wanted == Wanted::Now && !state.has_waiter) || is_first || end >= self.limit;
        state.has_waiter |= wanted == Wanted::Now;
        self.wake_writer(state, is_news);
        Ok(Some(group))
    }

    /// Records an event that nobody waits for. It is never refused for want of room: there is at most one
    /// for each request in flight, and those are held back by [`Queue::append`].
    pub(crate) fn note(&self, text: &[u8]) -> Result<(), AppendError> {
        self.push(text, Wanted::Soon).map(|_| ())
    }

    /// Records an event; the future resolves once it is durable.
    pub(crate) fn append(self: &Arc<Self>, text: Vec<u8>) -> Durable {
        match self.push(&text, Wanted::Now) {
            Ok(Some(group)) => Durable(Stage::Queued(group)),
            Ok(None) => Durable(Stage::NoRoom {
                queue: Arc::clone(self),
                text,
            }),
            Err(error) => Durable(Stage::Refused(error)),
        }
    }

    /// Records an event; the future resolves once it outlives this process, and the disk has it soon after.
    pub(crate) fn append_written(self: &Arc<Self>, text: Vec<u8>) -> Durable {
        let mut state = lock(&self.state);
        let is_usual = !state.is_closed && state.refusal.is_none();
        if is_usual && state.segment.is_some() {
            let is_first = !state.is_behind();
            frame::put(&mut state.frames, &text);
            let end = state.frames.len();
            state.marks.push((end, Wanted::Soon));
            if state.write_through() {
                self.wake_writer(state, is_first);
                return Durable(Stage::Written);
            }
            // The writer has to go on in another file first.
            state.marks.pop();
            state
                .frames
                .truncate(end - frame::HEADER_BYTES - text.len());
        }
        drop(state);
        self.append(text)
    }

    /// Puts a segment beside the queue, to be written to at once.
    pub(crate) fn open(&self, segment: Segment) {
        lock(&self.state).segment = Some(segment);
    }

    /// Notes how much of the segment is on the disk; says whether another will be needed before long.
    pub(crate) fn synced(&self, unsynced: &Unsynced) -> bool {
        let mut state = lock(&self.state);
        let segment = state.segment.as_mut();
        let Some(segment) = segment.filter(|segment| segment.path() == unsynced.path) else {
            return false;
        };
        segment.synced(unsynced.to);
        segment.is_half_full()
    }

    /// Takes the segment away.
    pub(crate) fn take_segment(&self) -> Option<Segment> {
        lock(&self.state).segment.take()
    }

    /// Asks for everything recorded until now to be made durable and brought up to date.
    pub(crate) fn flush(&self) -> Durable {
        let mut state = lock(&self.state);
        if state.is_closed {
            return Durable(Stage::Refused(AppendError::Closed));
        }
        state.is_flush = true;
        let group = Arc::clone(&state.group);
        self.wake_writer(state, true);
        Durable(Stage::Queued(group))
    }

    /// Whether nothing new comes in any more.
    pub(crate) fn is_closed(&self) -> bool {
        lock(&self.state).is_closed
    }

    /// Refuses everything from now on; what is in the queue is still written.
    pub(crate) fn close(&self) {
        let mut state = lock(&self.state);
        state.is_closed = true;
        state.room.drain(..).for_each(Waker::wake);
        self.wake_writer(state, true);
    }

    /// Refuses new work with this sentence until [`Queue::accept`].
    pub(crate) fn refuse(&self, why: AppendError) {
        lock(&self.state).refusal = Some(why);
    }

    /// Takes new work again.
    pub(crate) fn accept(&self) {
        lock(&self.state).refusal = None;
    }

    fn wake_writer(&self, mut state: MutexGuard<'_, State>, is_news: bool) {
        if is_news && mem::take(&mut state.writer_sleeps) {
            drop(state);
            self.work.notify_one();
        }
    }

    /// Waits for something to write, at most `idle` long if that is given.
    pub(crate) fn take(&self, idle: Option<Duration>) -> Turn {
        let mut state = lock(&self.state);
        let mut lingered = false;
        loop {
            if state.has_waiter || state.is_flush || state.frames.len() >= self.limit {
                return Turn::Group(Self::cut(state));
            }
            if state.is_behind() && (lingered || state.is_closed) {
                return Turn::Group(Self::cut(state));
            }
            if state.is_closed {
                return Turn::Closed;
            }
            let is_behind = state.is_behind();
            let patience = if is_behind { Some(SYNC_DELAY) } else { idle };
            state.writer_sleeps = true;
            let timed_out;
            (state, timed_out) = self.sleep(state, patience);
            state.writer_sleeps = false;
            lingered = timed_out && is_behind;
            if timed_out && !state.is_behind() && !state.is_flush && !state.is_closed {
                return Turn::Idle;
            }
        }
    }

    fn sleep<'a>(
        &self,
        state: MutexGuard<'a, State>,
        patience: Option<Duration>,
    ) -> (MutexGuard<'a, State>, bool) {
        match patience {
            Some(patience) => {
                let woken = self.work.wait_timeout(state, patience);
                let (state, timeout) = woken.unwrap_or_else(PoisonError::into_inner);
                (state, timeout.timed_out())
            }
            None => (
                self.work
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                false,
            ),
        }
    }

    fn cut(mut state: MutexGuard<'_, State>) -> Taken {
        let is_written = state.write_through();
        state.has_waiter = false;
        let written = Self::cut_written(&mut state, !is_written);
        let (frames, marks) = mem::take(&mut state.spare);
        let taken = Taken {
            written,
            frames: mem::replace(&mut state.frames, frames),
            marks: mem::replace(&mut state.marks, marks),
            group: mem::take(&mut state.group),
            is_flush: mem::take(&mut state.is_flush),
        };
        let room = mem::take(&mut state.room);
        drop(state);
        room.into_iter().for_each(Waker::wake);
        taken
    }

    /// What is written; with the segment, if that has no room for what is not.
    fn cut_written(state: &mut State, is_full: bool) -> Option<Box<Written>> {
        let unsynced = state.segment.as_ref()?.unsynced();
        let full = if is_full { state.segment.take() } else { None };
        Some(Box::new(Written {
            unsynced,
            full,
            marks: mem::take(&mut state.unsynced),
            groups: mem::take(&mut state.written_groups),
        }))
    }

    /// Puts the records that nobody waits for back in front, after the group they were in failed.
    pub(crate) fn put_back(&self, taken: &Taken) {
        let mut start = 0;
        let spans = taken.marks.iter().map(|&(end, wanted)| {
            let span = (start..end, wanted);
            start = end;
            span
        });
        self.put_in_front(&taken.frames, spans);
    }

    /// Puts what was written, and did not reach the disk, back in front; what somebody waits for is left out.
    pub(crate) fn put_back_written(&self, frames: &[u8], written: &Written) {
        lock(&self.state)
            .segment
            .take_if(|segment| segment.path() == written.unsynced.path);
        let mut start = 0;
        let spans = written.marks.iter().map(|&(bytes, wanted)| {
            let span = (start..start + bytes, wanted);
            start += bytes;
            span
        });
        self.put_in_front(frames, spans);
    }

    fn put_in_front(
        &self,
        from: &[u8],
        spans: impl Iterator<Item = (std::ops::Range<usize>, Wanted)>,
    ) {
        let mut frames = Vec::new();
        let mut marks = Vec::new();
        for (span, wanted) in spans {
            if wanted == Wanted::Soon {
                frames.extend_from_slice(from.get(span).unwrap_or_default());
                marks.push((frames.len(), wanted));
            }
        }
        if marks.is_empty() {
            return;
        }
        let mut state = lock(&self.state);
        let shift = frames.len();
        frames.extend_from_slice(&state.frames);
        marks.extend(
            state
                .marks
                .iter()
                .map(|&(end, wanted)| (end + shift, wanted)),
        );
        state.frames = frames;
        state.marks = marks;
    }

    /// Gives the buffers back, so that the next group need not allocate any.
    pub(crate) fn recycle(&self, mut taken: Taken) {
        if taken.frames.capacity() <= self.limit {
            taken.frames.clear();
            taken.marks.clear();
            lock(&self.state).spare = (taken.frames, taken.marks);
        }
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// Resolves once an event is as safe as was asked for, or says why it was not recorded.
///
/// The work goes on whether or not the future is polled, unless the queue was full.
#[derive(Debug)]
#[must_use = "an event is only sure to be recorded once this resolves"]
pub struct Durable(Stage);

#[derive(Debug)]
enum Stage {
    Refused(AppendError),
    NoRoom { queue: Arc<Queue>, text: Vec<u8> },
    Queued(Arc<Group>),
    Written,
}

impl Durable {
    /// An event that cannot be recorded.
    pub(crate) fn refused(error: AppendError) -> Self {
        Self(Stage::Refused(error))
    }
}

impl Future for Durable {
    type Output = Result<(), AppendError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Stage::NoRoom { queue, text } = &self.0 {
            // The waker goes in first: room made between the two steps must not be missed.
            lock(&queue.state).room.push_back(context.waker().clone());
            self.0 = match queue.push(text, Wanted::Now) {
                Ok(Some(group)) => Stage::Queued(group),
                Ok(None) => return Poll::Pending,
                Err(error) => Stage::Refused(error),
            };
        }
        match &self.0 {
            Stage::Refused(error) => Poll::Ready(Err(error.clone())),
            Stage::NoRoom { .. } => Poll::Pending,
            Stage::Queued(group) => group.poll(context),
            Stage::Written => Poll::Ready(Ok(())),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
