//! OpenID Connect tokens that name a person: whose signature they carry, for whom and until when.
//!
//! A token counts if one of the issuer's keys signed it by an algorithm of public keys, if it is in its time, and if it
//! names the issuer and the audience that the operator named. Which keys those are is told from outside; nothing here
//! asks a network, and a token cannot say where its key is to be found.

use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use subtle::ConstantTimeEq as _;
use tokio::sync::Notify;

/// The longest token that is read.
const LONGEST_TOKEN: usize = 16 << 10;
/// Keys that are taken of one issuer; a few stand beside each other while they change.
const MOST_KEYS: usize = 64;
/// How far the issuer's clock may be from ours, in seconds.
const LENIENCE_S: i64 = 60;
/// The longest name of a person, in bytes.
pub(super) const LONGEST_NAME: usize = 400;
const UNKNOWN_KEY: &str = "no key of the issuer is known by its name";
const NOT_SIGNED: &str = "no key of the issuer signed it";

/// Who issues the tokens that name people, and which claim of them does.
#[derive(Debug, Clone)]
pub struct Issuer {
    claim: String,
    /// What `iss` has to be.
    name: Option<String>,
    /// What `aud` has to hold.
    audience: Option<String>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    keys: RwLock<Vec<Key>>,
    missed: Notify,
}

/// A published key that signs.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    id: Option<String>,
    /// The one algorithm that it is for, if its publisher says so.
    algorithm: Option<String>,
    form: Form,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// Why an issuer's keys cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeysError {
    /// What was published is no set of keys.
    NoSet,
    /// None of them is a public key that signs.
    NoKey,
}

impl std::fmt::Display for KeysError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoSet => "it is no JSON Web Key Set: an object with a list of `keys`",
            Self::NoKey => {
                "it has no key that signs: RSA of 2048 bits or more, P-256, P-384 or Ed25519"
            }
        })
    }
}

impl std::error::Error for KeysError {}

impl Issuer {
    /// An issuer whose keys are not known yet, so that nobody's token counts.
    pub fn new(claim: &str, name: Option<String>, audience: Option<String>) -> Self {
        Self {
            claim: claim.to_owned(),
            name,
            audience,
            shared: Arc::default(),
        }
    }

    /// Takes the issuer's keys as it publishes them, in the place of those it had; how many can be used.
    ///
    /// # Errors
    ///
    /// When there is none; the keys known so far stay.
    pub fn learn(&self, set: &[u8]) -> Result<usize, KeysError> {
        let set: Value = serde_json::from_slice(set).map_err(|_| KeysError::NoSet)?;
        let listed = set
            .get("keys")
            .and_then(Value::as_array)
            .ok_or(KeysError::NoSet)?;
        let keys: Vec<Key> = listed
            .iter()
            .filter_map(Key::read)
            .take(MOST_KEYS)
            .collect();
        let count = keys.len();
        if count == 0 {
            return Err(KeysError::NoKey);
        }
        let known = self.shared.keys.write();
        *known.unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(count)
    }

    /// Resolves when a token names a key that is not among those known.
    pub async fn missed(&self) {
        self.shared.missed.notified().await;
    }

    /// The person whom a token names, or why it names none.
    pub(super) fn person(&self, token: &str, now_us: i64) -> Result<String, &'static str> {
        self.name_in(&self.claims(token, now_us)?)
    }

    /// The person whom the token of a sign-in names, if it is the one that was begun with this nonce.
    pub(super) fn person_of(
        &self,
        token: &str,
        nonce: &str,
        now_us: i64,
    ) -> Result<String, &'static str> {
        let claims = self.claims(token, now_us)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let told = text("nonce").unwrap_or_default();
        if nonce.is_empty() || !bool::from(told.as_bytes().ct_eq(nonce.as_bytes())) {
            return Err("it belongs to another sign-in");
        }
        // One of several audiences may have had it made for itself.
        if claims.get("azp").is_some() && text("azp") != self.audience.as_deref() {
            return Err("it is meant for somebody else");
        }
        self.name_in(&claims)
    }

    /// What a token claims, once its signature, its time and its ends are good.
    fn claims(&self, token: &str, now_us: i64) -> Result<Value, &'static str> {
        let token = token.strip_prefix("Bearer ").unwrap_or(token).trim();
        if token.len() > LONGEST_TOKEN {
            return Err("it is too long");
        }
        let (signed, signature) = token.rsplit_once('.').ok_or("it is no token")?;
        let (header, payload) = signed.split_once('.').ok_or("it is no token")?;
        let header = object(header).ok_or("it is no token")?;
        self.check_signature(&header, signed.as_bytes(), signature)?;
        let claims = object(payload).ok_or("it holds no claims")?;
        self.check_claims(&claims, now_us)?;
        Ok(claims)
    }

    /// The value of the claim that names a person.
    fn name_in(&self, claims: &Value) -> Result<String, &'static str> {
        let is_doubted = match claims.get("email_verified") {
            Some(Value::Bool(is_verified)) => !is_verified,
            Some(Value::String(word)) => word != "true",
            _ => false,
        };
        if self.claim == "email" && is_doubted {
            return Err("its address of e-mail is not verified");
        }
        let name = claims.get(&self.claim).and_then(Value::as_str);
        let name = name.ok_or("it does not have the claim")?.trim();
        let is_name = !name.is_empty() && name.len() <= LONGEST_NAME;
        if !is_name || name.chars().any(char::is_control) {
            return Err("its claim is no name");
        }
        Ok(name.to_owned())
    }

    /// Whether the keys known here may be older than the one that signed.
    pub(super) fn is_about_keys(why: &str) -> bool {
        why == UNKNOWN_KEY || why == NOT_SIGNED
    }

    fn check_signature(
        &self,
        header: &Value,
        signed: &[u8],
        signature: &str,
    ) -> Result<(), &'static str> {
        // What must be understood and is not.
        if header.get("crit").is_some() {
            return Err("it asks for more than is understood");
        }
        let algorithm = header.get("alg").and_then(Value::as_str);
        let algorithm = algorithm.ok_or("it names no algorithm")?;
        let id = header.get("kid").and_then(Value::as_str);
        let signature = URL_SAFE_NO_PAD
            .decode(signature)
            .map_err(|_| "its signature cannot be read")?;
        let keys = self.shared.keys.read();
        let keys = keys.unwrap_or_else(PoisonError::into_inner);
        let mut named = keys
            .iter()
            .filter(|key| id.is_none() || key.id.as_deref() == id)
            .peekable();
        if named.peek().is_none() {
            self.shared.missed.notify_one();
            return Err(UNKNOWN_KEY);
        }
        if named.any(|key| key.has_signed(algorithm, signed, &signature)) {
            Ok(())
        } else {
            Err(NOT_SIGNED)
        }
    }

    fn check_claims(&self, claims: &Value, now_us: i64) -> Result<(), &'static str> {
        let now_s = now_us.div_euclid(1_000_000);
        let time = |name: &str| claims.get(name).and_then(Value::as_f64);
        #[expect(
            clippy::cast_precision_loss,
            reason = "seconds since 1970 are exact in a double"
        )]
        let (earliest, latest) = ((now_s - LENIENCE_S) as f64, (now_s + LENIENCE_S) as f64);
        // A token without an end is none that a sign-in gives.
        if time("exp").is_none_or(|end| end <= earliest) {
            return Err("it is over");
        }
        if claims.get("nbf").is_some() && time("nbf").is_none_or(|from| from >= latest) {
            return Err("it is not good yet");
        }
        let issuer = claims.get("iss").and_then(Value::as_str);
        if self.name.is_some() && self.name.as_deref() != issuer {
            return Err("somebody else issued it");
        }
        let Some(audience) = &self.audience else {
            return Ok(());
        };
        let is_meant = match claims.get("aud") {
            Some(Value::String(one)) => one == audience,
            Some(Value::Array(all)) => all.iter().any(|one| one.as_str() == Some(audience)),
            _ => false,
        };
        is_meant
            .then_some(())
            .ok_or("it is meant for somebody else")
    }
}

/// A part of a token: an object in base64.
fn object(part: &str) -> Option<Value> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    let value: Value = serde_json::from_slice(&bytes).ok()?;
    value.is_object().then_some(value)
}

impl Key {
    /// A key that is for signatures and of a form that is known here.
    fn read(published: &Value) -> Option<Self> {
        let text = |name: &str| published.get(name).and_then(Value::as_str);
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
        if text("use").is_some_and(|for_what| for_what != "sig") {
            return None;
        }
        let point = |length: usize| {
            let (x, y) = (bytes("x")?, bytes("y")?);
            let is_whole = x.len() == length && y.len() == length;
            is_whole.then(|| [vec![4], x, y].concat())
        };
        let form = match (text("kty")?, text("crv")) {
            ("RSA", _) => {
                let without_zeros = |bytes: Vec<u8>| -> Vec<u8> {
                    bytes.into_iter().skip_while(|byte| *byte == 0).collect()
                };
                let (n, e) = (without_zeros(bytes("n")?), without_zeros(bytes("e")?));
                // Shorter ones would be refused with every token; better with a word when they are read.
                (n.len() >= 256 && !e.is_empty()).then_some(Form::Rsa { n, e })?
            }
            ("EC", Some("P-256")) => Form::P256(point(32)?),
            ("EC", Some("P-384")) => Form::P384(point(48)?),
            ("OKP", Some("Ed25519")) => {
                let x = bytes("x")?;
                (x.len() == 32).then_some(Form::Ed25519(x))?
            }
            _ => return None,
        };
        Some(Self {
            id: text("kid").map(str::to_owned),
            algorithm: text("alg").map(str::to_owned),
            form,
        })
    }

    fn has_signed(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        if self
            .algorithm
            .as_deref()
            .is_some_and(|own| own != algorithm)
        {
            return false;
        }
        let rsa: Option<&RsaParameters> = match algorithm {
            "RS256" => Some(&RSA_PKCS1_2048_8192_SHA256),
            "RS384" => Some(&RSA_PKCS1_2048_8192_SHA384),
            "RS512" => Some(&RSA_PKCS1_2048_8192_SHA512),
            "PS256" => Some(&RSA_PSS_2048_8192_SHA256),
            "PS384" => Some(&RSA_PSS_2048_8192_SHA384),
            "PS512" => Some(&RSA_PSS_2048_8192_SHA512),
            _ => None,
        };
        let verified = match (&self.form, algorithm, rsa) {
            (Form::Rsa { n, e }, _, Some(parameters)) => {
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signature)
            }
            (Form::P256(point), "ES256", None) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            (Form::P384(point), "ES384", None) => {
                UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).verify(message, signature)
            }
            (Form::Ed25519(key), "EdDSA" | "Ed25519", None) => {
                UnparsedPublicKey::new(&ED25519, key).verify(message, signature)
            }
            // No algorithm of shared secrets, none at all, and none that does not go with the key.
            _ => return false,
        };
        verified.is_ok()
    }
}

#[cfg(test)]
mod tests;
