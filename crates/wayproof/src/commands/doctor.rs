//! Prints what the doctor found, worst things with their fix.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use super::connect::find;
use crate::{
    cli::DoctorArgs,
    doctor::{Finding, Health, Visit, examine},
    exit, settings,
    terminal::{plain, print, print_json_pretty},
};

/// Looks at everything and says what is wrong.
pub(crate) async fn run(args: DoctorArgs) -> Result<ExitCode> {
    let agent = args.agent.as_deref().map(find).transpose()?;
    let data = settings::data_path(args.data.data.as_deref())?;
    let findings = examine(&Visit {
        agent,
        policy: args.policy.as_deref(),
        gateway: args.gateway.as_deref(),
        data: &data,
    })
    .await?;
    let wrong = findings
        .iter()
        .filter(|found| found.health == Health::Wrong)
        .count();
    if args.json {
        print_json_pretty(&json!({"ok": wrong == 0, "findings": findings}))?;
    } else {
        for found in &findings {
            print(&line(found))?;
        }
        let words = if wrong == 0 {
            "nothing is wrong".to_owned()
        } else {
            format!("{wrong} thing(s) wrong")
        };
        print(&words)?;
    }
    Ok(if wrong == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(exit::FAILED)
    })
}

fn line(found: &Finding) -> String {
    let mark = match found.health {
        Health::Ok => "ok     ",
        Health::Warning => "warning",
        Health::Wrong => "wrong  ",
    };
    let agent = found
        .agent
        .map(|agent| format!("{agent} "))
        .unwrap_or_default();
    let fix = found
        .fix
        .as_ref()
        .map(|fix| format!("\n         fix: {}", plain(fix)))
        .unwrap_or_default();
    format!(
        "{mark}  {agent}{}: {}{fix}",
        found.check,
        plain(&found.fact)
    )
}
