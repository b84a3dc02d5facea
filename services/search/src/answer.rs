//! A search from query to answer.

use std::collections::HashMap;

use domain::clock::Timestamp;

use crate::cell::Cell;
use crate::count::Counts;
use crate::expand::Expansion;
use crate::explain::Explainer;
use crate::field::MatchField;
use crate::query::Query;
use crate::rank::{Page, page};
use crate::record::Record;
use crate::request::{Answer, Correction, Hit, MAX_PAGE, Match, Request, SearchError};
use crate::schema::Factors;
use crate::score::{Scores, score};
use crate::snapshot::{Place, Reading};
use crate::visibility::HIDDEN;

/// How many words a correction names.
const MAX_NAMED: usize = 3;

pub(crate) fn answer(reading: Reading<'_>, request: &Request) -> Result<Answer, SearchError> {
    let query = Query::read(&request.text);
    let now = request.now;
    let mut scores = if query.text.is_empty() { everything(reading, now) } else { score(reading, &query, now)? };
    let fed = crate::lineage::spread(reading, &mut scores, &query)?;
    let limit = request.limit.min(MAX_PAGE);
    let mut counts = Counts::new(reading, request);
    let mut total = 0;
    let passing = scores.matched.iter().copied().filter(|place| {
        let passes = counts.add(*place);
        total += u64::from(passes);
        passes
    });
    let Page { best, next } = page(reading, &scores, passing, request, limit)?;
    let facets = if request.facets { counts.facets() } else { Vec::new() };
    let explainer = request.explain.then(|| Explainer::new(&query, &scores.words));
    let hits = best
        .into_iter()
        .map(|(place, id)| hit(reading, &scores, place, id, explainer.as_ref(), &fed))
        .collect::<Result<_, _>>()?;
    let corrections = corrections(&scores);
    reading.snapshot.give_back(scores.cells, &scores.matched);
    Ok(Answer {
        hits,
        total,
        facets,
        next,
        corrections,
        shortened: query.shortened,
        position: reading.snapshot.position,
    })
}

/// All visible documents, by their priors.
fn everything(reading: Reading<'_>, now: Timestamp) -> Scores {
    let factors = Factors::new(false, now);
    let mut scores = Scores { cells: reading.snapshot.cells(), matched: Vec::new(), words: Vec::new() };
    for (number, segment) in (0..).zip(&reading.snapshot.segments) {
        for (doc, cell) in (0..).zip(&mut scores.cells[number as usize]) {
            let place = Place { segment: number, doc };
            if reading.level(place) != HIDDEN {
                *cell = Cell::of_all(segment.columns.factor(doc, &factors));
                scores.matched.push(place);
            }
        }
    }
    scores
}

fn hit(
    reading: Reading<'_>,
    scores: &Scores,
    place: Place,
    id: String,
    explainer: Option<&Explainer>,
    fed: &HashMap<Place, String>,
) -> Result<Hit, SearchError> {
    let cell = scores.cell(place);
    let text = reading.record(place)?;
    let record = Record::read(&text);
    let mut matches =
        explainer.map(|explainer| explainer.explain(&record, cell.stage(), cell.found)).unwrap_or_default();
    if let (Some(_), Some(by)) = (explainer, fed.get(&place)) {
        matches.push(Match { field: MatchField::Feeds, of: None, text: by.clone(), highlights: Vec::new() });
    }
    Ok(Hit { id, revision: record.revision, stage: cell.stage(), score: cell.score, matches })
}

fn corrections(scores: &Scores) -> Vec<Correction> {
    let corrected = |(word, expansion): &(String, Expansion)| {
        expansion.corrected.then(|| Correction {
            typed: word.clone(),
            found: expansion.variants.iter().take(MAX_NAMED).map(|variant| variant.term.clone()).collect(),
        })
    };
    scores.words.iter().filter_map(corrected).collect()
}
