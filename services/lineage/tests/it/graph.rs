//! Impact: distances, columns, pages, limits.

use domain::id::PrincipalId;
use lineage::edge::{Holder, Kind, Kinds, Node};
use lineage::graph::{
    Builder, Cut, Direction, Fresh, Graph, Impact, MAX_FRESH_EDGES, OtherGraph, Part, Question, Visible, impact,
};
use lineage::name::Job;
use uuid::Uuid;

use crate::world::{domain, short, table};

pub(crate) fn whole(number: u128) -> Node {
    Node::whole(Holder::Table(table(number)))
}

pub(crate) fn column(number: u128, name: &str) -> Node {
    Node::column(Holder::Table(table(number)), name)
}

/// Tables below 10 belong to domain 1, all others to domain 2.
pub(crate) fn owner(node: &Node) -> Option<domain::id::DomainId> {
    match &node.holder {
        Holder::Table(id) => Some(domain(if id.0.as_u128() < 10 { 1 } else { 2 })),
        Holder::Dataset(_) | Holder::Job(_) | Holder::Principal(_) => None,
    }
}

pub(crate) fn graph(edges: &[(Node, Node, Kind)]) -> Graph {
    let mut builder = Builder::default();
    for (from, to, kind) in edges {
        let from = builder.node(from, owner(from)).unwrap();
        let to = builder.node(to, owner(to)).unwrap();
        builder.edge(from, to, *kind);
    }
    builder.build().unwrap()
}

fn observed(edges: &[(Node, Node)]) -> Graph {
    let edges: Vec<_> = edges.iter().map(|(from, to)| (from.clone(), to.clone(), Kind::Observed)).collect();
    graph(&edges)
}

fn ask<'g>(graph: &'g Graph, start: &[Node], direction: Direction) -> Impact<'g> {
    let visible = Visible::of(graph, |_| true);
    let question = Question { start, direction, kinds: Kinds::ALL, depth: 100, most: 1_000_000 };
    impact(graph, &visible, &question).unwrap()
}

/// `distance holder: columns`, `*` for a whole.
fn items(impact: &Impact<'_>) -> Vec<String> {
    let page = impact.page(None, 1_000);
    assert_eq!(page.next, None);
    let part = |part: &Part| match part {
        Part::Whole => "*".to_owned(),
        Part::Columns { names, n_more } => format!("{}{}", names.join(" "), " +".repeat(*n_more)),
    };
    let line = |item: &lineage::graph::Item| {
        format!("{} {}: {}", item.distance, short(&Node::whole(item.holder.clone())), part(&item.part))
    };
    page.items.iter().map(line).collect()
}

#[test]
fn everything_downstream_is_found_at_its_nearest_distance() {
    let graph = observed(&[(whole(1), whole(2)), (whole(2), whole(13)), (whole(1), whole(13)), (whole(13), whole(4))]);
    let down = ask(&graph, &[whole(1)], Direction::Downstream);
    assert_eq!(items(&down), ["1 table 2: *", "1 table 13: *", "2 table 4: *"]);
    let distances = down.distances();
    assert_eq!(distances[0].by_domain, [(Some(domain(1)), 1), (Some(domain(2)), 1)]);
    assert_eq!((distances[1].distance, distances[1].n_holders), (2, 1));
    assert!(down.is_complete() && down.n_holders() == 3);
    assert_eq!(
        items(&ask(&graph, &[whole(4)], Direction::Upstream)),
        ["1 table 13: *", "2 table 1: *", "2 table 2: *"]
    );
}

#[test]
fn cycles_end_and_the_start_is_not_its_own_consumer() {
    let graph = observed(&[(whole(1), whole(2)), (whole(2), whole(3)), (whole(3), whole(1)), (whole(2), whole(2))]);
    let down = ask(&graph, &[whole(1)], Direction::Downstream);
    assert_eq!(items(&down), ["1 table 2: *", "2 table 3: *"]);
    assert!(down.is_complete());
    // Nor is the table of a column at which the search begins, whichever part of it is reached again.
    let graph = observed(&[
        (column(1, "a"), column(2, "x")),
        (column(2, "x"), column(1, "b")),
        (column(1, "b"), whole(3)),
        (whole(3), whole(1)),
    ]);
    let down = ask(&graph, &[column(1, "a")], Direction::Downstream);
    assert_eq!(items(&down), ["1 table 2: *", "3 table 3: *"]);
}

#[test]
fn from_a_column_only_its_consumers_are_found() {
    let graph = observed(&[
        // Table 2 says which columns it uses, table 3 does not, table 4 is filtered by a column.
        (column(1, "a"), column(2, "x")),
        (column(1, "b"), column(2, "y")),
        (whole(1), whole(2)),
        (whole(1), whole(3)),
        (column(1, "b"), whole(4)),
        (column(2, "x"), column(5, "z")),
        (whole(3), whole(6)),
        (column(3, "k"), column(7, "l")),
    ]);
    let of = |name: &str| items(&ask(&graph, &[column(1, name)], Direction::Downstream));
    assert_eq!(of("a"), ["1 table 2: x", "1 table 3: *", "2 table 5: z", "2 table 6: *", "2 table 7: *"]);
    assert_eq!(of("b"), ["1 table 2: y", "1 table 3: *", "1 table 4: *", "2 table 6: *", "2 table 7: *"]);
    // A column that no edge names still breaks those that do not say what they use.
    assert_eq!(of("unknown"), ["1 table 3: *", "2 table 6: *", "2 table 7: *"]);
    let up = |node| items(&ask(&graph, &[node], Direction::Upstream));
    assert_eq!(up(column(5, "z")), ["1 table 2: x", "2 table 1: a"]);
    assert_eq!(up(column(4, "any")), ["1 table 1: b"]);
    assert_eq!(up(column(6, "any")), ["1 table 3: *", "2 table 1: *"]);
    // The whole table: all that any column reaches.
    let all = items(&ask(&graph, &[whole(1)], Direction::Downstream));
    assert_eq!(all.len(), 6, "{all:?}");
}

#[test]
fn only_the_kinds_that_are_asked_for_count() {
    let reader = |number| Node::whole(Holder::Principal(PrincipalId(Uuid::from_u128(number))));
    let mut edges: Vec<_> = (1..=5).map(|number| (whole(1), reader(number), Kind::Granted)).collect();
    edges.push((column(1, "a"), reader(2), Kind::Read));
    edges.push((column(1, "a"), reader(4), Kind::Read));
    edges.push((column(1, "b"), reader(5), Kind::Read));
    let graph = graph(&edges);
    let visible = Visible::of(&graph, |_| true);
    let of = |kinds: &[Kind]| {
        let start = [column(1, "a")];
        let kinds = Kinds::of(kinds);
        let question = Question { start: &start, direction: Direction::Downstream, kinds, depth: 9, most: 99 };
        items(&impact(&graph, &visible, &question).unwrap())
    };
    assert_eq!(of(&[Kind::Read]), ["1 principal 2: *", "1 principal 4: *"]);
    assert_eq!(of(&[Kind::Declared]), Vec::<String>::new());
    // Who holds a grant and has read other columns only is not affected; who has never read may be.
    let affected = ["1 principal 1: *", "1 principal 2: *", "1 principal 3: *", "1 principal 4: *"];
    assert_eq!(of(&[Kind::Read, Kind::Granted]), affected);
}

#[test]
fn an_answer_that_lacks_something_says_so() {
    let chain: Vec<_> = (1..6).map(|number| (whole(number), whole(number + 1))).collect();
    let graph = observed(&chain);
    let visible = Visible::of(&graph, |_| true);
    let start = [whole(1)];
    let cut = |graph: &Graph, depth, most| {
        let question = Question { start: &start, direction: Direction::Downstream, kinds: Kinds::ALL, depth, most };
        let impact = impact(graph, &visible, &question).unwrap();
        (impact.n_holders(), impact.cut())
    };
    assert_eq!(cut(&graph, 100, 100), (5, None));
    assert_eq!(cut(&graph, 5, 100), (5, None), "nothing lies beyond");
    assert_eq!(cut(&graph, 4, 100), (4, Some(Cut::Depth)));
    assert_eq!(cut(&graph, 0, 100), (0, Some(Cut::Depth)));
    assert_eq!(cut(&graph, 100, 2), (2, Some(Cut::Limit)));
    assert_eq!(cut(&graph, 100, 5), (5, None));
    assert_eq!(cut(&graph.clone().behind(), 100, 100), (5, Some(Cut::Behind)));
}

#[test]
fn fresh_edges_beyond_the_bound_are_left_out_and_answers_say_so() {
    let fresh = |number| Fresh { from: (whole(1), None), to: (whole(number), None), kind: Kind::Observed };
    let edges: Vec<_> = (2..MAX_FRESH_EDGES as u128 + 3).map(fresh).collect();
    let full = observed(&[]).with_fresh(&edges[..MAX_FRESH_EDGES]);
    assert!(!full.is_behind());
    let over = observed(&[]).with_fresh(&edges);
    assert_eq!((over.is_behind(), over.n_edges()), (true, (0, MAX_FRESH_EDGES)));
    assert_eq!(ask(&over, &[whole(1)], Direction::Downstream).cut(), Some(Cut::Behind));
}

#[test]
fn visible_nodes_of_another_graph_are_refused_and_new_nodes_are_hidden() {
    let edges = [(whole(1), whole(2))];
    let (graph, rebuilt) = (observed(&edges), observed(&edges));
    let start = [whole(1)];
    let question = Question { start: &start, direction: Direction::Downstream, kinds: Kinds::ALL, depth: 9, most: 9 };
    let mut visible = Visible::of(&graph, |_| true);
    assert_eq!(impact(&rebuilt, &visible, &question).map(|impact| impact.n_holders()), Err(OtherGraph));
    let more = graph.with_fresh(&[Fresh { from: (whole(2), None), to: (whole(3), None), kind: Kind::Declared }]);
    assert_eq!(impact(&more, &visible, &question).unwrap().n_holders(), 1);
    let mut asked = Vec::new();
    let ask = |holder: &Holder| {
        asked.push(holder.clone());
        true
    };
    visible.renew(&more, ask).unwrap();
    assert_eq!(asked, [Holder::Table(table(3))], "only for what is new");
    assert_eq!(impact(&more, &visible, &question).unwrap().n_holders(), 2);
    assert_eq!(visible.renew(&rebuilt, |_| true), Err(OtherGraph));
}

#[test]
fn links_between_holders_are_given_once_with_all_their_kinds() {
    let graph = graph(&[(column(1, "a"), column(2, "x"), Kind::Observed), (whole(1), whole(2), Kind::Declared)]);
    let graph = graph.with_fresh(&[
        Fresh { from: (whole(1), None), to: (whole(2), None), kind: Kind::Read },
        Fresh {
            from: (whole(2), None),
            to: (Node::whole(Holder::Job(Job::new("n", "j").unwrap())), None),
            kind: Kind::Observed,
        },
    ]);
    let of_itself = Fresh { from: (whole(2), None), to: (whole(2), None), kind: Kind::Read };
    let graph = graph.with_fresh(&[of_itself]);
    let holders = [Holder::Table(table(2)), Holder::Table(table(1)), Holder::Table(table(99))];
    let links = graph.links(&holders, Kinds::ALL);
    let kinds = Kinds::of(&[Kind::Observed, Kind::Declared, Kind::Read]);
    assert_eq!(links, [lineage::graph::Link { from: 1, to: 0, kinds }]);
    assert_eq!(graph.links(&holders, Kinds::of(&[Kind::Granted])), []);
}

#[test]
fn an_item_names_a_bounded_number_of_columns() {
    let edges: Vec<_> = (0..150).map(|number| (column(1, "a"), column(2, &format!("c{number:03}")))).collect();
    let graph = observed(&edges);
    let page = ask(&graph, &[column(1, "a")], Direction::Downstream).page(None, 10);
    let Part::Columns { names, n_more } = &page.items[0].part else { panic!() };
    assert_eq!((names.len(), names[0].as_str(), *n_more), (100, "c000", 50));
}
