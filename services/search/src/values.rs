//! The values of facets as numbers, so that counting compares no texts.

use std::collections::HashMap;

use crate::field::Facet;
use crate::schema::Signature;

/// The values of one facet in one segment.
pub(crate) struct Values {
    pub(crate) texts: Vec<String>,
    /// The numbers of the values of each signature.
    numbers: Vec<u32>,
    /// Where those of each signature begin, and the end.
    starts: Vec<u32>,
}

impl Values {
    /// The values of each facet that documents have; what a caller may do is none of them.
    pub(crate) fn of(facet: Facet, signatures: &[Signature]) -> Self {
        let mut out = Self { texts: Vec::new(), numbers: Vec::new(), starts: vec![0] };
        let mut known: HashMap<&str, u32> = HashMap::new();
        for signature in signatures {
            for value in of_signature(facet, signature) {
                let number = *known.entry(value).or_insert_with(|| {
                    out.texts.push(value.to_owned());
                    number_of(out.texts.len() - 1)
                });
                out.numbers.push(number);
            }
            out.starts.push(number_of(out.numbers.len()));
        }
        out
    }

    /// The numbers of a signature's values.
    pub(crate) fn numbers(&self, signature: usize) -> &[u32] {
        &self.numbers[self.starts[signature] as usize..self.starts[signature + 1] as usize]
    }
}

fn number_of(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn of_signature(facet: Facet, signature: &Signature) -> Vec<&str> {
    let one = |value| if str::is_empty(value) { Vec::new() } else { vec![value] };
    match facet {
        Facet::Domain => one(&signature.domain),
        Facet::Classification => one(&signature.classification),
        Facet::State => one(&signature.state),
        Facet::Format => signature.formats.iter().map(String::as_str).collect(),
        Facet::Layer => one(&signature.layer),
        Facet::Verdict => one(&signature.verdict),
        Facet::Access => Vec::new(),
    }
}
