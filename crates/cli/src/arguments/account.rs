//! The account: sign-up, password, second factor, sessions, recovery, end.

use clap::{Args, Subcommand};

use super::switch;

/// `signup`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Signup {
    /// E-mail address of the new account
    #[arg(required = true)]
    pub email: Option<String>,
    /// Full name
    #[arg(long, default_value = "", env = "SUPERMEGA_NAME")]
    pub name: String,
    /// Read the password from standard input rather than from the terminal
    #[arg(long, env = "SUPERMEGA_PASSWORD_STDIN", value_parser = switch())]
    pub password_stdin: bool,
    /// What comes after the mail.
    #[command(subcommand)]
    pub step: Option<SignupStep>,
}

/// `signup confirm`
#[derive(Debug, Subcommand)]
pub enum SignupStep {
    /// Confirm the address by the code of the mail
    Confirm(Code),
}

/// The code of a mail.
#[derive(Debug, Args)]
pub struct Code {
    /// The code, or the whole link of the mail
    pub code: String,
}

/// `mfa`
#[derive(Debug, Subcommand)]
pub enum Mfa {
    /// Turn the second factor off
    Disable(MfaCode),
    /// Draw the secret of a second factor, for an application that makes codes; verify turns it on
    Enable,
    /// Show whether there is a second factor
    Status,
    /// Turn the second factor on, by a code of its secret
    Verify(MfaCode),
}

/// A code of the second factor.
#[derive(Debug, Args)]
pub struct MfaCode {
    /// Six digits
    pub code: String,
}

/// `sessions`
#[derive(Debug, Args)]
pub struct Sessions {
    /// Those that have ended too
    #[arg(short, long, env = "SUPERMEGA_ALL", value_parser = switch())]
    pub all: bool,
    /// What to do with them.
    #[command(subcommand)]
    pub step: Option<SessionsStep>,
}

/// `sessions kill`
#[derive(Debug, Subcommand)]
pub enum SessionsStep {
    /// End sessions, by the ids that the list shows
    Kill(Kill),
}

/// `sessions kill`
#[derive(Debug, Args)]
pub struct Kill {
    /// Ids
    #[arg(required_unless_present = "others", value_name = "ID")]
    pub ids: Vec<String>,
    /// All but this one
    #[arg(long, conflicts_with = "ids", env = "SUPERMEGA_OTHERS", value_parser = switch())]
    pub others: bool,
}

/// `password`
#[derive(Debug, Args)]
pub struct ChangePassword {
    /// Read the new password from standard input rather than from the terminal
    #[arg(long, env = "SUPERMEGA_PASSWORD_STDIN", value_parser = switch())]
    pub password_stdin: bool,
    /// The six digits of the second factor
    #[arg(long, value_name = "N", env = "SUPERMEGA_MFA_CODE", hide_env_values = true)]
    pub mfa_code: Option<String>,
    /// End all other sessions too
    #[arg(long, env = "SUPERMEGA_END_SESSIONS", value_parser = switch())]
    pub end_sessions: bool,
}

/// `upgrade`
#[derive(Debug, Args)]
pub struct Upgrade {
    /// Read the password from standard input rather than from the terminal
    #[arg(long, env = "SUPERMEGA_PASSWORD_STDIN", value_parser = switch())]
    pub password_stdin: bool,
}

/// `recover`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Recover {
    /// E-mail address, to which a code is sent
    #[arg(required = true)]
    pub email: Option<String>,
    /// There is no recovery key: the account becomes empty
    #[arg(long, env = "SUPERMEGA_LOSE_DATA", value_parser = switch())]
    pub lose_data: bool,
    /// What comes after the mail.
    #[command(subcommand)]
    pub step: Option<RecoverStep>,
}

/// `recover confirm`
#[derive(Debug, Subcommand)]
pub enum RecoverStep {
    /// Set another password by the code of the mail
    Confirm(ConfirmRecovery),
}

/// `recover confirm`
#[derive(Debug, Args)]
pub struct ConfirmRecovery {
    /// The code, or the whole link of the mail
    pub code: String,
    /// There is no recovery key: the account becomes empty
    #[arg(long, env = "SUPERMEGA_LOSE_DATA", value_parser = switch())]
    pub lose_data: bool,
    /// Read the recovery key from standard input, a line before the password
    #[arg(
        long,
        conflicts_with = "lose_data",
        env = "SUPERMEGA_RECOVERY_KEY_STDIN",
        value_parser = switch()
    )]
    pub recovery_key_stdin: bool,
    /// Read the new password from standard input rather than from the terminal
    #[arg(long, env = "SUPERMEGA_PASSWORD_STDIN", value_parser = switch())]
    pub password_stdin: bool,
}

/// `cancel`
#[derive(Debug, Args)]
pub struct Cancel {
    /// The six digits of the second factor
    #[arg(long, value_name = "N", env = "SUPERMEGA_MFA_CODE", hide_env_values = true)]
    pub mfa_code: Option<String>,
    /// What comes after the mail.
    #[command(subcommand)]
    pub step: Option<CancelStep>,
}

/// `cancel confirm`
#[derive(Debug, Subcommand)]
pub enum CancelStep {
    /// End the account, with all that is in it, by the code of the mail
    Confirm(Code),
}
