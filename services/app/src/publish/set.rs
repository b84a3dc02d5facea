//! Reading a set of documents: limits, parsing, and what can be said of a document without the others.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use documents::MAX_DOCUMENTS;
use domain::contract::{self, BadLocalPath, Server, ServerKind};
use domain::document::StoredDocument;
use domain::name::{DomainPath, Name};
use domain::product;
use domain::registry::Subject;
use domain::storage::Lake;
use domain::table::{Format, Location};
use policy::{Action, Resource};

use super::model::{DocumentSet, DocumentText, Origin, Problem};
use super::place;
use crate::contract::{digest, format_of};
use crate::ctx::Ctx;
use crate::error::Error;

/// The most bytes of a set (docs/rules.md, Interfaces and limits).
const MAX_SET_BYTES: usize = 20_000_000;

/// A set whose documents can be used, each for itself.
#[derive(Clone, Debug)]
pub(super) struct Set {
    pub(super) products: Vec<Entry<product::Document>>,
    pub(super) contracts: Vec<Entry<ContractEntry>>,
    pub(super) warnings: Vec<Problem>,
}

/// A document of the set.
#[derive(Clone, Debug)]
pub(super) struct Entry<T> {
    /// Its place in the set.
    pub(super) place: usize,
    /// The name it was given, for messages.
    pub(super) path: String,
    /// Its text.
    pub(super) origin: Origin,
    /// The domain it belongs to.
    pub(super) domain: DomainPath,
    /// Its bytes.
    pub(super) document: StoredDocument,
    /// What it says.
    pub(super) model: T,
}

impl<T> Entry<T> {
    /// Something wrong with it where the pointer leads to. Its line is looked up when all problems are known.
    pub(super) fn problem(&self, pointer: impl Into<String>, message: impl Into<String>) -> Problem {
        at(&self.path, self.origin, pointer, message)
    }
}

/// A contract, the folders that its local servers name, and the topics of its Kafka servers.
#[derive(Clone, Debug)]
pub(super) struct ContractEntry {
    pub(super) contract: contract::Document,
    pub(super) folders: Vec<Folder>,
    pub(super) topics: Vec<Topic>,
}

/// A schema object that is a topic in an environment.
#[derive(Clone, Debug)]
pub(super) struct Topic {
    /// The object's place in the document.
    pub(super) n_object: usize,
    pub(super) object: Name,
    pub(super) environment: String,
    pub(super) subject: Subject,
}

/// Where a schema object lies in an environment.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    /// The server's place in the document.
    pub(super) n_server: usize,
    pub(super) object: Name,
    pub(super) environment: String,
    pub(super) location: Location,
    pub(super) format: Format,
}

/// Reads the set: every problem of every document at once. Outer error: too large, or internal.
pub(super) async fn read(ctx: &Ctx, command: &DocumentSet) -> Result<Result<Set, Vec<Problem>>, Error> {
    let n_bytes: usize = command.documents.iter().map(|document| document.text.len()).sum();
    if n_bytes > MAX_SET_BYTES {
        return Err(Error::invalid(
            "documents",
            format!("the set has {n_bytes} bytes; at most {MAX_SET_BYTES} are allowed"),
        ));
    }
    if command.documents.len() > MAX_DOCUMENTS {
        return Err(too_many(command.documents.len()));
    }
    let (texts, domain) = (command.documents.clone(), command.domain.clone());
    let (lake, published_by, published_at) = (Arc::clone(&ctx.app.lake), ctx.actor.principal.id, ctx.now());
    let stamp = move |bytes: &[u8]| StoredDocument {
        digest: digest(bytes),
        format: format_of(bytes),
        bytes: bytes.to_vec(),
        published_by,
        published_at,
    };
    let own = own_domains(ctx);
    let read = tokio::task::spawn_blocking(move || {
        let mut reading = Reading::new(domain, lake, own).read(&texts, stamp);
        place::locate_in(&texts, &mut reading.problems);
        reading
    });
    let reading = read.await.map_err(Error::internal)?;
    let n_documents = reading.products.len() + reading.contracts.len();
    if n_documents > MAX_DOCUMENTS {
        return Err(too_many(n_documents));
    }
    if !reading.problems.is_empty() {
        return Ok(Err(reading.problems));
    }
    let Reading { products, contracts, warnings, .. } = reading;
    Ok(Ok(Set { products, contracts, warnings }))
}

fn too_many(n_documents: usize) -> Error {
    Error::invalid("documents", format!("the set has {n_documents} documents; at most {MAX_DOCUMENTS} are allowed"))
}

struct Reading {
    domain: Option<DomainPath>,
    lake: Arc<dyn Lake>,
    /// The domains whose folders the caller may know about.
    own: Vec<DomainPath>,
    products: Vec<Entry<product::Document>>,
    contracts: Vec<Entry<ContractEntry>>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

/// A document before its domain is known.
struct Unplaced<T> {
    place: usize,
    path: String,
    origin: Origin,
    document: StoredDocument,
    model: T,
}

impl Reading {
    fn new(domain: Option<DomainPath>, lake: Arc<dyn Lake>, own: Vec<DomainPath>) -> Self {
        Self {
            domain,
            lake,
            own,
            products: Vec::new(),
            contracts: Vec::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn read(mut self, texts: &[DocumentText], stamp: impl Fn(&[u8]) -> StoredDocument) -> Self {
        let (mut products, mut contracts, mut place) = (Vec::new(), Vec::new(), 0);
        for (n_text, DocumentText { path, text }) in texts.iter().enumerate() {
            let found = |problem: documents::Problem| Problem {
                document: path.clone(),
                line: Some(problem.line),
                column: Some(problem.column),
                path: problem.path,
                message: problem.message,
                origin: None,
            };
            let pieces = match documents::parse_set(text.as_bytes()) {
                Ok(pieces) => pieces,
                Err(problems) => {
                    self.problems.extend(problems.into_iter().map(found));
                    continue;
                }
            };
            for (n_document, piece) in pieces.into_iter().enumerate() {
                self.warnings.extend(piece.parsed.warnings.into_iter().map(found));
                let (path, document) = (path.clone(), stamp(piece.bytes));
                let origin = Origin { n_text, n_document };
                match piece.parsed.document {
                    documents::Document::Product(model) => {
                        products.push(Unplaced { place, path, origin, document, model });
                    }
                    documents::Document::Contract(model) => {
                        contracts.push(Unplaced { place, path, origin, document, model });
                    }
                }
                place += 1;
            }
        }
        for unplaced in products {
            let said = unplaced.model.domain.clone();
            let entry = self.placed(unplaced, said.as_ref(), None);
            self.products.extend(entry);
        }
        let naming = self.naming_domains();
        for unplaced in contracts {
            let said = unplaced.model.domain.clone();
            let named = match naming.get(&unplaced.model.document_id).map(Vec::as_slice) {
                Some([domain]) => Some(domain.clone()),
                _ => None,
            };
            if let Some(entry) = self.placed(unplaced, said.as_ref(), named) {
                let (folders, topics) = (self.folders(&entry), self.topics(&entry));
                let Entry { place, path, origin, domain, document, model: contract } = entry;
                let model = ContractEntry { contract, folders, topics };
                self.contracts.push(Entry { place, path, origin, domain, document, model });
            }
        }
        self
    }

    /// Gives a document its domain: its own, else the set's, else that of the one product in the set that names it.
    fn placed<T>(
        &mut self,
        unplaced: Unplaced<T>,
        said: Option<&DomainPath>,
        named: Option<DomainPath>,
    ) -> Option<Entry<T>> {
        let Unplaced { place, path, origin, document, model } = unplaced;
        let domain = match (said, &self.domain) {
            (Some(said), Some(given)) if said != given => {
                let message = format!("the document belongs to domain `{said}` but was applied to `{given}`");
                self.problems.push(at(&path, origin, "/domain", message));
                return None;
            }
            (Some(domain), _) | (None, Some(domain)) => Some(domain.clone()),
            (None, None) => named,
        };
        let Some(domain) = domain else {
            let message = "the document names no `domain`, and none was given for the set".to_owned();
            self.problems.push(at(&path, origin, "/domain", message));
            return None;
        };
        Some(Entry { place, path, origin, domain, document, model })
    }

    /// The domains of the products whose output ports name a contract, by its document id.
    fn naming_domains(&self) -> HashMap<String, Vec<DomainPath>> {
        let mut naming: HashMap<String, Vec<DomainPath>> = HashMap::new();
        for product in &self.products {
            for contract_id in product.model.output_ports.iter().filter_map(|port| port.contract_id.as_ref()) {
                let domains = naming.entry(contract_id.clone()).or_default();
                if !domains.contains(&product.domain) {
                    domains.push(product.domain.clone());
                }
            }
        }
        naming
    }

    /// The folders that the local servers name for each schema object.
    fn folders(&mut self, entry: &Entry<contract::Document>) -> Vec<Folder> {
        let mut folders: Vec<Folder> = Vec::new();
        let mut taken: BTreeMap<(String, Location), Name> = BTreeMap::new();
        for (n_server, server) in entry.model.servers.iter().enumerate() {
            let ServerKind::Local(local) = &server.kind else { continue };
            let pointer = format!("/servers/{n_server}/path");
            for object in &entry.model.objects {
                let Ok(name) = object.table_name() else { continue };
                if object.is_topic() {
                    continue;
                }
                let resolved = local.path.resolve(object).map_err(|error: BadLocalPath| error.to_string());
                let location: Result<Location, String> = resolved
                    .and_then(|path| path.parse().map_err(|error: domain::table::NotALocation| error.to_string()));
                let location = match location {
                    Ok(location) => location,
                    Err(message) => {
                        self.problems.push(entry.problem(pointer.as_str(), message));
                        continue;
                    }
                };
                if location.has_outer_blanks() {
                    let message = format!("a folder's name must not begin or end with a blank: `{location}`");
                    self.problems.push(entry.problem(pointer.as_str(), message));
                    continue;
                }
                let is_own = self.own.iter().any(|domain| location.lies_in(domain));
                if is_own && let Err(error) = self.lake.check_way(&location) {
                    self.problems.push(entry.problem(pointer.as_str(), error.to_string()));
                    continue;
                }
                let environment = server.environment.clone();
                if folders.iter().any(|other| other.object == name && other.environment == environment) {
                    let message = format!("`{}` has two local servers in environment `{environment}`", object.name);
                    self.problems.push(entry.problem(pointer.as_str(), message));
                    continue;
                }
                if let Some(other) = taken.insert((environment.clone(), location.clone()), name.clone()) {
                    let message = format!(
                        "`{other}` and `{name}` would be one table: use `{{model}}` in the path to tell them apart"
                    );
                    self.problems.push(entry.problem(pointer.as_str(), message));
                    continue;
                }
                folders.push(Folder { n_server, object: name, environment, location, format: local.format });
            }
        }
        folders
    }

    /// The topics of the Kafka servers, for each schema object that is one.
    fn topics(&mut self, entry: &Entry<contract::Document>) -> Vec<Topic> {
        let mut topics: Vec<Topic> = Vec::new();
        let kafka = |server: &&Server| matches!(&server.kind, ServerKind::Other(word) if word == "kafka");
        for server in entry.model.servers.iter().filter(kafka) {
            for (n_object, object) in entry.model.objects.iter().enumerate() {
                let Ok(name) = object.table_name() else { continue };
                let subject = match object.subject() {
                    Ok(Some(subject)) => subject,
                    Ok(None) => continue,
                    Err(error) => {
                        let pointer = format!("/schema/{n_object}/physicalName");
                        self.problems.push(entry.problem(pointer, error.to_string()));
                        continue;
                    }
                };
                let environment = server.environment.clone();
                if topics.iter().any(|other| other.environment == environment && other.subject == subject) {
                    let pointer = format!("/schema/{n_object}/physicalName");
                    let message = format!("two schema objects have the subject `{subject}` in `{environment}`");
                    self.problems.push(entry.problem(pointer, message));
                    continue;
                }
                topics.push(Topic { n_object, object: name, environment, subject });
            }
        }
        topics
    }
}

/// The domains with a role of the caller that they may plan documents in. The folders of other domains are not looked at
/// for them.
fn own_domains(ctx: &Ctx) -> Vec<DomainPath> {
    let mut own: Vec<DomainPath> = ctx.actor.standing.domain_roles.iter().map(|(path, _)| path.clone()).collect();
    own.sort_unstable();
    own.dedup();
    own.retain(|path| ctx.may(Action::Plan, &Resource::Domain(path)));
    own
}

/// Whether an output port of the product names the contract.
pub(super) fn names(product: &product::Document, contract_id: &str) -> bool {
    product.output_ports.iter().any(|port| port.contract_id.as_deref() == Some(contract_id))
}

fn at(document: &str, origin: Origin, pointer: impl Into<String>, message: impl Into<String>) -> Problem {
    Problem {
        document: document.to_owned(),
        line: None,
        column: None,
        path: pointer.into(),
        message: message.into(),
        origin: Some(origin),
    }
}
