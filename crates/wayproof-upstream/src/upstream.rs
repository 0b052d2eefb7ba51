//! All providers of one gateway: their connections, their health, their limits.
//!
//! It executes the list it is given and makes no choice of its own.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::breaker::{Admission, Breaker, BreakerLimits};
use crate::connect::{Connector, Proxy};
use crate::pool::Pool;
use crate::provider::{Provider, ProviderError};
use crate::retry::RetryLimits;

/// How connections are made and how long anything may take.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The proxy for encrypted connections, if there is one.
    pub proxy: Option<Proxy>,
    /// How long a connection may take to open.
    pub connect: Duration,
    /// How long the head of an answer may take. Models think for minutes.
    pub first_byte: Duration,
    /// How long an answer may pause.
    pub longest_silence: Duration,
    /// How long an idle connection is kept.
    pub idle: Duration,
    /// How many idle connections are kept for each provider.
    pub most_idle: usize,
    /// How often one target is tried again.
    pub retry: RetryLimits,
    /// When a provider is left alone.
    pub breaker: BreakerLimits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            proxy: None,
            connect: Duration::from_secs(10),
            first_byte: Duration::from_mins(10),
            longest_silence: Duration::from_mins(5),
            idle: Duration::from_secs(50),
            most_idle: 256,
            retry: RetryLimits::default(),
            breaker: BreakerLimits::default(),
        }
    }
}

/// All providers and the connections to them.
#[derive(Debug)]
pub struct Upstream {
    /// In the operator's order, which is the order of preference.
    endpoints: Vec<Endpoint>,
    connector: Connector,
    settings: Settings,
    epoch: Instant,
}

/// One provider with its connections and its health.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) provider: Provider,
    pub(crate) pool: Arc<Pool>,
    breaker: Mutex<Breaker>,
}

impl Upstream {
    /// Takes the providers over. Nothing is connected yet.
    pub fn new(providers: Vec<Provider>, settings: Settings) -> Result<Self, ProviderError> {
        let mut endpoints: Vec<Endpoint> = Vec::with_capacity(providers.len());
        for provider in providers {
            if endpoints
                .iter()
                .any(|known| known.provider.name == provider.name)
            {
                return Err(ProviderError::Twice {
                    name: provider.name,
                });
            }
            endpoints.push(Endpoint {
                provider,
                pool: Arc::new(Pool::new(settings.most_idle, settings.idle)),
                breaker: Mutex::new(Breaker::new(settings.breaker)),
            });
        }
        Ok(Self {
            endpoints,
            connector: Connector::new(settings.connect, settings.proxy.clone()),
            settings,
            epoch: Instant::now(),
        })
    }

    /// The providers, in the order they were given in.
    pub fn providers(&self) -> impl Iterator<Item = &Provider> {
        self.endpoints.iter().map(|endpoint| &endpoint.provider)
    }

    /// The provider of that name.
    pub fn provider(&self, name: &str) -> Option<&Provider> {
        self.endpoint(name).map(|endpoint| &endpoint.provider)
    }

    /// Says whether a provider is believed to be well; one that does not exist is not.
    pub fn is_healthy(&self, name: &str) -> bool {
        let now_us = self.now_us();
        self.with_breaker(name, |breaker| breaker.is_healthy(now_us))
            .unwrap_or(false)
    }

    /// Lets the idle connections go that have waited too long.
    ///
    /// Nothing sweeps by itself; whoever owns an upstream does so now and then.
    pub fn sweep(&self) {
        for endpoint in &self.endpoints {
            endpoint.pool.sweep();
        }
    }

    /// Lets all idle connections go. Answers that are still being read go on.
    pub fn close(&self) {
        for endpoint in &self.endpoints {
            endpoint.pool.close();
        }
    }

    pub(crate) fn endpoint(&self, name: &str) -> Option<&Endpoint> {
        self.endpoints
            .iter()
            .find(|endpoint| endpoint.provider.name == name)
    }

    pub(crate) const fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) const fn connector(&self) -> &Connector {
        &self.connector
    }

    pub(crate) fn admit(&self, name: &str) -> Admission {
        let now_us = self.now_us();
        self.with_breaker(name, |breaker| breaker.admit(now_us))
            .unwrap_or(Admission::Go)
    }

    pub(crate) fn note_success(&self, name: &str) {
        self.with_breaker(name, Breaker::succeeded);
    }

    pub(crate) fn note_fault(&self, name: &str) {
        let now_us = self.now_us();
        self.with_breaker(name, |breaker| breaker.failed(now_us));
    }

    fn with_breaker<T>(&self, name: &str, ask: impl FnOnce(&mut Breaker) -> T) -> Option<T> {
        let endpoint = self.endpoint(name)?;
        let mut breaker = endpoint
            .breaker
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Some(ask(&mut breaker))
    }

    fn now_us(&self) -> i64 {
        i64::try_from(self.epoch.elapsed().as_micros()).unwrap_or(i64::MAX)
    }
}
