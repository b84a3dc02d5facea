//! Authorisation: whether a caller may do something is decided by the policies in `policies/` alone.
//!
//! [`Policy`] holds the policies, validated strictly against `policies/charterhouse.cedarschema`. It takes plain facts
//! of the domain ([`Caller`], [`Resource`]) and returns a [`domain::gate::PolicyAnswer`]; no Cedar type is part of the
//! interface. Any evaluation error is a refusal. The other conditions of a decision (contract, grant, quality, ...) are
//! in `domain::gate`; `app` loads the facts.
//!
//! Begin at [`Policy::decide`]. To add an action: a member of [`Action`], its line in the schema, a policy in
//! `policies/`, and `UPDATE_GOLDEN=1 cargo test --workspace --test policy_it` to see in `policies/matrix.txt` who may
//! do it now. To add a resource: a variant of [`Resource`], its entity in the schema, and its entities in
//! `entities.rs`.

mod action;
mod entities;
mod facts;
mod load;

use std::collections::HashSet;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, PolicyId, PolicySet, Request, RestrictedExpression, Schema,
};
use domain::gate::PolicyAnswer;
use domain::id::ProductId;
use domain::identity::PurposeCode;

pub use self::action::Action;
use self::entities::Names;
pub use self::facts::{Caller, Party, Product, Resource};
pub use self::load::{Error, Fault};

/// The policies in force.
pub struct Policy {
    authorizer: Authorizer,
    /// The policies that can apply to an action, in the order of [`Action::ALL`]: the cost is linear in policies.
    by_action: Vec<PolicySet>,
    /// Those of them that permit reading by a role, without a grant.
    by_role: PolicySet,
    ids: Vec<String>,
    named_products: HashSet<ProductId>,
    schema: Schema,
    names: Names,
    digest: String,
}

/// The question whether a caller may do an action on a resource.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The caller.
    pub caller: &'a Caller<'a>,
    /// The action.
    pub action: Action,
    /// The resource.
    pub resource: &'a Resource<'a>,
    /// The purpose of reading, if the caller states one; only for [`Action::Read`].
    pub purpose: Option<PurposeCode>,
}

impl Policy {
    /// Answers a question.
    ///
    /// Every failure is a refusal with the error in the answer: a policy that cannot be evaluated, even if another one
    /// permits, and an action that does not apply to the resource, such as reading a domain.
    pub fn decide(&self, question: &Question<'_>) -> PolicyAnswer {
        // Tests compare the evaluations of requests.
        tracing::trace!(target: "charter::policy", action = question.action.as_str(), "policies evaluated");
        match self.evaluate(question) {
            Ok(answer) => answer,
            Err(error) => PolicyAnswer { allowed: false, policy_ids: Vec::new(), errors: vec![error.to_string()] },
        }
    }

    /// Whether the caller may do the action; [`Policy::decide`] also returns why.
    pub fn allows(&self, caller: &Caller<'_>, action: Action, resource: &Resource<'_>) -> bool {
        self.decide(&Question { caller, action, resource, purpose: None }).allowed
    }

    /// SHA-256, in hex, over the schema and all policies with their file names. It is stored with decisions.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The ids of all policies, sorted.
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// The products that a policy names by their ids. Of all others, the policies know the domain, the classification and
    /// the caller's grants, and nothing else.
    pub fn named_products(&self) -> &HashSet<ProductId> {
        &self.named_products
    }

    /// Whether a role of the caller replaces a grant, as far as a question about reading goes whose answer is known:
    /// a policy with `@grants("role")` permits it for the purpose `operations`.
    ///
    /// An answer that allows says so itself. After a refusal these policies are asked once more, so that the refusal
    /// can tell a missing grant from a role that another policy or purpose keeps out.
    pub fn reads_by_role(&self, question: &Question<'_>, answer: &PolicyAnswer) -> bool {
        if question.action != Action::Read {
            return false;
        }
        let permits = |id: &String| self.by_role.policy(&PolicyId::new(id)).is_some();
        if answer.policy_ids.iter().any(permits) {
            return true;
        }
        let by_role = Question { purpose: None, ..*question };
        !answer.allowed && self.evaluate_by(&self.by_role, &by_role).is_ok_and(|answer| answer.allowed)
    }

    fn evaluate(&self, question: &Question<'_>) -> Result<PolicyAnswer, Box<dyn std::error::Error>> {
        self.evaluate_by(&self.by_action[question.action as usize], question)
    }

    fn evaluate_by(
        &self,
        policies: &PolicySet,
        question: &Question<'_>,
    ) -> Result<PolicyAnswer, Box<dyn std::error::Error>> {
        let context = match (question.action, question.purpose) {
            (Action::Read, Some(purpose)) => {
                let purpose = RestrictedExpression::new_entity_uid(self.names.purpose(purpose));
                Context::from_pairs([("purpose".to_owned(), purpose)])?
            }
            _ => Context::empty(),
        };
        let facts = self.names.entities(question.caller, question.resource)?;
        // Not `from_entities`, which would also copy all actions of the schema, and they are in no groups.
        let entities = Entities::empty().add_entities(facts.entities, Some(&self.schema))?;
        let action = self.names.action(question.action);
        let request = Request::new(facts.principal, action, facts.resource, context, Some(&self.schema))?;

        let response = self.authorizer.is_authorized(&request, policies, &entities);
        let errors: Vec<String> = response.diagnostics().errors().map(ToString::to_string).collect();
        let mut policy_ids: Vec<String> = response.diagnostics().reason().map(ToString::to_string).collect();
        policy_ids.sort_unstable();
        Ok(PolicyAnswer { allowed: response.decision() == Decision::Allow && errors.is_empty(), policy_ids, errors })
    }
}
