//! The order of hits, and the page of it that is asked for.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hash::{DefaultHasher, Hash, Hasher};

use tantivy::DocId;

use crate::request::{Request, SearchError};
use crate::score::Scores;
use crate::snapshot::{Place, Reading};

/// How many successors of successors are followed.
const MAX_SUCCESSORS: u8 = 8;

/// Where a document stands. The larger comes first; ids break ties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    /// Earlier stages are larger.
    stage: Reverse<u8>,
    /// Bits of a score, which is never negative, so that they have its order.
    score: u32,
    /// How many steps it was put below the product that replaces it.
    below: Reverse<u8>,
}

/// The rank of a document: its own, or right below its successor if that one would come later.
pub(crate) fn rank(reading: Reading<'_>, scores: &Scores, place: Place) -> Rank {
    rank_below(reading, scores, place, 0)
}

fn rank_below(reading: Reading<'_>, scores: &Scores, place: Place, depth: u8) -> Rank {
    let cell = scores.cell(place);
    let own = Rank { stage: Reverse(cell.stage() as u8), score: cell.score.max(0.0).to_bits(), below: Reverse(0) };
    let mut next = reading.successor(place);
    for _ in depth..MAX_SUCCESSORS {
        match next {
            Some(successor) if scores.cell(successor).matched => {
                let above = rank_below(reading, scores, successor, depth + 1);
                return own.min(Rank { below: Reverse(above.below.0 + 1), ..above });
            }
            Some(successor) => next = reading.successor(successor),
            None => break,
        }
    }
    own
}

/// A place in the order, for the next page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    rank: Rank,
    id: String,
}

impl Cursor {
    /// Reads the cursor of a request.
    pub(crate) fn read(request: &Request) -> Result<Option<Self>, SearchError> {
        let Some(text) = &request.after else { return Ok(None) };
        let mut parts = text.splitn(5, '.');
        let mut number = |radix| parts.next().and_then(|part| u64::from_str_radix(part, radix).ok());
        let (query, stage, score, below) = (number(16), number(16), number(16), number(16));
        let cursor = (|| {
            (query? == digest(request)).then_some(())?;
            let rank = Rank {
                stage: Reverse(u8::try_from(stage?).ok()?),
                score: u32::try_from(score?).ok()?,
                below: Reverse(u8::try_from(below?).ok()?),
            };
            Some(Self { rank, id: parts.next()?.to_owned() })
        })();
        cursor.map(Some).ok_or(SearchError::Cursor)
    }

    fn write(&self, request: &Request) -> String {
        let Rank { stage, score, below } = self.rank;
        format!("{:x}.{:x}.{score:x}.{:x}.{}", digest(request), stage.0, below.0, self.id)
    }
}

/// Which query a cursor belongs to.
fn digest(request: &Request) -> u64 {
    let mut hasher = DefaultHasher::new();
    request.text.trim().hash(&mut hasher);
    for filter in &request.filters {
        (filter.facet, &filter.values).hash(&mut hasher);
    }
    hasher.finish()
}

/// A page: documents with their ids, and the cursor behind them if there are more.
pub(crate) struct Page {
    pub(crate) best: Vec<(Place, String)>,
    pub(crate) next: Option<String>,
}

/// The best documents of a segment, the worst of them first: rank, number of the id, document.
type Best = BinaryHeap<Reverse<(Rank, Reverse<u32>, DocId)>>;

/// The first documents of the order behind the cursor, and the cursor behind them if there are more.
pub(crate) fn page(
    reading: Reading<'_>,
    scores: &Scores,
    candidates: impl Iterator<Item = Place>,
    request: &Request,
    limit: usize,
) -> Result<Page, SearchError> {
    let after = Cursor::read(request)?;
    // One heap for each segment, whose ids have numbers; ids of several segments are compared as texts at the end.
    let mut heaps: Vec<Best> = reading.snapshot.segments.iter().map(|_| BinaryHeap::with_capacity(limit + 2)).collect();
    for place in candidates {
        let rank = rank(reading, scores, place);
        let segment = reading.segment(place);
        if let Some(after) = &after
            && (rank > after.rank || (rank == after.rank && segment.id(place.doc)? <= after.id))
        {
            continue;
        }
        let heap = &mut heaps[place.segment as usize];
        let entry = Reverse((rank, Reverse(segment.columns.id_order[place.doc as usize]), place.doc));
        if heap.len() <= limit {
            heap.push(entry);
        } else if heap.peek().is_some_and(|worst| entry.0 > worst.0) {
            heap.pop();
            heap.push(entry);
        }
    }
    let mut found: Vec<(Rank, Place)> = Vec::new();
    for (segment, heap) in (0..).zip(heaps) {
        found.extend(heap.into_iter().map(|Reverse((rank, _, doc))| (rank, Place { segment, doc })));
    }
    found.sort_by_key(|(rank, _)| Reverse(*rank));
    // Ids are read for what may be on the page: its hits, the next one, and those of the same rank.
    if let Some((last, _)) = found.get(limit).copied() {
        found.retain(|(rank, _)| *rank >= last);
    }
    let mut best: Vec<(Rank, String, Place)> = Vec::with_capacity(found.len());
    for (rank, place) in found {
        best.push((rank, reading.segment(place).id(place.doc)?, place));
    }
    best.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let next = (best.len() > limit && limit > 0)
        .then(|| Cursor { rank: best[limit - 1].0, id: best[limit - 1].1.clone() }.write(request));
    best.truncate(limit);
    Ok(Page { best: best.into_iter().map(|(_, id, place)| (place, id)).collect(), next })
}
