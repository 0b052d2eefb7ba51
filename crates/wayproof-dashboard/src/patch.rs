//! A change of the policy's file as a patch that `git apply` takes at the repository's root.

use similar::TextDiff;

/// What the policy's file is called in a repository.
const FILE: &str = "wayproof.toml";

/// The patch that turns one text of the file into another; no text is no file. Empty where nothing changes.
///
/// Texts that people edit in a form lose how their lines ended, so the new one ends them as the old one does.
pub fn policy_patch(before: &str, after: &str) -> String {
    let is_crlf = before.contains("\r\n");
    let mut after = after.replace("\r\n", "\n");
    if is_crlf {
        after = after.replace('\n', "\r\n");
    }
    let (old, new) = (format!("a/{FILE}"), format!("b/{FILE}"));
    let old = if before.is_empty() { "/dev/null" } else { &old };
    let new = if after.is_empty() { "/dev/null" } else { &new };
    TextDiff::from_lines(before, &after)
        .unified_diff()
        .context_radius(3)
        .header(old, new)
        .to_string()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::policy_patch;

    /// What `git apply` makes of a text by a patch.
    #[expect(clippy::disallowed_methods, reason = "the test asks git itself")]
    fn applied(before: &str, patch: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("wayproof.toml");
        if !before.is_empty() {
            fs::write(&file, before).unwrap();
        }
        fs::write(folder.path().join("p"), patch).unwrap();
        let git = Command::new("git")
            .args(["apply", "p"])
            .current_dir(folder.path())
            .env("GIT_CEILING_DIRECTORIES", folder.path().parent().unwrap())
            .output()
            .unwrap();
        assert!(git.status.success(), "{git:?}\n{patch}");
        fs::read_to_string(file).unwrap()
    }

    #[test]
    fn git_applies_what_is_said_of_any_two_texts() {
        let long: String = (0..60).map(|line| format!("# line {line}\n")).collect();
        for (before, after) in [
            ("", "version = 1\n"),
            ("version = 1\n", "version = 1\njudge = \"low\"\n"),
            ("version = 1", "version = 1\n"),
            ("version = 1\n# ä\n", "# ö\nversion = 1"),
            (
                &long,
                &long.replace("line 3\n", "other\n").replace("line 50\n", ""),
            ),
        ] {
            assert_eq!(applied(before, &policy_patch(before, after)), after);
        }
        assert_eq!(policy_patch(&long, &long), "");
    }

    #[test]
    fn lines_end_as_they_did() {
        let before = "version = 1\r\n# one\r\n# two\r\n";
        let patch = policy_patch(before, "version = 1\n# other\n# two\n");
        assert_eq!(
            applied(before, &patch),
            "version = 1\r\n# other\r\n# two\r\n"
        );
        assert_eq!(patch.matches("\n-").count(), 1, "{patch}");
    }
}
