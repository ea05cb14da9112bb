//! Thumbnails, previews and whatever else belongs to a file: made, stored, read, and never in the way.
#![cfg(feature = "thumbnails")]

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use supermega::{Access, Error, FileAttributeKind, Node, Pictures, Session};

use crate::world::{OTHER, at, client, contacts, server, server_of_two, session};

const THUMBNAIL: FileAttributeKind = FileAttributeKind::THUMBNAIL;
const PREVIEW: FileAttributeKind = FileAttributeKind::PREVIEW;

/// Red on the left, blue on the right.
fn two_colours(width: u32, height: u32) -> DynamicImage {
    let colour = |x| if x < width / 2 { Rgb([250, 0, 0]) } else { Rgb([0, 0, 250]) };
    RgbImage::from_fn(width, height, |x, _| colour(x)).into()
}

fn png(picture: &DynamicImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A picture that says that its top is on its right: it has to be turned by a quarter.
fn lying_jpeg(picture: &DynamicImage) -> Vec<u8> {
    let mut jpeg = Vec::new();
    picture.write_with_encoder(JpegEncoder::new(&mut jpeg)).unwrap();
    let tiff = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let exif = [&b"Exif\0\0"[..], tiff].concat();
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
}

/// Uploads a file of these bytes, with thumbnails if they can be made.
async fn put(session: &Session, name: &str, bytes: &[u8]) -> Node {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let root = session.tree().await.unwrap().root().unwrap();
    session.upload(&root).thumbnails().from_path(&path).await.unwrap()
}

async fn picture(session: &Session, file: &Node, kind: FileAttributeKind) -> DynamicImage {
    image::load_from_memory(&session.file_attribute(file, kind).await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_picture_goes_up_with_smaller_ones() {
    let server = server().await;
    let me = session(&server).await;
    put(&me, "wide.png", &png(&two_colours(3000, 1500))).await;
    let again = session(&server).await;
    for (session, path) in [(&me, "/wide.png"), (&again, "/wide.png"), (&again, "/copy")] {
        if path == "/copy" {
            let (tree, file) = (session.tree().await.unwrap(), at(session, "/wide.png").await);
            session.copy(&file, &tree.root().unwrap(), "copy").await.unwrap();
        }
        let file = at(session, path).await;
        assert_eq!(file.file_attributes(), [THUMBNAIL, PREVIEW]);
        let thumbnail = picture(session, &file, THUMBNAIL).await;
        assert_eq!((thumbnail.width(), thumbnail.height()), (200, 200));
        let preview = picture(session, &file, PREVIEW).await;
        assert_eq!((preview.width(), preview.height()), (1000, 500));
    }
    let link = me.make_link(&at(&me, "/wide.png").await).await.unwrap();
    let public = client(&server).open_file(&link).await.unwrap();
    let seen = public.file_attribute(THUMBNAIL).await.unwrap();
    assert_eq!(seen, me.file_attribute(&at(&me, "/wide.png").await, THUMBNAIL).await.unwrap());
}

#[tokio::test]
async fn a_large_picture_with_a_journal_gets_them_too() {
    let server = server().await;
    let me = session(&server).await;
    let noise = |x: u32, y: u32| (x.wrapping_mul(0x9e37_79b9) ^ y.wrapping_mul(0x85eb_ca6b)) >> 11;
    let picture: DynamicImage = RgbImage::from_fn(1400, 1400, |x, y| {
        Rgb(noise(x, y).to_le_bytes().first_chunk().copied().unwrap())
    })
    .into();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("large.bmp.png");
    let mut bytes = png(&picture);
    // What stands behind a picture's end is no part of it.
    bytes.resize(6 << 20, 7);
    std::fs::write(&path, bytes).unwrap();
    let root = me.tree().await.unwrap().root().unwrap();
    let upload = me.upload(&root).thumbnails().journal_in(dir.path().join("journals"));
    let file = upload.from_path(&path).await.unwrap();
    assert_eq!(file.file_attributes(), [THUMBNAIL, PREVIEW]);
    assert_eq!(at(&session(&server).await, "/large.bmp.png").await.file_attributes().len(), 2);
}

#[tokio::test]
async fn a_picture_that_lies_is_put_upright() {
    let server = server().await;
    let me = session(&server).await;
    let file = put(&me, "lying.jpg", &lying_jpeg(&two_colours(400, 200))).await;
    let preview = picture(&me, &file, PREVIEW).await.to_rgb8();
    assert_eq!((preview.width(), preview.height()), (200, 400));
    let (top, bottom) = (preview.get_pixel(100, 50), preview.get_pixel(100, 350));
    assert!(top[0] > 200 && bottom[2] > 200, "{top:?} {bottom:?}");
}

#[tokio::test]
async fn what_is_no_fit_picture_goes_up_without() {
    let server = server().await;
    let me = session(&server).await;
    let good = png(&two_colours(300, 300));
    // Its head promises 20000 by 20000 pixels, more than a gigabyte.
    let mut bomb = good.clone();
    bomb[16..24].copy_from_slice(&[0, 0, 0x4e, 0x20, 0, 0, 0x4e, 0x20]);
    let cut = &good[..good.len() / 2];
    let none: [(&str, &[u8]); 4] =
        [("text.jpg", b"no picture"), ("bomb.png", &bomb), ("cut.png", cut), ("empty.gif", b"")];
    for (name, bytes) in none {
        assert_eq!(Pictures::of(Cursor::new(bytes)), None, "{name}");
        let file = put(&me, name, bytes).await;
        assert_eq!(file.file_attributes(), [], "{name}");
        assert!(matches!(me.make_thumbnails(&file).await, Err(Error::Refused(_))), "{name}");
    }
    // A storage server that takes none does no harm either.
    server.add_fault("ufa:error=11*1".parse().unwrap());
    assert_eq!(put(&me, "good.png", &good).await.file_attributes(), []);
    let file = me.make_thumbnails(&at(&me, "/good.png").await).await.unwrap();
    assert_eq!(file.file_attributes(), [THUMBNAIL, PREVIEW]);
    // It is not made larger than it is.
    assert_eq!(picture(&me, &file, PREVIEW).await.width(), 300);
}

#[tokio::test]
async fn any_attribute_is_written_and_read() {
    let server = server_of_two().await;
    let (me, you) = contacts(&server).await;
    let folder = me.make_folder(&"/shared".parse().unwrap()).await.unwrap();
    me.share(&folder, OTHER, Access::Full).await.unwrap();
    let given = FileAttributeKind::other(77);
    let bytes = b"a file";
    let send = me.upload(&folder).name("file").file_attribute(given, b"of sixteen bytes".to_vec());
    let file = send.from_reader(bytes.len() as u64, &bytes[..]).await.unwrap();
    assert_eq!(me.file_attribute(&file, given).await.unwrap(), b"of sixteen bytes");
    let file = me.set_file_attribute(&file, given, b"shorter").await.unwrap();
    assert_eq!(file.file_attributes(), [given]);
    assert_eq!(me.file_attribute(&file, given).await.unwrap(), b"shorter\0\0\0\0\0\0\0\0\0");
    assert!(matches!(me.file_attribute(&file, PREVIEW).await, Err(Error::NotFound { .. })));
    for (kind, content) in [(FileAttributeKind::other(8), &b"x"[..]), (given, b"")] {
        let error = me.set_file_attribute(&file, kind, content).await.unwrap_err();
        assert!(matches!(error, Error::Input(_)), "{error}");
    }
    let error = me.set_file_attribute(&folder, given, b"x").await.unwrap_err();
    assert!(matches!(error, Error::Refused(_)), "{error}");
    // Others read it, and write none.
    you.refresh().await.unwrap();
    you.complete_shares().await.unwrap();
    let theirs = at(&you, "//in/me@example.org/shared/file").await;
    assert!(you.file_attribute(&theirs, given).await.unwrap().starts_with(b"shorter"));
    let error = you.set_file_attribute(&theirs, given, b"x").await.unwrap_err();
    assert!(matches!(error, Error::Refused(_)), "{error}");
}
