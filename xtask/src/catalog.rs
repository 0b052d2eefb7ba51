//! Makes the vendored price catalog anew from the published `genai-prices` package (MIT).
//!
//! The package is downloaded with the ordinary Python client; the engine turns its data and our own rows into the catalog.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::run::{self, command, read, root};

const CATALOG: &str = "crates/wayproof-engine/catalog/prices.json";
const OVERRIDES: &str = "crates/wayproof-engine/catalog/overrides.json";

/// Prints the wheel's data module.
const SCRIPT: &str = "import sys, zipfile\n\
    wheel = zipfile.ZipFile(sys.argv[1])\n\
    name = next(n for n in wheel.namelist() if n.endswith('genai_prices/data.py'))\n\
    sys.stdout.write(wheel.read(name).decode())";

/// Downloads the newest package and writes the catalog.
pub(crate) fn run() -> Result<()> {
    let folder = tempfile::tempdir().context("making a folder for the download")?;
    let place = folder.path().to_string_lossy().into_owned();
    let args = [
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--dest",
        &place,
        "genai-prices",
    ];
    run::run(&mut command("python3", &args))?;
    let wheel = fs::read_dir(folder.path())
        .context("reading the download")?
        .filter_map(Result::ok)
        .find(|entry| entry.path().extension().is_some_and(|kind| kind == "whl"));
    let Some(wheel) = wheel else {
        bail!("the download holds no wheel")
    };
    let name = wheel.file_name().to_string_lossy().into_owned();
    let version = name.split('-').nth(1).context("the wheel has no version")?;
    let wheel = wheel.path().to_string_lossy().into_owned();
    let data = read(&mut command("python3", &["-c", SCRIPT, &wheel]))?;
    let overrides = fs::read_to_string(root().join(OVERRIDES))
        .with_context(|| format!("reading {OVERRIDES}"))?;
    let date = read(&mut command("date", &["-u", "+%F"]))?;
    let source = format!("genai-prices {version} (PyPI, MIT) and our own rows");
    let catalog = wayproof_engine::build_catalog(&data, &overrides, &source, date.trim())
        .context("turning the data into a catalog")?;
    fs::write(root().join(CATALOG), catalog).with_context(|| format!("writing {CATALOG}"))?;
    println!("wrote {CATALOG}");
    Ok(())
}
