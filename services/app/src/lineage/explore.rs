//! Questions about lineage, answered for one caller.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use domain::contract::Classification;
use domain::id::{BindingId, DomainId, PrincipalId, TableId};
use domain::identity::Role;
use domain::name::{Address, DomainPath, Name};
use domain::org::Domain;
use itertools::Itertools as _;
use lineage::claim::Seen;
use lineage::edge::{self, Basis, Kind, Kinds, Node, Speaker, Standing};
use lineage::graph::{Cursor, Cut, Direction, Item, Part, Question, impact};
use lineage::name::{Dataset, Job};
use store::Tx;

use super::consumers::{self, Affected, Consumer, overlap};
use super::declared::each_column;
use super::follow::catch_up;
use super::held::{At, Held, Sight};
use super::sight;
use crate::contract::parsed;
use crate::ctx::Ctx;
use crate::error::{Error, Noun};
use crate::product_in_domain::ProductInDomain;
use crate::target::Target;

/// The search ends after the distance at which so many holders are reached.
const MAX_REACHED: usize = 20_000;
/// The farthest distance.
pub const MAX_DEPTH: u32 = 100;
/// The most edges that are shown of one item.
const MAX_EDGES: usize = 20;

/// Where a question begins.
#[derive(Clone, Debug)]
pub enum Start {
    /// A table, or some of its columns.
    Table(Address, Vec<String>),
    /// All tables of a product.
    Product(DomainPath, Name),
}

/// A question.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Where it begins.
    pub start: Start,
    /// Which way.
    pub direction: Direction,
    /// Which edges count. Consumers are looked for with [`Kind::Granted`] or [`Kind::Read`].
    pub kinds: Kinds,
    /// The farthest distance.
    pub depth: u32,
    /// How many items a page has, and how many consumers.
    pub first: usize,
    /// The cursor of the page before.
    pub after: Option<String>,
    /// The last consumer of the page before.
    pub consumers_after: Option<String>,
}

/// What was found.
#[derive(Debug)]
pub struct Answer {
    /// The tables that it began at.
    pub start: Vec<Target>,
    /// Why something is missing; `None` if nothing is.
    pub cut: Option<Cut>,
    /// How many tables, datasets and jobs are reached; `None` while what the caller may know of is changing.
    pub total: Option<usize>,
    /// The counts by distance; none while there is no total.
    pub counts: Vec<Count>,
    /// The page's tables, datasets and jobs, nearest first.
    pub found: Vec<Found>,
    /// The cursor of the next page.
    pub next: Option<String>,
    /// The page's consumers, nearest first.
    pub consumers: Vec<Consumer>,
    /// How many consumers there are.
    pub n_consumers: usize,
    /// The cursor of the next page of consumers.
    pub next_consumers: Option<String>,
}

/// How many are reached first at one distance.
#[derive(Clone, Debug, PartialEq)]
pub struct Count {
    /// Edges from the nearest start.
    pub distance: u32,
    /// How many tables, datasets and jobs.
    pub n_found: usize,
    /// How many of each domain, by path; `None` for what no domain owns, last.
    pub by_domain: Vec<(Option<Domain>, usize)>,
    /// How many consumers.
    pub n_consumers: usize,
}

/// Something that is reached.
#[derive(Debug)]
pub struct Found {
    /// Edges from the nearest start.
    pub distance: u32,
    /// What it is.
    pub holder: Holder,
    /// What of it is reached.
    pub part: Part,
    /// The edges by which it is reached.
    pub edges: Vec<Edge>,
    /// How many more of these there are.
    pub n_more_edges: usize,
}

/// What has a place of its own, as it is shown.
#[derive(Clone, Debug)]
pub enum Holder {
    /// A table.
    Table(Box<Target>),
    /// A dataset outside of the catalog.
    Dataset(Dataset),
    /// A job or an exposure.
    Job(Job),
}

/// Who says so.
#[derive(Clone, Debug)]
pub enum By {
    /// A principal.
    Principal(PrincipalId),
    /// The documents of a product.
    Product(Box<ProductInDomain>),
}

/// An edge, as it is shown.
#[derive(Clone, Debug)]
pub struct Edge {
    /// Where data comes from.
    pub from: (Holder, Option<String>),
    /// What is made from it.
    pub to: (Holder, Option<String>),
    /// Who says so.
    pub by: By,
    /// How it is known.
    pub kind: Kind,
    /// What it rests on.
    pub basis: Basis,
    /// Whether the speaker speaks for the target.
    pub standing: Standing,
    /// The job that was observed.
    pub job: Option<Job>,
    /// When it was said first and last.
    pub seen: Option<Seen>,
}

/// Answers a question from what the caller may know of.
///
/// # Errors
/// [`Error::NotFound`] for a start that the caller may not know of; [`Error::Invalid`] for a column that it does not have,
/// and for a cursor that is none.
pub async fn explore(ctx: &Ctx, ask: Ask) -> Result<Answer, Error> {
    let start = targets(ctx, &ask.start).await?;
    let (held, lag) = newest(ctx).await?;
    let sight = sight::of(ctx, &held).await?;
    let columns = columns(ctx, &ask.start, &start, &held)?;
    let nodes = start_nodes(&start, columns.as_ref(), &held);
    let after = ask.after.as_deref().map(read_cursor).transpose()?;

    let searched = {
        let (held, sight, kinds, ask) = (Arc::clone(&held), Arc::clone(&sight), ask.kinds, ask.clone());
        tokio::task::spawn_blocking(move || search(&held, &sight, &nodes, kinds, &ask, after.as_ref())).await
    };
    let Searched { cut, reached, items, next, tables } = searched.map_err(Error::internal)??;
    let mut cut = if lag == Lag::None { cut } else { Some(cut.unwrap_or(Cut::Behind)) };

    let mut tx = ctx.app.db.read().await?;
    let mut consumers = Vec::new();
    let wants_consumers = ask.direction == Direction::Downstream
        && [Kind::Granted, Kind::Read].iter().any(|kind| ask.kinds.contains(*kind));
    if wants_consumers {
        let whole =
            start.iter().map(|target| Affected { distance: 0, table: target.table.id, columns: columns.clone() });
        let mut affected: Vec<Affected> = whole.chain(tables).collect();
        affected.retain(|one| one.distance < ask.depth);
        if affected.len() > consumers::MAX_TABLES {
            affected.truncate(consumers::MAX_TABLES);
            cut = Some(cut.unwrap_or(Cut::Limit));
        }
        consumers = consumers::of(ctx, &mut tx, &held, &affected).await?;
    }
    let counts = counts(&held, &sight, &reached, &consumers);
    let found = show(ctx, &mut tx, &held, &sight, &ask, (&start, &reached), items).await?;
    let n_consumers = consumers.len();
    let (consumers, next_consumers) = consumer_page(consumers, &ask)?;
    let is_settled = lag != Lag::Access;
    Ok(Answer {
        start,
        cut,
        // What the graph has not taken yet may hide what it still counts.
        total: is_settled.then_some(reached.len()),
        counts: if is_settled { counts } else { Vec::new() },
        found,
        next,
        consumers,
        n_consumers,
        next_consumers,
    })
}

/// What the graph lacks of what was committed before this call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lag {
    None,
    /// What speakers claim.
    Claims,
    /// Facts of the catalog: others than these may know of what is in it.
    Access,
}

pub(super) async fn newest(ctx: &Ctx) -> Result<(Arc<Held>, Lag), Error> {
    let at = At::newest(&mut ctx.app.db.read().await?).await?;
    let lag = |held: &Held| match (held.at == at, held.at.access < at.access) {
        (true, _) => Lag::None,
        // What is newer than what was asked for lacks nothing.
        (false, false) if held.at.is_after(&at) => Lag::None,
        (false, false) => Lag::Claims,
        (false, true) => Lag::Access,
    };
    if let Some(held) = ctx.app.caches.lineage.get().filter(|held| lag(held) == Lag::None) {
        return Ok((held, Lag::None));
    }
    // A task of its own: a question that gives up does not stop it half-way.
    let app = Arc::clone(&ctx.app);
    let following = tokio::spawn(async move { catch_up(&app).await });
    match tokio::time::timeout(ctx.app.settings.catch_up_wait, following).await {
        Ok(Ok(Ok(()))) | Err(_) => {}
        Ok(Ok(Err(error))) => tracing::warn!(error = &error as &dyn std::error::Error, "lineage is behind"),
        Ok(Err(error)) => tracing::error!(%error, "lineage is behind"),
    }
    let held = ctx.app.caches.lineage.get();
    let held = held.ok_or(Error::Unavailable(crate::error::Unavailable::LineageUnbuilt))?;
    let lag = lag(&held);
    Ok((held, lag))
}

/// The tables that a question begins at.
async fn targets(ctx: &Ctx, start: &Start) -> Result<Vec<Target>, Error> {
    match start {
        Start::Table(address, _) => {
            let target = crate::table::find_table(ctx, address).await?;
            Ok(vec![target.ok_or(Error::NotFound(Noun::Table))?])
        }
        Start::Product(domain, name) => {
            let known = crate::product::find_product(ctx, domain, name).await?;
            let known = known.ok_or(Error::NotFound(Noun::Product))?;
            crate::table::list_tables(ctx, &[known.product.id]).await
        }
    }
}

/// The columns that a question begins at, as the table names them; `None` for whole tables.
fn columns(ctx: &Ctx, start: &Start, targets: &[Target], held: &Held) -> Result<Option<BTreeSet<String>>, Error> {
    let (Start::Table(_, asked), Some(target)) = (start, targets.first()) else { return Ok(None) };
    if asked.is_empty() {
        return Ok(None);
    }
    let mut promised: HashMap<String, String> = HashMap::new();
    if let Some(version) = &target.version {
        let document = parsed(&ctx.app, &version.document)?;
        if let Some(object) = document.find_object(&target.binding.object) {
            each_column(object, &mut |physical, property| {
                let classification = property.classification().unwrap_or(Classification::Public);
                if crate::table::may_view_column(ctx, target, classification) {
                    if !physical.contains('.') {
                        promised.insert(property.name.clone(), physical.clone());
                    }
                    promised.insert(physical.clone(), physical);
                }
            });
        }
    }
    let holder = edge::Holder::Table(target.table.id);
    let named: HashSet<&str> = held.columns(&holder).collect();
    let column = |name: &String| match promised.get(name) {
        Some(physical) => Ok(physical.clone()),
        None if promised.is_empty() || named.contains(name.as_str()) => Ok(name.clone()),
        None => Err(Error::invalid("columns", "the table has no such column, or it is not one that you may know of")),
    };
    asked.iter().map(column).collect::<Result<_, _>>().map(Some)
}

/// The nodes that a question begins at: a column with what it contains.
fn start_nodes(targets: &[Target], columns: Option<&BTreeSet<String>>, held: &Held) -> Vec<Node> {
    let mut nodes = Vec::new();
    for target in targets {
        let holder = edge::Holder::Table(target.table.id);
        let Some(columns) = columns else {
            nodes.push(Node::whole(holder));
            continue;
        };
        let related = held.columns(&holder).filter(|known| columns.iter().any(|column| overlap(known, column)));
        let related: BTreeSet<String> = related.map(str::to_owned).chain(columns.iter().cloned()).collect();
        nodes.extend(related.into_iter().map(|column| Node::column(holder.clone(), column)));
    }
    nodes
}

/// What a walk through the graph gives.
struct Searched {
    cut: Option<Cut>,
    /// Everything that is reached, with its distance.
    reached: Vec<(u32, edge::Holder)>,
    items: Vec<Item>,
    next: Option<String>,
    /// The tables that are reached, nearest first.
    tables: Vec<Affected>,
}

fn search(
    held: &Held,
    sight: &Sight,
    nodes: &[Node],
    kinds: Kinds,
    ask: &Ask,
    after: Option<&Cursor>,
) -> Result<Searched, Error> {
    let direction = ask.direction;
    let question = Question { start: nodes, direction, kinds, depth: ask.depth.min(MAX_DEPTH), most: MAX_REACHED };
    let found = impact(&held.graph, &sight.visible, &question).map_err(Error::internal)?;
    let page = found.page(after, ask.first);
    let tables = found.page(None, consumers::MAX_TABLES).items.into_iter().filter_map(|item| match item.holder {
        edge::Holder::Table(table) => Some(Affected {
            distance: item.distance,
            table,
            columns: match item.part {
                Part::Columns { names, n_more: 0 } => Some(names.into_iter().collect()),
                Part::Columns { .. } | Part::Whole => None,
            },
        }),
        edge::Holder::Dataset(_) | edge::Holder::Job(_) | edge::Holder::Principal(_) => None,
    });
    Ok(Searched {
        cut: found.cut(),
        tables: tables.collect(),
        reached: found.holders().collect(),
        next: page.next.as_ref().map(write_cursor),
        items: page.items,
    })
}

/// Counts by distance, and of tables by the domain of a product that the caller may know of.
fn counts(held: &Held, sight: &Sight, reached: &[(u32, edge::Holder)], consumers: &[Consumer]) -> Vec<Count> {
    let mut domains: HashMap<DomainId, Domain> = HashMap::new();
    let mut counts: std::collections::BTreeMap<u32, (HashMap<Option<DomainId>, usize>, usize)> = Default::default();
    for (distance, holder) in reached {
        let domain = owner(held, sight, holder).map(|known| known.domain.clone());
        let id = domain.as_ref().map(|domain| domain.id);
        domains.extend(domain.map(|domain| (domain.id, domain)));
        *counts.entry(*distance).or_default().0.entry(id).or_default() += 1;
    }
    for consumer in consumers {
        counts.entry(consumer.distance).or_default().1 += 1;
    }
    let count = |(distance, (by_domain, n_consumers)): (u32, (HashMap<Option<DomainId>, usize>, usize))| {
        let n_found = by_domain.values().sum();
        let by_domain = by_domain.into_iter().map(|(id, count)| (id.and_then(|id| domains.get(&id).cloned()), count));
        let by_path = |(domain, _): &(Option<Domain>, usize)| {
            (domain.is_none(), domain.as_ref().map(|domain| domain.path.to_string()))
        };
        Count { distance, n_found, by_domain: by_domain.sorted_by_key(by_path).collect(), n_consumers }
    };
    counts.into_iter().map(count).collect()
}

/// The product that a table counts for: of those that the caller may know of, the first.
fn owner<'a>(held: &'a Held, sight: &Sight, holder: &edge::Holder) -> Option<&'a ProductInDomain> {
    match holder {
        edge::Holder::Table(table) => {
            let products = held.catalog.bindings_of(*table).map(|bound| bound.product_id);
            held.catalog.products.get(&products.filter(|id| sight.knows(*id)).min()?)
        }
        edge::Holder::Dataset(_) | edge::Holder::Job(_) | edge::Holder::Principal(_) => None,
    }
}

/// The items as they are shown. Tables are asked for again: those that the caller may not know of any more are left out.
async fn show(
    ctx: &Ctx,
    tx: &mut Tx,
    held: &Held,
    sight: &Sight,
    ask: &Ask,
    (start, reached): (&[Target], &[(u32, edge::Holder)]),
    items: Vec<Item>,
) -> Result<Vec<Found>, Error> {
    let starts = start.iter().map(|target| edge::Holder::Table(target.table.id));
    let shown: HashSet<edge::Holder> = reached.iter().map(|(_, holder)| holder.clone()).chain(starts).collect();
    let edges_of = |item: &Item| {
        let edges: Vec<_> = match ask.direction {
            Direction::Downstream => {
                held.edges_to(&item.holder).filter(|(e, _)| shown.contains(&e.from.holder)).collect()
            }
            Direction::Upstream => {
                held.edges_from(&item.holder).filter(|(e, _)| shown.contains(&e.to.holder)).collect()
            }
        };
        let counted = edges.into_iter().filter(|(edge, _)| ask.kinds.contains(edge.kind) && sight.shows(edge));
        counted.filter(|(edge, _)| edge.from.holder != edge.to.holder).sorted().collect_vec()
    };
    let items: Vec<_> = items.into_iter().map(|item| (edges_of(&item), item)).collect();
    let edges = || items.iter().flat_map(|(edges, _)| edges.iter().take(MAX_EDGES));
    let ends = edges().flat_map(|(edge, _)| [&edge.from.holder, &edge.to.holder]);
    let shown = Shown::load(ctx, held, sight, items.iter().map(|(_, item)| &item.holder).chain(ends)).await?;
    let speakers = edges().filter_map(|(edge, _)| match edge.speaker {
        Speaker::Principal(id) => Some(id),
        Speaker::Product(_) | Speaker::House => None,
    });
    let speaks_for = load_domains(tx, &speakers.unique().collect_vec()).await?;

    let edge = |(edge, seen): &(edge::Edge, Option<Seen>)| {
        let (from, to) = (shown.holder(&edge.from.holder)?, shown.holder(&edge.to.holder)?);
        let (by, standing) = match edge.speaker {
            Speaker::Principal(id) => {
                let owner = owner(held, sight, &edge.to.holder).map(|known| {
                    let domains = speaks_for.get(&id).into_iter().flatten();
                    domains.into_iter().any(|domain| known.domain.path.lineage().any(|above| above == *domain))
                });
                (By::Principal(id), Standing::of(owner))
            }
            Speaker::Product(id) => (By::Product(Box::new(held.catalog.products.get(&id)?.clone())), Standing::Own),
            Speaker::House => return None,
        };
        Some(Edge {
            from: (from, edge.from.column.clone()),
            to: (to, edge.to.column.clone()),
            by,
            kind: edge.kind,
            basis: edge.basis,
            standing,
            job: edge.job.clone(),
            seen: *seen,
        })
    };
    let found = items.iter().filter_map(|(edges, item)| {
        Some(Found {
            distance: item.distance,
            holder: shown.holder(&item.holder)?,
            part: item.part.clone(),
            edges: edges.iter().take(MAX_EDGES).filter_map(edge).collect(),
            n_more_edges: edges.len().saturating_sub(MAX_EDGES),
        })
    });
    Ok(found.collect())
}

/// The tables of a page, as the caller sees them.
struct Shown(HashMap<TableId, Target>);

impl Shown {
    async fn load<'a>(
        ctx: &Ctx,
        held: &Held,
        sight: &Sight,
        holders: impl Iterator<Item = &'a edge::Holder>,
    ) -> Result<Self, Error> {
        let tables = holders.filter_map(|holder| match holder {
            edge::Holder::Table(table) => Some(*table),
            edge::Holder::Dataset(_) | edge::Holder::Job(_) | edge::Holder::Principal(_) => None,
        });
        let binding = |table: TableId| {
            let visible = held.catalog.bindings_of(table).filter(|bound| sight.knows(bound.product_id));
            visible.min_by_key(|bound| (bound.product_id, bound.binding_id)).map(|bound| bound.binding_id)
        };
        let bindings: Vec<BindingId> = tables.unique().filter_map(binding).collect();
        let targets = crate::table::load_tables(ctx, &bindings).await?;
        Ok(Self(targets.into_iter().map(|target| (target.table.id, target)).collect()))
    }

    fn holder(&self, holder: &edge::Holder) -> Option<Holder> {
        match holder {
            edge::Holder::Table(table) => self.0.get(table).map(|target| Holder::Table(Box::new(target.clone()))),
            edge::Holder::Dataset(dataset) => Some(Holder::Dataset(dataset.clone())),
            edge::Holder::Job(job) => Some(Holder::Job(job.clone())),
            edge::Holder::Principal(_) => None,
        }
    }
}

/// The domains for which principals speak: those that they have a producer's role in.
async fn load_domains(tx: &mut Tx, ids: &[PrincipalId]) -> Result<HashMap<PrincipalId, Vec<DomainPath>>, Error> {
    use domain::identity::DomainRole;
    let roles = store::identity::list_roles_of_principals(tx, ids).await?;
    let roles = roles.into_iter().filter_map(|held| match held.role {
        Role::Domain(domain, DomainRole::Owner | DomainRole::Publisher) => Some((held.principal_id, domain)),
        Role::Domain(_, DomainRole::Consumer) | Role::Platform(_) => None,
    });
    let roles = roles.collect_vec();
    let ids = roles.iter().map(|(_, domain)| *domain).unique().collect_vec();
    let paths: HashMap<DomainId, DomainPath> =
        store::org::list_by_ids(tx, &ids).await?.into_iter().map(|domain| (domain.id, domain.path)).collect();
    Ok(roles.into_iter().filter_map(|(id, domain)| Some((id, paths.get(&domain)?.clone()))).into_group_map())
}

fn write_cursor(cursor: &Cursor) -> String {
    format!("{}.{}", cursor.distance, hex::encode(Node::whole(cursor.holder.clone()).key()))
}

fn read_cursor(text: &str) -> Result<Cursor, Error> {
    let cursor = || {
        let (distance, key) = text.split_once('.')?;
        let node = Node::from_key(&hex::decode(key).ok()?)?;
        Some(Cursor { distance: distance.parse().ok()?, holder: node.holder })
    };
    cursor().ok_or_else(|| Error::invalid("after", "not a cursor of lineage"))
}

/// The consumers after a cursor, and the cursor of the next page.
fn consumer_page(consumers: Vec<Consumer>, ask: &Ask) -> Result<(Vec<Consumer>, Option<String>), Error> {
    let after = ask.consumers_after.as_deref().map(|text| {
        let cursor = text
            .split_once('.')
            .and_then(|(distance, id)| Some((distance.parse::<u32>().ok()?, id.parse::<PrincipalId>().ok()?)));
        cursor.ok_or_else(|| Error::invalid("consumer", "not a cursor of consumers"))
    });
    let after = after.transpose()?;
    let rest = consumers.into_iter().filter(|one| after.is_none_or(|after| (one.distance, one.principal_id) > after));
    let mut page: Vec<Consumer> = rest.take(ask.first + 1).collect();
    let has_more = page.len() > ask.first;
    page.truncate(ask.first);
    let last = page.last().filter(|_| has_more);
    let next = last.map(|last| format!("{}.{}", last.distance, last.principal_id));
    Ok((page, next))
}
