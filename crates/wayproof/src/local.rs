//! Model servers on this machine: whether one is there, and which models it lists.
//!
//! A port alone proves nothing, since anything may listen there. Nothing but the question for its models is sent to a
//! server before it has answered that as a model server does.

use std::{collections::BTreeSet, time::Duration};

use serde_json::Value;
use tokio::{sync::oneshot, time};
use wayproof_gateway::Gateway;
use wayproof_upstream::{Provider, fetch};
use wayproof_wire::Protocol;

use crate::follow::Following;

/// A server lists its models within this time or is not there.
const PATIENCE: Duration = Duration::from_millis(300);
/// The longest list that is read.
const LONGEST_LIST: usize = 4 << 20;
/// How often servers are asked again: models are pulled and removed while the gateway runs.
const AGAIN: Duration = Duration::from_secs(30);
/// It serves the one model it was started with under every name.
const ANY_NAME: &str = "llamacpp";

/// The models that a server lists; `None` where no model server answers.
pub(crate) async fn listed(provider: &Provider) -> Option<BTreeSet<String>> {
    let is_ollama = provider.protocols.contains(Protocol::Ollama);
    let path = if is_ollama { "/api/tags" } else { "/v1/models" };
    let base = provider.base.to_string();
    let address = format!("{}{path}", base.trim_end_matches('/'))
        .parse()
        .ok()?;
    let asked = time::timeout(PATIENCE, fetch(&address, None, LONGEST_LIST)).await;
    models(&asked.ok()?.ok()?)
}

/// The names in a list of models, in the shape of OpenAI or of Ollama.
fn models(list: &[u8]) -> Option<BTreeSet<String>> {
    let list: Value = serde_json::from_slice(list).ok()?;
    let (rows, name) = match (&list["data"], &list["models"]) {
        (Value::Array(rows), _) => (rows, "id"),
        (_, Value::Array(rows)) => (rows, "name"),
        _ => return None,
    };
    let names: Option<BTreeSet<String>> = rows
        .iter()
        .map(|row| row[name].as_str().map(str::to_owned))
        .collect();
    let mut names = names?;
    // Ollama knows its newest version by the bare name, too.
    let bare: Vec<String> = names
        .iter()
        .filter_map(|name| name.strip_suffix(":latest"))
        .map(str::to_owned)
        .collect();
    names.extend(bare);
    Some(names)
}

/// Tells a gateway which models a server has.
pub(crate) fn tell(gateway: &Gateway, provider: &Provider, models: &BTreeSet<String>) {
    if provider.name != ANY_NAME {
        gateway.serves(&provider.name, models);
    }
}

/// Asks the servers again from time to time. One that is silent keeps what it had.
pub(crate) fn watch(gateway: Gateway, servers: Vec<Provider>) -> Following {
    let (stop, stopped) = oneshot::channel();
    let asking = async move {
        loop {
            time::sleep(AGAIN).await;
            for server in &servers {
                if let Some(models) = listed(server).await {
                    tell(&gateway, server, &models);
                }
            }
        }
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "whoever holds the follower waits for it"
    )]
    let task = tokio::spawn(async move {
        tokio::select! {
            () = asking => {}
            // A dropped sender means the same as a message.
            _ = stopped => {}
        }
    });
    Following::new(stop, task)
}

#[cfg(test)]
mod tests {
    use wayproof_testkit::{Captured, Provider as Scripted, Reply};
    use wayproof_upstream::Credential;
    use wayproof_wire::Protocols;

    use super::*;

    async fn found(status: u16, list: &'static str, protocols: Protocols) -> Option<Vec<String>> {
        let scripted = Scripted::start(move |_: &Captured| Reply::json(status, list))
            .await
            .unwrap();
        let base = scripted.url().parse().unwrap();
        let server = Provider::new("local", base, protocols, Credential::Nothing).unwrap();
        let found = listed(&server).await;
        let asked: Vec<(String, String)> = scripted
            .captured()
            .into_iter()
            .map(|asked| (asked.method.clone(), asked.path.clone()))
            .collect();
        let is_ollama = protocols.contains(Protocol::Ollama);
        let path = if is_ollama { "/api/tags" } else { "/v1/models" };
        assert_eq!(asked, [("GET".to_owned(), path.to_owned())]);
        found.map(|models| models.into_iter().collect())
    }

    #[tokio::test]
    async fn a_server_proves_itself_by_its_models() {
        let chat = Protocols::of(&[Protocol::Chat]);
        let list = r#"{"object":"list","data":[{"id":"b"},{"id":"a"}]}"#;
        assert_eq!(found(200, list, chat).await.unwrap(), ["a", "b"]);
        let tags = r#"{"models":[{"name":"qwen3-coder:latest"},{"name":"gemma:2b"}]}"#;
        let ollama = Protocols::of(&[Protocol::Chat, Protocol::Ollama]);
        assert_eq!(
            found(200, tags, ollama).await.unwrap(),
            ["gemma:2b", "qwen3-coder", "qwen3-coder:latest"]
        );
        assert_eq!(found(200, r#"{"data":[]}"#, chat).await.unwrap(), [""; 0]);
        for (status, page) in [
            (404, list),
            (200, "<html>Jenkins</html>"),
            (200, "[]"),
            (200, r#"{"data":{"a":1}}"#),
            (200, r#"{"data":[{"name":"a build"}]}"#),
        ] {
            assert_eq!(found(status, page, chat).await, None, "{page}");
        }
    }
}
