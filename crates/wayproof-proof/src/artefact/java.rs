//! Java: a jar of what was compiled, alone on a clean class path, whose classes are loaded from it.

use std::path::Path;

use super::packed::{Packed, Packing, text};
use super::{Needs, Try};
use crate::run::Trouble;

/// Where Maven and Gradle put classes.
const CLASSES: [&str; 2] = ["target/classes", "build/classes/java/main"];
/// Loads every class of the jar, and says so by TAP. What belongs to another package is not on the path.
const TRY: &str = r#"import java.io.File;
import java.util.*;
import java.util.jar.*;

public class Try {
    public static void main(String[] args) throws Exception {
        File jar = new File(args[0]).getCanonicalFile();
        List<String> names = new ArrayList<>();
        try (JarFile file = new JarFile(jar)) {
            for (JarEntry entry : Collections.list(file.entries())) {
                String name = entry.getName();
                if (name.endsWith(".class") && !name.endsWith("-info.class") && !name.startsWith("META-INF/")) {
                    names.add(name.substring(0, name.length() - 6).replace('/', '.'));
                }
            }
        }
        StringBuilder out = new StringBuilder("1.." + names.size() + "\n");
        int number = 0;
        for (String name : names) {
            number++;
            try {
                Class<?> found = Class.forName(name, false, Try.class.getClassLoader());
                File from = new File(found.getProtectionDomain().getCodeSource().getLocation().toURI()).getCanonicalFile();
                out.append(from.equals(jar) ? "ok " : "not ok ").append(number).append(" - ").append(name);
                out.append(from.equals(jar) ? " loads\n" : " is not from the jar\n");
            } catch (NoClassDefFoundError missing) {
                String needed = String.valueOf(missing.getMessage()).replace('/', '.');
                boolean own = names.contains(needed);
                out.append(own ? "not ok " : "ok ").append(number).append(" - ").append(name);
                out.append(own ? " does not load\n" : " # SKIP needs another package\n");
            } catch (Throwable error) {
                out.append("not ok ").append(number).append(" - ").append(name).append(": ").append(error).append("\n");
            }
        }
        System.out.print(out);
    }
}
"#;

/// Takes away classes that came with the tree.
pub(super) fn forget_built(cwd: &Path) -> Result<(), Trouble> {
    for folder in CLASSES.map(|folder| cwd.join(folder)) {
        let is_folder = folder.symlink_metadata().is_ok_and(|data| data.is_dir());
        if is_folder {
            std::fs::remove_dir_all(&folder).map_err(Trouble::io("take old classes away"))?;
        }
    }
    Ok(())
}

/// Packs the classes.
pub(super) fn pack(packing: &mut Packing<'_>) -> Result<Packed, Trouble> {
    let classes = CLASSES
        .map(|folder| packing.cwd.join(folder))
        .into_iter()
        .find(|folder| folder.is_dir());
    let (Some(classes), Some(jar), Some(java)) =
        (classes, packing.find("jar"), packing.find("java"))
    else {
        return Ok(Packed::Unknown);
    };
    let file = packing.out.join("built.jar");
    let needs = Needs::default();
    let (classes, target) = (text(&classes), text(&file));
    let words = ["--create", "--file", &target, "-C", &classes, "."].map(str::to_owned);
    if let Some(why) = packing.run([vec![jar], words.to_vec()].concat(), &needs)? {
        return Ok(Packed::Failed(why));
    }
    let script = text(&packing.put("Try.java", TRY)?);
    let mut artefact = packing.artefact(file, needs)?;
    let words = ["-XX:TieredStopAtLevel=1", "-cp", &target, &script, &target].map(str::to_owned);
    artefact.tries.push(Try {
        argv: [vec![java], words.to_vec()].concat(),
        cwd: packing.away(),
        or: Vec::new(),
    });
    Ok(Packed::Made(artefact))
}
