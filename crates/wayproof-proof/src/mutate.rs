//! Plants small faults in source: a comparison turned round, a condition denied, a number off by one, a step left out.
//!
//! Pure. It works on tokens, so it can write what does not compile; whoever runs a mutant finds that out. It never
//! touches tests, and the work cannot choose what is planted: the order comes from a digest of what was known before.

mod places;

use std::collections::{BTreeMap, BTreeSet};

use wayproof_receipt::sha256_hex;

use self::places::Place;
use crate::code::Code;
use crate::plan::inline;

/// One planted fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mutant {
    /// The file, inside the repository.
    pub path: String,
    /// The line.
    pub line: u32,
    /// What was done to it.
    pub what: String,
    /// The whole file with the fault.
    pub text: String,
}

impl Mutant {
    /// As the receipt names it.
    pub(crate) fn name(&self) -> String {
        format!("{}:{}: {}", self.path, self.line, self.what)
    }
}

/// A source file with the lines in which faults may be planted.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// Where it is.
    pub path: String,
    /// Its text.
    pub text: String,
    /// The lines; `None` is all of them.
    pub lines: Option<BTreeSet<u32>>,
}

/// More faults than this are not planted in one line.
const MOST_A_LINE: usize = 2;
/// A larger file is made by a machine.
const MOST_BYTES: usize = 512 << 10;

/// Up to `most` faults, spread over the lines, in an order that only `seed` decides.
pub(crate) fn mutants(fields: &[Field], seed: &str, most: usize) -> Vec<Mutant> {
    let places = fields.iter().flat_map(|field| {
        let places = open_places(field).into_iter();
        places.map(move |place| {
            let span = (place.span.start, place.span.end);
            let name = format!("{} {span:?} {}", field.path, place.what);
            (name, (field.path.clone(), place.line), (field, place))
        })
    });
    drawn(places.collect(), seed, most)
        .into_iter()
        .filter_map(|(field, place)| planted(field, place))
        .collect()
}

/// Up to `most` of named things that each stand on a line: spread over the lines, in an order that only `seed` decides.
pub(crate) fn drawn<T>(all: Vec<(String, (String, u32), T)>, seed: &str, most: usize) -> Vec<T> {
    let mut all: Vec<_> = all
        .into_iter()
        .map(|(name, line, one)| (sha256_hex(format!("{seed} {name}").as_bytes()), line, one))
        .collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    let mut by_line: BTreeMap<(String, u32), usize> = BTreeMap::new();
    let mut rounds: [Vec<T>; MOST_A_LINE] = std::array::from_fn(|_| Vec::new());
    for (_, line, one) in all {
        let before = by_line.entry(line).or_default();
        if let Some(round) = rounds.get_mut(*before) {
            round.push(one);
        }
        *before += 1;
    }
    rounds.into_iter().flatten().take(most).collect()
}

impl Field {
    /// Whether a fault may be planted in a line.
    pub(crate) fn is_open(&self, line: u32) -> bool {
        self.lines
            .as_ref()
            .is_none_or(|lines| lines.contains(&line))
    }

    /// The lines of tests that stand among the source.
    pub(crate) fn test_lines(&self) -> BTreeSet<u32> {
        match crate::plan::extension(&self.path) {
            "rs" => inline::parse(&self.text)
                .map(|file| file.test_lines())
                .unwrap_or_default(),
            _ => BTreeSet::new(),
        }
    }
}

/// The places of a file in which faults may be planted.
fn open_places(field: &Field) -> Vec<Place> {
    if field.text.len() > MOST_BYTES {
        return Vec::new();
    }
    let Some(code) = Code::read(&field.path, &field.text) else {
        return Vec::new();
    };
    let tests = field.test_lines();
    let is_open = |place: &Place| {
        field.is_open(place.line)
            && !tests.contains(&place.line)
            && field.text.get(place.span.clone()) != Some(place.put.as_str())
    };
    let mut places = places::places(&code, &field.text);
    places.retain(is_open);
    places
}

fn planted(field: &Field, place: Place) -> Option<Mutant> {
    let before = field.text.get(..place.span.start)?;
    let after = field.text.get(place.span.end..)?;
    Some(Mutant {
        path: field.path.clone(),
        line: place.line,
        what: place.what,
        text: format!("{before}{}{after}", place.put),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Field, Mutant, mutants, open_places, planted};

    fn field(path: &str, text: &str) -> Field {
        Field {
            path: path.to_owned(),
            text: text.to_owned(),
            lines: None,
        }
    }

    fn changed(path: &str, text: &str) -> Vec<String> {
        let lines = |mutant: Mutant| {
            let at = usize::try_from(mutant.line).unwrap() - 1;
            mutant.text.lines().nth(at).unwrap().trim().to_owned()
        };
        let field = field(path, text);
        let places = open_places(&field).into_iter();
        let all = places.filter_map(|place| planted(&field, place));
        all.map(lines).collect()
    }

    #[test]
    fn faults_are_planted_by_indentation() {
        let python = changed(
            "shop.py",
            "def total(items):\n    \"\"\"Adds.\"\"\"\n    if len(items) > 3 and items:\n        items.sort()\n    return sum(items) + 1\n",
        );
        for line in [
            "if len(items) <= 3 and items:",
            "if len(items) > 3 or items:",
            "if len(items) > 4 and items:",
            "pass",
            "return None",
            "return sum(items) - 1",
            "return sum(items) + 2",
        ] {
            assert!(
                python.iter().any(|found| found == line),
                "{line}: {python:#?}"
            );
        }
        assert!(
            !python.iter().any(|line| line.contains("~Adds")),
            "{python:#?}"
        );
    }

    #[test]
    fn faults_are_planted_between_braces() {
        let rust = changed(
            "src/lib.rs",
            "pub fn clamp(a: Option<u8>, b: &mut Vec<u8>) -> bool {\n    b.push(1);\n    a.is_some() && b.len() >= 2\n}\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn a() { assert!(1 == 1); }\n}\n",
        );
        assert!(
            rust.contains(&"a.is_some() || b.len() >= 2".to_owned()),
            "{rust:#?}"
        );
        assert!(
            rust.contains(&"a.is_some() && b.len() < 2".to_owned()),
            "{rust:#?}"
        );
        assert!(
            !rust.iter().any(|line| line.contains("assert!")),
            "{rust:#?}"
        );
        let go = changed(
            "calc.go",
            "package calc\n\nfunc Max(a, b int) int {\n\tif a > b {\n\t\treturn a\n\t}\n\treturn b\n}\n",
        );
        assert!(go.contains(&"if a <= b {".to_owned()), "{go:#?}");
        let script = changed(
            "lib/slug.js",
            "import x from './x.js'\nexport function slug (text) {\n  if (!text) return 'none'\n  return text.trim() === '' ? 'a' : x(text, true)\n}\n",
        );
        for line in [
            "if (!(!text)) return 'none'",
            "return text.trim() !== '' ? 'a' : x(text, true)",
        ] {
            assert!(
                script.iter().any(|found| found == line),
                "{line}: {script:#?}"
            );
        }
        assert!(
            !script.iter().any(|line| line.contains("~./x")),
            "{script:#?}"
        );
    }

    #[test]
    fn a_seed_decides_the_order_and_lines_are_shared_out() {
        let text = "def f(a):\n    return a + 1 + 2 + 3\n\ndef g(a):\n    return a * 4\n";
        let fields = [field("a.py", text)];
        let two: BTreeSet<u32> = mutants(&fields, "s", 2)
            .iter()
            .map(|one| one.line)
            .collect();
        assert_eq!(two, BTreeSet::from([2, 5]));
        assert_eq!(mutants(&fields, "s", 9), mutants(&fields, "s", 9));
        let only = Field {
            lines: Some(BTreeSet::from([5])),
            ..fields[0].clone()
        };
        assert!(mutants(&[only], "s", 9).iter().all(|one| one.line == 5));
    }
}
