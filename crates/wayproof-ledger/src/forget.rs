//! Takes the words of a conversation, or the name of a person, out of a ledger whose log stays provable.
//!
//! Events get another text, the hash of the one they had stays in the tree, and what was captured goes. An event of the
//! log names the list of what was replaced, so a verification tells a deletion from damage.

mod rewrite;

use std::collections::BTreeSet;

use serde::Serialize;
use sqlx::any::AnyArguments;
use sqlx::{AnyConnection, Arguments as _, AssertSqlSafe, Connection as _, Row as _};
use uuid::Uuid;
use wayproof_receipt::sha256_hex;

use self::rewrite::Rewrite;
use crate::error::LedgerError;
use crate::event::{Event, EventBody};
use crate::fold::read_event;
use crate::forgotten::{List, Replaced};
use crate::ledger::{About, Ledger};
use crate::log_row::Log;
use crate::privacy_event::SubjectForgotten;
use crate::project::Projection;
use crate::table::{Cell, Row, Table};
use crate::verify::{Report, read_pruned};

/// Events looked at at a time.
const PAGE: i64 = 1024;

/// Who or what is to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A conversation of an agent, with those it started.
    Session(String),
    /// A person, by name.
    Person(String),
}

/// What a deletion did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Forgotten {
    /// Events that get another text.
    pub events: i64,
    /// Captured bodies and receipts that go.
    pub contents: i64,
    /// Keys that are revoked and lose their name.
    pub keys: i64,
    /// Whether something of the subject may be in the state that is kept in the place of pruned events, which stays.
    pub is_in_pruned: bool,
    /// What a verification found afterwards; absent if nothing was taken out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
}

impl Forgotten {
    /// Whether the ledger holds nothing of the subject.
    pub const fn is_nothing(&self) -> bool {
        self.events == 0 && self.contents == 0 && self.keys == 0 && !self.is_in_pruned
    }
}

/// What is to be replaced and taken out.
#[derive(Default)]
struct Plan {
    /// Places with the text that is there and the one that will be.
    texts: Vec<(i64, String, String)>,
    contents: BTreeSet<String>,
    is_in_pruned: bool,
}

impl Ledger {
    /// What forgetting a subject would take out.
    pub async fn would_forget(&self, subject: &Subject) -> Result<Forgotten, LedgerError> {
        self.flush().await?;
        let mut connection = self.0.store.connect().await?;
        let planned = self.plan(&mut connection, subject, "forgotten").await;
        connection
            .close()
            .await
            .map_err(self.0.store.failed("close"))?;
        let plan = planned?;
        Ok(Forgotten {
            keys: self.keys_of(subject).await?,
            ..told(&plan)
        })
    }

    /// Forgets a subject, and verifies the ledger.
    pub async fn forget(&self, subject: &Subject) -> Result<Forgotten, LedgerError> {
        self.flush().await?;
        let salt = Uuid::now_v7();
        let name = format!("forgotten-{:08x}", salt.as_u128() & 0xffff_ffff);
        let keys = self.forget_books(subject, &name).await?;
        let store = &self.0.store;
        let mut connection = store.connect().await?;
        let done = self
            .forget_on(&mut connection, subject, (salt, &name))
            .await;
        connection.close().await.map_err(store.failed("close"))?;
        let mut forgotten = done?;
        forgotten.keys = keys;
        if !forgotten.is_nothing() {
            self.flush().await?;
            forgotten.report = Some(self.verify().await?);
        }
        Ok(forgotten)
    }

    async fn forget_on(
        &self,
        connection: &mut AnyConnection,
        subject: &Subject,
        (salt, name): (Uuid, &str),
    ) -> Result<Forgotten, LedgerError> {
        let plan = self.plan(connection, subject, name).await?;
        let forgotten = told(&plan);
        if plan.texts.is_empty() && plan.contents.is_empty() {
            return Ok(forgotten);
        }
        let digest_of =
            |(seq, _, text): &(i64, String, String)| (*seq, sha256_hex(text.as_bytes()));
        let list = List {
            v: 1,
            salt,
            events: plan.texts.iter().map(digest_of).collect(),
            contents: plan.contents.clone(),
        };
        let list = serde_json::to_string(&list)
            .map_err(|error| LedgerError::Inconsistent(error.to_string()))?;
        let list_digest = self.keep(&list).await?;
        // The log says it first: without the event no text may differ, and with it each may be as it was, too.
        let event = EventBody::SubjectForgotten(SubjectForgotten {
            subject: subject.kind().to_owned(),
            list_digest,
            events: forgotten.events,
            contents: forgotten.contents,
        });
        self.append(&self.event(About::default(), event)).await?;
        self.flush().await?;
        self.replace(connection, &plan).await?;
        Ok(forgotten)
    }

    /// Finds the events of a subject and makes their new texts.
    async fn plan(
        &self,
        connection: &mut AnyConnection,
        subject: &Subject,
        name: &str,
    ) -> Result<Plan, LedgerError> {
        const SQL: &str = "SELECT seq, body FROM events WHERE seq >= $1 ORDER BY seq LIMIT $2";
        let failed = || self.0.store.failed("read");
        let rewrite = self.rewrite(connection, subject, name).await?;
        let mut plan = Plan::default();
        let mut at = 0;
        if let Some(pruned) = read_pruned(connection).await.map_err(failed())? {
            let kept = self.kept(&pruned.snapshot_digest).await?;
            plan.is_in_pruned = kept.is_some_and(|kept| rewrite.may_be_in(&kept));
            at = pruned.before;
        }
        loop {
            let rows = sqlx::query(SQL)
                .bind(at)
                .bind(PAGE)
                .fetch_all(&mut *connection)
                .await;
            let rows = rows.map_err(failed())?;
            for row in &rows {
                let seq: i64 = row.try_get(0).map_err(failed())?;
                let text: String = row.try_get(1).map_err(failed())?;
                at = seq + 1;
                self.plan_event(&rewrite, (seq, text), &mut plan).await?;
            }
            if rows.is_empty() {
                return Ok(plan);
            }
        }
    }

    async fn plan_event(
        &self,
        rewrite: &Rewrite,
        (seq, text): (i64, String),
        plan: &mut Plan,
    ) -> Result<(), LedgerError> {
        let Some(event) = read_event(&text) else {
            return Ok(());
        };
        match &event.body {
            EventBody::ContentCaptured(captured) if rewrite.is_theirs(&event, captured) => {
                let kept = self.kept(&captured.content_digest).await?;
                let digest = kept.map(|_| captured.content_digest.clone());
                plan.contents.extend(digest);
            }
            EventBody::ReceiptIssued(issued) if rewrite.is_person() => {
                let kept = self.kept(&issued.receipt_digest).await?;
                if kept.is_some_and(|kept| rewrite.is_in_receipt(&kept)) {
                    plan.contents.insert(issued.receipt_digest.clone());
                }
            }
            _ => {}
        }
        if let Some(new) = rewrite.text(&event, &text) {
            plan.texts.push((seq, text, new));
        }
        Ok(())
    }

    async fn rewrite(
        &self,
        connection: &mut AnyConnection,
        subject: &Subject,
        name: &str,
    ) -> Result<Rewrite, LedgerError> {
        let id = match subject {
            Subject::Person(person) => return Ok(Rewrite::person(person, name)),
            Subject::Session(id) => id,
        };
        let (mut sessions, mut jobs) = (BTreeSet::new(), BTreeSet::new());
        let mut found = vec![id.clone()];
        while let Some(id) = found.pop() {
            if !sessions.insert(id.clone()) {
                continue;
            }
            found.extend(
                self.names(connection, "SELECT id FROM sessions WHERE parent = $1", &id)
                    .await?,
            );
            jobs.extend(
                self.names(connection, "SELECT id FROM jobs WHERE session = $1", &id)
                    .await?,
            );
        }
        Ok(Rewrite::sessions(sessions, jobs))
    }

    async fn names(
        &self,
        connection: &mut AnyConnection,
        sql: &'static str,
        id: &str,
    ) -> Result<Vec<String>, LedgerError> {
        sqlx::query_scalar(sql)
            .bind(id.to_owned())
            .fetch_all(connection)
            .await
            .map_err(self.0.store.failed("read"))
    }

    /// Puts the new texts in, brings the projections along, and takes contents out, all at once.
    async fn replace(
        &self,
        connection: &mut AnyConnection,
        plan: &Plan,
    ) -> Result<(), LedgerError> {
        let store = &self.0.store;
        let failed = || store.failed("write to");
        let begun = connection.begin_with(store.begin()).await;
        let mut transaction = begun.map_err(failed())?;
        Log::lock(&mut transaction, store).await?;
        for (seq, old, new) in &plan.texts {
            let changed = sqlx::query("UPDATE events SET body = $1 WHERE seq = $2 AND body = $3")
                .bind(new.clone())
                .bind(*seq)
                .bind(old.clone())
                .execute(&mut *transaction)
                .await
                .map_err(failed())?;
            if changed.rows_affected() != 1 {
                let why = "somebody else changed the ledger meanwhile; try it again";
                return Err(LedgerError::Refused(why.to_owned()));
            }
            let (Some(old), Some(new)) = (read_event(old), read_event(new)) else {
                continue;
            };
            bring_along(&mut transaction, *seq, &old, &new)
                .await
                .map_err(failed())?;
        }
        for digest in &plan.contents {
            sqlx::query("DELETE FROM contents WHERE digest = $1")
                .bind(digest.clone())
                .execute(&mut *transaction)
                .await
                .map_err(failed())?;
        }
        transaction.commit().await.map_err(failed())?;
        store.scrub(connection).await.map_err(failed())
    }

    async fn keys_of(&self, subject: &Subject) -> Result<i64, LedgerError> {
        let Subject::Person(person) = subject else {
            return Ok(0);
        };
        let register = self.books().fresh(-1).await?;
        let keys = register.keys.values();
        let theirs = keys.filter(|key| key.person.as_deref() == Some(person));
        Ok(i64::try_from(theirs.count()).unwrap_or(i64::MAX))
    }

    /// Takes a person out of what operators set: keys are revoked and lose their name, budgets of the person end.
    async fn forget_books(&self, subject: &Subject, name: &str) -> Result<i64, LedgerError> {
        let Subject::Person(person) = subject else {
            return Ok(0);
        };
        let books = self.books();
        let register = books.fresh(-1).await?;
        let mut keys = 0;
        for key in register.keys.values() {
            if key.person.as_deref() != Some(person.as_str()) {
                continue;
            }
            let mut key = key.clone();
            key.name = format!("{name}-{}", key.id);
            key.person = None;
            key.former = None;
            key.revoked_us = key.revoked_us.or_else(|| Some(self.clock().now_us()));
            books.put_key(key).await?;
            keys += 1;
        }
        for budget in &register.budgets {
            if budget.subject.to_string() == format!("person:{person}") {
                books.remove_budget(&budget.subject, budget.window).await?;
            }
        }
        if register.people.contains_key(person) {
            books.remove_person(person).await?;
        }
        let mut connection = self.0.store.connect().await?;
        let gone = sqlx::query(
            "DELETE FROM accounts WHERE subject = $1 AND NOT EXISTS
                (SELECT 1 FROM holds WHERE holds.subject = accounts.subject AND holds.span = accounts.span)",
        )
        .bind(format!("person:{person}"))
        .execute(&mut connection)
        .await;
        gone.map_err(self.0.store.failed("write to"))?;
        connection
            .close()
            .await
            .map_err(self.0.store.failed("close"))?;
        Ok(keys)
    }
}

impl Subject {
    /// Whether a receipt names whoever is to be forgotten; receipts hold no words of conversations.
    pub fn is_in_receipt(&self, receipt: &str) -> bool {
        match self {
            Self::Session(_) => false,
            Self::Person(person) => Rewrite::person(person, "").is_in_receipt(receipt),
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Session(_) => "session",
            Self::Person(_) => "person",
        }
    }
}

fn told(plan: &Plan) -> Forgotten {
    Forgotten {
        events: i64::try_from(plan.texts.len()).unwrap_or(i64::MAX),
        contents: i64::try_from(plan.contents.len()).unwrap_or(i64::MAX),
        is_in_pruned: plan.is_in_pruned,
        ..Forgotten::default()
    }
}

/// Rows that were made from the old text get what the new one would have made.
async fn bring_along(
    connection: &mut AnyConnection,
    seq: i64,
    old: &Event,
    new: &Event,
) -> Result<(), sqlx::Error> {
    let (mut before, mut after) = (Projection::new(), Projection::new());
    before.absorb(seq, old);
    after.absorb(seq, new);
    for (before, after) in before.tables().into_iter().zip(after.tables()) {
        for (old, new) in before.rows.values().zip(after.rows.values()) {
            update(connection, before.table, old, new).await?;
        }
    }
    Ok(())
}

async fn update(
    connection: &mut AnyConnection,
    table: &Table,
    old: &Row,
    new: &Row,
) -> Result<(), sqlx::Error> {
    let mut arguments = AnyArguments::default();
    let (mut sets, mut at) = (Vec::new(), 0);
    let mut place = || {
        at += 1;
        format!("${at}")
    };
    for (column, (old, new)) in table.columns.iter().zip(old.iter().zip(new)) {
        let (Cell::Text(old), Cell::Text(new)) = (old, new) else {
            continue;
        };
        if old != new {
            let name = column.name;
            // Another event may have said it first or last; then this one does not count.
            sets.push(format!(
                "{name} = CASE WHEN {name} = {} THEN {} ELSE {name} END",
                place(),
                place()
            ));
            arguments.add(old.clone()).map_err(sqlx::Error::Encode)?;
            arguments.add(new.clone()).map_err(sqlx::Error::Encode)?;
        }
    }
    if sets.is_empty() {
        return Ok(());
    }
    let key = if table.key.is_empty() {
        "seq"
    } else {
        table.key
    };
    let mut wanted = Vec::new();
    for name in key.split(", ") {
        let cell = table
            .columns
            .iter()
            .position(|column| column.name == name)
            .and_then(|at| old.get(at));
        match cell {
            Some(Cell::Int(value)) => arguments.add(*value).map_err(sqlx::Error::Encode)?,
            Some(Cell::Text(value)) => arguments.add(value.clone()).map_err(sqlx::Error::Encode)?,
            Some(Cell::Null) | None => return Ok(()),
        }
        wanted.push(format!("{name} = {}", place()));
    }
    let sql = format!(
        "UPDATE {} SET {} WHERE {}",
        table.name,
        sets.join(", "),
        wanted.join(" AND ")
    );
    sqlx::query_with(AssertSqlSafe(sql), arguments)
        .execute(connection)
        .await
        .map(drop)
}

impl Ledger {
    /// Which events have another text than the one they are hashed by.
    pub(crate) async fn replaced(&self) -> Result<Replaced, LedgerError> {
        let failed = || self.0.store.failed("read");
        let mut connection = self.0.readers.acquire().await.map_err(failed())?;
        Replaced::read(&mut connection).await.map_err(failed())
    }
}
