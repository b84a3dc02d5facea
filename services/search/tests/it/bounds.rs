//! Hostile queries and documents.

use std::time::{Duration, Instant};

use search::{Column, Document, MAX_PAGE, MAX_QUERY_CHARS, Request, Table};

use crate::catalog::{Catalog, With, open, product};
use crate::dice::Dice;

#[test]
fn long_queries_are_cut_and_say_so() {
    let catalog = Catalog::of([product("a", "orders")]);
    let answer = catalog.search(&format!("orders {}", "x ".repeat(MAX_QUERY_CHARS)));
    assert!(answer.shortened);
    assert_eq!(answer.hits[0].id, "a.orders");
    let words: Vec<String> = (0..50).map(|n| format!("word{n}")).collect();
    assert!(catalog.search(&words.join(" ")).shortened);
    assert!(!catalog.search("orders of all kinds").shortened);
}

#[test]
fn a_page_has_a_largest_size() {
    let catalog = Catalog::of((0..150).map(|n| product("a", &format!("orders_{n}"))));
    assert_eq!(catalog.ask(&Request::page("orders", usize::MAX)).hits.len(), MAX_PAGE);
    let none = catalog.ask(&Request::page("orders", 0));
    assert_eq!((none.hits.len(), none.total, none.next), (0, 150, None));
}

#[test]
fn no_text_is_an_error_or_slow() {
    let mut dice = Dice::new(5);
    let words: Vec<String> =
        (0..4_000).map(|_| (0..3 + dice.below(9)).map(|_| char::from(b'a' + dice.below(26) as u8)).collect()).collect();
    let catalog = Catalog::of((0..2_000).map(|n| {
        product("a", &format!("{}_{}_{n}", words[dice.below(4_000)], words[dice.below(4_000)]))
            .described(&(0..20).map(|_| words[dice.below(4_000)].as_str()).collect::<Vec<_>>().join(" "))
    }));
    let alphabet: Vec<char> =
        "abz019 _-.:\"'(){}[]^~*?\\+&|!/\u{0}\u{1f}\u{301}éßI\u{130}ﬁ漢字\u{1F600}\u{202e}".chars().collect();
    let mut queries: Vec<String> = [
        "a", "z", "*", "a*", "a~2", "name:x", "\"", "AND", "OR NOT", "a AND", "[a TO b]", "^x", "p:ab", "n:a",
        "\u{301}",
    ]
    .map(str::to_owned)
    .to_vec();
    queries.push("a".repeat(100_000));
    queries.push((0..400).map(|n| char::from(b'a' + (n % 26) as u8)).map(|c| format!("{c} ")).collect());
    queries.push(words[..16].iter().map(|word| format!("{word}x")).collect::<Vec<_>>().join(" "));
    for _ in 0..500 {
        queries.push((0..dice.below(40)).map(|_| *dice.pick(&alphabet)).collect());
    }
    for query in queries {
        let started = Instant::now();
        let answer = catalog.index.search(&open(), &Request::page(&query, 20));
        assert!(answer.is_ok(), "{query:?}: {answer:?}");
        assert!(started.elapsed() < Duration::from_secs(2), "{query:?}: {:?}", started.elapsed());
    }
}

#[test]
fn the_largest_document_is_taken_and_found_by_its_beginning() {
    let columns = |n: usize| {
        (0..n)
            .map(|n| Column {
                name: format!("column_{n}"),
                description: "d ".repeat(5_000),
                synonyms: vec!["s".repeat(200); 2],
            })
            .collect()
    };
    let hostile = Document {
        title: "t".repeat(100_000),
        description: format!("beginning {}", "word ".repeat(100_000)),
        tags: vec!["tag\u{1e}\u{1f}x".to_owned(); 1_000],
        owners: vec!["\u{1f}A".to_owned()],
        tables: (0..600)
            .map(|n| Table {
                name: format!("table_{n}"),
                columns: columns(if n == 0 { 300 } else { 20 }),
                ..Table::default()
            })
            .collect(),
        classification: Some("x\u{1f}y".repeat(50_000)),
        ..product("a", "hostile")
    };
    let catalog = Catalog::of([hostile, product("a", "plain")]);
    for query in ["hostile", "beginning", "column_7", "table_7"] {
        assert_eq!(catalog.ids(query).first().map(String::as_str), Some("a.hostile"), "{query}");
    }
    let size: u64 =
        std::fs::read_dir(catalog.folder.path()).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    assert!(size < 20 << 20, "{size} bytes on disk");
}
