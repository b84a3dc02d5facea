//! The ways to call each command.

use std::collections::BTreeMap;

use super::kind::Kind;

/// One way to call a command, with all arguments that can be combined.
pub(crate) struct Form {
    /// A subject that is allowed to.
    pub(crate) caller: &'static str,
    /// Subjects that are not.
    pub(crate) others: &'static [&'static str],
    /// In order.
    pub(crate) arguments: Vec<(&'static str, Kind)>,
}

/// The arguments of all commands that need a server.
pub(crate) const REMOTE: [(&str, Kind); 4] =
    [("--server", Kind::Server), ("--token", Kind::Token), ("--token-file", Kind::TokenFile), ("--json", Kind::Json)];

const NONE: &[&str] = &[];
const LIST: [(&str, Kind); 2] = [("--limit", Kind::Number), ("--after", Kind::Cursor)];
const KEY: (&str, Kind) = ("--idempotency-key", Kind::Key);
const ALL_BUT_OWNER: &[&str] = &["admin", "owner-other", "stranger"];

type Forms = Vec<(&'static str, Vec<Form>)>;

/// The ways to call each command. A command of the tree without an entry here fails the tests.
pub(crate) fn forms() -> BTreeMap<&'static str, Vec<Form>> {
    let groups = [
        server_forms(),
        offline_forms(),
        organisation_forms(),
        product_forms(),
        access_forms(),
        change_forms(),
        gate_forms(),
    ];
    groups.into_iter().flatten().collect()
}

fn answer(caller: &'static str, others: &'static [&'static str], arguments: &[(&'static str, Kind)]) -> Vec<Form> {
    vec![Form { caller, others, arguments: arguments.to_vec() }]
}

/// As an owner, where no caller is refused.
fn local(arguments: &[(&'static str, Kind)]) -> Form {
    Form { caller: "owner-shop", others: NONE, arguments: arguments.to_vec() }
}

fn read(arguments: &[(&'static str, Kind)]) -> Vec<Form> {
    vec![local(arguments)]
}

fn lists(arguments: &[(&'static str, Kind)]) -> Vec<Form> {
    read(&[arguments, &LIST].concat())
}

fn server_forms() -> Forms {
    use Kind::{Database, Directory, Documents, Domain, Duration, Flag, Json, Listen, Program, Word};
    vec![
        (
            "serve",
            vec![Form {
                caller: "admin",
                others: NONE,
                arguments: vec![
                    ("--data", Directory),
                    ("--listen", Listen),
                    ("--gateway-listen", Listen),
                    ("--database-url", Database),
                    ("--worker", Program),
                    ("--recover-admin", Flag),
                    ("--behind-tls", Json),
                ],
            }],
        ),
        (
            "plan",
            answer(
                "owner-shop",
                ALL_BUT_OWNER,
                &[
                    ("FILE", Documents),
                    ("--domain", Domain),
                    ("--timeout", Duration),
                    ("--prune", Flag),
                    ("--format", Word("text")),
                ],
            ),
        ),
        (
            "apply",
            answer(
                "owner-shop",
                ALL_BUT_OWNER,
                &[
                    ("FILE", Documents),
                    ("--domain", Domain),
                    ("--timeout", Duration),
                    ("--prune", Flag),
                    ("--yes", Flag),
                    KEY,
                ],
            ),
        ),
    ]
}

fn offline_forms() -> Forms {
    use Kind::{Data, File, Flag, Json, Name, NewVersion, Object, Program, Property, Reference, Schema, Sql, Word};
    vec![
        (
            "contract init",
            read(&[
                ("FILE", Kind::NewFile),
                ("--id", Name),
                ("--name", Name),
                ("--domain", Kind::DomainPath),
                ("--object", Object),
                ("--schema", Sql),
                ("--from", Word("sql")),
                ("--dialect", Word("postgres")),
                ("--force", Flag),
                ("--json", Json),
            ]),
        ),
        (
            "contract lint",
            read(&[("FILE", Kind::Linted), ("--strict", Flag), ("--format", Word("text")), ("--json", Json)]),
        ),
        (
            "contract diff",
            vec![
                local(&[
                    ("OLD", File),
                    ("NEW", File),
                    ("--allow-widening", Flag),
                    ("--proven", Flag),
                    ("--promise", Property),
                    ("--format", Word("text")),
                    ("--json", Json),
                ]),
                Form {
                    caller: "owner-shop",
                    others: ALL_BUT_OWNER,
                    arguments: vec![("OLD", File), ("NEW", File), ("--impact", Kind::Product)],
                },
                local(&[("OLD", File), ("NEW", File), ("--changelog", Flag)]),
                local(&[("--batch", Flag)]),
            ],
        ),
        (
            "contract import",
            vec![
                local(&[
                    ("FILE", Schema),
                    ("--from", Word("avro")),
                    ("--id", Name),
                    ("--name", Name),
                    ("--version", NewVersion),
                    ("--object", Object),
                    ("--json", Json),
                ]),
                local(&[("FILE", Sql), ("--from", Word("sql")), ("--dialect", Word("postgres")), ("--id", Name)]),
            ],
        ),
        (
            "contract export",
            vec![
                local(&[
                    ("FILE", File),
                    ("--to", Word("sql")),
                    ("--dialect", Word("postgres")),
                    ("--object", Object),
                    ("--json", Json),
                ]),
                local(&[("FILE", File), ("--to", Word("dbt")), ("--dialect", Word("snowflake")), ("--object", Object)]),
            ],
        ),
        (
            "contract test",
            vec![local(&[
                ("FILE", File),
                ("--data", Data),
                ("--object", Object),
                ("--worker", Program),
                ("--json", Json),
            ])],
        ),
        (
            "schema compat",
            vec![
                local(&[
                    ("OLD", Schema),
                    ("NEW", Schema),
                    ("--format", Word("avro")),
                    ("--mode", Word("delta")),
                    ("--level", Word("full")),
                    ("--policy", Word("lenient")),
                    ("--reference", Reference),
                    ("--json", Json),
                ]),
                local(&[("--batch", Flag)]),
            ],
        ),
    ]
}

fn organisation_forms() -> Forms {
    use Kind::{Domain, Duration, Flag, NewDomain, NewSubject, Role, Subject, Time, TokenId, Word};
    vec![
        ("domain create", answer("steward", &["owner-shop", "owner-other", "stranger"], &[("PATH", NewDomain), KEY])),
        (
            "domain enforce",
            answer(
                "steward",
                &["admin", "owner-shop", "owner-other", "stranger"],
                &[("PATH", Domain), ("ENFORCEMENT", Word("report")), ("--switch-at", Time), KEY],
            ),
        ),
        ("domain list", lists(&[])),
        (
            "principal create",
            answer(
                "admin",
                &["steward", "owner-shop", "stranger"],
                &[("SUBJECT", NewSubject), ("--service", Flag), ("--owner", Subject), KEY],
            ),
        ),
        ("principal list", answer("admin", &["owner-shop", "stranger"], &LIST)),
        ("principal enable", answer("admin", &["steward", "owner-shop", "stranger"], &[("SUBJECT", Subject), KEY])),
        ("principal disable", answer("admin", &["steward", "owner-shop", "stranger"], &[("SUBJECT", Subject), KEY])),
        (
            "role assign",
            vec![
                Form {
                    caller: "owner-shop",
                    others: &["steward", "owner-other", "stranger"],
                    arguments: vec![("SUBJECT", Subject), ("ROLE", Word("publisher")), ("--domain", Domain), KEY],
                },
                Form {
                    caller: "admin",
                    others: &["steward", "owner-shop", "stranger"],
                    arguments: vec![("SUBJECT", Subject), ("ROLE", Word("auditor")), KEY],
                },
            ],
        ),
        ("role unassign", answer("owner-shop", &["steward", "owner-other", "stranger"], &[("ID", Role), KEY])),
        ("role list", read(&[("--domain", Domain)])),
        (
            "token create",
            answer(
                "admin",
                &["steward", "owner-shop", "stranger"],
                &[("SUBJECT", Subject), ("--lifetime", Duration), ("--purpose", Word("support"))],
            ),
        ),
        ("login", read(&[("--lifetime", Duration)])),
        ("token list", answer("steward", &["owner-shop", "stranger"], &[&[("SUBJECT", Subject)], &LIST[..]].concat())),
        ("token revoke", answer("owner-shop", &["steward", "owner-other", "stranger"], &[("ID", TokenId), KEY])),
    ]
}

fn product_forms() -> Forms {
    use Kind::{Column, Contract, Cursor, Domain, Duration, Flag, Name, Number, Product, Table, Version, Word};
    vec![
        (
            "registry release",
            answer("steward", &["owner-shop", "stranger"], &[("SUBJECT", Name), ("--domain", Domain), KEY]),
        ),
        (
            "search",
            lists(&[
                ("TEXT", Name),
                ("--domain", Domain),
                ("--access", Word("request")),
                ("--state", Word("active")),
                ("--classification", Word("internal")),
                ("--format", Word("delta")),
                ("--layer", Word("gold")),
                ("--verdict", Word("pass")),
            ]),
        ),
        ("report rot", read(&[("--domain", Domain)])),
        ("product list", lists(&[("--domain", Domain)])),
        ("product show", read(&[("PRODUCT", Product)])),
        ("product readers", read(&[("PRODUCT", Product), ("--days", Kind::Number)])),
        ("table show", read(&[("TABLE", Table)])),
        (
            "lineage",
            vec![
                local(&[
                    ("TABLE", Table),
                    ("--column", Column),
                    ("--up", Flag),
                    ("--depth", Number),
                    ("--kind", Word("observed")),
                    ("--limit", Number),
                    ("--after", Cursor),
                    ("--consumer", Cursor),
                ]),
                local(&[("--product", Product), ("--depth", Number)]),
            ],
        ),
        (
            "impact",
            vec![
                local(&[
                    ("TABLE", Table),
                    ("--column", Column),
                    ("--limit", Number),
                    ("--after", Cursor),
                    ("--consumer", Cursor),
                ]),
                local(&[("--product", Product)]),
            ],
        ),
        (
            "version activate",
            answer(
                "owner-shop",
                ALL_BUT_OWNER,
                &[("PRODUCT", Product), ("CONTRACT", Contract), ("VERSION", Version), KEY],
            ),
        ),
        (
            "inspect",
            vec![
                Form {
                    caller: "owner-shop",
                    others: &["owner-other", "reader", "stranger"],
                    arguments: vec![("TABLE", Table), ("--wait", Flag), ("--timeout", Duration), KEY],
                },
                local(&[&[("--queue", Flag)], &LIST[..]].concat()),
            ],
        ),
    ]
}

fn access_forms() -> Forms {
    use Kind::{Grant, Number, Port, Product, Request, Table, Text, Time, Word};
    vec![
        (
            "access request",
            vec![
                Form {
                    caller: "owner-shop",
                    others: NONE,
                    arguments: vec![
                        ("TARGET", Table),
                        ("--purpose", Word("analytics")),
                        ("--sentence", Text),
                        ("--from", Time),
                        ("--until", Word("2030-02-01")),
                        KEY,
                    ],
                },
                Form {
                    caller: "owner-shop",
                    others: NONE,
                    arguments: vec![
                        ("TARGET", Product),
                        ("--port", Port),
                        ("--major", Number),
                        ("--purpose", Word("analytics")),
                        ("--sentence", Text),
                        KEY,
                    ],
                },
            ],
        ),
        (
            "access approve",
            answer("owner-shop", ALL_BUT_OWNER, &[("ID", Request), ("--until", Time), ("--reason", Text), KEY]),
        ),
        ("access reject", answer("owner-shop", ALL_BUT_OWNER, &[("ID", Request), ("--reason", Text), KEY])),
        (
            "access withdraw",
            answer("reader", &["admin", "owner-shop", "owner-other", "stranger"], &[("ID", Request), KEY]),
        ),
        ("access revoke", answer("owner-shop", ALL_BUT_OWNER, &[("ID", Grant), ("--reason", Text), KEY])),
        ("access list", lists(&[("--state", Word("pending"))])),
        ("access grants", lists(&[])),
    ]
}

fn change_forms() -> Forms {
    use Kind::{Flag, Notice, Override, PrincipalId, Product, Refused, Text, Time, Word};
    vec![
        ("notice list", lists(&[])),
        ("notice show", read(&[("ID", Notice)])),
        (
            "notice answer",
            answer(
                "reader",
                &["owner-other", "stranger"],
                &[
                    ("ID", Notice),
                    ("REPLY", Word("needs_time")),
                    ("--until", Time),
                    ("--reason", Text),
                    ("--for", PrincipalId),
                    KEY,
                ],
            ),
        ),
        (
            "notice update",
            answer("owner-shop", ALL_BUT_OWNER, &[("ID", Notice), ("--note", Text), ("--deadline", Time), KEY]),
        ),
        (
            "override review",
            answer(
                "steward",
                &["admin", "owner-shop", "owner-other", "stranger"],
                &[("PRODUCT", Product), ("FILE", Refused)],
            ),
        ),
        (
            "override create",
            answer(
                "steward",
                &["admin", "owner-shop", "owner-other", "stranger"],
                &[("PRODUCT", Product), ("FILE", Refused), ("--reason", Text), ("--until", Time), ("--yes", Flag), KEY],
            ),
        ),
        ("override list", read(&[("PRODUCT", Product)])),
        ("override show", read(&[("ID", Override)])),
        (
            "override revoke",
            answer(
                "steward",
                &["admin", "owner-shop", "owner-other", "stranger"],
                &[("ID", Override), ("--reason", Text), KEY],
            ),
        ),
    ]
}

fn gate_forms() -> Forms {
    use Kind::{Duration, Flag, RecordAction, Table, Word};
    vec![
        ("why", read(&[("TABLE", Table), ("--action", Word("read")), ("--purpose", Word("operations"))])),
        (
            // The gate records a refusal as a decision, so no other caller is tried on a table that they may see.
            "credentials",
            vec![
                Form {
                    caller: "owner-shop",
                    others: NONE,
                    arguments: vec![
                        ("TABLE", Table),
                        ("--action", Word("read")),
                        ("--purpose", Word("operations")),
                        ("--lifetime", Duration),
                    ],
                },
                Form {
                    caller: "owner-shop",
                    others: NONE,
                    arguments: vec![("TABLE", Table), ("--format", Word("polars")), ("--inline", Flag)],
                },
            ],
        ),
        (
            "audit list",
            answer("steward", &["owner-shop", "stranger"], &[&[("--action", RecordAction)], &LIST[..]].concat()),
        ),
    ]
}

/// Commands with words and filters that can be given more than once.
pub(crate) const REPEATABLE: [&str; 3] = ["search", "lineage", "impact"];

/// Commands whose data is what is wrong with the input: it goes to standard output.
pub(crate) const REPORTS: [&str; 1] = ["contract lint"];

/// Commands that change nothing: an empty result is a valid answer.
pub(crate) const READS: [&str; 20] = [
    "report rot",
    "search",
    "domain list",
    "principal list",
    "role list",
    "token list",
    "product list",
    "product show",
    "product readers",
    "table show",
    "lineage",
    "impact",
    "access list",
    "access grants",
    "notice list",
    "notice show",
    "override list",
    "override show",
    "why",
    "audit list",
];
