//! Downloads that can be interrupted, resumed and trusted.
//!
//! A file comes from the first of its mirrors that yields the expected contents. Bytes are kept in
//! `NAME.part`, so that an interrupted download goes on where it was; the file takes its name only
//! once its SHA-256 is right. Two processes that want the same file wait for each other.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use ureq::http::{Response, StatusCode, header};
use ureq::{Agent, Body};

use crate::disk::is_at;

/// Told about downloads as they go.
pub trait Watch: Send + Sync {
    /// A download of a file of this size begins, or goes on, from this address.
    fn started(&self, _file: &str, _address: &str, _bytes: Option<u64>) {}
    /// So many bytes are there.
    fn progress(&self, _bytes: u64) {}
    /// Something went wrong, and another attempt is made.
    fn retried(&self, _problem: &str) {}
    /// The file is there, or given up.
    fn finished(&self) {}
}

/// Nobody watches.
impl Watch for () {}

/// Downloads files.
pub struct Downloader {
    agent: Agent,
    watch: Box<dyn Watch>,
    /// The wait before the second attempt at a mirror; doubled before the third.
    pause: Duration,
    loopback_only: bool,
}

/// How often a mirror is tried.
const ATTEMPTS: u32 = 3;

/// How often a mirror is asked, even if every answer brings the file forward.
const MOST_REQUESTS: u32 = 50;

/// What became of one attempt.
enum Problem {
    /// It may go better at once, or a little later.
    Passing(String),
    /// This mirror does not have the file.
    Lasting(String),
    /// The disk refuses: no mirror will help.
    Local(String),
}

impl Downloader {
    /// A downloader that speaks TLS alone and goes through the proxies of the environment.
    pub fn new(watch: Box<dyn Watch>) -> Self {
        let patience = Duration::from_secs(30);
        let config = Agent::config_builder().https_only(true);
        let config = config.timeout_resolve(Some(Duration::from_secs(10))).timeout_connect(Some(patience / 2));
        let config = config.timeout_per_read(Some(patience)).timeout_per_write(Some(patience));
        Self {
            agent: config.user_agent(concat!("optbench/", env!("CARGO_PKG_VERSION"))).build().into(),
            watch,
            pause: Duration::from_secs(2),
            loopback_only: false,
        }
    }

    /// A downloader for tests: it speaks plain HTTP, to 127.0.0.1 and nobody else, waits so long for bytes and tries again soon.
    pub fn loopback(watch: Box<dyn Watch>, patience: Duration) -> Self {
        let config = Agent::config_builder().proxy(None).max_redirects(0).timeout_per_read(Some(patience));
        Self { agent: config.build().into(), watch, pause: Duration::from_millis(20), loopback_only: true }
    }

    /// Downloads a file from the first mirror that has it: no more than `limit` bytes, and only
    /// what `check` finds to be right.
    ///
    /// # Errors
    /// When no mirror has it, or the disk refuses: one line for each.
    pub fn fetch(
        &self,
        mirrors: &[&str],
        target: &Path,
        limit: u64,
        check: &dyn Fn(&Path) -> Result<(), String>,
    ) -> Result<(), String> {
        let part = target.with_file_name(format!("{}.part", name(target)));
        let local = |action: &str, error: &std::io::Error| format!("cannot {action} {}: {error}", part.display());
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
        }
        let mut file = loop {
            let open = OpenOptions::new().create(true).read(true).append(true).open(&part);
            let file = open.map_err(|error| local("write", &error))?;
            // Where the file system knows no locks, the check of the contents still protects.
            let _ = file.lock();
            // Whoever held it may have removed or renamed it since: what is written there now, nobody finds.
            if is_at(&file, &part) {
                break file;
            }
        };
        if check(target).is_ok() {
            // Another process was first.
            let _ = fs::remove_file(&part);
            return Ok(());
        }
        let mut problems = Vec::new();
        for mirror in mirrors {
            match self.fetch_from(mirror, &mut file, &part, limit, check) {
                Ok(()) => {
                    self.watch.finished();
                    file.sync_all().map_err(|error| local("write", &error))?;
                    return fs::rename(&part, target).map_err(|error| local("rename", &error));
                }
                Err(Problem::Local(problem)) => {
                    self.watch.finished();
                    return Err(problem);
                }
                Err(Problem::Passing(problem) | Problem::Lasting(problem)) => {
                    problems.push(format!("{mirror}: {problem}"));
                }
            }
        }
        self.watch.finished();
        if file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
            let _ = fs::remove_file(&part);
        }
        Err(format!("cannot download `{}`\n  {}", name(target), problems.join("\n  ")))
    }

    /// Tries one mirror until the file is there and right, or there is no hope.
    fn fetch_from(
        &self,
        mirror: &str,
        file: &mut File,
        part: &Path,
        limit: u64,
        check: &dyn Fn(&Path) -> Result<(), String>,
    ) -> Result<(), Problem> {
        let mut attempt = 1;
        for _ in 0..MOST_REQUESTS {
            let resumed = length(file)?;
            let problem = match self.attempt(mirror, file, part, limit) {
                Ok(()) => match check(part) {
                    Ok(()) => return Ok(()),
                    Err(problem) => {
                        // Wrong bytes are of no use to anybody.
                        file.set_len(0).map_err(|error| Problem::Local(error.to_string()))?;
                        if resumed == 0 {
                            return Err(Problem::Lasting(format!("not the expected contents: {problem}")));
                        }
                        // What was resumed may have come from another mirror.
                        format!("not the expected contents after going on: {problem}")
                    }
                },
                Err(Problem::Passing(problem)) => problem,
                Err(problem) => return Err(problem),
            };
            if attempt == ATTEMPTS {
                return Err(Problem::Passing(format!("{problem}; tried {ATTEMPTS} times")));
            }
            self.watch.retried(&problem);
            sleep(self.pause * attempt);
            // An attempt that brought the file forward does not count: a slow line deserves patience.
            if length(file)? <= resumed {
                attempt += 1;
            }
        }
        Err(Problem::Passing(format!("broke off {MOST_REQUESTS} times")))
    }

    /// One request, from where the file ends.
    fn attempt(&self, mirror: &str, file: &mut File, part: &Path, limit: u64) -> Result<(), Problem> {
        if self.loopback_only && !mirror.starts_with("http://127.0.0.1:") {
            return Err(Problem::Lasting("is not 127.0.0.1".into()));
        }
        let held = length(file)?;
        let mut request = self.agent.get(mirror).header(header::ACCEPT_ENCODING, "identity");
        if held > 0 {
            request = request.header(header::RANGE, format!("bytes={held}-"));
        }
        let request = request.config().http_status_as_error(false).build();
        let mut response = request.call().map_err(|error| of_request(&error))?;
        let start = match response.status() {
            StatusCode::OK => 0,
            StatusCode::PARTIAL_CONTENT if range_start(&response) == Some(held) => held,
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                file.set_len(0).map_err(|error| Problem::Local(error.to_string()))?;
                return Err(Problem::Passing("the server cannot go on from there".into()));
            }
            status if status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429) => {
                return Err(Problem::Passing(format!("the server says {status}")));
            }
            status => return Err(Problem::Lasting(format!("the server says {status}"))),
        };
        let rest = response.body().content_length();
        let whole = rest.map(|rest| start.saturating_add(rest));
        if whole.is_some_and(|whole| whole > limit) {
            return Err(Problem::Lasting(format!("the server offers {} bytes; expected {limit}", whole.unwrap_or(0))));
        }
        file.set_len(start).map_err(|error| Problem::Local(error.to_string()))?;
        self.watch.started(&name(part.with_extension("").as_path()), mirror, whole);
        let held = self.receive(response.body_mut().as_reader(), file, start, limit)?;
        match whole {
            Some(whole) if whole != held => {
                Err(Problem::Passing(format!("the connection ended after {held} of {whole} bytes")))
            }
            _ => Ok(()),
        }
    }

    /// Appends what comes to the file; says how long it is then.
    fn receive(&self, mut source: impl Read, file: &mut File, start: u64, limit: u64) -> Result<u64, Problem> {
        let mut held = start;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let n = match source.read(&mut buffer) {
                Ok(0) => return Ok(held),
                Ok(n) => n,
                Err(error) => return Err(Problem::Passing(format!("{error}, after {held} bytes"))),
            };
            held += n as u64;
            if held > limit {
                file.set_len(0).map_err(|error| Problem::Local(error.to_string()))?;
                return Err(Problem::Lasting(format!("more than the expected {limit} bytes came")));
            }
            file.write_all(&buffer[..n]).map_err(|error| Problem::Local(format!("cannot write: {error}")))?;
            self.watch.progress(held);
        }
    }
}

fn length(file: &mut File) -> Result<u64, Problem> {
    file.seek(std::io::SeekFrom::End(0)).map_err(|error| Problem::Local(error.to_string()))
}

fn of_request(error: &ureq::Error) -> Problem {
    let words = error.to_string();
    // Without a network, no name has an address: nobody should have to wait to be told so.
    let hopeless = matches!(error, ureq::Error::HostNotFound | ureq::Error::RequireHttpsOnly(_))
        || words.contains("lookup address");
    if hopeless { Problem::Lasting(words) } else { Problem::Passing(words) }
}

/// Where a partial answer begins: `Content-Range: bytes START-END/WHOLE`.
fn range_start(response: &Response<Body>) -> Option<u64> {
    let range = response.headers().get(header::CONTENT_RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split_once('-')?.0.trim().parse().ok()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
