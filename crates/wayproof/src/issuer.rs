//! The keys of whoever issues the tokens that name people: from a file, from an address, or found by the issuer's name.
//!
//! They are looked up again from time to time, and when a token names a key that nobody knows. A file that cannot be
//! read is a mistake and stops the start; an address that does not answer lets nobody in until it does.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use hyper::Uri;
use serde::Deserialize;
use tokio::{sync::oneshot, time};
use wayproof_dashboard::Issuer;
use wayproof_upstream::{Proxy, fetch};

use crate::{
    cli::UpArgs,
    exit::{self, Mistake},
    follow::Following,
    gateway,
    terminal::plain,
};

/// The longest answer that is read.
const LIMIT: usize = 1 << 20;
/// Between two looks while all is well.
const AGAIN: Duration = Duration::from_mins(10);
/// Between two looks at least, whoever asks for one.
const SOON: Duration = Duration::from_secs(5);
/// After a look that failed.
const RETRY: Duration = Duration::from_secs(5);

/// Where an issuer's keys are.
#[derive(Debug)]
enum Keys {
    File(PathBuf),
    At(Uri),
    /// Where the description of the issuer of this name says.
    Of(String, Uri),
}

/// An issuer with the place of its keys.
#[derive(Debug)]
pub(crate) struct Source {
    issuer: Issuer,
    keys: Keys,
    proxy: Option<Proxy>,
}

/// What an issuer says of itself.
#[derive(Debug, Deserialize)]
struct Description {
    issuer: String,
    jwks_uri: String,
}

/// The issuer that the command line names, if a claim is to name people.
pub(crate) async fn of(args: &UpArgs) -> Result<Option<Source>> {
    let Some(claim) = &args.person_claim else {
        return Ok(None);
    };
    let keys = match (&args.person_keys, &args.person_issuer) {
        (Some(place), _) if place.contains("://") => {
            Keys::At(address(place).map_err(|why| Mistake(format!("--person-keys: {why}")))?)
        }
        (Some(file), _) => Keys::File(PathBuf::from(file)),
        (None, Some(name)) => {
            let place = described_at(name).map_err(|why| {
                Mistake(format!(
                    "--person-issuer: {why}; where its keys are elsewhere, name them by --person-keys"
                ))
            })?;
            Keys::Of(name.clone(), place)
        }
        (None, None) => {
            let sentence = "--person-claim: a token counts by its signature: name its issuer by --person-issuer, or the issuer's keys by --person-keys";
            return Err(Mistake(sentence.to_owned()).into());
        }
    };
    let source = Source {
        issuer: Issuer::new(
            claim,
            args.person_issuer.clone(),
            args.person_audience.clone(),
        ),
        keys,
        proxy: gateway::proxy()?,
    };
    if let Keys::File(file) = &source.keys {
        let learned = source.learn().await;
        learned.map_err(|error| {
            let file = plain(&file.to_string_lossy());
            Mistake(format!("--person-keys {file}: {}", exit::chain(&error)))
        })?;
    }
    Ok(Some(source))
}

/// Where an issuer describes itself.
pub(crate) fn described_at(issuer: &str) -> Result<Uri, String> {
    let issuer = issuer.trim_end_matches('/');
    address(&format!("{issuer}/.well-known/openid-configuration"))
}

/// An address that nobody on the way can answer for.
pub(crate) fn address(text: &str) -> Result<Uri, String> {
    let uri: Uri = text
        .parse()
        .map_err(|_| format!("`{}` is no address", plain(text)))?;
    let host = uri.host().unwrap_or_default();
    let is_here = host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    match uri.scheme_str() {
        Some("https") => Ok(uri),
        Some("http") if is_here => Ok(uri),
        _ => Err(format!(
            "`{}` is neither https nor http on this machine, so anybody on the way could answer for the issuer",
            plain(text)
        )),
    }
}

impl Source {
    /// The issuer, which knows its keys once they are learned.
    pub(crate) fn issuer(&self) -> Issuer {
        self.issuer.clone()
    }

    /// Learns the keys, and goes on doing so until it is stopped.
    pub(crate) fn begin(self) -> Following {
        let (stop, stopped) = oneshot::channel();
        #[expect(
            clippy::disallowed_methods,
            reason = "whoever holds the follower waits for it"
        )]
        let task = tokio::spawn(async move {
            tokio::select! {
                () = self.forever() => {}
                // A dropped sender means the same as a message.
                _ = stopped => {}
            }
        });
        Following::new(stop, task)
    }

    async fn forever(&self) {
        loop {
            match self.learn().await {
                Ok(keys) => {
                    tracing::info!(keys, "the keys of whoever names people are known");
                    time::sleep(SOON).await;
                    tokio::select! {
                        () = self.issuer.missed() => {}
                        () = time::sleep(AGAIN) => {}
                    }
                }
                Err(error) => {
                    let error = exit::chain(&error);
                    tracing::warn!(error, "the keys of whoever names people are not known");
                    time::sleep(RETRY).await;
                }
            }
        }
    }

    async fn learn(&self) -> Result<usize> {
        let set = match &self.keys {
            Keys::File(file) => read(file).await?,
            Keys::At(place) => self.get(place).await?,
            Keys::Of(name, place) => {
                let told = self.get(place).await?;
                let told: Description = serde_json::from_slice(&told)
                    .with_context(|| format!("{place} is no description of an issuer"))?;
                if told.issuer != *name {
                    bail!("{place} describes another issuer, {}", plain(&told.issuer));
                }
                let keys = address(&told.jwks_uri).map_err(anyhow::Error::msg)?;
                self.get(&keys).await?
            }
        };
        Ok(self.issuer.learn(&set)?)
    }

    async fn get(&self, place: &Uri) -> Result<Vec<u8>> {
        let got = fetch(place, self.proxy.clone(), LIMIT).await;
        Ok(got.with_context(|| format!("getting {place}"))?.to_vec())
    }
}

async fn read(file: &Path) -> Result<Vec<u8>> {
    let bytes = tokio::fs::read(file).await.context("it cannot be read")?;
    if bytes.len() > LIMIT {
        bail!("it is too long");
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_issuer_is_asked_where_nobody_on_the_way_can_answer() {
        for good in [
            "https://id.example.org/keys",
            "http://localhost:8080/k",
            "http://127.0.0.1/",
            "http://[::1]:9/",
        ] {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in [
            "http://id.example.org/keys",
            "http://localhost.example.org/",
            "ftp://id/",
            "file:///etc/passwd",
            "id.example.org",
            "https//id",
            "",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
