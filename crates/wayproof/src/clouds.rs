//! Providers in clouds: which one is meant, and what the environment has to show it.
//!
//! Keys of a cloud are in many environments for other reasons, so they alone offer nobody a provider: one is offered for
//! a key of its own, or where an agent has been told to ask there.

mod profile;
mod watched;

use std::{str::FromStr, sync::Arc};

use anyhow::Result;
use hyper::Uri;
use secrecy::SecretString;
use wayproof_ledger::Clock;
use wayproof_upstream::{
    AwsKeys, AwsPair, Cloud, Credential, Known, Provider, TokenSource, google_account,
    google_default,
};
use wayproof_wire::{Protocol, Protocols};

use self::watched::Watched;
use crate::{discover::Found, exit::Mistake};

type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A cloud as an operator names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Bedrock,
    Vertex,
}

impl FromStr for Named {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "bedrock" => Ok(Self::Bedrock),
            "vertex" => Ok(Self::Vertex),
            _ => Err(format!(
                "`{name}` is no cloud; there are bedrock and vertex"
            )),
        }
    }
}

/// What a provider's line says of its cloud.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) cloud: Option<Named>,
    pub(crate) region: Option<String>,
}

impl Asked {
    /// The cloud that is meant: the one that is named, else the one of the address.
    pub(crate) fn at(self, base: &Uri, variable: Variable<'_>) -> Result<Option<Cloud>, String> {
        let of_address = Cloud::at(base);
        let named = match (self.cloud, &of_address) {
            (Some(named), _) => named,
            (None, Some(Cloud::Bedrock { .. })) => Named::Bedrock,
            (None, Some(Cloud::Vertex)) => Named::Vertex,
            (None, None) if self.region.is_some() => {
                return Err("`region` belongs to Bedrock; add as=bedrock".to_owned());
            }
            (None, None) => return Ok(None),
        };
        if named == Named::Vertex {
            if self.region.is_some() {
                return Err("Vertex has its location in the address, not in `region`".to_owned());
            }
            if !base.path().contains("/locations/") {
                let wanted = "https://LOCATION-aiplatform.googleapis.com/v1/projects/PROJECT/locations/LOCATION";
                return Err(format!("an address of Vertex reads {wanted}"));
            }
            return Ok(Some(Cloud::Vertex));
        }
        let of_address = match of_address {
            Some(Cloud::Bedrock { region }) => Some(region),
            Some(Cloud::Vertex) | None => None,
        };
        let region = match self.region.or(of_address) {
            Some(region) => Some(region),
            None => region(variable)?,
        };
        let region = region.filter(|region| is_name(region)).ok_or_else(|| {
            "signatures need a region: add region=REGION, set AWS_REGION, or name one in the profile"
                .to_owned()
        })?;
        Ok(Some(Cloud::Bedrock { region }))
    }
}

/// The protocols that a cloud is asked in.
pub(crate) fn protocols(cloud: &Cloud, named: Option<Protocols>) -> Result<Protocols, String> {
    let messages = Protocols::of(&[Protocol::Messages]);
    let gemini = Protocols::of(&[Protocol::Gemini]);
    let of_openai = [Protocol::Chat, Protocol::Responses].map(|one| Protocols::of(&[one]));
    match (cloud, named) {
        (_, Some(named)) if named == messages => Ok(named),
        (Cloud::Vertex, Some(named)) if named == gemini => Ok(named),
        (Cloud::Bedrock { .. }, None) => Ok(messages),
        (Cloud::Bedrock { .. }, Some(named)) if of_openai.contains(&named) => Ok(named),
        (Cloud::Bedrock { .. }, Some(_)) => Err(
            "Bedrock is asked in protocol=messages for Anthropic's models and in protocol=chat or protocol=responses for others".to_owned(),
        ),
        (Cloud::Vertex, _) => Err(
            "Vertex is asked in protocol=gemini for Google's models and in protocol=messages for Anthropic's".to_owned(),
        ),
    }
}

/// What the environment has to show a cloud, and where it was found.
pub(crate) fn credential(
    cloud: &Cloud,
    variable: Variable<'_>,
) -> Result<Option<(Credential, String)>> {
    match cloud {
        Cloud::Bedrock { .. } => match aws_bearer(variable) {
            Some(bearer) => Ok(Some(bearer)),
            None => aws_keys(variable),
        },
        Cloud::Vertex => google(variable),
    }
}

/// The provider of a cloud that the environment offers, if it does.
pub(crate) fn offered(known: &Known, variable: Variable<'_>) -> Result<Option<Found>> {
    let is_on = |name: &str| {
        let value = variable(name).map(|value| value.to_ascii_lowercase());
        value.is_some_and(|value| !matches!(value.as_str(), "0" | "false" | "no"))
    };
    let (base, cloud, credential) = match known.name {
        "bedrock" | "bedrock-openai" => {
            let credential = match aws_bearer(variable) {
                None if is_on("CLAUDE_CODE_USE_BEDROCK") => aws_keys(variable)?,
                bearer => bearer,
            };
            let Some(credential) = credential else {
                return Ok(None);
            };
            let Some(region) = region(variable).map_err(Mistake)? else {
                return Ok(None);
            };
            if !is_name(&region) {
                return Err(Mistake(format!("`{region}` is no region of AWS")).into());
            }
            let base = Cloud::bedrock_address(&region);
            (base, Cloud::Bedrock { region }, credential)
        }
        name => {
            let of_claude = name == "vertex-anthropic";
            let switch = if of_claude {
                "CLAUDE_CODE_USE_VERTEX"
            } else {
                "GOOGLE_GENAI_USE_VERTEXAI"
            };
            let Some((project, location)) =
                is_on(switch).then(|| place(of_claude, variable)).flatten()
            else {
                return Ok(None);
            };
            if !is_name(&project) || !is_name(&location) {
                let wrong = format!("`{project}` at `{location}` is no project of Google's");
                return Err(Mistake(wrong).into());
            }
            let Some(credential) = google(variable)? else {
                return Ok(None);
            };
            let base = Cloud::vertex_address(&project, &location);
            (base, Cloud::Vertex, credential)
        }
    };
    let (credential, because) = credential;
    let base = base.parse();
    let base = base.map_err(|_| Mistake(format!("{} has no address", known.name)))?;
    let provider = Provider::new(known.name, base, known.protocols, credential)?;
    Ok(Some(Found {
        provider: provider.in_cloud(cloud),
        because,
        models: None,
    }))
}

fn region(variable: Variable<'_>) -> Result<Option<String>, String> {
    match variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")) {
        Some(region) => Ok(Some(region)),
        None => profile::region(variable),
    }
}

fn place(of_claude: bool, variable: Variable<'_>) -> Option<(String, String)> {
    let (project, location) = if of_claude {
        ("ANTHROPIC_VERTEX_PROJECT_ID", "CLOUD_ML_REGION")
    } else {
        ("GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION")
    };
    let project = variable(project).or_else(|| variable("GOOGLE_CLOUD_PROJECT"))?;
    let location = variable(location).unwrap_or_else(|| "global".to_owned());
    Some((project, location))
}

/// Regions and projects become parts of addresses.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn aws_bearer(variable: Variable<'_>) -> Option<(Credential, String)> {
    const NAME: &str = "AWS_BEARER_TOKEN_BEDROCK";
    let key = SecretString::from(variable(NAME)?);
    Some((Credential::Key(key), format!("{NAME} is set")))
}

/// Keys of the environment, else those of a profile, which are read again when its files change.
fn aws_keys(variable: Variable<'_>) -> Result<Option<(Credential, String)>> {
    let clock = Clock::system();
    let id = variable("AWS_ACCESS_KEY_ID");
    if let (Some(id), Some(secret)) = (id, variable("AWS_SECRET_ACCESS_KEY")) {
        let pair = AwsPair {
            id,
            secret: SecretString::from(secret),
            session: variable("AWS_SESSION_TOKEN").map(SecretString::from),
        };
        let keys = AwsKeys::new(pair, move || clock.now_us());
        let because = "AWS_ACCESS_KEY_ID is set".to_owned();
        return Ok(Some((Credential::Aws(keys), because)));
    }
    let Some((pair, because)) = profile::keys(variable).map_err(Mistake)? else {
        return Ok(None);
    };
    let watched = Watched::new(pair, variable, clock.clone());
    let keys = AwsKeys::renewed(move || watched.pair(), move || clock.now_us());
    Ok(Some((Credential::Aws(keys), because)))
}

/// A token that is there, a service account's key, or whoever the machine is signed in as.
fn google(variable: Variable<'_>) -> Result<Option<(Credential, String)>> {
    const TOKEN: &str = "CLOUDSDK_AUTH_ACCESS_TOKEN";
    const FILE: &str = "GOOGLE_APPLICATION_CREDENTIALS";
    if let Some(token) = variable(TOKEN) {
        let credential = Credential::Key(SecretString::from(token));
        return Ok(Some((credential, format!("{TOKEN} is set"))));
    }
    let source: Arc<dyn TokenSource> = match variable(FILE) {
        Some(file) => {
            let wrong = |reason: String| {
                let fix = "for yourself, unset it and use `gcloud auth application-default login`";
                Mistake(format!("{FILE}: {file}: {reason}; {fix}"))
            };
            let json = std::fs::read_to_string(&file).map_err(|error| wrong(error.to_string()))?;
            google_account(&json).map_err(|error| wrong(error.to_string()))?
        }
        None => google_default(),
    };
    Ok(Some((
        Credential::Tokens(source),
        "Google is asked for tokens".to_owned(),
    )))
}

#[cfg(test)]
mod tests {
    use super::{Asked, Named, is_name, protocols};
    use wayproof_upstream::Cloud;

    fn asked(cloud: Option<Named>, region: Option<&str>) -> Asked {
        Asked {
            cloud,
            region: region.map(ToOwned::to_owned),
        }
    }

    #[test]
    fn a_cloud_is_named_or_told_by_its_address() {
        let variable = |name: &str| (name == "AWS_REGION").then(|| "eu-north-1".to_owned());
        let bedrock = Some(Named::Bedrock);
        let local = "http://127.0.0.1:9";
        let own = "https://bedrock-runtime.eu-west-1.amazonaws.com";
        for (base, cloud, region, expected) in [
            (own, None, None, Ok("eu-west-1")),
            (local, bedrock, Some("us-east-1"), Ok("us-east-1")),
            (local, bedrock, None, Ok("eu-north-1")),
            (local, None, Some("r"), Err("as=bedrock")),
            (local, bedrock, Some("a/b"), Err("region")),
            (local, Some(Named::Vertex), None, Err("/locations/")),
        ] {
            let found = asked(cloud, region).at(&base.parse().unwrap(), &variable);
            match (found, expected) {
                (Ok(Some(Cloud::Bedrock { region })), Ok(expected)) => assert_eq!(region, expected),
                (Err(reason), Err(expected)) => assert!(reason.contains(expected), "{reason}"),
                (found, _) => panic!("{found:?}"),
            }
        }
    }

    #[test]
    fn vertex_is_asked_in_the_protocol_of_its_models() {
        assert!(
            protocols(&Cloud::Vertex, None)
                .unwrap_err()
                .contains("protocol=gemini")
        );
        assert!(!is_name("p/../q") && !is_name("") && is_name("my-project-1"));
    }
}
