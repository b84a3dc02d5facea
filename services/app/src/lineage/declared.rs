//! What documents declare: input ports and input contracts of products, and the sources of columns in contracts.

use std::collections::HashMap;

use domain::contract::{Property, SchemaObject, State};
use domain::id::{ContractId, ProductId, TableId};
use domain::name::{Address, Name};
use domain::version::Version;
use itertools::Itertools as _;
use lineage::edge::{Basis, Edge, Holder, Kind, Node, Speaker};
use lineage::name::Dataset;
use store::Tx;
use store::binding::Bound;

use super::catalog::Catalog;
use super::edges::Means;
use crate::contract::{parsed, parsed_product};
use crate::ctx::App;
use crate::error::Error;

/// How deep members of members are followed.
const MAX_DEPTH: usize = 16;
/// The most edges that one product declares. More are left out, and answers say so.
const MAX_EDGES: usize = 20_000;

/// A contract that a product reads, by the `id` in its documents.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Input {
    contract: String,
    major: Option<u64>,
}

/// What one product's documents declare, as they spell it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Declared {
    /// What the whole product reads.
    inputs: Vec<Input>,
    /// What output ports are made from, by their names and majors.
    ports: Vec<(Name, u64, Vec<Input>)>,
    columns: Vec<DeclaredColumn>,
}

/// A column, with the objects that it is made from.
#[derive(Clone, Debug)]
struct DeclaredColumn {
    contract_id: ContractId,
    major: u64,
    object: String,
    column: String,
    sources: Vec<String>,
}

/// What the documents of these products declare; nothing for a product that does not exist or is not offered.
pub(super) async fn load(app: &App, tx: &mut Tx, ids: &[ProductId]) -> Result<HashMap<ProductId, Declared>, Error> {
    let offered = store::product::list_by_ids(tx, ids).await?.into_iter().filter(|product| product.state.serves());
    let ids = offered.map(|product| product.id).collect_vec();
    let mut declared: HashMap<ProductId, Declared> = HashMap::with_capacity(ids.len());
    for (id, document) in store::product::list_current_documents(tx, &ids).await? {
        // A document that cannot be read declares nothing, and disturbs no other.
        let Ok(document) = parsed_product(app, &document) else { continue };
        let own = declared.entry(id).or_default();
        let of_ports = document.input_ports.iter().filter_map(|port| {
            let major = port.version.as_deref().and_then(major);
            Some(Input { contract: port.contract_id.clone()?, major })
        });
        own.inputs = of_ports.collect();
        own.ports = document
            .output_ports
            .iter()
            .filter(|port| !port.input_contracts.is_empty())
            .map(|port| {
                let inputs = port.input_contracts.iter();
                let inputs = inputs.map(|input| Input { contract: input.id.clone(), major: major(&input.version) });
                (port.name.clone(), port.version.major, inputs.collect())
            })
            .collect();
    }
    let contracts = store::contract::list_of_products(tx, &ids).await?;
    let product_of: HashMap<_, _> = contracts.iter().map(|contract| (contract.id, contract.product_id)).collect();
    let contract_ids = contracts.iter().map(|contract| contract.id).collect_vec();
    for version in store::contract::list_current(tx, &contract_ids).await? {
        let is_over = matches!(version.state, State::Retired { .. });
        let Some(product) = product_of.get(&version.contract_id).filter(|_| !is_over) else { continue };
        let Ok(document) = parsed(app, &version.document) else { continue };
        let own = declared.entry(*product).or_default();
        for object in &document.objects {
            let mut add = |column: String, property: &Property| {
                let sources = property.transform_sources().map(str::to_owned).collect_vec();
                if !sources.is_empty() {
                    let (contract_id, major) = (version.contract_id, version.version.major);
                    own.columns.push(DeclaredColumn {
                        contract_id,
                        major,
                        object: object.name.clone(),
                        column,
                        sources,
                    });
                }
            };
            each_column(object, &mut add);
        }
    }
    Ok(declared)
}

fn major(version: &str) -> Option<u64> {
    let version = version.strip_prefix('v').unwrap_or(version);
    version.parse::<Version>().map(|version| version.major).ok().or_else(|| version.parse().ok())
}

/// The columns of an object and what they contain, under the dotted names that they have in the table.
pub(super) fn each_column(object: &SchemaObject, visit: &mut impl FnMut(String, &Property)) {
    for property in &object.properties {
        below(property, "", MAX_DEPTH, visit);
    }
}

fn below(property: &Property, above: &str, depth: usize, visit: &mut impl FnMut(String, &Property)) {
    let name = format!("{above}{}", property.column_name());
    if depth > 0 {
        let prefix = format!("{name}.");
        for member in property.members.iter().chain(property.items.iter().flat_map(|items| &items.members)) {
            below(member, &prefix, depth - 1, visit);
        }
    }
    visit(name, property);
}

impl Declared {
    /// The edges, and whether all of them are there.
    pub(super) fn edges(&self, id: ProductId, catalog: &Catalog, means: &mut Means) -> (Vec<Edge>, bool) {
        let mut edges = Vec::new();
        let mut add = |from: Node, to: Node| {
            let has_room = edges.len() < MAX_EDGES;
            if has_room && from.holder != to.holder {
                let speaker = Speaker::Product(id);
                edges.push(Edge { speaker, kind: Kind::Declared, job: None, from, to, basis: Basis::Direct });
            }
            has_room
        };
        let mut is_whole = true;
        let ports = catalog.ports.get(&id).map(Vec::as_slice).unwrap_or_default();
        for port in ports {
            let (name, major) = (&port.port_major.port, port.port_major.major);
            let own = self.ports.iter().find(|(of, of_major, _)| (of, *of_major) == (name, major));
            let inputs = own.map_or(&self.inputs, |(_, _, inputs)| inputs);
            for target in catalog.tables_of_contract(port.contract_id, port.contract_major) {
                for input in inputs {
                    for source in catalog.tables_of_document(&input.contract, input.major) {
                        is_whole &= add(table(source), table(target));
                    }
                }
            }
        }
        for column in &self.columns {
            let targets = catalog.tables_of_contract(column.contract_id, column.major);
            for target in targets.filter(|bound| bound.object.as_str() == column.object) {
                for source in &column.sources {
                    for from in sources(source, catalog, means) {
                        is_whole &= add(from, Node { column: Some(column.column.clone()), ..table(target) });
                    }
                }
            }
        }
        edges.sort_unstable();
        edges.dedup();
        (edges, is_whole)
    }
}

fn table(bound: &Bound) -> Node {
    Node::whole(Holder::Table(bound.table_id))
}

/// What a name in a contract means: tables of ours by their address or place, and a dataset for whoever may not know of these.
fn sources(name: &str, catalog: &Catalog, means: &mut Means) -> Vec<Node> {
    let Ok(dataset) = Dataset::at(name) else { return Vec::new() };
    let found: Vec<TableId> = match name.parse::<Address>() {
        Ok(address) => catalog.tables_at(&address).map(|bound| bound.table_id).collect(),
        Err(_) => catalog.directory.find(&dataset).into_iter().collect(),
    };
    means.mention(&dataset, &found);
    let tables = found.into_iter().map(Holder::Table);
    tables.chain([Holder::Dataset(dataset)]).map(Node::whole).collect()
}
