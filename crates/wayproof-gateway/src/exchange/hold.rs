//! Between deciding and preparing: the most that the exchange can cost is held on every budget it draws on.
//!
//! Nothing is sent before that is done. A job's own limit is kept in memory and nobody waits for it; operators' budgets
//! are in the ledger's books.

use std::path::Path;

use wayproof_engine::{Budget, Planned, PriceRow, SubjectKind, draws, show_usd, worst_cost};
use wayproof_ledger::{About, Hold, HoldError, Holder, Location, Overdrawn};
use wayproof_upstream::Provider;
use wayproof_wire::{Fault, FaultKind, MostTokens, Request, most_tokens};

use crate::envelope::Spent;
use crate::exchange::Wish;
use crate::exchange::admit::{Call, Caller};
use crate::exchange::decide::Decided;
use crate::exchange::identify::Turn;
use crate::exchange::settle::End;
use crate::gateway::Shared;

/// Tokens of an answer whose length neither the request nor the catalog bounds: the longest that models of this day
/// write.
const LONGEST_ANSWER: u64 = 131_072;

/// Holds what the exchange can cost on its job, and says whether operators' budgets have to be asked before it goes on.
pub(crate) fn hold_on_job(shared: &Shared, decided: &mut Decided) -> Result<bool, Fault> {
    if decided.call.wish == Wish::Count {
        return Ok(false);
    }
    let has_budgets = !shared.ledger.books().register().budgets.is_empty();
    let Some(limit) = job_limit(shared, decided) else {
        return Ok(has_budgets);
    };
    if is_shared(shared) {
        return Ok(true);
    }
    // Looking for what the body refers to takes longer than all else here, so the wide bound is tried first.
    let wide = most(shared, decided, |_| MostTokens {
        input: None,
        ..most_tokens(&request_of(decided))
    });
    // Without a known window there is no wide bound.
    if let Ok(wide) = wide
        && (wide == 0 || decided.settlement.hold_on_job(limit, wide).is_ok())
    {
        return Ok(has_budgets);
    }
    let close = most(shared, decided, most_tokens)?;
    let held = decided.settlement.hold_on_job(limit, close);
    held.map_err(|stands| {
        decided.settlement.end(End::Refused);
        let task = decided.settlement.decision.task.as_str();
        job_fault(stands, limit, close, task)
    })?;
    Ok(has_budgets)
}

/// What the policy lets the exchange's job spend.
fn job_limit(shared: &Shared, decided: &Decided) -> Option<i64> {
    decided.settlement.about().job.as_ref()?;
    let policy = shared.policy.load();
    policy
        .task(&decided.settlement.decision.task)?
        .budget_per_job_nano_usd
}

/// Whether other gateways may work on the same jobs.
fn is_shared(shared: &Shared) -> bool {
    matches!(shared.ledger.location(), Location::Postgres(_))
}

fn request_of(decided: &Decided) -> Request<'_> {
    Request {
        body: &decided.body,
        peek: &decided.peek,
    }
}

/// Holds what the exchange can cost on every budget that operators set.
pub(crate) async fn hold(shared: &Shared, decided: &mut Decided) -> Result<(), Fault> {
    let held = try_hold(shared, decided).await;
    if held.is_err() {
        decided.settlement.end(End::Refused);
    }
    held
}

async fn try_hold(shared: &Shared, decided: &mut Decided) -> Result<(), Fault> {
    let holder = holder(&decided.call, Some(decided.settlement.about()));
    let job_limit_nano_usd = job_limit(shared, decided).filter(|_| is_shared(shared));
    let register = shared.ledger.books().register();
    let drawn = draws(&register.budgets, &holder.who());
    if drawn.is_empty() && job_limit_nano_usd.is_none() {
        return Ok(());
    }
    let amount_nano_usd = most(shared, decided, most_tokens)?;
    if amount_nano_usd == 0 {
        return Ok(());
    }
    let hold = Hold {
        exchange: decided.call.id.clone(),
        holder,
        job_limit_nano_usd,
        amount_nano_usd,
    };
    // Whatever becomes of the exchange from here on, what was held is settled.
    decided.settlement.holds(amount_nano_usd);
    match shared.ledger.books().hold(hold).await {
        Ok(()) => Ok(()),
        Err(HoldError::Overdrawn(overdrawn)) => Err(overdrawn_fault(
            &overdrawn,
            decided.settlement.decision.task.as_str(),
        )),
        Err(HoldError::Ledger(error)) => Err(Fault::new(
            FaultKind::LedgerUnavailable,
            format!("no new work is taken while budgets cannot be asked: {error}"),
        )),
    }
}

/// On whose account a request goes.
fn holder(call: &Call, about: Option<&About>) -> Holder {
    let given = call.caller.holder();
    let named = match &call.caller {
        Caller::Named(name) => Some(name.clone()),
        Caller::Local | Caller::Holder(_) | Caller::Job(..) => None,
    };
    Holder {
        key: given.map(|holder| holder.name.clone()).or(named),
        person: given.and_then(|holder| holder.person.clone()),
        teams: given.map(|holder| holder.teams.clone()).unwrap_or_default(),
        repo: call.repo.clone(),
        session: about.and_then(|about| about.session.clone()),
        job: about.and_then(|about| about.job.clone()),
    }
}

/// The repository around a folder, as a budget names it; else the folder itself.
pub(crate) fn repo_at(shared: &Shared, folder: &str) -> String {
    let register = shared.ledger.books().register();
    let named = register
        .budgets
        .iter()
        .filter(|budget| budget.subject.kind == SubjectKind::Repo)
        .map(|budget| budget.subject.name.as_str());
    let around = named.filter(|name| !name.is_empty() && Path::new(folder).starts_with(name));
    let repo = around.max_by_key(|name| name.len()).unwrap_or(folder);
    repo.to_owned()
}

/// The most that the exchange can cost, whichever of its targets answers. What a subscription pays for costs nothing.
fn most(
    shared: &Shared,
    decided: &Decided,
    count: impl FnOnce(&Request<'_>) -> MostTokens,
) -> Result<i64, Fault> {
    let settlement = &decided.settlement;
    let attempts = settlement.decision.attempts.iter();
    let mut attempts = attempts.filter(|planned| !settlement.is_by_plan(&planned.target));
    let is_priced = |planned: &Planned| price(shared, decided, planned).is_some();
    if !attempts.clone().any(is_priced) {
        // The usual case of a model on one's own machine; the rest is told apart below.
        return attempts.try_fold(0, |_, planned| unpriced(shared, planned));
    }
    let mut tokens = count(&request_of(decided));
    if decided.call.wish == Wish::Embed {
        tokens.output = Some(0);
    }
    attempts.try_fold(0, |most: i64, planned| {
        Ok(most.max(most_at(shared, decided, planned, tokens)?))
    })
}

fn price<'a>(shared: &'a Shared, decided: &Decided, planned: &Planned) -> Option<&'a PriceRow> {
    let target = &planned.target;
    let at_us = decided.settlement.opened_us();
    shared.catalog.price(&target.provider, &target.model, at_us)
}

/// What a model without a price costs: nothing on this machine, and nobody knows how much elsewhere.
fn unpriced(shared: &Shared, planned: &Planned) -> Result<i64, Fault> {
    let target = &planned.target;
    let provider = shared.upstream.provider(&target.provider);
    if provider.is_some_and(Provider::is_on_this_machine) {
        return Ok(0);
    }
    Err(unbounded(&format!(
        "the catalog has no price for `{target}`"
    )))
}

fn most_at(
    shared: &Shared,
    decided: &Decided,
    planned: &Planned,
    tokens: MostTokens,
) -> Result<i64, Fault> {
    let target = &planned.target;
    let Some(row) = price(shared, decided, planned) else {
        return unpriced(shared, planned);
    };
    // Nothing longer than the window is read or written.
    let within = |tokens: u64| {
        planned
            .window_tokens
            .map_or(tokens, |window| tokens.min(window))
    };
    let Some(input) = tokens.input.or(planned.window_tokens).map(within) else {
        let why = format!("neither the request nor the catalog says how much `{target}` may read");
        return Err(unbounded(&why));
    };
    let longest = || {
        let facts = shared.catalog.facts(&target.provider, &target.model);
        facts
            .and_then(|facts| facts.output)
            .unwrap_or(LONGEST_ANSWER)
    };
    let output = within(tokens.output.unwrap_or_else(longest));
    worst_cost(row, input, output)
        .ok_or_else(|| unbounded(&format!("the price of `{target}` is beyond all bounds")))
}

fn unbounded(why: &str) -> Fault {
    let message = format!(
        "{why}, so no budget can be kept: use a model with a known price, limit the answer's tokens, or lift the \
         budget"
    );
    Fault::new(FaultKind::BudgetExhausted, message)
}

/// When to ask again for what is held meanwhile, in seconds: requests hold far more than most of them cost.
const HELD_RETRY_S: u64 = 2;

/// A request that fits once those under way are settled is to come again; otherwise nothing is left for it.
fn fault((stands, limit): (Spent, i64), asked: i64, whose: &str, message: String) -> Fault {
    let waits = stands.held > 0 && asked <= limit.saturating_sub(stands.spent);
    if !waits {
        return Fault::new(FaultKind::BudgetExhausted, message);
    }
    let (spent, held) = told(stands);
    Fault {
        kind: FaultKind::RateLimited,
        message: format!(
            "{whose} has spent {spent} of {}{held}, and this request may cost up to {}: it fits once they are \
             settled, so come back in {HELD_RETRY_S} s",
            show_usd(limit),
            show_usd(asked)
        ),
        retry_after_s: Some(HELD_RETRY_S),
    }
}

fn overdrawn_fault(overdrawn: &Overdrawn, task: &str) -> Fault {
    let Overdrawn {
        budget,
        is_of_policy,
        balance,
        asked_nano_usd,
        ends,
    } = overdrawn;
    let limit = budget.limit_nano_usd;
    let stands = Spent {
        spent: balance.spent_nano_usd,
        held: balance.held_nano_usd,
    };
    if *is_of_policy {
        return job_fault(stands, limit, *asked_nano_usd, task);
    }
    let (spent, held) = told(stands);
    let (shown, asked) = (show_usd(limit), show_usd(*asked_nano_usd));
    let subject = &budget.subject;
    let window = budget.window;
    let whose = format!("the budget of {subject}");
    let again = ends.as_ref().map_or_else(
        || "it does not start anew".to_owned(),
        |ends| format!("it starts anew at {ends}"),
    );
    let message = format!(
        "{whose} has spent {spent} of its {shown} ({window}){held}, and this request may cost up to {asked}; {again}; \
         an operator raises it with `wayproof budgets set {subject}`, and fewer tokens of output may still fit"
    );
    fault((stands, limit), *asked_nano_usd, &whose, message)
}

fn job_fault(stands: Spent, limit: i64, asked: i64, task: &str) -> Fault {
    let (spent, held) = told(stands);
    let message = format!(
        "this job has spent {spent} of the {} that task `{task}` allows{held}, and this request may cost up to {}; \
         raise `budget.per_job` in wayproof.toml, ask for fewer tokens of output, or ask for something else",
        show_usd(limit),
        show_usd(asked)
    );
    fault((stands, limit), asked, "this job", message)
}

/// What is spent, and what is held as the middle of a sentence.
fn told(stands: Spent) -> (String, String) {
    let held = if stands.held == 0 {
        String::new()
    } else {
        format!(", {} is held for requests under way", show_usd(stands.held))
    };
    (show_usd(stands.spent), held)
}

/// Why a job that begins now should cost less: the first budget past its soft limit.
pub(crate) fn thrift(shared: &Shared, turn: &Turn) -> Option<String> {
    let books = shared.ledger.books();
    let register = books.register();
    let has_soft = |budget: &Budget| budget.soft_nano_usd.is_some();
    if !register.budgets.iter().any(has_soft) {
        return None;
    }
    let mut holder = holder(&turn.call, None);
    holder.session = Some(turn.identity.session.clone());
    draws(&register.budgets, &holder.who())
        .iter()
        .find_map(|budget| {
            let soft = budget.soft_nano_usd?;
            let balance = books.balance(&budget.subject, budget.window, turn.call.at_us);
            (balance.used() >= soft).then(|| {
                let (subject, soft, window) = (&budget.subject, show_usd(soft), budget.window);
                format!("{subject} is past its soft limit of {soft} ({window})")
            })
        })
}
