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

/// `doctor`
#[derive(Debug, Args)]
pub struct Doctor {
    /// Try to log in to this account too, and explain why it fails
    #[arg(env = "SUPERMEGA_EMAIL")]
    pub email: Option<String>,
    /// Read the password from standard input
    #[arg(long, env = "SUPERMEGA_PASSWORD_STDIN", value_parser = switch())]
    pub password_stdin: bool,
    /// The six digits of the second factor
    #[arg(long, value_name = "N", env = "SUPERMEGA_MFA_CODE", hide_env_values = true)]
    pub mfa_code: Option<String>,
}

/// `login`
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct Login {
    /// E-mail address, or a folder link
    #[arg(env = "SUPERMEGA_EMAIL", value_name = "EMAIL | FOLDER_LINK")]
    pub name: Option<String>,
    /// Read the password from standard input rather than from the terminal
    #[arg(long, env = "SUPERMEGA_PASSWORD_STDIN", value_parser = switch())]
    pub password_stdin: bool,
    /// The six digits of the second factor
    #[arg(long, value_name = "N", env = "SUPERMEGA_MFA_CODE", hide_env_values = true)]
    pub mfa_code: Option<String>,
    /// Read the secret of the second factor from standard input, a line after the password
    #[arg(
        long,
        conflicts_with = "mfa_code",
        env = "SUPERMEGA_TOTP_SECRET_STDIN",
        value_parser = switch()
    )]
    pub totp_secret_stdin: bool,
    /// Read what it takes to write through a folder link from standard input; it may also stand behind the link
    #[arg(long, env = "SUPERMEGA_WRITE_AUTH_STDIN", value_parser = switch())]
    pub write_auth_stdin: bool,
    /// Keep the secret of the second factor with the login, for a new login when this one is over
    #[arg(long, conflicts_with = "mfa_code", env = "SUPERMEGA_REMEMBER_TOTP", value_parser = switch())]
    pub remember_totp: bool,
    /// Make an account without e-mail address and password, that lives as long as this login
    #[arg(
        long,
        conflicts_with_all = ["password_stdin", "mfa_code", "totp_secret_stdin", "write_auth_stdin"],
        env = "SUPERMEGA_EPHEMERAL",
        value_parser = switch()
    )]
    pub ephemeral: bool,
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

/// `profiles`
#[derive(Debug, Args)]
pub struct Profiles {
    /// What to do with them.
    #[command(subcommand)]
    pub step: Option<ProfilesStep>,
}

/// `profiles remove`
#[derive(Debug, Subcommand)]
pub enum ProfilesStep {
    /// Log out of profiles, and forget them
    Remove(ProfileNames),
}

/// Several profiles.
#[derive(Debug, Args)]
pub struct ProfileNames {
    /// Names, as the list shows them
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,
}

/// `upgrade`
#[derive(Debug, Args)]
pub struct Upgrade {
    /// Put keys that are kept in the form before the key container into one, rather than the password into version 2
    #[arg(long, conflicts_with = "password_stdin", env = "SUPERMEGA_UPGRADE_KEYS", value_parser = switch())]
    pub keys: bool,
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
