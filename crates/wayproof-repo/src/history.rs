//! Who made a change, and what merging it makes. It refuses to believe more than the commits say themselves.

use crate::discover::Repo;
use crate::git::RepoError;
use crate::revision::{Commit, Oid, oid};

/// Somebody whom a commit names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Person {
    /// The name.
    pub name: String,
    /// The mail address, as it is written.
    pub mail: String,
}

/// What the commits of a change say about who made it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Makers {
    /// Authors, committers and co-authors, each once.
    pub people: Vec<Person>,
    /// SSH signatures on the commits, in their armour; nothing was verified.
    pub signatures: Vec<String>,
}

/// A change of more commits is not looked through.
const MOST_COMMITS: u32 = 10_000;

impl Repo {
    /// Tells who made the commits that a head has and a base has not.
    pub fn makers(&self, base: &Commit, head: &Commit) -> Result<Makers, RepoError> {
        let listed = self
            .objects()
            .args(["rev-list", &format!("--max-count={MOST_COMMITS}")])
            .args([head.id.as_str(), &format!("^{}", base.id)])
            .output()?;
        let mut makers = Makers::default();
        let mut batch = Vec::new();
        for id in String::from_utf8_lossy(&listed).lines() {
            batch.extend_from_slice(oid("rev-list", id)?.as_str().as_bytes());
            batch.push(b'\n');
        }
        if batch.is_empty() {
            return Ok(makers);
        }
        let commits = self
            .objects()
            .args(["cat-file", "--batch"])
            .input(batch)
            .output()?;
        let mut rest = commits.as_slice();
        while !rest.is_empty() {
            let (content, after) = record(rest)?;
            makers.read(content);
            rest = after;
        }
        makers.people.sort();
        makers.people.dedup();
        Ok(makers)
    }

    /// The tree that merging a head into a revision makes; nothing if they contradict each other.
    pub fn merged_tree(&self, into: &Commit, head: &Commit) -> Result<Option<Oid>, RepoError> {
        let base = self.merge_base(into.id.as_str(), head.id.as_str())?;
        if base.id == into.id {
            return Ok(Some(head.tree.clone()));
        }
        let answer = self
            .objects()
            .args(["merge-tree", "--write-tree", "--no-messages"])
            .args([into.id.as_str(), head.id.as_str()])
            .run()?;
        if !answer.is_success && answer.stderr.is_empty() {
            return Ok(None);
        }
        oid("merge-tree", &answer.line()?).map(Some)
    }
}

/// Splits `name type size LF content LF` off the front.
fn record(bytes: &[u8]) -> Result<(&[u8], &[u8]), RepoError> {
    let strange = || RepoError::Unexpected {
        command: "cat-file".to_owned(),
        detail: "a commit's record cannot be read".to_owned(),
    };
    let end = bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .ok_or_else(strange)?;
    let header = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned();
    let size: usize = header
        .rsplit(' ')
        .next()
        .and_then(|size| size.parse().ok())
        .ok_or_else(strange)?;
    let start = end + 1;
    let content = bytes.get(start..start + size).ok_or_else(strange)?;
    Ok((content, bytes.get(start + size + 1..).unwrap_or_default()))
}

impl Makers {
    /// Takes what one commit says.
    fn read(&mut self, commit: &[u8]) {
        let text = String::from_utf8_lossy(commit);
        let (head, message) = text.split_once("\n\n").unwrap_or((&text, ""));
        let mut signature: Option<String> = None;
        for line in head.lines() {
            if let (Some(armour), Some(more)) = (&mut signature, line.strip_prefix(' ')) {
                armour.push('\n');
                armour.push_str(more);
                continue;
            }
            self.signatures.extend(signature.take());
            match line.split_once(' ') {
                Some(("author" | "committer", who)) => self.people.extend(person(who)),
                Some(("gpgsig" | "gpgsig-sha256", start)) => signature = Some(start.to_owned()),
                _ => {}
            }
        }
        self.signatures.extend(signature);
        let trailers = message.lines().filter_map(|line| {
            let (key, who) = line.split_once(':')?;
            key.trim()
                .eq_ignore_ascii_case("co-authored-by")
                .then_some(who)
        });
        self.people.extend(trailers.filter_map(person));
    }
}

/// Reads `Name <mail> …`.
fn person(text: &str) -> Option<Person> {
    let (name, rest) = text.split_once('<')?;
    let (mail, _) = rest.split_once('>')?;
    Some(Person {
        name: name.trim().to_owned(),
        mail: mail.trim().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_names_everybody_who_made_it() {
        let mut makers = Makers::default();
        makers.read(
            b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor Ada L. <ada@example.org> 1 +0000\ncommitter CI <ci@example.org> 2 +0000\ngpgsig -----BEGIN SSH SIGNATURE-----\n AAAA\n -----END SSH SIGNATURE-----\n\nDo it\n\nauthor Not Me <not@example.org>\nco-authored-by: Bob <bob@example.org>\n",
        );
        let mails: Vec<&str> = makers.people.iter().map(|one| one.mail.as_str()).collect();
        assert_eq!(
            mails,
            ["ada@example.org", "ci@example.org", "bob@example.org"]
        );
        assert_eq!(
            makers.signatures,
            ["-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----"]
        );
    }
}
