//! CSV that a spreadsheet can open without running anything.
//!
//! What agents and providers say ends up in cells; a cell that a spreadsheet would take for a formula gets an
//! apostrophe in front.

use std::borrow::Cow;
use std::io::{self, Write};

/// Writes one row.
pub(super) fn row<'a, W: Write>(
    out: &mut W,
    cells: impl IntoIterator<Item = &'a str>,
) -> io::Result<()> {
    for (at, text) in cells.into_iter().enumerate() {
        if at > 0 {
            out.write_all(b",")?;
        }
        out.write_all(cell(text).as_bytes())?;
    }
    out.write_all(b"\r\n")
}

/// One cell: harmless, and quoted where it has to be.
fn cell(text: &str) -> Cow<'_, str> {
    let is_formula = text
        .trim_start_matches(|c: char| c.is_whitespace() || c.is_control())
        .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '|', '%']);
    let is_odd = |c: char| c.is_control() || matches!(c, ',' | '"' | ';' | ' ' | '\'');
    if !is_formula && !text.contains(is_odd) {
        return text.into();
    }
    let mut quoted = String::with_capacity(text.len() + 3);
    quoted.push('"');
    if is_formula {
        quoted.push('\'');
    }
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\"\""),
            c if c.is_control() => quoted.push(' '),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_texts() {
        assert_eq!(cell("=1+1"), "\"'=1+1\"");
        assert_eq!(cell("\t@SUM(A1)"), "\"' @SUM(A1)\"");
        assert_eq!(cell("-2"), "\"'-2\"");
        assert_eq!(cell("＝cmd"), "\"'＝cmd\"");
    }

    #[test]
    fn rows_stay_rows() {
        let mut out = Vec::new();
        assert!(row(&mut out, ["plain", "a,b", "say \"x\"", "two\r\nlines", ""]).is_ok());
        assert_eq!(
            String::from_utf8_lossy(&out),
            "plain,\"a,b\",\"say \"\"x\"\"\",\"two  lines\",\r\n"
        );
    }
}
