//! The folder of standards and vectors that lies beside the repository.

use serde_json::Value;

pub(crate) use crate::beside::shared as folder;

/// The official examples: file name and text.
pub(crate) fn examples() -> Vec<(String, String)> {
    let mut examples = Vec::new();
    for name in ["standards/examples", "standards/odps-examples"] {
        for entry in folder(name).into_iter().flat_map(|path| std::fs::read_dir(path).unwrap()) {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            examples.push((name, std::fs::read_to_string(path).unwrap()));
        }
    }
    examples.sort();
    examples
}

/// The official JSON Schemas that a document may satisfy, by its `apiVersion`.
pub(crate) fn official(kind: &str, version: &str) -> Vec<Value> {
    let files: &[&str] = match (kind, version) {
        ("DataContract", "v3.0.0") => &["odcs-json-schema-v3.0.0", "odcs-json-schema-v3.1.0"],
        ("DataContract", "v3.0.1") => &["odcs-json-schema-v3.0.1", "odcs-json-schema-v3.1.0"],
        ("DataContract", "v3.0.2") => &["odcs-json-schema-v3.0.2", "odcs-json-schema-v3.1.0"],
        ("DataContract", "v3.1.0") => &["odcs-json-schema-v3.1.0"],
        ("DataContract", "v3.2.0") => &["odcs-json-schema-v3.2.0"],
        ("DataProduct", "v0.9.0") => &["odps-json-schema-v0.9.0", "odps-json-schema-v1.0.0"],
        ("DataProduct", "v1.0.0") => &["odps-json-schema-v1.0.0"],
        ("DataProduct", "v1.1.0") => &["odps-json-schema-v1.1.0.reconstructed"],
        _ => &[],
    };
    let Some(folder) = folder("standards/schemas") else { return Vec::new() };
    let read = |file: &&str| std::fs::read_to_string(folder.join(format!("{file}.json"))).unwrap();
    files.iter().map(read).map(|text| serde_json::from_str(&text).unwrap()).collect()
}
