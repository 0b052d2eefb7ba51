//! What people and programs read: the only place that prints.
//!
//! Results go to standard output, everything else to standard error. A reader that went away ends the program quietly.

use std::io::{self, Write};

use anyhow::Result;
use serde::Serialize;
use wayproof_receipt::is_unseen;

/// Prints a text and a line end on standard output.
pub(crate) fn print(text: &str) -> Result<()> {
    write_line(&mut anstream::stdout().lock(), text)
}

/// Prints a text and a line end on standard error, without what looks like a secret in it.
pub(crate) fn tell(text: &str) {
    let text = &wayproof_redact::redact(text);
    // Nobody can be told that the place for telling is gone.
    drop(write_line(&mut anstream::stderr().lock(), text));
}

/// Standard output for what is written piece by piece.
pub(crate) fn stdout() -> impl Write + Send {
    io::stdout()
}

/// Prints one JSON value on a line of its own.
pub(crate) fn print_json<T: Serialize>(value: &T) -> Result<()> {
    print(&serde_json::to_string(value)?)
}

/// Prints a JSON value for people and programs alike.
pub(crate) fn print_json_pretty<T: Serialize>(value: &T) -> Result<()> {
    print(&serde_json::to_string_pretty(value)?)
}

fn write_line(stream: &mut impl Write, text: &str) -> Result<()> {
    let written = writeln!(stream, "{text}").and_then(|()| stream.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(error.into()),
        Ok(()) => Ok(()),
    }
}

/// A table whose columns fit the terminal.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = comfy_table::Table::new();
    table
        .load_style(comfy_table::TableStyle::new())
        .set_content_arrangement(comfy_table::ContentArrangement::Dynamic)
        .set_header(head);
    for row in rows {
        table.add_row(row);
    }
    table.to_string()
}

/// Dollars of an amount in nano-dollars, as short as it can be said exactly enough for a person.
pub(crate) fn dollars(nano: i64) -> String {
    let sign = if nano < 0 { "-" } else { "" };
    let micro = nano.unsigned_abs().div_ceil(1_000);
    let (whole, rest) = (micro / 1_000_000, micro % 1_000_000);
    format!("{sign}${whole}.{rest:06}")
}

/// Dollars of an amount in nano-dollars, exactly, with two decimals at least.
pub(crate) fn exact_dollars(nano: i64) -> String {
    let sign = if nano < 0 { "-" } else { "" };
    let nano = nano.unsigned_abs();
    let rest = format!("{:09}", nano % 1_000_000_000);
    let (cents, finer) = rest.split_at(2);
    let finer = finer.trim_end_matches('0');
    format!("{sign}${}.{cents}{finer}", nano / 1_000_000_000)
}

/// A cost that may be unknown.
pub(crate) fn cost(nano: Option<i64>) -> String {
    nano.map_or_else(|| "unknown".to_owned(), dollars)
}

/// Text from outside without what could steer a terminal, or turn around what stands beside it.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if is_unseen(c) { ' ' } else { c })
        .collect()
}

/// A time as people read it, in UTC.
pub(crate) fn moment(micros: i64) -> String {
    match jiff::Timestamp::from_microsecond(micros) {
        Ok(at) => at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => format!("{micros} us"),
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn text_from_outside_steers_nothing() {
        for hostile in [
            "a\u{1b}[2Jb",
            "a\u{202e}b",
            "a\u{2066}b",
            "a\u{200b}b",
            "a\r\nb",
            "a\u{e0041}b",
        ] {
            let shown = plain(hostile);
            assert!(shown.starts_with("a ") && shown.ends_with('b'), "{shown:?}");
            assert!(
                shown.chars().all(|c| c == ' ' || c.is_ascii_graphic()),
                "{shown:?}"
            );
        }
        assert_eq!(plain("Grüße, 日本"), "Grüße, 日本");
    }
}
