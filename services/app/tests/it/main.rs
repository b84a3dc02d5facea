//! The tests of `app`.

mod issuer;
mod lease;
mod lock;
mod publish;
mod race;
