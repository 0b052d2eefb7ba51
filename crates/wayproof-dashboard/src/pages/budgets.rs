//! What budgets have left in their present windows. Budgets are about listed money alone.

use std::fmt::Write as _;

use wayproof_ledger::LedgerError;

use crate::desk::Desk;
use crate::show::money::usd;
use crate::show::text::short;

/// Budgets that are looked at.
const MOST_BUDGETS: usize = 60;
/// Spenders of one `*` budget.
const MOST_ACCOUNTS: u32 = 10;
/// From here on a budget is near its limit.
const NEAR_PERCENT: i64 = 80;
const BOOKS_AGE_US: i64 = 1_000_000;

/// A budget with the account of its present window.
#[derive(Debug, Clone)]
pub(crate) struct BudgetSeen {
    pub(crate) subject: String,
    pub(crate) window: String,
    pub(crate) spent: String,
    pub(crate) held: String,
    pub(crate) limit: String,
    pub(crate) left: String,
    /// Spent and held, in whole percent of the limit.
    pub(crate) percent: i64,
    /// What it means for whoever draws on it.
    pub(crate) state: &'static str,
    pub(crate) tone: &'static str,
    pub(crate) is_near: bool,
    pub(crate) renews: String,
}

impl BudgetSeen {
    /// The share as a bar of ten, which needs no style of its own.
    pub(crate) fn bar(&self) -> String {
        let full = usize::try_from(self.percent.clamp(0, 100) / 10).unwrap_or(0);
        let mut bar = String::new();
        let _ = write!(bar, "{}{}", "▰".repeat(full), "▱".repeat(10 - full));
        bar
    }
}

/// Every budget, the fullest first.
pub(crate) async fn budgets(desk: &Desk) -> Result<Vec<BudgetSeen>, LedgerError> {
    let books = desk.ledger().books();
    let register = books.fresh(BOOKS_AGE_US).await?;
    let now_us = desk.now_us();
    let mut seen = Vec::new();
    for budget in register.budgets.iter().take(MOST_BUDGETS) {
        let span = budget.window.span(now_us);
        let accounts = books
            .accounts_in(&budget.subject, &span, MOST_ACCOUNTS)
            .await?;
        let mut lines: Vec<(String, wayproof_ledger::Balance)> = accounts
            .into_iter()
            .map(|account| (account.subject, account.balance))
            .collect();
        if lines.is_empty() {
            lines.push((
                budget.subject.to_string(),
                wayproof_ledger::Balance::default(),
            ));
        }
        for (subject, balance) in lines {
            let limit = budget.limit_nano_usd;
            let share = i128::from(balance.used().max(0)) * 100 / i128::from(limit.max(1));
            let percent = i64::try_from(share).unwrap_or(i64::MAX);
            let is_soft = budget
                .soft_nano_usd
                .is_some_and(|soft| balance.used() >= soft);
            let (state, tone) = match (percent, is_soft) {
                (100.., _) => ("used up", "refuted"),
                (_, true) => ("new jobs start a class lower", "gaps"),
                (NEAR_PERCENT.., _) => ("near its limit", "gaps"),
                _ => ("fine", "proven"),
            };
            seen.push(BudgetSeen {
                subject: short(&subject),
                window: budget.window.to_string(),
                spent: usd(balance.spent_nano_usd),
                held: usd(balance.held_nano_usd),
                limit: usd(limit),
                left: usd(limit.saturating_sub(balance.used())),
                percent,
                state,
                tone,
                is_near: is_soft || percent >= NEAR_PERCENT,
                renews: budget
                    .window
                    .ends(now_us)
                    .unwrap_or_else(|| "never".to_owned()),
            });
        }
    }
    seen.sort_by_key(|one| std::cmp::Reverse(one.percent));
    Ok(seen)
}
