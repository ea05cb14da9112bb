//! `login`: to an account, to a folder link, or to an account made on the spot.

use serde_json::json;
use supermega::{Client, Credentials, LinkError, Session, TotpSecret, WriteAuth};
use zeroize::Zeroizing;

use crate::arguments::Login;
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;
use crate::place::link_of;
use crate::profile::{Profile, Secrets};
use crate::secret;

/// Logs in and keeps the session.
pub async fn run(arguments: Login, context: &Context) -> Result<Exit> {
    let client = context.client()?;
    let profile = context.profile()?;
    let (session, totp_secret) = if arguments.ephemeral {
        (client.ephemeral().await?, None)
    } else {
        let name = arguments.name.as_deref().ok_or_else(|| {
            CommandError::Usage("name the e-mail address or the folder link to log in to".into())
        })?;
        match name.contains('@') {
            true => to_account(&client, &profile, name, &arguments).await?,
            false => (open_link(&client, name, arguments.write_auth_stdin).await?, None),
        }
    };
    profile.check_generation(&session)?;
    let who = who(&session);
    let secrets = Secrets {
        session: session.save().to_string(),
        totp_secret: totp_secret.map(|secret| secret.to_string()),
    };
    profile.save(&who, secrets).await?;
    context.output.note(&format!("logged in as {who}"));
    context.output.object(|| json!({ "type": "login", "as": who }))?;
    Ok(Exit::Done)
}

/// What a login is called.
pub fn who(session: &Session) -> String {
    match session.account() {
        Some(account) => {
            account.email.clone().unwrap_or_else(|| format!("ephemeral account {}", account.user))
        }
        None => "a folder link".into(),
    }
}

/// Logs in to an account. Gives the secret of the second factor too, if that is to be kept: because this login
/// says so, or because an earlier one of the same account did.
async fn to_account(
    client: &Client,
    profile: &Profile,
    email: &str,
    arguments: &Login,
) -> Result<(Session, Option<Zeroizing<String>>)> {
    let source = secret::Source::account(arguments.password_stdin);
    let password = source.read(format!("Password of {email}: ")).await?;
    let source = secret::Source::totp(arguments.totp_secret_stdin);
    let given = match source.is_given() {
        true => Some(source.read("Secret of the second factor: ".into()).await?),
        false => None,
    };
    if arguments.remember_totp && given.is_none() {
        let text = format!("--remember-totp needs the secret: use {}", source.flag);
        return Err(CommandError::Usage(text));
    }
    let kept = match profile.whose()? {
        Some(listed) if given.is_none() && listed.whose.eq_ignore_ascii_case(email) => {
            // What cannot be read now is no reason not to log in.
            let secrets = profile.load().await.ok().flatten();
            secrets.and_then(|secrets| secrets.totp_secret.clone()).map(Zeroizing::new)
        }
        _ => None,
    };
    let mut credentials = Credentials::new(email, &password);
    if let Some(code) = &arguments.mfa_code {
        credentials = credentials.mfa_code(code);
    }
    if let Some(text) = given.as_ref().or(kept.as_ref()) {
        credentials = credentials.totp_secret(totp_secret(text)?);
    }
    let session = client.login_with(credentials).await?;
    Ok((session, kept.or(given.filter(|_| arguments.remember_totp))))
}

/// Reads the secret of a second factor.
pub fn totp_secret(text: &str) -> Result<TotpSecret> {
    let wrong = |_| CommandError::Usage("the secret of a second factor is base32".into());
    text.parse().map_err(wrong)
}

/// Opens a folder link, to write through it if there is what that takes.
async fn open_link(client: &Client, text: &str, from_stdin: bool) -> Result<Session> {
    let (link, auth) = link_of(text).map_err(|error| match error {
        LinkError::NotALink | LinkError::ForeignHost => CommandError::Usage(format!(
            "{text:?} is neither an e-mail address nor a link to a folder"
        )),
        error => supermega::Error::from(error).into(),
    })?;
    let source = secret::Source::write_auth(from_stdin);
    let auth = match auth {
        None if source.is_given() => {
            let text = source.read("Authorisation to write: ".into()).await?;
            Some(text.parse::<WriteAuth>().map_err(supermega::Error::from)?)
        }
        auth => auth,
    };
    let link = secret::unlock(link, false).await?;
    Ok(match auth {
        Some(auth) => client.open_writable_folder(&link, &auth).await?,
        None => client.open_folder(&link).await?,
    })
}
