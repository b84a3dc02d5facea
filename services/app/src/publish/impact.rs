//! What one document of a contract breaks against another, whether they are published or not: [`plan`](super::plan)
//! without the set around it.

use domain::change::{Finding, compare_with};
use domain::name::{DomainPath, Name};
use policy::{Action, Resource};

use super::model::{Breaking, DocumentText, Problem};
use super::review::Candidate;
use crate::ctx::Ctx;
use crate::error::{Error, Noun};

/// What a document changes against another of its contract.
#[derive(Clone, Debug, PartialEq)]
pub struct Impact {
    /// What differs.
    pub findings: Vec<Finding>,
    /// What that breaks for those who read the old document's major.
    pub breaking: Option<Breaking>,
}

/// What the second of two documents of a product's contract changes and breaks, for those who may plan in its domain. Inner
/// error: everything that is wrong with the documents.
///
/// # Errors
/// [`Error::NotFound`] for a product or contract that the caller may not know of, and where nothing of the old document's
/// major was ever in force; [`Error::Forbidden`].
pub async fn impact(
    ctx: &Ctx,
    domain: &DomainPath,
    product: &Name,
    [old, new]: [&DocumentText; 2],
) -> Result<Result<Impact, Vec<Problem>>, Error> {
    let known = crate::product::find_product(ctx, domain, product).await?.ok_or(Error::NotFound(Noun::Product))?;
    ctx.authorize(Action::Plan, &Resource::Domain(domain), &format!("publish in domain `{domain}`"))?;
    let (old, new) = match (Candidate::read(ctx, domain, old).await?, Candidate::read(ctx, domain, new).await?) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(problems), Ok(_)) | (Ok(_), Err(problems)) => return Ok(Err(problems)),
        (Err(mut problems), Err(more)) => {
            problems.extend(more);
            return Ok(Err(problems));
        }
    };
    let contract_id = {
        let mut tx = ctx.app.db.read().await?;
        let id = &old.contract().document_id;
        let contract = store::contract::find_by_document_id(&mut tx, known.product.id, id).await?;
        let contract = contract.ok_or(Error::NotFound(Noun::Contract))?;
        let current = store::contract::find_current(&mut tx, contract.id, old.contract().version.major).await?;
        current.ok_or(Error::NotFound(Noun::ContractVersion))?.contract_id
    };
    let options = ctx.app.settings.comparison.clone();
    let compared = tokio::task::spawn_blocking(move || {
        let findings = compare_with(old.contract(), new.contract(), &options);
        Impact { breaking: Breaking::of(contract_id, old.contract(), new.contract(), &findings), findings }
    });
    Ok(Ok(compared.await.map_err(Error::internal)?))
}
