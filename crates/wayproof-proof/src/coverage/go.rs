//! Go's cover profile: one block a line, as `module/package/file.go:3.24,5.2 1 0`.

use std::collections::BTreeMap;
use std::path::Path;

use super::Entry;

/// Reads the profile of a run in the module at `root`.
pub(super) fn read(folder: &Path, root: &Path) -> Option<BTreeMap<String, Entry>> {
    let profile = std::fs::read_to_string(folder.join("go.out")).ok()?;
    let manifest = std::fs::read_to_string(root.join("go.mod")).ok()?;
    let module = manifest
        .lines()
        .find_map(|line| line.trim().strip_prefix("module "))?
        .trim()
        .trim_matches('"')
        .to_owned();
    Some(entries(&profile, &module))
}

fn entries(profile: &str, module: &str) -> BTreeMap<String, Entry> {
    let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
    for line in profile.lines() {
        let Some((path, first, last, is_hit)) = block(line) else {
            continue;
        };
        let Some(path) = path.strip_prefix(module) else {
            continue;
        };
        let entry = entries
            .entry(path.trim_start_matches('/').to_owned())
            .or_default();
        // A profile is no reason to walk through more lines than a file has.
        let lines = first..=last.min(first.saturating_add(100_000));
        entry.known.extend(lines.clone());
        if is_hit {
            entry.hit.extend(lines);
        }
    }
    entries
}

fn block(line: &str) -> Option<(&str, u32, u32, bool)> {
    let (path, rest) = line.rsplit_once(':')?;
    let mut words = rest.split(' ');
    let (from, to) = words.next()?.split_once(',')?;
    let number = |place: &str| place.split('.').next()?.parse::<u32>().ok();
    let count = words.nth(1)?;
    Some((path, number(from)?, number(to)?, count != "0"))
}

#[cfg(test)]
mod tests {
    use super::entries;

    #[test]
    fn blocks_become_lines() {
        let profile = "mode: set\nexample.org/calc/in/a.go:3.24,5.2 1 1\nexample.org/calc/in/a.go:7.2,8.2 1 0\nother/b.go:1.1,2.2 1 1\nbroken\n";
        let found = entries(profile, "example.org/calc");
        assert_eq!(found.len(), 1);
        assert_eq!(found["in/a.go"].hit, [3, 4, 5].into());
        assert_eq!(found["in/a.go"].known, [3, 4, 5, 7, 8].into());
    }
}
