//! What the products of a set hold already: documents, bindings, topics, and the tables at the folders that the set
//! names. Loaded in the transaction that executes the plan.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use domain::binding::{Binding, TopicBinding};
use domain::clock::Timestamp;
use domain::id::{ContractId, ProductId, TableId};
use domain::name::{DomainPath, MAX_DOMAIN_DEPTH};
use domain::product;
use domain::registry::Subject;
use domain::table::{Location, Table};
use itertools::Itertools as _;
use store::Tx;

use super::state::PublishState;
use super::versions::{JudgedContract, JudgedSet, JudgedVersion, Step};
use crate::contract::parsed_product;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::registry::release;
use crate::table::sharing::Sharing;
use crate::{notice, product_in_domain};

/// What the products of a set hold already.
#[derive(Debug, Default)]
pub(super) struct Holdings {
    /// The current documents of the set's products.
    pub(super) documents: HashMap<ProductId, Arc<product::Document>>,
    /// The bindings of each contract, in the order of objects and environments.
    pub(super) bindings: HashMap<ContractId, Vec<Binding>>,
    pub(super) topics: HashMap<ContractId, Vec<TopicBinding>>,
    /// The holdings of each subject that the set names.
    pub(super) subjects: HashMap<Subject, HeldSubject>,
    /// The tables that are bound to, and those at the folders that the set names.
    pub(super) tables: HashMap<TableId, Table>,
    /// The ids of the tables at, above and below each folder that the set names.
    pub(super) overlapping: BTreeMap<Location, Vec<TableId>>,
    /// The folders that the set names which belong to a domain below the contract's own.
    pub(super) below: HashSet<Location>,
    /// All bindings to the tables that the set may share or leave.
    pub(super) sharers: HashMap<TableId, Vec<Binding>>,
    /// The products that are bound to those tables, and to the shared tables of the set's contracts.
    pub(super) sharing: HashMap<TableId, Sharing>,
    /// Until when the readers of a major were promised service, for the majors that the set deprecates.
    pub(super) deadlines: HashMap<(ContractId, u64), Timestamp>,
}

impl Holdings {
    pub(super) async fn load(ctx: &Ctx, tx: &mut Tx, state: &PublishState, set: &JudgedSet) -> Result<Self, Error> {
        let mut holdings = Self::default();
        holdings.load_documents(ctx, tx, set).await?;
        let contracts = state.domains.values().flat_map(|domain| domain.contracts());
        let contract_ids: Vec<ContractId> = contracts.map(|contract| contract.id).collect();
        let mut bindings = store::binding::list_of_contracts(tx, &contract_ids).await?;
        bindings.sort_by(|a, b| (&a.object, &a.environment, a.id).cmp(&(&b.object, &b.environment, b.id)));
        let table_ids = bindings.iter().map(|binding| binding.table_id).unique().collect_vec();
        for table in store::table::list_by_ids(tx, &table_ids).await? {
            holdings.tables.insert(table.id, table);
        }
        for binding in bindings {
            holdings.bindings.entry(binding.contract_id).or_default().push(binding);
        }
        for topic in store::binding::list_topics_of_contracts(tx, &contract_ids).await? {
            holdings.topics.entry(topic.contract_id).or_default().push(topic);
        }
        for contract in &set.contracts {
            let bound = holdings.bindings.get(&contract.contract.id).into_iter().flatten();
            let shared =
                bound.filter(|binding| holdings.tables.get(&binding.table_id).is_some_and(|table| table.shared));
            for table_id in shared.map(|binding| binding.table_id).unique().collect_vec() {
                holdings.load_sharing(ctx, tx, table_id).await?;
            }
            for version in &contract.versions {
                if version.binds() {
                    holdings.load_folders(ctx, tx, contract, version).await?;
                }
                if let Step::Deprecate(old) = &version.step {
                    let major = (old.contract_id, old.version.major);
                    let deadline = notice::deadline_of(tx, major.0, major.1).await?;
                    holdings.deadlines.extend(deadline.map(|deadline| (major, deadline)));
                }
            }
        }
        Ok(holdings)
    }

    async fn load_documents(&mut self, ctx: &Ctx, tx: &mut Tx, set: &JudgedSet) -> Result<(), Error> {
        let of_documents = set.products.iter().filter_map(|product| Some(product.old.as_ref()?.id));
        let of_contracts = set.contracts.iter().map(|contract| contract.contract.product_id);
        let product_ids = of_documents.chain(of_contracts).unique().collect_vec();
        for (product_id, document) in store::product::list_current_documents(tx, &product_ids).await? {
            self.documents.insert(product_id, parsed_product(&ctx.app, &document)?);
        }
        Ok(())
    }

    /// The tables and subjects at the folders and topics that a version names.
    async fn load_folders(
        &mut self,
        ctx: &Ctx,
        tx: &mut Tx,
        contract: &JudgedContract,
        version: &JudgedVersion,
    ) -> Result<(), Error> {
        let bound = self.bindings.get(&contract.contract.id).map_or(&[][..], Vec::as_slice);
        let mut table_ids = bound.iter().map(|binding| binding.table_id).unique().collect_vec();
        for folder in &version.entry.model.folders {
            let overlapping = store::table::list_overlapping(tx, &folder.location).await?;
            table_ids.extend(overlapping.iter().map(|table| table.id));
            let ids = overlapping.iter().map(|table| table.id).collect();
            self.overlapping.insert(folder.location.clone(), ids);
            if lies_below(tx, &folder.location, &contract.domain).await? {
                self.below.insert(folder.location.clone());
            }
            self.tables.extend(overlapping.into_iter().map(|table| (table.id, table)));
        }
        for table_id in table_ids {
            if let Entry::Vacant(vacant) = self.sharers.entry(table_id) {
                vacant.insert(store::binding::list_of_table(tx, table_id).await?);
            }
            self.load_sharing(ctx, tx, table_id).await?;
        }
        for topic in &version.entry.model.topics {
            if !self.subjects.contains_key(&topic.subject) {
                let held = HeldSubject::load(ctx, tx, &topic.subject).await?;
                self.subjects.insert(topic.subject.clone(), held);
            }
        }
        Ok(())
    }

    /// The products that are bound to a table.
    async fn load_sharing(&mut self, ctx: &Ctx, tx: &mut Tx, table_id: TableId) -> Result<(), Error> {
        if self.sharing.contains_key(&table_id) {
            return Ok(());
        }
        let Some(table) = self.tables.get(&table_id) else { return Ok(()) };
        let sharing = match Sharing::load(&ctx.app, tx, table).await? {
            Some(sharing) => sharing,
            None => {
                let bindings = store::binding::list_of_table(tx, table_id).await?;
                let Some(binding) = bindings.first() else { return Ok(()) };
                let contract = store::contract::get(tx, binding.contract_id).await?;
                Sharing::of_one(product_in_domain::get(tx, contract.product_id).await?)
            }
        };
        self.sharing.insert(table_id, sharing);
        Ok(())
    }
}

/// Whether a folder is that of a domain below another one, or lies in it.
async fn lies_below(tx: &mut Tx, location: &Location, domain: &DomainPath) -> Result<bool, Error> {
    let depth = domain.as_str().split('/').count();
    for n_segments in depth + 1..=location.segments().len().min(MAX_DOMAIN_DEPTH) {
        let Ok(below) = location.segments()[..n_segments].join("/").parse::<DomainPath>() else { break };
        if location.lies_in(domain) && store::org::find_by_path(tx, &below).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The bindings, keeper and release of a subject.
#[derive(Debug, Default)]
pub(super) struct HeldSubject {
    /// The contracts that are bound to it.
    pub(super) contracts: HashSet<ContractId>,
    /// The domain that keeps its schemas, if no product owns it.
    pub(super) kept_by: Option<DomainPath>,
    /// The domain that an owner has released it to.
    pub(super) released_to: Option<DomainPath>,
    /// Whether the caller could release it.
    pub(super) is_callers: bool,
}

impl HeldSubject {
    async fn load(ctx: &Ctx, tx: &mut Tx, subject: &Subject) -> Result<Self, Error> {
        let bindings = store::binding::list_topics_of_subject(tx, subject).await?;
        let contracts: HashSet<ContractId> = bindings.iter().map(|binding| binding.contract_id).collect();
        let kept_by = if contracts.is_empty() { release::kept_by(ctx, tx, subject).await? } else { None };
        let released_to = match store::topic::find_release(tx, subject, ctx.now()).await? {
            Some((domain_id, _)) => Some(crate::org::get_by_id(tx, domain_id).await?.path),
            None => None,
        };
        let is_callers = contracts.is_empty() && release::may_release(ctx, tx, subject).await?;
        Ok(Self { contracts, kept_by, released_to, is_callers })
    }

    /// Whether an owner lets a domain have it: by a release, or by publishing themselves. What another contract is bound
    /// to takes a release.
    pub(super) fn is_released_to(&self, domain: &DomainPath) -> bool {
        self.is_callers || self.released_to.as_ref().is_some_and(|to| domain.lineage().any(|above| above == *to))
    }
}
