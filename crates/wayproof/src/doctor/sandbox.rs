//! Whether proofs can be run here: a command in the sandbox, and which mechanisms held.

use std::collections::BTreeMap;

use wayproof_proof::{Confined, IsolationFloor, Limits, Sandbox};

use super::Finding;

const FIX: &str = "apt-get install bubblewrap, or allow user namespaces: sysctl kernel.unprivileged_userns_clone=1, \
    and where AppArmor restricts them kernel.apparmor_restrict_unprivileged_userns=0";

/// Runs the smallest command there is.
pub(super) async fn examine() -> Finding {
    let ran = tokio::task::spawn_blocking(|| {
        let launcher = std::env::current_exe().map_err(|error| error.to_string())?;
        let place = tempfile::tempdir().map_err(|error| error.to_string())?;
        let confined = Confined {
            argv: vec!["true".to_owned()],
            cwd: place.path().to_owned(),
            env: BTreeMap::from([("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned())]),
            writable: vec![place.path().to_owned()],
            readable: Vec::new(),
            limits: Limits::default(),
        };
        let sandbox = Sandbox::new(launcher, IsolationFloor::NoNetwork);
        sandbox.run(&confined).map_err(|error| error.to_string())
    })
    .await;
    match ran {
        Ok(Ok(ran)) if ran.exit == Some(0) => Finding::ok(
            "sandbox",
            format!("proofs run with {}", ran.isolation.join(", ")),
        ),
        Ok(Ok(ran)) => {
            let said = String::from_utf8_lossy(&ran.stderr).trim().to_owned();
            Finding::wrong("sandbox", format!("a command in it failed: {said}"), FIX)
        }
        Ok(Err(error)) => Finding::wrong("sandbox", format!("no proof can run here: {error}"), FIX),
        Err(error) => Finding::wrong("sandbox", error.to_string(), FIX),
    }
}
