//! Products as search knows them: what their documents and contracts say, and what their newest inspections found.
//!
//! A product's classification is that of its most sensitive column, so whoever may know of the product may know of all
//! of its columns. Storage locations are left out.

use std::collections::{HashMap, HashSet};

use domain::binding::Binding;
use domain::clock::Timestamp;
use domain::contract::{self, Fields, Property, SERVING_ENVIRONMENT, SchemaObject, State};
use domain::id::{BindingId, ContractId, ProductId, SnapshotId, TableId};
use domain::name::{DomainPath, Name};
use domain::product::{self, Port};
use domain::quality::Verdict;
use domain::table::Table;
use itertools::Itertools as _;
use search::Document;
use serde_json::Value;
use store::Tx;

use super::{readers, sight};
use crate::contract::{parsed, parsed_product};
use crate::ctx::App;
use crate::error::Error;
use crate::product_in_domain::{self, ProductInDomain};
use crate::readable::{self, Readable};

/// How deep members of members are followed.
const MAX_DEPTH: usize = 16;

/// What the database says of some products.
struct Facts {
    documents: HashMap<ProductId, std::sync::Arc<product::Document>>,
    ports: HashMap<ProductId, Vec<Port>>,
    contracts: HashMap<ProductId, Vec<ContractId>>,
    versions: HashMap<ContractId, Vec<std::sync::Arc<contract::Document>>>,
    bindings: HashMap<ContractId, Vec<Binding>>,
    tables: HashMap<TableId, Table>,
    verdicts: HashMap<BindingId, Verdict>,
    /// When the newest known snapshots were committed that were inspected.
    committed: HashMap<SnapshotId, Timestamp>,
    readers: HashMap<ProductId, u32>,
}

/// What was loaded.
pub(super) struct Loaded {
    pub(super) documents: HashMap<ProductId, Document>,
    /// The products of which something cannot be read.
    pub(super) unreadable: Vec<(ProductId, Error)>,
}

/// The documents of these products; none for a product that does not exist.
///
/// # Errors
/// Those of the database.
pub(super) async fn load(app: &App, ids: &[ProductId]) -> Result<Loaded, Error> {
    let Readable { loaded, unreadable } = readable::load(ids, |ids| load_all(app, ids)).await?;
    Ok(Loaded { documents: loaded.into_iter().flatten().collect(), unreadable })
}

async fn load_all(app: &App, ids: Vec<ProductId>) -> Result<HashMap<ProductId, Document>, Error> {
    let mut tx = app.db.read().await?;
    let known = product_in_domain::load(&mut tx, &ids).await?;
    let ids = known.keys().copied().collect_vec();
    let facts = Facts::load(app, &mut tx, &ids).await?;
    drop(tx);
    Ok(known.into_iter().map(|(id, known)| (id, facts.document(app, &known))).collect())
}

impl Facts {
    async fn load(app: &App, tx: &mut Tx, ids: &[ProductId]) -> Result<Self, Error> {
        let documents = store::product::list_current_documents(tx, ids).await?.into_iter();
        // A document that cannot be read makes its product harder to find, and no other.
        let documents: HashMap<_, _> =
            documents.filter_map(|(id, document)| Some((id, parsed_product(app, &document).ok()?))).collect();
        let ports = store::product::list_ports_of_products(tx, ids).await?;
        let contracts = store::contract::list_of_products(tx, ids).await?;
        let contract_ids = contracts.iter().map(|contract| contract.id).collect_vec();

        let mut versions = store::contract::list_current(tx, &contract_ids).await?;
        let released: HashSet<ContractId> = versions.iter().map(|version| version.contract_id).collect();
        let drafts = contract_ids.iter().copied().filter(|id| !released.contains(id)).collect_vec();
        let drafts = store::contract::list_versions_of_contracts(tx, &drafts).await?;
        versions.extend(drafts.into_iter().unique_by(|version| version.contract_id));
        let is_over = |version: &contract::Version| matches!(version.state, State::Retired { .. });
        versions.sort_by_key(|version| (is_over(version), std::cmp::Reverse(version.version)));
        let versions = versions
            .into_iter()
            .filter_map(|version| Some((version.contract_id, parsed(app, &version.document).ok()?)))
            .into_group_map();

        let mut bindings = store::binding::list_of_contracts(tx, &contract_ids).await?;
        bindings.retain(|binding| binding.environment == SERVING_ENVIRONMENT);
        let table_ids = bindings.iter().map(|binding| binding.table_id).unique().collect_vec();
        let tables = store::table::list_by_ids(tx, &table_ids).await?;
        let binding_ids = bindings.iter().map(|binding| binding.id).collect_vec();
        let verdicts = store::binding::list_latest_verdicts(tx, &binding_ids).await?;
        let heads = tables.iter().filter_map(|table| table.head).collect_vec();
        let heads = store::table::list_snapshots_by_ids(tx, &heads).await?.into_iter();
        let committed = heads.filter_map(|head| Some((head.id, head.found?.committed_at))).collect();

        Ok(Self {
            documents,
            ports: ports.into_iter().into_group_map_by(|port| port.port_major.product_id),
            contracts: contracts.into_iter().map(|contract| (contract.product_id, contract.id)).into_group_map(),
            versions,
            bindings: bindings.into_iter().into_group_map_by(|binding| binding.contract_id),
            tables: tables.into_iter().map(|table| (table.id, table)).collect(),
            verdicts: verdicts.into_iter().collect(),
            committed,
            readers: readers::count(app, tx, ids).await?,
        })
    }

    fn document(&self, app: &App, known: &ProductInDomain) -> Document {
        let product = &known.product;
        let own = self.documents.get(&product.id);
        let deprecated = matches!(product.state, product::State::Deprecated { .. } | product::State::Retired { .. });
        let contracts = self.contracts.get(&product.id).map(Vec::as_slice).unwrap_or_default();
        // Of each contract the version that readers get, or will get.
        let promised = contracts.iter().filter_map(|id| self.versions.get(id)?.first()).collect_vec();
        let texts = own.map(|own| &own.documentary).into_iter();
        let texts = texts.chain(promised.iter().map(|contract| &contract.documentary)).collect_vec();
        let objects = promised.iter().flat_map(|contract| &contract.objects).collect_vec();
        let labels = texts.iter().copied().chain(objects.iter().map(|object| &object.documentary));
        let bindings = contracts.iter().filter_map(|id| self.bindings.get(id)).flatten();
        Document {
            id: product.id.to_string(),
            revision: u64::try_from(product.updated_at.0).unwrap_or_default(),
            address: known.address(),
            name: product.name.to_string(),
            title: product.title.clone().unwrap_or_default(),
            description: texts.iter().flat_map(|fields| descriptions(fields)).unique().join("\n"),
            tags: labels.flat_map(|fields| words(fields, "tags", "tag")).unique().collect(),
            synonyms: texts.iter().flat_map(|fields| synonyms(fields)).unique().collect(),
            owners: texts.iter().flat_map(|fields| team(fields)).unique().collect(),
            ports: self.ports(product.id),
            tables: objects.iter().map(|object| table(object)).collect(),
            domain: known.domain.path.to_string(),
            classification: Some(product.classification.as_str().to_owned()),
            state: product.state.as_str().to_owned(),
            deprecated,
            successor: own.filter(|_| deprecated).and_then(|own| own.successor().ok()?).map(address),
            layer: own.and_then(|own| own.medallion),
            verdict: bindings.filter_map(|binding| self.verdict(binding)).reduce(Verdict::worst),
            readers: self.readers.get(&product.id).copied().unwrap_or(0),
            late_from: contracts.iter().filter_map(|id| self.late_from(*id)).min(),
            class: sight::class(&app.policy, known),
            contracts: promised.iter().map(|contract| contract.document_id.clone()).collect(),
            upstream: own.into_iter().flat_map(|own| inputs(own)).map(str::to_owned).unique().collect(),
        }
    }

    fn ports(&self, id: ProductId) -> Vec<search::Port> {
        let ports = self.ports.get(&id).into_iter().flatten();
        let by_name = ports.into_group_map_by(|port| port.port_major.port.to_string());
        let port = |(name, majors): (String, Vec<&Port>)| {
            let bindings = majors.iter().filter_map(|port| self.bindings.get(&port.contract_id)).flatten();
            let tables = bindings.filter_map(|binding| self.tables.get(&binding.table_id));
            let formats = tables.map(|table| table.format.as_str()).unique();
            search::Port { name, format: formats.min().map(str::to_owned), addresses: Vec::new() }
        };
        by_name.into_iter().sorted_by(|a, b| a.0.cmp(&b.0)).map(port).collect()
    }

    /// From when on data of a contract is late, as it is now; `None` if no age is promised. Data that is not there is late.
    fn late_from(&self, contract: ContractId) -> Option<Timestamp> {
        let promised = self.versions.get(&contract)?.first()?;
        let bindings = self.bindings.get(&contract)?.iter().filter(|binding| binding.major == promised.version.major);
        let late = bindings.filter_map(|binding| {
            let object = promised.find_object(&binding.object)?;
            let freshness = promised.freshness(object)?;
            // As with its verdict.
            let table = self.tables.get(&binding.table_id).filter(|table| !table.shared)?;
            let committed = table.head.and_then(|head| self.committed.get(&head));
            Some(committed.map_or(Timestamp(0), |committed| committed.plus(freshness)))
        });
        late.min()
    }

    /// The newest verdict. Who may know of a shared table's depends on all products that are bound to it.
    fn verdict(&self, binding: &Binding) -> Option<Verdict> {
        let table = self.tables.get(&binding.table_id).filter(|table| !table.shared)?;
        table.head.and_then(|_| self.verdicts.get(&binding.id).copied())
    }
}

fn address((domain, product): (DomainPath, Name)) -> String {
    format!("{domain}.{product}")
}

/// The document ids of the contracts that a product reads.
fn inputs(document: &product::Document) -> impl Iterator<Item = &str> {
    let ports = document.input_ports.iter().filter_map(|port| port.contract_id.as_deref());
    let inputs = document.output_ports.iter().flat_map(|port| &port.input_contracts);
    ports.chain(inputs.map(|contract| contract.id.as_str()))
}

fn table(object: &SchemaObject) -> search::Table {
    let mut columns = Vec::new();
    for property in &object.properties {
        add_columns(property, "", MAX_DEPTH, &mut columns);
    }
    search::Table {
        name: object.name.clone(),
        address: object.physical_name.clone(),
        description: descriptions(&object.documentary).join("\n"),
        synonyms: synonyms(&object.documentary).collect(),
        columns,
    }
}

/// A column and what it contains, under dotted names. Items of arrays add no name of their own.
fn add_columns(property: &Property, above: &str, depth: usize, columns: &mut Vec<search::Column>) {
    let name = format!("{above}{}", property.name);
    for child in property.members.iter().chain(property.items.iter().flat_map(|items| &items.members)) {
        if depth > 0 {
            add_columns(child, &format!("{name}."), depth - 1, columns);
        }
    }
    columns.push(search::Column {
        name,
        description: descriptions(&property.documentary).join("\n"),
        synonyms: synonyms(&property.documentary).collect(),
    });
}

/// The texts of `description`, which a document has in parts, and of `context`.
fn descriptions(fields: &Fields) -> Vec<String> {
    const PARTS: [&str; 3] = ["purpose", "usage", "limitations"];
    let mut texts = Vec::new();
    match fields.get("description") {
        Some(Value::String(text)) => texts.push(text.clone()),
        Some(Value::Object(parts)) => texts.extend(PARTS.iter().filter_map(|part| text_of(parts.get(*part)))),
        _ => {}
    }
    match fields.get("context") {
        Some(Value::String(text)) => texts.push(text.clone()),
        Some(Value::Object(parts)) => texts.extend(text_of(parts.get("instructions"))),
        _ => {}
    }
    texts
}

/// Other names: `synonyms`, and the name that business gives it.
fn synonyms(fields: &Fields) -> impl Iterator<Item = String> {
    words(fields, "synonyms", "synonym").into_iter().chain(text_of(fields.get("businessName")))
}

/// The members of `team`, which is a list or has one.
fn team(fields: &Fields) -> Vec<String> {
    let members = match fields.get("team") {
        Some(Value::Array(members)) => members.as_slice(),
        Some(Value::Object(team)) => {
            team.get("members").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
        }
        _ => &[],
    };
    members.iter().flat_map(|member| [text_of(member.get("name")), text_of(member.get("username"))]).flatten().collect()
}

/// The items of a list: texts, or objects that have the text as a member.
fn words(fields: &Fields, list: &str, member: &str) -> Vec<String> {
    let items = fields.get(list).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| text_of(Some(item)).or_else(|| text_of(item.get(member)))).collect()
}

fn text_of(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).filter(|text| !text.trim().is_empty()).map(str::to_owned)
}
