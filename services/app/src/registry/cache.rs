//! Schemas kept in memory by their ids: a text under an id never changes, so what is kept is never stale. Whether the
//! caller may see one is asked each time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use documents::message::MessageSchema;
use domain::registry::{Schema, SchemaId};
use store::Tx;

use super::error::Error;
use crate::ctx::{Ctx, lock};

/// How many bytes of schemas are kept at most, counted by their texts; a model takes a small multiple.
const MAX_BYTES: usize = 32 << 20;

/// Schemas by their ids.
#[derive(Default)]
pub(crate) struct SchemaCache {
    schemas: Mutex<Kept<Schema>>,
    models: Mutex<Kept<MessageSchema>>,
}

struct Kept<T> {
    n_bytes: usize,
    by_id: HashMap<SchemaId, Arc<T>>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { n_bytes: 0, by_id: HashMap::new() }
    }
}

impl<T> Kept<T> {
    /// Keeps a value. When there are too many, all are dropped: they are cheap to make again.
    fn keep(&mut self, id: SchemaId, value: &Arc<T>, n_bytes: usize) {
        if self.n_bytes.saturating_add(n_bytes) > MAX_BYTES {
            *self = Self::default();
        }
        if self.by_id.insert(id, Arc::clone(value)).is_none() {
            self.n_bytes += n_bytes;
        }
    }
}

impl SchemaCache {
    pub(super) fn model(&self, id: SchemaId) -> Option<Arc<MessageSchema>> {
        lock(&self.models).by_id.get(&id).cloned()
    }

    pub(super) fn keep_model(&self, schema: &Schema, model: &Arc<MessageSchema>) {
        lock(&self.models).keep(schema.id, model, schema.text.len());
    }

    /// Forgets a schema that was deleted for good.
    pub(super) fn forget(&self, id: SchemaId) {
        lock(&self.schemas).by_id.remove(&id);
        lock(&self.models).by_id.remove(&id);
    }
}

/// A schema by its id, as long as a subject has it.
pub(super) async fn schema(ctx: &Ctx, tx: &mut Tx, id: SchemaId) -> Result<Option<Arc<Schema>>, Error> {
    let cache = &ctx.app.schemas;
    if let Some(schema) = lock(&cache.schemas).by_id.get(&id) {
        return Ok(Some(Arc::clone(schema)));
    }
    let Some(schema) = store::registry::find_schema(tx, id).await? else { return Ok(None) };
    let schema = Arc::new(schema);
    lock(&cache.schemas).keep(id, &schema, schema.text.len());
    Ok(Some(schema))
}
