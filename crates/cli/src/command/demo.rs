//! `demo`: the main job against an embedded server, start to end, in one command.

use std::collections::BTreeMap;
use std::path::Path;

use sha2::{Digest, Sha256};
use supermega::name::System;
use supermega::transfer::{DownloadPlan, UploadPlan};
use supermega::{Client, Link, RemotePath, Session};
use supermega_server::Server;

use super::tree;
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;
use crate::output::size;

const EMAIL: &str = "demo@example.org";

/// Does everything once, and says what it did.
pub async fn run(context: &Context) -> Result<Exit> {
    let say = |text: &str| {
        context.output.data(text, || serde_json::json!({ "type": "step", "text": text }))
    };
    let work = tempfile::tempdir()?;
    let password = supermega_crypto::random::array::<12>().map_err(CommandError::local)?;
    let password = supermega_encoding::base64::encode(&password);
    let server = Server::builder().user(EMAIL, &password).spawn().await?;
    say(&format!("A local server speaks MEGA at {}.", server.url()))?;

    let client = Client::builder().api_url(server.url()).build()?;
    let session = client.login(EMAIL, &password).await?;
    say(&format!("Logged in as {EMAIL}: the password stayed here, the keys came encrypted."))?;

    let source = work.path().join("Holidays");
    make_samples(&source)?;
    let (files, bytes) = upload(&session, &source).await?;
    say(&format!(
        "Uploaded {files} files, {}, encrypted on the way. The tree:",
        size(bytes, true)
    ))?;
    let remote = session.refresh().await?;
    tree::draw(context, &crate::arguments::Tree::default(), &remote, &remote.root()?).await?;

    let path: RemotePath = "/Holidays/a photo 📷.raw".parse()?;
    let link = session.make_link(&remote.at(&path)?).await?;
    say(&format!("A public link to one of them: {}", link.to_url()))?;
    let by_link = work.path().join("by link.raw");
    download_by_link(server.url(), &link.to_url(), &by_link).await?;
    say("Downloaded it by that link, as somebody without an account.")?;

    let copy = work.path().join("Copy");
    download(&session, &copy).await?;
    say("Downloaded the whole folder, each file verified before it got its name.")?;

    let (before, after) = (hashes(&source)?, hashes(&copy)?);
    let same_link = hash(&by_link)? == hash(&source.join("a photo 📷.raw"))?;
    if before != after || !same_link {
        return Err(CommandError::Local("what came back is not what was sent".into()));
    }
    say(&format!("All {} SHA-256 hashes agree.", before.len() + 1))?;
    server.shutdown().await;
    go_on_by_hand(context)?;
    Ok(Exit::Done)
}

fn make_samples(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder.join("Naïve “café” notes"))?;
    let bytes: Vec<u8> = (0..5_u32 << 20).map(|i| (i ^ (i >> 9)).to_le_bytes()[0]).collect();
    std::fs::write(folder.join("a photo 📷.raw"), bytes)?;
    std::fs::write(folder.join("empty"), [])?;
    std::fs::write(folder.join("-one byte"), [1])?;
    std::fs::write(folder.join("Naïve “café” notes/remember.txt"), "the milk\n")?;
    Ok(())
}

async fn upload(session: &Session, folder: &Path) -> Result<(usize, u64)> {
    let target: RemotePath = "/Holidays".parse()?;
    let plan = UploadPlan::new(&session.tree().await?, folder, &target)?;
    for folder in &plan.folders {
        session.make_folder(folder).await?;
    }
    for file in &plan.files {
        let parent = file.remote.parent().unwrap_or_else(RemotePath::root);
        let parent = session.tree().await?.at(&parent)?;
        let name = file.remote.file_name().unwrap_or_default();
        session.upload(&parent).name(name).from_path(&file.local).await?;
    }
    Ok((plan.files.len(), plan.bytes()))
}

async fn download_by_link(api_url: &str, url: &str, target: &Path) -> Result<()> {
    let stranger = Client::builder().api_url(api_url).build()?;
    let link = Link::parse(url).map_err(supermega::Error::from)?;
    Ok(stranger.open_file(&link).await?.download()?.to_path(target).await?)
}

async fn download(session: &Session, target: &Path) -> Result<()> {
    let tree = session.tree().await?;
    let folder = tree.at(&"/Holidays".parse()?)?;
    let plan = DownloadPlan::new(&tree, &folder, target, System::current())?;
    plan.make_folders()?;
    for file in &plan.files {
        session.download(&file.node)?.to_path(&file.path).await?;
    }
    Ok(())
}

/// The hash of each file below a folder, by its path there.
fn hashes(top: &Path) -> Result<BTreeMap<std::path::PathBuf, [u8; 32]>> {
    let mut found = BTreeMap::new();
    let mut pending = vec![top.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                pending.push(path);
            } else {
                let below = path.strip_prefix(top).map_err(CommandError::local)?.to_owned();
                found.insert(below, hash(&path)?);
            }
        }
    }
    Ok(found)
}

fn hash(path: &Path) -> Result<[u8; 32]> {
    Ok(Sha256::digest(std::fs::read(path)?).into())
}

fn go_on_by_hand(context: &Context) -> Result<()> {
    if context.output.is_json() {
        return Ok(());
    }
    let lines = [
        "",
        "To go on by hand, in one terminal:",
        "  supermega server --listen 127.0.0.1:9000 --user me@example.org:secret",
        "and in another:",
        "  export SUPERMEGA_API_URL=http://127.0.0.1:9000/",
        "  supermega login me@example.org",
        "  supermega put FOLDER /",
        "  supermega tree",
        "  supermega get /FOLDER copy",
    ];
    lines.iter().try_for_each(|line| context.output.data(line, || serde_json::Value::Null))
}
