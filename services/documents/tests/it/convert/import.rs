//! Tables as they are found: the shared Delta tables, and sources of which parts are chosen.

use documents::convert::{Dialect, ImportOptions, Source, Target, export};
use documents::{Document, parse};

use super::{imported, options};
use crate::shared;

#[test]
fn the_shared_delta_tables_become_contracts() {
    let Some(folder) = shared::folder("data/flights/delta") else { return };
    let expected = [("airlines", 2, 0), ("airports", 8, 0), ("flights", 19, 0), ("planes", 9, 0), ("weather", 15, 1)];
    for (name, n_columns, n_partitions) in expected {
        let path = folder.join(name).join("_delta_log/00000000000000000000.json");
        let log = std::fs::read_to_string(path).unwrap();
        let (document, converted) = imported(Source::Delta, &log, &options());
        let Document::Contract(contract) = parse(converted.text.as_bytes()).unwrap().document else { panic!() };
        let object = &contract.objects[0];
        assert_eq!(object.name, name);
        assert_eq!(object.properties.len(), n_columns, "{name}");
        assert_eq!(object.properties.iter().filter(|property| property.partitioned).count(), n_partitions, "{name}");
        assert_eq!(contract.settings.reader_ceiling.unwrap().version, 1);
        assert_eq!(document["schema"][0]["description"].is_string(), log.contains("\"description\":\""), "{name}");
        // And back: the same columns and types.
        let exported = export(converted.text.as_bytes(), Target::Delta, None).unwrap();
        let ours: serde_json::Value = serde_json::from_str(&exported.text).unwrap();
        let theirs: serde_json::Value = log
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .find_map(|action| Some(action.get("metaData")?["schemaString"].as_str()?.to_owned()))
            .map(|schema| serde_json::from_str(&schema).unwrap())
            .unwrap();
        for (ours, theirs) in ours["fields"].as_array().unwrap().iter().zip(theirs["fields"].as_array().unwrap()) {
            assert_eq!(
                (&ours["name"], &ours["type"], &ours["nullable"]),
                (&theirs["name"], &theirs["type"], &theirs["nullable"])
            );
        }
    }
}

#[test]
fn one_table_of_several_is_chosen_and_a_single_one_is_named() {
    let sql = "CREATE TABLE a (x int); CREATE TABLE b (y int);";
    let source = Source::Sql(Dialect::Generic);
    let names = |options: &ImportOptions, sql: &str| {
        let (document, _) = imported(source, sql, options);
        document["schema"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let chosen = |name: &str| ImportOptions { object: Some(name.to_owned()), ..options() };
    assert_eq!(names(&options(), sql), ["a", "b"]);
    assert_eq!(names(&chosen("b"), sql), ["b"]);
    assert_eq!(names(&chosen("renamed"), "CREATE TABLE a (x int)"), ["renamed"]);
}

#[test]
fn faults_have_a_place() {
    let fault =
        |source: Source, text: &str| documents::convert::import(source, text, &options()).unwrap_err().remove(0);
    let problem = fault(Source::Sql(Dialect::Postgres), "CREATE TABLE a (\n  x int,\n  y !\n);");
    assert_eq!(problem.line, 3, "{problem:?}");
    let problem = fault(Source::Avro, "{\n  \"type\": record\n}");
    assert_eq!((problem.line, problem.column), (2, 11), "{problem:?}");
    let problem = fault(Source::Avro, r#"{"type":"record","name":"r","fields":[{"name":"a","type":"b"}]}"#);
    assert_eq!(problem.path, "/fields/0/type", "{problem:?}");
    let problem = fault(Source::Protobuf, "syntax = \"proto3\";\nmessage A {\n  strin a = 1;\n}\n");
    assert_eq!(problem.line, 3, "{problem:?}");
}
