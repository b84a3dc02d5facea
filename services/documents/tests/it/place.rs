//! Where a contract says what a finding is about.

use documents::Places;

const TEXT: &str = "\
id: other
version: 1.1.0
schema: []
---
id: orders
version: 1.1.0
dataProduct: shop
customProperties:
  - property: enumsOpen
    value: true
servers:
  - server: lake
    type: local
roles:
  - role: analyst
slaProperties:
  - property: latency
    value: 2
schema:
  - name: orders
    quality:
      - metric: rowCount
    properties:
      - name: id
      - name: a
        properties:
          - name: b
            quality:
              - name: positive
              - type: text
      - name: a.b
      - name: tags
        items:
          properties:
            - name: word
      - name: prices
        map:
          key: {logicalType: string}
          value:
            properties:
              - name: amount
";

#[test]
fn a_path_leads_to_the_line_that_says_it() {
    let places = Places::of(TEXT);
    let lines = [
        ("orders", 20),
        ("orders#rowCount", 22),
        ("orders.id", 24),
        ("orders.a", 25),
        ("orders.a#gone", 25),
        ("orders.a.b", 31),
        ("orders.a.c", 25),
        ("orders.tags[].word", 35),
        ("orders.tags[].gone", 34),
        ("orders.prices{key}", 38),
        ("orders.prices{value}.amount", 41),
        ("orders.gone", 20),
        ("gone", 5),
        ("servers.lake", 12),
        ("servers.gone", 5),
        ("roles.analyst", 15),
        ("sla.latency", 17),
        ("settings", 9),
        ("contract.dataProduct", 7),
        ("contract", 5),
        ("", 5),
    ];
    for (path, line) in lines {
        assert_eq!(places.find("orders", "1.1.0", path).map(|(line, _)| line), Some(line), "{path}");
    }
}

#[test]
fn a_pointer_leads_to_the_innermost_value_that_is_there() {
    let places = Places::of(TEXT);
    let cases = [
        (0, "", (1, 1)),
        (0, "/version", (2, 10)),
        (1, "", (5, 1)),
        (1, "/name", (5, 1)),
        (1, "/customProperties/0/value", (10, 12)),
        (1, "/servers/0/path", (12, 5)),
        (1, "/servers/7/path", (12, 3)),
        (1, "/schema/0/properties/1/properties/0/name", (27, 19)),
    ];
    for (n_document, pointer, place) in cases {
        assert_eq!(places.at(n_document, pointer), Some(place), "{pointer}");
    }
    assert_eq!(places.at(2, ""), None);
    assert_eq!(Places::of("a/b: {~c: 1}").at(0, "/a~1b/~0c"), Some((1, 11)));
}

#[test]
fn rules_are_found_by_what_they_are_called() {
    let text = TEXT.replace("      - name: a.b\n", "");
    let places = Places::of(&text);
    assert_eq!(places.find("orders", "1.1.0", "orders.a.b#positive"), Some((29, 17)));
    assert_eq!(places.find("orders", "1.1.0", "orders.a.b#text"), Some((30, 17)));
}

#[test]
fn absent_values_have_no_place() {
    let places = Places::of(TEXT);
    assert_eq!(places.find("orders", "2.0.0", "orders"), None);
    assert_eq!(places.find("gone", "1.1.0", "orders"), None);
    assert_eq!(Places::of("a: [").find("orders", "1.1.0", "orders"), None);
}
