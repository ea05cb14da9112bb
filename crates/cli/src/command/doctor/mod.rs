//! `doctor`: looks at everything that a login and a transfer need, and says in words what is wrong and what to do
//! next. No login is needed.

mod cache;
mod explain;
mod here;
mod there;

use serde_json::json;
use supermega::name::for_terminal;

use crate::arguments::Doctor;
use crate::context::Context;
use crate::error::Result;
use crate::exit_code::Exit;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// As it should be.
    Ok,
    /// It works, but a person should know.
    Warning,
    /// It keeps something from working.
    Wrong,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Wrong => "wrong",
        }
    }
}

/// What one check showed.
#[derive(Debug)]
struct Finding {
    /// What was looked at.
    check: &'static str,
    state: State,
    text: String,
    /// What to do about it.
    next: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, text: impl Into<String>) -> Self {
        Self { check, state: State::Ok, text: text.into(), next: None }
    }

    fn warning(check: &'static str, text: impl Into<String>, next: impl Into<String>) -> Self {
        Self { check, state: State::Warning, text: text.into(), next: Some(next.into()) }
    }

    fn wrong(check: &'static str, text: impl Into<String>, next: impl Into<String>) -> Self {
        Self { check, state: State::Wrong, text: text.into(), next: Some(next.into()) }
    }
}

/// What was found so far, told while it is found.
struct Report<'a> {
    context: &'a Context,
    is_well: bool,
}

impl Report<'_> {
    fn tell(&mut self, finding: &Finding) -> Result<()> {
        self.is_well &= finding.state != State::Wrong;
        let text = for_terminal(&finding.text);
        let mut line = format!("{:8} {:10} {text}", finding.state.word(), finding.check);
        if let Some(next) = &finding.next {
            line = format!("{line}\n{:19} -> {}", "", for_terminal(next));
        }
        self.context.output.data(&line, || {
            json!({
                "type": "check", "check": finding.check, "state": finding.state.word(),
                "text": finding.text, "next": finding.next,
            })
        })
    }

    fn tell_all(&mut self, findings: impl IntoIterator<Item = Finding>) -> Result<()> {
        findings.into_iter().try_for_each(|finding| self.tell(&finding))
    }
}

/// Looks at this machine, the service, the login that is kept and the one that is named.
pub async fn run(arguments: Doctor, context: &Context) -> Result<Exit> {
    let context = &context.hasty();
    let mut report = Report { context, is_well: true };
    report.tell_all(here::places(context))?;
    report.tell(&cache::folder(context))?;
    report.tell(&here::keyring(context).await)?;
    report.tell(&here::proxy(context))?;
    match context.client() {
        Err(error) => {
            report.tell(&Finding::wrong(
                "service",
                error.to_string(),
                "mend the flag or the file",
            ))?;
        }
        Ok(client) => {
            let service = there::service(context, &client).await;
            let answers = service.iter().all(|finding| finding.state != State::Wrong);
            report.tell_all(service)?;
            if answers {
                report.tell_all(there::kept_login(context, &client).await)?;
                report.tell_all(there::named_login(&arguments, &client).await?)?;
            }
            report.tell_all(there::drift(&client))?;
        }
    }
    Ok(if report.is_well { Exit::Done } else { Exit::Failed })
}
