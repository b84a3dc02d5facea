//! `policies/matrix.txt`: who may do what, for people. Regenerated here and compared; `UPDATE_GOLDEN=1` rewrites it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use domain::contract::Classification;
use domain::gate::PolicyAnswer;
use domain::grant::PortMajor;
use domain::id::ProductId;
use domain::identity::{DomainRole, PlatformRole, PurposeCode};
use domain::name::DomainPath;
use policy::{Action, Caller, Party, Policy, Question, Resource};

use crate::world::{World, inspector, path, port_major, service, user, uuid};

const HEAD: &str = "\
Who may do what
===============

Generated from the policies in this folder by `UPDATE_GOLDEN=1 cargo test --workspace --test policy_it`; a test compares it.

Actions with equal answers share a table. A row is a principal with that one role and nothing else; `yes` means that the policies
allow it, `.` that they do not. Before data is read the gate checks more than this (contract, grant, quality, ...).

The product, its contract and its data belong to the domain `sales/emea`.
  the domain     sales/emea           one above      sales
  one below      sales/emea/dach      another        finance

Columns
  anything       the answer does not depend on the product's classification, on the other person, ...
  +grant         the same, with an active grant on the product (for data: on the port's major)
  someone's      the request, grant, lease, decision or principal belongs to another person
  own            it belongs to the caller
  own account's  it belongs to a service account that the caller owns
  own person's   the caller is a service account, and it belongs to the person who owns it
  sibling's      the caller is a service account, and it belongs to another one of the same person
  shared         it belongs to another person, and a product of `finance` is bound to the same table

`for one purpose` means that the caller signed in with a token that is limited to a purpose; `platform` has all three platform
roles.
";

#[test]
fn the_decision_matrix_is_as_committed() {
    let policy = Policy::embedded().unwrap();
    let (matrix, determining) = matrix(&policy);
    assert_eq!(determining, policy.ids().iter().cloned().collect(), "every policy decides something in the matrix");

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/matrix.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, &matrix).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap();
    let first_difference = matrix.lines().zip(committed.lines()).position(|(now, then)| now != then);
    assert!(
        matrix == committed,
        "policies/matrix.txt is not what the policies say, first at line {:?}; look at the change, then run with UPDATE_GOLDEN=1",
        first_difference.map(|index| index + 1)
    );
}

/// The text, and the ids of the policies that decided anywhere in it. Actions whose tables are equal share one.
fn matrix(policy: &Policy) -> (String, BTreeSet<String>) {
    let world = World::new();
    let mut determining = BTreeSet::new();
    let mut tables_so_far: Vec<(String, Vec<String>)> = Vec::new();
    for action in Action::ALL {
        for (kind, columns) in tables(*action, &world) {
            let rows = rows();
            let answers: Vec<Vec<bool>> = rows
                .iter()
                .map(|row| columns.iter().map(|column| ask(policy, *action, row, column, &mut determining)).collect())
                .collect();
            let headings: Vec<&str> = columns.iter().map(|column| column.heading.as_str()).collect();
            let table = print(&rows, &headings, &answers);
            let title = format!("{action}, on {kind}: {}", sentence(*action));
            match tables_so_far.iter_mut().find(|(known, _)| *known == table) {
                Some((_, titles)) => titles.push(title),
                None => tables_so_far.push((table, vec![title])),
            }
        }
    }
    let tables: String =
        tables_so_far.iter().map(|(table, titles)| format!("\n\n{}\n\n{table}", titles.join("\n"))).collect();
    (format!("{HEAD}{tables}"), determining)
}

fn print(rows: &[Row], headings: &[&str], answers: &[Vec<bool>]) -> String {
    let same = answers.iter().all(|answers| answers.iter().all(|answer| *answer == answers[0]));
    let headings = if same { &["anything"][..] } else { headings };
    let mut text = String::new();
    let mut print_line = |name: &str, cells: &[&str]| {
        let cells: String = cells.iter().map(|cell| format!("{cell:15}")).collect();
        writeln!(text, "{}", format!("{name:30}{cells}").trim_end()).unwrap();
    };
    print_line("", headings);
    for (row, answers) in rows.iter().zip(answers) {
        let cells: Vec<&str> =
            headings.iter().zip(answers).map(|(_, answer)| if *answer { "yes" } else { "." }).collect();
        print_line(&row.name, &cells);
    }
    text
}

fn ask(policy: &Policy, action: Action, row: &Row, column: &Column<'_>, determining: &mut BTreeSet<String>) -> bool {
    let principal = if row.inspector { inspector() } else { column.caller };
    let caller = Caller {
        principal,
        platform_roles: &row.platform_roles,
        domain_roles: &row.domain_roles,
        grants: &column.grants,
        limited: row.limited,
    };
    let PolicyAnswer { allowed, policy_ids, errors } =
        policy.decide(&Question { caller: &caller, action, resource: &column.resource, purpose: column.purpose });
    let is_foreign_to_the_inspector = row.inspector != (action == Action::Inspect);
    assert_eq!(errors.is_empty(), !is_foreign_to_the_inspector, "{action} by {}: {errors:?}", row.name);
    determining.extend(policy_ids);
    allowed
}

/// Somebody with one role.
struct Row {
    name: String,
    platform_roles: Vec<PlatformRole>,
    domain_roles: Vec<(DomainPath, DomainRole)>,
    inspector: bool,
    limited: bool,
}

fn rows() -> Vec<Row> {
    let row = |name: &str| Row {
        name: name.to_owned(),
        platform_roles: Vec::new(),
        domain_roles: Vec::new(),
        inspector: false,
        limited: false,
    };
    let mut rows = vec![row("no role")];
    for role in DomainRole::ALL {
        for (place, domain) in [
            ("the domain", "sales/emea"),
            ("one above", "sales"),
            ("one below", "sales/emea/dach"),
            ("another", "finance"),
        ] {
            rows.push(Row { domain_roles: vec![(path(domain), *role)], ..row(&format!("{role} of {place}")) });
        }
    }
    for role in PlatformRole::ALL {
        rows.push(Row { platform_roles: vec![*role], ..row(role.as_str()) });
    }
    let owner = vec![(path("sales/emea"), DomainRole::Owner)];
    rows.push(Row { domain_roles: owner, limited: true, ..row("owner, for one purpose") });
    rows.push(Row { platform_roles: PlatformRole::ALL.to_vec(), limited: true, ..row("platform, for one purpose") });
    rows.push(Row { inspector: true, ..row("a job inside the server") });
    rows
}

/// A situation that a question is asked in.
struct Column<'a> {
    heading: String,
    caller: Party,
    grants: Vec<PortMajor>,
    resource: Resource<'a>,
    purpose: Option<PurposeCode>,
}

impl<'a> Column<'a> {
    fn new(heading: &str, resource: Resource<'a>) -> Self {
        Self { heading: heading.to_owned(), caller: user(1), grants: Vec::new(), resource, purpose: None }
    }

    fn with_grant(self, port: &str, major: u64) -> Self {
        Self { grants: vec![port_major(port, major)], ..self }
    }
}

/// The tables of an action: one for each resource that it is done to.
fn tables(action: Action, world: &World) -> Vec<(&'static str, Vec<Column<'_>>)> {
    let domain = || ("a domain", vec![Column::new("anything", Resource::Domain(&world.domain))]);
    let contract = || ("a contract version", vec![Column::new("anything", world.contract())]);
    match action {
        Action::CreateDomain | Action::CreatePrincipal | Action::AssignPlatformRole | Action::ViewAudit => {
            vec![("the platform", vec![Column::new("anything", Resource::Platform)])]
        }
        Action::ViewPrincipal
        | Action::CreateToken
        | Action::ViewToken
        | Action::RevokeToken
        | Action::DisablePrincipal
        | Action::EnablePrincipal => {
            vec![("a principal", parties(Resource::Principal))]
        }
        Action::ConfigureSchemas => {
            vec![("the platform", vec![Column::new("anything", Resource::Platform)]), ("a product", products(world))]
        }
        Action::SetEnforcement | Action::AssignRole | Action::ReleaseSubject | Action::SendLineage => vec![domain()],
        Action::Plan | Action::Publish => vec![domain(), ("a product", products(world)), contract()],
        Action::Activate | Action::Deprecate | Action::Retire => vec![("a product", products(world)), contract()],
        Action::ViewProduct
        | Action::ViewDetail
        | Action::BindTable
        | Action::ShareTable
        | Action::LowerClassification
        | Action::RequestAccess => vec![("a product", products(world))],
        Action::ViewRequest | Action::ApproveRequest | Action::RejectRequest | Action::WithdrawRequest => {
            vec![("a request", parties(|party| world.request(party)))]
        }
        Action::GrantAccess => vec![("a grant", parties(|party| world.grant(party)))],
        Action::ViewGrant | Action::RevokeGrant => {
            vec![("a grant", shared(parties(|party| world.grant(party)), world))]
        }
        Action::ViewNotice => vec![("a product", products(world)), ("a grant", parties(|party| world.grant(party)))],
        Action::AnswerNotice => vec![("a grant", parties(|party| world.grant(party)))],
        Action::UpdateNotice | Action::OverrideRefusal => vec![("a product", products(world))],
        Action::ViewLease => vec![("a lease", shared(parties(|party| world.lease(party)), world))],
        Action::ViewDecision => vec![("a decision", shared(parties(|party| world.decision(party)), world))],
        Action::InspectTable | Action::Read | Action::Repair | Action::Write | Action::Inspect => {
            vec![
                ("data", data(world, Classification::Internal)),
                ("restricted data", data(world, Classification::Restricted)),
            ]
        }
    }
}

const CLASSIFICATIONS: [Classification; 4] =
    [Classification::Public, Classification::Internal, Classification::Confidential, Classification::Restricted];

fn products(world: &World) -> Vec<Column<'_>> {
    let mut columns = Vec::new();
    for classification in CLASSIFICATIONS {
        let product = Resource::Product(world.product(classification));
        columns.push(Column::new(classification.as_str(), product));
        columns.push(Column::new("+grant", product).with_grant("returns", 7));
    }
    columns
}

fn data(world: &World, classification: Classification) -> Vec<Column<'_>> {
    let data = world.binding(classification);
    let with_purpose = |column, purpose| Column { purpose: Some(purpose), ..column };
    let elsewhere = PortMajor { product_id: ProductId(uuid(999)), ..port_major("orders", 1) };
    vec![
        Column::new("no purpose", data),
        Column::new("+grant", data).with_grant("orders", 1),
        with_purpose(Column::new("operations", data), PurposeCode::Operations),
        with_purpose(Column::new("+grant", data), PurposeCode::Operations).with_grant("orders", 1),
        with_purpose(Column::new("analytics", data), PurposeCode::Analytics),
        with_purpose(Column::new("+grant", data), PurposeCode::Analytics).with_grant("orders", 1),
        with_purpose(Column::new("other major", data), PurposeCode::Analytics).with_grant("orders", 2),
        with_purpose(Column::new("other port", data), PurposeCode::Analytics).with_grant("returns", 1),
        Column { grants: vec![elsewhere], ..with_purpose(Column::new("other product", data), PurposeCode::Analytics) },
    ]
}

fn parties<'a>(resource: impl Fn(Party) -> Resource<'a>) -> Vec<Column<'a>> {
    let (caller, someone) = (user(1), user(2));
    let (account, sibling) = (service(3, caller), service(4, caller));
    vec![
        Column::new("someone's", resource(someone)),
        Column::new("own", resource(caller)),
        Column::new("own account's", resource(account)),
        Column { caller: account, ..Column::new("own person's", resource(caller)) },
        Column { caller: account, ..Column::new("sibling's", resource(sibling)) },
    ]
}

/// With another column for a table that a product of another domain is bound to as well.
fn shared<'a>(mut columns: Vec<Column<'a>>, world: &'a World) -> Vec<Column<'a>> {
    let shared = columns.first().map(|column| world.shared(column.resource));
    columns.extend(shared.map(|resource| Column::new("shared", resource)));
    columns
}

fn sentence(action: Action) -> &'static str {
    match action {
        Action::CreateDomain => "create a domain",
        Action::CreatePrincipal => "create a user or service account",
        Action::AssignPlatformRole => "assign or remove the roles admin, steward and auditor",
        Action::ViewAudit => "read the audit log",
        Action::ConfigureSchemas => "set levels and modes of the schema registry",
        Action::ViewPrincipal => "see a principal's record and roles",
        Action::CreateToken => "create a token for a principal",
        Action::ViewToken => "see the tokens of a principal",
        Action::RevokeToken => "revoke a token of a principal",
        Action::DisablePrincipal => "disable a principal, or enable one that the caller has disabled",
        Action::EnablePrincipal => "enable a principal that another one has disabled",
        Action::SetEnforcement => "set how far a domain's contracts bind its readers",
        Action::ReleaseSubject => "let another domain have a subject of the schema registry",
        Action::AssignRole => "assign or remove the roles owner, publisher and consumer",
        Action::SendLineage => "send lineage events",
        Action::Plan => "see what publishing would change",
        Action::Publish => "publish products and contracts",
        Action::Activate => "activate",
        Action::Deprecate => "deprecate",
        Action::Retire => "retire",
        Action::ViewProduct => "know that it exists",
        Action::ViewDetail => "see values, paths and policy ids in decisions and verdicts",
        Action::BindTable => "bind it to a table",
        Action::ShareTable => "bind another product to a table that it is bound to",
        Action::LowerClassification => "lower its classification",
        Action::RequestAccess => "request access",
        Action::ViewRequest => "see an access request",
        Action::ApproveRequest => "approve an access request",
        Action::RejectRequest => "reject an access request",
        Action::WithdrawRequest => "withdraw an access request",
        Action::ViewGrant => "see a grant",
        Action::GrantAccess => "grant access without a request",
        Action::RevokeGrant => "revoke a grant",
        Action::ViewNotice => "see the notice of a breaking successor",
        Action::AnswerNotice => "answer a notice of a breaking successor",
        Action::UpdateNotice => "change the migration note and the deadline of a notice",
        Action::OverrideRefusal => "accept a version whose number is too small, for a limited time",
        Action::ViewLease => "see issued leases",
        Action::ViewDecision => "see what the gate decided",
        Action::InspectTable => "have the table inspected now",
        Action::Read => "read the served snapshot",
        Action::Repair => "read the newest snapshot, good or bad, in order to fix it",
        Action::Write => "write",
        Action::Inspect => "inspect a snapshot",
    }
}
