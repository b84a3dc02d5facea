//! A PostgreSQL server for the tests of one process, gone with it.
//!
//! The server is found on the search path or where Debian puts it, keeps its data in a folder of its own, listens on a
//! Unix socket only, and runs as the user `postgres` where the tests run as root, which PostgreSQL refuses to serve. A
//! shell stands over it and holds the read end of a pipe from this process: when this process ends, however it ends,
//! the pipe closes, and the shell stops the server and removes the folder.
//!
//! Its collation is a language's, not the bytes', so that a query that leaves the order to the database is found out.

use std::io::{BufRead, BufReader, Error, ErrorKind, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the shell does: `$1` is the folder of PostgreSQL's programs.
const GUARDIAN: &str = r#"
set -eu
folder=$(mktemp -d /tmp/charter-postgres.XXXXXX)
trap 'rm -rf "$folder"' EXIT
"$1/initdb" --pgdata="$folder/data" --username=charter --auth=trust --encoding=UTF8 --no-locale \
    --locale-provider=icu --icu-locale=en-US --no-sync >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
"$1/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c max_connections=400 -c fsync=off \
    -c full_page_writes=off >>"$folder/log" 2>&1 </dev/null &
server=$!
until "$1/pg_isready" -q -h "$folder" -U charter; do
    kill -0 "$server" || { cat "$folder/log" >&2; exit 1; }
    sleep 0.05
done
echo "$folder"
read -r _ || true
kill -QUIT "$server" || true
wait "$server" || true
"#;

/// A running server.
pub struct Server {
    folder: PathBuf,
    programs: PathBuf,
    n_databases: AtomicU64,
    /// Closing it ends the server.
    _lifeline: ChildStdin,
}

impl Server {
    /// The server of this process, started at first use. `None`, after one line to standard error, where PostgreSQL is
    /// not installed.
    ///
    /// # Panics
    /// If the server does not start, and under `CI=true` if PostgreSQL is not installed.
    pub fn shared() -> Option<&'static Self> {
        static SERVER: OnceLock<Option<Server>> = OnceLock::new();
        SERVER.get_or_init(Self::start).as_ref()
    }

    /// A new, empty database; gives its address, `postgres://...`.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn database(&self) -> String {
        let name = format!("test_{}", self.n_databases.fetch_add(1, Ordering::Relaxed));
        let folder = self.folder.display();
        let made = Command::new(self.programs.join("createdb"))
            .args([format!("--host={folder}"), "--username=charter".into(), "--maintenance-db=postgres".into()])
            .arg(&name)
            .status();
        assert!(made.is_ok_and(|status| status.success()), "the database `{name}` could not be made");
        format!("postgres://charter@localhost/{name}?host={folder}")
    }

    fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "PostgreSQL must be installed under CI=true");
            // What `eprintln!` tells is kept from sight where a test passes.
            let _ = writeln!(std::io::stderr(), "skipped: PostgreSQL is not installed");
            return None;
        };
        match Self::start_in(programs) {
            Ok(server) => Some(server),
            Err(error) => panic!("PostgreSQL did not start: {error}"),
        }
    }

    fn start_in(programs: PathBuf) -> Result<Self, Error> {
        let mut command = Command::new("sh");
        command.args(["-c", GUARDIAN, "guardian"]).arg(&programs);
        // A signal to the tests' process group, such as Ctrl-C, is not for the guardian: it cleans up afterwards.
        command.current_dir("/").process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        if id(&["-u"])? == 0 {
            command.uid(id(&["-u", "postgres"])?).gid(id(&["-g", "postgres"])?);
        }
        let mut guardian = command.spawn()?;
        let (Some(lifeline), Some(stdout)) = (guardian.stdin.take(), guardian.stdout.take()) else {
            return Err(Error::other("no pipes"));
        };
        let mut folder = String::new();
        BufReader::new(stdout).read_line(&mut folder)?;
        if folder.trim_end().is_empty() {
            return Err(Error::new(ErrorKind::NotConnected, "see its log above"));
        }
        let folder = PathBuf::from(folder.trim_end());
        Ok(Self { folder, programs, n_databases: AtomicU64::new(0), _lifeline: lifeline })
    }
}

/// The folder of PostgreSQL's programs: the newest that Debian installed, else the one on the search path.
fn programs() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = debian
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let has_server = |folder: &PathBuf| folder.join("initdb").is_file() && Path::new(folder).join("postgres").is_file();
    versions.into_iter().rev().map(|(_, folder)| folder).chain(std::env::split_paths(&path)).find(has_server)
}

/// A number that `id` prints.
fn id(arguments: &[&str]) -> Result<u32, Error> {
    let output = Command::new("id").args(arguments).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().map_err(|_| Error::other(format!("`id {}` failed", arguments.join(" "))))
}
