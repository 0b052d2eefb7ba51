//! What is written here, verified by programs that are not ours: the in-toto and Secure Systems Lab libraries, OpenSSH's
//! reading of the keys, and Go's verifier of signed notes.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{environment::Environment, prove::repository};

const RIGHT: &str = "pub fn sum(a: i32, b: i32) -> i32 {\n    a + b\n}\n";

/// Reads a receipt line by line: the signature by securesystemslib, the statement by in-toto's own type.
const IN_TOTO: &str = r#"
import base64, json, sys
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

key_hex = base64.b64decode(sys.argv[2]).hex()
count, kinds = 0, []
for line in open(sys.argv[1], encoding="utf-8"):
    raw = json.loads(line)
    keys = [SSlibKey(one["keyid"], "ed25519", "ed25519", {"public": key_hex}) for one in raw["signatures"]]
    envelope = Envelope.from_dict(raw)
    envelope.verify(keys, 1)
    statement = Statement.copy_from_pb(json_format.Parse(envelope.payload, statement_pb2.Statement()))
    statement.validate()
    kinds.append(statement.pb.predicate_type)
    bent = Envelope(envelope.payload + b" ", envelope.payload_type, envelope.signatures)
    try:
        bent.verify(keys, 1)
    except VerificationError:
        count += 1
print(count, " ".join(kinds))
"#;

/// Opens a checkpoint with the verifier of Go's module database.
const NOTE: &str = r#"package main

import (
	"fmt"
	"os"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	verifier, err := note.NewVerifier(os.Args[2])
	if err != nil {
		panic(err)
	}
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		fmt.Println("refused:", err)
		return
	}
	var origin, root string
	var size int64
	if _, err := fmt.Sscanf(opened.Text, "%s\n%d\n%s\n", &origin, &size, &root); err != nil {
		panic(err)
	}
	if _, err := tlog.ParseHash(root); err != nil {
		panic(err)
	}
	fmt.Println("opened", len(opened.Sigs), size)
}
"#;

fn output(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// A folder that is filled once, whoever asks first.
fn once(name: &str, fill: impl FnOnce(&Path)) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let lock = fs::File::create(folder.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    if !folder.join("ready").exists() {
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        fill(&folder);
        fs::write(folder.join("ready"), "").unwrap();
    }
    folder
}

/// A receipt of a proof, and the data directory's public key as OpenSSH prints it.
fn proven(environment: &Environment) -> (String, String) {
    let fixture = repository(environment);
    fixture.write("src/lib.rs", RIGHT).unwrap();
    let said = environment.run(&["prove", "--base", "HEAD", "--json"]);
    assert_eq!(said.status, 0, "{said:?}");
    let receipt = said.json()["receipt"].as_str().unwrap().to_owned();
    let mut command = Command::new("ssh-keygen");
    command
        .arg("-y")
        .arg("-f")
        .arg(environment.data().join("keys/receipt"));
    (receipt, output(&mut command))
}

/// The 32 bytes at the end of an OpenSSH public key.
fn bytes_of(public: &str) -> Vec<u8> {
    let bytes = decoded(public.split_whitespace().nth(1).unwrap());
    bytes[bytes.len() - 32..].to_vec()
}

fn decoded(text: &str) -> Vec<u8> {
    through(&["-d"], text.as_bytes())
}

fn base64(bytes: &[u8]) -> String {
    String::from_utf8(through(&["-w0"], bytes)).unwrap()
}

/// What `base64` makes of it.
fn through(args: &[&str], bytes: &[u8]) -> Vec<u8> {
    let mut command = Command::new("base64");
    command
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    child.wait_with_output().unwrap().stdout
}

#[test]
fn the_in_toto_libraries_verify_a_receipt() {
    let environment = Environment::new();
    let (receipt, public) = proven(&environment);
    let python = once("in-toto", |folder| {
        output(Command::new("python3").args(["-m", "venv"]).arg(folder));
        let packages = [
            "securesystemslib[crypto]==1.3.1",
            "in-toto-attestation==0.9.3",
        ];
        output(
            Command::new(folder.join("bin/pip"))
                .args(["install", "-q", "--disable-pip-version-check"])
                .args(packages),
        );
    });
    let mut command = Command::new(python.join("bin/python"));
    command.args(["-c", IN_TOTO, &receipt, &base64(&bytes_of(&public))]);
    let said = output(&mut command);
    let lines = fs::read_to_string(&receipt).unwrap().lines().count();
    let (count, kinds) = said.trim().split_once(' ').unwrap();
    assert_eq!(
        count,
        lines.to_string(),
        "every line, and none with a byte more: {said}"
    );
    for kind in [
        "https://in-toto.io/attestation/test-result/v0.1",
        "https://wayproof.dev/attestation/proof/v0.1",
    ] {
        assert!(kinds.contains(kind), "{said}");
    }
}

/// Builds the verifier once.
fn go_program() -> PathBuf {
    once("go-note", |folder| {
        fs::write(folder.join("main.go"), NOTE).unwrap();
        // Debian's copy of the module's source.
        let mut build = Command::new("go");
        build
            .args(["build", "-o", "note", "main.go"])
            .current_dir(folder);
        build
            .env("GO111MODULE", "off")
            .env("GOPATH", "/usr/share/gocode");
        build
            .env("GOCACHE", folder.join("cache"))
            .env("GOFLAGS", "");
        output(&mut build);
    })
}

#[test]
fn gos_verifier_of_notes_opens_a_checkpoint() {
    let environment = Environment::new();
    proven(&environment);
    let out = environment.path("tlog");
    let said = environment.run(&[
        "ledger",
        "export",
        "--format",
        "tlog",
        "--out",
        out.to_str().unwrap(),
    ]);
    assert_eq!(said.status, 0, "{said:?}");
    let checkpoint = out.join("checkpoint");
    let text = fs::read_to_string(&checkpoint).unwrap();
    let program = go_program();
    let mut command = Command::new("ssh-keygen");
    command
        .arg("-y")
        .arg("-f")
        .arg(environment.data().join("keys/ledger"));
    let key = bytes_of(&output(&mut command));
    let origin = text.lines().next().unwrap();
    // The id of a key stands in front of every signature of it.
    let line = text.lines().last().unwrap();
    let encoded = line.rsplit(' ').next().unwrap();
    let signature = decoded(encoded);
    let id: String = signature[..4]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let verifier = format!("{origin}+{id}+{}", base64(&[&[1], key.as_slice()].concat()));
    let open = |file: &Path| {
        let mut command = Command::new(program.join("note"));
        output(command.arg(file).arg(&verifier))
    };
    assert!(open(&checkpoint).starts_with("opened 1 "), "{text}");
    let bent = out.join("bent");
    let size = text.lines().nth(1).unwrap();
    fs::write(
        &bent,
        text.replacen(&format!("\n{size}\n"), &format!("\n{size}0\n"), 1),
    )
    .unwrap();
    assert!(open(&bent).starts_with("refused"), "{text}");
}

#[test]
fn openssh_verifies_a_receipt_that_a_person_signed() {
    let environment = Environment::new();
    let fixture = repository(&environment);
    fixture.write("src/lib.rs", RIGHT).unwrap();
    let key = environment.path("id_ed25519");
    let mut make = Command::new("ssh-keygen");
    output(make.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key));
    let args = [
        "prove",
        "--base",
        "HEAD",
        "--json",
        "--ssh-key",
        key.to_str().unwrap(),
    ];
    let said = environment.run(&args);
    assert_eq!(said.status, 0, "{said:?}");
    let report = said.json();
    let (receipt, signature) = (
        report["receipt"].as_str().unwrap(),
        report["ssh_signature"].as_str().unwrap(),
    );
    let public = fs::read_to_string(key.with_extension("pub")).unwrap();
    let allowed = environment.path("allowed");
    fs::write(&allowed, format!("ada@example.org {public}")).unwrap();
    let verify = |file: &str, namespace: &str| {
        let mut command = Command::new("ssh-keygen");
        command.args([
            "-Y",
            "verify",
            "-I",
            "ada@example.org",
            "-n",
            namespace,
            "-s",
            signature,
            "-f",
        ]);
        command.arg(&allowed).stdin(fs::File::open(file).unwrap());
        command.output().unwrap().status.success()
    };
    assert!(verify(receipt, "receipt@wayproof.dev"));
    assert!(!verify(receipt, "file"), "for another purpose");
    let bent = environment.path("bent");
    fs::write(
        &bent,
        fs::read_to_string(receipt).unwrap().replacen('e', "f", 1),
    )
    .unwrap();
    assert!(!verify(bent.to_str().unwrap(), "receipt@wayproof.dev"));
}
