//! Conditional requests (RFC 9110, sections 13 and 14): pure, over headers, an ETag and a modification time.
//!
//! The types of the crate `headers` are not used: they reject an ETag without quotes, which S3 accepts and its clients send,
//! and then the whole header would be ignored instead of evaluated.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use http::header::{HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE};
use s3s::dto::{Range, Timestamp, TimestampFormat};

/// The result of a request's conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All are met.
    Proceed,
    /// The client has this state of the file: 304.
    NotModified,
    /// The file is not in the state that the client requires: 412.
    Failed,
}

/// Evaluates the conditions in the order of RFC 9110, section 13.2.2. `etag` is strong and without quotes.
pub(crate) fn evaluate(headers: &HeaderMap, etag: &str, modified: &Timestamp) -> Outcome {
    let failed = match matches_etag(headers, &IF_MATCH, etag, Comparison::Strong) {
        Some(matches) => !matches,
        None => date(headers, &IF_UNMODIFIED_SINCE).is_some_and(|date| *modified > date),
    };
    if failed {
        return Outcome::Failed;
    }
    let not_modified = match matches_etag(headers, &IF_NONE_MATCH, etag, Comparison::Weak) {
        Some(matches) => matches,
        None => date(headers, &IF_MODIFIED_SINCE).is_some_and(|date| *modified <= date),
    };
    if not_modified { Outcome::NotModified } else { Outcome::Proceed }
}

/// Whether a range applies: there is no `If-Range`, or it names exactly this state of the file.
pub(crate) fn range_applies(headers: &HeaderMap, etag: &str, modified: &Timestamp) -> bool {
    let by_date = || date(headers, &IF_RANGE).is_some_and(|date| date == *modified);
    matches_etag(headers, &IF_RANGE, etag, Comparison::Strong).is_none_or(|matches| matches || by_date())
}

/// The bytes of a range in a file of this size; `None` if there are none: 416.
pub(crate) fn resolve_range(range: Range, size_bytes: u64) -> Option<std::ops::Range<u64>> {
    range.check(size_bytes).ok().filter(|bytes| !bytes.is_empty())
}

/// A modification time for `Last-Modified`: in whole seconds, rounded down.
pub(crate) fn last_modified(mtime_ns: i64) -> Timestamp {
    let seconds = Duration::from_secs(mtime_ns.div_euclid(1_000_000_000).unsigned_abs());
    let moment = if mtime_ns < 0 { UNIX_EPOCH.checked_sub(seconds) } else { UNIX_EPOCH.checked_add(seconds) };
    Timestamp::from(moment.unwrap_or(SystemTime::UNIX_EPOCH))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Strong,
    Weak,
}

/// Whether a header lists an ETag, itself or as `*`; `None` if the header is missing. Like S3, accepts ETags without quotes.
fn matches_etag(headers: &HeaderMap, name: &HeaderName, etag: &str, comparison: Comparison) -> Option<bool> {
    if !headers.contains_key(name) {
        return None;
    }
    let is_ours = |listed: &str| {
        let strong = match comparison {
            Comparison::Strong => listed,
            Comparison::Weak => listed.strip_prefix("W/").unwrap_or(listed),
        };
        let bare = strong.strip_prefix('"').and_then(|quoted| quoted.strip_suffix('"')).unwrap_or(strong);
        bare == etag || listed == "*"
    };
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    Some(values.flat_map(|value| value.split(',')).any(|listed| is_ours(listed.trim())))
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<Timestamp> {
    Timestamp::parse(TimestampFormat::HttpDate, headers.get(name)?.to_str().ok()?).ok()
}
