//! What producers of lineage say: one row for each event, run, claim and statement of a speaker.
//!
//! The rows are joins of semilattices (`lineage::observe`), so events may come twice and in any order. [`record`] takes a
//! batch of one speaker at a time: it holds the speaker's row, and two batches by one speaker never merge at once.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::clock::Timestamp;
use domain::id::PrincipalId;
use lineage::claim::{Claim, Seen};
use lineage::name::{Dataset, Job};
use lineage::observe::{About, Observation, RunState, Statement};
use lineage::openlineage::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::db::Tx;
use crate::dialect::{chunks, in_list, padded};
use crate::error::Error;
use crate::insertion::Value;
use crate::page::Readable;
use crate::row::{Perhaps, Text, affected, insert_rows, on_both, row};

/// The most bytes of claims, runs and statements of one speaker.
pub const MAX_BYTES: i64 = 256 << 20;
/// The most bytes of events that are kept of one speaker: of more, only the digests are.
pub const MAX_EVENT_BYTES: i64 = 64 << 20;
/// The most bytes of claims that one batch adds.
pub const MAX_BATCH_BYTES: usize = 64 << 20;
/// The longest event that is kept as it came, in bytes.
pub const MAX_KEPT_EVENT: usize = 64 << 10;

/// An event by one speaker.
#[derive(Debug)]
pub struct Received {
    /// Names the event.
    pub digest: Digest,
    /// When it happened, by its producer.
    pub time: Timestamp,
    /// The event as it came; `None` if it is too long to be kept.
    pub json: Option<String>,
    /// What it adds.
    pub observation: Observation,
}

/// Why an event of a batch was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its run would name too much.
    RunTooLarge,
    /// The batch would add too much at once.
    BatchTooLarge,
    /// The speaker has as many claims as there may be.
    Full,
}

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// How many events were new.
    pub n_new: usize,
    /// The places of events that were not taken.
    pub refused: Vec<(usize, Refusal)>,
    /// Whether anything is known that was not known before.
    pub has_changed: bool,
}

row! { SpeakerRow from "lineage_speakers" { revision: i64, n_bytes: i64, n_event_bytes: i64, } }
row! { DigestRow from "lineage_events" { digest: Vec<u8>, } }
row! { RunRow from "lineage_runs" { run: Vec<u8>, first_at: i64, last_at: i64, named: String, } }
row! { SeenRow from "lineage_claims" { claim: Vec<u8>, first_at: i64, last_at: i64, } }
row! { NewestRow from "lineage_statements" { about: Vec<u8>, at: i64, digest: Vec<u8>, n_bytes: i64, } }
row! { ClaimRow from "lineage_claims" { job: String, body: String, first_at: i64, last_at: i64, } }
row! { StatementRow from "lineage_statements" { job: Option<String>, at: i64, claims: String, } }
row! { SumRow from "lineage_events" { n_bytes: i64, } }
row! { ListRow from "lineage_speakers" { principal_id: Text<PrincipalId>, revision: i64, } }

/// The SHA-256 that a row is found by.
type Key = [u8; 32];

/// What a run has named, as JSON.
#[derive(Serialize, Deserialize)]
struct Named {
    inputs: BTreeSet<Dataset>,
    outputs: BTreeSet<Dataset>,
}

/// Rows by a list of keys: `rows_by_key!(tx, Row, "SELECT .. WHERE principal_id = $1 AND key IN ({list})", id, keys)`.
macro_rules! rows_by_key {
    ($tx:expr, $row:ident, $sql:literal, $speaker:expr, $keys:expr) => {{
        let keys: &[Key] = $keys;
        let mut rows: Vec<$row> = Vec::new();
        for chunk in chunks(keys).filter(|chunk| !chunk.is_empty()) {
            rows.extend(on_both!($tx, |c| {
                let mut query = sqlx::query_as::<_, $row>(in_list($sql, 1, chunk.len())).bind(Text($speaker));
                for key in padded(chunk) {
                    query = query.bind(key.map(|key| key.to_vec()));
                }
                query.fetch_all(c)
            })?);
        }
        rows
    }};
}

/// Takes a batch of events of one speaker, in one transaction. Events that are known add nothing.
///
/// # Errors
/// [`Error::Inconsistent`] for a run that cannot be read.
pub async fn record(
    tx: &mut Tx,
    speaker: PrincipalId,
    received: Vec<Received>,
    now: Timestamp,
) -> Result<Recorded, Error> {
    let turn = take_turn(tx, speaker).await?;
    let mut recorded = Recorded::default();
    let digests: Vec<Key> = received.iter().map(|event| event.digest.0).collect();
    let mut known: HashSet<Vec<u8>> = rows_by_key!(
        tx,
        DigestRow,
        "SELECT digest FROM lineage_events WHERE principal_id = $1 AND digest IN ({list})",
        speaker,
        &digests
    )
    .into_iter()
    .map(|row| row.digest)
    .collect();
    let mut runs = load_runs(tx, speaker, &received).await?;
    let mut additions = Additions::default();
    let (mut n_bytes, mut events) = (turn.n_event_bytes, Vec::new());
    for (place, Received { digest, time, json, observation }) in received.into_iter().enumerate() {
        if known.contains(&digest.0[..]) {
            continue;
        }
        if let Err(refusal) = additions.add(&mut runs, observation, time, turn.n_bytes) {
            recorded.refused.push((place, refusal));
            continue;
        }
        known.insert(digest.0.to_vec());
        recorded.n_new += 1;
        let json = json.filter(|json| n_bytes.saturating_add(size(json)) <= MAX_EVENT_BYTES);
        n_bytes += json.as_deref().map_or(0, size);
        let row = vec![Value::from(Text(speaker)), digest.0.to_vec().into(), time.0.into(), now.0.into(), json.into()];
        events.push(row);
    }
    const EVENT: &[&str] = &["principal_id", "digest", "at", "received_at", "json"];
    insert_rows(tx, "lineage_events", EVENT, events, "ON CONFLICT DO NOTHING").await?;
    let (n_more, has_changed) = additions.write(tx, speaker, runs, now).await?;
    recorded.has_changed = has_changed;
    affected!(
        tx,
        "UPDATE lineage_speakers SET revision = $1, n_bytes = $2, n_event_bytes = $3 WHERE principal_id = $4",
        turn.revision + i64::from(has_changed),
        turn.n_bytes + n_more,
        n_bytes,
        Text(speaker)
    )?;
    Ok(recorded)
}

/// Takes the row of a speaker until the transaction ends.
async fn take_turn(tx: &mut Tx, speaker: PrincipalId) -> Result<SpeakerRow, Error> {
    on_both!(tx, |c| sqlx::query_as::<_, SpeakerRow>(
        "INSERT INTO lineage_speakers (principal_id, revision, n_bytes, n_event_bytes)
         VALUES ($1, 0, 0, 0)
         ON CONFLICT (principal_id) DO UPDATE SET revision = lineage_speakers.revision
         RETURNING revision, n_bytes, n_event_bytes"
    )
    .bind(Text(speaker))
    .fetch_one(c))
}

/// A run as it is known, and whether the batch has touched it.
struct KnownRun {
    job: Job,
    state: Option<RunState>,
    n_bytes_before: i64,
    is_touched: bool,
}

async fn load_runs(tx: &mut Tx, speaker: PrincipalId, received: &[Received]) -> Result<HashMap<Key, KnownRun>, Error> {
    let named =
        received.iter().filter_map(|event| Some((event.observation.run.as_ref()?, event.observation.job.as_ref()?)));
    let mut runs: HashMap<Key, KnownRun> = named
        .map(|((id, _), job)| {
            (run_key(job, *id), KnownRun { job: job.clone(), state: None, n_bytes_before: 0, is_touched: false })
        })
        .collect();
    let keys: Vec<Key> = runs.keys().copied().collect();
    let rows = rows_by_key!(
        tx,
        RunRow,
        "SELECT run, first_at, last_at, named FROM lineage_runs WHERE principal_id = $1 AND run IN ({list})",
        speaker,
        &keys
    );
    for row in rows {
        let misfit = |problem: String| Error::inconsistent("lineage_runs", speaker, problem);
        let Named { inputs, outputs } = from_text(&row.named).map_err(misfit)?;
        let seen = Seen { first: Timestamp(row.first_at), last: Timestamp(row.last_at) };
        if let Some(run) = key_of(&row.run).and_then(|key| runs.get_mut(&key)) {
            run.n_bytes_before = size(&row.named);
            run.state = Some(RunState { seen, inputs, outputs });
        }
    }
    Ok(runs)
}

/// What a batch adds.
#[derive(Default)]
struct Additions {
    claims: BTreeMap<(Job, Claim), Seen>,
    statements: BTreeMap<About, Statement>,
    n_bytes: usize,
}

impl Additions {
    fn add(
        &mut self,
        runs: &mut HashMap<Key, KnownRun>,
        observation: Observation,
        time: Timestamp,
        n_held: i64,
    ) -> Result<(), Refusal> {
        let Observation { run, job, claims, statements } = observation;
        let mut n_bytes = self.n_bytes;
        n_bytes += claims.iter().map(claim_bytes).sum::<usize>();
        n_bytes += statements.iter().flat_map(|(_, stated)| &stated.claims).map(claim_bytes).sum::<usize>();
        let mut merged = None;
        if let (Some((id, part)), Some(job)) = (&run, &job) {
            let key = run_key(job, *id);
            let known = runs.get(&key);
            let before = known.filter(|known| known.is_touched).and_then(|known| known.state.as_ref());
            n_bytes -= before.map_or(0, run_bytes);
            let state = match known.and_then(|known| known.state.clone()) {
                Some(mut state) => {
                    state.merge(part).map_err(|_| Refusal::RunTooLarge)?;
                    state
                }
                None => part.clone(),
            };
            n_bytes += run_bytes(&state);
            merged = Some((key, state));
        }
        if n_held + i64::try_from(n_bytes).unwrap_or(i64::MAX) > MAX_BYTES {
            return Err(Refusal::Full);
        }
        if n_bytes > MAX_BATCH_BYTES {
            return Err(Refusal::BatchTooLarge);
        }
        self.n_bytes = n_bytes;
        if let Some((key, state)) = merged
            && let Some(run) = runs.get_mut(&key)
        {
            run.state = Some(state);
            run.is_touched = true;
        }
        if let Some(job) = job {
            for claim in claims {
                self.claim(&job, claim, Seen::at(time));
            }
        }
        for (about, statement) in statements {
            let newest = self.statements.entry(about).or_insert_with(|| statement.clone());
            if *newest < statement {
                *newest = statement;
            }
        }
        Ok(())
    }

    fn claim(&mut self, job: &Job, claim: Claim, seen: Seen) {
        let key = (job.clone(), claim);
        self.claims.entry(key).and_modify(|known| *known = known.merged(seen)).or_insert(seen);
    }

    /// Writes all of it. Gives how many bytes more there are, and whether anything is new.
    async fn write(
        mut self,
        tx: &mut Tx,
        speaker: PrincipalId,
        runs: HashMap<Key, KnownRun>,
        now: Timestamp,
    ) -> Result<(i64, bool), Error> {
        let mut n_bytes = 0;
        let mut rows = Vec::new();
        for (key, run) in runs.into_iter().filter(|(_, run)| run.is_touched) {
            let Some(state) = run.state else { continue };
            for claim in state.claims(&run.job) {
                self.claim(&run.job, claim, state.seen);
            }
            let RunState { seen, inputs, outputs } = state;
            let named = to_text(&Named { inputs, outputs });
            n_bytes += size(&named) - run.n_bytes_before;
            rows.push(vec![
                Value::from(Text(speaker)),
                key.to_vec().into(),
                seen.first.0.into(),
                seen.last.0.into(),
                now.0.into(),
                named.into(),
            ]);
        }
        const RUN: &[&str] = &["principal_id", "run", "first_at", "last_at", "received_at", "named"];
        let update = "ON CONFLICT (principal_id, run) DO UPDATE SET first_at = excluded.first_at,
            last_at = excluded.last_at, received_at = excluded.received_at, named = excluded.named";
        insert_rows(tx, "lineage_runs", RUN, rows, update).await?;
        let (n_of_claims, has_new_claims) = write_claims(tx, speaker, self.claims).await?;
        let (n_of_statements, has_new_statements) = write_statements(tx, speaker, self.statements).await?;
        Ok((n_bytes + n_of_claims + n_of_statements, has_new_claims || has_new_statements))
    }
}

async fn write_claims(
    tx: &mut Tx,
    speaker: PrincipalId,
    claims: BTreeMap<(Job, Claim), Seen>,
) -> Result<(i64, bool), Error> {
    let mut added: HashMap<Key, (String, String, Seen)> = HashMap::with_capacity(claims.len());
    for ((job, claim), seen) in claims {
        let (job, body) = (to_text(&job), to_text(&claim));
        added.insert(key(&[&job, &body]), (job, body, seen));
    }
    let keys: Vec<Key> = added.keys().copied().collect();
    let known = rows_by_key!(
        tx,
        SeenRow,
        "SELECT claim, first_at, last_at FROM lineage_claims WHERE principal_id = $1 AND claim IN ({list})",
        speaker,
        &keys
    );
    let (mut n_bytes, mut has_changed) = (0, false);
    let mut is_known = HashSet::new();
    for row in known {
        let Some(key) = key_of(&row.claim) else { continue };
        is_known.insert(key);
        let before = Seen { first: Timestamp(row.first_at), last: Timestamp(row.last_at) };
        if let Some((_, _, seen)) = added.get_mut(&key) {
            *seen = seen.merged(before);
            if *seen == before {
                added.remove(&key);
            }
        }
    }
    let mut rows = Vec::with_capacity(added.len());
    for (key, (job, body, seen)) in added {
        if !is_known.contains(&key) {
            n_bytes += size(&job) + size(&body);
            has_changed = true;
        }
        rows.push(vec![
            Value::from(Text(speaker)),
            key.to_vec().into(),
            job.into(),
            body.into(),
            seen.first.0.into(),
            seen.last.0.into(),
        ]);
    }
    const CLAIM: &[&str] = &["principal_id", "claim", "job", "body", "first_at", "last_at"];
    let update = "ON CONFLICT (principal_id, claim) DO UPDATE SET first_at = excluded.first_at,
        last_at = excluded.last_at";
    insert_rows(tx, "lineage_claims", CLAIM, rows, update).await?;
    Ok((n_bytes, has_changed))
}

async fn write_statements(
    tx: &mut Tx,
    speaker: PrincipalId,
    statements: BTreeMap<About, Statement>,
) -> Result<(i64, bool), Error> {
    let mut added: HashMap<Key, (Option<String>, Statement)> = HashMap::with_capacity(statements.len());
    for (about, statement) in statements {
        let (key, job) = match &about {
            About::Design(job) => (key(&["design", &to_text(job)]), Some(to_text(job))),
            About::Facet(dataset, stated) => (key(&[stated.as_str(), &to_text(dataset)]), None),
        };
        added.insert(key, (job, statement));
    }
    let keys: Vec<Key> = added.keys().copied().collect();
    let known = rows_by_key!(
        tx,
        NewestRow,
        "SELECT about, at, digest, CAST(LENGTH(claims) AS BIGINT) AS n_bytes FROM lineage_statements
         WHERE principal_id = $1 AND about IN ({list})",
        speaker,
        &keys
    );
    let mut n_bytes = 0;
    for row in known {
        let Some(key) = key_of(&row.about) else { continue };
        let is_newer =
            added.get(&key).is_some_and(|(_, new)| (new.time.0, &new.digest.0[..]) > (row.at, &row.digest[..]));
        if is_newer {
            n_bytes -= row.n_bytes;
        } else {
            added.remove(&key);
        }
    }
    let has_changed = !added.is_empty();
    let mut rows = Vec::with_capacity(added.len());
    for (key, (job, statement)) in added {
        let claims = to_text(&statement.claims);
        n_bytes += size(&claims);
        rows.push(vec![
            Value::from(Text(speaker)),
            key.to_vec().into(),
            job.into(),
            statement.time.0.into(),
            statement.digest.0.to_vec().into(),
            claims.into(),
        ]);
    }
    const STATEMENT: &[&str] = &["principal_id", "about", "job", "at", "digest", "claims"];
    let update = "ON CONFLICT (principal_id, about) DO UPDATE SET at = excluded.at, digest = excluded.digest,
        claims = excluded.claims";
    insert_rows(tx, "lineage_statements", STATEMENT, rows, update).await?;
    Ok((n_bytes, has_changed))
}

/// Who has sent events, each with a number that moves when what they claim changes.
pub async fn list_speakers(tx: &mut Tx) -> Result<Vec<(PrincipalId, i64)>, Error> {
    let rows = on_both!(tx, |c| sqlx::query_as::<_, ListRow>(
        "SELECT principal_id, revision FROM lineage_speakers ORDER BY principal_id"
    )
    .fetch_all(c))?;
    Ok(rows.into_iter().map(|row| (row.principal_id.0, row.revision)).collect())
}

/// A claim, by which job, and when.
pub type Said = (Option<Job>, Claim, Seen);

/// What a speaker claims.
pub async fn list_claims(tx: &mut Tx, speaker: PrincipalId) -> Result<Readable<Said>, Error> {
    let rows = on_both!(tx, |c| sqlx::query_as::<_, Perhaps<ClaimRow>>(
        "SELECT job, body, first_at, last_at FROM lineage_claims WHERE principal_id = $1"
    )
    .bind(Text(speaker))
    .fetch_all(c))?;
    let misfit = |problem: String| Error::inconsistent("lineage_claims", speaker, problem);
    let mut claims = Readable::from_rows(rows, |row: ClaimRow| {
        let seen = Seen { first: Timestamp(row.first_at), last: Timestamp(row.last_at) };
        let (job, claim) = (from_text(&row.job).map_err(misfit)?, from_text(&row.body).map_err(misfit)?);
        Ok((Some(job), claim, seen))
    });
    let rows = on_both!(tx, |c| sqlx::query_as::<_, Perhaps<StatementRow>>(
        "SELECT job, at, claims FROM lineage_statements WHERE principal_id = $1"
    )
    .bind(Text(speaker))
    .fetch_all(c))?;
    let misfit = |problem: String| Error::inconsistent("lineage_statements", speaker, problem);
    let stated = Readable::from_rows(rows, |row: StatementRow| {
        let job: Option<Job> = row.job.as_deref().map(from_text).transpose().map_err(misfit)?;
        let stated: Vec<Claim> = from_text(&row.claims).map_err(misfit)?;
        Ok((job, stated, Seen::at(Timestamp(row.at))))
    });
    for (job, stated, seen) in stated.items {
        claims.items.extend(stated.into_iter().map(|claim| (job.clone(), claim, seen)));
    }
    claims.unreadable.extend(stated.unreadable);
    Ok(claims)
}

row! { EventRow from "lineage_events" { digest: Vec<u8>, json: Option<String>, } }

/// The events of a speaker that are kept, with their text where it was kept, the oldest first.
pub async fn list_events(
    tx: &mut Tx,
    speaker: PrincipalId,
    limit: u32,
) -> Result<Vec<(Digest, Option<String>)>, Error> {
    let rows = on_both!(tx, |c| sqlx::query_as::<_, EventRow>(
        "SELECT digest, json FROM lineage_events WHERE principal_id = $1 ORDER BY received_at, digest LIMIT $2"
    )
    .bind(Text(speaker))
    .bind(i64::from(limit))
    .fetch_all(c))?;
    Ok(rows.into_iter().filter_map(|row| Some((Digest(key_of(&row.digest)?), row.json))).collect())
}

/// Forgets the events and runs of a speaker that were received last before a time. Claims stay. An event of a forgotten
/// run begins the run anew.
pub async fn forget(tx: &mut Tx, speaker: PrincipalId, before: Timestamp) -> Result<(), Error> {
    let turn = take_turn(tx, speaker).await?;
    let sum = async |tx: &mut Tx, sql: &'static str| -> Result<i64, Error> {
        let row = on_both!(tx, |c| sqlx::query_as::<_, SumRow>(sql).bind(Text(speaker)).bind(before.0).fetch_one(c))?;
        Ok(row.n_bytes)
    };
    let of_events = "SELECT CAST(COALESCE(SUM(LENGTH(json)), 0) AS BIGINT) AS n_bytes FROM lineage_events
        WHERE principal_id = $1 AND received_at < $2";
    let of_runs = "SELECT CAST(COALESCE(SUM(LENGTH(named)), 0) AS BIGINT) AS n_bytes FROM lineage_runs
        WHERE principal_id = $1 AND received_at < $2";
    let (n_events, n_runs) = (sum(tx, of_events).await?, sum(tx, of_runs).await?);
    let (by, at) = (Text(speaker), before.0);
    affected!(tx, "DELETE FROM lineage_events WHERE principal_id = $1 AND received_at < $2", by, at)?;
    affected!(tx, "DELETE FROM lineage_runs WHERE principal_id = $1 AND received_at < $2", Text(speaker), at)?;
    affected!(
        tx,
        "UPDATE lineage_speakers SET n_bytes = $1, n_event_bytes = $2 WHERE principal_id = $3",
        turn.n_bytes - n_runs,
        turn.n_event_bytes - n_events,
        Text(speaker)
    )?;
    Ok(())
}

fn run_key(job: &Job, id: uuid::Uuid) -> Key {
    key(&[&to_text(job), &id.to_string()])
}

fn key(parts: &[&str]) -> Key {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

fn key_of(bytes: &[u8]) -> Option<Key> {
    bytes.try_into().ok()
}

/// About how long the claims of a run are together.
fn run_bytes(run: &RunState) -> usize {
    let sum = |side: &BTreeSet<Dataset>| side.iter().map(dataset_bytes).sum::<usize>();
    let (n_inputs, n_outputs) = (run.inputs.len(), run.outputs.len());
    sum(&run.inputs) * (n_outputs + 2) + sum(&run.outputs) * (n_inputs + 1)
}

fn claim_bytes(claim: &Claim) -> usize {
    use lineage::claim::{End, Thing};
    let end = |end: &End| {
        let column = end.column.as_ref().map_or(0, String::len);
        column
            + match &end.thing {
                Thing::Dataset(dataset) => dataset_bytes(dataset),
                Thing::Job(job) => job_bytes(job),
            }
    };
    match claim {
        Claim::Flow { from, to, .. } => end(from) + end(to),
        Claim::Explicit { to } => dataset_bytes(to),
        Claim::PartOf { application } => job_bytes(application),
        Claim::Tests => named_bytes(0),
        Claim::Alias { dataset, other } => dataset_bytes(dataset) + dataset_bytes(other),
    }
}

fn dataset_bytes(dataset: &Dataset) -> usize {
    named_bytes(dataset.namespace().len() + dataset.name().len())
}

fn job_bytes(job: &Job) -> usize {
    named_bytes(job.namespace().len() + job.name().len())
}

/// A name in JSON: with the keys and brackets around it.
fn named_bytes(n_bytes: usize) -> usize {
    n_bytes + 64
}

/// In characters, as the databases count.
fn size(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX)
}

fn to_text(value: &impl Serialize) -> String {
    // Only a map with keys that are not text could fail here; there is none.
    serde_json::to_string(value).unwrap_or_default()
}

fn from_text<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}
