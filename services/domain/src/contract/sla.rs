//! Service levels (ODCS `slaProperties`): their names, units and durations.

use std::time::Duration;

use serde_json::Value;

use super::object::{Fields, SchemaObject};

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

fn duration(number: f64, unit_seconds: u64) -> Option<Duration> {
    #[expect(clippy::cast_precision_loss, reason = "a unit has at most 32 million seconds")]
    let seconds = number * unit_seconds as f64;
    Duration::try_from_secs_f64(seconds).ok()
}
