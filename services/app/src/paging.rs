//! Lists of what the caller may see: pages are filled past what is hidden, so that hidden things leave no trace in a
//! page's length or in whether there is more.

pub use store::{Page, Seek};

/// The most rows of a page (docs/rules.md, Interfaces and limits).
pub const MAX_PAGE: u32 = 200;

/// A page that is being filled.
#[derive(Debug)]
pub(crate) struct VisiblePage<K, T> {
    wanted: usize,
    seek: Seek<K>,
    kept: Vec<T>,
    ended: bool,
}

impl<K, T> VisiblePage<K, T> {
    /// Begins with the page that was asked for.
    pub(crate) fn new(requested: Seek<K>) -> Self {
        let wanted = usize::try_from(requested.limit).unwrap_or(usize::MAX);
        let seek = Seek { after: requested.after, limit: MAX_PAGE };
        Self { wanted, seek, kept: Vec::new(), ended: false }
    }

    /// Where to read on; `None` when the page is full, one more has been seen, or there is nothing more.
    pub(crate) fn next(&self) -> Option<&Seek<K>> {
        (!self.ended && self.kept.len() <= self.wanted).then_some(&self.seek)
    }

    /// Adds what was read; `keep` says what the caller may see.
    pub(crate) fn add(&mut self, page: Page<T>, key: impl Fn(&T) -> K, keep: impl Fn(&T) -> bool) {
        match page.items.last() {
            Some(last) => self.seek.after = Some(key(last)),
            None => self.ended = true,
        }
        self.ended |= !page.has_more;
        self.kept.extend(page.items.into_iter().filter(|item| keep(item)));
    }

    /// The page.
    pub(crate) fn finish(mut self) -> Page<T> {
        let has_more = self.kept.len() > self.wanted;
        self.kept.truncate(self.wanted);
        Page { items: self.kept, has_more }
    }
}
