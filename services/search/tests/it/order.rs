//! The order of hits, filters, facets and pages.

use domain::clock::Timestamp;
use domain::quality::Verdict;
use search::{Access, Document, Facet, Filter, MatchField, Port, Request, SearchError, Stage};

use crate::catalog::{Catalog, OPEN, With, product, visibility};

fn stages(catalog: &Catalog, query: &str) -> Vec<(String, Stage)> {
    catalog.search(query).hits.into_iter().map(|hit| (hit.id, hit.stage)).collect()
}

#[test]
fn stages_order_hits_whatever_their_scores() {
    let text = "orders ".repeat(50);
    let catalog = Catalog::of([
        Document { address: "orders".to_owned(), ..product("a", "x1") },
        product("a", "orders"),
        product("a", "late_orders_of_all_kinds_and_times"),
        product("a", "x2").with_columns(&["orders"]),
        product("a", "x3").described(&text),
    ]);
    let expected = [
        ("a.x1", Stage::Address),
        ("a.orders", Stage::Name),
        ("a.late_orders_of_all_kinds_and_times", Stage::Words),
        ("a.x2", Stage::Term),
        ("a.x3", Stage::Text),
    ];
    assert_eq!(stages(&catalog, "orders"), expected.map(|(id, stage)| (id.to_owned(), stage)));
}

#[test]
fn a_name_counts_with_its_domain_and_words_in_order_count_more() {
    let catalog = Catalog::of([
        product("stripe", "nonprod_charge"),
        product("stripe", "charge"),
        product("shop", "charge_stripe_copy_b"),
        product("shop", "stripe_charge_copy_b"),
    ]);
    let found = stages(&catalog, "Stripe charge");
    assert_eq!(found[0], ("stripe.charge".to_owned(), Stage::Name));
    let at = |id: &str| found.iter().position(|(found, _)| found == id).unwrap();
    assert!(at("shop.stripe_charge_copy_b") < at("shop.charge_stripe_copy_b"), "{found:?}");
}

#[test]
fn a_deprecated_product_comes_below_its_successor() {
    let old = |id: &str, successor: &str| Document {
        deprecated: true,
        successor: Some(successor.to_owned()),
        ..product("a", id)
    };
    let catalog = Catalog::of([
        old("orders", "a.purchases"),
        product("a", "purchases").described("replaces the table of orders"),
        // A line of successors, and one that leads back to itself.
        old("clicks", "a.visits"),
        old("visits", "a.sessions"),
        product("a", "sessions").described("visits and clicks"),
        old("ping", "a.pong"),
        old("pong", "a.ping"),
    ]);
    assert_eq!(catalog.ids("orders"), ["a.purchases", "a.orders"]);
    assert_eq!(catalog.ids("clicks"), ["a.sessions", "a.clicks"]);
    assert_eq!(catalog.ids("clicks visits"), ["a.sessions", "a.visits", "a.clicks"]);
    assert_eq!(catalog.ids("ping"), ["a.ping"]);
    assert_eq!(catalog.ids("ping pong").len(), 2);
    // Who gives the address means it.
    assert_eq!(stages(&catalog, "a.ping")[0], ("a.ping".to_owned(), Stage::Address));
}

#[test]
fn priors_order_what_is_equally_good_and_no_more() {
    // A time before that of the requests is late.
    let late_from = |fresh| if fresh { Timestamp::from_seconds(3_600) } else { Timestamp::from_seconds(-1) };
    let with = |id: &str, verdict, readers, fresh: Option<bool>| Document {
        verdict,
        readers,
        late_from: fresh.map(late_from),
        ..product("a", id)
    };
    let equal = |document: Document| document.described("orders of customers");
    let catalog = Catalog::of([
        equal(with("a_fails", Some(Verdict::Fail), 0, Some(false))),
        equal(with("b_unknown", None, 0, None)),
        equal(with("c_passes", Some(Verdict::Pass), 0, None)),
        equal(with("d_passes_fresh", Some(Verdict::Pass), 0, Some(true))),
        equal(with("e_passes_fresh_used", Some(Verdict::Pass), 1_000, Some(true))),
        with("f_fails", Some(Verdict::Fail), 0, Some(false))
            .described("orders of customers, orders of their customers"),
    ]);
    let mut documents = catalog.ids("orders customers");
    let better = documents.iter().position(|id| id == "a.f_fails").unwrap();
    documents.remove(better);
    assert_eq!(documents, ["a.e_passes_fresh_used", "a.d_passes_fresh", "a.c_passes", "a.b_unknown", "a.a_fails"]);
    let named = Catalog::of([
        with("orders", Some(Verdict::Fail), 0, Some(false)),
        with("x", Some(Verdict::Pass), u32::MAX, Some(true)).described("orders"),
    ]);
    assert_eq!(named.ids("orders"), ["a.orders", "a.x"]);
}

#[test]
fn what_becomes_late_meanwhile_counts_less() {
    let until = |id: &str, minutes: i64| Document {
        late_from: Some(Timestamp::from_seconds(60 * minutes)),
        ..product("a", id).described("orders")
    };
    let catalog = Catalog::of([until("one", 10), until("two", 20), product("a", "zzz").described("orders")]);
    let at = |minutes: i64, text: &str| {
        let request = Request { now: Timestamp::from_seconds(60 * minutes), ..Request::page(text, 5) };
        let ids = catalog.ask(&request).hits.into_iter().map(|hit| hit.id);
        ids.collect::<Vec<_>>()
    };
    for text in ["orders", ""] {
        assert_eq!(at(9, text), ["a.one", "a.two", "a.zzz"]);
        assert_eq!(at(10, text), ["a.two", "a.zzz", "a.one"]);
        assert_eq!(at(20, text), ["a.zzz", "a.one", "a.two"]);
    }
}

#[test]
fn readers_are_counted_by_levels() {
    let with = |id: &str, readers| Document { readers, ..product("a", id) };
    let catalog = Catalog::of([with("one", 0), with("two", 5), with("three", 9)]);
    catalog.put(with("four", 1));
    let index = &catalog.index;
    assert_eq!(index.with_readers("", 10).unwrap(), ["a.four", "a.three", "a.two"]);
    assert_eq!(index.with_readers("a.four", 1).unwrap(), ["a.three"]);
    // 4 to 7 are one level.
    for (readers, other) in [(3, true), (4, false), (7, false), (8, true), (0, true)] {
        assert_eq!(index.counts_other_readers("a.two", readers).unwrap(), other, "{readers}");
    }
    assert!(!index.counts_other_readers("a.none", 1).unwrap());
    catalog.put(with("two", 0));
    assert_eq!(index.with_readers("", 10).unwrap(), ["a.four", "a.three"]);
}

#[test]
fn a_successor_that_comes_later_is_found_by_its_address() {
    let old = Document { deprecated: true, successor: Some("B.Purchases".to_owned()), ..product("a", "orders") };
    let catalog = Catalog::of([old]);
    assert_eq!(catalog.ids("orders"), ["a.orders"]);
    let new = Document { id: "7".to_owned(), ..product("b", "purchases").described("all orders") };
    catalog.put(new.clone());
    assert_eq!(catalog.ids("orders"), ["7", "a.orders"]);
    // The address of a table is none of a product.
    let moved = Document { address: "b.bought".to_owned(), ..new };
    catalog
        .put(Document { ports: vec![Port { addresses: vec!["b.purchases".to_owned()], ..Port::default() }], ..moved });
    assert_eq!(catalog.ids("orders"), ["a.orders", "7"]);
}

#[test]
fn ties_break_by_id_and_a_product_is_one_hit() {
    let catalog = Catalog::of((0..30).rev().map(|n| product("a", &format!("same{n:02}")).described("orders orders")));
    let expected: Vec<String> = (0..20).map(|n| format!("a.same{n:02}")).collect();
    assert_eq!(catalog.ids("orders"), expected);
    // Also when the equal ones are in segments of their own.
    for n in (0..30).step_by(3) {
        catalog.put(product("a", &format!("same{n:02}")).described("orders orders"));
    }
    assert_eq!(catalog.ids("orders"), expected);
    assert_eq!(catalog.search("orders").total, 30);
}

#[test]
fn sources_of_what_matches_rise_and_say_why() {
    let catalog = Catalog::of([
        Document {
            upstream: vec!["raw_b-contract".to_owned(), "gone-contract".to_owned()],
            ..product("a", "report").described("monthly revenue of all stores")
        },
        product("a", "raw_a").described("revenue"),
    ]);
    // Also if it comes later than what is made from it.
    let raw = product("a", "raw_b").described("revenue");
    catalog.put(Document { contracts: vec!["raw_b-contract".to_owned()], ..raw });
    let answer = catalog.search("monthly revenue");
    let ids: Vec<&str> = answer.hits.iter().map(|hit| hit.id.as_str()).collect();
    assert_eq!(ids, ["a.report", "a.raw_b", "a.raw_a"]);
    let feeds = answer.hits[1].matches.iter().find(|found| found.field == MatchField::Feeds).unwrap();
    assert_eq!(feeds.text, "a.report");
}

#[test]
fn facets_count_what_the_other_filters_leave() {
    let catalog = Catalog::of([
        product("a", "orders_1").with_port("delta"),
        product("a", "orders_2").with_port("avro").with_port("delta"),
        product("b", "orders_3").with_port("avro"),
        Document { class: "other".to_owned(), ..product("b", "orders_4").with_port("avro") },
        product("b", "nothing").with_port("csv"),
    ]);
    let caller = visibility(&[(OPEN, Access::Read), ("other", Access::Know)], &[("b.orders_3", Access::Request)]);
    let ask = |filters: &[(Facet, &str)]| {
        let filters =
            filters.iter().map(|(facet, value)| Filter { facet: *facet, values: vec![(*value).to_owned()] }).collect();
        let answer = catalog.index.search(&caller, &Request { filters, ..Request::page("orders", 20) }).unwrap();
        let counts = |facet: Facet| -> Vec<(String, u64)> {
            answer.facets.iter().find(|counts| counts.facet == facet).unwrap().values.clone()
        };
        (answer.total, counts(Facet::Domain), counts(Facet::Format), counts(Facet::Access))
    };
    let pairs = |list: &[(&str, u64)]| -> Vec<(String, u64)> {
        list.iter().map(|(value, count)| ((*value).to_owned(), *count)).collect()
    };
    let (total, domains, formats, access) = ask(&[]);
    assert_eq!(total, 4);
    assert_eq!(domains, pairs(&[("a", 2), ("b", 2)]));
    assert_eq!(formats, pairs(&[("avro", 3), ("delta", 2)]));
    // The higher of class and grant.
    assert_eq!(access, pairs(&[("read", 3), ("know", 1)]));
    let (total, domains, formats, _) = ask(&[(Facet::Domain, "a")]);
    assert_eq!(total, 2);
    assert_eq!(domains, pairs(&[("a", 2), ("b", 2)]));
    assert_eq!(formats, pairs(&[("delta", 2), ("avro", 1)]));
    let (total, domains, _, _) = ask(&[(Facet::Format, "avro"), (Facet::Access, "read")]);
    assert_eq!(total, 2);
    assert_eq!(domains, pairs(&[("a", 1), ("b", 1)]));
}

#[test]
fn pages_together_are_the_whole_and_suggestions_its_beginning() {
    let catalog =
        Catalog::of((0..57).map(|n| product("a", &format!("orders_{}", n % 10)).described(&"x ".repeat(n))).map({
            let mut n = 0;
            move |document| {
                n += 1;
                Document { id: format!("id{n:02}"), ..document }
            }
        }));
    let whole: Vec<String> = catalog.ask(&Request::page("orders", 100)).hits.into_iter().map(|hit| hit.id).collect();
    assert_eq!(whole.len(), 57);
    let mut paged = Vec::new();
    let mut request = Request::page("orders", 7);
    loop {
        let answer = catalog.ask(&request);
        assert_eq!(answer.total, 57);
        paged.extend(answer.hits.into_iter().map(|hit| hit.id));
        match answer.next {
            Some(next) => request.after = Some(next),
            None => break,
        }
    }
    assert_eq!(paged, whole);
    let suggested: Vec<String> =
        catalog.ask(&Request::suggest("orders", 8)).hits.into_iter().map(|hit| hit.id).collect();
    assert_eq!(suggested, whole[..8]);
}

#[test]
fn a_cursor_of_another_query_is_refused() {
    let catalog = Catalog::of((0..5).map(|n| product("a", &format!("orders_{n}"))));
    let next = catalog.ask(&Request::page("orders", 2)).next.unwrap();
    for after in [next.as_str(), "", "x", "1.2.3.4.5", "ffffffffffffffffff.0.0.0.a"] {
        let request = Request { after: Some(after.to_owned()), ..Request::page("order", 2) };
        let refused = catalog.index.search(&crate::catalog::open(), &request);
        assert!(matches!(refused, Err(SearchError::Cursor)), "{after}");
    }
}

#[test]
fn changes_are_seen_and_their_position_is_kept() {
    let catalog = Catalog::of([product("a", "orders").secret()]);
    assert_eq!(catalog.ids("orders"), [""; 0]);
    catalog.put(product("a", "orders"));
    assert_eq!(catalog.ids("orders"), ["a.orders"]);
    catalog.put(product("a", "orders").described("now with returns"));
    assert_eq!(catalog.search("orders").total, 1);
    assert_eq!(catalog.ids("returns"), ["a.orders"]);
    let position = catalog.index.position();
    catalog.index.apply([search::Change::Remove("a.orders".to_owned())], position + 5).unwrap();
    assert_eq!(catalog.ids("orders"), [""; 0]);
    assert!(catalog.index.apply([], position).is_err());
    let folder = catalog.folder;
    drop(catalog.index);
    assert_eq!(search::Index::open(folder.path()).unwrap().position(), position + 5);
}

#[test]
fn products_of_a_large_build_have_one_order() {
    const PRODUCTS: usize = 10_500;
    let id = |n: usize| format!("orders_{n:05}");
    let catalog = Catalog::of((0..PRODUCTS).map(|n| product("a", &id(n))));
    let is_segment = |entry: &std::fs::DirEntry| entry.path().extension().is_some_and(|extension| extension == "store");
    let segments =
        std::fs::read_dir(catalog.folder.path()).unwrap().filter(|entry| is_segment(entry.as_ref().unwrap()));
    assert!((1..=2).contains(&segments.count()));
    let mut request = Request::page("orders ", 100);
    let mut found = Vec::new();
    for _ in 0..5 {
        let answer = catalog.ask(&request);
        assert_eq!(answer.total, PRODUCTS as u64);
        found.extend(answer.hits.into_iter().map(|hit| hit.id));
        request.after = answer.next;
    }
    assert_eq!(found, (0..500).map(|n| format!("a.{}", id(n))).collect::<Vec<_>>());
}
