//! `sql` rules that can never run are refused with their place, and those that read nothing are a warning.

use documents::{Document, Problem, parse, parse_to_compare};
use domain::contract::Measure;

const HEAD: &str = "apiVersion: v3.2.0\nkind: DataContract\nid: orders\nversion: 1.0.0\nstatus: active\nschema:\n";

/// A contract of one table with these properties, over which the rule is; the query is on line 9, column 13.
fn over_table(query: &str, properties: &str) -> String {
    let query = serde_json::Value::from(query);
    format!("{HEAD}- name: orders\n  quality:\n  - {{query: {query}, type: sql, mustBe: 0}}\n{properties}")
}

const PROPERTIES: &str = "  properties:
  - {name: id, physicalName: order_id}
  - {name: Amount}
  - {name: profit, semanticType: measure}
  - name: address
    properties:
    - name: lines
      items:
        name: line
        quality:
        - {type: sql, query: 'SELECT count(*) FROM ${table} WHERE ${column} IS NULL', mustBe: 0}
";

fn found(text: &str) -> Vec<Problem> {
    parse(text.as_bytes()).expect_err("accepted")
}

#[track_caller]
fn check(query: &str, message: &str) {
    let problems = found(&over_table(query, PROPERTIES));
    let message = format!("the rule can never run: {message}");
    let place = (9, 13, "/schema/0/quality/0/query");
    let problems: Vec<_> =
        problems.iter().map(|it| ((it.line, it.column, it.path.as_str()), it.message.as_str())).collect();
    assert_eq!(problems, [(place, message.as_str())], "{query}");
}

#[test]
fn a_rule_that_can_never_run_is_refused_at_its_place() {
    check("COPY ${table} TO '/tmp/x'", "the rule is not a SELECT");
    check("SELECT 1; SELECT 2", "the rule is not exactly one query");
    check("SELECT count(*) FROM other", "the query reads `other`, but a rule reads only `${table}`");
    check("SELECT random() FROM ${table}", "the query calls `random`, which is not allowed");
    let unknown = |name: &str| format!("the query names the column `{name}`, which the table does not have");
    check("SELECT max(nothing) FROM ${table}", &unknown("nothing"));
    // A query names columns as the table does, and a measure is not stored.
    check("SELECT max(id) FROM ${table}", &unknown("id"));
    check("SELECT max(profit) FROM ${table}", &unknown("profit"));
    check("SELECT max(\"amount\") FROM ${table}", &unknown("amount"));
}

#[test]
fn a_name_that_fits_two_columns_is_refused() {
    let properties = "  properties:\n  - {name: id}\n  - {name: ID}\n";
    let message = "the rule can never run: the query names the column `Id`, which may be `ID` or `id`: put the name in double quotes";
    let problems = found(&over_table("SELECT max(Id) FROM ${table}", properties));
    assert_eq!((problems.len(), problems[0].message.as_str()), (1, message));
    parse(over_table("SELECT max(\"ID\") FROM ${table}", properties).as_bytes()).unwrap();
}

#[test]
fn a_rule_that_can_run_is_accepted_without_a_word() {
    for query in ["SELECT count(*) FROM ${table}", "SELECT max(AMOUNT) FROM ${object} t WHERE t.Order_Id > 1"] {
        let parsed = parse(over_table(query, PROPERTIES).as_bytes()).unwrap();
        assert_eq!(parsed.warnings, [], "{query}");
    }
    // Nothing is known of the columns.
    parse(over_table("SELECT max(anything) FROM ${table}", "").as_bytes()).unwrap();
}

#[test]
fn the_object_is_the_table_by_its_names_too() {
    let queries = [
        ("SELECT max(amount) FROM Orders", "SELECT max(amount) FROM ${table} AS Orders"),
        ("SELECT max(o.amount) FROM shop.orders_v1 o", "SELECT max(o.amount) FROM ${table} o"),
        ("SELECT max(orders.amount)\n FROM \"orders\"", "SELECT max(orders.amount)\n FROM ${table} AS \"orders\""),
        ("WITH orders AS (SELECT 1 AS amount) SELECT count(amount) FROM orders, ${table}", ""),
    ];
    let properties = format!("  physicalName: shop.orders_v1\n{PROPERTIES}");
    for (query, expected) in queries {
        let parsed = parse(over_table(query, &properties).as_bytes()).unwrap();
        let Document::Contract(contract) = parsed.document else { panic!("a contract") };
        let Measure::Sql { query: read } = &contract.objects[0].quality[0].measure else { panic!("a query") };
        assert_eq!(read, if expected.is_empty() { query } else { expected });
    }
}

#[test]
fn rules_of_properties_are_judged_with_their_column() {
    let over = |query: &str| {
        let broken = PROPERTIES.replace("SELECT count(*) FROM ${table} WHERE ${column} IS NULL", query);
        over_table("SELECT count(*) FROM ${table}", &broken)
    };
    parse(over("SELECT count(*) FROM ${table} WHERE ${property} > 1").as_bytes()).unwrap();
    let problems = found(&over("SELECT count(*) FROM ${table} WHERE ${coloumn} > 1"));
    let [problem] = problems.as_slice() else { panic!("{problems:?}") };
    assert_eq!(problem.path, "/schema/0/properties/3/properties/0/items/quality/0/query");
    assert!(problem.message.contains("a placeholder other than"), "{problem}");
}

#[test]
fn a_rule_that_reads_nothing_is_a_warning() {
    let parsed = parse(over_table("SELECT 1", PROPERTIES).as_bytes()).unwrap();
    let [warning] = parsed.warnings.as_slice() else { panic!("{:?}", parsed.warnings) };
    assert_eq!((warning.line, warning.column), (9, 13));
    assert_eq!(warning.message, "the query reads no column and counts no rows: its answer never changes");
}

#[test]
fn a_document_that_was_published_with_such_a_rule_stays_readable() {
    let text = over_table("SELECT max(nothing) FROM ${table}", PROPERTIES);
    let parsed = parse_to_compare(text.as_bytes()).unwrap();
    assert!(matches!(parsed.document, Document::Contract(_)));
    assert!(parsed.warnings.iter().any(|warning| warning.message.contains("nothing")), "{:?}", parsed.warnings);
}

#[test]
fn a_query_at_the_limits_of_nesting_is_read_on_a_stack_of_its_own() {
    let nested =
        |open: &str, close: &str| format!("SELECT {}count(*){} FROM ${{table}}", open.repeat(31), close.repeat(31));
    for query in [nested("(", ")"), nested("abs(", ")"), nested("CASE WHEN true THEN ", " END")] {
        parse(over_table(&query, PROPERTIES).as_bytes()).unwrap();
    }
    let problems = found(&over_table(&format!("SELECT {}true", "NOT ".repeat(1_900)), PROPERTIES));
    assert!(problems[0].message.contains("cannot be read"), "{problems:?}");
}
