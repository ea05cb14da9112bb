//! Errors in words, with the next step.

use supermega::{AuthenticationError, BlockReason, Error, NetworkErrorKind, QuotaKind};

use super::Finding;

/// What an error means, and what to do.
pub fn of(check: &'static str, error: &Error) -> Finding {
    let (text, next) = match error {
        Error::Network(network) => by_network(&network.host, &network.kind),
        Error::Authentication(error) => by_authentication(*error),
        Error::Quota { kind: QuotaKind::Storage, .. } => (
            error.to_string(),
            "make room: supermega df shows what is used, and the rubbish bin and old versions count",
        ),
        Error::Quota { .. } => (error.to_string(), "wait, or use --on-quota wait"),
        Error::Protocol(_) => (
            format!(
                "{error}: the service has changed, or something between here and there answers"
            ),
            "look for a newer version; check --api-url and --proxy",
        ),
        Error::Integrity { .. } => (
            format!("{error}: the service gave something that was not stored so"),
            "change nothing; compare with an official client, and do not enter the password again",
        ),
        error => match error.code() {
            Some(code) => by_number(code.number()),
            None => (error.to_string(), "run it again with -vv"),
        },
    };
    Finding::wrong(check, text, next)
}

fn by_network(host: &str, kind: &NetworkErrorKind) -> (String, &'static str) {
    match kind {
        NetworkErrorKind::UnknownHost => (
            format!("{host} has no address"),
            "check the network and --api-url; where a proxy is needed, name it with --proxy",
        ),
        NetworkErrorKind::ConnectionRefused => (
            format!("nobody answers at {host}"),
            "check --api-url and firewalls; a local server must run: supermega server",
        ),
        NetworkErrorKind::Proxy(why) => (
            format!("the proxy does not connect to {host}: {why}"),
            "check --proxy, HTTPS_PROXY and NO_PROXY; --proxy direct goes without",
        ),
        NetworkErrorKind::Tls(why) => (
            format!("{host} does not prove that it is the service: {why}"),
            "check the clock; name the authority of a server of your own with --ca-file; else somebody \
             may be listening in",
        ),
        NetworkErrorKind::TimedOut => (
            format!("{host} does not answer in time"),
            "check the network; a slow one may need a longer --timeout",
        ),
        NetworkErrorKind::Busy => (
            format!("{host} is busy (-3)"),
            "try again later: the service asks for that, and nothing is wrong here",
        ),
        NetworkErrorKind::Hashcash | NetworkErrorKind::Status(402) => (
            format!("{host} asks for a proof of work (402) that cannot be given"),
            "try again later, or from another network: the service takes this one for a robot's",
        ),
        NetworkErrorKind::Status(status) => (
            format!("{host} answers with HTTP status {status}"),
            "check --api-url and --proxy: something else than the service may answer; else try later",
        ),
        kind => (format!("{host}: {kind}"), "check the network, and try again"),
    }
}

fn by_authentication(error: AuthenticationError) -> (String, &'static str) {
    let next = match error {
        AuthenticationError::Blocked => "log in at the website, which says why and how to go on",
        AuthenticationError::InvalidKeys => {
            "do not enter the password again: the service may be hostile, or answers for another account"
        }
        AuthenticationError::MfaRequired => {
            "give the code with --mfa-code, or its secret with --totp-secret-stdin"
        }
        AuthenticationError::SessionEnded => {
            "log in again: supermega login EMAIL; it was ended here or elsewhere"
        }
        AuthenticationError::TooManyAttempts => {
            "wait an hour, and save sessions instead of logging in often"
        }
        AuthenticationError::Unconfirmed => {
            "open the link in the mail, or: supermega signup confirm CODE"
        }
        AuthenticationError::WrongMfaCode => {
            "check the clock of this machine and of the one that makes the codes: each is good for \
             half a minute"
        }
        _ => "check the address and the password",
    };
    let number = match error {
        AuthenticationError::Blocked => " (-16)",
        AuthenticationError::MfaRequired => " (-26)",
        AuthenticationError::SessionEnded => " (-15)",
        AuthenticationError::TooManyAttempts => " (-6)",
        AuthenticationError::Unconfirmed => " (-13)",
        AuthenticationError::WrongMfaCode => " (-5)",
        AuthenticationError::WrongPassword => " (-9)",
        _ => "",
    };
    (format!("{error}{number}"), next)
}

fn by_number(number: i64) -> (String, &'static str) {
    let (text, next) = match number {
        -2 => ("the service does not understand the request", "look for a newer version"),
        -4 => ("there were too many requests", "wait, and ask less often"),
        -9 => ("the service knows no such account, node or link", "check what was named"),
        -11 => (
            "the service does not allow this: the account, share or link has not enough rights",
            "check who is logged in (supermega whoami) and what a share allows (supermega share list)",
        ),
        -14 => ("the service refuses a key", "log in again; change nothing before that works"),
        -16 => {
            ("the account, or what was named, is blocked", "log in at the website, which says why")
        }
        -17 | -24 => ("quota is used up", "make room, or wait: supermega df"),
        -18 => ("this is not available now", "try again later"),
        -26 => (
            "the account needs a code of its second factor",
            "give the code with --mfa-code, or its secret with --totp-secret-stdin",
        ),
        _ => ("the service refuses, without a reason that is known", "run it again with -vv"),
    };
    (format!("{text} ({number})"), next)
}

/// Why an account is suspended, and what its owner can do.
pub fn block(reason: BlockReason) -> Finding {
    let (text, next) = match reason {
        BlockReason::Copyright => (
            "the account is suspended for copyright infringement",
            "read the mail of the service about it, and answer there",
        ),
        BlockReason::Terms => (
            "the account is suspended for a breach of the terms of service",
            "read the mail of the service about it, and answer there",
        ),
        BlockReason::Disabled => (
            "the business account's administrator has disabled this account",
            "ask the administrator",
        ),
        BlockReason::Removed => (
            "the business account's administrator has removed this account",
            "ask the administrator",
        ),
        BlockReason::SmsVerification => (
            "the account is locked until a telephone number is verified",
            "log in at the website, and verify it there",
        ),
        BlockReason::EmailVerification => (
            "the account is locked until the e-mail address is verified again",
            "open the link in the mail of the service, and set another password there",
        ),
        _ => (
            "the account is suspended, and the service does not say why",
            "log in at the website, which says why and how to go on",
        ),
    };
    Finding::wrong("login", format!("{text} (-16)"), next)
}

/// What about a password that was refused may be meant otherwise than it was written.
pub fn password(text: &str, version: Option<u8>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if text.is_empty() {
        let text = "the password is empty";
        findings.push(Finding::wrong("password", text, "give it on standard input, as one line"));
    } else if text.trim() != text {
        findings.push(Finding::warning(
            "password",
            "the password begins or ends with white space, which counts",
            "try it without, if it was copied from elsewhere",
        ));
    }
    if !text.is_ascii() {
        let older = match version {
            Some(1) => {
                "; this is an account of version 1, for which other clients read such letters in \
                        other ways"
            }
            _ => "",
        };
        findings.push(Finding::warning(
            "password",
            format!(
                "the password has letters that can be written in several ways: é is one sign, or e \
                 and an accent{older}"
            ),
            "type it where it was set; an official client accepts it if it is right, and can set \
             another one",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_password_are_told() {
        assert!(password("plain", Some(2)).is_empty());
        assert_eq!(password(" x", Some(2)).len(), 1);
        assert_eq!(password("é ", Some(1)).len(), 2);
        assert!(password("é", Some(1))[0].text.contains("version 1"));
    }
}
