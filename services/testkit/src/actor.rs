//! The actors of tests. The verbs of [`TestActor`] are the use cases of `app` with the arguments that tests vary. They
//! return the result of the use case, so that a test can assert a refusal.

use std::ops::Deref;

use app::grant::{Answer, ApproveRequest, RequestAccess, Revoked};
use app::publish::Outcome;
use app::target::PortTarget;
use app::token::{CreateToken, MadeToken};
use app::{Ctx, Error, gate};
use domain::gate::{Action, Explained, LineOutcome};
use domain::grant::{AccessRequest, Grant, Purpose};
use domain::id::{AccessRequestId, GrantId, PrincipalId};
use domain::identity::{Principal, PurposeCode, Role, RoleAssignment};

use crate::app::set;

/// A principal who has signed in.
#[derive(Clone)]
pub struct TestActor(Ctx);

impl From<Ctx> for TestActor {
    fn from(ctx: Ctx) -> Self {
        Self(ctx)
    }
}

impl Deref for TestActor {
    type Target = Ctx;

    fn deref(&self) -> &Ctx {
        &self.0
    }
}

impl TestActor {
    /// The principal's id.
    pub fn id(&self) -> PrincipalId {
        self.actor.principal.id
    }

    /// Publishes documents into a domain.
    ///
    /// # Errors
    /// Those of `app::publish::apply`.
    pub async fn publishes(&self, domain: &str, documents: &[impl AsRef<str>]) -> Result<Outcome, Error> {
        app::publish::apply(self, set(domain, documents)).await
    }

    /// Requests access; see [`access_to`].
    ///
    /// # Errors
    /// Those of `app::grant::request_access`.
    pub async fn requests(&self, access: RequestAccess) -> Result<AccessRequest, Error> {
        app::grant::request_access(self, access).await
    }

    /// Approves a request.
    ///
    /// # Errors
    /// Those of `app::grant::approve_request`.
    pub async fn approves(&self, id: AccessRequestId) -> Result<Answer<(AccessRequest, Grant)>, Error> {
        let command = ApproveRequest { id, until: None, reason: None, key: None };
        app::grant::approve_request(self, command).await
    }

    /// Approves what a reader requests.
    ///
    /// # Errors
    /// Those of the request and of its approval.
    pub async fn grants(&self, reader: &Self, access: RequestAccess) -> Result<GrantId, Error> {
        match self.approves(reader.requests(access).await?.id).await? {
            Answer::Done((_, grant)) => Ok(grant.id),
            Answer::NotPending(request) => panic!("a new request is pending: {request:?}"),
        }
    }

    /// Revokes a grant.
    ///
    /// # Errors
    /// Those of `app::grant::revoke_grant`.
    pub async fn revokes(&self, grant: GrantId) -> Result<Revoked, Error> {
        app::grant::revoke_grant(self, grant, "the project ended", None).await
    }

    /// Requests credentials for a table.
    ///
    /// # Errors
    /// Those of `app::gate::vend`.
    pub async fn vends(&self, table: &str, action: Action) -> Result<gate::Vended, Error> {
        let command = gate::Vend { address: address(table), action, purpose: None, lifetime: None };
        gate::vend(self, command).await
    }

    /// Gets a lease for reading a table, for which the gate has to be open.
    pub async fn leases(&self, table: &str) -> gate::Issued {
        issued(self.vends(table, Action::Read).await)
    }

    /// The codes of the checks that keep the actor from reading a table, for which the gate has to be shut.
    pub async fn refusals(&self, table: &str) -> Vec<String> {
        refused(self.vends(table, Action::Read).await)
    }

    /// Asks for a decision without credentials.
    ///
    /// # Errors
    /// Those of `app::gate::why`.
    pub async fn asks_why(&self, table: &str, action: Action) -> Result<Option<Explained>, Error> {
        gate::why(self, &address(table), action, None).await
    }

    /// Disables a principal.
    ///
    /// # Errors
    /// Those of `app::identity::set_enabled`.
    pub async fn disables(&self, id: PrincipalId) -> Result<Principal, Error> {
        app::identity::set_enabled(self, id, false, None).await
    }

    /// Enables a principal.
    ///
    /// # Errors
    /// Those of `app::identity::set_enabled`.
    pub async fn enables(&self, id: PrincipalId) -> Result<Principal, Error> {
        app::identity::set_enabled(self, id, true, None).await
    }

    /// Takes away the only role that a principal has in a domain.
    ///
    /// # Errors
    /// Those of `app::identity::unassign_role`.
    pub async fn unassigns(&self, holder: &Self, domain: &str) -> Result<RoleAssignment, Error> {
        let path = domain.parse().expect("the path of a domain");
        let domain = app::org::find_domain(holder, &path).await?.expect("a domain");
        let mut roles = app::identity::list_own_roles(holder).await?;
        roles.retain(|held| matches!(held.role, Role::Domain(id, _) if id == domain.id));
        let [held] = &roles[..] else { panic!("not one role: {roles:?}") };
        app::identity::unassign_role(self, held.id, None).await
    }

    /// Creates a token of a subject.
    ///
    /// # Errors
    /// Those of `app::token::create_token`.
    pub async fn creates_token(&self, subject: &str) -> Result<MadeToken, Error> {
        let command = CreateToken { subject: Some(subject.to_owned()), lifetime: None, purpose: None };
        app::token::create_token(self, command).await
    }
}

fn address(table: &str) -> domain::name::Address {
    table.parse().expect("the address of a table")
}

/// The usual access to a table: for analytics, without an end.
pub fn access_to(table: &str) -> RequestAccess {
    RequestAccess {
        target: PortTarget::Table(address(table)),
        purpose: Purpose::new(PurposeCode::Analytics, "to learn").expect("a purpose"),
        from: None,
        until: None,
        key: None,
    }
}

/// The lease of an answer, for which the gate has to be open.
pub fn issued(vended: Result<gate::Vended, Error>) -> gate::Issued {
    match vended.expect("an answer") {
        gate::Vended::Issued(issued) => *issued,
        gate::Vended::Refused(decision) => panic!("shut: {decision:?}"),
    }
}

/// The codes of the checks that fail, for which the gate has to be shut.
pub fn refused(vended: Result<gate::Vended, Error>) -> Vec<String> {
    match vended.expect("an answer") {
        gate::Vended::Issued(issued) => panic!("open: {:?}", issued.lease),
        gate::Vended::Refused(decision) => {
            let failing = decision.lines.into_iter().filter(|line| line.outcome == LineOutcome::Fails);
            failing.map(|line| line.code.to_string()).collect()
        }
    }
}
