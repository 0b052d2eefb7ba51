//! Maven's `pom.xml`: dependencies and modules as the change wants them, the build as the base has it.

use std::ops::Range;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::Merged;

/// The parts that say how code is built and tested.
const BUILD: &[&str] = &["build", "profiles", "reporting"];
/// What a property that steers tests has in its name or value.
const STEERING: &[&str] = &[
    "skip",
    "surefire",
    "failsafe",
    "argLine",
    "roups>",
    "maven.test",
    "<test>",
    "excludes",
    "includes",
];

/// Merges two versions; `None` when one of them is no XML.
pub(super) fn merge(base: &str, head: &str) -> Option<Merged> {
    let (was, now) = (Parts::read(base)?, Parts::read(head)?);
    let mut text = head.to_owned();
    let mut kept = Vec::new();
    let mut names: Vec<&str> = BUILD.to_vec();
    if steering(was.get("properties")) != steering(now.get("properties")) {
        names.push("properties");
    }
    for name in names {
        let (before, after) = (was.get(name), now.get(name));
        if squeezed(before) == squeezed(after) {
            continue;
        }
        kept.push(name.to_owned());
        // Earlier replacements have moved what follows.
        let parts = Parts::read(&text)?;
        let place = parts.range(name).unwrap_or(parts.end..parts.end);
        text.replace_range(place, before);
    }
    Some(if kept.is_empty() {
        Merged::whole(head)
    } else {
        Merged {
            text,
            kept_from_base: kept,
        }
    })
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

fn steering(text: &str) -> Vec<String> {
    let is_steering = |line: &&str| STEERING.iter().any(|word| line.contains(word));
    text.lines().filter(is_steering).map(squeezed).collect()
}

/// The elements right below the outermost.
struct Parts<'a> {
    text: &'a str,
    found: Vec<(String, Range<usize>)>,
    /// Where the outermost element ends.
    end: usize,
}

impl<'a> Parts<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut reader = Reader::from_str(text);
        let (mut depth, mut found, mut end) = (0_usize, Vec::new(), text.len());
        let mut open = None;
        loop {
            let before = usize::try_from(reader.buffer_position()).ok()?;
            let event = reader.read_event().ok()?;
            let after = usize::try_from(reader.buffer_position()).ok()?;
            match event {
                Event::Start(start) => {
                    if depth == 1 {
                        open = Some((start.local_name().as_ref().to_owned(), before));
                    }
                    depth += 1;
                }
                Event::Empty(start) if depth == 1 => {
                    found.push((start.local_name().as_ref().to_owned(), before..after));
                }
                Event::End(_) => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        end = before;
                    }
                    if depth == 1
                        && let Some((name, from)) = open.take()
                    {
                        found.push((name, from..after));
                    }
                }
                Event::Eof => break,
                _ => {}
            }
        }
        (depth == 0).then_some(Self { text, found, end })
    }

    fn range(&self, name: &str) -> Option<Range<usize>> {
        let mut parts = self.found.iter();
        parts
            .find(|(other, _)| other == name)
            .map(|(_, range)| range.clone())
    }

    fn get(&self, name: &str) -> &'a str {
        self.range(name)
            .and_then(|range| self.text.get(range))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::merge;

    const BASE: &str = "<project>\n  <version>1</version>\n  <properties>\n    <a>1</a>\n  </properties>\n  <build><plugins/></build>\n</project>\n";

    #[test]
    fn dependencies_and_versions_pass() {
        let head = BASE.replace("<version>1", "<version>2").replace(
            "  <build>",
            "  <dependencies><dependency/></dependencies>\n  <build>",
        );
        let merged = merge(BASE, &head).unwrap();
        assert_eq!((merged.text, merged.kept_from_base.len()), (head, 0));
    }

    #[test]
    fn the_build_and_what_steers_tests_come_from_the_base() {
        let head = BASE
            .replace("<plugins/>", "<plugins><plugin>surefire</plugin></plugins>")
            .replace("<a>1</a>", "<a>1</a>\n    <skipTests>true</skipTests>")
            .replace("<version>1", "<version>2");
        let merged = merge(BASE, &head).unwrap();
        assert_eq!(merged.text, BASE.replace("<version>1", "<version>2"));
        assert_eq!(merged.kept_from_base, ["build", "properties"]);
        let without = BASE.replace("  <build><plugins/></build>\n", "");
        assert!(
            merge(BASE, &without)
                .unwrap()
                .text
                .contains("<build><plugins/></build>")
        );
        assert!(merge(BASE, "<project><a></project>").is_none());
    }
}
