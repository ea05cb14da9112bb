//! Remote names as local names: lossless, and never a way out of the target folder.
//!
//! A remote name is somebody else's text. It may hold a slash, be `..`, or mean a device on Windows.
//! [`to_local`] maps every name to one that the target system takes, by writing what is unsafe as `%`
//! and two hexadecimal digits, and [`to_remote`] maps it back. Ordinary names stay as they are. The
//! mapping depends on the name and the [`System`] alone. On Unix it is one to one both ways: whatever is
//! uploaded by its mapped name gets its own name again when it is downloaded.
//!
//! ```
//! use supermega::name::{System, to_local, to_remote};
//!
//! assert_eq!(to_local("holiday.jpg", System::Unix), "holiday.jpg");
//! assert_eq!(to_local("../x", System::Unix), "..%2Fx");
//! assert_eq!(to_local("..", System::Unix), "%2E%2E");
//! assert_eq!(to_local("aux.txt", System::Windows), "%61ux.txt");
//! assert_eq!(to_remote("..%2Fx", System::Unix), "../x");
//! ```

use std::borrow::Cow;

/// Whose rules a local name must keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum System {
    /// Linux, macOS and their like: no slash, no NUL.
    Unix,
    /// Windows: none of `<>:"/\|?*`, no control characters, no device names, no dot or space at the
    /// end.
    Windows,
}

impl System {
    /// The system that this program runs on.
    #[must_use]
    pub const fn current() -> Self {
        if cfg!(windows) { Self::Windows } else { Self::Unix }
    }

    /// Whether two local names mean the same file.
    #[must_use]
    pub fn same(self, a: &str, b: &str) -> bool {
        self.folded(a) == self.folded(b)
    }

    /// A text that two local names have in common when they mean the same file, and only then.
    #[must_use]
    pub fn folded(self, name: &str) -> Cow<'_, str> {
        match self {
            Self::Unix => name.into(),
            Self::Windows => name.to_lowercase().into(),
        }
    }
}

/// Names that are as long as this in bytes do not fit into usual file systems.
pub const LONGEST: usize = 255;

/// Names that need another one as a whole.
const WHOLE: [(&str, &str); 3] = [("", "%-"), (".", "%2E"), ("..", "%2E%2E")];

/// The local name of a remote name. It is no path: it holds no separator and is neither `.` nor `..`.
#[must_use]
pub fn to_local(name: &str, system: System) -> Cow<'_, str> {
    if let Some((_, local)) = WHOLE.iter().find(|(remote, _)| *remote == name) {
        return (*local).into();
    }
    if is_whole_escape(name) {
        return format!("%25{}", &name[1..]).into();
    }
    let device = system == System::Windows && is_device(name);
    let last = name.char_indices().next_back().map_or(0, |(at, _)| at);
    let escape = |at: usize, c: char| {
        is_unsafe(c, system)
            || (device && at == 0)
            || (system == System::Windows && at == last && matches!(c, '.' | ' '))
            || (c == '%' && reads_as_escape(&name.as_bytes()[at..], system))
    };
    if !name.char_indices().any(|(at, c)| escape(at, c)) {
        return name.into();
    }
    let mut local = String::with_capacity(name.len() + 8);
    for (at, c) in name.char_indices() {
        if escape(at, c) {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                local.push('%');
                local.push(hex(byte >> 4));
                local.push(hex(byte & 15));
            }
        } else {
            local.push(c);
        }
    }
    local.into()
}

/// The remote name that a local name stands for.
#[must_use]
pub fn to_remote(local: &str, system: System) -> Cow<'_, str> {
    if let Some((remote, _)) = WHOLE.iter().find(|(_, name)| *name == local) {
        return (*remote).into();
    }
    if let Some(rest) = local.strip_prefix("%25").filter(|_| is_whole_escape(local)) {
        return format!("%{rest}").into();
    }
    let mut bytes = Vec::with_capacity(local.len());
    let mut rest = local.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        match tail {
            [high, low, after @ ..] if reads_as_escape(rest, system) => {
                bytes.push((digit(*high).unwrap_or(0) << 4) | digit(*low).unwrap_or(0));
                rest = after;
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    // Escapes that make no UTF-8 were written by nobody here: the name is meant literally.
    String::from_utf8(bytes).map_or(local.into(), Cow::Owned)
}

/// Whether a whole name would be taken for one of [`WHOLE`], or for such a name with its percent sign
/// escaped.
fn is_whole_escape(name: &str) -> bool {
    let Some(mut rest) = name.strip_prefix('%') else { return false };
    while let Some(shorter) = rest.strip_prefix("25") {
        rest = shorter;
    }
    WHOLE.iter().any(|(_, local)| local[1..] == *rest)
}

fn is_unsafe(c: char, system: System) -> bool {
    match system {
        System::Unix => matches!(c, '/' | '\0'),
        System::Windows => {
            c < ' ' || matches!(c, '<' | '>' | ':' | '"' | '/' | '\\' | '|' | '?' | '*')
        }
    }
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = |prefix: &str| {
        stem.strip_prefix(prefix).is_some_and(|rest| {
            let mut chars = rest.chars();
            matches!((chars.next(), chars.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
        })
    };
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
        || numbered("COM")
        || numbered("LPT")
}

/// Whether what begins here with a percent sign would be read as an escape. On Unix those are few, so that
/// every local name is some remote name's: `%2F`, `%00`, and the same with the percent sign escaped, as often
/// as one likes.
fn reads_as_escape(rest: &[u8], system: System) -> bool {
    let Some(mut pair) = rest.strip_prefix(b"%") else { return false };
    if system == System::Unix {
        while let Some(shorter) = pair.strip_prefix(b"25") {
            pair = shorter;
        }
        return pair.starts_with(b"2F") || pair.starts_with(b"00");
    }
    matches!(pair, [high, low, ..] if digit(*high).is_some() && digit(*low).is_some())
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

fn hex(nibble: u8) -> char {
    char::from(b"0123456789ABCDEF"[usize::from(nibble & 15)])
}

/// A terminal shows this text as it is: escapes, other control characters and characters that change
/// the direction of writing are written visibly.
///
/// ```
/// assert_eq!(supermega::name::for_terminal("a\u{1b}[2Jb\u{202e}c"), "a\\u{1b}[2Jb\\u{202e}c");
/// ```
#[must_use]
pub fn for_terminal(name: &str) -> Cow<'_, str> {
    if !name.chars().any(is_treacherous) {
        return name.into();
    }
    name.chars()
        .fold(String::new(), |mut shown, c| {
            if is_treacherous(c) {
                shown.extend(c.escape_unicode());
            } else {
                shown.push(c);
            }
            shown
        })
        .into()
}

fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{2028}' | '\u{2029}'
            | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_lead_out_are_mapped() {
        for (name, local) in
            [("", "%-"), (".", "%2E"), ("..", "%2E%2E"), ("/etc/x", "%2Fetc%2Fx"), ("a\0", "a%00")]
        {
            assert_eq!(to_local(name, System::Unix), local);
        }
    }

    #[test]
    fn windows_rules_hold() {
        for (name, local) in [
            ("a:b", "a%3Ab"),
            ("x. ", "x.%20"),
            ("x.", "x%2E"),
            ("com1", "%63om1"),
            ("NUL.tar.gz", "%4EUL.tar.gz"),
            ("company", "company"),
            ("tab\t", "tab%09"),
        ] {
            assert_eq!(to_local(name, System::Windows), local);
        }
    }

    #[test]
    fn ordinary_names_stay() {
        for name in ["100%", "50% off", "%2f", "naïve ☃", "-rf", " x ", "a\\b", "...", "%"] {
            assert_eq!(to_local(name, System::Unix), name);
        }
    }

    proptest! {
        #[test]
        fn every_name_comes_back(name in any::<String>(), windows: bool) {
            let system = if windows { System::Windows } else { System::Unix };
            let local = to_local(&name, system);
            prop_assert_eq!(to_remote(&local, system), name.as_str());
        }

        #[test]
        fn names_of_the_dangerous_kind_come_back(name in "[./%A-F0-9:-]{0,6}", windows: bool) {
            let system = if windows { System::Windows } else { System::Unix };
            let local = to_local(&name, system);
            prop_assert!(!local.contains(['/', '\0']) && local != "." && local != "..");
            prop_assert!(!local.is_empty());
            prop_assert_eq!(to_remote(&local, system), name.as_str());
        }

        #[test]
        fn every_local_name_of_unix_comes_back(local in "[.%a025EF-]{1,8}") {
            prop_assume!(local != "." && local != "..");
            let remote = to_remote(&local, System::Unix).into_owned();
            prop_assert_eq!(to_local(&remote, System::Unix), local.as_str());
        }

        #[test]
        fn a_terminal_is_safe(name in any::<String>()) {
            prop_assert!(!for_terminal(&name).chars().any(is_treacherous));
        }
    }
}
