//! `df`: how much the account holds.

use serde_json::json;

use crate::context::Context;
use crate::error::Result;
use crate::exit_code::Exit;
use crate::output::size;

/// Limits beyond this are none.
const ENDLESS: u64 = 1 << 50;

/// Prints used, free and total bytes.
pub async fn run(context: &Context) -> Result<Exit> {
    let quota = context.session().await?.quota().await?;
    let (used, free, total) = (quota.used, quota.free(), quota.total);
    let mut text = format!(
        "used {used} ({})  free {free} ({})  total {total} ({})\n{} files  {} folders  {} in old versions",
        size(used, true),
        size(free, true),
        size(total, true),
        quota.files,
        quota.folders,
        size(quota.versions, true),
    );
    if let Some((left, spent)) = quota.transfer.filter(|(left, _)| *left < ENDLESS) {
        text = format!("{text}\ntransfer {} used, {} left", size(spent, true), size(left, true));
    }
    context.output.data(&text, || {
        json!({
            "type": "quota", "used": used, "free": free, "total": total, "files": quota.files,
            "folders": quota.folders, "versions": quota.versions, "state": quota.state,
            "transfer_left": quota.transfer.map(|transfer| transfer.0),
            "transfer_used": quota.transfer.map(|transfer| transfer.1),
            "plan": quota.plan, "plan_until": quota.plan_until,
        })
    })?;
    Ok(Exit::Done)
}
