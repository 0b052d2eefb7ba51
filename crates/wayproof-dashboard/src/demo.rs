//! Made-up data for whoever wants to see the pages before anything has happened.
//!
//! It lives in a ledger of its own, in a folder that goes with the process, and is shown only to a browser that asked
//! for it and only while the real ledger is empty. Every page says what it is. Nothing of it is ever in the real one.

mod receipt;
mod story;

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;
use tower_service::Service as _;
use wayproof_ledger::{Clock, Ledger, Location};

use crate::desk::{Desk, Parts};
use crate::frame::cookie;
use crate::guard::{Signed, Visit};
use crate::problem::Problem;

/// The cookie of a browser that wants to see the demo.
const DEMO_COOKIE: &str = "wayproof_demo";

/// The demo, once somebody asked for it.
#[derive(Default)]
pub(crate) struct Demo(OnceCell<Made>);

struct Made {
    pages: Router,
    _folder: TempDir,
}

/// That a page shows made-up data.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InDemo;

/// Why there is no demo.
#[derive(Debug)]
pub(crate) enum DemoError {
    Folder(std::io::Error),
    Key(wayproof_receipt::KeyError),
    Ledger(wayproof_ledger::LedgerError),
    Story(String),
}

impl std::fmt::Display for DemoError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(error) => write!(f, "making a folder: {error}"),
            Self::Key(error) => write!(f, "making a key: {error}"),
            Self::Ledger(error) => write!(f, "keeping the events: {error}"),
            Self::Story(error) => write!(f, "writing the events: {error}"),
        }
    }
}

impl Desk {
    /// The pages over made-up data, made when they are first wanted.
    async fn demo_pages(&self) -> Result<Router, DemoError> {
        let desk = self.clone();
        let making = || async move {
            // Opening a ledger is not for a task that moves between threads.
            let runtime = Handle::current();
            let made = spawn_blocking(move || runtime.block_on(make(&desk))).await;
            made.unwrap_or_else(|error| Err(DemoError::Story(error.to_string())))
        };
        let made = self.demo().0.get_or_try_init(making).await?;
        Ok(made.pages.clone())
    }
}

async fn make(desk: &Desk) -> Result<Made, DemoError> {
    let folder = TempDir::with_prefix("wayproof-demo-").map_err(DemoError::Folder)?;
    let clock = Clock::fixed(desk.now_us());
    let keys = receipt::Keys::generate()?;
    let place = Location::Sqlite(folder.path().to_owned());
    let ledger = Ledger::open(place, clock.clone(), Some(keys.prover()))
        .await
        .map_err(DemoError::Ledger)?;
    story::tell(&ledger, &clock, &keys).await?;
    let parts = desk.parts();
    let demo = Desk::beside(
        desk,
        Parts {
            ledger,
            clock: parts.clock.clone(),
            house: std::sync::Arc::clone(&parts.house),
            trust: Some(keys.trust()),
            catalog: std::sync::Arc::clone(&parts.catalog),
            settings: parts.settings.clone(),
            proxy: None,
            sign_in: None,
            reviews: None,
            adviser: None,
        },
    );
    Ok(Made {
        pages: crate::routes::pages(demo),
        _folder: folder,
    })
}

/// Shows the made-up pages to a browser that asked for them, while nothing real is there.
pub(crate) async fn choose(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    let is_wanted = cookie(request.headers(), DEMO_COOKIE).is_some();
    let path = request.uri().path();
    let is_page = !matches!(path, "/demo" | "/login" | "/logout" | "/theme")
        && !path.starts_with("/login/")
        && !path.starts_with("/assets/");
    if !is_wanted || !is_page || !is_empty(&desk).await {
        return next.run(request).await;
    }
    match desk.demo_pages().await {
        Ok(mut pages) => match pages.call(anew(request)).await {
            Ok(response) => response,
            Err(never) => match never {},
        },
        Err(error) => {
            tracing::error!(%error, "the demo cannot be made");
            next.run(request).await
        }
    }
}

/// The request as it came to the door, with who asks: what routing to the real page left in it is not for another one.
fn anew(request: Request) -> Request {
    let (mut parts, body) = request.into_parts();
    let visit = parts.extensions.remove::<Visit>();
    let peer = parts.extensions.remove::<ConnectInfo<SocketAddr>>();
    parts.extensions.clear();
    parts.extensions.insert(InDemo);
    if let Some(visit) = visit {
        parts.extensions.insert(visit);
    }
    if let Some(peer) = peer {
        parts.extensions.insert(peer);
    }
    Request::from_parts(parts, body)
}

/// Where nobody can tell, nothing is made up.
async fn is_empty(desk: &Desk) -> bool {
    desk.ledger().size().await.is_ok_and(|size| size == 0)
}

/// Begins or ends the demo for one browser.
pub(crate) async fn turn(
    State(desk): State<Desk>,
    Signed(form): Signed,
) -> Result<Response, Problem> {
    let is_on = form.whole("demo") == "on";
    if is_on && desk.ledger().size().await? != 0 {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "Not empty",
            "The ledger has real events, and made-up ones are never shown beside them.",
        ));
    }
    let set = if is_on {
        "wayproof_demo=on; Path=/; HttpOnly; SameSite=Strict"
    } else {
        "wayproof_demo=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"
    };
    let set = [(header::SET_COOKIE, HeaderValue::from_static(set))];
    Ok((set, Redirect::to("/")).into_response())
}
