//! One run of a program, watched from its start to its end.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::metric::Metric;
use crate::program::group::Group;
use crate::program::line::Line;
use crate::program::log_file::LogFile;
use crate::program::order::Order;
use crate::program::output::Output;
use crate::program::patterns::Patterns;
use crate::program::reader::{Lines, Printed, Reader};
use crate::task::model::Program;
use crate::train::{Course, Ending, EvaluationRecord, Observer, Outcome, StepRecord, Times};

/// The file in the folder of a run that keeps what its program printed.
pub const OUTPUT: &str = "output.log";
/// The exit status by which a program says that its training diverged.
pub const DIVERGED: i32 = 86;

/// How often somebody looks at the clock while nothing is printed.
const TICK: Duration = Duration::from_millis(50);
/// How often a log file is read, and output handed to the system.
const LOOK: Duration = Duration::from_millis(500);
/// How long a program may take to end once it is asked to.
const GRACE: Duration = Duration::from_secs(10);
/// How long the output of a program that has ended may stay open.
const DRAIN: Duration = Duration::from_secs(2);
/// What a program may print beside its measurements.
const MOST_OUTPUT: u64 = 1 << 30;

/// A program as it is started for one run.
pub struct Session<'a> {
    /// What the config says of it.
    pub program: &'a Program,
    /// The program and its arguments, every placeholder filled in.
    pub command: &'a [String],
    /// The variables that it finds beside those of optbench's own environment.
    pub environment: &'a [(&'static str, OsString)],
    /// The folder for its output.
    pub folder: &'a Path,
    /// The folder for what it keeps.
    pub out: &'a Path,
    /// The length of the run.
    pub course: &'a Course,
    /// What is measured.
    pub metrics: &'a [Metric],
}

/// Why a program was ended, or what its output came to.
enum Stop {
    /// It cannot go on: in words for the user.
    Failed(String),
    /// The observer refused.
    Refused(Error),
    /// Its training diverged at this step.
    Diverged(u64),
    /// The observer asked to stop.
    Interrupted,
}

impl From<String> for Stop {
    fn from(problem: String) -> Self {
        Self::Failed(problem)
    }
}

#[derive(Clone, Copy)]
enum Stream {
    Output,
    Error,
}

type Chunks = Receiver<(Stream, Vec<u8>)>;

/// What is under way.
struct Watch<'a> {
    session: &'a Session<'a>,
    observer: &'a mut dyn Observer,
    output: Output,
    reader: Reader,
    log: Option<LogFile>,
    order: Order,
    printed: [Lines; 2],
    /// Bytes that were no measurements.
    other: u64,
}

impl Session<'_> {
    /// Runs the program to its end, or ends it: with its whole group of processes in either case.
    ///
    /// # Errors
    /// When the observer refuses, or in words for the user, the program's last lines included.
    pub fn run(&self, observer: &mut dyn Observer) -> Result<Outcome> {
        let path = self.folder.join(OUTPUT);
        let io = |error| Error::io("write", &path)(error);
        let mut watch = Watch {
            session: self,
            observer,
            output: Output::open(&path).map_err(io)?,
            reader: self.reader().map_err(Error::Usage)?,
            log: self.program.log.as_ref().map(|log| self.log_file(log)),
            order: Order::default(),
            printed: [Lines::default(), Lines::default()],
            other: 0,
        };
        let stopped = watch.run();
        watch.output.finish().map_err(io)?;
        let (ending, steps) = match stopped {
            Ok(()) => (Ending::Finished, self.course.steps),
            Err(Stop::Diverged(step)) => (Ending::Diverged, step),
            Err(Stop::Interrupted) => (Ending::Interrupted, watch.order.reached()),
            Err(Stop::Refused(error)) => return Err(error),
            Err(Stop::Failed(problem)) => {
                let last: String = watch.output.last().iter().map(|line| format!("\n    {line}")).collect();
                let last = if last.is_empty() { String::new() } else { format!("\n  its last lines:{last}") };
                return Err(Error::Usage(format!("{problem}{last}")));
            }
        };
        Ok(Outcome { ending, steps, gradient_evaluations: steps, times: Times::default(), state_bytes: 0 })
    }

    fn reader(&self) -> Result<Reader, String> {
        let Program { patterns, log, steps_per_epoch, .. } = self.program;
        Ok(match (log, patterns.is_empty()) {
            (Some(_), _) => Reader::Elsewhere,
            (None, true) => Reader::Json,
            (None, false) => Reader::Patterns(Patterns::new(patterns, self.metrics, *steps_per_epoch)?),
        })
    }

    fn log_file(&self, log: &str) -> LogFile {
        let path: PathBuf = self.out.join(log);
        LogFile::new(path, self.metrics, self.program.steps_per_epoch)
    }
}

impl Watch<'_> {
    fn run(&mut self) -> Result<(), Stop> {
        let Session { command, environment, program: Program { directory, .. }, .. } = self.session;
        let mut start = Command::new(&command[0]);
        // Else the lines of a program in Python wait in its buffer until there are many.
        start.args(&command[1..]).env("PYTHONUNBUFFERED", "1");
        if !directory.as_os_str().is_empty() {
            start.current_dir(directory);
        }
        start.envs(environment.iter().map(|(name, value)| (name, value)));
        // Text is read in the order in which it was printed; between lines of JSON nothing may come.
        let started = Group::start(&mut start, !matches!(self.reader, Reader::Json));
        let (mut group, output, error) = started.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                format!("cannot start `{}`: it was not found\n  help: install it, or correct `command`", command[0])
            }
            _ => format!("cannot start `{}`: {error}", command[0]),
        })?;
        let (sender, chunks) = sync_channel(16);
        let error_sender = sender.clone();
        let reading = thread::Builder::new().spawn(move || pass_on(output, &sender, Stream::Output));
        let reading = reading.and_then(|_| match error {
            Some(error) => thread::Builder::new().spawn(move || pass_on(error, &error_sender, Stream::Error)).map(drop),
            None => {
                drop(error_sender);
                Ok(())
            }
        });
        reading.map_err(|error| format!("cannot read its output: {error}"))?;
        match self.watch(&mut group, &chunks) {
            Ok(status) => {
                self.tidy(&mut group, &chunks)?;
                self.conclude(status)
            }
            Err(stop) => {
                self.end(&mut group, &chunks, matches!(stop, Stop::Interrupted));
                Err(stop)
            }
        }
    }

    /// Reads what is printed until the program has ended.
    fn watch(&mut self, group: &mut Group, chunks: &Chunks) -> Result<ExitStatus, Stop> {
        let start = Instant::now();
        let (mut heard, mut looked) = (start, start);
        let mut is_open = true;
        loop {
            if is_open {
                match chunks.recv_timeout(TICK) {
                    Ok((stream, bytes)) => {
                        heard = Instant::now();
                        self.take(stream, &bytes)?;
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => is_open = false,
                }
            } else {
                thread::sleep(TICK);
            }
            if !self.observer.proceed() {
                return Err(Stop::Interrupted);
            }
            if let Some(status) = group.ended().map_err(|error| format!("cannot be waited for: {error}"))? {
                return Ok(status);
            }
            if looked.elapsed() >= LOOK {
                looked = Instant::now();
                self.output.flush().map_err(|error| format!("its output cannot be kept: {error}"))?;
                if self.read_log(false)? {
                    heard = looked;
                }
            }
            let Program { timeout, silence, .. } = self.session.program;
            if let Some(timeout) = timeout.filter(|timeout| start.elapsed() > *timeout) {
                let timeout = humantime::format_duration(timeout);
                return Err(format!("it had not ended after {timeout}, its `timeout`").into());
            }
            if let Some(silence) = silence.filter(|silence| heard.elapsed() > *silence) {
                let silence = humantime::format_duration(silence);
                return Err(format!("it printed nothing for {silence}, its `silence`").into());
            }
        }
    }

    /// Reads what is left of the output of a program that has ended, and ends what it left behind.
    fn tidy(&mut self, group: &mut Group, chunks: &Chunks) -> Result<(), Stop> {
        let ended = Instant::now();
        let mut was_left = group.is_left();
        if was_left {
            group.terminate();
        }
        loop {
            match chunks.recv_timeout(TICK) {
                Ok((stream, bytes)) => self.take(stream, &bytes)?,
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) if ended.elapsed() < DRAIN => {
                    if was_left && ended.elapsed() > DRAIN / 2 {
                        group.kill();
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.note("a process that the program started still holds its output; it is no longer read")?;
                    was_left = false;
                    break;
                }
            }
        }
        if was_left {
            group.kill();
            self.note("the program left processes behind when it ended; they were ended, too")?;
        }
        Ok(())
    }

    /// Ends a program that is not to go on: SIGTERM, then SIGKILL. What it measures until then still `counts` where it may
    /// go on from there.
    fn end(&mut self, group: &mut Group, chunks: &Chunks, mut counts: bool) {
        let start = Instant::now();
        group.terminate();
        while start.elapsed() < GRACE {
            // It may have to print to be able to end.
            match chunks.recv_timeout(TICK) {
                Ok((stream, bytes)) if counts => counts = self.take(stream, &bytes).is_ok(),
                Ok((_, bytes)) => _ = self.output.line(&bytes),
                Err(RecvTimeoutError::Timeout) => {}
                // Both pipes are closed, and nothing is to be waited for but the end.
                Err(RecvTimeoutError::Disconnected) => thread::sleep(TICK),
            }
            let is_over = !matches!(group.ended(), Ok(None)) && !group.is_left();
            if is_over {
                while let Ok((stream, bytes)) = chunks.recv_timeout(TICK) {
                    counts = counts && self.take(stream, &bytes).is_ok();
                }
                return;
            }
        }
        let _ = self.output.note("the program did not end when it was asked to (SIGTERM), and was killed");
        group.kill();
    }

    /// What the output and the status of a program come to that has ended by itself.
    fn conclude(&mut self, status: ExitStatus) -> Result<(), Stop> {
        for (place, stream) in [Stream::Output, Stream::Error].into_iter().enumerate() {
            let mut lines = std::mem::take(&mut self.printed[place]);
            lines.finish(|printed| self.line(stream, &printed))?;
        }
        self.read_log(true)?;
        for line in self.reader.finish() {
            self.measured(&line)?;
        }
        if status.code() == Some(DIVERGED) {
            return Err(Stop::Diverged(self.order.reached()));
        }
        if !status.success() {
            return Err(ending(status).into());
        }
        self.order.complete(self.session.course, self.session.metrics)?;
        Ok(())
    }

    /// Takes what was printed.
    fn take(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), Stop> {
        let place = usize::from(matches!(stream, Stream::Error));
        let mut lines = std::mem::take(&mut self.printed[place]);
        let taken = lines.push(bytes, |printed| self.line(stream, &printed));
        self.printed[place] = lines;
        taken
    }

    fn line(&mut self, stream: Stream, printed: &Printed) -> Result<(), Stop> {
        let is_read = matches!(stream, Stream::Output);
        let (lines, is_measurement) =
            if is_read { self.reader.read(printed, self.session.metrics)? } else { (Vec::new(), false) };
        if !is_measurement {
            self.other += printed.bytes.len() as u64;
            self.output.line(printed.bytes).map_err(|error| format!("its output cannot be kept: {error}"))?;
            if self.other > MOST_OUTPUT {
                return Err(format!("it printed more than {} GiB beside its measurements", MOST_OUTPUT >> 30).into());
            }
        }
        lines.iter().try_for_each(|line| self.measured(line))
    }

    fn note(&mut self, text: &str) -> Result<(), Stop> {
        self.observer.note(text);
        self.output.note(text).map_err(|error| format!("its output cannot be kept: {error}").into())
    }

    /// Reads what was added to the log file; whether there was anything.
    fn read_log(&mut self, all: bool) -> Result<bool, Stop> {
        let Some(log) = &mut self.log else { return Ok(false) };
        let lines = log.read(all)?;
        lines.iter().try_for_each(|line| self.measured(line))?;
        Ok(!lines.is_empty())
    }

    /// Passes a measurement on.
    fn measured(&mut self, line: &Line) -> Result<(), Stop> {
        let steps = self.session.course.steps;
        self.order.check(line, self.session.course)?;
        let told = match line {
            Line::Update { step, loss, lr, grad_norm } => {
                self.observer.progressed(*step);
                let Some(loss) = *loss else { return Ok(()) };
                let (lr, grad_norm) = (*lr, *grad_norm);
                let told = self.observer.step(&StepRecord { step: *step, lr, loss, grad_norm });
                told.map(|()| (*step, loss.is_finite()))
            }
            Line::Evaluation { step, split, scores } => {
                let step = step.unwrap_or(steps);
                self.observer.progressed(step);
                let record = EvaluationRecord { step, split: *split, scores: scores.clone() };
                self.observer.evaluation(&record).map(|()| (step, scores.are_finite()))
            }
        };
        match told {
            Ok((_, true)) => Ok(()),
            Ok((step, false)) => Err(Stop::Diverged(step)),
            Err(error) => Err(Stop::Refused(error)),
        }
    }
}

/// Hands on what a pipe brings until it is closed or nobody listens.
fn pass_on(mut pipe: impl Read, sender: &SyncSender<(Stream, Vec<u8>)>, stream: Stream) {
    let mut bytes = vec![0; 1 << 16];
    loop {
        match pipe.read(&mut bytes) {
            Ok(0) => return,
            Ok(read) => {
                if sender.send((stream, bytes[..read].to_vec())).is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// How a program ended that did not end well, in words.
fn ending(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        const KILL: i32 = 9;
        let why =
            if signal == KILL { " (SIGKILL; often the system ends programs so that take too much memory)" } else { "" };
        return format!("it was ended by signal {signal}{why}");
    }
    match status.code() {
        Some(code) => format!("it ended with status {code}"),
        None => "it did not end well".into(),
    }
}
