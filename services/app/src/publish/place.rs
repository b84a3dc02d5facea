//! The lines of problems that are found after the texts were read: publishing knows values by their pointers only.

use std::collections::BTreeMap;

use documents::Places;

use super::model::{DocumentSet, DocumentText, Origin, Outcome, Problem};
use crate::error::Error;

/// Gives the problems of an outcome their places in the texts of the set. It parses these texts again, so it is done
/// after the transaction, and only where there is something to say.
pub(super) async fn locate(command: &DocumentSet, mut outcome: Outcome) -> Result<Outcome, Error> {
    let problems = match &mut outcome {
        Outcome::Done(report) => &mut report.warnings,
        Outcome::Invalid(problems) => problems,
        Outcome::Refused(_) => return Ok(outcome),
    };
    let mut texts = BTreeMap::new();
    for Origin { n_text, .. } in problems.iter().filter_map(|problem| problem.origin) {
        if let Some(document) = command.documents.get(n_text) {
            texts.entry(n_text).or_insert_with(|| document.text.clone());
        }
    }
    if texts.is_empty() {
        return Ok(outcome);
    }
    let mut located = std::mem::take(problems);
    let locating = tokio::task::spawn_blocking(move || {
        put_places(&mut located, |n_text| texts.get(&n_text).map(String::as_str));
        located
    });
    *problems = locating.await.map_err(Error::internal)?;
    Ok(outcome)
}

/// Gives problems their places in these texts.
pub(super) fn locate_in(texts: &[DocumentText], problems: &mut [Problem]) {
    put_places(problems, |n_text| texts.get(n_text).map(|document| document.text.as_str()));
}

/// One text is parsed at a time, and once.
fn put_places<'a>(problems: &mut [Problem], text: impl Fn(usize) -> Option<&'a str>) {
    let mut by_text: BTreeMap<usize, Vec<(&mut Problem, usize)>> = BTreeMap::new();
    for problem in problems {
        if let Some(Origin { n_text, n_document }) = problem.origin.take() {
            by_text.entry(n_text).or_default().push((problem, n_document));
        }
    }
    for (n_text, problems) in by_text {
        let Some(text) = text(n_text) else { continue };
        let places = Places::of(text);
        for (problem, n_document) in problems {
            let (line, column) = places.at(n_document, &problem.path).unzip();
            (problem.line, problem.column) = (line, column);
        }
    }
}
