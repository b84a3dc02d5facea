//! What documents declare: input ports and input contracts of products, and the sources of columns in contracts.

use domain::contract::{Property, SchemaObject};
use domain::id::{ContractId, ProductId, TableId};
use domain::name::{Address, Name};
use lineage::edge::{Basis, Edge, Holder, Kind, Node, Speaker};
use lineage::name::Dataset;
use store::binding::Bound;

use super::catalog::Catalog;
use super::edges::Means;

/// How deep members of members are followed.
const MAX_DEPTH: usize = 16;
/// The most edges that one product declares. More are left out, and answers say so.
const MAX_EDGES: usize = 20_000;

/// A contract that a product reads, by the `id` in its documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Input {
    pub(super) contract: String,
    pub(super) major: Option<u64>,
}

/// What one product's documents declare, as they spell it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Declared {
    /// What the whole product reads.
    pub(super) inputs: Vec<Input>,
    /// What output ports are made from, by their names and majors.
    pub(super) ports: Vec<(Name, u64, Vec<Input>)>,
    pub(super) columns: Vec<DeclaredColumn>,
}

/// A column, with the objects that it is made from.
#[derive(Clone, Debug)]
pub(super) struct DeclaredColumn {
    pub(super) contract_id: ContractId,
    pub(super) major: u64,
    /// The name in addresses.
    pub(super) object: Name,
    pub(super) column: String,
    pub(super) sources: Vec<String>,
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
            for target in targets.filter(|bound| bound.object == column.object) {
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
