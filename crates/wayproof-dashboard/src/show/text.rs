//! Words and counts.

/// The longest name a table shows, in characters.
const MAX_NAME: usize = 80;

/// A name, cut where it would push everything else away; what was cut is marked.
pub(crate) fn short(text: &str) -> String {
    cut(text, MAX_NAME)
}

/// The text with at most so many characters.
pub(crate) fn cut(text: &str, most: usize) -> String {
    let mut out: String = text.chars().take(most).collect();
    if text.chars().nth(most).is_some() {
        out.push('…');
    }
    out
}

/// A name that may be missing.
pub(crate) fn or_none(text: Option<&str>) -> String {
    text.map_or_else(|| "–".to_owned(), short)
}

/// The beginning of a digest or revision.
pub(crate) fn abbreviated(digest: &str) -> String {
    digest.chars().take(12).collect()
}

/// A count with its thousands apart.
pub(crate) fn count(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    if value < 0 { format!("-{out}") } else { out }
}

/// A count with its noun.
pub(crate) fn counted(value: i64, one: &str, many: &str) -> String {
    format!("{} {}", count(value), if value == 1 { one } else { many })
}

/// Tokens, in thousands or millions once there are many.
pub(crate) fn tokens(value: i64) -> String {
    match value {
        1_000_000.. => format!("{}.{} M", value / 1_000_000, value % 1_000_000 / 100_000),
        10_000.. => format!("{} k", value / 1_000),
        1_000.. => format!("{}.{} k", value / 1_000, value % 1_000 / 100),
        _ => value.to_string(),
    }
}

/// A share in whole percent; nothing of nothing is no share.
pub(crate) fn percent(part: i64, whole: i64) -> String {
    if whole <= 0 {
        return "–".to_owned();
    }
    format!("{} %", (part.saturating_mul(200) + whole) / (2 * whole))
}

/// A repository by the end of its address.
pub(crate) fn repo(address: &str) -> String {
    let trimmed = address.trim_end_matches('/').trim_end_matches(".git");
    let mut parts: Vec<&str> = trimmed.rsplit(['/', ':']).take(2).collect();
    parts.reverse();
    short(&parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_readable_and_exact() {
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(count(-999), "-999");
        assert_eq!(tokens(41_900), "41 k");
        assert_eq!(tokens(1_940), "1.9 k");
        assert_eq!(percent(1, 3), "33 %");
        assert_eq!(percent(2, 3), "67 %");
        assert_eq!(percent(0, 0), "–");
    }

    #[test]
    fn a_cut_is_marked() {
        assert_eq!(cut("ääää", 3), "äää…");
        assert_eq!(cut("äää", 3), "äää");
        assert_eq!(repo("https://example.org/team/shop.git"), "team/shop");
        assert_eq!(
            repo("git@example.org:shop"),
            "example.org/shop".replace("example.org", "git@example.org")
        );
    }
}
