//! Amounts of money as a policy writes them. One currency, exact arithmetic, nothing guessed.

/// Nano-dollars in a dollar.
pub(crate) const NANO: i64 = 1_000_000_000;

/// Reads `4 USD` or `0.25 USD` as nano-dollars; nothing is no budget.
///
/// # Errors
/// A sentence that says what to write instead.
pub fn parse_usd(text: &str) -> Result<i64, &'static str> {
    match parse_amount(text)? {
        0 => Err("a budget of nothing stops every job; leave it out or write more"),
        nano => Ok(nano),
    }
}

/// The same where nothing is an amount too.
pub(crate) fn parse_amount(text: &str) -> Result<i64, &'static str> {
    const FORM: &str = "write an amount and the currency, such as `4 USD` or `0.25 USD`";
    let Some((amount, "USD")) = text.trim().split_once(' ').map(|(a, c)| (a, c.trim())) else {
        return Err(FORM);
    };
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return Err(FORM);
    }
    if fraction.len() > 9 {
        return Err("write at most nine digits after the point");
    }
    let scaled = format!("{fraction:0<9}");
    let nano = whole
        .parse::<i64>()
        .ok()
        .and_then(|whole| whole.checked_mul(NANO))
        .zip(scaled.parse::<i64>().ok())
        .and_then(|(whole, fraction)| whole.checked_add(fraction));
    match nano {
        Some(nano) => Ok(nano),
        None => Err("this is more money than there is"),
    }
}

/// Writes nano-dollars the way a person reads them: `$4`, `$0.25`, `$0.000012`.
pub fn show_usd(nano: i64) -> String {
    let sign = if nano < 0 { "-" } else { "" };
    let nano = nano.unsigned_abs();
    let dollars = nano / NANO.unsigned_abs();
    let fraction = format!("{:09}", nano % NANO.unsigned_abs());
    let fraction = fraction.trim_end_matches('0');
    match fraction.len() {
        0 => format!("{sign}${dollars}"),
        1 => format!("{sign}${dollars}.{fraction}0"),
        _ => format!("{sign}${dollars}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        assert_eq!(parse_usd("4 USD"), Ok(4 * NANO));
        assert_eq!(parse_usd("0.25 USD"), Ok(250_000_000));
        assert_eq!(parse_usd("0.000000001 USD"), Ok(1));
        for wrong in [
            "4", "4 EUR", "$4", "4USD", "-4 USD", ".5 USD", "4. USD", "0 USD", "1e3 USD", "",
        ] {
            assert!(parse_usd(wrong).is_err(), "{wrong}");
        }
        assert_eq!(parse_amount("0 USD"), Ok(0));
        assert!(parse_amount("-1 USD").is_err());
        assert!(parse_usd("99999999999999 USD").is_err());
    }

    #[test]
    fn amounts_read_back() {
        assert_eq!(show_usd(4 * NANO), "$4");
        assert_eq!(show_usd(250_000_000), "$0.25");
        assert_eq!(show_usd(500_000_000), "$0.50");
        assert_eq!(show_usd(-12_000), "-$0.000012");
    }
}
