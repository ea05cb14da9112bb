//! Folder links, which this client reads and does not make: here a test makes them by hand, with names that
//! a hostile owner would choose.

use supermega::name::System;
use supermega::transfer::DownloadPlan;
use supermega::{Error, Link, NodeHandle, Session};
use supermega_crypto::link::Link as CryptoLink;
use supermega_crypto::{
    Attributes, FileKey, FolderKey, MasterKey, NodeKey, SavedSession, SessionId, ShareKey,
};
use supermega_encoding::{PublicHandle, base64};
use supermega_server::ServerHandle;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::world::{client, content, server, session, upload};

/// The owner's side, spoken by hand.
pub struct Owner {
    host: String,
    sid: String,
    master: MasterKey,
}

impl Owner {
    /// Takes the keys of a session from the form in which it is saved.
    pub async fn of(server: &ServerHandle, session: &Session) -> Self {
        let host = server.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
        let SavedSession::AccountUnderSessionKey { wrapped, sid } = session.save().parse().unwrap()
        else {
            panic!("our server keeps a session key")
        };
        let mut owner = Self { host, sid: sid_text(&sid), master: MasterKey::from_bytes([0; 16]) };
        let reply = owner.call(r#"{"a":"us"}"#).await;
        let sek = base64::decode_array("sek", reply["sek"].as_str().unwrap()).unwrap();
        owner.master = MasterKey::unwrap_under(&wrapped, &sek);
        owner
    }

    pub fn master(&self) -> &MasterKey {
        &self.master
    }

    /// Sends one command in the older grammar and gives its result.
    pub async fn call(&self, command: &str) -> serde_json::Value {
        let body = format!("[{command}]");
        let request = format!(
            "POST /cs?id=1&sid={} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.sid,
            self.host,
            body.len()
        );
        let mut stream = tokio::net::TcpStream::connect(&self.host).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (_, json) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str::<serde_json::Value>(json).unwrap()[0].take()
    }

    /// Makes a folder and gives its key.
    pub async fn folder(&self, parent: NodeHandle, name: &str) -> (NodeHandle, FolderKey) {
        let key = FolderKey::generate().unwrap();
        let node = NodeKey::Folder(key.clone());
        let a = base64::encode(&Attributes::new(name).encrypt(&node.attribute_key()));
        let k = base64::encode(&self.master.wrap_node_key(&node));
        let made = self
            .call(&format!(
                r#"{{"a":"p","t":"{parent}","n":[{{"h":"xxxxxxxx","t":1,"a":"{a}","k":"{k}"}}]}}"#
            ))
            .await;
        (made["f"][0]["h"].as_str().unwrap().parse().unwrap(), key)
    }

    /// Gives a node another name, whatever that is.
    pub async fn rename(&self, node: NodeHandle, key: &NodeKey, name: &str) {
        let a = base64::encode(&Attributes::new(name).encrypt(&key.attribute_key()));
        assert_eq!(self.call(&format!(r#"{{"a":"a","n":"{node}","at":"{a}"}}"#)).await, 0);
    }

    /// Shares a folder with everybody who has the link.
    pub async fn export(
        &self,
        folder: NodeHandle,
        nodes: &[(NodeHandle, NodeKey)],
    ) -> (PublicHandle, ShareKey) {
        let key = ShareKey::generate().unwrap();
        let handles: Vec<String> = nodes.iter().map(|(node, _)| format!("\"{node}\"")).collect();
        let keys: Vec<String> = nodes
            .iter()
            .enumerate()
            .map(|(i, (_, node))| format!("0,{i},\"{}\"", base64::encode(&key.wrap_node_key(node))))
            .collect();
        let cr = format!("[[\"{folder}\"],[{}],[{}]]", handles.join(","), keys.join(","));
        let none = "AAAAAAAAAAAAAAAAAAAAAA";
        self.call(&format!(
            r#"{{"a":"s2","n":"{folder}","s":[{{"u":"EXP","r":0}}],"ok":"{none}","ha":"{none}","cr":{cr}}}"#
        ))
        .await;
        let link = self.call(&format!(r#"{{"a":"l","n":"{folder}"}}"#)).await;
        (link.as_str().unwrap().parse().unwrap(), key)
    }
}

fn sid_text(sid: &SessionId) -> String {
    sid.to_text().as_str().to_owned()
}

/// The key of a file, by its link.
async fn file_key(session: &Session, node: &supermega::Node) -> FileKey {
    session.make_link(node).await.unwrap().file_key().unwrap().clone()
}

#[tokio::test]
async fn hostile_names_stay_inside() {
    let server = server().await;
    let session = session(&server).await;
    let owner = Owner::of(&server, &session).await;
    let root = session.tree().await.unwrap().root().unwrap().handle();
    let (folder, folder_key) = owner.folder(root, "folder").await;
    let (inner, inner_key) = owner.folder(folder, "..").await;
    let mut nodes =
        vec![(folder, NodeKey::Folder(folder_key)), (inner, NodeKey::Folder(inner_key))];
    let names = ["../x", "/etc/x", ".", "..", "", "same", "same", "nul\0", "-rf"];
    for (i, name) in names.iter().enumerate() {
        let file = upload(&session, &format!("file {i}"), 100 + i).await;
        let key = NodeKey::File(file_key(&session, &file).await);
        owner.rename(file.handle(), &key, name).await;
        let to = if i % 2 == 0 { folder } else { inner };
        owner.call(&format!(r#"{{"a":"m","n":"{}","t":"{to}"}}"#, file.handle())).await;
        nodes.push((file.handle(), key));
    }
    let (twin, original) = (nodes[8].0, nodes[7].0);
    owner.call(&format!(r#"{{"a":"m","n":"{twin}","t":"{folder}"}}"#)).await;
    owner.call(&format!(r#"{{"a":"m","n":"{original}","t":"{folder}"}}"#)).await;
    let (handle, key) = owner.export(folder, &nodes).await;

    let link = CryptoLink::Folder { handle, key: Some(key), inside: None };
    let stranger = client(&server).open_folder(&link).await.unwrap();
    let tree = stranger.tree().await.unwrap();
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().join("a/b/target");
    std::fs::create_dir_all(target.parent().unwrap()).unwrap();
    let plan = DownloadPlan::new(&tree, &tree.root().unwrap(), &target, System::Unix).unwrap();
    assert_eq!(plan.files.len(), names.len());
    assert!(plan.renamed.len() >= 7, "{:?}", plan.renamed);
    plan.make_folders().unwrap();
    for file in &plan.files {
        assert!(file.path.starts_with(&target));
        stranger.download(&file.node).unwrap().to_path(&file.path).await.unwrap();
    }
    let mut found = files_below(outside.path());
    assert!(found.iter().all(|path| path.starts_with(&target)), "{found:?}");
    let mut sizes: Vec<u64> =
        found.drain(..).map(|path| std::fs::metadata(path).unwrap().len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, (100..109).collect::<Vec<u64>>());
}

fn files_below(top: &std::path::Path) -> Vec<std::path::PathBuf> {
    let (mut files, mut pending) = (Vec::new(), vec![top.to_owned()]);
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { pending.push(path) } else { files.push(path) }
        }
    }
    files
}

#[cfg(unix)]
#[tokio::test]
async fn a_symbolic_link_in_the_way_is_refused() {
    let server = server().await;
    let session = session(&server).await;
    session.make_folders(&"/outer/inner".parse().unwrap()).await.unwrap();
    let tree = session.tree().await.unwrap();
    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let target = dir.path().join("outer");
    std::fs::create_dir(&target).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), target.join("inner")).unwrap();
    let outer = tree.at(&"/outer".parse().unwrap()).unwrap();
    let plan = DownloadPlan::new(&tree, &outer, &target, System::Unix).unwrap();
    assert!(matches!(plan.failed[..], [Error::Refused(_)]), "{plan:?}");
    assert_eq!(plan.folders, [target]);
}

#[tokio::test]
async fn a_folder_link_is_read_and_not_changed() {
    let server = server().await;
    let session = session(&server).await;
    let owner = Owner::of(&server, &session).await;
    let root = session.tree().await.unwrap().root().unwrap().handle();
    let (folder, folder_key) = owner.folder(root, "shared").await;
    let file = upload(&session, "inside", 5000).await;
    let key = file_key(&session, &file).await;
    owner.call(&format!(r#"{{"a":"m","n":"{}","t":"{folder}"}}"#, file.handle())).await;
    let nodes = [(folder, NodeKey::Folder(folder_key)), (file.handle(), NodeKey::File(key))];
    let (handle, key) = owner.export(folder, &nodes).await;

    let link = Link::Folder { handle, key: Some(key), inside: None };
    let reader = client(&server).open_folder(&link).await.unwrap();
    assert!(reader.is_folder_link());
    let resumed = client(&server).resume(&reader.save()).await.unwrap();
    let node = resumed.tree().await.unwrap().at(&"/inside".parse().unwrap()).unwrap();
    let mut bytes = Vec::new();
    resumed.download(&node).unwrap().to_writer(&mut bytes).await.unwrap();
    assert_eq!(bytes, content(5000));
    assert!(matches!(resumed.delete(&node).await, Err(Error::Refused(_))));
    assert!(matches!(resumed.quota().await, Err(Error::Refused(_))));
    let made = resumed.make_folder(&"/new".parse().unwrap()).await;
    assert!(matches!(made, Err(Error::Refused(_))));
}

#[tokio::test]
async fn another_key_opens_no_folder() {
    let server = server().await;
    let session = session(&server).await;
    let owner = Owner::of(&server, &session).await;
    let root = session.tree().await.unwrap().root().unwrap().handle();
    let (folder, key) = owner.folder(root, "shared").await;
    let (handle, _) = owner.export(folder, &[(folder, NodeKey::Folder(key))]).await;
    let wrong = ShareKey::generate().unwrap();
    let link = Link::Folder { handle, key: Some(wrong), inside: None };
    let error = client(&server).open_folder(&link).await.unwrap_err();
    assert!(matches!(error, Error::Integrity { .. }), "{error}");
    let gone = PublicHandle::from_bytes([9; 6]);
    let link =
        Link::Folder { handle: gone, key: Some(ShareKey::generate().unwrap()), inside: None };
    let error = client(&server).open_folder(&link).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
}

#[tokio::test]
async fn a_node_without_a_key_is_listed_and_breaks_nothing() {
    let server = server().await;
    let session = session(&server).await;
    let owner = Owner::of(&server, &session).await;
    let root = session.tree().await.unwrap().root().unwrap().handle();
    let (folder, folder_key) = owner.folder(root, "shared").await;
    let (readable, readable_key) = owner.folder(folder, "readable").await;
    let (sealed, _) = owner.folder(folder, "sealed").await;
    let nodes = [(folder, NodeKey::Folder(folder_key)), (readable, NodeKey::Folder(readable_key))];
    let (handle, key) = owner.export(folder, &nodes).await;
    let link = Link::Folder { handle, key: Some(key), inside: None };
    let tree = client(&server).open_folder(&link).await.unwrap().tree().await.unwrap();
    let children = tree.children(&tree.root().unwrap());
    assert_eq!(children.len(), 2);
    assert_eq!(children[0].name(), Some("readable"));
    assert_eq!((children[1].handle(), children[1].name()), (sealed, None));
    assert_eq!(children[1].problem(), Some(supermega::tree::Problem::NoKey));
}
