//! A gateway on a free port with a ledger in a temporary directory.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;
use wayproof_engine::{Catalog, Policy};
use wayproof_gateway::{Gateway, Glance, KeyDigest, Parts, ServeError, Settings};
use wayproof_ledger::{Clock, ExchangeDetail, Ids, Ledger, Location};
use wayproof_testkit::Provider as Scripted;
use wayproof_upstream::{Credential, Provider, RetryLimits, Upstream};
use wayproof_wire::Protocols;

/// The admin token of every gateway on stage.
pub(crate) const ADMIN: &str = "wp_admin_test";

/// A policy whose every class has a target of its own, at the provider `p`.
pub(crate) const POLICY: &str = r#"
version = 1

[class.fast]
targets = ["p/fast-1", "q/fast-1"]
[class.strong]
targets = ["p/strong-1"]
[class.reviewer]
targets = ["p/reviewer-1"]
[class.max]
targets = ["p/max-1"]

[task.bug-fix]
escalate = [{ on = "context-overflow", to = "max" }, { on = "proof-refuted", to = "max" }]

[task.general]
escalate = [{ on = "context-overflow", to = "max" }]
"#;

/// What a gateway is put on stage with.
pub(crate) struct Setting {
    pub(crate) policy: Policy,
    pub(crate) providers: Vec<Provider>,
    pub(crate) settings: Settings,
    pub(crate) upstream: wayproof_upstream::Settings,
    /// Providers with the only model each has.
    pub(crate) served: Vec<(&'static str, &'static str)>,
}

impl Setting {
    /// One provider with the gateway's key.
    pub(crate) fn with(scripted: &Scripted) -> Self {
        Self::at(vec![keyed("p", &scripted.url())])
    }

    /// These providers.
    pub(crate) fn at(providers: Vec<Provider>) -> Self {
        Self {
            policy: Policy::parse(POLICY, "wayproof.toml").unwrap().policy,
            providers,
            settings: Settings {
                admin_token: Some(KeyDigest::of(ADMIN.as_bytes())),
                ..Settings::default()
            },
            served: Vec::new(),
            upstream: wayproof_upstream::Settings {
                retry: RetryLimits {
                    retries: 1,
                    first_wait: Duration::from_millis(1),
                    longest_wait: Duration::from_millis(50),
                },
                ..wayproof_upstream::Settings::default()
            },
        }
    }

    /// Raises the curtain.
    pub(crate) async fn open(self) -> Stage {
        Stage::open(self, TempDir::new().unwrap()).await
    }

    /// The same with pages beside the gateway's own.
    pub(crate) async fn open_with_pages(self, pages: impl FnOnce(Glance) -> axum::Router) -> Stage {
        let data = TempDir::new().unwrap();
        let gateway = Gateway::with_pages(parts(self, &data).await, pages);
        Stage::serve(gateway, data).await
    }
}

/// A running gateway.
pub(crate) struct Stage {
    pub(crate) address: SocketAddr,
    pub(crate) ledger: Ledger,
    pub(crate) data: TempDir,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), ServeError>>,
}

impl Stage {
    pub(crate) async fn open(setting: Setting, data: TempDir) -> Self {
        let gateway = build(setting, &data).await;
        Self::serve(gateway, data).await
    }

    async fn serve(gateway: Gateway, data: TempDir) -> Self {
        let ledger = gateway.ledger().clone();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = TaskTracker::new().spawn(async move {
            let shutdown = async { stopped.await.unwrap_or_default() };
            gateway.serve(listener, shutdown).await
        });
        Self {
            address,
            ledger,
            data,
            stop,
            serving,
        }
    }

    /// Everything that is known of an exchange, once it is settled.
    pub(crate) async fn settled(&self, id: &str) -> ExchangeDetail {
        loop {
            self.ledger.flush().await.unwrap();
            match self.ledger.exchange(id).await.unwrap() {
                Some(detail) if detail.settled.is_some() => return detail,
                Some(_) | None => tokio::task::yield_now().await,
            }
        }
    }

    /// Stops the gateway and waits until it has drained.
    pub(crate) async fn stop(self) -> TempDir {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap().unwrap();
        self.ledger.close().await.unwrap();
        self.data
    }
}

/// A gateway that does not serve yet.
pub(crate) async fn gateway(setting: Setting, data: &TempDir) -> Gateway {
    build(setting, data).await
}

async fn build(setting: Setting, data: &TempDir) -> Gateway {
    let served = setting.served.clone();
    let gateway = Gateway::new(parts(setting, data).await);
    for (provider, model) in served {
        gateway.serves(provider, &[model.to_owned()].into());
    }
    gateway
}

async fn parts(setting: Setting, data: &TempDir) -> Parts {
    let clock = Clock::system();
    let location = Location::Sqlite(data.path().to_owned());
    let ledger = Ledger::open(location, clock.clone(), None).await.unwrap();
    Parts {
        policy: setting.policy,
        catalog: Arc::clone(Catalog::embedded()),
        upstream: Upstream::new(setting.providers, setting.upstream).unwrap(),
        ledger,
        ids: Ids::new(clock.clone()),
        clock,
        settings: setting.settings,
    }
}

/// A provider that is shown the gateway's key.
pub(crate) fn keyed(name: &str, url: &str) -> Provider {
    let key = Credential::Key("sk-gateway".to_owned().into());
    Provider::new(name, url.parse().unwrap(), Protocols::ALL, key).unwrap()
}

/// The body of a Messages answer with usage.
pub(crate) const MESSAGE: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"ok"}],"stop_reason":"end_turn","usage":{"input_tokens":10,"output_tokens":5}}"#;

/// A request of one ask.
pub(crate) fn asking(model: &str, ask: &str) -> String {
    format!(
        r#"{{"model":"{model}","max_tokens":64,"messages":[{{"role":"user","content":"{ask}"}}]}}"#
    )
}
