//! Cosignatures of witnesses (c2sp.org/tlog-cosignature): somebody else saw this checkpoint, and every earlier one they
//! cosigned is of the same history. They are lines of the checkpoint's note, beside the log's own signature.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sqlx::{Connection as _, Row as _};
use wayproof_receipt::log::{Hash, Note, NoteSignature, consistency_plan};
use wayproof_receipt::{PublicKey, SigningKey, sha256_hex};

use crate::error::LedgerError;
use crate::ledger::Ledger;
use crate::log_row::Log;
use crate::sealed::CHECKPOINTS;

/// The signature type of a timestamped Ed25519 cosignature.
const COSIGNATURE: u8 = 4;

/// Why a text is no cosignature or no witness's key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CosignError {
    /// The text is not `<name>+<key id>+<base64>` of a witness.
    #[error("expected a witness key `<name>+<key id>+<base64>` whose key id fits")]
    Key,
    /// A line that is no cosignature of this witness over this checkpoint.
    #[error("the cosignature does not fit the checkpoint")]
    Line,
}

/// A witness's name and key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignerKey {
    name: String,
    key: PublicKey,
}

impl CosignerKey {
    /// Names a key; a name is not empty and has neither spaces nor a plus sign.
    pub fn new(name: &str, key: PublicKey) -> Result<Self, CosignError> {
        let is_bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if name.is_empty() || name.contains(is_bad) {
            return Err(CosignError::Key);
        }
        Ok(Self {
            name: name.to_owned(),
            key,
        })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> u32 {
        let mut text = format!("{}\n", self.name).into_bytes();
        text.push(COSIGNATURE);
        text.extend_from_slice(self.key.as_bytes());
        let digest = sha256_hex(&text);
        u32::from_str_radix(digest.get(..8).unwrap_or_default(), 16).unwrap_or(0)
    }

    /// When this witness cosigned the note, in seconds; `None` where it has no line of it.
    pub fn time_of(&self, note: &Note) -> Result<Option<u64>, CosignError> {
        let mut newest = None;
        let ours = note
            .signatures()
            .iter()
            .filter(|line| line.name == self.name && line.id == self.id());
        for line in ours {
            let (time, signature) = line
                .bytes
                .split_first_chunk::<8>()
                .ok_or(CosignError::Line)?;
            let time = u64::from_be_bytes(*time);
            let signature = <&[u8; 64]>::try_from(signature).map_err(|_| CosignError::Line)?;
            if !self.key.verifies(&signed(time, note.text()), signature) {
                return Err(CosignError::Line);
            }
            newest = newest.max(Some(time));
        }
        Ok(newest)
    }
}

impl fmt::Display for CosignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut typed = vec![COSIGNATURE];
        typed.extend_from_slice(self.key.as_bytes());
        let encoded = STANDARD.encode(typed);
        write!(f, "{}+{:08x}+{encoded}", self.name, self.id())
    }
}

impl FromStr for CosignerKey {
    type Err = CosignError;

    fn from_str(text: &str) -> Result<Self, CosignError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(encoded)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(CosignError::Key);
        };
        let typed = STANDARD.decode(encoded).map_err(|_| CosignError::Key)?;
        let Some((&COSIGNATURE, bytes)) = typed.split_first() else {
            return Err(CosignError::Key);
        };
        let bytes = bytes.try_into().map_err(|_| CosignError::Key)?;
        let key = PublicKey::from_bytes(&bytes).map_err(|_| CosignError::Key)?;
        let key = Self::new(name, key)?;
        if format!("{:08x}", key.id()) == id {
            Ok(key)
        } else {
            Err(CosignError::Key)
        }
    }
}

/// What a witness signs: the time and the checkpoint.
fn signed(time: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}

/// A witness's line over a checkpoint, with its newline.
pub fn cosign(key: &SigningKey, name: &str, note: &Note, time: u64) -> Result<String, CosignError> {
    let witness = CosignerKey::new(name, key.public())?;
    let mut bytes = witness.id().to_be_bytes().to_vec();
    bytes.extend(time.to_be_bytes());
    bytes.extend(key.sign(&signed(time, note.text())));
    Ok(format!("— {name} {}\n", STANDARD.encode(bytes)))
}

/// The newest checkpoint that a witness stands by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Cosigned {
    /// Events it covers.
    pub size: i64,
    /// When the witness cosigned it, in microseconds since 1970.
    pub at_us: i64,
}

/// What a witness is asked to cosign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignRequest {
    /// Events of the checkpoint.
    pub size: i64,
    /// The request as c2sp.org/tlog-witness has it.
    pub body: String,
}

impl Ledger {
    /// What a witness stands by; else why it stands by nothing. A verification of the ledger shows that the
    /// checkpoint itself is of this history.
    pub async fn cosigned_by(
        &self,
        witness: &CosignerKey,
    ) -> Result<Result<Cosigned, String>, LedgerError> {
        const SQL: &str = "SELECT size, note FROM checkpoints WHERE size < $1 AND note LIKE $2
            ORDER BY size DESC LIMIT 256";
        let failed = || self.0.store.failed("read");
        let mut below = i64::MAX;
        let mut newest = None;
        loop {
            let rows = sqlx::query(SQL)
                .bind(below)
                .bind(format!("%— {} %", witness.name))
                .fetch_all(&self.0.readers)
                .await
                .map_err(failed())?;
            for row in &rows {
                below = row.try_get(0).map_err(failed())?;
                let note: String = row.try_get(1).map_err(failed())?;
                let time = Note::parse(&note)
                    .map_err(|error| error.to_string())
                    .and_then(|note| witness.time_of(&note).map_err(|error| error.to_string()));
                match time {
                    Err(why) => return Ok(Err(format!("at {below} events {why}"))),
                    Ok(Some(time)) if newest.is_none() => {
                        let at_us = i64::try_from(time).unwrap_or(i64::MAX);
                        newest = Some(Cosigned {
                            size: below,
                            at_us: at_us.saturating_mul(1_000_000),
                        });
                    }
                    Ok(_) => {}
                }
            }
            if rows.is_empty() {
                let nothing = || "it has cosigned no checkpoint of this ledger".to_owned();
                return Ok(newest.ok_or_else(nothing));
            }
        }
    }

    /// What to ask a witness that has seen `old` events: its newest checkpoint with the proof that it only grew.
    pub async fn cosign_request(&self, old: i64) -> Result<Option<CosignRequest>, LedgerError> {
        const SQL: &str = "SELECT size, note FROM checkpoints ORDER BY size DESC LIMIT 1";
        let failed = || self.0.store.failed("read");
        let row = sqlx::query(SQL)
            .fetch_optional(&self.0.readers)
            .await
            .map_err(failed())?;
        let Some(row) = row else { return Ok(None) };
        let size: i64 = row.try_get(0).map_err(failed())?;
        let note: String = row.try_get(1).map_err(failed())?;
        if old > size {
            let why =
                format!("the witness has seen {old} events, and the newest checkpoint has {size}");
            return Err(LedgerError::Refused(why));
        }
        let mut body = format!("old {old}\n");
        if old > 0 && old < size {
            for hash in self.consistency_proof(old, size).await? {
                body.push_str(&hash.to_string());
                body.push('\n');
            }
        }
        body.push('\n');
        // The log's own signature is all a witness needs.
        body.push_str(&note);
        Ok(Some(CosignRequest { size, body }))
    }

    async fn consistency_proof(&self, old: i64, size: i64) -> Result<Vec<Hash>, LedgerError> {
        let contradicts = |why: String| LedgerError::Inconsistent(why);
        let of = |count: i64| u64::try_from(count).unwrap_or(0);
        let plan =
            consistency_plan(of(old), of(size)).map_err(|error| contradicts(error.to_string()))?;
        let mut connection = self
            .0
            .readers
            .acquire()
            .await
            .map_err(self.0.store.failed("read"))?;
        let mut hashes = std::collections::BTreeMap::new();
        for node in plan.nodes() {
            hashes.insert(node, self.node(&mut connection, node, of(size)).await?);
        }
        plan.assemble(&|node| hashes.get(&node).copied())
            .map_err(|error| contradicts(error.to_string()))
    }

    /// Keeps a witness's lines with the checkpoint they are over, once they fit it.
    pub async fn keep_cosignature(
        &self,
        size: i64,
        lines: &str,
        witness: &CosignerKey,
    ) -> Result<Cosigned, LedgerError> {
        const READ: &str = "SELECT at_us, note FROM checkpoints WHERE size = $1";
        const WRITE: &str = "UPDATE checkpoints SET note = $1, seal = $2 WHERE size = $3";
        let store = &self.0.store;
        let failed = || store.failed("write to");
        let unfit = |why: &str| LedgerError::Refused(format!("the witness's answer {why}"));
        let mut connection = store.connect().await?;
        let begun = connection.begin_with(store.begin()).await;
        let mut transaction = begun.map_err(failed())?;
        Log::lock(&mut transaction, store).await?;
        let row = sqlx::query(READ)
            .bind(size)
            .fetch_one(&mut *transaction)
            .await
            .map_err(failed())?;
        let at_us: i64 = row.try_get(0).map_err(failed())?;
        let note: String = row.try_get(1).map_err(failed())?;
        let answer = Note::parse(&format!("{}\n{lines}", text_of(&note)))
            .map_err(|_| unfit("is no cosignature"))?;
        let time = witness.time_of(&answer);
        let time = time.map_err(|_| unfit("does not fit the checkpoint"))?;
        let time = time.ok_or_else(|| unfit("is not of the key that was given"))?;
        let line = line_of(&answer, witness).ok_or_else(|| unfit("is no cosignature"))?;
        let kept = with_line(&note, witness, &line);
        let seal = CHECKPOINTS.seal(&[size.into(), at_us.into(), kept.as_str().into()]);
        sqlx::query(WRITE)
            .bind(kept)
            .bind(seal)
            .bind(size)
            .execute(&mut *transaction)
            .await
            .map_err(failed())?;
        transaction.commit().await.map_err(failed())?;
        connection.close().await.map_err(store.failed("close"))?;
        let at_us = i64::try_from(time).unwrap_or(i64::MAX);
        Ok(Cosigned {
            size,
            at_us: at_us.saturating_mul(1_000_000),
        })
    }
}

/// The text of a note, without its signatures.
fn text_of(note: &str) -> &str {
    note.rsplit_once("\n\n")
        .map_or(note, |(text, _)| note.get(..=text.len()).unwrap_or(note))
}

fn line_of(note: &Note, witness: &CosignerKey) -> Option<String> {
    let ours = |line: &&NoteSignature| line.name == witness.name && line.id == witness.id();
    let line = note.signatures().iter().rfind(ours)?;
    let mut bytes = line.id.to_be_bytes().to_vec();
    bytes.extend_from_slice(&line.bytes);
    Some(format!("— {} {}\n", line.name, STANDARD.encode(bytes)))
}

/// The note with one more line; an earlier one of the same witness goes.
fn with_line(note: &str, witness: &CosignerKey, line: &str) -> String {
    let earlier = format!("— {} ", witness.name);
    let kept = note
        .split_inclusive('\n')
        .filter(|kept| !kept.starts_with(&earlier));
    let mut kept: String = kept.collect();
    kept.push_str(line);
    kept
}
