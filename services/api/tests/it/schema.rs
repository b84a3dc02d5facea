//! The schema as it is kept.

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{ServiceDocument, TypeKind, TypeSystemDefinition};

/// Where the schema is kept.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/charterhouse.graphql");

#[test]
fn the_stored_schema_is_the_served_one() {
    let served = api::graphql::sdl();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(FILE, &served).expect("the schema");
    }
    let kept = std::fs::read_to_string(FILE).expect("the schema");
    assert!(kept == served, "run the test with UPDATE_GOLDEN=1 and look at what changed in {FILE}");
}

#[test]
fn every_mutation_takes_one_input() {
    let document = document();
    for field in fields(&document, "Mutation") {
        let arguments: Vec<&str> = field.arguments.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(arguments, ["input"], "{}", field.name);
    }
}

/// A field and its arguments, each with its type.
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) arguments: Vec<(String, async_graphql::parser::types::Type)>,
}

/// The schema, parsed.
pub(crate) fn document() -> ServiceDocument {
    parse_schema(api::graphql::sdl()).expect("the schema")
}

/// The fields of an object type.
pub(crate) fn fields(document: &ServiceDocument, type_name: &str) -> Vec<Field> {
    let found = document.definitions.iter().find_map(|definition| match definition {
        TypeSystemDefinition::Type(found) if found.node.name.node == type_name => Some(&found.node.kind),
        _ => None,
    });
    let Some(TypeKind::Object(object)) = found else { panic!("no object type {type_name}") };
    let field = |field: &async_graphql::Positioned<async_graphql::parser::types::FieldDefinition>| Field {
        name: field.node.name.node.to_string(),
        arguments: field
            .node
            .arguments
            .iter()
            .map(|argument| (argument.node.name.node.to_string(), argument.node.ty.node.clone()))
            .collect(),
    };
    object.fields.iter().map(field).collect()
}
