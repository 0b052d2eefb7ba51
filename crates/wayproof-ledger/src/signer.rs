//! The one key that signs a log, whoever shares it: claimed once, and exchanged only by an operator.
//!
//! Anybody who may write to the database can add events; only who has the key can say that the log was so. Which key
//! it is stands in the log's row, so that a gateway with another one is told before it writes. That row proves nothing:
//! verification trusts the key it is given.

use sqlx::{AnyConnection, Connection as _, Row as _};
use wayproof_receipt::log::{Checkpoint, Note, NoteKey};
use wayproof_receipt::{PublicKey, SigningKey};

use crate::error::LedgerError;
use crate::event::{BooksChanged, EventBody};
use crate::ledger::{About, Ledger};
use crate::log_row::Log;
use crate::sealed::CHECKPOINTS;
use crate::store::Store;
use crate::verify::{Against, Report, verify};

/// Checkpoints signed anew at a time.
const PAGE: i64 = 256;

/// Whether somebody takes a log that nobody signs yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    Yes,
    No,
}

/// Says whether a key is the log's, and makes it so where the log has none and it is to be claimed.
pub(crate) async fn is_signer(
    connection: &mut AnyConnection,
    store: &Store,
    key: &PublicKey,
    claim: Claim,
) -> Result<bool, LedgerError> {
    let failed = || store.failed("set up");
    let log = Log::load(connection, store).await?;
    if log.signer.is_some() || claim == Claim::No {
        return Ok(log.signer == Some(*key));
    }
    let mut transaction = connection
        .begin_with(store.begin())
        .await
        .map_err(failed())?;
    let mut log = Log::lock(&mut transaction, store).await?;
    if log.signer.is_none() && signed_newest(&mut transaction, &log, key, store).await? {
        log.signer = Some(*key);
        log.save(&mut transaction).await.map_err(failed())?;
    }
    transaction.commit().await.map_err(failed())?;
    Ok(log.signer == Some(*key))
}

/// Says that a ledger has another key.
pub(crate) async fn refused(
    connection: &mut AnyConnection,
    store: &Store,
    given: &PublicKey,
) -> LedgerError {
    let signer = match Log::load(connection, store).await {
        Ok(log) => log.signer,
        Err(error) => return error,
    };
    let unnamed = || "of its newest checkpoint".to_owned();
    LedgerError::OtherSigner {
        place: store.place(),
        signer: signer.map_or_else(unnamed, |signer| signer.to_string()),
        given: given.to_string(),
    }
}

/// A ledger of an earlier version does not name its key, but its newest checkpoint shows it.
async fn signed_newest(
    connection: &mut AnyConnection,
    log: &Log,
    key: &PublicKey,
    store: &Store,
) -> Result<bool, LedgerError> {
    const SQL: &str = "SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1";
    let newest: Option<String> = sqlx::query_scalar(SQL)
        .fetch_optional(connection)
        .await
        .map_err(store.failed("read"))?;
    let Some(note) = newest else { return Ok(true) };
    let key = NoteKey::new(&log.origin, *key);
    Ok(key.is_ok_and(|key| Checkpoint::open(&note, &key).is_ok()))
}

impl Ledger {
    /// Makes a key the log's: every checkpoint is signed with it anew, once the ledger is found whole. Cosignatures of
    /// witnesses stay, since what they signed is the same. A broken ledger is left as it is.
    ///
    /// Signatures that are there have to fit the key that the log names, unless they are given up.
    pub async fn rekey(
        &self,
        key: &SigningKey,
        by: Option<String>,
        former: Former,
    ) -> Result<Report, LedgerError> {
        self.flush().await?;
        let store = &self.0.store;
        let against = match former {
            Former::Checked => Against::Record,
            Former::GivenUp => Against::Nothing,
        };
        let found = verify(store, against, &|_, _| {}).await?;
        if !found.is_whole() {
            return Ok(found);
        }
        let event = EventBody::BooksChanged(BooksChanged {
            change: "log-key-set".to_owned(),
            subject: key.public().to_string(),
            detail: found.signer.map(|signer| format!("it was {signer}")),
            by,
        });
        self.append(&self.event(About::default(), event)).await?;
        self.flush().await?;
        let mut connection = store.connect().await?;
        sign_anew(&mut connection, store, key).await?;
        connection.close().await.map_err(store.failed("close"))?;
        self.verify_with(Some(&key.public())).await
    }
}

/// What becomes of the signatures that a new key replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Former {
    /// They have to be good.
    Checked,
    /// Nobody can say whether they are.
    GivenUp,
}

async fn sign_anew(
    connection: &mut AnyConnection,
    store: &Store,
    key: &SigningKey,
) -> Result<(), LedgerError> {
    const READ: &str =
        "SELECT size, at_us, note FROM checkpoints WHERE size > $1 ORDER BY size LIMIT $2";
    const WRITE: &str = "UPDATE checkpoints SET note = $1, seal = $2 WHERE size = $3";
    let failed = || store.failed("write to");
    let mut transaction = connection
        .begin_with(store.begin())
        .await
        .map_err(failed())?;
    let mut log = Log::lock(&mut transaction, store).await?;
    let mut after = 0;
    loop {
        let rows = sqlx::query(READ)
            .bind(after)
            .bind(PAGE)
            .fetch_all(&mut *transaction)
            .await
            .map_err(failed())?;
        for row in &rows {
            after = row.try_get(0).map_err(failed())?;
            let at_us: i64 = row.try_get(1).map_err(failed())?;
            let note: String = row.try_get(2).map_err(failed())?;
            let note = signed_by(key, &note)?;
            let seal = CHECKPOINTS.seal(&[after.into(), at_us.into(), note.as_str().into()]);
            sqlx::query(WRITE)
                .bind(note)
                .bind(seal)
                .bind(after)
                .execute(&mut *transaction)
                .await
                .map_err(failed())?;
        }
        if rows.is_empty() {
            break;
        }
    }
    log.signer = Some(key.public());
    log.save(&mut transaction).await.map_err(failed())?;
    transaction.commit().await.map_err(failed())
}

/// The note with this key's signature in the place of the log's own.
fn signed_by(key: &SigningKey, note: &str) -> Result<String, LedgerError> {
    let unfit = |why: String| LedgerError::Inconsistent(why);
    let parsed = Note::parse(note).map_err(|error| unfit(error.to_string()))?;
    let checkpoint = Checkpoint::parse(parsed.text()).map_err(|error| unfit(error.to_string()))?;
    let signed = checkpoint
        .sign(key)
        .map_err(|error| unfit(error.to_string()))?;
    let own = format!("— {} ", checkpoint.origin);
    let lines = note.rsplit_once("\n\n").map_or("", |(_, lines)| lines);
    let of_others = lines
        .split_inclusive('\n')
        .filter(|line| !line.starts_with(&own));
    let mut text = signed.to_string();
    text.extend(of_others);
    Ok(text)
}
