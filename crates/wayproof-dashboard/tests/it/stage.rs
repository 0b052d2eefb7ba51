//! A dashboard over a ledger of its own, and a client for it.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use tempfile::TempDir;
use tower_service::Service as _;
use wayproof_dashboard::{
    Adviser, House, Parts, ProofSeen, ProviderSeen, Reviews, Setting, SignIn, TrustedProxy, router,
};
use wayproof_engine::{Catalog, Policy};
use wayproof_ledger::{Clock, Ledger, Location};
use wayproof_receipt::{SigningKey, Trust};

/// 2026-11-22 12:00 UTC.
pub(crate) const NOON_US: i64 = 1_795_348_800_000_000;

/// A gateway that there is none of.
pub(crate) struct Pretended {
    pub(crate) policy: Policy,
    pub(crate) providers: Vec<ProviderSeen>,
    pub(crate) key: Option<&'static str>,
    pub(crate) proxy: Option<TrustedProxy>,
    pub(crate) sign_in: Option<SignIn>,
    pub(crate) wants_key: bool,
    pub(crate) proofs: Arc<Mutex<Vec<ProofSeen>>>,
    pub(crate) reviews: Option<Box<dyn Reviews>>,
    pub(crate) adviser: Option<Box<dyn Adviser>>,
    stopped: AtomicBool,
}

impl House for Pretended {
    fn policy(&self) -> Option<Arc<Policy>> {
        (!self.stopped.load(Ordering::Relaxed)).then(|| Arc::new(self.policy.clone()))
    }

    fn providers(&self) -> Vec<ProviderSeen> {
        self.providers.clone()
    }

    fn proofs(&self) -> Vec<ProofSeen> {
        self.proofs.lock().unwrap().clone()
    }

    fn ask_in(&self, _: &str, _: &str, body: &[u8]) -> Option<String> {
        Some(format!("asked: {}", String::from_utf8_lossy(body)))
    }

    fn counts(&self) -> (usize, usize) {
        (3, 1)
    }

    fn wants_key(&self) -> bool {
        self.key.is_some() || self.wants_key
    }

    fn holder_of(&self, key: &[u8]) -> Option<String> {
        (self.key?.as_bytes() == key).then(|| "team".to_owned())
    }

    fn stopping(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::pending())
    }
}

/// A dashboard.
pub(crate) struct Stage {
    pub(crate) ledger: Ledger,
    pub(crate) clock: Clock,
    pub(crate) router: Router,
    /// Proofs that are under way.
    pub(crate) proofs: Arc<Mutex<Vec<ProofSeen>>>,
    _folder: TempDir,
}

/// What a page answered.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The token of the page's forms.
    pub(crate) fn csrf(&self) -> String {
        let (_, rest) = self.text.split_once("name=\"csrf\" value=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    /// The cookie that was set, as it is sent back.
    pub(crate) fn cookie(&self) -> String {
        self.header("set-cookie")
            .split(';')
            .next()
            .unwrap()
            .to_owned()
    }
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}, Clock::fixed(NOON_US)).await
    }

    pub(crate) async fn with_key(key: &'static str) -> Self {
        Self::with(|house| house.key = Some(key), Clock::fixed(NOON_US)).await
    }

    pub(crate) async fn with(bend: impl FnOnce(&mut Pretended), clock: Clock) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::Sqlite(folder.path().to_owned());
        let ledger = Ledger::open(location, clock.clone(), Some(log_key()))
            .await
            .unwrap();
        let mut house = Pretended {
            policy: Policy::builtin(),
            providers: vec![provider("anthropic", true), provider("openai", false)],
            key: None,
            proxy: None,
            sign_in: None,
            wants_key: false,
            proofs: Arc::default(),
            reviews: None,
            adviser: None,
            stopped: AtomicBool::new(false),
        };
        bend(&mut house);
        let proofs = Arc::clone(&house.proofs);
        let proxy = house.proxy.take();
        let sign_in = house.sign_in.take();
        let reviews = house.reviews.take();
        let adviser = house.adviser.take();
        let router = router(Parts {
            ledger: ledger.clone(),
            clock: clock.clone(),
            house: Arc::new(house),
            trust: Some(Trust::default().and("ci", &prover().public())),
            catalog: Arc::clone(Catalog::embedded()),
            settings: vec![Setting {
                name: "Listens on".to_owned(),
                value: "127.0.0.1:4417".to_owned(),
                source: "--listen".to_owned(),
            }],
            proxy,
            sign_in,
            reviews,
            adviser,
        })
        .unwrap();
        Self {
            ledger,
            clock,
            router,
            proofs,
            _folder: folder,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Seen {
        self.ask(request("GET", path).body(Body::empty()).unwrap())
            .await
    }

    /// Sends a request from this machine.
    pub(crate) async fn ask(&self, request: Request<Body>) -> Seen {
        self.ask_from([127, 0, 0, 1], request).await
    }

    pub(crate) async fn ask_from(&self, peer: [u8; 4], request: Request<Body>) -> Seen {
        let response = self.raw(peer, request).await;
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Seen {
            status: head.status,
            headers: head.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    pub(crate) async fn raw(&self, peer: [u8; 4], mut request: Request<Body>) -> Response<Body> {
        let peer = SocketAddr::from((peer, 50_000));
        request.extensions_mut().insert(ConnectInfo(peer));
        self.router.clone().call(request).await.unwrap()
    }
}

/// A request as a browser on this machine makes it.
pub(crate) fn request(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost:4417")
        .header("accept", "text/html")
}

/// A form as one of our pages sends it.
pub(crate) fn form(path: &str, cookie: &str, fields: &[(&str, &str)]) -> Request<Body> {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(fields);
    request("POST", path)
        .header("origin", "http://localhost:4417")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("cookie", cookie)
        .body(Body::from(body.finish()))
        .unwrap()
}

fn provider(name: &str, is_healthy: bool) -> ProviderSeen {
    ProviderSeen {
        name: name.to_owned(),
        base: format!("https://api.{name}.example/"),
        is_healthy,
    }
}

pub(crate) fn log_key() -> SigningKey {
    SigningKey::from_seed(&[9; 32])
}

pub(crate) fn prover() -> SigningKey {
    SigningKey::from_seed(&[1; 32])
}
