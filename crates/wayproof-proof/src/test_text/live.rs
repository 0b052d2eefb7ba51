//! The lines of a test that can make it fail: none after an unconditional return, none whose failure is caught and
//! dropped.

use super::{indent, is_comment};

/// The lines that count.
pub(super) fn live_lines<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let Some((first, body)) = lines.split_first() else {
        return Vec::new();
    };
    let depth = body
        .iter()
        .filter(|line| !line.trim().is_empty())
        .map(|line| indent(line))
        .min_by_key(|depth| {
            if *depth > indent(first) {
                *depth
            } else {
                usize::MAX
            }
        })
        .unwrap_or_default();
    let is_end = |line: &str| indent(line) == depth && leaves(line.trim());
    let mut live = vec![*first];
    let mut at = 0;
    while let Some(line) = body.get(at) {
        if is_end(line) {
            break;
        }
        if is_comment(line) || line.trim().is_empty() {
            at += 1;
            continue;
        }
        if let Some(end) = dropped_block(body, at)
            .or_else(|| unwaited_block(body, at))
            .or_else(|| empty_loop(body, at))
        {
            at = end;
        } else if is_dropped_line(line) {
            at += 1;
        } else {
            live.push(line);
            at += 1;
        }
    }
    live
}

/// A statement after which nothing of the test runs.
fn leaves(text: &str) -> bool {
    matches!(
        text.trim_end_matches(';'),
        "return" | "skip" | "return None" | "return Ok(())"
    ) || [
        "pytest.skip(",
        "self.skipTest(",
        "t.Skip",
        "this.skip(",
        "GTEST_SKIP",
        "$this->markTest",
        "skip ",
    ]
    .iter()
    .any(|call| text.starts_with(call))
        || text.starts_with("raise unittest.SkipTest")
}

/// The end of a block at `start` whose failures are caught and dropped.
fn dropped_block(body: &[&str], start: usize) -> Option<usize> {
    let opening = body.get(start)?;
    let text = opening.trim();
    if text.starts_with("with contextlib.suppress(") || text.starts_with("with suppress(") {
        let caught = ["AssertionError", "Exception"];
        return caught
            .iter()
            .any(|name| text.contains(name))
            .then(|| block_end(body, start));
    }
    if !matches!(text, "try:" | "try {") {
        return None;
    }
    let handler = block_end(body, start);
    let handler_text = body.get(handler)?.trim();
    let caught = handler_text.trim_start_matches('}').trim_start();
    let is_wide = caught == "except:"
        || caught.starts_with("catch")
        || caught.starts_with("except")
            && ["AssertionError", "Exception"]
                .iter()
                .any(|name| caught.contains(name));
    let end = block_end(body, handler);
    let mut handling = body.get(handler + 1..end)?.iter();
    let speaks = |line: &&str| {
        [
            "raise", "throw", "assert", "fail", "expect", "reject", "done(", "equal",
        ]
        .iter()
        .any(|word| line.contains(word))
    };
    let closes = usize::from(
        body.get(end)
            .is_some_and(|line| line.trim().starts_with('}')),
    );
    (is_wide && !handling.any(speaks)).then_some(end + closes)
}

/// A promise or a result whose failure is dropped on the line that makes it.
fn is_dropped_line(line: &str) -> bool {
    let squeezed: String = line.split_whitespace().collect();
    let drops = [
        ".catch(()=>{})",
        ".catch(()=>null)",
        ".catch(()=>undefined)",
        ".catch(noop)",
        ".catch(function(){})",
        ".catch(_=>{})",
        ".catch(e=>{})",
    ];
    drops.iter().any(|end| squeezed.contains(end))
        || squeezed.starts_with("let_=") && squeezed.contains("catch_unwind(")
        || squeezed.starts_with("catch_unwind(") && squeezed.contains(").ok();")
        || squeezed.starts_with("deferfunc(){recover()}()")
        || squeezed.starts_with("deferfunc(){_=recover()}()")
        || squeezed.contains("catch_unwind(")
            && (squeezed.ends_with(".ok();")
                || squeezed.ends_with(".unwrap_or_default();")
                || squeezed.ends_with(".unwrap_or(());"))
}

/// The end of a block that runs beside the test when nothing after it waits.
fn unwaited_block(body: &[&str], start: usize) -> Option<usize> {
    const WAITS: [&str; 9] = [
        "<-",
        ".Wait()",
        ".join(",
        ".await",
        "await ",
        "select {",
        "scope(",
        "recv(",
        "Eventually",
    ];
    let line = body.get(start)?.trim();
    let is_beside = line.starts_with("go func(")
        || line.starts_with("go ")
        || [
            "thread::spawn(",
            "tokio::spawn(",
            "setTimeout(",
            "setImmediate(",
            "process.nextTick(",
            "Promise.resolve(",
        ]
        .iter()
        .any(|call| line.contains(call))
            && !["return ", "await "]
                .iter()
                .any(|word| line.starts_with(word));
    let end = block_end(body, start);
    let closes = usize::from(
        end > start + 1
            && body
                .get(end)
                .is_some_and(|line| line.trim().starts_with(['}', ')'])),
    );
    let last = end + closes;
    let mut rest = body.get(start..)?.iter();
    let waits = rest.any(|line| WAITS.iter().any(|word| line.contains(word)));
    (is_beside && !waits).then_some(last.max(start + 1))
}

/// The end of a loop over nothing: a literal without elements, or a name that is given one.
fn empty_loop(body: &[&str], start: usize) -> Option<usize> {
    let line = body.get(start)?.trim();
    let over = if let Some((_, over)) = line
        .split_once(" of ")
        .or_else(|| line.split_once(" in "))
        .or_else(|| line.split_once(" range "))
        .filter(|_| line.starts_with("for"))
    {
        over
    } else {
        line.split_once(".forEach(")?.0
    };
    let over = over.trim_end_matches(['{', ':', ')', ' ']).trim();
    let is_nothing = |text: &str| {
        let text: String = text.trim_end_matches(';').split_whitespace().collect();
        matches!(
            text.trim_start_matches('&'),
            "[]" | "{}" | "()" | "vec![]" | "Vec::new()" | "list()" | "dict()" | "newArray()"
        ) || text.ends_with("{}") && text.starts_with('[')
    };
    let gives = |line: &&&str| {
        let (name, value) = line.split_once(" := ").or_else(|| line.split_once(" = "))?;
        let name = name.split(':').next().unwrap_or(name);
        let is_name = name.split_whitespace().next_back() == Some(over.trim_start_matches('&'));
        is_name.then(|| is_nothing(value))
    };
    let named = body
        .get(..start)?
        .iter()
        .rev()
        .find_map(|line| gives(&line));
    // Rows that would stand on lines of their own.
    let opens_rows = line.contains(" range []") && line.ends_with('{');
    let has_no_rows = opens_rows
        && body
            .get(start + 1)
            .is_some_and(|next| next.trim().starts_with('}'));
    let end = if has_no_rows {
        block_end(body, start + 1)
    } else {
        block_end(body, start)
    };
    let closes = usize::from(
        body.get(end)
            .is_some_and(|line| line.trim().starts_with('}')),
    );
    (is_nothing(over) || named == Some(true) || has_no_rows).then_some(end + closes)
}

/// The first line after `start` that stands no deeper.
fn block_end(body: &[&str], start: usize) -> usize {
    let depth = body.get(start).map_or(0, |line| indent(line));
    let rest = body.iter().enumerate().skip(start + 1);
    rest.filter(|(_, line)| !line.trim().is_empty())
        .find(|(_, line)| indent(line) <= depth)
        .map_or(body.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::live_lines;

    fn live(text: &str) -> Vec<&str> {
        live_lines(&text.lines().collect::<Vec<_>>())
    }

    #[test]
    fn nothing_counts_after_a_return() {
        assert_eq!(
            live("def test_a():\n    return\n    assert f() == 1\n").len(),
            1
        );
        assert_eq!(
            live("def test_a():\n    if slow:\n        return\n    assert f() == 1\n").len(),
            4
        );
    }

    #[test]
    fn nothing_counts_that_nobody_waits_for_or_that_never_runs() {
        for text in [
            "test('a', () => {\n  Promise.resolve(f()).then((x) => equal(x, 1)).catch(() => {})\n})",
            "func TestA(t *testing.T) {\n\tgo func() {\n\t\tt.Error()\n\t}()\n}",
            "fn a() {\n    std::thread::spawn(|| assert_eq!(f(), 1));\n}",
            "fn a() {\n    let _ = std::panic::catch_unwind(|| assert_eq!(f(), 1));\n}",
        ] {
            assert!(live(text).len() <= 2, "{text}");
        }
        for text in [
            "test('a', () => {\n  const cases = []\n  for (const [x] of cases) {\n    equal(x, 1)\n  }\n})",
            "func TestA(t *testing.T) {\n\tfor _, test := range []struct{ a int }{\n\t} {\n\t\tt.Error()\n\t}\n}",
            "fn a() {\n    let cases: [(i32, i32); 0] = [];\n    for (x, y) in cases {\n        assert_eq!(x, y);\n    }\n}",
        ] {
            assert!(
                !live(text).iter().any(|line| line.contains("rror")
                    || line.contains("equal")
                    || line.contains("assert")),
                "{text}"
            );
        }
        for text in [
            "test('a', () => {\n  return Promise.resolve(f()).then((x) => equal(x, 1))\n})",
            "func TestA(t *testing.T) {\n\tgo func() {\n\t\tt.Error()\n\t}()\n\t<-done\n}",
            "fn a() {\n    std::thread::spawn(|| assert_eq!(f(), 1)).join().unwrap();\n}",
            "test('a', () => {\n  const cases = [[1, 2]]\n  for (const [x, y] of cases) {\n    equal(x, y)\n  }\n})",
        ] {
            assert!(
                live(text).iter().any(|line| line.contains("rror")
                    || line.contains("equal")
                    || line.contains("assert")),
                "{text}"
            );
        }
    }

    #[test]
    fn nothing_counts_whose_failure_is_dropped() {
        let python = "def test_a():\n    try:\n        assert f() == 1\n    except AssertionError:\n        pass\n    assert g()\n";
        assert_eq!(live(python), ["def test_a():", "    assert g()"]);
        let script = "test('a', () => {\n  try {\n    equal(f(), 1)\n  } catch (error) {\n    console.log(error)\n  }\n})";
        assert_eq!(live(script), ["test('a', () => {", "})"]);
        let honest = "def test_a():\n    try:\n        f()\n    except TypeError:\n        return\n    raise AssertionError\n";
        assert_eq!(live(honest).len(), 6);
        let told = "def test_a():\n    try:\n        f()\n    except Exception as error:\n        assert str(error) == 'x'\n";
        assert_eq!(live(told).len(), 5);
    }
}
