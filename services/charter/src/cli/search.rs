//! `charter search`: finding data products.

use std::fmt::Write;

use clap::Args;
use cynic::Id;
use domain::product::Medallion;
use serde::Serialize;

use super::answer::DomainName;
use super::api::{
    Classification, MatchField, ProductAccess, ProductState, SearchFacet, SearchStage, TableFormat, VerdictWord,
    operation, schema,
};
use super::args::{self, Remote};
use super::client::Client;
use super::error::{Exit, Result};
use super::output::{self, bold, count, or_dash};

/// The options of `charter search`.
#[derive(Args)]
pub(crate) struct SearchArgs {
    /// Words to look for, or an address; everything that you can see if not given
    #[arg(value_name = "TEXT")]
    text: Vec<String>,
    /// Only products of this domain; each filter is repeatable, and one of its values is enough
    #[arg(short, long, value_parser = args::domain_path, help_heading = "Filters")]
    domain: Vec<String>,
    /// Only products with which you may do this
    #[arg(long, value_parser = args::word::<search::Access>(), help_heading = "Filters")]
    access: Vec<search::Access>,
    /// Only products in this state
    #[arg(long, value_enum, help_heading = "Filters")]
    state: Vec<ProductState>,
    /// Only products of this classification
    #[arg(long, value_enum, help_heading = "Filters")]
    classification: Vec<Classification>,
    /// Only products with tables in this format
    #[arg(long, value_enum, help_heading = "Filters")]
    format: Vec<TableFormat>,
    /// Only products of this layer
    #[arg(long, value_parser = args::word::<Medallion>(), help_heading = "Filters")]
    layer: Vec<Medallion>,
    /// Only products whose newest inspection had this verdict
    #[arg(long, value_enum, help_heading = "Filters")]
    verdict: Vec<VerdictWord>,
    /// Maximum number of products
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(i32).range(1..=100))]
    limit: i32,
    /// Continue after this cursor, the `endCursor` of an earlier response
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

operation!($ query "Query" Search {
    text: String, filters: Option<Vec<SearchFilter>>, first: i32, after: Option<String>
} "search" -> SearchAnswer);

#[derive(Clone, cynic::InputObject)]
struct SearchFilter {
    facet: SearchFacet,
    values: Vec<String>,
}

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct SearchAnswer {
    hits: Vec<SearchHit>,
    total: Option<i32>,
    facets: Vec<SearchFacetCounts>,
    corrections: Vec<SearchCorrection>,
    shortened: bool,
    partial: bool,
    end_cursor: Option<String>,
}

#[derive(Serialize, cynic::QueryFragment)]
struct SearchHit {
    product: Product,
    access: ProductAccess,
    stage: SearchStage,
    matches: Vec<SearchMatch>,
}

#[derive(Serialize, cynic::QueryFragment)]
struct Product {
    id: Id,
    name: String,
    title: Option<String>,
    state: ProductState,
    classification: Classification,
    domain: DomainName,
}

#[derive(Serialize, cynic::QueryFragment)]
struct SearchMatch {
    field: MatchField,
    of: Option<String>,
    text: String,
    highlights: Vec<SearchHighlight>,
}

#[derive(Serialize, cynic::QueryFragment)]
struct SearchHighlight {
    start: i32,
    end: i32,
}

#[derive(Serialize, cynic::QueryFragment)]
struct SearchFacetCounts {
    facet: SearchFacet,
    values: Vec<SearchFacetValue>,
}

#[derive(Serialize, cynic::QueryFragment)]
struct SearchFacetValue {
    value: String,
    count: i32,
}

#[derive(Serialize, cynic::QueryFragment)]
struct SearchCorrection {
    typed: String,
    found: Vec<String>,
}

/// Runs `charter search`.
pub(crate) async fn run(args: SearchArgs) -> Result<Exit> {
    let filters = [
        filter(SearchFacet::Domain, args.domain),
        filter(SearchFacet::Access, args.access),
        filter(SearchFacet::State, args.state),
        filter(SearchFacet::Classification, args.classification),
        filter(SearchFacet::Format, args.format),
        filter(SearchFacet::Layer, args.layer),
        filter(SearchFacet::Verdict, args.verdict),
    ];
    let filters = Some(filters.into_iter().flatten().collect());
    let query = Search { text: args.text.join(" "), filters, first: args.limit, after: args.after };
    let answer = Client::new(&args.remote)?.send(query).await?;
    output::show(args.remote.json, &answer, SearchAnswer::text)?;
    if !args.remote.json {
        answer.notes();
    }
    Ok(Exit::Done)
}

/// The filter by one facet, if it has values.
fn filter<T: ToString>(facet: SearchFacet, values: Vec<T>) -> Option<SearchFilter> {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    (!values.is_empty()).then_some(SearchFilter { facet, values })
}

impl SearchAnswer {
    fn text(&self) -> String {
        let rows = self.hits.iter().map(|hit| {
            let Product { name, title, state, domain, .. } = &hit.product;
            [
                format!("{}.{name}", domain.path),
                or_dash(title.as_deref()),
                state.to_string(),
                hit.access.to_string(),
                hit.matches.first().map(SearchMatch::text).unwrap_or_default(),
            ]
        });
        let mut text = output::table(["product", "title", "state", "access", "matched"], rows);
        let mut facets = String::new();
        for counts in self.facets.iter().filter(|counts| counts.values.len() > 1) {
            let values =
                counts.values.iter().take(8).map(|SearchFacetValue { value, count }| format!("{value} {count}"));
            let _ = writeln!(facets, "{}: {}", counts.facet, values.collect::<Vec<_>>().join(", "));
        }
        if !facets.is_empty() {
            let _ = write!(text, "\n{facets}");
        }
        text
    }

    /// What is said beside the products.
    fn notes(&self) {
        for correction in &self.corrections {
            output::note(&format!("nothing has `{}`: showing {}", correction.typed, correction.found.join(", ")));
        }
        if self.shortened {
            output::warn("the text is too long: only its beginning was searched for");
        }
        if self.partial {
            output::warn("the search index is not complete: products may be missing");
        }
        match self.total.and_then(|total| usize::try_from(total).ok()) {
            Some(0) => output::note("no product matches"),
            Some(total) if total > self.hits.len() => {
                let more = self.end_cursor.as_ref().map(|cursor| format!("; more with `--after {cursor}`"));
                output::note(&format!("{} match{}", count(total, "product"), more.unwrap_or_default()));
            }
            Some(_) | None => {}
        }
    }
}

impl SearchMatch {
    /// The field and the text, with what matched in it set off.
    fn text(&self) -> String {
        let mut shown = String::new();
        let mut at = 0;
        let characters: Vec<char> = self.text.chars().collect();
        let part = |start: usize, end: usize| characters.get(start..end).unwrap_or_default().iter().collect::<String>();
        for highlight in &self.highlights {
            let (Ok(start), Ok(end)) = (usize::try_from(highlight.start), usize::try_from(highlight.end)) else {
                continue;
            };
            shown.push_str(&part(at, start));
            shown.push_str(&bold(&part(start, end)));
            at = end;
        }
        shown.push_str(&part(at, characters.len()));
        match &self.of {
            Some(of) => format!("{} of {of}: {shown}", self.field),
            None => format!("{}: {shown}", self.field),
        }
    }
}
