//! `login`: to an account, to a folder link, or to an account made on the spot.

use serde_json::json;
use supermega::{Credentials, Link, LinkError, TotpSecret};

use crate::arguments::Login;
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;
use crate::secret;

/// Logs in and keeps the session.
pub async fn run(arguments: Login, context: &Context) -> Result<Exit> {
    let client = context.client()?;
    let profile = context.profile()?;
    let session = if arguments.ephemeral {
        client.ephemeral().await?
    } else {
        let name = arguments.name.ok_or_else(|| {
            CommandError::Usage("name the e-mail address or the folder link to log in to".into())
        })?;
        if name.contains('@') {
            let source = secret::Source::account(arguments.password_stdin);
            let password = source.read(format!("Password of {name}: ")).await?;
            let mut credentials = Credentials::new(&name, &password);
            if let Some(code) = &arguments.mfa_code {
                credentials = credentials.mfa_code(code);
            }
            if arguments.totp_secret_stdin || secret::variable("SUPERMEGA_TOTP_SECRET").is_some() {
                let source = secret::Source::totp(arguments.totp_secret_stdin);
                let text = source.read("Secret of the second factor: ".into()).await?;
                let wrong =
                    |_| CommandError::Usage("the secret of a second factor is base32".into());
                credentials = credentials.totp_secret(text.parse::<TotpSecret>().map_err(wrong)?);
            }
            client.login_with(credentials).await?
        } else {
            let link = Link::parse(&name).map_err(|error| match error {
                LinkError::NotALink | LinkError::ForeignHost => CommandError::Usage(format!(
                    "{name:?} is neither an e-mail address nor a link to a folder"
                )),
                error => supermega::Error::from(error).into(),
            })?;
            client.open_folder(&secret::unlock(link, false).await?).await?
        }
    };
    profile.check_generation(&session)?;
    profile.save(&session.save())?;
    let who = match session.account() {
        Some(account) => {
            account.email.clone().unwrap_or_else(|| format!("ephemeral account {}", account.user))
        }
        None => "a folder link".into(),
    };
    context.output.note(&format!("logged in as {who}"));
    context.output.object(|| json!({ "type": "login", "as": who }))?;
    Ok(Exit::Done)
}
