//! Points in time as people write them on a command line.

use std::time::{Duration, SystemTime};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::error::{CommandError, Result};

/// Reads a date, a date with a time, both where the reader lives, or a span from now on, as `30d`.
pub fn after_now(text: &str) -> Result<SystemTime> {
    let wrong = || {
        CommandError::Usage(format!(
            "{text:?} is neither a date, as 2027-01-31 or 2027-01-31T12:00, nor a span, as 30d or 12h"
        ))
    };
    let time = if let Some(span) = span(text) {
        SystemTime::now().checked_add(span).ok_or_else(wrong)?
    } else {
        let date: DateTime = text.parse().map_err(|_| wrong())?;
        date.to_zoned(TimeZone::system()).map_err(|_| wrong())?.timestamp().into()
    };
    if time <= SystemTime::now() {
        return Err(CommandError::Usage(format!("{text:?} is over already")));
    }
    Ok(time)
}

/// Reads a span, as `30d` or `12h`.
pub fn span_of(text: &str) -> Result<Duration> {
    span(text).ok_or_else(|| CommandError::Usage(format!("{text:?} is no span, as 30d or 12h")))
}

fn span(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    Some(Duration::from_secs(digits.parse::<u64>().ok()?.checked_mul(seconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_dates_are_read() {
        let hour = after_now("1h").unwrap().duration_since(SystemTime::now()).unwrap();
        assert!((3590..=3600).contains(&hour.as_secs()), "{hour:?}");
        assert!(after_now("2999-01-31").unwrap() < after_now("2999-01-31T12:00").unwrap());
        for text in ["", "d", "1y", "-1d", "2001-01-01", "0s", "99999999999999999999w", "ü"] {
            assert!(after_now(text).is_err(), "{text}");
        }
    }
}
