//! What a graph of 1,000,000 tables and 5,000,000 edges costs (`tests/bench.sh graph`), and reading events
//! (`tests/bench.sh events`).
//!
//! The tables lie in eight layers and in 1,000 domains of any size. Each table above the lowest layer is made from
//! tables of the layers below it, mostly of the layer right below and of popular ones: the square of a uniform number
//! chooses, so that few tables have very many consumers and most have few or none. The seed is fixed.

#![expect(clippy::unwrap_used, reason = "a bench may panic")]

use std::time::{Duration, Instant};

use domain::id::{DomainId, TableId};
use lineage::edge::{Holder, Kind, Kinds, Node, Speaker};
use lineage::graph::{Builder, Direction, Fresh, Graph, MAX_FRESH_EDGES, Question, Visible, impact};
use lineage::observe::Ledger;
use lineage::openlineage::{Event, MAX_BATCH_EVENTS};
use uuid::Uuid;

const N_NODES: usize = 1_000_000;
const N_EDGES: usize = 5_000_000;
const N_LAYERS: usize = 8;
const N_DOMAINS: u64 = 1_000;
const N_QUERIES: usize = 400;

/// A small generator of numbers (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ number >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// Low numbers far more often than high ones.
    fn skewed_below(&mut self, end: usize) -> usize {
        let uniform = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        ((uniform * uniform * end as f64) as usize).min(end - 1)
    }
}

fn main() {
    // `cargo bench` says `--bench`; `cargo test` asks for nothing of this.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    if wanted("events") {
        events();
    }
    if wanted("graph") {
        graph();
    }
}

/// Batches of events as Spark, dbt and the Python client send them, each of a run of its own: reading, and adding to what
/// is known.
fn events() {
    const N_BATCHES: usize = 40;
    let lines: Vec<&str> = [
        include_str!("../tests/it/events/spark.ndjson"),
        include_str!("../tests/it/events/dbt.ndjson"),
        include_str!("../tests/it/events/python.ndjson"),
    ]
    .into_iter()
    .flat_map(str::lines)
    .collect();
    let mut ledger = Ledger::default();
    let (mut n_events, mut n_bytes, mut reading, mut adding) = (0, 0, Duration::ZERO, Duration::ZERO);
    for batch in 0..N_BATCHES {
        // The first digits of all run ids here.
        let of_batch = |line: &&str| line.replace("01a229d", &format!("{:07x}", 0x0100_0000 + batch));
        let copies = lines.iter().cycle().take(MAX_BATCH_EVENTS).map(of_batch).collect::<Vec<_>>();
        let text = format!("[{}]", copies.join(","));
        n_bytes += text.len();
        let ran = processor_time();
        let events = Event::read_batch(text.as_bytes()).unwrap();
        reading += processor_time() - ran;
        let ran = processor_time();
        for event in events {
            ledger.apply(Speaker::House, &event.unwrap()).unwrap();
            n_events += 1;
        }
        adding += processor_time() - ran;
    }
    let rate = |time: Duration| (f64::from(n_events) / time.as_secs_f64()) as u64;
    println!(
        "events of {} bytes on average, on the processor: {}/s read, {}/s added in memory, {}/s both",
        n_bytes / n_events as usize,
        rate(reading),
        rate(adding),
        rate(reading + adding),
    );
}

fn graph() {
    let mut numbers = Numbers(7);
    let nodes: Vec<Node> = (0..N_NODES)
        .map(|_| {
            let id = u128::from(numbers.next()) << 64 | u128::from(numbers.next());
            Node::whole(Holder::Table(TableId(Uuid::from_u128(id))))
        })
        .collect();
    let domains: Vec<DomainId> =
        (0..N_NODES).map(|_| DomainId(Uuid::from_u128(numbers.skewed_below(N_DOMAINS as usize) as u128))).collect();
    let layer = N_NODES / N_LAYERS;
    let edges: Vec<(u32, u32)> = (0..N_EDGES)
        .map(|_| {
            let to = layer + numbers.below(N_NODES - layer);
            let of_layer = to / layer;
            let from_layer = if numbers.below(10) < 8 { of_layer - 1 } else { numbers.below(of_layer) };
            ((from_layer * layer + numbers.skewed_below(layer)) as u32, to as u32)
        })
        .collect();

    let before = resident();
    let (started, ran) = (Instant::now(), processor_time());
    let graph = build(&nodes, &domains, &edges);
    let (build_time, build_ran) = (started.elapsed(), processor_time() - ran);
    println!(
        "build: {build_time:.2?} ({build_ran:.2?} on the processor), {} nodes, {:?} edges",
        graph.n_nodes(),
        graph.n_edges()
    );
    println!("held: {} MB by its own count; resident {} MB more", graph.size_bytes() / 1_000_000, resident() - before);
    println!("peak of the process so far: {} MB, of which {before} MB are the bench's own lists", peak());
    let started = Instant::now();
    let rebuilt = build(&nodes, &domains, &edges);
    println!("rebuild beside the old one: {:.2?}", started.elapsed());
    drop(rebuilt);

    let started = Instant::now();
    let everything = Visible::of(&graph, |_| true);
    println!("visible nodes of one caller: {:.2?}", started.elapsed());
    let tenth = Visible::of(&graph, |holder| !matches!(holder, Holder::Table(id) if id.0.as_u128() % 10 == 0));

    let random: Vec<usize> = (0..N_QUERIES).map(|_| numbers.below(N_NODES)).collect();
    let popular: Vec<usize> = (0..N_QUERIES).map(|number| number % 100).collect();
    measure("full impact, any table", &graph, &everything, &nodes, &random, Direction::Downstream, 1_000);
    measure("full impact, a tenth hidden", &graph, &tenth, &nodes, &random, Direction::Downstream, 1_000);
    measure("full impact, the 100 most used", &graph, &everything, &nodes, &popular, Direction::Downstream, 1_000);
    measure("full origin, any table", &graph, &everything, &nodes, &random, Direction::Upstream, 1_000);
    measure("3 hops, any table", &graph, &everything, &nodes, &random, Direction::Downstream, 3);

    let fresh: Vec<Fresh> = (0..MAX_FRESH_EDGES)
        .map(|_| Fresh {
            from: (nodes[numbers.below(N_NODES)].clone(), None),
            to: (Node::whole(Holder::Table(TableId(Uuid::from_u128(u128::from(numbers.next()))))), None),
            kind: Kind::Observed,
        })
        .collect();
    let mut with_fresh = graph.with_fresh(&fresh[..MAX_FRESH_EDGES - 100]);
    let started = Instant::now();
    with_fresh = with_fresh.with_fresh(&fresh[MAX_FRESH_EDGES - 100..]);
    println!("100 fresh edges beside {}: {:.2?}", MAX_FRESH_EDGES - 100, started.elapsed());
    let mut visible = everything.clone();
    visible.renew(&with_fresh, |_| true).unwrap();
    measure("full impact, fresh edges", &with_fresh, &visible, &nodes, &random, Direction::Downstream, 1_000);
}

fn build(nodes: &[Node], domains: &[DomainId], edges: &[(u32, u32)]) -> Graph {
    let mut builder = Builder::with_capacity(nodes.len(), edges.len());
    let handles: Vec<_> =
        nodes.iter().zip(domains).map(|(node, domain)| builder.node(node, Some(*domain)).unwrap()).collect();
    for (from, to) in edges {
        builder.edge(handles[*from as usize], handles[*to as usize], Kind::Observed);
    }
    drop(handles);
    builder.build().unwrap()
}

/// Counts and the first page of 50, for each start.
fn measure(
    what: &str,
    graph: &Graph,
    visible: &Visible,
    nodes: &[Node],
    starts: &[usize],
    direction: Direction,
    depth: u32,
) {
    let (mut times, mut on_processor) = (Vec::new(), Vec::new());
    let mut sizes = Vec::with_capacity(starts.len());
    for start in starts {
        let (started, ran) = (Instant::now(), processor_time());
        let start = std::slice::from_ref(&nodes[*start]);
        let question = Question { start, direction, kinds: Kinds::ALL, depth, most: usize::MAX };
        let answer = impact(graph, visible, &question).unwrap();
        let (counts, page) = (answer.distances(), answer.page(None, 50));
        times.push(started.elapsed());
        on_processor.push(processor_time() - ran);
        assert!(counts.len() < 1_000 && page.items.len() <= 50);
        sizes.push(answer.n_holders());
    }
    times.sort_unstable();
    on_processor.sort_unstable();
    sizes.sort_unstable();
    let at = |percent: usize| (starts.len() * percent / 100).min(starts.len() - 1);
    println!(
        "{what}: p50 {:.2?}, p99 {:.2?}, max {:.2?}; on the processor p50 {:.2?}, p99 {:.2?}, max {:.2?}; \
         reached p50 {}, p99 {}, max {}",
        times[at(50)],
        times[at(99)],
        times[starts.len() - 1],
        on_processor[at(50)],
        on_processor[at(99)],
        on_processor[starts.len() - 1],
        sizes[at(50)],
        sizes[at(99)],
        sizes[starts.len() - 1],
    );
}

/// How long this thread has run: unlike the clock, it does not go on while other programs have the processor.
fn processor_time() -> Duration {
    // Giving way brings the kernel's count up to date.
    std::thread::yield_now();
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(times.split(' ').next().and_then(|nanoseconds| nanoseconds.parse().ok()).unwrap_or_default())
}

fn status(field: &str) -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse::<i64>().ok()).unwrap_or_default() / 1_000
}

fn resident() -> i64 {
    status("VmRSS:")
}

fn peak() -> i64 {
    status("VmHWM:")
}
