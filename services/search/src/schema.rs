//! How a document lies in the index: zones of words, keys of whole names, a record for the explanation of hits, and
//! columns for order, visibility and counts.

use std::ops::Range;

use domain::clock::Timestamp;
use domain::quality::Verdict;
use tantivy::schema::{Field, IndexRecordOption, STORED, Schema, TextFieldIndexing, TextOptions};

use crate::abbreviation::is_mark_of_copy;
use crate::document::Document;
use crate::entry::{Cutter, Entry};
use crate::field::MatchField;
use crate::files::checksum;
use crate::record::RecordWriter;
use crate::token::{key, parts};

/// The format of the index. Whatever changes terms, zones or columns raises it; an index of another format is rebuilt.
pub(crate) const FORMAT: u32 = 3;

/// A part of the document that is searched by words, with its weight and its usual length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zone {
    /// The product's name.
    Name,
    /// Its title and other names.
    Title,
    /// Its domain.
    Domain,
    /// Tags, owners and ports.
    Label,
    /// Names and addresses of tables.
    Table,
    /// Names of columns.
    Column,
    /// Descriptions of the product and its tables.
    Text,
    /// Descriptions of columns.
    ColumnText,
}

impl Zone {
    pub(crate) const ALL: [Self; 8] =
        [Self::Name, Self::Title, Self::Domain, Self::Label, Self::Table, Self::Column, Self::Text, Self::ColumnText];
    /// The zones whose words complete a prefix and correct a typing error.
    pub(crate) const VOCABULARY: [Self; 7] =
        [Self::Name, Self::Title, Self::Domain, Self::Label, Self::Table, Self::Column, Self::Text];

    fn field_name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Title => "title",
            Self::Domain => "domain",
            Self::Label => "label",
            Self::Table => "table",
            Self::Column => "column",
            Self::Text => "text",
            Self::ColumnText => "column_text",
        }
    }
}

/// The largest parts of a document that are indexed: the rest of a larger one is not found.
pub(crate) const MAX_NAME_CHARS: usize = 300;
const MAX_TEXT_CHARS: usize = 8_000;
const MAX_COLUMN_TEXT_CHARS: usize = 400;
const MAX_LIST: usize = 64;
const MAX_TABLES: usize = 500;
const MAX_COLUMNS: usize = 4_000;
/// What most products need, so that their texts are copied once.
const USUAL_KEY_BYTES: usize = 256;
/// Longer keys belong to no name that is typed.
const MAX_KEY_BYTES: usize = 200;

/// Separates the parts of a signature, and the values of one part.
const PART: char = '\u{1f}';
const VALUE: char = '\u{1e}';

/// The fields of the index.
#[derive(Clone)]
pub(crate) struct Fields {
    pub(crate) schema: Schema,
    pub(crate) id: Field,
    pub(crate) key: Field,
    pub(crate) check: Field,
    pub(crate) record: Field,
    pub(crate) signature: Field,
    pub(crate) prior: Field,
    pub(crate) late: Field,
    pub(crate) successor: Field,
    zones: [Field; Zone::ALL.len()],
}

/// The names of the columns.
pub(crate) const ID: &str = "id";
pub(crate) const SIGNATURE: &str = "signature";
pub(crate) const PRIOR: &str = "prior";
pub(crate) const LATE: &str = "late";
pub(crate) const CHECK: &str = "check";
pub(crate) const SUCCESSOR: &str = "successor";

impl Fields {
    pub(crate) fn new() -> Self {
        let mut schema = Schema::builder();
        let terms = |tokenizer, fieldnorms, option| {
            let indexing = TextFieldIndexing::default().set_tokenizer(tokenizer);
            TextOptions::default().set_indexing_options(indexing.set_fieldnorms(fieldnorms).set_index_option(option))
        };
        let whole = || terms("raw", false, IndexRecordOption::Basic);
        let id = schema.add_text_field(ID, whole().set_fast("raw".to_owned()));
        let key = schema.add_text_field("key", terms("whitespace", false, IndexRecordOption::Basic));
        let record = schema.add_text_field("record", STORED);
        let column = || TextOptions::default().set_fast("raw".to_owned());
        let signature = schema.add_text_field(SIGNATURE, column());
        let successor = schema.add_text_field(SUCCESSOR, column());
        let prior = schema.add_u64_field(PRIOR, tantivy::schema::FAST);
        let check = schema.add_u64_field(CHECK, tantivy::schema::FAST);
        let late = schema.add_u64_field(LATE, tantivy::schema::FAST);
        let zones = Zone::ALL.map(|zone| {
            schema.add_text_field(zone.field_name(), terms(Cutter::NAME, true, IndexRecordOption::WithFreqs))
        });
        Self { schema: schema.build(), id, key, check, record, signature, prior, late, successor, zones }
    }

    pub(crate) fn zone(&self, zone: Zone) -> Field {
        self.zones[zone as usize]
    }

    /// Makes the words of zones known to an index, which must know them before it takes entries.
    pub(crate) fn register(index: &tantivy::Index) {
        index.tokenizers().register(Cutter::NAME, Cutter::default());
    }

    /// The document as the index takes it.
    pub(crate) fn encode(&self, document: &Document) -> Entry {
        let mut writer = Writer::new(self, document);
        writer.product(document);
        for table in document.tables.iter().take(MAX_TABLES) {
            writer.table(table);
        }
        for contract in limited(&document.contracts) {
            writer.push(&keys::contract(contract));
        }
        let Writer { mut parts, keys, mut checks, record, .. } = writer;
        let mut texts = record.finish();
        parts.push((self.record, 0..texts.len()));
        let mut add = |field, text: &str| {
            let start = texts.len();
            texts.push_str(text);
            parts.push((field, start..texts.len()));
        };
        add(self.key, &keys);
        add(self.id, cut(&document.id, MAX_NAME_CHARS));
        add(self.signature, &signature(document));
        if let Some(successor) = &document.successor {
            add(self.successor, cut(successor, MAX_NAME_CHARS));
        }
        let late = document.late_from.map_or(0, |from| late_minute(from).into());
        checks.sort_unstable();
        checks.dedup();
        let mut numbers = vec![(self.prior, Prior::of(document).pack()), (self.late, late)];
        numbers.extend(checks.into_iter().map(|check| (self.check, check.into())));
        Entry { texts, parts, numbers }
    }
}

/// Keys of whole names: what kind of name, and the name.
pub(crate) mod keys {
    /// The address of a table or a port, as it is written.
    pub(crate) fn address(text: &str) -> Option<String> {
        address_of("a", text)
    }

    /// The address of a product, as it is written.
    pub(crate) fn own_address(text: &str) -> Option<String> {
        address_of("d", text)
    }

    fn address_of(kind: &str, text: &str) -> Option<String> {
        let text = text.trim().to_lowercase();
        (!text.is_empty() && !text.chars().any(char::is_whitespace)).then(|| format!("{kind}:{text}"))
    }

    /// A name of a product.
    pub(crate) fn name(key: &str) -> String {
        format!("n:{key}")
    }

    /// A name of a column, a table or a tag.
    pub(crate) fn term(key: &str) -> String {
        format!("c:{key}")
    }

    /// A contract that a product offers, by its id.
    pub(crate) fn contract(id: &str) -> String {
        format!("o:{id}")
    }

    /// Two neighbouring words of a name, joined.
    pub(crate) fn pair(first: &str, second: &str) -> String {
        format!("p:{first}{second}")
    }

    /// The digits of a bucket. None is a colon: no bucket begins like the key of a name.
    const DIGITS: std::ops::RangeInclusive<u8> = b';'..=b'~';
    /// Three digits write it.
    const BUCKET_BITS: u32 = 16;

    /// Appends the term of a key, and returns what a document must have besides: its check.
    ///
    /// Only keys of names are looked for by their letters, to forgive typing errors. Most of the others are of one product
    /// only, and a term of its own for each costs most in a build. So they share terms, of which there are few, and each
    /// document has the checks of its keys in a column. Term and check are 48 bits of a digest: with ten million keys, one
    /// search of five million meets a wrong one.
    pub(crate) fn push_term(key: &str, out: &mut String) -> Option<u32> {
        if key.starts_with("n:") {
            out.push_str(key);
            return None;
        }
        let digest = super::checksum(key.as_bytes()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let n = u64::from(DIGITS.end() - DIGITS.start()) + 1;
        let mut bucket = digest >> (u64::BITS - BUCKET_BITS);
        for _ in 0..3 {
            out.push(char::from(DIGITS.start() + (bucket % n) as u8));
            bucket /= n;
        }
        Some((digest >> 16) as u32)
    }
}

/// Collects what a document is found by.
struct Writer<'a> {
    fields: &'a Fields,
    /// Parts of the record, each with the field of its zone.
    parts: Vec<(Field, Range<usize>)>,
    keys: String,
    checks: Vec<u32>,
    record: RecordWriter,
    n_columns: usize,
}

impl<'a> Writer<'a> {
    fn new(fields: &'a Fields, document: &Document) -> Self {
        Self {
            fields,
            parts: Vec::new(),
            keys: String::with_capacity(USUAL_KEY_BYTES),
            checks: Vec::new(),
            record: RecordWriter::new(document.revision, document.upstream.iter().take(MAX_LIST)),
            n_columns: 0,
        }
    }

    fn product(&mut self, document: &Document) {
        let name = cut(&document.name, MAX_NAME_CHARS);
        let title = cut(&document.title, MAX_NAME_CHARS);
        self.record.add(MatchField::Address, cut(&document.address, MAX_NAME_CHARS));
        if let Some(key) = keys::own_address(cut(&document.address, MAX_NAME_CHARS)) {
            self.push(&key);
        }
        self.words(Zone::Name, MatchField::Name, name);
        self.name(name);
        let domain = cut(&document.domain, MAX_NAME_CHARS);
        self.key(|_| keys::name(&format!("{}{}", key(domain), key(name))), name);
        self.words(Zone::Title, MatchField::Title, title);
        self.name(title);
        for synonym in limited(&document.synonyms) {
            self.words(Zone::Title, MatchField::Synonym, synonym);
            self.name(synonym);
        }
        self.words(Zone::Domain, MatchField::Domain, domain);
        for tag in limited(&document.tags) {
            self.words(Zone::Label, MatchField::Tag, tag);
            self.key(keys::term, tag);
        }
        for owner in limited(&document.owners) {
            self.words(Zone::Label, MatchField::Owner, owner);
        }
        for port in document.ports.iter().take(MAX_LIST) {
            self.words(Zone::Label, MatchField::Port, cut(&port.name, MAX_NAME_CHARS));
            for address in limited(&port.addresses) {
                self.address(address);
                self.words(Zone::Table, MatchField::Address, address);
            }
        }
        self.words(Zone::Text, MatchField::Description, cut(&document.description, MAX_TEXT_CHARS));
    }

    fn table(&mut self, table: &crate::document::Table) {
        let name = cut(&table.name, MAX_NAME_CHARS);
        self.words(Zone::Table, MatchField::Table, name);
        self.key(keys::term, name);
        if let Some(address) = &table.address {
            let address = cut(address, MAX_NAME_CHARS);
            self.address(address);
            self.words(Zone::Table, MatchField::Address, address);
        }
        for synonym in limited(&table.synonyms) {
            self.words(Zone::Table, MatchField::TableSynonym, synonym);
            self.key(keys::term, synonym);
        }
        self.words(Zone::Text, MatchField::TableDescription, cut(&table.description, MAX_TEXT_CHARS));
        for column in &table.columns {
            if self.n_columns == MAX_COLUMNS {
                return;
            }
            self.n_columns += 1;
            let name = cut(&column.name, MAX_NAME_CHARS);
            self.words(Zone::Column, MatchField::Column, name);
            self.key(keys::term, name);
            if let Some((_, last)) = name.rsplit_once('.') {
                self.key(keys::term, last);
            }
            for synonym in limited(&column.synonyms) {
                self.words(Zone::Column, MatchField::ColumnSynonym, synonym);
                self.key(keys::term, synonym);
            }
            self.words(
                Zone::ColumnText,
                MatchField::ColumnDescription,
                cut(&column.description, MAX_COLUMN_TEXT_CHARS),
            );
        }
    }

    fn words(&mut self, zone: Zone, field: MatchField, text: &str) {
        if text.is_empty() {
            return;
        }
        let range = self.record.add(field, text);
        self.parts.push((self.fields.zone(zone), range));
    }

    /// A name of the product: the whole, and each two neighbouring words.
    fn name(&mut self, text: &str) {
        self.key(keys::name, text);
        for pair in parts(text).windows(2) {
            self.push(&keys::pair(&pair[0], &pair[1]));
        }
    }

    fn address(&mut self, text: &str) {
        if let Some(key) = keys::address(cut(text, MAX_NAME_CHARS)) {
            self.push(&key);
        }
    }

    fn key(&mut self, kind: impl Fn(&str) -> String, text: &str) {
        let key = key(text);
        if !key.is_empty() {
            self.push(&kind(&key));
        }
    }

    fn push(&mut self, key: &str) {
        if key.len() <= MAX_KEY_BYTES {
            self.checks.extend(keys::push_term(key, &mut self.keys));
            self.keys.push(' ');
        }
    }
}

fn limited(list: &[String]) -> impl Iterator<Item = &str> {
    list.iter().take(MAX_LIST).map(|text| cut(text, MAX_NAME_CHARS))
}

/// The beginning of a text.
pub(crate) fn cut(text: &str, chars: usize) -> &str {
    if text.len() <= chars {
        return text;
    }
    text.char_indices().nth(chars).map_or(text, |(end, _)| &text[..end])
}

/// What documents are counted, filtered and hidden by, as one value: few values occur, so a search looks at one number
/// for each document.
fn signature(document: &Document) -> String {
    let clean = |text: &str| cut(text, MAX_NAME_CHARS).replace([PART, VALUE], " ");
    let mut formats: Vec<String> =
        document.ports.iter().take(MAX_LIST).filter_map(|port| port.format.as_deref()).map(clean).collect();
    formats.sort();
    formats.dedup();
    [
        clean(&document.class),
        clean(&document.domain),
        document.classification.as_deref().map(clean).unwrap_or_default(),
        clean(&document.state),
        formats.join(&VALUE.to_string()),
        document.layer.map(|layer| layer.as_str().to_owned()).unwrap_or_default(),
        document.verdict.map(|verdict| verdict.as_str().to_owned()).unwrap_or_default(),
    ]
    .join(&PART.to_string())
}

/// A signature, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) class: String,
    pub(crate) domain: String,
    pub(crate) classification: String,
    pub(crate) state: String,
    pub(crate) formats: Vec<String>,
    pub(crate) layer: String,
    pub(crate) verdict: String,
}

impl Signature {
    pub(crate) fn read(text: &str) -> Self {
        let mut parts = text.split(PART).map(str::to_owned);
        let mut next = || parts.next().unwrap_or_default();
        let (class, domain, classification, state) = (next(), next(), next(), next());
        let formats = next();
        Self {
            class,
            domain,
            classification,
            state,
            formats: formats.split(VALUE).filter(|format| !format.is_empty()).map(str::to_owned).collect(),
            layer: next(),
            verdict: next(),
        }
    }
}

/// What speaks for a product whatever the query is: small, and never more than it says here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Prior {
    pub(crate) deprecated: bool,
    /// 0 to 2: fails, is not known or warns, passes.
    verdict: u8,
    /// The level of its readers.
    pub(crate) readers: u8,
    /// Its name says that it is an older version, a trial or a copy.
    copy: bool,
    /// It names its successor.
    pub(crate) replaced: bool,
}

impl Prior {
    fn of(document: &Document) -> Self {
        Self {
            deprecated: document.deprecated,
            verdict: match document.verdict {
                Some(Verdict::Fail | Verdict::Error) => 0,
                Some(Verdict::Warn) | None => 1,
                Some(Verdict::Pass) => 2,
            },
            readers: readers_level(document.readers),
            copy: parts(cut(&document.name, MAX_NAME_CHARS)).iter().any(|part| is_mark_of_copy(part)),
            replaced: document.successor.is_some(),
        }
    }

    fn pack(self) -> u64 {
        u64::from(self.deprecated)
            | u64::from(self.verdict) << 1
            | u64::from(self.readers) << 3
            | u64::from(self.copy) << 6
            | u64::from(self.replaced) << 7
    }

    pub(crate) fn unpack(packed: u8) -> Self {
        Self {
            deprecated: packed & 1 == 1,
            verdict: packed >> 1 & 3,
            readers: packed >> 3 & 7,
            copy: packed >> 6 & 1 == 1,
            replaced: packed >> 7 & 1 == 1,
        }
    }

    /// What the score is multiplied by: 0.95 to 1.1 for what is offered. A copy counts less unless copies are wanted.
    /// `fresh` is 0 to 2: late, nothing is promised, fresh.
    fn factor(self, copies: bool, fresh: u8) -> f32 {
        let offered = 1.0
            + 0.03 * (f32::from(self.verdict) - 1.0)
            + 0.02 * (f32::from(fresh) - 1.0)
            + 0.05 * f32::from(self.readers) / 7.0;
        let copy = if self.copy && !copies { 0.8 } else { 1.0 };
        let deprecated = if self.deprecated { 0.6 } else { 1.0 };
        offered * copy * deprecated
    }
}

/// The level of a number of readers: its logarithm, 0 to 7.
pub(crate) fn readers_level(readers: u32) -> u8 {
    u8::try_from(u32::BITS - readers.leading_zeros()).unwrap_or(0).min(7)
}

/// A time in minutes, from 1: 0 says that nothing is promised.
fn late_minute(at: Timestamp) -> u32 {
    u32::try_from(at.seconds() / 60).unwrap_or(0).max(1)
}

/// The factors of all packed priors at a moment.
pub(crate) struct Factors {
    factors: [[f32; 1 << 8]; 3],
    now: u32,
}

impl Factors {
    pub(crate) fn new(copies: bool, now: Timestamp) -> Self {
        let factor = |packed, fresh| Prior::unpack(u8::try_from(packed).unwrap_or(0)).factor(copies, fresh);
        let factors = [0, 1, 2].map(|fresh| std::array::from_fn(|packed| factor(packed, fresh)));
        Self { factors, now: late_minute(now) }
    }

    /// The factor of a document with a packed prior, which is late from a minute on.
    pub(crate) fn of(&self, prior: u8, late: u32) -> f32 {
        let fresh = match late {
            0 => 1,
            late if self.now < late => 2,
            _ => 0,
        };
        self.factors[fresh][usize::from(prior)]
    }
}
