//! `df`: how much the account holds.

use serde_json::json;

use crate::context::Context;
use crate::error::Result;
use crate::exit_code::Exit;
use crate::output::size;

/// Prints used, free and total bytes.
pub async fn run(context: &Context) -> Result<Exit> {
    let quota = context.session().await?.quota().await?;
    let (used, free, total) = (quota.used, quota.free(), quota.total);
    let text = format!(
        "used {used} ({})  free {free} ({})  total {total} ({})",
        size(used, true),
        size(free, true),
        size(total, true)
    );
    context
        .output
        .data(&text, || json!({ "type": "quota", "used": used, "free": free, "total": total }))?;
    Ok(Exit::Done)
}
