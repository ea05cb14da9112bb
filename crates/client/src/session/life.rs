//! The life of an account: sign-up, password, second factor, recovery, end (`protocol-auth.md` 2.10, 2.14, 3).

use supermega_crypto::account::password_proof;
use supermega_crypto::{KdfVersion, MasterKey, PrivateKey, Proof, TotpSecret};
use supermega_crypto::{PasswordKey, session_self_challenge};
use supermega_encoding::{Base64, base64};
use supermega_protocol::account::{FetchUser, UpdateUser, UpgradeAccount};
use supermega_protocol::recovery::{
    FetchMailCode, HashedPassword, MailCode, MailPurpose, PasswordProof, RecoveryStep, RequestMail,
    UseMailCode,
};
use supermega_protocol::second_factor::{FetchSecondFactor, RemoveSecondFactor, SetSecondFactor};
use supermega_protocol::session::Prelogin;
use supermega_protocol::signup::{CancelSignup, ConfirmSignup, RequestSignup};
use supermega_protocol::wire::TextOrDone;
use supermega_protocol::{ErrorCode, Flag, Malformed};
use zeroize::Zeroizing;

use super::Session;
use super::login::refusal;
use crate::blocking::blocking;
use crate::client::Client;
use crate::error::{AuthenticationError, Error, Result};
use crate::share::address;
use crate::transport::Authentication;

/// What the service is told of a new password.
struct NewPassword {
    key: PasswordKey,
    proof: Proof,
}

impl NewPassword {
    /// Derives it off the async threads.
    async fn derive(email: &str, password: &str, version: KdfVersion) -> Result<Self> {
        if password.is_empty() {
            return Err(Error::Input("the new password is empty".into()));
        }
        let (email, password) = (email.to_owned(), Zeroizing::new(password.to_owned()));
        let (key, proof) =
            blocking(move || Ok(password_proof(&email, &password, version)?)).await?;
        Ok(Self { key, proof })
    }

    /// The client's random value, which version 1 lacks, and the proof.
    fn parts(&self) -> (Option<Base64>, Base64) {
        match &self.proof {
            Proof::V1 { user_hash } => (None, Base64::from(&user_hash.as_bytes()[..])),
            Proof::V2 { crv, hak, .. } => {
                (Some(Base64::from(&crv.as_bytes()[..])), Base64::from(&hak.as_bytes()[..]))
            }
        }
    }

    fn for_recovery(&self) -> PasswordProof {
        match self.parts() {
            (Some(crv), hak) => PasswordProof::V2(HashedPassword { crv, hak }),
            (None, hash) => PasswordProof::V1(hash),
        }
    }
}

fn version(number: Option<u8>) -> KdfVersion {
    if number == Some(1) { KdfVersion::V1 } else { KdfVersion::V2 }
}

impl Client {
    /// Makes an account: a mail with a code goes to the address, which
    /// [`confirm_signup`](Self::confirm_signup) takes. Until then there is the account of the session that this
    /// gives, without address and password.
    pub async fn sign_up(&self, email: &str, password: &str, name: &str) -> Result<Session> {
        let session = self.ephemeral().await?;
        session.sign_up(email, password, name).await?;
        Ok(session)
    }

    /// Makes a full account of the one whose mail held this code, and gives its address. Log in after that:
    /// the first login makes the account's keys.
    pub async fn confirm_signup(&self, code: &str) -> Result<String> {
        let channel = self.channel(&Authentication::Anonymous)?;
        let request = ConfirmSignup { c: code.to_owned() };
        let confirmed = channel.call(&request).await.map_err(|e| bad_code(e, code))?;
        if confirmed.version != 2 {
            return Err(Malformed::new("ud2", "[3]", "an account version other than 2").into());
        }
        String::from_utf8(confirmed.email.0)
            .map_err(|_| Malformed::new("ud2", "[0]", "no e-mail address").into())
    }

    /// Whether the account of this address has a second factor.
    pub async fn has_second_factor(&self, email: &str) -> Result<bool> {
        let channel = self.channel(&Authentication::Anonymous)?;
        Ok(channel.call(&FetchSecondFactor { e: address(email)? }).await?.0)
    }

    /// Has a mail with a code sent, by which another password can be set: with the recovery key
    /// ([`recover`](Self::recover)), or without it and with the loss of all data ([`park`](Self::park)).
    pub async fn request_recovery(&self, email: &str, has_key: bool) -> Result<()> {
        let t = if has_key { MailPurpose::Recover } else { MailPurpose::Park };
        let channel = self.channel(&Authentication::Anonymous)?;
        let m = address(email)?;
        let request = RequestMail { m: m.clone(), t, mfa: None };
        channel.call(&request).await.map_err(|error| match error.code() {
            Some(ErrorCode::NotFound) => Error::NotFound { what: format!("an account {m}") },
            _ => error,
        })?;
        Ok(())
    }

    /// Sets another password with the code of a mail and the recovery key, which is the only proof that the
    /// key is right: nothing is sent if it does not open the account's private key. Gives the address.
    pub async fn recover(&self, code: &str, recovery_key: &str, password: &str) -> Result<String> {
        let master = master_key(recovery_key)?;
        let mail = self.mail_code(code, MailPurpose::Recover).await?;
        let channel = self.channel(&Authentication::Anonymous)?;
        let fetch = UseMailCode {
            r: Some(RecoveryStep::FetchKey),
            c: code.to_owned(),
            x: None,
            y: None,
            z: None,
        };
        let TextOrDone::Text(privk) = channel.call(&fetch).await? else {
            return Err(Malformed::new("erx", ".", "no private key").into());
        };
        let privk = base64::decode(&privk)?;
        let opener = master.clone();
        let opened = blocking(move || Ok(opener.unwrap_private_key(&privk).is_ok())).await?;
        if !opened {
            return Err(Error::Integrity {
                what: "the recovery key".into(),
                why: "it does not open this account",
            });
        }
        let new = self.new_password_of(&mail.1, password).await?;
        let set = UseMailCode {
            r: Some(RecoveryStep::SetPassword),
            c: code.to_owned(),
            x: Some(new.key.wrap(&master).into()),
            y: Some(new.for_recovery()),
            z: None,
        };
        channel.call(&set).await?;
        Ok(mail.1)
    }

    /// Sets another password with the code of a mail and without the recovery key: the account becomes an empty
    /// one, and its data are lost. Gives the address.
    pub async fn park(&self, code: &str, password: &str) -> Result<String> {
        let mail = self.mail_code(code, MailPurpose::Park).await?;
        let channel = self.channel(&Authentication::Anonymous)?;
        let master = MasterKey::generate()?;
        let new = self.new_password_of(&mail.1, password).await?;
        let request = UseMailCode {
            r: None,
            c: code.to_owned(),
            x: Some(new.key.wrap(&master).into()),
            y: Some(new.for_recovery()),
            z: Some(session_self_challenge(&master)?.into()),
        };
        channel.call(&request).await?;
        Ok(mail.1)
    }

    async fn new_password_of(&self, email: &str, password: &str) -> Result<NewPassword> {
        let channel = self.channel(&Authentication::Anonymous)?;
        let prelogin = channel.call(&Prelogin { user: email.to_owned() }).await.map_err(refusal)?;
        NewPassword::derive(email, password, version(Some(prelogin.v))).await
    }

    async fn mail_code(&self, code: &str, purpose: MailPurpose) -> Result<MailCode> {
        let channel = self.channel(&Authentication::Anonymous)?;
        let request = FetchMailCode { c: code.to_owned() };
        let mail = channel.call(&request).await.map_err(|e| bad_code(e, code))?;
        must_be_for(&mail, purpose)?;
        Ok(mail)
    }
}

impl Session {
    /// Gives an account without address and password both: a mail with a code goes to the address.
    pub async fn sign_up(&self, email: &str, password: &str, name: &str) -> Result<()> {
        self.must_be_account()?;
        let email = address(email)?;
        let new = NewPassword::derive(&email, password, KdfVersion::V2).await?;
        let (crv, hak) = new.parts();
        let k = self.with_account(|account, _| new.key.wrap(&account.master))?;
        let request = RequestSignup {
            n: Base64::from(name.as_bytes()),
            m: Base64::from(email.as_bytes()),
            crv,
            hak: Some(hak),
            k: Some(k.into()),
            v: 2,
            p: None,
        };
        match self.channel().call(&request).await {
            Err(error) if error.code() == Some(ErrorCode::Exists) => {
                Err(Error::Refused(format!("{email} has an account already")))
            }
            reply => reply.map(|_| ()),
        }
    }

    /// Takes a sign-up back that was not confirmed.
    pub async fn cancel_sign_up(&self) -> Result<()> {
        self.channel().call(&CancelSignup {}).await?;
        Ok(())
    }

    /// Makes the keys of an account that was confirmed since: an RSA pair, curve keys, the key container.
    pub(super) async fn make_keys(&self) -> Result<()> {
        let rsa = blocking(|| Ok(PrivateKey::generate()?)).await?;
        let privk = self.with_account(|account, _| account.master.wrap_private_key(&rsa))??;
        let request = UpdateUser {
            privk: Some(privk.into()),
            pubk: Some(rsa.public_key().to_bytes().into()),
            ..UpdateUser::default()
        };
        self.channel().call(&request).await?;
        self.update_keys(|keys| keys.set_rsa(rsa));
        self.need_key_store().await
    }

    /// Sets another password. Sessions go on; [`end_other_sessions`](Self::end_other_sessions) ends them. An
    /// account with a second factor needs its code.
    pub async fn change_password(&self, password: &str, mfa_code: Option<&str>) -> Result<()> {
        let email = self.email()?;
        let data = self.channel().call(&FetchUser { v: Flag::SET }).await?;
        let new = NewPassword::derive(&email, password, version(data.aav)).await?;
        let (crv, uh) = new.parts();
        let k = self.with_account(|account, _| new.key.wrap(&account.master))?;
        let request = UpdateUser {
            k: Some(k.into()),
            crv,
            uh: Some(uh),
            mfa: mfa_code.map(str::to_owned),
            ..UpdateUser::default()
        };
        self.channel().call(&request).await.map_err(second_factor_refusal)?;
        Ok(())
    }

    /// Makes a version 2 account of one of version 1; the password stays the same and must be given. An account
    /// that is of version 2 already is left alone.
    pub async fn upgrade_account(&self, password: &str) -> Result<()> {
        let email = self.email()?;
        let data = self.channel().call(&FetchUser { v: Flag::SET }).await?;
        if data.aav != Some(1) {
            return Ok(());
        }
        let wrapped = super::login::block(data.k.as_ref())?;
        let old = NewPassword::derive(&email, password, KdfVersion::V1).await?;
        let right =
            self.with_account(|account, _| old.key.unwrap(&wrapped).ct_eq(&account.master))?;
        if !right {
            return Err(AuthenticationError::WrongPassword.into());
        }
        let new = NewPassword::derive(&email, password, KdfVersion::V2).await?;
        let (crv, hak) = new.parts();
        let emk = self.with_account(|account, _| new.key.wrap(&account.master))?;
        let request =
            UpgradeAccount { emk: emk.into(), hak, crv: crv.unwrap_or_else(|| Base64(Vec::new())) };
        match self.channel().call(&request).await {
            Err(error) if error.code() == Some(ErrorCode::Exists) => Ok(()),
            reply => reply.map(|_| ()),
        }
    }

    /// The recovery key: whoever has it and the account's mails can set another password. It is the master key:
    /// keep it where nobody else can read it. When its owner has it,
    /// [`note_recovery_key`](Self::note_recovery_key) says so to other clients.
    pub fn recovery_key(&self) -> Result<Zeroizing<String>> {
        self.with_account(|account, _| Zeroizing::new(base64::encode(account.master.as_bytes())))
    }

    /// Draws the secret of a second factor. It takes effect when a code made of it is shown to
    /// [`enable_second_factor`](Self::enable_second_factor).
    pub async fn new_second_factor(&self) -> Result<TotpSecret> {
        self.must_be_account()?;
        match self.channel().call(&SetSecondFactor::default()).await {
            Ok(TextOrDone::Text(secret)) => Ok(secret.parse()?),
            Ok(TextOrDone::Done) => Err(Malformed::new("mfas", ".", "no secret").into()),
            Err(error) if error.code() == Some(ErrorCode::Exists) => {
                Err(Error::Refused("the account has a second factor already".into()))
            }
            Err(error) => Err(error),
        }
    }

    /// Turns the second factor on, by a code of its secret.
    pub async fn enable_second_factor(&self, code: &str) -> Result<()> {
        self.must_be_account()?;
        let request = SetSecondFactor { mfa: Some(code.to_owned()) };
        self.channel().call(&request).await.map_err(second_factor_refusal)?;
        Ok(())
    }

    /// Turns the second factor off.
    pub async fn disable_second_factor(&self, code: &str) -> Result<()> {
        self.must_be_account()?;
        let request = RemoveSecondFactor { mfa: code.to_owned() };
        self.channel().call(&request).await.map_err(second_factor_refusal)?;
        Ok(())
    }

    /// Has a mail with a code sent, by which [`cancel_account`](Self::cancel_account) ends the account.
    pub async fn request_cancellation(&self, mfa_code: Option<&str>) -> Result<()> {
        let request = RequestMail {
            m: self.email()?,
            t: MailPurpose::Cancel,
            mfa: mfa_code.map(str::to_owned),
        };
        self.channel().call(&request).await.map_err(second_factor_refusal)?;
        Ok(())
    }

    /// Ends the account, with all that is in it, by the code of a mail. There is no way back.
    pub async fn cancel_account(self, code: &str) -> Result<()> {
        let email = self.email()?;
        let request = FetchMailCode { c: code.to_owned() };
        let mail = self.channel().call(&request).await.map_err(|e| bad_code(e, code))?;
        must_be_for(&mail, MailPurpose::Cancel)?;
        if !mail.1.eq_ignore_ascii_case(&email) {
            return Err(Error::Refused("the code is another account's".into()));
        }
        let request = UseMailCode { r: None, c: code.to_owned(), x: None, y: None, z: None };
        self.channel().call(&request).await?;
        Ok(())
    }

    fn email(&self) -> Result<String> {
        self.must_be_account()?;
        let email = self.account().and_then(|account| account.email.clone());
        email.ok_or_else(|| Error::Refused("the account has no e-mail address and password".into()))
    }
}

fn master_key(text: &str) -> Result<MasterKey> {
    let bytes = base64::decode_array("recovery key", text.trim());
    bytes
        .map(MasterKey::from_bytes)
        .map_err(|_| Error::Input("a recovery key has 22 characters".into()))
}

fn must_be_for(mail: &MailCode, purpose: MailPurpose) -> Result<()> {
    match mail.0 == purpose {
        true => Ok(()),
        false => Err(Error::Refused("the code is for something else".into())),
    }
}

fn bad_code(error: Error, code: &str) -> Error {
    match error.code() {
        Some(ErrorCode::NotFound | ErrorCode::Expired | ErrorCode::Arguments) => {
            let short: String = code.chars().take(6).collect();
            Error::NotFound { what: format!("a mail with the code {short}…") }
        }
        _ => error,
    }
}

/// What a missing or wrong code of the second factor gives where a password is not asked for.
fn second_factor_refusal(error: Error) -> Error {
    match error.code() {
        Some(ErrorCode::MfaRequired) => AuthenticationError::MfaRequired.into(),
        Some(ErrorCode::Failed) => AuthenticationError::WrongMfaCode.into(),
        _ => error,
    }
}
