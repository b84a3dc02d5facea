//! Parses `.proto` text that the compiler refuses but registries store.
//!
//! Registries in use parse without checking: field number 0, a proto2 field without a label, a missing import.
//! What they hold must still be comparable, so this reader keeps to the grammar and leaves all checks out. Options,
//! services, extensions and reserved numbers are skipped: no comparison looks at them.

use prost_reflect::prost_types::field_descriptor_proto::{Label, Type};
use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    MessageOptions, OneofDescriptorProto,
};

use super::error::Error;
use super::lexer::{Spanned, Token};

/// Reads a text from its tokens. Type names stay as they are written.
///
/// # Errors
/// [`Error::Invalid`] where the text does not follow the grammar.
pub(super) fn read(name: &str, text: &str, tokens: &[Spanned<'_>]) -> Result<FileDescriptorProto, Error> {
    let mut reader = Reader { text, tokens, at: 0 };
    let mut file = FileDescriptorProto { name: Some(name.to_owned()), ..FileDescriptorProto::default() };
    while let Some(token) = reader.next() {
        match token {
            Token::Mark(';') => {}
            Token::Name("syntax") => {
                reader.expect('=')?;
                file.syntax = Some(reader.text()?);
                reader.expect(';')?;
            }
            // An edition has the labels of proto3: none is said for most fields.
            Token::Name("edition") => {
                reader.skip_statement()?;
                file.syntax = Some("editions".to_owned());
            }
            Token::Name("package") => {
                file.package = Some(reader.full_name()?);
                reader.expect(';')?;
            }
            Token::Name("import") => {
                if matches!(reader.peek(), Some(Token::Name(_))) {
                    reader.at += 1;
                }
                file.dependency.push(reader.text()?);
                reader.expect(';')?;
            }
            Token::Name("message") => file.message_type.push(reader.message()?),
            Token::Name("enum") => file.enum_type.push(reader.enumeration()?),
            Token::Name("option" | "extend" | "service") => reader.skip_statement()?,
            Token::Name(_) | Token::Number(_) | Token::Text(_) | Token::Mark(_) => {
                return Err(reader.unexpected("a declaration"));
            }
        }
    }
    Ok(file)
}

struct Reader<'a> {
    text: &'a str,
    tokens: &'a [Spanned<'a>],
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at).map(|token| token.token)
    }

    fn next(&mut self) -> Option<Token<'a>> {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn take(&mut self, mark: char) -> bool {
        let found = self.peek() == Some(Token::Mark(mark));
        self.at += usize::from(found);
        found
    }

    /// The error for the token that was taken last.
    fn unexpected(&self, expected: &str) -> Error {
        let offset = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(self.text.len(), |at| at.offset);
        Error::at(self.text, offset, &format!("{expected} is expected here"))
    }

    fn expect(&mut self, mark: char) -> Result<(), Error> {
        match self.next() {
            Some(Token::Mark(found)) if found == mark => Ok(()),
            _ => Err(self.unexpected(&format!("`{mark}`"))),
        }
    }

    fn name(&mut self) -> Result<&'a str, Error> {
        match self.next() {
            Some(Token::Name(name)) => Ok(name),
            _ => Err(self.unexpected("a name")),
        }
    }

    fn full_name(&mut self) -> Result<String, Error> {
        let mut name = String::new();
        if self.take('.') {
            name.push('.');
        }
        name.push_str(self.name()?);
        while self.take('.') {
            name.push('.');
            name.push_str(self.name()?);
        }
        Ok(name)
    }

    fn text(&mut self) -> Result<String, Error> {
        match self.next() {
            Some(Token::Text(text)) => Ok(text.to_owned()),
            _ => Err(self.unexpected("a string")),
        }
    }

    fn number(&mut self) -> Result<i32, Error> {
        let is_negative = self.take('-');
        let Some(Token::Number(written)) = self.next() else { return Err(self.unexpected("a number")) };
        let digits = |prefixes: [&str; 2]| prefixes.iter().find_map(|prefix| written.strip_prefix(prefix));
        let value = if let Some(hexadecimal) = digits(["0x", "0X"]) {
            i64::from_str_radix(hexadecimal, 16)
        } else if written.len() > 1 && written.starts_with('0') {
            i64::from_str_radix(written, 8)
        } else {
            written.parse()
        };
        let value = value.map_err(|_| self.unexpected("a 32-bit number"))?;
        i32::try_from(if is_negative { -value } else { value }).map_err(|_| self.unexpected("a 32-bit number"))
    }

    /// Skips what ends with a `;` or a block.
    fn skip_statement(&mut self) -> Result<(), Error> {
        let mut depth = 0_usize;
        loop {
            match self.next() {
                Some(Token::Mark('{' | '[' | '(')) => depth += 1,
                Some(Token::Mark('}')) if depth == 1 => {
                    self.take(';');
                    return Ok(());
                }
                Some(Token::Mark('}' | ']' | ')')) => {
                    depth = depth.checked_sub(1).ok_or_else(|| self.unexpected("`;`"))?;
                }
                Some(Token::Mark(';')) if depth == 0 => return Ok(()),
                Some(_) => {}
                None => return Err(self.unexpected("`;`")),
            }
        }
    }

    /// Skips the options of a field or constant, which stand in square brackets.
    fn skip_options(&mut self) -> Result<(), Error> {
        let mut depth = usize::from(self.take('['));
        while depth > 0 {
            match self.next() {
                Some(Token::Mark('{' | '[')) => depth += 1,
                Some(Token::Mark('}' | ']')) => depth -= 1,
                Some(_) => {}
                None => return Err(self.unexpected("`]`")),
            }
        }
        Ok(())
    }

    fn message(&mut self) -> Result<DescriptorProto, Error> {
        let name = self.name()?.to_owned();
        let mut message = DescriptorProto { name: Some(name), ..DescriptorProto::default() };
        self.message_body(&mut message)?;
        Ok(message)
    }

    fn message_body(&mut self, message: &mut DescriptorProto) -> Result<(), Error> {
        self.expect('{')?;
        loop {
            match self.next() {
                Some(Token::Mark('}')) => return Ok(()),
                Some(Token::Mark(';')) => {}
                Some(Token::Name("message")) => message.nested_type.push(self.message()?),
                Some(Token::Name("enum")) => message.enum_type.push(self.enumeration()?),
                Some(Token::Name("oneof")) => self.oneof(message)?,
                Some(Token::Name("option")) => self.message_option(message)?,
                Some(Token::Name("extend" | "extensions" | "reserved")) => self.skip_statement()?,
                Some(Token::Name(_) | Token::Mark('.')) => {
                    self.at -= 1;
                    self.field(message, None)?;
                }
                _ => return Err(self.unexpected("a field or `}`")),
            }
        }
    }

    /// `map_entry` makes a message the entry of a map, and is the one option that counts.
    fn message_option(&mut self, message: &mut DescriptorProto) -> Result<(), Error> {
        let is_map_entry = matches!(
            self.tokens.get(self.at..self.at + 3).map(|tokens| [tokens[0].token, tokens[1].token, tokens[2].token]),
            Some([Token::Name("map_entry"), Token::Mark('='), Token::Name("true")])
        );
        if is_map_entry {
            message.options = Some(MessageOptions { map_entry: Some(true), ..MessageOptions::default() });
        }
        self.skip_statement()
    }

    fn oneof(&mut self, message: &mut DescriptorProto) -> Result<(), Error> {
        let index = i32::try_from(message.oneof_decl.len()).unwrap_or(i32::MAX);
        let name = self.name()?.to_owned();
        message.oneof_decl.push(OneofDescriptorProto { name: Some(name), options: None });
        self.expect('{')?;
        loop {
            match self.next() {
                Some(Token::Mark('}')) => return Ok(()),
                Some(Token::Mark(';')) => {}
                Some(Token::Name("option")) => self.skip_statement()?,
                Some(Token::Name(_) | Token::Mark('.')) => {
                    self.at -= 1;
                    self.field(message, Some(index))?;
                }
                _ => return Err(self.unexpected("a field or `}`")),
            }
        }
    }

    fn field(&mut self, message: &mut DescriptorProto, oneof_index: Option<i32>) -> Result<(), Error> {
        let label = match self.peek() {
            Some(Token::Name("optional")) => Some(Label::Optional),
            Some(Token::Name("required")) => Some(Label::Required),
            Some(Token::Name("repeated")) => Some(Label::Repeated),
            _ => None,
        };
        self.at += usize::from(label.is_some());
        let mut field = FieldDescriptorProto { oneof_index, ..FieldDescriptorProto::default() };
        field.label = label.map(|label| label as i32);
        field.proto3_optional = (label == Some(Label::Optional)).then_some(true);
        let written = self.full_name()?;
        if written == "map" && self.take('<') {
            let entry = self.map_entry()?;
            field.label = Some(Label::Repeated as i32);
            field.type_name = entry.name.clone();
            message.nested_type.push(entry);
            self.field_end(&mut field)?;
        } else if written == "group" {
            let name = self.name()?.to_owned();
            self.expect('=')?;
            field.number = Some(self.number()?);
            self.skip_options()?;
            let mut group = DescriptorProto { name: Some(name.clone()), ..DescriptorProto::default() };
            self.message_body(&mut group)?;
            field.name = Some(name.to_ascii_lowercase());
            field.set_type(Type::Group);
            field.type_name = Some(name);
            message.nested_type.push(group);
        } else {
            set_type(&mut field, written);
            self.field_end(&mut field)?;
        }
        message.field.push(field);
        Ok(())
    }

    /// The entry message of a map from its `key, value>`, under a name that no other type can have.
    fn map_entry(&mut self) -> Result<DescriptorProto, Error> {
        let name = format!("map at {}", self.at);
        let mut key = FieldDescriptorProto { number: Some(1), ..FieldDescriptorProto::default() };
        set_type(&mut key, self.full_name()?);
        self.expect(',')?;
        let mut value = FieldDescriptorProto { number: Some(2), ..FieldDescriptorProto::default() };
        set_type(&mut value, self.full_name()?);
        self.expect('>')?;
        Ok(DescriptorProto {
            name: Some(name),
            field: vec![key, value],
            options: Some(MessageOptions { map_entry: Some(true), ..MessageOptions::default() }),
            ..DescriptorProto::default()
        })
    }

    /// Name, number, options and `;`.
    fn field_end(&mut self, field: &mut FieldDescriptorProto) -> Result<(), Error> {
        field.name = Some(self.name()?.to_owned());
        self.expect('=')?;
        field.number = Some(self.number()?);
        self.skip_options()?;
        self.expect(';')
    }

    fn enumeration(&mut self) -> Result<EnumDescriptorProto, Error> {
        let name = self.name()?.to_owned();
        let mut found = EnumDescriptorProto { name: Some(name), ..EnumDescriptorProto::default() };
        self.expect('{')?;
        loop {
            match self.next() {
                Some(Token::Mark('}')) => return Ok(found),
                Some(Token::Mark(';')) => {}
                Some(Token::Name("option" | "reserved")) => self.skip_statement()?,
                Some(Token::Name(name)) => {
                    self.expect('=')?;
                    let number = self.number()?;
                    self.skip_options()?;
                    self.expect(';')?;
                    let value =
                        EnumValueDescriptorProto { name: Some(name.to_owned()), number: Some(number), options: None };
                    found.value.push(value);
                }
                _ => return Err(self.unexpected("a constant or `}`")),
            }
        }
    }
}

fn set_type(field: &mut FieldDescriptorProto, written: String) {
    let scalar = match written.as_str() {
        "double" => Type::Double,
        "float" => Type::Float,
        "int32" => Type::Int32,
        "int64" => Type::Int64,
        "uint32" => Type::Uint32,
        "uint64" => Type::Uint64,
        "sint32" => Type::Sint32,
        "sint64" => Type::Sint64,
        "fixed32" => Type::Fixed32,
        "fixed64" => Type::Fixed64,
        "sfixed32" => Type::Sfixed32,
        "sfixed64" => Type::Sfixed64,
        "bool" => Type::Bool,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        _ => {
            field.type_name = Some(written);
            return;
        }
    };
    field.set_type(scalar);
}
