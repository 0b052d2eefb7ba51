//! What the books are asked to do, and the arithmetic of accounts. No database here.

use std::collections::{BTreeMap, BTreeSet};

use wayproof_engine::{Budget, Subject, SubjectKind, Window, draws};

use super::Balance;
pub use super::register::Holder;
use super::register::{Key, Person};
use crate::error::LedgerError;

/// Something that operators change.
#[derive(Debug)]
pub(super) enum Edit {
    PutKey(Box<Key>),
    RemoveKey(String),
    PutPerson(Person),
    RemovePerson(String),
    PutBudget(Budget),
    RemoveBudget(Subject, Window),
}

/// Money to be held for an exchange.
#[derive(Debug, Clone)]
pub struct Hold {
    /// The exchange.
    pub exchange: String,
    /// On whose account it goes.
    pub holder: Holder,
    /// What the policy lets its job spend.
    pub job_limit_nano_usd: Option<i64>,
    /// The most it can cost.
    pub amount_nano_usd: i64,
}

/// Why nothing was held.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HoldError {
    /// A budget has not so much left.
    #[error("{0}")]
    Overdrawn(Box<Overdrawn>),
    /// The database does not answer.
    #[error(transparent)]
    Ledger(LedgerError),
}

/// A budget that has not enough left.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the budget of {} has not enough left", budget.subject)]
pub struct Overdrawn {
    /// The budget.
    pub budget: Budget,
    /// Whether it is the policy's, for a job of this task.
    pub is_of_policy: bool,
    /// How it stands.
    pub balance: Balance,
    /// What was asked for.
    pub asked_nano_usd: i64,
    /// When it starts anew, as people write it.
    pub ends: Option<String>,
}

/// An account: a subject and a span.
pub(super) type AccountId = (String, String);

/// What is held for one exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) accounts: Vec<AccountId>,
    pub(super) amount_nano_usd: i64,
}

/// A budget together with the account of its present span.
#[derive(Debug, Clone)]
pub(super) struct Draw {
    pub(super) budget: Budget,
    pub(super) account: AccountId,
    pub(super) is_of_policy: bool,
}

/// Every account that a hold draws on now.
pub(super) fn draws_of(hold: &Hold, budgets: &[Budget], now_us: i64) -> Vec<Draw> {
    let own = hold.job_limit_nano_usd.zip(hold.holder.job.as_ref());
    let own = own.map(|(limit_nano_usd, job)| Budget {
        subject: Subject {
            kind: SubjectKind::Job,
            name: job.clone(),
        },
        window: Window::Total,
        limit_nano_usd,
        soft_nano_usd: None,
    });
    let draw = |budget: Budget, is_of_policy| Draw {
        account: (budget.subject.to_string(), budget.window.span(now_us)),
        budget,
        is_of_policy,
    };
    let set = draws(budgets, &hold.holder.who());
    own.map(|budget| draw(budget, true))
        .into_iter()
        .chain(set.into_iter().map(|budget| draw(budget, false)))
        .collect()
}

/// Accounts as they stand within one transaction.
#[derive(Debug, Default)]
pub(super) struct Ledgered {
    pub(super) balances: BTreeMap<AccountId, Balance>,
    changed: BTreeSet<AccountId>,
}

impl Ledgered {
    /// Holds an amount on all accounts, or says which one has not enough and holds nothing.
    ///
    /// Every account must have been read before.
    pub(super) fn hold(
        &mut self,
        draws: &[Draw],
        amount: i64,
        now_us: i64,
    ) -> Result<Held, Overdrawn> {
        for draw in draws {
            let balance = self
                .balances
                .get(&draw.account)
                .copied()
                .unwrap_or_default();
            let left = draw.budget.limit_nano_usd.saturating_sub(balance.used());
            if amount > left {
                return Err(Overdrawn {
                    budget: draw.budget.clone(),
                    is_of_policy: draw.is_of_policy,
                    balance,
                    asked_nano_usd: amount,
                    ends: draw.budget.window.ends(now_us),
                });
            }
        }
        let mut accounts: Vec<AccountId> = draws.iter().map(|draw| draw.account.clone()).collect();
        // The policy's limit of a job and an operator's for the same one share an account.
        accounts.sort();
        accounts.dedup();
        for account in &accounts {
            self.change(account, |balance| {
                balance.held_nano_usd = balance.held_nano_usd.saturating_add(amount);
            });
        }
        Ok(Held {
            accounts,
            amount_nano_usd: amount,
        })
    }

    /// Puts a cost in the place of what was held on one account.
    pub(super) fn settle(&mut self, account: &AccountId, held: i64, cost: i64) {
        self.change(account, |balance| {
            balance.held_nano_usd = balance.held_nano_usd.saturating_sub(held);
            balance.spent_nano_usd = balance.spent_nano_usd.saturating_add(cost);
        });
    }

    fn change(&mut self, account: &AccountId, change: impl FnOnce(&mut Balance)) {
        change(self.balances.entry(account.clone()).or_default());
        self.changed.insert(account.clone());
    }

    /// The accounts that changed, in the order of their names.
    pub(super) fn changed(&self) -> impl Iterator<Item = (&AccountId, Balance)> {
        self.changed.iter().map(|account| {
            (
                account,
                self.balances.get(account).copied().unwrap_or_default(),
            )
        })
    }
}
