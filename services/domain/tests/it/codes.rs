//! `docs/codes.md` lists the closed sets that programs read. `UPDATE_GOLDEN=1` rewrites it.

use std::fmt::Write as _;

use domain::closed_set::ClosedSet;
use domain::{audit, error, event, gate, identity, job, quality, table};

/// Where the list is kept.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/codes.md");

const HEAD: &str = "\
# Codes

Generated from the enums of `services/domain` by `UPDATE_GOLDEN=1 cargo test --workspace --test domain_it codes`; a test
compares it with the code. The codes are stable: the database, the API, the command line and clients use them. The
GraphQL enums `ReasonCode`, `GateCheck`, `AuditAction`, `AuditOutcome` and `RecordFault` write them in capitals with
underscores (`GRANT_MISSING`); the command line prints them as below, with `--json` too (`grant.missing`).
[problems.md](problems.md) lists the problem documents, [registry.md](registry.md) the error numbers of the schema
registry.
";

/// A section with one line for each value; `aside` is a column of its own.
fn section<S: ClosedSet>(page: &mut String, title: &str, text: &str, column: &str, aside: impl Fn(S) -> String) {
    let _ = write!(page, "\n## {title}\n\n{text}\n\n");
    let (head, rule) = if column.is_empty() { (String::new(), "") } else { (format!(" {column} |"), "---|") };
    let _ = writeln!(page, "| code |{head} meaning |\n|---|{rule}---|");
    for value in S::ALL {
        let aside = if column.is_empty() { String::new() } else { format!(" {} |", aside(*value)) };
        let _ = writeln!(page, "| `{}` |{aside} {} |", value.as_str(), value.meaning().replace('|', "\\|"));
    }
}

fn plain<S: ClosedSet>(page: &mut String, title: &str, text: &str) {
    section::<S>(page, title, text, "", |_| String::new());
}

/// What the payload of an event holds beside its subject.
fn payload(kind: event::Kind) -> String {
    use event::Kind;
    let (subject, payload) = match kind {
        Kind::ProductPublished | Kind::ProductRetired => ("product id", "`what`: its name"),
        Kind::ContractPublished => ("contract version id", "`what`: document id, version, overrides"),
        Kind::ContractStateChanged => ("contract version id", "`contract`, `version`, `state`"),
        Kind::NoticeOpened | Kind::NoticeUpdated | Kind::NoticeClosed => {
            ("notice id", "`product`, `from` and `to` with `contract` and `version`, `deadline`")
        }
        Kind::SchemaRegistered => ("subject", "`version`, `schemaId`, `format`"),
        Kind::TableInspected => ("table id", "nothing"),
    };
    format!("{subject}; {payload}")
}

/// What a job is about.
fn subject(kind: job::Kind) -> String {
    match kind {
        job::Kind::Inspect | job::Kind::Reinspect => "table id".to_owned(),
    }
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    let text = "Each line of a decision has one, in `DecisionLine.code`.";
    section(&mut page, "Reason codes of the gate", text, "check", |code: gate::Code| format!("`{}`", code.check()));
    plain::<gate::LineOutcome>(&mut page, "Outcomes of a check", "`DecisionLine.outcome`.");
    plain::<gate::Action>(&mut page, "Actions at the gate", "The action that a decision is about.");
    plain::<audit::Action>(&mut page, "Audit actions", "`Record.action`, and `charter audit list --action`.");
    plain::<audit::Outcome>(&mut page, "Outcomes in the audit log", "`Record.outcome`.");
    plain::<audit::Fault>(&mut page, "Broken records of the audit log", "`BrokenRecord.fault`.");
    plain::<audit::ResourceKind>(&mut page, "Resources in the audit log", "The first part of `Record.resource`.");
    section(&mut page, "Events", "The events of the outbox.", "subject; payload", payload);
    section(&mut page, "Jobs", "The jobs of the queue.", "subject", subject);
    plain::<error::Kind>(&mut page, "Kinds of error", "`extensions.code` of an error in GraphQL.");
    let text = "`extensions.reason` of an error in GraphQL, where a client needs to tell errors of one kind apart.";
    plain::<error::Reason>(&mut page, "Reasons of errors", text);
    plain::<identity::DomainRole>(&mut page, "Roles in a domain", "A role in a domain holds in all domains below it.");
    plain::<identity::PlatformRole>(&mut page, "Roles on the platform", "None of them gives access to data.");
    plain::<identity::PurposeCode>(&mut page, "Purposes", "The purposes for which data may be read.");
    plain::<table::Format>(
        &mut page,
        "Table formats",
        "The formats of tables that can be bound, inspected and served.",
    );
    let text = "The kinds of quality rules that are measured.";
    plain::<quality::Metric>(&mut page, "Quality metrics", text);
    page
}

#[test]
fn the_list_of_codes_is_that_of_the_code() {
    let page = page();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(FILE, &page).unwrap();
    }
    let kept = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(kept == page, "{FILE} is out of date: run this test with UPDATE_GOLDEN=1 and review the difference");
}
