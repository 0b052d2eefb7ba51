//! What a provider says that it charged for an answer, where it says so beside its counts of tokens.
//!
//! OpenRouter has `usage.cost`, in credits that are US dollars (its page "Usage Accounting"); Perplexity has
//! `usage.cost.total_cost`. Whoever else says one of them is taken at the same word. What is no amount stays unknown.

use crate::json::Json;

/// Digits of a nano-dollar behind the point of a dollar.
const PLACES: i32 = 9;

/// Nano-dollars that the counts of an answer say were charged for it, rounded to the nearest.
pub(crate) fn charged(usage: Json<'_>) -> Option<i64> {
    let cost = usage.get("cost")?;
    let dollars = cost.get("total_cost").unwrap_or(cost);
    nano(&dollars.raw())
}

/// Nano-dollars of a number of dollars as JSON writes it; none for what is negative, no number, or beyond all bounds.
fn nano(dollars: &str) -> Option<i64> {
    let (mantissa, exponent) = match dollars.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (dollars, 0),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(part.bytes());
    if whole.is_empty() || !digits().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // How many of the digits stand before the point of a nano-dollar.
    let before = i32::try_from(whole.len()).ok()?.checked_add(exponent)?;
    let before = before.checked_add(PLACES)?;
    let mut amount = 0_i64;
    for (at, byte) in (0_i32..).zip(digits()) {
        if at < before {
            amount = amount
                .checked_mul(10)?
                .checked_add(i64::from(byte - b'0'))?;
        } else {
            let is_next = at == before;
            return amount.checked_add(i64::from(is_next && byte >= b'5'));
        }
    }
    let missing = before.checked_sub(i32::try_from(whole.len() + part.len()).ok()?)?;
    if amount == 0 {
        return Some(0);
    }
    10_i64
        .checked_pow(u32::try_from(missing).ok()?)
        .and_then(|scale| amount.checked_mul(scale))
}

#[cfg(test)]
mod tests {
    use super::{charged, nano};
    use crate::json::Json;

    #[test]
    fn amounts_are_exact_to_the_nano_dollar() {
        for (dollars, expected) in [
            ("0", Some(0)),
            ("0.0", Some(0)),
            ("0e99", Some(0)),
            ("1", Some(1_000_000_000)),
            ("0.95", Some(950_000_000)),
            ("0.00014", Some(140_000)),
            ("1.4e-4", Some(140_000)),
            ("14E-5", Some(140_000)),
            ("5.5e-07", Some(550)),
            ("2.5e+1", Some(25_000_000_000)),
            ("0.0000000004", Some(0)),
            ("0.0000000005", Some(1)),
            ("0.0000000015", Some(2)),
            ("1e-30", Some(0)),
            ("9223372036.854775807", Some(i64::MAX)),
            ("9223372036.854775808", None),
            ("1e300", None),
            ("1e99999999999", None),
            ("-0.1", None),
            ("", None),
            ("\"1\"", None),
            ("null", None),
            ("true", None),
        ] {
            assert_eq!(nano(dollars), expected, "{dollars}");
        }
    }

    #[test]
    fn what_providers_say_of_a_charge_is_found() {
        let read = |usage: &str| charged(Json::new(usage.as_bytes()));
        assert_eq!(
            read(r#"{"prompt_tokens":194,"cost":0.95}"#),
            Some(950_000_000)
        );
        let parts = r#"{"cost":{"input_tokens_cost":1e-5,"total_cost":0.006}}"#;
        assert_eq!(read(parts), Some(6_000_000));
        assert_eq!(read(r#"{"cost":{"other":1}}"#), None);
        assert_eq!(read(r#"{"cost":"0.95"}"#), None);
        assert_eq!(read(r#"{"prompt_tokens":194}"#), None);
    }
}
