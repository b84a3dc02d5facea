//! Which texts may be an `sql` rule, and which columns they name.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use sql_rule::{Query, Reads, Refusal, with_table};

const COLUMNS: [&str; 4] = ["n", "Carrier", "a b", "s"];

/// The query with the names of its columns, read on the stack that the parser's frames of a debug build need.
fn judge_over(text: &str, columns: &[&str]) -> Result<String, Refusal> {
    let judge = || {
        let mut query = Query::read(text)?;
        query.bind(columns)?;
        Ok(query.into_statement().to_string())
    };
    std::thread::scope(|scope| {
        std::thread::Builder::new().stack_size(256 << 20).spawn_scoped(scope, judge).unwrap().join().unwrap()
    })
}

fn judge(text: &str) -> Result<String, Refusal> {
    judge_over(text, &COLUMNS)
}

#[test]
fn other_statements_are_refused() {
    for text in [
        "COPY ${table} TO '/tmp/out.csv'",
        "INSERT INTO ${table} VALUES (4)",
        "UPDATE ${table} SET n = 1",
        "DELETE FROM ${table}",
        "DROP TABLE ${table}",
        "SET a = 1",
        "EXPLAIN SELECT 1",
        "SHOW TABLES",
        "VALUES (1)",
        "SELECT 1 UNION SELECT 2",
        "(SELECT 1)",
    ] {
        assert_eq!(judge(text), Err(Refusal::NotASelect), "{text}");
    }
    for text in ["", " ; ", "SELECT 1; SELECT 2"] {
        assert_eq!(judge(text), Err(Refusal::NotOneStatement), "{text}");
    }
    assert!(matches!(judge("SELECT ("), Err(Refusal::Unreadable(_))));
    assert!(matches!(judge("SELECT 'open"), Err(Refusal::Unreadable(_))));
    assert_eq!(judge("SELECT count(*) FROM ${schema}"), Err(Refusal::Placeholder));
}

#[test]
fn parts_that_no_rule_may_have_are_refused() {
    for (text, what) in [
        ("SELECT n INTO t FROM ${table}", "INTO"),
        ("SELECT count(*) FROM (SELECT 1 UNION ALL SELECT 2)", "UNION, EXCEPT or INTERSECT"),
        ("SELECT count(*) FROM (VALUES (1))", "VALUES"),
        ("SELECT count(*) FROM unnest([1])", "UNNEST"),
        ("SELECT count(*) FROM read_csv('/etc/passwd')", "a table function"),
        ("WITH RECURSIVE r AS (SELECT 1 AS i) SELECT count(*) FROM r", "a recursive query"),
        ("WITH w AS (DELETE FROM ${table}) SELECT count(*) FROM w", "something that is not a query"),
        ("SELECT count(*) FROM ${table} WHERE n IN UNNEST(s)", "UNNEST"),
        ("SELECT count(*) FROM ${table} LATERAL VIEW explode(s) x AS y", "LATERAL VIEW"),
        ("SELECT count(*) FROM ${table} PIVOT (sum(n) FOR s IN ('a'))", "a table other than `${table}`"),
        ("SELECT @x", "a variable"),
        ("SELECT @x.y", "a variable"),
        ("SELECT $1", "a variable"),
        ("SELECT max([n]) FROM ${table}", "a list, map or struct of its own"),
        ("SELECT max({'a': n}) FROM ${table}", "a list, map or struct of its own"),
        ("SELECT max(MAP {'a': n}) FROM ${table}", "a list, map or struct of its own"),
        ("SELECT max(STRUCT(n)) FROM ${table}", "a list, map or struct of its own"),
        ("SELECT abs(x -> x) FROM ${table}", "an expression that the engine does not have"),
        ("SELECT MATCH (s) AGAINST ('x') FROM ${table}", "an expression that the engine does not have"),
        ("SELECT max(n) FROM ${table} WHERE n MEMBER OF (s)", "an expression that the engine does not have"),
        ("SELECT row_number() FROM ${table}", "a window function without OVER"),
    ] {
        assert_eq!(judge(text), Err(Refusal::Contains(what)), "{text}");
    }
}

/// The parser takes all that follows for the right side.
#[test]
fn a_comparison_that_the_parser_reads_otherwise_is_refused() {
    for text in [
        "SELECT count(*) FROM ${table} WHERE n IS DISTINCT FROM 1 AND s = 2",
        "SELECT count(*) FROM ${table} WHERE n IS NOT DISTINCT FROM 1 OR s = 2",
        "SELECT count(*) FROM ${table} WHERE s = 2 AND NOT n IS NOT DISTINCT FROM 1 AND s = 2",
    ] {
        assert_eq!(judge(text), Err(Refusal::Unclear), "{text}");
    }
    for text in [
        "SELECT count(*) FROM ${table} WHERE (n IS DISTINCT FROM 1) AND s = 2",
        "SELECT count(*) FROM ${table} WHERE s = 2 OR n IS DISTINCT FROM 1",
        "SELECT count(*) FROM ${table} WHERE n IS NOT DISTINCT FROM (s AND s)",
    ] {
        assert!(judge(text).is_ok(), "{text}");
    }
}

/// The first name in front of a subscript may be a table, as it may be in front of a member.
#[test]
fn members_of_a_column_of_a_table_are_found() {
    for (text, expected) in [
        ("SELECT max(t.S['a']) FROM ${table} t", "SELECT max(t.\"s\"['a']) FROM snapshot t"),
        ("SELECT max(S['a']['b']) FROM ${table}", "SELECT max(\"s\"['a']['b']) FROM snapshot"),
        ("SELECT max(snapshot.S.x['a'].y) FROM ${table}", "SELECT max(snapshot.\"s\".x['a'].y) FROM snapshot"),
    ] {
        assert_eq!(judge(text).as_deref(), Ok(expected), "{text}");
    }
    let unknown = judge("SELECT max(t.zz['a']) FROM ${table} t");
    assert_eq!(unknown, Err(Refusal::UnknownColumn("zz".to_owned())));
}

#[test]
fn other_tables_and_functions_are_refused() {
    for (text, table) in [
        ("SELECT count(*) FROM other", "other"),
        ("SELECT count(*) FROM '/etc/passwd'", "'/etc/passwd'"),
        ("SELECT count(*) FROM other.snapshot", "other.snapshot"),
        ("SELECT count(*) FROM ${table} WHERE n IN (SELECT n FROM other)", "other"),
        ("SELECT count(*) FROM ${table} JOIN other USING (n)", "other"),
    ] {
        assert_eq!(judge(text), Err(Refusal::OtherTable(table.to_owned())), "{text}");
    }
    for (text, name) in [
        ("SELECT random()", "random"),
        ("SELECT max(r) FROM (SELECT sum(Random()) OVER () AS r FROM ${table})", "random"),
        ("SELECT date_part('year', current_date)", "current_date"),
        ("SELECT pg_catalog.abs(n) FROM ${table}", "pg_catalog.abs"),
        ("SELECT overlay('a' PLACING 'b' FROM 1)", "overlay"),
    ] {
        assert_eq!(judge(text), Err(Refusal::Function(name.to_owned())), "{text}");
    }
}

#[test]
fn unknown_columns_are_refused_wherever_they_are() {
    for (text, column) in [
        ("SELECT max(m) FROM ${table}", "m"),
        ("SELECT max(\"N\") FROM ${table}", "N"),
        ("SELECT max(\"carrier\") FROM ${table}", "carrier"),
        ("SELECT count(*) FROM ${table} t WHERE t.m = 1", "m"),
        ("SELECT count(*) FROM ${table} WHERE m.a = 1", "m"),
        ("SELECT count(*) FROM ${table} a JOIN ${table} b USING (m)", "m"),
        ("SELECT count(*) FROM (${table} a JOIN ${table} b USING (m))", "m"),
        ("SELECT count(*) FROM ${table} a JOIN ${table} b ON a.n = b.m", "m"),
        ("SELECT count(*) FROM ${table} GROUP BY m", "m"),
        ("SELECT n FROM ${table} ORDER BY m LIMIT 1", "m"),
        ("SELECT count(*) FILTER (WHERE m > 1) FROM ${table}", "m"),
        ("SELECT max(r) FROM (SELECT rank() OVER (PARTITION BY m ORDER BY n) AS r FROM ${table})", "m"),
        ("WITH w AS (SELECT m FROM ${table}) SELECT count(*) FROM w", "m"),
        ("SELECT count(*) FROM ${table} WHERE EXISTS (SELECT 1 FROM ${table} WHERE m = 1)", "m"),
    ] {
        assert_eq!(judge(text), Err(Refusal::UnknownColumn(column.to_owned())), "{text}");
    }
}

#[test]
fn an_unquoted_name_is_that_of_the_one_column_in_any_case() {
    for (text, bound) in [
        ("SELECT max(N) FROM ${table}", "SELECT max(\"n\") FROM snapshot"),
        ("SELECT count(DISTINCT carrier) FROM ${table}", "SELECT count(DISTINCT \"Carrier\") FROM snapshot"),
        ("SELECT max(\"a b\") FROM ${object}", "SELECT max(\"a b\") FROM snapshot"),
        ("SELECT max(T.CARRIER) FROM ${table} t", "SELECT max(T.\"Carrier\") FROM snapshot t"),
        ("SELECT max(S.x) FROM ${table}", "SELECT max(\"s\".x) FROM snapshot"),
        // A name that the query declares stays the same wherever it is.
        (
            "SELECT max(CARRIER) FROM (SELECT upper(carrier) AS carrier FROM ${table})",
            "SELECT max(\"Carrier\") FROM (SELECT upper(\"Carrier\") AS \"Carrier\" FROM snapshot)",
        ),
        (
            "WITH carrier AS (SELECT n AS m FROM ${table}) SELECT max(Carrier.M) FROM Carrier",
            "WITH \"Carrier\" AS (SELECT \"n\" AS m FROM snapshot) SELECT max(\"Carrier\".M) FROM \"Carrier\"",
        ),
        ("SELECT count(carrier.*) FROM ${table} carrier", "SELECT count(\"Carrier\".*) FROM snapshot \"Carrier\""),
        (
            "SELECT count(*) FROM ${table} a JOIN ${table} b USING (CARRIER)",
            "SELECT count(*) FROM snapshot a JOIN snapshot b USING(\"Carrier\")",
        ),
    ] {
        assert_eq!(judge(text).unwrap(), bound, "{text}");
    }
}

#[test]
fn a_name_that_may_be_several_columns_is_refused() {
    let columns = ["id", "ID", "Id", "n"];
    let ambiguous = |name: &str| {
        let columns = ["ID", "Id", "id"].map(str::to_owned).to_vec();
        Err(Refusal::AmbiguousColumn { name: name.to_owned(), columns })
    };
    assert_eq!(judge_over("SELECT max(id) FROM ${table}", &columns), ambiguous("id"));
    assert_eq!(judge_over("SELECT max(t.iD) FROM ${table} t", &columns), ambiguous("iD"));
    judge_over("SELECT max(\"Id\") FROM ${table}", &columns).unwrap();
    judge_over("SELECT max(N) FROM ${table}", &columns).unwrap();
}

#[test]
fn a_query_that_never_answers_otherwise_reads_nothing() {
    for (text, reads) in [
        ("SELECT 1", Reads::Nothing),
        ("SELECT count(*)", Reads::Nothing),
        ("SELECT max(1) FROM ${table}", Reads::Nothing),
        ("SELECT count(*) FROM ${table}", Reads::Table),
        ("SELECT count(1) FROM ${table}", Reads::Table),
        ("SELECT max(n) FROM ${table}", Reads::Table),
        ("SELECT sum(t.n) FROM ${table} t", Reads::Table),
        ("SELECT 1 WHERE EXISTS (SELECT * FROM ${table})", Reads::Table),
    ] {
        assert_eq!(Query::read(text).unwrap().reads(), reads, "{text}");
    }
}

#[test]
fn texts_beyond_the_limits_are_refused() {
    let repeated = |text: &str, n: usize| text.repeat(n);
    let long = format!("SELECT character_length('{}')", repeated("x", 20_000));
    assert_eq!(judge(&long), Err(Refusal::TooLong));
    assert_eq!(judge(&format!("SELECT 1{}", repeated("+1", 1_100))), Err(Refusal::TooManyTokens));
    assert_eq!(judge(&format!("SELECT {}1{}", repeated("(", 40), repeated(")", 40))), Err(Refusal::TooDeep));
    let cases = format!("SELECT {}1{}", repeated("CASE WHEN true THEN ", 40), repeated(" END", 40));
    assert_eq!(judge(&cases), Err(Refusal::TooDeep));
    assert!(matches!(judge(&format!("SELECT {}true", repeated("NOT ", 1_900))), Err(Refusal::Unreadable(_))));
    judge(&format!("SELECT 1{}", repeated("+1", 900))).unwrap();
}

/// A parser that tries every way at each level would not end.
#[test]
fn nesting_up_to_the_limit_is_read_soon() {
    let nested = |open: &str, inner: &str, close: &str| format!("{}{inner}{}", open.repeat(31), close.repeat(31));
    let started = std::time::Instant::now();
    for text in [
        format!("SELECT {}", nested("abs(", "1", ")")),
        format!("SELECT {}", nested("(", "1", ")")),
        format!("SELECT {}", nested("((1),", "1", ")")),
        format!("SELECT {}", nested("CAST(", "1", " AS BIGINT)")),
        format!("SELECT {}", nested("(SELECT ", "1", ")")),
        format!("SELECT {}", nested("CASE WHEN true THEN ", "1", " END")),
        format!("SELECT {}", nested("DATE (", "1", ")")),
        format!("SELECT {}", nested("INTERVAL (", "1", ")")),
        format!("SELECT {}", nested("x[", "1", "]")),
        format!("SELECT {}", nested("{", "1", "}")),
        format!("SELECT count(*) FROM {}", nested("(", "snapshot", ")")),
        format!("SELECT count(*) FROM {}", nested("(", "SELECT 1", ")")),
        format!("SELECT count(*) FROM {}", nested("(snapshot JOIN ", "snapshot", ")")),
        format!("SELECT count(*) FROM {}", nested("LATERAL (", "snapshot", ")")),
        format!("SELECT 1 WHERE 1 IN {}", nested("(", "SELECT 1", ")")),
        format!("SELECT 1 WHERE EXISTS {}", nested("(", "SELECT 1", ")")),
        format!("SELECT 1 GROUP BY {}", nested("ROLLUP (", "1", ")")),
        format!("SELECT x::{}", nested("STRUCT<a ", "INT", ">")),
    ] {
        let _ = judge(&text);
        let elapsed = started.elapsed();
        assert!(elapsed.as_secs() < 10, "{elapsed:?} after {text}");
    }
}

#[test]
fn the_tables_own_name_is_replaced_where_it_is_a_table() {
    let names = ["Air_Quality", "\u{fc}ber"];
    for (query, expected) in [
        ("select count(*) from Air_Quality", "select count(*) from ${table} AS Air_Quality"),
        ("select count(*) from \"air_quality\"", "select count(*) from \"air_quality\""),
        ("select '\u{fc}', n\nfrom\tair_quality a, \u{dc}ber b", "select '\u{fc}', n\nfrom\t${table} a, ${table} b"),
        (
            "select count(*) from ${table} where n in (select n from Air_Quality where ${column} > 1)",
            "select count(*) from ${table} where n in (select n from ${table} AS Air_Quality where ${column} > 1)",
        ),
        ("with air_quality as (select 1) select 'Air_Quality' from air_quality", ""),
        ("select Air_Quality from other", ""),
        ("select from Air_Quality where", ""),
        ("delete from Air_Quality", ""),
    ] {
        assert_eq!(with_table(query, &names), if expected.is_empty() { query } else { expected });
    }
}
