//! Change notices and the answers to them.

use domain::clock::Timestamp;
use domain::id::{AnswerId, ContractId, NoticeId, PrincipalId, ProductId};
use domain::notice::{Answer, ChangeNotice, Reply, ReplyKind, Side};

use crate::db::Tx;
use crate::error::Error;
use crate::json;
use crate::page::{Page, Seek};
use crate::row::{Text, affected, entity_row, find, insert, integer, list, list_in, page_by_time, version};

entity_row! {
    NoticeRow from "notices" {
        id: Text<NoticeId>,
        product_id: Text<ProductId>,
        from_contract_id: Text<ContractId>,
        from_major: i64,
        from_minor: i64,
        from_patch: i64,
        to_contract_id: Text<ContractId>,
        to_major: i64,
        to_minor: i64,
        to_patch: i64,
        findings: String,
        migration_note: Option<String>,
        deadline: i64,
        opened_at: i64,
        closed_at: Option<i64>,
    }
}

impl TryFrom<NoticeRow> for ChangeNotice {
    type Error = Error;

    fn try_from(row: NoticeRow) -> Result<Self, Error> {
        let id = row.id.0;
        let misfit = |problem: &str| Error::inconsistent("notices", id, problem);
        let from = version([row.from_major, row.from_minor, row.from_patch]).map_err(misfit)?;
        let to = version([row.to_major, row.to_minor, row.to_patch]).map_err(misfit)?;
        Ok(Self {
            id,
            product_id: row.product_id.0,
            from: Side { contract_id: row.from_contract_id.0, version: from },
            to: Side { contract_id: row.to_contract_id.0, version: to },
            findings: json::findings_from_text(&row.findings).map_err(|problem| misfit(&problem))?,
            migration_note: row.migration_note,
            deadline: Timestamp(row.deadline),
            opened_at: Timestamp(row.opened_at),
            closed_at: row.closed_at.map(Timestamp),
        })
    }
}

/// Adds an open notice.
///
/// # Errors
/// [`crate::Constraint::NoticeMajors`] if there is one about the same majors; [`Error::LockNeeded`].
pub async fn insert(tx: &mut Tx, notice: &ChangeNotice) -> Result<(), Error> {
    tx.require_facts()?;
    insert!(
        tx,
        NoticeRow {
            id: Text(notice.id),
            product_id: Text(notice.product_id),
            from_contract_id: Text(notice.from.contract_id),
            from_major: integer(notice.from.version.major),
            from_minor: integer(notice.from.version.minor),
            from_patch: integer(notice.from.version.patch),
            to_contract_id: Text(notice.to.contract_id),
            to_major: integer(notice.to.version.major),
            to_minor: integer(notice.to.version.minor),
            to_patch: integer(notice.to.version.patch),
            findings: json::findings_to_text(&notice.findings),
            migration_note: notice.migration_note.as_deref(),
            deadline: notice.deadline.0,
            opened_at: notice.opened_at.0,
            closed_at: notice.closed_at.map(|at| at.0),
        }
    )?;
    Ok(())
}

/// Updates an open notice: its note, its deadline, or its end.
///
/// # Errors
/// [`Error::Stale`] if it is closed; [`Error::LockNeeded`].
pub async fn update(tx: &mut Tx, notice: &ChangeNotice) -> Result<(), Error> {
    tx.require_facts()?;
    let n_rows = affected!(
        tx,
        "UPDATE notices
         SET migration_note = $1, deadline = $2, closed_at = $3
         WHERE id = $4 AND closed_at IS NULL",
        notice.migration_note.as_deref(),
        notice.deadline.0,
        notice.closed_at.map(|at| at.0),
        Text(notice.id)
    )?;
    if n_rows == 1 { Ok(()) } else { Err(Error::Stale("notice")) }
}

/// A notice by its id.
pub async fn find(tx: &mut Tx, id: NoticeId) -> Result<Option<ChangeNotice>, Error> {
    find!(tx, NoticeRow, "WHERE id = $1", Text(id))
}

/// The notices of these ids that exist.
pub async fn list_by_ids(tx: &mut Tx, ids: &[NoticeId]) -> Result<Vec<ChangeNotice>, Error> {
    list_in!(tx, NoticeRow, "WHERE id IN ({list})", ids)
}

/// The notices to the readers of a contract's major, and those that name it as the successor, the oldest first.
pub async fn list_of_major(tx: &mut Tx, contract_id: ContractId, major: u64) -> Result<Vec<ChangeNotice>, Error> {
    list!(
        tx,
        NoticeRow,
        "WHERE (from_contract_id = $1 AND from_major = $2) OR (to_contract_id = $1 AND to_major = $2)
         ORDER BY opened_at, id",
        Text(contract_id),
        integer(major)
    )
}

/// Notices, the newest first: those of a product, or all.
pub async fn list(
    tx: &mut Tx,
    product_id: Option<ProductId>,
    seek: &Seek<(Timestamp, NoticeId)>,
) -> Result<Page<ChangeNotice>, Error> {
    match product_id {
        None => page_by_time!(tx, seek, NoticeRow by "opened_at", "$4 = ''", ""),
        Some(id) => page_by_time!(tx, seek, NoticeRow by "opened_at", "product_id = $4", Text(id)),
    }
}

entity_row! {
    AnswerRow from "notice_answers" {
        id: Text<AnswerId>,
        notice_id: Text<NoticeId>,
        principal_id: Text<PrincipalId>,
        answered_by: Text<PrincipalId>,
        kind: Text<ReplyKind>,
        until_at: Option<i64>,
        reason: Option<String>,
        at: i64,
    }
}

impl TryFrom<AnswerRow> for Answer {
    type Error = Error;

    fn try_from(row: AnswerRow) -> Result<Self, Error> {
        let id = row.id.0;
        let reply = match (row.kind.0, row.until_at.map(Timestamp)) {
            (ReplyKind::Acknowledged, None) => Reply::Acknowledged,
            (ReplyKind::NeedsTime, Some(until)) => Reply::NeedsTime { until },
            (ReplyKind::Objects, None) => Reply::Objects,
            _ => return Err(Error::inconsistent("notice_answers", id, "the kind and the time do not fit")),
        };
        Ok(Self {
            id,
            notice_id: row.notice_id.0,
            principal_id: row.principal_id.0,
            by: row.answered_by.0,
            reply,
            reason: row.reason,
            at: Timestamp(row.at),
        })
    }
}

/// Adds an answer.
///
/// # Errors
/// [`Error::LockNeeded`].
pub async fn insert_answer(tx: &mut Tx, answer: &Answer) -> Result<(), Error> {
    tx.require_facts()?;
    insert!(
        tx,
        AnswerRow {
            id: Text(answer.id),
            notice_id: Text(answer.notice_id),
            principal_id: Text(answer.principal_id),
            answered_by: Text(answer.by),
            kind: Text(answer.reply.kind()),
            until_at: answer.reply.until().map(|until| until.0),
            reason: answer.reason.as_deref(),
            at: answer.at.0,
        }
    )?;
    Ok(())
}

/// An answer by its id.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get_answer(tx: &mut Tx, id: AnswerId) -> Result<Answer, Error> {
    let answer = find!(tx, AnswerRow, "WHERE id = $1", Text(id))?;
    answer.ok_or(Error::NotFound("answer"))
}

/// The answers to a notice for these principals, the oldest of each first: the last one counts.
pub async fn list_answers(
    tx: &mut Tx,
    notice_id: NoticeId,
    principal_ids: &[PrincipalId],
) -> Result<Vec<Answer>, Error> {
    let mut answers: Vec<Answer> =
        list_in!(tx, AnswerRow, "WHERE notice_id = $1 AND principal_id IN ({list})", principal_ids, Text(notice_id))?;
    answers.sort_by_key(|answer| (answer.principal_id, answer.at, answer.id));
    Ok(answers)
}
