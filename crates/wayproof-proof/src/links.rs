//! Links of a tree that lead back into a folder they stand in, by themselves or by way of others. A runner that
//! follows them walks in a circle until the system stops it, which with two of them is never.

use std::path::{Path, PathBuf};

/// More links than this are not looked at.
const MOST: usize = 1_000;

/// A link to a folder of the same tree.
struct Link {
    /// Where it stands.
    path: PathBuf,
    /// The folder it stands in, without links.
    folder: PathBuf,
    /// The folder it leads to, without links.
    target: PathBuf,
}

/// The links below a folder that are part of a circle.
pub(crate) fn circular(root: &Path) -> Vec<PathBuf> {
    let Ok(root) = root.canonicalize() else {
        return Vec::new();
    };
    let mut links = Vec::new();
    collect(&root, &root, &mut links);
    let next = |from: &Link| -> Vec<usize> {
        let all = links.iter().enumerate();
        all.filter(|(_, to)| to.folder.starts_with(&from.target))
            .map(|(at, _)| at)
            .collect()
    };
    let edges: Vec<Vec<usize>> = links.iter().map(next).collect();
    let leads_back = |start: usize| {
        let mut seen = vec![false; links.len()];
        let mut open = edges.get(start).cloned().unwrap_or_default();
        while let Some(at) = open.pop() {
            if at == start {
                return true;
            }
            if let Some(seen) = seen.get_mut(at).filter(|seen| !**seen) {
                *seen = true;
                open.extend(edges.get(at).into_iter().flatten());
            }
        }
        false
    };
    let all = links.iter().enumerate();
    all.filter(|(at, _)| leads_back(*at))
        .map(|(_, link)| link.path.clone())
        .collect()
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<Link>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() {
            collect(root, &entry.path(), found);
            continue;
        }
        let path = entry.path();
        let target = kind
            .is_symlink()
            .then(|| path.canonicalize().ok())
            .flatten();
        let target = target.filter(|target| target.starts_with(root) && target.is_dir());
        if let Some(target) = target.filter(|_| found.len() < MOST) {
            let folder = folder.to_path_buf();
            found.push(Link {
                path,
                folder,
                target,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::circular;

    #[test]
    fn circles_are_found_and_other_links_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for inner in ["a/deep", "b", "c"] {
            std::fs::create_dir_all(root.join(inner)).unwrap();
        }
        std::fs::write(root.join("c/file"), "").unwrap();
        for (target, link) in [
            (".", "itself"),
            ("../..", "a/deep/up"),
            ("../b", "a/there"),
            ("../a", "b/back"),
            ("../c", "a/aside"),
            ("c/file", "plain"),
            ("/usr", "outside"),
            ("nowhere", "broken"),
        ] {
            symlink(target, root.join(link)).unwrap();
        }
        let mut found: Vec<_> = circular(&root)
            .iter()
            .map(|link| link.strip_prefix(&root).unwrap().to_owned())
            .collect();
        found.sort();
        let expected = ["a/deep/up", "a/there", "b/back", "itself"];
        assert_eq!(found, expected.map(std::path::PathBuf::from));
    }
}
