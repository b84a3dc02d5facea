//! Inspecting a table's head: the server leases itself the table, an [`domain::inspection::Inspector`] looks at one snapshot,
//! and what it found is judged here for every binding, by the rules of every version that waits or is in force.

pub(crate) mod counts;
mod queue;

use std::sync::Arc;

use domain::binding::{Binding, BindingVerdict};
use domain::column_reads::{ChunkMap, FileChunks};
use domain::contract::{Document, State};
use domain::gate::served::Snapshots;
use domain::gate::{self, Action, ContractFacts, Facts, Request, Visibility};
use domain::grant::PortMajor;
use domain::id::{ContractVersionId, DecisionId, LeaseId, PrincipalId, SnapshotId, TableId, VerdictId};
use domain::identity::PrincipalKind;
use domain::inspection::{Inspection, InspectionError, InspectionJob, Kept};
use domain::lease::Lease;
use domain::quality::{Measured, RuleResult, Verdict};
use domain::share::BindingRight;
use domain::storage::WorkerRoot;
use domain::table::{Inspected, PinnedFile, Snapshot, SnapshotKey, SnapshotState, Table};
use policy::{Caller, Party, Question, Resource};
use store::{Lock, Tx};

pub use self::queue::{QueuedInspection, list_queue};
use crate::audit::{self, Event, ResourceKind};
use crate::contract::{self, RuleSet};
use crate::ctx::App;
use crate::data_dir::{DataDir, Keeping};
use crate::error::Error;
use crate::failpoint;
use crate::jobs::queue as jobs;
use crate::lease::file_list::{self, FileList, ListedFile, Place};
use crate::product_in_domain::{self, ProductInDomain};
use crate::table::head;
use crate::table::sharing::{self, Sharing};

/// A binding, and one set of rules that its snapshots are to be judged by.
struct Judge {
    binding: Binding,
    known: ProductInDomain,
    port_majors: Vec<PortMajor>,
    version_id: ContractVersionId,
    is_draft: bool,
    contract: Arc<Document>,
    rules: RuleSet,
}

/// Inspects the head of a table for the bindings that have no verdict on it by the rules in question, or for all of them.
///
/// # Errors
/// Those that say nothing of the table, such as a database that is away. What is wrong with the table is a verdict.
pub(crate) async fn inspect(app: &Arc<App>, table_id: TableId, again: bool) -> Result<(), Error> {
    let (table, head, mut judges) = {
        let mut tx = app.db.read().await?;
        let table = store::table::get(&mut tx, table_id).await?;
        let judges = judges(app, &mut tx, &table).await?;
        (table, head::head(&mut tx, table_id).await?, judges)
    };
    let Some(head) = head else {
        // Nothing was noticed yet: a look notices the head and puts this job in line again.
        if let Err(error) = head::look(app, &table).await? {
            tracing::info!(table.id = %table_id, %error, "table not inspected");
        }
        return Ok(());
    };
    // For all bindings: the list of an inspection for one of them replaces that of the others.
    let digests = judges.iter().any(|judge| judge.rules.digests);
    // A snapshot that could not be inspected may be able to now: its verdicts say nothing of the data. One whose files
    // were collected needs them again.
    let has_files = head.found.as_ref().is_some_and(|found| found.file_list.is_some());
    if !again && head.state != SnapshotState::Error && has_files {
        judges = without_verdict(app, judges, head.id).await?;
    }
    if judges.is_empty() {
        return activate(app, table_id).await;
    }

    let lease = lease_table(app, &table, &judges).await?;
    let found = match &lease {
        Some(_) => run(app, &table, &head, &judges, digests, again).await?,
        None => Err(InspectionError::NotStarted("the gate refused the inspection".to_owned())),
    };
    store_outcome(app, &table, &head, &judges, found, lease).await
}

/// The bindings of a table with the rules that matter: of the current version, and of every draft that waits.
async fn judges(app: &App, tx: &mut Tx, table: &Table) -> Result<Vec<Judge>, Error> {
    let mut judges = Vec::new();
    let sharing = Sharing::load(app, tx, table).await?;
    for binding in store::binding::list_of_table(tx, table.id).await? {
        let contract = store::contract::get(tx, binding.contract_id).await?;
        // A suspended binding gets no verdicts.
        let right = sharing.as_ref().map_or(BindingRight::Stands, |sharing| sharing.right_of(contract.product_id));
        if right != BindingRight::Stands {
            continue;
        }
        let known = product_in_domain::get(tx, contract.product_id).await?;
        let ports = store::product::list_ports_of_contracts(tx, &[contract.id]).await?;
        let leading = ports.into_iter().filter(|port| port.contract_major == binding.major);
        let port_majors: Vec<PortMajor> = leading.map(|port| port.port_major).collect();
        for version in store::contract::list_versions_of_contracts(tx, &[contract.id]).await? {
            let is_draft = matches!(version.state, State::Draft { .. });
            let matters = is_draft || version.state.is_promised();
            if version.version.major != binding.major || !matters {
                continue;
            }
            let document = contract::parsed(app, &version.document)?;
            let Some(rules) = contract::rule_set_of(&document, &binding.object, known.product.classification)? else {
                continue;
            };
            judges.push(Judge {
                binding: binding.clone(),
                known: known.clone(),
                port_majors: port_majors.clone(),
                version_id: version.id,
                is_draft,
                contract: document,
                rules,
            });
        }
    }
    Ok(judges)
}

async fn without_verdict(app: &App, judges: Vec<Judge>, head: SnapshotId) -> Result<Vec<Judge>, Error> {
    let mut tx = app.db.read().await?;
    let verdicts = store::binding::list_verdicts_of_snapshots(&mut tx, &[head]).await?;
    let judged = |judge: &Judge| {
        verdicts.iter().any(|verdict| verdict.binding_id == judge.binding.id && verdict.rule_hash == judge.rules.hash)
    };
    Ok(judges.into_iter().filter(|judge| !judged(judge)).collect())
}

/// Leases the table to a principal that lives only for this job. The gate is asked like for everybody else.
async fn lease_table(app: &App, table: &Table, judges: &[Judge]) -> Result<Option<Lease>, Error> {
    let Some(first) = judges.first() else { return Ok(None) };
    let principal_id = PrincipalId::new(app.clock.as_ref(), app.random.as_ref());
    let caller = Caller {
        principal: Party { id: principal_id, kind: PrincipalKind::Inspector },
        platform_roles: &[],
        domain_roles: &[],
        grants: &[],
        limited: false,
    };
    let product = first.known.policy();
    let resource = Resource::Binding { id: first.binding.id, product, port_majors: &first.port_majors };
    let question = Question { caller: &caller, action: policy::Action::Inspect, resource: &resource, purpose: None };
    let now = app.now();

    let mut tx = app.db.write(Lock::FactsShared).await?;
    let facts = Facts {
        principal_enabled: true,
        visibility: Visibility::Established,
        policy: app.policy.decide(&question),
        product_served: first.known.product.state.serves(),
        contract: ContractFacts {
            version: first.contract.version,
            state: State::NEW,
            settings: first.contract.settings.clone(),
            freshness: None,
        },
        enforcement: first.known.domain.enforcement_at(now),
        role_grants: false,
        grants: Vec::new(),
        snapshots: Snapshots::default(),
        binding: sharing::right_of_binding(app, &mut tx, table, first.binding.id).await?,
        location_is_its_own: store::table::find_overlapping(&mut tx, &table.location, Some(table.id)).await?.is_none(),
    };
    let request = Request {
        decision_id: DecisionId::new(app.clock.as_ref(), app.random.as_ref()),
        principal_id,
        action: Action::Inspect,
        binding_id: first.binding.id,
        table_id: table.id,
        purpose: None,
        lifetime: None,
        now,
    };
    let decision = gate::decide(&request, &facts);
    let event = Event::done(audit::Action::TableLeaseForInspection, ResourceKind::Table, table.id, "inspect");
    let explained = decision.explained();
    let (lease, event) = match decision.into_permit() {
        Ok(permit) => (Some(Lease::issue(LeaseId::random(app.random.as_ref()), permit, now)), event),
        Err(refusal) => {
            let codes: Vec<&str> = refusal.lines.iter().map(|line| line.code.as_str()).collect();
            (None, event.refused(codes.join(", ")))
        }
    };
    let record = audit::record(app, audit::SERVER.to_owned(), "", event);
    store::gate::insert_outcome(&mut tx, &explained, lease.as_ref(), &record, &app.record_key).await?;
    tx.commit().await?;
    Ok(lease)
}

/// What an inspection brought back, with its files stored.
struct Looked {
    inspection: Inspection,
    n_files: usize,
    file_list: String,
    checkpoint: Option<String>,
    /// Held until the files are named in the database.
    _keeping: Keeping,
}

async fn run(
    app: &Arc<App>,
    table: &Table,
    head: &Snapshot,
    judges: &[Judge],
    digests: bool,
    again: bool,
) -> Result<Result<Looked, InspectionError>, Error> {
    let scratch = app.folder.scratch(jobs::job_id(app)).map_err(Error::internal)?;
    let snapshot = match &head.key {
        SnapshotKey::DeltaVersion(_) => Some(head.key.clone()),
        SnapshotKey::ParquetDigest(_) => None,
    };
    // Who asks for another inspection has a reason to doubt the last one.
    let kept = if again { Kept::default() } else { counts_of(app, table.id).await? };
    let WorkerRoot::Folder(root) = app.lake.worker_root(&table.location);
    let job = InspectionJob {
        format: table.format,
        root,
        snapshot: snapshot.clone(),
        rules: judges.iter().flat_map(|judge| judge.rules.rules.iter().cloned()).collect(),
        digests,
        kept,
        scratch: scratch.path().to_owned(),
    };
    let n_rules = job.rules.len();
    let mut inspection = match app.inspector.inspect(job).await {
        Ok(inspection) => inspection,
        Err(error) => return Ok(Err(error)),
    };
    if snapshot.is_some_and(|asked| asked != inspection.snapshot) || inspection.measured.len() != n_rules {
        return Ok(Err(InspectionError::Nonsense("the report is about another snapshot or other rules".to_owned())));
    }

    let keeping = app.folder.keeping().await;
    let (folder, table_id) = (app.folder.clone(), table.id);
    let stored = tokio::task::spawn_blocking(move || {
        if let Err(error) = folder.keep_counts(table_id, &std::mem::take(&mut inspection.kept)) {
            tracing::warn!(table.id = %table_id, %error, "counts not kept for the next inspection");
        }
        let (files, chunks) = (std::mem::take(&mut inspection.files), inspection.chunks.take());
        let n_files = files.len();
        let (list, checkpoint) = match file_list(&folder, &inspection, files, scratch.path())? {
            Ok(list) => list,
            Err(error) => return Ok(Err(InspectionError::Nonsense(error.to_string()))),
        };
        let stored = match list.encode() {
            Ok(stored) => stored,
            Err(error) => return Ok(Err(InspectionError::Nonsense(error.to_string()))),
        };
        folder.keep_list(&stored)?;
        if let Some(chunks) = chunk_map(&inspection, &list, chunks)
            && let Err(error) = folder.keep_chunks(&stored.digest, &chunks)
        {
            tracing::warn!(table.id = %table_id, %error, "places of columns not kept: reads count as everything");
        }
        Ok::<_, std::io::Error>(Ok(Looked {
            inspection,
            n_files,
            file_list: stored.digest,
            checkpoint,
            _keeping: keeping,
        }))
    });
    stored.await.map_err(Error::internal)?.map_err(Error::internal)
}

async fn counts_of(app: &App, table_id: TableId) -> Result<Kept, Error> {
    let folder = app.folder.clone();
    tokio::task::spawn_blocking(move || folder.kept_counts(table_id)).await.map_err(Error::internal)
}

/// The list, and the digest of the checkpoint that it names.
fn file_list(
    folder: &DataDir,
    inspection: &Inspection,
    files: Vec<PinnedFile>,
    scratch: &std::path::Path,
) -> std::io::Result<Result<(FileList, Option<String>), file_list::Error>> {
    match (&inspection.snapshot, &inspection.checkpoint) {
        (SnapshotKey::DeltaVersion(version), Some(written)) if written.parent() == Some(scratch) => {
            let checkpoint = match folder.keep_checkpoint(written)? {
                Ok(checkpoint) => checkpoint,
                Err(error) => return Ok(Err(error)),
            };
            let digest = checkpoint.digest.to_string();
            Ok(FileList::delta(*version, files, checkpoint).map(|list| (list, Some(digest))))
        }
        (SnapshotKey::DeltaVersion(_), _) => Ok(Err(file_list::Error::BadCheckpoint)),
        (SnapshotKey::ParquetDigest(_), _) => Ok(FileList::parquet(files).map(|list| (list, None))),
    }
}

/// Where the columns lie in the files of the list.
fn chunk_map(inspection: &Inspection, list: &FileList, chunks: Option<Vec<Option<FileChunks>>>) -> Option<ChunkMap> {
    // Both are in the order of the files.
    let mut chunks = chunks?.into_iter();
    let of_file = |file: &ListedFile| match &file.place {
        Place::Table => chunks.next(),
        Place::Own(_) => Some(Some(FileChunks::default())),
    };
    let files = list.entries().iter().map(of_file).collect::<Option<Vec<_>>>()?;
    let columns = inspection.schema.columns.iter().map(|column| column.name.clone());
    ChunkMap::new(columns.collect(), files)
}

async fn store_outcome(
    app: &Arc<App>,
    table: &Table,
    head: &Snapshot,
    judges: &[Judge],
    looked: Result<Looked, InspectionError>,
    lease: Option<Lease>,
) -> Result<(), Error> {
    let now = app.now();
    let mut tx = app.db.write(Lock::Facts).await?;
    let snapshot_id = match &looked {
        Ok(looked) if looked.inspection.snapshot != head.key => {
            notice_changed(app, &mut tx, table.id, &looked.inspection.snapshot).await?
        }
        Ok(_) | Err(_) => head.id,
    };
    let event = Event::done(audit::Action::TableInspect, ResourceKind::Snapshot, snapshot_id, &head.key.to_string());
    let event = match &looked {
        Ok(looked) => {
            let found = Inspected {
                inspected_at: now,
                committed_at: looked.inspection.committed_at,
                n_rows: looked.inspection.n_rows,
                n_files: u64::try_from(looked.n_files).unwrap_or(u64::MAX),
                schema: looked.inspection.schema.clone(),
                file_list: Some(looked.file_list.clone()),
                checkpoint: looked.checkpoint.clone(),
                read: Some(looked.inspection.read),
            };
            store::table::set_inspected(&mut tx, snapshot_id, Ok(&found)).await?;
            event
        }
        Err(error) => {
            store::table::set_inspected(&mut tx, snapshot_id, Err(&error.to_string())).await?;
            event.failed(error.to_string())
        }
    };
    let mut verdicts = Vec::new();
    let mut measured = looked.as_ref().map(|looked| looked.inspection.measured.as_slice()).unwrap_or_default();
    for judge in judges {
        let (ours, rest) = measured.split_at(measured.len().min(judge.rules.rules.len()));
        measured = rest;
        let verdict = verdict(app, judge, snapshot_id, &looked, ours);
        store::binding::put_verdict(&mut tx, &verdict).await?;
        verdicts.push(serde_json::json!({
            "binding": verdict.binding_id.to_string(),
            "verdict": verdict.verdict.as_str(),
            "conforms": verdict.conforms,
            "rules": verdict.rule_hash,
        }));
    }
    store::table::bump(&mut tx, table.id).await?;
    store::outbox::push(&mut tx, &domain::event::Event::TableInspected { table_id: table.id }, now).await?;
    let detail = serde_json::json!({ "snapshot": head.key.to_string(), "verdicts": verdicts });
    audit::append_as(app, &mut tx, audit::SERVER.to_owned(), "", event.with(detail)).await?;
    if let Some(lease) = lease {
        store::lease::end(&mut tx, lease.id).await?;
    }
    for judge in judges.iter().filter(|judge| judge.is_draft) {
        contract::try_activate(app, &mut tx, judge.version_id).await?;
    }
    failpoint::pass("inspect.written");
    tx.commit().await?;
    failpoint::pass("inspect.committed");
    Ok(())
}

/// A Parquet folder that changed between the look and the inspection: what was inspected is the head.
async fn notice_changed(app: &App, tx: &mut Tx, table_id: TableId, key: &SnapshotKey) -> Result<SnapshotId, Error> {
    if let Some(known) = store::table::find_snapshot_by_key(tx, table_id, key).await? {
        store::table::return_to(tx, table_id, known.id).await?;
        return Ok(known.id);
    }
    let id = SnapshotId::new(app.clock.as_ref(), app.random.as_ref());
    Ok(store::table::notice(tx, id, table_id, key.clone(), app.now()).await?.id)
}

fn verdict(
    app: &App,
    judge: &Judge,
    snapshot_id: SnapshotId,
    looked: &Result<Looked, InspectionError>,
    measured: &[Measured],
) -> BindingVerdict {
    let base = BindingVerdict {
        id: VerdictId::new(app.clock.as_ref(), app.random.as_ref()),
        snapshot_id,
        binding_id: judge.binding.id,
        rule_hash: judge.rules.hash.clone(),
        verdict: Verdict::Error,
        conforms: false,
        conformance: Vec::new(),
        results: Vec::new(),
        engine: String::new(),
        at: app.now(),
    };
    let Ok(looked) = looked else { return base };
    let results: Vec<RuleResult> = judge
        .rules
        .rules
        .iter()
        .cloned()
        .zip(measured.iter().cloned())
        .map(|(rule, measured)| RuleResult { rule, measured })
        .collect();
    let Some(object) = judge.contract.find_object(&judge.binding.object) else { return base };
    let schema = &looked.inspection.schema;
    let judged = contract::judge_snapshot(&judge.contract, object, &judge.rules, schema, &results);
    BindingVerdict {
        verdict: judged.verdict,
        conforms: judged.conforms,
        conformance: judged.conformance,
        results,
        engine: looked.inspection.engine.clone(),
        ..base
    }
}

/// Tries the drafts of a table whose head is judged already, such as those of a version that only changed words.
async fn activate(app: &Arc<App>, table_id: TableId) -> Result<(), Error> {
    let mut tx = app.db.write(Lock::Facts).await?;
    let table = store::table::get(&mut tx, table_id).await?;
    for judge in judges(app, &mut tx, &table).await?.into_iter().filter(|judge| judge.is_draft) {
        contract::try_activate(app, &mut tx, judge.version_id).await?;
    }
    Ok(tx.commit().await?)
}
