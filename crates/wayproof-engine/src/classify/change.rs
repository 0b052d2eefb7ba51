//! What a finished change touches and owes: sensitive surfaces in its paths, its manifests and its changed lines.
//!
//! An ask is read for what it is about; a change is read for what it does, so here names of functions, settings and
//! libraries count, added or removed, and prose and comments do not.

use std::sync::LazyLock;

use super::{
    matched,
    phrases::{Phrases, Word},
    surfaces::of_path,
};
use crate::{
    names::TaskName,
    policy::{Match, Policy, Surface},
};

/// One file of a change.
#[derive(Debug, Clone, Copy)]
pub struct ChangedFile<'a> {
    /// Its path.
    pub path: &'a str,
    /// Lines that were added or removed.
    pub lines: &'a [&'a str],
}

/// A sensitive surface that a change touches, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touch {
    /// The surface.
    pub surface: Surface,
    /// The file.
    pub path: String,
    /// The words that say so; nothing where the path itself does.
    pub words: Option<String>,
}

/// A proof that a finished change owes by what it touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedProof {
    /// The task.
    pub task: TaskName,
    /// Why.
    pub why: String,
    /// Whether it comes on top of the change's own task; otherwise it is its task.
    pub is_on_top: bool,
}

/// Words of identifiers: one, or two that follow each other.
const WORDS: &[(&str, Surface)] = &[
    ("acl", Surface::Permissions),
    ("argon2", Surface::Crypto),
    ("authenticate", Surface::Auth),
    ("authenticated", Surface::Auth),
    ("authentication", Surface::Auth),
    ("authenticator", Surface::Auth),
    ("authorisation", Surface::Permissions),
    ("authorization", Surface::Permissions),
    ("authorize", Surface::Permissions),
    ("authorized", Surface::Permissions),
    ("bcrypt", Surface::Crypto),
    ("chmod", Surface::Permissions),
    ("chown", Surface::Permissions),
    ("cipher", Surface::Crypto),
    ("ciphertext", Surface::Crypto),
    ("credential", Surface::Secrets),
    ("credentials", Surface::Secrets),
    ("csrf", Surface::Auth),
    ("decrypt", Surface::Crypto),
    ("ecdsa", Surface::Crypto),
    ("ed25519", Surface::Crypto),
    ("encrypt", Surface::Crypto),
    ("encrypted", Surface::Crypto),
    ("encryption", Surface::Crypto),
    ("hmac", Surface::Crypto),
    ("jwt", Surface::Auth),
    ("keyring", Surface::Secrets),
    ("keystore", Surface::Secrets),
    ("login", Surface::Auth),
    ("mfa", Surface::Auth),
    ("oauth", Surface::Auth),
    ("oauth2", Surface::Auth),
    ("oidc", Surface::Auth),
    ("openssl", Surface::Crypto),
    ("passphrase", Surface::Auth),
    ("passwd", Surface::Auth),
    ("password", Surface::Auth),
    ("passwords", Surface::Auth),
    ("pbkdf2", Surface::Crypto),
    ("permission", Surface::Permissions),
    ("permissions", Surface::Permissions),
    ("privilege", Surface::Permissions),
    ("privileges", Surface::Permissions),
    ("rbac", Surface::Permissions),
    ("saml", Surface::Auth),
    ("scrypt", Surface::Crypto),
    ("secret", Surface::Secrets),
    ("secrets", Surface::Secrets),
    ("setgid", Surface::Permissions),
    ("setuid", Surface::Permissions),
    ("signin", Surface::Auth),
    ("sql", Surface::DataAccess),
    ("sudo", Surface::Permissions),
    ("tls", Surface::Crypto),
    ("totp", Surface::Auth),
    ("umask", Surface::Permissions),
    ("x509", Surface::Crypto),
];

const PAIRS: &[(&str, &str, Surface)] = &[
    ("access", "control", Surface::Permissions),
    ("access", "key", Surface::Secrets),
    ("access", "token", Surface::Auth),
    ("alter", "table", Surface::DataAccess),
    ("api", "key", Surface::Secrets),
    ("api", "keys", Surface::Secrets),
    ("api", "token", Surface::Secrets),
    ("auth", "token", Surface::Auth),
    ("bearer", "token", Surface::Auth),
    ("cursor", "execute", Surface::DataAccess),
    ("delete", "from", Surface::DataAccess),
    ("drop", "table", Surface::DataAccess),
    ("execute", "query", Surface::DataAccess),
    ("insecure", "skip", Surface::Crypto),
    ("insert", "into", Surface::DataAccess),
    ("is", "admin", Surface::Permissions),
    ("password", "hash", Surface::Crypto),
    ("prepared", "statement", Surface::DataAccess),
    ("private", "key", Surface::Secrets),
    ("raw", "query", Surface::DataAccess),
    ("refresh", "token", Surface::Auth),
    ("reject", "unauthorized", Surface::Crypto),
    ("require", "role", Surface::Permissions),
    ("secret", "key", Surface::Secrets),
    ("session", "cookie", Surface::Auth),
    ("session", "id", Surface::Auth),
    ("session", "token", Surface::Auth),
    ("sign", "in", Surface::Auth),
    ("signing", "key", Surface::Secrets),
    ("truncate", "table", Surface::DataAccess),
    ("user", "role", Surface::Permissions),
    ("user", "roles", Surface::Permissions),
    ("verify", "false", Surface::Crypto),
    ("verify", "signature", Surface::Crypto),
];

/// Libraries, as manifests name them.
const LIBRARIES: &[(&str, Surface)] = &[
    ("aiomysql", Surface::DataAccess),
    ("asyncpg", Surface::DataAccess),
    ("authlib", Surface::Auth),
    ("boringssl", Surface::Crypto),
    ("bouncycastle", Surface::Crypto),
    ("casbin", Surface::Permissions),
    ("cryptography", Surface::Crypto),
    ("devise", Surface::Auth),
    ("diesel", Surface::DataAccess),
    ("hibernate", Surface::DataAccess),
    ("jose", Surface::Auth),
    ("jsonwebtoken", Surface::Auth),
    ("knex", Surface::DataAccess),
    ("libsodium", Surface::Crypto),
    ("mongoose", Surface::DataAccess),
    ("mysql", Surface::DataAccess),
    ("mysql2", Surface::DataAccess),
    ("nacl", Surface::Crypto),
    ("passlib", Surface::Auth),
    ("passport", Surface::Auth),
    ("pg", Surface::DataAccess),
    ("postgres", Surface::DataAccess),
    ("postgresql", Surface::DataAccess),
    ("prisma", Surface::DataAccess),
    ("psycopg", Surface::DataAccess),
    ("psycopg2", Surface::DataAccess),
    ("pycryptodome", Surface::Crypto),
    ("pyjwt", Surface::Auth),
    ("pymysql", Surface::DataAccess),
    ("rustls", Surface::Crypto),
    ("sequelize", Surface::DataAccess),
    ("sodium", Surface::Crypto),
    ("sqlalchemy", Surface::DataAccess),
    ("sqlite3", Surface::DataAccess),
    ("sqlx", Surface::DataAccess),
    ("typeorm", Surface::DataAccess),
];

/// How keys and tokens begin that have no place in a repository.
const SECRET_SIGNS: &[&str] = &[
    "-----BEGIN ",
    "AKIA",
    "ghp_",
    "github_pat_",
    "xoxb-",
    "sk-ant-",
];

const MANIFESTS: &[&str] = &[
    "build.gradle",
    "build.gradle.kts",
    "cargo.toml",
    "cmakelists.txt",
    "composer.json",
    "conanfile.py",
    "conanfile.txt",
    "gemfile",
    "go.mod",
    "mix.exs",
    "package.json",
    "pipfile",
    "pom.xml",
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
    "vcpkg.json",
];

/// What a file is read as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Its words are names of things.
    Code,
    /// It names libraries as well.
    Manifest,
    /// Words for people, or a list made by a tool: only a secret in it counts.
    Prose,
}

static NAMES: LazyLock<Phrases<Surface>> = LazyLock::new(|| {
    let words = WORDS.iter().map(|(word, surface)| (["", *word], *surface));
    let pairs = PAIRS.iter();
    let pairs = pairs.map(|(first, second, surface)| ([*first, *second], *surface));
    Phrases::of(words.chain(pairs))
});

static LIBRARY_NAMES: LazyLock<Phrases<Surface>> = LazyLock::new(|| {
    let names = LIBRARIES.iter();
    Phrases::of(names.map(|(name, surface)| (["", *name], *surface)))
});

/// The sensitive surfaces that a change touches, each once, with the first place that shows it.
pub fn touches(files: &[ChangedFile<'_>]) -> Vec<Touch> {
    let mut found: Vec<Touch> = Vec::new();
    let mut note = |surface: Surface, path: &str, words: Option<String>| {
        if found.iter().all(|touch| touch.surface != surface) {
            found.push(Touch {
                surface,
                path: path.to_owned(),
                words,
            });
        }
    };
    for file in files {
        if let Some(surface) = of_path(file.path) {
            note(surface, file.path, None);
        }
    }
    for file in files {
        let reading = reading_of(file.path);
        for line in file.lines {
            if let Some(sign) = SECRET_SIGNS.iter().find(|sign| holds_secret(line, sign)) {
                note(Surface::Secrets, file.path, Some((*sign).trim().to_owned()));
            }
            if reading != Reading::Prose && !is_comment(line) {
                look_at(line, reading, &mut |surface, words| {
                    note(surface, file.path, Some(words));
                });
            }
        }
    }
    found.sort_by_key(|touch| touch.surface);
    found
}

/// The proofs that a finished change owes by what it touches, in the policy's order.
///
/// A job's own task comes from its ask; what is `owed` comes on top, whatever was asked.
pub fn owed_by_change(
    policy: &Policy,
    paths: &[String],
    touched: &[Touch],
    branch: Option<&str>,
) -> Vec<OwedProof> {
    let surfaces: Vec<Surface> = touched.iter().map(|touch| touch.surface).collect();
    let reason = |found: &Match| {
        let reason = matched(found, paths, branch, &surfaces)?;
        let place = touched.iter().find(|touch| {
            found.surfaces.contains(&touch.surface)
                && reason == format!("surface `{}`", touch.surface.as_str())
        });
        Some(match place {
            None => reason,
            Some(Touch {
                path, words: None, ..
            }) => format!("{reason}: `{path}`"),
            Some(Touch {
                path,
                words: Some(words),
                ..
            }) => format!("{reason}: `{words}` in `{path}`"),
        })
    };
    let mut owed = Vec::new();
    for task in policy.tasks() {
        let claimed = task.matches.as_ref().and_then(reason);
        let on_top = task.owed.as_ref().and_then(reason);
        let is_on_top = claimed.is_none();
        if let Some(why) = claimed.or(on_top) {
            owed.push(OwedProof {
                task: task.name.clone(),
                why,
                is_on_top,
            });
        }
    }
    owed
}

fn reading_of(path: &str) -> Reading {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let is_requirements = name.starts_with("requirements") && name.ends_with(".txt");
    if MANIFESTS.contains(&name.as_str()) || is_requirements || name.ends_with(".csproj") {
        return Reading::Manifest;
    }
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let is_prose = matches!(
        extension,
        "md" | "markdown" | "rst" | "txt" | "adoc" | "lock" | "svg" | "po" | "sum"
    ) || matches!(
        name.as_str(),
        "package-lock.json" | "pnpm-lock.yaml" | "licence" | "license" | "changelog"
    );
    if is_prose {
        Reading::Prose
    } else {
        Reading::Code
    }
}

/// A whole line of comment; `#include` and `#[…]` are none.
fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    ["//", "/*", "* ", "# ", "-- ", "<!--", "%"]
        .iter()
        .any(|sign| line.starts_with(sign))
}

fn holds_secret(line: &str, sign: &str) -> bool {
    let Some((_, rest)) = line.split_once(sign) else {
        return false;
    };
    if sign.starts_with('-') {
        return rest.contains("PRIVATE KEY");
    }
    // The sign alone is a word of those who look for it.
    let is_key = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    rest.chars().take_while(is_key).count() >= 16
}

fn look_at(line: &str, reading: Reading, note: &mut dyn FnMut(Surface, String)) {
    let words = segments(line);
    let mut previous = Word::NONE;
    for text in &words {
        let word = Word::new(text);
        if let Some((_, surface)) = NAMES.find(Word::NONE, word) {
            note(surface, text.clone());
        }
        if let Some((_, surface)) = NAMES.find(previous, word).filter(|_| previous_is(previous)) {
            note(surface, format!("{} {text}", previous.text()));
        }
        if reading == Reading::Manifest
            && let Some((_, surface)) = LIBRARY_NAMES.find(Word::NONE, word)
        {
            note(surface, text.clone());
        }
        previous = word;
    }
    if is_query(line, &words) {
        note(Surface::DataAccess, "select from".to_owned());
    }
}

fn previous_is(previous: Word<'_>) -> bool {
    !previous.text().is_empty()
}

/// `select … from` and `update … set` in their order; imports name other things by these words.
fn is_query(line: &str, words: &[String]) -> bool {
    let at = |wanted: &str| words.iter().position(|word| word == wanted);
    let start = line.trim_start();
    let is_import = start.starts_with("import") || start.starts_with("export");
    let follows = |first: &str, then: &str| {
        at(first)
            .zip(at(then))
            .is_some_and(|(first, then)| first < then)
    };
    let selects = !is_import && follows("select", "from");
    let updates = at("update").is_some_and(|at| {
        let set = words.get(at + 2).or_else(|| words.get(at + 3));
        set.is_some_and(|word| word == "set")
    });
    selects || updates
}

/// The words of a line in lower case, identifiers taken apart at `_`, `-` and humps.
fn segments(line: &str) -> Vec<String> {
    /// A longer line is no line that somebody wrote; its start says enough.
    const MAX_LINE: usize = 4_096;
    let mut end = line.len().min(MAX_LINE);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    let mut found = Vec::new();
    let mut word = String::new();
    let mut characters = line.get(..end).unwrap_or_default().chars().peekable();
    let mut before = ' ';
    while let Some(c) = characters.next() {
        if !c.is_ascii_alphanumeric() {
            if !word.is_empty() {
                found.push(std::mem::take(&mut word));
            }
            before = c;
            continue;
        }
        let next_is_lower = characters.peek().is_some_and(char::is_ascii_lowercase);
        let is_hump = c.is_ascii_uppercase()
            && (before.is_ascii_lowercase() || (before.is_ascii_uppercase() && next_is_lower));
        if is_hump && !word.is_empty() {
            found.push(std::mem::take(&mut word));
        }
        word.push(c.to_ascii_lowercase());
        before = c;
    }
    if !word.is_empty() {
        found.push(word);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surfaces_of(path: &str, line: &str) -> Vec<Surface> {
        let lines = [line];
        let file = ChangedFile {
            path,
            lines: &lines,
        };
        touches(&[file])
            .into_iter()
            .map(|touch| touch.surface)
            .collect()
    }

    #[test]
    fn code_is_read_by_the_names_it_uses() {
        for (line, surface) in [
            ("    if user.isAdmin() {", Surface::Permissions),
            ("let hash = bcrypt::hash(raw, 4)?;", Surface::Crypto),
            ("client = Client(verify=False)", Surface::Crypto),
            ("tls: { rejectUnauthorized: false }", Surface::Crypto),
            (
                "db.run(\"SELECT name FROM users WHERE id=\" + id)",
                Surface::DataAccess,
            ),
            ("q = f\"update users set admin = {x}\"", Surface::DataAccess),
            ("    API_KEY = os.environ['K']", Surface::Secrets),
            ("func checkPassword(given string) bool {", Surface::Auth),
            ("os.chmod(path, 0o777)", Surface::Permissions),
        ] {
            assert!(
                surfaces_of("src/x.c", line).contains(&surface),
                "{line}: {:?}",
                surfaces_of("src/x.c", line)
            );
        }
    }

    #[test]
    fn other_lines_touch_nothing() {
        for line in [
            "    let total = items.iter().map(|item| item.price).sum();",
            "import { select } from 'd3-selection'",
            "from collections import OrderedDict  # select",
            "// the password is checked elsewhere",
            "# secrets are read by the caller",
            "for token in tokenizer.tokens():",
            "session = requests.Session()",
            "update the docs and set the title",
        ] {
            let found = surfaces_of("src/x.py", line);
            // The last one is prose that reads like a query; it is code here, so it may count.
            assert!(
                found.is_empty() || line.starts_with("update the docs"),
                "{line}: {found:?}"
            );
        }
        assert_eq!(surfaces_of("README.md", "Set the password first."), []);
    }

    #[test]
    fn manifests_name_libraries_and_secrets_count_everywhere() {
        assert_eq!(
            surfaces_of("package.json", "    \"jsonwebtoken\": \"^9\","),
            [Surface::Auth]
        );
        assert_eq!(surfaces_of("src/x.js", "const jsonwebtoken = 1"), []);
        assert_eq!(
            surfaces_of("notes.md", "key: AKIAIOSFODNN7EXAMPLE123"),
            [Surface::Secrets]
        );
        assert_eq!(surfaces_of("notes.md", "keys begin with AKIA or ghp_"), []);
    }

    #[test]
    fn a_sensitive_line_owes_a_review_on_top_and_a_branch_decides_the_task() {
        let policy = Policy::builtin();
        let lines = ["let ok = password == stored;"];
        let file = ChangedFile {
            path: "src/lib.rs",
            lines: &lines,
        };
        let touched = touches(&[file]);
        let paths = ["src/lib.rs".to_owned()];
        let owed = owed_by_change(&policy, &paths, &touched, None);
        assert_eq!(owed.len(), 1, "{owed:?}");
        assert_eq!(owed[0].task.as_str(), "security-review");
        assert!(owed[0].is_on_top);
        assert_eq!(owed[0].why, "surface `auth`: `password` in `src/lib.rs`");
        let owed = owed_by_change(&policy, &paths, &[], Some("docs/guide"));
        assert_eq!(owed[0].task.as_str(), "documentation");
        assert!(!owed[0].is_on_top);
        assert_eq!(owed_by_change(&policy, &paths, &[], None), []);
    }
}
