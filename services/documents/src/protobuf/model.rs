//! File descriptors to the model that comparisons work on.

use std::collections::{HashMap, HashSet};

use domain::change::protobuf as model;
use domain::change::protobuf::Scalar;
use prost_reflect::prost_types::field_descriptor_proto::{Label, Type};
use prost_reflect::prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto};

/// Makes the model of a file and of what it imports. Type names may be resolved or not; what nothing is known of stays
/// as it is written.
pub(super) fn schema(file: &FileDescriptorProto, imports: &[FileDescriptorProto]) -> model::Schema {
    let mut names = Names::default();
    for file in imports.iter().chain([file]) {
        names.add(file.package(), &file.message_type, &file.enum_type);
    }
    model::Schema { file: names.file(file), imports: imports.iter().map(|file| names.file(file)).collect() }
}

/// The declaration behind a full name.
#[derive(Clone, Copy)]
enum Definition<'a> {
    Message(&'a DescriptorProto),
    Enum,
}

#[derive(Default)]
struct Names<'a>(HashMap<String, Definition<'a>>);

impl<'a> Names<'a> {
    fn add(&mut self, scope: &str, messages: &'a [DescriptorProto], enums: &'a [EnumDescriptorProto]) {
        for message in messages {
            let name = join(scope, message.name());
            self.add(&name, &message.nested_type, &message.enum_type);
            self.0.insert(name, Definition::Message(message));
        }
        for found in enums {
            self.0.insert(join(scope, found.name()), Definition::Enum);
        }
    }

    /// Looks a name up in a scope and in those around it, the innermost first.
    fn resolve(&self, scope: &str, written: &str) -> Option<(String, Definition<'a>)> {
        let known = |name: String| self.0.get(&name).map(|named| (name.clone(), *named));
        if let Some(full) = written.strip_prefix('.') {
            return known(full.to_owned());
        }
        let mut scope = scope;
        loop {
            let found = known(join(scope, written));
            if found.is_some() || scope.is_empty() {
                return found;
            }
            scope = scope.rsplit_once('.').map_or("", |(outer, _)| outer);
        }
    }

    fn file(&self, file: &FileDescriptorProto) -> model::File {
        let is_proto2 = matches!(file.syntax(), "" | "proto2");
        model::File {
            package: file.package().to_owned(),
            messages: self.messages(file.package(), &file.message_type, is_proto2),
            enums: enums(&file.enum_type),
        }
    }

    fn messages(&self, scope: &str, messages: &[DescriptorProto], is_proto2: bool) -> Vec<model::Message> {
        let is_entry = |message: &&DescriptorProto| message.options.as_ref().is_some_and(|it| it.map_entry());
        messages.iter().filter(|message| !is_entry(message)).map(|it| self.message(scope, it, is_proto2)).collect()
    }

    fn message(&self, scope: &str, message: &DescriptorProto, is_proto2: bool) -> model::Message {
        let scope = join(scope, message.name());
        let mut fields: Vec<model::Field> =
            message.field.iter().map(|field| self.field(&scope, message, field, is_proto2)).collect();
        fields.sort_by_key(|field| field.number);
        let mut messages = self.messages(&scope, &message.nested_type, is_proto2);
        let groups: HashSet<&str> = fields
            .iter()
            .filter_map(|field| match &field.field_type {
                model::Type::Group(name) => Some(name.as_str()),
                model::Type::Scalar(_)
                | model::Type::Enum(_)
                | model::Type::Message(_)
                | model::Type::Map(..)
                | model::Type::Unresolved(_) => None,
            })
            .collect();
        for nested in &mut messages {
            nested.is_group = groups.contains(join(&scope, &nested.name).as_str());
        }
        let is_real = |index: usize| {
            let index = i32::try_from(index).ok();
            !message.field.iter().any(|field| field.proto3_optional() && field.oneof_index == index)
        };
        let oneofs = message.oneof_decl.iter().enumerate().filter(|(index, _)| is_real(*index));
        model::Message {
            name: message.name().to_owned(),
            fields,
            oneofs: oneofs.map(|(_, oneof)| oneof.name().to_owned()).collect(),
            is_group: false,
            messages,
            enums: enums(&message.enum_type),
        }
    }

    fn field(
        &self,
        scope: &str,
        message: &DescriptorProto,
        field: &FieldDescriptorProto,
        is_proto2: bool,
    ) -> model::Field {
        let index = field.oneof_index.filter(|_| !field.proto3_optional());
        let oneof = index.and_then(|index| message.oneof_decl.get(usize::try_from(index).ok()?));
        let field_type = self.field_type(scope, field, true);
        let is_map = matches!(field_type, model::Type::Map(..));
        let label = match field.label.and_then(|label| Label::try_from(label).ok()) {
            _ if is_map || oneof.is_some() => model::Label::Implicit,
            Some(Label::Repeated) => model::Label::Repeated,
            Some(Label::Required) => model::Label::Required,
            Some(Label::Optional) if is_proto2 || field.proto3_optional() => model::Label::Optional,
            Some(Label::Optional) | None => model::Label::Implicit,
        };
        model::Field {
            number: field.number(),
            name: field.name().to_owned(),
            label,
            field_type,
            oneof: oneof.map(|oneof| oneof.name().to_owned()),
        }
    }

    fn field_type(&self, scope: &str, field: &FieldDescriptorProto, may_be_map: bool) -> model::Type {
        if let Some(written) = &field.type_name {
            return match self.resolve(scope, written) {
                Some((name, Definition::Message(entry))) if entry.options.as_ref().is_some_and(|it| it.map_entry()) => {
                    let part = |number| entry.field.iter().find(|field| field.number() == number);
                    match (part(1), part(2)) {
                        (Some(key), Some(value)) if may_be_map => model::Type::Map(
                            Box::new(self.field_type(&name, key, false)),
                            Box::new(self.field_type(&name, value, false)),
                        ),
                        _ => model::Type::Message(name),
                    }
                }
                Some((name, Definition::Message(_))) if field.r#type() == Type::Group => model::Type::Group(name),
                Some((name, Definition::Message(_))) => model::Type::Message(name),
                Some((name, Definition::Enum)) => model::Type::Enum(name),
                None => model::Type::Unresolved(written.trim_start_matches('.').to_owned()),
            };
        }
        let scalar = match field.r#type() {
            Type::Double => Scalar::Double,
            Type::Float => Scalar::Float,
            Type::Int32 => Scalar::Int32,
            Type::Int64 => Scalar::Int64,
            Type::Uint32 => Scalar::Uint32,
            Type::Uint64 => Scalar::Uint64,
            Type::Sint32 => Scalar::Sint32,
            Type::Sint64 => Scalar::Sint64,
            Type::Fixed32 => Scalar::Fixed32,
            Type::Fixed64 => Scalar::Fixed64,
            Type::Sfixed32 => Scalar::Sfixed32,
            Type::Sfixed64 => Scalar::Sfixed64,
            Type::Bool => Scalar::Bool,
            Type::String => Scalar::String,
            Type::Bytes => Scalar::Bytes,
            Type::Message | Type::Group | Type::Enum => return model::Type::Unresolved(String::new()),
        };
        model::Type::Scalar(scalar)
    }
}

fn enums(enums: &[EnumDescriptorProto]) -> Vec<model::Enum> {
    let constants = |found: &EnumDescriptorProto| {
        found.value.iter().map(|value| (value.number(), value.name().to_owned())).collect()
    };
    enums.iter().map(|found| model::Enum { name: found.name().to_owned(), constants: constants(found) }).collect()
}

fn join(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}
