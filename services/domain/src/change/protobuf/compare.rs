//! The comparison of two Protobuf files.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{Enum, Field, File, Label, Message, Scalar, Schema, Type};
use crate::change::message::{Budget, Difference, TooComplex};
use crate::closed_set;

closed_set! {
    /// The kinds of differences, by the names of the Confluent Schema Registry.
    Change {
        /// The file is in another package.
        PackageChanged = "PACKAGE_CHANGED",
        /// A message was added.
        MessageAdded = "MESSAGE_ADDED",
        /// A message was removed.
        MessageRemoved = "MESSAGE_REMOVED",
        /// A message moved among its siblings.
        MessageMoved = "MESSAGE_MOVED",
        /// An enum was added.
        EnumAdded = "ENUM_ADDED",
        /// An enum was removed.
        EnumRemoved = "ENUM_REMOVED",
        /// A constant was added.
        EnumConstAdded = "ENUM_CONST_ADDED",
        /// A number has another name.
        EnumConstChanged = "ENUM_CONST_CHANGED",
        /// A constant was removed.
        EnumConstRemoved = "ENUM_CONST_REMOVED",
        /// A field was added.
        FieldAdded = "FIELD_ADDED",
        /// A field was removed.
        FieldRemoved = "FIELD_REMOVED",
        /// A number has another name.
        FieldNameChanged = "FIELD_NAME_CHANGED",
        /// A scalar became a message or a map, or the other way round.
        FieldKindChanged = "FIELD_KIND_CHANGED",
        /// A scalar is written differently on the wire.
        FieldScalarKindChanged = "FIELD_SCALAR_KIND_CHANGED",
        /// A message became another one, or changed in a way that breaks its readers.
        FieldNamedTypeChanged = "FIELD_NAMED_TYPE_CHANGED",
        /// A string or bytes became repeated, or the other way round: a reader takes the last value.
        FieldStringOrBytesLabelChanged = "FIELD_STRING_OR_BYTES_LABEL_CHANGED",
        /// A number became repeated, or the other way round: packed values are not read as one.
        FieldNumericLabelChanged = "FIELD_NUMERIC_LABEL_CHANGED",
        /// A required field was added.
        RequiredFieldAdded = "REQUIRED_FIELD_ADDED",
        /// A required field was removed.
        RequiredFieldRemoved = "REQUIRED_FIELD_REMOVED",
        /// A oneof was added.
        OneofAdded = "ONEOF_ADDED",
        /// A oneof was removed.
        OneofRemoved = "ONEOF_REMOVED",
        /// A field was added to a oneof.
        OneofFieldAdded = "ONEOF_FIELD_ADDED",
        /// A field was removed from a oneof that goes on, or whose other members do.
        OneofFieldRemoved = "ONEOF_FIELD_REMOVED",
        /// A member of a oneof became a field of its own.
        OneofFieldMovedToTopLevel = "ONEOF_FIELD_MOVED_TO_TOP_LEVEL",
        /// Fields that could be set together exclude each other now.
        MultipleFieldsMovedToOneof = "MULTIPLE_FIELDS_MOVED_TO_ONEOF",
        /// A field excludes the members of a oneof now that it could be set beside.
        FieldMovedToExistingOneof = "FIELD_MOVED_TO_EXISTING_ONEOF",
    }
}

impl Change {
    /// Whether a reader of the new schema goes on reading what was written under the old.
    pub fn is_compatible(self) -> bool {
        match self {
            Self::MessageAdded
            | Self::MessageMoved
            | Self::EnumAdded
            | Self::EnumRemoved
            | Self::EnumConstAdded
            | Self::EnumConstChanged
            | Self::EnumConstRemoved
            | Self::FieldAdded
            | Self::FieldRemoved
            | Self::FieldNameChanged
            | Self::FieldStringOrBytesLabelChanged
            | Self::OneofAdded
            | Self::OneofRemoved
            | Self::OneofFieldAdded
            | Self::OneofFieldMovedToTopLevel => true,
            Self::PackageChanged
            | Self::MessageRemoved
            | Self::FieldKindChanged
            | Self::FieldScalarKindChanged
            | Self::FieldNamedTypeChanged
            | Self::FieldNumericLabelChanged
            | Self::RequiredFieldAdded
            | Self::RequiredFieldRemoved
            | Self::OneofFieldRemoved
            | Self::MultipleFieldsMovedToOneof
            | Self::FieldMovedToExistingOneof => false,
        }
    }
}

/// All differences of two versions of a Protobuf file, for a reader of `new` over what was written under `old`. A
/// schema has none with itself.
///
/// # Errors
/// [`TooComplex`] if they take more steps than one comparison may.
pub fn compare(old: &Schema, new: &Schema) -> Result<Vec<Difference>, TooComplex> {
    compare_within(old, new, &mut { Budget::COMPARISON })
}

/// As [`compare`], with steps of a budget that others take from, too.
///
/// # Errors
/// [`TooComplex`] if the budget does not suffice.
pub fn compare_within<'a>(
    old: &'a Schema,
    new: &'a Schema,
    budget: &'a mut Budget,
) -> Result<Vec<Difference>, TooComplex> {
    let mut comparer = Comparer {
        old: index(old),
        new: index(new),
        old_package: &old.file.package,
        new_package: &new.file.package,
        budget,
        path: Vec::new(),
        scopes: vec![Scope::default()],
        current: 0,
        pairs: HashMap::new(),
        open: Vec::new(),
    };
    if old.file.package != new.file.package {
        let package = |file: &File| if file.package.is_empty() { "none" } else { &file.package }.to_owned();
        let message = format!("the package changed from `{}` to `{}`", package(&old.file), package(&new.file));
        comparer.add(Change::PackageChanged, message);
    }
    comparer.types((&old.file.messages, &old.file.enums), (&new.file.messages, &new.file.enums))?;
    while let Some(pair) = comparer.open.pop() {
        comparer.current = pair.scope;
        comparer.path = pair.name.split('.').map(str::to_owned).collect();
        comparer.message(pair.old, pair.new)?;
    }
    Ok(together(comparer.scopes))
}

/// A message that a field can name.
#[derive(Clone, Copy)]
struct ScopedMessage<'a> {
    message: &'a Message,
    /// The package of its file.
    package: &'a str,
    /// Whether it is in the compared file itself, where it is compared by name anyway.
    is_local: bool,
}

/// The messages of a schema by full name. The file's own come last, so that they win.
fn index(schema: &Schema) -> HashMap<String, ScopedMessage<'_>> {
    fn below<'a>(
        found: &mut HashMap<String, ScopedMessage<'a>>,
        prefix: &str,
        messages: &'a [Message],
        package: &'a str,
        is_local: bool,
    ) {
        for message in messages {
            let name = if prefix.is_empty() { message.name.clone() } else { format!("{prefix}.{}", message.name) };
            below(found, &name, &message.messages, package, is_local);
            found.insert(name, ScopedMessage { message, package, is_local });
        }
    }
    let mut found = HashMap::new();
    for import in &schema.imports {
        below(&mut found, &import.package, &import.messages, &import.package, false);
    }
    below(&mut found, &schema.file.package, &schema.file.messages, &schema.file.package, true);
    found
}

/// The differences found below one pair of types: the files as a whole, or two imported messages.
#[derive(Default)]
struct Scope {
    differences: Vec<Difference>,
    /// Where its fields use imported messages: the path and name of the field, and the scope of the messages.
    uses: Vec<(String, String, usize)>,
}

/// Two imported messages that are still to be compared.
struct Pair<'a> {
    scope: usize,
    /// Their name, without the package.
    name: String,
    old: &'a Message,
    new: &'a Message,
}

struct Comparer<'a> {
    old: HashMap<String, ScopedMessage<'a>>,
    new: HashMap<String, ScopedMessage<'a>>,
    old_package: &'a str,
    new_package: &'a str,
    budget: &'a mut Budget,
    path: Vec<String>,
    scopes: Vec<Scope>,
    current: usize,
    /// The scopes of imported messages, by their full names.
    pairs: HashMap<(&'a str, &'a str), usize>,
    open: Vec<Pair<'a>>,
}

/// All differences. What breaks an imported message breaks the fields that use it, so that goes from scope to scope.
fn together(mut scopes: Vec<Scope>) -> Vec<Difference> {
    let mut users: Vec<Vec<usize>> = vec![Vec::new(); scopes.len()];
    for (at, scope) in scopes.iter().enumerate() {
        for (_, _, used) in &scope.uses {
            users[*used].push(at);
        }
    }
    let mut is_broken = vec![false; scopes.len()];
    let breaks = |scope: &Scope| scope.differences.iter().any(|difference| !difference.compatible);
    let mut open: Vec<usize> = (0..scopes.len()).filter(|at| breaks(&scopes[*at])).collect();
    while let Some(at) = open.pop() {
        if !std::mem::replace(&mut is_broken[at], true) {
            open.extend(&users[at]);
        }
    }
    for scope in &mut scopes {
        for (path, name, used) in std::mem::take(&mut scope.uses) {
            if is_broken[used] {
                let message = format!("the message type of `{name}` changed in a way that breaks its readers");
                scope.differences.push(difference(Change::FieldNamedTypeChanged, path, message));
            }
        }
    }
    // A message nested in an imported one is found from its own fields and from below its parent.
    let mut reported = HashSet::new();
    let mut all: Vec<Difference> = scopes.into_iter().flat_map(|scope| scope.differences).collect();
    all.retain(|difference| reported.insert((difference.name, difference.path.clone(), difference.message.clone())));
    all
}

fn difference(change: Change, path: String, message: String) -> Difference {
    Difference { name: change.as_str(), path, message, compatible: change.is_compatible() }
}

impl<'a> Comparer<'a> {
    fn add(&mut self, change: Change, message: impl Into<String>) {
        let found = difference(change, format!("#/{}", self.path.join("/")), message.into());
        self.scopes[self.current].differences.push(found);
    }

    /// Looks at something below.
    fn below<T>(&mut self, step: impl Into<String>, look: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step.into());
        let result = look(self);
        self.path.pop();
        result
    }

    fn types(&mut self, old: (&'a [Message], &'a [Enum]), new: (&'a [Message], &'a [Enum])) -> Result<(), TooComplex> {
        let by_name = |messages: &'a [Message]| -> BTreeMap<&'a str, (usize, &'a Message)> {
            messages.iter().enumerate().map(|(at, message)| (message.name.as_str(), (at, message))).collect()
        };
        let (before, after) = (by_name(old.0), by_name(new.0));
        for name in union(&before, &after) {
            self.budget.take(1)?;
            self.below(name, |comparer| match (before.get(name), after.get(name)) {
                (Some((before_at, before)), Some((after_at, after))) => {
                    comparer.message(before, after)?;
                    if before_at != after_at {
                        let message = format!("the message `{name}` moved among its siblings");
                        comparer.add(Change::MessageMoved, message);
                    }
                    Ok(())
                }
                (Some((_, before)), None) => {
                    if !before.is_group {
                        comparer.add(Change::MessageRemoved, format!("the message `{name}` was removed"));
                    }
                    Ok(())
                }
                (None, after) => {
                    if after.is_some_and(|(_, after)| !after.is_group) {
                        comparer.add(Change::MessageAdded, format!("the message `{name}` was added"));
                    }
                    Ok(())
                }
            })?;
        }

        let by_name = |enums: &'a [Enum]| -> BTreeMap<&'a str, &'a Enum> {
            enums.iter().map(|found| (found.name.as_str(), found)).collect()
        };
        let (before, after) = (by_name(old.1), by_name(new.1));
        for name in union(&before, &after) {
            self.budget.take(1)?;
            self.below(name, |comparer| match (before.get(name), after.get(name)) {
                (Some(before), Some(after)) => comparer.constants(before, after),
                (Some(_), None) => {
                    comparer.add(Change::EnumRemoved, format!("the enum `{name}` was removed"));
                    Ok(())
                }
                (None, _) => {
                    comparer.add(Change::EnumAdded, format!("the enum `{name}` was added"));
                    Ok(())
                }
            })?;
        }
        Ok(())
    }

    fn constants(&mut self, old: &'a Enum, new: &'a Enum) -> Result<(), TooComplex> {
        let by_number = |found: &'a Enum| -> BTreeMap<i32, &'a str> {
            found.constants.iter().map(|(number, name)| (*number, name.as_str())).collect()
        };
        let (before, after) = (by_number(old), by_number(new));
        for number in union(&before, &after) {
            self.budget.take(1)?;
            self.below(number.to_string(), |comparer| match (before.get(&number), after.get(&number)) {
                (Some(before), None) => {
                    comparer.add(Change::EnumConstRemoved, format!("the constant `{before}` was removed"));
                }
                (None, Some(after)) => {
                    comparer.add(Change::EnumConstAdded, format!("the constant `{after}` was added"));
                }
                (Some(before), Some(after)) if before != after => {
                    let message = format!("the constant {number} was renamed from `{before}` to `{after}`");
                    comparer.add(Change::EnumConstChanged, message);
                }
                (Some(_), Some(_)) | (None, None) => {}
            });
        }
        Ok(())
    }

    fn message(&mut self, old: &'a Message, new: &'a Message) -> Result<(), TooComplex> {
        self.fields(old, new)?;
        self.types((&old.messages, &old.enums), (&new.messages, &new.enums))
    }

    fn fields(&mut self, old: &'a Message, new: &'a Message) -> Result<(), TooComplex> {
        let by_number = |message: &'a Message| -> BTreeMap<i32, &'a Field> {
            message.fields.iter().map(|field| (field.number, field)).collect()
        };
        let (before, after) = (by_number(old), by_number(new));
        let deleted = self.oneofs(old, new, &before, &after)?;
        for number in union(&before, &after) {
            self.budget.take(1)?;
            match (before.get(&number), after.get(&number)) {
                (Some(field), None) => self.removed(field, &deleted),
                (None, Some(field)) => self.added(field),
                (Some(old), Some(new)) => self.field(old, new),
                (None, None) => {}
            }
        }
        Ok(())
    }

    /// Which fields exclude each other. Gives the oneofs that were deleted with all of their members.
    fn oneofs(
        &mut self,
        old: &'a Message,
        new: &'a Message,
        before: &BTreeMap<i32, &'a Field>,
        after: &BTreeMap<i32, &'a Field>,
    ) -> Result<BTreeSet<&'a str>, TooComplex> {
        let names = |message: &'a Message| -> BTreeSet<&'a str> { message.oneofs.iter().map(String::as_str).collect() };
        let (old_names, new_names) = (names(old), names(new));

        // The members of each oneof that were there before, by what they excluded before: a oneof, or nothing.
        let mut origins: BTreeMap<&str, (BTreeSet<&str>, u32)> = BTreeMap::new();
        for (number, field) in after {
            let (Some(oneof), Some(origin)) = (&field.oneof, before.get(number)) else { continue };
            let (oneofs, n_free) = origins.entry(oneof).or_default();
            match &origin.oneof {
                Some(origin) => _ = oneofs.insert(origin),
                None => *n_free += 1,
            }
        }
        for (name, (oneofs, n_free)) in origins {
            self.below(name, |comparer| match (oneofs.len(), n_free) {
                (_, 2..) => {
                    let message = format!("fields that could be set together are now members of the oneof `{name}`");
                    comparer.add(Change::MultipleFieldsMovedToOneof, message);
                }
                (1.., 1) | (2.., 0) => {
                    let message =
                        format!("a field that could be set beside the members of the oneof `{name}` is now a member");
                    comparer.add(Change::FieldMovedToExistingOneof, message);
                }
                _ => {}
            });
        }

        for name in old_names.union(&new_names) {
            self.budget.take(1)?;
            self.below(*name, |comparer| {
                if !new_names.contains(name) {
                    comparer.add(Change::OneofRemoved, format!("the oneof `{name}` was removed"));
                } else if !old_names.contains(name) {
                    comparer.add(Change::OneofAdded, format!("the oneof `{name}` was added"));
                }
            });
        }

        let mut deleted: BTreeSet<&str> = old_names.difference(&new_names).copied().collect();
        for (number, field) in before {
            if let Some(oneof) = field.oneof.as_deref().filter(|_| after.contains_key(number)) {
                deleted.remove(oneof);
            }
        }
        Ok(deleted)
    }

    fn removed(&mut self, field: &Field, deleted_oneofs: &BTreeSet<&str>) {
        let message = format!("the field `{}` was removed", field.name);
        let change = match &field.oneof {
            Some(oneof) if deleted_oneofs.contains(oneof.as_str()) => return,
            Some(_) => Change::OneofFieldRemoved,
            None if field.label == Label::Required => Change::RequiredFieldRemoved,
            None => Change::FieldRemoved,
        };
        self.at(field, |comparer| comparer.add(change, message));
    }

    fn added(&mut self, field: &Field) {
        let message = format!("the field `{}` was added", field.name);
        let change = match &field.oneof {
            Some(_) => Change::OneofFieldAdded,
            None if field.label == Label::Required => Change::RequiredFieldAdded,
            None => Change::FieldAdded,
        };
        self.at(field, |comparer| comparer.add(change, message));
    }

    fn field(&mut self, old: &'a Field, new: &'a Field) {
        self.at(new, |comparer| {
            if let (Some(oneof), None) = (&old.oneof, &new.oneof) {
                let message = format!("the field `{}` left the oneof `{oneof}`", new.name);
                comparer.add(Change::OneofFieldMovedToTopLevel, message);
            }
            if old.name != new.name {
                let message = format!("the field {} is called `{}`, not `{}`", new.number, new.name, old.name);
                comparer.add(Change::FieldNameChanged, message);
            }
            comparer.field_types(&new.name, &old.field_type, &new.field_type, (old.label, new.label));
        });
    }

    /// Looks at a field, which for a member of a oneof is below that.
    fn at(&mut self, field: &Field, look: impl FnOnce(&mut Self)) {
        let number = field.number.to_string();
        match &field.oneof {
            Some(oneof) => self.below(oneof.as_str(), |comparer| comparer.below(number, look)),
            None => self.below(number, look),
        }
    }

    fn field_types(&mut self, field: &str, old: &'a Type, new: &'a Type, labels: (Label, Label)) {
        match (old, new) {
            (Type::Scalar(_) | Type::Enum(_), Type::Scalar(_) | Type::Enum(_)) => {
                self.scalars(field, old, new, labels);
            }
            (Type::Message(before) | Type::Unresolved(before), Type::Message(after) | Type::Unresolved(after))
            | (Type::Group(before), Type::Group(after)) => self.message_types(field, before, after),
            (Type::Map(old_key, old_value), Type::Map(new_key, new_value)) => {
                self.field_types(field, old_key, new_key, (Label::Implicit, Label::Implicit));
                self.field_types(field, old_value, new_value, (Label::Implicit, Label::Implicit));
            }
            (
                Type::Scalar(_)
                | Type::Enum(_)
                | Type::Message(_)
                | Type::Unresolved(_)
                | Type::Group(_)
                | Type::Map(..),
                _,
            ) => {
                let message = format!("`{field}` changed from {} to {}", words_for(old), words_for(new));
                self.add(Change::FieldKindChanged, message);
            }
        }
    }

    fn scalars(&mut self, field: &str, old: &Type, new: &Type, labels: (Label, Label)) {
        if wire_group(old) != wire_group(new) {
            let message = format!("`{field}` changed from {} to {}", words_for(old), words_for(new));
            self.add(Change::FieldScalarKindChanged, message);
            return;
        }
        if labels.0 == labels.1 || labels.0 == Label::Implicit || labels.1 == Label::Implicit {
            return;
        }
        let change = match wire_group(new) {
            Some(WireGroup::StringOrBytes) => Change::FieldStringOrBytesLabelChanged,
            Some(
                WireGroup::Varint
                | WireGroup::Zigzag
                | WireGroup::Fixed32
                | WireGroup::Fixed64
                | WireGroup::Float
                | WireGroup::Double,
            )
            | None => Change::FieldNumericLabelChanged,
        };
        self.add(
            change,
            format!("the label of `{field}` changed from {} to {}", label_word(labels.0), label_word(labels.1)),
        );
    }

    fn message_types(&mut self, field: &str, old_name: &'a str, new_name: &'a str) {
        let (old, new) = (self.old.get(old_name).copied(), self.new.get(new_name).copied());
        let (old_local, new_local) = match (old, new) {
            (Some(old), Some(new)) => (local(old_name, old.package), local(new_name, new.package)),
            (None, _) | (_, None) => (old_name, new_name),
        };
        let are_same = match (old, new) {
            (Some(old), None) => could_be(new_name, old_name, old, self.new_package),
            (None, Some(new)) => could_be(old_name, new_name, new, self.old_package),
            (Some(_), Some(_)) | (None, None) => old_local == new_local,
        };
        if !are_same {
            let message = format!("the message type of `{field}` changed from `{old_local}` to `{new_local}`");
            self.add(Change::FieldNamedTypeChanged, message);
            return;
        }
        let Some((old, new)) = old.zip(new).filter(|(old, new)| !(old.is_local && new.is_local)) else { return };
        let n_scopes = self.scopes.len();
        let scope = *self.pairs.entry((old_name, new_name)).or_insert(n_scopes);
        if scope == n_scopes {
            self.scopes.push(Scope::default());
            self.open.push(Pair { scope, name: new_local.to_owned(), old: old.message, new: new.message });
        }
        let path = format!("#/{}", self.path.join("/"));
        self.scopes[self.current].uses.push((path, field.to_owned(), scope));
    }
}

/// The keys of both, in order.
fn union<K: Copy + Ord, V>(before: &BTreeMap<K, V>, after: &BTreeMap<K, V>) -> BTreeSet<K> {
    before.keys().chain(after.keys()).copied().collect()
}

/// Whether a name that nothing is known of, as it is written in a file of this package, can stand for a message that
/// the other schema has: it is its full name, or the end of one in the package or in one around it.
fn could_be(written: &str, full_name: &str, known: ScopedMessage<'_>, package: &str) -> bool {
    let is_end = full_name.strip_suffix(written).is_some_and(|scope| scope.ends_with('.'));
    let is_around = package.strip_prefix(known.package).is_some_and(|below| below.is_empty() || below.starts_with('.'));
    written == full_name || (is_end && is_around)
}

/// A full name without the package.
fn local<'a>(name: &'a str, package: &str) -> &'a str {
    name.strip_prefix(package).and_then(|rest| rest.strip_prefix('.')).filter(|_| !package.is_empty()).unwrap_or(name)
}

/// The types that are written so that one can be read as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WireGroup {
    Varint,
    Zigzag,
    StringOrBytes,
    Fixed32,
    Fixed64,
    Float,
    Double,
}

fn wire_group(field_type: &Type) -> Option<WireGroup> {
    match field_type {
        Type::Enum(_) => Some(WireGroup::Varint),
        Type::Scalar(scalar) => Some(match scalar {
            Scalar::Int32 | Scalar::Int64 | Scalar::Uint32 | Scalar::Uint64 | Scalar::Bool => WireGroup::Varint,
            Scalar::Sint32 | Scalar::Sint64 => WireGroup::Zigzag,
            Scalar::String | Scalar::Bytes => WireGroup::StringOrBytes,
            Scalar::Fixed32 | Scalar::Sfixed32 => WireGroup::Fixed32,
            Scalar::Fixed64 | Scalar::Sfixed64 => WireGroup::Fixed64,
            Scalar::Float => WireGroup::Float,
            Scalar::Double => WireGroup::Double,
        }),
        Type::Message(_) | Type::Group(_) | Type::Map(..) | Type::Unresolved(_) => None,
    }
}

fn words_for(field_type: &Type) -> String {
    match field_type {
        Type::Scalar(scalar) => format!("`{scalar}`"),
        Type::Enum(name) => format!("the enum `{name}`"),
        Type::Message(name) => format!("the message `{name}`"),
        Type::Group(name) => format!("the group `{name}`"),
        Type::Map(key, value) => format!("a map of {} to {}", words_for(key), words_for(value)),
        Type::Unresolved(name) => format!("`{name}`"),
    }
}

fn label_word(label: Label) -> &'static str {
    match label {
        Label::Implicit => "none",
        Label::Optional => "`optional`",
        Label::Required => "`required`",
        Label::Repeated => "`repeated`",
    }
}
