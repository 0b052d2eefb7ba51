//! Sensitive surfaces: parts of a system where a mistake is dear, found in paths and in the words of an ask.
//! In an ask only words that name the surface itself count: a login page that crashes is not a change to sign-in.

use std::sync::LazyLock;

use super::phrases::{Phrases, Word};
use super::words::spaced;
use crate::policy::Surface;

/// Names of files and folders, in lower case, without their extension.
const PATH_WORDS: &[(&str, Surface)] = &[
    ("acl", Surface::Permissions),
    ("acls", Surface::Permissions),
    ("auth", Surface::Auth),
    ("authentication", Surface::Auth),
    ("authn", Surface::Auth),
    ("authorization", Surface::Permissions),
    ("authz", Surface::Permissions),
    ("certs", Surface::Crypto),
    ("cipher", Surface::Crypto),
    ("credential", Surface::Secrets),
    ("credentials", Surface::Secrets),
    ("crypto", Surface::Crypto),
    ("cryptography", Surface::Crypto),
    ("dao", Surface::DataAccess),
    ("encryption", Surface::Crypto),
    ("env", Surface::Secrets),
    ("hmac", Surface::Crypto),
    ("jwt", Surface::Auth),
    ("keystore", Surface::Secrets),
    ("login", Surface::Auth),
    ("mfa", Surface::Auth),
    ("migrations", Surface::DataAccess),
    ("oauth", Surface::Auth),
    ("oauth2", Surface::Auth),
    ("oidc", Surface::Auth),
    ("password", Surface::Auth),
    ("passwords", Surface::Auth),
    ("permission", Surface::Permissions),
    ("permissions", Surface::Permissions),
    ("queries", Surface::DataAccess),
    ("rbac", Surface::Permissions),
    ("roles", Surface::Permissions),
    ("saml", Surface::Auth),
    ("secret", Surface::Secrets),
    ("secrets", Surface::Secrets),
    ("signin", Surface::Auth),
    ("sql", Surface::DataAccess),
    ("sso", Surface::Auth),
    ("tls", Surface::Crypto),
    ("vault", Surface::Secrets),
];

/// Extensions that say it alone.
const EXTENSIONS: &[(&str, Surface)] = &[
    ("jks", Surface::Secrets),
    ("key", Surface::Secrets),
    ("p12", Surface::Secrets),
    ("pem", Surface::Secrets),
    ("rego", Surface::Permissions),
    ("sql", Surface::DataAccess),
];

/// Words of an ask.
const ASK_WORDS: &[(&str, Surface)] = &[
    ("acl", Surface::Permissions),
    ("acls", Surface::Permissions),
    ("auth", Surface::Auth),
    ("authenticate", Surface::Auth),
    ("authenticated", Surface::Auth),
    ("authentication", Surface::Auth),
    ("authorisation", Surface::Permissions),
    ("authorization", Surface::Permissions),
    ("authorize", Surface::Permissions),
    ("cipher", Surface::Crypto),
    ("credential", Surface::Secrets),
    ("credentials", Surface::Secrets),
    ("cryptographic", Surface::Crypto),
    ("cryptography", Surface::Crypto),
    ("decrypt", Surface::Crypto),
    ("decryption", Surface::Crypto),
    ("encrypt", Surface::Crypto),
    ("encrypted", Surface::Crypto),
    ("encryption", Surface::Crypto),
    ("hmac", Surface::Crypto),
    ("jwt", Surface::Auth),
    ("mfa", Surface::Auth),
    ("oauth", Surface::Auth),
    ("oauth2", Surface::Auth),
    ("oidc", Surface::Auth),
    ("permission", Surface::Permissions),
    ("permissions", Surface::Permissions),
    ("privilege", Surface::Permissions),
    ("privileges", Surface::Permissions),
    ("rbac", Surface::Permissions),
    ("saml", Surface::Auth),
    ("secret", Surface::Secrets),
    ("secrets", Surface::Secrets),
    ("sql", Surface::DataAccess),
    ("sso", Surface::Auth),
    ("vault", Surface::Secrets),
];

/// Pairs of words of an ask.
const ASK_PAIRS: &[(&str, &str, Surface)] = &[
    ("access", "control", Surface::Permissions),
    ("api", "key", Surface::Secrets),
    ("api", "keys", Surface::Secrets),
    ("data", "access", Surface::DataAccess),
    ("password", "hash", Surface::Crypto),
    ("password", "hashing", Surface::Crypto),
    ("password", "reset", Surface::Auth),
    ("private", "key", Surface::Secrets),
    ("private", "keys", Surface::Secrets),
    ("row", "level", Surface::DataAccess),
];

/// Words and pairs of an ask, ready to be searched.
static ASK: LazyLock<Phrases<Surface>> = LazyLock::new(|| {
    let words = ASK_WORDS
        .iter()
        .map(|(word, surface)| (["", word], *surface));
    let pairs = ASK_PAIRS.iter();
    let pairs = pairs.map(|(first, second, surface)| ([*first, *second], *surface));
    Phrases::of(words.chain(pairs))
});

/// The most words of an ask that are looked at.
const MAX_WORDS: usize = 200;

/// Surfaces of an ask and its paths, each once, in the order of [`Surface`].
pub(crate) fn found(folded: &str, paths: &[String]) -> Vec<Surface> {
    let mut surfaces: Vec<Surface> = paths.iter().filter_map(|path| of_path(path)).collect();
    let mut previous = Word::NONE;
    // Words inside a path belong to the path, which was looked at as one.
    for word in spaced(folded).take(MAX_WORDS).map(Word::new) {
        let found = [ASK.find(Word::NONE, word), ASK.find(previous, word)];
        surfaces.extend(found.into_iter().flatten().map(|(_, surface)| surface));
        previous = word;
    }
    surfaces.sort_unstable();
    surfaces.dedup();
    surfaces
}

/// The surface of one path, by its folders, its name and its extension.
pub(crate) fn of_path(path: &str) -> Option<Surface> {
    let (_, name) = path.rsplit_once('/').unwrap_or(("", path));
    let extension = name
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_ascii_lowercase());
    if let Some(surface) = extension.and_then(|extension| look_up(EXTENSIONS, &extension)) {
        return Some(surface);
    }
    path.split(['/', '.', '_', '-'])
        .find_map(|word| look_up(PATH_WORDS, &word.to_ascii_lowercase()))
}

fn look_up(table: &[(&str, Surface)], word: &str) -> Option<Surface> {
    let index = table
        .binary_search_by(|(known, _)| (*known).cmp(word))
        .ok()?;
    table.get(index).map(|(_, surface)| *surface)
}

#[cfg(test)]
mod tests {
    use super::{super::words::fold, *};

    #[test]
    fn tables_are_sorted() {
        assert!(PATH_WORDS.is_sorted_by_key(|(word, _)| *word));
        assert!(EXTENSIONS.is_sorted_by_key(|(word, _)| *word));
    }

    #[test]
    fn only_words_that_name_a_surface_count() {
        assert_eq!(
            found(
                &fold("the login page returns 500 when the token expired"),
                &[]
            ),
            []
        );
        assert_eq!(
            found(&fold("rotate the API keys, then OAuth."), &[]),
            [Surface::Auth, Surface::Secrets]
        );
        assert_eq!(of_path("src/Auth/session.rs"), Some(Surface::Auth));
        assert_eq!(of_path("db/003_users.sql"), Some(Surface::DataAccess));
        assert_eq!(of_path("src/author/list.rs"), None);
    }
}
