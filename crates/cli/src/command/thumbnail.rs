//! `thumbnail`: small pictures of large ones, saved and made.

use std::io::Write;
use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use serde_json::json;
use supermega::name::{System, for_terminal, to_local};
use supermega::{Error, FileAttributeKind, Node, Session, is_picture_name};

use super::get::{Source, find};
use super::summary::Summary;
use crate::arguments::{GetThumbnail, MakeThumbnails, Thumbnail};
use crate::context::{Context, Found};
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;

/// Pictures that are downloaded at the same time.
const TOGETHER: usize = 4;

/// Saves or makes.
pub async fn run(arguments: Thumbnail, context: &Context) -> Result<Exit> {
    match arguments {
        Thumbnail::Get(arguments) => get(&arguments, context).await,
        Thumbnail::Make(arguments) => make(&arguments, context).await,
    }
}

async fn get(arguments: &GetThumbnail, context: &Context) -> Result<Exit> {
    let kind = match arguments.preview {
        true => FileAttributeKind::PREVIEW,
        false => FileAttributeKind::THUMBNAIL,
    };
    let source = find(context, &arguments.path, arguments.link_password_stdin).await?;
    let (name, bytes) = match &source {
        Source::File(file) => (file.name(), file.file_attribute(kind).await?),
        Source::Node(found) => {
            (found.node.name(), found.session.file_attribute(&found.node, kind).await?)
        }
    };
    let picture = without_padding(&bytes);
    if arguments.target == "-" {
        std::io::stdout().lock().write_all(picture)?;
        return Ok(Exit::Done);
    }
    let target = target(Path::new(&arguments.target), name.unwrap_or_default(), kind);
    save(&target, picture, arguments.force)?;
    let shown = target.display().to_string();
    context.output.note(&format!("saved as {}", for_terminal(&shown)));
    context.output.object(|| {
        json!({
            "type": "thumbnail", "path": arguments.path, "kind": kind.to_string(), "target": shown,
            "size": picture.len(),
        })
    })?;
    Ok(Exit::Done)
}

/// A folder takes the picture under a name beside that of the file.
fn target(path: &Path, name: &str, kind: FileAttributeKind) -> PathBuf {
    if !path.is_dir() {
        return path.to_owned();
    }
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    path.join(&*to_local(&format!("{stem}.{kind}.jpg"), System::current()))
}

fn save(target: &Path, picture: &[u8], force: bool) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(!force).create(true).truncate(true);
    let failed = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Error::AlreadyExists { path: target.display().to_string() }
        }
        _ => Error::Local { path: target.to_owned(), source },
    };
    let mut file = options.open(target).map_err(failed)?;
    Ok(file.write_all(picture).map_err(failed)?)
}

/// The zeros behind the end of a picture came with its encryption.
fn without_padding(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    if bytes[..end].ends_with(&[0xff, 0xd9]) { &bytes[..end] } else { bytes }
}

async fn make(arguments: &MakeThumbnails, context: &Context) -> Result<Exit> {
    let (mut wanted, mut summary) = (Vec::new(), Summary::default());
    for text in &arguments.paths {
        match context.find(text).await {
            Ok(found) => wanted.extend(pictures(&found)),
            Err(error) => summary.fail(context, error, arguments.paths.len() > 1)?,
        }
    }
    let mut making = futures_util::stream::iter(wanted)
        .map(|(session, path, file)| async move {
            let made = make_one(&session, &file, arguments.force).await;
            let made = made.map_err(|error| CommandError::of(error, &path));
            (path, made)
        })
        .buffer_unordered(TOGETHER);
    while let Some((path, made)) = making.next().await {
        let told = made.and_then(|made| {
            let state = if made { "made" } else { "skipped" };
            context.output.data(
                &format!("{state}  {}", for_terminal(&path)),
                || json!({ "type": "thumbnails", "path": path, "state": state }),
            )
        });
        summary.add(context, told)?;
    }
    Ok(summary.exit(context))
}

/// The file that was found, or all in the folder that are pictures by their names.
fn pictures(found: &Found) -> Vec<(Session, String, Node)> {
    let files: Vec<Node> = if found.node.is_file() {
        vec![found.node.clone()]
    } else {
        let inside = found.tree.walk_from(&found.node).flat_map(|step| step.files);
        inside.filter(|file| file.name().is_some_and(is_picture_name)).collect()
    };
    let path = |file: &Node| found.tree.path_of(file).to_string();
    files.into_iter().map(|file| (found.session.clone(), path(&file), file)).collect()
}

/// Says whether there was anything to do.
async fn make_one(session: &Session, file: &Node, force: bool) -> Result<bool, Error> {
    let known = file.file_attributes();
    let both = [FileAttributeKind::THUMBNAIL, FileAttributeKind::PREVIEW];
    if !force && both.iter().all(|kind| known.contains(kind)) {
        return Ok(false);
    }
    session.make_thumbnails(file).await?;
    Ok(true)
}
