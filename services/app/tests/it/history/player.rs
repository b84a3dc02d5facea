//! Plays a history on an application and asks it what the model is asked.

use std::sync::Arc;
use std::time::Duration;

use app::actor::Standing;
use app::gate::Vended;
use app::grant::RequestAccess;
use app::identity::{AssignRole, NewRole};
use app::lease::Leases;
use app::target::PortTarget;
use app::{Actor, Ctx};
use domain::clock::Timestamp;
use domain::gate::Action;
use domain::grant::Purpose;
use domain::id::{DomainId, GrantId, LeaseId, PrincipalId, RoleId};
use domain::identity::{
    DomainRole, LOCAL_ISSUER, PlatformRole, Principal, PrincipalKind, PurposeCode, Role as HeldRole, RoleAssignment,
};
use domain::org::{Domain, Enforcement};
use domain::token::Bearer;
use store::Lock;
use store::revision::{self, Revision};
use testkit::actor::{TestActor, access_to};
use testkit::app::TestApp;
use testkit::inspector::Scene;

use super::model::{
    self, Answer, Class, Fate, Model, N_DOMAINS, N_FOLDERS, N_PEOPLE, N_PRODUCTS, ROBOT, ROBOTS_PERSON, Role, Step,
};

/// How often each answer was given, so that a test that asks for nothing is noticed.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    not_found: u64,
    shut: u64,
    open: u64,
    open_leases: u64,
    ended_leases: u64,
}

impl Counts {
    pub(crate) fn are_all_met(&self) -> bool {
        [self.not_found, self.shut, self.open, self.open_leases, self.ended_leases].iter().all(|count| *count > 0)
    }
}

/// The roles at the beginning of each history.
const ROLES: [(usize, usize, Role); 5] =
    [(0, 0, Role::Owner), (1, 1, Role::Owner), (2, 0, Role::Owner), (2, 1, Role::Owner), (ROBOT, 0, Role::Publisher)];

/// One history on an application, in domains and among people of its own.
pub(crate) struct Player<'a> {
    test: &'a TestApp,
    seed: u64,
    model: Model,
    domains: Vec<Domain>,
    people: Vec<Principal>,
    /// The batches that were laid in each folder.
    n_batches: [u64; N_FOLDERS],
    grants: Vec<GrantId>,
    leases: Vec<LeaseId>,
}

impl<'a> Player<'a> {
    #[expect(clippy::disallowed_methods, reason = "there is no lease yet that the change could end")]
    pub(crate) async fn new(test: &'a TestApp, seed: u64) -> Self {
        let (clock, random) = (test.clock.as_ref(), test.random.as_ref());
        let now = test.app.now();
        let domains: Vec<Domain> = (0..N_DOMAINS)
            .map(|n| Domain {
                id: DomainId::new(clock, random),
                path: format!("h{seed}-{n}").parse().unwrap(),
                enforcement: Enforcement::On,
                switch_at: None,
                created_at: now,
            })
            .collect();
        let ids: Vec<PrincipalId> = (0..N_PEOPLE).map(|_| PrincipalId::new(clock, random)).collect();
        let person = |(n, id): (usize, &PrincipalId)| Principal {
            id: *id,
            issuer: LOCAL_ISSUER.to_owned(),
            subject: format!("h{seed}-p{n}"),
            kind: if n == ROBOT { PrincipalKind::Service { owner: ids[ROBOTS_PERSON] } } else { PrincipalKind::User },
            enabled: true,
            disabled: None,
            created_at: now,
        };
        let people: Vec<Principal> = ids.iter().enumerate().map(person).collect();
        // Laid in one transaction: what makes them is not what is looked at here.
        let mut tx = test.app.db.write(Lock::Facts).await.unwrap();
        for domain in &domains {
            store::org::insert(&mut tx, domain).await.unwrap();
        }
        for person in &people {
            store::identity::insert_principal(&mut tx, person).await.unwrap();
        }
        for (who, domain, role) in ROLES {
            let role = RoleAssignment {
                id: RoleId::new(clock, random),
                principal_id: people[who].id,
                role: HeldRole::Domain(domains[domain].id, domain_role(role)),
                assigned_by: people[who].id,
                assigned_at: now,
            };
            store::identity::insert_role(&mut tx, &role).await.unwrap();
        }
        revision::bump(&mut tx, Revision::Access).await.unwrap();
        revision::bump(&mut tx, Revision::Visibility).await.unwrap();
        tx.commit().await.unwrap();
        let model = Model::new(&ROLES);
        Self { test, seed, model, domains, people, n_batches: [0; N_FOLDERS], grants: Vec::new(), leases: Vec::new() }
    }

    /// Plays the steps.
    ///
    /// # Errors
    /// The first difference between the application and the model.
    pub(crate) async fn play(mut self, steps: &[Step], counts: &mut Counts) -> Result<(), String> {
        for (n, step) in steps.iter().enumerate() {
            self.take(*step).await;
            self.model.step(*step);
            let told = |difference: String| format!("after step {n}, {step:?}: {difference}");
            if self.grants.len() != self.model.n_grants() || self.leases.len() != self.model.n_leases() {
                let (grants, leases) = (self.model.n_grants(), self.model.n_leases());
                let difference =
                    format!("{} grants and {} leases, not {grants} and {leases}", self.grants.len(), self.leases.len());
                return Err(told(difference));
            }
            let turn = usize::try_from(self.seed).unwrap_or_default() + 7 * n;
            self.ask(turn % N_PEOPLE, [0, 2][turn / N_PEOPLE % 2], Action::Read, counts).await.map_err(told)?;
            self.open(self.leases.len().saturating_sub(2), counts).await.map_err(told)?;
        }
        for who in 0..N_PEOPLE {
            for product in (0..N_PRODUCTS).filter(|product| *product == 0 || self.model.class_of(*product).is_some()) {
                for action in [Action::Read, Action::Repair] {
                    let asked = self.ask(who, product, action, counts).await;
                    asked.map_err(|difference| format!("at the end: {difference}"))?;
                }
            }
        }
        self.open(0, counts).await.map_err(|difference| format!("at the end: {difference}"))
    }

    /// Compares what somebody may do with a product's table.
    async fn ask(&self, who: usize, product: usize, action: Action, counts: &mut Counts) -> Result<(), String> {
        let expected = match action {
            Action::Repair => self.model.repair(who, product),
            Action::Read | Action::Write | Action::Inspect => self.model.read(who, product),
        };
        let found = self.actor(who).asks_why(&self.address(product), action).await.unwrap();
        let answer = match &found {
            None => Answer::NotFound,
            Some(decision) if decision.allowed => Answer::Open,
            Some(_) => Answer::Shut,
        };
        if answer != expected {
            let model = &self.model;
            return Err(format!(
                "{action} of {product} by {who} is {answer:?}, not {expected:?}: {found:#?} {model:#?}"
            ));
        }
        *match answer {
            Answer::NotFound => &mut counts.not_found,
            Answer::Shut => &mut counts.shut,
            Answer::Open => &mut counts.open,
        } += 1;
        Ok(())
    }

    /// Compares which leases the gateway opens.
    async fn open(&self, from: usize, counts: &mut Counts) -> Result<(), String> {
        for (n, lease) in self.leases.iter().enumerate().skip(from) {
            let answer = self.test.app.open(*lease).await;
            let (fate, expected) = (if answer.is_ok() { Fate::Open } else { Fate::Ended }, self.model.fate(n));
            if fate != expected {
                let model = &self.model;
                return Err(format!("lease {n} is {:?}, not {expected:?}: {model:#?}", answer.err()));
            }
            *match fate {
                Fate::Open => &mut counts.open_leases,
                Fate::Ended => &mut counts.ended_leases,
            } += 1;
        }
        Ok(())
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Publish { by, product, folder, class } => {
                // A product that was published stays where it lies.
                let folder = self.model.folder_of(product).unwrap_or(folder);
                let documents = documents(product, &self.folder(folder), class, "active");
                self.publish(by, product, &documents).await;
            }
            Step::Retire { by, product } => {
                if let Some(class) = self.model.class_of(product) {
                    // Its contract is not in the set, and its versions stay as they are.
                    let [document, _] = documents(product, "", class, "retired");
                    self.publish(by, product, &[document]).await;
                }
            }
            Step::Inspect { folder, good } => {
                if self.model.is_laid(folder) {
                    self.lay(folder, good).await;
                }
            }
            Step::Grant { to, product, by } => self.grant(to, product, by).await,
            Step::Revoke { by, grant } => {
                if !self.grants.is_empty() {
                    let grant = self.grants[grant % self.grants.len()];
                    let _ = self.actor(by).revokes(grant).await;
                }
            }
            Step::Assign { to, domain, role } => {
                let role = NewRole::Domain(self.domains[domain].path.clone(), domain_role(role));
                let command = AssignRole { subject: self.people[to].subject.clone(), role, key: None };
                app::identity::assign_role(&self.test.admin, command).await.unwrap();
            }
            Step::Unassign { from, domain, role } => {
                let wanted = HeldRole::Domain(self.domains[domain].id, domain_role(role));
                let held = app::identity::list_own_roles(&self.actor(from)).await.unwrap();
                if let Some(held) = held.iter().find(|held| held.role == wanted) {
                    app::identity::unassign_role(&self.test.admin, held.id, None).await.unwrap();
                }
            }
            Step::Disable { whom } => {
                self.test.admin.disables(self.people[whom].id).await.unwrap();
            }
            Step::Enable { whom } => {
                self.test.admin.enables(self.people[whom].id).await.unwrap();
            }
            Step::Vend { to, product, repair } => {
                let action = if repair { Action::Repair } else { Action::Read };
                if let Ok(Vended::Issued(issued)) = self.actor(to).vends(&self.address(product), action).await {
                    self.leases.push(issued.lease.id);
                }
            }
            Step::Wait { minutes } => self.test.clock.advance(Duration::from_secs(60 * minutes)),
        }
        // Grants that are given one after the other differ in their ends.
        self.test.clock.advance(Duration::from_millis(1));
    }

    async fn publish(&self, by: usize, product: usize, documents: &[String]) {
        let domain = self.domains[model::domain_of_product(product)].path.as_str();
        let _ = self.actor(by).publishes(domain, documents).await;
        app::jobs::run_due(&self.test.app).await.unwrap();
    }

    async fn lay(&mut self, folder: usize, good: bool) {
        let root = self.test.table_folder(&self.folder(folder));
        let log = root.join("_delta_log");
        std::fs::create_dir_all(&log).unwrap();
        std::fs::write(log.join(format!("{:020}.json", self.n_batches[folder])), b"{}").unwrap();
        self.n_batches[folder] += 1;
        let scene = Scene::of("id:integer");
        self.test.inspector.set(root, if good { scene } else { scene.breaking("required") });
        // The admin is a steward too, since this application started.
        let steward = Standing {
            platform_roles: vec![PlatformRole::Steward],
            ..Standing::clone(&self.test.admin.actor.standing)
        };
        let actor = Actor { standing: Arc::new(steward), ..Actor::clone(&self.test.admin.actor) };
        let ctx = Ctx { actor: Arc::new(actor), ..Ctx::clone(&self.test.admin) };
        let bound = (0..N_PRODUCTS).filter(|product| self.model.folder_of(*product) == Some(folder));
        let address = self.address(bound.min().unwrap()).parse().unwrap();
        app::table::inspect_table(&ctx, &address, None).await.unwrap();
        app::jobs::run_due(&self.test.app).await.unwrap();
    }

    async fn grant(&mut self, to: usize, product: usize, by: usize) {
        let access = RequestAccess {
            target: PortTarget::Port {
                domain: self.domains[model::domain_of_product(product)].path.clone(),
                product: format!("p{product}").parse().unwrap(),
                port: "rows".parse().unwrap(),
                major: None,
            },
            // What a role is for, so that a role and a grant are one right.
            purpose: Purpose::new(PurposeCode::Operations, "a step").unwrap(),
            ..access_to(&self.address(product))
        };
        if let Ok(grant) = self.actor(by).grants(&self.actor(to), access).await {
            self.grants.push(grant);
        }
    }

    /// Somebody as they were when nothing was known of them: every use case finds their roles out by itself.
    fn actor(&self, who: usize) -> TestActor {
        let standing = Standing {
            revision: -1,
            enabled: true,
            platform_roles: Vec::new(),
            domain_roles: Vec::new(),
            grants: Vec::new(),
            port_majors: Vec::new(),
            good_until: Timestamp(i64::MAX),
        };
        // A token of no chain, issued after whatever the history does.
        let end = Timestamp(i64::MAX);
        let bearer = Bearer { token_id: None, issued_at: end, expires_at: end, chain_ends_at: end };
        let actor = Actor { principal: self.people[who].clone(), standing: Arc::new(standing), purpose: None, bearer };
        Ctx { actor: Arc::new(actor), ..Ctx::clone(&self.test.admin) }.into()
    }

    fn address(&self, product: usize) -> String {
        let domain = &self.domains[model::domain_of_product(product)].path;
        format!("{domain}.p{product}.rows")
    }

    fn folder(&self, folder: usize) -> String {
        format!("{}/f{folder}", self.domains[model::domain_of_folder(folder)].path)
    }
}

fn domain_role(role: Role) -> DomainRole {
    match role {
        Role::Consumer => DomainRole::Consumer,
        Role::Publisher => DomainRole::Publisher,
        Role::Owner => DomainRole::Owner,
    }
}

/// A product's two documents. The contract is closed, so that its rules do not hang on the product's classification.
fn documents(product: usize, folder: &str, class: Class, status: &str) -> [String; 2] {
    let class = match class {
        Class::Internal => "internal",
        Class::Confidential => "confidential",
        Class::Restricted => "restricted",
    };
    let document = format!(
        "apiVersion: v1.0.0\nkind: DataProduct\nid: p{product}\nname: p{product}\nstatus: {status}\n\
         customProperties:\n  - property: classification\n    value: {class}\n\
         outputPorts:\n  - name: rows\n    version: 1.0.0\n    contractId: c{product}\n"
    );
    let contract = format!(
        "apiVersion: v3.1.0\nkind: DataContract\nid: c{product}\nversion: 1.0.0\nstatus: active\n\
         customProperties:\n  - property: closed\n    value: true\n\
         servers:\n  - server: lake\n    type: local\n    path: {folder}\n    format: delta\n\
         schema:\n  - name: rows\n    logicalType: object\n    properties:\n      - name: id\n        \
         logicalType: integer\n        required: true\n"
    );
    [document, contract]
}
