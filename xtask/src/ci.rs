//! Everything that must hold before a change lands, in the order in which it fails fastest.

use std::thread;

use anyhow::{Result, anyhow};

use crate::{
    run::{self, command},
    test, tools,
};

/// Runs every stage; the test runner is last, so that its summary closes the output.
pub(crate) fn run() -> Result<()> {
    stage("fmt", || run_cargo(&["fmt", "--all", "--check"]))?;
    // What the tests need comes over the network while the compiler has the processor.
    let installing = thread::spawn(tools::ensure_for_tests);
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
    // The one crate whose code depends on features has none of them when it is built alone.
    stage("without features", || {
        run_cargo(&[
            "clippy",
            "--package",
            "wayproof-upstream",
            "--locked",
            "--",
            "-D",
            "warnings",
        ])
    })?;
    stage("doc", || {
        let mut doc = command("cargo", &["doc", "--workspace", "--no-deps", "--locked"]);
        run::run(doc.env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    stage("deny", deny)?;
    stage("tools", || {
        let installed = installing.join();
        installed
            .map_err(|_| anyhow!("installing the tests' tools panicked; the lines above say why"))?
            .map(|_| ())
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
    tools::ensure_for_licences()?;
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
