//! The files that make up one schema, and their compilation.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost_reflect::prost::Message;
use prost_reflect::prost_types::{DescriptorProto, FileDescriptorProto};
use prost_reflect::{DynamicMessage, FileDescriptor, ReflectMessage, Value};
use protox::Compiler;
use protox::file::{File, FileResolver};

use super::error::{Error, MAX_BYTES, MAX_DECLARATIONS, MAX_DEPTH, MAX_IMPORTS, MAX_SCOPED_BYTES, ROOT};
use super::lexer::{self, Token};
use super::{known, tolerant, undeclared};

/// The files of a schema that it reaches by its imports, under their names, itself as [`ROOT`].
#[derive(Clone)]
pub(super) struct Sources {
    files: BTreeMap<String, Source>,
    /// The well-known files among its imports.
    known: Vec<String>,
    /// The first import that is missing.
    missing: Option<String>,
}

#[derive(Clone)]
enum Source {
    Text(String),
    /// The bytes of a file descriptor, which hold options that its decoded form does not, and that form.
    Descriptor(Vec<u8>, Box<FileDescriptorProto>),
}

impl Sources {
    /// Reads a schema and those of the imports that it reaches.
    ///
    /// # Errors
    /// [`Error`], if it is over a limit or has no form of a schema.
    pub(super) fn read(text: &str, imports: &BTreeMap<String, String>) -> Result<Self, Error> {
        let mut sources = Self { files: BTreeMap::new(), known: Vec::new(), missing: None };
        let mut n_bytes = 0_usize;
        let mut open = vec![(ROOT.to_owned(), text)];
        while let Some((name, text)) = open.pop() {
            n_bytes += text.len();
            if n_bytes > MAX_BYTES {
                return Err(Error::TooLarge);
            }
            if sources.files.len() > MAX_IMPORTS {
                return Err(Error::TooMany);
            }
            let (source, imported) = Source::read(&name, text)?;
            sources.files.insert(name, source);
            for name in imported {
                if sources.files.contains_key(&name) || sources.known.contains(&name) {
                    continue;
                }
                match imports.get(&name) {
                    Some(_) if open.iter().any(|(waiting, _)| *waiting == name) => {}
                    Some(text) => open.push((name, text)),
                    None if known::has(&name) => sources.known.push(name),
                    None => sources.missing = sources.missing.or(Some(name)),
                }
            }
        }
        Ok(sources)
    }

    /// Compiles the schema, and makes something of its own file, whose pool has the imports, and of the options in it
    /// that no file declares.
    ///
    /// # Errors
    /// [`Error::Import`], [`Error::Invalid`].
    pub(super) fn compile<T>(
        &self,
        make: impl FnOnce(&FileDescriptor, &undeclared::Options) -> Result<T, Error>,
    ) -> Result<T, Error> {
        // The compiler takes for granted that a descriptor was made by a compiler, and panics where it was not: on an
        // error in the first file, on an octal escape over 255. It shares nothing with other schemas that could stay
        // half done.
        let work = AssertUnwindSafe(|| self.compile_file().and_then(|(file, options)| make(&file, &options)));
        catch_unwind(work).unwrap_or_else(|_| Err(Error::invalid("the schema contradicts itself")))
    }

    fn compile_file(&self) -> Result<(FileDescriptor, undeclared::Options), Error> {
        if let Some(name) = &self.missing {
            return Err(Error::Import { name: name.chars().take(200).collect() });
        }
        let refused = match compile(self.clone()) {
            Ok(file) => return Ok((file, undeclared::Options::new())),
            Err(refused) => refused,
        };
        // Places in errors are those of the text, so the error of the whole text is the one to tell.
        let Some((files, options)) = self.without_undeclared() else { return Err(refused) };
        compile(Parsed { sources: self.clone(), files }).map(|file| (file, options)).map_err(|_| refused)
    }

    /// The files given as text without the options that no file declares, and those options of the schema's own file.
    /// `None` if there are none, or if a file cannot be read.
    fn without_undeclared(&self) -> Option<(BTreeMap<String, FileDescriptorProto>, undeclared::Options)> {
        let mut declared = BTreeSet::new();
        let mut files = BTreeMap::new();
        for name in self.files.keys().chain(&self.known) {
            let file = self.open_file(name).ok()?;
            undeclared::declared_in(file.file_descriptor_proto(), &mut declared);
            if let Some(Source::Text(_)) = self.files.get(name) {
                files.insert(name.clone(), file.file_descriptor_proto().clone());
            }
        }
        let mut options = undeclared::Options::new();
        let mut is_any = false;
        for (name, file) in &mut files {
            let taken = undeclared::take(file, &declared);
            is_any |= !taken.is_empty();
            if name == ROOT {
                options = taken;
            }
        }
        is_any.then_some((files, options))
    }

    /// Reads the schema without compiling it: its own file and its imports by name, with type names as they are
    /// written.
    ///
    /// # Errors
    /// [`Error::Invalid`], if a file does not follow the grammar.
    pub(super) fn read_tolerantly(&self) -> Result<(FileDescriptorProto, Vec<FileDescriptorProto>), Error> {
        let mut root = FileDescriptorProto::default();
        let mut imports = Vec::new();
        for (name, source) in &self.files {
            let file = match source {
                Source::Text(text) => tolerant::read(name, text, &lexer::tokens(text)?)?,
                Source::Descriptor(_, file) => {
                    FileDescriptorProto { name: Some(name.clone()), ..FileDescriptorProto::clone(file) }
                }
            };
            if name == ROOT { root = file } else { imports.push(file) }
        }
        for name in &self.known {
            let file = known::open(name).map_err(|error| Error::invalid(&error.to_string()))?;
            imports.push(file.file_descriptor_proto().clone());
        }
        imports.sort_by(|a, b| a.name().cmp(b.name()));
        Ok((root, imports))
    }
}

/// Compiles the file [`ROOT`].
fn compile(files: impl FileResolver + 'static) -> Result<FileDescriptor, Error> {
    let mut compiler = Compiler::with_file_resolver(files);
    compiler.open_file(ROOT).map_err(|error| Error::invalid(&format!("{error:?}")))?;
    compiler.descriptor_pool().get_file_by_name(ROOT).ok_or(Error::Encoding)
}

/// Files some of which were parsed before.
struct Parsed {
    sources: Sources,
    files: BTreeMap<String, FileDescriptorProto>,
}

impl FileResolver for Parsed {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match self.files.get(name) {
            Some(file) => Ok(File::from_file_descriptor_proto(file.clone())),
            None => self.sources.open_file(name),
        }
    }
}

impl FileResolver for Sources {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match self.files.get(name) {
            Some(Source::Text(text)) => File::from_source(name, text),
            Some(Source::Descriptor(bytes, _)) => {
                File::decode_file_descriptor_proto(bytes.as_slice()).map_err(protox::Error::new)
            }
            None => known::open(name),
        }
    }
}

impl Source {
    /// Reads a file, with the names of what it imports.
    fn read(name: &str, text: &str) -> Result<(Self, Vec<String>), Error> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if !is_base64(text) {
            let tokens = lexer::tokens(text)?;
            lexer::check_limits(&tokens)?;
            let marks = tokens.iter().map(|spanned| spanned.token);
            return Ok((Self::Text(text.to_owned()), imported(marks)));
        }
        let bytes = STANDARD.decode(text.trim()).map_err(|_| Error::Encoding)?;
        let file = FileDescriptorProto::decode(bytes.as_slice()).map_err(|_| Error::Encoding)?;
        check(&file)?;
        let imported = file.dependency.clone();
        Ok((Self::Descriptor(without_places(&bytes, name)?, Box::new(file)), imported))
    }
}

/// A file descriptor under another name and without the places of its declarations in a text: nobody needs them, and
/// the compiler believes them.
///
/// # Errors
/// [`Error::Encoding`], if the bytes are none.
pub(super) fn without_places(descriptor: &[u8], name: &str) -> Result<Vec<u8>, Error> {
    // As a dynamic message, for that keeps the options that imports declare.
    let mut file =
        DynamicMessage::decode(FileDescriptorProto::default().descriptor(), descriptor).map_err(|_| Error::Encoding)?;
    file.clear_field_by_name("source_code_info");
    file.set_field_by_name("name", Value::String(name.to_owned()));
    Ok(file.encode_to_vec())
}

/// Whether a text can be base64. No `.proto` text that declares anything is, for it has a `;` or a `{`.
pub(crate) fn is_base64(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}

/// What the import statements among the tokens name.
fn imported<'a>(tokens: impl Iterator<Item = Token<'a>>) -> Vec<String> {
    let mut imported = Vec::new();
    let mut previous = [Token::Mark(';'); 2];
    for token in tokens {
        if let Token::Text(name) = token {
            let is_import = matches!(
                previous,
                [_, Token::Name("import")] | [Token::Name("import"), Token::Name("public" | "weak" | "option")]
            );
            if is_import {
                imported.push(name.to_owned());
            }
        }
        previous = [previous[1], token];
    }
    imported
}

/// The limits of [`lexer::check_limits`] for a descriptor, and what the compiler takes for granted because it holds for
/// descriptors made from text. Depth is limited by the decoder.
fn check(file: &FileDescriptorProto) -> Result<(), Error> {
    fn count(
        message: &DescriptorProto,
        scope: usize,
        n_declarations: &mut usize,
        scoped: &mut usize,
    ) -> Result<(), Error> {
        let has = |number| message.field.iter().any(|field| field.number() == number);
        if message.options.as_ref().is_some_and(|options| options.map_entry()) && !(has(1) && has(2)) {
            return Err(Error::invalid("the entry of a map has no key or no value"));
        }
        let scope = scope + message.name().len();
        let constants: usize = message.enum_type.iter().map(|found| found.value.len() + 1).sum();
        let n = 1 + message.field.len() + message.extension.len() + message.oneof_decl.len() + constants;
        let names: usize = message.field.iter().map(|field| field.name().len()).sum();
        *n_declarations += n;
        *scoped += scope * n + names;
        message.nested_type.iter().try_for_each(|nested| count(nested, scope, n_declarations, scoped))
    }
    if file.package().matches('.').count() > MAX_DEPTH {
        return Err(Error::TooDeep);
    }
    let constants: usize = file.enum_type.iter().map(|found| found.value.len() + 1).sum();
    let methods: usize = file.service.iter().map(|service| service.method.len() + 1).sum();
    let mut n_declarations = constants + methods + file.extension.len() + file.dependency.len();
    let mut scoped = file.package().len() * n_declarations;
    for message in &file.message_type {
        count(message, file.package().len(), &mut n_declarations, &mut scoped)?;
    }
    if n_declarations > MAX_DECLARATIONS || scoped > MAX_SCOPED_BYTES { Err(Error::TooMany) } else { Ok(()) }
}
