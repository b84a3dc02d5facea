//! Which overrides count: those with a valid signature, by another person than the publisher.

use std::collections::HashMap;

use domain::id::{ContractId, PrincipalId};
use domain::overrides::Override;
use itertools::Itertools as _;
use store::Tx;
use store::overrides::Stored;

use crate::ctx::App;
use crate::error::Error;

/// All overrides of these contracts, with their signatures verified. An invalid signature is a forgery and an error.
pub(crate) async fn list_verified(app: &App, tx: &mut Tx, ids: &[ContractId]) -> Result<Vec<Override>, Error> {
    verified(app, store::overrides::list_of_contracts(tx, ids).await?)
}

/// The overrides that count for what `publisher` publishes, and those that do not, because the same person signed them.
pub(crate) async fn split_by_signer(
    tx: &mut Tx,
    publisher: PrincipalId,
    overrides: Vec<Override>,
) -> Result<(Vec<Override>, Vec<Override>), Error> {
    if overrides.is_empty() {
        return Ok((overrides, Vec::new()));
    }
    let ids = overrides.iter().map(|accepted| accepted.steward).chain([publisher]).unique().collect_vec();
    let principals = store::identity::list_principals_by_ids(tx, &ids).await?;
    let persons: HashMap<_, _> = principals.iter().map(|principal| (principal.id, principal.person())).collect();
    Ok(overrides.into_iter().partition(|accepted| persons.get(&accepted.steward) != persons.get(&publisher)))
}

pub(super) fn verified(app: &App, stored: Vec<Stored>) -> Result<Vec<Override>, Error> {
    stored.into_iter().map(|stored| Ok(stored.verify(&app.record_key)?)).collect()
}
