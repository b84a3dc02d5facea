//! Group commit on SQLite: one task owns the only writing connection and lends it out, one turn after the other.
//!
//! Turns that queue up share a transaction, so that many changes cost one `fsync`. Within it a turn is a savepoint,
//! nested in those of earlier turns: a turn that is dropped is rolled back alone. `commit` returns the connection and
//! completes when the whole group is durable. The task never waits for a group to fill up: the next turn is taken only
//! if it is already queued, so a single client is a group of one.

use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::ConnectOptions;
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::durable::{DurableRevisions, Moved, Revision};
use crate::error::Error;

/// The capacity of the queue of turns. Callers beyond it wait until there is room.
const MAX_WAITING: usize = 1_024;

/// The limits of a group.
#[derive(Clone, Copy, Debug)]
pub struct GroupLimits {
    /// The most turns in one commit.
    pub max_turns: usize,
    /// The time after its start within which a group takes another turn.
    pub max_time: Duration,
}

impl Default for GroupLimits {
    fn default() -> Self {
        Self { max_turns: 64, max_time: Duration::from_millis(5) }
    }
}

/// A handle of the task that owns the writing connection.
pub(crate) struct Writer {
    requests: mpsc::Sender<Request>,
    durable: Arc<DurableRevisions>,
    task: Mutex<Option<JoinHandle<()>>>,
}

enum Request {
    Turn(TurnWaiter),
    Close,
}

/// Waits for a turn.
type TurnWaiter = oneshot::Sender<Result<Turn, Error>>;
/// Waits for a group to be durable.
type CommitWaiter = oneshot::Sender<Result<(), Error>>;

impl Writer {
    /// Starts the task on an open connection. `options` reconnect if it is lost, `folder_lock` is held until the task
    /// ends, and `durable` are the current revisions.
    pub(crate) fn start(
        connection: SqliteConnection,
        options: SqliteConnectOptions,
        limits: GroupLimits,
        folder_lock: File,
        durable: DurableRevisions,
    ) -> Self {
        let (requests, waiting) = mpsc::channel(MAX_WAITING);
        let durable = Arc::new(durable);
        let connection = Some(connection);
        let task =
            Task { waiting, connection, options, limits, durable: Arc::clone(&durable), _folder_lock: folder_lock };
        Self { requests, durable, task: Mutex::new(Some(tokio::spawn(task.run()))) }
    }

    /// The revisions of what is durable.
    pub(crate) fn durable(&self) -> &DurableRevisions {
        &self.durable
    }

    /// Waits for a turn.
    pub(crate) async fn turn(&self) -> Result<Turn, Error> {
        let (waiter, turn) = oneshot::channel();
        self.requests.send(Request::Turn(waiter)).await.map_err(|_| Error::Closed)?;
        turn.await.map_err(|_| Error::Closed)?
    }

    /// Completes the queued turns, then ends the task and waits for it.
    pub(crate) async fn close(&self) {
        // An error means that the task has ended already.
        let _ = self.requests.send(Request::Close).await;
        if let Some(task) = self.task.lock().await.take()
            && let Err(error) = task.await
        {
            tracing::error!(%error, "database writer task failed");
        }
    }
}

/// The writing connection, on loan. Dropping it rolls its changes back.
pub(crate) struct Turn {
    connection: Option<SqliteConnection>,
    cause: Option<Error>,
    moved: Moved,
    back: Option<oneshot::Sender<(SqliteConnection, End)>>,
}

/// How a turn ended.
enum End {
    Committed(CommitWaiter, Moved),
    Undone(Option<Error>),
}

impl Turn {
    /// The connection; there is one until the turn ends.
    pub(crate) fn connection(&mut self) -> Result<&mut SqliteConnection, Error> {
        self.connection.as_mut().ok_or(Error::TxFailed)
    }

    /// Records why the turn will be rolled back, for the members of its group whose changes may be lost with it.
    pub(crate) fn fail(&mut self, cause: Error) {
        self.cause = Some(cause);
    }

    /// Records the value that a revision will have once the turn is durable.
    pub(crate) fn note_moved(&mut self, revision: Revision, value: i64) {
        self.moved[revision as usize] = value;
    }

    /// Returns the connection and waits until the group is durable.
    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        let (waiter, committed) = oneshot::channel();
        self.end(End::Committed(waiter, self.moved));
        committed.await.map_err(|_| Error::Closed)?
    }

    fn end(&mut self, end: End) {
        if let (Some(connection), Some(back)) = (self.connection.take(), self.back.take()) {
            // If the task is gone, the connection is closed here and nothing was committed.
            let _ = back.send((connection, end));
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let cause = self.cause.take();
        self.end(End::Undone(cause));
    }
}

struct Task {
    waiting: mpsc::Receiver<Request>,
    connection: Option<SqliteConnection>,
    options: SqliteConnectOptions,
    limits: GroupLimits,
    durable: Arc<DurableRevisions>,
    _folder_lock: File,
}

/// A group that is being collected.
struct Group {
    connection: SqliteConnection,
    members: Vec<CommitWaiter>,
    /// The revisions as the members will leave them.
    moved: Moved,
    durable: Arc<DurableRevisions>,
}

impl Task {
    async fn run(mut self) {
        while let Some(Request::Turn(first)) = self.waiting.recv().await {
            if first.is_closed() {
                continue;
            }
            match self.begin().await {
                Ok(connection) => {
                    if self.group(connection, first).await.is_break() {
                        break;
                    }
                }
                // The waiter may have left.
                Err(error) => drop(first.send(Err(error))),
            }
        }
        if let Some(connection) = self.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "closing the database writer connection failed");
        }
    }

    /// Begins a transaction, on a new connection if the last one was given up.
    async fn begin(&mut self) -> Result<SqliteConnection, Error> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        execute(&mut connection, "BEGIN IMMEDIATE").await?;
        Ok(connection)
    }

    /// Runs turns while any are queued, commits them together, and notifies the waiters. Breaks on a request to close.
    async fn group(&mut self, connection: SqliteConnection, first: TurnWaiter) -> std::ops::ControlFlow<()> {
        let started = Instant::now();
        let mut flow = std::ops::ControlFlow::Continue(());
        let mut group =
            Group { connection, members: Vec::new(), moved: Moved::default(), durable: Arc::clone(&self.durable) };
        let mut next = Some(first);
        let mut n_turns = 0;
        while let Some(waiter) = next {
            match group.turn(waiter).await {
                Some(still) => group = still,
                None => return flow,
            }
            n_turns += 1;
            let has_room = n_turns < self.limits.max_turns && started.elapsed() < self.limits.max_time;
            next = match has_room.then(|| self.waiting.try_recv()) {
                Some(Ok(Request::Turn(waiter))) => Some(waiter),
                Some(Ok(Request::Close)) => {
                    flow = std::ops::ControlFlow::Break(());
                    None
                }
                Some(Err(_)) | None => None,
            };
        }
        self.connection = group.commit().await;
        flow
    }
}

impl Group {
    /// Lends the connection to one waiter. `None` if the whole transaction is lost: its members have been notified.
    async fn turn(mut self, waiter: TurnWaiter) -> Option<Self> {
        if waiter.is_closed() {
            return Some(self);
        }
        // The first turn needs no savepoint: a full rollback affects no other member.
        let is_alone = self.members.is_empty();
        if !is_alone && let Err(error) = execute(&mut self.connection, "SAVEPOINT turn").await {
            drop(waiter.send(Err(error.clone())));
            return self.lose(error).await;
        }
        let (back, returned) = oneshot::channel();
        let turn = Turn { connection: Some(self.connection), cause: None, moved: Moved::default(), back: Some(back) };
        // A waiter that has just left drops the turn, which returns the connection.
        drop(waiter.send(Ok(turn)));
        let Ok((connection, end)) = returned.await else {
            self.durable.forget();
            notify(self.members, &Err(Error::Closed));
            return None;
        };
        self.connection = connection;
        let cause = match end {
            // The group's commit releases the savepoint, with all others.
            End::Committed(member, moved) => {
                self.members.push(member);
                // A later turn of the group saw the revisions that an earlier one moved.
                self.moved.iter_mut().zip(moved).for_each(|(all, one)| *all = one.max(*all));
                return Some(self);
            }
            End::Undone(cause) => cause,
        };
        let [undo, go_on] = match is_alone {
            true => ["ROLLBACK", "BEGIN IMMEDIATE"],
            false => ["ROLLBACK TO turn", "RELEASE turn"],
        };
        for statement in [undo, go_on] {
            if let Err(error) = execute(&mut self.connection, statement).await {
                return self.lose(cause.unwrap_or(error)).await;
            }
        }
        Some(self)
    }

    /// Makes the group durable and notifies its members. `None` if the connection had to be given up.
    async fn commit(mut self) -> Option<SqliteConnection> {
        // If every turn was rolled back, there is nothing to commit.
        let end = if self.members.is_empty() { "ROLLBACK" } else { "COMMIT" };
        match execute(&mut self.connection, end).await {
            Ok(()) => {
                self.durable.raise(self.moved);
                notify(self.members, &Ok(()));
                Some(self.connection)
            }
            Err(error) => {
                self.lose(error).await;
                None
            }
        }
    }

    /// Gives up the connection with its transaction and notifies the members.
    async fn lose(self, cause: Error) -> Option<Self> {
        tracing::error!(error = &cause as &dyn std::error::Error, n_lost = self.members.len(), "a group commit failed");
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "closing the abandoned database connection failed");
        }
        self.durable.forget();
        notify(self.members, &Err(Error::GroupLost(Arc::new(cause))));
        None
    }
}

fn notify(members: Vec<CommitWaiter>, outcome: &Result<(), Error>) {
    for member in members {
        // A member may have stopped waiting; its change is unaffected.
        let _ = member.send(outcome.clone());
    }
}

async fn execute(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), Error> {
    sqlx::query(sql).execute(connection).await?;
    Ok(())
}
