//! Pages of lists.
//!
//! A list is ordered by a unique key, mostly (time, id), and a page starts after the last key of the page before.

use domain::clock::Timestamp;

use crate::error::Error;
use crate::row::Perhaps;

/// The position and size of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seek<K> {
    /// The last key of the page before; `None` for the first page.
    pub after: Option<K>,
    /// The maximum number of rows.
    pub limit: u32,
}

impl<K> Seek<K> {
    /// The first page.
    pub fn first(limit: u32) -> Self {
        Self { after: None, limit }
    }

    /// One row more than the limit, to find out whether another page follows.
    pub(crate) fn n_fetched(&self) -> i64 {
        i64::from(self.limit) + 1
    }
}

impl<I: ToString> Seek<(Timestamp, I)> {
    /// The key of the last row seen of a list with the newest first, as stored; for the first page, a key that is
    /// greater than any.
    pub(crate) fn time_and_id_back(&self) -> (i64, String) {
        self.after.as_ref().map_or((i64::MAX, String::new()), |(at, id)| (at.0, id.to_string()))
    }
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Whether another page follows.
    pub has_more: bool,
}

impl<T> Page<T> {
    /// A page from up to one row more than its limit.
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

/// A list of which some rows may be unreadable: damaged, or written by a newer program.
#[derive(Debug)]
pub struct Readable<T> {
    /// What can be read.
    pub items: Vec<T>,
    /// What is wrong with each of the other rows.
    pub unreadable: Vec<Error>,
}

impl<T> Readable<T> {
    pub(crate) fn from_rows<R>(rows: Vec<Perhaps<R>>, model: impl Fn(R) -> Result<T, Error>) -> Self {
        let mut readable = Self { items: Vec::with_capacity(rows.len()), unreadable: Vec::new() };
        for Perhaps(row) in rows {
            match row.map_err(Error::from).and_then(&model) {
                Ok(item) => readable.items.push(item),
                Err(error) => readable.unreadable.push(error),
            }
        }
        readable
    }
}

/// The models of all rows.
pub(crate) fn all<T, R>(rows: Vec<R>) -> Result<Vec<T>, Error>
where
    T: TryFrom<R, Error = Error>,
{
    rows.into_iter().map(T::try_from).collect()
}
