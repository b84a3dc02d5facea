//! Dates and times that a contract's rules compare columns with.

use jiff::civil::Time;

use crate::clock::{EPOCH, pieces};

const DAY_NANOSECONDS: i128 = 24 * 60 * 60 * 1_000_000_000;

/// A date or a time of ISO 8601, in the extended format of RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A date, in days since 1970-01-01.
    Day(i64),
    /// A time of day, in nanoseconds since midnight.
    Time(i64),
    /// A date and a time without a zone, in nanoseconds since 1970-01-01T00:00:00.
    Local(i128),
    /// A date and a time with a zone, in nanoseconds since 1970-01-01T00:00:00Z.
    Zoned(i128),
}

impl Moment {
    /// Reads a text; `None` if it is neither a date nor a time. The second `60` of a leap second is read as `59`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(time) = time_of_day(text) {
            return Some(Self::Time(time));
        }
        let pieces = pieces(text)?;
        let civil = pieces.date().to_datetime(pieces.time().unwrap_or(Time::midnight()));
        let nanoseconds = civil.duration_since(EPOCH).as_nanos();
        Some(match (pieces.time(), pieces.to_numeric_offset()) {
            (None, _) => Self::Day(i64::try_from(nanoseconds.div_euclid(DAY_NANOSECONDS)).ok()?),
            (Some(_), None) => Self::Local(nanoseconds),
            (Some(_), Some(offset)) => Self::Zoned(nanoseconds - i128::from(offset.seconds()) * 1_000_000_000),
        })
    }
}

fn time_of_day(text: &str) -> Option<i64> {
    let form: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let (clock, fraction) = form.split_once('.').unwrap_or((&form, "0"));
    let is_time = matches!(clock, "00:00" | "00:00:00") && !fraction.is_empty() && fraction.bytes().all(|b| b == b'0');
    let time: Time = is_time.then(|| text.parse().ok()).flatten()?;
    let nanoseconds = time.duration_since(Time::midnight()).as_nanos();
    i64::try_from(nanoseconds).ok()
}
