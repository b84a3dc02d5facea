//! Schemas kept in memory by their ids: a text under an id never changes, so what is kept is never stale.
//!
//! Who was seen to reach which schema is kept beside them. That rests on the caller's standing, which the access revision
//! moves with, and on whose the schema's subjects are: what changes it moves the visibility revision (a topic bound, a
//! product classified anew, a place of the schema gone for good). A new place only adds to who may see, so only "yes" is
//! kept, never "no"; and what was taken out of use stays readable.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use documents::message::MessageSchema;
use domain::clock::Timestamp;
use domain::id::PrincipalId;
use domain::registry::{Schema, SchemaId};
use store::Tx;
use store::revision::Platform;

use crate::actor::Actor;
use crate::cache::lock;
use crate::error::Error;

/// How many bytes of schemas are kept at most, counted by their texts; a model takes a small multiple.
const MAX_BYTES: usize = 32 << 20;

/// How many pairs of a caller and a schema are kept at most.
const MAX_REACHED: usize = 500_000;

/// Schemas by their ids.
#[derive(Default)]
pub(crate) struct SchemaCache {
    schemas: Mutex<Kept<Schema>>,
    models: Mutex<Kept<MessageSchema>>,
    reached: Mutex<Reached>,
}

/// Who was seen to reach which schema while the platform's revisions stood.
#[derive(Default)]
struct Reached {
    at: Option<Platform>,
    pairs: HashSet<(Standpoint, SchemaId)>,
}

/// A principal, and the end of the time for which what it holds at one access revision stands.
type Standpoint = (PrincipalId, Timestamp);

fn standpoint(actor: &Actor) -> Standpoint {
    (actor.principal.id, actor.standing.good_until)
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
    pub(crate) fn model(&self, id: SchemaId) -> Option<Arc<MessageSchema>> {
        lock(&self.models).by_id.get(&id).cloned()
    }

    pub(crate) fn keep_model(&self, schema: &Schema, model: &Arc<MessageSchema>) {
        lock(&self.models).keep(schema.id, model, schema.text.len());
    }

    /// A schema that the caller was seen to reach while the visibility revision stood where it stands now.
    pub(crate) fn find_reached(&self, actor: &Actor, visibility: i64, id: SchemaId) -> Option<Arc<Schema>> {
        let at = Platform { access: actor.standing.revision, visibility };
        let reached = lock(&self.reached);
        if reached.at != Some(at) || !reached.pairs.contains(&(standpoint(actor), id)) {
            return None;
        }
        drop(reached);
        lock(&self.schemas).by_id.get(&id).cloned()
    }

    /// Keeps that the caller reaches a schema; `at` are the revisions that the answer was read at.
    pub(crate) fn keep_reached(&self, actor: &Actor, at: Platform, id: SchemaId) {
        if actor.standing.revision != at.access {
            return;
        }
        let mut reached = lock(&self.reached);
        if reached.at != Some(at) || reached.pairs.len() >= MAX_REACHED {
            *reached = Reached { at: Some(at), pairs: HashSet::new() };
        }
        reached.pairs.insert((standpoint(actor), id));
    }

    /// Forgets a schema that was deleted for good.
    pub(crate) fn forget(&self, id: SchemaId) {
        lock(&self.schemas).by_id.remove(&id);
        lock(&self.models).by_id.remove(&id);
    }

    /// A schema by its id, as long as a subject has it.
    pub(crate) async fn load(&self, tx: &mut Tx, id: SchemaId) -> Result<Option<Arc<Schema>>, Error> {
        if let Some(schema) = lock(&self.schemas).by_id.get(&id) {
            return Ok(Some(Arc::clone(schema)));
        }
        let Some(schema) = store::registry::find_schema(tx, id).await? else { return Ok(None) };
        let schema = Arc::new(schema);
        lock(&self.schemas).keep(id, &schema, schema.text.len());
        Ok(Some(schema))
    }
}
