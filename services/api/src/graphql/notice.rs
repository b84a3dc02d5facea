//! Notices of breaking successors, whom they concern, and what those answer.

use std::sync::Arc;

use app::lineage::{Reads, reads_of_holders};
use app::notice::{self, AnswerNotice, Consumer, NoticeView, Outcome, UpdateNotice};
use async_graphql::{Context, ID, InputObject, Object, SimpleObject, Union};
use domain::clock::Timestamp;
use domain::id::{NoticeId, ProductId};
use domain::notice::Reply;

use super::error::{Failure, Result};
use super::id::{decode, encode};
use super::input::idempotency_key;
use super::lineage::known;
use super::page::{Connection, Page, SHORT_LIST, cost};
use super::relation;
use super::scalar::{DateTime, int};
use super::session::SessionExt;
use super::types::{ChangeNotice, Contract, Finding, Grant, Principal, Product};
use super::words::NoticeReply;

#[Object]
impl ChangeNotice {
    pub(crate) async fn id(&self) -> ID {
        encode(self.0.notice.id)
    }

    async fn product(&self, ctx: &Context<'_>) -> Result<Option<Product>> {
        relation::find_product(ctx, self.0.notice.product_id).await
    }

    /// The version that its readers use.
    async fn from(&self) -> NoticeSide {
        NoticeSide(self.0.notice.from)
    }

    /// The successor.
    async fn to(&self) -> NoticeSide {
        NoticeSide(self.0.notice.to)
    }

    /// The differences, as of the opening of the notice.
    async fn findings(&self) -> Vec<Finding> {
        self.0.notice.findings.iter().cloned().map(Finding::from).collect()
    }

    /// The owner's migration note.
    async fn migration_note(&self) -> Option<&str> {
        self.0.notice.migration_note.as_deref()
    }

    /// The old major is served until then at least, unless its owner retires it.
    async fn deadline(&self) -> DateTime {
        self.0.notice.deadline.into()
    }

    async fn opened_at(&self) -> DateTime {
        self.0.notice.opened_at.into()
    }

    /// The time at which one of the two majors ended.
    async fn closed_at(&self) -> Option<DateTime> {
        self.0.notice.closed_at.map(DateTime)
    }

    /// The port majors whose readers it affects.
    async fn ports(&self) -> Vec<NoticePort> {
        let ports = self.0.concerned.iter();
        ports.map(|port| NoticePort { name: port.port.to_string(), major: int(port.major) }).collect()
    }

    /// The affected consumers by their grants, newest first. Consumers see their own entries; owners, admins, stewards
    /// and auditors see all.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn consumers(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(super::page::DEFAULT_PAGE)")] first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<AffectedConsumer>> {
        let ctx = ctx.ctx()?;
        let page = Page::new(ctx, "consumers of notice", first, after.as_deref())?;
        let found = notice::list_consumers(ctx, self.0.notice.id, page.seek()).await?;
        let grants: Vec<_> = found.items.iter().map(|consumer| &consumer.grant).collect();
        let reads = reads_of_holders(ctx, &self.0.notice, &grants).await?;
        let items = found.items.into_iter().zip(reads).map(|(consumer, reads)| AffectedConsumer { consumer, reads });
        let found = app::paging::Page { items: items.collect(), has_more: found.has_more };
        Ok(page.connection(found, |of| (of.consumer.grant.granted_at, of.consumer.grant.id), |of| of))
    }
}

/// One side of a notice: a contract in the version that was current in its major when the notice was opened.
pub(crate) struct NoticeSide(domain::notice::Side);

#[Object]
impl NoticeSide {
    async fn contract(&self, ctx: &Context<'_>) -> Result<Option<Contract>> {
        relation::find_contract(ctx, self.0.contract_id).await
    }

    /// `MAJOR.MINOR.PATCH`.
    async fn version(&self) -> String {
        self.0.version.to_string()
    }

    async fn major(&self) -> i32 {
        int(self.0.version.major)
    }
}

/// A major of an output port.
#[derive(SimpleObject)]
pub(crate) struct NoticePort {
    name: String,
    major: i32,
}

/// One whom a notice concerns.
pub(crate) struct AffectedConsumer {
    consumer: Consumer,
    reads: Reads,
}

/// A consumer that a notice affects.
#[Object]
impl AffectedConsumer {
    /// Its grant on the old major.
    async fn grant(&self) -> Grant {
        Grant(self.consumer.grant.clone())
    }

    /// Which of the columns that the change breaks it reads; null if that is not known.
    async fn columns(&self) -> Option<Vec<&str>> {
        known(&self.reads)
    }

    /// Its latest answer, which counts.
    async fn answer(&self) -> Option<NoticeAnswer> {
        self.consumer.answers.last().cloned().map(NoticeAnswer)
    }

    /// All its answers, oldest first.
    #[graphql(complexity = "SHORT_LIST * child_complexity + 1")]
    async fn history(&self) -> Vec<NoticeAnswer> {
        self.consumer.answers.iter().cloned().map(NoticeAnswer).collect()
    }
}

/// An answer to a notice.
pub(crate) struct NoticeAnswer(domain::notice::Answer);

#[Object]
impl NoticeAnswer {
    /// The consumer: the holder of a grant on the old major.
    async fn consumer(&self, ctx: &Context<'_>) -> Result<Option<Principal>> {
        relation::find_principal(ctx, self.0.principal_id).await
    }

    /// Who gave the answer: the holder, or the owner of the service account.
    async fn answered_by(&self, ctx: &Context<'_>) -> Result<Option<Principal>> {
        relation::find_principal(ctx, self.0.by).await
    }

    async fn reply(&self) -> NoticeReply {
        self.0.reply.kind().into()
    }

    /// The requested time.
    async fn until(&self) -> Option<DateTime> {
        self.0.reply.until().map(DateTime)
    }

    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    async fn at(&self) -> DateTime {
        self.0.at.into()
    }
}

/// Notices of a product, or all that the caller may see.
pub(super) async fn list(
    ctx: &Context<'_>,
    list: &'static str,
    product_id: Option<ProductId>,
    first: Option<i32>,
    after: Option<&str>,
) -> Result<Connection<ChangeNotice>> {
    let ctx = ctx.ctx()?;
    let page = Page::<(Timestamp, NoticeId)>::new(ctx, list, first, after)?;
    let found = notice::list_notices(ctx, product_id, page.seek()).await?;
    let key = |view: &NoticeView| (view.notice.opened_at, view.notice.id);
    Ok(page.connection(found, key, |view| ChangeNotice(Arc::new(view))))
}

#[derive(Default)]
pub(crate) struct NoticeQuery;

#[Object]
impl NoticeQuery {
    /// Notices of breaking successors, newest first: those that affect the caller or their service accounts, those of
    /// their domains, and all for platform roles.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn notices(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(super::page::DEFAULT_PAGE)")] first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<ChangeNotice>> {
        list(ctx, "notices", None, first, after.as_deref()).await
    }
}

#[derive(InputObject)]
pub(crate) struct AnswerNoticeInput {
    notice: ID,
    /// The consumer to answer for: a service account of the caller; default: the caller.
    consumer: Option<ID>,
    reply: NoticeReply,
    /// With `NEEDS_TIME`: the requested time, later than the notice's deadline.
    until: Option<DateTime>,
    /// Required unless the reply is `ACKNOWLEDGED`.
    reason: Option<String>,
    idempotency_key: Option<String>,
}

#[derive(SimpleObject)]
pub(crate) struct AnswerNoticePayload {
    notice: ChangeNotice,
    answer: NoticeAnswer,
}

/// Changes to a notice; give the note, the deadline, or both.
#[derive(InputObject)]
pub(crate) struct UpdateNoticeInput {
    notice: ID,
    /// The migration note.
    migration_note: Option<String>,
    /// A later deadline: the old major is served until then at least.
    deadline: Option<DateTime>,
    idempotency_key: Option<String>,
}

#[derive(SimpleObject)]
pub(crate) struct UpdateNoticePayload {
    notice: ChangeNotice,
}

/// The notice is closed: one of its two majors has ended.
#[derive(SimpleObject)]
pub(crate) struct NoticeClosed {
    notice: ChangeNotice,
    message: String,
}

impl From<NoticeView> for NoticeClosed {
    fn from(view: NoticeView) -> Self {
        Self { notice: ChangeNotice(Arc::new(view)), message: domain::notice::Error::Closed.to_string() }
    }
}

#[derive(Union)]
pub(crate) enum AnswerNoticeResult {
    Done(AnswerNoticePayload),
    Closed(NoticeClosed),
}

#[derive(Union)]
pub(crate) enum UpdateNoticeResult {
    Done(UpdateNoticePayload),
    Closed(NoticeClosed),
}

#[derive(Default)]
pub(crate) struct NoticeMutation;

#[Object]
impl NoticeMutation {
    /// Answers a notice for the holder of a grant on the old major. The latest answer counts.
    async fn answer_notice(&self, ctx: &Context<'_>, input: AnswerNoticeInput) -> Result<AnswerNoticeResult> {
        let ctx = ctx.ctx()?;
        let key = idempotency_key("answerNotice", &input, input.idempotency_key.as_ref())?;
        let command = AnswerNotice {
            id: decode(&input.notice, "notice")?,
            principal_id: input.consumer.as_ref().map(|id| decode(id, "consumer")).transpose()?,
            reply: reply(input.reply, input.until)?,
            reason: input.reason,
            key,
        };
        Ok(match notice::answer_notice(ctx, command).await? {
            Outcome::Done((view, answer)) => AnswerNoticeResult::Done(AnswerNoticePayload {
                notice: ChangeNotice(Arc::new(view)),
                answer: NoticeAnswer(answer),
            }),
            Outcome::Closed(view) => AnswerNoticeResult::Closed((*view).into()),
        })
    }

    /// Changes a notice's migration note, or moves its deadline to a later time.
    async fn update_notice(&self, ctx: &Context<'_>, input: UpdateNoticeInput) -> Result<UpdateNoticeResult> {
        let ctx = ctx.ctx()?;
        let key = idempotency_key("updateNotice", &input, input.idempotency_key.as_ref())?;
        let command = UpdateNotice {
            id: decode(&input.notice, "notice")?,
            migration_note: input.migration_note,
            deadline: input.deadline.map(|deadline| deadline.0),
            key,
        };
        Ok(match notice::update_notice(ctx, command).await? {
            Outcome::Done(view) => {
                UpdateNoticeResult::Done(UpdateNoticePayload { notice: ChangeNotice(Arc::new(view)) })
            }
            Outcome::Closed(view) => UpdateNoticeResult::Closed((*view).into()),
        })
    }
}

fn reply(reply: NoticeReply, until: Option<DateTime>) -> Result<Reply> {
    match (reply, until) {
        (NoticeReply::Acknowledged, None) => Ok(Reply::Acknowledged),
        (NoticeReply::Objects, None) => Ok(Reply::Objects),
        (NoticeReply::NeedsTime, Some(until)) => Ok(Reply::NeedsTime { until: until.0 }),
        (NoticeReply::NeedsTime, None) => Err(Failure::invalid("until", "`until` is required with `NEEDS_TIME`")),
        (NoticeReply::Acknowledged | NoticeReply::Objects, Some(_)) => {
            Err(Failure::invalid("until", "`until` is only allowed with `NEEDS_TIME`"))
        }
    }
}
