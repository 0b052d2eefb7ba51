//! Clients that only know Ollama.

use serde_json::Value;
use wayproof_testkit::{Provider as Scripted, Reply};

use crate::client::{get, post};
use crate::stage::Setting;

#[tokio::test]
async fn an_editor_finds_every_model() {
    let scripted = Scripted::start(|_| Reply::json(200, "{}")).await.unwrap();
    let mut setting = Setting::at(vec![crate::stage::keyed("anthropic", &scripted.url())]);
    setting.served = vec![("anthropic", "claude-haiku-4-5")];
    setting.policy = wayproof_engine::Policy::parse(
        "version = 1\n[class.strong]\ntargets = [\"anthropic/claude-haiku-4-5\", \"nobody/small-1\"]\n",
        "wayproof.toml",
    )
    .unwrap()
    .policy;
    let stage = setting.open().await;
    let json = |text: String| serde_json::from_str::<Value>(&text).unwrap();
    let version = json(get(stage.address, "/api/version", &[]).await.text());
    assert!(version["version"].is_string());
    let tags = json(get(stage.address, "/api/tags", &[]).await.text());
    let names: Vec<&str> = tags["models"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| model["model"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"wayproof/auto"), "{names:?}");
    assert!(names.contains(&"anthropic/claude-haiku-4-5"), "{names:?}");
    for name in [
        "anthropic/claude-haiku-4-5",
        "wayproof/auto",
        "wayproof/auto:latest",
    ] {
        let asked = format!(r#"{{"model":"{name}"}}"#);
        let seen = post(stage.address, "/api/show", &[], asked.as_bytes()).await;
        let shown = json(seen.text());
        assert_eq!(
            shown["model_info"]["wayproof.context_length"], 200_000,
            "{shown}"
        );
        assert!(
            shown["capabilities"]
                .as_array()
                .unwrap()
                .contains(&"tools".into())
        );
    }
    let running = get(stage.address, "/api/ps", &[]).await.text();
    assert_eq!(running, r#"{"models":[]}"#);
    stage.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_said_in_its_words() {
    let scripted = Scripted::start(|_| Reply::json(200, "{}")).await.unwrap();
    let stage = Setting::with(&scripted).open().await;
    let seen = post(stage.address, "/api/show", &[], br#"{"model":"none"}"#).await;
    assert_eq!(
        (seen.status, seen.text()),
        (404, r#"{"error":"model 'none' not found"}"#.to_owned())
    );
    let seen = post(stage.address, "/api/show", &[], b"{}").await;
    assert_eq!(seen.status, 400);
    let seen = get(stage.address, "/api/nothing", &[]).await;
    assert_eq!(
        (seen.status, seen.text()),
        (
            404,
            r#"{"error":"there is nothing at /api/nothing"}"#.to_owned()
        )
    );
    stage.stop().await;
}
