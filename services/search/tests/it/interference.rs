//! Hidden documents do not exist: an answer is, byte for byte, that of an index without them.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::clock::Timestamp;
use domain::product::Medallion;
use domain::quality::Verdict;
use search::{
    Access, Change, Column, Document, Facet, Filter, Index, Port, Request, SearchError, Stage, Table, Visibility,
};

use crate::catalog::{Catalog, OPEN, With, product, scratch, visibility};
use crate::dice::Dice;

/// Words that are near each other: prefixes, inflections, errors, joined words and abbreviations of one another.
const WORDS: &[&str] = &[
    "order",
    "orders",
    "ordre",
    "ordering",
    "border",
    "orderline",
    "line",
    "lines",
    "lien",
    "customer",
    "customers",
    "custmer",
    "cust",
    "client",
    "clients",
    "clint",
    "evt",
    "event",
    "events",
    "revenue",
    "revenues",
    "revenu",
    "daily",
    "dayli",
    "v1",
    "v2",
    "test",
    "ga4",
    "ga",
    "4",
    "agg",
    "aggregate",
    "aggregated",
    "subscription",
    "subscribtion",
    "subscriptions",
    "subscriptionline",
    "orderl",
    "ine",
];
const CLASSES: &[&str] = &["one", "two", "three", "four"];
const DOMAINS: &[&str] = &["sales", "sales.orders", "web"];

/// Catalogs of a run. `CHARTER_CASES` makes it longer.
fn n_catalogs() -> u64 {
    std::env::var("CHARTER_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(30)
}
const CALLERS: usize = 4;
const QUERIES: usize = 30;

#[test]
fn answers_are_those_of_an_index_without_the_hidden_documents() {
    let mut cases = 0;
    let mut with_hits = 0;
    for seed in 1..=n_catalogs() {
        let mut dice = Dice::new(seed);
        let (index, living, _folder) = catalog(&mut dice);
        for _ in 0..CALLERS {
            let caller = caller(&mut dice, &living);
            let visible = |document: &&Document| {
                caller.classes.contains_key(&document.class) || caller.products.contains_key(&document.id)
            };
            let alone = Catalog::of(living.values().filter(visible).cloned());
            alone.index.apply([], index.position()).unwrap();
            let seen = Arc::new(Visibility::new(caller.classes.clone(), caller.products.clone()));
            for _ in 0..QUERIES {
                let request = request(&mut dice);
                let with_hidden = pages(&index, &seen, &request);
                let without = pages(&alone.index, &seen, &request);
                assert_eq!(with_hidden, without, "seed {seed}, {request:?}, {caller:?}");
                cases += 1;
                with_hits += usize::from(with_hidden.len() > 1 || !with_hidden[0].contains("hits: []"));
            }
        }
    }
    println!("{cases} cases, {with_hits} with hits");
    assert!(with_hits * 2 > cases, "only {with_hits} of {cases} cases have hits");
}

/// All pages of a query, as texts.
fn pages(index: &Index, seen: &Arc<Visibility>, request: &Request) -> Vec<String> {
    let mut out = Vec::new();
    let mut request = request.clone();
    loop {
        let answer = index.search(seen, &request).unwrap();
        request.after = answer.next.clone();
        out.push(format!("{answer:?}"));
        if request.after.is_none() || out.len() == 4 {
            return out;
        }
    }
}

#[derive(Debug)]
struct Caller {
    classes: BTreeMap<String, Access>,
    products: BTreeMap<String, Access>,
}

fn caller(dice: &mut Dice, living: &BTreeMap<String, Document>) -> Caller {
    let mut classes = BTreeMap::new();
    for class in CLASSES {
        if dice.one_in(2) {
            classes.insert((*class).to_owned(), *dice.pick(Access::ALL));
        }
    }
    let mut products = BTreeMap::new();
    for id in living.keys() {
        if dice.one_in(8) {
            products.insert(id.clone(), *dice.pick(Access::ALL));
        }
    }
    products.insert("gone".to_owned(), Access::Read);
    Caller { classes, products }
}

/// An index with a history: segments, deleted and replaced documents, merges.
fn catalog(dice: &mut Dice) -> (Index, BTreeMap<String, Document>, tempfile::TempDir) {
    let folder = scratch();
    let mut living = BTreeMap::new();
    let builder = Index::build(folder.path()).unwrap();
    for n in 0..dice.below(40) {
        let document = document(dice, n);
        builder.add(&document).unwrap();
        living.insert(document.id.clone(), document);
    }
    let index = builder.finish(1).unwrap();
    for _ in 0..dice.below(12) {
        let mut changes = Vec::new();
        for _ in 0..=dice.below(4) {
            let document = {
                let n = dice.below(50);
                document(dice, n)
            };
            if dice.one_in(3) {
                living.remove(&document.id);
                changes.push(Change::Remove(document.id));
            } else {
                living.insert(document.id.clone(), document.clone());
                changes.push(Change::Put(Box::new(document)));
            }
        }
        index.apply(changes, index.position() + 1).unwrap();
    }
    (index, living, folder)
}

fn id(n: usize) -> String {
    format!("p{n:02}")
}

fn name(dice: &mut Dice, most: usize) -> String {
    let words: Vec<&str> = (0..=dice.below(most)).map(|_| *dice.pick(WORDS)).collect();
    words.join(*dice.pick(&["_", " ", "."]))
}

fn document(dice: &mut Dice, n: usize) -> Document {
    let domain = (*dice.pick(DOMAINS)).to_owned();
    let product_name = name(dice, 3).replace(' ', "_");
    let tables = (0..dice.below(3))
        .map(|_| Table {
            name: name(dice, 2),
            address: dice.one_in(2).then(|| format!("lake.{}", name(dice, 2).replace(' ', "_"))),
            description: name(dice, 4),
            synonyms: Vec::new(),
            columns: (0..dice.below(4))
                .map(|_| Column {
                    name: name(dice, 2),
                    description: if dice.one_in(2) { name(dice, 5) } else { String::new() },
                    synonyms: if dice.one_in(4) { vec![name(dice, 1)] } else { Vec::new() },
                })
                .collect(),
        })
        .collect();
    let deprecated = dice.one_in(4);
    let formats = ["delta", "parquet", "avro"];
    // The address of a product is its own; a table may have the same.
    let address = if dice.one_in(2) { format!("{domain}.{}", id(n)) } else { format!("{domain}.{product_name}.{n}") };
    Document {
        id: id(n),
        revision: dice.below(9) as u64,
        address,
        name: product_name,
        title: name(dice, 3),
        description: name(dice, 8),
        tags: if dice.one_in(3) { vec![name(dice, 1)] } else { Vec::new() },
        synonyms: if dice.one_in(4) { vec![name(dice, 2)] } else { Vec::new() },
        owners: vec![name(dice, 1)],
        ports: (0..dice.below(3))
            .map(|_| Port {
                name: name(dice, 1),
                format: Some((*dice.pick(&formats)).to_owned()),
                addresses: Vec::new(),
            })
            .collect(),
        tables,
        domain,
        classification: dice.one_in(2).then(|| (*dice.pick(&["internal", "secret"])).to_owned()),
        state: if deprecated { "deprecated" } else { "active" }.to_owned(),
        deprecated,
        successor: (deprecated && dice.one_in(2)).then(|| format!("{}.{}", dice.pick(DOMAINS), id(dice.below(50)))),
        layer: dice.one_in(2).then_some(Medallion::Gold),
        verdict: dice.one_in(2).then(|| *dice.pick(Verdict::ALL)),
        readers: dice.below(500) as u32,
        late_from: dice.one_in(2).then(|| Timestamp::from_seconds(60 * dice.below(20) as i64)),
        class: (*dice.pick(CLASSES)).to_owned(),
        contracts: (0..dice.below(3)).map(|_| id(dice.below(50))).collect(),
        upstream: (0..dice.below(4)).map(|_| id(dice.below(50))).collect(),
    }
}

fn request(dice: &mut Dice) -> Request {
    let mut text = if dice.one_in(15) { String::new() } else { name(dice, 3) };
    if dice.one_in(3) {
        // An unfinished or misspelt query.
        let chars: Vec<char> = text.chars().collect();
        text = match chars.len() {
            0 => text,
            n if dice.one_in(2) => chars[..=dice.below(n)].iter().collect(),
            n => {
                let at = dice.below(n);
                chars.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, c)| c).collect()
            }
        };
    }
    let mut filters = Vec::new();
    if dice.one_in(4) {
        filters.push(Filter { facet: Facet::Domain, values: vec![(*dice.pick(DOMAINS)).to_owned()] });
    }
    if dice.one_in(6) {
        filters.push(Filter { facet: Facet::Access, values: vec!["read".to_owned(), "know".to_owned()] });
    }
    let now = Timestamp::from_seconds(600);
    Request { filters, limit: 1 + dice.below(6), now, ..Request::page(&text, 1) }
}

#[test]
fn a_hidden_product_is_not_found_by_its_address() {
    let catalog = Catalog::of([product("a", "orders").secret().with_columns(&["price"]), product("a", "other")]);
    for query in ["a.orders", "orders", "price", "lake.orders", "ord"] {
        let answer = catalog.search(query);
        assert_eq!((answer.hits.len(), answer.total), (0, 0), "{query}");
        assert!(answer.facets.iter().all(|counts| counts.values.is_empty()), "{query}");
    }
    let granted = visibility(&[(OPEN, Access::Read)], &[("a.orders", Access::Know)]);
    let answer = catalog.index.search(&granted, &Request::page("orders", 5)).unwrap();
    assert_eq!((answer.total, answer.hits[0].stage), (1, Stage::Name));
}

#[test]
fn a_word_of_hidden_products_neither_stops_nor_makes_a_correction() {
    let catalog =
        Catalog::of([product("a", "orders"), product("a", "ordres").secret(), product("a", "revenuex").secret()]);
    // `ordres` is hidden: the caller must find `orders`, as if the other were not there.
    assert_eq!(catalog.ids("ordres"), ["a.orders"]);
    // `revenuex` is hidden: no correction to it, no completion by it.
    let answer = catalog.search("revenuey");
    assert!(answer.hits.is_empty() && answer.corrections.is_empty());
    assert!(catalog.ids("reven").is_empty());
}

/// A search uses what an earlier one has left.
#[test]
fn a_search_leaves_no_trace() {
    // The pair `ab cdef` has the letters of `abc_def`, which no word of the query finds.
    let catalog =
        Catalog::of([product("a", "abc_def_xyz").described("revenue"), product("a", "b").described("revenue")]);
    assert_eq!(catalog.search("ab cdef ").total, 0);
    let before = format!("{:?}", catalog.search("revenue "));
    for query in ["ab cdef ", "revenues", "", "a.b", "abc"] {
        catalog.search(query);
        assert_eq!(format!("{:?}", catalog.search("revenue ")), before, "{query}");
    }
}

#[test]
fn a_hidden_successor_leads_nowhere() {
    let old = |id: &str, successor: &str| Document {
        deprecated: true,
        successor: Some(successor.to_owned()),
        ..product("a", id)
    };
    let new = product("a", "sessions").described("visits and clicks");
    let seen = Catalog::of([old("clicks", "a.visits"), old("visits", "a.sessions"), new.clone()]);
    assert_eq!(seen.ids("clicks"), ["a.sessions", "a.clicks"]);
    let hidden = Catalog::of([old("clicks", "a.visits"), old("visits", "a.sessions").secret(), new]);
    assert_eq!(hidden.ids("clicks"), ["a.clicks", "a.sessions"]);
}

#[test]
fn revoked_visibility_is_seen_at_once() {
    let catalog = Catalog::of([product("a", "orders")]);
    let before = visibility(&[(OPEN, Access::Read)], &[]);
    let after = visibility(&[], &[]);
    let total = |caller: &Arc<Visibility>| -> Result<u64, SearchError> {
        Ok(catalog.index.search(caller, &Request::page("orders", 5))?.total)
    };
    assert_eq!((total(&before).unwrap(), total(&after).unwrap()), (1, 0));
    catalog.put(product("a", "orders").secret());
    assert_eq!((total(&before).unwrap(), total(&after).unwrap()), (0, 0));
}
