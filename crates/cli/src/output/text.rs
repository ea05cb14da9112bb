//! Sizes, times and names as people read them.

use std::time::SystemTime;

use supermega::{Node, NodeKind, name};

/// A size in bytes, or with a unit of 1024's powers.
pub fn size(bytes: u64, human: bool) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if !human || bytes < 1024 {
        return bytes.to_string();
    }
    let mut tenths = u128::from(bytes) * 10;
    let mut unit = "";
    for next in UNITS {
        if tenths < 10_240 {
            break;
        }
        tenths = tenths.div_ceil(1024);
        unit = next;
    }
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// A time to the second, where the reader lives.
pub fn local_time(time: Option<SystemTime>) -> String {
    time.and_then(|time| jiff::Timestamp::try_from(time).ok())
        .map(|time| time.to_zoned(jiff::tz::TimeZone::system()))
        .map_or_else(|| "-".into(), |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// A time as programs read it: seconds since 1970.
pub fn seconds(time: Option<SystemTime>) -> Option<i64> {
    time.and_then(|time| jiff::Timestamp::try_from(time).ok()).map(jiff::Timestamp::as_second)
}

/// A node's name as a terminal may show it; one that has none is shown by handle and reason.
pub fn name_of(node: &Node) -> String {
    match (node.name(), node.kind(), node.problem()) {
        (Some(text), ..) => name::for_terminal(text).into_owned(),
        (None, NodeKind::Root, _) => "/".into(),
        (None, NodeKind::Trash, _) => "//trash".into(),
        (None, _, Some(problem)) => format!("H:{} ({problem})", node.handle()),
        (None, _, None) => format!("H:{}", node.handle()),
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_have_units_when_asked() {
        assert_eq!(size(1_048_576, false), "1048576");
        assert_eq!(size(1023, true), "1023");
        assert_eq!(size(1536, true), "1.5 KiB");
        assert_eq!(size(5 << 20, true), "5.0 MiB");
    }
}
