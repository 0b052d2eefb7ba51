//! Signing in at an identity provider of another site, and coming back from it.

use std::path::PathBuf;
use std::sync::Arc;

use wayproof_dashboard::{Client, Grant, IdentityFault, IdentityProvider, Reply, SignIn};
use wayproof_ledger::{Clock, Person, Role};
use wayproof_testkit::Identity;

use super::driver::Browser;
use super::{axe, serve, violations};
use crate::stage::Stage;

/// The provider as the gateway reaches it; the browser goes there over HTTP.
struct Near(Arc<Identity>);

impl IdentityProvider for Near {
    fn authorization(&self) -> Reply<'_, String> {
        let place = format!("{}/authorize", self.0.issuer());
        Box::pin(std::future::ready(Ok(place)))
    }

    fn redeem(&self, grant: Grant) -> Reply<'_, String> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", &grant.code)
            .append_pair("redirect_uri", &grant.callback)
            .append_pair("code_verifier", &grant.verifier);
        let (status, answer) = self.0.redeem(form.finish().as_bytes());
        let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
        let token = answer["id_token"].as_str().map(str::to_owned);
        let given = token.ok_or(IdentityFault::Refused(status.to_string()));
        Box::pin(std::future::ready(given))
    }

    fn keys(&self) -> Reply<'_, Vec<u8>> {
        Box::pin(std::future::ready(Ok(self.0.keys())))
    }
}

/// A stage that knows an identity provider, and Ana.
async fn house(identity: &Arc<Identity>) -> Stage {
    let client = Client {
        issuer: identity.issuer(),
        id: "wayproof".to_owned(),
        claim: "email".to_owned(),
        scope: "openid email".to_owned(),
        callback: None,
    };
    let near = Box::new(Near(Arc::clone(identity)));
    let stage = Stage::with(
        |house| {
            house.key = Some("wp_team_secret");
            house.sign_in = Some(SignIn::new(client, near));
        },
        Clock::system(),
    )
    .await;
    let ana = Person {
        name: "ana@example.org".to_owned(),
        teams: [].into(),
        role: Role::Reviewer,
    };
    stage.ledger.books().put_person(ana).await.unwrap();
    stage
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_signs_in_at_another_site_and_comes_back_to_the_page() {
    let identity = Arc::new(Identity::start("wayproof", None).await.unwrap());
    let stage = house(&identity).await;
    let (url, _serving) = serve(&stage).await;
    let axe = axe();
    let pictures = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("dashboard");
    std::fs::create_dir_all(&pictures).unwrap();
    for is_scripted in [true, false] {
        let browser = if is_scripted {
            Browser::start().await
        } else {
            Browser::without_scripts().await
        };
        browser.open(&format!("{url}/jobs?task=bug-fix")).await;
        browser.until("location.pathname === '/login'").await;
        if is_scripted {
            let wrong = violations(&browser, &axe, "login").await;
            assert_eq!(wrong, Vec::<String>::new());
            let picture = browser.client.screenshot().await.unwrap();
            std::fs::write(pictures.join("login.png"), picture).unwrap();
        }
        // The provider is another site, so that no cookie that is ours alone comes along from it.
        browser
            .click_until("main a.button", "document.querySelector('#agree')")
            .await;
        browser
            .click_until("#agree", "location.pathname === '/jobs'")
            .await;
        browser
            .until("location.search === '?task=bug-fix' && document.body.innerText.includes('Sign out ana@example.org (reviewer)')")
            .await;
        browser
            .click_until(
                "form[action='/logout'] button",
                "location.pathname === '/login'",
            )
            .await;
        browser.open(&format!("{url}/jobs")).await;
        browser.until("location.pathname === '/login'").await;
        browser.stop().await;
    }
}
