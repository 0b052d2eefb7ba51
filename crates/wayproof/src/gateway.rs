//! Puts a gateway together, finds one that runs, and talks to its admin pages.

mod admin;
mod advice;
mod desk;
pub(crate) mod http;
mod reviews;

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::{Uri, header::HeaderValue};
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use wayproof_dashboard::{SignIn, TrustedProxy};
use wayproof_engine::Policy;
use wayproof_gateway::{CallerKey, Gateway, KeyDigest, Parts, ServeError, Settings};
use wayproof_ledger::{Capture, Clock, Ids, Ledger};
use wayproof_upstream::{Provider, Proxy, Upstream};

pub(crate) use self::admin::{Admin, OpenJob, OpenedJob, ProofReport, ProviderHealth, TaskPage};
use self::reviews::ReviewDesk;
use crate::{
    catalogs,
    commands::receipt,
    exit::{Broken, Mistake},
    follow::Following,
    ledgers, settings,
};

/// What a gateway is started with.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) listen: SocketAddr,
    pub(crate) policy: Policy,
    pub(crate) providers: Vec<Provider>,
    pub(crate) data: PathBuf,
    /// A PostgreSQL URL instead of SQLite in the data directory.
    pub(crate) ledger: Option<String>,
    /// The key that callers must show.
    pub(crate) key: Option<String>,
    /// Whether answers wait for the disk.
    pub(crate) syncs_before_answer: bool,
    /// How much of requests and answers is kept.
    pub(crate) capture: Capture,
    /// A proxy that tells the dashboard who asks.
    pub(crate) proxy: Option<TrustedProxy>,
    /// Where people sign in to the dashboard, beside their keys.
    pub(crate) sign_in: Option<SignIn>,
    /// Repositories whose changes people decide on at the dashboard.
    pub(crate) repos: Vec<PathBuf>,
    /// The revision that changes go into; otherwise the usual names are tried.
    pub(crate) repo_base: Option<String>,
}

/// A gateway that serves in this process.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) gateway: Gateway,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), ServeError>>,
    place: PathBuf,
    followers: Vec<Following>,
}

/// Where a gateway of a data directory is, as it writes it down while it serves.
#[derive(Debug, Serialize, Deserialize)]
struct Place {
    url: String,
}

const PLACE_FILE: &str = "gateway.json";
const TOKEN_FILE: &str = "admin.token";

impl Running {
    /// The base URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Somebody else is told of what happens until the gateway stops.
    pub(crate) fn tell(&mut self, follower: Following) {
        self.followers.push(follower);
    }

    /// Drains, then closes the ledger.
    pub(crate) async fn stop(self) -> Result<()> {
        // A gateway that has ended by itself is not there to be told.
        let _told = self.stop.send(());
        self.serving.await.context("waiting for the gateway")??;
        forget(&self.place, &self.address);
        for follower in self.followers {
            follower.finish().await?;
        }
        self.gateway
            .ledger()
            .close()
            .await
            .context("closing the ledger")
    }
}

/// Starts a gateway.
pub(crate) async fn start(start: Start) -> Result<Running> {
    let in_force = catalogs::in_force(&start.data)?;
    let (listener, address) = listen(&start).await?;
    let ledger = ledgers::keep(&start.data, start.ledger.as_deref()).await?;
    check_reach(address, start.key.is_some(), &ledger).await?;
    if let Some(text) = &in_force.text {
        // Prices name their catalog by digest; who reads the ledger later finds it there.
        let kept = ledger.keep(text).await;
        kept.context("keeping the catalog of models in the ledger")?;
    }
    let clock = Clock::system();
    let settings = settings_of(&start)?;
    let upstream = wayproof_upstream::Settings {
        proxy: proxy()?,
        ..wayproof_upstream::Settings::default()
    };
    let pages = desk::Pages {
        trust: receipt::trust_of(&start.data),
        settings: desk::settings(&start),
        proxy: start.proxy,
        sign_in: start.sign_in,
        reviews: ReviewDesk::over(
            (start.repos, start.repo_base),
            start.data.clone(),
            ledger.clone(),
        ),
        adviser: Some(Box::new(advice::FromLedger(ledger.clone()))),
    };
    let parts = Parts {
        policy: start.policy,
        catalog: in_force.catalog,
        upstream: Upstream::new(start.providers, upstream)
            .map_err(|error| Mistake(error.to_string()))?,
        ledger,
        ids: Ids::new(clock.clone()),
        clock,
        settings,
    };
    let gateway = desk::with_dashboard(parts, pages)?;
    let (stop, stopped) = oneshot::channel();
    let serving = gateway.clone();
    #[expect(
        clippy::disallowed_methods,
        reason = "whoever holds the running gateway waits for it"
    )]
    let serving = tokio::spawn(async move {
        // A dropped sender means the same as a message: nobody holds the gateway any more.
        serving
            .serve(listener, async move { drop(stopped.await) })
            .await
    });
    Ok(Running {
        address,
        gateway,
        stop,
        serving,
        place: write_place(&start.data, address)?,
        followers: Vec::new(),
    })
}

/// What the gateway itself is set to.
fn settings_of(start: &Start) -> Result<Settings> {
    let key = |key: &String| CallerKey {
        name: "operator".to_owned(),
        digest: KeyDigest::of(key.as_bytes()),
    };
    Ok(Settings {
        keys: start.key.iter().map(key).collect(),
        admin_token: Some(KeyDigest::of(token(&start.data)?.as_bytes())),
        syncs_before_answer: start.syncs_before_answer,
        capture: start.capture,
        pages_have_proxy: start.proxy.is_some(),
        ..Settings::default()
    })
}

/// Writes down where the gateway of a data directory is.
fn write_place(data: &Path, address: SocketAddr) -> Result<PathBuf> {
    let place = data.join(PLACE_FILE);
    let text = serde_json::to_string(&Place {
        url: format!("http://{address}"),
    })?;
    fs::write(&place, text).with_context(|| format!("writing {}", place.display()))?;
    Ok(place)
}

/// Opens the address.
async fn listen(start: &Start) -> Result<(TcpListener, SocketAddr)> {
    let taken = |error| {
        Mistake(format!(
            "cannot listen on {}: {}",
            start.listen,
            listen_problem(&error)
        ))
    };
    let listener = TcpListener::bind(start.listen).await.map_err(taken)?;
    let address = listener
        .local_addr()
        .context("reading the address it listens on")?;
    Ok((listener, address))
}

/// An address that other machines can reach needs a key for callers.
async fn check_reach(address: SocketAddr, has_key: bool, ledger: &Ledger) -> Result<()> {
    if address.ip().is_loopback() || has_key {
        return Ok(());
    }
    let register = ledger
        .books()
        .fresh(-1)
        .await
        .context("reading the books")?;
    if register.needs_key() {
        return Ok(());
    }
    let sentence = format!(
        "{address} can be reached from other machines: give out a key with `wayproof keys new`, or name the variable \
         with the callers' key by --key-env"
    );
    Err(Mistake(sentence).into())
}

fn listen_problem(error: &std::io::Error) -> String {
    if error.kind() == std::io::ErrorKind::AddrInUse {
        return "the address is in use; another gateway may run, or choose one with --listen"
            .to_owned();
    }
    error.to_string()
}

/// The file tells of this gateway only while it is this gateway's.
fn forget(place: &Path, address: &SocketAddr) {
    let ours = fs::read_to_string(place).is_ok_and(|text| text.contains(&address.to_string()));
    if ours && let Err(error) = fs::remove_file(place) {
        tracing::warn!(place = %place.display(), %error, "the gateway's place stays written down");
    }
}

/// The proxy for encrypted connections, as the environment names it.
pub(crate) fn proxy() -> Result<Option<Proxy>> {
    let named = settings::variable("HTTPS_PROXY").or_else(|| settings::variable("https_proxy"));
    let Some(text) = named else { return Ok(None) };
    let uri: Uri = text
        .parse()
        .map_err(|_| Mistake("HTTPS_PROXY is not an address".to_owned()))?;
    let user = uri
        .authority()
        .and_then(|authority| authority.as_str().rsplit_once('@'))
        .map(|(user, _)| user);
    let authorization = user
        .map(|user| HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(user))))
        .transpose();
    let direct = settings::variable("NO_PROXY")
        .or_else(|| settings::variable("no_proxy"))
        .unwrap_or_default();
    Ok(Some(Proxy {
        authorization: authorization.map_err(|_| {
            Mistake("HTTPS_PROXY has a user that cannot stand in a header".to_owned())
        })?,
        uri,
        direct: direct
            .split(',')
            .map(|host| host.trim().to_owned())
            .filter(|host| !host.is_empty())
            .collect(),
    }))
}

/// The token of the admin pages: made on first use, readable by its owner alone.
fn token(data: &Path) -> Result<String> {
    let file = data.join(TOKEN_FILE);
    if let Ok(token) = fs::read_to_string(&file) {
        return Ok(token.trim().to_owned());
    }
    let mut secret = [0_u8; 32];
    getrandom::fill(&mut secret)
        .map_err(|error| Broken(format!("the system gives no randomness: {error}")))?;
    let token = secret
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    settings::write_private(&file, token.as_bytes())?;
    Ok(token)
}

/// The gateway that a person names, else the one that runs on the data directory, if any.
pub(crate) async fn find(named: Option<&str>, data: &Path) -> Result<Option<Admin>> {
    find_as(named, data, None).await
}

/// The same, asked with a key that was given out instead of the admin token.
async fn find_as(named: Option<&str>, data: &Path, key: Option<&str>) -> Result<Option<Admin>> {
    let token = match key
        .map(str::to_owned)
        .or_else(|| settings::variable("WAYPROOF_ADMIN_TOKEN"))
    {
        Some(token) => token,
        None => token(data)?,
    };
    if let Some(url) = named {
        let admin = Admin::new(url.trim_end_matches('/').to_owned(), &token);
        admin
            .check()
            .await
            .map_err(|error| Mistake(format!("the gateway {url}: {error}")))?;
        return Ok(Some(admin));
    }
    let Ok(text) = fs::read_to_string(data.join(PLACE_FILE)) else {
        return Ok(None);
    };
    let Ok(place) = serde_json::from_str::<Place>(&text) else {
        return Ok(None);
    };
    let admin = Admin::new(place.url, &token);
    // A place left behind by a gateway that was killed is no gateway.
    Ok(admin.check().await.is_ok().then_some(admin))
}

/// What needs a gateway.
#[derive(Debug)]
pub(crate) struct ForWork<'a> {
    /// The gateway somebody named.
    pub(crate) named: Option<&'a str>,
    /// Providers somebody named: then a gateway of its own has them.
    pub(crate) providers: &'a [Provider],
    pub(crate) policy: &'a Policy,
    pub(crate) data: &'a Path,
    pub(crate) ledger: Option<String>,
    /// The given-out key on whose account the work goes.
    pub(crate) key: Option<&'a str>,
}

/// The gateway that is named or runs already, else one of our own on a free port.
pub(crate) async fn for_work(work: ForWork<'_>) -> Result<(Admin, Option<Running>)> {
    if work.providers.is_empty()
        && let Some(admin) = find_as(work.named, work.data, work.key).await?
    {
        return Ok((admin, None));
    }
    let running = start(Start {
        listen: ([127, 0, 0, 1], 0).into(),
        policy: work.policy.clone(),
        providers: settings::providers_or_found(work.providers).await?,
        data: work.data.to_owned(),
        ledger: work.ledger,
        key: None,
        syncs_before_answer: false,
        capture: Capture::None,
        proxy: None,
        sign_in: None,
        repos: Vec::new(),
        repo_base: None,
    })
    .await?;
    let admin = match work.key {
        Some(key) => Admin::new(running.url(), key),
        None => admin_of(&running, work.data)?,
    };
    Ok((admin, Some(running)))
}

/// The gateway that is named or written down in the data directory, if it answers; nothing is made on the way.
pub(crate) async fn running(named: Option<&str>, data: &Path) -> Option<Admin> {
    let admin = at_place(named, data)?;
    admin.check().await.is_ok().then_some(admin)
}

/// The gateway that is named or written down in the data directory, without asking whether it is there.
pub(crate) fn at_place(named: Option<&str>, data: &Path) -> Option<Admin> {
    let token = settings::variable("WAYPROOF_ADMIN_TOKEN").or_else(|| {
        Some(
            fs::read_to_string(data.join(TOKEN_FILE))
                .ok()?
                .trim()
                .to_owned(),
        )
    })?;
    let written = || {
        let text = fs::read_to_string(data.join(PLACE_FILE)).ok()?;
        let place: Place = serde_json::from_str(&text).ok()?;
        Some(place.url)
    };
    let url = named.map(|url| url.trim_end_matches('/').to_owned());
    let url = url.or_else(written)?;
    Some(Admin::new(url, &token))
}

/// The admin client of a gateway in this process.
pub(crate) fn admin_of(running: &Running, data: &Path) -> Result<Admin> {
    Ok(Admin::new(running.url(), &token(data)?))
}
