//! Reads what a decision depends on, at one stamp of revisions.

use std::collections::HashMap;
use std::sync::Arc;

use domain::binding::BindingVerdict;
use domain::clock::Timestamp;
use domain::contract::{self, Classification, ConformanceFinding, SchemaObject};
use domain::gate::served::{JudgedSnapshot, Snapshots};
use domain::gate::{self, ContractFacts, Detail, DetailRight, Facts, Visibility};
use domain::grant::Grant;
use domain::id::{SnapshotId, TableId};
use domain::identity::PurposeCode;
use domain::quality::{Measured, Outcome, RuleResult};
use domain::share::BindingRight;
use domain::table::{Snapshot, SnapshotState};
use domain::version::Version;
use policy::{Question, Resource};
use store::{Seek, Tx};

use crate::actor::{Actor, Standing};
use crate::cache::facts::{GateQuestion, LoadedFacts};
use crate::contract::RuleSet;
use crate::ctx::App;
use crate::error::Error;
use crate::paging::MAX_PAGE;
use crate::table::sharing::Sharing;
use crate::table::{address, head};
use crate::target::Target;

/// How many verdicts back the gate looks; the last good one is found however far back it is.
const N_JUDGED: u32 = 8;

/// Reads the facts. `None` if there is no such table for the caller.
pub(crate) async fn load(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    asked: &GateQuestion,
) -> Result<Option<LoadedFacts>, Error> {
    let now = app.now();
    // The caller's standing may be of an older revision than this transaction sees: read it again here.
    let standing = Arc::new(Standing::load(tx, &actor.principal, now).await?);
    let actor = Actor { standing, ..actor.clone() };
    let Some(target) = address::resolve(app, tx, &actor, &asked.address).await? else { return Ok(None) };
    let stamp = store::revision::stamp(tx, target.table.id).await?;
    let head = head::head(tx, target.table.id).await?;

    let snapshots = match &target.version {
        Some(version) => snapshots(app, tx, &target, version, head.as_ref()).await?,
        None => Snapshots::default(),
    };
    let asked_of = Asked { actor: &actor, target: &target, action: asked.action, purpose: asked.purpose };
    let right = of_right(app, tx, &asked_of, now).await?;
    let contract = match &target.version {
        Some(version) => {
            let document = crate::contract::parsed(app, &version.document)?;
            let object = document.find_object(&target.binding.object);
            let freshness = object.and_then(|object| document.freshness(object));
            ContractFacts { settings: document.settings.clone(), freshness, ..right.contract }
        }
        None => right.contract,
    };
    let standing = actor.standing.grants.iter().filter(|grant| target.port_majors.contains(&grant.port_major));
    let mut grants: Vec<Grant> = standing.cloned().collect();
    if grants.is_empty() {
        // Only to tell why there is none.
        for port_major in &target.port_majors {
            grants.extend(store::grant::find_newest_for_port(tx, asked.principal_id, port_major).await?);
        }
    }
    let edges = grants.iter().flat_map(|grant| [grant.window.from, grant.window.until]);
    let switch = target.known.domain.switch_at;
    let good_until = edges.chain(switch).filter(|edge| *edge > now).min().unwrap_or(Timestamp(i64::MAX));
    let principal_enabled = right.principal_enabled && actor.token_is_valid(tx).await?;
    let facts = Facts { principal_enabled, contract, grants, snapshots, ..right };
    Ok(Some(LoadedFacts { target, facts, head: head.map(|head| head.key), stamp, good_until }))
}

/// What is asked about a table, and by whom.
pub(crate) struct Asked<'a> {
    pub(crate) actor: &'a Actor,
    pub(crate) target: &'a Target,
    pub(crate) action: gate::Action,
    pub(crate) purpose: Option<PurposeCode>,
}

/// The facts that the right to a table hangs on, for decisions and for open leases alike: without grants, without
/// snapshots, and without what the contract's document says about them.
pub(crate) async fn of_right(app: &App, tx: &mut Tx, asked: &Asked<'_>, now: Timestamp) -> Result<Facts, Error> {
    let Asked { actor, target, .. } = asked;
    let product = &target.known.product;
    let sharing = Sharing::load(app, tx, &target.table).await?;
    let (binding, classification) = match &sharing {
        Some(sharing) => (sharing.right_of(product.id), sharing.classification(product)),
        None => (BindingRight::Stands, product.classification),
    };
    let question = Question {
        caller: &actor.caller(),
        action: asked.action.into(),
        resource: &target.resource_as(classification),
        purpose: asked.purpose,
    };
    let policy = app.policy.decide(&question);
    let role_grants = app.policy.reads_by_role(&question, &policy);
    let version = target.version.as_ref();
    let draft = Version { major: target.binding.major, minor: 0, patch: 0 };
    Ok(Facts {
        principal_enabled: actor.standing.enabled,
        visibility: visibility(app, actor, target, classification),
        policy,
        product_served: product.state.serves(),
        contract: ContractFacts {
            version: version.map_or(draft, |version| version.version),
            state: version.map_or(contract::State::NEW, |version| version.state.clone()),
            settings: contract::Settings::default(),
            freshness: None,
        },
        enforcement: target.known.domain.enforcement_at(now),
        role_grants,
        grants: Vec::new(),
        snapshots: Snapshots::default(),
        binding,
        location_is_its_own: store::table::find_overlapping(tx, &target.table.location, Some(target.table.id))
            .await?
            .is_none(),
    })
}

/// The target was found by what the caller may know of the product; a shared table may be classified higher.
fn visibility(app: &App, actor: &Actor, target: &Target, classification: Classification) -> Visibility {
    let product = target.known.policy();
    let as_if = policy::Product { classification, ..product };
    match classification == product.classification
        || app.allows(actor, policy::Action::ViewProduct, &Resource::Product(as_if))
    {
        true => Visibility::Established,
        false => Visibility::Classified,
    }
}

async fn snapshots(
    app: &App,
    tx: &mut Tx,
    target: &Target,
    version: &contract::Version,
    head: Option<&Snapshot>,
) -> Result<Snapshots, Error> {
    let document = crate::contract::parsed(app, &version.document)?;
    let Some(object) = document.find_object(&target.binding.object) else {
        return Ok(Snapshots::default());
    };
    let rules = crate::contract::rule_set(&document, object, target.product().classification);
    let rules = rules.map_err(Error::internal)?;
    let binding_id = target.binding.id;
    let up_to = head.map_or(i64::MAX, |head| head.ordinal);
    let mut verdicts = store::binding::list_newest_verdicts(tx, binding_id, &rules.hash, up_to, N_JUDGED).await?;
    if let Some(good) = store::binding::find_last_good_verdict(tx, binding_id, &rules.hash, up_to).await?
        && !verdicts.iter().any(|verdict| verdict.id == good.id)
    {
        verdicts.push(good);
    }
    let ids: Vec<SnapshotId> = verdicts.iter().map(|verdict| verdict.snapshot_id).collect();
    let found = store::table::list_snapshots_by_ids(tx, &ids).await?.into_iter();
    // Whose files were collected cannot be served: it counts as not inspected.
    let collected = |snapshot: &Snapshot| snapshot.found.as_ref().is_some_and(|found| found.file_list.is_none());
    let found: HashMap<_, _> = found.filter(|found| !collected(found)).map(|found| (found.id, found)).collect();
    verdicts.retain(|verdict| found.contains_key(&verdict.snapshot_id));
    let head_judged = head.is_some_and(|head| verdicts.iter().any(|verdict| verdict.snapshot_id == head.id));
    let pending = head.filter(|head| !head_judged && head.state == SnapshotState::Pending);
    let head_pending_since = match pending {
        Some(head) => {
            let newest_judged = found.values().map(|snapshot| snapshot.ordinal).max().unwrap_or(0);
            Some(oldest_after(tx, target.table.id, newest_judged, head).await?)
        }
        None => None,
    };
    let judged = verdicts
        .into_iter()
        .filter_map(|verdict| {
            let snapshot = found.get(&verdict.snapshot_id)?;
            let committed_at = snapshot.found.as_ref().map_or(snapshot.noticed_at, |found| found.committed_at);
            Some(JudgedSnapshot {
                snapshot_id: snapshot.id,
                committed_at,
                verdict: verdict.verdict,
                conforms: verdict.conforms,
                readable: snapshot.found.is_some(),
                conformance: conformance(&document, object, &rules, &verdict, snapshot),
                findings: findings(object, &verdict, snapshot),
            })
        })
        .collect();
    Ok(Snapshots { judged, head_pending_since, head_noticed_at: pending.map(|head| head.noticed_at) })
}

/// When the oldest snapshot after an ordinal was noticed, as far back as one page goes.
async fn oldest_after(tx: &mut Tx, table_id: TableId, ordinal: i64, head: &Snapshot) -> Result<Timestamp, Error> {
    let page = store::table::list_snapshots(tx, table_id, &Seek::first(MAX_PAGE)).await?;
    let after = page.items.iter().filter(|snapshot| snapshot.ordinal > ordinal);
    Ok(after.map(|snapshot| snapshot.noticed_at).min().unwrap_or(head.noticed_at))
}

/// How a snapshot's columns differ from the contract; each column is named to those who may know of its classification.
fn conformance(
    document: &contract::Document,
    object: &SchemaObject,
    rules: &RuleSet,
    verdict: &BindingVerdict,
    snapshot: &Snapshot,
) -> Vec<Detail> {
    let Some(found) = snapshot.found.as_ref().filter(|_| !verdict.conformance.is_empty()) else { return Vec::new() };
    let findings = domain::contract::conformance(document, object, &found.schema, rules.closed);
    let detail = |finding: ConformanceFinding| Detail {
        right: match finding.column.0.is_empty() {
            true => DetailRight::Quality,
            false => DetailRight::Column(object.classification_of(&finding.column)),
        },
        text: finding.to_string(),
    };
    findings.into_iter().map(detail).collect()
}

/// Which rules do not hold: their names and counts are for every reader of the quality page who may know of the columns
/// that they look at; what the engine said and the number that a query gave may hold values and paths and are for owners
/// and stewards.
fn findings(object: &SchemaObject, verdict: &BindingVerdict, snapshot: &Snapshot) -> Vec<Detail> {
    let mut details: Vec<Detail> = verdict.results.iter().flat_map(|result| broken(object, result)).collect();
    details.extend(snapshot.error.iter().map(|text| Detail { right: DetailRight::Owner, text: text.clone() }));
    details
}

fn broken(object: &SchemaObject, result: &RuleResult) -> Vec<Detail> {
    let rule = &result.rule;
    let columns = rule.check.iter().flat_map(|check| check.columns());
    let most_secret = match rule.measures_values() {
        true => Some(object.classification()),
        false => columns.map(|column| object.classification_of(column)).max(),
    };
    let right = most_secret.map_or(DetailRight::Quality, DetailRight::Column);
    let quality = |text: String| Detail { right, text };
    let owner = |text: String| Detail { right: DetailRight::Owner, text };
    match (&result.measured, result.outcome()) {
        (Measured::Value(value), Outcome::Fail) if rule.measures_values() => vec![
            quality(format!("{} `{}`: {} does not hold", rule.severity, rule.key, rule.title)),
            owner(format!("`{}` measured {value} {}", rule.key, rule.unit)),
        ],
        (Measured::Value(value), Outcome::Fail) => {
            vec![quality(format!("{} `{}`: {} measured {value} {}", rule.severity, rule.key, rule.title, rule.unit))]
        }
        (Measured::Error(why), Outcome::Error) => {
            vec![quality(format!("`{}` could not be measured", rule.key)), owner(format!("`{}`: {why}", rule.key))]
        }
        (Measured::Value(_), Outcome::Pass | Outcome::Error | Outcome::NotRun)
        | (Measured::Error(_), Outcome::Pass | Outcome::Fail | Outcome::NotRun)
        | (Measured::NotRun, Outcome::Pass | Outcome::Fail | Outcome::Error | Outcome::NotRun) => Vec::new(),
    }
}
