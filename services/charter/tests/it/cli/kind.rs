//! The kinds of arguments, and for each kind valid, invalid, unknown and foreign values.

use std::collections::BTreeMap;

use super::world::Ids;

/// The kind of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A flag.
    Flag,
    /// A flag that is left out, because it only changes the output.
    Json,
    /// One of a few words; the given one is used.
    Word(&'static str),
    Number,
    Time,
    Duration,
    Domain,
    /// A domain to create.
    NewDomain,
    Product,
    Table,
    Port,
    /// A column of a table.
    Column,
    Contract,
    Version,
    Request,
    Grant,
    Role,
    /// A notice of a breaking successor.
    Notice,
    Override,
    /// A token by its id.
    TokenId,
    /// A principal by its id; left out.
    PrincipalId,
    Subject,
    /// The subject of a principal to create.
    NewSubject,
    Cursor,
    Key,
    /// A text that must not be empty.
    Text,
    /// An action of the audit log.
    RecordAction,
    /// Documents that are published already.
    Documents,
    /// One contract.
    File,
    /// Contracts to be checked, of which there may be several.
    Linted,
    /// A contract whose version was refused.
    Refused,
    /// One message schema, in Avro.
    Schema,
    /// One script of SQL.
    Sql,
    /// A schema that another one refers to.
    Reference,
    /// A custom property of a contract.
    Property,
    /// A local table.
    Data,
    /// A schema object of a contract.
    Object,
    /// A file to write.
    NewFile,
    /// The path of a domain that no server looks up.
    DomainPath,
    /// The version of a new contract.
    NewVersion,
    /// Any text.
    Name,
    Server,
    Token,
    TokenFile,
    Directory,
    Listen,
    Database,
    Program,
}

/// The ids that values are built from.
#[derive(Clone, Debug)]
pub(crate) struct Values {
    /// Of `shop`.
    pub(crate) shop: Ids,
    pub(crate) shop_role: String,
    pub(crate) shop_token: String,
    /// Of `other`.
    pub(crate) other: Ids,
    pub(crate) other_role: String,
    pub(crate) other_token: String,
}

/// Global ids of the right type that do not exist.
const NO_REQUEST: &str = "YWNjZXNzX3JlcXVlc3Q6MDAwMDAwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAw";
const NO_GRANT: &str = "Z3JhbnQ6MDAwMDAwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAw";
const NO_ROLE: &str = "cm9sZV9hc3NpZ25tZW50OjAwMDAwMDAwLTAwMDAtNzAwMC04MDAwLTAwMDAwMDAwMDAwMA";
const NO_TOKEN: &str = "dG9rZW46MDAwMDAwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAw";

const NO_NOTICE: &str = "Y2hhbmdlX25vdGljZTowMDAwMDAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDA";
const NO_OVERRIDE: &str = "Y29udHJhY3Rfb3ZlcnJpZGU6MDAwMDAwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAw";

impl Kind {
    /// A valid value; `None` for a flag, and for an argument that is left out.
    pub(crate) fn valid(self, values: &Values) -> Option<String> {
        let text = match self {
            Self::Flag
            | Self::Json
            | Self::Cursor
            | Self::Server
            | Self::Token
            | Self::TokenFile
            | Self::PrincipalId => {
                return None;
            }
            Self::Word(word) => word,
            Self::Number => "1",
            Self::Time => "2030-01-01",
            Self::Duration => "60s",
            Self::Domain | Self::DomainPath => "shop",
            Self::NewFile => "written.yaml",
            Self::NewDomain => "shop/new",
            Self::Product => "shop.orders",
            Self::Table => "shop.orders.orders",
            Self::Port => "orders",
            Self::Column => "order_id",
            Self::Contract => "orders-contract",
            Self::Version => "1.0.0",
            Self::NewVersion => "1.8.1",
            Self::Request => &values.shop.request,
            Self::Grant => &values.shop.grant,
            Self::Role => &values.shop_role,
            Self::TokenId => &values.shop_token,
            Self::Notice => &values.shop.notice,
            Self::Override => &values.shop.r#override,
            Self::Subject => "reader",
            Self::NewSubject => "newcomer",
            Self::Key => "key-1",
            Self::Text => "because",
            Self::RecordAction => "domain.create",
            Self::Documents => "orders",
            Self::File | Self::Linted => "orders/contract.yaml",
            Self::Refused => "refused.yaml",
            Self::Schema => "orders.avsc",
            Self::Sql => "orders.sql",
            Self::Reference => "Other=other.avsc",
            Self::Property => "quality",
            Self::Data => "table",
            Self::Object => "orders",
            Self::Name => "Orders",
            Self::Directory => "data",
            Self::Listen => "127.0.0.1:0",
            Self::Database => "sqlite:data/charter.db",
            Self::Program => env!("CARGO_BIN_EXE_charter"),
        };
        Some(text.to_owned())
    }

    /// Values that are invalid for the kind.
    pub(crate) fn invalid(self, values: &Values) -> Vec<String> {
        let texts: &[&str] = match self {
            Self::Flag | Self::Json | Self::Name => &[],
            Self::RecordAction => &["", "domain.destroy", "DOMAIN_CREATE"],
            Self::Word(_) => &["", "not-a-word", "READ"],
            Self::Number => &["", "many", "-1", "1.5", "99999999999"],
            Self::Time => &["", "yesterday", "2030-13-01", "2030-01-01T25:00:00Z"],
            Self::Duration => &["", "soon", "0h", "-1s", "1hh"],
            Self::NewFile => &["", "no-such-folder/new.yaml"],
            Self::Domain | Self::DomainPath | Self::NewDomain => &["", "Shop", "shop//x", "../shop", "shop/%2e"],
            Self::Product => &["", "shop", "shop.", "shop.orders.orders.orders", "shop/../other.vault"],
            Self::Table => &["", "not-an-address", "shop..orders", "shop.orders.orders/../x", "shop.orders"],
            Self::Port => &["", "No Port"],
            Self::Column => &["", "no column"],
            Self::Contract => &["", "no\ncontract"],
            Self::Version | Self::NewVersion => &["", "one", "1.2.3.4", "1.0.0-rc1"],
            Self::Request => &["", "not an id", &values.shop.grant, NO_GRANT],
            Self::Grant => &["", "not an id", &values.shop.request, NO_REQUEST],
            Self::Role | Self::TokenId | Self::Notice | Self::Override | Self::PrincipalId => {
                &["", "not an id", &values.shop.request, NO_REQUEST]
            }
            Self::Subject | Self::NewSubject => &["", "No One", "../reader"],
            Self::Cursor => &["", "not a cursor"],
            Self::Key => &["", "two words", "k\u{e9}y"],
            Self::Text | Self::Property => &["", "  "],
            Self::Documents | Self::File | Self::Refused | Self::Schema | Self::Sql => {
                &["no-such-file", "garbage.yaml", "not-utf8.yaml"]
            }
            Self::Reference => &["", "other.avsc", "Other=no-such-file", "Other=garbage.yaml", "Other=not-utf8.yaml"],
            Self::Data => &["", "no-such-file", "garbage.yaml", "orders"],
            Self::Object => &[""],
            Self::Linted => &["no-such-file", "garbage.yaml", "not-utf8.yaml", "large.yaml"],
            Self::Server => &["", "ftp://localhost", "localhost:7070", "http://ada:secret@localhost"],
            Self::Token => &["nonsense", "two\nlines", "a.b.c"],
            Self::TokenFile => &["no-such-file", "garbage.yaml", "not-utf8.yaml"],
            Self::Directory => &["garbage.yaml"],
            Self::Listen => &["", "nowhere", "192.0.2.1:0", "127.0.0.1"],
            Self::Database => &["", "nonsense", "mysql://localhost/x"],
            Self::Program => &["", "no-such-file"],
        };
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    /// A valid value that does not exist.
    pub(crate) fn unknown(self) -> Option<&'static str> {
        match self {
            Self::Domain => Some("nowhere"),
            Self::NewDomain => Some("nowhere/below"),
            Self::Product => Some("shop.nothing"),
            Self::Table => Some("shop.orders.nothing"),
            Self::Port | Self::Contract => Some("nothing"),
            Self::Version => Some("9.9.9"),
            Self::Request => Some(NO_REQUEST),
            Self::Grant => Some(NO_GRANT),
            Self::Role => Some(NO_ROLE),
            Self::TokenId => Some(NO_TOKEN),
            Self::Notice => Some(NO_NOTICE),
            Self::Override => Some(NO_OVERRIDE),
            Self::Subject => Some("nobody"),
            _ => None,
        }
    }

    /// A value that belongs to `other`, which an owner of `shop` may not see or change.
    pub(crate) fn foreign(self, values: &Values) -> Option<&str> {
        match self {
            Self::Domain => Some("other"),
            Self::NewDomain => Some("other/new"),
            Self::Product => Some("other.vault"),
            Self::Table => Some("other.vault.vault"),
            Self::Contract => Some("vault-contract"),
            Self::Request => Some(&values.other.request),
            Self::Grant => Some(&values.other.grant),
            Self::Role => Some(&values.other_role),
            Self::TokenId => Some(&values.other_token),
            Self::Notice => Some(&values.other.notice),
            Self::Override => Some(&values.other.r#override),
            Self::Documents => Some("vault"),
            _ => None,
        }
    }
}

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
