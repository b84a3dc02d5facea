//! What a table's conformance to a contract depends on, as bytes for hashing.

use super::{Contract, Property, SchemaObject};

/// Everything that [`super::conformance`] looks at, for one schema object: equal exactly if every table conforms to both
/// in the same way. Descriptions, ids and names in the document are left out. `closed` is as in
/// [`super::conformance`]. Every text is preceded by its length, so no two promises share their bytes.
pub fn conformance_fingerprint(contract: &Contract, object: &SchemaObject, closed: bool) -> Vec<u8> {
    let mut bytes = b"charterhouse conformance 1".to_vec();
    put_flag(&mut bytes, closed || contract.settings.closed);
    put_flag(&mut bytes, contract.settings.reader_ceiling.is_some());
    if let Some(ceiling) = &contract.settings.reader_ceiling {
        bytes.extend_from_slice(&ceiling.version.to_be_bytes());
        put_count(&mut bytes, ceiling.features.len());
        for feature in &ceiling.features {
            put_text(&mut bytes, feature);
        }
    }
    put_properties(&mut bytes, &object.properties);
    bytes
}

fn put_properties(bytes: &mut Vec<u8>, properties: &[Property]) {
    put_count(bytes, properties.len());
    for property in properties {
        put_property(bytes, property);
    }
}

fn put_property(bytes: &mut Vec<u8>, property: &Property) {
    put_text(bytes, property.column_name());
    // A measure is not looked for, but a column of its name counts as declared.
    put_flag(bytes, property.is_stored());
    put_optional(bytes, property.logical_type.map(super::LogicalType::as_str));
    put_optional(bytes, property.physical_type.as_deref());
    put_optional(bytes, property.options.format.as_deref());
    bytes.push(match property.options.timezone {
        None => 0,
        Some(false) => 1,
        Some(true) => 2,
    });
    put_properties(bytes, &property.members);
    put_flag(bytes, property.items.is_some());
    if let Some(items) = &property.items {
        put_property(bytes, items);
    }
    put_flag(bytes, property.map.is_some());
    if let Some(map) = &property.map {
        put_property(bytes, &map.key);
        put_property(bytes, &map.value);
    }
}

fn put_optional(bytes: &mut Vec<u8>, text: Option<&str>) {
    put_flag(bytes, text.is_some());
    if let Some(text) = text {
        put_text(bytes, text);
    }
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_count(bytes, text.len());
    bytes.extend_from_slice(text.as_bytes());
}

fn put_count(bytes: &mut Vec<u8>, count: usize) {
    bytes.extend_from_slice(&u64::try_from(count).unwrap_or(u64::MAX).to_be_bytes());
}

fn put_flag(bytes: &mut Vec<u8>, flag: bool) {
    bytes.push(u8::from(flag));
}
