//! Metrics, cumulative since the encoder was made.
//!
//! Labels come from closed lists and from names that operators and providers choose; beyond a limit of series a metric
//! counts the rest in one, so that a caller who makes names up cannot fill a receiver.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, Sum,
    metric::Data, number_data_point::Value,
};
use wayproof_ledger::{Event, EventBody, ExchangeOpened, ExchangeSettled, QuotaSampled};

use crate::{
    attributes::{Attributes, dollars, nanos, seconds},
    names,
    span::all_output,
};

/// The most series of one metric.
const MOST_SERIES: usize = 2000;

/// Bounds of `gen_ai.client.token.usage`, as the conventions advise.
const TOKEN_BOUNDS: [f64; 14] = [
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];

/// Bounds of `gen_ai.client.operation.duration`, as the conventions advise, in seconds.
const SECOND_BOUNDS: [f64; 14] = [
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];

/// The labels of a series: names with their values, in a fixed order.
type Labels = Vec<(&'static str, String)>;

#[derive(Debug, Default)]
struct Buckets {
    counts: Vec<u64>,
    sum: f64,
}

/// What was counted.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    start_us: i64,
    tokens: BTreeMap<Labels, Buckets>,
    durations: BTreeMap<Labels, Buckets>,
    costs: BTreeMap<Labels, f64>,
    exchanges: BTreeMap<Labels, i64>,
    escalations: BTreeMap<Labels, i64>,
    proofs: BTreeMap<Labels, i64>,
    gaps: BTreeMap<Labels, i64>,
    quotas: BTreeMap<Labels, f64>,
    is_changed: bool,
}

impl Meter {
    pub(crate) fn new(start_us: i64) -> Self {
        Self {
            start_us,
            ..Self::default()
        }
    }

    /// Counts what an event tells, exchanges aside.
    pub(crate) fn hear(&mut self, event: &Event) {
        let (map, labels, by) = match &event.body {
            EventBody::Escalated(escalated) => {
                let labels = vec![
                    (names::CAUSE, escalated.cause.as_str().to_owned()),
                    (names::FROM, escalated.from.clone()),
                    (names::TO, escalated.to.clone()),
                ];
                (&mut self.escalations, labels, 1)
            }
            EventBody::ProofFinished(finished) => {
                let labels = vec![
                    (names::TASK, finished.task.clone()),
                    (names::VERDICT, finished.verdict.name().to_owned()),
                ];
                (&mut self.proofs, labels, 1)
            }
            EventBody::LogRead(read) => {
                let gaps = i64::try_from(read.gaps.len()).unwrap_or(i64::MAX);
                if gaps == 0 {
                    return;
                }
                let labels = vec![(names::AGENT, read.agent.clone())];
                (&mut self.gaps, labels, gaps)
            }
            EventBody::QuotaSampled(sampled) => return self.quota(sampled),
            _ => return,
        };
        *series(map, labels) += by;
        self.is_changed = true;
    }

    fn quota(&mut self, sampled: &QuotaSampled) {
        let Some(used) = sampled.used_ppm else { return };
        let labels = vec![
            (names::PROVIDER, sampled.provider.clone()),
            (names::WINDOW, sampled.window.clone()),
        ];
        *series(&mut self.quotas, labels) = seconds(used);
        self.is_changed = true;
    }

    /// Counts a settled exchange.
    pub(crate) fn exchange(&mut self, settled: &ExchangeSettled, opened: Option<&ExchangeOpened>) {
        self.is_changed = true;
        let model = settled.model.clone().unwrap_or_default();
        let requested =
            opened.map_or_else(|| model.clone(), |opened| opened.requested_model.clone());
        let call: Labels = vec![
            (names::OPERATION, crate::span::operation(opened).to_owned()),
            (
                names::PROVIDER,
                settled.provider.clone().unwrap_or_default(),
            ),
            (names::REQUEST_MODEL, requested),
            (names::RESPONSE_MODEL, model.clone()),
        ];
        if let Some(usage) = &settled.usage {
            for (kind, tokens) in [
                ("input", usage.total_input()),
                ("output", all_output(usage)),
            ] {
                let Some(tokens) = tokens else { continue };
                let labels = [call.clone(), vec![(names::TOKEN_TYPE, kind.to_owned())]].concat();
                #[expect(clippy::cast_precision_loss, reason = "a histogram holds floats")]
                count(
                    series(&mut self.tokens, labels),
                    &TOKEN_BOUNDS,
                    tokens as f64,
                );
            }
        }
        count(
            series(&mut self.durations, call),
            &SECOND_BOUNDS,
            seconds(settled.total_us),
        );
        let work = |rest: Labels| {
            let class = settled.class.clone().unwrap_or_default();
            [
                vec![(names::TASK, settled.task.clone()), (names::CLASS, class)],
                rest,
            ]
            .concat()
        };
        let ended = work(vec![(names::OUTCOME, settled.outcome.as_str().to_owned())]);
        *series(&mut self.exchanges, ended) += 1;
        let cost = &settled.cost;
        for (basis, nano) in [
            ("listed", cost.listed_nano_usd),
            ("billed", cost.billed_nano_usd),
            ("subscription", cost.subscription_nano_usd),
        ] {
            let Some(nano) = nano else { continue };
            let labels = work(vec![
                (names::RESPONSE_MODEL, model.clone()),
                (names::BASIS, basis.to_owned()),
            ]);
            *series(&mut self.costs, labels) += dollars(nano);
        }
    }

    /// The metrics as they are now; nothing when nothing was counted since the last time.
    pub(crate) fn take(&mut self, now_us: i64) -> Vec<Metric> {
        if !std::mem::take(&mut self.is_changed) {
            return Vec::new();
        }
        let span = (nanos(self.start_us.min(now_us)), nanos(now_us));
        let made = [
            histogram(
                names::TOKEN_USAGE,
                "{token}",
                &self.tokens,
                &TOKEN_BOUNDS,
                span,
            ),
            histogram(names::DURATION, "s", &self.durations, &SECOND_BOUNDS, span),
            sum(
                names::COST,
                "USD",
                &self.costs,
                |value| Value::AsDouble(*value),
                span,
            ),
            sum(
                names::EXCHANGES,
                "{exchange}",
                &self.exchanges,
                |value| Value::AsInt(*value),
                span,
            ),
            sum(
                names::ESCALATIONS,
                "{escalation}",
                &self.escalations,
                |value| Value::AsInt(*value),
                span,
            ),
            sum(
                names::PROOFS,
                "{proof}",
                &self.proofs,
                |value| Value::AsInt(*value),
                span,
            ),
            sum(
                names::GAPS,
                "{gap}",
                &self.gaps,
                |value| Value::AsInt(*value),
                span,
            ),
            gauge(names::QUOTA, &self.quotas, span.1),
        ];
        made.into_iter().flatten().collect()
    }
}

/// The series of these labels, or the one for all beyond the limit.
fn series<V: Default>(map: &mut BTreeMap<Labels, V>, labels: Labels) -> &mut V {
    let labels = if map.len() < MOST_SERIES || map.contains_key(&labels) {
        labels
    } else {
        vec![(names::OVERFLOW, "true".to_owned())]
    };
    map.entry(labels).or_default()
}

fn count(buckets: &mut Buckets, bounds: &[f64], value: f64) {
    buckets.counts.resize(bounds.len() + 1, 0);
    let place = bounds.partition_point(|bound| *bound < value);
    if let Some(count) = buckets.counts.get_mut(place) {
        *count += 1;
    }
    buckets.sum += value;
}

/// An empty label is an unknown one and left out.
fn attributes(labels: &Labels) -> Attributes {
    let known = labels.iter().filter(|(_, value)| !value.is_empty());
    known.fold(Attributes::default(), |made, (name, value)| {
        if *name == names::OVERFLOW {
            made.flag(name, true)
        } else {
            made.text(name, value)
        }
    })
}

fn metric(name: &str, unit: &str, data: Data) -> Metric {
    Metric {
        name: name.to_owned(),
        unit: unit.to_owned(),
        data: Some(data),
        ..Metric::default()
    }
}

fn histogram(
    name: &str,
    unit: &str,
    map: &BTreeMap<Labels, Buckets>,
    bounds: &[f64],
    (start, end): (u64, u64),
) -> Option<Metric> {
    let point = |(labels, buckets): (&Labels, &Buckets)| HistogramDataPoint {
        attributes: attributes(labels).into_vec(),
        start_time_unix_nano: start,
        time_unix_nano: end,
        count: buckets.counts.iter().sum(),
        sum: Some(buckets.sum),
        bucket_counts: buckets.counts.clone(),
        explicit_bounds: bounds.to_vec(),
        ..HistogramDataPoint::default()
    };
    let data = Histogram {
        data_points: map.iter().map(point).collect(),
        aggregation_temporality: AggregationTemporality::Cumulative.into(),
    };
    (!map.is_empty()).then(|| metric(name, unit, Data::Histogram(data)))
}

fn sum<V>(
    name: &str,
    unit: &str,
    map: &BTreeMap<Labels, V>,
    value: impl Fn(&V) -> Value,
    (start, end): (u64, u64),
) -> Option<Metric> {
    let point = |(labels, counted): (&Labels, &V)| NumberDataPoint {
        attributes: attributes(labels).into_vec(),
        start_time_unix_nano: start,
        time_unix_nano: end,
        value: Some(value(counted)),
        ..NumberDataPoint::default()
    };
    let data = Sum {
        data_points: map.iter().map(point).collect(),
        aggregation_temporality: AggregationTemporality::Cumulative.into(),
        is_monotonic: true,
    };
    (!map.is_empty()).then(|| metric(name, unit, Data::Sum(data)))
}

fn gauge(name: &str, map: &BTreeMap<Labels, f64>, end: u64) -> Option<Metric> {
    let point = |(labels, used): (&Labels, &f64)| NumberDataPoint {
        attributes: attributes(labels).into_vec(),
        time_unix_nano: end,
        value: Some(Value::AsDouble(*used)),
        ..NumberDataPoint::default()
    };
    let data = Gauge {
        data_points: map.iter().map(point).collect(),
    };
    (!map.is_empty()).then(|| metric(name, "1", Data::Gauge(data)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invented_names_end_in_one_series() {
        let mut map: BTreeMap<Labels, i64> = BTreeMap::new();
        for n in 0..MOST_SERIES + 50 {
            *series(&mut map, vec![(names::TASK, n.to_string())]) += 1_i64;
        }
        assert_eq!(map.len(), MOST_SERIES + 1);
        assert_eq!(map[&vec![(names::OVERFLOW, "true".to_owned())]], 50);
    }

    #[test]
    fn a_value_on_a_bound_is_below_it() {
        let mut buckets = Buckets::default();
        for value in [1.0, 1.5, 1e12] {
            count(&mut buckets, &TOKEN_BOUNDS, value);
        }
        assert_eq!(buckets.counts[..2], [1, 1]);
        assert_eq!(buckets.counts[TOKEN_BOUNDS.len()], 1);
    }
}
