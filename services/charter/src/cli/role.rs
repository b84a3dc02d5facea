//! `charter role`: the roles of principals in domains and on the platform.

use clap::Subcommand;
use cynic::Id;
use serde::Serialize;

use super::answer::{DomainName, PrincipalName};
use super::api::{DateTime, RoleWord, operation, schema};
use super::args::{self, Idempotency, Remote};
use super::client::Client;
use super::error::{Error, Exit, Result};
use super::output::{self, or_dash};

/// `charter role`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Subcommand)]
enum Command {
    /// Assign a role: a domain role with `--domain`, a platform role without
    Assign {
        /// Principal that gets the role
        subject: String,
        /// Role to assign
        #[arg(value_enum)]
        role: RoleWord,
        /// Domain in which the role applies, including its subdomains
        #[arg(short, long, value_parser = args::domain_path)]
        domain: Option<String>,
        #[command(flatten)]
        idempotency: Idempotency,
    },
    /// Remove a role assignment
    Unassign {
        /// Id of the assignment, as shown by `role assign` and `role list`
        #[arg(value_name = "ID")]
        assignment: String,
        #[command(flatten)]
        idempotency: Idempotency,
    },
    /// List the roles in a domain, or your own
    List {
        /// Domain; your own roles if not given
        #[arg(short, long, value_parser = args::domain_path)]
        domain: Option<String>,
    },
}

operation!($ mutation "Mutation" AssignRole { input: AssignRoleInput } "assignRole" -> AssignRolePayload);
operation!($ mutation "Mutation" UnassignRole { input: UnassignRoleInput } "unassignRole" -> UnassignRolePayload);
operation!($ query "Query" ListRolesOfDomain { path: String } "domain" -> Option<DomainRoles>);
operation!($ query "Query" ListOwnRoles {} "viewer" -> OwnRoles);

#[derive(Clone, cynic::InputObject)]
struct AssignRoleInput {
    subject: String,
    role: RoleWord,
    domain: Option<String>,
    idempotency_key: Option<String>,
}

#[derive(Clone, cynic::InputObject)]
struct UnassignRoleInput {
    assignment: Id,
    idempotency_key: Option<String>,
}

#[derive(Serialize, cynic::QueryFragment)]
struct AssignRolePayload {
    assignment: RoleAssignment,
}

#[derive(Serialize, cynic::QueryFragment)]
struct UnassignRolePayload {
    assignment: RoleAssignment,
}

#[derive(Serialize, cynic::QueryFragment)]
#[cynic(graphql_type = "Domain")]
struct DomainRoles {
    /// `None` if the caller may not see them.
    roles: Option<Vec<RoleAssignment>>,
}

#[derive(Serialize, cynic::QueryFragment)]
#[cynic(graphql_type = "Viewer")]
struct OwnRoles {
    roles: Vec<RoleAssignment>,
}

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct RoleAssignment {
    id: Id,
    role: RoleWord,
    domain: Option<DomainName>,
    principal: PrincipalName,
    assigned_at: DateTime,
}

/// Runs `charter role`.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let json = args.remote.json;
    let client = Client::new(&args.remote)?;
    match args.command {
        Command::Assign { subject, role, domain, idempotency } => {
            let input = AssignRoleInput { subject, role, domain, idempotency_key: idempotency.into_key() };
            let payload = client.send(AssignRole { input }).await?;
            output::show(json, &payload, |payload| table(std::slice::from_ref(&payload.assignment)))?;
        }
        Command::Unassign { assignment, idempotency } => {
            let input = UnassignRoleInput { assignment: Id::new(assignment), idempotency_key: idempotency.into_key() };
            let payload = client.send(UnassignRole { input }).await?;
            output::show(json, &payload, |payload| table(std::slice::from_ref(&payload.assignment)))?;
        }
        Command::List { domain: Some(path) } => {
            let domain = client.send(ListRolesOfDomain { path: path.clone() }).await?;
            let domain = domain.ok_or_else(|| Error::not_found("domain", &path))?;
            output::outcome(json, &domain, |domain| match &domain.roles {
                Some(roles) => Ok(table(roles)),
                None => Err(Error::new(Exit::NotAllowed, "not allowed to list the roles of this domain")),
            })?;
        }
        Command::List { domain: None } => {
            let viewer = client.send(ListOwnRoles {}).await?;
            output::show(json, &viewer, |viewer| table(&viewer.roles))?;
        }
    }
    Ok(Exit::Done)
}

fn table(assignments: &[RoleAssignment]) -> String {
    output::table(
        ["id", "subject", "role", "domain", "assigned"],
        assignments.iter().map(|assignment| {
            let RoleAssignment { id, role, domain, principal, assigned_at } = assignment;
            let domain = or_dash(domain.as_ref().map(|domain| &domain.path));
            [id.inner().to_owned(), principal.subject.clone(), role.to_string(), domain, assigned_at.to_string()]
        }),
    )
}
