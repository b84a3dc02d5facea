//! What can be read where a row cannot: one that is damaged, or was written by a newer program, takes no other with it.

use crate::error::Error;

/// What was loaded, in parts, and what could not be read.
#[derive(Debug)]
pub(crate) struct Readable<K, T> {
    pub(crate) loaded: Vec<T>,
    pub(crate) unreadable: Vec<(K, Error)>,
}

/// Loads all at once, or in halves of halves where something cannot be read. Each call of `load` has a transaction of its
/// own: a row that cannot be read ends one.
///
/// # Errors
/// Those of `load` that no row is the reason of.
pub(crate) async fn load<K, T, F>(keys: &[K], load: impl Fn(Vec<K>) -> F) -> Result<Readable<K, T>, Error>
where
    K: Copy,
    F: Future<Output = Result<T, Error>>,
{
    let mut readable = Readable { loaded: Vec::new(), unreadable: Vec::new() };
    let mut parts = vec![keys.to_vec()];
    while let Some(part) = parts.pop() {
        match (load(part.clone()).await, part.as_slice()) {
            (Ok(loaded), _) => readable.loaded.push(loaded),
            (Err(error), [key]) if error.is_of_a_row() => readable.unreadable.push((*key, error)),
            (Err(error), [_, _, ..]) if error.is_of_a_row() => {
                let (first, second) = part.split_at(part.len() / 2);
                parts.extend([second.to_vec(), first.to_vec()]);
            }
            (Err(error), _) => return Err(error),
        }
    }
    Ok(readable)
}
