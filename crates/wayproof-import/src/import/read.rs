//! Reads one file of logs from where the last import ended.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};

use tokio::sync::mpsc::Sender;
use wayproof_ledger::{Activity, LogGap, QuotaSampled, SessionStarted, opencode_messages};

use super::Said;
use crate::agent::{Shape, read_opencode};
use crate::files::{LogFile, Remembered, head};
use crate::lines::{Line, Lines, MAX_LINE};
use crate::sink::Sink;

/// Answers that are handed over at once.
const BATCH: usize = 512;

/// Bytes after which progress is told.
const STEP: u64 = 4 * 1024 * 1024;

/// Rows of a database read at once.
const ROWS: u32 = 1000;

/// What is to be read.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) file: LogFile,
    pub(super) from: u64,
    pub(super) remembered: Option<Remembered>,
    pub(super) now_us: i64,
    pub(super) since_us: Option<i64>,
}

/// What a file gave beside its answers.
#[derive(Debug)]
pub(super) struct FileEnd {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) read: u64,
    pub(super) activity: Activity,
    pub(super) gaps: Vec<LogGap>,
    pub(super) gap_count: u64,
    pub(super) sessions: Vec<(String, SessionStarted)>,
    pub(super) quota: Option<(i64, QuotaSampled)>,
    pub(super) last_us: Option<i64>,
    pub(super) remembered: Remembered,
    /// Whether answers were left out, so that it is to be read again.
    pub(super) is_partial: bool,
}

/// Reads a file; what goes wrong with it is said and ends nothing else.
pub(super) fn file(job: &Job, say: &Sender<Said>) {
    let outcome = match job.file.source.shape() {
        Shape::Document => document(job, say),
        Shape::Lines | Shape::Database => lines(job, say),
    };
    if let Err(error) = outcome {
        // Nobody hears when the import itself has ended.
        drop(say.blocking_send(Said::Failed(error.to_string())));
    }
}

fn lines(job: &Job, say: &Sender<Said>) -> io::Result<()> {
    let mut input = File::open(&job.file.path)?;
    let mut sink = Sink::new(job.now_us, job.since_us);
    let known = job.remembered.clone().unwrap_or_default();
    let mut from = job.from;
    let mut state = known.reader.as_deref();
    if from > 0 {
        let is_same = job.file.bytes >= from && head(&mut input, known.head)?.1 == known.hash;
        if !is_same {
            sink.gap("not the file that was read before; read from its beginning");
            (from, state) = (0, None);
        }
    }
    input.seek(SeekFrom::Start(from))?;
    let mut reader = job.file.source.reader(&job.file.path, state);
    let mut lines = Lines::new(&input, from);
    let mut told = from;
    loop {
        let at = lines.offset();
        sink.line(at);
        match lines.next()? {
            None => break,
            Some(Line::TooLong) => sink.gap("a line of more than 64 MiB"),
            Some(Line::Whole(line)) => reader.record(line, &mut sink),
        }
        if sink.ready().len() >= BATCH && !hand_over(&mut sink, say) {
            return Ok(());
        }
        if at - told > STEP {
            told = at;
            if say.blocking_send(Said::Read(at - from)).is_err() {
                return Ok(());
            }
        }
        if sink.is_stopped() {
            break;
        }
    }
    let (to, reader) = match sink.end() {
        Some(left) => (left.offset, left.state),
        None => (lines.offset(), reader.state()),
    };
    input.seek(SeekFrom::Start(0))?;
    let (head, hash) = head(&mut input, to)?;
    let remembered = Remembered {
        head,
        hash,
        changed_us: 0,
        reader,
    };
    if hand_over(&mut sink, say) {
        finish(job, say, sink, (from, to), remembered);
    }
    Ok(())
}

fn document(job: &Job, say: &Sender<Said>) -> io::Result<()> {
    let mut sink = Sink::new(job.now_us, job.since_us);
    let text = if job.file.bytes > MAX_LINE as u64 {
        sink.gap("a document of more than 64 MiB");
        Vec::new()
    } else {
        std::fs::read(&job.file.path)?
    };
    if !text.is_empty() {
        let mut reader = job.file.source.reader(&job.file.path, None);
        reader.record(&text, &mut sink);
    }
    // What may still grow is found again when the document is read anew.
    let is_whole = sink.end().is_none();
    let changed_us = if is_whole { job.file.changed_us } else { 0 };
    let remembered = Remembered {
        changed_us,
        ..Remembered::default()
    };
    if hand_over(&mut sink, say) {
        finish(job, say, sink, (0, job.file.bytes), remembered);
    }
    Ok(())
}

/// Reads opencode's database by the time of its rows' last change.
pub(super) async fn database(job: Job, say: Sender<Said>) {
    let mut sink = Sink::new(job.now_us, job.since_us);
    let from = i64::try_from(job.from).unwrap_or(0);
    let mut at = from;
    while !sink.is_stopped() {
        let rows = match opencode_messages(&job.file.path, at, ROWS).await {
            Ok(rows) => rows,
            Err(error) => {
                // Nobody hears when the import itself has ended.
                drop(say.send(Said::Failed(error.to_string())).await);
                return;
            }
        };
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            sink.line(u64::try_from(at).unwrap_or(0));
            let did = sink.activity;
            read_opencode(row, &mut sink);
            if row.created_ms <= from {
                // It was counted when it was made.
                sink.activity = did;
            }
            if sink.is_stopped() {
                break;
            }
            at = at.max(row.updated_ms - 1);
        }
        at = rows.last().map_or(at, |row| row.updated_ms);
        let answers = std::mem::take(sink.ready());
        if !answers.is_empty() && say.send(Said::Answers(answers)).await.is_err() {
            return;
        }
    }
    let at = u64::try_from(at).unwrap_or(0);
    let to = sink.end().map_or(at, |left| left.offset);
    let answers = std::mem::take(sink.ready());
    if say.send(Said::Answers(answers)).await.is_err() || to == job.from {
        return;
    }
    let end = file_end(&job, sink, (job.from, to), Remembered::default());
    // Nobody hears when the import itself has ended.
    drop(say.send(Said::End(Box::new(end))).await);
}

/// Hands over what is certain; `false` when nobody takes it.
fn hand_over(sink: &mut Sink, say: &Sender<Said>) -> bool {
    let answers = std::mem::take(sink.ready());
    answers.is_empty() || say.blocking_send(Said::Answers(answers)).is_ok()
}

fn finish(job: &Job, say: &Sender<Said>, sink: Sink, span: (u64, u64), remembered: Remembered) {
    // With nothing read there is nothing to remember.
    if span.0 == span.1 && sink.gap_count == 0 {
        return;
    }
    let end = file_end(job, sink, span, remembered);
    // Nobody hears when the import itself has ended.
    drop(say.blocking_send(Said::End(Box::new(end))));
}

fn file_end(job: &Job, sink: Sink, (from, to): (u64, u64), remembered: Remembered) -> FileEnd {
    let last_us = sink.last_us();
    let read = match job.file.source.shape() {
        Shape::Database => job.file.bytes,
        Shape::Lines | Shape::Document => to.saturating_sub(from),
    };
    FileEnd {
        from,
        to,
        read,
        activity: sink.activity,
        is_partial: sink.has_skipped(),
        gaps: sink.gaps,
        gap_count: sink.gap_count,
        sessions: sink.sessions,
        quota: sink.quota,
        last_us,
        remembered,
    }
}
