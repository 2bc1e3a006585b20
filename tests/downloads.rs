//! Downloads from servers that fail, stall, truncate and lie.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::{sleep, spawn};
use std::time::Duration;

use optbench::task::data::Downloader;
use optbench::task::data::download::Watch;

/// Enough for a busy machine: only a server that stalls uses it up.
const PATIENCE: Duration = Duration::from_secs(10);
/// For servers that stall.
const LITTLE: Duration = Duration::from_secs(1);

/// How a server answers one request.
#[derive(Clone, Copy)]
enum Answer {
    /// As it should, from where it is asked to.
    Whole,
    /// The whole file, whatever was asked for.
    WholeAlways,
    /// So many bytes of what it promises, then the connection ends.
    Cut(usize),
    /// So many bytes, then nothing.
    Stall(usize),
    /// More bytes than it should have, without saying how many.
    Endless,
    /// It promises that many bytes.
    Promise(u64),
    /// Other bytes of the right length.
    Other,
    /// A partial answer that begins elsewhere.
    Elsewhere,
    /// An error.
    Status(u16),
    /// Nothing that is HTTP.
    Noise,
}

/// A server on this machine that gives these answers in turn, and the last one again and again.
struct Server {
    port: u16,
    /// Where each request asked to go on from.
    asked: Arc<Mutex<Vec<usize>>>,
}

fn contents() -> Vec<u8> {
    (0..300_000u64).map(|i| (i * i % 251) as u8).collect()
}

impl Server {
    fn new(answers: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answers, log) = (answers.to_vec(), asked.clone());
        spawn(move || {
            for (i, stream) in listener.incoming().enumerate() {
                let (answer, log) = (answers[i.min(answers.len() - 1)], log.clone());
                spawn(move || stream.map(|stream| serve(stream, answer, &log)));
            }
        });
        Self { port, asked }
    }

    fn address(&self) -> String {
        format!("http://127.0.0.1:{}/file", self.port)
    }

    fn asked(&self) -> Vec<usize> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, answer: Answer, asked: &Mutex<Vec<usize>>) {
    let mut from = 0;
    for line in BufReader::new(stream.try_clone().unwrap()).lines() {
        let line = line.unwrap_or_default().to_lowercase();
        if let Some(range) = line.strip_prefix("range: bytes=") {
            from = range.trim_end_matches('-').parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    asked.lock().unwrap().push(from);
    let (whole, other) = (contents(), vec![7; 300_000]);
    let head =
        |status: &str, length: u64| format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n");
    let from = if matches!(answer, Answer::WholeAlways) { 0 } else { from.min(whole.len()) };
    let rest = &whole[from..];
    let start = match from {
        0 => head("200 OK", rest.len() as u64),
        _ => {
            head("206 Partial Content", rest.len() as u64)
                + &format!("Content-Range: bytes {from}-{}/{}\r\n", whole.len() - 1, whole.len())
        }
    };
    let (head, body) = match answer {
        Answer::Whole | Answer::WholeAlways => (start, rest),
        Answer::Cut(n) | Answer::Stall(n) => (start, &rest[..n.min(rest.len())]),
        Answer::Endless => ("HTTP/1.1 200 OK\r\nConnection: close\r\n".into(), rest),
        Answer::Promise(length) => (head("200 OK", length), rest),
        Answer::Other => (head("200 OK", whole.len() as u64), &other[..]),
        Answer::Elsewhere => (head("206 Partial Content", 5) + "Content-Range: bytes 7-11/300000\r\n", &rest[..5]),
        Answer::Status(status) => (head(&format!("{status} No"), 0), &rest[..0]),
        Answer::Noise => ("\u{1}\u{2}\u{3}".into(), rest),
    };
    // The other side may have hung up: that is its right.
    let _ = stream.write_all(format!("{head}\r\n").as_bytes());
    let _ = stream.write_all(body);
    match answer {
        Answer::Stall(_) => sleep(3 * LITTLE),
        Answer::Endless => {
            let _ = stream.write_all(rest);
        }
        _ => {}
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Watch for Log {
    fn started(&self, file: &str, _: &str, bytes: Option<u64>) {
        self.0.lock().unwrap().push(format!("started {file} {bytes:?}"));
    }
    fn retried(&self, problem: &str) {
        self.0.lock().unwrap().push(format!("retried: {problem}"));
    }
    fn finished(&self) {
        self.0.lock().unwrap().push("finished".into());
    }
}

fn check(path: &Path) -> Result<(), String> {
    let read = fs::read(path).map_err(|error| error.to_string())?;
    if read == contents() { Ok(()) } else { Err("it is something else".into()) }
}

/// Fetches from these servers into a fresh folder, where so many bytes lie already.
fn fetch(servers: &[&Server], held: usize) -> (Result<(), String>, Vec<String>, Vec<PathBuf>) {
    fetch_within(PATIENCE, servers, held)
}

fn fetch_within(
    patience: Duration,
    servers: &[&Server],
    held: usize,
) -> (Result<(), String>, Vec<String>, Vec<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    if held > 0 {
        fs::write(folder.path().join("file.txt.part"), &contents()[..held]).unwrap();
    }
    let log = Log::default();
    let addresses: Vec<String> = servers.iter().map(|server| server.address()).collect();
    let mirrors: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let target = folder.path().join("file.txt");
    let downloader = Downloader::loopback(Box::new(log.clone()), patience);
    let result = downloader.fetch(&mirrors, &target, 300_000, &check);
    assert_eq!(result.is_ok(), check(&target).is_ok(), "a file has its name if and only if it is right");
    let left = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into());
    let lines = log.0.lock().unwrap().clone();
    (result, lines, left.collect())
}

#[test]
fn a_download_arrives_under_its_name_alone() {
    let server = Server::new(&[Answer::Whole]);
    let (result, log, left) = fetch(&[&server], 0);
    assert_eq!((result, left), (Ok(()), vec!["file.txt".into()]));
    assert_eq!(log, ["started file.txt Some(300000)", "finished"]);
}

#[test]
fn what_is_cut_goes_on_where_it_was() {
    for (broken, patience) in [(Answer::Cut(100_000), PATIENCE), (Answer::Stall(100_000), LITTLE)] {
        let server = Server::new(&[broken, Answer::Whole]);
        assert_eq!(fetch_within(patience, &[&server], 0).0, Ok(()));
        assert_eq!(server.asked(), [0, 100_000]);
    }
    let server = Server::new(&[Answer::Whole]);
    assert_eq!(fetch(&[&server], 1234).0, Ok(()), "also that of an earlier process");
    assert_eq!(server.asked(), [1234]);
}

#[test]
fn servers_without_ranges_start_anew() {
    let server = Server::new(&[Answer::WholeAlways]);
    assert_eq!(fetch(&[&server], 1234).0, Ok(()));
    let server = Server::new(&[Answer::Status(416), Answer::Whole]);
    assert_eq!(fetch(&[&server], 1234).0, Ok(()));
    let server = Server::new(&[Answer::Elsewhere, Answer::Whole]);
    assert_eq!(fetch(&[&server], 1234).0, Ok(()));
    assert_eq!(server.asked(), [1234, 0]);
}

#[test]
fn errors_are_retried_or_answered_by_the_next_mirror() {
    let flaky = Server::new(&[Answer::Status(503), Answer::Noise, Answer::Whole]);
    assert_eq!(fetch(&[&flaky], 0).0, Ok(()));
    let sound = Server::new(&[Answer::Whole]);
    for (bad, requests) in [
        (Answer::Status(404), 1),
        (Answer::Status(500), 3),
        (Answer::Status(301), 1),
        (Answer::Other, 1),
        (Answer::Promise(1 << 40), 1),
        (Answer::Endless, 1),
        (Answer::Cut(0), 3),
    ] {
        let bad = Server::new(&[bad]);
        assert_eq!(fetch(&[&bad, &sound], 0).0, Ok(()));
        assert_eq!(bad.asked().len(), requests);
    }
}

#[test]
fn where_no_mirror_helps_every_problem_is_told() {
    let servers = [Answer::Status(404), Answer::Other, Answer::Promise(1 << 40), Answer::Endless, Answer::Cut(0)];
    let servers = servers.map(|answer| Server::new(&[answer]));
    let (result, log, left) = fetch(&servers.each_ref(), 0);
    let problem = result.unwrap_err();
    for words in [
        "cannot download `file.txt`",
        "the server says 404",
        "not the expected contents: it is something else",
        "the server offers 1099511627776 bytes; expected 300000",
        "more than the expected 300000 bytes came",
        "tried 3 times",
    ] {
        assert!(problem.contains(words), "{words} is not in {problem}");
    }
    assert_eq!(log.last().unwrap(), "finished");
    assert!(left.is_empty(), "nothing useless is left: {left:?}");
}

#[test]
fn a_wrong_beginning_is_thrown_away() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file.txt.part"), [9; 5000]).unwrap();
    let server = Server::new(&[Answer::Whole]);
    let target = folder.path().join("file.txt");
    let downloader = Downloader::loopback(Box::new(()), PATIENCE);
    assert_eq!(downloader.fetch(&[&server.address()], &target, 300_000, &check), Ok(()));
    assert_eq!(server.asked(), [5000, 0]);
}

#[test]
fn two_that_want_the_same_file_fetch_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new(&[Answer::Whole]);
    let fetch = || {
        let downloader = Downloader::loopback(Box::new(()), PATIENCE);
        downloader.fetch(&[&server.address()], &folder.path().join("file.txt"), 300_000, &check)
    };
    std::thread::scope(|scope| {
        for thread in [scope.spawn(fetch), scope.spawn(fetch), scope.spawn(fetch)] {
            assert_eq!(thread.join().unwrap(), Ok(()));
        }
    });
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn who_waited_for_a_download_that_failed_fetches_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let part = folder.path().join("file.txt.part");
    let other = fs::File::create(&part).unwrap();
    other.lock().unwrap();
    let server = Server::new(&[Answer::Whole]);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let downloader = Downloader::loopback(Box::new(()), PATIENCE);
            downloader.fetch(&[&server.address()], &folder.path().join("file.txt"), 300_000, &check)
        });
        sleep(Duration::from_millis(200));
        // The other gives up, as `fetch` does where nothing came.
        fs::remove_file(&part).unwrap();
        drop(other);
        assert_eq!(waiting.join().unwrap(), Ok(()));
    });
    assert_eq!(server.asked(), [0]);
}

#[test]
fn plain_http_is_for_tests_and_for_this_machine() {
    let server = Server::new(&[Answer::Whole]);
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("file.txt");
    let strict = Downloader::new(Box::new(()));
    assert!(strict.fetch(&[&server.address()], &target, 300_000, &check).is_err());
    let loose = Downloader::loopback(Box::new(()), PATIENCE);
    let problem = loose.fetch(&["http://localhost:1/file"], &target, 300_000, &check).unwrap_err();
    assert!(problem.contains("is not 127.0.0.1"), "{problem}");
    assert!(server.asked().is_empty(), "nobody was asked");
}
