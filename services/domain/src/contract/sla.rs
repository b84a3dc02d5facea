//! Service levels (ODCS `slaProperties`): durations, dates, and when data is late (docs/rules.md, Served snapshot).

use std::time::Duration;

use serde_json::Value;

use super::{Document, Fields, SchemaObject};
use crate::clock::Timestamp;

const DAY_SECONDS: u64 = 24 * 60 * 60;

/// One entry of ODCS `slaProperties`.
#[derive(Clone, Debug, PartialEq)]
pub struct SlaProperty {
    /// The stable id.
    pub id: Option<String>,
    /// What is promised, under the standard's long name (`latency`, not `ly`) where it has one.
    pub property: String,
    /// The promised value.
    pub value: Value,
    /// Its extension, such as a range's other end.
    pub value_ext: Option<Value>,
    /// The value's unit, as it was written.
    pub unit: Option<String>,
    /// The columns it is about, as it was written: `table.column`, separated by commas. All tables if not given.
    pub element: Option<String>,
    /// For people.
    pub documentary: Fields,
    /// Everything else.
    pub other: Fields,
}

impl SlaProperty {
    /// The value as a duration, if it is a number, not negative, with a unit we know.
    pub fn duration(&self) -> Option<Duration> {
        let number = match &self.value {
            Value::Number(number) => number.as_f64()?,
            Value::String(text) => text.trim().parse().ok()?,
            _ => return None,
        };
        duration(number, unit_seconds(self.unit.as_deref()?)?)
    }

    /// Whether it is about this schema object.
    pub fn concerns(&self, object: &SchemaObject) -> bool {
        self.element.as_deref().is_none_or(|elements| {
            elements.split(',').any(|element| {
                let table = element.trim().split('.').next().unwrap_or_default();
                table == object.name || object.physical_name.as_deref() == Some(table)
            })
        })
    }
}

impl Document {
    /// How old the newest commit may be before the data counts as late: the SLA property `latency`, else `frequency`;
    /// the least of those about this object. `None` means never late: neither is given, or the data is `final`.
    pub fn freshness(&self, object: &SchemaObject) -> Option<Duration> {
        if self.settings.is_final {
            return None;
        }
        let least = |name: &str| {
            let about = self.sla.iter().filter(|sla| sla.property == name && sla.concerns(object));
            about.filter_map(SlaProperty::duration).min()
        };
        least("latency").or_else(|| least("frequency"))
    }

    /// The SLA property `endOfSupport`: when a deprecated version stops serving.
    pub fn end_of_support(&self) -> Option<Timestamp> {
        let sla = self.sla.iter().find(|sla| sla.property == "endOfSupport")?;
        parse_moment(sla.value.as_str()?)
    }
}

/// The standard's long name of an SLA property, from either spelling in any case; others stay as they are.
pub fn canonical_property(name: &str) -> String {
    const NAMES: [(&str, &str); 13] = [
        ("availability", "av"),
        ("throughput", "th"),
        ("errorRate", "er"),
        ("generalAvailability", "ga"),
        ("endOfSupport", "es"),
        ("endOfLife", "el"),
        ("retention", "re"),
        ("frequency", "fy"),
        ("latency", "ly"),
        ("timeToDetect", "td"),
        ("timeToNotify", "tn"),
        ("timeToRepair", "tr"),
        ("timeOfAvailability", "ta"),
    ];
    let known = NAMES.iter().find(|(long, short)| name.eq_ignore_ascii_case(long) || name.eq_ignore_ascii_case(short));
    known.map_or_else(|| name.to_owned(), |(long, _)| (*long).to_owned())
}

/// The seconds of one unit of time: d, h, m (minutes), s, w, mo and y, and their long names; `None` if it is not one. A
/// year has 365 days and a month a twelfth of them.
pub fn unit_seconds(unit: &str) -> Option<u64> {
    Some(match unit.trim().to_ascii_lowercase().as_str() {
        "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hr" | "hrs" | "hour" | "hours" => 60 * 60,
        "d" | "day" | "days" => DAY_SECONDS,
        "w" | "wk" | "week" | "weeks" => 7 * DAY_SECONDS,
        "mo" | "mon" | "month" | "months" => 365 * DAY_SECONDS / 12,
        "y" | "yr" | "yrs" | "year" | "years" => 365 * DAY_SECONDS,
        _ => return None,
    })
}

/// Reads a duration as settings write it: a number and a unit, such as `90m`, `1 h`, `2 days`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit() && c != '.')?);
    duration(number.parse().ok()?, unit_seconds(unit)?)
}

/// Reads an ISO 8601 date or date and time (RFC 3339, with or without an offset; without one it is UTC).
pub fn parse_moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, time),
        None => (text, "00:00:00Z"),
    };
    let mut parts = date.split('-').map(|part| digits(part, &[4, 2]));
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || !(1..=12).contains(&month) || day < 1 || day > days_of_month(year, month) {
        return None;
    }
    let (clock, offset_seconds) = split_offset(time)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut parts = clock.split(':').map(|part| digits(part, &[2]));
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some(0))?;
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let micros: i64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset_seconds;
    Some(Timestamp(seconds * 1_000_000 + micros))
}

/// Splits a time of day from its offset: `09:30:10-08:00` is (`09:30:10`, -28800).
fn split_offset(time: &str) -> Option<(&str, i64)> {
    if let Some(clock) = time.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let Some(at) = time.rfind(['+', '-']) else { return Some((time, 0)) };
    let (clock, offset) = time.split_at(at);
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let (hours, minutes) = (digits(hours, &[2])?, digits(minutes, &[2])?);
    let seconds = hours * 3_600 + minutes * 60;
    (hours < 24 && minutes < 60).then_some((clock, if offset.starts_with('-') { -seconds } else { seconds }))
}

fn digits(text: &str, lengths: &[usize]) -> Option<i64> {
    let good = lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if good { text.parse().ok() } else { None }
}

fn days_of_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The number of days from 1970-01-01 to a date of the Gregorian calendar. Years are counted from March.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn duration(number: f64, unit_seconds: u64) -> Option<Duration> {
    #[expect(clippy::cast_precision_loss, reason = "a unit has at most 32 million seconds")]
    let seconds = number * unit_seconds as f64;
    Duration::try_from_secs_f64(seconds).ok()
}
