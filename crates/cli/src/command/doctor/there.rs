//! The service and the account.

use std::time::{Duration, SystemTime};

use supermega::{AuthenticationError, Client, Credentials, Error, Session};

use super::{Finding, explain};
use crate::arguments::Doctor;
use crate::command::login::{totp_secret, who};
use crate::context::{Context, SESSION};
use crate::error::{CommandError, Result};
use crate::secret;

/// How wrong a clock may be before codes of a second factor are refused.
const SKEW: Duration = Duration::from_secs(30);

/// Whether the service can be reached and answers, and whose clock is wrong.
pub async fn service(context: &Context, client: &Client) -> Vec<Finding> {
    const CHECK: &str = "service";
    let url = &context.global.api_url;
    let mut findings = Vec::new();
    let probe = match client.probe().await {
        Ok(probe) => probe,
        Err(error) => return vec![explain::of(CHECK, &error)],
    };
    if probe.status == 402 {
        findings.push(Finding::warning(
            CHECK,
            "it asks for a proof of work before it answers (402)",
            "nothing: it is given by itself, and takes a few seconds",
        ));
    }
    match client.check_service().await {
        Ok(()) => {
            let text = format!("{url} answers in {} ms", probe.took.as_millis());
            findings.push(Finding::ok(CHECK, text));
        }
        Err(error) => findings.push(explain::of(CHECK, &error)),
    }
    if let Some(clock) = probe.clock {
        findings.push(skew(clock, SystemTime::now()));
    }
    findings
}

fn skew(service: SystemTime, here: SystemTime) -> Finding {
    const CHECK: &str = "clock";
    let (apart, word) = match here.duration_since(service) {
        Ok(ahead) => (ahead, "ahead"),
        Err(error) => (error.duration(), "behind"),
    };
    let seconds = apart.as_secs();
    match apart > SKEW {
        true => Finding::wrong(
            CHECK,
            format!("this machine's clock is {seconds} seconds {word} of the service's"),
            "set the clock: codes of a second factor, times of files and certificates depend on it",
        ),
        false => Finding::ok(CHECK, format!("{seconds} seconds {word} of the service's")),
    }
}

/// The login that is kept, and its account.
pub async fn kept_login(context: &Context, client: &Client) -> Vec<Finding> {
    const CHECK: &str = "login";
    let saved = match secret::variable(SESSION) {
        Some(saved) => saved,
        None => match context.profile() {
            Ok(profile) => match profile.load().await {
                Ok(Some(secrets)) => secrets.session.clone().into(),
                Ok(None) => {
                    return vec![Finding::ok(CHECK, "none is kept in this profile")];
                }
                Err(error) => return vec![unusable(&error)],
            },
            Err(error) => return vec![unusable(&error)],
        },
    };
    match client.resume(&saved).await {
        Ok(session) => {
            let mut findings = vec![Finding::ok(CHECK, format!("logged in as {}", who(&session)))];
            findings.extend(account(&session).await);
            findings
        }
        Err(Error::Authentication(AuthenticationError::Blocked)) => {
            match client.block_reason(&saved).await {
                Ok(reason) => vec![explain::block(reason)],
                Err(_) => vec![explain::block(supermega::BlockReason::None)],
            }
        }
        Err(error) => vec![explain::of(CHECK, &error)],
    }
}

fn unusable(error: &CommandError) -> Finding {
    let next = error.hint().unwrap_or_else(|| "log in again: supermega login EMAIL".into());
    Finding::wrong("login", error.to_string(), next)
}

/// Space, and whether keys can be shared.
async fn account(session: &Session) -> Vec<Finding> {
    if session.is_folder_link() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    match session.quota().await {
        Ok(quota) if quota.state >= 2 => findings.push(Finding::wrong(
            "quota",
            "the account's storage is full (-17)",
            "make room: supermega df shows what is used, and the rubbish bin and old versions count",
        )),
        Ok(quota) if quota.state == 1 => findings.push(Finding::warning(
            "quota",
            "the account's storage is nearly full",
            "make room: supermega df shows what is used",
        )),
        Ok(_) => findings.push(Finding::ok("quota", "there is room")),
        Err(error) => findings.push(explain::of("quota", &error)),
    }
    findings.push(if session.has_older_keys() {
        Finding::warning(
            "keys",
            "the account keeps its keys in the form before the key container: no folder links and \
             shares",
            "supermega upgrade --keys",
        )
    } else {
        match session.key_state() {
            Err(error) => explain::of("keys", &error),
            Ok(()) if session.key_generation().is_none() => {
                Finding::ok("keys", "no key container yet: the first folder link or share makes it")
            }
            Ok(()) => Finding::ok("keys", "the key container fits the account"),
        }
    });
    findings
}

/// Tries to log in to the account that is named, if there is a password for it.
pub async fn named_login(arguments: &Doctor, client: &Client) -> Result<Vec<Finding>> {
    const CHECK: &str = "password";
    let source = secret::Source::account(arguments.password_stdin);
    let Some(email) = arguments.email.as_deref().filter(|_| source.is_given()) else {
        return Ok(Vec::new());
    };
    let password = source.read(String::new()).await?;
    let mut credentials = Credentials::new(email, &password);
    if let Some(code) = &arguments.mfa_code {
        credentials = credentials.mfa_code(code);
    }
    if let Some(text) = secret::variable("SUPERMEGA_TOTP_SECRET") {
        credentials = credentials.totp_secret(totp_secret(&text)?);
    }
    match client.login_with(credentials).await {
        Ok(session) => {
            // It was made to see whether it can be.
            let _ = session.logout().await;
            Ok(vec![Finding::ok(CHECK, format!("{email} can log in"))])
        }
        Err(error) => {
            let mut findings = vec![explain::of(CHECK, &error)];
            if matches!(error, Error::Authentication(AuthenticationError::WrongPassword)) {
                let version = client.password_version(email).await.ok();
                findings.extend(explain::password(&password, version));
            }
            Ok(findings)
        }
    }
}

/// What the service's answers had that this version does not know.
pub fn drift(client: &Client) -> Vec<Finding> {
    let drift = client.drift();
    if drift.is_empty() {
        return vec![Finding::ok("drift", "the service's answers are as they are known")];
    }
    let seen: Vec<String> = drift.iter().take(5).map(ToString::to_string).collect();
    let more = if drift.len() > seen.len() { ", …" } else { "" };
    vec![Finding::warning(
        "drift",
        format!("the service's answers have what is not known here: {}{more}", seen.join(", ")),
        "look for a newer version; nothing breaks by that alone",
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::State;

    #[test]
    fn clocks_that_are_far_apart_are_told() {
        let here = SystemTime::now();
        for (seconds, state, word) in
            [(0, State::Ok, ""), (29, State::Ok, "ahead"), (3600, State::Wrong, "ahead")]
        {
            let found = skew(here - Duration::from_secs(seconds), here);
            assert!(found.state == state && found.text.contains(word), "{found:?}");
        }
        let found = skew(here + Duration::from_mins(2), here);
        assert!(found.state == State::Wrong && found.text.contains("120 seconds behind"));
    }
}
