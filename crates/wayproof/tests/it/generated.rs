//! Generated files say what the program says now.

use std::fs;

use crate::environment::Environment;

#[test]
fn generated_files_are_fresh() {
    let environment = Environment::new();
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    for (path, args) in [
        ("schema/policy.schema.json", ["policy", "schema"]),
        ("schema/openapi.json", ["reference", "openapi"]),
        ("docs/reference/cli.md", ["reference", "cli"]),
        ("docs/reference/policy.md", ["reference", "policy"]),
    ] {
        let kept = fs::read_to_string(format!("{root}/{path}")).unwrap_or_default();
        let said = environment.run(&args);
        assert!(
            kept == said.out,
            "{path} is stale: run `cargo xtask codegen`"
        );
    }
}
