//! Keeps the choice of light or dark.

use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};

use super::inner_path;
use crate::frame::{THEME_COOKIE, Theme};
use crate::guard::Signed;

/// Keeps the choice and goes back.
pub(crate) async fn choose(Signed(form): Signed) -> Response {
    let theme = Theme::named(form.whole("theme")).name();
    let cookie =
        format!("{THEME_COOKIE}={theme}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000");
    let back = Redirect::to(inner_path(form.whole("back")));
    std::future::ready(([(header::SET_COOKIE, cookie)], back).into_response()).await
}
