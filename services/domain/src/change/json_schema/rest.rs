//! Content beyond the named properties or items of an object or array: `additional…` and `unevaluated…`.

use super::comparison::{Answer, Sides, Step};
use super::model::{Additional, NodeId, Schema, Shape};
use super::names::Rest;
use crate::change::message::TooComplex;

/// What there may be beside what is named.
pub(super) enum Content {
    /// Anything.
    Open,
    /// What a schema admits.
    Partial(NodeId),
    /// Nothing.
    Closed,
}

impl Content {
    /// The content model of two keywords; `unevaluated…` counts where `additional…` permits everything. An
    /// `unevaluated…` of `false` closes what is not named here, whatever schemas beside it may name.
    pub(super) fn of(schema: &Schema, additional: Additional, unevaluated: Option<NodeId>) -> Self {
        match (additional, unevaluated.map(|id| (id, &schema.node(id).shape))) {
            (Additional::Schema(schema), _) => Self::Partial(schema),
            (Additional::Forbidden, _) | (Additional::Permitted, Some((_, Shape::Never))) => Self::Closed,
            (Additional::Permitted, None | Some((_, Shape::Any))) => Self::Open,
            (Additional::Permitted, Some((schema, _))) => Self::Partial(schema),
        }
    }
}

pub(super) fn compare_additional(
    answer: &mut Answer<'_, '_>,
    rest: &'static Rest,
    sides: &Sides<'_>,
    (old, new): (Additional, Additional),
) -> Result<(), TooComplex> {
    let step = Step::Keyword(rest.keyword);
    let name = match (old, new) {
        (Additional::Permitted, Additional::Permitted) | (Additional::Forbidden, Additional::Forbidden) => {
            return Ok(());
        }
        (Additional::Schema(old), Additional::Schema(new)) => return answer.nest(step, old, new).map(drop),
        // A schema that admits everything permits it.
        (Additional::Permitted, Additional::Schema(new)) if sides.new_schema.is_any(new) => return Ok(()),
        (Additional::Schema(old), Additional::Permitted) if sides.old_schema.is_any(old) => return Ok(()),
        (Additional::Forbidden, _) => rest.added,
        (_, Additional::Forbidden) => rest.removed,
        (Additional::Permitted, Additional::Schema(_)) => rest.narrowed,
        (Additional::Schema(_), Additional::Permitted) => rest.extended,
    };
    answer.say(step, name);
    Ok(())
}

pub(super) fn compare_unevaluated(
    answer: &mut Answer<'_, '_>,
    rest: &'static Rest,
    sides: &Sides<'_>,
    (old, new): (Option<NodeId>, Option<NodeId>),
) -> Result<(), TooComplex> {
    let step = Step::Keyword(rest.keyword);
    let old_shape = old.map(|id| &sides.old_schema.node(id).shape);
    let new_shape = new.map(|id| &sides.new_schema.node(id).shape);
    let name = match (old_shape, new_shape) {
        (None, None) | (Some(Shape::Never), Some(Shape::Never)) => return Ok(()),
        (None, Some(Shape::Any)) | (Some(Shape::Any), None) => return Ok(()),
        (Some(Shape::Never), _) => rest.added,
        (_, Some(Shape::Never)) => rest.removed,
        (None, Some(_)) => rest.narrowed,
        (Some(_), None) => rest.extended,
        (Some(Shape::Any), Some(Shape::Any)) => return Ok(()),
        (Some(Shape::Any), Some(_)) => rest.narrowed,
        (Some(_), Some(Shape::Any)) => rest.extended,
        (Some(_), Some(_)) => return answer.nest_optional(step, old, new),
    };
    answer.say(step, name);
    Ok(())
}
