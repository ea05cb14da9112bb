//! The tree and its changes: what one session does, another one sees.

use serde_json::json;
use supermega::tree::Problem;
use supermega::{Error, Node, NodeKind, RemotePath};

use crate::middle::{Hostile, nodes};
use crate::world::{at, content, read, server, session, upload};

fn path(text: &str) -> RemotePath {
    text.parse().unwrap()
}

#[tokio::test]
async fn folders_are_made_and_walked() {
    let server = server().await;
    let session = session(&server).await;
    session.make_folders(&path("/a/b/c")).await.unwrap();
    upload(&session, "top", 1).await;
    let seen = session.refresh().await.unwrap();
    let steps: Vec<String> = seen
        .walk()
        .map(|step| {
            let names = |nodes: &[Node]| -> Vec<String> {
                nodes.iter().map(|node| node.name().unwrap().to_owned()).collect()
            };
            format!("{} {:?} {:?}", step.path, names(&step.folders), names(&step.files))
        })
        .collect();
    assert_eq!(steps, [r#"/ ["a"] ["top"]"#, r#"/a ["b"] []"#, r#"/a/b ["c"] []"#, "/a/b/c [] []"]);
}

#[tokio::test]
async fn own_changes_show_without_asking_again() {
    let server = server().await;
    let session = session(&server).await;
    let file = upload(&session, "file", 10).await;
    let folder = session.make_folder(&path("/folder")).await.unwrap();
    let file = session.rename(&file, "renamed").await.unwrap();
    session.move_to(&file, &folder).await.unwrap();
    let local = session.tree().await.unwrap();
    let fresh = session.refresh().await.unwrap();
    for tree in [local, fresh] {
        let found = tree.at(&path("/folder/renamed")).unwrap();
        assert_eq!(found.handle(), file.handle());
        assert_eq!(tree.path_of(&found).to_string(), "/folder/renamed");
        assert!(tree.at(&path("/file")).is_err());
    }
}

#[tokio::test]
async fn renaming_keeps_what_else_is_known_of_a_file() {
    let server = server().await;
    let session = session(&server).await;
    let file = upload(&session, "file", 10).await;
    session.rename(&file, "other").await.unwrap();
    let renamed = session.refresh().await.unwrap().at(&path("/other")).unwrap();
    assert_eq!(renamed.fingerprint(), file.fingerprint());
    assert!(renamed.fingerprint().is_some());
}

#[tokio::test]
async fn trash_remembers_and_delete_forgets() {
    let server = server().await;
    let session = session(&server).await;
    let folder = session.make_folder(&path("/folder")).await.unwrap();
    session.trash(&folder).await.unwrap();
    let tree = session.refresh().await.unwrap();
    let trashed = tree.at(&path("//trash/folder")).unwrap();
    let former = trashed.attributes().unwrap().get("rr").unwrap().as_str().unwrap().to_owned();
    assert_eq!(former, tree.root().unwrap().handle().to_string());
    session.delete(&trashed).await.unwrap();
    assert!(session.refresh().await.unwrap().node(folder.handle()).is_none());
}

#[tokio::test]
async fn namesakes_are_ambiguous_by_path_and_reached_by_handle() {
    let server = server().await;
    let session = session(&server).await;
    let first = upload(&session, "twin", 1).await;
    let second = upload(&session, "twin", 2).await;
    let tree = session.refresh().await.unwrap();
    let Err(Error::Ambiguous { handles, .. }) = tree.at(&path("/twin")) else { panic!() };
    let mut expected = vec![first.handle(), second.handle()];
    expected.sort_unstable();
    assert_eq!(handles, expected);
    let by_handle = tree.at(&RemotePath::handle(second.handle())).unwrap();
    assert_eq!(by_handle.size(), 2);
}

#[tokio::test]
async fn a_folder_does_not_move_into_itself() {
    let server = server().await;
    let session = session(&server).await;
    let outer = session.make_folder(&path("/outer")).await.unwrap();
    let inner = session.make_folder(&path("/outer/inner")).await.unwrap();
    assert!(matches!(session.move_to(&outer, &inner).await, Err(Error::Refused(_))));
}

#[tokio::test]
async fn a_new_version_takes_the_place_of_the_old_one() {
    let server = server().await;
    let session = session(&server).await;
    let old = upload(&session, "file", 10).await;
    let root = session.tree().await.unwrap().root().unwrap();
    let bytes = [7; 20];
    let upload = session.upload(&root).name("file").replacing(&old);
    let new = upload.from_reader(20, &bytes[..]).await.unwrap();
    let tree = session.refresh().await.unwrap();
    let found = tree.at(&path("/file")).unwrap();
    assert_eq!((found.handle(), found.size()), (new.handle(), 20));
    assert_eq!(session.quota().await.unwrap().used, 30);
}

#[tokio::test]
async fn a_file_is_replaced_where_it_lies_and_nowhere_else() {
    let server = server().await;
    let session = session(&server).await;
    let old = upload(&session, "file", 10).await;
    let folder = session.make_folder(&path("/folder")).await.unwrap();
    let replace = async |into: &Node, replaced: &Node| {
        let upload = session.upload(into).name("file").replacing(replaced);
        upload.from_reader(5, &[7; 5][..]).await
    };
    let root = session.tree().await.unwrap().root().unwrap();
    for (into, replaced) in [(&folder, &old), (&root, &folder)] {
        let refused = replace(into, replaced).await.unwrap_err();
        assert!(matches!(refused, Error::Refused(_)), "{refused}");
    }
    // It was moved after it was looked at.
    session.move_to(&old, &folder).await.unwrap();
    assert!(matches!(replace(&root, &old).await, Err(Error::Refused(_))));
    let new = replace(&folder, &old).await.unwrap();
    for tree in [session.tree().await.unwrap(), session.refresh().await.unwrap()] {
        let versions = tree.versions(&new);
        assert_eq!(versions.iter().map(Node::handle).collect::<Vec<_>>(), [old.handle()]);
        assert!(tree.at(&path("/file")).is_err());
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let server = server().await;
    let session = session(&server).await;
    let tree = session.tree().await.unwrap();
    let (root, file) = (tree.root().unwrap(), upload(&session, "file", 1).await);
    assert_eq!(root.kind(), NodeKind::Root);
    assert!(matches!(session.trash(&root).await, Err(Error::Refused(_))));
    assert!(matches!(session.move_to(&root, &file).await, Err(Error::Refused(_))));
    let taken = session.make_folder(&path("/file")).await;
    assert!(matches!(taken, Err(Error::AlreadyExists { .. })));
    let nowhere = session.make_folder(&path("/no/where")).await;
    assert!(matches!(nowhere, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn a_node_is_opened_by_whichever_of_its_keys_fits() {
    let server = server().await;
    let owner = session(&server).await;
    let file = upload(&owner, "file", 100).await;
    let hostile = Hostile::before(&server).await;
    let rewrite = |parts: &str| {
        let parts = parts.to_owned();
        hostile.change_result("f", move |result| {
            for node in nodes(result).into_iter().filter(|node| node["t"] == 0) {
                let own = node["k"].as_str().unwrap().to_owned();
                node["k"] = json!(parts.replace("OWN", &own));
            }
        });
    };
    let zeros = "A".repeat(43);
    let user = owner.account().unwrap().user;
    // Of other users, of unknown shares, of this user but damaged, malformed; before and behind the one that fits.
    for others in [
        format!("ESIzRFVmd4g:{zeros}"),
        format!("AQIDBAUG:{zeros}"),
        format!("ESIzRFVmd4g:{zeros}/AQIDBAUG:{zeros}"),
        format!("{user}:{zeros}"),
        format!("{user}:AAAA"),
        format!("{user}:not*base64"),
        "nonsense".to_owned(),
    ] {
        for parts in [format!("{others}/OWN"), format!("OWN/{others}")] {
            rewrite(&parts);
            let victim = hostile.login().await.unwrap();
            // By its name, and by its handle.
            assert_eq!(read(&victim, "/file").await, content(100), "{parts}");
            let found = at(&victim, &format!("H:{}", file.handle())).await;
            assert_eq!(found.problem(), None, "{parts}");
        }
        rewrite(&others);
        let tree = hostile.login().await.unwrap().tree().await.unwrap();
        assert!(tree.at(&path("/file")).is_err(), "{others}");
        let problem = tree.node(file.handle()).unwrap().problem();
        assert!(matches!(problem, Some(Problem::NoKey | Problem::BadKey)), "{others}: {problem:?}");
    }
}
