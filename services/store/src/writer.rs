//! Group commit on SQLite: one task owns the only writing connection and lends it out, one turn after the other.
//!
//! Turns that wait behind one another share a transaction, so that many changes cost one `fsync`. A turn is a savepoint
//! inside it, within those of the turns before: dropped, it is undone alone. `commit` gives the turn back and returns when the group is durable. Nobody
//! waits for company: the next turn is taken only if it is there already, so a lone client is a group of one.

use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::ConnectOptions;
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::error::Error;
use crate::revision::{Known, Moved, Revision};

/// How many wait in line before those behind them wait to get in line.
const MAX_WAITING: usize = 1_024;

/// How large a group may become.
#[derive(Clone, Copy, Debug)]
pub struct GroupLimits {
    /// The most turns in one commit.
    pub max_turns: usize,
    /// How long after its start a group still takes a turn.
    pub max_time: Duration,
}

impl Default for GroupLimits {
    fn default() -> Self {
        Self { max_turns: 64, max_time: Duration::from_millis(5) }
    }
}

/// The handle of the task that owns the writing connection.
pub(crate) struct Writer {
    requests: mpsc::Sender<Request>,
    known: Arc<Known>,
    task: Mutex<Option<JoinHandle<()>>>,
}

enum Request {
    Turn(Applicant),
    Close,
}

/// Who waits for a turn.
type Applicant = oneshot::Sender<Result<Turn, Error>>;
/// Who waits to hear that a group is durable.
type Member = oneshot::Sender<Result<(), Error>>;

impl Writer {
    /// Starts the task on a connection that is ready. `options` open the next one if this one has to be given up;
    /// `folder_lock` is held until the task has ended; `known` are the revisions as they stand.
    pub(crate) fn start(
        connection: SqliteConnection,
        options: SqliteConnectOptions,
        limits: GroupLimits,
        folder_lock: File,
        known: Known,
    ) -> Self {
        let (requests, waiting) = mpsc::channel(MAX_WAITING);
        let known = Arc::new(known);
        let connection = Some(connection);
        let task = Task { waiting, connection, options, limits, known: Arc::clone(&known), _folder_lock: folder_lock };
        Self { requests, known, task: Mutex::new(Some(tokio::spawn(task.run()))) }
    }

    /// The revisions of what is durable.
    pub(crate) fn known(&self) -> &Known {
        &self.known
    }

    /// Waits for a turn.
    pub(crate) async fn turn(&self) -> Result<Turn, Error> {
        let (applicant, turn) = oneshot::channel();
        self.requests.send(Request::Turn(applicant)).await.map_err(|_| Error::Closed)?;
        turn.await.map_err(|_| Error::Closed)?
    }

    /// Lets the turns that wait already finish, then ends the task and waits for it.
    pub(crate) async fn close(&self) {
        // An error means that the task has ended already.
        let _ = self.requests.send(Request::Close).await;
        if let Some(task) = self.task.lock().await.take()
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the database's writer ended badly");
        }
    }
}

/// The writing connection, lent. Dropped, what was done with it is undone.
pub(crate) struct Turn {
    connection: Option<SqliteConnection>,
    cause: Option<Error>,
    moved: Moved,
    back: Option<oneshot::Sender<(SqliteConnection, End)>>,
}

/// How a turn ended.
enum End {
    Committed(Member, Moved),
    Undone(Option<Error>),
}

impl Turn {
    /// The connection; there is one until the turn ends.
    pub(crate) fn connection(&mut self) -> Result<&mut SqliteConnection, Error> {
        self.connection.as_mut().ok_or(Error::TxFailed)
    }

    /// Remembers why the turn will be undone, for those whose changes are lost with it.
    pub(crate) fn fail(&mut self, cause: Error) {
        self.cause = Some(cause);
    }

    /// Notes where a revision stands once the turn is durable.
    pub(crate) fn note_moved(&mut self, revision: Revision, value: i64) {
        self.moved[revision as usize] = value;
    }

    /// Gives the turn back and waits until its group is durable.
    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        let (member, durable) = oneshot::channel();
        self.end(End::Committed(member, self.moved));
        durable.await.map_err(|_| Error::Closed)?
    }

    fn end(&mut self, end: End) {
        if let (Some(connection), Some(back)) = (self.connection.take(), self.back.take()) {
            // The task waits for exactly this; if it is gone, the connection goes too and nothing was committed.
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
    known: Arc<Known>,
    _folder_lock: File,
}

/// A group in the making.
struct Group {
    connection: SqliteConnection,
    members: Vec<Member>,
    /// Where the members leave the revisions.
    moved: Moved,
    known: Arc<Known>,
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
                // Nobody is told if the applicant has left.
                Err(error) => drop(first.send(Err(error))),
            }
        }
        if let Some(connection) = self.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the database's writing connection did not close");
        }
    }

    /// A connection with an open transaction. Opens a new connection if the last one was given up.
    async fn begin(&mut self) -> Result<SqliteConnection, Error> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        execute(&mut connection, "BEGIN IMMEDIATE").await?;
        Ok(connection)
    }

    /// Takes turns while somebody waits, commits them together, and tells them. Breaks when asked to close.
    async fn group(&mut self, connection: SqliteConnection, first: Applicant) -> std::ops::ControlFlow<()> {
        let started = Instant::now();
        let mut flow = std::ops::ControlFlow::Continue(());
        let mut group =
            Group { connection, members: Vec::new(), moved: Moved::default(), known: Arc::clone(&self.known) };
        let mut next = Some(first);
        let mut n_turns = 0;
        while let Some(applicant) = next {
            match group.turn(applicant).await {
                Some(still) => group = still,
                None => return flow,
            }
            n_turns += 1;
            let has_room = n_turns < self.limits.max_turns && started.elapsed() < self.limits.max_time;
            next = match has_room.then(|| self.waiting.try_recv()) {
                Some(Ok(Request::Turn(applicant))) => Some(applicant),
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
    /// Lends the connection to one applicant. `None` if the whole transaction is gone: its members have been told.
    async fn turn(mut self, applicant: Applicant) -> Option<Self> {
        if applicant.is_closed() {
            return Some(self);
        }
        // Before the first member there is nobody to protect from an undo, and no savepoint is needed.
        let is_alone = self.members.is_empty();
        if !is_alone && let Err(error) = execute(&mut self.connection, "SAVEPOINT turn").await {
            drop(applicant.send(Err(error.clone())));
            return self.lose(error).await;
        }
        let (back, returned) = oneshot::channel();
        let turn = Turn { connection: Some(self.connection), cause: None, moved: Moved::default(), back: Some(back) };
        // An applicant who left in this moment drops the turn, which gives it back.
        drop(applicant.send(Ok(turn)));
        let Ok((connection, end)) = returned.await else {
            self.known.forget();
            tell(self.members, &Err(Error::Closed));
            return None;
        };
        self.connection = connection;
        let cause = match end {
            // The group's commit releases the savepoint, with all others.
            End::Committed(member, moved) => {
                self.members.push(member);
                // A later turn of the group saw what an earlier one had moved.
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

    /// Makes the group durable and tells its members. `None` if the connection had to be given up.
    async fn commit(mut self) -> Option<SqliteConnection> {
        // A group of turns that were all undone has written nothing.
        let end = if self.members.is_empty() { "ROLLBACK" } else { "COMMIT" };
        match execute(&mut self.connection, end).await {
            Ok(()) => {
                self.known.raise(self.moved);
                tell(self.members, &Ok(()));
                Some(self.connection)
            }
            Err(error) => {
                self.lose(error).await;
                None
            }
        }
    }

    /// Gives the connection up, with its transaction, and tells the members why.
    async fn lose(self, cause: Error) -> Option<Self> {
        tracing::error!(error = &cause as &dyn std::error::Error, n_lost = self.members.len(), "a commit was lost");
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "a connection that was given up did not close");
        }
        self.known.forget();
        tell(self.members, &Err(Error::GroupLost(Arc::new(cause))));
        None
    }
}

fn tell(members: Vec<Member>, outcome: &Result<(), Error>) {
    for member in members {
        // A member may have stopped listening; its change stands all the same.
        let _ = member.send(outcome.clone());
    }
}

async fn execute(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), Error> {
    sqlx::query(sql).execute(connection).await?;
    Ok(())
}
