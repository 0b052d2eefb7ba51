//! A share of something, exact in millionths: how much wrong work a gate accepts, how often a shadow runs.

use std::str::FromStr;

/// A share from nought to one, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Share(u32);

/// A text that is no share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no share: write a number from 0 to 1 with at most six decimals, such as 0.2")]
pub struct NotAShare(String);

impl Share {
    const WHOLE: u32 = 1_000_000;

    /// Nothing.
    pub const NONE: Self = Self(0);
    /// All.
    pub const ALL: Self = Self(Self::WHOLE);

    /// A share in millionths, at most one.
    pub fn from_millionths(millionths: u32) -> Option<Self> {
        (millionths <= Self::WHOLE).then_some(Self(millionths))
    }

    /// The share nearest to a number; what is beyond nought or one is cut.
    pub fn nearest(number: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between nought and a million"
        )]
        let millionths = (number.clamp(0.0, 1.0) * f64::from(Self::WHOLE)).round() as u32;
        Self(millionths)
    }

    /// The share as a number between nought and one.
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / f64::from(Self::WHOLE)
    }

    /// The chance that something with this share does not happen so many times in a row.
    pub(crate) fn never_in(self, times: usize) -> f64 {
        let times = i32::try_from(times).unwrap_or(i32::MAX);
        (f64::from(Self::WHOLE - self.0) / f64::from(Self::WHOLE)).powi(times)
    }
}

impl FromStr for Share {
    type Err = NotAShare;

    fn from_str(text: &str) -> Result<Self, NotAShare> {
        let millionths = super::read::decimal(text, 6);
        let exact = text.split_once('.').is_none_or(|(_, rest)| rest.len() <= 6);
        millionths
            .filter(|_| exact)
            .and_then(|millionths| Self::from_millionths(u32::try_from(millionths).ok()?))
            .ok_or_else(|| NotAShare(text.to_owned()))
    }
}

/// A count as a number to reckon with.
#[expect(
    clippy::cast_precision_loss,
    reason = "a ledger has fewer tasks than that"
)]
pub(crate) fn count(things: usize) -> f64 {
    things as f64
}
