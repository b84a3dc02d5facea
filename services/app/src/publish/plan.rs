//! What a set changes, as a value: a function of the set, of what is registered, and of what its products hold.
//!
//! [`Plan`] is what `plan` reports and what `apply` executes; [`super::write`] executes it. Planning takes two steps, since
//! whether a draft can become active depends on verdicts by its own rules: [`Planner::documents`] plans everything that
//! the documents say, then [`Planner::activations`] plans what becomes active by it.

mod bind;
mod product;
mod prune;
mod share;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::binding::{Binding, TopicBinding};
use domain::clock::Timestamp;
use domain::contract::{self, Classification, Contract, State};
use domain::document::StoredDocument;
use domain::grant::PortMajor;
use domain::id::{BindingId, ContractId, ContractVersionId, ProductId, TableId};
use domain::product::{Port, Product};
use domain::registry::Subject;
use domain::share::Share;
use domain::table::{Location, Table};
use domain::version::Version;
use policy::Action;
use store::Tx;

use super::holdings::Holdings;
use super::model::{ChangeKind, DocumentChange, DocumentKind, DocumentSet, Problem, Report};
use super::state::PublishState;
use super::versions::{JudgedContract, JudgedSet, JudgedVersion, Step};
use crate::contract::{ActivationFacts, reasons_to_wait};
use crate::ctx::Ctx;
use crate::error::{Conflict, Error};
use crate::table::sharing::Sharing;

/// What a set changes, and how that is reported.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The changes, in the order of their execution.
    pub(super) changes: Vec<Change>,
    /// Tables to be inspected.
    pub(super) inspect: BTreeSet<TableId>,
    /// What is reported of it.
    pub(super) report: Report,
}

/// One change to what is registered. Each carries its record and its event with it.
#[derive(Debug)]
pub(super) enum Change {
    /// A new product with its document.
    AddProduct(Product, StoredDocument),
    /// A product's new document, and the product as it is then.
    ReplaceProduct { product: Product, document: StoredDocument, seen: Timestamp },
    /// A product whose classification follows from the set, without a document of its own.
    UpdateProduct { product: Product, seen: Timestamp },
    /// A product has another classification by the change before this one.
    Reclassify(Product),
    /// A product that a pruned set does not hold any more.
    RetireProduct { product: Product, seen: Timestamp },
    /// A contract without versions.
    AddContract(Contract),
    /// A version; the text is for the record.
    AddVersion(contract::Version, String),
    /// The document of a version that stays a draft; the text is for the record.
    ReplaceDraft { version: contract::Version, seen: String, what: String },
    /// A version's state.
    Transition { version: contract::Version, state: State, kind: Transition },
    /// A draft's reasons to wait.
    Wait { version: contract::Version, state: State },
    /// A table at a folder that had none.
    AddTable(Table),
    /// The end of a binding, and of its table if nothing else is bound to it.
    Unbind(BindingId, TableId),
    /// An object's table.
    Bind(Binding),
    /// The end of the bindings that other contracts have to a topic, and of its release.
    TakeTopicOver(Subject, ContractId),
    /// The rights of all products that are bound to a table, by consent of the caller; the text is for the record.
    Share { table_id: TableId, shares: Vec<Share>, what: String },
    /// An object's topic.
    BindTopic(TopicBinding),
    /// The contract behind a major of an output port.
    TiePort(Port),
    /// The notices to the readers of the majors that a major succeeds, as far as they are missing.
    OpenNotices(ContractId, u64),
}

/// A transition of a contract version, and whose act it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transition {
    /// By the caller.
    Deprecate,
    /// By the caller. The notices about a major that ends by it are closed.
    Retire,
    /// By the server, since a successor becomes active.
    Supersede,
    /// By the server, since nothing stands in the way.
    Activate,
}

/// Plans a set, or reports every problem of it at once.
pub(super) async fn plan(
    ctx: &Ctx,
    tx: &mut Tx,
    command: &DocumentSet,
    state: &PublishState,
    set: &JudgedSet,
    action: Action,
) -> Result<Result<Plan, Vec<Problem>>, Error> {
    let holdings = Holdings::load(ctx, tx, state, set).await?;
    let mut planner = Planner::new(ctx, state, &holdings, action);
    planner.documents(command, set)?;
    if !planner.problems.is_empty() {
        return Ok(Err(planner.problems));
    }
    let mut facts = Vec::with_capacity(planner.drafts.len());
    for draft in &planner.drafts {
        facts.push(planner.load_facts(tx, draft).await?);
    }
    planner.activations(&facts)?;
    Ok(Ok(planner.done()))
}

struct Planner<'a> {
    ctx: &'a Ctx,
    state: &'a PublishState,
    holdings: &'a Holdings,
    action: Action,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    plan: Plan,
    /// What each document changes, with its place in the set.
    reported: Vec<(usize, DocumentChange)>,
    removed: Vec<DocumentChange>,
    drafts: Vec<Draft<'a>>,
    /// Majors of contracts that ports of the set are tied to.
    tied: Vec<(ContractId, u64)>,
    classifications: HashMap<ProductId, Classification>,
    /// The versions of the set's contracts as planned so far, the oldest first.
    versions: HashMap<ContractId, Vec<contract::Version>>,
    /// The bindings of the set's contracts as planned so far.
    bindings: HashMap<ContractId, Vec<Binding>>,
    topics: HashMap<ContractId, Vec<TopicBinding>>,
    /// The contracts to which the set binds a subject.
    subjects: HashMap<Subject, ContractId>,
    /// Tables that are registered by the plan, and those that end by it.
    new_tables: BTreeMap<Location, Table>,
    ended_tables: HashSet<TableId>,
    unbound: HashSet<BindingId>,
    /// The products that are bound to tables of the set, as planned so far.
    sharing: HashMap<TableId, Sharing>,
    /// The products that the set retires.
    retiring: HashSet<ProductId>,
    /// The set's products as planned.
    planned_products: HashMap<ProductId, Product>,
    /// The products of all contracts that are registered in the set's domains or by it.
    product_of: HashMap<ContractId, ProductId>,
}

/// A version that stays a draft as far as its document goes.
struct Draft<'a> {
    id: ContractVersionId,
    contract: &'a JudgedContract,
    document: &'a contract::Document,
    /// The place of what is reported of it.
    reported: usize,
}

impl<'a> Planner<'a> {
    fn new(ctx: &'a Ctx, state: &'a PublishState, holdings: &'a Holdings, action: Action) -> Self {
        Self {
            ctx,
            state,
            holdings,
            action,
            problems: Vec::new(),
            warnings: Vec::new(),
            plan: Plan::default(),
            reported: Vec::new(),
            removed: Vec::new(),
            drafts: Vec::new(),
            tied: Vec::new(),
            classifications: HashMap::new(),
            versions: HashMap::new(),
            bindings: HashMap::new(),
            topics: HashMap::new(),
            subjects: HashMap::new(),
            new_tables: BTreeMap::new(),
            ended_tables: HashSet::new(),
            unbound: HashSet::new(),
            sharing: holdings.sharing.clone(),
            retiring: HashSet::new(),
            planned_products: HashMap::new(),
            product_of: HashMap::new(),
        }
    }

    /// Everything that the documents of the set say, in the order: products, contracts with their versions and bindings,
    /// ports, what is pruned.
    fn documents(&mut self, command: &DocumentSet, set: &'a JudgedSet) -> Result<(), Error> {
        self.classifications = self.classify(set)?;
        self.products(set)?;
        self.retiring = self.retiring(command, set)?;
        let stored = self.state.domains.values().flat_map(|domain| domain.contracts());
        let contracts = stored.chain(set.contracts.iter().map(|judged| &judged.contract));
        self.product_of = contracts.map(|contract| (contract.id, contract.product_id)).collect();
        for contract in &set.contracts {
            self.contract(contract)?;
        }
        self.ports(set)?;
        if command.prune {
            self.prune(command, set)?;
        }
        Ok(())
    }

    fn done(self) -> Plan {
        let Self { mut plan, mut reported, removed, warnings, .. } = self;
        reported.sort_by_key(|(place, _)| *place);
        plan.report.changes = reported.into_iter().map(|(_, change)| change).chain(removed).collect();
        plan.report.warnings = warnings;
        plan
    }

    fn contract(&mut self, judged: &'a JudgedContract) -> Result<(), Error> {
        let contract = &judged.contract;
        if judged.is_new {
            self.plan.changes.push(Change::AddContract(contract.clone()));
        }
        let versions = self.state.domain(&judged.domain)?.versions_of(contract.id).to_vec();
        self.versions.insert(contract.id, versions);
        self.bindings.insert(contract.id, self.holdings.bindings.get(&contract.id).cloned().unwrap_or_default());
        self.topics.insert(contract.id, self.holdings.topics.get(&contract.id).cloned().unwrap_or_default());
        for version in &judged.versions {
            let (change, state) = self.version(version);
            if version.binds() {
                self.bind(judged, version)?;
                self.bind_topics(judged, version);
            }
            let document = &version.entry.model.contract;
            if let State::Draft { .. } = state {
                let (id, reported) = (version.step.version().id, self.reported.len());
                self.drafts.push(Draft { id, contract: judged, document, reported });
            }
            self.reported.push((
                version.entry.place,
                DocumentChange {
                    kind: DocumentKind::Contract,
                    document: version.entry.path.clone(),
                    name: document.document_id.clone(),
                    version: Some(document.version),
                    change,
                    state: state.as_str().to_owned(),
                    findings: version.findings.clone(),
                    breaking: version.breaking.clone(),
                    bump: version.bump,
                    reasons: Vec::new(),
                },
            ));
        }
        self.renew(judged)
    }

    /// Plans one version. Gives what happens to it and its state.
    fn version(&mut self, judged: &JudgedVersion) -> (ChangeKind, State) {
        let document = &judged.entry.model.contract;
        match &judged.step {
            Step::Add(version) => {
                self.versions.entry(version.contract_id).or_default().push(version.clone());
                self.plan.changes.push(Change::AddVersion(version.clone(), what_is_published(judged)));
                (ChangeKind::Added, version.state.clone())
            }
            Step::Replace(version, only_status) => {
                let seen = version.document.digest.clone();
                // The status of the new document counts again, even if the former one was released.
                let state = match version.state.clone() {
                    State::Draft { reasons, .. } => State::Draft { reasons, released_at: None },
                    state @ (State::Active { .. }
                    | State::Superseded { .. }
                    | State::Deprecated { .. }
                    | State::Retired { .. }) => state,
                };
                let new = contract::Version { state, document: judged.entry.document.clone(), ..version.clone() };
                self.put(new.clone());
                let what = what_is_published(judged);
                self.plan.changes.push(Change::ReplaceDraft { version: new, seen, what });
                let change = if *only_status { ChangeKind::Transition } else { ChangeKind::Changed };
                (change, version.state.clone())
            }
            Step::Deprecate(version) => {
                let state = version.state.clone().deprecate(self.ctx.now(), document.end_of_support());
                // Service ends no sooner than an open notice promises.
                let told = self.holdings.deadlines.get(&(version.contract_id, version.version.major)).copied();
                let state = state.map(|state| told.into_iter().fold(state, State::serve_until));
                (ChangeKind::Transition, self.transition_or_problem(judged, version, state, Transition::Deprecate))
            }
            Step::Retire(version) => {
                let state = version.state.clone().retire(self.ctx.now());
                (ChangeKind::Transition, self.transition_or_problem(judged, version, state, Transition::Retire))
            }
            Step::Keep(version) => (ChangeKind::Unchanged, version.state.clone()),
        }
    }

    fn transition_or_problem(
        &mut self,
        judged: &JudgedVersion,
        version: &contract::Version,
        state: Result<State, impl std::fmt::Display>,
        kind: Transition,
    ) -> State {
        match state {
            Ok(state) => {
                self.transition(version.clone(), state.clone(), kind);
                state
            }
            Err(wrong) => {
                self.problems.push(judged.entry.problem("/status", wrong.to_string()));
                version.state.clone()
            }
        }
    }

    fn transition(&mut self, version: contract::Version, state: State, kind: Transition) {
        self.put(contract::Version { state: state.clone(), ..version.clone() });
        self.plan.changes.push(Change::Transition { version, state, kind });
    }

    /// Remembers a version as it is planned.
    fn put(&mut self, version: contract::Version) {
        let versions = self.versions.get_mut(&version.contract_id).into_iter().flatten();
        if let Some(known) = versions.into_iter().find(|known| known.id == version.id) {
            *known = version;
        }
    }

    /// Ties the ports of the set's products (`docs/rules.md`, "Names and states"). A tie that was made stays.
    fn ports(&mut self, set: &JudgedSet) -> Result<(), Error> {
        let in_set: HashMap<(ProductId, &str), &JudgedContract> = set
            .contracts
            .iter()
            .map(|judged| ((judged.contract.product_id, judged.contract.document_id.as_str()), judged))
            .collect();
        for document in &set.products {
            let domain = self.state.domain(&document.entry.domain)?;
            for (n_port, port) in document.entry.model.output_ports.iter().enumerate() {
                let port_major =
                    PortMajor { product_id: document.new.id, port: port.name.clone(), major: port.version.major };
                let Some(document_id) = &port.contract_id else {
                    let message = format!("port `{}` names no contract, so nothing can be read through it", port.name);
                    self.warnings.push(document.entry.problem(format!("/outputPorts/{n_port}"), message));
                    continue;
                };
                if domain.ports.contains_key(&port_major) {
                    continue;
                }
                let in_set = in_set.get(&(document.new.id, document_id.as_str())).copied();
                let contract = in_set.map(|judged| &judged.contract);
                let contract = contract.or_else(|| domain.find_contract(document.new.id, document_id));
                let contract = contract.ok_or_else(|| Error::internal("a port's contract was not resolved"))?;
                let stored = domain.versions_of(contract.id).iter().map(|version| version.version);
                let added = in_set.into_iter().flat_map(|judged| &judged.versions);
                let added = added.map(|judged| judged.step.version().version);
                let versions: Vec<Version> = stored.chain(added).collect();
                let Some(contract_major) = tied_major(&versions, port_major.major) else { continue };
                self.plan.changes.push(Change::TiePort(Port { port_major, contract_id: contract.id, contract_major }));
                self.tied.push((contract.id, contract_major));
            }
        }
        Ok(())
    }

    async fn load_facts(&self, tx: &mut Tx, draft: &Draft<'_>) -> Result<ActivationFacts, Error> {
        let contract = &draft.contract.contract;
        let version = self.version_of(draft)?;
        let bindings = self.bindings.get(&contract.id).into_iter().flatten();
        let bindings: Vec<Binding> =
            bindings.filter(|binding| binding.major == version.version.major).cloned().collect();
        let topics = self.topics.get(&contract.id).cloned().unwrap_or_default();
        let classification = self.classifications.get(&contract.product_id).copied().unwrap_or_default();
        let app = &self.ctx.app;
        ActivationFacts::load_for(app, tx, version, draft.document, classification, &bindings, topics).await
    }

    fn version_of(&self, draft: &Draft<'_>) -> Result<&contract::Version, Error> {
        let versions = self.versions.get(&draft.contract.contract.id).into_iter().flatten();
        let mut planned = versions.into_iter().filter(|version| version.id == draft.id);
        planned.next().ok_or_else(|| Error::internal("a draft was not planned"))
    }

    /// What becomes active, now that everything is bound. A port that is tied to an active major may have readers of older
    /// majors, who get a notice.
    fn activations(&mut self, facts: &[ActivationFacts]) -> Result<(), Error> {
        let drafts = std::mem::take(&mut self.drafts);
        for (draft, facts) in drafts.iter().zip(facts) {
            self.activation(draft, facts)?;
        }
        for (contract_id, major) in std::mem::take(&mut self.tied) {
            self.plan.changes.push(Change::OpenNotices(contract_id, major));
        }
        Ok(())
    }

    fn activation(&mut self, draft: &Draft<'_>, facts: &ActivationFacts) -> Result<(), Error> {
        let version = self.version_of(draft)?.clone();
        let siblings = self.versions.get(&version.contract_id).cloned().unwrap_or_default();
        let State::Draft { reasons: known, released_at } = &version.state else { return Ok(()) };
        let reasons = reasons_to_wait(&self.ctx.app, facts, &siblings, &version, draft.document)?;
        let change = &mut self.reported[draft.reported].1;
        if !reasons.is_empty() {
            change.reasons.clone_from(&reasons);
            if *known != reasons {
                let state = State::Draft { reasons, released_at: *released_at };
                self.put(contract::Version { state: state.clone(), ..version.clone() });
                self.plan.changes.push(Change::Wait { version, state });
            }
            return Ok(());
        }
        let now = self.ctx.now();
        let wrong = |wrong: contract::WrongState| Error::from(Conflict::WrongState(wrong));
        // First the others: a major has one active version at any moment.
        for other in siblings {
            if other.state.is_promised() && other.version.major == version.version.major {
                let state = other.state.clone().supersede(now).map_err(wrong)?;
                self.transition(other, state, Transition::Supersede);
            }
        }
        let (contract_id, major) = (version.contract_id, version.version.major);
        let state = version.state.clone().activate(now).map_err(wrong)?;
        self.reported[draft.reported].1.state = state.as_str().to_owned();
        self.transition(version, state, Transition::Activate);
        self.plan.changes.push(Change::OpenNotices(contract_id, major));
        Ok(())
    }
}

/// What the record of a published version says.
fn what_is_published(judged: &JudgedVersion) -> String {
    let contract = &judged.entry.model.contract;
    let mut what = format!("{} {}", contract.document_id, contract.version);
    for id in &judged.overrides {
        what = format!("{what}, its number accepted by the override {id}");
    }
    what
}

/// The contract's major that a port's major is tied to: the one of the same number if it has one, else its newest.
fn tied_major(versions: &[Version], port_major: u64) -> Option<u64> {
    let majors = versions.iter().map(|version| version.major);
    let same = majors.clone().find(|major| *major == port_major);
    same.or_else(|| majors.max())
}
