//! One page of `ListObjectsV2`: pure, over the sorted keys of a lease.
//!
//! Keys are compared by their bytes as a whole, `/` being a byte like others, so `a-b/x` comes before `a/x`.

use s3s::{S3Error, S3ErrorCode};

/// The most items on a page.
const MAX_ITEMS: usize = 1_000;

/// What is asked for.
#[derive(Debug, Default)]
pub(crate) struct Query {
    /// Only keys that begin with this.
    pub(crate) prefix: String,
    /// Keys that go on past the prefix with something and then this are told as one item, up to and with it.
    pub(crate) delimiter: Option<String>,
    /// Only items greater than this.
    pub(crate) after: Option<String>,
    /// Items at most.
    pub(crate) max_items: usize,
}

/// An item of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// The key at this index.
    Key(usize),
    /// The common beginning of several keys, up to and with the delimiter.
    Group(String),
}

/// A page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// Its items in byte order.
    pub(crate) items: Vec<Item>,
    /// Where the next page begins, if there is one: after this.
    pub(crate) next: Option<String>,
}

/// The page that a query asks for. `key(i)` is the key at an index below `count`; keys are sorted by bytes, none twice.
pub(crate) fn page(query: &Query, count: usize, key: impl Fn(usize) -> String) -> Page {
    let first_not = |before: &dyn Fn(&str) -> bool| partition_point(count, |index| before(&key(index)));
    let after = query.after.as_deref();
    let mut index = first_not(&|key| key < query.prefix.as_str() || after.is_some_and(|after| key <= after));
    let mut items = Vec::new();
    let mut last = String::new();
    while index < count {
        let here = key(index);
        let Some(rest) = here.strip_prefix(&query.prefix) else { break };
        let group = query.delimiter.as_deref().and_then(|delimiter| {
            let end = rest.find(delimiter)? + delimiter.len();
            Some(format!("{}{}", query.prefix, &rest[..end]))
        });
        let (name, next_index) = match &group {
            Some(group) => (group, first_not(&|key| key < group.as_str() || key.starts_with(group))),
            None => (&here, index + 1),
        };
        // A group that begins before `after` was told on an earlier page, or lies before what was asked for.
        if after.is_none_or(|after| name.as_str() > after) {
            if items.len() == query.max_items {
                return Page { items, next: (query.max_items > 0).then_some(last) };
            }
            last.clone_from(name);
            items.push(group.map_or(Item::Key(index), Item::Group));
        }
        index = next_index;
    }
    Page { items, next: None }
}

/// The number of items that a request asks for, cut to what a page may hold.
///
/// # Errors
/// `InvalidArgument` for a negative number.
pub(crate) fn max_items(asked: Option<i32>) -> Result<usize, S3Error> {
    let invalid = |_| S3Error::with_message(S3ErrorCode::InvalidArgument, "`max-keys` is negative");
    usize::try_from(asked.unwrap_or(i32::MAX)).map(|asked| asked.min(MAX_ITEMS)).map_err(invalid)
}

/// The token that asks for what comes after an item. It is opaque to clients.
pub(crate) fn token(after: &str) -> String {
    after.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// What [`token`] was made from.
///
/// # Errors
/// `InvalidArgument` if it is not one of ours.
pub(crate) fn read_token(token: &str) -> Result<String, S3Error> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = token.as_bytes().chunks(2).map(byte).collect();
    let after = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).filter(|after| self::token(after) == token);
    after.ok_or_else(|| S3Error::with_message(S3ErrorCode::InvalidArgument, "the continuation token is not ours"))
}

/// A key as `encoding-type=url` wants it: everything but unreserved characters and `/` percent-encoded.
pub(crate) fn url_encoded(key: &str) -> String {
    let mut encoded = String::with_capacity(key.len());
    for byte in key.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => encoded.push(byte.into()),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// The first index for which `before` does not hold; it holds for none after that.
fn partition_point(count: usize, before: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle) { low = middle + 1 } else { high = middle }
    }
    low
}
