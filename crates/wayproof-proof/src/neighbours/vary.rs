//! Makes copies of a test in which values are others. Pure.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::code::{Code, Kind};
use crate::report::TestId;
use crate::test_text::tests_in;

/// Values of one test that are changed wherever they stand, and literals that are changed alone.
const MOST_VALUES: usize = 3;
const MOST_ALONE: usize = 8;

/// A copy of a test.
#[derive(Clone, Debug)]
pub(super) struct Altered {
    /// The test it is a copy of.
    pub of: TestId,
    /// Its own id.
    pub id: TestId,
    /// The value that is another wherever it stands; none where a single literal is.
    pub swap: Option<Swap>,
    /// The file of the test.
    pub path: String,
    /// The name of the test it stands behind.
    pub name: String,
    /// Its lines.
    pub lines: Vec<String>,
}

/// One value in place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Swap {
    /// The test's own.
    pub was: String,
    /// The copy's.
    pub is: String,
}

/// The copies of a test that stands in a file; `first` is the number of the first.
pub(super) fn copies_of(id: &TestId, path: &str, text: &str, first: usize) -> Vec<Altered> {
    let tests = tests_in(text);
    let Some(test) = tests.iter().rev().find(|test| test.is_named_by(id)) else {
        return Vec::new();
    };
    let (name, own) = (test.name, id.as_str());
    // A case of a table, or a test inside of another, has no text of its own.
    if !own.ends_with(name) || name == "main" || name.is_empty() {
        return Vec::new();
    }
    let all: Vec<&str> = text.lines().collect();
    let start = test.line as usize - 1;
    let above = (0..start)
        .rev()
        .take_while(|at| all.get(*at).is_some_and(|line| is_attribute(line)))
        .last()
        .unwrap_or(start);
    let Some((signature, body)) = test.lines.split_first() else {
        return Vec::new();
    };
    let is_word = name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let stem = own.get(..own.len() - name.len()).unwrap_or_default();
    let mut copies = Vec::new();
    for (swap, varied) in variants(path, &body.join("\n"), name) {
        let number = first + copies.len();
        let called = if is_word {
            format!("{name}_v{number}")
        } else {
            format!("{name} v{number}")
        };
        let attributes = all.get(above..start).unwrap_or_default();
        let lines = attributes
            .iter()
            .map(|line| (*line).to_owned())
            .chain([signature.replacen(name, &called, 1)])
            .chain(varied.lines().map(str::to_owned));
        copies.push(Altered {
            of: id.clone(),
            id: TestId::new(format!("{stem}{called}")),
            swap,
            path: path.to_owned(),
            name: name.to_owned(),
            lines: lines.collect(),
        });
    }
    copies
}

/// The file with copies behind the tests they are of; nothing where it has none of these tests.
pub(super) fn with_copies(text: &str, copies: &[&Altered]) -> Option<String> {
    let tests = tests_in(text);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut is_changed = false;
    for test in tests.iter().rev() {
        let own: Vec<&&Altered> = copies
            .iter()
            .filter(|copy| copy.name == test.name && test.is_named_by(&copy.of))
            .collect();
        if own.is_empty()
            || tests
                .iter()
                .rev()
                .find(|other| other.name == test.name && other.scope == test.scope)
                != Some(test)
        {
            continue;
        }
        let end = (test.line as usize - 1 + test.lines.len()).min(lines.len());
        let added = own
            .iter()
            .flat_map(|copy| std::iter::once(String::new()).chain(copy.lines.iter().cloned()));
        let added: Vec<String> = added.collect();
        lines.splice(end..end, added);
        is_changed = true;
    }
    is_changed.then(|| lines.join("\n") + "\n")
}

fn is_attribute(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("#[") || line.starts_with('@')
}

/// The bodies with other values, each with the value that is another everywhere in it.
fn variants(path: &str, body: &str, name: &str) -> Vec<(Option<Swap>, String)> {
    let Some(code) = Code::read(path, body) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for value in values(&code, name) {
        for other in others(&value) {
            let text = replaced(body, &value, &other);
            let swap = Swap {
                was: value.clone(),
                is: other,
            };
            found.extend(text.map(|text| (Some(swap), text)));
        }
    }
    let mut alone = Vec::new();
    for token in &code.tokens {
        let Some(range) = place(body, token.text) else {
            continue;
        };
        let other = match token.kind {
            Kind::Number => decimal(token.text)
                .and_then(|number| number.checked_add(1))
                .map(|number| number.to_string()),
            Kind::Text if token.text != name && !is_format(token.text) => {
                shifted(token.text, Letter::Last)
            }
            Kind::Word => match token.text {
                "True" => Some("False".to_owned()),
                "False" => Some("True".to_owned()),
                "true" => Some("false".to_owned()),
                "false" => Some("true".to_owned()),
                _ => None,
            },
            Kind::Text | Kind::Sign => None,
        };
        let Some(other) = other else { continue };
        let mut text = body.to_owned();
        text.replace_range(range, &other);
        alone.push((None, text));
    }
    // Expected values stand last in some languages and first in others, so both ends are kept.
    if alone.len() > MOST_ALONE {
        let tail = alone.split_off(alone.len() - MOST_ALONE / 2);
        alone.truncate(MOST_ALONE / 2);
        alone.extend(tail);
    }
    found.extend(alone);
    found
}

/// Values of a test: those that nobody writes by chance, and then small numbers.
fn values(code: &Code<'_>, name: &str) -> Vec<String> {
    let (mut found, mut small) = (Vec::new(), Vec::new());
    // A word that is a name as well would be another name, and nothing would build.
    let names = code.tokens.iter().filter(|token| token.kind == Kind::Word);
    let names: BTreeSet<String> = names.map(|token| token.text.to_ascii_lowercase()).collect();
    for token in &code.tokens {
        match token.kind {
            Kind::Number if is_telling(token.text) => found.push(token.text.to_owned()),
            Kind::Number if is_small(token.text) => small.push(token.text.to_owned()),
            Kind::Text if token.text != name => {
                let words = token.text.split(|c: char| !c.is_alphanumeric() && c != '_');
                let words = words.filter(|word| {
                    word.len() > 2
                        && word.is_ascii()
                        && word.chars().any(char::is_alphabetic)
                        && !names.contains(&word.to_ascii_lowercase())
                });
                found.extend(words.map(str::to_owned));
            }
            Kind::Number | Kind::Text | Kind::Word | Kind::Sign => {}
        }
    }
    found.extend(small);
    let mut seen = BTreeSet::new();
    found.retain(|value| seen.insert(value.to_ascii_lowercase()));
    found.truncate(MOST_VALUES);
    found
}

/// A text with places for values: with another letter it may be no format, and what it stands in no program.
fn is_format(text: &str) -> bool {
    text.contains(['%', '{', '\\'])
}

fn is_telling(number: &str) -> bool {
    decimal(number).is_some_and(|number| number > 9)
}

/// A number that is no edge of its own; zero, one and two stand for too much.
fn is_small(number: &str) -> bool {
    decimal(number).is_some_and(|number| (3..=9).contains(&number))
}

pub(super) fn decimal(text: &str) -> Option<u64> {
    text.parse().ok()
}

/// What stands in place of a value.
fn others(value: &str) -> Vec<String> {
    let Some(number) = decimal(value) else {
        let mut all: Vec<String> = [Letter::Last, Letter::First, Letter::Middle]
            .into_iter()
            .filter_map(|letter| shifted(value, letter))
            .collect();
        all.push(format!("{value}e"));
        return all;
    };
    // What fits one byte stays in one: a literal that does not fit its type would keep everything from building.
    let most = if number < 128 { 127 } else { u64::MAX };
    let near = [1, 2, 10].into_iter().flat_map(|by| {
        [number.checked_add(by), number.checked_sub(by)]
            .into_iter()
            .flatten()
    });
    let far = [number.checked_mul(2), number.checked_mul(3)];
    // With a digit more, for a rule that only asks how many there are.
    let longer = match number {
        10..100 => vec![101, 120],
        128..10_000 => vec![number * 10, number * 20],
        _ => Vec::new(),
    };
    let all: BTreeSet<u64> = near
        .chain(far.into_iter().flatten())
        .chain(longer)
        .chain([number / 2, number / 4])
        .filter(|other| *other <= most)
        .collect();
    all.into_iter().map(|number| number.to_string()).collect()
}

#[derive(Clone, Copy)]
enum Letter {
    First,
    Middle,
    Last,
}

/// A text with one letter, or digit, moved on by one.
fn shifted(text: &str, which: Letter) -> Option<String> {
    let places: Vec<usize> = text
        .char_indices()
        .filter(|(_, c)| c.is_ascii_alphanumeric())
        .map(|(at, _)| at)
        .collect();
    let at = match which {
        Letter::First => places.first(),
        Letter::Middle => places.get(places.len() / 2),
        Letter::Last => places.last(),
    };
    let at = *at?;
    let next = match text.get(at..)?.chars().next()? {
        'z' => 'b',
        'Z' => 'B',
        '9' => '8',
        letter => char::from_u32(u32::from(letter) + 1)?,
    };
    let mut out = text.to_owned();
    out.replace_range(at..=at, &next.to_string());
    Some(out)
}

/// A text with a word replaced wherever it stands, in any case of its letters.
fn replaced(text: &str, word: &str, other: &str) -> Option<String> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let (mut out, mut rest, mut before) = (String::new(), text, None::<char>);
    let mut is_changed = false;
    while !rest.is_empty() {
        let head = rest
            .get(..word.len())
            .filter(|head| head.eq_ignore_ascii_case(word));
        let after = rest.get(word.len()..).and_then(|rest| rest.chars().next());
        if let Some(head) =
            head.filter(|_| !before.is_some_and(is_part) && !after.is_some_and(is_part))
        {
            out.push_str(&cased(head, other));
            rest = rest.get(word.len()..)?;
            before = head.chars().next_back();
            is_changed = true;
            continue;
        }
        let letter = rest.chars().next()?;
        out.push(letter);
        before = Some(letter);
        rest = rest.get(letter.len_utf8()..)?;
    }
    is_changed.then_some(out)
}

/// A word in the case that another has, letter by letter.
fn cased(like: &str, word: &str) -> String {
    let mut cases = like.chars();
    let mut is_upper = false;
    word.chars()
        .map(|letter| {
            is_upper = cases.next().map_or(is_upper, char::is_uppercase);
            if is_upper {
                letter.to_ascii_uppercase()
            } else {
                letter.to_ascii_lowercase()
            }
        })
        .collect()
}

/// Where a token stands in the text it was read from.
fn place(text: &str, token: &str) -> Option<Range<usize>> {
    let start = token.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    let range = start..start + token.len();
    (text.get(range.clone()) == Some(token)).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::{copies_of, others, replaced, with_copies};
    use crate::report::TestId;

    #[test]
    fn words_are_replaced_wherever_they_stand_in_their_case() {
        let text = "slug('Green Tea') == 'green-tea', greenish, x.green";
        assert_eq!(
            replaced(text, "Green", "Greeo").unwrap(),
            "slug('Greeo Tea') == 'greeo-tea', greenish, x.greeo"
        );
        assert_eq!(replaced(text, "tree", "trfe"), None);
    }

    #[test]
    fn numbers_stay_in_a_byte_where_they_fit_one() {
        assert_eq!(
            others("42"),
            [
                "10", "21", "32", "40", "41", "43", "44", "52", "84", "101", "120", "126"
            ]
        );
        assert!(others("1042").contains(&"3126".to_owned()));
        assert_eq!(others("Tea"), ["Teb", "Uea", "Tfa", "Teae"]);
    }

    #[test]
    fn what_is_a_name_or_a_format_stays_as_it_is() {
        let text = "func TestClamp(t *testing.T) {\n\tif got := Clamp(42); got != 10 {\n\t\tt.Errorf(\"Clamp(42) = %d\", got)\n\t}\n}\n";
        let copies = copies_of(&TestId::new("shop.TestClamp"), "a_test.go", text, 0);
        let mut lines = copies.iter().flat_map(|copy| &copy.lines);
        assert!(!copies.is_empty());
        assert!(
            lines.all(|line| !line.contains("Clamp(") && !line.contains('%')
                || line.starts_with("func")
                || line.contains("got := Clamp(")
                || line.contains("= %d"))
        );
    }

    #[test]
    fn copies_stand_behind_their_test_with_what_is_above_it() {
        let text = "use shop::clamp;\n\n#[test]\nfn high() {\n    assert_eq!(clamp(42, 10), 10);\n}\n\n#[test]\nfn low() {\n}\n";
        let id = TestId::new("shop::high");
        let copies = copies_of(&id, "tests/a.rs", text, 0);
        // Two values by their neighbours, three literals alone.
        let of = |value: &str| {
            let swaps = copies.iter().filter_map(|copy| copy.swap.as_ref());
            swaps.filter(|swap| swap.was == value).count()
        };
        assert!(of("42") > 3 && of("10") > 3);
        assert_eq!(copies.iter().filter(|copy| copy.swap.is_none()).count(), 3);
        let last = copies.last().unwrap();
        assert_eq!(
            last.lines[..2],
            [
                "#[test]".to_owned(),
                format!("fn high_v{}() {{", copies.len() - 1)
            ]
        );
        assert_eq!(last.lines[2], "    assert_eq!(clamp(42, 10), 11);");
        assert_eq!(
            last.id.as_str(),
            format!("shop::high_v{}", copies.len() - 1)
        );
        let planted = with_copies(text, &[last]).unwrap();
        let (high, low) = (
            planted.find("fn high_v").unwrap(),
            planted.find("fn low").unwrap(),
        );
        assert!(
            high < low && planted.matches("#[test]").count() == 3,
            "{planted}"
        );
        assert_eq!(with_copies("fn other() {\n}\n", &[last]), None);
    }

    #[test]
    fn tests_in_other_languages_are_copied_under_names_of_their_own() {
        for (id, path, text, called) in [
            (
                "t.py::TestA::test_a",
                "t.py",
                "class TestA:\n    def test_a(self):\n        assert f(42) == 1\n",
                "def test_a_v0(self):",
            ),
            (
                "a.test.js > keeps it",
                "a.test.js",
                "test('keeps it', () => {\n  equal(f(42), 1)\n})\n",
                "test('keeps it v0', () => {",
            ),
            (
                "example.org/shop.TestA",
                "a_test.go",
                "func TestA(t *testing.T) {\n\tif f(42) != 1 {\n\t\tt.Fatal()\n\t}\n}\n",
                "func TestA_v0(t *testing.T) {",
            ),
            (
                "Shop.Keeps",
                "a.cpp",
                "TEST(Shop, Keeps) {\n  EXPECT_EQ(f(42), 1);\n}\n",
                "TEST(Shop, Keeps_v0) {",
            ),
        ] {
            let copies = copies_of(&TestId::new(id), path, text, 0);
            let first = copies.first().unwrap();
            assert_eq!(first.lines[0].trim(), called);
            assert!(first.id.as_str().ends_with("v0") && !copies.is_empty());
        }
        let table = "def test_a(n):\n    assert f(42) == 1\n";
        assert!(copies_of(&TestId::new("t.py::test_a[42]"), "t.py", table, 0).is_empty());
    }
}
