//! Rust: what can be reached from a library's root through public modules and re-exports, with its signature.
//!
//! Macros are not expanded, and items that only exist under a condition are read as if they always did.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use quote::ToTokens;

use super::{Surface, text_of};

/// How deep modules and re-exports are followed.
const DEPTH: u8 = 24;

/// Reads the libraries that these files belong to.
pub(super) fn read(root: &Path, paths: &[&str]) -> Surface {
    let mut surface = Surface::default();
    let crates: BTreeSet<String> = paths
        .iter()
        .filter_map(|path| crate_of(root, path))
        .collect();
    for folder in crates {
        let place = |name: &str| crate::plan::join(&folder, name);
        let lib = place(&library(root, &place("Cargo.toml")));
        let Some(text) = text_of(root, &lib) else {
            continue;
        };
        let Ok(file) = syn::parse_file(&text) else {
            surface.unread.insert(lib);
            continue;
        };
        let name = if folder.is_empty() {
            "crate".to_owned()
        } else {
            folder.clone()
        };
        let mut reader = Reader {
            root,
            modules: BTreeMap::new(),
            unread: BTreeSet::new(),
        };
        let home = lib
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder)
            .to_owned();
        reader.load(&[], &home, &file.items, 0);
        reader.reach(&[], &name, &mut surface, &mut BTreeSet::new());
        surface.unread.append(&mut reader.unread);
    }
    surface
}

/// The nearest folder above with a manifest.
fn crate_of(root: &Path, path: &str) -> Option<String> {
    let mut folder = path;
    while let Some((up, _)) = folder.rsplit_once('/') {
        if root.join(up).join("Cargo.toml").is_file() {
            return Some(up.to_owned());
        }
        folder = up;
    }
    root.join("Cargo.toml").is_file().then(String::new)
}

/// The root of the library, as its manifest says.
fn library(root: &Path, manifest: &str) -> String {
    let text = text_of(root, manifest).unwrap_or_default();
    let table = text.parse::<toml::Table>().unwrap_or_default();
    let path = table
        .get("lib")
        .and_then(|lib| lib.get("path"))
        .and_then(|path| path.as_str());
    path.unwrap_or("src/lib.rs").to_owned()
}

type Place = Vec<String>;

/// The items of a module, and what it passes on.
#[derive(Default)]
struct Module {
    /// Public items with their signatures.
    items: Items,
    /// Names passed on, with the path they come from.
    passed: Vec<(String, Place)>,
    /// Modules whose public items are all passed on.
    stars: Vec<Place>,
    /// Modules that can be reached from here.
    open: BTreeSet<String>,
}

struct Reader<'a> {
    root: &'a Path,
    modules: BTreeMap<Place, Module>,
    unread: BTreeSet<String>,
}

impl Reader<'_> {
    /// Takes in a module and those below it; `home` is the folder its own modules lie in.
    fn load(&mut self, place: &[String], home: &str, items: &[syn::Item], depth: u8) {
        let mut module = Module::default();
        for item in items {
            if let syn::Item::Mod(inner) = item {
                let name = inner.ident.to_string();
                if is_public(&inner.vis) {
                    module.open.insert(name.clone());
                }
                self.load_inner(place, home, (&name, inner), depth);
                continue;
            }
            take(item, place, &mut module);
        }
        // What belongs to a type that is private, or stands elsewhere, is nothing others see here.
        let tops: BTreeSet<String> = module
            .items
            .keys()
            .filter(|key| !key.contains("::"))
            .cloned()
            .collect();
        module
            .items
            .retain(|key, _| tops.contains(key.split("::").next().unwrap_or(key)));
        self.modules.insert(place.to_vec(), module);
    }

    fn load_inner(
        &mut self,
        place: &[String],
        home: &str,
        (name, inner): (&str, &syn::ItemMod),
        depth: u8,
    ) {
        let is_test = inner
            .attrs
            .iter()
            .any(|attribute| attribute.to_token_stream().to_string().contains("test"));
        if depth > DEPTH || is_test {
            return;
        }
        let mut below = place.to_vec();
        below.push(name.to_owned());
        let folder = crate::plan::join(home, name);
        if let Some((_, items)) = &inner.content {
            self.load(&below, &folder, items, depth + 1);
            return;
        }
        let files = [format!("{folder}.rs"), format!("{folder}/mod.rs")];
        let found = files
            .iter()
            .find_map(|file| Some((file, text_of(self.root, file)?)));
        match found.map(|(file, text)| (file, syn::parse_file(&text))) {
            Some((_, Ok(file))) => self.load(&below, &folder, &file.items, depth + 1),
            Some((file, Err(_))) => {
                self.unread.insert(file.clone());
            }
            None => {
                self.unread.insert(format!("{folder}.rs"));
            }
        }
    }

    /// Puts down everything public under the name by which others reach it.
    fn reach(
        &self,
        place: &[String],
        name: &str,
        surface: &mut Surface,
        seen: &mut BTreeSet<(Place, String)>,
    ) {
        if seen.len() > 5_000 || !seen.insert((place.to_vec(), name.to_owned())) {
            return;
        }
        let Some(module) = self.modules.get(place) else {
            return;
        };
        for (item, how) in &module.items {
            surface.put(format!("{name}::{item}"), how);
        }
        for open in &module.open {
            let below = [place, std::slice::from_ref(open)].concat();
            self.reach(&below, &format!("{name}::{open}"), surface, seen);
        }
        for star in &module.stars {
            self.reach(star, name, surface, seen);
        }
        for (alias, from) in &module.passed {
            self.pass(from, &format!("{name}::{alias}"), surface, seen);
        }
    }

    /// Puts down what a re-export leads to.
    fn pass(
        &self,
        from: &[String],
        name: &str,
        surface: &mut Surface,
        seen: &mut BTreeSet<(Place, String)>,
    ) {
        if self.modules.contains_key(from) {
            self.reach(from, name, surface, seen);
            return;
        }
        let Some((last, folder)) = from.split_last() else {
            return;
        };
        let parts = self.modules.get(folder).map(|module| {
            let own = module.items.iter().filter_map(|(item, how)| {
                let rest = item.strip_prefix(last.as_str())?;
                (rest.is_empty() || rest.starts_with("::")).then_some((rest, how))
            });
            own.collect::<Vec<_>>()
        });
        let parts = parts.unwrap_or_default();
        // From another crate, or through one more re-export: the name is what there is.
        if parts.is_empty() {
            surface.items.entry(name.to_owned()).or_default();
        }
        for (rest, how) in parts {
            surface.put(format!("{name}{rest}"), how);
        }
    }
}

fn is_public(visibility: &syn::Visibility) -> bool {
    matches!(visibility, syn::Visibility::Public(_))
}

fn text(tokens: &impl ToTokens) -> String {
    tokens.to_token_stream().to_string()
}

/// A function as callers see it: without the names of its parameters.
fn call(signature: &syn::Signature) -> String {
    let inputs: Vec<String> = signature
        .inputs
        .iter()
        .map(|input| match input {
            syn::FnArg::Receiver(receiver) => text(receiver),
            syn::FnArg::Typed(typed) => text(&typed.ty),
        })
        .collect();
    let before = [
        text(&signature.constness),
        text(&signature.asyncness),
        text(&signature.unsafety),
        text(&signature.abi),
    ];
    let generics = &signature.generics;
    format!(
        "{}fn{}({}) {} {}",
        before.concat(),
        text(generics),
        inputs.join(", "),
        text(&signature.output),
        text(&generics.where_clause)
    )
}

/// Takes one item that is no module.
fn take(item: &syn::Item, place: &[String], module: &mut Module) {
    let items = &mut module.items;
    match item {
        syn::Item::Fn(item) if is_public(&item.vis) => {
            items.insert(item.sig.ident.to_string(), call(&item.sig));
        }
        syn::Item::Struct(item) if is_public(&item.vis) => take_struct(item, items),
        syn::Item::Enum(item) if is_public(&item.vis) => take_enum(item, items),
        syn::Item::Trait(item) if is_public(&item.vis) => take_trait(item, items),
        syn::Item::Const(item) if is_public(&item.vis) => {
            items.insert(item.ident.to_string(), format!("const {}", text(&item.ty)));
        }
        syn::Item::Static(item) if is_public(&item.vis) => {
            items.insert(item.ident.to_string(), format!("static {}", text(&item.ty)));
        }
        syn::Item::Type(item) if is_public(&item.vis) => {
            items.insert(item.ident.to_string(), format!("type {}", text(&item.ty)));
        }
        syn::Item::Macro(item) if is_exported(&item.attrs) => {
            items.extend(
                item.ident
                    .iter()
                    .map(|name| (format!("{name}!"), "macro".to_owned())),
            );
        }
        syn::Item::Impl(item) => take_impl(item, items),
        syn::Item::Use(item) if is_public(&item.vis) => take_use(&item.tree, place, &[], module),
        _ => {}
    }
}

type Items = BTreeMap<String, String>;

fn is_exported(attributes: &[syn::Attribute]) -> bool {
    attributes
        .iter()
        .any(|attribute| attribute.path().is_ident("macro_export"))
}

fn take_struct(item: &syn::ItemStruct, items: &mut Items) {
    let name = item.ident.to_string();
    items.insert(name.clone(), format!("struct {}", text(&item.generics)));
    for (number, field) in item
        .fields
        .iter()
        .enumerate()
        .filter(|(_, field)| is_public(&field.vis))
    {
        let own = field
            .ident
            .as_ref()
            .map_or_else(|| number.to_string(), ToString::to_string);
        items.insert(format!("{name}::{own}"), text(&field.ty));
    }
}

fn take_enum(item: &syn::ItemEnum, items: &mut Items) {
    let name = item.ident.to_string();
    items.insert(name.clone(), format!("enum {}", text(&item.generics)));
    for variant in &item.variants {
        let fields = text(&variant.fields);
        items.insert(
            format!("{name}::{}", variant.ident),
            format!("variant {fields}"),
        );
    }
}

fn take_trait(item: &syn::ItemTrait, items: &mut Items) {
    let name = item.ident.to_string();
    let above = text(&item.supertraits);
    items.insert(
        name.clone(),
        format!("trait {} : {above}", text(&item.generics)),
    );
    for part in &item.items {
        if let syn::TraitItem::Fn(method) = part {
            let how = if method.default.is_some() {
                "provided"
            } else {
                "required"
            };
            let key = format!("{name}::{}", method.sig.ident);
            items.insert(key, format!("{how} {}", call(&method.sig)));
        }
    }
}

/// Public methods count for the type they are of; of traits, that they are implemented.
fn take_impl(item: &syn::ItemImpl, items: &mut Items) {
    let syn::Type::Path(owner) = item.self_ty.as_ref() else {
        return;
    };
    let Some(owner) = owner
        .path
        .segments
        .last()
        .map(|last| last.ident.to_string())
    else {
        return;
    };
    if let Some((_, path, _)) = &item.trait_ {
        let name = path.segments.last().map(text).unwrap_or_default();
        items.insert(format!("{owner}::<{name}>"), "implemented".to_owned());
        return;
    }
    for part in &item.items {
        if let syn::ImplItem::Fn(method) = part
            && is_public(&method.vis)
        {
            items.insert(format!("{owner}::{}", method.sig.ident), call(&method.sig));
        }
    }
}

fn take_use(tree: &syn::UseTree, place: &[String], before: &[String], module: &mut Module) {
    let absolute = |path: &[String]| -> Place {
        let mut whole = match path.first().map(String::as_str) {
            Some("crate") => Vec::new(),
            _ => place.to_vec(),
        };
        for part in path {
            match part.as_str() {
                "crate" | "self" => {}
                "super" => {
                    whole.pop();
                }
                other => whole.push(other.to_owned()),
            }
        }
        whole
    };
    let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
    match tree {
        syn::UseTree::Path(path) => take_use(&path.tree, place, &with(&path.ident), module),
        syn::UseTree::Name(name) if name.ident == "self" => {
            let alias = before.last().cloned().unwrap_or_default();
            module.passed.push((alias, absolute(before)));
        }
        syn::UseTree::Name(name) => module
            .passed
            .push((name.ident.to_string(), absolute(&with(&name.ident)))),
        syn::UseTree::Rename(rename) => {
            module
                .passed
                .push((rename.rename.to_string(), absolute(&with(&rename.ident))));
        }
        syn::UseTree::Glob(_) => module.stars.push(absolute(before)),
        syn::UseTree::Group(group) => {
            for tree in &group.items {
                take_use(tree, place, before, module);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::between;
    use super::read;

    const MANIFEST: (&str, &str) = ("Cargo.toml", "[package]\nname = \"shop\"\n");
    const LIB: &str = "mod inner;\npub mod cart;\npub use inner::{total, Tax as Rate};\npub const LIMIT: u8 = 3;\npub(crate) fn own() {}\n#[cfg(test)]\nmod tests {\n    pub fn t() {}\n}\n";
    const INNER: &str = "struct Own;\nimpl Own {\n    pub fn all() {}\n}\npub fn total(items: &[u8], tax: Tax) -> u8 { helper(); 0 }\npub struct Tax { pub rate: u8, own: u8 }\nimpl Tax {\n    pub fn new(rate: u8) -> Self { Self { rate, own: 0 } }\n    fn hidden() {}\n}\nfn helper() {}\npub fn unreached() {}\n";
    const CART: &str = "pub enum Item { One, Two(u8) }\n";

    fn after(lib: &str, inner: &str, cart: &str) -> (Vec<String>, Vec<String>, Vec<String>) {
        let api = between(
            read,
            &[
                MANIFEST,
                ("src/lib.rs", LIB),
                ("src/inner.rs", INNER),
                ("src/cart.rs", CART),
            ],
            &[
                MANIFEST,
                ("src/lib.rs", lib),
                ("src/inner.rs", inner),
                ("src/cart.rs", cart),
            ],
        );
        (api.removed, api.changed, api.added)
    }

    #[test]
    fn what_is_inside_may_change() {
        let inner = INNER
            .replace("helper", "help")
            .replace("unreached", "gone")
            .replace("items: ", "goods: ")
            .replace("own: u8", "mine: u8")
            .replace("hidden", "shown")
            .replace("Own", "Mine");
        assert_eq!(
            after(&LIB.replace("fn own", "fn mine"), &inner, CART),
            (vec![], vec![], vec![])
        );
        let moved = LIB.replace(
            "mod inner;",
            "mod inner {\n    pub use super::other::*;\n}\nmod other;",
        );
        let api = between(
            read,
            &[
                MANIFEST,
                ("src/lib.rs", LIB),
                ("src/inner.rs", INNER),
                ("src/cart.rs", CART),
            ],
            &[
                MANIFEST,
                (
                    "src/lib.rs",
                    &moved.replace("pub use inner::", "pub use other::"),
                ),
                ("src/other.rs", INNER),
                ("src/cart.rs", CART),
            ],
        );
        assert!(api.removed.is_empty() && api.changed.is_empty(), "{api:?}");
    }

    #[test]
    fn what_others_use_may_not() {
        assert_eq!(
            after(&LIB.replace("LIMIT", "MOST"), INNER, CART).0,
            ["crate::LIMIT"]
        );
        assert_eq!(
            after(LIB, &INNER.replace("fn new", "fn make"), CART).0,
            ["crate::Rate::new"]
        );
        assert_eq!(
            after(LIB, INNER, &CART.replace("Two(u8)", "Two(u16)"))
                .1
                .len(),
            1
        );
        assert_eq!(
            after(&LIB.replace("pub mod cart", "mod cart"), INNER, CART)
                .0
                .len(),
            3
        );
        assert_eq!(
            after(LIB, &INNER.replace("tax: Tax)", "tax: &Tax)"), CART)
                .1
                .len(),
            1
        );
    }
}
