//! From events to what receivers are sent.

use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
        trace::v1::ExportTraceServiceRequest,
    },
    common::v1::InstrumentationScope,
    logs::v1::{LogRecord, ResourceLogs, ScopeLogs},
    metrics::v1::{ResourceMetrics, ScopeMetrics},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use prost::Message as _;
use wayproof_ledger::{Event, EventBody, ExchangeOpened, StoredEvent};

use crate::{
    attributes::Attributes,
    logs,
    meter::Meter,
    names,
    recent::Recent,
    span::{self, OpenJob},
};

/// The most jobs, sessions and exchanges kept in mind, each.
const MOST_OPEN: usize = 20_000;

/// Who tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The version of the program.
    pub version: String,
    /// The ledger's own name, which tells instances apart.
    pub instance: String,
    /// When counting begins, in microseconds since 1970.
    pub start_us: i64,
}

/// What is sent at once: a message of the protocol each, encoded; nothing where there is nothing to tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// `ExportTraceServiceRequest`.
    pub traces: Option<Vec<u8>>,
    /// `ExportLogsServiceRequest`.
    pub logs: Option<Vec<u8>>,
    /// `ExportMetricsServiceRequest`.
    pub metrics: Option<Vec<u8>>,
}

/// The agent of a session.
#[derive(Debug, Clone)]
pub(crate) struct Agent {
    pub(crate) name: String,
    pub(crate) version: Option<String>,
}

#[derive(Debug)]
struct OpenExchange {
    seq: i64,
    opened: ExchangeOpened,
}

/// Takes events in the order of the log.
#[derive(Debug)]
pub struct Encoder {
    source: Source,
    sessions: Recent<Agent>,
    jobs: Recent<OpenJob>,
    exchanges: Recent<OpenExchange>,
    meter: Meter,
    spans: Vec<Span>,
    records: Vec<LogRecord>,
}

impl Encoder {
    /// An encoder that has seen nothing.
    pub fn new(source: Source) -> Self {
        Self {
            meter: Meter::new(source.start_us),
            source,
            sessions: Recent::new(MOST_OPEN),
            jobs: Recent::new(MOST_OPEN),
            exchanges: Recent::new(MOST_OPEN),
            spans: Vec::new(),
            records: Vec::new(),
        }
    }

    /// Takes in an event that was told before, so that what ends later has its beginning.
    pub fn recall(&mut self, stored: &StoredEvent) {
        self.begin(stored);
        self.end(&stored.event);
    }

    /// Takes in an event that is to be told.
    pub fn observe(&mut self, stored: &StoredEvent) {
        let event = &stored.event;
        self.begin(stored);
        self.tell(event);
        self.records.extend(logs::record(event));
        self.meter.hear(event);
        self.end(event);
    }

    /// How many spans and records wait to be taken.
    pub fn waiting(&self) -> usize {
        self.spans.len() + self.records.len()
    }

    /// The place of the oldest event that something still open needs; `None` when nothing is open.
    pub fn oldest_open(&self) -> Option<i64> {
        let jobs = self.jobs.values().map(|job| job.seq);
        let exchanges = self.exchanges.values().map(|exchange| exchange.seq);
        jobs.chain(exchanges).min()
    }

    /// What waits, encoded.
    pub fn take(&mut self, now_us: i64) -> Batch {
        let spans = std::mem::take(&mut self.spans);
        let records = std::mem::take(&mut self.records);
        let metrics = self.meter.take(now_us);
        Batch {
            traces: (!spans.is_empty()).then(|| self.traces(spans)),
            logs: (!records.is_empty()).then(|| self.logs(records)),
            metrics: (!metrics.is_empty()).then(|| {
                let scope = ScopeMetrics {
                    scope: Some(self.scope()),
                    metrics,
                    ..ScopeMetrics::default()
                };
                let resource = ResourceMetrics {
                    resource: Some(self.resource()),
                    scope_metrics: vec![scope],
                    ..ResourceMetrics::default()
                };
                ExportMetricsServiceRequest {
                    resource_metrics: vec![resource],
                }
                .encode_to_vec()
            }),
        }
    }

    fn begin(&mut self, stored: &StoredEvent) {
        let event = &stored.event;
        match &event.body {
            EventBody::SessionStarted(started) => {
                if let Some(session) = &event.session {
                    let agent = Agent {
                        name: started.agent.clone(),
                        version: started.agent_version.clone(),
                    };
                    self.sessions.insert(session, agent);
                }
            }
            EventBody::JobOpened(opened) => {
                if let Some(job) = &event.job {
                    self.jobs
                        .insert(job, OpenJob::new(stored.seq, event, opened));
                }
            }
            EventBody::ExchangeOpened(opened) => {
                if let Some(exchange) = &event.exchange {
                    // The decision is long and no receiver is told of it.
                    let opened = ExchangeOpened {
                        decision: None,
                        ..(**opened).clone()
                    };
                    let seq = stored.seq;
                    self.exchanges
                        .insert(exchange, OpenExchange { seq, opened });
                }
            }
            _ => {
                if let Some(job) = event.job.as_deref().and_then(|job| self.jobs.get_mut(job)) {
                    job.hear(event);
                }
            }
        }
    }

    fn tell(&mut self, event: &Event) {
        match &event.body {
            EventBody::ExchangeSettled(settled) => {
                let exchange = event.exchange.as_deref();
                let opened = exchange.and_then(|exchange| self.exchanges.get(exchange));
                let opened = opened.map(|open| &open.opened);
                let session = event.session.as_deref();
                let agent = session.and_then(|session| self.sessions.get(session));
                self.spans
                    .push(span::exchange(event, settled, opened, agent));
                self.meter.exchange(settled, opened);
            }
            EventBody::ExchangeImported(imported) => {
                self.spans.push(span::imported(event, imported));
            }
            EventBody::Escalated(escalated) => {
                self.spans.push(span::escalation(event, escalated));
            }
            EventBody::ProofFinished(finished) => self.spans.push(span::proof(event, finished)),
            EventBody::JobClosed(closed) => {
                let open = event.job.as_deref().and_then(|job| self.jobs.remove(job));
                self.spans.push(span::job(event, closed, open));
            }
            _ => {}
        }
    }

    fn end(&mut self, event: &Event) {
        match &event.body {
            EventBody::ExchangeSettled(_) => {
                if let Some(exchange) = &event.exchange {
                    self.exchanges.remove(exchange);
                }
            }
            EventBody::JobClosed(_) => {
                if let Some(job) = &event.job {
                    self.jobs.remove(job);
                }
            }
            _ => {}
        }
    }

    fn traces(&self, spans: Vec<Span>) -> Vec<u8> {
        let scope = ScopeSpans {
            scope: Some(self.scope()),
            spans,
            ..ScopeSpans::default()
        };
        let resource = ResourceSpans {
            resource: Some(self.resource()),
            scope_spans: vec![scope],
            ..ResourceSpans::default()
        };
        ExportTraceServiceRequest {
            resource_spans: vec![resource],
        }
        .encode_to_vec()
    }

    fn logs(&self, log_records: Vec<LogRecord>) -> Vec<u8> {
        let scope = ScopeLogs {
            scope: Some(self.scope()),
            log_records,
            ..ScopeLogs::default()
        };
        let resource = ResourceLogs {
            resource: Some(self.resource()),
            scope_logs: vec![scope],
            ..ResourceLogs::default()
        };
        ExportLogsServiceRequest {
            resource_logs: vec![resource],
        }
        .encode_to_vec()
    }

    fn resource(&self) -> Resource {
        let attributes = Attributes::default()
            .text("service.name", "wayproof")
            .text("service.version", &self.source.version)
            .text("service.instance.id", &self.source.instance)
            .text(names::PROJECT, "wayproof");
        Resource {
            attributes: attributes.into_vec(),
            ..Resource::default()
        }
    }

    fn scope(&self) -> InstrumentationScope {
        InstrumentationScope {
            name: "wayproof".to_owned(),
            version: self.source.version.clone(),
            ..InstrumentationScope::default()
        }
    }
}
