//! Packs the static files once, so that the binary lends them out compressed and nothing is packed at run time.

#![expect(
    clippy::expect_used,
    reason = "a build without its files stops with the reason"
)]

use std::{env, fs, io::Write, path::Path};

use flate2::{Compression, write::GzEncoder};

const FILES: [&str; 5] = [
    "style.css",
    "htmx.min.js",
    "hx-sse.min.js",
    "icon.svg",
    "LICENSE-htmx",
];

fn main() {
    let out = env::var_os("OUT_DIR").expect("cargo names the output folder");
    for file in FILES {
        let source = Path::new("assets").join(file);
        println!("cargo::rerun-if-changed={}", source.display());
        let content = fs::read(&source).expect("the file is there");
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(&content).expect("memory takes it");
        let packed = packed.finish().expect("memory takes it");
        fs::write(Path::new(&out).join(format!("{file}.gz")), packed)
            .expect("the output folder takes it");
    }
}
