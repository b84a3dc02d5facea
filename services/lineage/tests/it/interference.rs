//! What a caller may not know of does not exist for them: every answer is that of a graph without it, byte for byte.

use std::collections::BTreeSet;

use domain::id::PrincipalId;
use lineage::edge::{Holder, Kind, Kinds, Node};
use lineage::graph::{Builder, Direction, Fresh, Graph, Question, Visible, impact};
use lineage::name::Job;
use proptest::prelude::*;
use uuid::Uuid;

use crate::graph::{graph, owner};
use crate::world::{dataset, table};

fn holder(number: usize) -> Holder {
    match number {
        0..8 => Holder::Table(table(number as u128 * 2)),
        8 => Holder::Dataset(dataset("s3://lake", "out")),
        9 => Holder::Dataset(dataset("n", "out")),
        10 => Holder::Job(Job::new("n", "j").unwrap()),
        _ => Holder::Principal(PrincipalId(Uuid::from_u128(1))),
    }
}

const N_HOLDERS: usize = 12;

fn node() -> impl Strategy<Value = Node> {
    (0..N_HOLDERS, prop::option::of(0..3_u8)).prop_map(|(number, column)| {
        let column = column.filter(|_| number < 10).map(|column| format!("c{column}"));
        Node { holder: holder(number), column }
    })
}

type Edges = Vec<(Node, Node, Kind)>;

/// A graph of these edges, the last of which are fresh.
fn graph_with_fresh(edges: &Edges, n_fresh: usize) -> Graph {
    let (old, new) = edges.split_at(edges.len() - n_fresh.min(edges.len()));
    let fresh = |(from, to, kind): &(Node, Node, Kind)| Fresh {
        from: (from.clone(), owner(from)),
        to: (to.clone(), owner(to)),
        kind: *kind,
    };
    let (first, second) = new.split_at(new.len() / 2);
    let graph = graph(old);
    let graph = graph.with_fresh(&first.iter().map(fresh).collect::<Vec<_>>());
    graph.with_fresh(&second.iter().map(fresh).collect::<Vec<_>>())
}

/// Counts, pages with their cursors, and completeness, as text.
fn answer(graph: &Graph, visible: &Visible, question: &Question<'_>, page_size: usize) -> String {
    let impact = impact(graph, visible, question).unwrap();
    let mut text = format!("{:?} {:?} {}\n", impact.distances(), impact.cut(), impact.n_holders());
    let mut after = None;
    loop {
        let page = impact.page(after.as_ref(), page_size);
        text += &format!("{page:?}\n");
        after = page.next;
        if after.is_none() {
            return text;
        }
    }
}

#[derive(Clone, Debug)]
struct Case {
    edges: Edges,
    n_fresh: usize,
    hidden: BTreeSet<usize>,
    start: Vec<Node>,
    direction: Direction,
    kinds: Kinds,
    depth: u32,
    most: usize,
    page_size: usize,
}

fn case() -> impl Strategy<Value = Case> {
    let kind = prop::sample::select(Kind::ALL);
    let edges = prop::collection::vec((node(), node(), kind), 0..40);
    let kinds =
        prop::sample::select(vec![Kinds::ALL, Kinds::of(&[Kind::Observed]), Kinds::of(&[Kind::Read, Kind::Declared])]);
    let direction = prop::sample::select(Direction::ALL);
    let hidden = prop::collection::btree_set(0..N_HOLDERS, 0..6);
    let start = prop::collection::vec(node(), 1..3);
    (edges, 0..20_usize, hidden, start, direction, kinds, 0..6_u32, 0..9_usize, 1..5_usize).prop_map(
        |(edges, n_fresh, hidden, start, direction, kinds, depth, most, page_size)| Case {
            edges,
            n_fresh,
            hidden,
            start,
            direction,
            kinds,
            // Half of the questions have no limits.
            depth: if depth > 2 { 100 } else { depth },
            most: if most > 4 { 1_000 } else { most },
            page_size,
        },
    )
}

impl Case {
    fn question(&self) -> Question<'_> {
        let Self { direction, kinds, depth, most, .. } = self;
        Question { start: &self.start, direction: *direction, kinds: *kinds, depth: *depth, most: *most }
    }

    fn is_hidden(&self, holder: &Holder) -> bool {
        self.hidden.iter().any(|number| crate::interference::holder(*number) == *holder)
    }

    /// The answer of the whole graph to a caller who may not know of the hidden nodes.
    fn filtered(&self) -> String {
        let graph = graph_with_fresh(&self.edges, self.n_fresh);
        let visible = Visible::of(&graph, |holder| !self.is_hidden(holder));
        answer(&graph, &visible, &self.question(), self.page_size)
    }

    /// The answer without any filter.
    fn unfiltered(&self) -> String {
        let graph = graph_with_fresh(&self.edges, self.n_fresh);
        answer(&graph, &Visible::of(&graph, |_| true), &self.question(), self.page_size)
    }

    /// The answer of a graph that never had the hidden nodes.
    fn reduced(&self) -> String {
        let is_hidden = |node: &Node| self.is_hidden(&node.holder);
        let edges = self.edges.iter().filter(|(from, to, _)| !is_hidden(from) && !is_hidden(to)).cloned().collect();
        let graph = graph_with_fresh(&edges, 0);
        let start: Vec<Node> = self.start.iter().filter(|node| !is_hidden(node)).cloned().collect();
        let question = Question { start: &start, ..self.question() };
        answer(&graph, &Visible::of(&graph, |_| true), &question, self.page_size)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn hidden_nodes_do_not_change_a_byte(case in case()) {
        prop_assert_eq!(case.filtered(), case.reduced());
    }
}

/// The property above would not hold without the filter: there are cases that tell the two apart.
#[test]
fn the_property_sees_a_missing_filter() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let differs = |_: &u32| {
        let case = case().new_tree(&mut runner).unwrap().current();
        case.unfiltered() != case.reduced()
    };
    let n_cases = (0..400).filter(differs).count();
    assert!(n_cases > 50, "{n_cases} of 400");
}

/// A cursor names what it is after, so it goes on in a graph that was rebuilt, also if its own holder is gone.
#[test]
fn a_cursor_holds_for_a_rebuilt_graph() {
    let edge = |number: u128| {
        (Node::whole(Holder::Table(table(1))), Node::whole(Holder::Table(table(number))), Kind::Observed)
    };
    let start = [Node::whole(Holder::Table(table(1)))];
    let question = Question { start: &start, direction: Direction::Downstream, kinds: Kinds::ALL, depth: 9, most: 99 };
    let page = |edges: &Edges, n_fresh, after: Option<&lineage::graph::Cursor>| {
        let graph = graph_with_fresh(edges, n_fresh);
        impact(&graph, &Visible::of(&graph, |_| true), &question).unwrap().page(after, 2)
    };
    let edges: Edges = [2, 4, 6, 8].map(edge).to_vec();
    let first = page(&edges, 0, None);
    let after = first.next.unwrap();
    assert_eq!(after.holder, Holder::Table(table(4)));
    let names = |edges: &Edges, n_fresh| {
        let page = page(edges, n_fresh, Some(&after));
        page.items.into_iter().map(|item| item.holder).collect::<Vec<_>>()
    };
    let expected = [Holder::Table(table(6)), Holder::Table(table(8))];
    for n_fresh in 0..4 {
        assert_eq!(names(&edges, n_fresh), expected, "{n_fresh}");
        assert_eq!(names(&[2, 6, 8].map(edge).to_vec(), n_fresh), expected, "without the last item, {n_fresh}");
    }
    let between: Edges = [2, 8, 4, 5].map(edge).to_vec();
    for n_fresh in 0..4 {
        assert_eq!(names(&between, n_fresh), [Holder::Table(table(5)), Holder::Table(table(8))], "{n_fresh}");
    }
}

#[test]
fn a_graph_is_the_same_whatever_the_order_of_its_edges() {
    let build = |order: &[u128]| {
        let mut builder = Builder::with_capacity(8, 8);
        for number in order {
            let node = |number: u128| Node::whole(Holder::Table(table(number)));
            // Two domains claim table 5; the same one has it in the end.
            let from = builder.node(&node(1), owner(&node(1))).unwrap();
            let to = builder.node(&node(5), Some(crate::world::domain(*number))).unwrap();
            builder.edge(from, to, Kind::Observed);
        }
        let graph = builder.build().unwrap();
        let start = [Node::whole(Holder::Table(table(1)))];
        let question =
            Question { start: &start, direction: Direction::Downstream, kinds: Kinds::ALL, depth: 9, most: 9 };
        answer(&graph, &Visible::of(&graph, |_| true), &question, 9)
    };
    assert_eq!(build(&[1, 2, 3]), build(&[3, 2, 1]));
}
