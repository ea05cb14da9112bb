//! `server user add`, `server outbox`: what a running server is told and asked.

use serde_json::json;
use supermega_server::{AccountOrder, AdminClient};
use zeroize::Zeroizing;

use super::server::version;
use crate::arguments::{Admin, ServerOrder, ServerUser};
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;
use crate::secret::{self, Source};

const TOKEN: &str = "SUPERMEGA_ADMIN_TOKEN";

/// Tells or asks a running server.
pub async fn run(order: ServerOrder, context: &Context) -> Result<Exit> {
    match order {
        ServerOrder::Outbox(admin) => {
            for mail in client(&admin, context)?.outbox().await? {
                let line = format!("{}  {}  {}", mail.kind.name(), mail.to, mail.link);
                context.output.data(&line, || mail.to_json())?;
            }
        }
        ServerOrder::User(ServerUser::Add(user)) => {
            let prompt = format!("Password of the new account {}: ", user.email);
            let password = Source::account(user.password_stdin).read(prompt).await?;
            let client = client(&user.admin, context)?;
            let account = AccountOrder {
                kdf: version(user.kdf),
                quota: user.quota,
                second_factor: user.mfa,
                ..AccountOrder::new(&user.email, &password)
            };
            if let Some(secret) = client.add_user(account).await? {
                let object = || json!({ "type": "second-factor", "secret": secret.as_str() });
                context.output.data(&secret, object)?;
            }
            context.output.note(&format!("{} has an account now", user.email));
        }
    }
    Ok(Exit::Done)
}

fn client(admin: &Admin, context: &Context) -> Result<AdminClient> {
    let token = match &admin.token_file {
        Some(file) => Zeroizing::new(
            std::fs::read_to_string(file)
                .map_err(|error| CommandError::Usage(format!("{}: {error}", file.display())))?,
        ),
        None => secret::variable(TOKEN).ok_or_else(|| {
            CommandError::Usage(format!(
                "the server's token is missing: name its file with --token-file, or use {TOKEN}"
            ))
        })?,
    };
    Ok(AdminClient::new(&context.global.api_url, &token))
}
