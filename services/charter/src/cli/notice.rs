//! `charter notice`: notices of breaking changes, the affected consumers, and their replies.

use clap::Subcommand;
use cynic::Id;
use domain::clock::Timestamp;
use serde::Serialize;

use super::answer::{ContractName, Finding, PrincipalName, ProductName, findings_text};
use super::api::{DateTime, NoticeReply, list, operation, schema};
use super::args::{self, Idempotency, Paging, Remote};
use super::client::{Client, PageInfo};
use super::error::{Error, Exit, Result};
use super::output::{self, or_dash};

/// `charter notice`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Subcommand)]
enum Command {
    /// List notices: those that affect you, and those of your domains
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show what the new major version changes, how long the old one is served, and the consumers' replies
    Show {
        /// Id of the notice
        #[arg(value_name = "ID")]
        notice: String,
    },
    /// Reply to a notice; the last reply counts
    Answer {
        /// Id of the notice
        #[arg(value_name = "ID")]
        notice: String,
        /// Whether you will migrate in time, need more time, or object
        #[arg(value_name = "REPLY", value_enum)]
        reply: NoticeReply,
        /// How long you need the old major version, a date or RFC 3339; with `needs_time`
        #[arg(long, value_name = "TIME", value_parser = args::timestamp)]
        until: Option<Timestamp>,
        /// Reason for the reply; optional with `acknowledged`
        #[arg(long)]
        reason: Option<String>,
        /// Reply for this service account of yours, by its id
        #[arg(long = "for", value_name = "PRINCIPAL")]
        consumer: Option<String>,
        #[command(flatten)]
        idempotency: Idempotency,
    },
    /// Set the migration note, or extend the deadline
    Update {
        /// Id of the notice
        #[arg(value_name = "ID")]
        notice: String,
        /// Instructions for migrating
        #[arg(long, value_name = "TEXT", required_unless_present = "deadline")]
        note: Option<String>,
        /// New, later deadline: a date or RFC 3339
        #[arg(long, value_name = "TIME", value_parser = args::timestamp)]
        deadline: Option<Timestamp>,
        #[command(flatten)]
        idempotency: Idempotency,
    },
}

list!($ ListNotices {} "notices" -> "ChangeNoticeConnection" of ChangeNotice);
operation!($ query "Query" ShowNotice { id: Id } "node" -> NoticeNode);
operation!($ mutation "Mutation" AnswerNotice { input: AnswerNoticeInput } "answerNotice" -> AnswerNoticeResult);
operation!($ mutation "Mutation" UpdateNotice { input: UpdateNoticeInput } "updateNotice" -> UpdateNoticeResult);

#[derive(Clone, cynic::InputObject)]
struct AnswerNoticeInput {
    notice: Id,
    consumer: Option<Id>,
    reply: NoticeReply,
    until: Option<DateTime>,
    reason: Option<String>,
    idempotency_key: Option<String>,
}

#[derive(Clone, cynic::InputObject)]
struct UpdateNoticeInput {
    notice: Id,
    migration_note: Option<String>,
    deadline: Option<DateTime>,
    idempotency_key: Option<String>,
}

#[derive(cynic::InlineFragments)]
#[cynic(graphql_type = "Node")]
#[expect(clippy::large_enum_variant, reason = "there is one value per run")]
enum NoticeNode {
    ChangeNotice(NoticeDetails),
    #[cynic(fallback)]
    Other,
}

#[derive(Serialize, cynic::QueryFragment)]
#[cynic(graphql_type = "ChangeNotice")]
struct NoticeDetails {
    #[cynic(spread)]
    #[serde(flatten)]
    notice: ChangeNotice,
    findings: Vec<Finding>,
    #[arguments(first: 100)]
    consumers: AffectedConsumerConnection,
}

#[derive(Serialize, cynic::InlineFragments)]
#[cynic(exhaustive)]
#[serde(tag = "__typename")]
enum AnswerNoticeResult {
    AnswerNoticePayload(AnswerNoticePayload),
    NoticeClosed(NoticeClosed),
    #[cynic(fallback)]
    Unknown,
}

#[derive(Serialize, cynic::InlineFragments)]
#[cynic(exhaustive)]
#[serde(tag = "__typename")]
enum UpdateNoticeResult {
    UpdateNoticePayload(UpdateNoticePayload),
    NoticeClosed(NoticeClosed),
    #[cynic(fallback)]
    Unknown,
}

#[derive(Serialize, cynic::QueryFragment)]
struct AnswerNoticePayload {
    notice: ChangeNotice,
    answer: NoticeAnswer,
}

#[derive(Serialize, cynic::QueryFragment)]
struct UpdateNoticePayload {
    notice: ChangeNotice,
}

#[derive(Serialize, cynic::QueryFragment)]
struct NoticeClosed {
    notice: ChangeNotice,
    message: String,
}

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct ChangeNotice {
    id: Id,
    product: Option<ProductName>,
    from: NoticeSide,
    to: NoticeSide,
    migration_note: Option<String>,
    deadline: DateTime,
    opened_at: DateTime,
    closed_at: Option<DateTime>,
}

#[derive(Serialize, cynic::QueryFragment)]
struct NoticeSide {
    version: String,
    contract: Option<ContractName>,
}

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct AffectedConsumerConnection {
    nodes: Vec<AffectedConsumer>,
    page_info: PageInfo,
}

#[derive(Serialize, cynic::QueryFragment)]
struct AffectedConsumer {
    grant: Grant,
    columns: Option<Vec<String>>,
    answer: Option<NoticeAnswer>,
}

#[derive(Serialize, cynic::QueryFragment)]
struct Grant {
    id: Id,
    principal: PrincipalName,
    port: String,
    major: i32,
    until: DateTime,
}

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct NoticeAnswer {
    reply: NoticeReply,
    until: Option<DateTime>,
    reason: Option<String>,
    answered_by: Option<PrincipalName>,
    at: DateTime,
}

/// Runs `charter notice`.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let json = args.remote.json;
    let client = Client::new(&args.remote)?;
    match args.command {
        Command::List { paging } => {
            let notices = client.list(ListNotices::default(), &paging).await?;
            output::show(json, &notices, |notices| table(&notices.nodes))?;
        }
        Command::Show { notice: id } => {
            let NoticeNode::ChangeNotice(notice) = client.node(ShowNotice { id: Id::new(&id) }, "notice", &id).await?
            else {
                return Err(Error::not_found("notice", &id));
            };
            output::show(json, &notice, NoticeDetails::text)?;
        }
        Command::Answer { notice, reply, until, reason, consumer, idempotency } => {
            let input = AnswerNoticeInput {
                notice: Id::new(notice),
                consumer: consumer.map(Id::new),
                reply,
                until: until.map(DateTime::from),
                reason,
                idempotency_key: idempotency.into_key(),
            };
            let result = client.send(AnswerNotice { input }).await?;
            output::outcome(json, &result, |result| match result {
                AnswerNoticeResult::AnswerNoticePayload(AnswerNoticePayload { notice, answer }) => {
                    Ok(format!("{}\n{}", table([notice]), answer_table(answer)))
                }
                AnswerNoticeResult::NoticeClosed(closed) => Err(closed.error()),
                AnswerNoticeResult::Unknown => Err(Error::unknown_outcome()),
            })?;
        }
        Command::Update { notice, note, deadline, idempotency } => {
            let input = UpdateNoticeInput {
                notice: Id::new(notice),
                migration_note: note,
                deadline: deadline.map(DateTime::from),
                idempotency_key: idempotency.into_key(),
            };
            let result = client.send(UpdateNotice { input }).await?;
            output::outcome(json, &result, |result| match result {
                UpdateNoticeResult::UpdateNoticePayload(updated) => Ok(table([&updated.notice])),
                UpdateNoticeResult::NoticeClosed(closed) => Err(closed.error()),
                UpdateNoticeResult::Unknown => Err(Error::unknown_outcome()),
            })?;
        }
    }
    Ok(Exit::Done)
}

impl NoticeClosed {
    fn error(&self) -> Error {
        Error::new(Exit::Failed, self.message.as_str())
    }
}

fn table<'a>(notices: impl IntoIterator<Item = &'a ChangeNotice>) -> String {
    output::table(
        ["notice", "product", "from", "to", "deadline", "closed"],
        notices.into_iter().map(|notice| {
            let ChangeNotice { id, product, from, to, deadline, closed_at, .. } = notice;
            [
                id.inner().to_owned(),
                or_dash(product.as_ref()),
                from.to_string(),
                to.to_string(),
                deadline.to_string(),
                or_dash(closed_at.as_ref()),
            ]
        }),
    )
}

fn answer_table(answer: &NoticeAnswer) -> String {
    let NoticeAnswer { reply, until, reason, answered_by, at } = answer;
    let by = or_dash(answered_by.as_ref().map(|by| &by.subject));
    let row = [reply.to_string(), or_dash(until.as_ref()), or_dash(reason.as_ref()), by, at.to_string()];
    output::table(["answer", "needs until", "reason", "by", "at"], [row])
}

impl std::fmt::Display for NoticeSide {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.contract {
            Some(contract) => write!(f, "{} {}", contract.document_id, self.version),
            None => f.write_str(&self.version),
        }
    }
}

impl NoticeDetails {
    fn text(&self) -> String {
        let note = self.notice.migration_note.as_deref().unwrap_or("no migration note");
        let consumers = output::table(
            ["consumer", "port", "grant until", "columns", "answer", "needs until", "reason"],
            self.consumers.nodes.iter().map(|AffectedConsumer { grant, columns, answer }| {
                [
                    grant.principal.subject.clone(),
                    format!("{} v{}", grant.port, grant.major),
                    grant.until.to_string(),
                    match columns {
                        Some(columns) if columns.is_empty() => "none that breaks".to_owned(),
                        columns => super::lineage::columns(columns.as_deref(), 0),
                    },
                    answer.as_ref().map_or_else(|| "none yet".to_owned(), |answer| answer.reply.to_string()),
                    or_dash(answer.as_ref().and_then(|answer| answer.until.as_ref())),
                    or_dash(answer.as_ref().and_then(|answer| answer.reason.as_ref())),
                ]
            }),
        );
        let findings = findings_text(&self.findings, "");
        format!("{}\n{findings}\n{note}\n\n{consumers}", table([&self.notice]))
    }
}
