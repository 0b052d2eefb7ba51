//! Attributes: what is unknown is left out.

use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, any_value::Value};
use wayproof_ledger::Cost;

/// The longest text of one attribute, in bytes. Models and tools have a say in some.
const MOST_TEXT: usize = 4096;

/// A list of attributes in the making.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attributes(Vec<KeyValue>);

impl Attributes {
    pub(crate) fn text(mut self, key: &str, value: impl AsRef<str>) -> Self {
        self.0.push(pair(key, text(value.as_ref())));
        self
    }

    pub(crate) fn texts(mut self, key: &str, values: &[&str]) -> Self {
        let values = values.iter().map(|value| AnyValue {
            value: Some(text(value)),
        });
        let values = Value::ArrayValue(ArrayValue {
            values: values.collect(),
        });
        self.0.push(pair(key, values));
        self
    }

    pub(crate) fn maybe(self, key: &str, value: Option<impl AsRef<str>>) -> Self {
        match value {
            Some(value) => self.text(key, value),
            None => self,
        }
    }

    pub(crate) fn int(mut self, key: &str, value: Option<i64>) -> Self {
        if let Some(value) = value {
            self.0.push(pair(key, Value::IntValue(value)));
        }
        self
    }

    pub(crate) fn count(self, key: &str, value: Option<u64>) -> Self {
        self.int(
            key,
            value.map(|value| i64::try_from(value).unwrap_or(i64::MAX)),
        )
    }

    pub(crate) fn float(mut self, key: &str, value: Option<f64>) -> Self {
        if let Some(value) = value {
            self.0.push(pair(key, Value::DoubleValue(value)));
        }
        self
    }

    /// Written where it holds only.
    pub(crate) fn flag(mut self, key: &str, holds: bool) -> Self {
        if holds {
            self.0.push(pair(key, Value::BoolValue(true)));
        }
        self
    }

    /// These and others.
    pub(crate) fn with(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Three columns of money, never added up.
    pub(crate) fn cost(self, cost: &Cost) -> Self {
        self.int(crate::names::LISTED, cost.listed_nano_usd)
            .int(crate::names::BILLED, cost.billed_nano_usd)
            .int(crate::names::SUBSCRIPTION, cost.subscription_nano_usd)
    }

    pub(crate) fn into_vec(self) -> Vec<KeyValue> {
        self.0
    }
}

/// What backends that know one figure only are told: the listed price, else what was billed, and which of the two it is.
pub(crate) fn one_figure(cost: &Cost) -> Option<(f64, &'static str)> {
    cost.listed_nano_usd
        .map(|nano| (dollars(nano), "listed"))
        .or_else(|| cost.billed_nano_usd.map(|nano| (dollars(nano), "billed")))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "receivers take floating dollars; the exact integer is written beside"
)]
pub(crate) fn dollars(nano: i64) -> f64 {
    nano as f64 / 1e9
}

#[expect(
    clippy::cast_precision_loss,
    reason = "receivers take floating seconds"
)]
pub(crate) fn seconds(us: i64) -> f64 {
    us as f64 / 1e6
}

/// Microseconds since 1970 in the protocol's unit.
pub(crate) fn nanos(us: i64) -> u64 {
    u64::try_from(us).unwrap_or(0).saturating_mul(1000)
}

pub(crate) fn any(value: &str) -> AnyValue {
    AnyValue {
        value: Some(text(value)),
    }
}

fn text(value: &str) -> Value {
    let mut end = value.len().min(MOST_TEXT);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    Value::StringValue(value.get(..end).unwrap_or_default().to_owned())
}

fn pair(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_between_characters() {
        let made = Attributes::default().text("k", "é".repeat(MOST_TEXT));
        let made = made.into_vec();
        let Some(Value::StringValue(text)) = made[0].value.as_ref().unwrap().value.as_ref() else {
            panic!("no text");
        };
        assert_eq!(text.len(), MOST_TEXT);
    }

    #[test]
    fn an_unknown_cost_has_no_figure() {
        assert_eq!(one_figure(&Cost::default()), None);
        let billed = Cost {
            billed_nano_usd: Some(2_000_000_000),
            ..Cost::default()
        };
        assert_eq!(one_figure(&billed), Some((2.0, "billed")));
    }
}
