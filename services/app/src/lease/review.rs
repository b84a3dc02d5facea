//! Judging open leases again: in the transaction of a change, and when the gateway opens one.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use domain::clock::Timestamp;
use domain::gate::{Code, Facts, Visibility, open};
use domain::id::{BindingId, PrincipalId};
use domain::lease::Hold;
use itertools::Itertools as _;
use policy::{Action, Resource};
use store::Tx;
use store::lease::Reach;

use crate::actor::{Actor, Standing};
use crate::audit::{self, Author, Event, ResourceKind};
use crate::ctx::App;
use crate::error::Error;
use crate::gate::facts::{self, Asked};
use crate::table::address;
use crate::target::Target;

/// Ends the open leases within these reaches that the gate would not give any more, each hold with a record. Those that
/// have got an earlier end, such as the sunset of their version, end then.
pub(crate) async fn review(app: &App, tx: &mut Tx, reaches: &[Reach], author: &Author) -> Result<(), Error> {
    let now = app.now();
    let (mut seen, mut judge) = (HashSet::new(), Judge::default());
    for reach in reaches.iter().unique() {
        for hold in store::lease::list_holds(tx, *reach, now).await? {
            if !seen.insert(hold.clone()) {
                continue;
            }
            match judge.judge(app, tx, &hold, now).await? {
                Ok(None) => {}
                Ok(Some(latest)) => store::lease::end_by(tx, &hold, latest, now).await?,
                Err(codes) => {
                    let n_leases = store::lease::revoke_of_hold(tx, &hold, now).await?;
                    let event = event(&hold, n_leases, &codes);
                    audit::append_as(app, tx, author.actor.clone(), &author.request_id, event).await?;
                }
            }
        }
    }
    Ok(())
}

/// Judges holds by what one transaction sees; holders and tables are read once for all of them.
#[derive(Default)]
pub(crate) struct Judge {
    holders: HashMap<PrincipalId, Option<Actor>>,
    targets: HashMap<BindingId, Option<Target>>,
}

impl Judge {
    /// As [`open::judge`]. What is found out about data is not read: it ends no lease.
    pub(crate) async fn judge(
        &mut self,
        app: &App,
        tx: &mut Tx,
        hold: &Hold,
        now: Timestamp,
    ) -> Result<Result<Option<Timestamp>, Vec<Code>>, Error> {
        let facts = self.facts(app, tx, hold, now).await?;
        Ok(open::judge(hold, facts, now))
    }

    async fn facts(&mut self, app: &App, tx: &mut Tx, hold: &Hold, now: Timestamp) -> Result<Option<Facts>, Error> {
        let actor = match self.holders.entry(hold.principal_id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(vacant) => vacant.insert(holder(tx, hold.principal_id, now).await?),
        };
        let target = match self.targets.entry(hold.binding_id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(vacant) => vacant.insert(address::of_binding(tx, hold.binding_id).await?),
        };
        let (Some(actor), Some(target)) = (actor, target) else { return Ok(None) };
        if target.table.id != hold.table_id {
            return Ok(None);
        }
        let grant = match hold.grant_id {
            Some(id) => store::grant::find(tx, id).await?,
            None => None,
        };
        let grants = grant.into_iter().filter(|grant| target.port_majors.contains(&grant.port_major)).collect();
        let asked = Asked { actor, target, action: hold.action, purpose: Some(hold.purpose) };
        let facts = facts::of_right(app, tx, &asked, now).await?;
        let visibility = match app.allows(actor, Action::ViewProduct, &Resource::Product(target.known.policy())) {
            true => facts.visibility,
            false => Visibility::Hidden,
        };
        Ok(Some(Facts { visibility, grants, ..facts }))
    }
}

async fn holder(tx: &mut Tx, id: PrincipalId, now: Timestamp) -> Result<Option<Actor>, Error> {
    let Some(principal) = store::identity::find_principal(tx, id).await? else { return Ok(None) };
    let standing = Standing::load(tx, &principal, now).await?.into();
    Ok(Some(Actor::without_token(principal, standing, now)))
}

fn event(hold: &Hold, n_leases: u64, codes: &[Code]) -> Event {
    let codes = codes.iter().join(", ");
    let detail = serde_json::json!({
        "what": format!("{n_leases} leases ended"),
        "holder": hold.principal_id.to_string(),
        "action": hold.action.as_str(),
        "binding": hold.binding_id.to_string(),
        "grant": hold.grant_id.map(|id| id.to_string()),
    });
    Event::done(audit::Action::LeaseEnd, ResourceKind::Table, hold.table_id, "").with(detail).because(Some(&codes))
}
