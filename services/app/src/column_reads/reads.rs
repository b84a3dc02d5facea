//! What the holders of grants read of tables: for the question who is affected by a change.

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::clock::Timestamp;
use domain::column_reads::{DAY, ReadColumn, Recording, day_of};
use domain::id::{PrincipalId, TableId};
use itertools::Itertools as _;
use store::Tx;
use store::column_reads::{MAX_TABLE_READS, TableRead};

use super::readers::{HOLDERS, Holder};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::parties::visible_ids;

/// Of how many days reads count.
pub(crate) const DAYS: u32 = 90;

/// What was read in the last [`DAYS`] days, as far as the caller sees the leases of those who read.
pub(crate) struct Reads {
    from: Timestamp,
    recording: Recording,
    is_complete: bool,
    /// The columns; `None` where it may have been any.
    by_reader: HashMap<(TableId, PrincipalId), Option<BTreeSet<String>>>,
    visible: HashSet<Holder>,
    /// Who reads at this moment: which columns is in the database within a minute.
    unwritten: HashSet<(TableId, PrincipalId)>,
}

impl Reads {
    /// Of these tables, by these holders.
    pub(crate) async fn load(ctx: &Ctx, tx: &mut Tx, tables: &[TableId], holders: &[Holder]) -> Result<Self, Error> {
        // First: what is written meanwhile is in the database.
        let unwritten = ctx.app.column_reads.unwritten();
        let from = ctx.now().minus(DAY * DAYS);
        let recording = store::column_reads::recording(tx, from).await?;
        let found = store::column_reads::list_of_tables(tx, tables, day_of(from)).await?;
        let is_complete = found.len() <= MAX_TABLE_READS;
        let holders = holders.iter().copied().unique().collect_vec();
        let visible = visible_ids(ctx, tx, &holders, holders.len(), HOLDERS).await?;
        let mut by_reader: HashMap<_, Option<BTreeSet<String>>> = HashMap::new();
        for TableRead { table_id, principal_id, column, .. } in found {
            let columns = by_reader.entry((table_id, principal_id)).or_insert_with(|| Some(BTreeSet::new()));
            match (column, columns) {
                (ReadColumn::Named(name), Some(columns)) => {
                    columns.insert(name);
                }
                (ReadColumn::Named(_), None) => {}
                (ReadColumn::Everything, columns) => *columns = None,
            }
        }
        Ok(Self { from, recording, is_complete, by_reader, visible, unwritten })
    }

    /// The columns that a holder read of a table, of which there may be none. `None` if it may have been any: what was read
    /// was not recorded for as long as the holder may read, is not told column by column, is not written yet, or is not for
    /// the caller.
    pub(crate) fn of(&self, table: TableId, holder: Holder, may_read_since: Timestamp) -> Option<BTreeSet<String>> {
        let began = self.recording.since.filter(|_| self.is_complete && self.recording.losses.is_empty())?;
        let is_told = began <= self.from.max(may_read_since) && !self.unwritten.contains(&(table, holder.1));
        if !is_told || !self.visible.contains(&holder) {
            return None;
        }
        self.by_reader.get(&(table, holder.1)).cloned().unwrap_or_else(|| Some(BTreeSet::new()))
    }
}
