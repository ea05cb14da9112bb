//! Contacts: asked, answered, ended, verified.

use supermega::{Answer, Error, KeyFingerprint};

use crate::world::{EMAIL, OTHER, contacts, other, server_of_two, session};

#[tokio::test]
async fn a_contact_is_asked_and_accepts() {
    let server = server_of_two().await;
    let (me, you) = (session(&server).await, other(&server).await);
    me.invite(OTHER, Some("it's me")).await.unwrap();
    assert!(matches!(me.invite(OTHER, None).await, Err(Error::Refused(_))));
    let sent = me.contact_requests().await.unwrap();
    assert!(!sent[0].incoming && sent[0].email.as_deref() == Some(OTHER), "{sent:?}");
    let request = &you.contact_requests().await.unwrap()[0];
    assert_eq!(request.message.as_deref(), Some("it's me"));
    assert!(request.incoming);
    assert!(me.contacts().await.unwrap().is_empty());
    you.answer(EMAIL, Answer::Accept).await.unwrap();
    assert_eq!(me.contacts().await.unwrap()[0].email.as_deref(), Some(OTHER));
    assert_eq!(you.contacts().await.unwrap()[0].email.as_deref(), Some(EMAIL));
    assert!(you.contact_requests().await.unwrap().is_empty());
    me.remove_contact(OTHER).await.unwrap();
    assert!(you.contacts().await.unwrap().is_empty());
    assert!(matches!(me.remove_contact("nobody@example.org").await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn a_request_is_ignored_or_taken_back() {
    let server = server_of_two().await;
    let (me, you) = (session(&server).await, other(&server).await);
    me.invite(OTHER, None).await.unwrap();
    you.answer(EMAIL, Answer::Ignore).await.unwrap();
    assert!(you.contact_requests().await.unwrap().is_empty());
    assert!(matches!(you.answer(EMAIL, Answer::Accept).await, Err(Error::NotFound { .. })));
    me.cancel_invitation(OTHER).await.unwrap();
    assert!(me.contact_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_fingerprint_is_compared() {
    let server = server_of_two().await;
    let (me, you) = contacts(&server).await;
    assert!(matches!(you.fingerprint_of(EMAIL).await, Err(Error::Refused(_))), "no keys yet");
    let yours = you.fingerprint().unwrap();
    assert_eq!(me.fingerprint_of(OTHER).await.unwrap(), yours);
    assert!(!me.contacts().await.unwrap()[0].verified);
    let mut other: KeyFingerprint = yours;
    other.0[0] ^= 1;
    assert!(matches!(me.verify_contact(OTHER, other).await, Err(Error::Integrity { .. })));
    me.verify_contact(OTHER, yours).await.unwrap();
    assert!(me.contacts().await.unwrap()[0].verified);
    assert!(session(&server).await.contacts().await.unwrap()[0].verified, "it is kept");
}
