//! Who read which column of a table.

use async_graphql::{Context, Object};

use super::error::Result;
use super::page::SHORT_LIST;
use super::relation;
use super::scalar::{DateTime, Long};
use super::types::{ColumnReader, ColumnReaders, Principal, TableReaders};

#[Object]
impl TableReaders {
    /// From when on reads count.
    async fn from(&self) -> DateTime {
        self.0.from.into()
    }

    /// Since when reads are recorded, not before `from`; null if they are not.
    async fn since(&self) -> Option<DateTime> {
        self.0.recording.since.map(DateTime)
    }

    /// When reads may have been lost since `from`, the newest first: up to a minute of them at a start after a crash.
    async fn losses(&self) -> Vec<DateTime> {
        self.0.recording.losses.iter().copied().map(DateTime).collect()
    }

    /// Whether all reads since `from` were counted.
    async fn complete(&self) -> bool {
        self.0.complete
    }

    /// Those who may have read any column, as of files that are read whole; the last reader first.
    #[graphql(complexity = "SHORT_LIST * child_complexity + 1")]
    async fn everything(&self) -> Vec<ColumnReader> {
        self.0.everything.iter().copied().map(ColumnReader).collect()
    }

    /// The table's columns with their readers, then columns that it had once. A reader may not have used each column
    /// here; a column whose values were read is never missing.
    #[graphql(complexity = "SHORT_LIST * child_complexity + 1")]
    async fn columns(&self) -> Vec<ColumnReaders> {
        self.0.columns.iter().cloned().map(ColumnReaders).collect()
    }

    /// The columns without any reader. None while someone may have read any column.
    async fn unread(&self) -> Vec<&str> {
        self.0.unread()
    }
}

#[Object]
impl ColumnReaders {
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Who read it, the last reader first.
    #[graphql(complexity = "SHORT_LIST * child_complexity + 1")]
    async fn readers(&self) -> Vec<ColumnReader> {
        self.0.readers.iter().copied().map(ColumnReader).collect()
    }
}

#[Object]
impl ColumnReader {
    async fn principal(&self, ctx: &Context<'_>) -> Result<Option<Principal>> {
        relation::find_principal(ctx, self.0.principal_id).await
    }

    /// Under how many leases, each counted once a day.
    async fn leases(&self) -> Long {
        Long(self.0.extent.n_leases)
    }

    /// When it was read last, to the minute.
    async fn last_read_at(&self) -> DateTime {
        self.0.extent.last_at.into()
    }
}
