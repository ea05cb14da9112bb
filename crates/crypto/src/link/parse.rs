//! Reading links (`protocol-auth.md` 7.1 to 7.3).
//!
//! Official clients search a text for `#F!`, `folder/` and the like, wherever it came from. We
//! take the address apart instead, so that another site's link is not mistaken for ours.

use supermega_encoding::{NodeHandle, PublicHandle, base64};
use zeroize::Zeroizing;

use super::{Inside, Link, LinkError, ProtectedLink, SetKey};
use crate::{FileKey, ShareKey};

const HOSTS: [&str; 3] = ["mega.nz", "mega.co.nz", "mega.app"];
const HANDLE_LEN: usize = PublicHandle::TEXT_LEN;

pub(super) fn link(text: &str) -> Result<Link, LinkError> {
    let text = text
        .trim_start_matches(|c: char| c.is_whitespace() || "<([\"'".contains(c))
        .trim_end_matches(|c: char| c.is_whitespace() || ">)].,;:!?\"'".contains(c));
    match address(text) {
        Err(_) if text.contains('%') => address(&repair(text)),
        result => result,
    }
}

/// Undoes what mail programs do to fragments, and nothing else.
fn repair(text: &str) -> String {
    let mut repaired = text.to_owned();
    for (code, plain) in [("%21", "!"), ("%23", "#"), ("%2F", "/"), ("%2f", "/")] {
        repaired = repaired.replace(code, plain);
    }
    repaired
}

/// Takes the site off and reads what is left.
fn address(text: &str) -> Result<Link, LinkError> {
    if let Some(local) = strip_prefix(text, "mega://") {
        return local_part(local);
    }
    let web = strip_prefix(text, "https://").or_else(|| strip_prefix(text, "http://"));
    let end = |text: &str| text.find(['/', '#', '?']).unwrap_or(text.len());
    if let Some(rest) = web {
        let (host, local) = rest.split_at(end(rest));
        return if is_ours(host) { local_part(local) } else { Err(LinkError::ForeignHost) };
    }
    let (host, local) = text.split_at(end(text));
    if is_ours(host) {
        local_part(local)
    } else if host.contains('.') {
        Err(LinkError::ForeignHost)
    } else if host.contains(':') {
        Err(LinkError::NotALink)
    } else {
        local_part(text)
    }
}

fn is_ours(host: &str) -> bool {
    let host = strip_prefix(host, "www.").unwrap_or(host);
    HOSTS.iter().any(|ours| host.eq_ignore_ascii_case(ours))
}

/// Removes an ASCII prefix in any case.
fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Reads path and fragment.
fn local_part(text: &str) -> Result<Link, LinkError> {
    let text = text.trim_start_matches('/');
    if let Some(rest) = text.strip_prefix("folder/") {
        folder(rest)
    } else if let Some(rest) = text.strip_prefix("file/") {
        file(rest)
    } else if let Some(rest) = text.strip_prefix("collection/") {
        collection(rest)
    } else if text.starts_with('?') {
        // Tracking parameters between the site and the fragment.
        fragment(text.find('#').map_or("", |at| &text[at..]))
    } else {
        fragment(text)
    }
}

/// Reads the old form, `#!`, `#F!` and `#P!`, or a bare handle and key.
fn fragment(text: &str) -> Result<Link, LinkError> {
    if let Some(rest) = text.strip_prefix("#F!") {
        folder(rest)
    } else if let Some(rest) = text.strip_prefix("#P!") {
        ProtectedLink::parse(rest).map(Link::Protected)
    } else if let Some(rest) = text.strip_prefix("#!") {
        file(rest)
    } else if text.get(HANDLE_LEN..).is_some_and(|rest| rest.starts_with('!')) {
        file(text)
    } else {
        Err(LinkError::NotALink)
    }
}

fn file(text: &str) -> Result<Link, LinkError> {
    let (handle, rest) = split_handle(text)?;
    let key = split_key(rest).0;
    let key = (!key.is_empty()).then(|| file_key(key)).transpose()?;
    Ok(Link::File { handle, key })
}

fn folder(text: &str) -> Result<Link, LinkError> {
    let (handle, rest) = split_handle(text)?;
    let (key, rest) = split_key(rest);
    let key = (!key.is_empty()).then(|| share_key(key)).transpose()?;
    Ok(Link::Folder { handle, key, inside: inside(rest)? })
}

fn collection(text: &str) -> Result<Link, LinkError> {
    let (handle, rest) = split_handle(text)?;
    let key = split_key(rest).0;
    let key = (!key.is_empty()).then(|| set_key(key)).transpose()?;
    Ok(Link::Collection { handle, key })
}

/// Takes the handle off, and parameters behind it; what is left begins with the key.
fn split_handle(text: &str) -> Result<(PublicHandle, &str), LinkError> {
    let (handle, rest) = text.split_at_checked(HANDLE_LEN).ok_or(LinkError::BadHandle)?;
    let handle = handle.parse().map_err(|_| LinkError::BadHandle)?;
    match rest.chars().next() {
        None | Some('#' | '!' | '?' | '&' | '/') => {
            let key = rest.find(['#', '!']).map_or("", |at| &rest[at + 1..]);
            Ok((handle, key))
        }
        Some(_) => Err(LinkError::BadHandle),
    }
}

/// Takes the characters of the key off.
fn split_key(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(|byte| is_digit(*byte)).count())
}

pub(super) fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// Reads what a folder link points to; text that has another form means nothing.
fn inside(text: &str) -> Result<Option<Inside>, LinkError> {
    if let Some(node) = text.strip_prefix("/file/") {
        node_handle(node).map(|node| Some(Inside::File(node)))
    } else if let Some(node) = text.strip_prefix("/folder/").or_else(|| text.strip_prefix('!')) {
        node_handle(node).map(|node| Some(Inside::Folder(node)))
    } else {
        // In the old form; but tracking parameters begin like this as well.
        let file = text.strip_prefix('?').and_then(|node| node_handle(node).ok());
        Ok(file.map(Inside::File))
    }
}

fn node_handle(text: &str) -> Result<NodeHandle, LinkError> {
    split_key(text).0.parse().map_err(|_| LinkError::BadHandle)
}

pub(super) fn file_key(text: &str) -> Result<FileKey, LinkError> {
    FileKey::from_bytes(*prefix(text)?).map_err(|_| LinkError::BadKey)
}

pub(super) fn share_key(text: &str) -> Result<ShareKey, LinkError> {
    ShareKey::from_bytes(*prefix(text)?).map_err(|_| LinkError::BadKey)
}

pub(super) fn set_key(text: &str) -> Result<SetKey, LinkError> {
    let key = prefix(text)?;
    if *key == [0; 16] { Err(LinkError::BadKey) } else { Ok(SetKey::from_bytes(*key)) }
}

/// Decodes the first `N` bytes; surplus characters are passed over, as official clients do, some
/// of which write them.
pub(super) fn prefix<const N: usize>(text: &str) -> Result<Zeroizing<[u8; N]>, LinkError> {
    let needed = text.get(..(N * 8).div_ceil(6)).ok_or(LinkError::Truncated)?;
    let bytes = Zeroizing::new(base64::decode(needed).map_err(|_| LinkError::BadKey)?);
    let bytes = bytes.get(..N).and_then(|bytes| bytes.try_into().ok());
    bytes.map(Zeroizing::new).ok_or(LinkError::Truncated)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FOLDER: &str = "https://mega.nz/folder/AAAAAAAG#QEFCQ0RFRkdISUpLTE1OTw";
    const FILE: &str = "https://mega.nz/file/AQIDBAUG#3477iENVd1HnjP-6cOzYk96tvu_K_rq-GVBFIga46oM";

    fn same(text: &str, as_text: &str) {
        assert_eq!(link(text).as_ref().map(Link::to_url), Ok(as_text.to_owned()), "{text}");
    }

    #[test]
    fn every_site_and_scheme_is_read() {
        let local = &FOLDER["https://mega.nz/".len()..];
        for site in [
            "https://mega.nz/",
            "http://mega.nz/",
            "HTTPS://MEGA.NZ/",
            "https://www.mega.nz/",
            "https://mega.co.nz/",
            "https://mega.app/",
            "mega://",
            "mega:///",
            "mega.nz/",
            "",
            "/",
        ] {
            same(&format!("{site}{local}"), FOLDER);
        }
    }

    #[test]
    fn old_and_bare_forms_are_read() {
        let key = &FILE["https://mega.nz/file/AQIDBAUG#".len()..];
        for form in ["https://mega.nz/#!", "https://mega.nz#!", "mega://#!", "#!", ""] {
            same(&format!("{form}AQIDBAUG!{key}"), FILE);
        }
        let key = &FOLDER["https://mega.nz/folder/AAAAAAAG#".len()..];
        same(&format!("#F!AAAAAAAG!{key}"), FOLDER);
        same(&format!("#F!AAAAAAAG!{key}!BwgJCgsM"), &format!("{FOLDER}/folder/BwgJCgsM"));
        same(&format!("#F!AAAAAAAG!{key}?BwgJCgsM"), &format!("{FOLDER}/file/BwgJCgsM"));
    }

    #[test]
    fn the_world_around_a_link_is_passed_over() {
        for text in ["  {}\n", "<{}>", "({}).", "\"{}\",", "{}?utm_source=mail", "{}AA"] {
            same(&text.replace("{}", FOLDER), FOLDER);
        }
        same(&FOLDER.replace('#', "?utm_source=x&a=b#"), FOLDER);
        same(&FOLDER.replace('#', "%23"), FOLDER);
        same("https://mega.nz/%23F%21AAAAAAAG%21QEFCQ0RFRkdISUpLTE1OTw", FOLDER);
    }

    #[test]
    fn a_link_without_its_key_is_still_one() {
        let keyless = link("https://mega.nz/file/AQIDBAUG").unwrap();
        assert_eq!(keyless.file_key(), Err(LinkError::MissingKey));
        assert_eq!(keyless.folder_key(), Err(LinkError::NotALink));
        let key = &FILE["https://mega.nz/file/AQIDBAUG".len()..];
        assert_eq!(keyless.with_key(key).unwrap().to_url(), FILE);
        same("https://mega.nz/#!AQIDBAUG", "https://mega.nz/file/AQIDBAUG");
        let inside = "https://mega.nz/folder/AAAAAAAG#/file/AQIDBAUG";
        same(inside, inside);
    }

    #[test]
    fn other_sites_are_refused() {
        for text in [
            "https://example.com/file/AQIDBAUG#x",
            "https://mega.nz.example.com/#!AQIDBAUG!x",
            "https://mega.nz@example.com/file/AQIDBAUG",
            "example.com/mega.nz/file/AQIDBAUG",
            "ftp://mega.nz/file/AQIDBAUG",
            "https://evilmega.nz/file/AQIDBAUG",
        ] {
            let error = link(text).unwrap_err();
            assert!(
                matches!(error, LinkError::ForeignHost | LinkError::NotALink),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn malformed_links_say_what_is_wrong() {
        for (text, error) in [
            ("", LinkError::NotALink),
            ("hello", LinkError::NotALink),
            ("https://mega.nz/", LinkError::NotALink),
            ("https://mega.nz/chat/AQIDBAUG#x", LinkError::NotALink),
            ("#confirmabcdefg", LinkError::NotALink),
            ("https://mega.nz/file/AQIDBAU", LinkError::BadHandle),
            ("https://mega.nz/file/AQIDBAUGG#x", LinkError::BadHandle),
            ("https://mega.nz/file/AQIDBÄUG#x", LinkError::BadHandle),
            ("https://mega.nz/file/AQIDBAUG#abc", LinkError::Truncated),
            ("https://mega.nz/folder/AAAAAAAG#AAAAAAAAAAAAAAAAAAAAAA", LinkError::BadKey),
            (
                "https://mega.nz/folder/AAAAAAAG#QEFCQ0RFRkdISUpLTE1OTw/file/abc",
                LinkError::BadHandle,
            ),
            ("https://mega.nz/#P!AgE", LinkError::Truncated),
            ("https://mega.nz/#P!AwEBAgMEBQZgYWJj", LinkError::UnknownAlgorithm),
        ] {
            assert_eq!(link(text), Err(error), "{text}");
        }
    }

    #[test]
    fn debug_hides_the_key() {
        assert_eq!(format!("{:?}", link(FOLDER).unwrap()), "Link::Folder(AAAAAAAG, .., None)");
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String) {
            let _ = link(&text);
            for start in ["#!", "#F!", "#P!", "mega.nz/folder/AAAAAAAG#", "https://"] {
                let _ = link(&format!("{start}{text}"));
            }
        }

        #[test]
        fn what_is_written_is_read(handle: [u8; 6], key: [u8; 16], node: Option<[u8; 6]>) {
            prop_assume!(key != [0; 16]);
            let folder = Link::Folder {
                handle: PublicHandle::from_bytes(handle),
                key: Some(ShareKey::from_bytes(key).unwrap()),
                inside: node.map(|node| Inside::File(NodeHandle::from_bytes(node))),
            };
            prop_assert_eq!(link(&folder.to_url()), Ok(folder));
        }
    }
}
