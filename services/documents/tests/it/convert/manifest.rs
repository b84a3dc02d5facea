//! dbt's manifests: dialects, versions of models, materializations.

use documents::convert::{Converted, ImportOptions, Source, import};
use serde_json::{Value, json};

use super::{imported, options};

fn model(name: &str, version: Option<u32>, kind: &str) -> Value {
    let mut model = json!({
        "resource_type": "model", "name": name, "config": { "materialized": "view" },
        "columns": { "a": { "name": "a", "data_type": kind } },
    });
    if let Some(version) = version {
        model["version"] = json!(version);
        model["latest_version"] = json!(2);
        model["alias"] = json!(format!("{name}_v{version}"));
        model["relation_name"] = json!(format!("db.s.{name}_v{version}"));
    }
    model
}

fn read(adapter: Option<&str>, nodes: &Value, object: Option<&str>) -> (Vec<Value>, Converted) {
    let mut manifest = json!({ "nodes": nodes });
    if let Some(adapter) = adapter {
        manifest["metadata"] = json!({ "adapter_type": adapter });
    }
    let options = ImportOptions { object: object.map(str::to_owned), ..options() };
    let (document, converted) = imported(Source::Dbt, &manifest.to_string(), &options);
    (document["schema"].as_array().unwrap().clone(), converted)
}

#[test]
fn types_are_those_of_the_adapter() {
    let format = |adapter: Option<&str>, kind: &str| {
        let (objects, converted) = read(adapter, &json!({ "model.p.m": model("m", None, kind) }), None);
        let options = objects[0]["properties"][0]["logicalTypeOptions"].clone();
        (options["format"].as_str().unwrap_or_default().to_owned(), options["timezone"].clone(), converted.notes)
    };
    assert_eq!(format(Some("bigquery"), "int").0, "i64");
    assert_eq!(format(Some("postgres"), "float").0, "f64");
    assert_eq!(format(Some("databricks"), "float").0, "f32");
    assert_eq!(format(Some("postgres"), "timestamp").1, false);
    assert_eq!(format(Some("databricks"), "timestamp").1, true);
    assert_eq!(format(Some("fabric"), "tinyint").0, "u8");
    assert_eq!(format(None, "int").0, "i32");
    let (_, _, notes) = format(Some("trino"), "int");
    assert!(notes.iter().any(|note| note.path == "/metadata/adapter_type" && note.what.contains("trino")), "{notes:?}");
    let (_, _, notes) = format(Some("snowflake"), "variant");
    assert!(notes.iter().any(|note| note.what.contains("variant")), "{notes:?}");
}

#[test]
fn versions_of_a_model_are_imported_together() {
    let mut nodes = json!({
        "model.p.v.v1": model("v", Some(1), "int"),
        "model.p.v.v2": model("v", Some(2), "bigint"),
        "model.p.u": model("u", None, "int"),
    });
    for (id, to) in [("x", "ref('v')"), ("y", "ref('p', 'v', v=1)"), ("z", "ref('u')")] {
        nodes[format!("test.p.{id}")] = json!({
            "resource_type": "test", "attached_node": "model.p.u", "column_name": "a",
            "test_metadata": { "name": "relationships", "kwargs": { "to": to, "field": "a" } },
        });
    }
    let (objects, _) = read(Some("postgres"), &nodes, None);
    let names: Vec<_> = objects.iter().map(|object| object["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["u", "v_v1", "v_v2"]);
    let targets: Vec<_> = objects[0]["properties"][0]["relationships"]
        .as_array()
        .unwrap()
        .iter()
        .map(|relationship| relationship["to"].as_str().unwrap())
        .collect();
    assert_eq!(targets, ["v_v2.a", "v_v1.a", "u.a"]);
    // One of them, by its unique id or its alias, under its own name.
    for wanted in ["model.p.v.v2", "v_v2"] {
        let (objects, _) = read(Some("postgres"), &nodes, Some(wanted));
        assert_eq!((objects.len(), &objects[0]["name"]), (1, &json!("v_v2")), "{wanted}");
    }
    let several = ImportOptions { object: Some("v".to_owned()), ..options() };
    let problems = import(Source::Dbt, &json!({ "nodes": nodes }).to_string(), &several).unwrap_err();
    assert!(problems[0].message.contains("`model.p.v.v1`"), "{problems:?}");
}

#[test]
fn materializations_are_kept_or_noted() {
    let of = |materialized: &str| {
        let mut model = model("m", None, "int");
        model["config"]["materialized"] = json!(materialized);
        let (objects, converted) = read(Some("postgres"), &json!({ "model.p.m": model }), None);
        let is_noted = converted.notes.iter().any(|note| note.path == "/nodes/model.p.m/config/materialized");
        (objects[0]["physicalType"].as_str().unwrap().to_owned(), is_noted)
    };
    for (materialized, kind, is_noted) in [
        ("table", "table", false),
        ("view", "view", false),
        ("materialized_view", "materialized view", false),
        ("incremental", "table", true),
        ("ephemeral", "table", true),
    ] {
        assert_eq!(of(materialized), (kind.to_owned(), is_noted), "{materialized}");
    }
}
