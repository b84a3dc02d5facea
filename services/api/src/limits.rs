//! How much one request may ask for. Each limit has a test at the limit and beyond it.

use std::collections::HashMap;
use std::time::Duration;

use async_graphql::parser::types::{
    ExecutableDocument, Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned};
use http_base::connections::peer::Proxies;

/// What a server takes. The defaults are those of docs/rules.md (Interfaces and limits).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest body.
    pub body_bytes: usize,
    /// The largest body of `planDocuments` and `applyDocuments`: 20 MB of documents, escaped as JSON.
    pub documents_body_bytes: usize,
    /// How many bodies beyond the usual size are held at once. All of them must fit into `bodies_bytes`.
    pub n_large_bodies: usize,
    /// How many large schemas are read at once: what a parser makes of one is many times as large.
    pub n_large_schemas: usize,
    /// The memory for all bodies, and for what is made of them.
    pub bodies_bytes: usize,
    /// The share of it for one principal, and for one address. Bodies beyond the usual size do not count.
    pub bodies_bytes_per_client: usize,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// How many requests are answered at once; more are sent away.
    pub n_requests: usize,
    /// How many of them may be of one principal, and of one address.
    pub n_requests_per_client: usize,
    /// How many invalid tokens an address may send in a second, after ten times as many at once; 0 for no limit.
    pub sign_in_failures_per_second: u32,
    /// The proxies in front of the server.
    pub proxies: Proxies,
    /// The most errors in an answer.
    pub n_errors: usize,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How long `/ready` waits for the database.
    pub ready_timeout: Duration,
    /// The longest GraphQL document.
    pub query_bytes: usize,
    /// The most tokens of a GraphQL document.
    pub n_tokens: usize,
    /// The deepest nesting of brackets of any kind, checked before anything recursive reads the document.
    pub nesting: usize,
    /// The deepest nesting of selection sets, fragments included.
    pub recursion: usize,
    /// The deepest nesting of fields; introspection counts.
    pub depth: usize,
    /// The greatest cost: one for each field, a list's fields once for each item of its page.
    pub complexity: usize,
    /// The most directives in a document.
    pub n_directives: usize,
    /// The most aliases in a document.
    pub n_aliases: usize,
    /// The most selections once fragments are spread.
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

/// What a document has too much of.
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
    /// Checks what the schema's own validation does not bound, before it runs: some of its rules spread fragments.
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

/// The fields at the root of an operation, fragments not spread; `None` where it begins with one.
pub(crate) fn root_fields(operation: &OperationDefinition) -> Option<Vec<&str>> {
    let items = operation.selection_set.node.items.iter();
    let names = items.map(|item| match &item.node {
        Selection::Field(field) => Some(field.node.name.node.as_str()),
        Selection::FragmentSpread(_) | Selection::InlineFragment(_) => None,
    });
    names.collect()
}
