//! Signatures of AWS (version 4) over requests to Bedrock.
//!
//! Signed are the host, the path, the content type and the body, and what the signer adds itself. What proxies on the
//! way may change stays unsigned.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign as make};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderName, HeaderValue, Request};
use secrecy::ExposeSecret;

use super::{AwsKeys, Cloud};
use crate::body::Segments;
use crate::provider::Provider;

const SERVICE: &str = "bedrock";

/// Signs a request.
pub(super) fn sign(
    provider: &Provider,
    keys: &AwsKeys,
    request: &mut Request<Segments>,
    pieces: &[Bytes],
) -> Result<(), String> {
    let Some(Cloud::Bedrock { region }) = &provider.cloud else {
        return Err("keys of AWS sign for Bedrock alone".to_owned());
    };
    let pair = keys.pair();
    let session = pair
        .session
        .as_ref()
        .map(|token| token.expose_secret().to_owned());
    let secret = pair.secret.expose_secret().to_owned();
    let identity = Credentials::new(pair.id, secret, session, None, "wayproof").into();
    let now_us = u64::try_from(keys.now_us()).map_err(|_| "the clock is before 1970")?;
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(SERVICE)
        .time(SystemTime::UNIX_EPOCH + Duration::from_micros(now_us))
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| error.to_string())?
        .into();
    let body = pieces.concat();
    let signed = [HOST, CONTENT_TYPE];
    let headers = signed.iter().filter_map(|name| {
        let value = request.headers().get(name)?.to_str().ok()?;
        Some((name.as_str(), value))
    });
    let scheme = if provider.is_tls() { "https" } else { "http" };
    let host = provider.host_header().to_str().unwrap_or_default();
    let address = format!("{scheme}://{host}{}", request.uri());
    let signable = SignableRequest::new(
        request.method().as_str(),
        address,
        headers,
        SignableBody::Bytes(&body),
    );
    let made = signable.and_then(|signable| make(signable, &params));
    let (instructions, _signature) = made.map_err(|error| error.to_string())?.into_parts();
    for (name, value) in instructions.headers() {
        let name = HeaderName::try_from(name).map_err(|error| error.to_string())?;
        let mut value = HeaderValue::try_from(value).map_err(|error| error.to_string())?;
        value.set_sensitive(true);
        request.headers_mut().insert(name, value);
    }
    Ok(())
}
