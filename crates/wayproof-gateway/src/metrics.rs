//! Counts for operators, in the text form of OpenMetrics.
//!
//! Labels come from closed lists only, and every counter exists from the start, so an exchange costs a few
//! atomic additions and no label can grow without bound.

use std::collections::BTreeMap;
use std::fmt;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use wayproof_ledger::ExchangeOutcome;
use wayproof_wire::{FaultKind, Protocol, Usage};

/// Labels of a counter.
type Labels = Vec<(&'static str, &'static str)>;

const OUTCOMES: [ExchangeOutcome; 5] = [
    ExchangeOutcome::Completed,
    ExchangeOutcome::Failed,
    ExchangeOutcome::Cut,
    ExchangeOutcome::Cancelled,
    ExchangeOutcome::Refused,
];

/// What came of an exchange.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) protocol: Protocol,
    pub(crate) outcome: ExchangeOutcome,
    pub(crate) total_us: i64,
    pub(crate) ttfb_us: Option<i64>,
    pub(crate) usage: Option<Usage>,
    pub(crate) listed_nano_usd: Option<i64>,
}

/// All counts of a gateway.
pub(crate) struct Metrics {
    registry: Registry,
    open: Gauge,
    sessions: Gauge,
    jobs: Gauge,
    settled: BTreeMap<(Protocol, &'static str), Counter>,
    faults: Family<Labels, Counter>,
    tokens: TokenCounters,
    listed: Counter,
    unpriced: Counter,
    total: Histogram,
    first_byte: Histogram,
}

struct TokenCounters {
    input: Counter,
    cache_read: Counter,
    cache_write: Counter,
    output: Counter,
    reasoning: Counter,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let exchanges = Family::<Labels, Counter>::default();
        let tokens = Family::<Labels, Counter>::default();
        let faults = Family::<Labels, Counter>::default();
        let settled = Protocol::ALL
            .iter()
            .flat_map(|protocol| OUTCOMES.map(|outcome| (*protocol, outcome.as_str())))
            .map(|(protocol, outcome)| {
                let labels = vec![("protocol", protocol.name()), ("outcome", outcome)];
                ((protocol, outcome), exchanges.get_or_create_owned(&labels))
            })
            .collect();
        let bucket = |name| tokens.get_or_create_owned(&vec![("bucket", name)]);
        let mut metrics = Self {
            registry: Registry::with_prefix("wayproof"),
            open: Gauge::default(),
            sessions: Gauge::default(),
            jobs: Gauge::default(),
            settled,
            faults: faults.clone(),
            tokens: TokenCounters {
                input: bucket("input"),
                cache_read: bucket("cache-read"),
                cache_write: bucket("cache-write"),
                output: bucket("output"),
                reasoning: bucket("reasoning"),
            },
            listed: Counter::default(),
            unpriced: Counter::default(),
            total: Histogram::new(exponential_buckets(0.001, 4.0, 10)),
            first_byte: Histogram::new(exponential_buckets(0.001, 4.0, 10)),
        };
        metrics.register(exchanges, faults, tokens);
        metrics
    }

    fn register(
        &mut self,
        exchanges: Family<Labels, Counter>,
        faults: Family<Labels, Counter>,
        tokens: Family<Labels, Counter>,
    ) {
        let registry = &mut self.registry;
        registry.register("exchanges", "Exchanges that are over", exchanges);
        registry.register("faults", "Requests refused by the gateway itself", faults);
        registry.register("tokens", "Tokens that providers reported", tokens);
        registry.register("open_exchanges", "Exchanges under way", self.open.clone());
        registry.register("sessions", "Sessions remembered", self.sessions.clone());
        registry.register(
            "jobs",
            "Jobs opened through the admin pages",
            self.jobs.clone(),
        );
        registry.register(
            "listed_nano_usd",
            "Listed cost of answers",
            self.listed.clone(),
        );
        registry.register(
            "unpriced_answers",
            "Answers of unknown cost",
            self.unpriced.clone(),
        );
        let (total, first) = (self.total.clone(), self.first_byte.clone());
        registry.register_with_unit("exchange", "Time an exchange took", Unit::Seconds, total);
        registry.register_with_unit("first_byte", "Time to the answer", Unit::Seconds, first);
    }

    /// Counts an exchange that begins.
    pub(crate) fn opened(&self) {
        self.open.inc();
    }

    /// Counts an exchange that is over.
    pub(crate) fn settled(&self, settled: &Settled) {
        self.open.dec();
        if let Some(counter) = self
            .settled
            .get(&(settled.protocol, settled.outcome.as_str()))
        {
            counter.inc();
        }
        self.total.observe(seconds(settled.total_us));
        if let Some(ttfb_us) = settled.ttfb_us {
            self.first_byte.observe(seconds(ttfb_us));
        }
        if let Some(usage) = &settled.usage {
            self.tokens.add(usage);
        }
        match settled.listed_nano_usd.map(u64::try_from) {
            Some(Ok(nano_usd)) => {
                self.listed.inc_by(nano_usd);
            }
            Some(Err(_)) | None => {
                self.unpriced.inc();
            }
        }
    }

    /// Counts a fault that the gateway answered with.
    pub(crate) fn fault(&self, protocol: Protocol, kind: FaultKind) {
        let labels = vec![("protocol", protocol.name()), ("kind", fault_name(kind))];
        self.faults.get_or_create(&labels).inc();
    }

    /// Writes all counts as text.
    pub(crate) fn render(&self, sessions: usize, jobs: usize) -> Result<String, fmt::Error> {
        self.sessions
            .set(i64::try_from(sessions).unwrap_or(i64::MAX));
        self.jobs.set(i64::try_from(jobs).unwrap_or(i64::MAX));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl TokenCounters {
    fn add(&self, usage: &Usage) {
        let pairs = [
            (&self.input, usage.input),
            (&self.cache_read, usage.cache_read),
            (&self.cache_write, usage.cache_write_5m),
            (&self.cache_write, usage.cache_write_1h),
            (&self.output, usage.output),
            (&self.reasoning, usage.reasoning),
        ];
        for (counter, tokens) in pairs {
            if let Some(tokens) = tokens.filter(|tokens| *tokens > 0) {
                counter.inc_by(tokens);
            }
        }
    }
}

fn seconds(us: i64) -> f64 {
    u64::try_from(us).map_or(0.0, |us| std::time::Duration::from_micros(us).as_secs_f64())
}

const fn fault_name(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::BadRequest => "bad-request",
        FaultKind::TooLarge => "too-large",
        FaultKind::UnknownPacking => "unknown-packing",
        FaultKind::Unauthorized => "unauthorized",
        FaultKind::Forbidden => "forbidden",
        FaultKind::NotFound => "not-found",
        FaultKind::RateLimited => "rate-limited",
        FaultKind::Overloaded => "overloaded",
        FaultKind::ContextOverflow => "context-overflow",
        FaultKind::BudgetExhausted => "budget-exhausted",
        FaultKind::LedgerUnavailable => "ledger-unavailable",
        FaultKind::UpstreamTimeout => "upstream-timeout",
        FaultKind::UpstreamUnreachable => "upstream-unreachable",
        FaultKind::Internal => "internal",
    }
}
