//! Public declarations, read as text: the lines that begin them, by the habits of each language. It knows no scopes and
//! no types, and says so; a declaration over several lines is read up to its body.

/// A public declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declaration {
    /// What kind of thing with which name; the same thing keeps it.
    name: String,
    /// Its head, on one line.
    head: String,
}

/// The languages that are read.
pub(super) const LANGUAGES: &str = "Rust, Python, TypeScript and JavaScript, Go, Java, Kotlin, C#";

/// Lines that a head goes on over at most.
const MOST_LINES: usize = 12;
const LONGEST_HEAD: usize = 240;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Rust,
    Python,
    Script,
    Go,
    /// Java, Kotlin, C#: what is public says so.
    Public,
}

fn language(path: &str) -> Option<Language> {
    let (_, extension) = path.rsplit_once('.')?;
    match extension {
        "rs" => Some(Language::Rust),
        "py" | "pyi" => Some(Language::Python),
        "ts" | "tsx" | "js" | "jsx" | "mjs" | "cjs" | "mts" | "cts" => Some(Language::Script),
        "go" => Some(Language::Go),
        "java" | "kt" | "kts" | "cs" => Some(Language::Public),
        _ => None,
    }
}

/// Whether declarations of a file are read, by its name. Tests declare nothing for others.
pub(super) fn is_read(path: &str) -> bool {
    let is_test = path.split('/').any(|part| {
        matches!(part, "test" | "tests" | "__tests__" | "testdata")
            || part.ends_with("_test.go")
            || part.starts_with("test_")
            || part.contains(".test.")
            || part.contains(".spec.")
    });
    !is_test && language(path).is_some()
}

/// The public declarations of a file.
pub(super) fn declarations(path: &str, text: &str) -> Vec<Declaration> {
    let Some(language) = language(path) else {
        return Vec::new();
    };
    let lines: Vec<&str> = text.lines().collect();
    let mut class: Option<&str> = None;
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if language == Language::Python
            && !line.starts_with([' ', '\t', '#', ')'])
            && !line.is_empty()
        {
            class = line
                .strip_prefix("class ")
                .map(word)
                .filter(|name| !name.starts_with('_'));
        }
        if let Some(name) = name(language, line, class) {
            found.push(Declaration {
                name,
                head: head(lines.get(at..).unwrap_or_default(), language),
            });
        }
    }
    found
}

/// The name that a line declares for others.
fn name(language: Language, line: &str, class: Option<&str>) -> Option<String> {
    let text = line.trim_start();
    match language {
        Language::Rust => rust(text),
        Language::Python => python(text, line.len() - text.len(), class),
        Language::Script => script(text),
        Language::Go => go(line),
        Language::Public => public(text),
    }
}

fn rust(text: &str) -> Option<String> {
    let rest = text.strip_prefix("pub ")?;
    let rest = without(rest, &["async ", "const ", "unsafe ", "default "]);
    let rest = if rest.starts_with("extern \"") {
        rest.splitn(3, '"').nth(2)?.trim_start()
    } else {
        rest
    };
    let kinds = [
        "fn", "struct", "enum", "union", "trait", "type", "static", "mod", "use", "macro",
    ];
    declared(rest, &kinds)
        .or_else(|| constant(text))
        .or_else(|| field(rest))
}

fn python(text: &str, indent: usize, class: Option<&str>) -> Option<String> {
    let rest = without(text, &["async "]);
    let found = declared(rest, &["def", "class"])?;
    let (_, plain) = found.split_once(' ')?;
    let is_own = !plain.starts_with('_') || (plain.starts_with("__") && plain.ends_with("__"));
    match (indent, class) {
        (0, _) => is_own.then_some(found),
        (4, Some(class)) => is_own.then(|| format!("{class}.{found}")),
        _ => None,
    }
}

fn script(text: &str) -> Option<String> {
    let rest = text.strip_prefix("export ")?;
    let rest = without(rest, &["default ", "declare ", "abstract ", "async "]);
    let kinds = [
        "function*",
        "function",
        "class",
        "interface",
        "type",
        "enum",
        "const",
        "let",
        "var",
        "namespace",
    ];
    declared(rest, &kinds).or_else(|| Some(format!("export {}", rest.trim_end_matches(';'))))
}

fn go(line: &str) -> Option<String> {
    if line.starts_with([' ', '\t']) {
        return None;
    }
    if let Some(rest) = line.strip_prefix("func (") {
        let (receiver, rest) = rest.split_once(')')?;
        let method = word(rest.trim_start());
        let on = receiver.rsplit([' ', '*']).next()?;
        return is_upper(method).then(|| format!("func {on}.{method}"));
    }
    let found = declared(line, &["func", "type", "var", "const"])?;
    let (_, plain) = found.split_once(' ')?;
    is_upper(plain).then_some(found)
}

fn public(text: &str) -> Option<String> {
    let rest = text.strip_prefix("public ")?;
    let head = rest.split(['{', '=', ';']).next()?;
    let named = head.split('(').next()?.trim();
    let named = named
        .split(" extends ")
        .next()?
        .split(" implements ")
        .next()?;
    let named = named.split(" : ").next()?;
    Some(format!("public {}", named.rsplit(' ').next()?))
}

fn without<'a>(mut text: &'a str, words: &[&str]) -> &'a str {
    while let Some(rest) = words.iter().find_map(|word| text.strip_prefix(word)) {
        text = rest;
    }
    text
}

fn declared(text: &str, kinds: &[&str]) -> Option<String> {
    let (kind, rest) = text.split_once(' ')?;
    let name = word(rest.trim_start());
    (kinds.contains(&kind) && !name.is_empty()).then(|| format!("{kind} {name}"))
}

/// `pub const NAME: …`, which is no `pub const fn`.
fn constant(text: &str) -> Option<String> {
    let name = word(text.strip_prefix("pub const ")?);
    (!name.is_empty()).then(|| format!("const {name}"))
}

/// `pub name: Type`, of a struct.
fn field(text: &str) -> Option<String> {
    let name = word(text);
    let rest = text.strip_prefix(name)?.trim_start();
    (!name.is_empty() && rest.starts_with(':') && !rest.starts_with("::"))
        .then(|| format!("field {name}"))
}

fn word(text: &str) -> &str {
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$')))
        .unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

fn is_upper(name: &str) -> bool {
    name.starts_with(char::is_uppercase)
}

/// The head of a declaration: up to its body, on one line.
fn head(lines: &[&str], language: Language) -> String {
    let mut head = String::new();
    for line in lines.iter().take(MOST_LINES) {
        let line = line.trim();
        let end = match language {
            Language::Python => line.ends_with(':').then(|| line.len() - 1),
            _ => line
                .find(['{', ';'])
                .or_else(|| line.ends_with(',').then(|| line.len() - 1)),
        };
        // A comma ends a field, and goes on inside of brackets.
        let is_open = head.matches('(').count() + line.matches('(').count()
            > head.matches(')').count() + line.matches(')').count();
        let is_end = end.is_some() && !is_open;
        let part = if is_end {
            end.and_then(|end| line.get(..end))
        } else {
            Some(line)
        };
        if !head.is_empty() {
            head.push(' ');
        }
        head.push_str(part.unwrap_or_default().trim());
        let is_whole = is_end || (!is_open && !head.ends_with(['(', ',', '=', '+', '|', '&']));
        if is_whole {
            break;
        }
    }
    crate::terminal::plain(&head)
        .chars()
        .take(LONGEST_HEAD)
        .collect()
}

/// What is gone, new, or says something else, a line each.
pub(super) fn compare(before: &[Declaration], after: &[Declaration]) -> Vec<String> {
    let mut told = Vec::new();
    let mut left: Vec<&Declaration> = after.iter().collect();
    let mut changed: Vec<&Declaration> = Vec::new();
    for old in before {
        match left.iter().position(|new| *new == old) {
            Some(at) => {
                left.remove(at);
            }
            None => changed.push(old),
        }
    }
    for old in changed {
        match left.iter().position(|new| new.name == old.name) {
            Some(at) => {
                let new = left.remove(at);
                told.push(format!("~ {}\n    now {}", old.head, new.head));
            }
            None => told.push(format!("- {}", old.head)),
        }
    }
    told.extend(left.iter().map(|new| format!("+ {}", new.head)));
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str, text: &str) -> Vec<String> {
        declarations(path, text)
            .into_iter()
            .map(|found| found.name)
            .collect()
    }

    #[test]
    fn what_is_public_is_found() {
        let rust = "pub fn a(\n    x: u8,\n) -> u8 {\nfn b() {}\npub(crate) fn c() {}\n    pub async fn d(&self);\npub const E: u8 = 1;\npub struct F {\n    pub g: Vec<u8>,\n}\n";
        assert_eq!(
            names("a.rs", rust),
            ["fn a", "fn d", "const E", "struct F", "field g"]
        );
        let python = "class A(B):\n    def run(self, x):\n        pass\n    def _own(self): pass\ndef _b(): pass\nasync def c(\n    x,\n):\n    pass\nclass _D:\n    def e(self): pass\n";
        assert_eq!(names("a.py", python), ["class A", "A.def run", "def c"]);
        let script = "export const a = 1;\nexport default class B {}\nfunction c() {}\nexport async function d(x) {\nexport { e } from './f';\n";
        assert_eq!(
            names("a.ts", script),
            [
                "const a",
                "class B",
                "function d",
                "export { e } from './f'"
            ]
        );
        let go = "func A(x int) int {\nfunc b() {}\nfunc (s *S) C() {}\nfunc (s *S) d() {}\ntype E struct {\n";
        assert_eq!(names("a.go", go), ["func A", "func S.C", "type E"]);
        let java =
            "public class A extends B {\n    public static int c(int d) {\n    private int e;\n";
        assert_eq!(names("A.java", java), ["public A", "public c"]);
    }

    #[test]
    fn a_difference_is_told_once() {
        let before = declarations(
            "a.rs",
            "pub fn a(x: u8) {}\npub fn b() {}\npub fn same() {}\n",
        );
        let after = declarations(
            "a.rs",
            "pub fn a(\n    x: u16,\n) {}\npub fn c() {}\npub fn same() {}\n",
        );
        assert_eq!(
            compare(&before, &after),
            [
                "~ pub fn a(x: u8)\n    now pub fn a( x: u16, )",
                "- pub fn b()",
                "+ pub fn c()"
            ]
        );
        assert!(compare(&after, &after).is_empty());
    }

    #[test]
    fn odd_text_is_no_trouble() {
        for text in [
            "",
            "pub ",
            "export ",
            "func (",
            "public ",
            "class ",
            "pub fn é(",
            "export 🦀",
        ] {
            for path in ["a.rs", "a.py", "a.ts", "a.go", "a.java"] {
                let found = declarations(path, &format!("{text}\n{text}"));
                assert!(found.len() <= 2, "{path} {text}");
            }
        }
    }
}
