//! This machine: places, keyring, proxy.

use std::path::Path;

use super::Finding;
use crate::arguments::UseKeyring;
use crate::context::Context;
use crate::keyring::Keyring;
use crate::{profile, proxy};

/// Where logins and unfinished uploads lie, and who can read them.
pub fn places(context: &Context) -> Vec<Finding> {
    let config = profile::config_place(context.global.config_dir.as_deref());
    let places =
        [("logins", config.map(|config| config.join("sessions"))), ("uploads", context.journals())];
    let mut findings = Vec::new();
    for (check, place) in places {
        match place {
            Ok(place) => findings.push(place_of(check, &place)),
            Err(error) => findings.push(Finding::wrong(
                check,
                format!("their place is not known: {error}"),
                "set HOME, or --config-dir and --state-dir",
            )),
        }
    }
    findings
}

fn place_of(check: &'static str, place: &Path) -> Finding {
    let shown = place.display();
    // What does not exist yet is made below the next folder that does.
    let there = place.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("/"));
    if let Err(error) = tempfile::tempfile_in(there) {
        let text = format!("{shown} cannot be written: {error}");
        return Finding::wrong(check, text, "choose another place: --config-dir, --state-dir");
    }
    match open_to_others(place) {
        Some(file) => Finding::wrong(
            check,
            format!("others can read {}", file.display()),
            format!("chmod -R go= {shown}"),
        ),
        None if place.is_dir() => {
            let count = std::fs::read_dir(place).map_or(0, Iterator::count);
            Finding::ok(check, format!("{count} in {shown}"))
        }
        None => Finding::ok(check, format!("none yet in {shown}")),
    }
}

/// The first of a folder and its files that is not for its owner alone.
#[cfg(unix)]
pub fn open_to_others(folder: &Path) -> Option<std::path::PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let is_open = |path: &Path| {
        std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
    };
    if is_open(folder) {
        return Some(folder.to_owned());
    }
    let entries = std::fs::read_dir(folder).ok()?;
    entries.filter_map(|entry| Some(entry.ok()?.path())).find(|file| is_open(file))
}

#[cfg(not(unix))]
pub fn open_to_others(_: &Path) -> Option<std::path::PathBuf> {
    None
}

/// Whether there is a keyring that can be reached, and whether a login lies there.
pub async fn keyring(context: &Context) -> Finding {
    const CHECK: &str = "keyring";
    let kept = context.profile().and_then(|profile| profile.whose()).ok().flatten();
    let kept = kept.is_some_and(|login| login.in_keyring);
    let keyring = Keyring::new(context.global.keyring);
    match (context.global.keyring, keyring.is_wanted(), kept) {
        (UseKeyring::Off, _, true) => Finding::wrong(
            CHECK,
            "this profile's login lies in the keyring, which is turned off",
            "leave out --keyring off and SUPERMEGA_KEYRING, or log in again",
        ),
        (UseKeyring::Off, ..) => Finding::ok(CHECK, "turned off: logins lie in files"),
        (_, false, true) => Finding::wrong(
            CHECK,
            "this profile's login lies in the keyring, and this session has no bus to reach it by",
            "run it in a desktop session, or log in again here",
        ),
        (_, false, false) => {
            Finding::ok(CHECK, "there is none (no DBUS_SESSION_BUS_ADDRESS): logins lie in files")
        }
        (wanted, true, kept) => match keyring.check().await {
            Ok(()) if kept => Finding::ok(CHECK, "this profile's login lies there"),
            Ok(()) => Finding::ok(CHECK, "new logins go there"),
            Err(error) if kept || wanted == UseKeyring::On => Finding::wrong(
                CHECK,
                error.to_string(),
                "start and unlock it, or log in again with --keyring off",
            ),
            Err(error) => Finding::warning(
                CHECK,
                format!("{error}; logins lie in files"),
                "nothing, if files are good enough: --keyring off asks no more",
            ),
        },
    }
}

/// Which proxy is used.
pub fn proxy(context: &Context) -> Finding {
    const CHECK: &str = "proxy";
    match (context.global.proxy.as_deref(), proxy::of(context.global.proxy.as_deref())) {
        (_, None) => Finding::ok(CHECK, "none"),
        (Some(_), _) => Finding::ok(CHECK, "the one of --proxy or SUPERMEGA_PROXY"),
        (None, _) => Finding::ok(CHECK, "that of HTTPS_PROXY, HTTP_PROXY or ALL_PROXY"),
    }
}
