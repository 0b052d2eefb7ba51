//! What an assertion holds against what.

/// The arguments of the call that `text` stands inside of, or the sides of a comparison, without spaces.
pub(super) fn operands(text: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let (mut depth, mut quote) = (0_i32, None);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if quote == Some(letter) {
            quote = None;
        } else if quote.is_none() && matches!(letter, '"' | '\'' | '`') {
            quote = Some(letter);
        } else if quote.is_none() {
            match letter {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth -= 1,
                _ => {}
            }
        }
        if depth < 0 {
            break;
        }
        let is_equality = letter == '=' && letters.peek() == Some(&'=');
        if quote.is_none() && depth == 0 && (letter == ',' || is_equality) {
            while letters.peek() == Some(&'=') {
                letters.next();
            }
            found.push(String::new());
            continue;
        }
        if let Some(last) = found.last_mut()
            && (quote.is_some() || !letter.is_whitespace())
        {
            last.push(letter);
        }
    }
    found
}

/// The first operand of a comparison of any kind.
pub(super) fn subject(text: &str) -> String {
    let first = operands(text).into_iter().next().unwrap_or_default();
    let mut depth = 0_i32;
    let end = first.find(|letter| {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        depth == 0 && matches!(letter, '!' | '<' | '>' | '=')
    });
    first
        .get(..end.unwrap_or(first.len()))
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::{operands, subject};

    #[test]
    fn operands_are_split_at_the_top() {
        assert_eq!(operands("f(1, 2) == [3, 4]"), ["f(1,2)", "[3,4]"]);
        assert_eq!(operands("a, \"b, c\")"), ["a", "\"b, c\""]);
        assert_eq!(operands("f(x)).toBe(1)"), ["f(x)"]);
        assert_eq!(subject("x.len() > 0"), "x.len()");
        assert_eq!(subject("a!=b"), "a");
    }
}
