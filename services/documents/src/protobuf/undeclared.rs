//! Custom options that no file declares: producers register schemas whose rules files (of a linter, of a validator) are
//! not registered. The compiler refuses them, so they are taken out before it runs, and printed as they were written.
//!
//! They are looked for only where the compiler has refused a schema, and only by the name of the option itself: what
//! is wrong within an option that is declared stays wrong.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto, UninterpretedOption};

/// The options of the schema's own file, as `name = value`, by the path of what they are said of in the file's
/// descriptor.
pub(super) type Options = BTreeMap<Vec<i32>, Vec<String>>;

/// Takes the options that no file declares out of a file. `declared` are the full names of all extensions.
pub(super) fn take(file: &mut FileDescriptorProto, declared: &BTreeSet<String>) -> Options {
    let mut taker = Taker { declared, taken: Options::new() };
    let package = file.package().to_owned();
    if let Some(options) = &mut file.options {
        taker.options(&[], &package, &mut options.uninterpreted_option);
    }
    for (path, message) in numbered(&[4], &mut file.message_type) {
        taker.message(&path, &package, message);
    }
    for (path, found) in numbered(&[5], &mut file.enum_type) {
        taker.enumeration(&path, &package, found);
    }
    for (path, service) in numbered(&[6], &mut file.service) {
        let scope = join(&package, service.name());
        if let Some(options) = &mut service.options {
            taker.options(&path, &scope, &mut options.uninterpreted_option);
        }
        for (path, method) in numbered(&below(&path, 2), &mut service.method) {
            if let Some(options) = &mut method.options {
                taker.options(&path, &scope, &mut options.uninterpreted_option);
            }
        }
    }
    for (path, extension) in numbered(&[7], &mut file.extension) {
        if let Some(options) = &mut extension.options {
            taker.options(&path, &package, &mut options.uninterpreted_option);
        }
    }
    taker.taken
}

/// Adds the full names of the extensions that a file declares.
pub(super) fn declared_in(file: &FileDescriptorProto, declared: &mut BTreeSet<String>) {
    fn of_message(scope: &str, message: &DescriptorProto, declared: &mut BTreeSet<String>) {
        let scope = join(scope, message.name());
        declared.extend(message.extension.iter().map(|extension| join(&scope, extension.name())));
        message.nested_type.iter().for_each(|nested| of_message(&scope, nested, declared));
    }
    declared.extend(file.extension.iter().map(|extension| join(file.package(), extension.name())));
    file.message_type.iter().for_each(|message| of_message(file.package(), message, declared));
}

struct Taker<'a> {
    declared: &'a BTreeSet<String>,
    taken: Options,
}

impl Taker<'_> {
    fn message(&mut self, path: &[i32], scope: &str, message: &mut DescriptorProto) {
        let scope = join(scope, message.name());
        if let Some(options) = &mut message.options {
            self.options(path, &scope, &mut options.uninterpreted_option);
        }
        for (number, fields) in [(2, &mut message.field), (6, &mut message.extension)] {
            for (path, field) in numbered(&below(path, number), fields) {
                if let Some(options) = &mut field.options {
                    self.options(&path, &scope, &mut options.uninterpreted_option);
                }
            }
        }
        for (path, range) in numbered(&below(path, 5), &mut message.extension_range) {
            if let Some(options) = &mut range.options {
                self.options(&path, &scope, &mut options.uninterpreted_option);
            }
        }
        for (path, oneof) in numbered(&below(path, 8), &mut message.oneof_decl) {
            if let Some(options) = &mut oneof.options {
                self.options(&path, &scope, &mut options.uninterpreted_option);
            }
        }
        for (path, nested) in numbered(&below(path, 3), &mut message.nested_type) {
            self.message(&path, &scope, nested);
        }
        for (path, found) in numbered(&below(path, 4), &mut message.enum_type) {
            self.enumeration(&path, &scope, found);
        }
    }

    fn enumeration(&mut self, path: &[i32], scope: &str, found: &mut EnumDescriptorProto) {
        let scope = join(scope, found.name());
        if let Some(options) = &mut found.options {
            self.options(path, &scope, &mut options.uninterpreted_option);
        }
        for (path, value) in numbered(&below(path, 2), &mut found.value) {
            if let Some(options) = &mut value.options {
                self.options(&path, &scope, &mut options.uninterpreted_option);
            }
        }
    }

    fn options(&mut self, path: &[i32], scope: &str, options: &mut Vec<UninterpretedOption>) {
        options.retain(|option| {
            let is_kept = option
                .name
                .first()
                .is_none_or(|first| !first.is_extension || self.is_declared(scope, &first.name_part));
            if !is_kept {
                self.taken.entry(path.to_vec()).or_default().push(setting(option));
            }
            is_kept
        });
    }

    /// Whether an extension is declared under a name, looked up in a scope and in those around it.
    fn is_declared(&self, scope: &str, name: &str) -> bool {
        if let Some(full) = name.strip_prefix('.') {
            return self.declared.contains(full);
        }
        let mut scope = scope;
        loop {
            if self.declared.contains(&join(scope, name)) {
                return true;
            }
            if scope.is_empty() {
                return false;
            }
            scope = scope.rsplit_once('.').map_or("", |(outer, _)| outer);
        }
    }
}

/// The elements of a list with their paths.
fn numbered<'a, T>(path: &[i32], elements: &'a mut [T]) -> impl Iterator<Item = (Vec<i32>, &'a mut T)> {
    let path = path.to_vec();
    elements.iter_mut().zip(0..).map(move |(element, at)| (below(&path, at), element))
}

fn below(path: &[i32], step: i32) -> Vec<i32> {
    path.iter().copied().chain([step]).collect()
}

fn join(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}

/// `(name).part = value`
fn setting(option: &UninterpretedOption) -> String {
    let parts = option.name.iter().map(|part| match part.is_extension {
        true => format!("({})", part.name_part),
        false => part.name_part.clone(),
    });
    let name = parts.collect::<Vec<_>>().join(".");
    let value = if let Some(word) = &option.identifier_value {
        word.clone()
    } else if let Some(number) = option.positive_int_value {
        number.to_string()
    } else if let Some(number) = option.negative_int_value {
        number.to_string()
    } else if let Some(number) = option.double_value {
        super::print::float(format!("{number:?}"))
    } else if let Some(text) = &option.string_value {
        super::print::quoted(text)
    } else {
        match option.aggregate_value.as_deref().unwrap_or_default() {
            "" => "{}".to_owned(),
            fields => format!("{{ {fields} }}"),
        }
    };
    format!("{name} = {value}")
}
