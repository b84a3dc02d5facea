//! The asynchronous result of a port.

use std::pin::Pin;

/// A result that is not there yet. It is boxed, so that a port can be a trait object.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
