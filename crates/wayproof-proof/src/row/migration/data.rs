//! Data moved up, down and up again: the schema is the same both times, and going back gives back what was there.

use wayproof_receipt::predicate::{Check, CheckKind, Side};

use crate::request::DataCommands;
use crate::run::{Command, Host, Tree, Trouble};

/// What moving the data showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    /// The policy names no commands.
    Unnamed,
    /// A command failed; which, and why.
    Fails(&'static str, String),
    /// The dump says nothing.
    Empty,
    /// The second way up leads elsewhere; the first line that differs.
    Differs(String),
    /// The way down loses or leaves something; the first line that differs.
    Lossy(String),
    /// Up, down and up again.
    Whole,
}

/// Runs the policy's commands on the head, after the base's own way up where that works.
#[expect(
    clippy::too_many_lines,
    reason = "one procedure, read from top to bottom"
)]
pub(crate) fn run(
    host: &Host<'_>,
    (base, head): (&Tree, &Tree),
    commands: &DataCommands,
    checks: &mut Vec<Check>,
) -> Result<Moved, Trouble> {
    let (Some(up), Some(down), Some(dump)) = (&commands.up, &commands.down, &commands.dump) else {
        return Ok(Moved::Unnamed);
    };
    let state = host.fresh("state")?;
    let mut start =
        |tree: &Tree, argv: &[String], side: Side| -> Result<Result<String, String>, Trouble> {
            let fill = |word: &String| word.replace("{state}", &state.to_string_lossy());
            let mut argv: Vec<String> = argv.iter().map(fill).collect();
            if let Some(first) = argv.first_mut().filter(|first| !first.contains('/')) {
                *first = host.program(first, "the policy moves data with it")?;
            }
            let (ran, mut check) = host.run(Command {
                kind: CheckKind::Other,
                argv,
                cwd: tree.path.clone(),
                env: vec![(
                    "WAYPROOF_STATE".to_owned(),
                    state.to_string_lossy().into_owned(),
                )],
                writable: vec![state.clone()],
                readable: Vec::new(),
                tree,
            })?;
            check.side = side;
            checks.push(check);
            if ran.exit == Some(0) && !ran.is_truncated {
                return Ok(Ok(String::from_utf8_lossy(&ran.stdout).into_owned()));
            }
            let said = String::from_utf8_lossy(&ran.stderr).into_owned()
                + &String::from_utf8_lossy(&ran.stdout);
            let line = said
                .lines()
                .rev()
                .find(|line| !line.trim().is_empty())
                .unwrap_or("it said nothing");
            Ok(Err(if ran.is_timed_out {
                "it ran out of its time".to_owned()
            } else {
                line.trim().to_owned()
            }))
        };
    // Where the base was, and where nothing was: going back may lead to either. What fails there proves nothing.
    let empty = start(base, dump, Side::Base)?.ok();
    let has_base = start(base, up, Side::Base)?.is_ok();
    let before = if has_base {
        start(base, dump, Side::Base)?.ok()
    } else {
        None
    };
    let untouched = start(head, dump, Side::Other)?.ok();
    let mut step =
        |what: &'static str, argv: &[String]| -> Result<Result<String, Moved>, Trouble> {
            Ok(start(head, argv, Side::Head)?.map_err(|why| Moved::Fails(what, why)))
        };
    let mut texts = Vec::new();
    for (what, argv) in [
        ("up", up),
        ("dump", dump),
        ("down", down),
        ("dump", dump),
        ("up", up),
        ("dump", dump),
    ] {
        match step(what, argv)? {
            Ok(text) => texts.push((what, text)),
            Err(failed) => return Ok(failed),
        }
    }
    let dumps: Vec<&String> = texts
        .iter()
        .filter(|(what, _)| *what == "dump")
        .map(|(_, text)| text)
        .collect();
    let [first, back, again] = *dumps.as_slice() else {
        return Ok(Moved::Empty);
    };
    if first.trim().is_empty() {
        return Ok(Moved::Empty);
    }
    if first != again {
        return Ok(Moved::Differs(first_difference(first, again)));
    }
    let known = [before.as_ref(), untouched.as_ref(), empty.as_ref()];
    if known.into_iter().flatten().any(|text| text == back) {
        return Ok(Moved::Whole);
    }
    let was = before.or(untouched).or(empty).unwrap_or_default();
    Ok(Moved::Lossy(first_difference(&was, back)))
}

/// The first line in which two dumps differ, in words.
fn first_difference(one: &str, other: &str) -> String {
    let mut others = other.lines();
    for line in one.lines() {
        match others.next() {
            Some(same) if same == line => {}
            Some(now) => return format!("`{}` is `{}` then", line.trim(), now.trim()),
            None => return format!("`{}` is gone then", line.trim()),
        }
    }
    match others.next() {
        Some(more) => format!("`{}` is there then", more.trim()),
        None => "they differ in the ends of their lines".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::first_difference;

    #[test]
    fn the_first_difference_is_named() {
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), "`b` is `c` then");
        assert_eq!(first_difference("a\nb\n", "a\n"), "`b` is gone then");
        assert_eq!(first_difference("a\n", "a\nb\n"), "`b` is there then");
    }
}
