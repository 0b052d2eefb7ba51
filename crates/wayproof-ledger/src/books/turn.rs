//! One transaction over the books: edits, settlements, the dead, holds, and the balances they leave.
//!
//! Processes that share a ledger take turns from its first statement on, so what it reads is what holds until it ends.

use std::collections::BTreeSet;
use std::sync::Arc;

use sqlx::{AnyConnection, Connection as _};

use super::work::{AccountId, Draw, Edit, Held, Hold, Ledgered, Overdrawn, draws_of};
use super::{Register, rows};
use crate::clock::Clock;
use crate::error::LedgerError;
use crate::store::Store;

/// A holder that was silent for so long may be dead.
const SILENCE_US: i64 = 30_000_000;

/// How often the dead are looked for. It is longer than a holder's beat, so whoever is still as silent at the next
/// search is dead, and not only found asleep together with this machine.
const SEARCH_US: i64 = 10_000_000;

/// Holders that may be dead, with their last sign of life.
pub(super) type Suspects = BTreeSet<(String, Option<i64>)>;

/// A hold to be settled: the exchange, what is held, and what it cost.
pub(super) type Settlement = (String, Held, Option<i64>);

/// What a transaction came to.
pub(super) struct Done {
    pub(super) register: Option<Register>,
    pub(super) holds: Vec<Result<Held, Overdrawn>>,
    pub(super) ledgered: Ledgered,
    pub(super) searched_us: Option<i64>,
    /// Those found silent in the last search.
    pub(super) suspects: Suspects,
}

/// One transaction, with what it needs to know.
pub(super) struct Turn {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) holder: String,
    pub(super) known: Arc<Register>,
    pub(super) is_known: bool,
    /// After a transaction that may or may not have counted: the exchanges that this process really holds for.
    pub(super) ours: Option<BTreeSet<String>>,
    pub(super) holds_something: bool,
    pub(super) searched_us: Option<i64>,
    /// Those found silent in the last search.
    pub(super) suspects: Suspects,
}

impl Turn {
    pub(super) async fn transact(
        self,
        connection: &mut AnyConnection,
        due: &[Settlement],
        asked: &[Hold],
        edits: &[Edit],
    ) -> Result<Done, LedgerError> {
        let store = self.store.clone();
        let failed = || store.failed("write to");
        let mut transaction = connection
            .begin_with(store.begin())
            .await
            .map_err(failed())?;
        let done = self
            .work(&mut transaction, due, asked, edits)
            .await
            .map_err(failed())?;
        transaction.commit().await.map_err(failed())?;
        Ok(done)
    }

    async fn work(
        self,
        connection: &mut AnyConnection,
        due: &[Settlement],
        asked: &[Hold],
        edits: &[Edit],
    ) -> Result<Done, sqlx::Error> {
        let mut version = rows::take_turn(connection).await?;
        for edit in edits {
            apply(connection, edit).await?;
        }
        if !edits.is_empty() {
            version += 1;
            rows::new_version(connection, version).await?;
        }
        let is_current = self.is_known && version == self.known.version;
        let register = if is_current {
            None
        } else {
            Some(rows::register(connection, version).await?)
        };
        let budgets = &register.as_ref().unwrap_or(&self.known).budgets;
        let now_us = self.store.now_us(connection, &self.clock).await?;
        let mut ledgered = Ledgered::default();
        if let Some(ours) = &self.ours {
            release_strays(connection, &self.holder, ours, &mut ledgered).await?;
        }
        for (exchange, held, cost) in due {
            let cost = cost.unwrap_or(held.amount_nano_usd);
            for account in &held.accounts {
                if rows::remove_hold(connection, exchange, account).await? {
                    read(connection, &mut ledgered, account).await?;
                    ledgered.settle(account, held.amount_nano_usd, cost);
                }
            }
        }
        let is_due = |at: i64| now_us.abs_diff(at) >= SEARCH_US.unsigned_abs();
        let searched_us = self.searched_us.is_none_or(is_due).then_some(now_us);
        if self.holds_something {
            rows::sign_of_life(connection, &self.holder, now_us).await?;
        }
        let suspects = if searched_us.is_some() {
            self.charge_the_dead(connection, now_us, &mut ledgered)
                .await?
        } else {
            self.suspects.clone()
        };
        let mut holds = Vec::with_capacity(asked.len());
        for hold in asked {
            let draws = draws_of(hold, budgets, now_us);
            holds.push(
                self.hold(connection, hold, &draws, now_us, &mut ledgered)
                    .await?,
            );
        }
        for (account, balance) in ledgered.changed() {
            rows::put_balance(connection, account, balance).await?;
        }
        Ok(Done {
            register,
            holds,
            ledgered,
            searched_us,
            suspects,
        })
    }

    async fn hold(
        &self,
        connection: &mut AnyConnection,
        hold: &Hold,
        draws: &[Draw],
        now_us: i64,
        ledgered: &mut Ledgered,
    ) -> Result<Result<Held, Overdrawn>, sqlx::Error> {
        for draw in draws {
            read(connection, ledgered, &draw.account).await?;
        }
        let held = match ledgered.hold(draws, hold.amount_nano_usd, now_us) {
            Ok(held) => held,
            Err(overdrawn) => return Ok(Err(overdrawn)),
        };
        for account in &held.accounts {
            let amount = held.amount_nano_usd;
            rows::put_hold(connection, &hold.exchange, account, amount, &self.holder).await?;
        }
        Ok(Ok(held))
    }
}

impl Turn {
    /// Charges what those held who gave no sign of life between two searches: what it cost, where the ledger knows,
    /// else all of it. Gives those that are silent now.
    async fn charge_the_dead(
        &self,
        connection: &mut AnyConnection,
        now_us: i64,
        ledgered: &mut Ledgered,
    ) -> Result<Suspects, sqlx::Error> {
        let since_us = now_us.saturating_sub(SILENCE_US);
        let silent = rows::silent_holders(connection, &self.holder, since_us).await?;
        let (dead, suspects): (Vec<_>, Vec<_>) = silent
            .into_iter()
            .partition(|seen| self.suspects.contains(seen));
        for (holder, _) in dead {
            for row in rows::holds_of(connection, &holder).await? {
                let known = rows::known_cost(connection, &row.exchange).await?;
                let is_known = known.is_some();
                tracing::warn!(
                    exchange = row.exchange,
                    is_known,
                    "an exchange of a gateway that died is charged"
                );
                settle_row(connection, &row, known.unwrap_or(row.amount), ledgered).await?;
            }
            rows::forget_holder(connection, &holder).await?;
        }
        Ok(suspects.into_iter().collect())
    }
}

/// Reads an account that was not read in this transaction.
async fn read(
    connection: &mut AnyConnection,
    ledgered: &mut Ledgered,
    account: &AccountId,
) -> Result<(), sqlx::Error> {
    if !ledgered.balances.contains_key(account) {
        let balance = rows::balance(connection, account).await?;
        ledgered.balances.insert(account.clone(), balance);
    }
    Ok(())
}

async fn apply(connection: &mut AnyConnection, edit: &Edit) -> Result<(), sqlx::Error> {
    match edit {
        Edit::PutKey(key) => rows::put_key(connection, key).await,
        Edit::RemoveKey(id) => rows::remove_key(connection, id).await,
        Edit::PutPerson(person) => rows::put_person(connection, person).await,
        Edit::RemovePerson(name) => rows::remove_person(connection, name).await,
        Edit::PutBudget(budget) => rows::put_budget(connection, budget).await,
        Edit::RemoveBudget(subject, window) => {
            rows::remove_budget(connection, &subject.to_string(), window.as_str()).await
        }
    }
}

/// Gives back what a transaction held whose end nobody learned: its exchanges were refused.
async fn release_strays(
    connection: &mut AnyConnection,
    holder: &str,
    ours: &BTreeSet<String>,
    ledgered: &mut Ledgered,
) -> Result<(), sqlx::Error> {
    for row in rows::holds_of(connection, holder).await? {
        if !ours.contains(&row.exchange) {
            settle_row(connection, &row, 0, ledgered).await?;
        }
    }
    Ok(())
}

async fn settle_row(
    connection: &mut AnyConnection,
    row: &rows::HoldRow,
    cost: i64,
    ledgered: &mut Ledgered,
) -> Result<(), sqlx::Error> {
    if rows::remove_hold(connection, &row.exchange, &row.account).await? {
        read(connection, ledgered, &row.account).await?;
        ledgered.settle(&row.account, row.amount, cost);
    }
    Ok(())
}
