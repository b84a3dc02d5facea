//! What every use case is given: the parts of the program, and who asks.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use domain::clock::{Clock, Random, Timestamp};
use domain::contract::Classification;
use domain::id::PrincipalId;
use domain::identity::{LOCAL_ISSUER, Principal, Verifier};
use domain::inspection::Inspector;
use domain::lease::Vendor;
use domain::name::DomainPath;
use domain::storage::Lake;
use domain::topic::TopicPrefixes;
use policy::{Action, Policy, Question, Resource};
use store::revision::Revision;
use store::{Db, ListScope, Tx};
use tokio::sync::Notify;

use crate::actor::{Actor, Standing, roles_of};
use crate::cache::Caches;
use crate::column_reads::recorder::Recorder;
use crate::data_dir::{DataDir, LEASE_KEY, RECORD_KEY};
use crate::error::{Error, Forbidden};
use crate::issuer::Issuer;
use crate::lease::{GatewayVendor, LeaseSecrets};
use crate::rate::Rate;
use crate::readiness::LastProbe;
use crate::registry::turns::Turns;

/// The parts of the program; `charter` and the tests wire it.
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The policies in force.
    pub policy: Policy,
    /// Makes and checks tokens.
    pub issuer: Issuer,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Runs inspections.
    pub inspector: Arc<dyn Inspector>,
    /// The data directory.
    pub folder: DataDir,
    /// The storage of all tables.
    pub lake: Arc<dyn Lake>,
    /// Makes the credentials of leases; `None` for the gateway's own vendor.
    pub vendor: Option<Arc<dyn Vendor>>,
    /// Verify the tokens of other issuers than the local one.
    pub verifiers: Vec<Arc<dyn Verifier>>,
    /// What may be configured.
    pub settings: Settings,
}

/// What may be configured.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Where clients reach the gateway, such as `http://127.0.0.1:7071`.
    pub gateway_endpoint: String,
    /// The region in clients' credentials and in the gateway's answers.
    pub region: domain::s3::Region,
    /// How often the names of all tables are looked at (`inspect.poll`).
    pub poll: Duration,
    /// How old the last look may be before a decision looks by itself (`inspect.probe`).
    pub probe: Duration,
    /// How many inspections run at once.
    pub n_inspections: usize,
    /// How long an inspection holds its job: a little longer than the inspector's own deadline.
    pub inspection_claim: Duration,
    /// The domain that keeps the schemas of subjects which no product owns (`registry.quarantine`); without one they are
    /// refused.
    pub quarantine: Option<DomainPath>,
    /// The domains that topics belong to by their names (`registry.prefixes`).
    pub topic_prefixes: TopicPrefixes,
    /// The policies that versions of contracts are compared under (`contracts.promises`).
    pub comparison: domain::change::Options,
    /// How many versions a subject has at most, counted with those out of use (`registry.versions`): a new schema may be
    /// compared with all of them.
    pub max_versions: u32,
    /// How often a principal may ask for credentials in a second (`limits.vends`); 0 for no limit.
    pub vends_per_second: u32,
    /// How many lineage events a principal may send in a second (`limits.lineage`); 0 for no limit.
    pub lineage_events_per_second: u32,
    /// How many subjects there are before none is added that no product owns (`registry.subjects`).
    pub max_subjects: u32,
    /// How long a search, or a question about lineage, waits for the index or the graph to take the newest changes.
    /// Afterwards its answer is partial.
    pub catch_up_wait: Duration,
}

impl Settings {
    /// What tests use: looks only when asked to, and no answer depends on the load of the machine.
    pub fn for_testing() -> Self {
        Self {
            poll: Duration::from_secs(3_600),
            n_inspections: 1,
            vends_per_second: 0,
            catch_up_wait: Duration::from_secs(60),
            lineage_events_per_second: 0,
            ..Self::default()
        }
    }

    /// How many inspections of one domain run at once: where there are several, one is left for the other domains.
    pub(crate) fn max_of_domain(&self) -> i64 {
        i64::try_from(self.n_inspections.saturating_sub(1).max(1)).unwrap_or(i64::MAX)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            gateway_endpoint: "http://127.0.0.1:7071".to_owned(),
            region: domain::s3::Region::default(),
            poll: Duration::from_secs(60),
            probe: Duration::from_secs(5),
            n_inspections: 3,
            inspection_claim: Duration::from_secs(660),
            quarantine: None,
            topic_prefixes: TopicPrefixes::default(),
            comparison: domain::change::Options::default(),
            max_versions: 10_000,
            max_subjects: 100_000,
            vends_per_second: 1_000,
            catch_up_wait: Duration::from_secs(1),
            lineage_events_per_second: 1_000,
        }
    }
}

/// The running program.
pub struct App {
    /// The database.
    pub db: Db,
    /// The policies in force.
    pub policy: Policy,
    /// Makes and checks tokens.
    pub issuer: Issuer,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// What may be configured.
    pub settings: Settings,
    pub(crate) inspector: Arc<dyn Inspector>,
    pub(crate) folder: DataDir,
    pub(crate) lake: Arc<dyn Lake>,
    pub(crate) vendor: Arc<dyn Vendor>,
    pub(crate) verifiers: Vec<Arc<dyn Verifier>>,
    pub(crate) secrets: LeaseSecrets,
    pub(crate) record_key: domain::audit::Key,
    pub(crate) caches: Caches,
    pub(crate) work: Notify,
    /// Held while a job is claimed: on PostgreSQL two claims at once would not count each other.
    pub(crate) claiming: tokio::sync::Mutex<()>,
    /// Whose turn it is to register a schema in each subject.
    pub(crate) registrations: Turns,
    pub(crate) last_probe: LastProbe,
    /// How often each principal asks for credentials.
    pub(crate) vends: Rate<PrincipalId>,
    /// What open leases read since it was written last.
    pub(crate) column_reads: Recorder,
    /// How many lineage events each principal sends.
    pub(crate) lineage_events: Rate<PrincipalId>,
    /// What an earlier run of the program left behind is older than this.
    pub(crate) started_at: Timestamp,
}

impl App {
    /// Puts the parts together; makes the keys that are missing.
    ///
    /// # Errors
    /// If a key cannot be read or made, or if two verifiers have one issuer.
    pub fn new(parts: Parts) -> std::io::Result<Arc<Self>> {
        let Parts { db, policy, issuer, clock, random, inspector, folder, lake, vendor, verifiers, settings } = parts;
        one_verifier_each(&verifiers)?;
        let vends = Rate::per_second(settings.vends_per_second);
        let lineage_events = Rate::per_second(settings.lineage_events_per_second);
        let secrets = LeaseSecrets::new(folder.key(LEASE_KEY, random.as_ref())?);
        let vendor = vendor.unwrap_or_else(|| {
            Arc::new(GatewayVendor {
                secrets: secrets.clone(),
                endpoint: settings.gateway_endpoint.clone(),
                region: settings.region.to_string(),
            })
        });
        let record_key = domain::audit::Key::new(folder.key(RECORD_KEY, random.as_ref())?);
        Ok(Arc::new(Self {
            started_at: clock.now(),
            db,
            policy,
            issuer,
            clock,
            random,
            settings,
            inspector,
            folder,
            lake,
            vendor,
            verifiers,
            secrets,
            record_key,
            caches: Caches::default(),
            work: Notify::new(),
            claiming: tokio::sync::Mutex::default(),
            registrations: Turns::default(),
            last_probe: LastProbe::default(),
            vends,
            column_reads: Recorder::default(),
            lineage_events,
        }))
    }

    /// Closes the database, then releases the data folder for another server.
    pub async fn close(&self) {
        self.db.close().await;
        if let Err(error) = self.folder.unlock() {
            tracing::warn!(%error, "the data directory could not be unlocked");
        }
    }

    /// The moment now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether the policy allows an actor something. A policy that cannot be evaluated is a refusal, and an alarm.
    pub(crate) fn allows(&self, actor: &Actor, action: Action, resource: &Resource<'_>) -> bool {
        let question = Question { caller: &actor.caller(), action, resource, purpose: None };
        let answer = self.policy.decide(&question);
        if !answer.errors.is_empty() {
            tracing::error!(action = action.as_str(), errors = ?answer.errors, "policy evaluation failed");
        }
        answer.allowed
    }

    /// The present value of a revision: from memory where no other process can have moved it.
    pub(crate) async fn revision(&self, revision: Revision) -> Result<i64, Error> {
        match self.db.known_revision(revision) {
            Some(value) => Ok(value),
            None => Ok(store::revision::get(&mut self.db.read_once().await?, revision).await?),
        }
    }

    /// A principal, by its issuer and what that calls it, with its current roles and grants. Cached until the access
    /// revision moves.
    pub(crate) async fn known_principal(
        &self,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<(Principal, Arc<Standing>)>, Error> {
        let revision = self.revision(Revision::Access).await?;
        let now = self.now();
        let key = (issuer.to_owned(), subject.to_owned());
        let kept = self.caches.principals.get(&key);
        if let Some(kept) = kept.filter(|(_, kept)| kept.holds(revision, now)) {
            return Ok(Some(kept));
        }
        let mut tx = self.db.read().await?;
        let found = store::identity::find_by_subject(&mut tx, issuer, subject).await?;
        let Some(principal) = found else { return Ok(None) };
        let standing = Arc::new(Standing::load(&mut tx, &principal, now).await?);
        self.caches.principals.insert(key, (principal.clone(), Arc::clone(&standing)));
        Ok(Some((principal, standing)))
    }
}

/// Checks that each issuer has one verifier, and the local issuer only its own: a verifier of an issuer vouches for all
/// of its principals.
fn one_verifier_each(verifiers: &[Arc<dyn Verifier>]) -> std::io::Result<()> {
    let mut issuers = HashSet::from([LOCAL_ISSUER]);
    match verifiers.iter().find(|verifier| !issuers.insert(verifier.issuer())) {
        None => Ok(()),
        Some(verifier) => {
            let message = format!("the token issuer `{}` is configured twice, or is the local one", verifier.issuer());
            Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, message))
        }
    }
}

/// One request: the program, who asks, and the request's id for records and logs.
#[derive(Clone)]
pub struct Ctx {
    /// The program.
    pub app: Arc<App>,
    /// Who asks.
    pub actor: Arc<Actor>,
    /// The request's id.
    pub request_id: Arc<str>,
}

impl Ctx {
    /// The moment now.
    pub fn now(&self) -> Timestamp {
        self.app.now()
    }

    /// The same request with the caller's roles and grants as this transaction sees them: what a use case that writes
    /// judges by, so that a role taken away since the caller signed in gives nothing.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] if the caller has been disabled, or their token revoked.
    pub(crate) async fn fresh(&self, tx: &mut Tx) -> Result<Self, Error> {
        let access = store::revision::get(tx, Revision::Access).await?;
        self.fresh_at(tx, access).await
    }

    /// The same, where the transaction has read the access revision already.
    ///
    /// # Errors
    /// As [`Ctx::fresh`].
    pub(crate) async fn fresh_at(&self, tx: &mut Tx, access: i64) -> Result<Self, Error> {
        if self.actor.standing.holds(access, self.now()) {
            return Ok(self.clone());
        }
        let standing = Arc::new(Standing::load(tx, &self.actor.principal, self.now()).await?);
        if !standing.enabled || !self.actor.token_is_valid(tx).await? {
            return Err(Error::Unauthenticated);
        }
        Ok(Self { actor: Arc::new(Actor { standing, ..Actor::clone(&self.actor) }), ..self.clone() })
    }

    /// Whether the policy allows it.
    pub fn may(&self, action: Action, resource: &Resource<'_>) -> bool {
        self.app.allows(&self.actor, action, resource)
    }

    /// The same request with the domain roles of the person behind the caller and of all their service accounts, which
    /// count as one where duties are separated.
    pub(crate) async fn as_person(&self, tx: &mut Tx) -> Result<Self, Error> {
        let assignments = store::identity::list_roles_of_person(tx, self.actor.principal.person()).await?;
        let (_, domain_roles) = roles_of(tx, assignments).await?;
        let standing = Arc::new(Standing { domain_roles, ..Standing::clone(&self.actor.standing) });
        Ok(Self { actor: Arc::new(Actor { standing, ..Actor::clone(&self.actor) }), ..self.clone() })
    }

    /// The requests, grants, leases and decisions that are read for the caller, who sees at most these. Without a role it is
    /// its own: what belongs to a service account is listed to the account itself.
    pub(crate) fn list_scope(&self) -> ListScope {
        let (id, standing) = (self.actor.principal.id, &self.actor.standing);
        match (standing.platform_roles.is_empty(), standing.domain_roles.is_empty()) {
            (true, true) => ListScope::Own(id),
            (true, false) => ListScope::InReachOf(id),
            (false, _) => ListScope::All,
        }
    }

    /// Goes on only if the policy allows it; `what` completes "not allowed to".
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn authorize(&self, action: Action, resource: &Resource<'_>, what: &str) -> Result<(), Error> {
        if self.may(action, resource) { Ok(()) } else { Err(Error::Forbidden(Forbidden::Policy(what.to_owned()))) }
    }

    /// Whether the caller may know of a product.
    pub fn may_view(&self, product: &policy::Product<'_>) -> bool {
        self.may(Action::ViewProduct, &Resource::Product(*product))
    }

    /// Whether the caller may know of something of this classification in a product, such as a column.
    pub fn may_view_column(&self, product: &policy::Product<'_>, classification: Classification) -> bool {
        let as_if = policy::Product { classification: product.classification.max(classification), ..*product };
        self.may_view(&as_if)
    }
}
