//! What a registered schema does to the contract of its topic: the next version, or none.
//!
//! The contract's schema object is what the schema document; so a schema that adds something is a MINOR version of the
//! contract, and one that would break the contract's readers is refused, whatever the subject's level is.

use documents::convert::{self, Foreign, Source};
use documents::message::References;
use domain::binding::TopicBinding;
use domain::change::message::Format;
use domain::change::{compare_with, required_bump};
use domain::contract::{self, Evolve, State};
use domain::registry::Subject;
use domain::version::Bump;
use store::Tx;

use super::draft::Draft;
use super::error::{Error, NotPermitted};
use crate::contract::parsed;
use crate::ctx::Ctx;
use crate::product_in_domain::ProductInDomain;
use crate::publish::{self, DocumentSet, DocumentText, Outcome};

/// What became of the contract.
pub(super) enum Evolved {
    /// It document what the schema document, now or already.
    Done,
    /// The next version waits for its review; the schema is not to be registered before it is active.
    Waits(NotPermitted),
}

/// A draft as a source of columns.
pub(super) fn foreign<'a>(draft: &'a Draft, references: &'a References) -> Foreign<'a> {
    let source = match draft.format {
        Format::Avro => Source::Avro,
        Format::Json => Source::JsonSchema,
        Format::Protobuf => Source::Protobuf,
    };
    Foreign { source, text: &draft.text, references }
}

/// Lets the contract follow a schema. What it demands is judged by the change engine.
///
/// # Errors
/// [`Error::Incompatible`] if it would need a new major.
pub(super) async fn evolve(
    ctx: &Ctx,
    tx: &mut Tx,
    known: &ProductInDomain,
    binding: &TopicBinding,
    subject: &Subject,
    schema: Foreign<'_>,
) -> Result<Evolved, Error> {
    let versions = of_major(tx, binding).await?;
    let Some(current) = versions.iter().find(|version| matches!(version.state, State::Active { .. })) else {
        return Err(NotPermitted::ContractInactive(subject.clone()).into());
    };
    let document = parsed(&ctx.app, &current.document)?;
    let next = |version, status| {
        let bytes = &current.document.bytes;
        convert::follow(bytes, &binding.object, schema, version, status).map_err(cannot_follow)
    };
    let parse = |text: &str| -> Result<contract::Document, Error> {
        match documents::parse(text.as_bytes()).map(|parsed| parsed.document) {
            Ok(documents::Document::Contract(contract)) => Ok(contract),
            Ok(documents::Document::Product(_)) => Err(crate::Error::internal("a contract became a product").into()),
            // Such as a rule over a column that the schema does not have any more.
            Err(problems) => Err(cannot_follow(problems)),
        }
    };
    let findings = compare_with(&document, &parse(&next(document.version, None)?)?, &ctx.app.settings.comparison);
    let needed = required_bump(&findings);
    match needed {
        Bump::None => return Ok(Evolved::Done),
        Bump::Major => {
            let breaking = findings.iter().filter(|finding| finding.bump() == Bump::Major);
            let reasons = breaking.map(|finding| {
                format!(
                    "{{errorType:'{}', description:'{}', additionalInfo:'{}'}}",
                    finding.rule, finding.message, finding.path
                )
            });
            return Err(Error::Incompatible { subject: subject.clone(), reasons: reasons.collect() });
        }
        Bump::Patch | Bump::Minor => {}
    }
    let newest = versions.iter().map(|version| version.version).max().unwrap_or(document.version);
    let version = newest.next(needed);
    let review = document.settings.evolve == Evolve::Review;
    let text = next(version, Some(if review { "draft" } else { "active" }))?;
    let path = format!("{subject}.yaml");
    let command = DocumentSet {
        domain: Some(known.domain.path.clone()),
        documents: vec![DocumentText { path, text }],
        prune: false,
        key: None,
    };
    match publish::apply_in(ctx, tx, &command).await? {
        Outcome::Done(_) if review => Ok(Evolved::Waits(NotPermitted::ReviewPending {
            version,
            contract: document.document_id.clone(),
            product: known.address(),
        })),
        Outcome::Done(_) => Ok(Evolved::Done),
        Outcome::Invalid(problems) => {
            let problems: Vec<String> = problems.into_iter().map(|problem| problem.message).collect();
            Err(NotPermitted::ContractInvalid(problems.join("; ")).into())
        }
        Outcome::Refused(refusals) => {
            let reasons = refusals.into_iter().map(|refusal| refusal.message).collect();
            Err(Error::Incompatible { subject: subject.clone(), reasons })
        }
    }
}

/// The versions of the contract's major that the topic is bound in.
async fn of_major(tx: &mut Tx, binding: &TopicBinding) -> Result<Vec<contract::Version>, Error> {
    let versions = store::contract::list_versions_of_contracts(tx, &[binding.contract_id]).await?;
    Ok(versions.into_iter().filter(|version| version.version.major == binding.major).collect())
}

/// What keeps the contract from following the schema.
fn cannot_follow(problems: Vec<documents::Problem>) -> Error {
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    NotPermitted::ContractCannotFollow(problems.join("; ")).into()
}
