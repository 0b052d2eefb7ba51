//! Parts a Rust file into its test items and the rest, so that tests beside the source can be moved alone.
//!
//! It works on text by the spans of the syntax tree: what it does not move keeps its bytes. A file that does not
//! parse is left alone; it never guesses.

use std::collections::BTreeSet;
use std::ops::Range;

use proc_macro2::LineColumn;
use syn::spanned::Spanned;

/// A Rust file seen as test items (`#[cfg(test)]`, `#[test]`, at the top level) and everything else.
#[derive(Debug)]
pub(crate) struct RustFile<'a> {
    text: &'a str,
    tests: Vec<Range<usize>>,
    modules: Vec<String>,
}

/// Parses a file; `None` when it is not Rust that the parser reads.
pub(crate) fn parse(text: &str) -> Option<RustFile<'_>> {
    let file = syn::parse_file(text).ok()?;
    let lines = line_starts(text);
    let mut tests = Vec::new();
    let mut modules = Vec::new();
    for item in &file.items {
        let Some(attributes) = attributes_of(item) else {
            continue;
        };
        if !attributes.iter().any(is_test_attribute) {
            continue;
        }
        if let syn::Item::Mod(module) = item
            && module.content.is_none()
        {
            modules.push(module.ident.to_string());
        }
        let first = attributes
            .first()
            .map_or_else(|| item.span(), Spanned::span);
        let start = offset(text, &lines, first.start())?;
        let end = offset(text, &lines, item.span().end())?;
        tests.push(start..end);
    }
    Some(RustFile {
        text,
        tests,
        modules,
    })
}

impl RustFile<'_> {
    /// The names of modules declared `#[cfg(test)] mod name;`.
    pub(crate) fn test_modules(&self) -> &[String] {
        &self.modules
    }

    /// The file without its test items.
    pub(crate) fn source(&self) -> String {
        let mut source = String::with_capacity(self.text.len());
        let mut from = 0;
        for span in &self.tests {
            source.push_str(self.text.get(from..span.start).unwrap_or_default());
            from = span.end;
        }
        source.push_str(self.text.get(from..).unwrap_or_default());
        source
    }

    /// The numbers of the lines that belong to test items, from 1.
    pub(crate) fn test_lines(&self) -> BTreeSet<u32> {
        let line_of = |at: usize| {
            let before = self.text.get(..at).unwrap_or_default();
            u32::try_from(before.matches('\n').count() + 1).unwrap_or(u32::MAX)
        };
        self.tests
            .iter()
            .flat_map(|span| line_of(span.start)..=line_of(span.end))
            .collect()
    }

    /// The test items alone, in order.
    pub(crate) fn tests(&self) -> String {
        let items: Vec<&str> = self
            .tests
            .iter()
            .filter_map(|span| self.text.get(span.clone()))
            .collect();
        items.join("\n\n")
    }
}

/// The source of `source_from` with the test items of `tests_from`; `None` when either does not parse.
pub(crate) fn splice(source_from: &str, tests_from: &str) -> Option<String> {
    let source = parse(source_from)?.source();
    let tests = parse(tests_from)?.tests();
    if tests.is_empty() {
        return Some(source);
    }
    Some(format!("{}\n\n{tests}\n", source.trim_end()))
}

fn attributes_of(item: &syn::Item) -> Option<&[syn::Attribute]> {
    Some(match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        syn::Item::ExternCrate(item) => &item.attrs,
        _ => return None,
    })
}

/// `#[test]`, `#[tokio::test]` and the like, `#[cfg(test)]`, `#[cfg(all(test, …))]`; not `#[cfg(not(test))]`.
fn is_test_attribute(attribute: &syn::Attribute) -> bool {
    let path = attribute.path();
    if path.segments.last().is_some_and(|last| {
        last.ident == "test" || last.ident == "rstest" || last.ident == "test_case"
    }) {
        return true;
    }
    if !path.is_ident("cfg") {
        return false;
    }
    let syn::Meta::List(list) = &attribute.meta else {
        return false;
    };
    let condition: String = list.tokens.to_string().split_whitespace().collect();
    condition == "test"
        || condition.starts_with("all(")
            && condition
                .trim_end_matches(')')
                .trim_start_matches("all(")
                .split(',')
                .any(|part| part == "test")
}

fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0)
        .chain(text.match_indices('\n').map(|(at, _)| at + 1))
        .collect()
}

/// Byte offset of a span position, whose column counts characters.
fn offset(text: &str, lines: &[usize], at: LineColumn) -> Option<usize> {
    let start = *lines.get(at.line.checked_sub(1)?)?;
    let line = text.get(start..)?;
    let column = line
        .char_indices()
        .nth(at.column)
        .map_or(line.len(), |(index, _)| index);
    Some(start + column)
}

#[cfg(test)]
mod tests {
    use super::{parse, splice};

    const BASE: &str = "//! Docs.\nfn one() -> u8 { 1 }\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn a() { assert_eq!(super::one(), 1); }\n}\n";
    const HEAD: &str = "//! Docs é.\nfn one() -> u8 { 2 }\n\n/// Checks.\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn b() { assert_eq!(super::one(), 2); }\n}\nfn two() {}\n";

    #[test]
    fn tests_move_without_the_source() {
        let spliced = splice(BASE, HEAD).unwrap();
        assert!(spliced.contains("fn one() -> u8 { 1 }"));
        assert!(
            spliced.contains("fn b()")
                && !spliced.contains("fn a()")
                && !spliced.contains("fn two")
        );
        assert!(!parse(&spliced).unwrap().tests().is_empty());
    }

    #[test]
    fn conditions_that_exclude_tests_are_source() {
        assert!(
            parse("#[cfg(not(test))]\nfn a() {}")
                .unwrap()
                .tests()
                .is_empty()
        );
        assert!(
            parse("#[cfg(all(test, feature = \"x\"))]\nmod t {}")
                .unwrap()
                .tests()
                .contains("mod t")
        );
        assert_eq!(
            parse("#[cfg(test)]\nmod checks;\n").unwrap().test_modules(),
            ["checks"]
        );
    }

    #[test]
    fn broken_files_are_left_alone() {
        assert!(parse("fn {").is_none());
    }
}
