//! CSV as exports have it: a head of names, quotes around what needs them.

/// Rows as name and cell; a sentence where the text is no table.
pub(super) fn rows(text: &str) -> Result<Vec<Vec<(String, String)>>, String> {
    let mut lines = cells(text)?.into_iter();
    let head = lines.next().ok_or("it is empty")?;
    lines
        .enumerate()
        .map(|(at, row)| {
            if row.len() != head.len() {
                return Err(format!(
                    "row {} has {} cells and the head {}",
                    at + 1,
                    row.len(),
                    head.len()
                ));
            }
            let names = head.iter().map(|name| name.trim().to_lowercase());
            Ok(names.zip(row).collect())
        })
        .collect()
}

fn cells(text: &str) -> Result<Vec<Vec<String>>, String> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut is_quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if is_quoted && chars.peek() == Some(&'"') => {
                cell.push('"');
                chars.next();
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !is_quoted => {}
            '\n' if !is_quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    if is_quoted {
        return Err("a quote has no end".to_owned());
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    rows.retain(|row| row.iter().any(|cell| !cell.is_empty()));
    Ok(rows)
}
