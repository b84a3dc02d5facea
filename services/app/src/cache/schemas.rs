//! Schemas by their ids. A text under an id never changes, so an entry is never stale.
//!
//! Beside them stands who was seen to reach which schema. That rests on the caller's roles and grants, which move the
//! access revision, and on the owners of the schema's subjects, which move the visibility revision (a topic bound, a
//! product reclassified, a place of the schema permanently deleted). A new place only adds readers, so only "yes" is
//! cached, never "no"; and deleted versions stay readable.

use std::sync::Arc;

use documents::message::MessageSchema;
use domain::clock::Timestamp;
use domain::id::PrincipalId;
use domain::registry::{Schema, SchemaId};
use store::Tx;
use store::revision::Platform;

use crate::actor::Actor;
use crate::cache::bounded::Cache;
use crate::error::Error;

/// The most bytes of schemas that are cached, counted by their texts; a model takes a small multiple.
const MAX_BYTES: usize = 32 << 20;

/// The most pairs of a caller and a schema that are cached.
const MAX_REACHED: usize = 500_000;

/// Schemas by their ids.
pub(crate) struct SchemaCache {
    schemas: Cache<SchemaId, Arc<Schema>>,
    models: Cache<SchemaId, Arc<MessageSchema>>,
    /// The revisions at which a caller was seen to reach a schema.
    reached: Cache<(Standpoint, SchemaId), Platform>,
}

impl Default for SchemaCache {
    fn default() -> Self {
        Self {
            schemas: Cache::of_bytes(MAX_BYTES),
            models: Cache::of_bytes(MAX_BYTES),
            reached: Cache::of_entries(MAX_REACHED),
        }
    }
}

/// A principal, and the end of the time during which its rights at one access revision are valid.
type Standpoint = (PrincipalId, Timestamp);

fn standpoint(actor: &Actor) -> Standpoint {
    (actor.principal.id, actor.standing.good_until)
}

impl SchemaCache {
    pub(crate) fn find_model(&self, id: SchemaId) -> Option<Arc<MessageSchema>> {
        self.models.get(&id)
    }

    pub(crate) fn put_model(&self, schema: &Schema, model: &Arc<MessageSchema>) {
        self.models.insert_bytes(schema.id, Arc::clone(model), schema.text.len());
    }

    /// A schema that the caller was seen to reach at the current revisions.
    pub(crate) fn find_reached(&self, actor: &Actor, visibility: i64, id: SchemaId) -> Option<Arc<Schema>> {
        let now = Platform { access: actor.standing.revision, visibility };
        self.reached.get(&(standpoint(actor), id)).filter(|at| *at == now)?;
        self.schemas.get(&id)
    }

    /// Caches that the caller reaches a schema; `at` are the revisions that the answer was read at.
    pub(crate) fn put_reached(&self, actor: &Actor, at: Platform, id: SchemaId) {
        if actor.standing.revision == at.access {
            self.reached.insert((standpoint(actor), id), at);
        }
    }

    /// Removes a schema that was permanently deleted.
    pub(crate) fn remove(&self, id: SchemaId) {
        self.schemas.remove(&id);
        self.models.remove(&id);
    }

    /// A schema by its id, as long as a subject has it.
    pub(crate) async fn find_or_load(&self, tx: &mut Tx, id: SchemaId) -> Result<Option<Arc<Schema>>, Error> {
        if let Some(schema) = self.schemas.get(&id) {
            return Ok(Some(schema));
        }
        let Some(schema) = store::registry::find_schema(tx, id).await? else { return Ok(None) };
        let schema = Arc::new(schema);
        self.schemas.insert_bytes(id, Arc::clone(&schema), schema.text.len());
        Ok(Some(schema))
    }
}
