//! `charter notice`: notices of breaking changes, the affected consumers, and their replies.

use clap::Subcommand;
use clap::builder::PossibleValuesParser;
use domain::clock::Timestamp;
use domain::notice::ReplyKind;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

use super::answer::{Finding, PrincipalName, ProductName, findings_text};
use super::args::{self, Idempotency, Paging, Remote};
use super::client::{Client, Connection};
use super::error::{Error, Exit, Result};
use super::output::{self, Paint, or_dash, word};

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
        #[arg(value_name = "REPLY", value_parser = replies())]
        reply: String,
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

const LIST: &[&str] = &[
    "query Notices($first: Int, $after: String) { answer: notices(first: $first, after: $after) {
        nodes { ...Notice }
        pageInfo { hasNextPage endCursor }
    } }\n",
    NOTICE,
    ProductName::FRAGMENT,
];

const SHOW: &[&str] = &[
    "query Notice($id: ID!) { answer: node(id: $id) { ... on ChangeNotice {
        ...Notice
        findings { ...Finding }
        consumers(first: 100) {
            nodes {
                grant { id principal { subject } port major until }
                answer { reply until reason answeredBy { subject } at }
            }
            pageInfo { hasNextPage endCursor }
        }
    } } }\n",
    NOTICE,
    ProductName::FRAGMENT,
    Finding::FRAGMENT,
];

const ANSWER: &[&str] = &[
    "mutation AnswerNotice($input: AnswerNoticeInput!) { answer: answerNotice(input: $input) {
        __typename
        ... on AnswerNoticePayload { notice { ...Notice } answer { reply until reason answeredBy { subject } at } }
        ... on NoticeClosed { notice { ...Notice } message }
    } }\n",
    NOTICE,
    ProductName::FRAGMENT,
];

const UPDATE: &[&str] = &[
    "mutation UpdateNotice($input: UpdateNoticeInput!) { answer: updateNotice(input: $input) {
        __typename
        ... on UpdateNoticePayload { notice { ...Notice } }
        ... on NoticeClosed { notice { ...Notice } message }
    } }\n",
    NOTICE,
    ProductName::FRAGMENT,
];

const NOTICE: &str = "fragment Notice on ChangeNotice {
    id product { ...ProductName } from { version contract { documentId } } to { version contract { documentId } }
    migrationNote deadline openedAt closedAt
}\n";

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Notice {
    id: String,
    product: Option<ProductName>,
    from: Side,
    to: Side,
    migration_note: Option<String>,
    deadline: String,
    opened_at: String,
    closed_at: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Side {
    version: String,
    contract: Option<ContractName>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct ContractName {
    document_id: String,
}

#[derive(Debug, Deserialize, Serialize)]
struct Shown {
    #[serde(flatten)]
    notice: Notice,
    findings: Vec<Finding>,
    consumers: Connection<Consumer>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Consumer {
    grant: Grant,
    answer: Option<Answer>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Grant {
    id: String,
    principal: PrincipalName,
    port: String,
    major: u32,
    until: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    reply: String,
    until: Option<String>,
    reason: Option<String>,
    answered_by: Option<PrincipalName>,
    at: String,
}

/// The outcomes of answering and updating.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "__typename")]
enum Changed {
    AnswerNoticePayload { notice: Notice, answer: Answer },
    UpdateNoticePayload { notice: Notice },
    NoticeClosed { notice: Notice, message: String },
}

/// Runs `charter notice`.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let json = args.remote.json;
    let client = Client::new(&args.remote)?;
    match args.command {
        Command::List { paging } => {
            let notices: Connection<Notice> = client.list(LIST, Map::new(), &paging).await?;
            output::show(json, &notices, |notices| table(&notices.nodes))?;
        }
        Command::Show { notice } => {
            let shown: Shown = client.node(SHOW, "notice", &notice).await?;
            output::show(json, &shown, Shown::text)?;
        }
        Command::Answer { notice, reply, until, reason, consumer, idempotency } => {
            let input = idempotency.into_input(json!({
                "notice": notice,
                "reply": args::enum_value(&reply),
                "until": until.map(|until| until.to_string()),
                "reason": reason,
                "consumer": consumer,
            }));
            changed(json, &client.send(ANSWER, json!({ "input": input })).await?)?;
        }
        Command::Update { notice, note, deadline, idempotency } => {
            let deadline = deadline.map(|deadline| deadline.to_string());
            let input = json!({ "notice": notice, "migrationNote": note, "deadline": deadline });
            changed(json, &client.send(UPDATE, json!({ "input": idempotency.into_input(input) })).await?)?;
        }
    }
    Ok(Exit::Done)
}

fn replies() -> PossibleValuesParser {
    PossibleValuesParser::new(ReplyKind::ALL.iter().map(|reply| reply.as_str()))
}

fn changed(json: bool, changed: &Changed) -> Result<()> {
    output::outcome(json, changed, |changed| match changed {
        Changed::NoticeClosed { message, .. } => Err(Error::new(Exit::Failed, message.as_str())),
        Changed::AnswerNoticePayload { notice, answer } => {
            Ok(format!("{}\n{}", table(std::slice::from_ref(notice)), answer_table(answer)))
        }
        Changed::UpdateNoticePayload { notice } => Ok(table(std::slice::from_ref(notice))),
    })
}

fn table(notices: &[Notice]) -> String {
    output::table(
        ["notice", "product", "from", "to", "deadline", "closed"],
        notices.iter().map(|notice| {
            let Notice { id, product, from, to, deadline, closed_at, .. } = notice;
            [
                id.clone(),
                or_dash(product.as_ref()),
                from.to_string(),
                to.to_string(),
                deadline.clone(),
                or_dash(closed_at.as_ref()),
            ]
        }),
    )
}

fn answer_table(answer: &Answer) -> String {
    let Answer { reply, until, reason, answered_by, at } = answer;
    let by = or_dash(answered_by.as_ref().map(|by| &by.subject));
    let row = [word(reply), or_dash(until.as_ref()), or_dash(reason.as_ref()), by, at.clone()];
    output::table(["answer", "needs until", "reason", "by", "at"], [row])
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.contract {
            Some(contract) => write!(f, "{} {}", contract.document_id, self.version),
            None => f.write_str(&self.version),
        }
    }
}

impl Shown {
    fn text(&self) -> String {
        let note = self.notice.migration_note.as_deref().unwrap_or("no migration note");
        let consumers = output::table(
            ["consumer", "port", "grant until", "columns", "answer", "needs until", "reason"],
            self.consumers.nodes.iter().map(|Consumer { grant, answer }| {
                [
                    grant.principal.subject.clone(),
                    format!("{} v{}", grant.port, grant.major),
                    grant.until.clone(),
                    "unknown".to_owned(),
                    answer.as_ref().map_or_else(|| "none yet".to_owned(), |answer| word(&answer.reply)),
                    or_dash(answer.as_ref().and_then(|answer| answer.until.as_ref())),
                    or_dash(answer.as_ref().and_then(|answer| answer.reason.as_ref())),
                ]
            }),
        );
        let findings = findings_text(&self.findings, "", Paint::stdout());
        format!("{}\n{findings}\n{note}\n\n{consumers}", table(std::slice::from_ref(&self.notice)))
    }
}
