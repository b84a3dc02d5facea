//! Who read a table, and which of its columns.

use std::collections::BTreeMap;

use domain::clock::Timestamp;
use domain::column_reads::{DAY, Extent, MAX_DAYS, ReadColumn, Recording, day_of};
use domain::id::{BindingId, LeaseId, PrincipalId};
use domain::identity::PrincipalKind;
use domain::name::DomainPath;
use itertools::Itertools as _;
use policy::{Action, Party, Resource};
use uuid::Uuid;

use crate::ctx::Ctx;
use crate::error::Error;
use crate::missing::Missing;
use crate::parties::{Kind, VisibilityKey, visible_ids};
use crate::table;
use crate::target::Target;

/// The most readings of a table that an answer takes into account.
const MAX_READINGS: usize = 20_000;

/// Who read a table, and which of its columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableReaders {
    /// From when on the answer counts.
    pub from: Timestamp,
    /// What is known of the recording in this time.
    pub recording: Recording,
    /// Whether all readings were counted. If not, no column is unread for certain.
    pub complete: bool,
    /// Those who may have read any column, the last first.
    pub everything: Vec<ReaderOfColumn>,
    /// The table's columns in their order, then those that it had once.
    pub columns: Vec<ColumnReaders>,
}

/// The readers of one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnReaders {
    /// The column's name.
    pub name: String,
    /// Who read it, the last first.
    pub readers: Vec<ReaderOfColumn>,
}

/// A reader, of a column or of anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReaderOfColumn {
    /// The principal.
    pub principal_id: PrincipalId,
    /// How often and when.
    pub extent: Extent,
}

impl TableReaders {
    /// The columns that were read by no one for certain: none while someone may have read any.
    pub fn unread(&self) -> Vec<&str> {
        if !self.complete || !self.everything.is_empty() || self.recording.since.is_none() {
            return Vec::new();
        }
        let unread = self.columns.iter().filter(|column| column.readers.is_empty());
        unread.map(|column| column.name.as_str()).collect()
    }
}

/// Who read a table in the last days. `None` for callers who do not see the leases of others: what they see of their own
/// would look like an answer. The caller may know of the target.
///
/// # Errors
/// [`Error::Invalid`] for no day, or more than [`MAX_DAYS`].
pub async fn readers_of_table(ctx: &Ctx, target: &Target, days: u32) -> Result<Option<TableReaders>, Error> {
    if !(1..=MAX_DAYS).contains(&days) {
        return Err(Error::Invalid { field: "days", message: format!("must be from 1 to {MAX_DAYS}") });
    }
    if !sees_leases_of_others(ctx, target) {
        return Ok(None);
    }
    let from = ctx.now().minus(DAY * days);
    let mut tx = ctx.app.db.read().await?;
    let recording = store::column_reads::recording(&mut tx, from).await?;
    let found = store::column_reads::list_of_table(&mut tx, target.table.id, day_of(from), MAX_READINGS).await?;
    let complete = found.len() < MAX_READINGS;
    let holders = found.iter().map(|(reading, _)| (reading.binding_id, reading.principal_id));
    let holders: Vec<Holder> = holders.unique().collect();
    let visible = visible_ids(ctx, &mut tx, &holders, holders.len(), HOLDERS).await?;
    let columns = match target.table.head {
        Some(head) if table::may_view_snapshots(ctx, target).await? => {
            store::table::get_snapshot(&mut tx, head).await?.found.map(|found| found.schema.columns)
        }
        Some(_) | None => None,
    };
    let mut by_column: BTreeMap<ReadColumn, BTreeMap<PrincipalId, Extent>> = BTreeMap::new();
    for (reading, extent) in found {
        if visible.contains(&(reading.binding_id, reading.principal_id)) {
            let readers = by_column.entry(reading.column).or_default();
            readers.entry(reading.principal_id).and_modify(|known| *known = known.and(extent)).or_insert(extent);
        }
    }
    let everything = sorted(by_column.remove(&ReadColumn::Everything).unwrap_or_default());
    let present = columns.unwrap_or_default().into_iter().map(|column| column.name);
    let mut columns: Vec<ColumnReaders> = present
        .map(|name| {
            let readers = by_column.remove(&ReadColumn::Named(name.clone())).unwrap_or_default();
            ColumnReaders { name, readers: sorted(readers) }
        })
        .collect();
    columns.extend(by_column.into_iter().filter_map(|(column, readers)| match column {
        ReadColumn::Named(name) => Some(ColumnReaders { name, readers: sorted(readers) }),
        ReadColumn::Everything => None,
    }));
    Ok(Some(TableReaders { from, recording, complete, everything, columns }))
}

fn sorted(readers: BTreeMap<PrincipalId, Extent>) -> Vec<ReaderOfColumn> {
    let mut readers: Vec<_> =
        readers.into_iter().map(|(principal_id, extent)| ReaderOfColumn { principal_id, extent }).collect();
    readers.sort_by_key(|reader| (std::cmp::Reverse(reader.extent.last_at), reader.principal_id));
    readers
}

/// Whether the caller would see the lease of a principal that has nothing to do with it.
fn sees_leases_of_others(ctx: &Ctx, target: &Target) -> bool {
    let stranger = Party { id: PrincipalId(Uuid::nil()), kind: PrincipalKind::User };
    ctx.may(Action::ViewLease, &lease((target.binding.id, stranger.id), target.known.policy(), stranger, &[]))
}

/// Who holds a lease, and through which binding.
pub(super) type Holder = (BindingId, PrincipalId);

/// A reading is shown to those who see the leases of its reader.
pub(super) const HOLDERS: Kind<Holder, Holder> = Kind {
    key_of: |(binding_id, principal_id)| VisibilityKey {
        id: (*binding_id, *principal_id),
        binding_id: *binding_id,
        principal_id: *principal_id,
        resource: lease,
    },
    action: Action::ViewLease,
    missing: Missing::Lease,
};

/// Any lease of a holder: who sees one sees all.
fn lease<'a>(_: Holder, product: policy::Product<'a>, principal: Party, sharers: &'a [DomainPath]) -> Resource<'a> {
    Resource::Lease { id: LeaseId(Uuid::nil()), product, principal, sharers }
}
