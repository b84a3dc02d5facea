//! The tests of `app`.

mod issuer;
mod lease;
mod lock;
mod notice;
mod overrides;
mod publish;
mod race;
mod vendor;
mod verifier;
