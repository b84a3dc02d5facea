//! Doors: protocols of others, as their clients speak them. A door parses its protocol, calls one use case of `app`, and
//! renders the answer; no rule lives here.

pub(crate) mod registry;
