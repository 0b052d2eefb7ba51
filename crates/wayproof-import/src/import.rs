//! Goes through the logs and records what is new in them.
//!
//! A thread reads and parses; answers come over in batches and are recorded here. A file's position is recorded after
//! everything before it, so an import that was cut off reads a part again and finds its answers known.

mod read;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use wayproof_ledger::{
    About, Cost, Event, EventBody, ExchangeImported, ImportTurn, Ledger, LogRead,
};
use wayproof_wire::Usage;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::agent::{Shape, Source};
use crate::error::ImportError;
use crate::files::{self, LogFile, Remembered};
use crate::join::Join;
use crate::sink::Answer;

/// What is imported, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The home that the agents keep their folders in.
    pub home: PathBuf,
    /// Whose logs.
    pub sources: Vec<Source>,
    /// Answers before this are left out.
    pub since_us: Option<i64>,
    /// Records nothing.
    pub is_dry: bool,
}

/// A listed price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Priced {
    /// In nano-dollars.
    pub nano_usd: i64,
    /// The catalog it comes from.
    pub catalog_digest: String,
}

/// Tells the listed price of a provider's model at a time.
pub type Price = dyn Fn(&str, &str, i64, &Usage) -> Option<Priced> + Send + Sync;

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that are to be read.
    pub bytes: u64,
    /// Bytes that are read.
    pub done: u64,
}

/// What an import found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Files with something new.
    pub files: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Answers recorded.
    pub imported: u64,
    /// Answers that an earlier import recorded.
    pub known: u64,
    /// Answers that went through the gateway.
    pub proxied: u64,
    /// Parts that could not be taken in.
    pub gaps: u64,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.imported += other.imported;
        self.known += other.known;
        self.proxied += other.proxied;
        self.gaps += other.gaps;
    }
}

/// What an import found, by agent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// By the agent's name.
    pub agents: BTreeMap<String, Counts>,
    /// Files that could not be read, with the reason.
    pub failed: BTreeMap<String, String>,
    /// The first gaps, with their file and place.
    pub gaps: Vec<String>,
}

/// Gaps that a summary tells one by one.
const TOLD_GAPS: usize = 20;

/// What the reading thread says.
enum Said {
    Answers(Vec<Answer>),
    Read(u64),
    End(Box<read::FileEnd>),
    Failed(String),
}

/// Imports logs into a ledger, which nobody else does meanwhile.
pub struct Importer {
    ledger: Ledger,
    options: Options,
    price: Box<Price>,
    join: Join,
    /// Answers and sessions of this run, which the database may not show yet.
    recorded: HashSet<u64>,
    /// Files that were read to their end, as they were then.
    finished: HashMap<PathBuf, (u64, i64)>,
    _turn: ImportTurn,
}

impl std::fmt::Debug for Importer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Importer")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Importer {
    /// Takes the turn to import.
    pub async fn open(
        ledger: Ledger,
        options: Options,
        price: Box<Price>,
    ) -> Result<Self, ImportError> {
        let turn = ledger.import_turn().await?;
        Ok(Self {
            ledger,
            options,
            price,
            join: Join::default(),
            recorded: HashSet::new(),
            finished: HashMap::new(),
            _turn: turn,
        })
    }

    /// Reads what is new in the logs and records it.
    pub async fn run(
        &mut self,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Summary, ImportError> {
        let mut summary = Summary::default();
        self.ledger.flush().await?;
        let work = self.work(&mut summary).await?;
        let bytes = work
            .iter()
            .map(|(file, from, _)| file.bytes.saturating_sub(*from))
            .sum();
        let mut told = Progress { bytes, done: 0 };
        progress(told);
        if !work.is_empty() {
            self.join
                .read_on(&self.ledger, &self.options.sources)
                .await?;
        }
        for (file, from, remembered) in work {
            let before = told.done;
            let new = file.bytes.saturating_sub(from);
            let mut moved = |done: u64| {
                told.done = before + done.min(new);
                progress(told);
            };
            self.file(&file, from, remembered, &mut summary, &mut moved)
                .await?;
            moved(new);
        }
        self.ledger.flush().await?;
        Ok(summary)
    }

    /// The files with something new, and where to go on in them.
    async fn work(
        &mut self,
        summary: &mut Summary,
    ) -> Result<Vec<(LogFile, u64, Option<Remembered>)>, ImportError> {
        let mut work = Vec::new();
        for source in self.options.sources.clone() {
            let found = match files::find(source, &self.options.home) {
                Ok(found) => found,
                Err(error) => {
                    let folder = source.folder().to_owned();
                    summary.failed.insert(folder, error.to_string());
                    continue;
                }
            };
            for file in found {
                let is_old = self
                    .options
                    .since_us
                    .is_some_and(|since| file.changed_us < since);
                let now = (file.bytes, file.changed_us);
                if is_old || self.finished.get(&file.path) == Some(&now) {
                    continue;
                }
                let position = self.ledger.log_position(source.agent(), &file.name).await?;
                let position = position.unwrap_or_default();
                let remembered: Option<Remembered> = position
                    .state
                    .and_then(|state| serde_json::from_str(&state).ok());
                let is_same = match source.shape() {
                    Shape::Lines => file.bytes == position.position && file.bytes > 0,
                    Shape::Document => {
                        let changed = remembered.as_ref().map(|it| it.changed_us);
                        file.bytes == position.position && changed == Some(file.changed_us)
                    }
                    Shape::Database => false,
                };
                if is_same {
                    self.finished.insert(file.path, now);
                } else {
                    work.push((file, position.position, remembered));
                }
            }
        }
        Ok(work)
    }

    /// Reads one file on another thread and records what it says.
    async fn file(
        &mut self,
        file: &LogFile,
        from: u64,
        remembered: Option<Remembered>,
        summary: &mut Summary,
        moved: &mut (dyn FnMut(u64) + Send),
    ) -> Result<(), ImportError> {
        let mut counts = Counts::default();
        let (say, mut hear) = mpsc::channel(4);
        let job = read::Job {
            file: file.clone(),
            from,
            remembered,
            now_us: self.ledger.clock().now_us(),
            since_us: self.options.since_us,
        };
        let mut reading = JoinSet::new();
        match file.source.shape() {
            Shape::Database => reading.spawn(read::database(job, say)),
            Shape::Lines | Shape::Document => {
                reading.spawn_blocking(move || read::file(&job, &say))
            }
        };
        let mut found = LogRead {
            agent: file.source.agent().to_owned(),
            file: file.name.clone(),
            ..LogRead::default()
        };
        while let Some(said) = hear.recv().await {
            match said {
                Said::Answers(answers) => self.answers(file.source, answers, &mut found).await?,
                Said::Read(bytes) => moved(bytes),
                Said::End(end) => {
                    self.end(&end, &mut found).await?;
                    counts.files += u64::from(end.to > end.from);
                    counts.bytes += end.read;
                }
                Said::Failed(why) => drop(summary.failed.insert(file.name.clone(), why)),
            }
        }
        while let Some(ended) = reading.join_next().await {
            ended.map_err(|_| ImportError::Panicked)?;
        }
        counts.imported = found.imported;
        counts.known = found.known;
        counts.proxied = found.proxied;
        counts.gaps = found.gap_count;
        if counts != Counts::default() {
            let agent = file.source.agent().to_owned();
            summary.agents.entry(agent).or_default().add(&counts);
        }
        for gap in &found.gaps {
            if summary.gaps.len() < TOLD_GAPS {
                summary
                    .gaps
                    .push(format!("{} at {}: {}", file.name, gap.at, gap.why));
            }
        }
        Ok(())
    }

    /// Records answers that nobody has recorded, and counts the others.
    async fn answers(
        &mut self,
        source: Source,
        answers: Vec<Answer>,
        found: &mut LogRead,
    ) -> Result<(), ImportError> {
        let ids: Vec<String> = answers
            .iter()
            .map(|answer| exchange_id(source, answer))
            .collect();
        let known = self.ledger.known_exchanges(&ids).await?;
        let mut recorded = Vec::new();
        for (id, answer) in ids.into_iter().zip(answers) {
            let is_new = self.recorded.insert(xxh3_64(id.as_bytes()));
            if known.contains(&id) || !is_new {
                found.known += 1;
            } else if self.join.has(source, &answer) {
                found.proxied += 1;
            } else {
                found.imported += 1;
                let event = self.event(source, id, answer);
                if !self.options.is_dry {
                    recorded.push(self.ledger.append(&event));
                }
            }
        }
        for durable in recorded {
            durable.await?;
        }
        Ok(())
    }

    fn event(&self, source: Source, id: String, answer: Answer) -> Event {
        let priced = match (&answer.provider, &answer.model, &answer.usage) {
            (Some(provider), Some(model), Some(usage)) => {
                (self.price)(provider, model, answer.at_us, usage)
            }
            _ => None,
        };
        let imported = ExchangeImported {
            agent: source.agent().to_owned(),
            source_id: answer.id,
            provider_request_id: answer.request_ids.into_iter().next(),
            requested_model: answer.requested_model,
            provider: answer.provider,
            model: answer.model,
            usage: answer.usage.filter(|usage| !usage.is_unknown()),
            cost: Cost {
                listed_nano_usd: priced.as_ref().map(|priced| priced.nano_usd),
                ..Cost::default()
            },
            catalog_digest: priced.map(|priced| priced.catalog_digest),
            stop: answer.stop,
            subagent: answer.subagent,
        };
        let about = About {
            session: answer.session,
            job: None,
            exchange: Some(id),
        };
        let body = EventBody::ExchangeImported(Box::new(imported));
        Event {
            at_us: answer.at_us,
            ..self.ledger.event(about, body)
        }
    }

    /// Records what is known of the sessions, and last of all how far the file is read.
    async fn end(&mut self, end: &read::FileEnd, found: &mut LogRead) -> Result<(), ImportError> {
        found.from = end.from;
        found.to = end.to;
        found.activity = end.activity;
        found.gaps.clone_from(&end.gaps);
        found.gap_count = end.gap_count;
        found.state = serde_json::to_string(&end.remembered).ok();
        if self.options.is_dry {
            return Ok(());
        }
        let at_us = end.last_us.unwrap_or_else(|| self.ledger.clock().now_us());
        let about = |session: Option<&String>| About {
            session: session.cloned(),
            ..About::default()
        };
        let names: Vec<String> = end.sessions.iter().map(|(id, _)| id.clone()).collect();
        let placed = self.ledger.placed_sessions(&names).await?;
        for (session, started) in &end.sessions {
            if started.cwd.is_none() || placed.contains(session) {
                continue;
            }
            let name = format!("session {session}");
            if self.recorded.insert(xxh3_64(name.as_bytes())) {
                let mut started = started.clone();
                started.source = Some("imported".to_owned());
                let body = EventBody::SessionStarted(started);
                let event = self.ledger.event(about(Some(session)), body);
                self.ledger.append(&Event { at_us, ..event }).await?;
            }
        }
        if let Some((sampled_us, quota)) = &end.quota {
            let body = EventBody::QuotaSampled(quota.clone());
            let event = self.ledger.event(about(names.first()), body);
            let event = Event {
                at_us: *sampled_us,
                ..event
            };
            self.ledger.append(&event).await?;
        }
        // Where answers were left out because they are too old, a later import may want them.
        if end.is_partial {
            return Ok(());
        }
        let body = EventBody::LogRead(Box::new(found.clone()));
        let event = self.ledger.event(about(names.first()), body);
        self.ledger.append(&Event { at_us, ..event }).await?;
        Ok(())
    }
}

/// The same answer has the same name, whenever and from whichever file it is imported.
fn exchange_id(source: Source, answer: &Answer) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.');
    let id = &answer.id;
    if id.len() <= 120 && id.chars().all(is_plain) {
        format!("imported-{}-{id}", source.agent())
    } else {
        format!(
            "imported-{}-{:032x}",
            source.agent(),
            xxh3_128(id.as_bytes())
        )
    }
}
