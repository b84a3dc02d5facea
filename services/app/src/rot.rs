//! Neglected parts of the catalog, for those who can mend it: holders of roles in a domain or on the platform.

use std::collections::HashMap;

use domain::clock::Timestamp;
use domain::contract::SERVING_ENVIRONMENT;
use domain::grant::Grant;
use domain::id::{ContractVersionId, DomainId, GrantId, ProductId};
use domain::name::DomainPath;
use domain::org::Domain;
use domain::rot::{Kind, MAX_UNREAD, MAX_UNUSED};
use itertools::Itertools as _;
use store::Seek;
use store::rot::{MAX_DOMAINS, PAGE};
use uuid::Uuid;

use crate::contract::{self, VersionView};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::paging::MAX_PAGE;
use crate::product_in_domain::ProductInDomain;
use crate::{grant, identity, product};

/// The most findings of a kind in an answer.
const MAX_OF_KIND: usize = 1_000;

/// What was found.
#[derive(Debug)]
pub struct Rot {
    /// By kind, then by address.
    pub findings: Vec<Finding>,
    /// Whether that is all; `false` if there are too many of a kind.
    pub is_complete: bool,
}

/// A neglected domain, product, grant or contract.
#[derive(Debug)]
pub struct Finding {
    /// What is wrong.
    pub kind: Kind,
    /// With what.
    pub subject: Subject,
    /// Since when; for a domain, its creation.
    pub since: Timestamp,
}

/// What a finding is about.
#[derive(Debug)]
pub enum Subject {
    /// A domain.
    Domain(Domain),
    /// A product.
    Product(ProductInDomain),
    /// A version of a contract.
    Version(Box<VersionView>),
    /// A grant, and the product that it opens.
    Grant(Box<Grant>, ProductInDomain),
}

impl Subject {
    /// The domain it belongs to.
    pub fn domain(&self) -> &Domain {
        match self {
            Self::Domain(domain) => domain,
            Self::Product(known) | Self::Grant(_, known) => &known.domain,
            Self::Version(view) => &view.known.domain,
        }
    }

    /// The product it belongs to.
    pub fn product(&self) -> Option<&ProductInDomain> {
        match self {
            Self::Domain(_) => None,
            Self::Product(known) | Self::Grant(_, known) => Some(known),
            Self::Version(view) => Some(&view.known),
        }
    }

    /// By what people know it.
    pub fn address(&self) -> String {
        match self {
            Self::Domain(domain) => domain.path.to_string(),
            Self::Product(known) => known.address(),
            Self::Version(view) => {
                format!("{} {} {}", view.known.address(), view.contract.document_id, view.version.version)
            }
            Self::Grant(grant, known) => {
                format!("{}:{} v{}", known.address(), grant.port_major.port, grant.port_major.major)
            }
        }
    }
}

/// Neglected parts of the catalog, in one domain or in all domains of the caller's roles; in all of them for platform
/// roles. What the caller may not see is left out, and a domain that does not exist or is not theirs has nothing.
///
/// # Errors
/// Those of any use case.
pub async fn find_rot(ctx: &Ctx, path: Option<&DomainPath>) -> Result<Rot, Error> {
    let domains = domains(ctx, path).await?;
    let mut rot = Rot { findings: Vec::new(), is_complete: true };
    for kind in Kind::ALL {
        let mut findings = findings(ctx, *kind, &domains).await?;
        rot.is_complete &= findings.len() <= MAX_OF_KIND;
        findings.truncate(MAX_OF_KIND);
        rot.findings.append(&mut findings);
    }
    rot.findings.sort_by_cached_key(|finding| (finding.kind, finding.subject.address(), finding.since));
    Ok(rot)
}

/// All findings of a kind, or more than [`MAX_OF_KIND`]. What the caller may not see does not count.
async fn findings(ctx: &Ctx, kind: Kind, domains: &HashMap<DomainId, Domain>) -> Result<Vec<Finding>, Error> {
    let ids = domains.keys().copied().sorted().collect_vec();
    let mut findings = Vec::new();
    for ids in ids.chunks(MAX_DOMAINS) {
        let mut after = None;
        loop {
            let mut page = page(ctx, kind, domains, ids, after).await?;
            findings.append(&mut page.findings);
            if findings.len() > MAX_OF_KIND {
                return Ok(findings);
            }
            after = page.last;
            if page.n_rows < PAGE {
                break;
            }
        }
    }
    Ok(findings)
}

/// A page of a list of the store, as the caller sees it.
struct Page {
    findings: Vec<Finding>,
    n_rows: usize,
    last: Option<Uuid>,
}

impl Page {
    fn of<I: Copy>(rows: &[(I, Timestamp)], uuid: fn(I) -> Uuid, findings: Vec<Finding>) -> Self {
        Self { findings, n_rows: rows.len(), last: rows.last().map(|(id, _)| uuid(*id)) }
    }
}

async fn page(
    ctx: &Ctx,
    kind: Kind,
    domains: &HashMap<DomainId, Domain>,
    ids: &[DomainId],
    after: Option<Uuid>,
) -> Result<Page, Error> {
    let mut tx = ctx.app.db.read().await?;
    let now = ctx.now();
    let domain = |(id, since): (DomainId, Timestamp)| {
        Some(Finding { kind, subject: Subject::Domain(domains.get(&id)?.clone()), since })
    };
    Ok(match kind {
        Kind::WithoutOwner => {
            let rows = store::rot::list_without_owner(&mut tx, ids, after.map(DomainId)).await?;
            Page::of(&rows, |id| id.0, rows.iter().copied().filter_map(domain).collect())
        }
        Kind::NotEnforced => {
            let rows = store::rot::list_not_enforced(&mut tx, ids, after.map(DomainId)).await?;
            Page::of(&rows, |id| id.0, rows.iter().copied().filter_map(domain).collect())
        }
        Kind::NotRead => {
            let before = now.minus(MAX_UNREAD).0;
            let rows = store::rot::list_not_read(&mut tx, ids, after.map(ProductId), before).await?;
            drop(tx);
            Page::of(&rows, |id| id.0, products(ctx, &rows).await?)
        }
        Kind::NotUsed => {
            let before = now.minus(MAX_UNUSED).0;
            let rows = store::rot::list_not_used(&mut tx, ids, after.map(GrantId), now.0, before).await?;
            drop(tx);
            Page::of(&rows, |id| id.0, grants(ctx, &rows).await?)
        }
        Kind::NotPassing => {
            let after = after.map(ContractVersionId);
            let rows = store::rot::list_not_passing(&mut tx, ids, after, SERVING_ENVIRONMENT).await?;
            drop(tx);
            Page::of(&rows, |id| id.0, versions(ctx, &rows).await?)
        }
    })
}

async fn products(ctx: &Ctx, rows: &[(ProductId, Timestamp)]) -> Result<Vec<Finding>, Error> {
    let ids = rows.iter().map(|(id, _)| *id).collect_vec();
    let mut known = product::load_products(ctx, &ids).await?;
    let finding =
        |&(id, since): &_| Some(Finding { kind: Kind::NotRead, subject: Subject::Product(known.remove(&id)?), since });
    Ok(rows.iter().filter_map(finding).collect())
}

async fn grants(ctx: &Ctx, rows: &[(GrantId, Timestamp)]) -> Result<Vec<Finding>, Error> {
    let since: HashMap<_, _> = rows.iter().copied().collect();
    let ids = since.keys().copied().sorted().collect_vec();
    let grants = grant::load_grants(ctx, &ids).await?;
    let products = grants.iter().map(|grant| grant.port_major.product_id).unique().collect_vec();
    let products = product::load_products(ctx, &products).await?;
    let finding = |grant: Grant| {
        let known = products.get(&grant.port_major.product_id)?.clone();
        let since = *since.get(&grant.id)?;
        Some(Finding { kind: Kind::NotUsed, subject: Subject::Grant(Box::new(grant), known), since })
    };
    Ok(grants.into_iter().filter_map(finding).collect())
}

async fn versions(ctx: &Ctx, rows: &[(ContractVersionId, Timestamp)]) -> Result<Vec<Finding>, Error> {
    let since: HashMap<_, _> = rows.iter().copied().collect();
    let ids = since.keys().copied().sorted().collect_vec();
    let finding = |view: VersionView| {
        let since = *since.get(&view.version.id)?;
        Some(Finding { kind: Kind::NotPassing, subject: Subject::Version(Box::new(view)), since })
    };
    Ok(contract::load_versions(ctx, &ids).await?.into_iter().filter_map(finding).collect())
}

/// The domains that the caller is asked about, as far as they are theirs.
async fn domains(ctx: &Ctx, path: Option<&DomainPath>) -> Result<HashMap<DomainId, Domain>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let mut found = HashMap::new();
    let mut add = |domains: Vec<Domain>| {
        let theirs = domains.into_iter().filter(|domain| identity::sees_roles(ctx, domain));
        found.extend(theirs.map(|domain| (domain.id, domain)));
    };
    if let Some(path) = path {
        add(store::org::find_by_path(&mut tx, path).await?.into_iter().collect());
        return Ok(found);
    }
    let mut seek = Seek::first(MAX_PAGE);
    loop {
        let page = store::org::list(&mut tx, &seek).await?;
        seek.after = page.items.last().map(|domain| domain.path.clone());
        add(page.items);
        if !page.has_more {
            return Ok(found);
        }
    }
}
