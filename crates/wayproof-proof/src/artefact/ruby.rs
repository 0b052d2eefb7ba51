//! Ruby: a gem, built and installed into a folder of its own, whose entry files are loaded and whose programs start.

use std::path::{Path, PathBuf};

use super::packed::{Packed, Packing, files_of, text};
use super::{Needs, Try};
use crate::run::Trouble;
use crate::runner::ruby;

/// Loads each name, and says so by TAP.
const TRY: &str = "puts \"1..#{ARGV.size}\"
ARGV.each_with_index do |name, at|
  begin
    require name
    puts \"ok #{at + 1} - #{name} loads\"
  rescue Exception => error
    puts \"not ok #{at + 1} - #{name}: #{error.class}: #{error.message.lines.first}\"
  end
end
";

/// Packs the one gem that the folder describes.
pub(super) fn pack(packing: &mut Packing<'_>) -> Result<Packed, Trouble> {
    let specs: Vec<PathBuf> = files_of(&packing.cwd)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|end| end == "gemspec"))
        .collect();
    let ([spec], Some(gem), Some(ruby)) =
        (specs.as_slice(), packing.find("gem"), packing.find("ruby"))
    else {
        return Ok(Packed::Unknown);
    };
    let home = packing.out.join("gems");
    let needs = needs(packing, &home);
    if let Some(why) = install(packing, &gem, spec, &home)? {
        return Ok(Packed::Failed(why));
    }
    let names = entries(&home);
    if names.is_empty() {
        // Its list of files comes from git, which is not asked here.
        let source = std::fs::read_to_string(spec).unwrap_or_default();
        return Ok(if source.contains("git ") {
            Packed::Unknown
        } else {
            Packed::Failed("the gem holds no file to load".to_owned())
        });
    }
    let script = packing.put("try.rb", TRY)?;
    let mut artefact = packing.artefact(home.clone(), needs)?;
    let cwd = packing.away();
    let start = [ruby.clone(), text(&script)];
    artefact.tries.push(Try {
        argv: [start.to_vec(), names].concat(),
        cwd: cwd.clone(),
        or: Vec::new(),
    });
    for program in files_of(&home.join("bin")) {
        let ask = |flag: &str| vec![ruby.clone(), text(&program), flag.to_owned()];
        artefact.tries.push(Try {
            argv: ask("--help"),
            cwd: cwd.clone(),
            or: vec![ask("--version")],
        });
    }
    Ok(Packed::Made(artefact))
}

/// Builds the gem and installs it; what was said where that failed.
fn install(
    packing: &mut Packing<'_>,
    gem: &str,
    spec: &Path,
    home: &Path,
) -> Result<Option<String>, Trouble> {
    let (spec, home) = (text(spec), text(home));
    let file = text(&packing.out.join("built.gem"));
    let build: &[&str] = &[gem, "build", &spec, "--output", &file];
    let install: &[&str] = &[
        gem,
        "install",
        "--local",
        "--no-document",
        "--ignore-dependencies",
        "--install-dir",
        &home,
        &file,
    ];
    for words in [build, install] {
        let argv = words.iter().map(|word| (*word).to_owned()).collect();
        let said = packing.run(argv, &Needs::default())?;
        if said.is_some() {
            return Ok(said);
        }
    }
    Ok(None)
}

/// Finds the installed gem first, then those it depends on.
fn needs(packing: &Packing<'_>, home: &Path) -> Needs {
    let readable = ruby::gems(packing.host.machine);
    let folders = readable.iter().map(|folder| text(folder));
    let folders: Vec<String> = std::iter::once(text(home)).chain(folders).collect();
    Needs {
        env: vec![
            // Behind the last colon are ruby's own folders.
            ("GEM_PATH".to_owned(), format!("{}:", folders.join(":"))),
            ("GEM_HOME".to_owned(), text(home)),
        ],
        writable: Vec::new(),
        readable,
    }
}

/// What people require of the gem: the files that lie in its `lib` itself.
fn entries(home: &Path) -> Vec<String> {
    let installed = std::fs::read_dir(home.join("gems")).into_iter().flatten();
    let folder = installed.flatten().next().map(|entry| entry.path());
    files_of(&folder.unwrap_or_default().join("lib"))
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "rb"))
        .filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .collect()
}
