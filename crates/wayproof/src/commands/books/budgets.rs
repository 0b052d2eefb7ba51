//! `wayproof budgets`: set, listed with what is left, lifted.

use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use wayproof_engine::{Budget, Subject, Window, parse_usd, show_usd};
use wayproof_ledger::{Account, Ledger};

use super::{open, record};
use crate::{
    cli::books::{BooksArgs, BudgetsCommand},
    exit::Mistake,
    terminal::{print, print_json_pretty, table, tell},
};

/// Accounts of `*` budgets that are listed at most.
const MOST_ACCOUNTS: u32 = 50;

/// Runs a command on budgets.
pub(crate) async fn run(command: BudgetsCommand) -> Result<ExitCode> {
    match command {
        BudgetsCommand::Set {
            subject,
            amount,
            per,
            soft,
            books,
        } => {
            let limit_nano_usd = money(&amount)?;
            let soft_nano_usd = soft
                .map(|soft| soft_limit(&soft, limit_nano_usd))
                .transpose()?;
            let budget = Budget {
                subject,
                window: per,
                limit_nano_usd,
                soft_nano_usd,
            };
            set(&books, budget).await?;
        }
        BudgetsCommand::List(args) => list(&args).await?,
        BudgetsCommand::Remove {
            subject,
            per,
            books,
        } => remove(&books, &subject, per).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn money(amount: &str) -> Result<i64> {
    Ok(parse_usd(amount).map_err(|why| Mistake(format!("`{amount}`: {why}")))?)
}

fn soft_limit(text: &str, limit: i64) -> Result<i64> {
    let soft = match text.strip_suffix('%') {
        Some(share) => {
            let share: i64 = share
                .parse()
                .ok()
                .filter(|share| (1..=99).contains(share))
                .ok_or_else(|| Mistake(format!("`{text}` is no share; write 1% to 99%")))?;
            i64::try_from(i128::from(limit) * i128::from(share) / 100).unwrap_or(i64::MAX)
        }
        None => money(text)?,
    };
    if soft >= limit {
        let sentence = format!(
            "the soft limit {} is not below the limit {}",
            show_usd(soft),
            show_usd(limit)
        );
        return Err(Mistake(sentence).into());
    }
    Ok(soft)
}

async fn set(args: &BooksArgs, budget: Budget) -> Result<()> {
    let ledger = &open(&args.ledger).await?;
    let subject = budget.subject.to_string();
    let told = json!(budget);
    let said = said(&budget);
    ledger
        .books()
        .put_budget(budget)
        .await
        .context("setting the budget")?;
    record(ledger, "budget-set", &subject, Some(said.clone())).await?;
    if args.json {
        return print_json_pretty(&told);
    }
    tell(&format!("{subject} may spend {said}"));
    Ok(())
}

/// `$200 (month), new jobs start lower from $160 on`
fn said(budget: &Budget) -> String {
    let soft = budget.soft_nano_usd.map_or_else(String::new, |soft| {
        format!(", new jobs start a class lower from {} on", show_usd(soft))
    });
    format!(
        "{} ({}){soft}",
        show_usd(budget.limit_nano_usd),
        budget.window
    )
}

async fn remove(args: &BooksArgs, subject: &Subject, window: Window) -> Result<()> {
    let ledger = &open(&args.ledger).await?;
    let register = ledger.books().register();
    let is_it = |budget: &&Budget| budget.subject == *subject && budget.window == window;
    if !register.budgets.iter().any(|budget| is_it(&budget)) {
        let sentence =
            format!("{subject} has no budget for a {window}; see `wayproof budgets list`");
        return Err(Mistake(sentence).into());
    }
    let removed = ledger.books().remove_budget(subject, window).await;
    removed.context("lifting the budget")?;
    record(
        ledger,
        "budget-removed",
        &subject.to_string(),
        Some(window.to_string()),
    )
    .await?;
    if args.json {
        return print_json_pretty(&json!({"subject": subject, "window": window, "removed": true}));
    }
    tell(&format!("{subject} has no budget for a {window} any more"));
    Ok(())
}

/// One budget with the account of its present span; a `*` has as many as there are spenders.
struct Line {
    budget: Budget,
    account: Option<Account>,
}

async fn list(args: &BooksArgs) -> Result<()> {
    let ledger = open(&args.ledger).await?;
    let lines = lines(&ledger).await?;
    let now_us = ledger.clock().now_us();
    ledger.close().await?;
    if args.json {
        let rows: Vec<Value> = lines.iter().map(|line| row(line, now_us)).collect();
        return print_json_pretty(&rows);
    }
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|Line { budget, account }| {
            let balance = account
                .as_ref()
                .map(|account| account.balance)
                .unwrap_or_default();
            let left = budget.limit_nano_usd.saturating_sub(balance.used());
            let subject = account.as_ref().map_or_else(
                || budget.subject.to_string(),
                |account| account.subject.clone(),
            );
            vec![
                crate::terminal::plain(&subject),
                budget.window.to_string(),
                show_usd(budget.limit_nano_usd),
                budget
                    .soft_nano_usd
                    .map_or_else(|| "-".to_owned(), show_usd),
                show_usd(balance.spent_nano_usd),
                show_usd(balance.held_nano_usd),
                show_usd(left),
                budget
                    .window
                    .ends(now_us)
                    .unwrap_or_else(|| "never".to_owned()),
            ]
        })
        .collect();
    let head = [
        "subject",
        "window",
        "limit",
        "soft",
        "spent",
        "held",
        "left",
        "starts anew",
    ];
    print(&table(&head, &rows))
}

async fn lines(ledger: &Ledger) -> Result<Vec<Line>> {
    let lines = budget_lines(ledger).await?.into_iter();
    Ok(lines
        .map(|(budget, account)| Line { budget, account })
        .collect())
}

/// Every budget with the account of its present span; a `*` has as many as there are spenders.
pub(crate) async fn budget_lines(ledger: &Ledger) -> Result<Vec<(Budget, Option<Account>)>> {
    let books = ledger.books();
    let now_us = ledger.clock().now_us();
    let mut lines = Vec::new();
    for budget in &books.register().budgets {
        let span = budget.window.span(now_us);
        let accounts = books
            .accounts_in(&budget.subject, &span, MOST_ACCOUNTS)
            .await;
        let accounts = accounts.context("reading accounts")?;
        if accounts.is_empty() {
            lines.push((budget.clone(), None));
        }
        let accounts = accounts.into_iter();
        lines.extend(accounts.map(|account| (budget.clone(), Some(account))));
    }
    Ok(lines)
}

fn row(Line { budget, account }: &Line, now_us: i64) -> Value {
    let balance = account
        .as_ref()
        .map(|account| account.balance)
        .unwrap_or_default();
    json!({
        "subject": account.as_ref().map_or_else(|| budget.subject.to_string(), |account| account.subject.clone()),
        "budget": budget.subject,
        "window": budget.window,
        "span": budget.window.span(now_us),
        "limit_nano_usd": budget.limit_nano_usd,
        "soft_nano_usd": budget.soft_nano_usd,
        "spent_nano_usd": balance.spent_nano_usd,
        "held_nano_usd": balance.held_nano_usd,
        "left_nano_usd": budget.limit_nano_usd.saturating_sub(balance.used()),
        "ends_us": budget.window.ends_us(now_us),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_soft_limit_is_a_share_or_an_amount_below_the_limit() {
        let limit = money("200 USD").unwrap();
        assert_eq!(soft_limit("80%", limit).unwrap(), money("160 USD").unwrap());
        assert_eq!(
            soft_limit("160 USD", limit).unwrap(),
            money("160 USD").unwrap()
        );
        for wrong in ["0%", "100%", "x%", "200 USD", "many"] {
            assert!(soft_limit(wrong, limit).is_err(), "{wrong}");
        }
    }
}
