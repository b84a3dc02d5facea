//! What a word of a query finds.

use search::{Document, MatchField, Request};

use crate::catalog::{Catalog, With, product};
use crate::dice::Dice;

#[test]
fn identifiers_are_found_by_their_words_and_as_a_whole() {
    let catalog = Catalog::of([
        product("sales", "newtab_content_live"),
        product("sales", "clientsDailyV2"),
        product("sales", "HTTPServerLog"),
        product("sales", "ga4_sessions"),
    ]);
    for (query, id) in [
        ("newtab", "newtab_content_live"),
        ("newtab_content_live", "newtab_content_live"),
        ("newtab contentlive", "newtab_content_live"),
        ("newtabContentLive", "newtab_content_live"),
        ("new tab content live", "newtab_content_live"),
        ("daily", "clientsDailyV2"),
        ("clientsdailyv2", "clientsDailyV2"),
        ("clients_daily", "clientsDailyV2"),
        ("v2", "clientsDailyV2"),
        ("http", "HTTPServerLog"),
        ("server log", "HTTPServerLog"),
        ("ga4", "ga4_sessions"),
        ("ga 4 sessions", "ga4_sessions"),
    ] {
        assert_eq!(catalog.ids(query).first().map(String::as_str), Some(format!("sales.{id}").as_str()), "{query}");
    }
}

#[test]
fn case_accents_and_compatibility_forms_do_not_matter() {
    let catalog = Catalog::of([
        product("sales", "umsatz").described("Umsätze je Straße in Málaga"),
        product("sales", "tokyo").described("東京の売上"),
    ]);
    for query in ["UMSÄTZE", "umsatze", "umsa\u{308}tze", "strasse", "Malaga", "ＭＡＬＡＧＡ"] {
        assert_eq!(catalog.ids(query), ["sales.umsatz"], "{query}");
    }
    assert_eq!(catalog.ids("東京"), ["sales.tokyo"]);
    assert_eq!(catalog.ids("売上"), ["sales.tokyo"]);
}

#[test]
fn one_error_is_forgiven_from_five_letters_and_two_from_nine() {
    let catalog = Catalog::of([
        product("sales", "fees").described("nothing"),
        product("sales", "order").described("nothing"),
        product("sales", "subscribers").described("nothing"),
    ]);
    for (query, found) in [
        ("fexs", None),
        ("ordre", Some("order")),
        ("oder", None),
        ("orders", Some("order")),
        ("oxxer", None),
        ("subscibers", Some("subscribers")),
        ("subsciberz", Some("subscribers")),
        ("sxbscxbxrs", None),
    ] {
        let expected: Vec<String> = found.iter().map(|name| format!("sales.{name}")).collect();
        assert_eq!(catalog.ids(query), expected, "{query}");
    }
    let answer = catalog.search("ordre");
    assert_eq!(answer.corrections[0].typed, "ordre");
    assert_eq!(answer.corrections[0].found, ["order"]);
}

#[test]
fn a_word_that_is_found_is_not_corrected() {
    let catalog = Catalog::of([product("sales", "orders"), product("sales", "orderz")]);
    assert_eq!(catalog.ids("orderz"), ["sales.orderz"]);
    assert!(catalog.search("orderz").corrections.is_empty());
}

#[test]
fn the_last_word_may_be_unfinished() {
    let catalog = Catalog::of([product("sales", "customer_orders"), product("sales", "orders_archive")]);
    for query in ["c", "cu", "cust", "customer or", "customer_or"] {
        assert_eq!(catalog.ids(query).first().map(String::as_str), Some("sales.customer_orders"), "{query}");
    }
    // A blank ends the word: it is a whole one then, and corrected or completed only if there is no such word.
    assert_eq!(catalog.ids("or "), [""; 0]);
}

#[test]
fn inflections_and_abbreviations_are_found() {
    let catalog =
        Catalog::of([product("sales", "uninstalls"), product("sales", "event_messages"), product("sales", "txn_amt")]);
    for (query, id) in [
        ("uninstalling", "uninstalls"),
        ("uninstall", "uninstalls"),
        ("evt msgs", "event_messages"),
        ("transaction amount", "txn_amt"),
    ] {
        assert_eq!(catalog.ids(query).first().map(String::as_str), Some(format!("sales.{id}").as_str()), "{query}");
    }
}

#[test]
fn every_part_of_a_product_finds_it_and_the_hit_says_which() {
    let mut document = Document { title: "Alpha".to_owned(), ..product("bravo", "charlie") }
        .described("delta")
        .with_columns(&["echo", "nested.foxtrot"])
        .with_port("parquet");
    document.tags = vec!["golf".to_owned()];
    document.synonyms = vec!["hotel".to_owned()];
    document.owners = vec!["india".to_owned()];
    document.tables[0].name = "juliett".to_owned();
    document.tables[0].description = "kilo".to_owned();
    document.tables[0].synonyms = vec!["lima".to_owned()];
    document.tables[0].columns[0].description = "mike".to_owned();
    document.tables[0].columns[0].synonyms = vec!["november".to_owned()];
    document.ports[0].addresses = vec!["s3://oscar/papa".to_owned()];
    document.ports[0].name = "quebec".to_owned();
    let catalog = Catalog::of([document]);
    for (query, field, of) in [
        ("alpha", MatchField::Title, None),
        ("bravo", MatchField::Domain, None),
        ("charlie", MatchField::Name, None),
        ("delta", MatchField::Description, None),
        ("echo", MatchField::Column, None),
        ("foxtrot", MatchField::Column, None),
        ("golf", MatchField::Tag, None),
        ("hotel", MatchField::Synonym, None),
        ("india", MatchField::Owner, None),
        ("juliett", MatchField::Table, None),
        ("kilo", MatchField::TableDescription, Some("juliett")),
        ("lima", MatchField::TableSynonym, Some("juliett")),
        ("mike", MatchField::ColumnDescription, Some("echo")),
        ("november", MatchField::ColumnSynonym, Some("echo")),
        ("s3://oscar/papa", MatchField::Address, None),
        ("oscar", MatchField::Address, None),
        ("quebec", MatchField::Port, None),
        ("lake.charlie", MatchField::Address, None),
        ("bravo.charlie", MatchField::Address, None),
    ] {
        let answer = catalog.search(query);
        let hit = answer.hits.first().unwrap_or_else(|| panic!("`{query}` finds nothing"));
        let first = hit.matches.first().unwrap_or_else(|| panic!("`{query}` is not explained"));
        assert_eq!((first.field, first.of.as_deref()), (field, of), "{query}");
        assert!(!first.highlights.is_empty(), "{query}");
    }
}

#[test]
fn highlights_are_ranges_of_characters() {
    let long = format!("{} größter Kunde", "wort ".repeat(200));
    let catalog = Catalog::of([
        product("sales", "kunden").described("Größe je Größenklasse (größe)"),
        product("sales", "long").described(&long),
    ]);
    let shown = |query: &str| -> Vec<String> {
        let answer = catalog.search(query);
        let found = &answer.hits[0].matches.iter().find(|found| found.field == MatchField::Description).unwrap();
        let chars: Vec<char> = found.text.chars().collect();
        found.highlights.iter().map(|range| chars[range.start as usize..range.end as usize].iter().collect()).collect()
    };
    assert_eq!(shown("grosse "), ["Größe", "größe"]);
    assert_eq!(shown("grosster"), ["größter"]);
}

#[test]
fn a_query_without_words_finds_nothing_and_an_empty_one_everything() {
    let catalog = Catalog::of([product("sales", "orders")]);
    assert_eq!(catalog.ids("?!"), [""; 0]);
    assert_eq!(catalog.ids(" "), ["sales.orders"]);
    assert_eq!(catalog.ids("the orders"), ["sales.orders"]);
    assert_eq!(catalog.ids("the"), [""; 0]);
    assert_eq!(catalog.ask(&Request::suggest("", 5)).total, 1);
}

/// More words than there are places for what is known of words.
#[test]
fn each_of_very_many_words_is_found_as_itself() {
    let word = |n: usize| {
        let letters: String = (0..4).map(|at| char::from(b'a' + (n / 26_usize.pow(at) % 26) as u8)).collect();
        match n % 4 {
            0 => format!("{letters}ing"),
            1 => format!("{letters}Ed{}", n % 10),
            2 => format!("{letters}é"),
            _ => letters,
        }
    };
    const WORDS: usize = 100;
    const PRODUCTS: usize = 1_200;
    let text = |n: usize| (n * WORDS..(n + 1) * WORDS).map(word).collect::<Vec<_>>().join(" ");
    let catalog = Catalog::of((0..PRODUCTS).map(|n| product("a", &format!("product_{n}")).described(&text(n))));
    let mut dice = Dice::new(3);
    for _ in 0..200 {
        let n = dice.below(PRODUCTS * WORDS);
        // A blank ends the word: it is not completed.
        let found = catalog.ids(&format!("{} ", word(n)));
        assert!(found.contains(&format!("a.product_{}", n / WORDS)), "{}: {found:?}", word(n));
        assert!(found.len() <= 4, "{}: {found:?}", word(n));
    }
}
