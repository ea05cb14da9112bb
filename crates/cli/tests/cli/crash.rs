//! A server that is killed at any moment: what it acknowledged is there, and nothing is half there.
//!
//! `SUPERMEGA_CRASH_ROUNDS` says how many times.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use supermega::{Client, Node, Result, Session};
use tokio::task::JoinSet;

use crate::world::{EMAIL, PASSWORD, command, content};

/// Writers at the same time.
const WRITERS: usize = 4;

/// Starts a server on the data that the last one left behind.
fn start(data: &Path) -> (Child, String) {
    let user = format!("{EMAIL}:{PASSWORD}");
    let mut server = command(&["server", "--user", &user, "--data"]);
    let mut server = server.arg(data).stderr(Stdio::inherit()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (server, line.trim().strip_prefix("listening ").unwrap().to_owned())
}

async fn log_in(url: &str) -> Session {
    let client = Client::builder().api_url(url).timeout(Duration::from_millis(200));
    client
        .patience(Duration::from_millis(200))
        .build()
        .unwrap()
        .login(EMAIL, PASSWORD)
        .await
        .unwrap()
}

/// What the server acknowledged.
#[derive(Default)]
struct Acknowledged {
    present: BTreeSet<String>,
    gone: BTreeSet<String>,
}

/// Puts, renames and deletes until the server is gone. A name ends with its file's size.
async fn write(
    session: Session,
    folder: Node,
    writer: usize,
    known: Arc<Mutex<Acknowledged>>,
) -> Result<()> {
    for i in 0.. {
        let size = (i * 7919 + writer * 104_729) % 300_000;
        let name = format!("{writer}-{i}-{size}");
        let bytes = content(size);
        let upload = session.upload(&folder).name(&name);
        let node = upload.from_reader(size as u64, bytes.as_slice()).await?;
        known.lock().unwrap().present.insert(name.clone());
        if i % 4 == 1 {
            // From here on until the answer, either name may be right.
            known.lock().unwrap().present.remove(&name);
            let renamed = format!("renamed-{name}");
            session.rename(&node, &renamed).await?;
            let mut known = known.lock().unwrap();
            known.gone.insert(name);
            known.present.insert(renamed);
        } else if i % 4 == 2 {
            known.lock().unwrap().present.remove(&name);
            session.delete(&node).await?;
            known.lock().unwrap().gone.insert(name);
        }
    }
    Ok(())
}

/// Compares a folder with what was acknowledged, and every file with its content.
async fn check(session: &Session, round: usize, known: &Acknowledged) {
    let tree = session.tree().await.unwrap();
    let folder = tree.at(&format!("/round {round}").parse().unwrap()).unwrap();
    let mut found = BTreeSet::new();
    for node in tree.children(&folder) {
        let name = node.name().expect("a name that can be read").to_owned();
        let size: usize = name.rsplit('-').next().unwrap().parse().unwrap();
        let mut bytes = Vec::new();
        session.download(&node).unwrap().to_writer(&mut bytes).await.unwrap();
        assert!(bytes == content(size), "{name} in round {round} is not what it was");
        assert!(found.insert(name), "a name is there twice in round {round}");
    }
    let lost: Vec<_> = known.present.difference(&found).collect();
    assert!(lost.is_empty(), "round {round} lost {lost:?}");
    let back: Vec<_> = known.gone.intersection(&found).collect();
    assert!(back.is_empty(), "round {round} brought back {back:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_and_nothing_is_half_there() {
    let rounds = std::env::var("SUPERMEGA_CRASH_ROUNDS").map_or(8, |text| text.parse().unwrap());
    let data = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    let mut last: Option<Acknowledged> = None;
    for round in 0..=rounds {
        let (mut server, url) = start(data.path());
        let session = log_in(&url).await;
        if let Some(known) = last.take() {
            check(&session, round - 1, &known).await;
            acknowledged += known.present.len() + known.gone.len();
        }
        if round < rounds {
            let path = format!("/round {round}").parse().unwrap();
            let folder = session.make_folder(&path).await.unwrap();
            let known = Arc::new(Mutex::new(Acknowledged::default()));
            let mut writers = JoinSet::new();
            for writer in 0..WRITERS {
                writers.spawn(write(session.clone(), folder.clone(), writer, known.clone()));
            }
            // Any moment will do; a different one each time.
            let moment = Duration::from_millis(20 + (round as u64 * 37) % 180);
            tokio::time::sleep(moment).await;
            server.kill().unwrap();
            while let Some(ended) = writers.join_next().await {
                assert!(ended.unwrap().is_err(), "a writer ended before the server");
            }
            last = Some(std::mem::take(&mut *known.lock().unwrap()));
        }
        let _ = server.kill();
        server.wait().unwrap();
    }
    println!("{rounds} rounds, {acknowledged} acknowledged changes");
    assert!(acknowledged > rounds, "the server was killed before it had anything to lose");
}
