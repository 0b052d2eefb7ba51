//! Whether the gateway's providers can be reached, and whether every class of the policy has one.

use std::time::Duration;

use hyper::Uri;
use wayproof_engine::Policy;
use wayproof_upstream::KNOWN;

use super::Finding;
use crate::{
    gateway::{Admin, ProviderHealth},
    settings::variable,
};

const PATIENCE: Duration = Duration::from_secs(5);

/// Looks at each provider and each class.
pub(super) async fn examine(admin: &Admin, policy: &Policy) -> Vec<Finding> {
    let providers = match admin.providers().await {
        Ok(providers) => providers,
        Err(error) => {
            let fact = crate::exit::chain(&error);
            return vec![Finding::wrong("providers", fact, "wayproof up")];
        }
    };
    let mut findings = Vec::new();
    for provider in &providers {
        findings.push(reach(provider).await);
    }
    for class in policy.classes() {
        let is_at_hand = class
            .targets
            .iter()
            .any(|target| providers.iter().any(|one| one.name == target.provider));
        if is_at_hand || class.targets.is_empty() {
            continue;
        }
        let mut names: Vec<&str> = class
            .targets
            .iter()
            .map(|target| target.provider.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        let variables: Vec<&str> = KNOWN
            .iter()
            .filter(|known| names.contains(&known.name))
            .filter_map(|known| known.key_variables.first().copied())
            .collect();
        let fix = if variables.is_empty() {
            format!(
                "wayproof up --provider {}=URL",
                names.first().copied().unwrap_or_default()
            )
        } else {
            format!(
                "set {} and start `wayproof up` again, or name another target for [class.{}]",
                variables.join(" or "),
                class.name.as_str()
            )
        };
        let fact = format!(
            "class {} has no target at hand ({}); its jobs go to the model that the agent asks for",
            class.name.as_str(),
            names.join(", ")
        );
        findings.push(Finding::warning("classes", fact, fix));
    }
    findings
}

async fn reach(provider: &ProviderHealth) -> Finding {
    let name = &provider.name;
    let fix = format!(
        "look whether {} is up and can be reached from here",
        provider.base
    );
    if !provider.is_healthy {
        let fact = format!("{name} fails so often that it is left out for now");
        return Finding::wrong("providers", fact, fix);
    }
    let uri: Uri = provider.base.parse().unwrap_or_default();
    let is_secure = uri.scheme_str() == Some("https");
    let has_proxy = ["HTTPS_PROXY", "https_proxy"]
        .iter()
        .any(|name| variable(name).is_some());
    if is_secure && has_proxy {
        return Finding::ok("providers", format!("{name} is asked through the proxy"));
    }
    let port = uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let connect = tokio::net::TcpStream::connect((host, port));
    match tokio::time::timeout(PATIENCE, connect).await {
        Ok(Ok(_)) => Finding::ok("providers", format!("{name} can be reached")),
        Ok(Err(error)) => Finding::wrong(
            "providers",
            format!("{name} cannot be reached: {error}"),
            fix,
        ),
        Err(_) => Finding::wrong("providers", format!("{name} does not answer"), fix),
    }
}
