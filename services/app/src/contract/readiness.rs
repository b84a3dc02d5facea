//! Whether a draft can become active: a function of its document, the other versions of its contract, and the facts that
//! [`ActivationFacts`] holds about its bindings, tables and overrides.

use std::collections::HashMap;

use domain::binding::{Binding, BindingVerdict, TopicBinding};
use domain::change::Proof;
use domain::contract::{self, Classification, GateMode, SERVING_ENVIRONMENT, SchemaObject, State, Wish};
use domain::id::SnapshotId;
use domain::overrides::{Override, judge_under};
use domain::quality::{RuleResult, Verdict};
use domain::table::{Snapshot, SnapshotState};
use store::{Seek, Tx};

use super::documents::parsed;
use super::judge::rule_set;
use super::proof;
use crate::ctx::App;
use crate::error::Error;
use crate::overrides::standing;
use crate::product_in_domain;

/// How many snapshots back the newest inspected one is searched: skipped ones lie between two inspections.
const N_SNAPSHOTS: u32 = 200;

/// What decides about activation beside the document and the versions.
#[derive(Debug)]
pub(crate) struct ActivationFacts {
    /// The overrides of the contract that were not signed by the version's publisher, valid or expired.
    overrides: Vec<Override>,
    /// The topics of the contract.
    topics: Vec<TopicBinding>,
    /// The tables bound in the serving environment, by the object's name in addresses.
    tables: HashMap<domain::name::Name, TableFacts>,
}

/// What is known of a bound table.
#[derive(Debug, Default)]
pub(crate) struct TableFacts {
    head: Option<SnapshotId>,
    /// The newest snapshot up to the head that was inspected. What came after the head counts no more: a table may have
    /// gone back to an earlier state.
    looked_at: Option<Snapshot>,
    /// The newest verdict by the version's rules, up to the head.
    verdict_up_to_head: Option<BindingVerdict>,
    /// The newest verdict by the version's rules.
    newest_verdict: Option<BindingVerdict>,
}

impl ActivationFacts {
    /// Loads the facts about a stored version.
    pub(crate) async fn load(
        app: &App,
        tx: &mut Tx,
        version: &contract::Version,
        document: &contract::Document,
    ) -> Result<Self, Error> {
        let contract = store::contract::get(tx, version.contract_id).await?;
        let product = product_in_domain::get(tx, contract.product_id).await?.product;
        let bindings = store::binding::list_of_major(tx, version.contract_id, version.version.major).await?;
        let topics = store::binding::list_topics_of_contracts(tx, &[version.contract_id]).await?;
        Self::load_for(app, tx, version, document, product.classification, &bindings, topics).await
    }

    /// Loads the facts about a version with these bindings of its major and topics of its contract, stored or not.
    pub(crate) async fn load_for(
        app: &App,
        tx: &mut Tx,
        version: &contract::Version,
        document: &contract::Document,
        product: Classification,
        bindings: &[Binding],
        topics: Vec<TopicBinding>,
    ) -> Result<Self, Error> {
        // An override does not count for a version that its own steward published.
        let overrides = standing::list_verified(app, tx, &[version.contract_id]).await?;
        let (overrides, _) = standing::split_by_signer(tx, version.document.published_by, overrides).await?;
        let mut tables = HashMap::new();
        for object in document.objects.iter().filter(|object| !object.is_topic()) {
            let Ok(name) = object.table_name() else { continue };
            let in_service = |binding: &&Binding| binding.environment == SERVING_ENVIRONMENT && binding.object == name;
            if let Some(binding) = bindings.iter().find(in_service) {
                let rules = rule_set(document, object, product).map_err(Error::internal)?;
                let table = TableFacts::load(tx, binding, &rules.hash).await?;
                tables.insert(name, table);
            }
        }
        Ok(Self { overrides, topics, tables })
    }

    /// The table that an object is bound to in the serving environment.
    pub(super) fn table_of(&self, object: &SchemaObject) -> Option<&TableFacts> {
        self.tables.get(&object.table_name().ok()?)
    }
}

impl TableFacts {
    async fn load(tx: &mut Tx, binding: &Binding, rule_hash: &str) -> Result<Self, Error> {
        let table = store::table::find(tx, binding.table_id).await?;
        let Some(head) = table.and_then(|table| table.head) else { return Ok(Self::default()) };
        let up_to = store::table::find_snapshot(tx, head).await?.map_or(0, |head| head.ordinal);
        let seek = Seek { after: Some(up_to.saturating_add(1)), limit: N_SNAPSHOTS };
        let snapshots = store::table::list_snapshots(tx, binding.table_id, &seek).await?;
        let is_inspected =
            |snapshot: &Snapshot| matches!(snapshot.state, SnapshotState::Inspected | SnapshotState::Error);
        let mut newest = store::binding::list_newest_verdicts(tx, binding.id, rule_hash, i64::MAX, 1).await?;
        let mut up_to_head = store::binding::list_newest_verdicts(tx, binding.id, rule_hash, up_to, 1).await?;
        Ok(Self {
            head: Some(head),
            looked_at: snapshots.items.into_iter().find(is_inspected),
            verdict_up_to_head: up_to_head.pop(),
            newest_verdict: newest.pop(),
        })
    }

    /// What the newest verdict measured, if it is about the head.
    pub(super) fn results_on_head(&self) -> &[RuleResult] {
        let on_head = self.newest_verdict.as_ref().filter(|verdict| Some(verdict.snapshot_id) == self.head);
        on_head.map_or(&[], |verdict| &verdict.results)
    }
}

/// Why a draft stays a draft now; empty if it can become active. A document that does not ask to be active holds its
/// version back until `activateVersion`.
pub(crate) fn reasons_to_wait(
    app: &App,
    facts: &ActivationFacts,
    siblings: &[contract::Version],
    version: &contract::Version,
    document: &contract::Document,
) -> Result<Vec<String>, Error> {
    let is_released = matches!(version.state, State::Draft { released_at: Some(_), .. });
    match &document.wish {
        Wish::Activate => obstacles(app, facts, siblings, version, document),
        Wish::Hold(_) | Wish::Deprecate | Wish::Retire if is_released => {
            obstacles(app, facts, siblings, version, document)
        }
        Wish::Hold(Some(word)) => Ok(vec![format!("the document's status is `{word}`: use `activateVersion`")]),
        Wish::Hold(None) | Wish::Deprecate | Wish::Retire => {
            Ok(vec!["the document's status is not `active`: use `activateVersion`".to_owned()])
        }
    }
}

/// Why a draft cannot become active now; empty if it can. `siblings` are all versions of the contract, as they are by
/// then. The reasons name no column, value or path: everyone who may know of the product reads them.
pub(crate) fn obstacles(
    app: &App,
    facts: &ActivationFacts,
    siblings: &[contract::Version],
    version: &contract::Version,
    document: &contract::Document,
) -> Result<Vec<String>, Error> {
    let mut reasons = Vec::new();
    let newer = siblings.iter().find(|other| {
        other.version.major == version.version.major
            && other.version > version.version
            && !matches!(other.state, State::Draft { .. } | State::Retired { .. })
    });
    if let Some(newer) = newer {
        reasons.push(format!("{} is already {}", newer.version, newer.state.as_str()));
    }
    // Versions that waited side by side were not compared when they were published; and what was accepted because the
    // data may prove it has to be proven now.
    let promised = siblings.iter().filter(|other| other.state.is_promised() && other.version < version.version);
    let promised = promised.map(|other| parsed(app, &other.document)).collect::<Result<Vec<_>, _>>()?;
    let promised: Vec<&contract::Document> = promised.iter().map(AsRef::as_ref).collect();
    let demanded = proof::demanded(document, &promised, &app.settings.comparison);
    let holding = proof::holding(document, facts, &demanded);
    // An override counts if it was valid when the version was published, or is valid now.
    let stood = |signed: &&Override| signed.stands(app.now()) || signed.stands(version.document.published_at);
    let overrides: Vec<&Override> = facts.overrides.iter().filter(stood).collect();
    let judge = |proofs: Vec<Proof>| {
        judge_under(document, &promised, &overrides, |promised| {
            proof::judge(document, &[], promised, proofs.clone(), &app.settings.comparison)
        })
    };
    if let Err(refused) = judge(holding) {
        reasons.push(match judge(demanded) {
            Ok(_) => {
                "its version number needs data proofs that have not succeeded: see the findings and the newest verdict"
                    .to_owned()
            }
            Err(_) => refused.to_string(),
        });
    }
    for object in &document.objects {
        if object.is_topic() {
            // What a topic's messages must look like is judged when a schema is registered.
            let is_bound = facts.topics.iter().any(|topic| {
                topic.major == version.version.major
                    && topic.environment == SERVING_ENVIRONMENT
                    && object.table_name().as_ref() == Ok(&topic.object)
            });
            if !is_bound {
                reasons.push(format!(
                    "the topic `{}` has no server of type `kafka` in environment `{SERVING_ENVIRONMENT}`",
                    object.name
                ));
            }
            continue;
        }
        let reason = match facts.table_of(object) {
            Some(table) => table_obstacle(table, document, object),
            None => Some(format!(
                "`{}` has no server of type `local` in environment `{SERVING_ENVIRONMENT}`, \
                 and no other kind of table can be bound",
                object.name
            )),
        };
        reasons.extend(reason);
    }
    Ok(reasons)
}

/// Why the table behind an object is not good enough.
fn table_obstacle(table: &TableFacts, document: &contract::Document, object: &SchemaObject) -> Option<String> {
    let name = &object.name;
    let Some(snapshot) = &table.looked_at else {
        return Some(format!("the table of `{name}` has not been inspected yet"));
    };
    if snapshot.state == SnapshotState::Error {
        return Some(format!("the table of `{name}` could not be inspected"));
    }
    let verdict = table.verdict_up_to_head.as_ref().filter(|verdict| verdict.snapshot_id == snapshot.id);
    let Some(verdict) = verdict else {
        return Some(format!("the table of `{name}` has not been inspected by this version's rules yet"));
    };
    let may_fail = document.settings.gate_mode == GateMode::Warn;
    match verdict.verdict {
        _ if !verdict.conforms => Some(format!("the table of `{name}` does not conform: see its verdict")),
        Verdict::Pass | Verdict::Warn => None,
        Verdict::Fail if may_fail => None,
        Verdict::Fail => Some(format!("the table of `{name}` breaks quality rules: see its verdict")),
        Verdict::Error => Some(format!("the rules of `{name}` could not all be measured: see its verdict")),
    }
}
