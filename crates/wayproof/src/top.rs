//! Live jobs in the terminal. It looks at the ledger once a second, changes nothing, and leaves the terminal as it was:
//! at its end, on a signal and after a panic.

mod look;
mod screen;
mod view;

use std::{
    io::{IsTerminal as _, stdin, stdout},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, Result};
use ratatui::crossterm::event::{self, Event};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};
use wayproof_ledger::Ledger;

use self::{
    look::Snapshot,
    screen::{Screen, Step},
    view::View,
};
use crate::{
    cli::TopArgs,
    commands::ledger,
    exit::Mistake,
    settings,
    terminal::{print, print_json_pretty, table},
};

/// How often the ledger is looked at.
const EVERY: Duration = Duration::from_secs(1);
/// How long a wait for a key lasts, so that its thread ends soon after the screen.
const KEY_WAIT: Duration = Duration::from_millis(100);
/// Keys that wait to be looked at.
const MOST_KEYS: usize = 64;

/// Shows jobs once, or until somebody quits.
pub(crate) async fn run(args: TopArgs) -> Result<ExitCode> {
    let is_terminal = stdout().is_terminal() && stdin().is_terminal();
    if !args.once && !is_terminal {
        return Err(Mistake(
            "this is no terminal, so nothing can move here; `wayproof top --once` prints the table, with --json for programs"
                .to_owned(),
        )
        .into());
    }
    let ledger = ledger::at(&args.ledger).await?;
    let view = View::new(args.sort, &args.filter);
    let shown = if args.once {
        once(&ledger, &view, args.json).await
    } else {
        live(&ledger, view).await
    };
    ledger.close().await.context("closing the ledger")?;
    shown?;
    Ok(ExitCode::SUCCESS)
}

async fn once(ledger: &Ledger, view: &View, as_json: bool) -> Result<()> {
    let seen = look::look(ledger).await?;
    let jobs = view.jobs(&seen);
    if as_json {
        return print_json_pretty(&serde_json::json!({
            "at_us": seen.at_us, "jobs": jobs, "budgets": seen.budgets,
        }));
    }
    if jobs.is_empty() {
        print("no job is being worked on")?;
    } else {
        let rows: Vec<Vec<String>> = jobs
            .iter()
            .map(|job| job.cells(seen.at_us).to_vec())
            .collect();
        print(&table(&look::HEAD, &rows))?;
    }
    if !seen.budgets.is_empty() {
        let rows: Vec<Vec<String>> = seen
            .budgets
            .iter()
            .map(|budget| budget.cells().to_vec())
            .collect();
        print(&table(&look::BUDGET_HEAD, &rows))?;
    }
    Ok(())
}

/// Draws until somebody quits or a signal comes.
async fn live(ledger: &Ledger, view: View) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut hangup = signal(SignalKind::hangup()).context("listening for SIGHUP")?;
    let mut seen = look::look(ledger).await?;
    let mut screen = Screen::open(view, settings::variable("NO_COLOR").is_none())?;
    let (sender, mut keys) = mpsc::channel(MOST_KEYS);
    // It may wait for a key that never comes, so nobody waits for it: it ends with the process.
    std::thread::Builder::new()
        .name("wayproof-keys".to_owned())
        .spawn(move || read_keys(&sender))
        .context("starting to read keys")?;
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ended = loop {
        if let Err(error) = screen.draw(&seen) {
            break Err(error);
        }
        tokio::select! {
            _ = terminate.recv() => break Ok(()),
            _ = hangup.recv() => break Ok(()),
            key = keys.recv() => match key {
                Some(event) => if screen.handle(&event, &seen) == Step::Quit { break Ok(()) },
                None => break Ok(()),
            },
            _ = tick.tick() => seen = newer(ledger, seen).await,
        }
    };
    drop(screen);
    ended
}

/// The newest state; where the ledger does not answer, the last one with a word about that.
async fn newer(ledger: &Ledger, last: Snapshot) -> Snapshot {
    match look::look(ledger).await {
        Ok(seen) => seen,
        Err(error) => Snapshot {
            problem: Some(crate::terminal::plain(&crate::exit::chain(&error))),
            ..last
        },
    }
}

/// Hands keys on until nobody takes them any more.
fn read_keys(to: &mpsc::Sender<Event>) {
    while !to.is_closed() {
        let Ok(is_there) = event::poll(KEY_WAIT) else {
            return;
        };
        if is_there {
            let Ok(event) = event::read() else { return };
            if to.blocking_send(event).is_err() {
                return;
            }
        }
    }
}
