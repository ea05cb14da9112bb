//! Mails: the server writes them and delivers none. Whoever runs it reads them.

use std::fmt;

/// A mail that the service would have sent.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mail {
    /// To which address.
    pub to: String,
    /// What for.
    pub kind: MailKind,
    /// The link in it, as MEGA's mails have it: a secret, since it holds the code.
    pub link: String,
    /// When, in seconds since 1970.
    pub sent: i64,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("to", &self.to)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl Mail {
    /// The code in the link: what stands behind `#confirm`, `#recover`, `#cancel`, `#verify` or `#newsignup`.
    #[must_use]
    pub fn code(&self) -> &str {
        let fragment = self.link.split_once('#').map_or("", |(_, fragment)| fragment);
        fragment.strip_prefix(self.kind.prefix()).unwrap_or(fragment)
    }

    /// The object that stands for it in lists: its address, kind, link, code and time.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "type": "mail",
            "to": self.to,
            "kind": self.kind.name(),
            "link": self.link,
            "code": self.code(),
            "sent": self.sent,
        })
    }
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $prefix:literal;)*) => {
        /// What a mail is for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum MailKind {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl MailKind {
            /// Its name in lists.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What stands before the code in its link (`protocol-auth.md` 7.1).
            pub(crate) const fn prefix(self) -> &'static str {
                match self { $(Self::$variant => $prefix,)* }
            }

            pub(crate) fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

kinds! {
    /// Confirms a sign-up.
    Confirm = "confirm", "confirm";
    /// Sets another password.
    Recover = "recover", "recover";
    /// Ends an account.
    Cancel = "cancel", "cancel";
    /// Confirms another e-mail address.
    ChangeEmail = "change-email", "verify";
    /// Somebody who has no account is asked to become a contact.
    Invitation = "invitation", "newsignup";
}

impl MailKind {
    /// The link of a mail with this code.
    pub(crate) fn link(self, code: &str) -> String {
        format!("https://mega.nz/#{}{code}", self.prefix())
    }
}
