//! An OpenID Connect provider on a loopback port, with one user who agrees to everything.
//!
//! It checks what a client owes it and signs with real keys; a test may bend what its tokens say and how they are
//! signed.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::provider::{Captured, Frame, Provider, Reply};

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// RSA, with the published key.
    Rs256,
    /// P-256, with the published key.
    Es256,
    /// Not at all, which it says.
    Nobody,
    /// A shared secret: the published RSA key, taken for one.
    SharedKey,
    /// RSA, with a key that nobody published, under the published name.
    Stranger,
}

/// The provider; it stops when dropped.
#[derive(Debug)]
pub struct Identity {
    provider: Provider,
    state: Arc<Mutex<State>>,
}

type Bend = Box<dyn Fn(&mut Value) + Send>;

struct State {
    issuer: String,
    client: String,
    secret: Option<String>,
    keys: Keys,
    signing: Signing,
    bend: Bend,
    codes: BTreeMap<String, Asked>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

/// What a client asked for when it sent a browser.
struct Asked {
    callback: String,
    challenge: String,
    nonce: String,
}

struct Keys {
    name: String,
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
}

impl Keys {
    fn new(number: usize) -> std::io::Result<Self> {
        let broken = |_| std::io::Error::other("no key could be made");
        Ok(Self {
            name: format!("key-{number}"),
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).map_err(broken)?,
            ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(broken)?,
        })
    }

    /// The modulus of the RSA key: PKCS #1 has nine bytes before it and the usual exponent behind it.
    fn modulus(&self) -> &[u8] {
        let key = self.rsa.public_key().as_ref();
        key.get(9..265).unwrap_or_default()
    }

    fn published(&self) -> Value {
        let point = self.ec.public_key().as_ref();
        let half = |from: usize| encoded(point.get(from..from + 32).unwrap_or_default());
        json!({"keys": [
            {"kty": "RSA", "kid": format!("{}-rsa", self.name), "use": "sig", "n": encoded(self.modulus()), "e": "AQAB"},
            {"kty": "EC", "kid": format!("{}-ec", self.name), "use": "sig", "alg": "ES256", "crv": "P-256",
                "x": half(1), "y": half(33)},
        ]})
    }

    fn token(&self, claims: &Value, signing: Signing) -> Option<String> {
        let (algorithm, kind) = match signing {
            Signing::Rs256 | Signing::Stranger => ("RS256", "rsa"),
            Signing::Es256 => ("ES256", "ec"),
            Signing::Nobody => ("none", "rsa"),
            Signing::SharedKey => ("HS256", "rsa"),
        };
        let header =
            json!({"alg": algorithm, "kid": format!("{}-{kind}", self.name), "typ": "JWT"});
        let (header, claims) = (encoded(header.to_string()), encoded(claims.to_string()));
        let signed = format!("{header}.{claims}");
        let random = SystemRandom::new();
        let by = |key: &RsaKeyPair| {
            let mut signature = vec![0; key.public_modulus_len()];
            let done = key.sign(
                &RSA_PKCS1_SHA256,
                &random,
                signed.as_bytes(),
                &mut signature,
            );
            done.ok().map(|()| signature)
        };
        let signature = match signing {
            Signing::Rs256 => by(&self.rsa)?,
            Signing::Stranger => by(&RsaKeyPair::generate(KeySize::Rsa2048).ok()?)?,
            Signing::Es256 => {
                let signature = self.ec.sign(&random, signed.as_bytes()).ok()?;
                signature.as_ref().to_vec()
            }
            Signing::Nobody => Vec::new(),
            Signing::SharedKey => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, self.modulus());
                hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
            }
        };
        Some(format!("{signed}.{}", encoded(signature)))
    }
}

impl Identity {
    /// Listens on a free port and knows one client.
    ///
    /// # Errors
    /// When no loopback port can be opened, or no key made.
    pub async fn start(client: &str, secret: Option<&str>) -> std::io::Result<Self> {
        let state = Arc::new(Mutex::new(State {
            issuer: String::new(),
            client: client.to_owned(),
            secret: secret.map(str::to_owned),
            keys: Keys::new(0)?,
            signing: Signing::Rs256,
            bend: Box::new(|_| {}),
            codes: BTreeMap::new(),
        }));
        let shared = Arc::clone(&state);
        let provider = Provider::start(move |request| locked(&shared).answer(request)).await?;
        // By another name than the gateway's, so that browsers take it for another site.
        locked(&state).issuer = format!("http://localhost:{}", provider.address().port());
        Ok(Self { provider, state })
    }

    /// The name that its tokens bear.
    pub fn issuer(&self) -> String {
        locked(&self.state).issuer.clone()
    }

    /// Bends what tokens claim from now on.
    pub fn bend(&self, bend: impl Fn(&mut Value) + Send + 'static) {
        locked(&self.state).bend = Box::new(bend);
    }

    /// Signs tokens in this way from now on.
    pub fn sign_by(&self, signing: Signing) {
        locked(&self.state).signing = signing;
    }

    /// Has other keys from now on.
    ///
    /// # Errors
    /// When none can be made.
    pub fn change_keys(&self) -> std::io::Result<()> {
        let mut state = locked(&self.state);
        let number = self.asked("/keys") + 1;
        state.keys = Keys::new(number)?;
        Ok(())
    }

    /// The keys as they are published.
    pub fn keys(&self) -> Vec<u8> {
        locked(&self.state)
            .keys
            .published()
            .to_string()
            .into_bytes()
    }

    /// The answer to the form with a code, as clients post it.
    pub fn redeem(&self, form: &[u8]) -> (u16, Vec<u8>) {
        let answer = locked(&self.state).give_token(form, None);
        (answer.0, answer.1.to_string().into_bytes())
    }

    /// How often a page was asked for.
    pub fn asked(&self, path: &str) -> usize {
        let all = self.provider.captured();
        let same = |seen: &&Captured| seen.path.split('?').next() == Some(path);
        all.iter().filter(same).count()
    }

    /// Stops listening.
    pub async fn stop(self) {
        self.provider.stop().await;
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn answer(&mut self, request: &Captured) -> Reply {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        match path {
            "/.well-known/openid-configuration" => {
                let name = &self.issuer;
                let told = json!({
                    "issuer": name,
                    "authorization_endpoint": format!("{name}/authorize"),
                    "token_endpoint": format!("{name}/token"),
                    "jwks_uri": format!("{name}/keys"),
                });
                Reply::json(200, told.to_string())
            }
            "/keys" => Reply::json(200, self.keys.published().to_string()),
            "/authorize" => self.ask(query),
            "/token" => {
                let (status, answer) =
                    self.give_token(&request.body, request.header("authorization"));
                Reply::json(status, answer.to_string())
            }
            _ => Reply::json(404, "{}"),
        }
    }

    /// The page on which the user agrees, by a link.
    fn ask(&mut self, query: &str) -> Reply {
        let asked = pairs(query.as_bytes());
        let value = |name: &str| asked.get(name).cloned().unwrap_or_default();
        let is_right = value("response_type") == "code"
            && value("client_id") == self.client
            && value("scope").split(' ').any(|scope| scope == "openid")
            && value("code_challenge_method") == "S256"
            && value("state").len() >= 32
            && value("nonce").len() >= 32;
        if !is_right {
            return page(400, "<h1>This client asks for something else.</h1>");
        }
        let code = format!("code-{}", self.codes.len());
        let given = form_urlencoded::Serializer::new(String::new())
            .append_pair("code", &code)
            .append_pair("state", &value("state"))
            .append_pair("iss", &self.issuer)
            .finish();
        let back = format!("{}?{given}", value("redirect_uri")).replace('&', "&amp;");
        let asked = Asked {
            callback: value("redirect_uri"),
            challenge: value("code_challenge"),
            nonce: value("nonce"),
        };
        self.codes.insert(code, asked);
        page(
            200,
            &format!("<h1>Ana</h1><a id=\"agree\" href=\"{back}\">Go on as Ana</a>"),
        )
    }

    /// Gives a token for a code, once.
    fn give_token(&mut self, form: &[u8], shown: Option<&str>) -> (u16, Value) {
        let form = pairs(form);
        let value = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        if let Some(secret) = &self.secret {
            let part = |text: &str| -> String {
                form_urlencoded::byte_serialize(text.as_bytes()).collect()
            };
            let user = format!("{}:{}", part(&self.client), part(secret));
            let wanted = format!("Basic {}", STANDARD.encode(user));
            if shown != Some(&wanted) {
                return (401, json!({"error": "invalid_client"}));
            }
        }
        let asked = self.codes.get_mut(value("code"));
        let asked = asked.filter(|asked| {
            let challenge = encoded(digest(&SHA256, value("code_verifier").as_bytes()));
            value("grant_type") == "authorization_code"
                && asked.challenge == challenge
                && asked.callback == value("redirect_uri")
        });
        let Some(asked) = asked else {
            return (400, json!({"error": "invalid_grant"}));
        };
        // A challenge that nothing meets: the code is used up.
        asked.challenge.clear();
        let mut claims = json!({
            "iss": self.issuer, "aud": self.client, "sub": "1", "email": "ana@example.org",
            "email_verified": true, "nonce": asked.nonce, "exp": 4_000_000_000_u64,
        });
        (self.bend)(&mut claims);
        match self.keys.token(&claims, self.signing) {
            Some(token) => (
                200,
                json!({"access_token": "x", "token_type": "Bearer", "id_token": token}),
            ),
            None => (500, json!({"error": "server_error"})),
        }
    }
}

fn page(status: u16, text: &str) -> Reply {
    let text = format!(
        "<!doctype html><html lang=\"en\"><title>Identity</title><main>{text}</main></html>"
    );
    Reply {
        status,
        headers: vec![("content-type".into(), "text/html; charset=utf-8".into())],
        delay: std::time::Duration::ZERO,
        frames: vec![Frame::Data(Bytes::from(text))],
    }
}

fn pairs(text: &[u8]) -> BTreeMap<String, String> {
    form_urlencoded::parse(text).into_owned().collect()
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
