//! Small readers of lines that several formats share.

/// The host of an address, with what stands before it for addresses that are none of the web's.
pub(super) fn host(source: &str) -> String {
    let plain = source.split(['#', '?']).next().unwrap_or(source);
    let Some((scheme, rest)) = plain.split_once("://") else {
        return plain.split('/').next().unwrap_or(plain).to_owned();
    };
    let place = rest.split('/').next().unwrap_or(rest);
    let place = place.rsplit('@').next().unwrap_or(place);
    let (kind, scheme) = scheme.split_once('+').unwrap_or(("", scheme));
    // What is fetched from a repository is told apart by the repository.
    if matches!(kind, "git" | "hg" | "svn" | "bzr") || plain.ends_with(".git") {
        return format!("git:{}", rest.trim_end_matches(".git"));
    }
    // Two names of one registry.
    let place = if place == "registry.yarnpkg.com" {
        "registry.npmjs.org"
    } else {
        place
    };
    match scheme {
        "https" => place.to_owned(),
        other => format!("{other}://{place}"),
    }
}

/// A name of Python's as its registries compare it.
pub(super) fn python_name(name: &str) -> String {
    name.trim().to_ascii_lowercase().replace(['_', '.'], "-")
}

/// The name at the start of a requirement such as `requests[socks] >= 2 ; python_version < "3"`.
pub(super) fn requirement(text: &str) -> Option<(String, String)> {
    let text = text.split(';').next().unwrap_or(text).trim();
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.')))
        .unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    (!name.is_empty()).then(|| (python_name(name), rest.trim().to_owned()))
}
