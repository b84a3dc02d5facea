//! Comparing two schemas, in three passes without recursion, so that no nesting is too deep for the stack: which pairs
//! of types meet, which of them cannot be read, and what there is to tell.
//!
//! Whether one pair can be read depends on others, in circles where types are recursive. All are taken to be readable,
//! and each that is not takes those with it that need it: what remains is the greatest fixed point.

use std::collections::{HashMap, HashSet};

use super::difference::TypeDifference;
use super::{Enum, Field, Naming, Record, Schema, Shape, Type, TypeId};
use crate::change::message::{Budget, Difference, TooComplex};

/// What is different for a reader of `new` over data written under `old`, from the whole to its parts.
///
/// A type that is used in several places is reported of once, at the first. Paths are JSON pointers into `new`, and `/` for
/// the whole; a branch that a union lacks is counted in `old`.
///
/// # Errors
/// [`TooComplex`] if it takes more than [`Budget::COMPARISON`].
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
    let mut comparison = Comparison { reader: new, writer: old, budget };
    let pairs = comparison.explore()?;
    comparison.report(&pairs)
}

/// A type of the reader and one of the writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Pair {
    reader: TypeId,
    writer: TypeId,
}

/// How two types relate: what is different in themselves, and the pairs of their parts that decide the rest.
struct Relation<'a> {
    found: Vec<TypeDifference<'a>>,
    needs: Needs,
}

enum Needs {
    /// Every one must be readable. The text is what it adds to the path.
    All(Vec<(String, Pair)>),
    /// One branch of the reader's union must: its index and its pair.
    Any(Vec<(usize, Pair)>),
}

/// All pairs that meet, by index, and which of them cannot be read.
#[derive(Default)]
struct Pairs {
    index: HashMap<Pair, usize>,
    list: Vec<Pair>,
    broken: Vec<bool>,
}

struct Comparison<'a> {
    reader: &'a Schema,
    writer: &'a Schema,
    budget: &'a mut Budget,
}

impl Needs {
    /// How many of the pairs may break before this does.
    fn spare(&self) -> usize {
        match self {
            Self::All(_) => 0,
            Self::Any(branches) => branches.len().saturating_sub(1),
        }
    }

    /// Whether one is needed and there is none.
    fn is_hopeless(&self) -> bool {
        matches!(self, Self::Any(branches) if branches.is_empty())
    }

    fn into_pairs(self) -> Vec<Pair> {
        match self {
            Self::All(parts) => parts.into_iter().map(|(_, pair)| pair).collect(),
            Self::Any(branches) => branches.into_iter().map(|(_, pair)| pair).collect(),
        }
    }
}

impl Pairs {
    fn insert(&mut self, pair: Pair) -> usize {
        *self.index.entry(pair).or_insert_with(|| {
            self.list.push(pair);
            self.list.len() - 1
        })
    }

    fn is_broken(&self, pair: Pair) -> bool {
        self.index.get(&pair).is_some_and(|index| self.broken[*index])
    }
}

impl<'a> Comparison<'a> {
    fn root(&self) -> Pair {
        Pair { reader: self.reader.root(), writer: self.writer.root() }
    }

    fn types(&self, pair: Pair) -> (&'a Type, &'a Type) {
        (self.reader.get(pair.reader), self.writer.get(pair.writer))
    }

    fn take(&mut self, steps: usize) -> Result<(), TooComplex> {
        self.budget.take(u32::try_from(steps).unwrap_or(u32::MAX))
    }

    /// Finds the pairs that meet, and which of them cannot be read.
    fn explore(&mut self) -> Result<Pairs, TooComplex> {
        let mut pairs = Pairs::default();
        pairs.insert(self.root());
        // By pair: those that need it, and how many of its own parts may break before it does.
        let mut needed_by: Vec<Vec<usize>> = vec![Vec::new()];
        let mut spare = Vec::new();
        let mut breaking = Vec::new();
        while let Some(pair) = pairs.list.get(spare.len()).copied() {
            let index = spare.len();
            let Relation { found, needs } = self.relate(pair)?;
            if found.iter().any(|found| !found.is_compatible()) || needs.is_hopeless() {
                breaking.push(index);
            }
            spare.push(needs.spare());
            for part in needs.into_pairs() {
                let part = pairs.insert(part);
                needed_by.resize_with(pairs.list.len(), Vec::new);
                needed_by[part].push(index);
            }
        }

        pairs.broken = vec![false; pairs.list.len()];
        while let Some(pair) = breaking.pop() {
            if std::mem::replace(&mut pairs.broken[pair], true) {
                continue;
            }
            for outer in &needed_by[pair] {
                match spare[*outer].checked_sub(1) {
                    Some(fewer) => spare[*outer] = fewer,
                    None => breaking.push(*outer),
                }
            }
        }
        Ok(pairs)
    }

    /// Tells what is different, from the whole to its parts.
    fn report(&mut self, pairs: &Pairs) -> Result<Vec<Difference>, TooComplex> {
        let mut differences = Vec::new();
        let mut reported = HashSet::new();
        // What is left to tell: a pair, its path, and which branch of the writer's union it is met as.
        let mut stack = vec![(self.root(), String::new(), None)];
        while let Some((pair, path, branch)) = stack.pop() {
            if !reported.insert(pair) {
                continue;
            }
            // Long paths are paid for, so that a long chain of types does not fill the memory with them.
            self.take(path.len() / 16)?;
            let Relation { mut found, needs } = self.relate(pair)?;
            let (reader, writer) = self.types(pair);
            match needs {
                Needs::All(parts) if is_union(reader) => {
                    let written: Vec<Pair> = parts.into_iter().map(|(_, part)| part).collect();
                    found.extend(self.added_branches(pairs, reader, &written));
                    let parts = written.into_iter().enumerate().rev();
                    stack.extend(parts.map(|(index, part)| (part, path.clone(), Some(index))));
                }
                Needs::All(parts) => {
                    stack.extend(parts.into_iter().rev().map(|(step, part)| (part, format!("{path}{step}"), None)));
                }
                Needs::Any(candidates) => {
                    if pairs.is_broken(pair) {
                        found.push(TypeDifference::MissingUnionBranch { index: branch, writer });
                    } else if branch.is_none() {
                        found.push(TypeDifference::UnionIntroduced);
                        found.extend(self.added_branches(pairs, reader, &[pair]));
                    }
                    let chosen = self.chosen(pairs, pair, candidates);
                    stack.extend(chosen.map(|(index, part)| (part, format!("{path}/{index}"), None)));
                }
            }
            differences.extend(found.iter().map(|found| difference(&path, found)));
        }
        Ok(differences)
    }

    /// The branch of the reader's union that the writer's type is read as: its own if there is one, else the first that
    /// can be. Where none can, the one that says why.
    fn chosen(&self, pairs: &Pairs, pair: Pair, mut candidates: Vec<(usize, Pair)>) -> Option<(usize, Pair)> {
        let writer = &self.writer.get(pair.writer).shape;
        candidates.retain(|(_, part)| pairs.is_broken(pair) || !pairs.is_broken(*part));
        let own = candidates.iter().find(|(_, part)| self.reader.get(part.reader).shape.is_same_branch(writer));
        own.or(candidates.first()).copied()
    }

    /// The branches that may read a writer's type, looking at words and names alone.
    fn candidates(&self, branches: &[TypeId], writer: TypeId) -> Vec<(usize, Pair)> {
        let may_read = |branch: &TypeId| match (&self.reader.get(*branch).shape, &self.writer.get(writer).shape) {
            (Shape::Union(_), _) => true,
            (Shape::Primitive(reader), Shape::Primitive(writer)) => {
                reader == writer || reader.is_promoted_from(*writer)
            }
            (reader, writer) => match (reader.naming(), writer.naming()) {
                (Some(reads), Some(wrote)) => reader.word() == writer.word() && reads.reads(wrote),
                (None, _) | (_, None) => reader.word() == writer.word(),
            },
        };
        let candidates = branches.iter().enumerate().filter(|(_, branch)| may_read(branch));
        candidates.map(|(index, branch)| (index, Pair { reader: *branch, writer })).collect()
    }

    /// The branches of a reader's union that nothing written is read as.
    fn added_branches(&self, pairs: &Pairs, reader: &'a Type, written: &[Pair]) -> Vec<TypeDifference<'a>> {
        let Shape::Union(branches) = &reader.shape else { return Vec::new() };
        let chosen = |pair: &Pair| self.chosen(pairs, *pair, self.candidates(branches, pair.writer));
        let chosen: HashSet<usize> = written.iter().filter_map(chosen).map(|(index, _)| index).collect();
        let added = branches.iter().enumerate().filter(|(index, _)| !chosen.contains(index));
        added
            .map(|(index, branch)| TypeDifference::UnionBranchAdded { index, reader: self.reader.get(*branch) })
            .collect()
    }

    /// Looks at two types, not into their parts.
    fn relate(&mut self, pair: Pair) -> Result<Relation<'a>, TooComplex> {
        self.take(1)?;
        let (reader, writer) = self.types(pair);
        let mut found = Vec::new();
        let mut parts = Vec::new();
        match (&reader.shape, &writer.shape) {
            (_, Shape::Union(branches)) => {
                self.take(branches.len())?;
                if !is_union(reader) {
                    found.push(TypeDifference::UnionDissolved);
                }
                let branch = |writer: &TypeId| (String::new(), Pair { reader: pair.reader, writer: *writer });
                parts.extend(branches.iter().map(branch));
            }
            (Shape::Union(branches), _) => {
                // Looking at a branch is a small part of a step, and at an alias a smaller one: unions of hundreds of
                // records are in use.
                let namings = branches.iter().filter_map(|branch| self.reader.get(*branch).shape.naming());
                let n_aliases: usize = namings.map(|naming| naming.aliases.len()).sum();
                self.take(branches.len() / 8 + n_aliases / 32)?;
                return Ok(Relation { found, needs: Needs::Any(self.candidates(branches, pair.writer)) });
            }
            (Shape::Array(items), Shape::Array(written)) => {
                parts.push(("/items".to_owned(), Pair { reader: *items, writer: *written }));
            }
            (Shape::Map(values), Shape::Map(written)) => {
                parts.push(("/values".to_owned(), Pair { reader: *values, writer: *written }));
            }
            (Shape::Record(record), Shape::Record(written)) => {
                self.take(record.fields.len() + written.fields.len())?;
                names(&record.naming, &written.naming, &mut found);
                parts = fields(record, written, &mut found);
            }
            (Shape::Enum(symbols), Shape::Enum(written)) => {
                self.take(symbols.symbols.len() + written.symbols.len())?;
                names(&symbols.naming, &written.naming, &mut found);
                enums(symbols, written, &mut found);
            }
            (Shape::Fixed(fixed), Shape::Fixed(written)) => {
                names(&fixed.naming, &written.naming, &mut found);
                let (reader_bytes, writer_bytes) = (fixed.size_bytes, written.size_bytes);
                if reader_bytes != writer_bytes {
                    found.push(TypeDifference::FixedSizeMismatch { reader_bytes, writer_bytes });
                }
            }
            (Shape::Primitive(primitive), Shape::Primitive(written)) if primitive == written => {}
            (Shape::Primitive(primitive), Shape::Primitive(written)) if primitive.is_promoted_from(*written) => {
                found.push(TypeDifference::Promoted { reader, writer });
            }
            (
                Shape::Primitive(_)
                | Shape::Record(_)
                | Shape::Enum(_)
                | Shape::Fixed(_)
                | Shape::Array(_)
                | Shape::Map(_),
                _,
            ) => {
                found.push(TypeDifference::TypeMismatch { reader, writer });
                return Ok(Relation { found, needs: Needs::All(parts) });
            }
        }
        if reader.logical != writer.logical {
            found.push(TypeDifference::LogicalTypeChanged { reader, writer });
        }
        Ok(Relation { found, needs: Needs::All(parts) })
    }
}

fn is_union(type_: &Type) -> bool {
    matches!(type_.shape, Shape::Union(_))
}

fn names<'a>(reader: &'a Naming, writer: &'a Naming, found: &mut Vec<TypeDifference<'a>>) {
    if !reader.reads(writer) {
        found.push(TypeDifference::NameMismatch { reader, writer });
    } else if reader.full != writer.full {
        found.push(TypeDifference::Renamed { reader, writer });
    }
}

/// What is different in two records' lists of fields, and the pairs of their fields' types.
fn fields<'a>(reader: &'a Record, writer: &'a Record, found: &mut Vec<TypeDifference<'a>>) -> Vec<(String, Pair)> {
    let by_name: HashMap<&str, &Field> = writer.fields.iter().map(|field| (field.name.as_str(), field)).collect();
    let mut read = HashSet::new();
    let mut parts = Vec::new();
    for (index, field) in reader.fields.iter().enumerate() {
        let mut matches: Vec<&Field> = by_name.get(field.name.as_str()).copied().into_iter().collect();
        if matches.is_empty() {
            let by_alias: HashSet<&str> = field.aliases.iter().map(String::as_str).collect();
            matches = writer.fields.iter().filter(|written| by_alias.contains(written.name.as_str())).collect();
        }
        read.extend(matches.iter().map(|written| written.name.as_str()));
        match matches.as_slice() {
            [] if field.default.is_some() => found.push(TypeDifference::FieldAdded { index, field }),
            [] => found.push(TypeDifference::ReaderFieldMissingDefault { index, field }),
            [written] => {
                if field.name != written.name {
                    found.push(TypeDifference::FieldRenamed { index, reader: field, writer: written });
                }
                if field.default != written.default {
                    found.push(TypeDifference::DefaultChanged { index, reader: field, writer: written });
                }
                if field.order != written.order {
                    found.push(TypeDifference::OrderChanged { index, reader: field, writer: written });
                }
                let pair = Pair { reader: field.type_id, writer: written.type_id };
                parts.push((format!("/fields/{index}/type"), pair));
            }
            several => {
                let matches = several.iter().map(|written| written.name.as_str()).collect();
                found.push(TypeDifference::AmbiguousAliases { index, field, matches });
            }
        }
    }
    let removed = writer.fields.iter().filter(|written| !read.contains(written.name.as_str()));
    found.extend(removed.map(TypeDifference::FieldRemoved));
    parts
}

/// What is different in two enums' symbols. A field's default does not help a reader with a symbol that it lacks.
fn enums<'a>(reader: &'a Enum, writer: &'a Enum, found: &mut Vec<TypeDifference<'a>>) {
    let missing = |from: &'a Enum, of: &Enum| -> Vec<&'a str> {
        let known: HashSet<&str> = of.symbols.iter().map(String::as_str).collect();
        from.symbols.iter().map(String::as_str).filter(|symbol| !known.contains(symbol)).collect()
    };
    let (removed, added) = (missing(writer, reader), missing(reader, writer));
    let default = reader.default.as_deref();
    match default.filter(|default| reader.symbols.iter().any(|symbol| symbol == default)) {
        _ if removed.is_empty() => {}
        Some(default) => found.push(TypeDifference::EnumSymbolsRemoved { symbols: removed, default }),
        None => found.push(TypeDifference::MissingEnumSymbols(removed)),
    }
    if !added.is_empty() {
        found.push(TypeDifference::EnumSymbolsAdded(added));
    }
    let written = writer.default.as_deref();
    if default != written {
        found.push(TypeDifference::EnumDefaultChanged { reader: default, writer: written });
    }
}

fn difference(path: &str, found: &TypeDifference<'_>) -> Difference {
    let path = format!("{path}{}", found.step());
    Difference {
        name: found.name(),
        path: if path.is_empty() { "/".to_owned() } else { path },
        message: found.message(),
        compatible: found.is_compatible(),
    }
}
