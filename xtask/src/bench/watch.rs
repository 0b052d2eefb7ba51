//! Readers who keep the dashboard's live page open: each is a connection that takes in what comes and says nothing.

use std::{io::ErrorKind, net::SocketAddr, path::Path};

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

/// Opens so many live pages, says in a file that all of them are answered, and reads until it is ended.
pub(crate) fn run(address: SocketAddr, pages: usize, ready: &Path) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut open = JoinSet::new();
        for _ in 0..pages {
            let page = open_page(address).await?;
            open.spawn(read_on(page));
        }
        std::fs::write(ready, pages.to_string()).context("saying that the pages are open")?;
        while let Some(ended) = open.join_next().await {
            ended??;
        }
        Ok(())
    })
}

async fn open_page(address: SocketAddr) -> Result<TcpStream> {
    let mut page = TcpStream::connect(address)
        .await
        .context("connecting to the dashboard")?;
    let request =
        format!("GET /live HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\n\r\n");
    page.write_all(request.as_bytes()).await?;
    let mut head = [0; 4096];
    let read = page.read(&mut head).await?;
    let head = String::from_utf8_lossy(head.get(..read).unwrap_or_default());
    if !head.starts_with("HTTP/1.1 200") {
        bail!("the live page answered {head}");
    }
    Ok(page)
}

async fn read_on(mut page: TcpStream) -> Result<()> {
    let mut taken = vec![0; 16 << 10];
    loop {
        match page.read(&mut taken).await {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(()),
            Err(error) => return Err(error).context("reading a live page"),
        }
    }
}
