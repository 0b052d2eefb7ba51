//! Money: three kinds that are never added up, and an unknown that is never zero.

use wayproof_ledger::Money;

use super::text::count;

const NANO: u64 = 1_000_000_000;

/// Nano-dollars as dollars: to a cent from a dollar on, below that to a hundredth of one.
pub(crate) fn usd(nano: i64) -> String {
    let sign = if nano < 0 { "-" } else { "" };
    let nano = nano.unsigned_abs();
    if nano == 0 || nano + NANO / 20_000 >= NANO {
        let cents = (nano + NANO / 200) / (NANO / 100);
        let dollars = i64::try_from(cents / 100).unwrap_or(i64::MAX);
        return format!("{sign}${}.{:02}", count(dollars), cents % 100);
    }
    let units = (nano + 50_000) / 100_000;
    if nano > 0 && units == 0 {
        return format!("{sign}<$0.0001");
    }
    format!("{sign}${}.{:04}", units / 10_000, units % 10_000)
}

/// The listed price, with what is not known beside it.
pub(crate) fn listed(money: &Money) -> String {
    match (money.listed_nano_usd, money.listed_unknown) {
        (None, 0) => "–".to_owned(),
        (None, _) => "unknown".to_owned(),
        (Some(nano), 0) => usd(nano),
        (Some(nano), unknown) => format!("{} + {} unknown", usd(nano), count(unknown)),
    }
}

/// What was billed, or the share of a subscription: told by the provider or unknown.
pub(crate) fn told(nano: Option<i64>) -> String {
    nano.map_or_else(|| "–".to_owned(), usd)
}

/// A sum for each proven change; a dash without one.
pub(crate) fn per(nano: Option<i64>, changes: i64) -> String {
    match nano {
        Some(nano) if changes > 0 => usd(nano / changes),
        _ => "–".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_once_and_unknown_is_not_zero() {
        assert_eq!(usd(12_340_000), "$0.0123");
        assert_eq!(usd(1), "<$0.0001");
        assert_eq!(usd(0), "$0.00");
        assert_eq!(usd(999_940_000), "$0.9999");
        assert_eq!(usd(999_950_000), "$1.00");
        assert_eq!(usd(-10_000_000_000), "-$10.00");
        assert_eq!(usd(1_234_567_890_000_000), "$1\u{202f}234\u{202f}567.89");
        let unknown = Money {
            listed_unknown: 2,
            ..Money::default()
        };
        assert_eq!(listed(&unknown), "unknown");
        assert_eq!(listed(&Money::default()), "–");
        assert_eq!(per(Some(10), 0), "–");
    }
}
