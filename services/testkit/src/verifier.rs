//! A second issuer.

use std::sync::atomic::{AtomicBool, Ordering};

use domain::clock::Timestamp;
use domain::identity::{VerifiedToken, Verifier, VerifyError};
use domain::pending::Pending;

/// Accepts the tokens that [`FakeVerifier::token`] makes. There is no signature: it replaces an identity provider, whose
/// own checks are its own.
#[derive(Debug)]
pub struct FakeVerifier {
    /// The issuer.
    pub issuer: String,
    /// The end of its tokens.
    pub valid_until: Timestamp,
    /// Whether its keys are away, so that it can check no token.
    pub is_away: AtomicBool,
}

impl FakeVerifier {
    /// A verifier of an issuer, whose tokens end at a moment.
    pub fn new(issuer: &str, valid_until: Timestamp) -> Self {
        Self { issuer: issuer.to_owned(), valid_until, is_away: AtomicBool::new(false) }
    }

    /// A token of this issuer.
    pub fn token(&self, subject: &str) -> String {
        self.token_issued_at(subject, Timestamp(0))
    }

    /// The same, issued at a moment.
    pub fn token_issued_at(&self, subject: &str, at: Timestamp) -> String {
        format!("{} says {subject} at {}", self.issuer, at.0)
    }
}

impl Verifier for FakeVerifier {
    fn issuer(&self) -> &str {
        &self.issuer
    }

    fn verify<'a>(&'a self, token: &'a str, now: Timestamp) -> Pending<'a, Result<VerifiedToken, VerifyError>> {
        if self.is_away.load(Ordering::SeqCst) {
            return Box::pin(std::future::ready(Err(VerifyError::Unavailable)));
        }
        let subject = token.strip_prefix(&self.issuer).and_then(|rest| rest.strip_prefix(" says "));
        let parts = subject.and_then(|text| text.split_once(" at "));
        let parts = parts.and_then(|(subject, at)| Some((subject, Timestamp(at.parse().ok()?))));
        let verified = parts.ok_or(VerifyError::Issuer).and_then(|(subject, issued_at)| {
            let verified = VerifiedToken {
                id: None,
                issued_at,
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
