//! Logging in and out, sessions between runs, accounts without a name.

use supermega::{AuthenticationError, Client, Credentials, Error, NetworkErrorKind};
use supermega_server::{KdfVersion, Server};

use crate::world::{EMAIL, PASSWORD, client, rsa, server, session, upload};

#[tokio::test]
async fn both_versions_of_accounts_log_in() {
    for kdf in [KdfVersion::V1, KdfVersion::V2] {
        let server = Server::builder().user_with_key(EMAIL, PASSWORD, kdf, rsa());
        let server = server.spawn().await.unwrap();
        let session = session(&server).await;
        let account = session.account().unwrap();
        assert_eq!(account.email.as_deref(), Some(EMAIL));
        assert_eq!(account.version, Some(if kdf == KdfVersion::V1 { 1 } else { 2 }));
        assert_eq!(session.tree().await.unwrap().len(), 3);
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_look_alike() {
    let server = server().await;
    for (email, password) in [(EMAIL, "wrong"), ("nobody@example.org", PASSWORD)] {
        let error = client(&server).login(email, password).await.unwrap_err();
        let expected = AuthenticationError::WrongPassword;
        assert!(matches!(error, Error::Authentication(e) if e == expected), "{error}");
    }
}

#[tokio::test]
async fn a_saved_session_comes_back_until_it_is_logged_out() {
    let server = server().await;
    let first = session(&server).await;
    upload(&first, "kept", 100).await;
    let saved = first.save();
    let resumed = client(&server).resume(&saved).await.unwrap();
    assert!(resumed.tree().await.unwrap().at(&"/kept".parse().unwrap()).is_ok());
    resumed.logout().await.unwrap();
    let error = client(&server).resume(&saved).await.unwrap_err();
    let ended = AuthenticationError::SessionEnded;
    assert!(matches!(error, Error::Authentication(e) if e == ended), "{error}");
}

#[tokio::test]
async fn an_ephemeral_account_stores_and_comes_back() {
    let server = server().await;
    let session = client(&server).ephemeral().await.unwrap();
    assert_eq!(session.account().unwrap().email, None);
    upload(&session, "fleeting", 20).await;
    let resumed = client(&server).resume(&session.save()).await.unwrap();
    assert!(resumed.tree().await.unwrap().at(&"/fleeting".parse().unwrap()).is_ok());
}

#[tokio::test]
async fn quota_counts_what_is_stored() {
    let server = server().await;
    let session = session(&server).await;
    assert_eq!(session.quota().await.unwrap().used, 0);
    upload(&session, "big", 300_000).await;
    assert_eq!(session.quota().await.unwrap().used, 300_000);
}

#[tokio::test]
async fn a_full_account_refuses() {
    let server = Server::builder()
        .user_with_key(EMAIL, PASSWORD, KdfVersion::V2, rsa())
        .quota(1000)
        .spawn()
        .await
        .unwrap();
    let session = session(&server).await;
    let root = session.tree().await.unwrap().root().unwrap();
    let bytes = vec![0; 1001];
    let error = session.upload(&root).name("x").from_reader(1001, &bytes[..]).await.unwrap_err();
    assert!(matches!(error, Error::Quota { .. }), "{error}");
}

#[tokio::test]
async fn a_host_that_refuses_is_given_up() {
    let client = Client::builder()
        .api_url("http://127.0.0.1:1/")
        .timeout(std::time::Duration::from_millis(200))
        .build()
        .unwrap();
    let error = client.login(EMAIL, PASSWORD).await.unwrap_err();
    let Error::Network(error) = error else { panic!("{error}") };
    assert!(matches!(error.kind, NetworkErrorKind::ConnectionRefused));
}

#[tokio::test]
async fn nothing_of_what_the_server_says_is_unknown() {
    let server = server().await;
    let client = client(&server);
    let session = client.login(EMAIL, PASSWORD).await.unwrap();
    let node = upload(&session, "a", 10).await;
    session.make_link(&node).await.unwrap();
    session.quota().await.unwrap();
    session.refresh().await.unwrap();
    assert_eq!(client.drift(), []);
}

#[tokio::test]
async fn every_refusal_of_a_login_is_told_apart() {
    for (number, expected) in [
        (26, AuthenticationError::MfaRequired),
        (5, AuthenticationError::WrongMfaCode),
        (6, AuthenticationError::TooManyAttempts),
        (13, AuthenticationError::Unconfirmed),
        (16, AuthenticationError::Blocked),
    ] {
        let server = server().await;
        server.add_fault(format!("us:error={number}").parse().unwrap());
        let credentials = Credentials::new(EMAIL, PASSWORD).mfa_code("123456");
        let error = client(&server).login_with(credentials).await.unwrap_err();
        assert!(matches!(error, Error::Authentication(e) if e == expected), "{error}");
    }
}

#[tokio::test]
async fn secrets_are_not_printed() {
    let server = server().await;
    let session = session(&server).await;
    let node = upload(&session, "file", 10).await;
    let link = session.make_link(&node).await.unwrap();
    let credentials = Credentials::new(EMAIL, PASSWORD);
    let printed = format!("{session:?} {node:?} {link:?} {credentials:?} {:?}", session.client());
    let key = link.to_url().split('#').nth(1).unwrap().to_owned();
    for secret in [PASSWORD, key.as_str(), session.save().as_str()] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
