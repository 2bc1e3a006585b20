//! A sweep on a real Slurm cluster: two nodes on this machine's loopback, started by the test.
//!
//! Where Slurm is not installed the test says so and does nothing else; `.ci/run` installs it.
#![cfg(target_os = "linux")]
#![expect(clippy::print_stdout, reason = "the figures are what the test measures")]

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const CONFIG: &str = "name = \"cluster\"\nseeds = 6\nsteps = 6000\neval_every = \"50%\"\ncheckpoint_every = 500\n\
    [tasks.digits]\nmodel = \"mlp\"\nhidden = [64]\n[optimizers.sgd]\nlr = [0.01, 0.1]\n[optimizers.adamw]\n";
const RUNS: usize = 18;
/// The results of all tasks; a space is what scripts are bad at.
const SHARED: &str = "the results";
const PATIENCE: Duration = Duration::from_secs(300);

/// The daemons of a cluster; they die with it.
struct Cluster {
    folder: PathBuf,
    host: String,
    /// Of the controller and the two nodes.
    ports: [u16; 3],
    daemons: BTreeMap<&'static str, Child>,
}

impl Cluster {
    fn start(folder: &Path) -> Self {
        let output = Command::new("uname").arg("-n").output().unwrap();
        let host = String::from_utf8(output.stdout).unwrap().trim().split('.').next().unwrap().to_owned();
        let mut cluster = Self { folder: folder.to_owned(), host, ports: free_ports(), daemons: BTreeMap::new() };
        for place in ["state", "spool.n1", "spool.n2", "log"] {
            fs::create_dir_all(folder.join(place)).unwrap();
        }
        fs::write(cluster.conf(), cluster.configuration()).unwrap();
        for daemon in ["controller", "n1", "n2"] {
            cluster.launch(daemon);
        }
        cluster.wait("idle nodes", |cluster| {
            cluster.says("sinfo", &["-h", "-N", "-o", "%T"]).lines().eq(["idle", "idle"])
        });
        cluster
    }

    fn conf(&self) -> PathBuf {
        self.folder.join("slurm.conf")
    }

    fn configuration(&self) -> String {
        let (d, h, [controller, n1, n2]) = (self.folder.display(), &self.host, self.ports);
        let node = |name: &str, port: u16| {
            format!("NodeName={name} NodeHostname={h} NodeAddr=127.0.0.1 Port={port} CPUs=1 RealMemory=2000\n")
        };
        format!(
            "ClusterName=optbench\nSlurmctldHost={h}(127.0.0.1)\nSlurmUser=root\nSlurmdUser=root\n\
             AuthType=auth/none\nCredType=cred/none\nCommunicationParameters=NoInAddrAny,NoCtldInAddrAny\n\
             SlurmctldPort={controller}\nStateSaveLocation={d}/state\nSlurmctldPidFile={d}/slurmctld.pid\n\
             SlurmctldLogFile={d}/log/slurmctld.log\nSlurmdSpoolDir={d}/spool.%n\nSlurmdPidFile={d}/slurmd.%n.pid\n\
             SlurmdLogFile={d}/log/slurmd.%n.log\nSlurmdParameters=config_overrides\nProctrackType=proctrack/pgid\n\
             TaskPlugin=task/none\nJobAcctGatherType=jobacct_gather/none\n\
             AccountingStorageType=accounting_storage/none\nJobCompType=jobcomp/filetxt\nJobCompLoc={d}/log/jobcomp.txt\n\
             SelectType=select/cons_tres\nSelectTypeParameters=CR_Core\nSwitchType=switch/none\nMpiDefault=none\n\
             ReturnToService=2\nSchedulerType=sched/backfill\n\
             SchedulerParameters=sched_interval=1,sched_min_interval=50000,batch_sched_delay=0,bf_interval=1\n\
             MaxArraySize=10001\nKillWait=5\n{}{}PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP\n",
            node("n1", n1),
            node("n2", n2),
        )
    }

    fn launch(&mut self, daemon: &'static str) {
        let (conf, mut command) =
            (self.conf(), Command::new(if daemon == "controller" { "slurmctld" } else { "slurmd" }));
        command.arg("-D").arg("-f").arg(&conf).env("SLURM_CONF", &conf);
        if daemon != "controller" {
            command.args(["-N", daemon]);
        }
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        self.daemons.insert(daemon, child);
    }

    fn kill(&mut self, daemon: &'static str) {
        if let Some(mut child) = self.daemons.remove(daemon) {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// What a command of Slurm prints; nothing while the controller is away.
    fn says(&self, command: &str, arguments: &[&str]) -> String {
        let output = Command::new(command).args(arguments).env("SLURM_CONF", self.conf()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn wait(&self, what: &str, done: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !done(self) {
            assert!(begun.elapsed() < PATIENCE, "no {what} after {PATIENCE:?}: {}", self.says("squeue", &[]));
            sleep(Duration::from_millis(200));
        }
    }

    /// Does what `submit` advises about held tasks: what the user held is let go, and what the cluster could
    /// not launch, which it would try again only minutes later, is dropped for the next submission to train.
    fn free_held_tasks(&self) {
        for line in self.says("squeue", &["-h", "-o", "%i|%r"]).lines() {
            let (task, reason) = line.split_once('|').unwrap();
            if reason == "JobHeldUser" {
                self.says("scontrol", &["release", task]);
            } else if reason.contains("held") {
                println!("{task} was dropped: {reason}");
                self.says("scancel", &[task]);
            }
        }
    }

    fn drain(&self) {
        // Twice empty: between a job's end and its successor's start the queue may look empty.
        self.wait("empty queue", |cluster| {
            cluster.free_held_tasks();
            let empty =
                || cluster.says("sinfo", &["-h"]).contains("main") && cluster.says("squeue", &["-h"]).is_empty();
            empty() && {
                sleep(Duration::from_millis(500));
                empty()
            }
        });
    }

    fn submit(&self, more: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_optbench"))
            .current_dir(&self.folder)
            .args(["submit", "cluster.toml", "--engine", "slurm", "--tasks", "6", "--out", SHARED])
            .args(more)
            .env("SLURM_CONF", self.conf())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn done(&self) -> usize {
        curves(&self.folder.join(SHARED)).len()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.says("scancel", &["--user", "root"]);
        sleep(Duration::from_millis(500));
        for daemon in ["n1", "n2", "controller"] {
            self.kill(daemon);
        }
    }
}

/// Ports that nobody listens on just now.
fn free_ports() -> [u16; 3] {
    let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// The curves of the finished runs.
fn curves(root: &Path) -> BTreeMap<String, [Vec<u8>; 2]> {
    let runs = fs::read_dir(root.join("runs")).into_iter().flatten().flatten();
    let finished = runs.filter(|run| !run.file_name().to_string_lossy().starts_with('.'));
    finished
        .map(|run| {
            let read = |file: &str| fs::read(run.path().join(file)).unwrap();
            (run.file_name().into_string().unwrap(), [read("steps.csv"), read("evals.csv")])
        })
        .collect()
}

#[test]
fn a_job_array_survives_its_cluster() {
    if Command::new("slurmctld").arg("-V").output().is_err() || fs::metadata("/proc/self").unwrap().uid() != 0 {
        println!("Slurm is not installed here, or this is not root: nothing was tested");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("cluster.toml"), CONFIG).unwrap();
    let alone = Command::new(env!("CARGO_BIN_EXE_optbench"))
        .current_dir(folder.path())
        .args(["run", "cluster.toml", "--out", "alone"])
        .output()
        .unwrap();
    assert!(alone.status.success());
    let expected = curves(&folder.path().join("alone"));
    assert_eq!(expected.len(), RUNS);

    let mut cluster = Cluster::start(folder.path());
    cluster.submit(&["--option=--hold"]);
    let said = cluster.submit(&[]);
    assert!(said.contains("1_[1-6] is held (JobHeldUser): `scontrol release 1_[1-6]` lets it go"), "{said}");
    cluster.free_held_tasks();
    println!("{said}");
    cluster.wait("finished run", |cluster| cluster.done() > 0);
    // This cluster's own, whatever else the machine is training.
    let tasks = format!("optbench run {}/{SHARED}/experiment.toml", folder.path().display());
    let kill = || Command::new("pkill").args(["-KILL", "-o", "-f", &tasks]).status().unwrap().success();
    cluster.wait("task to kill", |_| kill());
    println!("a task was killed with {} runs done", cluster.done());
    sleep(Duration::from_secs(1));
    cluster.kill("n1");
    println!("a node's daemon was killed with {} runs done", cluster.done());
    sleep(Duration::from_secs(1));
    cluster.launch("n1");
    cluster.kill("controller");
    println!("the controller was killed with {} runs done", cluster.done());
    sleep(Duration::from_secs(1));
    cluster.launch("controller");
    cluster.drain();

    let mut submissions = 2;
    while cluster.done() < RUNS {
        assert!(submissions < 5, "{} of {RUNS} runs after {submissions} submissions", cluster.done());
        println!("{} of {RUNS} runs done: submitted again", cluster.done());
        cluster.submit(&[]);
        submissions += 1;
        cluster.drain();
    }
    let shared = folder.path().join(SHARED);
    assert!(curves(&shared) == expected, "the same bytes as on one machine");
    let rows = || fs::read_to_string(shared.join("runs.csv")).unwrap().lines().count();
    assert_eq!(rows(), 1 + RUNS, "the last job merged and reported");
    fs::remove_file(shared.join("runs.csv")).unwrap();
    fs::remove_file(shared.join("report.html")).unwrap();
    assert!(cluster.submit(&[]).contains("all runs are done"));
    assert!(rows() == 1 + RUNS && shared.join("report.html").is_file(), "written again, with nothing left to submit");
    println!("{RUNS} runs in {submissions} submissions, each once, 0 differing bytes");
}
