//! Puts the trees of a proof together as plain folders: the base, the base with the head's tests, the head under
//! the base's control surface, and the head without its source.
//!
//! Nothing is ever run in the user's own working tree, and no tree shares a file with another.

mod composer;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use wayproof_receipt::predicate::Side;
use wayproof_receipt::sha256_hex;
use wayproof_repo::{Missing, Repo, to_path};

use crate::plan::{FileChange, Role, inline, is_support_only, manifest};
use crate::run::{Tree, Trouble};

/// The trees of a proof.
#[derive(Clone, Debug)]
pub(crate) struct Trees {
    /// The base as it was.
    pub base: Tree,
    /// The base with the head's tests and fixtures; the base itself when the change holds no tests.
    pub base_with_tests: Tree,
    /// The head with the base's control surface.
    pub head: Tree,
    /// The head with the base's text of every test that was edited, and without new ones that may bend others.
    pub head_with_base_tests: Option<Tree>,
    /// The head with its source taken back, where that differs from `base_with_tests`.
    pub ablated: Option<Tree>,
    /// The head exactly as it is, and that without its source, where the control surface differs.
    pub as_is: Option<(Tree, Tree)>,
    /// Paths and settings in which the head's control surface differs from the base's.
    pub control: Vec<String>,
    /// What the trees only point to and this machine does not have.
    pub missing: BTreeSet<Missing>,
}

/// What the trees are made from.
pub(crate) struct Sources<'a> {
    /// The repository.
    pub repo: &'a Repo,
    /// The base's tree or commit.
    pub base: &'a str,
    /// The head's tree or commit.
    pub head: &'a str,
    /// What changed between them.
    pub changes: &'a [FileChange],
    /// Where trees are made.
    pub scratch: &'a Path,
    /// Ignored folders of the repository that hold dependencies.
    pub dependencies: &'a [PathBuf],
}

/// What one changed file is in a tree.
#[derive(Clone)]
enum Content {
    /// The file of the head.
    Head,
    /// The file of the base.
    Base,
    /// A text of our own.
    Text(String),
}

type Layer<'a> = Vec<(&'a FileChange, Content)>;

/// The changed files by the trees they belong to.
#[derive(Default)]
struct Layers<'a> {
    /// What the head's tests need on the base.
    tests: Layer<'a>,
    /// What else of the head may stand beside the base's source.
    configuration: Layer<'a>,
    /// What the base's tests need on the head.
    old_tests: Layer<'a>,
    /// What of the base stands in the head.
    overlay: Layer<'a>,
    /// The names of the overlaid files and settings.
    control: Vec<String>,
}

impl<'a> Layers<'a> {
    fn take_test(&mut self, change: &'a FileChange) {
        self.tests.push((change, Content::Head));
        if change.old_blob.is_some() || is_linked_with_others(change) {
            self.old_tests.push((change, Content::Base));
        }
    }
}

/// Whether a file of tests is built into one program with tests of other files, which it may bend.
pub(crate) fn is_linked_with_others(change: &FileChange) -> bool {
    change.role == Role::Test
        && matches!(crate::plan::extension(&change.path), "go" | "java" | "kt")
}

fn sort(changes: &[FileChange]) -> Layers<'_> {
    let mut layers = Layers::default();
    for change in changes {
        match change.role {
            Role::Test | Role::Golden => layers.take_test(change),
            Role::Control if is_support_only(change) => layers.take_test(change),
            Role::Control => {
                layers.control.push(change.path.clone());
                layers.overlay.push((change, Content::Base));
            }
            Role::Manifest => merge_manifest(change, changes, &mut layers),
            Role::Source => {
                if let Some((on_base, on_head)) = inline_tests(change) {
                    layers.tests.push((change, Content::Text(on_base)));
                    layers.old_tests.push((change, Content::Text(on_head)));
                }
            }
            Role::Pipeline => {}
        }
    }
    layers
}

/// Makes every tree.
pub(crate) fn make(sources: &Sources<'_>) -> Result<Trees, Trouble> {
    let tree = |side: Side, path: &Path, content: &str| Tree {
        side,
        path: path.to_path_buf(),
        content: Some(content.to_owned()),
    };
    let (raw_base, of_base) = sources.check_out(sources.base, "base")?;
    let (raw_head, of_head) = sources.check_out(sources.head, "head")?;
    let laid = |name: &str, side: Side, from: &str, layer: &Layer<'_>| -> Result<Tree, Trouble> {
        let (path, _) = sources.check_out(from, name)?;
        for (change, content) in layer {
            lay(change, content, &path, &raw_base, &raw_head)?;
        }
        let content = sha256_hex(described(from, layer, &path).as_bytes());
        Ok(tree(side, &path, &content))
    };
    let Layers {
        mut tests,
        configuration,
        old_tests,
        overlay,
        control,
    } = sort(sources.changes);
    let mut trees = Trees {
        base: tree(Side::Base, &raw_base, sources.base),
        base_with_tests: tree(Side::Base, &raw_base, sources.base),
        head: tree(Side::Head, &raw_head, sources.head),
        head_with_base_tests: None,
        ablated: None,
        as_is: None,
        control,
        missing: of_base.into_iter().chain(of_head).collect(),
    };
    if !tests.is_empty() {
        trees.base_with_tests = laid("base-with-tests", Side::BaseWithTests, sources.base, &tests)?;
    }
    if !configuration.is_empty() {
        tests.extend(configuration);
        trees.ablated = Some(laid("ablated", Side::Ablated, sources.base, &tests)?);
    }
    let edits_tests = old_tests
        .iter()
        .any(|(change, _)| change.role != Role::Golden && change.new_blob.is_some());
    if edits_tests {
        let layer: Layer<'_> = overlay.iter().chain(&old_tests).cloned().collect();
        trees.head_with_base_tests = Some(laid(
            "head-with-base-tests",
            Side::Head,
            sources.head,
            &layer,
        )?);
    }
    if !overlay.is_empty() {
        trees.head = laid("head-with-base-control", Side::Head, sources.head, &overlay)?;
        tests.extend(overlay.iter().map(|(change, _)| (*change, Content::Head)));
        let without_source = laid("ablated-as-is", Side::Ablated, sources.base, &tests)?;
        trees.as_is = Some((tree(Side::Head, &raw_head, sources.head), without_source));
    }
    Ok(trees)
}

/// What a tree holds: the revision it is made from, and every file that was laid over it. `path` is where it stands.
fn described(from: &str, layer: &Layer<'_>, path: &Path) -> String {
    let mut text = format!("{from}\n");
    for (change, content) in layer {
        let blob = |blob: &Option<String>| blob.clone().unwrap_or_else(|| "gone".to_owned());
        let holds = match content {
            Content::Head => blob(&change.new_blob),
            Content::Base => blob(&change.old_blob),
            Content::Text(text) => sha256_hex(text.as_bytes()),
        };
        let mode = path
            .join(to_path(&change.path))
            .symlink_metadata()
            .map(|data| data.mode())
            .unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{mode:o} {holds} {:?}", change.path);
    }
    text
}

/// A changed manifest as the head may have it; what it may not is noted and overlaid.
fn merge_manifest<'a>(change: &'a FileChange, changes: &[FileChange], layers: &mut Layers<'a>) {
    let merged = change
        .after
        .as_deref()
        .map(|after| manifest::merge(&change.path, change.before.as_deref(), after));
    // It lists the tests, so they cannot be built on the base without it.
    if let Some(merged) = &merged
        && change.path.ends_with("CMakeLists.txt")
    {
        let text = manifest::without_new_sources(&change.path, &merged.text, changes);
        layers.tests.push((change, Content::Text(text)));
    }
    let Some(merged) = merged.filter(|merged| !merged.kept_from_base.is_empty()) else {
        layers.configuration.push((change, Content::Head));
        return;
    };
    layers.control.extend(
        merged
            .kept_from_base
            .iter()
            .map(|key| format!("{}: {key}", change.path)),
    );
    layers
        .overlay
        .push((change, Content::Text(merged.text.clone())));
    layers
        .configuration
        .push((change, Content::Text(merged.text)));
}

/// The base's file with the head's inline tests and the head's with the base's, where those differ.
fn inline_tests(change: &FileChange) -> Option<(String, String)> {
    if crate::plan::extension(&change.path) != "rs" {
        return None;
    }
    let (before, after) = (change.before.as_deref()?, change.after.as_deref()?);
    if inline::parse(before)?.tests() == inline::parse(after)?.tests() {
        return None;
    }
    Some((
        inline::splice(before, after)?,
        inline::splice(after, before)?,
    ))
}

/// Whether a changed source file changes anything outside its inline tests.
pub(crate) fn changes_source(change: &FileChange) -> bool {
    if change.role != Role::Source {
        return false;
    }
    let sides = change.before.as_deref().zip(change.after.as_deref());
    let parsed = sides
        .filter(|_| crate::plan::extension(&change.path) == "rs")
        .and_then(|(before, after)| inline::parse(before).zip(inline::parse(after)));
    parsed.is_none_or(|(before, after)| squeezed(&before.source()) != squeezed(&after.source()))
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

impl Sources<'_> {
    /// Checks out one side and makes the repository's dependency folders reachable from it; also what it only points
    /// to and is not on this machine.
    fn check_out(&self, revision: &str, name: &str) -> Result<(PathBuf, Vec<Missing>), Trouble> {
        let path = self.scratch.join("trees").join(name);
        let failed = |error| Trouble::Infra(format!("git could not write the tree out: {error}"));
        self.repo.checkout(revision, &path).map_err(failed)?;
        let missing = self.repo.fill(revision, &path).map_err(failed)?;
        for folder in self.dependencies {
            let Ok(inside) = folder.strip_prefix(self.repo.root()) else {
                continue;
            };
            let place = path.join(inside);
            if place.exists() || !place.parent().is_some_and(Path::is_dir) {
                continue;
            }
            if folder.ends_with("node_modules") {
                shadow_modules(folder, &place, self.repo.root(), &path)?;
            } else if folder.join("autoload.php").is_file() {
                composer::shadow(folder, &place, self.repo.root(), &path)?;
            } else {
                link(folder, &place)?;
            }
        }
        Ok((path, missing))
    }
}

/// A `node_modules` of links, in which a workspace's own packages are those of the tree.
fn shadow_modules(real: &Path, place: &Path, root: &Path, tree: &Path) -> Result<(), Trouble> {
    std::fs::create_dir_all(place).map_err(Trouble::io("make node_modules"))?;
    for entry in std::fs::read_dir(real)
        .map_err(Trouble::io("read node_modules"))?
        .flatten()
    {
        let (from, to) = (entry.path(), place.join(entry.file_name()));
        let is_scope = entry.file_name().to_string_lossy().starts_with('@') && !from.is_symlink();
        if is_scope {
            shadow_modules(&from, &to, root, tree)?;
            continue;
        }
        let target = from.canonicalize().unwrap_or_else(|_| from.clone());
        let own = target.strip_prefix(root).ok().filter(|inside| {
            !inside
                .components()
                .any(|part| part.as_os_str() == "node_modules")
        });
        match own {
            Some(inside) => link(&tree.join(inside), &to)?,
            None => link(&from, &to)?,
        }
    }
    Ok(())
}

fn link(from: &Path, to: &Path) -> Result<(), Trouble> {
    std::os::unix::fs::symlink(from, to).map_err(Trouble::io(format!("link {}", to.display())))
}

/// Puts one changed file into a tree.
fn lay(
    change: &FileChange,
    content: &Content,
    tree: &Path,
    base: &Path,
    head: &Path,
) -> Result<(), Trouble> {
    let inside = to_path(&change.path);
    let place = tree.join(&inside);
    let from = match content {
        Content::Head => change.new_blob.is_some().then(|| head.join(&inside)),
        Content::Base => change.old_blob.is_some().then(|| base.join(&inside)),
        Content::Text(text) => {
            return std::fs::write(&place, text)
                .map_err(Trouble::io(format!("write {}", change.path)));
        }
    };
    if place.symlink_metadata().is_ok() {
        std::fs::remove_file(&place).map_err(Trouble::io(format!("remove {}", change.path)))?;
    }
    let Some(from) = from else { return Ok(()) };
    if let Some(parent) = place.parent() {
        std::fs::create_dir_all(parent)
            .map_err(Trouble::io(format!("make the folder of {}", change.path)))?;
    }
    if from.is_symlink() {
        let target =
            std::fs::read_link(&from).map_err(Trouble::io(format!("read {}", change.path)))?;
        return link(&target, &place);
    }
    std::fs::copy(&from, &place)
        .map(drop)
        .map_err(Trouble::io(format!("copy {}", change.path)))
}
