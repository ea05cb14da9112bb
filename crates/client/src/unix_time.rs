//! Seconds since 1970, as the service counts them, and the system's own times.

use std::time::{Duration, SystemTime};

/// The time that is so many seconds after 1970, or before it.
pub(crate) fn to_system(seconds: i64) -> Option<SystemTime> {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    }
}

/// The last whole second at a time.
pub(crate) fn of(time: SystemTime) -> Option<i64> {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(age) => i64::try_from(age.as_secs()).ok(),
        Err(before) => {
            let age = before.duration();
            let seconds = age.as_secs() + u64::from(age.subsec_nanos() > 0);
            i64::try_from(seconds).ok().map(|seconds| -seconds)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_come_back_and_parts_of_them_count_down() {
        for seconds in [0, 1, -1, 1_700_000_000, -1_700_000_000] {
            assert_eq!(of(to_system(seconds).unwrap()), Some(seconds));
        }
        let half = Duration::from_millis(500);
        assert_eq!(of(SystemTime::UNIX_EPOCH + half), Some(0));
        assert_eq!(of(SystemTime::UNIX_EPOCH - half), Some(-1));
    }
}
