//! The limits of one request. Each limit has a test at the limit and beyond it.

use std::collections::HashMap;
use std::time::Duration;

use async_graphql::parser::types::{
    ExecutableDocument, Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned};
use http_base::connections::peer::Proxies;

/// The limits of a server. The defaults are those of docs/rules.md (Interfaces and limits).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The maximum size of a body.
    pub body_bytes: usize,
    /// The maximum size of a body of `planDocuments` and `applyDocuments`: 20 MB of documents, escaped as JSON.
    pub documents_body_bytes: usize,
    /// The maximum number of bodies over the usual size that are in memory at once. All of them must fit into `bodies_bytes`.
    pub n_large_bodies: usize,
    /// The maximum number of large schemas that are parsed at once: a parsed schema is many times as large as its text.
    pub n_large_schemas: usize,
    /// The memory for all bodies, and for what is parsed of them.
    pub bodies_bytes: usize,
    /// The share of it for one principal, and for one address. Bodies over the usual size do not count.
    pub bodies_bytes_per_client: usize,
    /// The time limit for a body to arrive.
    pub body_timeout: Duration,
    /// The maximum number of requests in progress; more are refused.
    pub n_requests: usize,
    /// The maximum number of them for one principal, and for one address.
    pub n_requests_per_client: usize,
    /// The number of invalid tokens that an address may send in a second, after ten times as many at once; 0 for no limit.
    pub sign_in_failures_per_second: u32,
    /// The proxies in front of the server.
    pub proxies: Proxies,
    /// The maximum number of errors in an answer.
    pub n_errors: usize,
    /// The time limit of an answer.
    pub timeout: Duration,
    /// The time limit of `/ready` for the database.
    pub ready_timeout: Duration,
    /// The maximum length of a GraphQL document.
    pub query_bytes: usize,
    /// The maximum number of tokens of a GraphQL document.
    pub n_tokens: usize,
    /// The maximum nesting of brackets of any kind, checked before anything recursive reads the document.
    pub nesting: usize,
    /// The maximum nesting of selection sets, fragments included.
    pub recursion: usize,
    /// The maximum nesting of fields; introspection counts.
    pub depth: usize,
    /// The maximum cost: one for each field, a list's fields once for each item of its page.
    pub complexity: usize,
    /// The maximum number of directives in a document.
    pub n_directives: usize,
    /// The maximum number of aliases in a document.
    pub n_aliases: usize,
    /// The maximum number of selections after fragments are spread.
    pub n_selections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 1_000_000,
            documents_body_bytes: 24_000_000,
            n_large_bodies: 2,
            n_large_schemas: 2,
            bodies_bytes: 64 << 20,
            bodies_bytes_per_client: 16 << 20,
            body_timeout: Duration::from_secs(30),
            n_requests: 1_024,
            n_requests_per_client: 256,
            sign_in_failures_per_second: 10,
            proxies: Proxies::default(),
            n_errors: 50,
            timeout: Duration::from_secs(60),
            ready_timeout: Duration::from_secs(1),
            query_bytes: 64 * 1_024,
            n_tokens: 5_000,
            nesting: 64,
            recursion: 32,
            depth: 20,
            complexity: 5_000,
            n_directives: 50,
            n_aliases: 50,
            n_selections: 5_000,
        }
    }
}

/// The limit that a document exceeds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Excess {
    #[error("a document may have at most {0} bytes")]
    Bytes(usize),
    #[error("a document may have at most {0} tokens")]
    Tokens(usize),
    #[error("brackets may be nested at most {0} deep")]
    Nesting(usize),
    #[error("a document may have at most {0} directives")]
    Directives(usize),
    #[error("a document may have at most {0} aliases")]
    Aliases(usize),
    #[error("a document may select at most {0} fields, its fragments spread")]
    Selections(usize),
}

impl Limits {
    /// Checks the limits that the schema's validation does not, before it runs: some of its rules spread fragments.
    ///
    /// # Errors
    /// The first [`Excess`].
    pub(crate) fn check(&self, document: &ExecutableDocument) -> Result<(), Excess> {
        let mut count = Count { fragments: &document.fragments, sizes: HashMap::new(), n_directives: 0, n_aliases: 0 };
        let mut n_selections = 0_usize;
        for fragment in document.fragments.values() {
            count.n_directives += fragment.node.directives.len();
            count.marks(&fragment.node.selection_set.node);
        }
        for (_, operation) in document.operations.iter() {
            count.n_directives += operation.node.directives.len();
            count.marks(&operation.node.selection_set.node);
            n_selections = n_selections.saturating_add(count.size(&operation.node.selection_set.node));
        }
        if count.n_directives > self.n_directives {
            return Err(Excess::Directives(self.n_directives));
        }
        if count.n_aliases > self.n_aliases {
            return Err(Excess::Aliases(self.n_aliases));
        }
        if n_selections > self.n_selections {
            return Err(Excess::Selections(self.n_selections));
        }
        Ok(())
    }
}

struct Count<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    /// The selections of each fragment; `None` while it is being counted, so that a cycle ends.
    sizes: HashMap<&'a Name, Option<usize>>,
    n_directives: usize,
    n_aliases: usize,
}

impl<'a> Count<'a> {
    fn marks(&mut self, set: &SelectionSet) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    let Field { alias, directives, selection_set, .. } = &field.node;
                    self.n_aliases += usize::from(alias.is_some());
                    self.n_directives += directives.len();
                    self.marks(&selection_set.node);
                }
                Selection::FragmentSpread(spread) => self.n_directives += spread.node.directives.len(),
                Selection::InlineFragment(fragment) => {
                    self.n_directives += fragment.node.directives.len();
                    self.marks(&fragment.node.selection_set.node);
                }
            }
        }
    }

    fn size(&mut self, set: &'a SelectionSet) -> usize {
        let mut n_selections = 0_usize;
        for selection in &set.items {
            let n_below = match &selection.node {
                Selection::Field(field) => self.size(&field.node.selection_set.node),
                Selection::InlineFragment(fragment) => self.size(&fragment.node.selection_set.node),
                Selection::FragmentSpread(spread) => self.fragment_size(&spread.node.fragment_name.node),
            };
            n_selections = n_selections.saturating_add(1).saturating_add(n_below);
        }
        n_selections
    }

    fn fragment_size(&mut self, name: &'a Name) -> usize {
        match self.sizes.get(name) {
            Some(size) => return size.unwrap_or(0),
            None => self.sizes.insert(name, None),
        };
        let fragment = self.fragments.get(name);
        let size = fragment.map_or(0, |fragment| self.size(&fragment.node.selection_set.node));
        self.sizes.insert(name, Some(size));
        size
    }
}

/// The fields at the root of an operation, fragments not spread; `None` if it has any.
pub(crate) fn root_fields(operation: &OperationDefinition) -> Option<Vec<&str>> {
    let items = operation.selection_set.node.items.iter();
    let names = items.map(|item| match &item.node {
        Selection::Field(field) => Some(field.node.name.node.as_str()),
        Selection::FragmentSpread(_) | Selection::InlineFragment(_) => None,
    });
    names.collect()
}
