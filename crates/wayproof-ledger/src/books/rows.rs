//! The rows behind the books: every statement, one function each.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Error, Row as _};
use wayproof_engine::{Budget, Subject};

use super::register::{Key, Person, Register};
use super::work::AccountId;
use super::{Account, Balance};
use crate::sealed::{ACCOUNTS, BOOKS, BUDGETS, HOLDERS, HOLDS, PEOPLE, VIRTUAL_KEYS};

/// Waits for the others' turns to end and says which version the books are at.
pub(super) async fn take_turn(connection: &mut AnyConnection) -> Result<i64, Error> {
    sqlx::query_scalar("UPDATE books SET version = version WHERE one = 1 RETURNING version")
        .fetch_one(connection)
        .await
}

pub(super) async fn version(connection: &mut AnyConnection) -> Result<i64, Error> {
    sqlx::query_scalar("SELECT version FROM books WHERE one = 1")
        .fetch_one(connection)
        .await
}

/// Makes everybody look again.
pub(super) async fn new_version(connection: &mut AnyConnection, version: i64) -> Result<(), Error> {
    sqlx::query("UPDATE books SET version = $1, seal = $2 WHERE one = 1")
        .bind(version)
        .bind(BOOKS.seal(&[1.into(), version.into()]))
        .execute(connection)
        .await
        .map(drop)
}

/// Reads everything operators set. A row that cannot be read is told and left out, so that one cannot close the door
/// for all.
pub(super) async fn register(
    connection: &mut AnyConnection,
    version: i64,
) -> Result<Register, Error> {
    let mut register = Register {
        version,
        ..Register::default()
    };
    let keys: Vec<String> = texts(connection, "SELECT body FROM virtual_keys").await?;
    for key in keys.iter().filter_map(|text| read::<Key>(text, "key")) {
        register.keys.insert(key.id.clone(), key);
    }
    let people: Vec<String> = texts(connection, "SELECT body FROM people").await?;
    for person in people
        .iter()
        .filter_map(|text| read::<Person>(text, "person"))
    {
        register.people.insert(person.name.clone(), person);
    }
    let rows = sqlx::query(
        "SELECT subject, period, limit_nano_usd, soft_nano_usd FROM budgets ORDER BY subject, period",
    )
    .fetch_all(connection)
    .await?;
    for row in rows {
        register.budgets.extend(budget(&row)?);
    }
    Ok(register)
}

async fn texts(connection: &mut AnyConnection, sql: &'static str) -> Result<Vec<String>, Error> {
    sqlx::query_scalar(sql).fetch_all(connection).await
}

fn read<T: serde::de::DeserializeOwned>(text: &str, what: &str) -> Option<T> {
    serde_json::from_str(text)
        .inspect_err(|error| tracing::error!(%error, what, "a row of the books cannot be read"))
        .ok()
}

fn budget(row: &AnyRow) -> Result<Option<Budget>, Error> {
    let (subject, period): (String, String) = (row.try_get(0)?, row.try_get(1)?);
    let (Ok(subject), Ok(window)) = (subject.parse(), period.parse()) else {
        tracing::error!(subject, period, "a budget cannot be read");
        return Ok(None);
    };
    Ok(Some(Budget {
        subject,
        window,
        limit_nano_usd: row.try_get(2)?,
        soft_nano_usd: row.try_get(3)?,
    }))
}

pub(super) async fn put_key(connection: &mut AnyConnection, key: &Key) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO virtual_keys (id, name, body, seal) VALUES ($1, $2, $3, $4)
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, body = excluded.body, seal = excluded.seal";
    let body = written(key)?;
    let seal = VIRTUAL_KEYS.seal(&[
        key.id.as_str().into(),
        key.name.as_str().into(),
        body.as_str().into(),
    ]);
    sqlx::query(SQL)
        .bind(&key.id)
        .bind(&key.name)
        .bind(body)
        .bind(seal)
        .execute(connection)
        .await
        .map(drop)
}

pub(super) async fn remove_key(connection: &mut AnyConnection, id: &str) -> Result<(), Error> {
    sqlx::query("DELETE FROM virtual_keys WHERE id = $1")
        .bind(id)
        .execute(connection)
        .await
        .map(drop)
}

pub(super) async fn put_person(
    connection: &mut AnyConnection,
    person: &Person,
) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO people (name, body, seal) VALUES ($1, $2, $3)
        ON CONFLICT (name) DO UPDATE SET body = excluded.body, seal = excluded.seal";
    let body = written(person)?;
    let seal = PEOPLE.seal(&[person.name.as_str().into(), body.as_str().into()]);
    sqlx::query(SQL)
        .bind(&person.name)
        .bind(body)
        .bind(seal)
        .execute(connection)
        .await
        .map(drop)
}

fn written<T: serde::Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Encode(error.into()))
}

pub(super) async fn remove_person(connection: &mut AnyConnection, name: &str) -> Result<(), Error> {
    sqlx::query("DELETE FROM people WHERE name = $1")
        .bind(name)
        .execute(connection)
        .await
        .map(drop)
}

pub(super) async fn put_budget(
    connection: &mut AnyConnection,
    budget: &Budget,
) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO budgets (subject, period, limit_nano_usd, soft_nano_usd, seal)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (subject, period) DO UPDATE SET
        limit_nano_usd = excluded.limit_nano_usd, soft_nano_usd = excluded.soft_nano_usd, seal = excluded.seal";
    let seal = BUDGETS.seal(&[
        budget.subject.to_string().into(),
        budget.window.as_str().into(),
        budget.limit_nano_usd.into(),
        budget.soft_nano_usd.into(),
    ]);
    sqlx::query(SQL)
        .bind(budget.subject.to_string())
        .bind(budget.window.as_str())
        .bind(budget.limit_nano_usd)
        .bind(budget.soft_nano_usd)
        .bind(seal)
        .execute(connection)
        .await
        .map(drop)
}

pub(super) async fn remove_budget(
    connection: &mut AnyConnection,
    subject: &str,
    period: &str,
) -> Result<(), Error> {
    sqlx::query("DELETE FROM budgets WHERE subject = $1 AND period = $2")
        .bind(subject)
        .bind(period)
        .execute(connection)
        .await
        .map(drop)
}

pub(super) async fn balance(
    connection: &mut AnyConnection,
    (subject, span): &AccountId,
) -> Result<Balance, Error> {
    const SQL: &str =
        "SELECT held_nano_usd, spent_nano_usd FROM accounts WHERE subject = $1 AND span = $2";
    let row = sqlx::query(SQL)
        .bind(subject)
        .bind(span)
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else {
        return Ok(Balance::default());
    };
    Ok(Balance {
        held_nano_usd: row.try_get(0)?,
        spent_nano_usd: row.try_get(1)?,
    })
}

pub(super) async fn put_balance(
    connection: &mut AnyConnection,
    (subject, span): &AccountId,
    balance: Balance,
) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO accounts (subject, span, held_nano_usd, spent_nano_usd, seal)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (subject, span) DO UPDATE SET
        held_nano_usd = excluded.held_nano_usd, spent_nano_usd = excluded.spent_nano_usd, seal = excluded.seal";
    let (held, spent) = (balance.held_nano_usd, balance.spent_nano_usd);
    let seal = ACCOUNTS.seal(&[
        subject.as_str().into(),
        span.as_str().into(),
        held.into(),
        spent.into(),
    ]);
    sqlx::query(SQL)
        .bind(subject)
        .bind(span)
        .bind(held)
        .bind(spent)
        .bind(seal)
        .execute(connection)
        .await
        .map(drop)
}

/// The accounts of a subject, latest span first.
pub(super) async fn accounts(
    connection: &mut AnyConnection,
    subject: &str,
    at_most: u32,
) -> Result<Vec<Account>, Error> {
    const SQL: &str = "SELECT span, held_nano_usd, spent_nano_usd FROM accounts
        WHERE subject = $1 ORDER BY span DESC LIMIT $2";
    let rows = sqlx::query(SQL)
        .bind(subject)
        .bind(i64::from(at_most))
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Account {
                subject: subject.to_owned(),
                span: row.try_get(0)?,
                balance: Balance {
                    held_nano_usd: row.try_get(1)?,
                    spent_nano_usd: row.try_get(2)?,
                },
            })
        })
        .collect()
}

/// The accounts of one subject, or of each one of its kind, in one span; those that spent most first.
pub(super) async fn accounts_in(
    connection: &mut AnyConnection,
    subject: &Subject,
    span: &str,
    at_most: u32,
) -> Result<Vec<Account>, Error> {
    const ONE: &str = "SELECT subject, held_nano_usd, spent_nano_usd FROM accounts
        WHERE subject = $1 AND span = $2 ORDER BY spent_nano_usd DESC, subject LIMIT $3";
    const EACH: &str = "SELECT subject, held_nano_usd, spent_nano_usd FROM accounts
        WHERE subject LIKE $1 AND span = $2 ORDER BY spent_nano_usd DESC, subject LIMIT $3";
    let (sql, name) = if subject.is_each() {
        (EACH, format!("{}:%", subject.kind.as_str()))
    } else {
        (ONE, subject.to_string())
    };
    let rows = sqlx::query(sql)
        .bind(name)
        .bind(span)
        .bind(i64::from(at_most))
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Account {
                subject: row.try_get(0)?,
                span: span.to_owned(),
                balance: Balance {
                    held_nano_usd: row.try_get(1)?,
                    spent_nano_usd: row.try_get(2)?,
                },
            })
        })
        .collect()
}

pub(super) async fn put_hold(
    connection: &mut AnyConnection,
    exchange: &str,
    (subject, span): &AccountId,
    amount: i64,
    holder: &str,
) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO holds (exchange, subject, span, amount_nano_usd, holder, seal)
        VALUES ($1, $2, $3, $4, $5, $6)";
    let seal = HOLDS.seal(&[
        exchange.into(),
        subject.as_str().into(),
        span.as_str().into(),
        amount.into(),
        holder.into(),
    ]);
    sqlx::query(SQL)
        .bind(exchange)
        .bind(subject)
        .bind(span)
        .bind(amount)
        .bind(holder)
        .bind(seal)
        .execute(connection)
        .await
        .map(drop)
}

/// Takes a hold away; `false` if it was not there any more.
pub(super) async fn remove_hold(
    connection: &mut AnyConnection,
    exchange: &str,
    (subject, span): &AccountId,
) -> Result<bool, Error> {
    let removed =
        sqlx::query("DELETE FROM holds WHERE exchange = $1 AND subject = $2 AND span = $3")
            .bind(exchange)
            .bind(subject)
            .bind(span)
            .execute(connection)
            .await?;
    Ok(removed.rows_affected() > 0)
}

/// One account's part of what an exchange holds.
pub(super) struct HoldRow {
    pub(super) exchange: String,
    pub(super) account: AccountId,
    pub(super) amount: i64,
}

pub(super) async fn holds_of(
    connection: &mut AnyConnection,
    holder: &str,
) -> Result<Vec<HoldRow>, Error> {
    const SQL: &str =
        "SELECT exchange, subject, span, amount_nano_usd FROM holds WHERE holder = $1";
    let rows = sqlx::query(SQL).bind(holder).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(HoldRow {
                exchange: row.try_get(0)?,
                account: (row.try_get(1)?, row.try_get(2)?),
                amount: row.try_get(3)?,
            })
        })
        .collect()
}

pub(super) async fn sign_of_life(
    connection: &mut AnyConnection,
    holder: &str,
    now_us: i64,
) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO holders (id, seen_us, seal) VALUES ($1, $2, $3)
        ON CONFLICT (id) DO UPDATE SET seen_us = excluded.seen_us, seal = excluded.seal";
    sqlx::query(SQL)
        .bind(holder)
        .bind(now_us)
        .bind(HOLDERS.seal(&[holder.into(), now_us.into()]))
        .execute(connection)
        .await
        .map(drop)
}

pub(super) async fn forget_holder(
    connection: &mut AnyConnection,
    holder: &str,
) -> Result<(), Error> {
    sqlx::query("DELETE FROM holders WHERE id = $1")
        .bind(holder)
        .execute(connection)
        .await
        .map(drop)
}

/// Others that hold something and gave no sign of life since a moment, with their last one.
pub(super) async fn silent_holders(
    connection: &mut AnyConnection,
    but: &str,
    since_us: i64,
) -> Result<Vec<(String, Option<i64>)>, Error> {
    const SQL: &str = "SELECT DISTINCT holds.holder, holders.seen_us FROM holds
        LEFT JOIN holders ON holders.id = holds.holder
        WHERE holds.holder <> $1 AND (holders.seen_us IS NULL OR holders.seen_us < $2)";
    let rows = sqlx::query(SQL)
        .bind(but)
        .bind(since_us)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect()
}

/// What an exchange cost beside what a subscription paid for, if the ledger has its end and its price.
pub(super) async fn known_cost(
    connection: &mut AnyConnection,
    exchange: &str,
) -> Result<Option<i64>, Error> {
    const SQL: &str = "SELECT listed_nano_usd - COALESCE(subscription_nano_usd, 0) FROM exchanges WHERE id = $1 AND settled_seq IS NOT NULL";
    let cost: Option<Option<i64>> = sqlx::query_scalar(SQL)
        .bind(exchange)
        .fetch_optional(connection)
        .await?;
    Ok(cost.flatten())
}
