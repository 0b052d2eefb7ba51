//! Where a word stands in the files of a revision.

use crate::discover::Repo;
use crate::git::RepoError;

/// A line with the word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The file.
    pub path: String,
    /// The line, from one.
    pub line: u32,
    /// What it says; bytes that are not UTF-8 are replaced.
    pub text: String,
}

impl Repo {
    /// Finds a whole word in the text files of a revision, in git's order. It is taken as it is, not as a pattern.
    pub fn grep(&self, revision: &str, word: &str) -> Result<Vec<Hit>, RepoError> {
        let tree = self.treeish(revision)?;
        let answer = self
            .objects()
            .args([
                "grep",
                "-I",
                "-n",
                "-z",
                "-w",
                "-F",
                "--full-name",
                "--no-color",
            ])
            .args([
                "--no-textconv",
                "--threads=1",
                "-e",
                word,
                tree.as_str(),
                "--",
            ])
            .run()?;
        // Git says by its status that nothing was found.
        if !answer.is_success && answer.stderr.is_empty() {
            return Ok(Vec::new());
        }
        let found = answer.output()?;
        let lines = found.split(|byte| *byte == b'\n');
        Ok(lines.filter_map(hit).collect())
    }
}

/// Reads `TREE:PATH NUL LINE NUL TEXT`.
fn hit(line: &[u8]) -> Option<Hit> {
    let mut fields = line.splitn(3, |byte| *byte == 0);
    let place = String::from_utf8_lossy(fields.next()?).into_owned();
    let (_, path) = place.split_once(':')?;
    let number = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    Some(Hit {
        path: path.to_owned(),
        line: number,
        text: String::from_utf8_lossy(fields.next()?).into_owned(),
    })
}
