//! Tokens of Google, fetched with a service account's key from a fake that checks who signs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use http::HeaderMap;
use serde_json::{Value, json};
use wayproof_testkit::{Captured, Provider as Scripted, Reply};
use wayproof_upstream::{
    CallerCredential, Cloud, Credential, Provider, TokenSource, Upstream, Walked, google_account,
};
use wayproof_wire::{Protocol, Protocols};

use crate::stage::{ask, candidate, quick, read};

const EMAIL: &str = "robot@p.iam.gserviceaccount.com";

/// Says a token to whoever signs with the key, and refuses everybody else.
fn tokens(public: &[u8], fetched: &AtomicUsize, captured: &Captured) -> Reply {
    let body = std::str::from_utf8(&captured.body).unwrap();
    let assertion = body.split("assertion=").nth(1).unwrap();
    let assertion = assertion.split('&').next().unwrap().replace("%3D", "=");
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let signature = URL_SAFE.decode(signature).unwrap();
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
    if key.verify(signed.as_bytes(), &signature).is_err() {
        return Reply::json(401, r#"{"error":"invalid_grant"}"#);
    }
    let claims = signed.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE.decode(claims).unwrap()).unwrap();
    assert_eq!(claims["iss"], EMAIL);
    assert_eq!(
        claims["scope"],
        "https://www.googleapis.com/auth/cloud-platform"
    );
    let number = fetched.fetch_add(1, Ordering::SeqCst);
    let said = json!({"access_token": format!("ya29.{number}"), "expires_in": 3600, "token_type": "Bearer"});
    Reply::json(200, said.to_string())
}

fn account(private: &KeyPair, token_uri: &str) -> Arc<dyn TokenSource> {
    let der: Pkcs8V1Der<'_> = private.as_der().unwrap();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(der.as_ref())
    );
    let json = json!({
        "type": "service_account", "project_id": "p", "private_key_id": "1", "private_key": pem,
        "client_email": EMAIL, "client_id": "1", "auth_uri": "", "token_uri": token_uri,
    });
    google_account(&json.to_string()).unwrap()
}

fn vertex(base: &str, source: Arc<dyn TokenSource>) -> Upstream {
    let base = format!("{base}/v1/projects/p/locations/global")
        .parse()
        .unwrap();
    let messages = Protocols::of(&[Protocol::Messages]);
    let provider = Provider::new("v", base, messages, Credential::Tokens(source)).unwrap();
    Upstream::new(vec![provider.in_cloud(Cloud::Vertex)], quick()).unwrap()
}

#[tokio::test]
async fn a_service_account_signs_for_a_token_that_is_kept() {
    let private = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let public = private.public_key().as_ref().to_vec();
    let fetched = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&fetched);
    let google = Scripted::start(move |captured| tokens(&public, &counted, captured)).await;
    let google = google.unwrap();
    let models = Scripted::start(|captured: &Captured| {
        Reply::json(200, captured.header("authorization").unwrap().to_owned())
    })
    .await
    .unwrap();
    let token_uri = format!("{}/token", google.url());
    let upstream = vertex(&models.url(), account(&private, &token_uri));
    for _ in 0..3 {
        let candidates = [candidate("v", r#"{"model":"m","messages":[]}"#)];
        let mut headers = HeaderMap::new();
        headers.insert("authorization", "Bearer sk-client".parse().unwrap());
        let own = CallerCredential::Own;
        let (walked, _) = ask(&upstream, &headers, own, &candidates).await;
        let (_, status, body) = read(walked).await;
        assert_eq!((status, body.as_ref()), (200, b"Bearer ya29.0".as_slice()));
    }
    assert_eq!(fetched.load(Ordering::SeqCst), 1);
    assert_eq!(
        models.captured()[0].path,
        "/v1/projects/p/locations/global/publishers/anthropic/models/some-model:rawPredict"
    );
}

#[tokio::test]
async fn without_a_token_nobody_is_asked_and_the_reason_is_told() {
    let private = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let google = Scripted::start(|_: &Captured| Reply::json(400, r#"{"error":"invalid_grant"}"#));
    let google = google.await.unwrap();
    let models = Scripted::start(|_: &Captured| Reply::json(200, "{}"))
        .await
        .unwrap();
    let token_uri = format!("{}/token", google.url());
    let upstream = vertex(&models.url(), account(&private, &token_uri));
    let candidates = [candidate("v", r#"{"model":"m","messages":[]}"#)];
    let own = CallerCredential::Own;
    let (walked, records) = ask(&upstream, &HeaderMap::new(), own, &candidates).await;
    let Walked::Unanswered(error) = walked else {
        panic!("{walked:?}")
    };
    let told = error.to_string();
    assert!(
        told.starts_with("provider v cannot be shown who asks: Google gives no token"),
        "{told}"
    );
    assert_eq!(records.len(), 1);
    assert!(models.captured().is_empty());
    assert!(upstream.is_healthy("v"));
}

#[test]
fn what_is_no_key_is_refused_when_it_is_read() {
    for json in [
        "",
        "{}",
        r#"{"type":"authorized_user","refresh_token":"r"}"#,
    ] {
        let error = google_account(json).unwrap_err().to_string();
        assert!(
            error.starts_with("the key of a service account cannot be used"),
            "{error}"
        );
    }
}
