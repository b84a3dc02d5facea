//! Who reads what a change of a contract breaks: the holders of grants on its own tables.

use domain::change::touched;
use domain::grant::Grant;
use domain::name::Name;
use domain::notice::ChangeNotice;

use super::consumers::{self, Affected, Consumer, Reads};
use super::explore::{Lag, newest};
use crate::contract::parsed;
use crate::ctx::Ctx;
use crate::error::{Error, Unavailable};
use crate::publish::Breaking;

/// Those who read what a change breaks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readers {
    /// Whether all are there: lineage knew the tables, and what is said and read of them.
    pub is_complete: bool,
    /// The readers, in the order of their ids.
    pub consumers: Vec<Consumer>,
}

/// Those who read the columns that a change breaks, or of whom it is not known, as far as the caller may see their grants.
///
/// # Errors
/// Those of any use case.
pub async fn readers_of(ctx: &Ctx, breaking: &Breaking) -> Result<Readers, Error> {
    let (held, lag) = match newest(ctx).await {
        // What is planned does not wait for what it breaks.
        Err(Error::Unavailable(Unavailable::LineageUnbuilt)) => return Ok(Readers::default()),
        newest => newest?,
    };
    let mut is_complete = lag == Lag::None && held.left_out.n() == 0;
    let mut affected = Vec::new();
    for (object, columns) in &breaking.columns {
        let name = Name::slug(object);
        let tables = held.catalog.tables_of_contract(breaking.contract_id, breaking.major);
        let n_before = affected.len();
        affected.extend(tables.filter(|bound| Ok(&bound.object) == name.as_ref()).map(|bound| Affected {
            distance: 0,
            table: bound.table_id,
            columns: columns.clone(),
        }));
        is_complete &= affected.len() > n_before;
    }
    is_complete &= affected.len() <= consumers::MAX_TABLES;
    affected.truncate(consumers::MAX_TABLES);
    let mut tx = ctx.app.db.read().await?;
    Ok(Readers { is_complete, consumers: consumers::of(ctx, &mut tx, &held, &affected).await? })
}

/// Which of the columns that a notice's change breaks the holders of grants on the old major read, for each grant.
///
/// # Errors
/// Those of any use case.
pub async fn reads_of_holders(ctx: &Ctx, notice: &ChangeNotice, grants: &[&Grant]) -> Result<Vec<Reads>, Error> {
    if grants.is_empty() {
        return Ok(Vec::new());
    }
    let (contract_id, major) = notice.from.major();
    let columns = {
        let mut tx = ctx.app.db.read().await?;
        let mut documents = Vec::with_capacity(2);
        for side in [notice.from, notice.to] {
            let version = store::contract::find_version_by_number(&mut tx, side.contract_id, side.version).await?;
            let version = version.ok_or_else(|| Error::internal("a version of a notice is missing"))?;
            documents.push(parsed(&ctx.app, &version.document)?);
        }
        let breaking = notice.findings.iter().filter(|finding| !finding.consumer_safe);
        touched(&documents[0], &documents[1], breaking.map(|finding| finding.path.as_str()))
    };
    let readers = readers_of(ctx, &Breaking { contract_id, major, columns }).await?;
    let reads = |grant: &Grant| {
        // A grant that covers nothing now is no consumer yet.
        if !readers.is_complete || !grant.covers(ctx.now()) {
            return Reads::Unknown;
        }
        let consumer = readers.consumers.iter().find(|consumer| consumer.principal_id == grant.principal_id);
        let reads = consumer.and_then(|consumer| consumer.uses.get(&grant.port_major));
        reads.cloned().unwrap_or_else(|| Reads::Columns(Default::default()))
    };
    Ok(grants.iter().map(|grant| reads(grant)).collect())
}
