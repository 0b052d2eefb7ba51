//! Generated files: what the program says of itself, written where readers and editors look.
//!
//! That they are fresh is a test of the program, which has it built already.

use std::fs;

use anyhow::{Context, Result};

use crate::run::{command, read, root};

/// Each generated file with the arguments of `wayproof` that print it.
const FILES: [(&str, &[&str]); 4] = [
    ("schema/policy.schema.json", &["policy", "schema"]),
    ("schema/openapi.json", &["reference", "openapi"]),
    ("docs/reference/cli.md", &["reference", "cli"]),
    ("docs/reference/policy.md", &["reference", "policy"]),
];

/// Writes every generated file.
pub(crate) fn write() -> Result<()> {
    for (path, args) in FILES {
        let content = generate(args)?;
        let target = root().join(path);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).with_context(|| format!("making the folder of {path}"))?;
        }
        fs::write(target, content).with_context(|| format!("writing {path}"))?;
        println!("wrote {path}");
    }
    Ok(())
}

fn generate(args: &[&str]) -> Result<String> {
    let mut cargo = command(
        "cargo",
        &["run", "--quiet", "--locked", "--package", "wayproof", "--"],
    );
    read(cargo.args(args))
}
