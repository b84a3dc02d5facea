//! Parsing of ODCS and ODPS documents, with the position of every problem.
//!
//! A document goes through three steps, which collect all problems instead of stopping at the first: [`node`] parses
//! YAML or JSON into a tree with line numbers, under hard limits; [`schema`] validates it against our JSON Schema of
//! the document's version of the standard; [`odcs`] and [`odps`] build the model and check what a schema cannot
//! express. Callers keep the bytes. Schemas of other formats have a module each ([`avro`], [`json_schema`],
//! [`protobuf`], [`table_schema`]), [`message`] chooses among the first three, and [`convert`] leads from contracts to
//! them and back.
//!
//! Begin at [`parse`]. To read a new version of a standard: mark its fields in `schema/odcs.yaml` (`since`), add the
//! version to [`schema::Standard`], run the tests once with `UPDATE_GOLDEN=1`, and read what is new in [`odcs`].

pub mod avro;
mod code;
pub mod convert;
pub mod json_schema;
mod lint;
pub mod message;
mod node;
mod odcs;
mod odps;
mod place;
mod problem;
pub mod protobuf;
mod reader;
mod schema;
mod split;
pub mod table_schema;

use domain::{contract, product};

pub use crate::code::{Code, Severity};
pub use crate::lint::{Remark, lint};
pub use crate::node::MAX_DOCUMENT_BYTES;
pub use crate::place::Places;
pub use crate::problem::Problem;

use crate::node::Node;
use crate::reader::{Found, Reader};
use crate::split::split;

/// The most documents in one text.
pub const MAX_DOCUMENTS: usize = 2_000;

/// What a document is.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    /// `kind: DataContract` (ODCS).
    Contract(contract::Document),
    /// `kind: DataProduct` (ODPS).
    Product(product::Document),
}

/// A document that can be used.
#[derive(Clone, Debug, PartialEq)]
pub struct ParsedDocument {
    pub document: Document,
    /// What its author should look at: words that are not known and what was taken instead.
    pub warnings: Vec<Problem>,
}

/// One document of a text that may hold several.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece<'a> {
    /// Its own bytes, to be kept as they are.
    pub bytes: &'a [u8],
    /// The line of the text on which they begin, from 1.
    pub first_line: u64,
    /// What they say. Lines in its warnings are those of the whole text.
    pub parsed: ParsedDocument,
}

/// Reads one document, YAML or JSON.
///
/// # Errors
/// Everything that is wrong with it, in the order of its text; several documents in one text are refused here, see
/// [`parse_set`].
pub fn parse(bytes: &[u8]) -> Result<ParsedDocument, Vec<Problem>> {
    only(pieces(bytes, read)?)
}

/// Reads one document that is only to be compared with another: what [`parse`] refuses although the standard's schema
/// accepts it is among the warnings, as far as there is a model of it.
///
/// # Errors
/// As [`parse`], for what the standard refuses too, and a version number that cannot be read.
pub fn parse_to_compare(bytes: &[u8]) -> Result<ParsedDocument, Vec<Problem>> {
    only(pieces(bytes, read_to_compare)?)
}

/// The document of a text that holds one.
fn only(mut pieces: Vec<Piece<'_>>) -> Result<ParsedDocument, Vec<Problem>> {
    match pieces.len() {
        1 => Ok(pieces.remove(0).parsed),
        n_pieces => {
            let message = format!("one document is expected, but the text contains {n_pieces}, separated by `---`");
            Err(vec![Problem { line: 1, column: 1, path: String::new(), message }])
        }
    }
}

/// Reads a text of documents separated by lines of `---`, each with its own bytes. Parts that hold nothing but comments
/// are left out.
///
/// # Errors
/// Everything that is wrong with any of them, in the order of the text.
pub fn parse_set(bytes: &[u8]) -> Result<Vec<Piece<'_>>, Vec<Problem>> {
    pieces(bytes, read)
}

fn pieces(
    bytes: &[u8],
    read: impl Fn(&str) -> Result<ParsedDocument, Vec<Problem>>,
) -> Result<Vec<Piece<'_>>, Vec<Problem>> {
    let parts = parts(bytes).map_err(|problem| vec![problem])?;
    let mut pieces = Vec::with_capacity(parts.len());
    let mut problems = Vec::new();
    for (text, first_line) in parts {
        let moved = |mut found: Vec<Problem>| {
            for problem in &mut found {
                problem.line += first_line - 1;
            }
            found
        };
        match read(text) {
            Ok(ParsedDocument { document, warnings }) => {
                let parsed = ParsedDocument { document, warnings: moved(warnings) };
                pieces.push(Piece { bytes: text.as_bytes(), first_line, parsed });
            }
            Err(found) => problems.extend(moved(found)),
        }
    }
    if problems.is_empty() { Ok(pieces) } else { Err(problems) }
}

/// The texts of the documents of a text, each with the number of its first line.
fn parts(bytes: &[u8]) -> Result<Vec<(&str, u64)>, Problem> {
    let problem = |message: String| Problem { line: 1, column: 1, path: String::new(), message };
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return Err(problem(format!("the text has {} bytes; at most {MAX_DOCUMENT_BYTES} are allowed", bytes.len())));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error.valid_up_to()))?;
    let parts = split(text);
    if parts.is_empty() {
        return Err(problem("the text contains no document".to_owned()));
    }
    if parts.len() > MAX_DOCUMENTS {
        let n_parts = parts.len();
        return Err(problem(format!("the text contains {n_parts} documents; at most {MAX_DOCUMENTS} are allowed")));
    }
    Ok(parts)
}

/// Reads one document.
fn read(text: &str) -> Result<ParsedDocument, Vec<Problem>> {
    let (document, reader) = model(text)?;
    let (problems, warnings) = (in_order(reader.problems), in_order(reader.warnings));
    match document {
        Some(document) if problems.is_empty() => Ok(ParsedDocument { document, warnings }),
        _ => Err(problems),
    }
}

/// Reads one document that only has to have a model.
fn read_to_compare(text: &str) -> Result<ParsedDocument, Vec<Problem>> {
    let (document, Reader { problems, mut warnings, .. }) = model(text)?;
    let Some(document) = document else { return Err(in_order(problems)) };
    warnings.extend(problems);
    Ok(ParsedDocument { document, warnings: in_order(warnings) })
}

fn in_order(found: Vec<Found>) -> Vec<Problem> {
    let mut problems: Vec<Problem> = found.into_iter().map(|found| found.problem).collect();
    problems.sort();
    problems.dedup();
    problems
}

/// The model of one document, which is read from what the schema has accepted, so that one fault is reported once; and what
/// was found on the way.
fn model(text: &str) -> Result<(Option<Document>, Reader), Vec<Problem>> {
    let root = Node::parse(text).map_err(|problem| vec![problem])?;
    let mut reader = Reader::default();
    let standard = standard_checked(&root, &mut reader).filter(|_| reader.problems.is_empty());
    Ok((standard.and_then(|standard| model_of(&root, standard, &mut reader)), reader))
}

/// The version of the standard that a document declares; what its schema refuses is a problem.
fn standard_checked(root: &Node, reader: &mut Reader) -> Option<schema::Standard> {
    reader.check_text(root);
    reader.about(Code::Standard, |reader| {
        let standard = schema::standard_of(root, reader)?;
        schema::validate(root, standard, reader);
        Some(standard)
    })
}

/// What a document says; `None` if it lacks something that every model has.
fn model_of(root: &Node, standard: schema::Standard, reader: &mut Reader) -> Option<Document> {
    match standard.kind() {
        schema::Kind::Contract => odcs::contract(root, reader).map(Document::Contract),
        schema::Kind::Product => odps::product(root, reader).map(Document::Product),
    }
}

fn not_utf8(bytes: &[u8], at: usize) -> Problem {
    let before = &bytes[..at];
    let line = 1 + u64::try_from(before.iter().filter(|byte| **byte == b'\n').count()).unwrap_or(u64::MAX - 1);
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let characters = std::str::from_utf8(&before[line_start..]).map_or(0, |text| text.chars().count());
    let column = 1 + u64::try_from(characters).unwrap_or(u64::MAX - 1);
    Problem { line, column, path: String::new(), message: "the text is not UTF-8 here".to_owned() }
}
