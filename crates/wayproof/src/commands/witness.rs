//! A witness (c2sp.org/tlog-witness): it remembers the newest checkpoint of each log it is given, and cosigns the next
//! one only where that continues it. And the other side: asking one.
//!
//! What is remembered is on the disk before a cosignature leaves, so a witness that is killed never cosigns two
//! histories.

mod seen;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::json;
use tokio::net::TcpListener;
use wayproof_ledger::{Clock, CosignerKey, cosign as cosign_note};
use wayproof_receipt::SigningKey;
use wayproof_receipt::log::{Checkpoint, Hash, Note, NoteKey, verify_consistency};

use self::seen::Seen;
use super::{keeping::witness_key, ledger::at};
use crate::{
    cli::{CosignArgs, WitnessArgs},
    exit::{self, Mistake},
    gateway::http,
    settings,
    terminal::{print, print_json_pretty},
};

/// A request is a checkpoint and at most 63 hashes.
const MOST_BYTES: usize = 64 * 1024;
const MOST_HASHES: usize = 63;

/// The content type in which a witness tells the size it has seen.
const SIZE: &str = "text/x.tlog.size";

struct Witness {
    name: String,
    key: SigningKey,
    logs: BTreeMap<String, NoteKey>,
    directory: PathBuf,
    clock: Clock,
    /// One request at a time: what was seen and what is signed must not change in between.
    turn: Mutex<()>,
}

/// Serves until it is stopped.
pub(crate) async fn run(args: WitnessArgs) -> Result<ExitCode> {
    let mut logs = BTreeMap::new();
    for text in &args.log {
        let key: NoteKey = text.parse().map_err(|_| {
            let text = crate::terminal::plain(text);
            Mistake(format!(
                "`{text}` is no key of a log; `ledger export --format tlog` prints one"
            ))
        })?;
        logs.insert(key.name().to_owned(), key);
    }
    let data = settings::data_directory(&args.data)?;
    let key = SigningKey::load_or_create(&data.join("keys").join("witness"))?;
    let public = CosignerKey::new(&args.name, key.public())
        .map_err(|_| Mistake(format!("`{}` is no name for a witness", args.name)))?;
    let directory = data.join("witness");
    std::fs::create_dir_all(&directory)
        .with_context(|| format!("making {}", directory.display()))?;
    let witness = Arc::new(Witness {
        name: args.name,
        key,
        logs,
        directory,
        clock: Clock::system(),
        turn: Mutex::new(()),
    });
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("listening at {}", args.listen))?;
    let address = listener.local_addr().context("reading the address")?;
    if let Some(file) = &args.port_file {
        std::fs::write(file, address.port().to_string())
            .with_context(|| format!("writing {}", file.display()))?;
    }
    print(&format!("key      {public}"))?;
    print(&format!("address  http://{address}"))?;
    let shown = public.to_string();
    let pages = Router::new()
        .route("/", get(move || async move { format!("{shown}\n") }))
        .route("/add-checkpoint", post(add_checkpoint))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .with_state(witness);
    axum::serve(listener, pages)
        .with_graceful_shutdown(async {
            // Without a way to be told to stop it serves until it is killed.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        })
        .await
        .context("serving")?;
    Ok(ExitCode::SUCCESS)
}

async fn add_checkpoint(State(witness): State<Arc<Witness>>, body: Bytes) -> Response {
    let answered = tokio::task::spawn_blocking(move || witness.answer(&body)).await;
    match answered {
        Ok(Ok(lines)) => lines.into_response(),
        Ok(Err(refusal)) => refusal.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Why a checkpoint is not cosigned.
#[derive(Debug)]
enum Refusal {
    Malformed(&'static str),
    UnknownLog,
    NotSigned,
    /// It was asked to continue another size than was seen last, or there is another tree of the same size.
    Conflict(u64),
    NotConsistent,
    Broken(anyhow::Error),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Malformed(why) => (StatusCode::BAD_REQUEST, format!("{why}\n")).into_response(),
            Self::UnknownLog => {
                (StatusCode::NOT_FOUND, "no such log is known here\n").into_response()
            }
            Self::NotSigned => {
                (StatusCode::FORBIDDEN, "the log did not sign this\n").into_response()
            }
            Self::Conflict(size) => (
                StatusCode::CONFLICT,
                [(CONTENT_TYPE, SIZE)],
                format!("{size}\n"),
            )
                .into_response(),
            Self::NotConsistent => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "this checkpoint does not continue the one that was seen\n",
            )
                .into_response(),
            Self::Broken(error) => {
                tracing::error!(error = exit::chain(&error), "a checkpoint is not cosigned");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

/// A request, taken apart.
struct Asked<'a> {
    old: u64,
    proof: Vec<Hash>,
    note: &'a str,
}

impl<'a> Asked<'a> {
    fn read(body: &'a [u8]) -> Result<Self, Refusal> {
        let malformed = Refusal::Malformed;
        let text = str::from_utf8(body).map_err(|_| malformed("the request is no text"))?;
        let (head, note) = text
            .split_once("\n\n")
            .ok_or(malformed("the request has no blank line"))?;
        let mut lines = head.split('\n');
        let old = lines
            .next()
            .and_then(|line| line.strip_prefix("old "))
            .and_then(decimal)
            .ok_or(malformed("the first line is not `old` and a size"))?;
        let proof: Option<Vec<Hash>> = lines.map(|line| line.parse().ok()).collect();
        let proof = proof.ok_or(malformed("a line of the proof is no hash"))?;
        if proof.len() > MOST_HASHES {
            return Err(malformed("the proof has more than 63 hashes"));
        }
        Ok(Self { old, proof, note })
    }
}

/// A number in the one way it can be written.
fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

impl Witness {
    /// The lines that cosign a checkpoint, once it is remembered.
    fn answer(&self, body: &[u8]) -> Result<String, Refusal> {
        let asked = Asked::read(body)?;
        let note = Note::parse(asked.note).map_err(|_| Refusal::Malformed("that is no note"))?;
        let checkpoint = Checkpoint::parse(note.text())
            .map_err(|_| Refusal::Malformed("that is no checkpoint"))?;
        let log = self
            .logs
            .get(&checkpoint.origin)
            .ok_or(Refusal::UnknownLog)?;
        note.verify(std::slice::from_ref(log))
            .map_err(|_| Refusal::NotSigned)?;
        if asked.old > checkpoint.size {
            return Err(Refusal::Malformed("the old size is above the new one"));
        }
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let place = seen::place(&self.directory, &checkpoint.origin);
        let seen = Seen::read(&place).map_err(Refusal::Broken)?;
        if seen.size != asked.old {
            return Err(Refusal::Conflict(seen.size));
        }
        if asked.old == checkpoint.size && asked.old > 0 {
            if seen.root != checkpoint.root || !asked.proof.is_empty() {
                return Err(Refusal::Conflict(seen.size));
            }
        } else if asked.old > 0 {
            let old = (seen.size, &seen.root);
            let new = (checkpoint.size, &checkpoint.root);
            verify_consistency(old, new, &asked.proof).map_err(|_| Refusal::NotConsistent)?;
        } else if !asked.proof.is_empty() {
            return Err(Refusal::NotConsistent);
        }
        let now = Seen {
            size: checkpoint.size,
            root: checkpoint.root,
        };
        now.write(&place, &checkpoint.origin)
            .map_err(Refusal::Broken)?;
        let time = u64::try_from(self.clock.now_us() / 1_000_000).unwrap_or(0);
        cosign_note(&self.key, &self.name, &note, time)
            .map_err(|error| Refusal::Broken(error.into()))
    }
}

/// Asks a witness to cosign the newest checkpoint, and keeps what it says.
pub(crate) async fn cosign(args: &CosignArgs) -> Result<ExitCode> {
    let key = witness_key(&args.key)?;
    let ledger = at(&args.ledger).await?;
    let outcome = ask(&ledger, &args.witness, &key).await;
    ledger.close().await?;
    match outcome? {
        Ok(found) => {
            if args.json {
                print_json_pretty(
                    &json!({"witness": key.name(), "size": found.size, "at_us": found.at_us}),
                )?;
            } else {
                print(&format!(
                    "cosigned by {} at {} event(s)",
                    key.name(),
                    found.size
                ))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(why) => {
            if args.json {
                print_json_pretty(&json!({"witness": key.name(), "size": null, "problem": why}))?;
            } else {
                print(&format!("not cosigned by {}: {why}", key.name()))?;
            }
            Ok(ExitCode::from(exit::FAILED))
        }
    }
}

async fn ask(
    ledger: &wayproof_ledger::Ledger,
    witness: &str,
    key: &CosignerKey,
) -> Result<Result<wayproof_ledger::Cosigned, String>> {
    ledger.flush().await.context("writing the ledger")?;
    let url = format!("{}/add-checkpoint", witness.trim_end_matches('/'));
    let mut old = match ledger.cosigned_by(key).await? {
        Ok(found) => found.size,
        Err(_) => 0,
    };
    // A witness that has seen another size tells which, once.
    for is_last in [false, true] {
        let Some(request) = ledger.cosign_request(old).await? else {
            return Ok(Err("the ledger has no checkpoint yet".to_owned()));
        };
        let answer = http::post(&url, &[], request.body)
            .await
            .context("asking the witness")?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        match answer.status {
            200 => {
                let kept = ledger.keep_cosignature(request.size, &text, key).await?;
                return Ok(Ok(kept));
            }
            409 if !is_last && answer.header("content-type") == Some(SIZE) => {
                let size = text.trim_end().parse::<i64>();
                let Some(size) = size.ok().filter(|size| (0..=request.size).contains(size)) else {
                    return Ok(Err(format!(
                        "it has seen {} events of this log, and the ledger has {}: events are gone",
                        crate::terminal::plain(text.trim_end()),
                        request.size
                    )));
                };
                if size == old {
                    return Ok(Err(refusal(409, &text)));
                }
                old = size;
            }
            status => return Ok(Err(refusal(status, &text))),
        }
    }
    Ok(Err("it keeps telling other sizes".to_owned()))
}

/// Why a witness does not cosign, in words.
fn refusal(status: u16, text: &str) -> String {
    let why = match status {
        409 => "it has seen another history of the same length: this one was rewritten",
        422 => "it has seen a history that this one does not continue: this one was rewritten",
        404 => "it does not know this log",
        403 => "it knows this log under another key",
        _ => {
            let text = crate::terminal::plain(text.trim_end());
            return format!("it answered {status}: {text}");
        }
    };
    why.to_owned()
}
