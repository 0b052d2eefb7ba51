//! Which answers a flat subscription pays for: those that a provider gave to the caller's own sign-in, which was passed
//! through to it. A key is billed by use, whosever it is.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use wayproof_upstream::{CallerCredential, Credential, Provider, bearer};

use crate::exchange::Call;

/// How sign-ins of subscriptions begin that can be told from keys: Claude's.
const SIGN_INS: [&str; 1] = ["sk-ant-oat"];

/// Whether a request shows the sign-in of a subscription.
pub(crate) fn is_signed_in(call: &Call) -> bool {
    call.credential == CallerCredential::Own && has_sign_in(&call.head.headers)
}

/// Whether the subscription behind a request's sign-in pays for what a provider answers: it is shown what the caller shows.
pub(crate) fn pays(is_signed_in: bool, provider: Option<&Provider>) -> bool {
    let is_shown = |provider: &Provider| matches!(provider.credential, Credential::PassThrough);
    is_signed_in && provider.is_some_and(is_shown)
}

fn has_sign_in(headers: &HeaderMap) -> bool {
    let shown = headers.get_all(AUTHORIZATION).iter();
    let mut tokens = shown.map(|value| bearer(value.as_bytes()));
    tokens.any(|token| {
        SIGN_INS
            .iter()
            .any(|begin| token.starts_with(begin.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_sign_in_is_told_from_a_key() {
        for (value, expected) in [
            ("Bearer sk-ant-oat01-abc", true),
            ("Bearer sk-ant-api03-abc", false),
            ("Basic sk-ant-oat01-abc", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.append(AUTHORIZATION, HeaderValue::from_static(value));
            assert_eq!(has_sign_in(&headers), expected, "{value}");
        }
        assert!(!has_sign_in(&HeaderMap::new()));
    }
}
