//! A file to a contract.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::Path;

use prost_reflect::{Cardinality, DescriptorPool, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor};
use protox::file::{File, FileResolver};
use serde_json::{Map, Value, json};

use super::super::draft::{Draft, Fields, custom, enumeration, option, overlay, set, set_text, with_name};
use super::super::json;
use super::{BESIDE, NUMBER, PACKAGE, scalar};
use crate::message::References;
use crate::node::shortened;
use crate::problem::{Problem, fault};
use crate::protobuf;

/// What the source is called while it is compiled.
const FILE: &str = "source.proto";
/// The deepest nesting of braces and brackets.
const MAX_DEPTH: usize = 48;

/// Reads a file. Every message that no other one has as a field becomes a schema object.
pub(in super::super) fn import(text: &str, references: &References, draft: &mut Draft) -> Result<(), Problem> {
    let text = &*match protobuf::is_base64(text) {
        true => protobuf::canonical(text, references).map(Cow::Owned).map_err(|error| fault("", error.to_string()))?,
        false => Cow::Borrowed(text),
    };
    bounded(text)?;
    let resolver = Resolver { text: text.to_owned(), references: references.clone() };
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    let compiled =
        compiler.include_imports(true).include_source_info(true).open_file(FILE).map(|it| it.descriptor_pool());
    let pool: DescriptorPool = compiled.map_err(|error| misread(text, &error))?;
    let file = pool.get_file_by_name(FILE).ok_or_else(|| fault("", "the file was not compiled"))?;
    let comments = pool.files().map(|file| (file.name().to_owned(), comments(&file))).collect();
    let mut used = HashSet::new();
    for message in file.messages() {
        used_by(&message, &message, &mut used);
    }
    for service in file.services() {
        draft.note(service.full_name(), "a service has no equivalent in a contract");
    }
    let all: Vec<_> = file.messages().collect();
    let roots: Vec<_> = all.iter().filter(|message| !used.contains(message.full_name())).collect();
    let mut reader = Reader { draft, comments, open: Vec::new() };
    // Messages that only hold each other have no root.
    let roots = if roots.is_empty() { all.iter().collect() } else { roots };
    for message in roots {
        reader.object(message)?;
    }
    Ok(())
}

/// Refuses what the compiler would follow too deep.
fn bounded(text: &str) -> Result<(), Problem> {
    let mut depth = 0_usize;
    for (number, line) in (1..).zip(text.lines()) {
        for byte in line.bytes() {
            match byte {
                b'{' | b'[' | b'(' => depth += 1,
                b'}' | b']' | b')' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        if depth > MAX_DEPTH {
            let message = format!("brackets are nested more than {MAX_DEPTH} deep");
            return Err(Problem { line: number, column: 1, path: String::new(), message });
        }
    }
    Ok(())
}

/// The source, what it refers to, and the files that come with every compiler and registry. Nothing else is opened.
struct Resolver {
    text: String,
    references: References,
}

impl FileResolver for Resolver {
    fn resolve_path(&self, path: &Path) -> Option<String> {
        path.to_str().map(str::to_owned)
    }

    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match self.references.get(name) {
            _ if name == FILE => File::from_source(name, &self.text),
            Some(text) => File::from_source(name, text),
            None => protobuf::known::open(name),
        }
    }
}

fn misread(text: &str, error: &protox::Error) -> Problem {
    let message = error.to_string();
    // `source.proto:3:14: ...`, in the forms that know their place.
    let debug = format!("{error:?}");
    let place = debug.split_once(&format!("{FILE}:")).map(|(_, rest)| rest).unwrap_or_default();
    let mut numbers = place.split(':').map_while(|part| part.trim().parse::<u64>().ok());
    let line = numbers.next().unwrap_or(1).clamp(1, u64::try_from(text.lines().count().max(1)).unwrap_or(u64::MAX));
    let column = numbers.next().unwrap_or(1).max(1);
    Problem { line, column, path: String::new(), message: shortened(&message) }
}

/// The comments of a file, by the path of what they are about.
type Comments = HashMap<Vec<i32>, String>;

fn comments(file: &FileDescriptor) -> Comments {
    let mut comments = HashMap::new();
    let proto = file.file_descriptor_proto();
    for location in proto.source_code_info.iter().flat_map(|info| &info.location) {
        let texts = [location.leading_comments.as_deref(), location.trailing_comments.as_deref()];
        let lines: Vec<_> = texts
            .into_iter()
            .flatten()
            .flat_map(str::lines)
            .map(|line| line.strip_prefix(' ').unwrap_or(line))
            .collect();
        if !lines.is_empty() {
            comments.insert(location.path.clone(), lines.join("\n").trim_end().to_owned());
        }
    }
    comments
}

/// Collects the messages that `message` has as fields, but for itself.
fn used_by(message: &MessageDescriptor, root: &MessageDescriptor, used: &mut HashSet<String>) {
    for field in message.fields() {
        if let Kind::Message(inner) = field.kind()
            && inner != *root
            && !inner.is_map_entry()
        {
            used.insert(inner.full_name().to_owned());
        }
    }
    for child in message.child_messages() {
        used_by(&child, root, used);
    }
}

struct Reader<'a> {
    draft: &'a mut Draft,
    /// By the names of their files.
    comments: HashMap<String, Comments>,
    /// The messages that are being read: a message may hold itself.
    open: Vec<String>,
}

impl Reader<'_> {
    fn object(&mut self, message: &MessageDescriptor) -> Result<(), Problem> {
        let mut object = with_name(message.name());
        set(&mut object, "logicalType", "object");
        if !message.package_name().is_empty() {
            custom(&mut object, PACKAGE, message.package_name());
        }
        let beside = self.comment(&message.parent_file(), message.path(), message.full_name(), &mut object)?;
        self.open.push(message.full_name().to_owned());
        let properties = self.fields(message, 1)?;
        self.open.clear();
        set(&mut object, "properties", properties);
        overlay(&mut object, beside);
        self.draft.objects.push(object);
        Ok(())
    }

    /// The description, and what an export put beside it.
    fn comment(
        &mut self,
        file: &FileDescriptor,
        path: &[i32],
        place: &str,
        fields: &mut Fields,
    ) -> Result<Fields, Problem> {
        let comment = self.comments.get(file.name()).and_then(|comments| comments.get(path));
        let Some(comment) = comment else { return Ok(Map::new()) };
        let (mut lines, mut beside) = (Vec::new(), Map::new());
        for line in comment.lines() {
            match line.strip_prefix(BESIDE) {
                Some(text) => match json::read(text) {
                    Ok(Value::Object(fields)) => beside = fields,
                    _ => return Err(fault(place, "the comment `odcs:` does not contain a JSON object")),
                },
                None => lines.push(line),
            }
        }
        set_text(fields, "description", Some(lines.join("\n").trim()));
        Ok(beside)
    }

    fn fields(&mut self, message: &MessageDescriptor, depth: usize) -> Result<Vec<Value>, Problem> {
        let mut properties = Vec::new();
        if message.reserved_ranges().len() + message.reserved_names().len() > 0 {
            self.draft.note(message.full_name(), "reserved numbers and names have no equivalent in a contract");
        }
        // In the order of the file, not of the numbers.
        let mut fields: Vec<_> = message.fields().collect();
        fields.sort_by_key(|field| field.path().last().copied());
        for field in fields {
            let mut column = with_name(field.name());
            set(&mut column, "id", format!("field-{}", field.number()));
            custom(&mut column, NUMBER, field.number());
            let beside = self.comment(&field.parent_file(), field.path(), field.full_name(), &mut column)?;
            self.field(&field, depth, &mut column)?;
            overlay(&mut column, beside);
            properties.push(Value::Object(column));
        }
        Ok(properties)
    }

    fn field(&mut self, field: &FieldDescriptor, depth: usize, column: &mut Fields) -> Result<(), Problem> {
        let path = field.full_name();
        self.draft.column(path, depth)?;
        if field.containing_oneof().is_some_and(|oneof| !oneof.is_synthetic()) {
            self.draft.note(path, "that only one field of a `oneof` is set has no equivalent in a contract");
        }
        let proto = field.field_descriptor_proto();
        if proto.options.as_ref().is_some_and(prost_reflect::prost_types::FieldOptions::deprecated) {
            set(column, "deprecated", true);
        }
        if let Some(default) = &proto.default_value {
            custom(column, "default", default.as_str());
        }
        if field.is_map() {
            let Kind::Message(entry) = field.kind() else { return Ok(()) };
            let (mut key, mut value) = (Map::new(), Map::new());
            self.kind(&entry.map_entry_key_field(), depth + 1, &mut key)?;
            self.kind(&entry.map_entry_value_field(), depth + 1, &mut value)?;
            set(&mut key, "required", true);
            set(&mut value, "required", true);
            set(column, "logicalType", "map");
            set(column, "physicalType", "map");
            set(column, "map", json!({ "key": key, "value": value }));
        } else if field.is_list() {
            let mut items = Map::new();
            self.kind(field, depth + 1, &mut items)?;
            set(&mut items, "required", true);
            set(column, "logicalType", "array");
            set(column, "physicalType", "repeated");
            set(column, "items", items);
        } else {
            // A field without presence always has a value.
            if field.cardinality() == Cardinality::Required || !field.supports_presence() {
                set(column, "required", true);
            }
            self.kind(field, depth, column)?;
        }
        Ok(())
    }

    /// The type of a field, item, key or value.
    fn kind(&mut self, field: &FieldDescriptor, depth: usize, column: &mut Fields) -> Result<(), Problem> {
        let path = field.full_name();
        match field.kind() {
            Kind::Message(message) => self.message(&message, path, depth, column),
            Kind::Enum(kind) => {
                set(column, "logicalType", "string");
                set(column, "physicalType", "enum");
                let names: Vec<Value> = kind.values().map(|value| json!(value.name())).collect();
                set(column, "enum", enumeration(&names));
                Ok(())
            }
            kind => {
                scalar(scalar_word(&kind), column);
                Ok(())
            }
        }
    }

    fn message(
        &mut self,
        message: &MessageDescriptor,
        path: &str,
        depth: usize,
        column: &mut Fields,
    ) -> Result<(), Problem> {
        let full_name = message.full_name();
        if let Some(wrapped) = full_name.strip_prefix("google.protobuf.").and_then(|name| name.strip_suffix("Value")) {
            // A wrapper is a scalar that may be absent.
            if scalar(&wrapped.to_ascii_lowercase(), column) {
                return Ok(());
            }
        }
        match full_name {
            "google.protobuf.Timestamp" => {
                set(column, "logicalType", "timestamp");
                option(column, "timezone", true);
                set(column, "physicalType", full_name);
            }
            "google.protobuf.Struct" | "google.protobuf.Any" | "google.protobuf.Value" | "google.protobuf.Empty" => {
                set(column, "logicalType", "object");
                set(column, "physicalType", full_name);
            }
            "google.protobuf.ListValue" => {
                set(column, "logicalType", "array");
                set(column, "physicalType", full_name);
            }
            "google.protobuf.Duration" | "google.protobuf.FieldMask" => {
                set(column, "logicalType", "string");
                set(column, "physicalType", full_name);
                self.draft.note(path, format!("`{full_name}` has no logical type and becomes a string, as in JSON"));
            }
            _ => {
                set(column, "logicalType", "object");
                set(column, "physicalType", "message");
                if self.open.iter().any(|open| open == full_name) {
                    self.draft.note(
                        path,
                        format!("`{full_name}` is recursive, which contracts cannot express; it is cut off here"),
                    );
                    return Ok(());
                }
                self.open.push(full_name.to_owned());
                let members = self.fields(message, depth + 1)?;
                self.open.pop();
                set(column, "properties", members);
            }
        }
        Ok(())
    }
}

fn scalar_word(kind: &Kind) -> &'static str {
    match kind {
        Kind::Double => "double",
        Kind::Float => "float",
        Kind::Int32 => "int32",
        Kind::Int64 => "int64",
        Kind::Uint32 => "uint32",
        Kind::Uint64 => "uint64",
        Kind::Sint32 => "sint32",
        Kind::Sint64 => "sint64",
        Kind::Fixed32 => "fixed32",
        Kind::Fixed64 => "fixed64",
        Kind::Sfixed32 => "sfixed32",
        Kind::Sfixed64 => "sfixed64",
        Kind::Bool => "bool",
        Kind::String => "string",
        Kind::Bytes => "bytes",
        Kind::Message(_) | Kind::Enum(_) => "",
    }
}
