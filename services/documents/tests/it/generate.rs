//! Makes the committed JSON Schemas of their one source, and holds them against it.
//!
//! The notation of `schema/*.yaml`: a lower-case word is a JSON type (`string`, `number`, `integer`, `boolean`), a
//! string with a format (`uri`, `date`, `date-time`) or `any`; a capitalised word is a type of the file; `[x]` is a
//! list of x. A map says more: `fields` (a `!` marks those that are required), `closed` (no other fields), `sealed`
//! (none but those of the types it extends), `extends`, `required`, `forbidden`, `cases`, `kinds`; or `words`, `types`,
//! `pattern`, `list`, `one_of`, `any_of`, `schema` (JSON Schema as it is). Every map may have `since`, `until`, and
//! stand for its `is`; of `versions` the first that is in range counts.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

#[test]
fn the_committed_schemas_are_made_of_their_source() {
    for standard in ["odcs", "odps"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schema/{standard}.yaml"));
        let source: Value = serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for version in source["versions"].as_array().unwrap() {
            let version = version.as_str().unwrap();
            let made = serde_json::to_string_pretty(&schema(&source, version)).unwrap() + "\n";
            let path = schemas().join(format!("{standard}-v{version}.json"));
            if std::env::var_os("UPDATE_GOLDEN").is_some() {
                std::fs::write(&path, &made).unwrap();
            }
            let committed = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(made == committed, "{} is stale: run once with UPDATE_GOLDEN=1", path.display());
        }
    }
}

pub(crate) fn schemas() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas")
}

/// The schema of one version.
fn schema(source: &Value, version: &str) -> Value {
    let maker = Maker { version: number(version) };
    let mut types = Map::new();
    for (name, kind) in source["types"].as_object().unwrap() {
        if let Some(kind) = maker.make(kind) {
            types.insert(name.clone(), kind);
        }
    }
    json!({
        "$schema": "https://json-schema.org/draft/2019-09/schema",
        "title": format!("{} {version}", source["title"].as_str().unwrap()),
        "$comment": "Generated; see services/documents/schema.",
        "$ref": format!("#/$defs/{}", source["root"].as_str().unwrap()),
        "$defs": types,
    })
}

fn number(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap()).collect()
}

struct Maker {
    version: Vec<u32>,
}

impl Maker {
    /// The schema of an expression; `None` if this version does not have it.
    fn make(&self, expression: &Value) -> Option<Value> {
        match expression {
            Value::String(word) => Some(word_schema(word)),
            Value::Array(items) => Some(json!({"type": "array", "items": self.make(&items[0])?})),
            Value::Object(map) if !self.in_range(expression) => {
                assert!(map.contains_key("since") || map.contains_key("until"));
                None
            }
            Value::Object(map) => self.make_map(map),
            _ => panic!("not an expression: {expression}"),
        }
    }

    fn make_map(&self, map: &Map<String, Value>) -> Option<Value> {
        let several = |name: &str, keyword: &str| {
            let all: Vec<_> = map[name].as_array().unwrap().iter().filter_map(|one| self.make(one)).collect();
            json!({ keyword: all })
        };
        if let Some(versions) = map.get("versions") {
            return versions.as_array().unwrap().iter().find_map(|version| self.make(version));
        }
        if let Some(inner) = map.get("is") {
            return self.make(inner);
        }
        if let Some(schema) = map.get("schema") {
            return Some(schema.clone());
        }
        if let Some(pattern) = map.get("pattern") {
            return Some(json!({"type": "string", "pattern": pattern}));
        }
        if let Some(types) = map.get("types") {
            return Some(json!({ "type": types }));
        }
        if let Some(words) = map.get("words") {
            return Some(json!({"type": "string", "enum": self.words(words)}));
        }
        if let Some(item) = map.get("list") {
            let mut list = json!({"type": "array", "items": self.make(item)?});
            for (name, keyword) in [("min", "minItems"), ("max", "maxItems"), ("unique", "uniqueItems")] {
                if let Some(value) = map.get(name) {
                    list[keyword] = value.clone();
                }
            }
            return Some(list);
        }
        if !map.contains_key("fields") && !map.contains_key("extends") {
            let choice = if map.contains_key("one_of") { ("one_of", "oneOf") } else { ("any_of", "anyOf") };
            return Some(several(choice.0, choice.1));
        }
        Some(self.object(map))
    }

    fn object(&self, map: &Map<String, Value>) -> Value {
        let mut object = json!({"type": "object"});
        let mut all_of = Vec::new();
        let mut required: Vec<String> = Vec::new();
        let mut properties = Map::new();
        for (name, field) in map.get("fields").and_then(Value::as_object).into_iter().flatten() {
            let Some(schema) = self.make(field) else { continue };
            let bare = name.trim_end_matches('!');
            if bare != name || field.get("required").is_some_and(|required| self.in_range(required)) {
                required.push(bare.to_owned());
            }
            properties.insert(bare.to_owned(), schema);
        }
        if let Some(base) = map.get("extends") {
            all_of.push(word_schema(base.as_str().unwrap()));
        }
        for case in map.get("cases").and_then(Value::as_array).into_iter().flatten() {
            if self.in_range(case) {
                all_of.push(self.case(case));
            }
        }
        if let Some(kinds) = map.get("kinds") {
            let by = kinds["by"].as_str().unwrap();
            let mut words = Vec::new();
            for (word, fields) in kinds["of"].as_object().unwrap() {
                if !self.in_range(fields) {
                    continue;
                }
                let fields = fields.get("is").unwrap_or(fields);
                words.push(word.clone());
                let then = self.make(&json!({ "fields": fields })).unwrap();
                all_of.push(json!({"if": {"properties": {by: {"const": word}}, "required": [by]}, "then": then}));
            }
            properties.insert(by.to_owned(), json!({"type": "string", "enum": words}));
            required.push(by.to_owned());
        }
        for name in map.get("required").and_then(Value::as_array).into_iter().flatten() {
            required.push(name.as_str().unwrap().to_owned());
        }
        if let Some(forbidden) = map.get("forbidden") {
            all_of.push(json!({"not": {"required": forbidden}}));
        }
        if let Some(choices) = map.get("one_of").and_then(Value::as_array) {
            object["oneOf"] = choices.iter().filter_map(|choice| self.make(choice)).collect();
        }
        if !properties.is_empty() {
            object["properties"] = Value::Object(properties);
        }
        if !required.is_empty() {
            object["required"] = json!(required);
        }
        if !all_of.is_empty() {
            object["allOf"] = Value::Array(all_of);
        }
        for (name, keyword) in [("closed", "additionalProperties"), ("sealed", "unevaluatedProperties")] {
            if map.get(name).is_some_and(|mark| self.in_range(mark)) {
                object[keyword] = json!(false);
            }
        }
        object
    }

    fn case(&self, case: &Value) -> Value {
        let (given, condition) = match case.get("when_given") {
            Some(condition) => (true, condition),
            None => (false, &case["when"]),
        };
        let (field, words) = condition.as_object().unwrap().iter().next().unwrap();
        let mut test = json!({"properties": {field: {"enum": words}}});
        if given {
            test["required"] = json!([field]);
        }
        if let Some(other) = case.get("or_text").and_then(Value::as_str) {
            test = json!({"anyOf": [test, {"properties": {other: {"type": "string"}}, "required": [other]}]});
        }
        json!({"if": test, "then": self.make(&case["then"]).unwrap()})
    }

    fn words(&self, words: &Value) -> Vec<Value> {
        let words = words.as_array().unwrap().iter().filter(|word| self.in_range(word));
        words.map(|word| word.get("is").unwrap_or(word).clone()).collect()
    }

    /// Whether the marks of a map, if it has any, include this version. A plain `false` never does.
    fn in_range(&self, marked: &Value) -> bool {
        let mark = |name: &str| marked.get(name).and_then(Value::as_str).map(number);
        marked != &Value::Bool(false)
            && mark("since").is_none_or(|since| since <= self.version)
            && mark("until").is_none_or(|until| self.version < until)
    }
}

fn word_schema(word: &str) -> Value {
    match word {
        "any" => json!({}),
        "uri" | "date" | "date-time" => json!({"type": "string", "format": word}),
        _ if word.starts_with(char::is_uppercase) => json!({"$ref": format!("#/$defs/{word}")}),
        _ => json!({ "type": word }),
    }
}
