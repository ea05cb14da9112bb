//! What others do is seen, in the tree and as events.

use std::collections::BTreeMap;
use std::time::Duration;

use supermega::{Event, Events, Node, RemotePath, Session, Tree};

use crate::world::{client, server, session, upload};

fn path(text: &str) -> RemotePath {
    text.parse().unwrap()
}

/// The next event, which must come soon.
async fn next(events: &mut Events) -> Event {
    tokio::time::timeout(Duration::from_secs(5), events.next()).await.unwrap().unwrap()
}

/// What a tree shows, by handle.
pub fn shown(tree: &Tree) -> BTreeMap<String, (Option<String>, Option<String>, u64, usize)> {
    let roots = [tree.root().unwrap(), tree.trash().unwrap()];
    let mut shown = BTreeMap::new();
    for root in roots {
        for step in tree.walk_from(&root) {
            for node in step.folders.iter().chain(&step.files) {
                let parent = node.parent().map(|parent| parent.to_string());
                let name = node.name().map(str::to_owned);
                let versions = tree.versions(node).len();
                let seen = (parent, name, node.size(), versions);
                shown.insert(node.handle().to_string(), seen);
            }
        }
    }
    shown
}

#[tokio::test]
async fn each_change_of_another_client_is_an_event() {
    let server = server().await;
    let (watching, other) = (session(&server).await, session(&server).await);
    let mut events = watching.events().await.unwrap();
    let folder = other.make_folder(&path("/folder")).await.unwrap();
    let Event::Added(node) = next(&mut events).await else { panic!() };
    assert_eq!((node.handle(), node.name()), (folder.handle(), Some("folder")));
    let file = upload(&other, "file", 10).await;
    assert!(matches!(next(&mut events).await, Event::Added(node) if node.size() == 10));
    let file = other.rename(&file, "renamed").await.unwrap();
    let Event::Renamed { node, from } = next(&mut events).await else { panic!() };
    assert_eq!((node.name(), from.as_deref()), (Some("renamed"), Some("file")));
    let file = other.move_to(&file, &folder).await.unwrap();
    let Event::Moved { node, from } = next(&mut events).await else { panic!() };
    assert_eq!(
        (node.parent(), from),
        (Some(folder.handle()), other.tree().await.unwrap().root().unwrap().handle().into())
    );
    other.make_link(&file).await.unwrap();
    assert!(matches!(next(&mut events).await, Event::LinkChanged(h) if h == file.handle()));
    let seen = watching.tree().await.unwrap();
    assert!(seen.link_of(&seen.at(&path("/folder/renamed")).unwrap()).is_some());
    other.delete(&folder).await.unwrap();
    assert!(matches!(next(&mut events).await, Event::LinkChanged(_)));
    assert!(matches!(next(&mut events).await, Event::Removed(n) if n.handle() == folder.handle()));
    assert!(watching.tree().await.unwrap().node(file.handle()).is_none());
}

#[tokio::test]
async fn a_session_that_is_over_says_so_once() {
    let server = server().await;
    let session = session(&server).await;
    drop(session);
    // A session that was ended says so, once.
    let watching =
        client(&server).login(crate::world::EMAIL, crate::world::PASSWORD).await.unwrap();
    let mut events = watching.events().await.unwrap();
    watching.clone().logout().await.unwrap();
    assert!(matches!(next(&mut events).await, Event::Ended(code) if code.number() == -15));
}

#[tokio::test]
async fn own_changes_count_once() {
    let server = server().await;
    let session = session(&server).await;
    let mut events = session.events().await.unwrap();
    let folder = session.make_folder(&path("/mine")).await.unwrap();
    session.rename(&folder, "still mine").await.unwrap();
    let other = client(&server).login(crate::world::EMAIL, crate::world::PASSWORD).await.unwrap();
    other.make_folder(&path("/theirs")).await.unwrap();
    loop {
        match next(&mut events).await {
            Event::Added(node) if node.name() == Some("theirs") => break,
            // What was done here may be told, but changes nothing.
            _ => {}
        }
    }
    let fresh = other.refresh().await.unwrap();
    assert_eq!(shown(&session.tree().await.unwrap()), shown(&fresh));
}

/// Numbers that look random and are the same every time.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

pub async fn act(session: &Session, dice: &mut Dice, number: usize) {
    let tree = session.refresh().await.unwrap();
    let all: Vec<Node> =
        tree.walk().flat_map(|step| step.folders.into_iter().chain(step.files)).collect();
    let mut folders: Vec<Node> = all.iter().filter(|node| !node.is_file()).cloned().collect();
    folders.push(tree.root().unwrap());
    let folder = folders[dice.roll(folders.len())].clone();
    let node = (!all.is_empty()).then(|| all[dice.roll(all.len())].clone());
    let name = format!("n{number}");
    // Two clients may get in each other's way: the service refuses then.
    match (dice.roll(7), node) {
        (0, Some(node)) => drop(session.rename(&node, &name).await),
        (1, Some(node)) => drop(session.move_to(&node, &folder).await),
        (2, Some(node)) => drop(session.trash(&node).await),
        (3, Some(node)) => drop(session.delete(&node).await),
        (4, _) => {
            let bytes = name.repeat(3);
            let upload = session.upload(&folder).name(&name);
            upload.from_reader(bytes.len() as u64, bytes.as_bytes()).await.unwrap();
        }
        (5, Some(node)) if node.is_file() => {
            let bytes = name.repeat(5);
            let parent = tree.node(node.parent().unwrap()).unwrap();
            let upload = session.upload(&parent).name(node.name().unwrap());
            let _ = upload.from_reader(bytes.len() as u64, bytes.as_bytes()).await;
        }
        _ => drop(session.make_folder_in(&folder, &name).await),
    }
}

#[tokio::test]
async fn a_followed_tree_is_the_one_that_a_fresh_load_gives() {
    let server = server().await;
    let watching = session(&server).await;
    let mut events = watching.events().await.unwrap();
    let others = [session(&server).await, session(&server).await];
    let mut dice = Dice(7);
    for number in 0..120 {
        act(&others[number % 2], &mut dice, number).await;
        if number % 10 == 9 {
            // A mark that tells when everything before it has been seen.
            let mark = format!("mark {number}");
            others[0].make_folder(&path("/").join(&mark)).await.unwrap();
            while !matches!(next(&mut events).await, Event::Added(n) if n.name() == Some(&mark)) {}
            let fresh = others[0].refresh().await.unwrap();
            let followed = watching.tree().await.unwrap();
            assert_eq!(shown(&followed), shown(&fresh), "after {number}");
        }
    }
}
