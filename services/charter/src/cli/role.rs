//! `charter role`: what principals are to domains and to the platform.

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
    /// Assign a role: one of a domain with `--domain`, else one of the platform
    Assign {
        /// Who gets it
        subject: String,
        /// The role
        #[arg(value_parser = roles())]
        role: String,
        /// The domain that it holds in, with all below it
        #[arg(short, long, value_parser = args::domain_path)]
        domain: Option<String>,
        #[command(flatten)]
        idempotency: Idempotency,
    },
    /// Take a role away
    Unassign {
        /// The assignment's id, as `role assign` and `role list` show it
        #[arg(value_name = "ID")]
        assignment: String,
        #[command(flatten)]
        idempotency: Idempotency,
    },
    /// List the roles in a domain, or your own
    List {
        /// The domain; your own roles if not given
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
    /// Nothing where the caller may not see them.
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
            let taken: Assigned = client.send(UNASSIGN, json!({ "input": input })).await?;
            output::show(json, &taken, |taken| table(std::slice::from_ref(&taken.assignment)))?;
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
                return Err(Error::new(Exit::NotAllowed, "you may not see the roles of this domain"));
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
