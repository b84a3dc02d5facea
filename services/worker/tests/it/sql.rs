//! `sql` rules: what they may say, and that whatever else they say is an error of that rule alone, soon.

use domain::quality::Measured;
use sql_rule::{Query, Refusal};

use crate::support::{HandTable, delta, delta_within, nulls, sql, value};

/// Runs the queries in one inspection of three rows; after each comes a plain rule, which must be right.
fn measure(queries: &[String]) -> Vec<Measured> {
    let table = HandTable::of_three_rows();
    let rules = queries.iter().flat_map(|query| [sql(query), nulls("n")]).collect();
    let measured = delta_within(20, table.path(), 0, rules).unwrap().inspection.measured;
    measured
        .chunks(2)
        .map(|pair| {
            assert_eq!(pair[1], value(0));
            pair[0].clone()
        })
        .collect()
}

/// What is said of a text when it is published, over the column `n`.
fn publish(text: &str) -> Result<(), Refusal> {
    Query::read(text)?.bind(&["n"])
}

/// These are published, and give a number.
#[track_caller]
fn check<const N: usize>(queries: [(&str, f64); N]) {
    let measured = measure(&queries.map(|(query, _)| query.to_owned()));
    for ((query, expected), measured) in queries.iter().zip(measured) {
        assert_eq!(publish(query), Ok(()), "{query}");
        assert_eq!(measured, value(*expected), "{query}");
    }
}

/// These are published, since no text shows what is wrong with them.
#[track_caller]
fn check_failing<const N: usize>(queries: [&str; N]) {
    let measured = measure(&queries.map(str::to_owned));
    for (query, measured) in queries.iter().zip(measured) {
        assert_eq!(publish(query), Ok(()), "{query}");
        assert!(matches!(measured, Measured::Error(_)), "{query}: {measured:?}");
    }
}

/// These are refused by publishing and by the worker, with the same words.
#[track_caller]
fn check_refused<const N: usize>(queries: [&str; N]) {
    let measured = measure(&queries.map(str::to_owned));
    for (query, measured) in queries.iter().zip(measured) {
        let refusal = publish(query).expect_err(query);
        assert_eq!(measured, Measured::Error(refusal.to_string()), "{query}");
    }
}

#[test]
fn a_query_is_one_select_over_the_table_that_gives_one_number() {
    check([
        ("SELECT count(*) FROM ${table}", 3.0),
        ("select sum(n) from ${object};", 6.0),
        ("SELECT avg(t.n) FROM ${table} t WHERE t.n > 1", 2.5),
        ("SELECT CAST(max(n) AS DECIMAL(10, 2)) / 4 FROM ${table}", 0.75),
        ("WITH big AS (SELECT n FROM ${table} WHERE n >= 2) SELECT count(*) FROM big", 2.0),
        ("SELECT count(*) FROM (SELECT n, row_number() OVER (ORDER BY n) AS r FROM ${table}) WHERE n = r", 3.0),
        ("SELECT count(*) FROM ${table} WHERE n = (SELECT max(n) FROM ${table})", 1.0),
        ("SELECT count(*) FROM ${table} a JOIN ${table} b ON a.n = b.n + 1", 2.0),
        ("SELECT count(DISTINCT upper(CASE WHEN n = 1 THEN 'x' ELSE 'y' END)) FROM ${table}", 2.0),
        ("SELECT n FROM ${table} ORDER BY n LIMIT 1", 1.0),
        ("SELECT 42", 42.0),
        ("SELECT count(*) FROM ${table} WHERE '${table}' = 'snapshot'", 3.0),
        ("SELECT max(N) FROM ${table}", 3.0),
        ("SELECT max(\"n\") FROM ${table}", 3.0),
        ("SELECT sum(T.N) FROM Snapshot AS t", 6.0),
        ("WITH n AS (SELECT n AS m FROM ${table}) SELECT sum(N.M) FROM N", 6.0),
        ("SELECT sum(N) FROM (SELECT n * 2 AS N FROM ${table})", 12.0),
        ("SELECT count(*) FROM ${table} a JOIN ${table} b USING (N)", 3.0),
        ("SELECT count(*) FROM (SELECT * FROM ${table}) d (m) WHERE M > 1", 2.0),
        ("SELECT LENGTH('abc')", 3.0),
    ]);
}

#[test]
fn a_name_in_another_case_finds_its_column() {
    let measured = |columns: &[&str], queries: &[&str]| {
        let table = HandTable::new();
        let values: arrow::array::ArrayRef = std::sync::Arc::new(arrow::array::Int64Array::from(vec![5]));
        let batch = columns.iter().map(|column| (*column, values.clone(), true));
        let size = table.data("a.parquet", &arrow::array::RecordBatch::try_from_iter_with_nullable(batch).unwrap());
        let types: Vec<_> = columns.iter().map(|column| (*column, serde_json::json!("long"))).collect();
        let schema = crate::support::metadata(&types, &[], serde_json::json!({}));
        table.entry(0, &[crate::support::protocol(1), schema, crate::support::add("a.parquet", size)]);
        let rules = queries.iter().map(|query| sql(query)).collect();
        delta(table.path(), 0, rules).unwrap().inspection.measured
    };
    let queries = ["SELECT max(orderid) FROM ${table}", "SELECT max(t.ORDERID) FROM ${table} t WHERE \"OrderId\" = 5"];
    assert_eq!(measured(&["OrderId", "x"], &queries), [value(5), value(5)]);
}

/// What publishing takes for a name of an allowed function is one to the engine, and the other way round.
#[test]
fn the_names_of_functions_are_those_of_the_engine() {
    use datafusion::prelude::SessionContext;
    let state = SessionContext::new().state();
    let scalar = state.scalar_functions().iter().map(|(name, function)| (name, function.name().to_owned()));
    let aggregate = state.aggregate_functions().iter().map(|(name, function)| (name, function.name().to_owned()));
    let window = state.window_functions().iter().map(|(name, function)| (name, function.name().to_owned()));
    let mut found = std::collections::BTreeSet::new();
    for (name, real) in scalar.chain(aggregate).chain(window) {
        let known = sql_rule::canonical_name(name);
        let allowed = sql_rule::canonical_name(&real).filter(|listed| *listed == real);
        assert_eq!(known, allowed, "`{name}` is `{real}`");
        found.extend(known);
    }
    let lists = [sql_rule::SCALAR_FUNCTIONS, sql_rule::AGGREGATE_FUNCTIONS, sql_rule::WINDOW_FUNCTIONS];
    let listed = lists.into_iter().flatten().copied().collect();
    assert_eq!(found, listed, "a function that the engine does not have");
}

#[test]
fn anything_but_one_number_is_an_error() {
    check_failing([
        "SELECT NULL",
        "SELECT sum(n) FROM ${table} WHERE n > 100",
        "SELECT n FROM ${table} WHERE n > 100",
        "SELECT n FROM ${table}",
        "SELECT 1, 2",
        "SELECT 'many'",
        "SELECT n > 1 FROM ${table} LIMIT 1",
        "SELECT sqrt(-1.0)",
        "SELECT 1 / 0",
        "SELECT 1.0e308 * 10.0",
        "SELECT 0.0e0 / 0.0e0",
    ]);
    let found = [
        ("SELECT n FROM ${table} WHERE n > 100", "the query returns no row"),
        ("SELECT n FROM ${table}", "the query returns more than one row"),
        ("SELECT 1, 2", "the query returns more than one column"),
        ("SELECT 'many'", "the query returns no number: Utf8"),
        ("SELECT sum(n) FROM ${table} WHERE n > 100", "the query returns NULL"),
        ("SELECT sqrt(-1.0)", "the query returns NaN"),
        ("SELECT 1.0e308 * 10.0", "the query returns inf"),
    ];
    let measured = measure(&found.map(|(query, _)| query.to_owned()));
    for ((query, told), measured) in found.into_iter().zip(measured) {
        assert_eq!(measured, Measured::Error(told.to_owned()), "{query}");
    }
}

#[test]
fn statements_other_than_one_select_are_refused() {
    check_refused([
        "",
        "x",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "COPY ${table} TO '/tmp/out.csv'",
        "INSERT INTO ${table} VALUES (4)",
        "DELETE FROM ${table}",
        "DROP TABLE ${table}",
        "SET datafusion.execution.batch_size = 1",
        "PREPARE p AS SELECT 1",
        "EXPLAIN ANALYZE SELECT 1",
        "SHOW TABLES",
        "DESCRIBE ${table}",
        "SELECT 1; SELECT 2",
        "SELECT 1 INTO t",
        "VALUES (1)",
        "TABLE ${table}",
        "SELECT 1 UNION ALL SELECT 2",
        "SELECT count(*) FROM (SELECT 1 UNION ALL SELECT 2)",
        "(SELECT 1)",
        "WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r",
    ]);
}

#[test]
fn tables_and_functions_other_than_the_allowed_are_refused() {
    check_refused([
        "SELECT count(*) FROM other",
        "SELECT count(*) FROM '/etc/passwd'",
        "SELECT count(*) FROM information_schema.tables",
        "SELECT count(*) FROM other.${table}",
        "SELECT count(*) FROM read_csv('/etc/passwd')",
        "SELECT count(*) FROM generate_series(1, 1000000000000000000)",
        "SELECT count(*) FROM range(1, 10)",
        "SELECT count(*) FROM parquet_metadata('a.parquet')",
        "SELECT count(*) FROM unnest([1, 2])",
        "SELECT count(*) FROM (VALUES (1), (2))",
        "SELECT count(*) FROM ${schema}",
        "SELECT random()",
        "SELECT date_part('year', now())",
        "SELECT date_part('year', current_date)",
        "SELECT date_part('year', current_timestamp())",
        "SELECT length(uuid())",
        "SELECT length(repeat('x', 2000000000))",
        "SELECT length(lpad('x', 2000000000))",
        "SELECT length(version())",
        "SELECT cardinality(array_agg(n)) FROM ${table}",
        "SELECT length(string_agg(arrow_typeof(n), ',')) FROM ${table}",
        "SELECT count(*) FROM ${table} WHERE n IN (SELECT random() FROM ${table})",
        "SELECT count(*) FROM ${table} WHERE EXISTS (SELECT 1 FROM ${table} WHERE random() > 0)",
        "SELECT max(r) FROM (SELECT sum(random()) OVER () AS r FROM ${table})",
        "SELECT @x",
        "SELECT $1",
        "SELECT no_such_function(n) FROM ${table}",
    ]);
}

#[test]
fn bombs_are_refused_before_they_are_parsed() {
    let repeated = |text: &str, n: usize| text.repeat(n);
    let queries = [
        format!("SELECT 1{}", repeated(" UNION ALL SELECT 1", 3_000)),
        format!("SELECT 1{}", repeated(" UNION ALL SELECT 1", 600)),
        format!("SELECT {}1{}", repeated("(", 10_000), repeated(")", 10_000)),
        format!("SELECT {}1{}", repeated("(", 40), repeated(")", 40)),
        format!("SELECT {}1{}", repeated("CASE WHEN true THEN ", 500), repeated(" END", 500)),
        format!("SELECT {}1", repeated("- ", 1_900)),
        format!("SELECT {}true", repeated("NOT ", 1_900)),
        format!("SELECT 1{}", repeated("+1", 8_000)),
        format!("SELECT character_length('{}')", repeated("x", 1_000_000)),
        format!("SELECT '{}", repeated("x", 1_000)),
        format!("SELECT {}", repeated("/*", 5_000)),
    ];
    for (query, measured) in queries.iter().zip(measure(&queries)) {
        assert!(matches!(measured, Measured::Error(_)), "{}...: {measured:?}", &query[..40]);
    }
    // A chain as long as the limits let through is planned, and gives its number.
    let chain = format!("SELECT 1{}", repeated("+1", 900));
    assert_eq!(measure(&[chain]), [value(901)]);
}

#[test]
fn an_error_tells_nothing_of_the_rows() {
    let table = HandTable::new();
    let names: arrow::array::ArrayRef = std::sync::Arc::new(arrow::array::StringArray::from(vec!["secret-7"]));
    let batch = arrow::array::RecordBatch::try_from_iter_with_nullable([("name", names, true)]).unwrap();
    let size = table.data("a.parquet", &batch);
    let schema = crate::support::metadata(&[("name", serde_json::json!("string"))], &[], serde_json::json!({}));
    table.entry(0, &[crate::support::protocol(1), schema, crate::support::add("a.parquet", size)]);
    let queries = [
        "SELECT sum(CAST(name AS BIGINT)) FROM ${table}",
        "SELECT date_part('year', to_date(max(name))) FROM ${table}",
        "SELECT name FROM ${table}",
        "SELECT CAST((SELECT max(name) FROM ${table}) AS DOUBLE)",
    ];
    let found = delta(table.path(), 0, queries.map(sql).to_vec()).unwrap().inspection;
    for measured in found.measured {
        let Measured::Error(reason) = &measured else { panic!("{measured:?}") };
        assert!(!reason.contains("secret"), "{reason}");
    }
}
