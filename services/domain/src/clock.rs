//! Time and randomness. Both are passed in, so that rules and tests are repeatable.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::SignedDuration;
use jiff::civil::{DateTime, Time};
use jiff::fmt::temporal::Pieces;
use jiff::tz::Offset;

/// A point in time: microseconds since 1970-01-01T00:00:00Z, as the database stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Microseconds since the epoch.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since the epoch, rounded down.
    pub fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Whole seconds since the epoch, rounded down.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The moment `seconds` after the epoch; saturates at the ends of the range.
    pub fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// The moment `millis` milliseconds after the epoch; saturates at the ends of the range.
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// This moment moved forward; saturates at the end of the range.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(micros(duration)))
    }

    /// This moment moved back; saturates at the start of the range.
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(micros(duration)))
    }

    /// How long ago `earlier` was; zero if it is not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Parses RFC 3339: a date, a time with seconds, and an offset. A second's fraction has at most nine digits; the
    /// second `60` of a leap second is read as `59`.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let has_seconds = text.get(16..17) == Some(":");
        let pieces = pieces(text).filter(|pieces| has_seconds && pieces.offset().is_some())?;
        text.contains(['T', 't']).then(|| from_pieces(&pieces)).flatten()
    }

    /// Parses an ISO 8601 date, or a date and time in the form of RFC 3339. A date means its start; without an offset
    /// the time is UTC.
    pub fn parse_date_time(text: &str) -> Option<Self> {
        from_pieces(&pieces(text.trim())?)
    }
}

/// The date, time and offset of a text in the extended format: a year of four digits, all other numbers of two. jiff
/// reads more than that: years of six digits, dates without hyphens, hours alone, zones in brackets.
pub(crate) fn pieces(text: &str) -> Option<Pieces<'_>> {
    let form: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let rest = form.strip_prefix("0000-00-00")?;
    let is_extended = match rest.strip_prefix(['T', 't', ' ']) {
        None => rest.is_empty(),
        Some(time) => {
            let offset = ["Z", "z", "+00:00", "-00:00"].into_iter().find(|offset| time.ends_with(offset));
            let time = time.strip_suffix(offset.unwrap_or_default()).unwrap_or(time);
            let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
            matches!(clock, "00:00" | "00:00:00") && !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0')
        }
    };
    is_extended.then(|| Pieces::parse(text).ok()).flatten()
}

/// The start of Unix time, in UTC.
pub(crate) const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

fn from_pieces(pieces: &Pieces<'_>) -> Option<Timestamp> {
    const DAY_SECONDS: u32 = 24 * 60 * 60;
    let offset = pieces.to_numeric_offset().unwrap_or(Offset::UTC);
    let civil = pieces.date().to_datetime(pieces.time().unwrap_or(Time::midnight()));
    if offset.seconds().unsigned_abs() >= DAY_SECONDS {
        return None;
    }
    // Not by `Offset::to_timestamp`, which ends a day before the year 9999 does: 9999-12-31 is what authors write for ever.
    let nanoseconds = civil.duration_since(EPOCH).as_nanos() - i128::from(offset.seconds()) * 1_000_000_000;
    i64::try_from(nanoseconds.div_euclid(1_000)).ok().map(Timestamp)
}

/// RFC 3339 in UTC, with as many fraction digits as needed (none, 3 or 6). Outside of the years 0 to 9999 it is the nearest
/// time within them.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const FIRST: DateTime = DateTime::constant(0, 1, 1, 0, 0, 0, 0);
        let limit = if self.0 < 0 { FIRST } else { DateTime::MAX };
        let civil = EPOCH.checked_add(SignedDuration::from_micros(self.0)).unwrap_or(limit).max(FIRST);
        let n_digits = match self.0.rem_euclid(1_000_000) {
            0 => 0,
            micros if micros % 1_000 == 0 => 3,
            _ => 6,
        };
        write!(f, "{civil:.n_digits$}Z")
    }
}

/// The current time.
pub trait Clock: Send + Sync + 'static {
    /// The current time.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(micros(since))
    }
}

/// A source of random bytes: the operating system's in the program, a seeded one in tests.
pub trait Random: Send + Sync + 'static {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
