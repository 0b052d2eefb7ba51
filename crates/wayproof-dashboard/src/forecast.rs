//! What a month will come to, by one simple method that is stated beside it.
//!
//! The days that are left cost what the last complete days cost on average. The interval is that of a mean and of the
//! days around it: four of five months end inside, if days go on as they were and are independent of each other. It
//! knows nothing of weekends, of plans, or of a trend. Whole micro-dollars, so that equal days give equal figures.

/// Complete days that are looked at.
pub(crate) const DAYS: i64 = 28;
/// With fewer days nothing is said.
const FEWEST: usize = 7;
/// Four of five lie within so many hundredths of a standard deviation.
const HUNDREDTHS: u128 = 128;
const NANO_PER_MICRO: i64 = 1_000;

/// A figure with its interval, in nano-dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Forecast {
    pub(crate) low: i64,
    pub(crate) expected: i64,
    pub(crate) high: i64,
}

/// The sum at the end of the month: what is spent so far, and the days that are left like those that were.
///
/// `past` are complete days, one figure each, zeros included; nothing is said of too few.
pub(crate) fn month_end(past: &[i64], so_far: i64, days_left: u32) -> Option<Forecast> {
    if past.len() < FEWEST {
        return None;
    }
    let days = i128::try_from(past.len()).ok()?;
    let micros: Vec<i128> = past
        .iter()
        .map(|nano| i128::from(nano / NANO_PER_MICRO))
        .collect();
    let sum: i128 = micros.iter().sum();
    let left = i128::from(days_left);
    // Squares of differences times the number of days, so that no mean is rounded.
    let squares: u128 = micros
        .iter()
        .map(|micro| (micro * days - sum).unsigned_abs().pow(2))
        .sum();
    let (days_u, left_u) = (days.unsigned_abs(), left.unsigned_abs());
    let variance = squares / (days_u * days_u * (days_u - 1));
    // The days that come differ from the mean, and the mean itself is one of so many days.
    let spread = variance.saturating_mul(left_u * days_u + left_u * left_u) / days_u;
    let margin = spread.isqrt().saturating_mul(HUNDREDTHS) / 100;
    let nano = |micro: i128| {
        i64::try_from(micro.saturating_mul(NANO_PER_MICRO.into())).unwrap_or(i64::MAX)
    };
    let margin = nano(i128::try_from(margin).unwrap_or(i128::MAX));
    let expected = so_far.saturating_add(nano(sum * left / days));
    Some(Forecast {
        // What is spent is spent.
        low: expected.saturating_sub(margin).max(so_far),
        expected,
        high: expected.saturating_add(margin),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOLLAR: i64 = 1_000_000_000;

    #[test]
    fn even_days_leave_no_doubt() {
        let even = month_end(&[2 * DOLLAR; 28], 10 * DOLLAR, 10).unwrap();
        let all = 30 * DOLLAR;
        assert_eq!((even.low, even.expected, even.high), (all, all, all));
        let over = month_end(&[2 * DOLLAR; 28], 60 * DOLLAR, 0).unwrap();
        assert_eq!((over.low, over.high), (60 * DOLLAR, 60 * DOLLAR));
    }

    #[test]
    fn uneven_days_widen_the_interval_and_nothing_is_unspent() {
        let days: Vec<i64> = (0..28).map(|day| (day % 2) * 4 * DOLLAR).collect();
        let seen = month_end(&days, 10 * DOLLAR, 10).unwrap();
        assert_eq!(seen.expected, 30 * DOLLAR);
        // s = 2.0367, sqrt(10 + 100/28) = 3.6839, times 1.28: 9.60.
        let margin = seen.high - seen.expected;
        assert!((9 * DOLLAR..10 * DOLLAR).contains(&margin), "{margin}");
        assert_eq!(seen.expected - seen.low, margin);
        let wild = month_end(&[0, 0, 0, 0, 0, 0, 900 * DOLLAR], DOLLAR, 3).unwrap();
        assert_eq!(wild.low, DOLLAR);
    }

    #[test]
    fn few_days_say_nothing_and_large_ones_do_not_overflow() {
        assert_eq!(month_end(&[DOLLAR; 6], 0, 3), None);
        let huge = month_end(
            &[i64::MAX, 0, i64::MAX, 0, i64::MAX, 0, i64::MAX],
            i64::MAX,
            31,
        );
        assert_eq!(huge.unwrap().high, i64::MAX);
    }
}
