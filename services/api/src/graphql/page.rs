//! Lists: Relay connections, forward only, with one [`Page`] for all of them.
//!
//! A cursor is the key of a row that the caller has seen, with the list's name and the caller's id: it contains
//! nothing hidden, and is valid in its list and for its caller only.

use app::Ctx;
use app::paging::{MAX_PAGE, Page as Rows, Seek};
use async_graphql::OutputType;
use async_graphql::connection::{self, Edge, EmptyFields};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::clock::Timestamp;
use domain::id::{AccessRequestId, DecisionId, GrantId, JobId, LeaseId, NoticeId, PrincipalId, ProductId, TokenId};
use domain::name::{DomainPath, Name};
use domain::version::Version;

use super::error::{Failure, Result};

/// A page of a list.
pub(crate) type Connection<T> = connection::Connection<String, T>;

/// The default page size.
pub(crate) const DEFAULT_PAGE: i32 = 50;
/// The assumed length of a short list without pages, for the complexity limit.
pub(crate) const SHORT_LIST: usize = 5;
/// The maximum cost of a list: more than any complexity limit.
const MAX_COST: usize = 1_000_000;

/// The cost of a list: its page's size times the cost of an item.
pub(crate) fn cost(first: Option<i32>, child_complexity: usize) -> usize {
    let n_items = usize::try_from(first.unwrap_or(DEFAULT_PAGE)).unwrap_or(1);
    n_items.saturating_mul(child_complexity).saturating_add(1).min(MAX_COST)
}

/// A page of one list for one caller.
pub(crate) struct Page<K> {
    list: &'static str,
    caller: PrincipalId,
    seek: Seek<K>,
}

impl<K: Key> Page<K> {
    /// Reads the arguments that every list takes.
    ///
    /// # Errors
    /// `INVALID` for a size that is not 1 to 200, and for a cursor of another list or caller.
    pub(crate) fn new(ctx: &Ctx, list: &'static str, first: Option<i32>, after: Option<&str>) -> Result<Self> {
        let limit = u32::try_from(first.unwrap_or(DEFAULT_PAGE)).ok().filter(|limit| (1..=MAX_PAGE).contains(limit));
        let limit = limit.ok_or_else(|| Failure::invalid("first", format!("a page has 1 to {MAX_PAGE} items")))?;
        let caller = ctx.actor.principal.id;
        let after = after.map(|cursor| {
            let key = read(cursor, list, caller);
            key.ok_or_else(|| Failure::invalid("after", "not a cursor of this list"))
        });
        Ok(Self { list, caller, seek: Seek { after: after.transpose()?, limit } })
    }

    /// The rows to read.
    pub(crate) fn seek(&self) -> Seek<K> {
        self.seek.clone()
    }

    /// The connection of the rows.
    pub(crate) fn connection<T, N: OutputType>(
        &self,
        rows: Rows<T>,
        key: impl Fn(&T) -> K,
        node: impl Fn(T) -> N,
    ) -> Connection<N> {
        let mut connection = Connection::new(self.seek.after.is_some(), rows.has_more);
        connection.edges.extend(rows.items.into_iter().map(|row| {
            let cursor = URL_SAFE_NO_PAD.encode(format!("{}|{}|{}", self.list, self.caller, key(&row).write()));
            Edge::with_additional_fields(cursor, node(row), EmptyFields)
        }));
        connection
    }
}

fn read<K: Key>(cursor: &str, list: &str, caller: PrincipalId) -> Option<K> {
    if cursor.len() > 1_024 {
        return None;
    }
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let mut parts = text.splitn(3, '|');
    let fits = parts.next()? == list && parts.next()? == caller.to_string();
    K::read(parts.next()?).filter(|_| fits)
}

/// The order key of a list.
pub(crate) trait Key: Clone {
    /// The key as text.
    fn write(&self) -> String;

    /// Parses the text of [`Self::write`].
    fn read(text: &str) -> Option<Self>;
}

macro_rules! text_keys {
    ($($key:ty),*) => {$(
        impl Key for $key {
            fn write(&self) -> String {
                self.to_string()
            }

            fn read(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    )*};
}

text_keys!(Name, DomainPath, ProductId, PrincipalId, Version, i64);

macro_rules! time_keys {
    ($($id:ty),*) => {$(
        impl Key for (Timestamp, $id) {
            fn write(&self) -> String {
                format!("{},{}", self.0.0, self.1)
            }

            fn read(text: &str) -> Option<Self> {
                let (at, id) = text.split_once(',')?;
                Some((Timestamp(at.parse().ok()?), id.parse().ok()?))
            }
        }
    )*};
}

time_keys!(AccessRequestId, GrantId, JobId, LeaseId, NoticeId, DecisionId, TokenId, String);
