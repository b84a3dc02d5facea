//! Statements to a contract.

use domain::contract::types::TypeName;
use serde_json::{Map, Value, json};
use sqlparser::ast::{
    AlterTableOperation, ArrayElemTypeDef, BinaryOperator, ColumnDef, ColumnOption, CommentDef, CommentObject,
    CreateTable, CreateTableOptions, DataType, Expr, ForeignKeyConstraint, FunctionArg, FunctionArgExpr,
    FunctionArguments, HiveDistributionStyle, IndexColumn, ObjectName, SqlOption, Statement, StructField,
    TableConstraint,
};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::super::dbt::{distinct_rule, foreign_key, primary_key};
use super::super::draft::{Draft, Fields, custom, enumeration, push, set, set_text, with_name};
use super::super::types::Dialect;
use super::check::{bound, column_name, default_value, literal};
use super::{tokens, typed};
use crate::node::shortened;
use crate::problem::Problem;

/// Reads the tables that the statements create.
pub(in super::super) fn import(text: &str, dialect: Dialect, draft: &mut Draft) -> Result<(), Problem> {
    let grammar = tokens::grammar(dialect);
    let tokens = tokens::read(text, dialect, draft)?;
    let mut tables: Vec<Fields> = Vec::new();
    for statement in tokens.split(|token| token.token == Token::SemiColon) {
        let mut words = statement.iter().filter_map(|token| match &token.token {
            Token::Word(word) => Some(word.value.to_ascii_uppercase()),
            _ => None,
        });
        let Some(first) = words.next() else { continue };
        let is_ours = match first.as_str() {
            "CREATE" => words.take(6).any(|word| word == "TABLE"),
            "COMMENT" => true,
            "ALTER" => words.next().as_deref() == Some("TABLE"),
            _ => false,
        };
        if !is_ours {
            draft.note("", format!("the statement `{first} ...` creates no table and was omitted"));
            continue;
        }
        tokens::bounded(statement)?;
        let mut parser = Parser::new(&*grammar).with_tokens_with_locations(statement.to_vec());
        let parsed = parser.parse_statement().map_err(|error| tokens::misread(statement, &error.to_string()))?;
        let next = parser.peek_token();
        if next.token != Token::EOF {
            return Err(tokens::misread(statement, &format!("unexpected `{}`", next.token)));
        }
        match parsed {
            Statement::CreateTable(table) => {
                let object = Reader { draft, tables: &tables }.table(table)?;
                tables.push(object);
            }
            Statement::Comment { object_type, object_name, comment, .. } => {
                described(&object_type, &object_name, comment.as_deref(), &mut tables, draft);
            }
            Statement::AlterTable(alter) => {
                let known = tables.clone();
                let path = last(&alter.name);
                let Some(table) = find(&mut tables, &path) else {
                    draft.note(&path, "`ALTER TABLE` of a table that is not created here was omitted");
                    continue;
                };
                for operation in alter.operations {
                    match operation {
                        AlterTableOperation::AddConstraint { constraint, .. } => {
                            Reader { draft, tables: &known }.constraint(&constraint, &path, table);
                        }
                        other => draft.note(&path, format!("`{}` was omitted", shortened(&other.to_string()))),
                    }
                }
            }
            other => draft.note("", format!("`{}` creates no table with columns", shortened(&other.to_string()))),
        }
    }
    draft.objects = tables;
    Ok(())
}

/// The last part of a name.
pub(super) fn last(name: &ObjectName) -> String {
    name.0.last().and_then(|part| part.as_ident()).map(|ident| ident.value.clone()).unwrap_or_else(|| name.to_string())
}

fn find<'a>(tables: &'a mut [Fields], name: &str) -> Option<&'a mut Fields> {
    tables.iter_mut().find(|table| table.get("name").and_then(Value::as_str) == Some(name))
}

/// A column: the one of this very name, else one whose letters differ in their case, as names without quotes may.
pub(super) fn column<'a>(table: &'a mut Fields, name: &str) -> Option<&'a mut Fields> {
    let columns = table.get_mut("properties").and_then(Value::as_array_mut)?;
    let position = |is_it: &dyn Fn(&str) -> bool| {
        columns.iter().position(|column| column.get("name").and_then(Value::as_str).is_some_and(is_it))
    };
    let found = position(&|own| own == name).or_else(|| position(&|own| own.eq_ignore_ascii_case(name)))?;
    columns[found].as_object_mut()
}

/// `COMMENT ON TABLE` and `COMMENT ON COLUMN`.
fn described(kind: &CommentObject, name: &ObjectName, comment: Option<&str>, tables: &mut [Fields], draft: &mut Draft) {
    let parts: Vec<_> = name.0.iter().filter_map(|part| part.as_ident()).map(|ident| ident.value.as_str()).collect();
    let found = match (kind, parts.as_slice()) {
        (CommentObject::Table, [.., table]) => find(tables, table),
        (CommentObject::Column, [.., table, name]) => find(tables, table).and_then(|table| column(table, name)),
        _ => None,
    };
    match found {
        Some(fields) => set_text(fields, "description", comment),
        None => draft.note(&parts.join("."), "a comment on an object that is not created here was omitted"),
    }
}

struct Reader<'a> {
    draft: &'a mut Draft,
    /// The tables before this one, to find the keys that references leave out.
    tables: &'a [Fields],
}

impl Reader<'_> {
    fn table(&mut self, table: CreateTable) -> Result<Fields, Problem> {
        let name = last(&table.name);
        let mut object = with_name(&name);
        set(&mut object, "logicalType", "object");
        set(&mut object, "physicalType", "table");
        let parts: Vec<_> =
            table.name.0.iter().filter_map(|part| part.as_ident()).map(|it| it.value.as_str()).collect();
        if parts.len() > 1 {
            set(&mut object, "physicalName", parts.join("."));
        }
        if let Some(CommentDef::WithEq(comment) | CommentDef::WithoutEq(comment)) = &table.comment {
            set_text(&mut object, "description", Some(comment));
        }
        let mut columns = Vec::new();
        for column in &table.columns {
            columns.push(Value::Object(self.column(column, &name)?));
        }
        set(&mut object, "properties", columns);
        // Constraints name columns of the table, so they follow them.
        for definition in &table.columns {
            for entry in &definition.options {
                self.option(&entry.option, &definition.name.value, &name, &mut object);
            }
        }
        for constraint in &table.constraints {
            self.constraint(constraint, &name, &mut object);
        }
        self.partitions(&table, &name, &mut object)?;
        self.options(&table.table_options, &name, &mut object);
        if table.query.is_some() || table.like.is_some() || table.clone.is_some() || table.inherits.is_some() {
            self.draft.note(&name, "columns from a query or another table are unknown");
        }
        for (given, what) in [(&table.location, "LOCATION"), (&table.base_location, "BASE_LOCATION")] {
            if given.is_some() {
                self.draft.note(&name, format!("`{what}` is for a contract's servers, and was omitted"));
            }
        }
        for (given, what) in [
            (table.cluster_by.is_some() || table.clustered_by.is_some(), "CLUSTER BY"),
            (table.order_by.is_some(), "ORDER BY"),
        ] {
            if given {
                self.draft.note(&name, format!("`{what}` has no equivalent in a contract"));
            }
        }
        Ok(object)
    }

    fn column(&mut self, definition: &ColumnDef, table: &str) -> Result<Fields, Problem> {
        let mut column = with_name(&definition.name.value);
        self.kind(&definition.data_type, &format!("{table}.{}", definition.name.value), 1, &mut column)?;
        Ok(column)
    }

    /// The type of a column, member, item, key or value.
    fn kind(&mut self, kind: &DataType, path: &str, depth: usize, column: &mut Fields) -> Result<(), Problem> {
        self.draft.column(path, depth)?;
        match kind {
            DataType::Array(
                ArrayElemTypeDef::AngleBracket(inner)
                | ArrayElemTypeDef::SquareBracket(inner, _)
                | ArrayElemTypeDef::Parenthesis(inner),
            ) => {
                let mut items = Map::new();
                self.kind(inner, path, depth + 1, &mut items)?;
                set(column, "logicalType", "array");
                set(column, "physicalType", "array");
                set(column, "items", items);
            }
            DataType::Map(key, value) => self.map(key, value, path, depth, column)?,
            DataType::Struct(members, _) | DataType::Tuple(members) => self.members(members, path, depth, column)?,
            DataType::Nullable(inner) | DataType::LowCardinality(inner) => {
                return self.kind(inner, path, depth + 1, column);
            }
            DataType::Unspecified => self.draft.note(path, "has no type"),
            DataType::Enum(members, _) => {
                set(column, "logicalType", "string");
                set(column, "physicalType", "enum");
                let values: Vec<Value> = members.iter().map(member_name).collect();
                set(column, "enum", enumeration(&values));
            }
            other => {
                let word = other.to_string();
                let name = TypeName::parse(&word);
                typed(&word, name.as_ref(), column);
                if !column.contains_key("logicalType") {
                    self.draft.note(path, format!("`{}` is a type without a logical type", shortened(&word)));
                }
            }
        }
        Ok(())
    }

    fn map(
        &mut self,
        key: &DataType,
        value: &DataType,
        path: &str,
        depth: usize,
        column: &mut Fields,
    ) -> Result<(), Problem> {
        let (mut own_key, mut own_value) = (Map::new(), Map::new());
        self.kind(key, path, depth + 1, &mut own_key)?;
        self.kind(value, path, depth + 1, &mut own_value)?;
        set(&mut own_key, "required", true);
        set(column, "logicalType", "map");
        set(column, "physicalType", "map");
        set(column, "map", json!({ "key": own_key, "value": own_value }));
        Ok(())
    }

    fn members(
        &mut self,
        members: &[StructField],
        path: &str,
        depth: usize,
        column: &mut Fields,
    ) -> Result<(), Problem> {
        if let [key, value] = members
            && key.field_name.as_ref().is_some_and(|name| name.value == tokens::MAP_KEY)
        {
            return self.map(&key.field_type, &value.field_type, path, depth, column);
        }
        set(column, "logicalType", "object");
        set(column, "physicalType", "struct");
        let mut properties = Vec::new();
        for (index, member) in members.iter().enumerate() {
            let name =
                member.field_name.as_ref().map_or_else(|| format!("field_{}", index + 1), |name| name.value.clone());
            let mut property = with_name(&name);
            self.kind(&member.field_type, &format!("{path}.{name}"), depth + 1, &mut property)?;
            properties.push(Value::Object(property));
        }
        set(column, "properties", properties);
        Ok(())
    }

    /// What a column's definition says besides its type.
    fn option(&mut self, option: &ColumnOption, name: &str, table: &str, object: &mut Fields) {
        let path = format!("{table}.{name}");
        let Some(property) = column(object, name) else { return };
        match option {
            ColumnOption::Null => {}
            ColumnOption::NotNull => set(property, "required", true),
            ColumnOption::PrimaryKey(_) => {
                set(property, "primaryKey", true);
                set(property, "required", true);
            }
            ColumnOption::Unique(_) => set(property, "unique", true),
            ColumnOption::Default(value) => custom(property, "default", default_value(value)),
            ColumnOption::Comment(comment) => set_text(property, "description", Some(comment)),
            ColumnOption::ForeignKey(key) => self.reference(name, key, &path, object),
            ColumnOption::Check(check) => self.check(&check.expr, &path, object, Some(name)),
            other => {
                self.draft.note(&path, format!("`{}` has no equivalent in a contract", shortened(&other.to_string())))
            }
        }
    }

    fn constraint(&mut self, constraint: &TableConstraint, path: &str, object: &mut Fields) {
        match constraint {
            TableConstraint::PrimaryKey(key) => {
                let columns = index_columns(&key.columns);
                let columns = self.own_names(&columns, object);
                primary_key(object, &columns.iter().map(String::as_str).collect::<Vec<_>>());
            }
            TableConstraint::Unique(key) => {
                let columns = index_columns(&key.columns);
                let columns = self.own_names(&columns, object);
                match columns.as_slice() {
                    [only] => {
                        if let Some(property) = column(object, only) {
                            set(property, "unique", true);
                        }
                    }
                    several => {
                        let several: Vec<_> = several.iter().map(String::as_str).collect();
                        push(object, "quality", distinct_rule(&several));
                    }
                }
            }
            TableConstraint::ForeignKey(key) => match key.columns.as_slice() {
                [only] => self.reference(&only.value, key, path, object),
                _ => self.composite(key, path, object),
            },
            TableConstraint::Check(check) => self.check(&check.expr, path, object, None),
            other => {
                self.draft.note(path, format!("`{}` has no equivalent in a contract", shortened(&other.to_string())))
            }
        }
    }

    /// Columns as the table's own definitions spell them.
    fn own_names(&self, names: &[String], object: &mut Fields) -> Vec<String> {
        let own = |name: &String| column(object, name)?.get("name")?.as_str().map(str::to_owned);
        names.iter().filter_map(own).collect()
    }

    /// The columns that a foreign key means.
    fn targets(&self, key: &ForeignKeyConstraint, n_columns: usize) -> Vec<String> {
        if !key.referred_columns.is_empty() {
            return key.referred_columns.iter().map(|column| column.value.clone()).collect();
        }
        // Without columns it means the other table's primary key.
        let name = last(&key.foreign_table);
        let table = self.tables.iter().find(|table| table.get("name").and_then(Value::as_str) == Some(&name));
        let columns = table.and_then(|table| table.get("properties")?.as_array()).into_iter().flatten();
        let keys = columns.filter(|column| column.get("primaryKey") == Some(&Value::Bool(true)));
        let keys: Vec<_> = keys.filter_map(|column| column.get("name")?.as_str()).map(str::to_owned).collect();
        if keys.len() == n_columns { keys } else { Vec::new() }
    }

    fn reference(&mut self, name: &str, key: &ForeignKeyConstraint, path: &str, object: &mut Fields) {
        let targets = self.targets(key, 1);
        let table = last(&key.foreign_table);
        match (targets.as_slice(), column(object, name)) {
            ([target], Some(property)) => foreign_key(&table, target, path, property, self.draft),
            _ => self.draft.note(path, format!("the referenced columns of `{table}` are unknown")),
        }
    }

    fn composite(&mut self, key: &ForeignKeyConstraint, path: &str, object: &mut Fields) {
        let own = object.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let targets = self.targets(key, key.columns.len());
        let table = last(&key.foreign_table);
        let is_plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let all = key.columns.iter().map(|column| column.value.as_str()).chain(targets.iter().map(String::as_str));
        if targets.len() != key.columns.len() || !all.chain([own.as_str(), &table]).all(is_plain) {
            return self.draft.note(path, format!("the foreign key to `{table}` cannot be expressed in a contract"));
        }
        let from: Vec<_> = key.columns.iter().map(|column| format!("{own}.{}", column.value)).collect();
        let to: Vec<_> = targets.iter().map(|column| format!("{table}.{column}")).collect();
        push(object, "relationships", json!({ "type": "foreignKey", "from": from, "to": to }));
    }

    /// What a check says that an option of a type can say; anything else is kept as a rule in words.
    fn check(&mut self, expression: &Expr, path: &str, object: &mut Fields, of: Option<&str>) {
        match expression {
            Expr::Nested(inner) => self.check(inner, path, object, of),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                self.check(left, path, object, of);
                self.check(right, path, object, of);
            }
            other => {
                if bound(other, object).is_none() {
                    let rule = json!({ "type": "text", "description": format!("CHECK ({other})") });
                    match of.and_then(|name| column(object, name)) {
                        Some(property) => push(property, "quality", rule),
                        None => push(object, "quality", rule),
                    }
                    self.draft.note(path, format!("`{}` is kept as text only", shortened(&other.to_string())));
                }
            }
        }
    }

    fn partitions(&mut self, table: &CreateTable, path: &str, object: &mut Fields) -> Result<(), Problem> {
        let mut names = Vec::new();
        if let HiveDistributionStyle::PARTITIONED { columns } = &table.hive_distribution {
            for definition in columns {
                // In Hive partition columns are defined here and nowhere else.
                if column(object, &definition.name.value).is_none() {
                    let added = self.column(definition, path)?;
                    push(object, "properties", Value::Object(added));
                }
                names.push(definition.name.value.clone());
            }
        }
        if let Some(expression) = &table.partition_by {
            match partition_columns(expression) {
                Some(columns) => names.extend(columns),
                None => self.draft.note(
                    path,
                    format!("`PARTITION BY {}` is not a list of columns", shortened(&expression.to_string())),
                ),
            }
        }
        let mut position = 0;
        for name in names {
            match column(object, &name) {
                Some(property) => {
                    position += 1;
                    set(property, "partitioned", true);
                    set(property, "partitionKeyPosition", position);
                }
                None => self.draft.note(path, format!("the partition column `{name}` does not exist")),
            }
        }
        Ok(())
    }

    fn options(&mut self, options: &CreateTableOptions, path: &str, object: &mut Fields) {
        let (CreateTableOptions::With(options)
        | CreateTableOptions::Options(options)
        | CreateTableOptions::Plain(options)
        | CreateTableOptions::TableProperties(options)) = options
        else {
            return;
        };
        for entry in options {
            match entry {
                SqlOption::Comment(CommentDef::WithEq(comment) | CommentDef::WithoutEq(comment)) => {
                    set_text(object, "description", Some(comment));
                }
                SqlOption::KeyValue { key, value }
                    if key.value.eq_ignore_ascii_case("description") || key.value.eq_ignore_ascii_case("comment") =>
                {
                    set_text(object, "description", literal(value).as_ref().and_then(Value::as_str));
                }
                SqlOption::KeyValue { key, value } => custom(object, &key.value, default_value(value)),
                other => self
                    .draft
                    .note(path, format!("`{}` has no equivalent in a contract", shortened(&other.to_string()))),
            }
        }
    }
}

/// The names of a list of columns: `(a, b)`, `RANGE (a)`, `a`.
fn partition_columns(expression: &Expr) -> Option<Vec<String>> {
    match expression {
        Expr::Identifier(name) => Some(vec![name.value.clone()]),
        Expr::Nested(inner) => partition_columns(inner),
        Expr::Tuple(all) => all.iter().map(|one| column_name(one).map(str::to_owned)).collect(),
        Expr::Function(function) => {
            let name = last(&function.name).to_ascii_uppercase();
            let FunctionArguments::List(list) = &function.args else { return None };
            let plain = |argument: &FunctionArg| match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => column_name(expression).map(str::to_owned),
                _ => None,
            };
            if ["RANGE", "LIST", "HASH"].contains(&name.as_str()) {
                list.args.iter().map(plain).collect()
            } else {
                None
            }
        }
        _ => None,
    }
}

fn member_name(member: &sqlparser::ast::EnumMember) -> Value {
    match member {
        sqlparser::ast::EnumMember::Name(name) | sqlparser::ast::EnumMember::NamedValue(name, _) => json!(name),
    }
}

fn index_columns(columns: &[IndexColumn]) -> Vec<String> {
    columns.iter().filter_map(|column| column_name(&column.column.expr)).map(str::to_owned).collect()
}
