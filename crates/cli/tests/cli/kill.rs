//! `get` and `put` that are killed, again and again: in the end everything is there, once, and what had arrived was
//! not transferred again. Every other round kills at a random moment, the others at an event that the server names.
//!
//! `SUPERMEGA_KILL_ROUNDS` says how many rounds each of them has.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use supermega::{Client, Node, Session};
use supermega_server::{Hold, HoldPoint, LoggedRequest, Server, ServerHandle};
use tempfile::TempDir;

use crate::world::{Done, EMAIL, PASSWORD, command, content, snapshot};

const SEGMENT: u64 = 4 << 20;
/// What may be on its way: two segments of a large file, or sixteen small files.
const IN_FLIGHT: u64 = 2 * SEGMENT + 16 * 131_072;

/// When the command is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// After so long.
    After(Duration),
    /// When so many storage requests were carried out, of which the last was not answered.
    Unanswered(usize),
    /// When a storage request has come that gets no answer, behind so many that got one.
    Asked(usize),
    /// When nodes were made and the answer was lost, behind so many requests that went well.
    Made(usize),
    /// When nodes were asked for and not made.
    NotMade(usize),
    /// When a request has come to this point, from which it goes on once nobody waits for its answer.
    Held(HoldPoint),
}

/// A server of our own, whose log can be read, and the command.
struct World {
    server: ServerHandle,
    home: TempDir,
    session: Session,
    size: u64,
}

impl World {
    async fn new() -> Self {
        let server = Server::builder().user(EMAIL, PASSWORD).spawn().await.unwrap();
        let home = tempfile::tempdir().unwrap();
        let mixed = home.path().join("mixed");
        std::fs::create_dir_all(mixed.join("deep/er")).unwrap();
        let mut sizes = vec![14 << 20, (6 << 20) + 1, 5 << 20, 0, 1, 131_072, 131_073, 1_000_000];
        sizes.extend((0..24).map(|i| i * 997));
        for (i, size) in sizes.iter().enumerate() {
            let folder = ["", "deep", "deep/er"][i % 3];
            std::fs::write(mixed.join(folder).join(format!("{i} {size}")), content(*size)).unwrap();
        }
        let session = log_in(&server).await;
        let size = sizes.iter().sum::<usize>() as u64;
        Self { server, home, session, size }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        command
            .env("SUPERMEGA_API_URL", self.server.url())
            .env("SUPERMEGA_SESSION", self.session.save().as_str())
            .env("SUPERMEGA_STATE_DIR", self.path("state"))
            .env("SUPERMEGA_CACHE_DIR", self.path("cache"))
            .env("SUPERMEGA_TRANSFERS", "1")
            .env("SUPERMEGA_CONNECTIONS", "2")
            .env("SUPERMEGA_PATIENCE", "60")
            .current_dir(self.home.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs the command and kills it; says whether it was still running.
    async fn kill_at(&self, moment: Moment, arguments: &[&str]) -> bool {
        let faults = match moment {
            // Slowly, so that there is something to kill.
            Moment::After(_) => {
                vec!["upload:bandwidth=15000000".into(), "download:bandwidth=15000000".into()]
            }
            // What comes again before the kill is not taken.
            Moment::Unanswered(n) => vec![format!("upload:lost;stall*1000+{n}")],
            Moment::Asked(n) => vec![format!("download:stall+{n}")],
            Moment::Made(n) => vec![format!("p:lost+{n}")],
            Moment::NotMade(n) => vec![format!("p:stall+{n}")],
            Moment::Held(_) => vec![],
        };
        for fault in faults {
            self.server.add_fault(fault.parse().unwrap());
        }
        let hold = match moment {
            Moment::Held(point) => Some(self.server.hold(point)),
            _ => None,
        };
        let before = self.server.request_log().len();
        let mut child = self.command(arguments).spawn().unwrap();
        if let Moment::After(time) = moment {
            tokio::time::sleep(time).await;
        } else {
            let has_come = || match &hold {
                Some(hold) => hold.requests() > 0,
                None => self.has_come(moment, before),
            };
            while !has_come() && child.try_wait().unwrap().is_none() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        self.kill(&mut child, hold).await
    }

    async fn kill(&self, child: &mut Child, hold: Option<Hold>) -> bool {
        let running = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        child.wait().unwrap();
        drop(hold);
        self.server.clear_faults();
        // What had been sent is carried out, or not, before anybody looks.
        let mut seen = usize::MAX;
        while seen != self.server.request_log().len() {
            seen = self.server.request_log().len();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        running
    }

    fn has_come(&self, moment: Moment, before: usize) -> bool {
        let log = self.server.request_log();
        let log = &log[before.min(log.len())..];
        let count = |wanted: fn(&LoggedRequest) -> bool| log.iter().filter(|r| wanted(r)).count();
        match moment {
            Moment::After(_) | Moment::Held(_) => true,
            Moment::Unanswered(n) => count(|r| matches!(r, LoggedRequest::Upload { .. })) > n,
            Moment::Asked(n) => count(|r| matches!(r, LoggedRequest::Download { .. })) >= n,
            Moment::Made(n) | Moment::NotMade(n) => {
                let is_put = |r: &LoggedRequest| matches!(r, LoggedRequest::Api(names) if names.contains(&"p".to_owned()));
                count(is_put) > n
            }
        }
    }

    /// Bytes that went to or from the storage since the log was cleared.
    fn transferred(&self) -> u64 {
        let log = self.server.request_log();
        log.iter()
            .map(|request| match request {
                LoggedRequest::Upload { length, .. } => *length,
                LoggedRequest::Download { start, end, .. } => end.unwrap() - start,
                _ => 0,
            })
            .sum()
    }

    async fn finish(&self, arguments: &[&str]) {
        let mut command = self.command(arguments);
        let done = tokio::task::spawn_blocking(move || command.output().unwrap());
        let done: Done = done.await.unwrap().into();
        assert_eq!(done.code, 0, "{arguments:?}: {}", done.stderr);
    }

    /// Expects every file of the source in a remote folder, once, with its content.
    async fn check_stored(&self, folder: &Node, what: &str) {
        let tree = self.session.refresh().await.unwrap();
        let mut stored = BTreeMap::new();
        let top = tree.children_named(folder, "mixed").pop().unwrap();
        let mut pending = vec![(PathBuf::new(), top)];
        while let Some((path, node)) = pending.pop() {
            for child in tree.children(&node) {
                let path = path.join(child.name().unwrap());
                if !child.is_file() {
                    pending.push((path, child));
                    continue;
                }
                let mut bytes = Vec::new();
                self.session.download(&child).unwrap().to_writer(&mut bytes).await.unwrap();
                let twice = stored.insert(path.clone(), bytes);
                assert!(twice.is_none(), "{what}: {} is there twice", path.display());
            }
        }
        assert!(stored == snapshot(&self.path("mixed")), "{what}");
    }

    /// Expects that no more was transferred than needed and what the kills had cut off.
    fn check_cost(&self, kills: u64, what: &str) {
        let transferred = self.transferred();
        assert!(transferred >= self.size, "{what}: {transferred}");
        let most = self.size + kills * IN_FLIGHT;
        assert!(transferred <= most, "{what}: {transferred} of {most} after {kills} kills");
    }
}

async fn log_in(server: &ServerHandle) -> Session {
    let client = Client::builder().api_url(server.url()).build().unwrap();
    client.login(EMAIL, PASSWORD).await.unwrap()
}

fn files_in(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

/// The moments of a round: different ones each time. One round in eight is killed four times before it may end.
fn moments(round: u64, named: &[Moment]) -> Vec<Moment> {
    let random = |i: u64| {
        let mixed = (round * 7 + i).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
        Moment::After(Duration::from_millis(30 + mixed % 800))
    };
    // One after the other, so that each has its turn.
    let name = |i: u64| named[usize::try_from(round / 2 + i).unwrap() % named.len()];
    match (round % 8, round % 2) {
        (7, _) => vec![random(0), name(0), random(1), name(1)],
        (_, 0) => vec![name(0)],
        _ => vec![random(0)],
    }
}

fn rounds() -> u64 {
    std::env::var("SUPERMEGA_KILL_ROUNDS").map_or(8, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_put_that_is_killed_goes_on() {
    let world = World::new().await;
    let root = world.session.tree().await.unwrap().root().unwrap();
    let mut named = vec![];
    for point in [
        HoldPoint::ChunkStored,
        HoldPoint::UploadComplete,
        HoldPoint::PutArrived,
        HoldPoint::PutCommitted,
    ] {
        named.push(Moment::Held(point));
    }
    named.extend([0, 1, 3, 5, 7, 10, 20, 33].map(Moment::Unanswered));
    named.extend([0, 1, 2, 3, 4, 5].map(Moment::Made));
    named.extend([0, 1, 3].map(Moment::NotMade));
    let mut all = 0;
    for round in 0..rounds() {
        let name = format!("round {round}");
        let folder = world.session.make_folder_in(&root, &name).await.unwrap();
        let target = format!("/{name}");
        world.server.clear_request_log();
        let mut kills = 0;
        for moment in moments(round, &named) {
            kills += u64::from(world.kill_at(moment, &["put", "mixed", &target]).await);
        }
        world.finish(&["put", "mixed", &target]).await;
        world.check_cost(kills, &name);
        assert_eq!(files_in(&world.path("state/uploads")), 0, "{name}");
        world.check_stored(&folder, &name).await;
        world.session.delete(&folder).await.unwrap();
        all += kills;
    }
    println!("{} rounds, {all} kills", rounds());
    assert!(all >= rounds() / 2, "the command ended before it was killed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_get_that_is_killed_goes_on() {
    let world = World::new().await;
    world.finish(&["put", "mixed", "/"]).await;
    let named = [1, 2, 5, 8, 12, 25, 33].map(Moment::Asked);
    let mut all = 0;
    for round in 0..rounds() {
        let target = world.path("target");
        std::fs::create_dir(&target).unwrap();
        world.server.clear_request_log();
        let mut kills = 0;
        for moment in moments(round, &named) {
            kills += u64::from(world.kill_at(moment, &["get", "/mixed", "target"]).await);
        }
        world.finish(&["get", "/mixed", "target"]).await;
        world.check_cost(kills, &format!("round {round}"));
        assert!(snapshot(&target.join("mixed")) == snapshot(&world.path("mixed")), "{round}");
        assert_eq!(files_in(&target), 1);
        std::fs::remove_dir_all(target).unwrap();
        all += kills;
    }
    println!("{} rounds, {all} kills", rounds());
    assert!(all >= rounds() / 2, "the command ended before it was killed");
}
