//! Random changes by two sessions, under random faults: the one of them that watches sees what a fresh load shows, and
//! so does each run that begins with what the last one kept.
//!
//! `SUPERMEGA_MODEL_ROUNDS` says how many rounds, `SUPERMEGA_MODEL_SEED` which changes: a failure names its own.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use supermega::{Marks, Node, RemotePath, Result, Session, Tree};

use crate::events::shown;
use crate::world::{content, server, session};

/// What happens to requests and packets of a round. Packets that the service passes over are not among them:
/// of those nobody can know.
const FAULTS: [&str; 8] = [
    "event:lost*2",
    "event:status=500*2",
    "event:error=6*1",
    "event:cut@20*2",
    "packets:repeat*2",
    "packets:drift*2",
    "api:lost*1+1",
    "api:status=500*1+1",
];

/// Numbers that depend on where they begin alone.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        // Weyl's sequence, mixed.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        usize::try_from((mixed >> 33) % end as u64).unwrap()
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        if all.is_empty() { None } else { Some(&all[self.below(all.len())]) }
    }
}

fn number_of(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).map_or(usual, |text| text.parse().unwrap())
}

/// Changes something. What another session did meanwhile may be in the way.
async fn change(session: &Session, random: &mut Random, name: &str) -> Result<()> {
    let tree = session.tree().await?;
    let (mut folders, mut others) = (vec![tree.root()?], Vec::new());
    for root in [tree.root()?, tree.trash()?] {
        for step in tree.walk_from(&root) {
            others.extend(step.folders.iter().chain(&step.files).cloned());
            folders.extend(step.folders);
        }
    }
    let files: Vec<Node> = others.iter().filter(|node| node.is_file()).cloned().collect();
    let folder = random.of(&folders).unwrap().clone();
    let node = random.of(&others).unwrap_or(&folder).clone();
    let size = random.below(2000);
    match random.below(12) {
        _ if others.len() < 3 => drop(session.make_folder_in(&folder, name).await?),
        0 | 1 => drop(session.make_folder_in(&folder, name).await?),
        2 | 3 => upload(session, &folder, None, name, size).await?,
        4 => {
            if let Some(file) = random.of(&files)
                && let Some(folder) = file.parent().and_then(|parent| tree.node(parent))
            {
                upload(session, &folder, Some(file), file.name().unwrap_or(name), size).await?;
            }
        }
        5 | 6 => drop(session.rename(&node, name).await?),
        7 => drop(session.move_to(&node, &folder).await?),
        8 => drop(session.trash(&node).await?),
        9 => session.delete(&node).await?,
        10 if tree.link_of(&node).is_some() => session.remove_link(&node).await?,
        10 => drop(session.make_link(&node).await?),
        _ => {
            let marks = Marks { favourite: true, description: name.into(), ..Marks::of(&node) };
            session.set_marks(&node, &marks).await?;
        }
    }
    Ok(())
}

async fn upload(
    session: &Session,
    folder: &Node,
    replaced: Option<&Node>,
    name: &str,
    size: usize,
) -> Result<()> {
    let mut upload = session.upload(folder).name(name);
    if let Some(replaced) = replaced {
        upload = upload.replacing(replaced);
    }
    upload.from_reader(size as u64, content(size).as_slice()).await.map(drop)
}

/// All that a tree shows: nodes, notes and links.
fn all(tree: &Tree) -> BTreeMap<String, impl PartialEq + std::fmt::Debug + use<>> {
    let more = |handle: &str| {
        let node = tree.node(handle.parse().unwrap()).unwrap();
        (tree.link_of(&node), Marks::of(&node), node.fingerprint())
    };
    let seen = shown(tree).into_iter();
    seen.map(|(handle, seen)| (handle.clone(), (seen, more(&handle)))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_watches_sees_what_a_fresh_load_shows() {
    let seed = number_of("SUPERMEGA_MODEL_SEED", 1);
    let mut random = Random(seed);
    let server = server().await;
    let watching = session(&server).await;
    // It changes things itself, too, while packets tell it what the other does.
    let writers = [session(&server).await, watching.clone()];
    let fresh = session(&server).await;
    let mut events = watching.events().await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let keeping = supermega::Client::builder().api_url(server.url()).cache_dir(dir.path());
    let keeping = keeping.build().unwrap();
    let saved = fresh.save();
    let mut changes = 0;
    for round in 0..number_of("SUPERMEGA_MODEL_ROUNDS", 15) {
        let fault = random.of(&FAULTS).unwrap();
        server.add_fault(fault.parse().unwrap());
        let told = format!("seed {seed}, round {round}, {fault}");
        writers[0].refresh().await.unwrap();
        for step in 0..12 {
            let name = format!("{round} {step}");
            let writer = random.of(&writers).unwrap();
            changes += u64::from(change(writer, &mut random, &name).await.is_ok());
        }
        // Packets come in the order of what they tell: this one is the last.
        let last: RemotePath = format!("/last {round}").parse().unwrap();
        writers[0].make_folder(&last).await.unwrap();
        while watching.tree().await.unwrap().at(&last).is_err() {
            let event = tokio::time::timeout(Duration::from_secs(20), events.next());
            event.await.unwrap_or_else(|_| panic!("{told}: {last} is not seen")).unwrap();
        }
        let kept = keeping.resume(&saved).await.unwrap().tree().await.unwrap();
        server.clear_faults();
        let expected = fresh.refresh().await.unwrap();
        for (who, tree) in [("watching", watching.tree().await.unwrap()), ("kept", kept)] {
            let (seen, wanted) = (all(&tree), all(&expected));
            let handles: BTreeSet<&String> = seen.keys().chain(wanted.keys()).collect();
            let pairs = handles.into_iter().map(|handle| (seen.get(handle), wanted.get(handle)));
            let others: Vec<_> = pairs.filter(|(seen, wanted)| seen != wanted).collect();
            assert!(others.is_empty(), "{told}, {who}: seen, true {others:?}");
            let strays = (tree.strays(), expected.strays());
            assert_eq!(tree.len(), expected.len(), "{told}, {who}: strays {strays:?}");
        }
    }
    assert!(changes > 20, "only {changes} changes went well");
}
