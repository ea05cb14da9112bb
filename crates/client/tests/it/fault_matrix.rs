//! Each fault on fifty mixed files, up and down, at one request in a hundred and at three in ten: in the end the files
//! are identical, or an error says why not, and no wrong byte bears a final name.

use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt;
use supermega::transfer::{Existing, OnQuota};
use supermega::{Client, Error, Node, Session};
use supermega_server::{KdfVersion, Server, ServerHandle};
use tempfile::TempDir;

use crate::world::{EMAIL, PASSWORD, content, rsa};

/// Files at the same time.
const WIDTH: usize = 8;

/// How many of a hundred requests are hit.
const SHARES: [u8; 2] = [1, 30];

/// What both directions survive; what the quota's end is waited for is in the server's answer.
const OF_THE_API: [&str; 5] =
    ["api:again", "api:ratelimit", "api:status=500", "api:hashcash=255", "api:lost"];

const UP: [&str; 15] = [
    "u:lost",
    "p:lost",
    "p:status=500",
    "upload:cut@1000",
    "upload:stall",
    "upload:truncate@1000",
    "upload:flip@100",
    "upload:status=500",
    "upload:error=3",
    "upload:error=4",
    "upload:quota=0",
    "upload:expired",
    "upload:error=8",
    "upload:lost",
    "connection:lost",
];

const DOWN: [&str; 14] = [
    "g:status=500",
    "g:hashcash=255",
    "g:lost",
    "download:cut@1000",
    "download:stall",
    "download:stall@1000",
    "download:truncate@1000",
    "download:truncate@0",
    "download:status=500",
    "download:error=3",
    "download:error=4",
    "download:quota=0",
    "download:expired",
    "connection:lost",
];

/// Each of the faults at each share, and everything together.
fn at_each_share(faults: &[&str]) -> Vec<String> {
    let each = faults.iter().flat_map(|fault| SHARES.map(|share| format!("{fault}%{share}")));
    each.chain([SELDOM.to_owned()]).collect()
}

/// Everything together, once in a hundred requests each.
const SELDOM: &str = "api:again%1 api:ratelimit%1 api:status=500%1 api:hashcash=255%1 api:lost%1 \
     upload:status=500%1 upload:lost%1 upload:stall%1 upload:expired%1 upload:quota=1%1 \
     download:status=500%1 download:lost%1 download:stall@1000%1 download:cut@1000%1 \
     download:truncate@1000%1 download:expired%1 download:quota=1%1 connection:lost%1";

struct World {
    server: ServerHandle,
    dir: TempDir,
    sizes: Vec<usize>,
    on_quota: OnQuota,
}

impl World {
    async fn new(in_parts: bool) -> Self {
        let server = Server::builder().user_with_key(EMAIL, PASSWORD, KdfVersion::V2, rsa());
        let server = server.cloudraid(in_parts).spawn().await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut sizes = vec![(5 << 20) + 3, 1 << 20, 500_000, 131_073, 131_072, 0, 1];
        sizes.extend((sizes.len()..50).map(|i| i * i * 11));
        for (i, size) in sizes.iter().enumerate() {
            std::fs::write(dir.path().join(i.to_string()), content(*size)).unwrap();
        }
        Self { server, dir, sizes, on_quota: OnQuota::Fail }
    }

    async fn session(&self) -> Session {
        let client = Client::builder()
            .api_url(self.server.url())
            .patience(Duration::from_secs(20))
            .stall_timeout(Duration::from_millis(400));
        client.build().unwrap().login(EMAIL, PASSWORD).await.unwrap()
    }

    fn fault(&self, faults: &str) {
        self.server.clear_faults();
        for fault in faults.split(' ') {
            self.server.add_fault(fault.parse().unwrap());
        }
    }

    /// Uploads all files into a new folder; gives what became of each.
    async fn put(&self, session: &Session, folder: &Node) -> Vec<Result<Node, Error>> {
        let journals = self.dir.path().join("journals");
        let uploads = (0..self.sizes.len()).map(|i| {
            let upload = session.upload(folder).journal_in(&journals).on_quota(self.on_quota);
            upload.from_path(self.dir.path().join(i.to_string()))
        });
        futures_util::stream::iter(uploads).buffer_unordered(WIDTH).collect().await
    }

    /// Downloads all files of a folder; gives what became of each, and checks those that are there.
    async fn get(&self, session: &Session, folder: &Node, target: &Path) -> Vec<Option<Error>> {
        std::fs::create_dir_all(target).unwrap();
        let tree = session.tree().await.unwrap();
        let downloads = tree.children(folder).into_iter().map(|node| {
            let path = target.join(node.name().unwrap());
            let download = session.download(&node).unwrap().existing(Existing::Replace);
            let download = download.on_quota(self.on_quota).to_path(path);
            async { download.await.err() }
        });
        let ends = futures_util::stream::iter(downloads).buffer_unordered(WIDTH).collect().await;
        for (i, size) in self.sizes.iter().enumerate() {
            if let Ok(bytes) = std::fs::read(target.join(i.to_string())) {
                assert!(bytes == content(*size), "{i} has wrong bytes under its name");
            }
        }
        ends
    }

    /// Expects every file, once, and nothing else.
    fn check(&self, target: &Path, fault: &str) {
        let mut names: Vec<usize> = std::fs::read_dir(target)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap())
            .collect();
        names.sort_unstable();
        assert_eq!(names, (0..self.sizes.len()).collect::<Vec<_>>(), "{fault}");
    }
}

async fn new_folder(session: &Session, name: &str) -> Node {
    let root = session.tree().await.unwrap().root().unwrap();
    session.make_folder_in(&root, name).await.unwrap()
}

fn transfers_well(ends: &[Option<Error>], fault: &str) {
    let errors: Vec<String> = ends.iter().flatten().map(ToString::to_string).collect();
    assert!(errors.is_empty(), "{fault}: {errors:?}");
}

#[tokio::test]
async fn uploads_survive_whatever_passes() {
    let mut world = World::new(false).await;
    let faults = [&OF_THE_API[..], &UP, &["upload:bandwidth=20000000"]].concat();
    for fault in &at_each_share(&faults) {
        world.on_quota = OnQuota::Wait;
        let session = world.session().await;
        let folder = new_folder(&session, fault).await;
        world.fault(fault);
        for end in world.put(&session, &folder).await {
            end.unwrap_or_else(|error| panic!("{fault}: {error}"));
        }
        world.server.clear_faults();
        let reader = world.session().await;
        let folder = reader.tree().await.unwrap().node(folder.handle()).unwrap();
        let target = world.dir.path().join("target");
        transfers_well(&world.get(&reader, &folder, &target).await, fault);
        world.check(&target, fault);
        let count = reader.tree().await.unwrap().children(&folder).len();
        assert_eq!(count, world.sizes.len(), "{fault}: something is there twice");
        assert_eq!(std::fs::read_dir(world.dir.path().join("journals")).unwrap().count(), 0);
        std::fs::remove_dir_all(target).unwrap();
    }
}

#[tokio::test]
async fn downloads_survive_whatever_passes() {
    let mut world = World::new(false).await;
    world.on_quota = OnQuota::Wait;
    let session = world.session().await;
    let folder = new_folder(&session, "all").await;
    world.put(&session, &folder).await.into_iter().for_each(|end| drop(end.unwrap()));
    let faults = [&OF_THE_API[..], &DOWN, &["download:bandwidth=3000000"]].concat();
    for fault in &at_each_share(&faults) {
        world.fault(fault);
        let target = world.dir.path().join("target");
        transfers_well(&world.get(&session, &folder, &target).await, fault);
        world.check(&target, fault);
        std::fs::remove_dir_all(target).unwrap();
    }
}

#[tokio::test]
async fn what_does_not_pass_is_said_and_gone_on_with() {
    let world = World::new(false).await;
    let session = world.session().await;
    let folder = new_folder(&session, "all").await;
    world.fault("upload:quota=60+20");
    let ends = world.put(&session, &folder).await;
    let failed: Vec<&Error> = ends.iter().filter_map(|end| end.as_ref().err()).collect();
    assert!(!failed.is_empty() && failed.len() < ends.len());
    assert!(failed.iter().all(|error| matches!(error, Error::Quota { wait: Some(_), .. })));
    world.server.clear_faults();
    // The next run finds what is there, as the command does.
    let session = world.session().await;
    let tree = session.tree().await.unwrap();
    for i in 0..world.sizes.len() {
        if tree.children_named(&folder, &i.to_string()).is_empty() {
            let upload = session.upload(&folder).journal_in(world.dir.path().join("journals"));
            upload.from_path(world.dir.path().join(i.to_string())).await.unwrap();
        }
    }
    drop(tree);
    for (fault, is_it) in [
        ("download:flip@100%1", (|e| matches!(e, Error::Integrity { .. })) as fn(&Error) -> bool),
        ("download:flip@100%30", |e| matches!(e, Error::Integrity { .. })),
        ("download:flip@100000", |e| matches!(e, Error::Integrity { .. })),
        ("download:quota=60+20", |e| matches!(e, Error::Quota { wait: Some(_), .. })),
        ("g:error=16", |e| matches!(e, Error::Service { .. })),
        ("g:error=17", |e| matches!(e, Error::Quota { .. })),
    ] {
        world.fault(fault);
        let target = world.dir.path().join("target");
        let ends = world.get(&session, &folder, &target).await;
        let is_rare = fault.ends_with("%1");
        assert!(is_rare || ends.iter().any(Option::is_some), "{fault}");
        assert!(ends.iter().flatten().all(is_it), "{fault}: {ends:?}");
        world.server.clear_faults();
        transfers_well(&world.get(&session, &folder, &target).await, fault);
        world.check(&target, fault);
        std::fs::remove_dir_all(target).unwrap();
    }
}

#[tokio::test]
async fn parts_survive_whatever_passes_and_a_server_that_never_comes_back() {
    let world = World::new(true).await;
    let session = world.session().await;
    let folder = new_folder(&session, "all").await;
    world.put(&session, &folder).await.into_iter().for_each(|end| drop(end.unwrap()));
    for fault in [
        "part3:status=500",
        "part0:stall",
        "part5:expired",
        "part1:truncate@3",
        "part4:status=500%1",
        "part4:status=500%30",
        "part2:stall%30",
        "download:cut@1000%30",
        "download:status=500%30",
        "download:expired%30",
    ] {
        world.fault(fault);
        let target = world.dir.path().join("target");
        transfers_well(&world.get(&session, &folder, &target).await, fault);
        world.check(&target, fault);
        std::fs::remove_dir_all(target).unwrap();
    }
    world.fault("part2:flip@200");
    let target = world.dir.path().join("target");
    let ends = world.get(&session, &folder, &target).await;
    assert!(ends.iter().flatten().all(|error| matches!(error, Error::Integrity { .. })));
    assert!(ends.iter().any(Option::is_some));
}
