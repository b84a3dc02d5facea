//! A contract to statements.
//!
//! Every name is quoted and every text is a literal, so that nothing of a document is ever read as SQL.

use domain::contract::types::TypeName;
use domain::contract::{Measure, Property, Relationship, SchemaObject};
use domain::quality::{Operator, Scalar};
use serde_json::{Map, Value};

use super::super::dialect::{self, Meaning, Nesting};
use super::super::element::{Element, Export, fundamentals};
use super::super::json::pointer;
use super::super::names;
use super::super::shape::{Shape, shape_in, text_of};
use super::super::types::Dialect;
use super::typed;

/// Writes a statement for each object, then what names other tables.
pub(in super::super) fn export(export: &Export<'_>, dialect: Dialect) -> String {
    let writer = Writer::new(export, dialect);
    let told: Vec<_> = fundamentals(&export.ledger)
        .iter()
        .filter_map(|(name, value)| Some(format!("-- {name}: {}\n", one_line(value.as_str()?))))
        .collect();
    let mut text = told.concat();
    let own: Vec<_> = export.objects.iter().map(|object| name_of(object.it)).collect();
    let tables = names::distinct(&own, |name| writer.shortened(name), |name| writer.compared(name));
    for (object, table) in export.objects.iter().zip(&tables) {
        text.push('\n');
        writer.table(object, table, &mut text);
    }
    for (object, table) in export.objects.iter().zip(&tables) {
        writer.foreign_keys(object, table, &tables, &mut text);
    }
    text
}

fn name_of(object: &SchemaObject) -> &str {
    object.physical_name.as_deref().unwrap_or(&object.name)
}

/// A text for a comment to the end of the line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || "\u{2028}\u{2029}".contains(c) { ' ' } else { c }).collect()
}

/// The name of a column's type in a dialect, which holds nothing of the column.
pub(in super::super) fn type_word(export: &Export<'_>, dialect: Dialect, property: &Element<'_, Property>) -> String {
    let writer = Writer::new(export, dialect);
    export.ledger.without_holding(|| writer.word(property))
}

/// Whether a dialect's name of a type says what a document's own name for it says.
pub(in super::super) fn means_the_same(dialect: Dialect, word: &str, own: &str) -> bool {
    let (mine, own_meaning) = (dialect::read(dialect, word), dialect::read(dialect, own));
    match own_meaning {
        Some(_) => mine == own_meaning,
        None => mine.is_some_and(|mine| TypeName::parse(own) == Some(mine.name)),
    }
}

/// The conditions on a column's values, in one of [`Dialect::WRITTEN`]; they hold nothing.
pub(in super::super) fn conditions(
    export: &Export<'_>,
    dialect: Dialect,
    property: &Element<'_, Property>,
    column: &str,
) -> Vec<String> {
    let mut checks = Vec::new();
    let writer = Writer::new(export, dialect);
    export.ledger.without_holding(|| writer.checks(property, column, &mut checks));
    checks
}

/// What a shape without parts can be written as, the nearest first.
fn meanings(shape: Shape) -> Vec<Meaning> {
    let integer = |bits, signed| TypeName::Integer { bits, signed };
    let names = match shape {
        Shape::Boolean => vec![TypeName::Boolean],
        Shape::Integer { bits, signed } => {
            let widths = [8, 16, 32, 64, 128].into_iter();
            let own = widths.clone().filter(|width| *width >= bits && !signed).map(|width| integer(width, false));
            let wider = widths.filter(|width| if signed { *width >= bits } else { *width > bits });
            let digits = std::iter::once(TypeName::Decimal { size: Some((20, 0)) });
            own.chain(wider.map(|width| integer(width, true))).chain(digits).collect()
        }
        Shape::Float { bits } => vec![TypeName::Float { bits }, TypeName::Float { bits: 64 }],
        Shape::Decimal { precision, scale } => {
            let scale = u8::try_from(scale).unwrap_or(0).min(precision);
            vec![TypeName::Decimal { size: Some((precision, i8::try_from(scale).unwrap_or(0))) }]
        }
        Shape::Text { length } => vec![TypeName::String { length }],
        Shape::Uuid => {
            return vec![Meaning { is_uuid: true, ..TypeName::String { length: None }.into() }];
        }
        Shape::Binary => vec![TypeName::Binary],
        Shape::Date => vec![TypeName::Date],
        Shape::Time => vec![TypeName::Time],
        Shape::Timestamp { zoned } => [zoned, !zoned].map(|zoned| TypeName::Timestamp { zoned: Some(zoned) }).into(),
        Shape::Struct | Shape::List | Shape::Map | Shape::Vector | Shape::Json => Vec::new(),
    };
    names.into_iter().map(Meaning::from).collect()
}

/// What the items of a list are, for its type.
fn nesting(shape: Shape) -> Nesting {
    match shape {
        Shape::List => Nesting::List,
        Shape::Vector => Nesting::Vector,
        Shape::Struct | Shape::Map => Nesting::Other,
        Shape::Boolean
        | Shape::Integer { .. }
        | Shape::Float { .. }
        | Shape::Decimal { .. }
        | Shape::Text { .. }
        | Shape::Uuid
        | Shape::Binary
        | Shape::Date
        | Shape::Time
        | Shape::Timestamp { .. }
        | Shape::Json => Nesting::Plain,
    }
}

struct Writer<'a> {
    export: &'a Export<'a>,
    dialect: Dialect,
    is_spark: bool,
}

impl<'a> Writer<'a> {
    fn new(export: &'a Export<'a>, dialect: Dialect) -> Self {
        Self { export, dialect, is_spark: dialect == Dialect::Spark }
    }

    /// A name as long as the database keeps it: PostgreSQL cuts it at 63 bytes, Spark's metastore at 255.
    fn shortened(&self, name: &str) -> String {
        let limit = if self.is_spark { 255 } else { 63 };
        if name.len() <= limit && !name.is_empty() {
            return name.to_owned();
        }
        // Room for a number that keeps two of them apart.
        let end = (0..=limit - 8).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
        if end == 0 { "_".to_owned() } else { name[..end.min(name.len())].to_owned() }
    }

    /// Spark compares names without regard to case.
    fn compared(&self, name: &str) -> String {
        if self.is_spark { name.to_lowercase() } else { name.to_owned() }
    }

    fn quoted(&self, name: &str) -> String {
        if self.is_spark {
            format!("`{}`", name.replace('`', "``"))
        } else {
            format!("\"{}\"", name.replace('"', "\"\""))
        }
    }

    /// A table's name, which may be qualified.
    fn table_name(&self, name: &str) -> String {
        let parts: Vec<_> = name.split('.').filter(|part| !part.is_empty()).map(|part| self.quoted(part)).collect();
        if parts.is_empty() { self.quoted(name) } else { parts.join(".") }
    }

    fn literal(&self, text: &str) -> String {
        if self.is_spark {
            // Spark takes two quotes for the end of one text and the beginning of another, and others do not know `\'`.
            format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\u0027"))
        } else {
            format!("'{}'", text.replace('\'', "''"))
        }
    }

    fn scalar(&self, value: &Scalar) -> String {
        match value {
            Scalar::Text(text) => self.literal(text),
            Scalar::Integer(integer) => integer.to_string(),
            Scalar::Number(number) => number.to_string(),
            Scalar::Decimal(number) => number.to_string(),
            Scalar::Boolean(boolean) => boolean.to_string(),
        }
    }

    /// The names of the columns, as they are written.
    fn columns(&self, object: &Element<'_, SchemaObject>) -> Vec<String> {
        let properties = object.properties();
        let own: Vec<_> = properties.iter().map(|property| property.it.column_name()).collect();
        names::distinct(&own, |name| self.shortened(name), |name| self.compared(name))
    }

    fn table(&self, object: &Element<'_, SchemaObject>, table: &str, text: &mut String) {
        let ledger = &self.export.ledger;
        self.hold_name(&object.path, &object.it.name, object.it.physical_name.as_deref(), table);
        if object.it.physical_type.as_deref().is_some_and(|word| word.eq_ignore_ascii_case("table")) {
            ledger.hold(&pointer(&object.path, "physicalType"));
        }
        if ledger.field(&object.path, "logicalType").and_then(Value::as_str) == Some("object") {
            ledger.hold(&pointer(&object.path, "logicalType"));
        }
        let properties = object.properties();
        let columns = self.columns(object);
        let (mut lines, mut checks) = (Vec::new(), Vec::new());
        for (property, column) in properties.iter().zip(&columns) {
            lines.push(self.column(property, column));
            self.checks(property, column, &mut checks);
        }
        self.keys(object, &columns, &mut lines);
        let name = self.table_name(table);
        if !self.is_spark {
            lines.extend(checks.iter().map(|check| format!("CHECK ({check})")));
        }
        text.push_str(&format!("CREATE TABLE {name} (\n  {}\n)", lines.join(",\n  ")));
        let description = ledger.take_text(&object.path, "description");
        if self.is_spark {
            let mut partitions: Vec<_> = properties.iter().zip(&columns).filter(|(it, _)| it.it.partitioned).collect();
            partitions.sort_by_key(|(it, _)| it.it.partition_key_position.unwrap_or(u32::MAX));
            if !partitions.is_empty() {
                partitions
                    .iter()
                    .for_each(|(it, _)| ledger.hold_fields(&it.path, &["partitioned", "partitionKeyPosition"]));
                let partitions: Vec<_> = partitions.iter().map(|(_, column)| self.quoted(column)).collect();
                text.push_str(&format!("\nPARTITIONED BY ({})", partitions.join(", ")));
            }
            if let Some(description) = description {
                text.push_str(&format!("\nCOMMENT {}", self.literal(description)));
            }
            text.push_str(";\n");
            for (number, check) in (1..).zip(&checks) {
                let constraint = self.quoted(&format!("check_{number}"));
                text.push_str(&format!("ALTER TABLE {name} ADD CONSTRAINT {constraint} CHECK ({check});\n"));
            }
        } else {
            text.push_str(";\n");
            if let Some(description) = description {
                text.push_str(&format!("COMMENT ON TABLE {name} IS {};\n", self.literal(description)));
            }
            for (property, column) in properties.iter().zip(&columns) {
                if let Some(description) = ledger.take_text(&property.path, "description") {
                    let column = self.quoted(column);
                    text.push_str(&format!("COMMENT ON COLUMN {name}.{column} IS {};\n", self.literal(description)));
                }
            }
        }
    }

    fn hold_name(&self, path: &str, name: &str, physical: Option<&str>, written: &str) {
        let ledger = &self.export.ledger;
        let own = physical.unwrap_or(name);
        if own != written {
            ledger.changed(path, format!("was renamed to `{written}`: its name is too long or already used"));
            return;
        }
        ledger.hold(&pointer(path, "physicalName"));
        if name == written {
            ledger.hold(&pointer(path, "name"));
        }
    }

    fn column(&self, property: &Element<'_, Property>, column: &str) -> String {
        let ledger = &self.export.ledger;
        self.hold_name(&property.path, &property.it.name, property.it.physical_name.as_deref(), column);
        ledger.hold_defaults(&property.path);
        let mut line = format!("{} {}", self.quoted(column), self.kind(property));
        if let Some(default) = self.default(property) {
            line.push_str(&format!(" DEFAULT {default}"));
        }
        if property.it.required || property.it.primary_key {
            line.push_str(" NOT NULL");
            ledger.hold(&pointer(&property.path, "required"));
        }
        if property.it.unique && !self.is_spark {
            line.push_str(" UNIQUE");
            ledger.hold(&pointer(&property.path, "unique"));
        }
        if self.is_spark
            && let Some(description) = ledger.take_text(&property.path, "description")
        {
            line.push_str(&format!(" COMMENT {}", self.literal(description)));
        }
        line
    }

    /// The type. Holds what its name says.
    fn kind(&self, property: &Element<'_, Property>) -> String {
        let ledger = &self.export.ledger;
        let word = self.word(property);
        let mut read_back = Map::new();
        typed(self.dialect, &word, &mut read_back);
        if word.starts_with("MAP<") {
            read_back.insert("logicalType".to_owned(), "map".into());
        }
        ledger.hold_equal(&property.path, &read_back);
        let same = property.it.physical_type.as_deref().is_some_and(|own| means_the_same(self.dialect, &word, own));
        if same && !word.ends_with("[]") {
            ledger.hold(&pointer(&property.path, "physicalType"));
        }
        word
    }

    /// The dialect's name of a type.
    fn word(&self, property: &Element<'_, Property>) -> String {
        let shape = self.shape(property);
        let part = match shape {
            Shape::List => match property.items() {
                Some(items) if dialect::list(self.dialect, "", nesting(self.shape(&items))).is_some() => {
                    dialect::list(self.dialect, &self.kind(&items), nesting(self.shape(&items)))
                }
                Some(_) => None,
                None if self.dialect == Dialect::Postgres => None,
                None => dialect::list(self.dialect, &self.text(), Nesting::Plain),
            },
            Shape::Vector => {
                let is_double = property.it.options.element_type.as_deref() == Some("float64");
                let element = TypeName::Float { bits: if is_double { 64 } else { 32 } };
                let element = self.named(&[element.into(), TypeName::Float { bits: 64 }.into()]);
                dialect::list(self.dialect, &element, Nesting::Plain)
            }
            Shape::Map => {
                let (key, value) = match property.entry() {
                    Some(entry) if dialect::map(self.dialect, "", "").is_some() => {
                        self.export.ledger.hold(&pointer(&entry.0.path, "required"));
                        (self.kind(&entry.0), self.kind(&entry.1))
                    }
                    _ => (self.text(), self.text()),
                };
                // ClickHouse's keys are never null.
                let bare = key.strip_prefix("Nullable(").and_then(|key| key.strip_suffix(')')).unwrap_or(&key);
                dialect::map(self.dialect, bare, &value)
            }
            Shape::Struct if dialect::structure(self.dialect, &[]).is_some() => self.structure(property),
            Shape::Struct | Shape::Json => None,
            Shape::Boolean
            | Shape::Integer { .. }
            | Shape::Float { .. }
            | Shape::Decimal { .. }
            | Shape::Text { .. }
            | Shape::Uuid
            | Shape::Binary
            | Shape::Date
            | Shape::Time
            | Shape::Timestamp { .. } => {
                let name = self.named(&meanings(shape));
                let is_nullable =
                    self.dialect == Dialect::ClickHouse && !property.it.required && !property.it.primary_key;
                return if is_nullable { format!("Nullable({name})") } else { name };
            }
        };
        part.unwrap_or_else(|| dialect::any(self.dialect).map_or_else(|| self.text(), str::to_owned))
    }

    fn structure(&self, property: &Element<'_, Property>) -> Option<String> {
        let members = property.members();
        let own: Vec<_> = members.iter().map(|member| member.it.column_name()).collect();
        let columns = names::distinct(&own, |name| self.shortened(name), |name| self.compared(name));
        let member = |(member, name): (&Element<'_, Property>, &String)| {
            self.hold_name(&member.path, &member.it.name, member.it.physical_name.as_deref(), name);
            self.export.ledger.hold_defaults(&member.path);
            (name.clone(), self.kind(member))
        };
        dialect::structure(self.dialect, &members.iter().zip(&columns).map(member).collect::<Vec<_>>())
    }

    /// The dialect's name for the first of some meanings that it has one for; else its text.
    fn named(&self, meanings: &[Meaning]) -> String {
        let names = meanings.iter().find_map(|meaning| dialect::write(self.dialect, meaning));
        names.unwrap_or_else(|| self.text())
    }

    /// The type of any text.
    fn text(&self) -> String {
        dialect::write(self.dialect, &TypeName::String { length: None }.into()).unwrap_or_else(|| "text".to_owned())
    }

    fn shape(&self, property: &Element<'_, Property>) -> Shape {
        shape_in(property.it, self.dialect)
    }

    /// The custom property `default`, where it is a constant of the column's type.
    fn default(&self, property: &Element<'_, Property>) -> Option<String> {
        let ledger = &self.export.ledger;
        let text = match (self.shape(property), ledger.custom(&property.path, "default")?) {
            (Shape::Integer { .. } | Shape::Float { .. } | Shape::Decimal { .. }, Value::Number(number)) => {
                number.to_string()
            }
            (Shape::Boolean, Value::Bool(boolean)) => boolean.to_string(),
            (Shape::Text { .. } | Shape::Uuid, Value::String(text)) => self.literal(text),
            _ => return None,
        };
        ledger.take_custom(&property.path, "default");
        Some(text)
    }

    /// What the column's values must satisfy.
    fn checks(&self, property: &Element<'_, Property>, column: &str, checks: &mut Vec<String>) {
        let ledger = &self.export.ledger;
        let name = self.quoted(column);
        let path = pointer(&property.path, "logicalTypeOptions");
        if !property.it.enumeration.is_empty() {
            let values: Vec<_> = property.it.enumeration.iter().map(|value| self.scalar(value)).collect();
            checks.push(format!("{name} IN ({})", values.join(", ")));
            for index in 0..property.it.enumeration.len() {
                ledger.hold(&format!("{}/enum/{index}/value", property.path));
            }
        }
        let options = &property.it.options;
        let bounds = [
            ("minimum", ">=", &options.minimum),
            ("maximum", "<=", &options.maximum),
            ("exclusiveMinimum", ">", &options.exclusive_minimum),
            ("exclusiveMaximum", "<", &options.exclusive_maximum),
        ];
        for (option, operator, bound) in bounds {
            let fits = match (self.shape(property), bound) {
                (Shape::Integer { .. } | Shape::Float { .. } | Shape::Decimal { .. }, Some(bound)) => {
                    text_of(bound).is_none()
                }
                (Shape::Date | Shape::Time | Shape::Timestamp { .. }, Some(bound)) => text_of(bound).is_some(),
                _ => false,
            };
            if let Some(bound) = bound
                && fits
            {
                checks.push(format!("{name} {operator} {}", self.scalar(bound)));
                ledger.hold(&pointer(&path, option));
            }
        }
        if !matches!(self.shape(property), Shape::Text { .. }) {
            return;
        }
        let lengths = [("minLength", ">=", options.min_length), ("maxLength", "<=", options.max_length)];
        for (option, operator, length) in lengths {
            // `varchar(10)` has said it.
            let is_open = ledger.rest(&pointer(&path, option)).is_some();
            if let Some(length) = length.filter(|_| is_open) {
                checks.push(format!("length({name}) {operator} {length}"));
                ledger.hold(&pointer(&path, option));
            }
        }
        if let Some(pattern) = &options.pattern {
            let operator = if self.is_spark { "RLIKE" } else { "~" };
            checks.push(format!("{name} {operator} {}", self.literal(pattern)));
            ledger.hold(&pointer(&path, "pattern"));
        }
    }

    /// The primary key, and columns that together are distinct.
    fn keys(&self, object: &Element<'_, SchemaObject>, columns: &[String], lines: &mut Vec<String>) {
        let ledger = &self.export.ledger;
        let properties = object.properties();
        let column_of =
            |name: &str| properties.iter().position(|it| it.it.name == name).map(|at| self.quoted(&columns[at]));
        let key: Vec<_> = object.it.primary_key().iter().filter_map(|property| column_of(&property.name)).collect();
        if !key.is_empty() {
            lines.push(format!("PRIMARY KEY ({})", key.join(", ")));
            properties.iter().for_each(|it| ledger.hold_fields(&it.path, &["primaryKey", "primaryKeyPosition"]));
        }
        for (index, rule) in object.it.quality.iter().enumerate() {
            let (Measure::DuplicateValues { properties }, Some(Operator::MustBe(0.0)), false) =
                (&rule.measure, &rule.operator, self.is_spark)
            else {
                continue;
            };
            let names: Vec<_> = properties.iter().filter_map(|name| column_of(name)).collect();
            if names.len() == properties.len() {
                lines.push(format!("UNIQUE ({})", names.join(", ")));
                let path = format!("{}/quality/{index}", object.path);
                ledger.hold_fields(&path, &["type", "metric", "rule", "arguments", "mustBe", "unit"]);
            }
        }
    }

    fn foreign_keys(&self, object: &Element<'_, SchemaObject>, table: &str, tables: &[String], text: &mut String) {
        let columns = self.columns(object);
        let mut add = |path: String, relationship: &Relationship, own: Vec<String>| {
            let targets: Option<Vec<_>> = relationship.to.iter().map(|to| self.target(to, tables)).collect();
            let Some(targets) = targets.filter(|targets| !targets.is_empty() && targets.len() == own.len()) else {
                return;
            };
            if targets.iter().any(|(target, _)| *target != targets[0].0) {
                return;
            }
            let names: Vec<_> = targets.iter().map(|(_, column)| column.as_str()).collect();
            let statement = format!(
                "ALTER TABLE {} ADD FOREIGN KEY ({}) REFERENCES {} ({});\n",
                self.table_name(table),
                own.join(", "),
                targets[0].0,
                names.join(", ")
            );
            text.push_str(&statement);
            self.export.ledger.hold_fields(&path, &["type", "from", "to"]);
        };
        let properties = object.properties();
        for (index, relationship) in object.it.relationships.iter().enumerate() {
            let own = |from: &String| {
                let name = from.rsplit('.').next()?;
                let at = properties.iter().position(|it| it.it.name == name)?;
                Some(self.quoted(&columns[at]))
            };
            let own: Option<Vec<_>> = relationship.from.iter().map(own).collect();
            add(format!("{}/relationships/{index}", object.path), relationship, own.unwrap_or_default());
        }
        for (property, column) in properties.iter().zip(&columns) {
            for (index, relationship) in property.it.relationships.iter().enumerate() {
                add(format!("{}/relationships/{index}", property.path), relationship, vec![self.quoted(column)]);
            }
        }
    }

    /// Table and column of a reference `table.column`.
    fn target(&self, reference: &str, tables: &[String]) -> Option<(String, String)> {
        let (table, column) = reference.split_once('.').filter(|_| !reference.contains(['/', '#']))?;
        if column.contains('.') {
            return None;
        }
        match self.export.objects.iter().position(|object| object.it.name == table) {
            Some(at) => {
                let object = &self.export.objects[at];
                let index = object.properties().iter().position(|property| property.it.name == column)?;
                Some((self.table_name(&tables[at]), self.quoted(&self.columns(object)[index])))
            }
            None => Some((self.table_name(table), self.quoted(column))),
        }
    }
}
