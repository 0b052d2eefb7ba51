//! Chromium, driven: what a test opens, finds, clicks and waits for.

use std::net::TcpListener as StdListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long anything may take on a machine that does much else.
const PATIENCE: Duration = Duration::from_mins(1);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// Chromium with its driver, ended with the test.
pub(super) struct Browser {
    driver: Child,
    pub(super) client: Client,
    _profile: TempDir,
}

impl Browser {
    pub(super) async fn start() -> Self {
        Self::start_with(json!({})).await
    }

    /// One that runs no script of any page.
    pub(super) async fn without_scripts() -> Self {
        let blocked = 2;
        Self::start_with(json!({"profile.managed_default_content_settings.javascript": blocked}))
            .await
    }

    async fn start_with(preferences: Value) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let port = StdListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        #[expect(
            clippy::disallowed_methods,
            clippy::zombie_processes,
            reason = "a test starts the browser's driver, and whoever drops it ends it"
        )]
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is missing: `cargo xtask test` installs it (Debian: chromium chromium-driver)");
        let options = json!({"prefs": preferences, "args": [
            "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--disable-dev-shm-usage",
            format!("--user-data-dir={}", profile.path().display()),
        ]});
        let mut capabilities = serde_json::Map::new();
        capabilities.insert("goog:chromeOptions".to_owned(), options);
        let url = format!("http://127.0.0.1:{port}");
        for _ in 0..PATIENCE.as_millis() / PAUSE.as_millis() {
            let connected = ClientBuilder::new(HttpConnector::new())
                .capabilities(capabilities.clone())
                .connect(&url)
                .await;
            if let Ok(client) = connected {
                return Self {
                    driver,
                    client,
                    _profile: profile,
                };
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("chromedriver does not answer at {url}");
    }

    pub(super) async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    pub(super) async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// An element, as soon as the page has it.
    pub(super) async fn find(&self, css: &str) -> Element {
        let wait = self.client.wait().at_most(PATIENCE).every(PAUSE);
        let found = wait.for_element(Locator::Css(css)).await;
        found.unwrap_or_else(|error| panic!("{css} does not appear: {error}"))
    }

    /// Waits until a script on a whole page says true. Between two documents there is nothing to run it on.
    pub(super) async fn until(&self, condition: &str) {
        let script = format!("return document.readyState === 'complete' && !!({condition})");
        let mut last = String::new();
        for _ in 0..PATIENCE.as_millis() / PAUSE.as_millis() {
            match self.client.execute(&script, Vec::new()).await {
                Ok(Value::Bool(true)) => return,
                Ok(other) => last = other.to_string(),
                Err(error) => last = error.to_string(),
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("never: {condition}; the last answer was {last}");
    }

    /// Clicks, and waits for what it leads to.
    pub(super) async fn click_until(&self, css: &str, condition: &str) {
        self.find(css).await.click().await.unwrap();
        self.until(condition).await;
    }

    pub(super) async fn stop(self) {
        self.client.clone().close().await.unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Also when a test fails; Chromium ends with its driver.
        self.driver.kill().unwrap();
        self.driver.wait().unwrap();
    }
}
