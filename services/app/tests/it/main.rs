//! The tests of `app`.

mod issuer;
mod lease;
mod publish;
mod race;
