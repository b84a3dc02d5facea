//! A contract to `schema.yml`, a model for each object.
//!
//! What is written is read back by the import, and what that finds again is held. All else that is said of an object
//! lies in its `meta` and in that of its columns.

use domain::contract::{Measure, Property, SchemaObject};
use domain::quality::Operator;
use serde_json::{Map, Value, json};
use sqlparser::keywords::ALL_KEYWORDS;

use super::super::draft::{Draft, Fields, set, set_text};
use super::super::element::{Element, Export, fundamentals};
use super::super::json::pointer;
use super::super::sql::{conditions, means_the_same, type_word};
use super::super::types::Dialect;
use super::super::{names, yaml};
use super::BESIDE;
use super::data_test::{self, DataTest, has_template, is_stable};
use super::import::{Names, Project};

/// Writes the models. The comments at the head say which contract they are of.
pub(in super::super) fn export(export: &Export<'_>, dialect: Dialect) -> String {
    let told: Vec<_> = fundamentals(&export.ledger)
        .iter()
        .filter_map(|(name, value)| Some(format!("# {name}: {}\n", comment(value.as_str()?))))
        .collect();
    let own: Vec<_> = export.objects.iter().map(|object| object.it.name.as_str()).collect();
    let models = names::distinct(&own, names::identifier, str::to_lowercase);
    let columns = export.objects.iter().map(columns_of).collect();
    let writer = Writer { export, dialect, models, columns };
    let written: Vec<_> = (0..export.objects.len()).map(|index| writer.model(index)).collect();
    let mut document = Map::new();
    set(&mut document, "version", 2);
    set(&mut document, "models", written);
    told.concat() + &yaml::write_as_is(&document)
}

/// A text for a comment to the end of the line, without templates.
fn comment(text: &str) -> String {
    // Some readers of YAML end a line at these two as well.
    let ends_line = |character: char| character.is_control() || "\u{2028}\u{2029}".contains(character);
    text.replace(ends_line, " ").replace('{', "{ ")
}

/// The names of an object's columns in the database. One that dbt would take for a template is changed.
fn columns_of(object: &Element<'_, SchemaObject>) -> Vec<String> {
    let properties = object.properties();
    let own: Vec<_> = properties.iter().map(|property| property.it.column_name()).collect();
    let plain = |name: &str| if is_stable(&json!(name)) { name.to_owned() } else { names::identifier(name) };
    names::distinct(&own, plain, str::to_owned)
}

struct Writer<'a> {
    export: &'a Export<'a>,
    dialect: Dialect,
    /// The names of the models, in the order of the objects.
    models: Vec<String>,
    /// The names of their columns.
    columns: Vec<Vec<String>>,
}

/// A column as it is written.
struct Column {
    fields: Fields,
    tests: Vec<DataTest>,
}

impl Writer<'_> {
    fn model(&self, index: usize) -> Value {
        let (object, name) = (&self.export.objects[index], self.models[index].as_str());
        let ledger = &self.export.ledger;
        let properties = object.properties();
        let key: Vec<_> = properties.iter().filter(|property| property.it.primary_key).collect();
        let columns = properties.iter().zip(&self.columns[index]);
        let mut columns: Vec<_> = columns.map(|(property, name)| self.column(property, name, key.len() == 1)).collect();
        let config = self.config(object, name);
        let mut tests = Vec::new();
        self.rules_for_dbt(&object.path, None, &mut tests);
        for (property, column) in properties.iter().zip(&mut columns) {
            let name = column.fields["name"].as_str().unwrap_or_default().to_owned();
            self.rules_for_dbt(&property.path, Some(&name), &mut column.tests);
        }
        let mut model = Map::new();
        set(&mut model, "name", name);
        self.description(&object.path, &mut model);
        let constraints = self.constraints(index);
        if !constraints.is_empty() {
            set(&mut model, "constraints", constraints);
        }
        self.hold_what_is_found_again(object, &model, &config, &columns, &tests);
        if name != object.it.name {
            ledger.changed(&object.path, format!("was renamed to `{name}`: dbt's names are letters, digits and `_`"));
        }
        let write_column = |(property, column): (&Element<'_, Property>, Column)| {
            let mut fields = column.fields;
            self.keep_rest(&property.path, &mut fields);
            with_tests(&mut fields, &column.tests);
            Value::Object(fields)
        };
        let columns: Vec<_> = properties.iter().zip(columns).map(write_column).collect();
        set(&mut model, "config", config);
        self.keep_rest(&object.path, &mut model);
        set(&mut model, "columns", columns);
        with_tests(&mut model, &tests);
        Value::Object(model)
    }

    /// What dbt's configuration of a model says.
    fn config(&self, object: &Element<'_, SchemaObject>, name: &str) -> Fields {
        let mut config = Map::new();
        let kind = object.it.physical_type.as_deref().map(str::to_lowercase);
        let materialized = match kind.as_deref() {
            Some("table") => Some("table"),
            Some("view") => Some("view"),
            Some("materialized view" | "materialized_view") => Some("materialized_view"),
            _ => None,
        };
        // dbt enforces none for materialized views, and none without columns.
        if materialized != Some("materialized_view") && !object.properties().is_empty() {
            set(&mut config, "contract", json!({ "enforced": true }));
        }
        set_text(&mut config, "materialized", materialized);
        let alias = object.it.physical_name.as_deref().and_then(|name| name.rsplit('.').next());
        let alias = alias.filter(|alias| *alias != name && is_stable(&json!(alias)));
        set_text(&mut config, "alias", alias);
        self.labels(&object.path, &mut config);
        config
    }

    /// Tags, and custom properties as `meta`.
    fn labels(&self, path: &str, config: &mut Fields) {
        let ledger = &self.export.ledger;
        if let Some(tags) = ledger.field(path, "tags").filter(|tags| is_stable(tags)) {
            set(config, "tags", tags.clone());
        }
        let mut meta = Map::new();
        let list = pointer(path, "customProperties");
        let entries = ledger.get(&list).and_then(Value::as_array);
        for (index, entry) in entries.into_iter().flatten().enumerate() {
            let (Some(name), Some(value)) = (entry.get("property").and_then(Value::as_str), entry.get("value")) else {
                continue;
            };
            let is_whole = entry.as_object().is_some_and(|entry| entry.len() == 2);
            if is_whole && name != BESIDE && !meta.contains_key(name) && !value.is_null() && is_stable(entry) {
                set(&mut meta, name, value.clone());
                ledger.hold(&pointer(&list, index));
            }
        }
        if !meta.is_empty() {
            set(config, "meta", meta);
        }
    }

    fn description(&self, path: &str, fields: &mut Fields) {
        let text = self.export.ledger.field(path, "description").and_then(Value::as_str);
        set_text(fields, "description", text.filter(|text| !has_template(text)));
    }

    fn column(&self, property: &Element<'_, Property>, name: &str, is_only_key: bool) -> Column {
        let ledger = &self.export.ledger;
        let it = property.it;
        let mut fields = Map::new();
        set(&mut fields, "name", name);
        self.description(&property.path, &mut fields);
        let mut kind = type_word(self.export, self.dialect, property);
        if !is_stable(&json!(kind)) {
            kind = super::super::dialect::any(self.dialect).unwrap_or("string").to_owned();
        }
        set(&mut fields, "data_type", kind);
        if self.is_quoted(name) {
            set(&mut fields, "quote", true);
        }
        let mut constraints = Vec::new();
        if it.required || it.primary_key {
            constraints.push(json!({ "type": "not_null" }));
        }
        if Dialect::WRITTEN.contains(&self.dialect) {
            for condition in conditions(self.export, self.dialect, property, name) {
                if is_stable(&json!(condition)) {
                    constraints.push(json!({ "type": "check", "expression": condition }));
                }
            }
        }
        if !constraints.is_empty() {
            set(&mut fields, "constraints", constraints);
        }
        let mut config = Map::new();
        self.labels(&property.path, &mut config);
        if !config.is_empty() {
            set(&mut fields, "config", config);
        }
        if name != it.column_name() {
            ledger.changed(&property.path, format!("was renamed to `{name}`: dbt fills in what is between braces"));
        }
        let is_bare = |entry: &Value| entry.as_object().is_some_and(|entry| entry.len() == 1);
        let entries = ledger.field(&property.path, "enum").and_then(Value::as_array);
        let has_labels = entries.is_some_and(|entries| !entries.iter().all(is_bare));
        let mut tests = data_test::of_column(it, it.primary_key && is_only_key, has_labels);
        for (index, relationship) in it.relationships.iter().enumerate() {
            let Some((model, column)) = data_test::target(relationship).and_then(|target| self.target(target)) else {
                continue;
            };
            let test = data_test::of_reference(model, &self.quoted(column));
            let path = format!("{}/relationships/{index}", property.path);
            let says = json!({ "type": "foreignKey", "to": format!("{model}.{column}") });
            let is_whole = self.is_all(&path, &says, &["type"]);
            if data_test::add(&mut tests, if is_whole { test } else { test.kept() }) && is_whole {
                ledger.hold(&path);
            }
        }
        Column { fields, tests }
    }

    /// Whether a name needs quotes. Databases that write names without quotes in capitals would not find one of small
    /// letters in quotes.
    fn is_quoted(&self, name: &str) -> bool {
        let is_plain = |first: fn(&u8) -> bool| {
            name.as_bytes().first().is_some_and(first)
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        if !is_plain(|first| first.is_ascii_alphabetic() || *first == b'_') {
            return true;
        }
        let writes_capitals = matches!(self.dialect, Dialect::Snowflake | Dialect::Oracle);
        let upper = name.to_ascii_uppercase();
        !writes_capitals && (name != name.to_ascii_lowercase() || ALL_KEYWORDS.binary_search(&upper.as_str()).is_ok())
    }

    /// A name for a place that dbt puts into its statement as it is.
    fn quoted(&self, name: &str) -> String {
        if !self.is_quoted(name) {
            return name.to_owned();
        }
        match self.dialect {
            Dialect::BigQuery | Dialect::MySql | Dialect::Spark | Dialect::Hive | Dialect::ClickHouse => {
                format!("`{}`", name.replace('`', "``"))
            }
            Dialect::SqlServer => format!("[{}]", name.replace(']', "]]")),
            Dialect::Generic
            | Dialect::Postgres
            | Dialect::Snowflake
            | Dialect::DuckDb
            | Dialect::Redshift
            | Dialect::Sqlite
            | Dialect::Oracle => format!("\"{}\"", name.replace('"', "\"\"")),
        }
    }

    /// The model and column of a reference, where it is one of these models.
    fn target(&self, (table, column): (&str, &str)) -> Option<(&str, &str)> {
        let index = self.export.objects.iter().position(|object| object.it.name == table)?;
        let properties = self.export.objects[index].properties();
        let position = properties.iter().position(|property| property.it.name == column)?;
        Some((&self.models[index], &self.columns[index][position]))
    }

    /// The constraints of several columns.
    fn constraints(&self, index: usize) -> Vec<Value> {
        let object = &self.export.objects[index];
        let ledger = &self.export.ledger;
        let properties = object.properties();
        let column_of = |name: &str| {
            let position = properties.iter().position(|property| property.it.name == name)?;
            Some(self.quoted(&self.columns[index][position]))
        };
        let mut constraints = Vec::new();
        let key: Option<Vec<_>> = object.it.primary_key().iter().map(|property| column_of(&property.name)).collect();
        if let Some(key) = key.filter(|key| !key.is_empty()) {
            constraints.push(json!({ "type": "primary_key", "columns": key }));
        }
        for (position, rule) in object.it.quality.iter().enumerate() {
            let (Measure::DuplicateValues { properties }, Some(Operator::MustBe(0.0))) = (&rule.measure, rule.operator)
            else {
                continue;
            };
            let columns: Option<Vec<_>> = properties.iter().map(|name| column_of(name)).collect();
            let path = format!("{}/quality/{position}", object.path);
            let says = super::distinct_rule(&properties.iter().map(String::as_str).collect::<Vec<_>>());
            if let Some(columns) = columns.filter(|columns| columns.len() > 1)
                && self.is_all(&path, &says, &["type"])
            {
                constraints.push(json!({ "type": "unique", "columns": columns }));
                ledger.hold(&path);
            }
        }
        for (position, relationship) in object.it.relationships.iter().enumerate() {
            let path = format!("{}/relationships/{position}", object.path);
            let from = relationship.from.iter().map(|name| column_of(name.rsplit('.').next()?));
            let to = relationship.to.iter().map(|to| self.target(to.split_once('.')?));
            let (Some(from), Some(to)) = (from.collect::<Option<Vec<_>>>(), to.collect::<Option<Vec<_>>>()) else {
                continue;
            };
            let (Some((model, _)), true) = (to.first(), from.len() > 1 && from.len() == to.len()) else { continue };
            let own: Vec<_> = relationship.from.iter().filter_map(|name| name.rsplit('.').next()).collect();
            let own: Vec<_> = own.iter().map(|column| format!("{}.{column}", self.models[index])).collect();
            let others: Vec<_> = to.iter().map(|(_, column)| format!("{model}.{column}")).collect();
            let says = json!({ "type": "foreignKey", "from": own, "to": others });
            if to.iter().all(|(other, _)| other == model) && self.is_all(&path, &says, &["type"]) {
                let to_columns: Vec<_> = to.iter().map(|(_, column)| self.quoted(column)).collect();
                constraints.push(json!({
                    "type": "foreign_key", "columns": from, "to": format!("ref('{model}')"), "to_columns": to_columns,
                }));
                ledger.hold(&path);
            }
        }
        constraints
    }

    /// Whether the document says nothing but this at a place; these fields may be left out there.
    fn is_all(&self, path: &str, says: &Value, implied: &[&str]) -> bool {
        let (Some(Value::Object(own)), Value::Object(says)) = (self.export.ledger.get(path), says) else {
            return false;
        };
        own.iter().all(|(key, value)| says.get(key) == Some(value))
            && says.keys().all(|key| own.contains_key(key) || implied.contains(&key.as_str()))
    }

    /// The rules that are dbt's own tests. One that an import would make the same is held.
    fn rules_for_dbt(&self, path: &str, column: Option<&str>, tests: &mut Vec<DataTest>) {
        let ledger = &self.export.ledger;
        let list = pointer(path, "quality");
        let rules = ledger.get(&list).and_then(Value::as_array);
        for (index, rule) in rules.into_iter().flatten().enumerate() {
            let Some(test) = DataTest::of_dbt(rule) else { continue };
            let mut object = Map::new();
            if let Some(column) = column {
                set(&mut object, "properties", json!([{ "name": column }]));
            }
            self.project(&Names::default()).test(&test.node(column), "", &mut object, &mut Draft::default());
            let made = match column {
                Some(_) => object.get("properties").and_then(|columns| columns.get(0)?.get("quality")?.get(0)),
                None => object.get("quality").and_then(|rules| rules.get(0)),
            };
            let is_whole = made == Some(rule);
            if data_test::add(tests, if is_whole { test } else { test.kept() }) && is_whole {
                ledger.hold(&pointer(&list, index));
            }
        }
    }

    fn project<'n>(&self, names: &'n Names<'n>) -> Project<'n> {
        Project { dialect: self.dialect, names }
    }

    /// Reads a model as a manifest would have it, and holds all that the document says in the same way.
    fn hold_what_is_found_again(
        &self,
        object: &Element<'_, SchemaObject>,
        model: &Fields,
        config: &Fields,
        columns: &[Column],
        tests: &[DataTest],
    ) {
        let ledger = &self.export.ledger;
        let name_of = |column: &Column| column.fields["name"].as_str().unwrap_or_default().to_owned();
        let mut node = model.clone();
        set(&mut node, "config", config.clone());
        let fields = columns.iter().map(|column| (name_of(column), Value::Object(column.fields.clone())));
        set(&mut node, "columns", fields.collect::<Map<_, _>>());
        let (names, mut draft) = (Names::default(), Draft::default());
        let project = self.project(&names);
        let name = model["name"].as_str().unwrap_or_default().to_owned();
        let Ok(mut found) = project.model(&node, name, "", &mut draft) else { return };
        let of_columns =
            columns.iter().flat_map(|column| column.tests.iter().map(|test| (test, Some(name_of(column)))));
        for (test, column) in tests.iter().map(|test| (test, None)).chain(of_columns).filter(|(test, _)| !test.is_kept)
        {
            project.test(&test.node(column.as_deref()), "", &mut found, &mut draft);
        }
        let properties = found.shift_remove("properties");
        for (property, found) in object.properties().iter().zip(properties.iter().filter_map(Value::as_array).flatten())
        {
            ledger.hold_defaults(&property.path);
            // What was renamed is kept as a whole.
            if let Some(found) = found.as_object()
                && found.get("name").and_then(Value::as_str) == Some(property.it.column_name())
            {
                ledger.hold_equal(&property.path, found);
                let written = found.get("physicalType").and_then(Value::as_str).unwrap_or_default();
                let own = property.it.physical_type.as_deref();
                // Kept, it would outlive a later change of the type in dbt.
                if own.is_some_and(|own| means_the_same(self.dialect, written, own)) {
                    ledger.hold(&pointer(&property.path, "physicalType"));
                }
            }
        }
        ledger.hold_defaults(&object.path);
        ledger.hold_equal(&object.path, &found);
    }

    /// Puts what is not held into the `meta` of a model or column.
    fn keep_rest(&self, path: &str, fields: &mut Fields) {
        let Some(rest) = self.export.ledger.take_rest(path) else { return };
        let config = fields.entry("config").or_insert_with(|| json!({}));
        if let Some(config) = config.as_object_mut() {
            let meta = config.entry("meta").or_insert_with(|| json!({}));
            if let Some(meta) = meta.as_object_mut() {
                set(meta, BESIDE, without_templates(&rest));
            }
        }
    }
}

fn with_tests(fields: &mut Fields, tests: &[DataTest]) {
    if !tests.is_empty() {
        set(fields, "data_tests", tests.iter().map(DataTest::yaml).collect::<Vec<_>>());
    }
}

/// A value as a text of JSON in which nothing begins a template. Only texts have these characters after a brace.
fn without_templates(value: &Value) -> String {
    let mut text = String::new();
    let mut follows_brace = false;
    for character in value.to_string().chars() {
        let opens = follows_brace && matches!(character, '{' | '%' | '#');
        if opens {
            text.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            text.push(character);
        }
        follows_brace = character == '{' && !opens;
    }
    text
}
