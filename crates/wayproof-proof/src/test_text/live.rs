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
        if let Some(end) = dropped_block(body, at) {
            at = end;
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
