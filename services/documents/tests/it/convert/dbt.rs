//! dbt's `schema.yml`: out, through what dbt makes of it, and back.

use documents::convert::{Dialect, Source, Target, export};
use serde_json::{Map, Value, json};

use super::{imported, missing, options};

/// Every dialect with an adapter.
pub(super) const DIALECTS: [Dialect; 12] = [
    Dialect::Postgres,
    Dialect::Spark,
    Dialect::Snowflake,
    Dialect::BigQuery,
    Dialect::MySql,
    Dialect::SqlServer,
    Dialect::DuckDb,
    Dialect::Hive,
    Dialect::Redshift,
    Dialect::ClickHouse,
    Dialect::Sqlite,
    Dialect::Oracle,
];

/// Reads a file of models. Nothing in it may be a template, which dbt would fill in.
#[track_caller]
pub(super) fn check(text: &str) {
    for open in ["{{", "{%", "{#"] {
        assert!(!text.contains(open), "{text}");
    }
    // PyYAML ends a line, and with it a comment, at these two as well.
    assert!(!text.contains(['\u{2028}', '\u{2029}']), "{text}");
    let document: Value = serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(document.as_object().unwrap().keys().collect::<Vec<_>>(), ["version", "models"], "{text}");
    for model in document["models"].as_array().unwrap() {
        let name = model["name"].as_str().unwrap();
        assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{name}");
        for column in model["columns"].as_array().unwrap() {
            // An enforced contract wants one of each.
            assert!(!column["data_type"].as_str().unwrap().is_empty(), "{text}");
        }
    }
}

/// The manifest that dbt 1.12 writes for such a file, as far as an import reads it.
pub(super) fn manifest_of(text: &str, dialect: Dialect) -> Value {
    let document: Value = serde_saphyr::from_str(text).unwrap();
    let mut nodes = Map::new();
    for model in document["models"].as_array().unwrap() {
        let id = format!("model.p.{}", model["name"].as_str().unwrap());
        let mut node = rendered(model);
        node["resource_type"] = json!("model");
        node["meta"] = node["config"]["meta"].clone();
        node["tags"] = node["config"]["tags"].clone();
        let mut columns = Map::new();
        add_tests(&id, model, None, &mut nodes);
        for column in model["columns"].as_array().unwrap() {
            let mut it = rendered(column);
            it["meta"] = it["config"]["meta"].clone();
            it["tags"] = it["config"]["tags"].clone();
            let name = it["name"].as_str().unwrap().to_owned();
            let quoted = if it["quote"] == true { format!("\"{name}\"") } else { name.clone() };
            add_tests(&id, column, Some(&quoted), &mut nodes);
            assert!(columns.insert(name, it).is_none(), "two columns of one name: {text}");
        }
        node["columns"] = Value::Object(columns);
        assert!(nodes.insert(id, node).is_none(), "two models of one name: {text}");
    }
    json!({ "metadata": { "adapter_type": dialect.as_str() }, "nodes": nodes })
}

/// dbt cuts one line break at the end of every text but a description.
fn rendered(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(text.strip_suffix('\n').unwrap_or(text)),
        Value::Array(items) => Value::Array(items.iter().map(rendered).collect()),
        Value::Object(fields) => {
            let field = |(key, value): (&String, &Value)| {
                (key.clone(), if key == "description" { value.clone() } else { rendered(value) })
            };
            Value::Object(fields.iter().map(field).collect())
        }
        other => other.clone(),
    }
}

fn add_tests(model: &str, of: &Value, column: Option<&str>, nodes: &mut Map<String, Value>) {
    for test in of["data_tests"].as_array().into_iter().flatten() {
        let (name, fields) = match test {
            Value::String(name) => (name.clone(), json!({})),
            test => {
                test.as_object().unwrap().iter().next().map(|(name, fields)| (name.clone(), rendered(fields))).unwrap()
            }
        };
        let (package, name) =
            name.split_once('.').map_or((None, name.as_str()), |(package, name)| (Some(package), name));
        let mut arguments = fields["arguments"].as_object().cloned().unwrap_or_default();
        arguments.insert("model".to_owned(), json!("{{ get_where_subquery(ref('m')) }}"));
        if let Some(column) = column {
            arguments.insert("column_name".to_owned(), json!(column));
        }
        let label = fields["name"].as_str().map_or_else(|| format!("{name}_{}", nodes.len()), str::to_owned);
        let severity = fields["config"]["severity"].as_str().unwrap_or("ERROR");
        let node = json!({
            "resource_type": "test", "name": label, "attached_node": model, "column_name": column,
            "test_metadata": { "name": name, "namespace": package, "kwargs": arguments },
            "config": { "severity": severity, "where": null, "meta": fields["config"]["meta"] },
        });
        nodes.insert(format!("test.p.{}", nodes.len()), node);
    }
}

fn document(objects: Value) -> Value {
    json!({
        "apiVersion": "v3.2.0", "kind": "DataContract", "id": "x", "version": "1.0.0", "status": "active",
        "schema": objects,
    })
}

/// An object without the types of its columns at the source, which come back in the words of the dialect.
pub(super) fn without_spellings(object: &Value) -> Value {
    let mut object = object.clone();
    for column in object["properties"].as_array_mut().into_iter().flatten() {
        column.as_object_mut().unwrap().remove("physicalType");
    }
    object
}

/// The models of an export, and what an import makes of them. Nothing may be lost.
fn exported(objects: Value, dialect: Dialect) -> (Value, Value) {
    let bytes = document(objects).to_string();
    let exported = export(bytes.as_bytes(), Target::Dbt(dialect), None).unwrap();
    assert!(exported.lost.is_empty(), "{:?}", exported.lost);
    check(&exported.text);
    let models: Value = serde_saphyr::from_str(&exported.text).unwrap();
    let (back, _) = imported(Source::Dbt, &manifest_of(&exported.text, dialect).to_string(), &options());
    // An import sorts models by their names.
    let mut objects = back["schema"].as_array().unwrap().clone();
    let position = |object: &Value| {
        let mut models = models["models"].as_array().unwrap().iter();
        models.position(|model| model["name"].as_str().unwrap().eq_ignore_ascii_case(object["name"].as_str().unwrap()))
    };
    objects.sort_by_key(position);
    (models["models"].clone(), Value::Array(objects))
}

#[test]
fn everything_that_is_said_of_an_object_comes_back() {
    let text = include_str!("everything.odcs.yaml");
    let own: Value = serde_saphyr::from_str(text).unwrap();
    for dialect in DIALECTS {
        let exported = export(text.as_bytes(), Target::Dbt(dialect), None).unwrap();
        assert!(exported.lost.iter().all(|lost| !lost.path.starts_with("/schema")), "{:?}", exported.lost);
        let manifest = manifest_of(&exported.text, dialect).to_string();
        let (back, _) = imported(Source::Dbt, &manifest, &options());
        let (mut own, mut back) = (without_spellings(&own["schema"][0]), back["schema"][0].clone());
        // The order of rules and of custom properties says nothing; those that are tests come last.
        let rules = |object: &mut Value| {
            let mut rules = object["quality"].take().as_array().cloned().unwrap();
            rules.sort_by_key(|rule| {
                ["name", "type", "query", "description", "engine"].map(|key| rule[key].to_string())
            });
            rules
        };
        assert_eq!(rules(&mut own), rules(&mut back), "{dialect:?}");
        let found = missing(&own, &back, "");
        assert!(found.is_none(), "{dialect:?}: {}\n{}", found.unwrap(), exported.text);
    }
}

#[test]
fn promises_are_constraints_and_tests() {
    let objects = json!([
        { "name": "orders", "physicalType": "table", "properties": [
            { "name": "id", "logicalType": "integer", "primaryKey": true, "primaryKeyPosition": 1, "required": true },
            { "name": "state", "logicalType": "string", "unique": true, "enum": [{ "value": "open" }, { "value": "closed" }] },
            { "name": "customer", "logicalType": "integer",
              "relationships": [{ "to": "customers.id" }, { "to": "elsewhere.id" }] },
        ] },
        { "name": "customers", "physicalType": "view", "properties": [
            { "name": "id", "logicalType": "integer", "logicalTypeOptions": { "minimum": 1 } },
        ] },
    ]);
    let (models, back) = exported(objects.clone(), Dialect::Postgres);
    let orders = &models[0];
    assert_eq!(orders["config"], json!({ "contract": { "enforced": true }, "materialized": "table" }));
    assert_eq!(orders["constraints"], json!([{ "type": "primary_key", "columns": ["\"id\""] }]));
    assert_eq!(orders["columns"][0]["constraints"], json!([{ "type": "not_null" }]));
    // The key is distinct by its constraint; the test is for databases that do not enforce it.
    let kept = json!({ "unique": { "config": { "meta": { "odcs": true } } } });
    assert_eq!(orders["columns"][0]["data_tests"], json!(["not_null", kept]));
    let values = json!({ "accepted_values": { "arguments": { "values": ["open", "closed"] } } });
    assert_eq!(orders["columns"][1]["data_tests"], json!(["unique", values]));
    assert_eq!(
        orders["columns"][1]["constraints"],
        json!([{ "type": "check", "expression": "\"state\" IN ('open', 'closed')" }])
    );
    // A model that is not here cannot be referred to.
    let customers = json!({ "relationships": {
        "arguments": { "to": "ref('customers')", "field": "\"id\"" },
    } });
    assert_eq!(orders["columns"][2]["data_tests"], json!([customers]));
    assert_eq!(models[1]["config"]["materialized"], "view");
    assert_eq!(models[1]["columns"][0]["constraints"], json!([{ "type": "check", "expression": "\"id\" >= 1" }]));
    let relationships = back[0]["properties"][2]["relationships"].as_array().unwrap();
    let mut targets: Vec<_> = relationships.iter().map(|it| it["to"].as_str().unwrap()).collect();
    targets.sort_unstable();
    assert_eq!(targets, ["customers.id", "elsewhere.id"]);
    assert_eq!(back[1]["properties"][0]["logicalTypeOptions"]["minimum"], 1);
    assert!(back[1]["properties"][0]["quality"].is_null());
}

#[test]
fn rules_are_tests_beside_which_they_are_kept() {
    let quality = json!([
        { "metric": "nullValues", "mustBe": 0, "severity": "warning" },
        { "metric": "nullValues", "mustBeLessThan": 3 },
        { "metric": "invalidValues", "arguments": { "validValues": [1, 2] }, "mustBe": 0 },
        { "type": "custom", "engine": "dbt", "name": "positive", "severity": "error",
          "implementation": { "test": "dbt_utils.expression_is_true", "expression": "> 0" } },
        { "type": "custom", "engine": "dbt", "implementation": { "test": "not_constant" }, "description": "varies" },
    ]);
    let objects =
        json!([{ "name": "t", "properties": [{ "name": "a", "logicalType": "integer", "quality": quality }] }]);
    let (models, back) = exported(objects, Dialect::DuckDb);
    let kept = json!({ "odcs": true });
    assert_eq!(
        models[0]["columns"][0]["data_tests"],
        json!([
            { "not_null": { "config": { "severity": "warn", "meta": kept } } },
            { "accepted_values": { "arguments": { "values": [1, 2], "quote": false }, "config": { "meta": kept } } },
            { "dbt_utils.expression_is_true": { "name": "positive", "arguments": { "expression": "> 0" } } },
            { "not_constant": { "config": { "meta": kept } } },
        ])
    );
    let mut rules = quality.as_array().unwrap().clone();
    // What is a test comes after what is kept.
    let test = rules.remove(3);
    rules.push(test);
    let mut found = back[0]["properties"][0]["quality"].clone();
    let last = found.as_array_mut().unwrap().last_mut().unwrap();
    assert_eq!(last["implementation"], rules[4]["implementation"]);
    *last = rules[4].clone();
    assert_eq!(found, json!(rules));
    assert!(back[0]["properties"][0]["required"].is_null() && back[0]["properties"][0]["enum"].is_null());
}

/// dbt refuses a file with two tests of one name.
#[test]
fn of_rules_that_are_the_same_test_one_is_written() {
    let objects = json!([{ "name": "t", "properties": [{ "name": "a", "logicalType": "integer", "quality": [
        { "metric": "nullValues", "mustBe": 0, "severity": "warning" },
        { "metric": "nullValues", "mustBe": 0 },
        { "type": "custom", "engine": "dbt", "implementation": { "test": "not_null" } },
        { "type": "custom", "engine": "dbt", "name": "x", "implementation": { "test": "a" } },
        { "type": "custom", "engine": "dbt", "name": "x", "implementation": { "test": "b" } },
    ] }] }]);
    let (models, back) = exported(objects.clone(), Dialect::Postgres);
    let kept = json!({ "odcs": true });
    assert_eq!(
        models[0]["columns"][0]["data_tests"],
        // The stricter of the two.
        json!([{ "not_null": { "config": { "meta": kept } } }, { "a": { "name": "x", "config": { "meta": kept } } }])
    );
    assert_eq!(back[0]["properties"][0]["quality"], objects[0]["properties"][0]["quality"]);
}

#[test]
fn keys_and_references_of_several_columns_are_constraints() {
    let objects = json!([
        { "name": "lines", "properties": [{ "name": "order" }, { "name": "number" }],
          "quality": [{ "metric": "duplicateValues", "arguments": { "properties": ["order", "number"] }, "mustBe": 0 }],
          "relationships": [{ "from": ["lines.order", "lines.number"], "to": ["parts.a", "parts.b"] }] },
        { "name": "parts", "properties": [{ "name": "a" }, { "name": "b" }] },
    ]);
    let (models, back) = exported(objects, Dialect::Postgres);
    assert_eq!(
        models[0]["constraints"],
        json!([
            { "type": "unique", "columns": ["\"order\"", "\"number\""] },
            {
                "type": "foreign_key", "columns": ["\"order\"", "\"number\""], "to": "ref('parts')",
                "to_columns": ["a", "b"],
            },
        ])
    );
    // A word of SQL and a name of small letters are quoted where that changes no letter.
    assert_eq!(models[0]["columns"][0]["quote"], true);
    assert_eq!(back[0]["quality"][0]["arguments"], json!({ "properties": ["order", "number"] }));
    let expected =
        json!([{ "type": "foreignKey", "from": ["lines.order", "lines.number"], "to": ["parts.a", "parts.b"] }]);
    assert_eq!(back[0]["relationships"], expected);
}

#[test]
fn templates_of_a_document_are_never_filled_in() {
    let text = "{{ env_var('SECRET') }} {% do x %} {# y #} {{{";
    let objects = json!([{
        "name": text, "description": text, "tags": [text], "physicalName": text,
        "customProperties": [{ "property": text, "value": { text: [text] } }, { "property": "end", "value": "x\n" }],
        "properties": [
            { "name": text, "description": text, "logicalType": "string", "physicalType": text, "tags": [text],
              "enum": [{ "value": text }], "required": true, "examples": [text],
              "logicalTypeOptions": { "pattern": "\\{\\{x" },
              "quality": [{ "type": "custom", "engine": "dbt", "implementation": { "test": "t", "x": text } }] },
            { "name": "s", "logicalType": "object", "properties": [{ "name": text }] },
        ],
        "quality": [{ "type": "sql", "query": "SELECT 1\n", "mustBe": 1 }],
    }]);
    for dialect in DIALECTS {
        let (_, back) = exported(objects.clone(), dialect);
        let found = missing(&objects, &back, "");
        assert!(found.is_none(), "{dialect:?}: {}", found.unwrap());
    }
}

#[test]
fn texts_that_would_end_a_literal_are_no_accepted_values() {
    for value in ["it's", "a\\", "x'); DROP TABLE y; --", "a\nb"] {
        let objects = json!([{ "name": "t", "properties": [
            { "name": "a", "logicalType": "string", "enum": [{ "value": value }] },
        ] }]);
        let (models, back) = exported(objects, Dialect::Snowflake);
        assert!(models[0]["columns"][0]["data_tests"].is_null(), "{value}");
        assert_eq!(back[0]["properties"][0]["enum"], json!([{ "value": value }]));
    }
}

#[test]
fn types_are_those_of_the_adapter() {
    let columns = json!([
        { "name": "a", "logicalType": "integer", "logicalTypeOptions": { "format": "i64" } },
        { "name": "b", "logicalType": "string" },
        { "name": "c", "logicalType": "timestamp", "logicalTypeOptions": { "timezone": false } },
        { "name": "d", "logicalType": "number", "physicalType": "decimal(38,0)" },
        { "name": "e", "logicalType": "array", "items": { "logicalType": "string" } },
        { "name": "f", "logicalType": "object", "properties": [{ "name": "x", "logicalType": "date" }] },
        { "name": "g", "logicalType": "map",
          "map": { "key": { "logicalType": "string" }, "value": { "logicalType": "boolean" } } },
        { "name": "h", "logicalType": "array",
          "items": { "logicalType": "array", "items": { "logicalType": "integer" } } },
        { "name": "i", "logicalType": "date", "required": true },
    ]);
    let types = |dialect: Dialect| {
        let (models, back) = exported(json!([{ "name": "t", "properties": columns }]), dialect);
        let found = missing(&without_spellings(&json!({ "properties": columns })), &back[0], "");
        assert!(found.is_none(), "{dialect:?}: {}", found.unwrap());
        let columns = models[0]["columns"].as_array().unwrap();
        columns.iter().map(|column| column["data_type"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" | ")
    };
    for (dialect, expected) in [
        (
            Dialect::Postgres,
            "bigint | text | timestamp without time zone | numeric(38,0) | text[] | jsonb | jsonb | jsonb | date",
        ),
        (
            Dialect::BigQuery,
            "INT64 | STRING | DATETIME | BIGNUMERIC(38,0) | ARRAY<STRING> | STRUCT<`x` DATE> | JSON | JSON | DATE",
        ),
        (Dialect::Snowflake, "INT | VARCHAR | TIMESTAMP_NTZ | NUMBER(38,0) | ARRAY | OBJECT | OBJECT | ARRAY | DATE"),
        (
            Dialect::Spark,
            "BIGINT | STRING | TIMESTAMP_NTZ | DECIMAL(38,0) | ARRAY<STRING> | STRUCT<`x` DATE> | MAP<STRING, BOOLEAN> | \
             ARRAY<ARRAY<INT>> | DATE",
        ),
        (
            Dialect::DuckDb,
            "BIGINT | VARCHAR | TIMESTAMP | DECIMAL(38,0) | VARCHAR[] | STRUCT(\"x\" DATE) | MAP(VARCHAR, BOOLEAN) | \
             INTEGER[][] | DATE",
        ),
        (
            Dialect::ClickHouse,
            "Nullable(Int64) | Nullable(String) | Nullable(DateTime64(6)) | Nullable(Decimal(38,0)) | \
             Array(Nullable(String)) | Tuple(`x` Nullable(Date)) | Map(String, Nullable(Bool)) | \
             Array(Array(Nullable(Int32))) | Date",
        ),
        (
            Dialect::SqlServer,
            "bigint | nvarchar(max) | datetime2 | decimal(38,0) | nvarchar(max) | nvarchar(max) | nvarchar(max) | \
             nvarchar(max) | date",
        ),
        (Dialect::MySql, "bigint | longtext | datetime | decimal(38,0) | json | json | json | json | date"),
        (Dialect::Redshift, "bigint | varchar(max) | timestamp | decimal(38,0) | super | super | super | super | date"),
        (Dialect::Oracle, "INTEGER | CLOB | TIMESTAMP | NUMBER(38,0) | CLOB | CLOB | CLOB | CLOB | DATE"),
        (Dialect::Sqlite, "INTEGER | TEXT | DATETIME | NUMERIC(38,0) | JSON | JSON | JSON | JSON | DATE"),
    ] {
        assert_eq!(types(dialect), expected, "{dialect:?}");
    }
}

#[test]
fn a_contract_that_dbt_cannot_enforce_is_not_asked_for() {
    let config = |object: Value| exported(json!([object]), Dialect::Postgres).0[0]["config"].clone();
    let view = json!({ "name": "t", "physicalType": "materialized view", "properties": [{ "name": "a" }] });
    assert_eq!(config(view), json!({ "materialized": "materialized_view" }));
    assert_eq!(config(json!({ "name": "t" })), json!({}));
}

#[test]
fn a_dialect_without_an_adapter_is_refused() {
    let bytes = document(json!([{ "name": "t" }])).to_string();
    let problems = export(bytes.as_bytes(), Target::Dbt(Dialect::Generic), None).unwrap_err();
    assert!(problems[0].message.contains("choose a dialect"), "{problems:?}");
}
