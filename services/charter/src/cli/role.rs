//! `charter role`: the roles of principals in domains and on the platform.

use clap::Subcommand;
use clap::builder::PossibleValuesParser;
use domain::identity::{DomainRole, PlatformRole};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::answer::{DomainName, PrincipalName};
use super::args::{self, Idempotency, Remote};
use super::client::Client;
use super::error::{Error, Exit, Result};
use super::output::{self, or_dash, word};

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
        #[arg(value_parser = roles())]
        role: String,
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

const ASSIGN: &[&str] = &[
    "mutation AssignRole($input: AssignRoleInput!) {
        answer: assignRole(input: $input) { assignment { ...Assignment } }
    }\n",
    ASSIGNMENT,
];

const UNASSIGN: &[&str] = &[
    "mutation UnassignRole($input: UnassignRoleInput!) {
        answer: unassignRole(input: $input) { assignment { ...Assignment } }
    }\n",
    ASSIGNMENT,
];

const OF_DOMAIN: &[&str] =
    &["query RolesOfDomain($path: String!) { answer: domain(path: $path) { roles { ...Assignment } } }\n", ASSIGNMENT];

const MINE: &[&str] = &["query MyRoles { answer: viewer { roles { ...Assignment } } }\n", ASSIGNMENT];

const ASSIGNMENT: &str = "fragment Assignment on RoleAssignment {
    id role domain { path } principal { subject } assignedAt
}\n";

#[derive(Debug, Deserialize, Serialize)]
struct Assigned {
    assignment: Assignment,
}

#[derive(Debug, Deserialize, Serialize)]
struct Roles {
    /// `None` if the caller may not see them.
    roles: Option<Vec<Assignment>>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Assignment {
    id: String,
    role: String,
    domain: Option<DomainName>,
    principal: PrincipalName,
    assigned_at: String,
}

/// Runs `charter role`.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let json = args.remote.json;
    let client = Client::new(&args.remote)?;
    match args.command {
        Command::Assign { subject, role, domain, idempotency } => {
            let input = json!({ "subject": subject, "role": args::enum_value(&role), "domain": domain });
            let input = idempotency.into_input(input);
            let assigned: Assigned = client.send(ASSIGN, json!({ "input": input })).await?;
            output::show(json, &assigned, |assigned| table(std::slice::from_ref(&assigned.assignment)))?;
        }
        Command::Unassign { assignment, idempotency } => {
            let input = idempotency.into_input(json!({ "assignment": assignment }));
            let removed: Assigned = client.send(UNASSIGN, json!({ "input": input })).await?;
            output::show(json, &removed, |removed| table(std::slice::from_ref(&removed.assignment)))?;
        }
        Command::List { domain } => {
            let roles: Roles = match &domain {
                Some(path) => {
                    let found: Option<Roles> = client.send(OF_DOMAIN, json!({ "path": path })).await?;
                    found.ok_or_else(|| Error::not_found("domain", path))?
                }
                None => client.send(MINE, json!({})).await?,
            };
            if roles.roles.is_none() {
                return Err(Error::new(Exit::NotAllowed, "not allowed to list the roles of this domain"));
            }
            output::show(json, &roles, |roles| table(roles.roles.as_deref().unwrap_or_default()))?;
        }
    }
    Ok(Exit::Done)
}

fn roles() -> PossibleValuesParser {
    let of_domain = DomainRole::ALL.iter().map(|role| role.as_str());
    PossibleValuesParser::new(of_domain.chain(PlatformRole::ALL.iter().map(|role| role.as_str())))
}

fn table(assignments: &[Assignment]) -> String {
    output::table(
        ["id", "subject", "role", "domain", "assigned"],
        assignments.iter().map(|assignment| {
            let Assignment { id, role, domain, principal, assigned_at } = assignment;
            let domain = or_dash(domain.as_ref().map(|domain| &domain.path));
            [id.clone(), principal.subject.clone(), word(role), domain, assigned_at.clone()]
        }),
    )
}
