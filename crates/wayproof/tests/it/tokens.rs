//! People who are named by OpenID Connect tokens: an issuer that publishes keys and changes them, and forgers.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::{Arc, Mutex},
};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use wayproof_testkit::{Provider, Reply};

use crate::{environment::Environment, up::Up};

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A key with its name.
struct Key(&'static str, RsaKeyPair);

impl Key {
    fn new(id: &'static str) -> Self {
        Self(id, RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    fn set(&self) -> Value {
        // PKCS #1: nine bytes before a modulus of 256, and the usual exponent behind it.
        let n = &self.1.public_key().as_ref()[9..265];
        json!({"keys": [{"kty": "RSA", "kid": self.0, "use": "sig", "alg": "RS256",
            "n": encoded(n), "e": "AQAB"}]})
    }

    fn token(&self, claims: &Value) -> String {
        let header = json!({"alg": "RS256", "kid": self.0, "typ": "JWT"});
        let signed = format!(
            "{}.{}",
            encoded(header.to_string()),
            encoded(claims.to_string())
        );
        let mut signature = vec![0; self.1.public_modulus_len()];
        self.1
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                signed.as_bytes(),
                &mut signature,
            )
            .unwrap();
        format!("{signed}.{}", encoded(signature))
    }
}

/// An issuer of tokens, whose published keys can be changed.
async fn issuer(keys: &Arc<Mutex<Value>>) -> Provider {
    let (keys, name) = (Arc::clone(keys), Arc::new(Mutex::new(String::new())));
    let own = Arc::clone(&name);
    let provider = Provider::start(move |request| {
        let name = own.lock().unwrap().clone();
        match request.path.as_str() {
            "/id/.well-known/openid-configuration" => Reply::json(
                200,
                json!({"issuer": format!("{name}/id"), "jwks_uri": format!("{name}/keys")})
                    .to_string(),
            ),
            "/keys" => Reply::json(200, keys.lock().unwrap().to_string()),
            _ => Reply::json(404, "{}"),
        }
    });
    let provider = provider.await.unwrap();
    *name.lock().unwrap() = provider.url();
    provider
}

/// What the pages say to whoever comes with a token.
fn shown(up: &Up, token: &str) -> String {
    let mut socket = TcpStream::connect(("127.0.0.1", up.port)).unwrap();
    write!(
        socket,
        "GET /jobs HTTP/1.1\r\nhost: 127.0.0.1:{}\r\naccept: text/html\r\nx-id-token: {token}\r\nconnection: close\r\n\r\n",
        up.port
    )
    .unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Asks again until it is let in, or for a minute.
async fn let_in(up: &Up, token: &str) {
    let mut last = String::new();
    for _ in 0..600 {
        last = shown(up, token);
        if last.starts_with("HTTP/1.1 200") {
            assert!(last.contains("ana@example.org"), "{last}");
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("never let in: {last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_token_names_a_person_and_no_other_does() {
    let environment = Environment::new();
    let model = Provider::start(|_| Reply::json(200, "{}")).await.unwrap();
    let (first, second, stranger) = (Key::new("one"), Key::new("two"), Key::new("one"));
    let published = Arc::new(Mutex::new(first.set()));
    let issuer = issuer(&published).await;
    let name = format!("{}/id", issuer.url());
    let set = environment.run(&["people", "set", "ana@example.org", "--role", "viewer"]);
    assert_eq!(set.status, 0, "{set:?}");
    let args = [
        "--trusted-proxy",
        "127.0.0.1",
        "--person-header",
        "x-id-token",
        "--person-claim",
        "email",
        "--person-issuer",
        &name,
        "--person-audience",
        "wayproof",
    ];
    let up = Up::start_with("mock", &environment, &model, &args).await;
    let claims = json!({"iss": name, "aud": ["wayproof"], "email": "ana@example.org", "exp": 4_000_000_000_u64});
    let good = first.token(&claims);
    let_in(&up, &good).await;
    let changed = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        first.token(&claims)
    };
    let (head, _) = good.rsplit_once('.').unwrap();
    let unsigned = format!(
        "{}.{}.",
        encoded(r#"{"alg":"none"}"#),
        encoded(claims.to_string())
    );
    for forged in [
        stranger.token(&claims),
        unsigned,
        format!("{head}."),
        changed("exp", json!(1_000_000_000)),
        changed("aud", json!("another")),
        changed("iss", json!("https://example.org")),
        changed("email", json!("nobody@example.org")),
        "ana@example.org".to_owned(),
    ] {
        let refused = shown(&up, &forged);
        assert!(refused.starts_with("HTTP/1.1 403"), "{forged}: {refused}");
    }
    // The issuer has another key from now on.
    *published.lock().unwrap() = second.set();
    let_in(&up, &second.token(&claims)).await;
    let refused = shown(&up, &good);
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    assert_eq!(up.stop(), 0);
    issuer.stop().await;
    model.stop().await;
}

#[test]
fn a_claim_without_a_way_to_check_it_is_a_mistake() {
    let environment = Environment::new();
    let empty = environment.path("empty.json");
    std::fs::write(&empty, "{\"keys\": []}").unwrap();
    let empty = empty.to_string_lossy().into_owned();
    let proxy = ["up", "--trusted-proxy", "127.0.0.1"];
    for (args, words) in [
        (&["--person-claim", "email"][..], "--person-issuer"),
        (
            &[
                "--person-claim",
                "email",
                "--person-issuer",
                "http://id.example.org",
            ],
            "neither https nor http on this machine",
        ),
        (
            &[
                "--person-claim",
                "email",
                "--person-keys",
                "http://id.example.org/keys",
            ],
            "neither https nor http on this machine",
        ),
        (
            &["--person-claim", "email", "--person-keys", "/nowhere.json"],
            "cannot be read",
        ),
        (
            &["--person-claim", "email", "--person-keys", &empty],
            "no key that signs",
        ),
        (&["--person-keys", &empty], "--person-claim"),
    ] {
        let said = environment.run(&[&proxy[..], args].concat());
        assert_eq!(said.status, 2, "{args:?} {said:?}");
        assert!(said.err.contains(words), "{args:?} {said:?}");
    }
}
