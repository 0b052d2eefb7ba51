//! A tree's own copy of Composer's `vendor` folder.
//!
//! Composer's autoloader and PHPUnit find the sources from where they themselves lie. Through a link that would be the
//! user's working tree, and every tree would run the same source; so what looks around is copied, and the rest linked.

use std::path::Path;

use super::link;
use crate::run::Trouble;

/// What looks for its surroundings, besides the autoloader itself.
const COPIED: &[&str] = &["composer", "bin", "phpunit/phpunit"];

/// Makes the folder at `place` from the installed one, for the tree of the repository at `root`.
pub(super) fn shadow(real: &Path, place: &Path, root: &Path, tree: &Path) -> Result<(), Trouble> {
    fill(real, place, (real, root, tree))
}

fn fill(real: &Path, place: &Path, whole: (&Path, &Path, &Path)) -> Result<(), Trouble> {
    let (vendor, root, tree) = whole;
    std::fs::create_dir_all(place).map_err(Trouble::io("make vendor"))?;
    for entry in std::fs::read_dir(real)
        .map_err(Trouble::io("read vendor"))?
        .flatten()
    {
        let (from, to) = (entry.path(), place.join(entry.file_name()));
        let inside = from.strip_prefix(vendor).unwrap_or(&from);
        let is_copied = COPIED.iter().any(|name| inside.starts_with(name));
        let holds_copied = COPIED
            .iter()
            .any(|name| Path::new(name).starts_with(inside));
        let is_folder = from.is_dir() && !from.is_symlink();
        if is_folder && (is_copied || holds_copied) {
            fill(&from, &to, whole)?;
        } else if from.is_file() && (is_copied || inside.components().count() == 1) {
            std::fs::copy(&from, &to).map_err(Trouble::io("copy vendor"))?;
        } else {
            // A package of the repository's own is that of the tree.
            let target = from.canonicalize().unwrap_or_else(|_| from.clone());
            let own = target
                .strip_prefix(root)
                .ok()
                .filter(|_| !target.starts_with(vendor));
            link(&own.map_or(target.clone(), |own| tree.join(own)), &to)?;
        }
    }
    Ok(())
}
