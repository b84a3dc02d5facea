//! Pages of lists: where to begin, how many, and whether there is more.
//!
//! A list is ordered by a key that no two rows share, mostly (time, id), and a page begins after the last key seen.

use domain::clock::Timestamp;

use crate::error::Error;

/// Which part of a list is wanted, in the list's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seek<K> {
    /// The key of the last row seen; `None` begins at the start.
    pub after: Option<K>,
    /// The most rows.
    pub limit: u32,
}

impl<K> Seek<K> {
    /// The first page.
    pub fn first(limit: u32) -> Self {
        Self { after: None, limit }
    }

    /// One row more than wanted, to see whether there is more.
    pub(crate) fn n_fetched(&self) -> i64 {
        i64::from(self.limit) + 1
    }
}

impl<I: ToString> Seek<(Timestamp, I)> {
    /// The key of the last row seen of a list with the newest first, as the database keeps it; after every row at the
    /// start.
    pub(crate) fn time_and_id_back(&self) -> (i64, String) {
        self.after.as_ref().map_or((i64::MAX, String::new()), |(at, id)| (at.0, id.to_string()))
    }
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Whether more come after them.
    pub has_more: bool,
}

impl<T> Page<T> {
    /// The page from rows of which there may be one too many.
    pub(crate) fn from_rows<R>(mut rows: Vec<R>, limit: u32) -> Result<Self, Error>
    where
        T: TryFrom<R, Error = Error>,
    {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let items = rows.into_iter().map(T::try_from).collect::<Result<_, _>>()?;
        Ok(Self { items, has_more })
    }
}

/// All rows of a list that is short by its nature.
pub(crate) fn all<T, R>(rows: Vec<R>) -> Result<Vec<T>, Error>
where
    T: TryFrom<R, Error = Error>,
{
    rows.into_iter().map(T::try_from).collect()
}
