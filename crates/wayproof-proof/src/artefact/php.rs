//! PHP: what `composer.json` lets be loaded, copied to a folder of its own, where every class of it is loaded.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::packed::{Packed, Packing, text};
use super::{Needs, Try};
use crate::mutation::own_file;
use crate::run::Trouble;
use crate::runner::node_files::walk;

/// Loads what the copy holds, after what others bring, and says so by TAP.
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

/// Copies the package.
pub(super) fn pack(packing: &mut Packing<'_>) -> Result<Packed, Trouble> {
    let manifest = std::fs::read(packing.cwd.join("composer.json")).unwrap_or_default();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap_or_default();
    let (Some(autoload), Some(php)) = (manifest.get("autoload"), packing.find("php")) else {
        return Ok(Packed::Unknown);
    };
    let prefixes = prefixes(autoload);
    let files: Vec<String> = strings(autoload.get("files").unwrap_or(&Value::Null));
    let package = packing.out.join("package");
    let mut classes = Vec::new();
    for (prefix, folder) in &prefixes {
        for path in walk(&packing.cwd.join(folder)) {
            let inside = join(folder, &path);
            let Some(place) = own_file(&packing.cwd, &inside) else {
                continue;
            };
            lay(&place, &package.join(&inside))?;
            let source = std::fs::read_to_string(&place).unwrap_or_default();
            if let Some(stem) = path
                .strip_suffix(".php")
                .filter(|stem| declares(&source, stem))
            {
                classes.push(format!("{prefix}{}", stem.replace('/', "\\")));
            }
        }
    }
    for path in files
        .iter()
        .chain(&strings(autoload.get("classmap").unwrap_or(&Value::Null)))
    {
        if let Some(place) = own_file(&packing.cwd, path) {
            lay(&place, &package.join(path))?;
            continue;
        }
        for inner in walk(&packing.cwd.join(path)) {
            let inside = join(path, &inner);
            if let Some(place) = own_file(&packing.cwd, &inside) {
                lay(&place, &package.join(&inside))?;
            }
        }
    }
    if classes.is_empty() && files.is_empty() {
        return Ok(Packed::Unknown);
    }
    let vendor = packing.cwd.join("vendor/autoload.php");
    let plan = json!({
        "vendor": vendor.is_file().then(|| text(&vendor)),
        "prefixes": prefixes,
        "files": files,
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
