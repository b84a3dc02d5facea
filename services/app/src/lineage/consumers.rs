//! Who uses tables by grants, and which columns they read as far as is known.
//!
//! Each source of use says of a principal and a table what it knows ([`Reads`]): what was read through leases
//! ([`column_reads`](crate::column_reads)), and what principals say of their jobs. [`of`] is where they meet.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::grant::{Grant, PortMajor};
use domain::id::{PrincipalId, TableId};
use itertools::Itertools as _;
use lineage::edge::{Holder, Speaker};
use store::Tx;
use store::binding::Bound;

use super::held::Held;
use crate::column_reads::reads as column_reads;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::grant::visible_grant_ids;

/// Of how many tables the consumers are looked for: the nearest.
pub(super) const MAX_TABLES: usize = 1_000;

/// One who holds grants on affected tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumer {
    /// The holder of the grants.
    pub principal_id: PrincipalId,
    /// Edges from the nearest start: 1 for those who read the start itself.
    pub distance: u32,
    /// What their grants cover, in order.
    pub uses: BTreeMap<PortMajor, Reads>,
}

/// Which of the affected columns behind a port a principal reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reads {
    /// That is not known: any may be.
    Unknown,
    /// These, in order of name.
    Columns(BTreeSet<String>),
}

impl Reads {
    /// Adds what is known of another table.
    fn add(&mut self, other: Self) {
        match (self, other) {
            (Self::Columns(known), Self::Columns(more)) => known.extend(more),
            (known, Self::Unknown) => *known = Self::Unknown,
            (Self::Unknown, Self::Columns(_)) => {}
        }
    }
}

/// A table that is affected.
pub(super) struct Affected {
    /// Its distance; 0 for the start.
    pub(super) distance: u32,
    pub(super) table: TableId,
    /// The columns; `None` for any.
    pub(super) columns: Option<BTreeSet<String>>,
}

/// Those who use affected tables, nearest first, as far as the caller may see their grants.
pub(super) async fn of(ctx: &Ctx, tx: &mut Tx, held: &Held, affected: &[Affected]) -> Result<Vec<Consumer>, Error> {
    let catalog = &held.catalog;
    let bound = |table: TableId| catalog.bindings_of(table);
    let products =
        affected.iter().flat_map(|one| bound(one.table)).map(|bound| bound.product_id).unique().collect_vec();
    let now = ctx.now();
    let mut grants = store::grant::list_standing_of_products(tx, &products, now).await?;
    grants.retain(|grant| grant.covers(now));
    let visible = visible_grant_ids(ctx, tx, &grants).await?;
    grants.retain(|grant| visible.contains(&grant.id));
    let grants: HashMap<&PortMajor, Vec<&Grant>> =
        grants.iter().map(|grant| (&grant.port_major, grant)).into_group_map();

    let tables = affected.iter().map(|one| one.table).unique().collect_vec();
    let holders = affected.iter().flat_map(|one| bound(one.table)).flat_map(|bound| {
        let ports = catalog.ports_to(bound).filter_map(|port| grants.get(&port.port_major));
        ports.flatten().map(|grant| (bound.binding_id, grant.principal_id)).collect_vec()
    });
    let recorded = column_reads::Reads::load(ctx, tx, &tables, &holders.collect_vec()).await?;

    let mut consumers: BTreeMap<PrincipalId, Consumer> = BTreeMap::new();
    for one in affected {
        let said = said(held, one.table);
        let on_table = |bound: &Bound| {
            let ports = catalog.ports_to(bound).filter_map(|port| grants.get(&port.port_major));
            ports.flatten().map(|grant| (bound.binding_id, *grant)).collect_vec()
        };
        let grants = bound(one.table).flat_map(on_table).sorted_by_key(|(_, grant)| grant.id);
        for (binding_id, grant) in grants {
            let recorded = recorded.of(one.table, (binding_id, grant.principal_id), grant.window.from);
            let reads = known(recorded, said.get(&grant.principal_id));
            let Some(reads) = among(reads, one.columns.as_ref()) else { continue };
            let distance = one.distance + 1;
            let consumer = consumers.entry(grant.principal_id).or_insert_with(|| Consumer {
                principal_id: grant.principal_id,
                distance,
                uses: BTreeMap::new(),
            });
            let known =
                consumer.uses.entry(grant.port_major.clone()).or_insert_with(|| Reads::Columns(BTreeSet::new()));
            known.add(reads);
        }
    }
    Ok(consumers.into_values().sorted_by_key(|consumer| (consumer.distance, consumer.principal_id)).collect())
}

/// What is known of two sources: the columns that were read, and those that the reader says.
fn known(recorded: Option<BTreeSet<String>>, said: Option<&Reads>) -> Reads {
    match (recorded, said) {
        (Some(mut read), Some(Reads::Columns(said))) => {
            read.extend(said.iter().cloned());
            Reads::Columns(read)
        }
        (Some(read), Some(Reads::Unknown) | None) => Reads::Columns(read),
        (None, said) => said.cloned().unwrap_or(Reads::Unknown),
    }
}

/// What principals say of the columns of a table that their own jobs use. Whoever names the columns for all that they make
/// from the table is taken at their word.
fn said(held: &Held, table: TableId) -> HashMap<PrincipalId, Reads> {
    let mut by_target: BTreeMap<(PrincipalId, Holder), BTreeSet<String>> = BTreeMap::new();
    for (edge, _) in held.edges_from(&Holder::Table(table)) {
        if let Speaker::Principal(speaker) = edge.speaker {
            by_target.entry((speaker, edge.to.holder)).or_default().extend(edge.from.column);
        }
    }
    let mut said: HashMap<PrincipalId, Reads> = HashMap::new();
    for ((speaker, _), columns) in by_target {
        let reads = said.entry(speaker).or_insert_with(|| Reads::Columns(BTreeSet::new()));
        match reads {
            Reads::Columns(known) if !columns.is_empty() => known.extend(columns),
            Reads::Columns(_) | Reads::Unknown => *reads = Reads::Unknown,
        }
    }
    said
}

/// What someone reads of the affected columns; `None` if it is known that they read none of them.
fn among(reads: Reads, affected: Option<&BTreeSet<String>>) -> Option<Reads> {
    match (reads, affected) {
        (Reads::Unknown, _) => Some(Reads::Unknown),
        (Reads::Columns(columns), None) => Some(Reads::Columns(columns)),
        (Reads::Columns(mut columns), Some(affected)) => {
            columns.retain(|column| affected.iter().any(|one| overlap(column, one)));
            (!columns.is_empty()).then_some(Reads::Columns(columns))
        }
    }
}

/// Whether one of two columns is the other, or contains it.
pub(super) fn overlap(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
