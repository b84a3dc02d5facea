//! Small examples, one file a target. `UPDATE_GOLDEN=1` writes them anew.

use std::path::Path;

use documents::convert::{Dialect, Note, Source, Target, export};

use super::{holds_one, imported, options};

/// Compares a text with a committed file.
#[track_caller]
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/convert/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text == committed, "{} differs; look at it with UPDATE_GOLDEN=1:\n{text}", path.display());
}

fn told(notes: &[Note]) -> String {
    let place = |note: &Note| match (note.line, note.path.as_str()) {
        (None, path) => path.to_owned(),
        (Some(line), "") => format!("line {line}"),
        (Some(line), path) => format!("line {line}: {path}"),
    };
    notes.iter().map(|note| format!("{}: {}\n", place(note), note.what)).collect()
}

#[test]
fn exports_are_the_committed_ones() {
    let document = include_str!("orders.odcs.yaml");
    let targets = [
        (Target::Avro, "orders.avsc"),
        (Target::JsonSchema, "orders.schema.json"),
        (Target::Protobuf, "orders.proto"),
        (Target::Delta, "orders.delta.json"),
        (Target::Sql(Dialect::Postgres), "orders.postgres.sql"),
        (Target::Sql(Dialect::Spark), "orders.spark.sql"),
        (Target::Dbt(Dialect::Postgres), "orders.dbt.postgres.yml"),
        (Target::Dbt(Dialect::BigQuery), "orders.dbt.bigquery.yml"),
        (Target::GreatExpectations, "orders.expectations.json"),
        (Target::Markdown, "orders.md"),
        (Target::Html, "orders.html"),
    ];
    for (target, name) in targets {
        let object = holds_one(target).then_some("orders");
        let exported = export(document.as_bytes(), target, object).unwrap();
        golden(name, &exported.text);
        golden(&format!("{name}.lost"), &format!("{}---\n{}", told(&exported.lost), told(&exported.changed)));
    }
}

#[test]
fn imports_are_the_committed_ones() {
    let sources = [
        (Source::Avro, "import.avro", include_str!("sources/payment.avsc")),
        (Source::JsonSchema, "import.json-schema", include_str!("sources/payment.schema.json")),
        (Source::Protobuf, "import.protobuf", include_str!("sources/payment.proto")),
        (Source::Dbt, "import.dbt", include_str!("sources/manifest.json")),
        (Source::Delta, "import.delta", include_str!("sources/delta.json")),
        (Source::Iceberg, "import.iceberg", include_str!("sources/iceberg.metadata.json")),
        (Source::Sql(Dialect::Postgres), "import.postgres", include_str!("sources/postgres.sql")),
        (Source::Sql(Dialect::Spark), "import.spark", include_str!("sources/spark.sql")),
    ];
    for (source, name, text) in sources {
        let (_, converted) = imported(source, text, &options());
        golden(&format!("{name}.yaml"), &converted.text);
        golden(&format!("{name}.notes"), &told(&converted.notes));
    }
}
