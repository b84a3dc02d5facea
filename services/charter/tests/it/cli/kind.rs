//! The kinds of arguments, and for each kind valid, invalid, unknown and foreign values.

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
