//! The tools that agents call: what a job owes, its proof, why it goes where it goes, and looks at a repository.
//!
//! A client puts names, descriptions and schemas of all tools into every prompt, so there are few and they are said
//! in few words. Nothing here changes the repository; a proof runs in its sandbox like any other.

mod api;
mod lines;
mod repo;
mod tools;
mod work;

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result};
use rmcp::{
    ErrorData, RoleServer, ServerHandler, ServiceExt as _,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation,
        ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
    },
    service::RequestContext,
};

use tokio::{runtime::Handle, task::spawn_blocking};

use self::tools::Call;
use crate::{cli::LedgerPlace, exit, terminal::plain};

/// What a client may show a model about all tools together.
const ABOUT: &str = "Work is done when its proof says PROVEN, not when it looks done.";
/// The longest answer, in characters: it goes into a prompt.
const MOST_CHARS: usize = 24_000;

/// Where the tools work.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) repo: PathBuf,
    pub(crate) ledger: LedgerPlace,
}

/// The server.
#[derive(Debug, Clone)]
struct Server {
    place: Arc<Place>,
    /// One proof at a time: a second one would only slow the first.
    proving: Arc<tokio::sync::Mutex<()>>,
}

/// Serves on standard input and output until the client closes them.
pub(crate) async fn serve(place: Place) -> Result<()> {
    let server = Server {
        place: Arc::new(place),
        proving: Arc::default(),
    };
    let (input, output, pumps) = lines::guarded();
    let running = server.serve((input, output)).await;
    match running {
        Ok(running) => {
            running.waiting().await.context("serving the client")?;
        }
        // A client that leaves before it said anything is no fault.
        Err(error) => tracing::debug!(%error, "the client did not begin"),
    }
    pumps.end().await;
    Ok(())
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("wayproof", env!("CARGO_PKG_VERSION")))
            .with_instructions(ABOUT)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        tools::all().into_iter().find(|tool| tool.name == name)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        std::future::ready(Ok(ListToolsResult::with_all_items(tools::all()))).await
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let call = Call::read(&request.name, request.arguments)
            .map_err(|sentence| ErrorData::invalid_params(sentence, None))?;
        let result = match self.answer(call).await {
            Ok(text) => CallToolResult::success(vec![ContentBlock::text(cut(text))]),
            // The model reads it and can do something about it.
            Err(error) => {
                let sentence = plain(&exit::chain(&error));
                CallToolResult::error(vec![ContentBlock::text(cut(sentence))])
            }
        };
        Ok(result.into())
    }
}

impl Server {
    /// Does the work on a thread where waiting for git is allowed; a proof only while no other one runs.
    async fn answer(&self, call: Call) -> Result<String> {
        let _turn = match &call {
            Call::Prove(_) => Some(self.proving.lock().await),
            _ => None,
        };
        let (place, runtime) = (Arc::clone(&self.place), Handle::current());
        let done = spawn_blocking(move || match call {
            Call::Owes(asked) => runtime.block_on(work::owes(&place, &asked)),
            Call::Why(asked) => runtime.block_on(work::why(&place, asked)),
            Call::Prove(asked) => runtime.block_on(work::prove(&place, asked)),
            Call::References(asked) => repo::references(&place, &asked),
            Call::ApiDiff(asked) => repo::api_diff(&place, &asked),
            Call::Schemas(asked) => repo::schemas(&place, &asked),
        });
        done.await.context("doing the work")?
    }
}

/// At most what a prompt should take.
fn cut(text: String) -> String {
    if text.chars().count() <= MOST_CHARS {
        return text;
    }
    let kept: String = text.chars().take(MOST_CHARS).collect();
    kept + "\n… cut here"
}
