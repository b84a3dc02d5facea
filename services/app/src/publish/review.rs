//! One document of a contract by itself: why it would be refused, for a steward who is asked to accept it.

use domain::contract::{self};
use domain::name::DomainPath;
use domain::overrides::Override;

use super::model::{DocumentSet, DocumentText, Problem, VersionRefusal};
use super::set::{self, ContractEntry, Entry};
use super::versions;
use crate::ctx::{App, Ctx};
use crate::error::Error;

/// A document that can be read, of a contract.
#[derive(Debug)]
pub(crate) struct Candidate(Entry<ContractEntry>);

impl Candidate {
    /// Reads a document of a contract in a domain. Inner error: everything that is wrong with it.
    pub(crate) async fn read(
        ctx: &Ctx,
        domain: &DomainPath,
        document: &DocumentText,
    ) -> Result<Result<Self, Vec<Problem>>, Error> {
        let set =
            DocumentSet { domain: Some(domain.clone()), documents: vec![document.clone()], prune: false, key: None };
        let mut set = match set::read(ctx, &set).await? {
            Ok(set) => set,
            Err(problems) => return Ok(Err(problems)),
        };
        match (set.contracts.pop(), set.contracts.len() + set.products.len()) {
            (Some(contract), 0) => Ok(Ok(Self(contract))),
            (_, _) => Ok(Err(vec![Problem {
                document: document.path.clone(),
                line: Some(1),
                column: Some(1),
                path: String::new(),
                message: "exactly one contract document is expected".to_owned(),
                origin: None,
            }])),
        }
    }

    /// What it says.
    pub(crate) fn contract(&self) -> &contract::Document {
        &self.0.model.contract
    }

    /// Why it would be refused as a version of a contract that has these versions and overrides; `None` if it would not
    /// be. A version of the same number among them is a draft.
    pub(crate) fn refusal(
        &self,
        app: &App,
        versions: &[contract::Version],
        overrides: &[Override],
    ) -> Result<Option<VersionRefusal>, Error> {
        versions::refusal(app, versions, overrides, &self.0)
    }
}
