//! Everything that must hold before a change lands, in the order in which it fails fastest.

use anyhow::Result;

use crate::{
    codegen,
    run::{self, command},
    test, tools,
};

/// Runs every stage; the test runner is last, so that its summary closes the output.
pub(crate) fn run() -> Result<()> {
    stage("fmt", || run_cargo(&["fmt", "--all", "--check"]))?;
    stage("tools", tools::ensure_all)?;
    // The optimized build ends on one core; it goes on while the next stages use the other.
    let optimized = run::start(&mut command("cargo", &["build", "--release", "--locked"]))?;
    stage("clippy", || {
        run_cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ])
    })?;
    stage("without features", || {
        run_cargo(&[
            "clippy",
            "--package",
            "wayproof",
            "--no-default-features",
            "--locked",
            "--",
            "-D",
            "warnings",
        ])
    })?;
    stage("deny", deny)?;
    stage("doc", || {
        let mut doc = command("cargo", &["doc", "--workspace", "--no-deps", "--locked"]);
        run::run(doc.env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    stage("generated files", codegen::check)?;
    stage("readme", || {
        run::finish(optimized)?;
        run_cargo(&["run", "--release", "--locked", "--", "demo"])
    })?;
    stage("test", || test::run(&[]))
}

fn stage(name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("\n== {name}");
    work()
}

fn run_cargo(args: &[&str]) -> Result<()> {
    run::run(&mut command("cargo", args))
}

/// Advisories live in a database on the network; everything else is checked without one.
fn deny() -> Result<()> {
    run_cargo(&[
        "deny",
        "--locked",
        "check",
        "--hide-inclusion-graph",
        "bans",
        "licenses",
        "sources",
    ])?;
    if run_cargo(&["deny", "--locked", "check", "advisories"]).is_err() {
        println!(
            "deny: the advisory check did not pass or its database cannot be reached; the lines above say which"
        );
    }
    Ok(())
}
