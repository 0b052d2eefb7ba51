//! A profile of AWS in the files that its own tools write: keys, and the region they are for.
//!
//! It refuses to sign in anywhere and to start programs: a profile that has no keys of its own is named with the way to
//! get some.

use std::{
    collections::BTreeMap,
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use secrecy::SecretString;
use wayproof_upstream::AwsPair;

use super::Variable;

/// A larger file is not one of these.
const LARGEST: u64 = 1 << 20;
/// What a profile holds that gets its keys elsewhere.
const ELSEWHERE: [&str; 7] = [
    "sso_session",
    "sso_start_url",
    "login_session",
    "role_arn",
    "credential_process",
    "web_identity_token_file",
    "credential_source",
];

type Settings = BTreeMap<String, String>;

/// The region of the profile that is in force, if it names one.
pub(super) fn region(variable: Variable<'_>) -> Result<Option<String>, String> {
    Ok(Profile::read(variable)?.and_then(|mut profile| {
        let of_config = profile.config.remove("region");
        of_config.or_else(|| profile.credentials.remove("region"))
    }))
}

/// The variables that say which profile is in force, and where its files are.
pub(super) const VARIABLES: [&str; 6] = [
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE",
    "HOME",
    "USERPROFILE",
];

/// The keys of the profile that is in force, if there is one, and where they were found, in words.
pub(super) fn keys(variable: Variable<'_>) -> Result<Option<(AwsPair, String)>, String> {
    let Some(profile) = Profile::read(variable)? else {
        return Ok(None);
    };
    let name = &profile.name;
    for (settings, file) in [
        (&profile.credentials, &profile.credentials_file),
        (&profile.config, &profile.config_file),
    ] {
        let (id, secret) = (
            settings.get("aws_access_key_id"),
            settings.get("aws_secret_access_key"),
        );
        match (id, secret) {
            (Some(id), Some(secret)) => {
                let session = settings.get("aws_session_token");
                let pair = AwsPair {
                    id: id.clone(),
                    secret: SecretString::from(secret.clone()),
                    session: session.cloned().map(SecretString::from),
                };
                let because = format!("the profile `{name}` in {} has keys", file.display());
                return Ok(Some((pair, because)));
            }
            (None, None) => {}
            _ => {
                return Err(format!(
                    "the profile `{name}` in {} has half a key: it wants aws_access_key_id and aws_secret_access_key",
                    file.display()
                ));
            }
        }
    }
    let says =
        |key: &&&str| profile.config.contains_key(**key) || profile.credentials.contains_key(**key);
    if let Some(key) = ELSEWHERE.iter().find(says) {
        return Err(format!(
            "the profile `{name}` gets its keys by `{key}`, which is left to AWS's own tools: eval \"$(aws configure export-credentials --profile {name} --format env)\""
        ));
    }
    if profile.is_asked_for {
        return Err(format!("the profile `{name}` has no keys"));
    }
    Ok(None)
}

/// What both files say of one profile.
struct Profile {
    name: String,
    /// Whether a variable names it, rather than custom.
    is_asked_for: bool,
    credentials: Settings,
    credentials_file: PathBuf,
    config: Settings,
    config_file: PathBuf,
}

impl Profile {
    /// The one that `AWS_PROFILE` names, else the one called `default`, if there is one.
    fn read(variable: Variable<'_>) -> Result<Option<Self>, String> {
        let named = variable("AWS_PROFILE").or_else(|| variable("AWS_DEFAULT_PROFILE"));
        let name = named.clone().unwrap_or_else(|| "default".to_owned());
        let Some([credentials_file, config_file]) = files(variable) else {
            return Ok(None);
        };
        let credentials = section(&text(&credentials_file)?, |title| title == name);
        let config = section(&text(&config_file)?, |title| {
            let of_profile = title
                .strip_prefix("profile")
                .filter(|rest| rest.starts_with([' ', '\t']));
            let called = of_profile.map(|rest| rest.trim().trim_matches('"'));
            called == Some(name.as_str()) || name == "default" && title == "default"
        });
        if credentials.is_none() && config.is_none() {
            return match named {
                None => Ok(None),
                Some(name) => Err(format!(
                    "AWS_PROFILE names `{name}`, which is neither in {} nor in {}",
                    credentials_file.display(),
                    config_file.display()
                )),
            };
        }
        Ok(Some(Self {
            name,
            is_asked_for: named.is_some(),
            credentials: credentials.unwrap_or_default(),
            credentials_file,
            config: config.unwrap_or_default(),
            config_file,
        }))
    }
}

/// The file of keys and that of settings, whether they are there or not.
pub(super) fn files(variable: Variable<'_>) -> Option<[PathBuf; 2]> {
    let place = |named: &str, usual: &str| {
        let own = variable(named).map(PathBuf::from);
        let home = || variable("HOME").or_else(|| variable("USERPROFILE"));
        own.or_else(|| Some(PathBuf::from(home()?).join(".aws").join(usual)))
    };
    Some([
        place("AWS_SHARED_CREDENTIALS_FILE", "credentials")?,
        place("AWS_CONFIG_FILE", "config")?,
    ])
}

/// A file's text; nothing where there is no file.
fn text(file: &Path) -> Result<String, String> {
    let wrong = |reason: &str| format!("{} cannot be read: {reason}", file.display());
    let opened = match std::fs::File::open(file) {
        Ok(opened) => opened,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(String::new());
        }
        Err(error) => return Err(wrong(&error.to_string())),
    };
    if !opened.metadata().is_ok_and(|data| data.is_file()) {
        return Err(wrong("it is no file"));
    }
    let mut bytes = Vec::new();
    let read = opened.take(LARGEST + 1).read_to_end(&mut bytes);
    read.map_err(|error| wrong(&error.to_string()))?;
    if bytes.len() as u64 > LARGEST {
        return Err(wrong("it is larger than such a file is"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The settings under a title; later ones count, and lines that are moved in belong to a setting of several lines.
fn section(text: &str, is_wanted: impl Fn(&str) -> bool) -> Option<Settings> {
    let mut found: Option<Settings> = None;
    let mut is_open = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        let title = trimmed
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'));
        if let Some((title, _)) = title {
            is_open = is_wanted(title.trim());
            if is_open {
                found.get_or_insert_default();
            }
        } else if is_open
            && !line.starts_with([' ', '\t'])
            && let (Some((key, value)), Some(found)) = (trimmed.split_once('='), found.as_mut())
            && !value.trim().is_empty()
        {
            found.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs, path::Path};

    use secrecy::ExposeSecret;
    use tempfile::TempDir;

    use super::{keys, region};

    fn home(credentials: &str, config: &str) -> TempDir {
        let home = TempDir::new().unwrap();
        let folder = home.path().join(".aws");
        fs::create_dir(&folder).unwrap();
        for (name, text) in [("credentials", credentials), ("config", config)] {
            fs::write(folder.join(name), text).unwrap();
        }
        home
    }

    fn variables<'a>(home: &Path, more: &[(&'a str, &str)]) -> BTreeMap<&'a str, String> {
        let home = ("HOME", home.to_string_lossy().into_owned());
        let more = more
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        more.chain([home]).collect()
    }

    const CREDENTIALS: &str = "# mine\n[default]\naws_access_key_id = AK1\naws_secret_access_key=s=1/+\n\n[work]\naws_access_key_id=AK2\naws_secret_access_key=two\naws_session_token = tok\n[half]\naws_access_key_id=AK3\n";
    const CONFIG: &str = "[default]\nregion = eu-west-1\n[profile work]\ns3 =\n  region = nowhere\nregion=us-east-2\n[profile \"by sso\"]\nsso_session = corp\n[profile bare]\noutput = json\n";

    #[test]
    fn the_default_profile_and_a_named_one_have_keys_and_regions() {
        let home = home(CREDENTIALS, CONFIG);
        for (profile, id, secret, session, at) in [
            (None, "AK1", "s=1/+", None, "eu-west-1"),
            (Some("work"), "AK2", "two", Some("tok"), "us-east-2"),
        ] {
            let more: Vec<_> = profile
                .map(|name| ("AWS_PROFILE", name))
                .into_iter()
                .collect();
            let variables = variables(home.path(), &more);
            let variable = |name: &str| variables.get(name).cloned();
            let (keys, because) = keys(&variable).unwrap().unwrap();
            assert_eq!(
                (keys.id.as_str(), keys.secret.expose_secret()),
                (id, secret)
            );
            assert_eq!(
                keys.session.as_ref().map(ExposeSecret::expose_secret),
                session
            );
            assert_eq!(region(&variable).unwrap().as_deref(), Some(at));
            assert!(!because.contains(secret) && because.contains("credentials"));
        }
    }

    #[test]
    fn a_profile_that_cannot_be_used_says_why() {
        let home = home(CREDENTIALS, CONFIG);
        for (profile, words) in [
            ("half", "half a key"),
            ("by sso", "`sso_session`, which is left to AWS's own tools"),
            ("bare", "has no keys"),
            ("nobody", "is neither in"),
        ] {
            let variables = variables(home.path(), &[("AWS_PROFILE", profile)]);
            let said = keys(&|name| variables.get(name).cloned()).unwrap_err();
            assert!(said.contains(words) && said.contains(profile), "{said}");
        }
    }

    #[test]
    fn files_may_lie_elsewhere_be_missing_or_be_no_files() {
        let home = home("", "");
        let place = home.path().join("elsewhere");
        fs::write(&place, CREDENTIALS).unwrap();
        let file = place.to_string_lossy().into_owned();
        let folder = home.path().to_string_lossy().into_owned();
        let asked = |more: &[(&str, &str)]| {
            let variables = variables(home.path(), more);
            keys(&|name| variables.get(name).cloned())
        };
        let found = asked(&[("AWS_SHARED_CREDENTIALS_FILE", &file)]).unwrap();
        assert_eq!(found.unwrap().0.id, "AK1");
        assert!(asked(&[]).unwrap().is_none());
        assert!(
            asked(&[("AWS_SHARED_CREDENTIALS_FILE", "/none/there")])
                .unwrap()
                .is_none()
        );
        let said = asked(&[("AWS_SHARED_CREDENTIALS_FILE", &folder)]).unwrap_err();
        assert!(said.contains("cannot be read"), "{said}");
        assert!(keys(&|_| None).unwrap().is_none());
    }
}
