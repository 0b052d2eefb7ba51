//! A team's gateway behind TLS: agents are connected to it, and everything asks it as it asks one on this machine.

use std::{net::SocketAddr, sync::Arc};

use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use wayproof_testkit::{Persona, Play, Provider, Step};

use crate::{
    environment::{Environment, Said},
    up::Up,
};

/// Ends TLS before a server, with a certificate for `localhost` that is written down.
async fn front(behind: SocketAddr, certificate: &std::path::Path) -> u16 {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(certificate, made.cert.pem()).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            #[expect(clippy::disallowed_methods, reason = "it ends with the test")]
            tokio::spawn(async move {
                // Whoever does not trust it hangs up here.
                let Ok(mut outer) = acceptor.accept(stream).await else {
                    return;
                };
                let mut inner = TcpStream::connect(behind).await.unwrap();
                drop(tokio::io::copy_bidirectional(&mut outer, &mut inner).await);
            });
        }
    };
    #[expect(clippy::disallowed_methods, reason = "it ends with the test")]
    tokio::spawn(serve);
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_behind_tls_is_asked_as_any_other() {
    const KEY: (&str, &str) = ("GATE_KEY", "a-key-of-the-gateway");
    let play = Play::new(vec![Persona {
        model: "m".into(),
        steps: vec![Step::Shell("ready".into()), Step::Say("ready".into())],
    }]);
    let provider = Provider::start(move |request| play.answer(request));
    let provider = provider.await.unwrap();
    let environment = Environment::new();
    environment
        .fixture()
        .write(
            "wayproof.toml",
            "version = 1\n[class.fast]\ntargets = [\"mock/m\"]\n[class.strong]\ntargets = [\"mock/m\"]\n",
        )
        .unwrap();
    let more = ["--key-env", "GATE_KEY"];
    let up = Up::start_set("mock", &environment, &provider, &more, &[KEY]).await;
    let certificate = environment.path("certificate.pem");
    let port = front(SocketAddr::from(([127, 0, 0, 1], up.port)), &certificate).await;
    let gateway = format!("https://localhost:{port}");
    let trusted = certificate.to_string_lossy().into_owned();
    let run = |args: &[&str], trusted: &str| {
        let mut command = environment.wayproof(args);
        command.envs([KEY]).env("SSL_CERT_FILE", trusted);
        Said::of(command.output().unwrap())
    };
    for agent in ["codex", "claude-code"] {
        let args = [
            "connect",
            agent,
            "--key-env",
            "GATE_KEY",
            "--gateway",
            &gateway,
        ];
        let said = run(&args, &trusted);
        assert_eq!(said.status, 0, "{said:?}");
        assert!(said.out.contains("checked: "), "{said:?}");
    }
    let settings = std::fs::read_to_string(environment.path("home/.codex/config.toml")).unwrap();
    assert!(settings.contains(&gateway), "{settings}");
    let said = run(&["doctor"], &trusted);
    assert!(said.out.contains("on a WebSocket in"), "{said:?}");
    assert!(!said.out.contains(KEY.1), "{said:?}");
    // A certificate that nobody vouches for is no gateway.
    let said = run(&["doctor", "codex"], "/none/there.pem");
    assert_eq!(said.status, 1, "{said:?}");
    assert!(said.out.contains(&gateway), "{said:?}");
    assert_eq!(up.stop(), 0);
    provider.stop().await;
}
