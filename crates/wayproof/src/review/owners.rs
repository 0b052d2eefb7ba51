//! CODEOWNERS: who owns a path, in the words of GitHub and GitLab. It refuses to guess: a pattern that cannot be read is
//! a mistake of its author, since a rule that is passed over asks nobody.

use std::collections::BTreeMap;

use anyhow::Result;
use globset::{GlobBuilder, GlobMatcher};
use wayproof_receipt::Reviewer;
use wayproof_repo::Repo;

use crate::{exit::Mistake, proving::repo_mistake};

/// Where the file may be, best first.
const PLACES: [&str; 4] = [
    ".github/CODEOWNERS",
    ".gitlab/CODEOWNERS",
    "CODEOWNERS",
    "docs/CODEOWNERS",
];

/// The owners of a repository's paths.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    sections: Vec<Section>,
}

#[derive(Debug, Default)]
struct Section {
    /// Owners of entries that name none.
    owners: Vec<String>,
    is_optional: bool,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    matchers: Vec<GlobMatcher>,
    owners: Vec<String>,
}

impl Owners {
    /// The owners as a revision names them; nobody if it has no such file.
    pub(crate) fn at(repo: &Repo, revision: &str) -> Result<Self> {
        for place in PLACES {
            let Some(bytes) = repo.read(revision, place).map_err(repo_mistake)? else {
                continue;
            };
            let text = String::from_utf8_lossy(&bytes);
            return Self::parse(&text)
                .map_err(|problem| Mistake(format!("{place} of the base: {problem}")).into());
        }
        Ok(Self::default())
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut sections = vec![Section::default()];
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(section) = Section::open(line) {
                sections.push(section);
                continue;
            }
            let mut words = words(line).into_iter();
            let Some(pattern) = words.next() else {
                continue;
            };
            let matchers =
                matchers(&pattern).map_err(|problem| format!("line {}: {problem}", index + 1))?;
            let owners = words.take_while(|word| !word.starts_with('#')).collect();
            if let Some(section) = sections.last_mut() {
                section.rules.push(Rule { matchers, owners });
            }
        }
        Ok(Self { sections })
    }

    /// Groups of owners that paths have, each with the paths; of every group somebody must agree.
    pub(crate) fn of<'p>(&self, paths: &'p [String]) -> BTreeMap<Vec<String>, Vec<&'p str>> {
        let mut groups: BTreeMap<Vec<String>, Vec<&str>> = BTreeMap::new();
        for section in self.sections.iter().filter(|section| !section.is_optional) {
            for path in paths {
                // The last rule that fits decides, also when it names nobody.
                let rule = section.rules.iter().rev().find(|rule| rule.fits(path));
                let owners = match rule {
                    Some(rule) if rule.owners.is_empty() => &section.owners,
                    Some(rule) => &rule.owners,
                    None => continue,
                };
                if !owners.is_empty() {
                    groups.entry(owners.clone()).or_default().push(path);
                }
            }
        }
        groups
    }
}

/// Whether a reviewer is one of the owners.
pub(crate) fn is_one_of(name: &str, reviewer: &Reviewer, owners: &[String]) -> bool {
    owners.iter().any(|owner| {
        let is_handle = |handle: &String| handle.eq_ignore_ascii_case(owner);
        match owner.strip_prefix('@') {
            Some(handle) => {
                handle.eq_ignore_ascii_case(name) || reviewer.handles.iter().any(is_handle)
            }
            None => reviewer.mails.contains(&owner.to_lowercase()),
        }
    })
}

impl Section {
    /// Reads `[Name]`, `^[Name]` and `[Name][2]`, with owners for entries that name none.
    fn open(line: &str) -> Option<Self> {
        let (is_optional, rest) = match line.strip_prefix('^') {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let (_, rest) = rest.strip_prefix('[')?.split_once(']')?;
        let rest = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((_, rest)) => rest,
            None => rest,
        };
        Some(Self {
            owners: words(rest),
            is_optional,
            rules: Vec::new(),
        })
    }
}

impl Rule {
    fn fits(&self, path: &str) -> bool {
        self.matchers.iter().any(|matcher| matcher.is_match(path))
    }
}

/// Words between spaces; a space behind a backslash belongs to its word.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => word.extend(characters.next()),
            c if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// A pattern as in .gitignore: anchored by a slash inside it; a folder means everything below.
fn matchers(pattern: &str) -> Result<Vec<GlobMatcher>, String> {
    let body = pattern.trim_start_matches('/').trim_end_matches('/');
    let is_anchored = pattern.trim_end_matches('/').contains('/');
    let is_folder = pattern.ends_with('/');
    let root = if is_anchored {
        body.to_owned()
    } else {
        format!("**/{body}")
    };
    let mut texts = Vec::new();
    if body.is_empty() {
        texts.push("**".to_owned());
    } else {
        if !is_folder {
            texts.push(root.clone());
        }
        // `docs/*` is the files right inside; every other name may be that of a folder.
        if !body.ends_with("/*") {
            texts.push(format!("{root}/**"));
        }
    }
    texts
        .iter()
        .map(|text| {
            GlobBuilder::new(text)
                .literal_separator(true)
                .build()
                .map(|glob| glob.compile_matcher())
                .map_err(|error| format!("`{pattern}` is not a pattern: {}", error.kind()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owners_of(text: &str, path: &str) -> Vec<Vec<String>> {
        let paths = [path.to_owned()];
        let owners = Owners::parse(text).unwrap();
        owners.of(&paths).into_keys().collect()
    }

    #[test]
    fn the_last_rule_that_fits_decides() {
        let text = "# everybody\n* @all\n/src/auth/ @alice bob@example.org # sign-in\n*.md\ndocs/* @docs\n";
        assert_eq!(owners_of(text, "src/lib.rs"), [["@all"]]);
        assert_eq!(
            owners_of(text, "src/auth/deep/login.rs"),
            [["@alice", "bob@example.org"]]
        );
        assert_eq!(owners_of(text, "other/src/auth/x.rs"), [["@all"]]);
        assert_eq!(owners_of(text, "README.md"), Vec::<Vec<String>>::new());
        assert_eq!(owners_of(text, "docs/a.txt"), [["@docs"]]);
        assert_eq!(owners_of(text, "docs/deep/a.txt"), [["@all"]]);
    }

    #[test]
    fn sections_are_asked_each_for_itself() {
        let text = "* @all\n[Security][2] @sec\n/src/\n^[Taste]\n* @taste\n";
        let mut groups = owners_of(text, "src/lib.rs");
        groups.sort();
        assert_eq!(groups, [["@all"], ["@sec"]]);
        assert!(Owners::parse("a[ @x\n").is_err());
    }

    #[test]
    fn people_are_owners_by_name_handle_team_or_mail() {
        let alice = Reviewer {
            mails: vec!["alice@example.org".into()],
            handles: vec!["@acme/security".into()],
        };
        let is_owner = |owner: &str| is_one_of("alice", &alice, &[owner.to_owned()]);
        assert!(is_owner("@Alice") && is_owner("@acme/Security") && is_owner("Alice@example.org"));
        assert!(!is_owner("@bob") && !is_owner("alice") && !is_owner("@acme"));
    }
}
