//! `whoami`: who is logged in, and where.

use serde_json::json;

use crate::context::Context;
use crate::error::Result;
use crate::exit_code::Exit;

/// Asks the service who the session belongs to.
pub async fn run(context: &Context) -> Result<Exit> {
    let session = context.session().await?;
    let url = session.client().api_url().to_owned();
    let fingerprint = session.fingerprint().map(|fingerprint| fingerprint.to_string());
    let (name, object) = match session.account() {
        Some(account) => {
            let email = account.email.clone();
            let name =
                email.clone().unwrap_or_else(|| format!("ephemeral account {}", account.user));
            let object = json!({
                "type": "account", "email": email, "user": account.user.to_string(),
                "version": account.version, "api_url": url, "fingerprint": fingerprint,
            });
            (name, object)
        }
        None => ("a folder link".into(), json!({ "type": "folder_link", "api_url": url })),
    };
    let mark = fingerprint.map_or_else(String::new, |text| format!("\nfingerprint {text}"));
    let text = format!("{name} at {url}{mark}");
    context.output.data(&text, || object)?;
    Ok(Exit::Done)
}
