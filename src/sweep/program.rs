//! Runs that a program of the user's trains.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf, absolute};

use crate::checksum::sha256;
use crate::error::{Error, Result};
use crate::program::{Chosen, RunFile, Session, fill, shell_words};
use crate::sweep::trainer::{Facts, Job, Place, Trainer};
use crate::task::Spec;
use crate::task::model::Program;
use crate::train::{Observer, Outcome, Snapshot};

/// The variable that names the run file.
const RUN: &str = "OPTBENCH_RUN";
/// The variable that names the device of a run, beside the one that CUDA knows.
const DEVICE: [&str; 2] = ["OPTBENCH_DEVICE", "CUDA_VISIBLE_DEVICES"];
/// The variable by which most numeric libraries are told how many threads to use.
const THREADS: &str = "OMP_NUM_THREADS";

/// A program of the user's.
pub struct ByProgram {
    /// What the config says of it.
    pub program: Program,
}

impl ByProgram {
    /// What the program is told of a run.
    fn run_file(&self, job: &Job, folder: &Path, resume: bool) -> Result<RunFile> {
        let (run, course) = (job.run, job.course());
        let optimizer = job.optimizer_settings()?;
        let (mut learning_rates, mut momentum) = (None, None);
        if !run.schedule.is_external() {
            let schedule = job.schedule()?;
            // What listens to evaluations knows its rates as they come.
            if schedule.watches().is_empty() {
                let points: Vec<_> = (0..course.steps).map(|t| schedule.at(t)).collect();
                let lr = optimizer.optional_float("lr");
                learning_rates = lr.map(|lr| points.iter().map(|point| lr * point.factor).collect());
                momentum = points.iter().map(|point| point.momentum).collect();
            }
        }
        Ok(RunFile {
            run: run.name.clone(),
            task: job.spec.label.clone(),
            seed: run.seed,
            steps: course.steps,
            eval_every: course.eval_every,
            evaluations: course.evaluated(),
            steps_per_epoch: self.program.steps_per_epoch,
            optimizer: Chosen::new(&run.optimizer_label, &optimizer),
            schedule: Chosen::new(&run.schedule_label, &run.schedule),
            learning_rates,
            momentum,
            out: folder.join(RunFile::OUT),
            resume,
        })
    }

    fn command(&self, file: &RunFile, folder: &Path) -> Result<Vec<String>> {
        let values = file.placeholders(folder);
        let words = self.program.command.iter().map(|word| fill(word, &values));
        words.collect::<Result<_, _>>().map_err(|problem| Error::Usage(format!("`command`: {problem}")))
    }

    /// The command as somebody starts it by hand.
    fn by_hand(&self, file: &RunFile, folder: &Path) -> Result<String> {
        let command = self.command(file, folder)?;
        let directory = self.program.directory.display().to_string();
        let go =
            if directory.is_empty() { String::new() } else { format!("cd {} && ", shell_words([directory.as_str()])) };
        let file = folder.join(RunFile::NAME).display().to_string();
        let file = shell_words([file.as_str()]);
        Ok(format!("{go}{RUN}={file} {}", shell_words(command.iter().map(String::as_str))))
    }

    fn environment(place: &Place, folder: &Path) -> Vec<(&'static str, OsString)> {
        let mut all = vec![(RUN, folder.join(RunFile::NAME).into_os_string())];
        if let Some(device) = &place.device {
            all.extend(DEVICE.map(|name| (name, device.into())));
        }
        if place.threads > 0 && std::env::var_os(THREADS).is_none() {
            all.push((THREADS, place.threads.to_string().into()));
        }
        all
    }

    fn write(file: &RunFile, folder: &Path) -> Result<()> {
        let path = folder.join(RunFile::NAME);
        let text = serde_json::to_string(file).map_err(|error| Error::damaged(&path, &error))?;
        fs::write(&path, text + "\n").map_err(Error::io("write", &path))
    }
}

impl Trainer for ByProgram {
    fn facts(&self) -> Facts {
        Facts { steps_per_epoch: self.program.steps_per_epoch, ..Facts::default() }
    }

    fn check(&self, job: &Job) -> Result<()> {
        let folder = Path::new("");
        let file = self.run_file(&Job { place: None, ..*job }, folder, false)?;
        self.command(&file, folder).map(drop)
    }

    fn describe(&self, job: &Job, folder: &Path) -> Result<Option<String>> {
        let folder = absolute(folder).map_err(Error::io("find", folder))?;
        self.by_hand(&self.run_file(job, &folder, false)?, &folder).map(Some)
    }

    fn computed_by(&self) -> Option<String> {
        Some(self.program.command.join(" "))
    }

    fn keeps_folder(&self) -> bool {
        self.program.resume
    }

    fn train(&self, job: &Job, _: Option<Snapshot>, observer: &mut dyn Observer) -> Result<Outcome> {
        let Some(place) = job.place else {
            return Err(Error::Usage("a run of a program needs a results folder".into()));
        };
        let found = |path: &Path| absolute(path).map_err(Error::io("find", path));
        let (folder, destination) = (found(&place.folder)?, found(&place.destination)?);
        let out = folder.join(RunFile::OUT);
        fs::create_dir_all(&out).map_err(Error::io("create", &out))?;
        let file = self.run_file(job, &folder, place.resumes)?;
        Self::write(&file, &folder)?;
        let session = Session {
            program: &self.program,
            command: &self.command(&file, &folder)?,
            environment: &Self::environment(place, &folder),
            folder: &folder,
            out: &out,
            course: &job.course(),
            metrics: &job.spec.metrics,
        };
        let outcome = session.run(observer);
        // What was kept is to be found where the run will be: it can be repeated from there.
        let file = RunFile { resume: false, ..file.moved_to(&destination) };
        Self::write(&file, &folder)?;
        match outcome {
            Err(Error::Usage(problem)) => {
                let command = self.by_hand(&file, &destination)?;
                Err(Error::Usage(format!("{problem}\n  to repeat it: {command}")))
            }
            outcome => outcome,
        }
    }
}

/// The SHA-256 of each of the files that decide a program's numbers, by their names in the folder that it is started in.
///
/// # Errors
/// When one cannot be read, or a pattern matches nothing.
pub(super) fn digests(spec: &Spec, program: &Program) -> Result<BTreeMap<String, String>> {
    let folder = program.directory.as_path();
    let mistaken = |problem: String| Error::Usage(format!("task `{}`: {problem}", spec.label));
    let mut found: Vec<PathBuf> = Vec::new();
    match &program.files {
        // What `command` names: words that are files beside the config.
        None => {
            let files = program.command.iter().map(PathBuf::from);
            found.extend(files.filter(|path| path.is_relative() && folder.join(path).is_file()));
        }
        Some(patterns) => {
            for pattern in patterns {
                let at = folder.join(pattern);
                let paths = glob::glob(&at.to_string_lossy())
                    .map_err(|error| mistaken(format!("`{pattern}` in `files` is not a valid pattern: {error}")))?;
                let before = found.len();
                let paths = paths.flatten().filter(|path| path.is_file());
                found.extend(paths.map(|path| path.strip_prefix(folder).map_or_else(|_| path.clone(), Path::to_owned)));
                if found.len() == before {
                    let problem =
                        format!("`files` names `{pattern}`, and there is no such file in `{}`", shown(folder));
                    return Err(mistaken(problem));
                }
            }
        }
    }
    let digest = |path: PathBuf| {
        let at = folder.join(&path);
        let bytes = fs::read(&at).map_err(Error::io("read", &at))?;
        Ok((path.to_string_lossy().replace('\\', "/"), sha256(bytes)))
    };
    found.into_iter().map(digest).collect()
}

fn shown(folder: &Path) -> String {
    if folder.as_os_str().is_empty() { ".".into() } else { folder.display().to_string() }
}
