//! The index at one moment, and what of it one caller may see.
//!
//! [`Reading`] is the only way to the terms of an index. It hands out visible documents only, so that whatever is
//! computed from it (matches, totals, facets, corrections, completions, weights) is a function of visible documents.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use tantivy::columnar::{Column, StrColumn};
use tantivy::fieldnorm::FieldNormReader;
use tantivy::index::{InvertedIndexReader, SegmentId};
use tantivy::schema::{IndexRecordOption, Value};
use tantivy::store::StoreReader;
use tantivy::{DocId, Searcher, SegmentReader, TantivyDocument, Term};

use crate::cell::{Cell, Cells};
use crate::field::Facet;
use crate::schema::{CHECK, Factors, Fields, ID, LATE, PRIOR, Prior, SIGNATURE, SUCCESSOR, Signature, Zone, keys};
use crate::values::Values;
use crate::visibility::{HIDDEN, Levels, View, Visibility, level};

/// How many views are kept: one byte for each document and view.
const MAX_VIEWS: usize = 32;
/// Blocks of the store that are kept uncompressed, for each segment.
const STORE_BLOCKS: usize = 16;

/// How many sets of cells are kept for the next searches.
const MAX_CELLS: usize = 4;
/// How many products may offer the contract that a product is made from. One that more offer says too little.
const MAX_OFFERS: usize = 8;
/// Documents of one block of postings.
const BLOCK: usize = 128;

/// A document: the number of its segment, and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) segment: u32,
    pub(crate) doc: DocId,
}

pub(crate) struct Snapshot {
    pub(crate) position: u64,
    /// The ids of products that could not be read.
    pub(crate) left_out: BTreeSet<String>,
    pub(crate) segments: Vec<Segment>,
    /// Where the successor of a document is.
    pub(crate) successors: HashMap<Place, Place>,
    fields: Fields,
    views: Mutex<Vec<(Arc<Visibility>, Arc<View>)>>,
    /// Empty cells: a search touches few of them, so that emptying is faster than making.
    cells: Mutex<Vec<Cells>>,
}

pub(crate) struct Segment {
    id: SegmentId,
    reader: SegmentReader,
    zones: Vec<Arc<InvertedIndexReader>>,
    norms: Vec<Option<FieldNormReader>>,
    keys: Arc<InvertedIndexReader>,
    ids: Arc<InvertedIndexReader>,
    checks: Option<Column<u64>>,
    id_column: Option<StrColumn>,
    store: StoreReader,
    pub(crate) columns: Arc<Columns>,
}

/// What is looked at for each matching document. It never changes for a segment.
pub(crate) struct Columns {
    /// The number of each document's signature.
    pub(crate) signature: Vec<u32>,
    pub(crate) signatures: Vec<Signature>,
    /// The values of each facet.
    pub(crate) values: Vec<Values>,
    /// What speaks for each document, packed.
    prior: Vec<u8>,
    /// The minute from which on each document is late; 0 if no age is promised.
    late: Vec<u32>,
    /// Documents in the order of their ids.
    pub(crate) id_order: Vec<u32>,
    successors: Vec<(DocId, String)>,
}

impl Columns {
    fn read(reader: &SegmentReader) -> tantivy::Result<Self> {
        let columns = reader.fast_fields();
        let n = reader.max_doc();
        let (signature, signatures) = match columns.str(SIGNATURE)? {
            Some(column) => {
                let numbers = numbers(&column, n);
                let mut signatures = Vec::with_capacity(column.dictionary().num_terms());
                let mut text = String::new();
                for number in 0..column.dictionary().num_terms() {
                    text.clear();
                    column.ord_to_str(number as u64, &mut text)?;
                    signatures.push(Signature::read(&text));
                }
                (numbers, signatures)
            }
            None => (vec![0; n as usize], vec![Signature::default()]),
        };
        let prior = columns.u64(PRIOR)?;
        let prior = (0..n).map(|doc| u8::try_from(prior.first(doc).unwrap_or(0)).unwrap_or(0)).collect();
        let late = columns.u64(LATE)?;
        let late = (0..n).map(|doc| u32::try_from(late.first(doc).unwrap_or(0)).unwrap_or(0)).collect();
        let id_order = columns.str(ID)?.map(|column| numbers(&column, n)).unwrap_or_default();
        let mut successors = Vec::new();
        if let Some(column) = columns.str(SUCCESSOR)? {
            for doc in 0..n {
                if let Some(number) = column.ords().first(doc) {
                    let mut id = String::new();
                    column.ord_to_str(number, &mut id)?;
                    successors.push((doc, id));
                }
            }
        }
        let values = Facet::ALL.iter().map(|facet| Values::of(*facet, &signatures)).collect();
        Ok(Self { signature, signatures, values, prior, late, id_order, successors })
    }

    pub(crate) fn prior(&self, doc: DocId) -> Prior {
        Prior::unpack(self.prior[doc as usize])
    }

    /// What the score of a document is multiplied by.
    pub(crate) fn factor(&self, doc: DocId, factors: &Factors) -> f32 {
        factors.of(self.prior[doc as usize], self.late[doc as usize])
    }
}

/// The number of each document's value in the column's dictionary.
fn numbers(column: &StrColumn, n: u32) -> Vec<u32> {
    (0..n).map(|doc| column.ords().first(doc).and_then(|number| u32::try_from(number).ok()).unwrap_or(0)).collect()
}

impl Segment {
    fn open(reader: &SegmentReader, fields: &Fields, before: Option<&Snapshot>) -> tantivy::Result<Self> {
        let id = reader.segment_id();
        let known = before.and_then(|before| before.segments.iter().find(|segment| segment.id == id));
        let columns = match known {
            Some(segment) => segment.columns.clone(),
            None => Arc::new(Columns::read(reader)?),
        };
        let zones = Zone::ALL.iter().map(|&zone| reader.inverted_index(fields.zone(zone)));
        let norms = Zone::ALL.iter().map(|&zone| reader.fieldnorms_readers().get_field(fields.zone(zone)));
        Ok(Self {
            id,
            reader: reader.clone(),
            zones: zones.collect::<tantivy::Result<_>>()?,
            norms: norms.collect::<tantivy::Result<_>>()?,
            keys: reader.inverted_index(fields.key)?,
            ids: reader.inverted_index(fields.id)?,
            // A segment without keys has no column of checks.
            checks: reader.fast_fields().u64(CHECK).ok(),
            id_column: reader.fast_fields().str(ID)?,
            store: reader.get_store_reader(STORE_BLOCKS)?,
            columns,
        })
    }

    pub(crate) fn n_docs(&self) -> usize {
        self.reader.max_doc() as usize
    }

    /// The lengths of the documents' zone, as codes. Keys have none.
    pub(crate) fn norm(&self, part: Part) -> Option<&FieldNormReader> {
        match part {
            Part::Zone(zone) => self.norms[zone as usize].as_ref(),
            Part::Keys => None,
        }
    }

    fn terms(&self, part: Part) -> &InvertedIndexReader {
        match part {
            Part::Zone(zone) => &self.zones[zone as usize],
            Part::Keys => &self.keys,
        }
    }

    /// The id of a document.
    pub(crate) fn id(&self, doc: DocId) -> tantivy::Result<String> {
        let mut id = String::new();
        if let Some(column) = &self.id_column {
            column.ord_to_str(u64::from(self.columns.id_order[doc as usize]), &mut id)?;
        }
        Ok(id)
    }

    /// Whether a document has a check among those of its keys.
    fn has_check(&self, doc: DocId, check: u32) -> bool {
        let checks = self.checks.as_ref();
        checks.is_some_and(|checks| checks.values_for_doc(doc).any(|found| found == u64::from(check)))
    }

    /// The living document of an id.
    fn find(&self, id: &Term) -> tantivy::Result<Option<DocId>> {
        self.first_of(&self.ids, id, None)
    }

    /// The living document of a product's address, by term and check.
    fn find_address(&self, address: &Term, check: Option<u32>) -> tantivy::Result<Option<DocId>> {
        self.first_of(&self.keys, address, check)
    }

    fn first_of(&self, terms: &InvertedIndexReader, term: &Term, check: Option<u32>) -> tantivy::Result<Option<DocId>> {
        let Some(mut postings) = terms.read_block_postings(term, IndexRecordOption::Basic)? else { return Ok(None) };
        let is_it = |doc: DocId| !self.reader.is_deleted(doc) && check.is_none_or(|check| self.has_check(doc, check));
        while postings.block_len() > 0 {
            if let Some(doc) = postings.docs().iter().find(|doc| is_it(**doc)) {
                return Ok(Some(*doc));
            }
            postings.advance();
        }
        Ok(None)
    }
}

/// Where terms are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Zone(Zone),
    Keys,
}

impl Snapshot {
    pub(crate) fn open(
        searcher: &Searcher,
        fields: &Fields,
        position: u64,
        left_out: BTreeSet<String>,
        before: Option<&Self>,
    ) -> tantivy::Result<Self> {
        let segments: Vec<Segment> = searcher
            .segment_readers()
            .iter()
            .map(|reader| Segment::open(reader, fields, before))
            .collect::<tantivy::Result<_>>()?;
        let mut snapshot = Self {
            position,
            left_out,
            segments,
            successors: HashMap::new(),
            fields: fields.clone(),
            views: Mutex::new(Vec::new()),
            cells: Mutex::new(Vec::new()),
        };
        let mut successors = HashMap::new();
        for (number, segment) in (0..).zip(&snapshot.segments) {
            for (doc, address) in &segment.columns.successors {
                if let Some(successor) = snapshot.find_address(address)? {
                    successors.insert(Place { segment: number, doc: *doc }, successor);
                }
            }
        }
        snapshot.successors = successors;
        Ok(snapshot)
    }

    /// Where the document of an id is, visible or not.
    fn find(&self, id: &str) -> tantivy::Result<Option<Place>> {
        let term = Term::from_field_text(self.fields.id, id);
        for (number, segment) in (0..).zip(&self.segments) {
            if let Some(doc) = segment.find(&term)? {
                return Ok(Some(Place { segment: number, doc }));
            }
        }
        Ok(None)
    }

    /// Where the product of an address is, visible or not.
    fn find_address(&self, address: &str) -> tantivy::Result<Option<Place>> {
        let Some(key) = keys::own_address(address) else { return Ok(None) };
        let mut term = String::new();
        let check = keys::push_term(&key, &mut term);
        let term = Term::from_field_text(self.fields.key, &term);
        for (number, segment) in (0..).zip(&self.segments) {
            if let Some(doc) = segment.find_address(&term, check)? {
                return Ok(Some(Place { segment: number, doc }));
            }
        }
        Ok(None)
    }

    /// The ids of products whose readers are counted, in their order, behind an id.
    pub(crate) fn with_readers(&self, after: &str, limit: usize) -> tantivy::Result<Vec<String>> {
        let mut found = Vec::new();
        for segment in &self.segments {
            for doc in (0..).take(segment.n_docs()) {
                if segment.columns.prior(doc).readers > 0 && !segment.reader.is_deleted(doc) {
                    found.push(segment.id(doc)?);
                }
            }
        }
        found.retain(|id| id.as_str() > after);
        found.sort();
        found.truncate(limit);
        Ok(found)
    }

    /// The level of readers that a product is indexed with; `None` if it is not indexed.
    pub(crate) fn readers_level(&self, id: &str) -> tantivy::Result<Option<u8>> {
        let place = self.find(id)?;
        Ok(place.map(|place| self.segments[place.segment as usize].columns.prior(place.doc).readers))
    }

    /// An empty cell for each document.
    pub(crate) fn cells(&self) -> Cells {
        let kept = self.cells.lock().ok().and_then(|mut cells| cells.pop());
        kept.unwrap_or_else(|| self.segments.iter().map(|segment| vec![Cell::EMPTY; segment.n_docs()]).collect())
    }

    /// Takes cells back, of which those at `used` are not empty.
    pub(crate) fn give_back(&self, mut cells: Cells, used: &[Place]) {
        for place in used {
            cells[place.segment as usize][place.doc as usize] = Cell::EMPTY;
        }
        if let Ok(mut kept) = self.cells.lock()
            && kept.len() < MAX_CELLS
        {
            kept.push(cells);
        }
    }

    /// What a caller may see of it.
    pub(crate) fn view(&self, visibility: &Arc<Visibility>) -> tantivy::Result<Arc<View>> {
        let same = |known: &Arc<Visibility>| {
            Arc::ptr_eq(known, visibility) || (known.digest() == visibility.digest() && known == visibility)
        };
        if let Ok(mut views) = self.views.lock()
            && let Some(at) = views.iter().position(|(known, _)| same(known))
        {
            let found = views.remove(at);
            let view = found.1.clone();
            views.push(found);
            return Ok(view);
        }
        let view = Arc::new(self.build_view(visibility)?);
        if let Ok(mut views) = self.views.lock() {
            if views.len() == MAX_VIEWS {
                views.remove(0);
            }
            views.push((visibility.clone(), view.clone()));
        }
        Ok(view)
    }

    fn build_view(&self, visibility: &Visibility) -> tantivy::Result<View> {
        let mut segments: Vec<Levels> = Vec::with_capacity(self.segments.len());
        for segment in &self.segments {
            let by_signature: Vec<u8> = segment
                .columns
                .signatures
                .iter()
                .map(|signature| visibility.class(&signature.class).map_or(HIDDEN, level))
                .collect();
            let levels = segment.columns.signature.iter().map(|number| by_signature[*number as usize]);
            segments.push(match segment.reader.alive_bitset() {
                None => levels.collect(),
                Some(alive) => {
                    (0..).zip(levels).map(|(doc, level)| if alive.is_alive(doc) { level } else { HIDDEN }).collect()
                }
            });
        }
        for (id, access) in visibility.products() {
            if let Some(place) = self.find(id)? {
                let found = &mut segments[place.segment as usize][place.doc as usize];
                *found = (*found).max(level(*access));
            }
        }
        let n = segments.iter().flatten().filter(|level| **level != HIDDEN).count() as u64;
        Ok(View { segments, n })
    }
}

/// Visible documents that have a term, in ascending order, and how often each has it.
#[derive(Clone, Copy)]
pub(crate) struct Occurrences<'b> {
    pub(crate) docs: &'b [DocId],
    pub(crate) counts: &'b [u32],
}

/// A snapshot as one caller may see it.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) view: &'a View,
}

impl<'a> Reading<'a> {
    pub(crate) fn level(self, place: Place) -> u8 {
        self.view.segments[place.segment as usize][place.doc as usize]
    }

    /// Calls `visit` with the visible occurrences of a term, in blocks of one segment, until it returns false.
    pub(crate) fn visit(
        self,
        part: Part,
        term: &str,
        mut visit: impl FnMut(u32, &'a Segment, Occurrences<'_>) -> bool,
    ) -> tantivy::Result<()> {
        let (mut docs, mut counts) = ([0; BLOCK], [1; BLOCK]);
        let mut of_key = String::new();
        let (term, check) = match part {
            Part::Zone(_) => (term, None),
            Part::Keys => {
                let check = keys::push_term(term, &mut of_key);
                (of_key.as_str(), check)
            }
        };
        for (number, segment) in (0..).zip(&self.snapshot.segments) {
            let levels = &self.view.segments[number as usize];
            let terms = segment.terms(part);
            let Some(info) = terms.terms().get(term.as_bytes())? else { continue };
            let option = match part {
                Part::Zone(_) => IndexRecordOption::WithFreqs,
                Part::Keys => IndexRecordOption::Basic,
            };
            let mut postings = terms.read_block_postings_from_terminfo(&info, option)?;
            while postings.block_len() > 0 {
                let mut n = 0;
                for (at, &doc) in postings.docs().iter().enumerate().take(BLOCK) {
                    docs[n] = doc;
                    if let Part::Zone(_) = part {
                        counts[n] = postings.freq(at);
                    }
                    let is_it = check.is_none_or(|check| segment.has_check(doc, check));
                    n += usize::from(levels[doc as usize] != HIDDEN && is_it);
                }
                if n > 0 && !visit(number, segment, Occurrences { docs: &docs[..n], counts: &counts[..n] }) {
                    return Ok(());
                }
                postings.advance();
            }
        }
        Ok(())
    }

    /// Whether a visible document has the term.
    pub(crate) fn has(self, part: Part, term: &str) -> tantivy::Result<bool> {
        let mut found = false;
        self.visit(part, term, |_, _, _| {
            found = true;
            false
        })?;
        Ok(found)
    }

    /// The dictionaries of a part, one for each segment. Their terms may belong to hidden documents only: ask
    /// [`Self::has`] before anything rests on one.
    pub(crate) fn dictionaries(self, part: Part) -> impl Iterator<Item = &'a tantivy::termdict::TermDictionary> {
        self.snapshot.segments.iter().map(move |segment| segment.terms(part).terms())
    }

    /// The visible products that offer a contract; none if there are more than [`MAX_OFFERS`].
    pub(crate) fn offering(self, contract: &str) -> tantivy::Result<Vec<Place>> {
        let mut found = Vec::new();
        self.visit(Part::Keys, &keys::contract(contract), |segment, _, occurrences| {
            found.extend(occurrences.docs.iter().map(|doc| Place { segment, doc: *doc }));
            true
        })?;
        Ok(if found.len() > MAX_OFFERS { Vec::new() } else { found })
    }

    /// The visible successor of a document.
    pub(crate) fn successor(self, place: Place) -> Option<Place> {
        if !self.segment(place).columns.prior(place.doc).replaced {
            return None;
        }
        self.snapshot.successors.get(&place).copied().filter(|place| self.level(*place) != HIDDEN)
    }

    pub(crate) fn segment(self, place: Place) -> &'a Segment {
        &self.snapshot.segments[place.segment as usize]
    }

    /// The record of a document.
    pub(crate) fn record(self, place: Place) -> tantivy::Result<String> {
        let document: TantivyDocument = self.segment(place).store.get(place.doc)?;
        let record = document.get_first(self.snapshot.fields.record).and_then(|value| value.as_str());
        Ok(record.unwrap_or_default().to_owned())
    }
}
