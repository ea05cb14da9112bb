//! `contact`: asked, answered, ended, verified.

use serde_json::json;
use supermega::name::for_terminal;
use supermega::{Answer, KeyFingerprint, Session};

use super::summary::Summary;
use crate::arguments::{Contact, Emails, VerifyContact};
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;

/// Does what is asked, one address after the other.
pub async fn run(arguments: Contact, context: &Context) -> Result<Exit> {
    let session = context.session().await?;
    let answer = match arguments {
        Contact::Invite(arguments) => {
            session.invite(&arguments.email, arguments.message.as_deref()).await?;
            return Ok(Exit::Done);
        }
        Contact::List => return list(context, &session).await,
        Contact::Verify(arguments) => return verify(&arguments, context, &session).await,
        Contact::Accept(emails) => (emails, Step::Answer(Answer::Accept)),
        Contact::Deny(emails) => (emails, Step::Answer(Answer::Deny)),
        Contact::Ignore(emails) => (emails, Step::Answer(Answer::Ignore)),
        Contact::Cancel(emails) => (emails, Step::Cancel),
        Contact::Remove(emails) => (emails, Step::Remove),
    };
    let (Emails { emails }, step) = answer;
    let mut summary = Summary::default();
    for email in &emails {
        let done = match step {
            Step::Answer(answer) => session.answer(email, answer).await,
            Step::Cancel => session.cancel_invitation(email).await,
            Step::Remove => session.remove_contact(email).await,
        };
        summary.add(context, done.map_err(CommandError::from))?;
    }
    // Shares that waited for this begin now.
    if matches!(step, Step::Answer(Answer::Accept)) {
        session.complete_shares().await?;
    }
    Ok(summary.exit(context))
}

#[derive(Clone, Copy)]
enum Step {
    Answer(Answer),
    Cancel,
    Remove,
}

async fn list(context: &Context, session: &Session) -> Result<Exit> {
    for contact in session.contacts().await? {
        let name = contact.email.clone().unwrap_or_else(|| contact.user.to_string());
        let mark = if contact.verified { "  (verified)" } else { "" };
        context.output.data(&format!("contact   {}{mark}", for_terminal(&name)), || {
            json!({
                "type": "contact", "user": contact.user.to_string(), "email": contact.email,
                "verified": contact.verified,
            })
        })?;
    }
    for request in session.contact_requests().await? {
        let name = request.email.clone().unwrap_or_else(|| request.handle.to_string());
        let word = if request.incoming { "asks you " } else { "you asked" };
        let message = request.message.clone().unwrap_or_default();
        let line = format!("{word} {}  {}", for_terminal(&name), for_terminal(&message));
        context.output.data(line.trim_end(), || {
            json!({
                "type": "contact_request", "email": request.email, "incoming": request.incoming,
                "message": request.message,
            })
        })?;
    }
    Ok(Exit::Done)
}

async fn verify(arguments: &VerifyContact, context: &Context, session: &Session) -> Result<Exit> {
    let email = &arguments.email;
    if !arguments.fingerprint.is_empty() {
        let compared: KeyFingerprint = arguments.fingerprint.concat().parse().map_err(|_| {
            CommandError::Usage("a fingerprint has forty hexadecimal digits".into())
        })?;
        session.verify_contact(email, compared).await?;
        context.output.note(&format!("{email} is verified"));
        return Ok(Exit::Done);
    }
    let theirs = session.fingerprint_of(email).await?;
    let own = session.fingerprint().map(|own| own.to_string());
    let text = format!("{email}  {theirs}\nyou  {}", own.as_deref().unwrap_or("-"));
    context.output.data(
        &text,
        || json!({ "type": "fingerprint", "email": email, "fingerprint": theirs.to_string(), "own": own }),
    )?;
    Ok(Exit::Done)
}
