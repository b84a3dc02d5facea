//! The two schemas are one, and the rules for SQL text are kept.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sqlx::{ConnectOptions, Connection, Row};
use store::{Constraint, Db, Options};

/// A schema in words that both databases share, a fact a line.
type Facts = BTreeSet<String>;

#[tokio::test]
async fn both_databases_have_one_schema() {
    let Some(server) = crate::postgres::Server::shared() else { return };
    let (sqlite, postgres) = (sqlite_facts().await, postgres_facts(&server.database()).await);
    assert!(sqlite.len() > 200, "{}", sqlite.len());
    let only_sqlite: Vec<_> = sqlite.difference(&postgres).collect();
    let only_postgres: Vec<_> = postgres.difference(&sqlite).collect();
    assert!(only_sqlite.is_empty() && only_postgres.is_empty(), "{only_sqlite:#?}\n{only_postgres:#?}");
}

#[tokio::test]
async fn every_unique_index_has_a_constraint() {
    let indexes: BTreeSet<String> = sqlite_facts()
        .await
        .iter()
        .filter_map(|fact| fact.strip_prefix("unique ")?.split_once(' '))
        .map(|(name, _)| name.to_owned())
        .collect();
    let constraints: BTreeSet<String> = Constraint::NAMED.iter().map(ToString::to_string).collect();
    assert_eq!(indexes, constraints);
}

async fn sqlite_facts() -> Facts {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("charter.db");
    Db::open(&format!("sqlite:{}", file.display()), Options::for_testing()).await.unwrap().close().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
    let mut connection = options.connect().await.unwrap();
    let mut facts = Facts::new();
    let tables = sqlx::query(
        "SELECT name, strict FROM pragma_table_list
         WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '_sqlx%'",
    );
    for table in tables.fetch_all(&mut connection).await.unwrap() {
        assert!(table.get::<bool, _>("strict"), "every table is STRICT");
        let name: String = table.get("name");
        let columns = sqlx::query(r#"SELECT name, type, "notnull", pk FROM pragma_table_info($1)"#).bind(&name);
        for column in columns.fetch_all(&mut connection).await.unwrap() {
            let kind = match column.get::<String, _>("type").as_str() {
                "TEXT" => "text",
                "INTEGER" => "number",
                "BLOB" => "bytes",
                other => panic!("`{other}`"),
            };
            let null = if column.get::<bool, _>("notnull") { "not null" } else { "null" };
            facts.insert(format!("column {name}.{} {kind} {null}", column.get::<String, _>("name")));
            let place: i64 = column.get("pk");
            if place > 0 {
                facts.insert(format!("key {name} {place} {}", column.get::<String, _>("name")));
            }
        }
        let references = sqlx::query(r#"SELECT "from", "table", "to" FROM pragma_foreign_key_list($1)"#).bind(&name);
        for reference in references.fetch_all(&mut connection).await.unwrap() {
            let [from, table, to] = ["from", "table", "to"].map(|column| reference.get::<String, _>(column));
            facts.insert(format!("reference {name}.{from} {table}.{to}"));
        }
        let indexes =
            sqlx::query(r#"SELECT name, "unique", partial FROM pragma_index_list($1) WHERE origin = 'c'"#).bind(&name);
        for index in indexes.fetch_all(&mut connection).await.unwrap() {
            let index_name: String = index.get("name");
            let columns = sqlx::query("SELECT name FROM pragma_index_info($1) ORDER BY seqno").bind(&index_name);
            let columns = columns.fetch_all(&mut connection).await.unwrap();
            let columns: Vec<String> = columns.iter().map(|column| column.get("name")).collect();
            let unique = if index.get::<bool, _>("unique") { "unique" } else { "index" };
            let partial = if index.get::<bool, _>("partial") { " partial" } else { "" };
            facts.insert(format!("{unique} {index_name} {name} ({}){partial}", columns.join(", ")));
        }
    }
    connection.close().await.unwrap();
    facts
}

async fn postgres_facts(url: &str) -> Facts {
    Db::open(url, Options::for_testing()).await.unwrap().close().await;
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    let mut facts = Facts::new();
    let columns = sqlx::query(
        "SELECT table_name::text, column_name::text, data_type::text, is_nullable::text, collation_name::text
         FROM information_schema.columns
         WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%'",
    );
    for column in columns.fetch_all(&mut connection).await.unwrap() {
        let kind = match column.get::<String, _>("data_type").as_str() {
            "text" => "text",
            "bigint" | "boolean" => "number",
            "bytea" => "bytes",
            other => panic!("`{other}`"),
        };
        let null = if column.get::<String, _>("is_nullable") == "NO" { "not null" } else { "null" };
        let [table, name] = ["table_name", "column_name"].map(|name| column.get::<String, _>(name));
        if kind == "text" {
            assert_eq!(column.get::<Option<String>, _>("collation_name").as_deref(), Some("C"), "{table}.{name}");
        }
        facts.insert(format!("column {table}.{name} {kind} {null}"));
    }
    let indexes = sqlx::query(
        "SELECT
             tables.relname::text AS table_name,
             indexes.relname::text AS index_name,
             indisunique,
             indisprimary,
             indpred IS NOT NULL AS partial,
             ARRAY(
                 SELECT attname::text FROM unnest(indkey) WITH ORDINALITY AS key (attnum, place)
                 JOIN pg_attribute ON attrelid = indrelid AND pg_attribute.attnum = key.attnum
                 ORDER BY place
             ) AS columns
         FROM pg_index
         JOIN pg_class AS tables ON tables.oid = indrelid
         JOIN pg_class AS indexes ON indexes.oid = indexrelid
         WHERE tables.relnamespace = 'public'::regnamespace AND tables.relname NOT LIKE '\\_sqlx%'",
    );
    for index in indexes.fetch_all(&mut connection).await.unwrap() {
        let [table, name] = ["table_name", "index_name"].map(|name| index.get::<String, _>(name));
        let columns: Vec<String> = index.get("columns");
        if index.get::<bool, _>("indisprimary") {
            for (place, column) in columns.iter().enumerate() {
                facts.insert(format!("key {table} {} {column}", place + 1));
            }
            continue;
        }
        let unique = if index.get::<bool, _>("indisunique") { "unique" } else { "index" };
        let partial = if index.get::<bool, _>("partial") { " partial" } else { "" };
        facts.insert(format!("{unique} {name} {table} ({}){partial}", columns.join(", ")));
    }
    let references = sqlx::query(
        "SELECT
             conrelid::regclass::text AS table_name,
             confrelid::regclass::text AS other_table,
             (SELECT attname::text FROM pg_attribute WHERE attrelid = conrelid AND attnum = conkey[1]) AS name,
             (SELECT attname::text FROM pg_attribute WHERE attrelid = confrelid AND attnum = confkey[1]) AS other_name
         FROM pg_constraint
         WHERE contype = 'f'",
    );
    for reference in references.fetch_all(&mut connection).await.unwrap() {
        let [table, name, other_table, other_name] =
            ["table_name", "name", "other_table", "other_name"].map(|name| reference.get::<String, _>(name));
        facts.insert(format!("reference {table}.{name} {other_table}.{other_name}"));
    }
    facts
}

/// The text of every Rust file of the store, by its name.
fn sources() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let name = |file: &PathBuf| file.file_name().unwrap().to_string_lossy().into_owned();
    files.iter().map(|file| (name(file), std::fs::read_to_string(file).unwrap())).collect()
}

#[test]
fn text_of_queries_is_built_in_one_place() {
    let sources = sources();
    assert!(sources.len() > 10);
    for (name, text) in sources {
        for word in ["AssertSqlSafe", "QueryBuilder"] {
            assert!(name == "dialect.rs" || !text.contains(word), "`{name}` says `{word}`");
        }
    }
}

#[test]
fn queries_are_portable() {
    for (name, text) in sources().into_iter().filter(|(name, _)| name != "dialect.rs") {
        // A cast, a clock, and a pattern that one database compares otherwise than the other.
        for word in ["SELECT *", "NOW()", "CURRENT_TIMESTAMP", "LIKE", "OFFSET", "TRUE", "FALSE"] {
            let in_code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            for line in in_code {
                assert!(!line.contains(word), "`{name}` says `{word}`: {line}");
            }
        }
    }
}

#[test]
fn every_order_is_total() {
    // A page or a first row without an order is a different one each time.
    for (name, text) in sources() {
        for (before, _) in text.match_indices("LIMIT").map(|(at, _)| text.split_at(at)) {
            let begins = ["sqlx::query", "find!(", "list!(", "page!(", "select!("];
            let begin = begins.into_iter().filter_map(|begin| before.rfind(begin)).max();
            let query = &before[begin.unwrap_or_default()..];
            assert!(query.contains("ORDER BY"), "`{name}`: {query}");
        }
    }
}
