//! The journal of submitted jobs: `jobs.redb` keeps what is known of each and its result, `jobs/<id>.sealed` its
//! secret until it has ended.
//!
//! A job is on disk in this order: the sealed secret, then the record. It ends in this order: the record with the
//! result, then the secret goes. So whatever a crash leaves is one of: a secret without a record, which was promised to
//! nobody; a record with its secret, which runs again; a result with its secret, which goes at the next start.

mod record;
mod sealed;

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use outrigger_types::Rejection;
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition};

use self::sealed::{Binding, Sealer};
use crate::job::{JobState, Secret};

pub(crate) use self::record::Record;

/// Jobs by their id; a record is JSON.
const JOBS: TableDefinition<&str, &[u8]> = TableDefinition::new("jobs");

/// So often a job is begun. One that ends the process each time must not do so for ever.
const ATTEMPTS_MAX: u32 = 3;

pub(crate) struct Journal {
    database: Database,
    secrets: PathBuf,
    sealer: Option<Sealer>,
    /// Jobs that have ended, by the time of their end.
    ended: Mutex<BTreeSet<(u64, String)>>,
}

/// A job that goes on after a restart.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) id: String,
    pub(crate) record: Record,
}

impl Journal {
    /// Opens the journal in a directory, and finds the jobs that go on, oldest first. Those that cannot are ended.
    /// Without a key nothing is made: `None` where there is no journal yet.
    pub(crate) fn open(directory: &Path, key: Option<&[u8; 32]>) -> Result<Option<(Self, Vec<Pending>)>, String> {
        let path = directory.join("jobs.redb");
        if key.is_none() && !path.exists() {
            return Ok(None);
        }
        let sealer = key.map(Sealer::new).transpose()?;
        let secrets = directory.join("jobs");
        make_private(&secrets)?;
        let database = open_database(&path)?;
        let journal = Self { database, secrets, sealer, ended: Mutex::default() };
        let failed = |error| format!("the journal {} cannot be read: {error}", path.display());
        let pending = journal.recover(now_ms()).map_err(failed)?;
        Ok(Some((journal, pending)))
    }

    /// Whether jobs can be submitted.
    pub(crate) fn has_key(&self) -> bool {
        self.sealer.is_some()
    }

    /// Puts a job on disk.
    pub(crate) fn insert(&self, id: &str, record: &mut Record, secret: Secret) -> Result<(), String> {
        let sealer = self.sealer.as_ref().ok_or("there is no journal key")?;
        record.key = sealer.name().to_owned();
        let sealed = sealer.seal(&self.secrets, binding(id, record), secret).map_err(|error| error.to_string());
        let inserted = sealed.and_then(|()| self.write(id, record).map_err(|error| error.to_string()));
        if inserted.is_err() {
            self.unlink(id);
        }
        inserted
    }

    /// The secret of a job.
    pub(crate) fn secret(&self, id: &str, record: &Record) -> Result<Secret, Rejection> {
        let sealer = self.sealer.as_ref().ok_or_else(|| Rejection::Internal("there is no journal key".to_owned()))?;
        sealer.open(&self.secrets, binding(id, record)).map_err(|what| {
            tracing::error!(job = id, "the sealed secret of a submitted job {what}");
            Rejection::DataLoss(format!("the sealed secret of job {id} {what}; submit it again"))
        })
    }

    /// A job as it is on disk.
    pub(crate) fn read(&self, id: &str) -> Result<Option<Record>, String> {
        let found = self.find(id).map_err(|error| error.to_string())?;
        found.map(|json| Record::read(&json)).transpose()
    }

    /// A job is begun.
    pub(crate) fn begun(&self, id: &str) -> Result<(), String> {
        self.change(id, |record| record.attempts += 1)
    }

    /// A job that was begun was stopped in good order, and goes on another time.
    pub(crate) fn stopped(&self, id: &str) -> Result<(), String> {
        self.change(id, |record| record.attempts = record.attempts.saturating_sub(1))
    }

    /// A job has ended. What ended first stays so.
    pub(crate) fn end(&self, id: &str, state: JobState) -> Result<(), String> {
        self.end_at(id, state, now_ms())
    }

    fn end_at(&self, id: &str, state: JobState, now_ms: u64) -> Result<(), String> {
        let mut ended = false;
        self.change(id, |record| {
            if record.end.is_none() {
                record.end = Some((now_ms, state.clone()));
                ended = true;
            }
        })?;
        if ended {
            self.ended().insert((now_ms, id.to_owned()));
        }
        self.unlink(id);
        Ok(())
    }

    /// Forgets the jobs that ended longer ago than results are kept.
    pub(crate) fn sweep(&self, lifetime: Duration) -> Result<usize, String> {
        self.sweep_at(lifetime, now_ms())
    }

    fn sweep_at(&self, lifetime: Duration, now_ms: u64) -> Result<usize, String> {
        let lifetime_ms = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
        let Some(before) = now_ms.checked_sub(lifetime_ms) else { return Ok(0) };
        let old: Vec<_> = self.ended().iter().take_while(|(at, _)| *at <= before).cloned().collect();
        if old.is_empty() {
            return Ok(0);
        }
        self.delete(&old).map_err(|error| error.to_string())?;
        let mut ended = self.ended();
        for job in &old {
            ended.remove(job);
        }
        Ok(old.len())
    }

    fn delete(&self, jobs: &[(u64, String)]) -> Result<(), Box<redb::Error>> {
        let transaction = self.database.begin_write().map_err(boxed)?;
        {
            let mut table = transaction.open_table(JOBS).map_err(boxed)?;
            for (_, id) in jobs {
                table.remove(id.as_str()).map_err(boxed)?;
            }
        }
        transaction.commit().map_err(boxed)
    }

    fn find(&self, id: &str) -> Result<Option<Vec<u8>>, Box<redb::Error>> {
        let transaction = self.database.begin_read().map_err(boxed)?;
        let table = transaction.open_table(JOBS).map_err(boxed)?;
        Ok(table.get(id).map_err(boxed)?.map(|json| json.value().to_vec()))
    }

    fn write(&self, id: &str, record: &Record) -> Result<(), Box<redb::Error>> {
        let transaction = self.database.begin_write().map_err(boxed)?;
        {
            let mut table = transaction.open_table(JOBS).map_err(boxed)?;
            table.insert(id, record.write().as_slice()).map_err(boxed)?;
        }
        transaction.commit().map_err(boxed)
    }

    /// Changes a record in one transaction: writers wait for each other.
    fn change(&self, id: &str, change: impl FnOnce(&mut Record)) -> Result<(), String> {
        let text = |error: Box<redb::Error>| error.to_string();
        let transaction = self.database.begin_write().map_err(boxed).map_err(text)?;
        {
            let mut table = transaction.open_table(JOBS).map_err(boxed).map_err(text)?;
            let found = table.get(id).map_err(boxed).map_err(text)?.map(|json| Record::read(json.value()));
            let mut record = found.ok_or("the journal does not know the job")??;
            change(&mut record);
            table.insert(id, record.write().as_slice()).map_err(boxed).map_err(text)?;
        }
        transaction.commit().map_err(boxed).map_err(text)
    }

    fn unlink(&self, id: &str) {
        if let Err(error) = sealed::unlink(&self.secrets, id) {
            tracing::error!(job = id, %error, "the sealed secret of a job that has ended cannot be removed");
        }
    }

    fn ended(&self) -> MutexGuard<'_, BTreeSet<(u64, String)>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds the jobs that go on, ends those that cannot, and removes secrets that nobody needs.
    fn recover(&self, now_ms: u64) -> Result<Vec<Pending>, String> {
        let mut pending = Vec::new();
        let mut asleep = 0_usize;
        for (id, record) in self.all()? {
            if let Some((at, _)) = record.end {
                self.ended().insert((at, id));
                continue;
            }
            match self.fate(&id, &record, now_ms) {
                Ok(()) if self.opens(&record) => pending.push(Pending { id, record }),
                Ok(()) => asleep += 1,
                Err(rejection) => {
                    tracing::error!(job = id, reason = %rejection, "a submitted job cannot go on after the restart");
                    self.end_at(&id, JobState::Failed(rejection), now_ms)?;
                }
            }
        }
        if asleep > 0 {
            let hint = "set proving.journal_key to the key that they were sealed with, or cancel them";
            tracing::error!(jobs = asleep, hint, "submitted jobs wait for another journal key");
        }
        self.remove_orphans()?;
        pending.sort_by(|a, b| (a.record.submitted_ms, &a.id).cmp(&(b.record.submitted_ms, &b.id)));
        Ok(pending)
    }

    /// Whether the secret of a job was sealed with our key. One that was not sleeps: a key set wrongly must not cost
    /// the jobs of the right one.
    fn opens(&self, record: &Record) -> bool {
        self.sealer.as_ref().is_some_and(|sealer| sealer.name() == record.key)
    }

    /// Why a job that has not ended cannot go on.
    fn fate(&self, id: &str, record: &Record, now_ms: u64) -> Result<(), Rejection> {
        if record.deadline_ms.is_some_and(|deadline| deadline <= now_ms) {
            return Err(Rejection::DeadlineExceeded { predicted: None });
        }
        if record.attempts >= ATTEMPTS_MAX {
            let message = format!("the sidecar ended {ATTEMPTS_MAX} times while it worked on job {id}; it is given up");
            return Err(Rejection::Internal(message));
        }
        if !sealed::path(&self.secrets, id).exists() {
            return Err(Rejection::DataLoss(format!("the sealed secret of job {id} is missing; submit it again")));
        }
        Ok(())
    }

    /// All jobs. One whose record cannot be read is left out, and logged.
    fn all(&self) -> Result<Vec<(String, Record)>, String> {
        let rows = self.rows().map_err(|error| error.to_string())?;
        let read = |(id, json): (String, Vec<u8>)| match Record::read(&json) {
            Ok(record) => Some((id, record)),
            Err(error) => {
                tracing::error!(job = id, error, "a job in the journal cannot be read");
                None
            }
        };
        Ok(rows.into_iter().filter_map(read).collect())
    }

    fn rows(&self) -> Result<Vec<(String, Vec<u8>)>, Box<redb::Error>> {
        // The table is made here, so that readers find it.
        let transaction = self.database.begin_write().map_err(boxed)?;
        let mut rows = Vec::new();
        {
            let table = transaction.open_table(JOBS).map_err(boxed)?;
            for row in table.iter().map_err(boxed)? {
                let (id, json) = row.map_err(boxed)?;
                rows.push((id.value().to_owned(), json.value().to_vec()));
            }
        }
        transaction.commit().map_err(boxed)?;
        Ok(rows)
    }

    /// Secrets of jobs that have ended, or that were never promised to anybody.
    fn remove_orphans(&self) -> Result<(), String> {
        let failed = |error| format!("{} cannot be read: {error}", self.secrets.display());
        for entry in fs::read_dir(&self.secrets).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let id = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            // A record that cannot be read may be mended: its secret stays.
            let needed = match self.read(id) {
                Ok(Some(record)) => record.end.is_none(),
                Ok(None) => false,
                Err(_) => true,
            };
            if !needed {
                fs::remove_file(&path).map_err(|error| format!("{} cannot be removed: {error}", path.display()))?;
            }
        }
        Ok(())
    }
}

fn binding<'a>(id: &'a str, record: &Record) -> Binding<'a> {
    Binding { job: id, circuit: record.circuit, kind: record.kind }
}

/// Now, in milliseconds of the Unix epoch.
pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}

fn boxed(error: impl Into<redb::Error>) -> Box<redb::Error> {
    Box::new(error.into())
}

fn make_private(path: &Path) -> Result<(), String> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| format!("the directory {} cannot be made: {error}", path.display()))
}

fn open_database(path: &Path) -> Result<Database, String> {
    let place = path.display();
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    let file = file.map_err(|error| format!("the journal {place} cannot be opened: {error}"))?;
    Database::builder().create_file(file).map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen => {
            format!("the journal {place} is in use by another process: give each sidecar a directory of its own")
        }
        other => format!("the journal {place} cannot be opened: {other}"),
    })
}

#[cfg(test)]
mod tests;
