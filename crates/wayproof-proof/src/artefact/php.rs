//! PHP: the archive that Composer would publish, unpacked in a folder of its own, where every class of it is loaded.
//!
//! Where there is no Composer, what `composer.json` lets be loaded is copied there instead.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::packed::{Packed, Packing, text};
use super::{Needs, Try};
use crate::mutation::own_file;
use crate::plan::Role;
use crate::plan::role::role_of;
use crate::run::Trouble;
use crate::runner::node_files::walk;

/// Loads what the package holds, after what others bring, and says so by TAP.
const TRY: &str = r#"<?php
$plan = json_decode(file_get_contents(__DIR__ . '/plan.json'), true);
$copy = realpath(__DIR__ . '/package');
if ($plan['vendor'] !== null) {
    require $plan['vendor'];
}
spl_autoload_register(function ($class) use ($plan, $copy) {
    foreach ($plan['prefixes'] as [$prefix, $folder]) {
        if (strncmp($class, $prefix, strlen($prefix)) === 0) {
            $file = $copy . '/' . $folder . '/' . str_replace('\\', '/', substr($class, strlen($prefix))) . '.php';
            if (is_file($file)) {
                require_once $file;
                return;
            }
        }
    }
}, true, true);
echo '1..', count($plan['files']) + count($plan['classes']), "\n";
$number = 0;
foreach ($plan['files'] as $file) {
    require_once $copy . '/' . $file;
    echo 'ok ', ++$number, ' - ', $file, " loads\n";
}
foreach ($plan['classes'] as $class) {
    $is = class_exists($class) || interface_exists($class) || trait_exists($class) || (function_exists('enum_exists') && enum_exists($class));
    $from = $is ? (new ReflectionClass($class))->getFileName() : '';
    $own = $is && strncmp((string) $from, $copy . '/', strlen($copy) + 1) === 0;
    echo $own ? 'ok ' : 'not ok ', ++$number, ' - ', $class, $own ? " loads\n" : " is not in the package\n";
}
"#;

/// Unpacks what Composer archived; the archive is a plain one, so nothing of it runs.
const UNPACK: &str = "(new PharData($argv[1]))->extractTo($argv[2]);";

/// What `composer.json` says of loading.
struct Autoload {
    /// Prefixes of names with the folders their files are in.
    prefixes: Vec<(String, String)>,
    /// Files that are loaded in any case.
    files: Vec<String>,
    /// Further files and folders in which classes are looked for.
    classmap: Vec<String>,
    /// Folders in which none are looked for.
    excluded: Vec<String>,
}

/// Packs the package: Composer's own archive of it, or where there is no Composer a copy of what an autoloader names.
pub(super) fn pack(packing: &mut Packing<'_>) -> Result<Packed, Trouble> {
    let manifest = std::fs::read(packing.cwd.join("composer.json")).unwrap_or_default();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap_or_default();
    let (Some(autoload), Some(php)) = (manifest.get("autoload"), packing.find("php")) else {
        return Ok(Packed::Unknown);
    };
    let autoload = Autoload::read(autoload);
    let classes = autoload.classes(&packing.cwd);
    if classes.is_empty() && autoload.files.is_empty() {
        return Ok(Packed::Unknown);
    }
    let package = packing.out.join("package");
    if let Some(composer) = packing.find("composer") {
        if let Some(why) = archive(packing, (&composer, &php), &package)? {
            return Ok(Packed::Failed(why));
        }
    } else {
        autoload.copy(&packing.cwd, &package)?;
    }
    let vendor = packing.cwd.join("vendor/autoload.php");
    let plan = json!({
        "vendor": vendor.is_file().then(|| text(&vendor)),
        "prefixes": autoload.prefixes,
        "files": autoload.files,
        "classes": classes,
    });
    packing.put("plan.json", &plan.to_string())?;
    let script = packing.put("try.php", TRY)?;
    let mut artefact = packing.artefact(package, Needs::default())?;
    artefact.tries.push(Try {
        argv: vec![php, text(&script)],
        cwd: packing.away(),
        or: Vec::new(),
    });
    Ok(Packed::Made(artefact))
}

/// Has Composer make the archive that it would publish and unpacks that; what was said where it could not.
fn archive(
    packing: &mut Packing<'_>,
    (composer, php): (&str, &str),
    package: &Path,
) -> Result<Option<String>, Trouble> {
    let out = text(&packing.out);
    let pairs = [
        ("COMPOSER_HOME", packing.out.join("composer")),
        ("COMPOSER_CACHE_DIR", packing.out.join("composer/cache")),
        ("COMPOSER_ALLOW_SUPERUSER", PathBuf::from("1")),
        ("COMPOSER_DISABLE_NETWORK", PathBuf::from("1")),
        // It would ask git, which knows nothing of this tree.
        ("COMPOSER_ROOT_VERSION", PathBuf::from("1.0.0")),
    ];
    let needs = Needs {
        env: pairs
            .map(|(name, value)| (name.to_owned(), text(&value)))
            .to_vec(),
        ..Needs::default()
    };
    let words = [
        composer,
        "archive",
        "--no-plugins",
        "--no-scripts",
        "--no-interaction",
        "--no-ansi",
        "--format=tar",
        "--dir",
        &out,
        "--file",
        "built",
    ];
    if let Some(why) = packing.run(words.map(str::to_owned).to_vec(), &needs)? {
        return Ok(Some(why));
    }
    let file = text(&packing.out.join("built.tar"));
    let words = [php, "-r", UNPACK, "--", &file, &text(package)];
    packing.run(words.map(str::to_owned).to_vec(), &Needs::default())
}

impl Autoload {
    fn read(autoload: &Value) -> Self {
        let list = |key: &str| strings(autoload.get(key).unwrap_or(&Value::Null));
        Self {
            prefixes: prefixes(autoload),
            files: list("files"),
            classmap: list("classmap"),
            excluded: list("exclude-from-classmap"),
        }
    }

    /// The classes that users of the package may name: those of its folders, without its tests.
    fn classes(&self, cwd: &Path) -> Vec<String> {
        let mut classes = Vec::new();
        for (prefix, folder) in &self.prefixes {
            for path in walk(&cwd.join(folder)) {
                let inside = join(folder, &path);
                let Some(place) = own_file(cwd, &inside).filter(|_| self.is_offered(&inside))
                else {
                    continue;
                };
                let source = std::fs::read_to_string(&place).unwrap_or_default();
                let stem = path.strip_suffix(".php");
                if let Some(stem) = stem.filter(|stem| declares(&source, stem)) {
                    classes.push(format!("{prefix}{}", stem.replace('/', "\\")));
                }
            }
        }
        classes
    }

    fn is_offered(&self, path: &str) -> bool {
        let is_excluded = |pattern: &String| {
            let folder = pattern.trim_matches(['/', '*']);
            !folder.is_empty()
                && !folder.contains('*')
                && format!("{path}/").starts_with(&format!("{folder}/"))
        };
        role_of(path) == Role::Source && !self.excluded.iter().any(is_excluded)
    }

    /// Copies what an autoloader names.
    fn copy(&self, cwd: &Path, package: &Path) -> Result<(), Trouble> {
        let folders = self.prefixes.iter().map(|(_, folder)| folder);
        for path in folders.chain(&self.files).chain(&self.classmap) {
            if let Some(place) = own_file(cwd, path) {
                lay(&place, &package.join(path))?;
                continue;
            }
            for inner in walk(&cwd.join(path)) {
                let inside = join(path, &inner);
                if let Some(place) = own_file(cwd, &inside) {
                    lay(&place, &package.join(&inside))?;
                }
            }
        }
        Ok(())
    }
}

/// Prefixes of names with the folders their files are in.
fn prefixes(autoload: &Value) -> Vec<(String, String)> {
    let named = autoload.get("psr-4").and_then(Value::as_object);
    let pairs = named.into_iter().flatten().flat_map(|(prefix, folders)| {
        let folders = strings(folders).into_iter();
        folders.map(move |folder| (prefix.clone(), folder.trim_matches('/').to_owned()))
    });
    let is_inside = |folder: &str| {
        !Path::new(folder)
            .components()
            .any(|part| part.as_os_str() == "..")
    };
    pairs
        .filter(|(_, folder)| is_inside(folder) && !folder.starts_with('/'))
        .collect()
}

fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => vec![one.clone()],
        Value::Array(all) => all
            .iter()
            .filter_map(|one| Some(one.as_str()?.to_owned()))
            .collect(),
        _ => Vec::new(),
    }
}

fn join(folder: &str, path: &str) -> String {
    if folder.is_empty() || folder == "." {
        path.to_owned()
    } else {
        format!("{}/{path}", folder.trim_end_matches('/'))
    }
}

/// Whether a file declares what its name promises.
fn declares(source: &str, stem: &str) -> bool {
    let name = stem.rsplit('/').next().unwrap_or(stem);
    let words: Vec<&str> = source
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .collect();
    words.windows(2).any(|pair| {
        matches!(pair, [kind, found] if matches!(*kind, "class" | "interface" | "trait" | "enum") && *found == name)
    })
}

fn lay(from: &Path, to: &Path) -> Result<(), Trouble> {
    let folder: PathBuf = to.parent().map(Path::to_path_buf).unwrap_or_default();
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::copy(from, to))
        .map(drop)
        .map_err(Trouble::io("copy the package"))
}
