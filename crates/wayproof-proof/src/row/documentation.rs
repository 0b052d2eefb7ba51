//! The procedure for documentation: claims have a primary source that says so, links lead somewhere, samples are
//! well-formed.
//!
//! It never fetches by itself: whoever asks for the proof says who may, and without anybody nothing is shown.

mod claims;
mod inner;
mod markdown;
mod samples;
mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use wayproof_receipt::Verdict;
use wayproof_receipt::predicate::{Check, CheckKind, CheckResult, Link, Side};

use super::{Work, bug_fix};
use crate::checkout::changes_source;
use crate::gaming::added_lines;
use crate::plan::FileChange;
use crate::prove::Evidence;
use crate::request::{Page, Step, Unfetched};
use crate::run::Trouble;
use crate::verdict::{self, Judgment};

use claims::{Claim, Own};
use inner::Tree;
use samples::Sample;
use sources::Shown;

/// As many files of the repository are read for the names it defines.
const MOST_FILES: usize = 3_000;
/// A change with more links than this is for several proofs.
const MOST_PAGES: usize = 200;

/// What a look at the documents showed, worst first.
#[derive(Debug, Default)]
struct Seen {
    /// What is wrong, with its place.
    wrong: Vec<String>,
    /// What nobody could show, with its place, by gap.
    unshown: Vec<(&'static str, String)>,
    /// What is only worth a gap.
    gaps: BTreeSet<&'static str>,
    links: Vec<Link>,
    claims: u64,
    checks: Vec<Check>,
}

/// Looks at every document of the change.
pub(crate) fn gather(work: &Work<'_>) -> Result<Evidence, Trouble> {
    let case = &work.case;
    case.progress.step(&Step::Checking {
        what: "claims, links and samples of the documents",
    });
    let findings = bug_fix::findings(work, &[]);
    let documents: Vec<&FileChange> = case
        .changes
        .iter()
        .filter(|change| is_document(&change.path))
        .collect();
    let mut look = Look {
        work,
        paths: paths(work, work.sources.head)?,
        own: own(work)?,
        remote: work.sources.repo.remote_url().ok().flatten(),
        fetched: BTreeMap::new(),
        seen: Seen::default(),
    };
    for change in &documents {
        if change.new_blob.is_some() && change.after.is_none() {
            look.seen.gaps.insert("DOCUMENT_IS_NOT_TEXT");
        }
        look.document(change)?;
    }
    look.elsewhere()?;
    let mut seen = look.seen;
    let is_whole = seen.wrong.is_empty() && seen.unshown.is_empty();
    seen.checks.push(Check {
        id: "links".to_owned(),
        kind: CheckKind::Link,
        side: Side::Head,
        is_complete: true,
        result: if is_whole {
            CheckResult::Passed
        } else {
            CheckResult::Failed
        },
        ..Check::default()
    });
    if case
        .changes
        .iter()
        .any(|change| changes_source(change) && !is_document(&change.path))
    {
        seen.gaps.insert("CHANGES_MORE_THAN_DOCUMENTS");
    }
    let judgment = verdict::refuted(&[], &findings).unwrap_or_else(|| {
        let of_findings = verdict::gaps_of(&[], &findings);
        judge(&seen, documents.is_empty(), of_findings)
    });
    Ok(Evidence {
        findings,
        checks: seen.checks,
        links: seen.links,
        claims: Some(seen.claims),
        ..Evidence::of(judgment)
    })
}

fn judge(seen: &Seen, is_empty: bool, mut gaps: Vec<String>) -> Judgment {
    let (verdict, one_fact) = if let Some(wrong) = seen.wrong.first() {
        (Verdict::Refuted, wrong.clone())
    } else if is_empty {
        gaps.push("NO_DOCUMENT".to_owned());
        (
            Verdict::Unproven,
            "the change touches no document".to_owned(),
        )
    } else if let Some((_, first)) = seen.unshown.first() {
        gaps.extend(seen.unshown.iter().map(|(gap, _)| (*gap).to_owned()));
        (Verdict::Unproven, first.clone())
    } else {
        let said = match seen.claims {
            0 => "no claim about an interface or a version was added".to_owned(),
            count => format!("{count} claims have a primary source that says so"),
        };
        (
            Verdict::Proven,
            format!("{said}; links lead somewhere and samples are well-formed"),
        )
    };
    gaps.extend(seen.gaps.iter().map(|gap| (*gap).to_owned()));
    gaps.sort();
    gaps.dedup();
    let verdict = if verdict == Verdict::Proven && !gaps.is_empty() {
        Verdict::ProvenWithGaps
    } else {
        verdict
    };
    Judgment {
        verdict,
        gaps,
        one_fact,
    }
}

struct Look<'a> {
    work: &'a Work<'a>,
    paths: BTreeSet<String>,
    own: Own,
    /// Where the repository itself is published: no source for what it says.
    remote: Option<String>,
    fetched: BTreeMap<String, Result<Page, Unfetched>>,
    seen: Seen,
}

impl Look<'_> {
    fn document(&mut self, change: &FileChange) -> Result<(), Trouble> {
        let text = change.after.as_deref().unwrap_or_default();
        let added: BTreeSet<u32> = added_lines(change).iter().map(|line| line.number).collect();
        let definitions = markdown::definitions(text);
        for block in markdown::blocks(text)
            .iter()
            .filter(|block| block.has_any(&added))
        {
            let place = format!("{}:{}", change.path, block.start);
            if block.sample.is_some() {
                self.sample(block, &place)?;
                continue;
            }
            let text = block.text();
            let links = markdown::links(&text, &definitions);
            for link in links.iter().filter(|link| inner::is_inner(link)) {
                let problem = self.inner(&change.path, link);
                self.seen
                    .wrong
                    .extend(problem.map(|problem| format!("{place}: the link {problem}")));
            }
            if let Some(claim) = claims::claim(block, &self.own) {
                self.claim(&claim, (&text, &links), &place);
            } else {
                for page in sources::pages(links.iter()) {
                    self.page(page, &place);
                }
            }
        }
        Ok(())
    }

    fn inner(&self, document: &str, link: &str) -> Option<String> {
        let read = |path: &str| self.read(path);
        let tree = Tree {
            paths: &self.paths,
            read: &read,
        };
        inner::problem(&tree, document, link)
    }

    fn read(&self, path: &str) -> Option<String> {
        text_in(&self.work.case.trees.head.path, path)
    }

    fn sample(&mut self, block: &markdown::Block<'_>, place: &str) -> Result<(), Trouble> {
        match samples::check(&self.work.case, block)? {
            Sample::Good(check) => self.seen.checks.extend(check),
            Sample::Bad(problem, check) => {
                self.seen.checks.extend(check);
                self.seen
                    .wrong
                    .push(format!("{place}: the sample is not well-formed: {problem}"));
            }
            Sample::Unchecked => {
                self.seen.gaps.insert("SAMPLE_UNCHECKED");
            }
        }
        Ok(())
    }

    /// A claim needs one primary source that says it.
    fn claim(&mut self, claim: &Claim, (text, links): (&str, &[String]), place: &str) {
        self.seen.claims += 1;
        let named = claim.tokens.join(", ");
        let request = self.work.request;
        let primary: Vec<&str> = sources::pages(links.iter())
            .into_iter()
            .filter(|url| sources::is_primary(url, &request.sources))
            .filter(|url| !sources::is_of(url, self.remote.as_deref()))
            .collect();
        for page in sources::pages(links.iter()) {
            if !primary.contains(&page) {
                self.page(page, place);
            }
        }
        if primary.is_empty() {
            self.seen.unshown.push((
                "CLAIM_WITHOUT_SOURCE",
                format!("{place}: what is said about {named} has no link to a primary source"),
            ));
            return;
        }
        let quotes = sources::quotes(&markdown::without_code(text));
        let mut best: Option<Link> = None;
        let mut why = None;
        for url in primary {
            match self.fetch(url) {
                Ok(page) => match sources::look_up(url, &page, claim, &quotes) {
                    Shown::Gone => self
                        .seen
                        .wrong
                        .push(format!("{place}: there is no page at {url}")),
                    shown => {
                        let link = sources::link(url, Some(&page), shown);
                        if shown == Shown::Found || best.is_none() {
                            best = Some(link);
                        }
                        if shown == Shown::Absent {
                            why = Some((
                                "SOURCE_DOES_NOT_SAY",
                                format!(
                                    "{place}: {url} says nothing of {named}, or not the words and the place it is quoted for"
                                ),
                            ));
                        }
                    }
                },
                Err(problem) => {
                    why = Some((
                        "SOURCE_NOT_FETCHED",
                        format!("{place}: {url} was not fetched: {problem}"),
                    ));
                    best = best.or_else(|| Some(sources::link(url, None, Shown::Absent)));
                }
            }
        }
        let is_found = best.as_ref().is_some_and(Link::is_good);
        self.seen.links.extend(best);
        if !is_found {
            self.seen.unshown.extend(why);
        }
    }

    /// Any other page only has to be there.
    fn page(&mut self, url: &str, place: &str) {
        match self.fetch(url) {
            Ok(page) if matches!(page.status, 404 | 410) => {
                self.seen
                    .wrong
                    .push(format!("{place}: there is no page at {url}"));
            }
            Ok(page) if (200..300).contains(&page.status) => {}
            Ok(page) => {
                let problem = format!("{place}: {url} answers {}", page.status);
                self.seen.unshown.push(("LINK_NOT_FETCHED", problem));
            }
            Err(problem) => {
                let problem = format!("{place}: {url} was not fetched: {problem}");
                self.seen.unshown.push(("LINK_NOT_FETCHED", problem));
            }
        }
    }

    fn fetch(&mut self, url: &str) -> Result<Page, Unfetched> {
        let page = url.split('#').next().unwrap_or(url);
        if let Some(known) = self.fetched.get(page) {
            return known.clone();
        }
        let fetched = match &self.work.request.sources.pages {
            None => Err(Unfetched("nobody may fetch pages here".to_owned())),
            Some(_) if self.fetched.len() >= MOST_PAGES => Err(Unfetched(format!(
                "the change links to more than {MOST_PAGES} pages"
            ))),
            Some(pages) => pages.fetch(page),
        };
        self.fetched.insert(page.to_owned(), fetched.clone());
        fetched
    }

    /// Links of documents that were not touched, to what the change took away.
    fn elsewhere(&mut self) -> Result<(), Trouble> {
        let touched: BTreeSet<&str> = self
            .work
            .case
            .changes
            .iter()
            .map(|change| change.path.as_str())
            .collect();
        let before = paths(self.work, self.work.sources.base)?;
        let others: Vec<String> = self
            .paths
            .iter()
            .filter(|path| is_document(path) && !touched.contains(path.as_str()))
            .take(MOST_FILES)
            .cloned()
            .collect();
        for path in others {
            let Some(text) = self.read(&path) else {
                continue;
            };
            let definitions = markdown::definitions(&text);
            for block in markdown::blocks(&text)
                .iter()
                .filter(|block| block.sample.is_none())
            {
                let links = markdown::links(&block.text(), &definitions);
                for link in links.iter().filter(|link| inner::is_inner(link)) {
                    let Some(problem) = self.inner(&path, link) else {
                        continue;
                    };
                    let read = |path: &str| text_in(&self.work.case.trees.base.path, path);
                    let base = Tree {
                        paths: &before,
                        read: &read,
                    };
                    if inner::problem(&base, &path, link).is_none() {
                        let place = format!("{path}:{}", block.start);
                        self.seen
                            .wrong
                            .push(format!("{place}: the change breaks a link: {problem}"));
                    }
                }
            }
        }
        Ok(())
    }
}

fn paths(work: &Work<'_>, revision: &str) -> Result<BTreeSet<String>, Trouble> {
    let entries = work.sources.repo.ls_tree(revision);
    let entries = entries.map_err(|error| {
        Trouble::Infra(format!(
            "the files of the repository cannot be listed: {error}"
        ))
    })?;
    Ok(entries.into_iter().map(|entry| entry.path).collect())
}

/// The text of a file of a tree. A link is no file: it may lead anywhere.
fn text_in(root: &Path, path: &str) -> Option<String> {
    const MOST_BYTES: u64 = 4 << 20;
    let file = root.join(path);
    let found = std::fs::symlink_metadata(&file).ok()?;
    if !found.is_file() || found.len() > MOST_BYTES {
        return None;
    }
    std::fs::read_to_string(file).ok()
}

/// What the base says of itself: a change cannot bring the source of its own claims.
fn own(work: &Work<'_>) -> Result<Own, Trouble> {
    const CODE: &[&str] = &[
        "rs", "py", "js", "mjs", "cjs", "ts", "tsx", "go", "java", "kt", "rb", "php", "c", "h",
        "cc", "cpp", "hpp", "cs", "sh",
    ];
    let mut own = Own::default();
    let is_read = |path: &&String| {
        let name = path.rsplit('/').next().unwrap_or(path);
        claims::is_manifest(name) || CODE.contains(&crate::plan::extension(path))
    };
    let all = paths(work, work.sources.base)?;
    for path in all.iter().filter(is_read).take(MOST_FILES) {
        if let Some(text) = text_in(&work.case.trees.base.path, path) {
            own.read(path, &text);
        }
    }
    Ok(own)
}

/// Whether a file is written for people.
fn is_document(path: &str) -> bool {
    matches!(
        crate::plan::extension(path),
        "md" | "markdown" | "mdx" | "rst" | "adoc"
    ) || (crate::plan::extension(path) == "txt"
        && path.split('/').any(|part| part == "docs" || part == "doc"))
}
