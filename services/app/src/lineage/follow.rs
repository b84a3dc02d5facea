//! The graph of this process: built from the database and the documents, and swapped when they change.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::id::{PrincipalId, ProductId, TableId};
use itertools::Itertools as _;
use lineage::edge::{Edge, Holder, Kind, Speaker};
use lineage::graph::{Fresh, MAX_FRESH_EDGES};
use lineage::settle::{Settled, settle_all};
use store::lineage::Said;
use store::{Readable, Tx};
use tokio_util::sync::CancellationToken;

use super::catalog::Catalog;
use super::declared::Declared;
use super::edges::{Edges, Means, Said as Edged};
use super::held::{At, Held, LeftOut};
use super::read::{self, Known};
use crate::ctx::App;
use crate::error::Error;
use crate::readable;

/// How often the graph takes what has changed. A question takes it before it is answered.
const PERIOD: Duration = Duration::from_millis(500);
/// The same after a failure, such as a full disk or a lost database: it fills no log.
const PERIOD_OF_FAILURE: Duration = Duration::from_secs(10);
/// How many products are read at once.
const N_PRODUCTS: usize = 200;

static SERIALS: AtomicU64 = AtomicU64::new(1);

/// Follows the changes until shutdown.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let pause = match catch_up(&app).await {
            Ok(()) => PERIOD,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "lineage cannot follow the changes");
                PERIOD_OF_FAILURE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Brings the graph to the newest facts and claims.
///
/// # Errors
/// Those of the database.
pub async fn catch_up(app: &Arc<App>) -> Result<(), Error> {
    let _turn = app.caches.lineage.turn.lock().await;
    let before = app.caches.lineage.get();
    // First: what changes meanwhile is taken again afterwards.
    let at = At::newest(&mut app.db.read().await?).await?;
    if before.as_ref().is_some_and(|before| before.at == at) {
        return Ok(());
    }
    let facts = match &before {
        Some(before) if before.at.access == at.access => Facts::of(before),
        before => Facts::load(app, before.as_deref()).await?,
    };
    // Names of tables have changed: what claims mean is asked anew.
    let has_other_names = before.as_ref().is_none_or(|before| !before.catalog.has_same_names(&facts.catalog));
    let mut claims = Vec::new();
    let mut tx = app.db.read().await?;
    for (speaker, revision) in &at.speakers {
        let known = before.as_ref().and_then(|before| before.at.speakers.get(speaker));
        if has_other_names || known != Some(revision) {
            let of_speaker = store::lineage::list_claims(&mut tx, *speaker).await?;
            let n_before = before.as_ref().and_then(|before| before.left_out.claims.get(speaker)).copied();
            report(&of_speaker.unreadable, n_before.unwrap_or(0), "claims");
            claims.push((*speaker, of_speaker));
        }
    }
    drop(tx);
    let held = tokio::task::spawn_blocking(move || assemble(at, before.as_deref(), facts, claims)).await;
    let held = held.map_err(Error::internal)?.map_err(Error::internal)?;
    app.caches.lineage.set(Arc::new(held));
    Ok(())
}

/// Logs rows that cannot be read, unless there were as many before.
fn report(unreadable: &[store::Error], n_before: usize, what: &str) {
    if let Some(first) = unreadable.first().filter(|_| unreadable.len() != n_before) {
        let (n, error) = (unreadable.len(), first as &dyn std::error::Error);
        tracing::error!(what, n, error, "lineage leaves out rows that cannot be read; the first is named");
    }
}

/// The catalog, and what its documents declare.
struct Facts {
    outbox: i64,
    catalog: Arc<Catalog>,
    declared: Arc<HashMap<ProductId, Declared>>,
    /// All but claims.
    left_out: LeftOut,
}

impl Facts {
    fn of(held: &Held) -> Self {
        let (catalog, declared) = (Arc::clone(&held.catalog), Arc::clone(&held.declared));
        Self { outbox: held.outbox, catalog, declared, left_out: held.left_out.clone() }
    }

    /// Reads the catalog, and of the documents those that have changed or could not be read.
    async fn load(app: &App, before: Option<&Held>) -> Result<Self, Error> {
        let mut tx = app.db.read().await?;
        let newest = store::outbox::newest(&mut tx).await?;
        let changed = match before {
            Some(before) => changed(&mut tx, before.outbox).await?,
            None => None,
        };
        drop(tx);
        let Known { catalog, products: mut unreadable, rows } = read::catalog(app).await?;
        let (mut declared, ids) = match (before, changed) {
            (Some(before), Some(changed)) => {
                let again = before.left_out.products.iter().copied();
                (HashMap::clone(&before.declared), changed.into_iter().chain(again).unique().collect_vec())
            }
            (Some(_) | None, _) => (HashMap::new(), catalog.products.keys().copied().collect_vec()),
        };
        ids.iter().for_each(|id| drop(declared.remove(id)));
        for ids in ids.chunks(N_PRODUCTS) {
            let page = readable::load(ids, |ids| read::declared(app, ids)).await?;
            page.loaded.into_iter().for_each(|loaded| declared.extend(loaded));
            unreadable.extend(page.unreadable);
        }
        let unreadable = unreadable.into_iter().unique_by(|(id, _)| *id).collect_vec();
        let known = before.map(|before| &before.left_out);
        report(&rows, known.map_or(0, |known| known.n_rows), "bindings and ports");
        let mut left_out = LeftOut { n_rows: rows.len(), ..known.cloned().unwrap_or_default() };
        left_out.products = unreadable.iter().map(|(id, _)| *id).collect();
        for (id, error) in &unreadable {
            if known.is_none_or(|known| !known.products.contains(id)) {
                let error = error as &dyn std::error::Error;
                tracing::error!(product = %id, error, "lineage leaves out a product that cannot be read");
            }
        }
        Ok(Self { outbox: newest, catalog: Arc::new(catalog), declared: Arc::new(declared), left_out })
    }
}

/// The products whose documents may have changed since a position of the outbox; `None` if that is not known any more.
async fn changed(tx: &mut Tx, mut position: i64) -> Result<Option<Vec<ProductId>>, Error> {
    let mut ids = Vec::new();
    loop {
        let Some(events) = crate::search::events_after(tx, position).await? else { return Ok(None) };
        let Some(last) = events.last() else { return Ok(Some(ids.into_iter().unique().collect())) };
        position = last.position;
        ids.extend(crate::search::concerned(tx, &events).await?);
    }
}

/// What speakers claim.
type Claims = Vec<(PrincipalId, Readable<Said>)>;

/// Makes the edges, and the graph: the one before with a few fresh edges where nothing is gone, else a new one.
fn assemble(at: At, before: Option<&Held>, facts: Facts, claims: Claims) -> Result<Held, lineage::graph::TooLarge> {
    let Facts { outbox, catalog, declared, mut left_out } = facts;
    let mut parts: Vec<(Part, Vec<Edged>)> = Vec::new();
    let same_catalog = before.filter(|before| Arc::ptr_eq(&before.catalog, &catalog));
    let (of_documents, contested, declares_all) = match same_catalog {
        Some(before) => (Arc::clone(&before.of_documents), Arc::clone(&before.contested), before.declares_all),
        None => {
            let (mut means, mut declares_all, mut of_catalog) = (Means::default(), true, Vec::new());
            for (id, of_product) in declared.iter() {
                let (edges, has_all) = of_product.edges(*id, &catalog, &mut means);
                declares_all &= has_all;
                of_catalog.extend(edges.into_iter().map(|edge| (edge, None)));
            }
            let contested = contested(&catalog, &of_catalog);
            parts.push((Part::Declared, of_catalog));
            (Arc::new(means), Arc::new(contested), declares_all)
        }
    };
    let mut of_speakers = before.map(|before| before.of_speakers.clone()).unwrap_or_default();
    for (speaker, Readable { items: claims, unreadable }) in claims {
        left_out.claims.insert(speaker, unreadable.len());
        let said: Vec<_> = claims.iter().map(|(job, claim, seen)| (job.as_ref(), claim, *seen)).collect();
        let Settled { edges, means: named } = settle_all(Speaker::Principal(speaker), &said, &catalog.directory);
        let mut means = Means::default();
        named.iter().for_each(|(dataset, table)| means.mention(dataset, table.as_slice()));
        of_speakers.insert(speaker, Arc::new(means));
        parts.push((Part::By(speaker), edges.into_iter().map(|(edge, seen)| (edge, Some(seen))).collect()));
    }
    let mut means = Means::clone(&of_documents);
    of_speakers.values().for_each(|of_speaker| means.extend(of_speaker));

    let is_whole = declares_all && left_out.n() == 0;
    let goes_on = before.filter(|before| before.is_whole() == is_whole);
    let added = goes_on.and_then(|before| Some((before, added(before, &parts)?)));
    let (edges, fresh, graph) = match added {
        Some((before, added)) => {
            let graph = before.graph.with_fresh(&added.iter().map(|(edge, _)| beside(edge)).collect_vec());
            let fresh = before.fresh.iter().cloned().chain(added).collect();
            (Arc::clone(&before.edges), fresh, graph)
        }
        None => {
            let replaced: HashSet<Part> = parts.iter().map(|(part, _)| *part).collect();
            let kept = before.into_iter().flat_map(Held::all).filter(|(edge, _)| !replaced.contains(&Part::of(edge)));
            let edges = Edges::of(kept.chain(parts.into_iter().flat_map(|(_, edges)| edges)).collect());
            let graph = edges.graph()?;
            (Arc::new(edges), Vec::new(), if is_whole { graph } else { graph.behind() })
        }
    };
    Ok(Held {
        serial: SERIALS.fetch_add(1, Ordering::Relaxed),
        at,
        outbox,
        catalog,
        declared,
        edges,
        fresh: Arc::new(fresh),
        of_documents,
        declares_all,
        left_out,
        of_speakers,
        means,
        graph,
        contested,
    })
}

/// The edges of one origin, which are made together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Part {
    /// Those that documents declare.
    Declared,
    /// Those that one principal claims.
    By(PrincipalId),
}

impl Part {
    fn of(edge: &Edge) -> Self {
        match edge.speaker {
            Speaker::Principal(id) => Self::By(id),
            Speaker::Product(_) | Speaker::House => Self::Declared,
        }
    }
}

/// The edges that parts have more than before, if none is gone and they fit beside the compressed graph.
fn added(before: &Held, parts: &[(Part, Vec<Edged>)]) -> Option<Vec<Edged>> {
    let mut added = Vec::new();
    for (part, edges) in parts {
        let known: HashSet<Edge> = match part {
            Part::Declared => {
                before.all().map(|(edge, _)| edge).filter(|edge| Part::of(edge) == Part::Declared).collect()
            }
            Part::By(speaker) => {
                let by = Speaker::Principal(*speaker);
                let fresh = before.fresh.iter().filter(|(edge, _)| edge.speaker == by).cloned();
                before.edges.by(by).chain(fresh).map(|(edge, _)| edge).collect()
            }
        };
        let n_before = added.len();
        added.extend(edges.iter().filter(|(edge, _)| !known.contains(edge)).cloned());
        let n_kept = edges.len() - (added.len() - n_before);
        if n_kept < known.len() {
            return None;
        }
    }
    (before.fresh.len() + added.len() <= MAX_FRESH_EDGES / 4).then_some(added)
}

fn beside(edge: &Edge) -> Fresh {
    Fresh { from: (edge.from.clone(), None), to: (edge.to.clone(), None), kind: edge.kind }
}

/// The declared edges between tables of which the target is bound to several products.
fn contested(catalog: &Catalog, declared: &[Edged]) -> Vec<Edge> {
    let is_shared = |table: TableId| catalog.bindings_of(table).map(|bound| bound.product_id).unique().count() > 1;
    let contested = declared.iter().map(|(edge, _)| edge).filter(|edge| match edge.to.holder {
        Holder::Table(table) => edge.kind == Kind::Declared && is_shared(table),
        Holder::Dataset(_) | Holder::Job(_) | Holder::Principal(_) => false,
    });
    contested.cloned().collect()
}
