//! Whose a subject is, and what follows from it.

use std::collections::{HashMap, HashSet};

use domain::binding::TopicBinding;
use domain::id::ProductId;
use domain::org::Domain;
use domain::registry::Subject;
use itertools::Itertools as _;
use policy::{Action, Resource};
use store::Tx;

use super::error::{Error, NotPermitted};
use crate::ctx::Ctx;
use crate::product;
use crate::product_in_domain::{self, ProductInDomain};

/// Whose a subject is.
#[derive(Clone, Debug)]
pub(super) enum Owner {
    /// An object of a product's contract is bound to its topic, and the caller may know of the product.
    Topic {
        /// The product.
        known: Box<ProductInDomain>,
        /// The object. Of several majors the newest.
        binding: TopicBinding,
    },
    /// A product's that the caller may not know of. It is answered for as whose it would be without that product.
    Hidden(Box<Self>),
    /// No product's: it is kept in this domain.
    Quarantine(Domain),
    /// No product's, and there is no domain for such.
    Nobody,
}

impl Owner {
    pub(super) async fn of(ctx: &Ctx, tx: &mut Tx, subject: &Subject) -> Result<Self, Error> {
        // The same steps for a subject that is bound and one that is not.
        let binding = store::binding::list_topics_of_subject(tx, subject).await?.into_iter().next();
        let contract_id = binding.as_ref().map(|binding| binding.contract_id);
        let contract = store::contract::list_by_ids(tx, contract_id.as_slice()).await?.pop();
        let product_id = contract.map(|contract| contract.product_id);
        let mut visible = product::visible_owners(ctx, tx, vec![product_id]).await?;
        let known = product_id.and_then(|id| visible.remove(&id)).map(Box::new);
        let unbound = Self::of_unbound(ctx, tx, subject).await?;
        Ok(match (binding, known) {
            (Some(binding), Some(known)) => Self::Topic { known, binding },
            (Some(_), None) => Self::Hidden(Box::new(unbound)),
            (None, _) => unbound,
        })
    }

    /// Where schemas of subjects that no product owns are kept at all, those of a domain's topics are kept by the domain.
    async fn of_unbound(ctx: &Ctx, tx: &mut Tx, subject: &Subject) -> Result<Self, Error> {
        let Some(quarantine) = &ctx.app.settings.quarantine else { return Ok(Self::Nobody) };
        let path = ctx.app.settings.topic_prefixes.owner(subject).unwrap_or(quarantine);
        let domain = store::org::find_by_path(tx, path).await?;
        Ok(domain.map_or(Self::Nobody, Self::Quarantine))
    }

    /// Whether the caller may know of the subject. What no product owns is everybody's to see.
    pub(super) fn may_view(&self) -> bool {
        !matches!(self, Self::Hidden(_))
    }

    /// Goes on only if the caller may do it to what owns the subject. One that the caller may not know of is refused like
    /// one of no product, except that publishers of the quarantine domain may not do it there either.
    pub(super) fn authorize(&self, ctx: &Ctx, action: Action, subject: &Subject, what: &str) -> Result<(), Error> {
        let allowed = match self {
            Self::Topic { known, .. } => ctx.may(action, &Resource::Product(known.policy())),
            Self::Quarantine(domain) => ctx.may(Action::Publish, &Resource::Domain(&domain.path)),
            Self::Hidden(otherwise) => {
                // The answer for a free subject, at the same cost, except that it is never allowed.
                otherwise.authorize(ctx, action, subject, what)?;
                false
            }
            Self::Nobody => return Err(NotPermitted::NotBound(subject.clone()).into()),
        };
        if allowed {
            Ok(())
        } else {
            Err(crate::Error::Forbidden(crate::error::Forbidden::Policy(format!("{what} `{subject}`"))).into())
        }
    }

    /// Refuses one more of what a registry has so many of, unless a contract names it: those are as many as contracts say.
    pub(super) fn refuse_beyond(&self, ctx: &Ctx, count: i64) -> Result<(), Error> {
        let limit = ctx.app.settings.max_subjects;
        match self {
            Self::Topic { .. } => Ok(()),
            Self::Quarantine(_) | Self::Hidden(_) | Self::Nobody if count <= i64::from(limit) => Ok(()),
            Self::Quarantine(_) | Self::Hidden(_) | Self::Nobody => {
                let what = "the registry".to_owned();
                Err(Error::TooMany { what, of: "subjects", limit, setting: "subjects" })
            }
        }
    }
}

/// Those of the subjects of a schema that the caller may know of. Without any, the schema is missing.
pub(super) async fn visible_subjects(ctx: &Ctx, tx: &mut Tx, subjects: &[Subject]) -> Result<HashSet<Subject>, Error> {
    let mut newest: HashMap<Subject, TopicBinding> = HashMap::new();
    for topic in store::binding::list_topics_of_subjects(tx, subjects).await? {
        match newest.get(&topic.subject) {
            Some(newer) if newer.major > topic.major => {}
            Some(_) | None => drop(newest.insert(topic.subject.clone(), topic)),
        }
    }
    let contract_ids = newest.values().map(|topic| topic.contract_id).unique().collect_vec();
    let contracts: HashMap<_, ProductId> = store::contract::list_by_ids(tx, &contract_ids)
        .await?
        .into_iter()
        .map(|contract| (contract.id, contract.product_id))
        .collect();
    // The schema is one object, of the product of its first bound subject; mostly there is no other.
    let mut owners = contracts.values().copied().unique().map(Some).collect_vec();
    if owners.is_empty() {
        owners.push(None);
    }
    let visible = product::visible_owners(ctx, tx, owners).await?;
    let is_visible = |subject: &&Subject| match newest.get(*subject) {
        Some(topic) => contracts.get(&topic.contract_id).is_some_and(|id| visible.contains_key(id)),
        None => true,
    };
    Ok(subjects.iter().filter(is_visible).cloned().collect())
}

/// Which subjects the caller may know of, for lists.
pub(super) struct Visible {
    /// What is answered for a subject that is bound.
    bound: HashMap<Subject, bool>,
}

impl Visible {
    pub(super) async fn load(ctx: &Ctx, tx: &mut Tx) -> Result<Self, Error> {
        let topics = store::binding::list_topics(tx).await?;
        let contract_ids = topics.iter().map(|topic| topic.contract_id).unique().collect_vec();
        let contracts: HashMap<_, ProductId> = store::contract::list_by_ids(tx, &contract_ids)
            .await?
            .into_iter()
            .map(|contract| (contract.id, contract.product_id))
            .collect();
        let product_ids: Vec<ProductId> = contracts.values().copied().collect();
        let known = product_in_domain::load(tx, &product_ids).await?;
        let may_view: HashMap<ProductId, bool> =
            known.into_iter().map(|(id, known)| (id, ctx.may_view(&known.policy()))).collect();
        let mut bound = HashMap::new();
        let mut newest = HashMap::new();
        for topic in topics {
            let seen = contracts.get(&topic.contract_id).and_then(|id| may_view.get(id)).copied().unwrap_or(false);
            let major = newest.entry(topic.subject.clone()).or_insert(topic.major);
            if topic.major >= *major {
                *major = topic.major;
                bound.insert(topic.subject, seen);
            }
        }
        Ok(Self { bound })
    }

    pub(super) fn sees(&self, subject: &Subject) -> bool {
        self.bound.get(subject).copied().unwrap_or(true)
    }
}
