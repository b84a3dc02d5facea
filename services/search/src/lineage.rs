//! What matches is often made from what is needed: the sources of good matches rise.

use std::collections::HashMap;

use crate::query::Query;
use crate::rank::page;
use crate::record::Record;
use crate::request::{Request, SearchError};
use crate::score::Scores;
use crate::snapshot::{Place, Reading};

/// How many of the best matches are asked what they are made from.
const MAX_MATCHES: usize = 10;
/// Which share of a match's score goes to its sources.
const SHARE: f32 = 0.8;
/// No source rises above the match that raises it: at most to this share of its score.
const BELOW: f32 = 0.99;

/// Raises the visible sources of the best matches, and returns for each the id of the match that raised it most.
pub(crate) fn spread(
    reading: Reading<'_>,
    scores: &mut Scores,
    query: &Query,
) -> Result<HashMap<Place, String>, SearchError> {
    let mut raised: HashMap<Place, String> = HashMap::new();
    if query.words.len() < 2 {
        return Ok(raised);
    }
    let best = best(reading, scores)?;
    let mut gains: Vec<(Place, f32, f32, String)> = Vec::new();
    for (place, id) in best {
        let text = reading.record(place)?;
        let record = Record::read(&text);
        let mut sources = Vec::new();
        for contract in &record.upstream {
            sources.extend(reading.offering(contract)?.into_iter().filter(|source| *source != place));
        }
        sources.sort_unstable();
        sources.dedup();
        let gain = SHARE * scores.cell(place).score / (sources.len() as f32).sqrt().max(1.0);
        let most = scores.cell(place).score * BELOW;
        gains.extend(sources.into_iter().map(|source| (source, gain, most, id.clone())));
    }
    for (source, gain, most, id) in gains {
        let cell = scores.cell_mut(source);
        if cell.matched && cell.score < most {
            cell.score = (cell.score + gain).min(most);
            raised.entry(source).or_insert(id);
        }
    }
    Ok(raised)
}

/// The best matches, best first.
fn best(reading: Reading<'_>, scores: &Scores) -> Result<Vec<(Place, String)>, SearchError> {
    let request = Request::suggest("", MAX_MATCHES);
    Ok(page(reading, scores, scores.matched.iter().copied(), &request, MAX_MATCHES)?.best)
}
