//! Shares between two users, from the invitation to the end.

use supermega::{Access, Answer, Error, ShareState, SharedWith};

use crate::folder_link::Owner;
use crate::world::{EMAIL, OTHER, at, contacts, content, other, put, read, server_of_two, session};

const IN: &str = "//in/me@example.org/shared";

#[tokio::test]
async fn a_share_is_read_written_changed_and_ended() {
    let server = server_of_two().await;
    let (me, you) = contacts(&server).await;
    me.make_folders(&"/shared/deep".parse().unwrap()).await.unwrap();
    put(&me, &at(&me, "/shared/deep").await, "one", 1000).await;
    let folder = at(&me, "/shared").await;
    let state = me.share(&folder, OTHER, Access::Read).await.unwrap();
    assert_eq!(state, ShareState::Ready);

    you.refresh().await.unwrap();
    assert!(you.complete_shares().await.unwrap());
    assert_eq!(read(&you, &format!("{IN}/deep/one")).await, content(1000));
    assert!(!you.complete_shares().await.unwrap(), "nothing is left to do");
    let incoming = &you.incoming_shares().await.unwrap()[0];
    assert_eq!((incoming.email.as_deref(), incoming.access), (Some(EMAIL), Access::Read));
    let refused = you.make_folder_in(&at(&you, IN).await, "mine").await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");

    me.share(&folder, OTHER, Access::Write).await.unwrap();
    you.refresh().await.unwrap();
    put(&you, &at(&you, IN).await, "theirs", 2000).await;
    let theirs = at(&you, &format!("{IN}/theirs")).await;
    assert!(matches!(you.rename(&theirs, "x").await, Err(Error::Refused(_))));
    assert!(matches!(you.delete(&theirs).await, Err(Error::Refused(_))));
    me.refresh().await.unwrap();
    assert_eq!(read(&me, "/shared/theirs").await, content(2000));

    me.share(&folder, OTHER, Access::Full).await.unwrap();
    you.refresh().await.unwrap();
    let renamed = you.rename(&at(&you, &format!("{IN}/theirs")).await, "renamed").await.unwrap();
    let error = you.trash(&renamed).await.unwrap_err();
    assert!(error.to_string().contains("deleted for good"), "{error}");
    let shares = me.outgoing_shares().await.unwrap();
    assert_eq!(shares.len(), 1);
    assert_eq!(shares[0].access, Access::Full);
    assert!(matches!(&shares[0].with, SharedWith::User(_, Some(email)) if email == OTHER));

    me.unshare(&folder, OTHER).await.unwrap();
    let error = me.unshare(&folder, OTHER).await.unwrap_err();
    assert_eq!(error.to_string(), "a share of shared with you@example.org not found");
    you.refresh().await.unwrap();
    assert!(you.tree().await.unwrap().incoming().is_empty());
    // What the other one put there is still the owner's, in every new session.
    let me = session(&server).await;
    assert_eq!(read(&me, "/shared/renamed").await, content(2000));
    me.trash(&at(&me, "/shared").await).await.unwrap();
}

#[tokio::test]
async fn a_share_with_a_stranger_begins_when_he_accepts() {
    let server = server_of_two().await;
    let me = session(&server).await;
    let folder = me.make_folder(&"/shared".parse().unwrap()).await.unwrap();
    put(&me, &folder, "one", 100).await;
    let state = me.share(&folder, OTHER, Access::Read).await.unwrap();
    assert_eq!(state, ShareState::WaitsForContact);
    let shares = me.outgoing_shares().await.unwrap();
    assert_eq!(shares[0].with, SharedWith::Invited(Some(OTHER.into())));
    me.complete_shares().await.unwrap();

    let you = other(&server).await;
    you.answer(EMAIL, Answer::Accept).await.unwrap();
    you.complete_shares().await.unwrap();
    assert!(you.tree().await.unwrap().incoming()[0].problem().is_some(), "no key yet");
    // Another session of mine hands the key over.
    session(&server).await.complete_shares().await.unwrap();
    assert!(you.complete_shares().await.unwrap());
    assert_eq!(read(&you, &format!("{IN}/one")).await, content(100));
}

#[tokio::test]
async fn nested_shares_carry_every_key() {
    let server = server_of_two().await;
    let (me, you) = contacts(&server).await;
    me.make_folders(&"/outer/shared".parse().unwrap()).await.unwrap();
    let link = me.make_link(&at(&me, "/outer").await).await.unwrap();
    me.share(&at(&me, "/outer/shared").await, OTHER, Access::Write).await.unwrap();
    you.refresh().await.unwrap();
    you.complete_shares().await.unwrap();
    put(&me, &at(&me, "/outer/shared").await, "one", 100).await;
    me.make_folders(&"/moved/deep".parse().unwrap()).await.unwrap();
    put(&me, &at(&me, "/moved/deep").await, "two", 200).await;
    me.move_to(&at(&me, "/moved").await, &at(&me, "/outer/shared").await).await.unwrap();
    you.refresh().await.unwrap();
    assert_eq!(read(&you, &format!("{IN}/one")).await, content(100));
    assert_eq!(read(&you, &format!("{IN}/moved/deep/two")).await, content(200));
    let reader = me.client().open_folder(&link).await.unwrap();
    assert_eq!(read(&reader, "/shared/one").await, content(100));
    assert_eq!(read(&reader, "/shared/moved/deep/two").await, content(200));
}

#[tokio::test]
async fn a_share_is_left_and_nothing_moves_between_owners() {
    let server = server_of_two().await;
    let (me, you) = contacts(&server).await;
    let folder = me.make_folder(&"/shared".parse().unwrap()).await.unwrap();
    me.share(&folder, OTHER, Access::Full).await.unwrap();
    you.refresh().await.unwrap();
    you.complete_shares().await.unwrap();
    let own = you.make_folder(&"/own".parse().unwrap()).await.unwrap();
    let incoming = at(&you, IN).await;
    for refused in [
        you.move_to(&own, &incoming).await.map(|_| ()),
        you.delete(&incoming).await,
        you.share(&incoming, EMAIL, Access::Read).await.map(|_| ()),
        you.make_link(&incoming).await.map(|_| ()),
        you.leave(&own).await,
    ] {
        assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    }
    you.leave(&incoming).await.unwrap();
    you.refresh().await.unwrap();
    assert!(you.tree().await.unwrap().incoming().is_empty());
    assert!(me.outgoing_shares().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_a_friend_puts_below_a_share_within_can_be_read_there() {
    let server = server_of_two().await;
    let (me, you) = contacts(&server).await;
    me.make_folders(&"/shared/deep".parse().unwrap()).await.unwrap();
    me.share(&at(&me, "/shared").await, OTHER, Access::Write).await.unwrap();
    let link = me.make_link(&at(&me, "/shared/deep").await).await.unwrap();
    you.refresh().await.unwrap();
    you.complete_shares().await.unwrap();
    // The friend knows nothing of the link within.
    put(&you, &at(&you, &format!("{IN}/deep")).await, "late", 300).await;
    let late = async || {
        let reader = me.client().open_folder(&link).await.unwrap();
        let node = reader.tree().await.unwrap();
        node.children(&node.root().unwrap())[0].name().map(str::to_owned)
    };
    assert_eq!(late().await, None);
    me.refresh().await.unwrap();
    me.complete_shares().await.unwrap();
    assert_eq!(late().await.as_deref(), Some("late"));
}

#[tokio::test]
async fn what_a_friend_put_is_taken_out_of_the_share_with_a_key_of_the_owners() {
    let server = server_of_two().await;
    let (me, you) = contacts(&server).await;
    let folder = me.make_folder(&"/shared".parse().unwrap()).await.unwrap();
    me.share(&folder, OTHER, Access::Write).await.unwrap();
    you.refresh().await.unwrap();
    you.complete_shares().await.unwrap();
    put(&you, &at(&you, IN).await, "theirs", 300).await;
    me.refresh().await.unwrap();
    let root = me.tree().await.unwrap().root().unwrap();
    me.move_to(&at(&me, "/shared/theirs").await, &root).await.unwrap();
    let owner = Owner::of(&server, &me).await;
    let reply = owner.call(r#"{"a":"f","c":1,"r":1}"#).await;
    let theirs = at(&me, "/theirs").await.handle().to_string();
    let nodes = reply["f"].as_array().unwrap();
    let keys = nodes.iter().find(|node| node["h"] == theirs).unwrap()["k"].as_str().unwrap();
    let user = me.account().unwrap().user.to_string();
    assert!(keys.starts_with(&user), "{keys}");
    assert_eq!(read(&session(&server).await, "/theirs").await, content(300));
}
