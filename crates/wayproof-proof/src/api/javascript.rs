//! JavaScript and TypeScript: what modules export, in either way of exporting, with the parameters of functions.
//!
//! Where a package names its entries, what they lead to is its surface; else every changed module is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::{OPTIONAL, Surface, text_of};
use crate::code::{Code, Kind, nesting};

/// How far re-exports are followed.
const DEPTH: u8 = 12;

/// Reads the modules at these paths, or those their packages begin with.
pub(super) fn read(root: &Path, paths: &[&str]) -> Surface {
    let mut modules: BTreeSet<String> = BTreeSet::new();
    for path in paths {
        let entries = entries(root, path);
        if entries.is_empty() {
            modules.insert((*path).to_owned());
        } else {
            modules.extend(entries);
        }
    }
    let mut surface = Surface::default();
    for path in modules {
        let Some(text) = text_of(root, &path) else {
            continue;
        };
        let module = Module::read(root, &path, &text, 0);
        if module.has_unknown {
            surface.unread.insert(path.clone());
        }
        for (name, how) in &module.exports {
            surface.put(format!("{path}: {name}"), how);
        }
    }
    surface
}

/// The files that the nearest manifest names as where the package begins.
fn entries(root: &Path, path: &str) -> BTreeSet<String> {
    let mut folder = path;
    loop {
        folder = folder.rsplit_once('/').map_or("", |(up, _)| up);
        if let Some(text) = text_of(root, &crate::plan::join(folder, "package.json")) {
            let package: Value = serde_json::from_str(&text).unwrap_or_default();
            let mut found = BTreeSet::new();
            for key in ["exports", "main", "module", "bin", "browser"] {
                leaves(package.get(key).unwrap_or(&Value::Null), &mut found);
            }
            return found
                .iter()
                .filter_map(|entry| resolve(root, folder, entry))
                .collect();
        }
        if folder.is_empty() {
            return BTreeSet::new();
        }
    }
}

fn leaves(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            found.insert(text.trim_start_matches("./").to_owned());
        }
        Value::Array(all) => all.iter().for_each(|one| leaves(one, found)),
        Value::Object(all) => all.values().for_each(|one| leaves(one, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The file that a relative name means.
fn resolve(root: &Path, folder: &str, name: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            other => parts.push(other),
        }
    }
    let plain = parts.join("/");
    // TypeScript writes the name of what it is built to.
    let stem = plain
        .strip_suffix(".js")
        .or_else(|| plain.strip_suffix(".mjs"))
        .unwrap_or(&plain);
    let ends = [
        "",
        ".js",
        ".mjs",
        ".cjs",
        ".ts",
        ".tsx",
        ".jsx",
        "/index.js",
        "/index.ts",
        "/index.mjs",
        "/index.cjs",
    ];
    let places = ends.iter().map(|end| format!("{plain}{end}")).chain([
        format!("{stem}.ts"),
        format!("{stem}.tsx"),
        format!("{stem}.mts"),
    ]);
    places.into_iter().find(|place| {
        !place.is_empty()
            && root.join(place).is_file()
            && crate::code::Language::of(place).is_some()
    })
}

#[derive(Default)]
struct Module {
    exports: BTreeMap<String, String>,
    has_unknown: bool,
}

struct Reader<'a> {
    code: &'a Code<'a>,
    root: &'a Path,
    path: &'a str,
    depth: u8,
}

impl Module {
    fn read(root: &Path, path: &str, text: &str, depth: u8) -> Self {
        let mut module = Self::default();
        let Some(code) = Code::read(path, text) else {
            module.has_unknown = true;
            return module;
        };
        let reader = Reader {
            code: &code,
            root,
            path,
            depth,
        };
        let mut nested = 0_i32;
        for (at, token) in code.tokens.iter().enumerate() {
            let is_top = nested == 0;
            nested += nesting(token);
            if !is_top || token.kind != Kind::Word || code.is_member(at) {
                continue;
            }
            match token.text {
                "export" => reader.export(at + 1, &mut module),
                "module" if code.has_path(&["module", "exports"], at) => {
                    reader.common(at + 3, &mut module);
                }
                "exports" => reader.common(at + 1, &mut module),
                _ => {}
            }
        }
        module
    }
}

impl Reader<'_> {
    fn word(&self, at: usize) -> &str {
        self.code
            .at(at)
            .filter(|token| token.kind == Kind::Word)
            .map_or("", |token| token.text)
    }

    fn is(&self, at: usize, sign: &str) -> bool {
        self.code.at(at).is_some_and(|token| token.is(sign))
    }

    /// What stands after `export`.
    fn export(&self, mut at: usize, module: &mut Module) {
        while matches!(self.word(at), "async" | "declare" | "abstract") {
            at += 1;
        }
        match self.word(at) {
            "default" => {
                let how = match self.word(at + 1) {
                    "" => String::new(),
                    _ => self
                        .declared(at + 1)
                        .map(|(_, how)| how)
                        .unwrap_or_default(),
                };
                module.exports.insert("default".to_owned(), how);
            }
            "type" if self.is(at + 1, "{") => self.listed(at + 1, module),
            "const" | "let" | "var" if self.is(at + 1, "{") || self.is(at + 1, "[") => {
                let close = self.code.closing(at + 1);
                let names = self
                    .code
                    .slice(&(at + 2..close))
                    .iter()
                    .filter(|token| token.kind == Kind::Word);
                module
                    .exports
                    .extend(names.map(|token| (token.text.to_owned(), "value".to_owned())));
            }
            "" if self.is(at, "{") => self.listed(at, module),
            "" if self.is(at, "*") => self.starred(at, module),
            _ => {
                if let Some((name, how)) = self.declared(at) {
                    self.put(&name, &how, at, module);
                }
            }
        }
    }

    /// Puts a name down, and the methods of a class with it.
    fn put(&self, name: &str, how: &str, at: usize, module: &mut Module) {
        module.exports.insert(name.to_owned(), how.to_owned());
        if how != "class" {
            return;
        }
        let open = (at..self.code.tokens.len()).find(|at| self.is(*at, "{"));
        let Some(open) = open else { return };
        let close = self.code.closing(open);
        let inside = |range: &std::ops::Range<usize>| range.start > open && range.end < close;
        for function in self.code.functions() {
            let is_method = inside(&function.parameters)
                && self.level(open, function.parameters.start) == 2
                && function.parameters.start > 1
                && self.is(function.parameters.start - 1, "(");
            let is_public = !function.name.is_empty() && !function.name.starts_with(['_', '#']);
            let is_private = function
                .parameters
                .start
                .checked_sub(3)
                .is_some_and(|at| self.is(at, "#") || self.word(at) == "private");
            if is_method && is_public && !is_private {
                let how = format!("{OPTIONAL}{}", self.parameters(&function.parameters));
                module
                    .exports
                    .insert(format!("{name}.{}", function.name), how);
            }
        }
    }

    /// How many brackets are open at a place, counted from another.
    fn level(&self, from: usize, to: usize) -> i32 {
        self.code.slice(&(from..to)).iter().map(nesting).sum()
    }

    /// A declaration by name and how it is written.
    fn declared(&self, at: usize) -> Option<(String, String)> {
        match self.word(at) {
            "async" => self.declared(at + 1),
            "function" => {
                let name_at = at + 1 + usize::from(self.is(at + 1, "*"));
                let open = (name_at..name_at + 40).find(|at| self.is(*at, "("))?;
                let how = format!(
                    "{OPTIONAL}{}",
                    self.parameters(&(open + 1..self.code.closing(open)))
                );
                Some((self.word(name_at).to_owned(), how))
            }
            "class" => Some((self.word(at + 1).to_owned(), "class".to_owned())),
            "const" | "let" | "var" => {
                let name = self.word(at + 1).to_owned();
                let how = self
                    .function_named(&name)
                    .unwrap_or_else(|| "value".to_owned());
                (!name.is_empty()).then_some((name, how))
            }
            kind @ ("interface" | "type" | "enum" | "namespace") => {
                Some((self.word(at + 1).to_owned(), kind.to_owned()))
            }
            name if !name.is_empty() => Some((name.to_owned(), self.local(name))),
            _ => None,
        }
    }

    /// A function that is given this name at the top of the file.
    fn function_named(&self, name: &str) -> Option<String> {
        let mut all = self.code.functions().into_iter();
        let is_top = |at: usize| self.level(0, at) <= 1;
        let found =
            all.find(|function| function.name == name && is_top(function.parameters.start))?;
        Some(format!("{OPTIONAL}{}", self.parameters(&found.parameters)))
    }

    /// How something of the file is written that is exported elsewhere.
    fn local(&self, name: &str) -> String {
        let is_class = (1..self.code.tokens.len())
            .any(|at| self.word(at) == name && self.word(at - 1) == "class");
        if is_class {
            return "class".to_owned();
        }
        self.function_named(name).unwrap_or_default()
    }

    fn parameters(&self, range: &std::ops::Range<usize>) -> String {
        let mut all = vec![String::new()];
        let mut depth = 0_i32;
        let mut is_type = false;
        for token in self.code.slice(range) {
            if depth == 0 && token.is(",") {
                all.push(String::new());
                is_type = false;
                continue;
            }
            is_type = depth == 0 && (token.is(":") || token.is("?"))
                || is_type && !(depth == 0 && token.is("="));
            let opens = nesting(token);
            depth += opens;
            if let Some(last) = all.last_mut().filter(|_| !is_type) {
                last.push_str(token.text);
            }
        }
        all.retain(|one| !one.is_empty());
        // Callers give arguments by place: names do not matter, but what may be left out does.
        let places: Vec<&str> = all
            .iter()
            .map(|one| match one {
                one if one.starts_with("...") => "...rest",
                one if one.contains('=') => "optional=",
                one if one.starts_with('{') => one.as_str(),
                _ => "given",
            })
            .collect();
        places.join(", ")
    }

    /// `{ a, b as c }`, perhaps from another module.
    fn listed(&self, open: usize, module: &mut Module) {
        let close = self.code.closing(open);
        let from = (self.word(close + 1) == "from")
            .then(|| self.code.at(close + 2).map_or("", |token| token.text));
        let other = from.and_then(|from| self.other(from));
        for words in self
            .code
            .slice(&(open + 1..close))
            .split(|token| token.is(","))
        {
            let names: Vec<&str> = words
                .iter()
                .map(|token| token.text)
                .filter(|word| *word != "type")
                .collect();
            let (Some(first), Some(last)) = (names.first(), names.last()) else {
                continue;
            };
            let how = match (&other, from) {
                (Some(other), _) => other.exports.get(*first).cloned().unwrap_or_default(),
                (None, Some(_)) => String::new(),
                (None, None) => self.local(first),
            };
            if let (true, None, Some(at)) = (how == "class", from, self.class_at(first)) {
                self.put(last, "class", at, module);
            }
            if let Some(other) = &other {
                let parts = other.exports.iter().filter_map(|(name, how)| {
                    Some((
                        format!(
                            "{last}{}",
                            name.strip_prefix(*first)
                                .filter(|rest| rest.starts_with('.'))?
                        ),
                        how.clone(),
                    ))
                });
                module.exports.extend(parts);
            }
            module.exports.insert((*last).to_owned(), how);
        }
    }

    fn class_at(&self, name: &str) -> Option<usize> {
        (1..self.code.tokens.len())
            .find(|at| self.word(*at) == name && self.word(at - 1) == "class")
    }

    /// `* from './x'` and `* as name from './x'`.
    fn starred(&self, at: usize, module: &mut Module) {
        if self.word(at + 1) == "as" {
            module
                .exports
                .insert(self.word(at + 2).to_owned(), "value".to_owned());
            return;
        }
        let from = self.code.at(at + 2).map_or("", |token| token.text);
        match self.other(from) {
            Some(other) => {
                let names = other
                    .exports
                    .into_iter()
                    .filter(|(name, _)| name != "default");
                module.exports.extend(names);
                module.has_unknown |= other.has_unknown;
            }
            None => module.has_unknown = true,
        }
    }

    fn other(&self, from: &str) -> Option<Module> {
        if !from.starts_with('.') || self.depth >= DEPTH {
            return None;
        }
        let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let place = resolve(self.root, folder, from)?;
        let text = text_of(self.root, &place)?;
        Some(Module::read(self.root, &place, &text, self.depth + 1))
    }

    /// `module.exports = …`, `module.exports.a = …` and `exports.a = …`, from what stands after `exports`.
    fn common(&self, at: usize, module: &mut Module) {
        if self.is(at, ".") {
            let name = self.word(at + 1).to_owned();
            let is_given = self.is(at + 2, "=");
            if is_given && !name.is_empty() {
                let how = self
                    .function_named(&name)
                    .unwrap_or_else(|| self.local(self.word(at + 3)));
                module.exports.insert(name, how);
            }
            return;
        }
        if !self.is(at, "=") {
            return;
        }
        if !self.is(at + 1, "{") {
            // `module.exports = require('./x')` passes everything on.
            if self.word(at + 1) == "require"
                && let Some(other) = self.other(self.code.at(at + 3).map_or("", |token| token.text))
            {
                module.exports.extend(other.exports);
                return;
            }
            let how = self
                .declared(at + 1)
                .map(|(_, how)| how)
                .unwrap_or_default();
            module.exports.insert("default".to_owned(), how);
            return;
        }
        self.object(at + 1, module);
    }

    /// The members of the object that opens at a place.
    fn object(&self, open: usize, module: &mut Module) {
        let mut depth = 0_i32;
        let mut starts = true;
        for place in open + 1..self.code.closing(open) {
            let Some(token) = self.code.at(place) else {
                break;
            };
            let is_name = starts && depth == 0 && matches!(token.kind, Kind::Word | Kind::Text);
            // `get name () {…}`: the name comes next.
            let is_mark =
                matches!(token.text, "async" | "get" | "set") && !self.word(place + 1).is_empty();
            if is_name && !is_mark {
                module
                    .exports
                    .insert(token.text.to_owned(), self.member(place, token.text));
            }
            module.has_unknown |= depth == 0 && token.is("...");
            depth += nesting(token);
            starts = depth == 0 && (token.is(",") || is_name && is_mark);
        }
    }

    /// How a member of an object is written.
    fn member(&self, place: usize, name: &str) -> String {
        if self.is(place + 1, "(") {
            let range = place + 2..self.code.closing(place + 1);
            return format!("{OPTIONAL}{}", self.parameters(&range));
        }
        let value = if self.is(place + 1, ":") {
            self.word(place + 2)
        } else {
            name
        };
        self.local(value)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::between;
    use super::read;

    const ESM: &str = "import x from './x.js'\nexport const LIMIT = 3\nexport function total (items, tax = 0) { return helper(items) }\nexport const half = (a) => a / 2\nexport class Cart {\n  #own = 1\n  add (item) { return item }\n  _grow () {}\n}\nexport default total\nfunction helper () {}\nexport { helper as help }\n";
    const CJS: &str = "function total(items) { return items }\nclass Cart { add(item) {} }\nmodule.exports = {\n  total,\n  Cart: Cart,\n  half(a) { return { b: a } },\n}\nmodule.exports.LIMIT = 3\n";

    fn after(base: &str, head: &str) -> (Vec<String>, Vec<String>, Vec<String>) {
        let api = between(read, &[("shop.js", base)], &[("shop.js", head)]);
        (api.removed, api.changed, api.added)
    }

    #[test]
    fn what_is_inside_may_change() {
        let head = ESM
            .replace("function helper", "function inner")
            .replace("helper(items)", "inner(items)")
            .replace("helper as", "inner as")
            .replace("_grow", "_shrink")
            .replace("(a) => a", "(b) => b");
        assert_eq!(after(ESM, &head), (vec![], vec![], vec![]));
        assert_eq!(
            after(
                CJS,
                &CJS.replace("{ return items }", "{ return [...items] }")
            ),
            (vec![], vec![], vec![])
        );
    }

    #[test]
    fn what_others_use_may_not() {
        for (from, to, gone) in [
            ("function total", "function sum", "shop.js: total"),
            ("LIMIT", "MOST", "shop.js: LIMIT"),
            ("const half", "const part", "shop.js: half"),
            ("add (item)", "put (item)", "shop.js: Cart.add"),
            ("helper as help", "helper", "shop.js: help"),
            ("export default total\n", "", "shop.js: default"),
        ] {
            assert_eq!(after(ESM, &ESM.replace(from, to)).0, [gone], "{from}");
        }
        assert_eq!(
            after(ESM, &ESM.replace("items, tax = 0", "items, tax"))
                .1
                .len(),
            2
        );
        assert_eq!(
            after(ESM, &ESM.replace("tax = 0", "tax = 0, more = 1")).1,
            Vec::<String>::new()
        );
        assert_eq!(
            after(CJS, &CJS.replace("  total,\n", "  sum: total,\n")).0,
            ["shop.js: total"]
        );
        assert_eq!(
            after(CJS, &CJS.replace("exports.LIMIT", "exports.MOST")).0,
            ["shop.js: LIMIT"]
        );
        assert_eq!(after(CJS, &CJS.replace("half(a)", "half(a, b)")).1.len(), 1);
    }

    #[test]
    fn entries_are_the_surface_where_they_are_named() {
        let package = ("package.json", "{\"main\": \"./index.js\"}");
        let index = (
            "index.js",
            "export { total } from './lib/shop.js'\nexport * from './lib/more.js'\n",
        );
        let base = [
            package,
            index,
            ("lib/shop.js", ESM),
            ("lib/more.js", "export const A = 1\n"),
        ];
        let head = |shop: &str, more: &str| {
            let files = [package, index, ("lib/shop.js", shop), ("lib/more.js", more)];
            between(read, &base, &files).removed
        };
        assert_eq!(
            head(&ESM.replace("LIMIT", "MOST"), "export const A = 1\n"),
            Vec::<String>::new()
        );
        assert_eq!(head(ESM, "export const B = 1\n"), ["index.js: A"]);
    }
}
