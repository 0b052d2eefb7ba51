//! What operators set, one file a command: every change is in the ledger as an event, and never a key.

pub(crate) mod budgets;
pub(crate) mod keys;
pub(crate) mod people;

use anyhow::{Context, Result};
use wayproof_ledger::{About, BooksChanged, EventBody, Ledger};

use crate::{cli::LedgerPlace, commands::ledger, exit::Mistake, settings};

/// Opens the ledger with its books read.
async fn open(place: &LedgerPlace) -> Result<Ledger> {
    let ledger = ledger::at(place).await?;
    ledger
        .books()
        .fresh(-1)
        .await
        .context("reading the books")?;
    Ok(ledger)
}

/// Records a change and lets go of the ledger.
async fn record(
    ledger: &Ledger,
    change: &str,
    subject: &str,
    detail: Option<String>,
) -> Result<()> {
    let body = EventBody::BooksChanged(BooksChanged {
        change: change.to_owned(),
        subject: subject.to_owned(),
        detail,
        by: settings::variable("USER"),
    });
    ledger
        .append(&ledger.event(About::default(), body))
        .await
        .context("recording the change")?;
    ledger.close().await.context("closing the ledger")
}

/// A name that can stand in a table, a header and a sentence.
fn check_name(what: &str, name: &str) -> Result<()> {
    const MOST_CHARS: usize = 100;
    let is_good = !name.trim().is_empty()
        && name.trim() == name
        && name.chars().count() <= MOST_CHARS
        && !name.chars().any(|c| c.is_control() || c == '*' || c == '`');
    if is_good {
        return Ok(());
    }
    let sentence = format!(
        "`{}` is no name for a {what}: write up to {MOST_CHARS} characters without *, ` and control characters",
        crate::terminal::plain(name)
    );
    Err(Mistake(sentence).into())
}

/// Reads a span such as `90s`, `30m`, `12h` or `7d` in microseconds.
fn span_us(text: &str) -> Result<i64> {
    let wrong = || {
        Mistake(format!(
            "`{text}` is no span of time; write 90s, 30m, 12h or 7d"
        ))
    };
    let (number, unit) = text
        .char_indices()
        .last()
        .map(|(at, unit)| (text.get(..at).unwrap_or_default(), unit))
        .ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong().into()),
    };
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: Option<i64> = number.parse().ok().filter(|_| is_number);
    let span = number.and_then(|number| number.checked_mul(seconds)?.checked_mul(1_000_000));
    Ok(span.ok_or_else(wrong)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read() {
        assert_eq!(span_us("90s").unwrap(), 90_000_000);
        assert_eq!(span_us("0s").unwrap(), 0);
        assert_eq!(span_us("7d").unwrap(), 604_800_000_000);
        for wrong in ["", "s", "7", "-1h", "1.5h", "7w", "7é", "99999999999999d"] {
            assert!(span_us(wrong).is_err(), "{wrong}");
        }
    }
}
