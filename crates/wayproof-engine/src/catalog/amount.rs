//! Amounts of money as lists write them: decimal dollars, turned into nano-dollars without a detour over floats.

/// Decimal dollars as nano-dollars. Digits beyond the ninth are floating-point noise of the source and are rounded
/// away; nothing but digits and one point is an amount.
pub(super) fn nano(text: &str) -> Option<i64> {
    const DIGITS: usize = 9;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = !whole.is_empty()
        && whole
            .bytes()
            .chain(fraction.bytes())
            .all(|b| b.is_ascii_digit());
    if !is_number {
        return None;
    }
    let kept = fraction.get(..DIGITS).unwrap_or(fraction);
    let is_up = fraction
        .as_bytes()
        .get(DIGITS)
        .is_some_and(|digit| *digit >= b'5');
    let nano: i64 = format!("{whole}{kept:0<DIGITS$}").parse().ok()?;
    nano.checked_add(i64::from(is_up))
}

#[cfg(test)]
mod tests {
    use super::nano;

    #[test]
    fn amounts_are_exact() {
        assert_eq!(nano("0.075"), Some(75_000_000));
        assert_eq!(nano("5"), Some(5_000_000_000));
        assert_eq!(nano("0.0000000015"), Some(2));
        for wrong in [
            "",
            "-1",
            "1e3",
            "1.2.3",
            ".5",
            "99999999999999999999",
            "free",
        ] {
            assert_eq!(nano(wrong), None, "{wrong}");
        }
    }
}
