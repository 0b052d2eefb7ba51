//! Tokens that are believed, and every way in which one is not.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use serde_json::json;

use super::*;

const NOW_US: i64 = 1_000_000_000;

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// One key of each kind, as an issuer has them.
struct Keys {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    ed: Ed25519KeyPair,
}

impl Keys {
    fn new() -> Self {
        Self {
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
            ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            ed: Ed25519KeyPair::generate().unwrap(),
        }
    }

    fn published(&self) -> Value {
        // PKCS #1: nine bytes before a modulus of 256, and the usual exponent behind it.
        let n = &self.rsa.public_key().as_ref()[9..265];
        let point = self.ec.public_key().as_ref();
        json!({"keys": [
            {"kty": "RSA", "kid": "r", "use": "sig",
                "n": encoded(n), "e": "AQAB"},
            {"kty": "EC", "kid": "e", "alg": "ES256", "crv": "P-256", "x": encoded(&point[1..33]), "y": encoded(&point[33..])},
            {"kty": "OKP", "kid": "o", "crv": "Ed25519", "x": encoded(self.ed.public_key())},
            {"kty": "oct", "kid": "secret", "k": encoded("anything")},
            {"kty": "RSA", "kid": "for-encryption", "use": "enc", "n": "AQAB", "e": "AQAB"},
        ]})
    }

    fn issuer(&self) -> Issuer {
        let issuer = Issuer::new("email", Some("https://id".into()), Some("wayproof".into()));
        let keys = issuer.learn(self.published().to_string().as_bytes());
        assert_eq!(keys, Ok(3));
        issuer
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        let signed = format!(
            "{}.{}",
            encoded(header.to_string()),
            encoded(claims.to_string())
        );
        let random = SystemRandom::new();
        let rsa = |encoding: &'static dyn RsaEncoding| {
            let mut signature = vec![0; self.rsa.public_modulus_len()];
            let message = signed.as_bytes();
            self.rsa
                .sign(encoding, &random, message, &mut signature)
                .unwrap();
            signature
        };
        let signature = match header["alg"].as_str().unwrap() {
            "RS256" => rsa(&RSA_PKCS1_SHA256),
            "PS256" => rsa(&RSA_PSS_SHA256),
            "ES256" => {
                let signature = self.ec.sign(&random, signed.as_bytes()).unwrap();
                signature.as_ref().to_vec()
            }
            "EdDSA" => self.ed.sign(signed.as_bytes()).as_ref().to_vec(),
            _ => Vec::new(),
        };
        format!("{signed}.{}", encoded(signature))
    }
}

fn claims() -> Value {
    json!({"iss": "https://id", "aud": "wayproof", "email": " ana@example.org ", "exp": 2_000, "nbf": 900})
}

#[test]
fn each_kind_of_key_signs_for_a_person() {
    let keys = Keys::new();
    let issuer = keys.issuer();
    for (alg, kid) in [
        ("RS256", "r"),
        ("PS256", "r"),
        ("ES256", "e"),
        ("EdDSA", "o"),
    ] {
        let token = keys.token(&json!({"alg": alg, "kid": kid}), &claims());
        let ana = Ok("ana@example.org".to_owned());
        assert_eq!(issuer.person(&token, NOW_US), ana, "{alg}");
        let bearer = format!("Bearer {token}");
        assert_eq!(issuer.person(&bearer, NOW_US), ana);
        // A token need not name its key.
        let nameless = keys.token(&json!({"alg": alg}), &claims());
        assert_eq!(issuer.person(&nameless, NOW_US), ana, "{alg}");
    }
}

#[test]
fn what_nobody_signed_names_nobody() {
    let (keys, strangers) = (Keys::new(), Keys::new());
    let issuer = keys.issuer();
    let header = json!({"alg": "RS256", "kid": "r"});
    let good = keys.token(&header, &claims());
    let mut root = claims();
    root["email"] = "root@example.org".into();
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (head, _) = signed.split_once('.').unwrap();
    let swapped = format!("{head}.{}.{signature}", encoded(root.to_string()));
    let mut bent = good.clone();
    bent.pop();
    for (token, why) in [
        (swapped, NOT_SIGNED),
        (strangers.token(&header, &claims()), NOT_SIGNED),
        (
            keys.token(&json!({"alg": "RS256", "kid": "e"}), &claims()),
            NOT_SIGNED,
        ),
        (keys.token(&json!({"alg": "none"}), &claims()), NOT_SIGNED),
        (
            keys.token(&json!({"alg": "HS256", "kid": "r"}), &claims()),
            NOT_SIGNED,
        ),
        (
            keys.token(&json!({"alg": "ES256", "kid": "r"}), &claims()),
            NOT_SIGNED,
        ),
        (
            keys.token(&json!({"alg": "RS256", "kid": "new"}), &claims()),
            "no key of the issuer is known by its name",
        ),
        (
            keys.token(
                &json!({"alg": "RS256", "kid": "r", "crit": ["b64"], "b64": false}),
                &claims(),
            ),
            "it asks for more than is understood",
        ),
        (
            keys.token(&json!({"alg": "RS256", "kid": "r"}), &json!([1])),
            "it holds no claims",
        ),
        ("ana".to_owned(), "it is no token"),
        ("a.b".to_owned(), "it is no token"),
        ("e30.e30.".to_owned(), "it names no algorithm"),
        (format!("{good}.x"), "its signature cannot be read"),
        ("x".repeat(LONGEST_TOKEN + 1), "it is too long"),
    ] {
        assert_eq!(issuer.person(&token, NOW_US), Err(why), "{token}");
    }
    assert!(issuer.person(&bent, NOW_US).is_err());
    assert_eq!(
        Issuer::new("email", None, None).person(&good, NOW_US),
        Err("no key of the issuer is known by its name")
    );
}

#[test]
fn a_token_counts_in_its_time_from_its_issuer_for_its_audience() {
    let keys = Keys::new();
    let issuer = keys.issuer();
    let said = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        let token = keys.token(&json!({"alg": "EdDSA", "kid": "o"}), &claims);
        issuer.person(&token, NOW_US)
    };
    for (name, value) in [
        ("exp", json!(950)),
        ("exp", json!(1_000.5)),
        ("nbf", json!(1_050)),
        ("aud", json!(["else", "wayproof"])),
    ] {
        assert!(said(name, value).is_ok(), "{name}");
    }
    for (name, value) in [
        ("exp", json!(900)),
        ("exp", json!("2000")),
        ("exp", Value::Null),
        ("nbf", json!(1_100)),
        ("nbf", json!("0")),
        ("iss", json!("https://id/")),
        ("iss", Value::Null),
        ("aud", json!("wayproof2")),
        ("aud", json!([["wayproof"]])),
        ("aud", Value::Null),
        ("email", json!(["ana"])),
        ("email", json!("")),
        ("email", json!("a\u{0}b")),
        ("email", Value::Null),
        ("email_verified", json!(false)),
        ("email_verified", json!("no")),
    ] {
        assert!(said(name, value.clone()).is_err(), "{name} {value}");
    }
}

#[test]
fn the_token_of_a_sign_in_belongs_to_it() {
    let keys = Keys::new();
    let issuer = keys.issuer();
    let said = |more: &[(&str, Value)]| {
        let mut claims = claims();
        claims["nonce"] = "of this one".into();
        for (name, value) in more {
            claims[*name] = value.clone();
        }
        let token = keys.token(&json!({"alg": "ES256", "kid": "e"}), &claims);
        issuer.person_of(&token, "of this one", NOW_US)
    };
    for good in [
        &[][..],
        &[
            ("azp", json!("wayproof")),
            ("aud", json!(["else", "wayproof"])),
        ],
        &[("email_verified", json!(true))],
        &[("email_verified", json!("true"))],
    ] {
        assert!(said(good).is_ok(), "{good:?}");
    }
    for bad in [
        ("nonce", json!("of another")),
        ("nonce", json!("")),
        ("nonce", Value::Null),
        ("azp", json!("else")),
        ("azp", Value::Null),
        ("email_verified", json!(false)),
        ("email_verified", json!("false")),
        ("exp", json!(900)),
        ("email", json!("x".repeat(LONGEST_NAME + 1))),
    ] {
        assert!(said(std::slice::from_ref(&bad)).is_err(), "{bad:?}");
    }
    let token = keys.token(&json!({"alg": "ES256", "kid": "e"}), &claims());
    assert!(issuer.person_of(&token, "", NOW_US).is_err());
}

#[test]
fn keys_that_cannot_be_used_leave_the_known_ones() {
    let keys = Keys::new();
    let issuer = keys.issuer();
    for (set, why) in [
        ("", KeysError::NoSet),
        ("[]", KeysError::NoSet),
        ("{\"keys\": 1}", KeysError::NoSet),
        ("{\"keys\": []}", KeysError::NoKey),
        (
            "{\"keys\": [1, {\"kty\": \"oct\", \"k\": \"c2VjcmV0\"}]}",
            KeysError::NoKey,
        ),
        (
            "{\"keys\": [{\"kty\": \"RSA\", \"n\": \"AQAB\", \"e\": \"AQAB\"}]}",
            KeysError::NoKey,
        ),
        (
            "{\"keys\": [{\"kty\": \"EC\", \"crv\": \"P-256\", \"x\": \"AA\", \"y\": \"AA\"}]}",
            KeysError::NoKey,
        ),
    ] {
        assert_eq!(issuer.learn(set.as_bytes()), Err(why), "{set}");
    }
    let token = keys.token(&json!({"alg": "RS256", "kid": "r"}), &claims());
    assert!(issuer.person(&token, NOW_US).is_ok());
    let others = Keys::new();
    issuer
        .learn(others.published().to_string().as_bytes())
        .unwrap();
    assert!(issuer.person(&token, NOW_US).is_err());
}

#[tokio::test]
async fn an_unknown_key_is_missed() {
    let keys = Keys::new();
    let issuer = keys.issuer();
    let token = keys.token(&json!({"alg": "RS256", "kid": "new"}), &claims());
    assert!(issuer.person(&token, NOW_US).is_err());
    issuer.missed().await;
}
