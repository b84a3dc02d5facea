//! Prints a compiled file as `.proto` text.

use std::fmt::Write;

use prost_reflect::prost_types::field_descriptor_proto::{Label, Type};
use prost_reflect::prost_types::{FieldDescriptorProto, FileDescriptorProto};
use prost_reflect::{
    DynamicMessage, EnumDescriptor, ExtensionDescriptor, FieldDescriptor, FileDescriptor, Kind, MapKey,
    MessageDescriptor, ServiceDescriptor, Syntax, Value,
};

use super::undeclared;

/// What order declarations are printed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// As they are declared.
    Declared,
    /// Imports and options by name, fields and constants by number.
    Sorted,
}

/// The text of a file, with those of its options that nothing declares.
pub(super) fn file(file: &FileDescriptor, undeclared: &undeclared::Options, order: Order) -> String {
    let (syntax, text) = (file.syntax(), String::new());
    let mut printer = Printer { order, syntax, undeclared, text, indent: 0, is_after_block: false };
    printer.file(file);
    printer.text
}

struct Printer<'a> {
    order: Order,
    syntax: Syntax,
    undeclared: &'a undeclared::Options,
    text: String,
    indent: usize,
    /// Whether an empty line is due before the next declaration.
    is_after_block: bool,
}

impl Printer<'_> {
    fn file(&mut self, file: &FileDescriptor) {
        let descriptor = file.file_descriptor_proto();
        let syntax = if self.syntax == Syntax::Proto3 { "proto3" } else { "proto2" };
        self.line(&format!("syntax = \"{syntax}\";"));
        if !descriptor.package().is_empty() {
            self.line(&format!("package {};", descriptor.package()));
        }
        self.section();
        for import in self.imports(descriptor) {
            self.line(&import);
        }
        self.section();
        self.options(&[], &file.options());
        for message in file.messages() {
            self.message(&message);
        }
        for found in file.enums() {
            self.enumeration(&found);
        }
        self.extensions(file.extensions());
        for service in file.services() {
            self.service(&service);
        }
    }

    fn imports(&self, descriptor: &FileDescriptorProto) -> Vec<String> {
        let has = |indices: &[i32], index: usize| i32::try_from(index).is_ok_and(|index| indices.contains(&index));
        let import = |(index, name): (usize, &String)| {
            let kind = if has(&descriptor.public_dependency, index) {
                "public "
            } else if has(&descriptor.weak_dependency, index) {
                "weak "
            } else {
                ""
            };
            format!("import {kind}{};", quoted(name.as_bytes()))
        };
        let mut imports: Vec<String> = descriptor.dependency.iter().enumerate().map(import).collect();
        if self.order == Order::Sorted {
            imports.sort();
        }
        imports
    }

    fn message(&mut self, message: &MessageDescriptor) {
        if message.is_map_entry() {
            return;
        }
        self.section();
        self.open(&format!("message {}", message.name()));
        self.message_body(message);
        self.close();
    }

    fn message_body(&mut self, message: &MessageDescriptor) {
        let descriptor = message.descriptor_proto();
        self.options(message.path(), &message.options());
        let mut reserved: Vec<(i64, i64)> =
            descriptor.reserved_range.iter().map(|range| (range.start().into(), i64::from(range.end()) - 1)).collect();
        self.ranges("reserved", &mut reserved, LAST_FIELD_NUMBER);
        self.reserved_names(&descriptor.reserved_name);
        let mut extensions: Vec<(i64, i64)> =
            descriptor.extension_range.iter().map(|range| (range.start().into(), i64::from(range.end()) - 1)).collect();
        self.ranges("extensions", &mut extensions, LAST_FIELD_NUMBER);

        let mut fields = by_declaration(message);
        if self.order == Order::Sorted {
            fields.sort_by_key(FieldDescriptor::number);
        }
        let mut printed = Vec::new();
        for field in &fields {
            match field.containing_oneof().filter(|oneof| !oneof.is_synthetic()) {
                None => self.field(&Declared::field(field)),
                // All members of a oneof are printed at the place of the first one.
                Some(oneof) if !printed.contains(&oneof.path().to_vec()) => {
                    printed.push(oneof.path().to_vec());
                    self.open(&format!("oneof {}", oneof.name()));
                    self.options(oneof.path(), &oneof.options());
                    for member in fields.iter().filter(|member| member.containing_oneof().as_ref() == Some(&oneof)) {
                        self.field(&Declared::field(member));
                    }
                    self.close();
                    self.is_after_block = false;
                }
                Some(_) => {}
            }
        }
        for nested in message.child_messages().filter(|nested| !is_group(&nested.parent_file(), nested)) {
            self.message(&nested);
        }
        for nested in message.child_enums() {
            self.enumeration(&nested);
        }
        self.extensions(message.child_extensions());
    }

    fn field(&mut self, field: &Declared) {
        let descriptor = &field.descriptor;
        let is_map = field.kind.as_message().is_some_and(MessageDescriptor::is_map_entry);
        let label = match descriptor.label() {
            _ if is_map || field.is_oneof_member => "",
            Label::Repeated => "repeated ",
            Label::Required => "required ",
            Label::Optional if self.syntax == Syntax::Proto2 || descriptor.proto3_optional() => "optional ",
            Label::Optional => "",
        };
        let is_group = descriptor.r#type() == Type::Group;
        let (field_type, name) = match &field.kind {
            Kind::Message(entry) if is_map => {
                let (key, value) = (entry.map_entry_key_field(), entry.map_entry_value_field());
                let field_type = format!("map<{}, {}>", type_name(&key.kind()), type_name(&value.kind()));
                (field_type, descriptor.name().to_owned())
            }
            Kind::Message(group) if is_group => ("group".to_owned(), group.name().to_owned()),
            kind => (type_name(kind), descriptor.name().to_owned()),
        };
        let mut options = Vec::new();
        if let Some(default) = &descriptor.default_value {
            options.push(format!("default = {}", default_value(descriptor.r#type(), default)));
        }
        if let Some(json_name) = descriptor.json_name.as_ref().filter(|name| **name != default_json_name(descriptor)) {
            options.push(format!("json_name = {}", quoted(json_name.as_bytes())));
        }
        options.extend(self.settings(&field.path, &field.options));
        let head = format!("{label}{field_type} {name} = {}{}", descriptor.number(), in_brackets(&options));
        match field.kind.as_message().filter(|_| is_group) {
            Some(group) => {
                self.open(&head);
                self.message_body(group);
                self.close();
                self.is_after_block = false;
            }
            None => self.line(&format!("{head};")),
        }
    }

    fn enumeration(&mut self, found: &EnumDescriptor) {
        let descriptor = found.enum_descriptor_proto();
        self.section();
        self.open(&format!("enum {}", found.name()));
        self.options(found.path(), &found.options());
        let mut reserved: Vec<(i64, i64)> =
            descriptor.reserved_range.iter().map(|range| (range.start().into(), range.end().into())).collect();
        self.ranges("reserved", &mut reserved, i32::MAX.into());
        self.reserved_names(&descriptor.reserved_name);
        // As declared: the compiled values are in the order of their numbers.
        let mut values: Vec<_> = found.values().collect();
        values.sort_by_key(|value| value.path().last().copied());
        if self.order == Order::Sorted {
            // The first constant is the default, so its number stays the first.
            let default = values.first().map(|value| value.number());
            values.sort_by_cached_key(|it| (Some(it.number()) != default, it.number(), it.name().to_owned()));
        }
        for value in values {
            let options = self.settings(value.path(), &value.options());
            self.line(&format!("{} = {}{};", value.name(), value.number(), in_brackets(&options)));
        }
        self.close();
    }

    fn extensions(&mut self, extensions: impl Iterator<Item = ExtensionDescriptor>) {
        let mut extensions: Vec<ExtensionDescriptor> = extensions.collect();
        if self.order == Order::Sorted {
            extensions
                .sort_by_key(|extension| (extension.containing_message().full_name().to_owned(), extension.number()));
        }
        for extension in extensions {
            self.section();
            self.open(&format!("extend .{}", extension.containing_message().full_name()));
            self.field(&Declared::extension(&extension));
            self.close();
        }
    }

    fn service(&mut self, service: &ServiceDescriptor) {
        self.section();
        self.open(&format!("service {}", service.name()));
        self.options(service.path(), &service.options());
        for method in service.methods() {
            let stream = |is_streaming: bool| if is_streaming { "stream " } else { "" };
            let head = format!(
                "rpc {} ({}.{}) returns ({}.{})",
                method.name(),
                stream(method.is_client_streaming()),
                method.input().full_name(),
                stream(method.is_server_streaming()),
                method.output().full_name(),
            );
            let options = self.settings(method.path(), &method.options());
            if options.is_empty() {
                self.line(&format!("{head};"));
            } else {
                self.open(&head);
                options.iter().for_each(|option| self.line(&format!("option {option};")));
                self.close();
                self.is_after_block = false;
            }
        }
        self.close();
    }

    fn ranges(&mut self, keyword: &str, ranges: &mut [(i64, i64)], last: i64) {
        if self.order == Order::Sorted {
            ranges.sort_unstable();
        }
        let range = |(start, end): &(i64, i64)| match end {
            end if end == start => start.to_string(),
            end if *end == last => format!("{start} to max"),
            end => format!("{start} to {end}"),
        };
        if !ranges.is_empty() {
            let ranges: Vec<String> = ranges.iter().map(range).collect();
            self.line(&format!("{keyword} {};", ranges.join(", ")));
        }
    }

    fn reserved_names(&mut self, names: &[String]) {
        let mut names: Vec<String> = names.iter().map(|name| quoted(name.as_bytes())).collect();
        if self.order == Order::Sorted {
            names.sort();
        }
        if !names.is_empty() {
            self.line(&format!("reserved {};", names.join(", ")));
        }
    }

    fn options(&mut self, path: &[i32], options: &DynamicMessage) {
        for option in self.settings(path, options) {
            self.line(&format!("option {option};"));
        }
    }

    /// `name = value` for each option that is set for what is at a path; one for each value of a repeated one.
    fn settings(&self, path: &[i32], options: &DynamicMessage) -> Vec<String> {
        let fields = options
            .fields()
            // Whether a message is the entry of a map is told by how its field is printed.
            .filter(|(field, _)| field.full_name() != "google.protobuf.MessageOptions.map_entry")
            .map(|(field, value)| (field.number(), field.name().to_owned(), field.kind(), value));
        let extensions = options.extensions().map(|(extension, value)| {
            (extension.number(), format!("(.{})", extension.full_name()), extension.kind(), value)
        });
        let mut all: Vec<_> = fields.chain(extensions).collect();
        match self.order {
            Order::Declared => all.sort_by_key(|(number, ..)| *number),
            Order::Sorted => all.sort_by(|(_, a, ..), (_, b, ..)| a.cmp(b)),
        }
        let mut settings = Vec::new();
        for (_, name, kind, set) in all {
            match set {
                Value::List(values) => {
                    settings.extend(values.iter().map(|it| format!("{name} = {}", value(it, &kind))));
                }
                Value::Map(_) => settings.extend(entries(set, &kind).iter().map(|entry| format!("{name} = {entry}"))),
                set => settings.push(format!("{name} = {}", value(set, &kind))),
            }
        }
        let mut undeclared = self.undeclared.get(path).cloned().unwrap_or_default();
        if self.order == Order::Sorted {
            undeclared.sort();
        }
        settings.extend(undeclared);
        settings
    }

    /// An empty line is due if anything was printed in this block.
    fn section(&mut self) {
        self.is_after_block = !self.text.is_empty() && !self.text.ends_with("{\n");
    }

    fn line(&mut self, line: &str) {
        if std::mem::take(&mut self.is_after_block) {
            self.text.push('\n');
        }
        self.text.extend(std::iter::repeat_n("  ", self.indent));
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn open(&mut self, head: &str) {
        self.line(&format!("{head} {{"));
        self.indent += 1;
    }

    fn close(&mut self) {
        self.indent -= 1;
        self.is_after_block = false;
        self.line("}");
    }
}

/// What fields and extensions have in common.
struct Declared {
    descriptor: FieldDescriptorProto,
    kind: Kind,
    options: DynamicMessage,
    path: Vec<i32>,
    is_oneof_member: bool,
}

impl Declared {
    fn field(field: &FieldDescriptor) -> Self {
        Self {
            descriptor: field.field_descriptor_proto().clone(),
            kind: field.kind(),
            options: field.options(),
            path: field.path().to_vec(),
            is_oneof_member: field.containing_oneof().is_some_and(|oneof| !oneof.is_synthetic()),
        }
    }

    fn extension(extension: &ExtensionDescriptor) -> Self {
        Self {
            descriptor: extension.field_descriptor_proto().clone(),
            kind: extension.kind(),
            options: extension.options(),
            path: extension.path().to_vec(),
            is_oneof_member: false,
        }
    }
}

/// The greatest number that a field can have.
const LAST_FIELD_NUMBER: i64 = 536_870_911;

/// The fields as they are declared: the compiled ones are in the order of their numbers.
fn by_declaration(message: &MessageDescriptor) -> Vec<FieldDescriptor> {
    let mut fields: Vec<FieldDescriptor> = message.fields().collect();
    fields.sort_by_key(|field| field.path().last().copied());
    fields
}

/// Whether a nested message is the body of a group, which is printed where its field is.
fn is_group(file: &FileDescriptor, message: &MessageDescriptor) -> bool {
    let is_body = |kind: Kind| kind.as_message() == Some(message);
    let Some(parent) = message.parent_message() else {
        return file.extensions().any(|extension| extension.is_group() && is_body(extension.kind()));
    };
    parent.fields().any(|field| field.is_group() && is_body(field.kind()))
        || parent.child_extensions().any(|extension| extension.is_group() && is_body(extension.kind()))
}

fn type_name(kind: &Kind) -> String {
    match kind {
        Kind::Message(message) => format!(".{}", message.full_name()),
        Kind::Enum(found) => format!(".{}", found.full_name()),
        scalar => format!("{scalar:?}"),
    }
}

fn default_value(field_type: Type, value: &str) -> String {
    match field_type {
        Type::String => quoted(value.as_bytes()),
        // A descriptor has the default of bytes with its escapes.
        Type::Bytes => format!("\"{value}\""),
        _ => value.to_owned(),
    }
}

/// The name in JSON of a field that does not say another: each `_` makes the next letter a capital.
fn default_json_name(descriptor: &FieldDescriptorProto) -> String {
    let mut name = String::new();
    let mut is_capital = false;
    for character in descriptor.name().chars() {
        if character == '_' {
            is_capital = true;
        } else {
            name.push(if std::mem::take(&mut is_capital) { character.to_ascii_uppercase() } else { character });
        }
    }
    name
}

fn in_brackets(options: &[String]) -> String {
    if options.is_empty() { String::new() } else { format!(" [{}]", options.join(", ")) }
}

/// A value of an option, in the text format where it is a message.
fn value(of: &Value, kind: &Kind) -> String {
    match of {
        Value::Bool(value) => value.to_string(),
        Value::I32(value) => value.to_string(),
        Value::I64(value) => value.to_string(),
        Value::U32(value) => value.to_string(),
        Value::U64(value) => value.to_string(),
        Value::F32(value) => float(format!("{value:?}")),
        Value::F64(value) => float(format!("{value:?}")),
        Value::String(value) => quoted(value.as_bytes()),
        Value::Bytes(value) => quoted(value),
        Value::EnumNumber(number) => match kind.as_enum().and_then(|found| found.get_value(*number)) {
            Some(value) => value.name().to_owned(),
            None => number.to_string(),
        },
        Value::Message(message) => aggregate(message),
        Value::List(values) => format!("[{}]", values.iter().map(|it| value(it, kind)).collect::<Vec<_>>().join(", ")),
        Value::Map(_) => format!("[{}]", entries(of, kind).join(", ")),
    }
}

fn aggregate(message: &DynamicMessage) -> String {
    let mut parts: Vec<(u32, String)> = Vec::new();
    for (field, set) in message.fields() {
        let name = match field.kind().as_message().filter(|_| field.is_group()) {
            Some(group) => group.name().to_owned(),
            None => field.name().to_owned(),
        };
        parts.push((field.number(), format!("{name}: {}", value(set, &field.kind()))));
    }
    for (extension, set) in message.extensions() {
        parts.push((extension.number(), format!("[{}]: {}", extension.full_name(), value(set, &extension.kind()))));
    }
    parts.sort();
    let parts: Vec<String> = parts.into_iter().map(|(_, part)| part).collect();
    if parts.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", parts.join(", ")) }
}

/// The entries of a map by key, for a map has no order.
fn entries(map: &Value, kind: &Kind) -> Vec<String> {
    let (Value::Map(map), Some(entry)) = (map, kind.as_message()) else { return Vec::new() };
    let value_kind = entry.map_entry_value_field().kind();
    let mut entries: Vec<(&MapKey, &Value)> = map.iter().collect();
    entries.sort_by_key(|(key, _)| (*key).clone());
    let key = |key: &MapKey| match key {
        MapKey::Bool(key) => key.to_string(),
        MapKey::I32(key) => key.to_string(),
        MapKey::I64(key) => key.to_string(),
        MapKey::U32(key) => key.to_string(),
        MapKey::U64(key) => key.to_string(),
        MapKey::String(key) => quoted(key.as_bytes()),
    };
    entries.iter().map(|(name, set)| format!("{{ key: {}, value: {} }}", key(name), value(set, &value_kind))).collect()
}

/// The words of `.proto` text for what is no number.
pub(super) fn float(written: String) -> String {
    match written.as_str() {
        "NaN" => "nan".to_owned(),
        _ => written,
    }
}

pub(super) fn quoted(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' | '\\' => text.extend(['\\', character]),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                '\t' => text.push_str("\\t"),
                character if character.is_ascii_control() => _ = write!(text, "\\{:03o}", u32::from(character)),
                character => text.push(character),
            }
        }
        for byte in chunk.invalid() {
            _ = write!(text, "\\{byte:03o}");
        }
    }
    text.push('"');
    text
}
