//! A second issuer.

use domain::clock::Timestamp;
use domain::identity::{VerifiedToken, Verifier, VerifyError};
use domain::pending::Pending;

/// Accepts the tokens that [`FakeVerifier::token`] makes. There is no signature: it stands for an identity provider, whose
/// own checks are its own.
#[derive(Debug)]
pub struct FakeVerifier {
    /// The issuer.
    pub issuer: String,
    /// The end of its tokens.
    pub valid_until: Timestamp,
}

impl FakeVerifier {
    /// A token of this issuer.
    pub fn token(&self, subject: &str) -> String {
        format!("{} says {subject}", self.issuer)
    }
}

impl Verifier for FakeVerifier {
    fn issuer(&self) -> &str {
        &self.issuer
    }

    fn verify<'a>(&'a self, token: &'a str, now: Timestamp) -> Pending<'a, Result<VerifiedToken, VerifyError>> {
        let subject = token.strip_prefix(&self.issuer).and_then(|rest| rest.strip_prefix(" says "));
        let verified = subject.ok_or(VerifyError::Issuer).and_then(|subject| {
            let verified = VerifiedToken {
                subject: subject.to_owned(),
                purpose: None,
                valid_from: Timestamp(0),
                valid_until: self.valid_until,
            };
            verified.check_time(now).map(|()| verified)
        });
        Box::pin(std::future::ready(verified))
    }
}
