//! Conversion of facts to the Cedar entities that a question can reach.
//!
//! Every id is built from typed parts. The names of types and actions are parsed once, when policies are loaded.

use std::collections::{HashMap, HashSet};

use cedar_policy::{
    Entity, EntityAttrEvaluationError, EntityId, EntityTypeName, EntityUid, ParseErrors, RestrictedExpression,
};
use domain::contract::{Classification, Late, Settings};
use domain::grant::PortMajor;
use domain::id::{ContractVersionId, PrincipalId, ProductId};
use domain::identity::{DomainRole, PlatformRole, PrincipalKind, PurposeCode};
use domain::name::DomainPath;

use crate::action::Action;
use crate::facts::{Caller, Party, Product, Resource};

/// The entities of one question.
pub(crate) struct Facts {
    pub(crate) principal: EntityUid,
    pub(crate) resource: EntityUid,
    pub(crate) entities: Vec<Entity>,
}

/// The entity types of the schema, and the actions in the order of [`Action::ALL`].
pub(crate) struct Names {
    platform_role: EntityTypeName,
    principal_kind: EntityTypeName,
    classification: EntityTypeName,
    gate_mode: EntityTypeName,
    purpose: EntityTypeName,
    domain_role: EntityTypeName,
    grant_holder: EntityTypeName,
    principal: EntityTypeName,
    inspector: EntityTypeName,
    platform: EntityTypeName,
    domain: EntityTypeName,
    product: EntityTypeName,
    contract: EntityTypeName,
    binding: EntityTypeName,
    access_request: EntityTypeName,
    grant: EntityTypeName,
    lease: EntityTypeName,
    decision: EntityTypeName,
    actions: Vec<EntityUid>,
}

type Attributes = HashMap<String, RestrictedExpression>;
/// The error is boxed because it is large.
type Result<T> = std::result::Result<T, Box<EntityAttrEvaluationError>>;

impl Names {
    /// The product that an entity is; `None` for other entities, and for ids that no product can have.
    pub(crate) fn product_of(&self, entity: &EntityUid) -> Option<ProductId> {
        (entity.type_name() == &self.product).then(|| entity.id().unescaped().parse().ok())?
    }

    pub(crate) fn new() -> std::result::Result<Self, Box<ParseErrors>> {
        let action: EntityTypeName = "Action".parse()?;
        Ok(Self {
            platform_role: "PlatformRole".parse()?,
            principal_kind: "PrincipalKind".parse()?,
            classification: "Classification".parse()?,
            gate_mode: "GateMode".parse()?,
            purpose: "Purpose".parse()?,
            domain_role: "DomainRole".parse()?,
            grant_holder: "GrantHolder".parse()?,
            principal: "Principal".parse()?,
            inspector: "Inspector".parse()?,
            platform: "Platform".parse()?,
            domain: "Domain".parse()?,
            product: "Product".parse()?,
            contract: "Contract".parse()?,
            binding: "Binding".parse()?,
            access_request: "AccessRequest".parse()?,
            grant: "Grant".parse()?,
            lease: "Lease".parse()?,
            decision: "Decision".parse()?,
            actions: Action::ALL.iter().map(|it| uid(&action, it.as_str())).collect(),
        })
    }

    pub(crate) fn action(&self, action: Action) -> EntityUid {
        self.actions[action as usize].clone()
    }

    pub(crate) fn purpose(&self, purpose: PurposeCode) -> EntityUid {
        uid(&self.purpose, purpose.as_str())
    }

    /// The entities that a policy can reach from this caller and resource.
    pub(crate) fn entities(&self, caller: &Caller<'_>, resource: &Resource<'_>) -> Result<Facts> {
        let mut entities = Vec::with_capacity(8);
        let principal = self.caller(caller, resource, &mut entities)?;
        let resource = self.resource(caller, resource, &mut entities)?;
        Ok(Facts { principal, resource, entities })
    }

    fn caller(&self, caller: &Caller<'_>, resource: &Resource<'_>, entities: &mut Vec<Entity>) -> Result<EntityUid> {
        if caller.principal.kind == PrincipalKind::Inspector {
            let inspector = uid(&self.inspector, &caller.principal.id.to_string());
            entities.push(Entity::with_uid(inspector.clone()));
            return Ok(inspector);
        }
        let mut parents: HashSet<EntityUid> =
            caller.platform_roles.iter().map(|role| self.platform_role(*role)).collect();
        let domains: Vec<&DomainPath> = resource.domain().into_iter().chain(resource.sharers()).collect();
        self.domain_roles(caller, &domains, &mut parents, entities);
        if let Some(product) = resource.product() {
            let holders = self.product_holders(product.id);
            let first = caller.grants.partition_point(|grant| grant.product_id < product.id);
            for grant in caller.grants[first..].iter().take_while(|grant| grant.product_id == product.id) {
                let holder = self.port_major_holders(grant);
                if parents.insert(holder.clone()) {
                    entities.push(Entity::new_no_attrs(holder, HashSet::from([holders.clone()])));
                }
            }
        }
        let uid = self.principal(caller.principal.id);
        entities.push(Entity::new(uid.clone(), self.party(caller.principal, caller.limited), parents)?);
        Ok(uid)
    }

    /// The caller's roles that apply in the resource's domains. A role in a domain above is a member of the domain's
    /// own.
    fn domain_roles(
        &self,
        caller: &Caller<'_>,
        domains: &[&DomainPath],
        parents: &mut HashSet<EntityUid>,
        entities: &mut Vec<Entity>,
    ) {
        for (path, role) in caller.domain_roles {
            let held = self.domain_role(path, *role);
            let below =
                domains.iter().filter(|domain| path != **domain && domain.lineage().any(|above| above == *path));
            let below: HashSet<EntityUid> = below.map(|domain| self.domain_role(domain, *role)).collect();
            let applies = !below.is_empty() || domains.contains(&path);
            if applies && parents.insert(held.clone()) && !below.is_empty() {
                entities.push(Entity::new_no_attrs(held, below));
            }
        }
    }

    fn resource(&self, caller: &Caller<'_>, resource: &Resource<'_>, entities: &mut Vec<Entity>) -> Result<EntityUid> {
        let (name, id, product, (attribute, party), sharers) = match resource {
            Resource::Platform => return Ok(uid(&self.platform, "charterhouse")),
            Resource::Principal(party) => return self.other(caller, *party, entities),
            Resource::Domain(path) => return self.domain(path, entities),
            Resource::Product(product) => return self.product(product, entities),
            Resource::Contract { id, domain, classification, settings } => {
                return self.contract(*id, domain, *classification, settings, entities);
            }
            Resource::Binding { id, product, port_majors } => {
                let product_uid = self.product(product, entities)?;
                let holders =
                    port_majors.iter().map(|it| RestrictedExpression::new_entity_uid(self.port_major_holders(it)));
                let attributes = HashMap::from([
                    ("domain".to_owned(), RestrictedExpression::new_entity_uid(self.domain_uid(product.domain))),
                    ("product".to_owned(), RestrictedExpression::new_entity_uid(product_uid.clone())),
                    ("holders".to_owned(), RestrictedExpression::new_set(holders)),
                ]);
                let uid = uid(&self.binding, &id.to_string());
                entities.push(Entity::new(uid.clone(), attributes, HashSet::from([product_uid]))?);
                return Ok(uid);
            }
            Resource::Request { id, product, requester } => {
                (&self.access_request, id.to_string(), product, ("requester", requester), None)
            }
            Resource::Grant { id, product, principal, sharers } => {
                (&self.grant, id.to_string(), product, ("principal", principal), Some(sharers))
            }
            Resource::Lease { id, product, principal, sharers } => {
                (&self.lease, id.to_string(), product, ("principal", principal), Some(sharers))
            }
            Resource::Decision { id, product, principal, sharers } => {
                (&self.decision, id.to_string(), product, ("principal", principal), Some(sharers))
            }
        };
        let product_uid = self.product(product, entities)?;
        let party = self.other(caller, *party, entities)?;
        let mut attributes = HashMap::from([
            ("domain".to_owned(), RestrictedExpression::new_entity_uid(self.domain_uid(product.domain))),
            ("product".to_owned(), RestrictedExpression::new_entity_uid(product_uid.clone())),
            (attribute.to_owned(), RestrictedExpression::new_entity_uid(party)),
        ]);
        if let Some(sharers) = sharers {
            let owners = |domain| RestrictedExpression::new_entity_uid(self.domain_role(domain, DomainRole::Owner));
            attributes.insert("sharers".to_owned(), RestrictedExpression::new_set(sharers.iter().map(owners)));
        }
        let uid = uid(name, &id);
        entities.push(Entity::new(uid.clone(), attributes, HashSet::from([product_uid]))?);
        Ok(uid)
    }

    /// A principal, which is added unless it is the caller, who is already there.
    fn other(&self, caller: &Caller<'_>, party: Party, entities: &mut Vec<Entity>) -> Result<EntityUid> {
        let uid = self.principal(party.id);
        if party.id != caller.principal.id || caller.principal.kind == PrincipalKind::Inspector {
            entities.push(Entity::new(uid.clone(), self.party(party, false), HashSet::new())?);
        }
        Ok(uid)
    }

    fn domain(&self, path: &DomainPath, entities: &mut Vec<Entity>) -> Result<EntityUid> {
        let role = |role| RestrictedExpression::new_entity_uid(self.domain_role(path, role));
        let attributes = HashMap::from([
            ("owners".to_owned(), role(DomainRole::Owner)),
            ("publishers".to_owned(), role(DomainRole::Publisher)),
            ("consumers".to_owned(), role(DomainRole::Consumer)),
        ]);
        let uid = self.domain_uid(path);
        let above = path.lineage().skip(1).map(|above| self.domain_uid(&above)).collect();
        entities.push(Entity::new(uid.clone(), attributes, above)?);
        Ok(uid)
    }

    fn product(&self, product: &Product<'_>, entities: &mut Vec<Entity>) -> Result<EntityUid> {
        let domain = self.domain(product.domain, entities)?;
        let attributes = HashMap::from([
            ("domain".to_owned(), RestrictedExpression::new_entity_uid(domain.clone())),
            ("classification".to_owned(), self.classification(product.classification)),
            ("holders".to_owned(), RestrictedExpression::new_entity_uid(self.product_holders(product.id))),
        ]);
        let uid = uid(&self.product, &product.id.to_string());
        entities.push(Entity::new(uid.clone(), attributes, HashSet::from([domain]))?);
        Ok(uid)
    }

    fn contract(
        &self,
        id: ContractVersionId,
        domain: &DomainPath,
        classification: Classification,
        settings: &Settings,
        entities: &mut Vec<Entity>,
    ) -> Result<EntityUid> {
        let domain = self.domain(domain, entities)?;
        let gate_mode = uid(&self.gate_mode, settings.gate_mode.as_str());
        let seconds =
            |it: std::time::Duration| RestrictedExpression::new_long(i64::try_from(it.as_secs()).unwrap_or(i64::MAX));
        let attributes = HashMap::from([
            ("domain".to_owned(), RestrictedExpression::new_entity_uid(domain.clone())),
            ("classification".to_owned(), self.classification(classification)),
            ("gateMode".to_owned(), RestrictedExpression::new_entity_uid(gate_mode)),
            ("lateBlocks".to_owned(), RestrictedExpression::new_bool(settings.late == Late::Block)),
            ("closed".to_owned(), RestrictedExpression::new_bool(settings.closed)),
            ("pinned".to_owned(), RestrictedExpression::new_bool(settings.pinned.is_pinned())),
            ("final".to_owned(), RestrictedExpression::new_bool(settings.is_final)),
            ("graceSeconds".to_owned(), seconds(settings.grace)),
            ("exposureSeconds".to_owned(), seconds(settings.exposure)),
        ]);
        let uid = uid(&self.contract, &id.to_string());
        entities.push(Entity::new(uid.clone(), attributes, HashSet::from([domain]))?);
        Ok(uid)
    }

    fn party(&self, party: Party, limited: bool) -> Attributes {
        let (kind, person) = match party.kind {
            PrincipalKind::User | PrincipalKind::Inspector => ("user", party.id),
            PrincipalKind::Service { owner } => ("service", owner),
        };
        HashMap::from([
            ("kind".to_owned(), RestrictedExpression::new_entity_uid(uid(&self.principal_kind, kind))),
            ("person".to_owned(), RestrictedExpression::new_entity_uid(self.principal(person))),
            ("limited".to_owned(), RestrictedExpression::new_bool(limited)),
        ])
    }

    fn classification(&self, classification: Classification) -> RestrictedExpression {
        RestrictedExpression::new_entity_uid(uid(&self.classification, classification.as_str()))
    }

    fn platform_role(&self, role: PlatformRole) -> EntityUid {
        uid(&self.platform_role, role.as_str())
    }

    /// A path contains no `:`, so the id is unambiguous.
    fn domain_role(&self, path: &DomainPath, role: DomainRole) -> EntityUid {
        uid(&self.domain_role, &format!("{path}:{role}"))
    }

    fn principal(&self, id: PrincipalId) -> EntityUid {
        uid(&self.principal, &id.to_string())
    }

    fn domain_uid(&self, path: &DomainPath) -> EntityUid {
        uid(&self.domain, path.as_str())
    }

    fn product_holders(&self, id: ProductId) -> EntityUid {
        uid(&self.grant_holder, &id.to_string())
    }

    /// A name contains no `/`, so the id is unambiguous.
    fn port_major_holders(&self, PortMajor { product_id, port, major }: &PortMajor) -> EntityUid {
        uid(&self.grant_holder, &format!("{product_id}/{port}/{major}"))
    }
}

impl Resource<'_> {
    /// The domain whose roles apply.
    fn domain(&self) -> Option<&DomainPath> {
        match self {
            Self::Platform | Self::Principal(_) => None,
            Self::Domain(path) => Some(path),
            Self::Contract { domain, .. } => Some(domain),
            Self::Product(_)
            | Self::Binding { .. }
            | Self::Request { .. }
            | Self::Grant { .. }
            | Self::Lease { .. }
            | Self::Decision { .. } => self.product().map(|product| product.domain),
        }
    }

    /// The domains of the other products that are bound to the same table.
    fn sharers(&self) -> &[DomainPath] {
        match self {
            Self::Grant { sharers, .. } | Self::Lease { sharers, .. } | Self::Decision { sharers, .. } => sharers,
            Self::Platform
            | Self::Principal(_)
            | Self::Domain(_)
            | Self::Product(_)
            | Self::Contract { .. }
            | Self::Binding { .. }
            | Self::Request { .. } => &[],
        }
    }

    /// The product whose grants apply.
    fn product(&self) -> Option<&Product<'_>> {
        match self {
            Self::Platform | Self::Principal(_) | Self::Domain(_) | Self::Contract { .. } => None,
            Self::Product(product)
            | Self::Binding { product, .. }
            | Self::Request { product, .. }
            | Self::Grant { product, .. }
            | Self::Lease { product, .. }
            | Self::Decision { product, .. } => Some(product),
        }
    }
}

fn uid(name: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id))
}
