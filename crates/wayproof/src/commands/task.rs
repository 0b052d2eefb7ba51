//! Shows what the job in hand is taken for, and corrects it.
//!
//! A correction holds at once. It is kept as a labelled ask in the data directory and printed as a row for the
//! policy's own tests, so that the policy can be made to know next time.

use std::{fs::OpenOptions, io::Write as _, path::Path, process::ExitCode};

use anyhow::{Context, Result};
use serde_json::json;
use wayproof_ledger::Clock;

use crate::{
    cli::{TaskCommand, TaskPlace},
    exit::Mistake,
    gateway::{self, Admin, TaskPage},
    settings,
    terminal::{plain, print, print_json_pretty, tell},
};

/// The file of labelled asks in the data directory.
const LABELS: &str = "labels.jsonl";

/// Runs a command on a job's task.
pub(crate) async fn run(command: TaskCommand) -> Result<ExitCode> {
    match command {
        TaskCommand::Show { place, json } => show(&place, json).await?,
        TaskCommand::Set { task, place, json } => set(&task, &place, json).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(place: &TaskPlace, json: bool) -> Result<()> {
    let (admin, job) = find(place).await?;
    let page = admin.task(&job).await?;
    if json {
        print_json_pretty(&page)
    } else {
        print(&told(&page))
    }
}

async fn set(task: &str, place: &TaskPlace, json: bool) -> Result<()> {
    let (admin, job) = find(place).await?;
    let page = admin.set_task(&job, task).await?;
    let data = settings::data_directory(&place.data)?;
    let file = data.join(LABELS);
    keep(&file, &page)?;
    if json {
        return print_json_pretty(&page);
    }
    print(&told(&page))?;
    print(&format!("\n{}", test_row(&page)?))?;
    tell(&format!(
        "the job's next turn is routed by that; the ask is kept in {}, and the rows above are for wayproof.toml. \
         What the job owes was fixed when it began and stays",
        file.display()
    ));
    Ok(())
}

/// The gateway and the job that are meant.
async fn find(place: &TaskPlace) -> Result<(Admin, String)> {
    let data = settings::data_directory(&place.data)?;
    let admin = gateway::find(place.gateway.as_deref(), &data).await?;
    let admin = admin.ok_or_else(|| {
        Mistake("no gateway runs on this data directory; jobs are in its memory".to_owned())
    })?;
    let job = match &place.job {
        Some(job) if job.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') => job.clone(),
        Some(job) => return Err(Mistake(format!("`{}` is no id of a job", plain(job))).into()),
        None => admin
            .newest_job()
            .await?
            .ok_or_else(|| Mistake("no job is open; name one with --job".to_owned()))?,
    };
    Ok((admin, job))
}

fn told(page: &TaskPage) -> String {
    let ask = page.ask.lines().next().unwrap_or_default();
    let was = page
        .was
        .as_ref()
        .filter(|was| **was != page.task)
        .map_or_else(String::new, |was| format!(", was {was}"));
    format!(
        "job   {}\nask   {}\ntask  {} ({} %){was}\nclass {}\nwhy   {}",
        page.job,
        plain(ask),
        page.task,
        page.confidence_pm / 10,
        page.class,
        plain(&page.rule)
    )
}

/// A row for the policy's tests; the ask is quoted as TOML wants it.
fn test_row(page: &TaskPage) -> Result<String> {
    // JSON's escapes are TOML's, but for DEL, which TOML wants escaped.
    let ask = serde_json::to_string(&page.ask)?.replace('\u{7f}', "\\u007F");
    Ok(format!(
        "[[test]]\nask    = {ask}\nexpect = {{ task = \"{}\" }}",
        page.task
    ))
}

/// Adds a labelled ask to the file, one JSON object a line.
fn keep(file: &Path, page: &TaskPage) -> Result<()> {
    let line = json!({
        "ask": page.ask,
        "task": page.task,
        "was": page.was,
        "at_us": Clock::system().now_us(),
    });
    let written = OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .and_then(|mut open| open.write_all(format!("{line}\n").as_bytes()));
    written.with_context(|| format!("writing {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_row_is_part_of_a_policy() {
        for ask in [
            "fix \"this\"\nplease",
            "a \\ b\t\u{7f}\u{1}",
            "it's 'quoted' \u{1f642}",
        ] {
            let page = TaskPage {
                job: "j".to_owned(),
                task: "documentation".to_owned(),
                class: "fast".to_owned(),
                rule: String::new(),
                confidence_pm: 1000,
                runner_up: None,
                ask: ask.to_owned(),
                was: Some("general".to_owned()),
            };
            let text = format!("version = 1\n\n{}\n", test_row(&page).unwrap());
            let parsed = wayproof_engine::Policy::parse(&text, "wayproof.toml").unwrap();
            assert_eq!(parsed.policy.tests[0].ask, ask);
        }
    }
}
