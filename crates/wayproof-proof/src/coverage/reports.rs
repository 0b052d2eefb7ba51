//! Reports of tools that measure coverage: LCOV, Cobertura's XML and JaCoCo's. Which one it is, is told by how it begins.

use std::collections::{BTreeMap, BTreeSet};

use super::Entry;
use crate::report::xml::{self, Element};

/// The most lines of one report.
const MOST_LINES: usize = 5_000_000;

/// Reads a report. Paths under `root`, the folder it was started in, become relative to it; `sources` are those that
/// may be meant where a report names a file by its package alone.
pub(super) fn read(
    bytes: &[u8],
    root: &str,
    sources: &BTreeSet<String>,
) -> Option<BTreeMap<String, Entry>> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let mut reader = Reader {
        root,
        sources,
        found: BTreeMap::new(),
        lines: 0,
    };
    if !text.starts_with('<') {
        reader.lcov(text)?;
        return Some(reader.found);
    }
    // Both declare a document type, which holds nothing that is needed.
    let start = text.find("<coverage").or_else(|| text.find("<report"))?;
    let (document, problem) = xml::read(text.get(start..)?.as_bytes());
    if problem.is_some() {
        return None;
    }
    match (document.child("coverage"), document.child("report")) {
        (Some(coverage), _) => reader.cobertura(coverage),
        (None, Some(report)) => reader.jacoco(report, ""),
        (None, None) => return None,
    }
    Some(reader.found)
}

struct Reader<'a> {
    root: &'a str,
    sources: &'a BTreeSet<String>,
    found: BTreeMap<String, Entry>,
    lines: usize,
}

impl Reader<'_> {
    fn add(&mut self, path: &str, line: u32, is_hit: bool) {
        self.lines += 1;
        if self.lines > MOST_LINES || line == 0 {
            return;
        }
        let entry = self.found.entry(path.to_owned()).or_default();
        entry.known.insert(line);
        if is_hit {
            entry.hit.insert(line);
        }
    }

    /// A path as the repository has it: below the root, or the only source that ends like it.
    fn placed(&self, path: &str) -> String {
        let path = path.strip_prefix(self.root).unwrap_or(path);
        let path = path.trim_start_matches("./").trim_start_matches('/');
        if self.sources.contains(path) {
            return path.to_owned();
        }
        let tail = format!("/{path}");
        let mut ending = self.sources.iter().filter(|source| source.ends_with(&tail));
        match (ending.next(), ending.next()) {
            (Some(only), None) => only.clone(),
            _ => path.to_owned(),
        }
    }

    /// `SF:path`, `DA:line,count`, `end_of_record`. A record without its end was cut.
    fn lcov(&mut self, text: &str) -> Option<()> {
        let mut open: Option<String> = None;
        let mut records = 0_usize;
        for line in text.lines().map(str::trim) {
            if let Some(path) = line.strip_prefix("SF:") {
                open = Some(self.placed(path));
            } else if let Some(data) = line.strip_prefix("DA:") {
                let mut fields = data.split(',');
                let number = fields.next()?.parse().ok()?;
                let count = fields.next()?.trim();
                if let Some(path) = open.clone() {
                    self.add(
                        &path,
                        number,
                        !matches!(count, "0" | "-0") && !count.starts_with('-'),
                    );
                }
            } else if line == "end_of_record" {
                open = None;
                records += 1;
            }
        }
        (records > 0 && open.is_none()).then_some(())
    }

    /// `<class filename="…"><lines><line number="3" hits="1"/>`.
    fn cobertura(&mut self, element: &Element) {
        if element.name == "class" {
            let Some(path) = element.attribute("filename") else {
                return;
            };
            let path = self.placed(path);
            for line in element
                .child("lines")
                .iter()
                .flat_map(|lines| &lines.children)
            {
                let number = line
                    .attribute("number")
                    .and_then(|number| number.parse().ok());
                let is_hit = line.attribute("hits").is_some_and(|hits| hits != "0");
                self.add(&path, number.unwrap_or_default(), is_hit);
            }
            return;
        }
        for child in &element.children {
            self.cobertura(child);
        }
    }

    /// `<package name="a/b"><sourcefile name="C.java"><line nr="3" mi="0" ci="2"/>`.
    fn jacoco(&mut self, element: &Element, package: &str) {
        for child in &element.children {
            match child.name.as_str() {
                "package" => self.jacoco(child, child.attribute("name").unwrap_or_default()),
                "group" => self.jacoco(child, package),
                "sourcefile" => {
                    let name = child.attribute("name").unwrap_or_default();
                    let path = self.placed(format!("{package}/{name}").trim_start_matches('/'));
                    for line in child.children.iter().filter(|line| line.name == "line") {
                        let number = line.attribute("nr").and_then(|number| number.parse().ok());
                        let is_hit = line.attribute("ci").is_some_and(|count| count != "0");
                        self.add(&path, number.unwrap_or_default(), is_hit);
                    }
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::read;

    fn sources() -> BTreeSet<String> {
        ["src/main/java/shop/Cart.java", "src/cart.rs", "lib/cart.rb"]
            .map(str::to_owned)
            .into()
    }

    #[test]
    fn reports_of_three_kinds_say_the_same() {
        let lcov = "TN:\nSF:/srv/shop/src/cart.rs\nFN:1,add\nDA:1,4\nDA:2,0\nDA:3,1\nLF:3\nend_of_record\n";
        let cobertura = "<?xml version=\"1.0\"?>\n<!DOCTYPE coverage SYSTEM \"http://cobertura.sourceforge.net/xml/coverage-04.dtd\">\n<coverage><sources><source>/srv/shop</source></sources><packages><package name=\"\"><classes><class name=\"cart\" filename=\"src/cart.rs\"><methods><method><lines><line number=\"9\" hits=\"9\"/></lines></method></methods><lines><line number=\"1\" hits=\"4\"/><line number=\"2\" hits=\"0\"/><line number=\"3\" hits=\"1\"/></lines></class></classes></package></packages></coverage>";
        for report in [lcov, cobertura] {
            let found = read(report.as_bytes(), "/srv/shop", &sources()).unwrap();
            assert_eq!(found["src/cart.rs"].known, [1, 2, 3].into(), "{report}");
            assert_eq!(found["src/cart.rs"].hit, [1, 3].into(), "{report}");
        }
        let jacoco = "<?xml version=\"1.0\"?><!DOCTYPE report PUBLIC \"-//JACOCO//DTD Report 1.1//EN\" \"report.dtd\"><report name=\"shop\"><package name=\"shop\"><class name=\"shop/Cart\"/><sourcefile name=\"Cart.java\"><line nr=\"3\" mi=\"0\" ci=\"3\"/><line nr=\"5\" mi=\"2\" ci=\"0\"/><counter type=\"LINE\" missed=\"1\" covered=\"1\"/></sourcefile></package></report>";
        let found = read(jacoco.as_bytes(), "/srv/shop", &sources()).unwrap();
        assert_eq!(found["src/main/java/shop/Cart.java"].known, [3, 5].into());
        assert_eq!(found["src/main/java/shop/Cart.java"].hit, [3].into());
    }

    #[test]
    fn what_is_cut_or_no_report_says_nothing() {
        for text in [
            "",
            "SF:src/cart.rs\nDA:1,4\n",
            "SF:src/cart.rs\nDA:one,4\nend_of_record\n",
            "<coverage><packages>",
            "<html></html>",
            "{}",
        ] {
            assert!(
                read(text.as_bytes(), "/srv/shop", &sources()).is_none(),
                "{text}"
            );
        }
    }
}
