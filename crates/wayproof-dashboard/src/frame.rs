//! What stands around every page: title, navigation, the choice of light or dark, who is signed in.

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Response};

use wayproof_ledger::Role;

use crate::demo::InDemo;
use crate::guard::{Ticket, Visit};
use crate::problem::Problem;

/// The pages by their address and name, and who sees them.
const NAV: [(&str, &str, Role); 11] = [
    ("/", "Now", Role::Viewer),
    ("/jobs", "Jobs", Role::Viewer),
    ("/receipts", "Receipts", Role::Viewer),
    ("/review", "Review", Role::Reviewer),
    ("/spend", "Spend", Role::Viewer),
    ("/policy", "Policy", Role::Viewer),
    ("/models", "Models", Role::Viewer),
    ("/status", "Health", Role::Viewer),
    ("/settings", "Settings", Role::Admin),
    ("/docs", "Docs", Role::Viewer),
    ("/connect", "Connect", Role::Viewer),
];

/// What stands around a page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frame {
    /// The address without its query.
    pub(crate) path: String,
    /// Where a form that changes the frame leads back to.
    pub(crate) back: String,
    pub(crate) theme: Theme,
    pub(crate) csrf: String,
    /// Who is signed in, where that is needed, and whether they can sign out here.
    pub(crate) who: Option<Who>,
    /// What the reader may see and do.
    pub(crate) role: Role,
    /// Whether everything on the page is made up.
    pub(crate) is_demo: bool,
    /// Whether nothing but signing in is offered.
    pub(crate) is_outside: bool,
}

/// Whoever looks.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    pub(crate) name: String,
    pub(crate) role: &'static str,
    /// Whether a session of ours can be ended; a proxy's cannot.
    pub(crate) can_leave: bool,
}

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the reader's system says.
    #[default]
    Auto,
    Light,
    Dark,
}

pub(crate) const THEME_COOKIE: &str = "wayproof_theme";

impl Theme {
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::Auto,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// What the button next to it offers.
    const fn next(self) -> Self {
        match self {
            Self::Auto => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::Auto,
        }
    }
}

/// One entry of the navigation.
#[derive(Debug)]
pub(crate) struct NavItem {
    pub(crate) href: &'static str,
    pub(crate) name: &'static str,
    pub(crate) is_current: bool,
}

impl Frame {
    /// The frame of a request.
    pub(crate) fn of(parts: &Parts) -> Self {
        let visit = parts.extensions.get::<Visit>();
        let query = parts.uri.query().unwrap_or_default();
        let path = parts.uri.path().to_owned();
        let back = if query.is_empty() {
            path.clone()
        } else {
            format!("{path}?{query}")
        };
        Self {
            path,
            back,
            theme: cookie(&parts.headers, THEME_COOKIE)
                .map(|name| Theme::named(&name))
                .unwrap_or_default(),
            csrf: visit.map(|visit| visit.csrf.clone()).unwrap_or_default(),
            who: visit
                .and_then(|visit| visit.reader.as_ref())
                .map(|reader| Who {
                    name: crate::show::text::short(&reader.name),
                    role: reader.role.name(),
                    can_leave: !matches!(reader.ticket, Ticket::Person(_)),
                }),
            is_demo: parts.extensions.get::<InDemo>().is_some(),
            role: visit.map(|visit| visit.role).unwrap_or_default(),
            is_outside: visit.is_none_or(|visit| visit.is_outside),
        }
    }

    pub(crate) fn nav(&self) -> Vec<NavItem> {
        let seen = NAV.iter().filter(|(_, _, role)| *role <= self.role);
        let items = seen.map(|(href, name, _)| NavItem {
            href,
            name,
            is_current: if *href == "/" {
                self.path == "/"
            } else {
                let rest = self.path.strip_prefix(href);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            },
        });
        items.collect()
    }

    pub(crate) fn theme_name(&self) -> &'static str {
        self.theme.name()
    }

    pub(crate) fn next_theme(&self) -> &'static str {
        self.theme.next().name()
    }
}

impl<S: Sync> FromRequestParts<S> for Frame {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        std::future::ready(Ok(Self::of(parts))).await
    }
}

/// The value of a cookie.
pub(crate) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter();
    let texts = all.filter_map(|value| value.to_str().ok());
    let mut pairs = texts.flat_map(|text| text.split(';'));
    pairs.find_map(|pair| {
        let (found, value) = pair.trim().split_once('=')?;
        (found == name).then(|| value.to_owned())
    })
}

/// Writes a page.
pub(crate) fn page(template: &impl Template) -> Result<Response, Problem> {
    Ok(Html(template.render()?).into_response())
}
