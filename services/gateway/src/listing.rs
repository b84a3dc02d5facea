//! One page of `ListObjectsV2`: pure, over the sorted keys of a lease.
//!
//! Keys are compared by their bytes as a whole, `/` being a byte like others, so `a-b/x` comes before `a/x`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::{S3Error, S3ErrorCode};

/// The most items on a page.
const MAX_ITEMS: usize = 1_000;

/// The parameters of a listing.
#[derive(Debug, Default)]
pub(crate) struct Query {
    /// Only keys that begin with this.
    pub(crate) prefix: String,
    /// Keys that contain this after the prefix are grouped into one item, up to and including it.
    pub(crate) delimiter: Option<String>,
    /// Only items greater than this.
    pub(crate) after: Option<String>,
    /// The most items on the page.
    pub(crate) max_items: usize,
}

/// An item of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// The key at this index.
    Key(usize),
    /// The common prefix of several keys, up to and including the delimiter.
    Group(String),
}

/// A page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// Its items in byte order.
    pub(crate) items: Vec<Item>,
    /// The item after which the next page begins, if there is one.
    pub(crate) next: Option<String>,
}

/// The page of a query. `key(i)` is the key at an index below `count`; keys are unique and sorted by bytes.
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
        // A group that begins before `after` was on an earlier page, or lies before the start of the listing.
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

/// The page size of a request, up to [`MAX_ITEMS`].
///
/// # Errors
/// `InvalidArgument` for a negative number.
pub(crate) fn max_items(max_keys: Option<i32>) -> Result<usize, S3Error> {
    let invalid = |_| S3Error::with_message(S3ErrorCode::InvalidArgument, "`max-keys` is negative");
    usize::try_from(max_keys.unwrap_or(i32::MAX)).map(|max_keys| max_keys.min(MAX_ITEMS)).map_err(invalid)
}

/// The continuation token for the items after this one. It is opaque to clients.
pub(crate) fn token(after: &str) -> String {
    hex::encode(after)
}

/// The item of a [`token`].
///
/// # Errors
/// `InvalidArgument` for a token that the gateway did not issue.
pub(crate) fn read_token(token: &str) -> Result<String, S3Error> {
    let after = hex::decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let after = after.filter(|after| self::token(after) == token);
    after.ok_or_else(|| S3Error::with_message(S3ErrorCode::InvalidArgument, "invalid continuation token"))
}

/// The characters that `encoding-type=url` leaves as they are: the unreserved ones, and `/`.
const KEY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// A key for `encoding-type=url`.
pub(crate) fn url_encoded(key: &str) -> String {
    utf8_percent_encode(key, KEY).to_string()
}

/// The first index for which `before` is false; it is false for all later ones.
fn partition_point(count: usize, before: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle) { low = middle + 1 } else { high = middle }
    }
    low
}
