//! Child processes that end when this one does, whatever ends it.
//!
//! All servers of a testbed are in one process group. Its leader is a shell that does nothing but read from a pipe whose
//! other end only this process holds. When the pipe closes (a drop, a panic, ctrl-c, a kill -9, an exit that runs no
//! destructors) the leader kills the group. This needs neither signal handlers nor `unsafe`.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use crate::error::TestbedError;

/// Ignores what ctrl-c sends, waits for the end of its input, kills its group.
const LEADER: &str = "trap '' HUP INT TERM; while read -r line; do :; done; kill -s KILL 0";
const TAIL_LINES: usize = 25;
/// How long any one thing may take. Ten times what it takes on two busy cores.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(100);

/// The group, and the servers in it by name.
#[derive(Debug)]
pub(crate) struct Processes {
    leader: Child,
    pipe: Option<ChildStdin>,
    servers: BTreeMap<String, Server>,
    logs: PathBuf,
}

/// One server: how it was started, and the process while it runs.
#[derive(Debug)]
struct Server {
    program: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
    child: Child,
}

impl Processes {
    /// An empty group; its servers will log below `logs`.
    pub(crate) fn new(logs: &Path) -> Result<Self, TestbedError> {
        let shell = PathBuf::from("/bin/sh");
        let mut leader = Command::new(&shell)
            .args(["-c", LEADER])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|source| TestbedError::Spawn {
                program: shell,
                source,
            })?;
        let pipe = leader.stdin.take();
        Ok(Self {
            leader,
            pipe,
            servers: BTreeMap::new(),
            logs: logs.to_owned(),
        })
    }

    /// The group's id, by which one can see whether anything of it still runs.
    pub(crate) fn group(&self) -> u32 {
        self.leader.id()
    }

    /// Starts a server in the group, its output in `<logs>/<name>.log`.
    pub(crate) fn start(
        &mut self,
        name: &str,
        program: &Path,
        arguments: Vec<String>,
    ) -> Result<(), TestbedError> {
        let log = self.logs.join(format!("{name}.log"));
        let child = self.spawn(program, &arguments, &log)?;
        let server = Server {
            program: program.to_owned(),
            arguments,
            log,
            child,
        };
        self.servers.insert(name.to_owned(), server);
        Ok(())
    }

    fn spawn(&self, program: &Path, arguments: &[String], log: &Path) -> Result<Child, TestbedError> {
        let open = || -> std::io::Result<(File, File)> {
            let file = OpenOptions::new().create(true).append(true).open(log)?;
            Ok((file.try_clone()?, file))
        };
        let (output, errors) = open().map_err(TestbedError::file(log))?;
        Command::new(program)
            .args(arguments)
            .env_remove("KUBECONFIG")
            .process_group(i32::try_from(self.group()).unwrap_or_default())
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(|source| TestbedError::Spawn {
                program: program.to_owned(),
                source,
            })
    }

    /// Kills one server, as a crash would, and waits until it is gone. It can be started again.
    pub(crate) fn kill(&mut self, name: &str) {
        if let Some(server) = self.servers.get_mut(name) {
            // Both fail only when it has ended already.
            let _ = server.child.kill();
            let _ = server.child.wait();
        }
    }

    /// Starts a server that ended or was killed, as it was first started. One that runs is left alone.
    pub(crate) fn start_again(&mut self, name: &str) -> Result<(), TestbedError> {
        let Some(server) = self.servers.get(name) else {
            return Ok(());
        };
        let (program, arguments, log) = (
            server.program.clone(),
            server.arguments.clone(),
            server.log.clone(),
        );
        if self.check(name).is_ok() {
            return Ok(());
        }
        let child = self.spawn(&program, &arguments, &log)?;
        if let Some(server) = self.servers.get_mut(name) {
            server.child = child;
        }
        Ok(())
    }

    /// Whether a server still runs; if not, how it ended and the end of its log.
    pub(crate) fn check(&mut self, name: &str) -> Result<(), TestbedError> {
        let Some(server) = self.servers.get_mut(name) else {
            return Ok(());
        };
        match server.child.try_wait() {
            Ok(Some(status)) => Err(TestbedError::Ended {
                server: name.to_owned(),
                status,
                log: server.log.clone(),
                tail: tail(&server.log),
            }),
            _ => Ok(()),
        }
    }

    /// Tries until it succeeds, the named server ends, or patience does.
    pub(crate) fn wait(
        &mut self,
        server: &str,
        what: &str,
        mut attempt: impl FnMut() -> Result<(), String>,
    ) -> Result<(), TestbedError> {
        let began = Instant::now();
        loop {
            let outcome = attempt();
            // Somebody else may have answered in its place.
            self.check(server)?;
            let Err(last) = outcome else {
                return Ok(());
            };
            if began.elapsed() > PATIENCE {
                let log = self.log(server);
                return Err(TestbedError::Late {
                    what: what.to_owned(),
                    waited: began.elapsed(),
                    last,
                    tail: tail(&log),
                    log,
                });
            }
            std::thread::sleep(PAUSE);
        }
    }

    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.logs.join(format!("{name}.log"))
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // Killing the group kills the leader too, so this ends when everything has been told to.
        let _ = self.leader.wait();
        for server in self.servers.values_mut() {
            let _ = server.child.wait();
        }
    }
}

/// The last lines of a log.
fn tail(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(TAIL_LINES);
    match lines.get(from..) {
        Some([]) | None => "  (empty)".to_owned(),
        Some(lines) => lines
            .iter()
            .map(|line| format!("  {line}"))
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

/// Whether any process of a group still runs.
pub fn group_runs(group: u32) -> bool {
    // `kill -0` on a group succeeds while it has a member that is not only waiting to be reaped by a living parent.
    Command::new("/bin/sh")
        .args(["-c", &format!("kill -s 0 -- -{group}")])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logs(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("smo-testbed-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for logs");
        folder
    }

    fn shell(processes: &mut Processes, name: &str, script: &str) {
        processes
            .start(
                name,
                Path::new("/bin/sh"),
                vec!["-c".to_owned(), script.to_owned()],
            )
            .expect("a shell starts");
    }

    fn eventually(condition: impl Fn() -> bool) -> bool {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(10) {
            if condition() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    #[test]
    fn everything_ends_with_a_panic_grandchildren_too() {
        let (send, receive) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut processes = Processes::new(&logs("panic")).expect("a group");
            shell(&mut processes, "stubborn", "trap '' TERM INT; sleep 600 & wait");
            send.send(processes.group()).expect("the test listens");
            panic!("as a failing test does");
        });
        let group = receive.recv().expect("a group");
        assert!(thread.join().is_err());
        assert!(eventually(|| !group_runs(group)));
    }

    #[test]
    fn everything_ends_without_destructors() {
        let mut processes = Processes::new(&logs("forgotten")).expect("a group");
        shell(&mut processes, "server", "exec sleep 600");
        let group = processes.group();
        assert!(group_runs(group));
        // What the end of a process does to a pipe, without the `Drop` that waits.
        drop(processes.pipe.take());
        for server in processes.servers.values_mut() {
            server.child.wait().expect("it is killed");
        }
        processes.leader.wait().expect("it kills itself last");
        assert!(!group_runs(group));
    }

    #[test]
    fn a_killed_server_starts_again_and_a_running_one_is_left_alone() {
        let mut processes = Processes::new(&logs("again")).expect("a group");
        shell(&mut processes, "server", "echo started; exec sleep 600");
        let log = processes.log("server");
        let starts = || std::fs::read_to_string(&log).unwrap_or_default().lines().count();
        assert!(eventually(|| starts() == 1));
        processes.start_again("server").expect("nothing to do");
        processes.kill("server");
        assert!(processes.check("server").is_err());
        processes.start_again("server").expect("it starts");
        assert!(eventually(|| starts() == 2));
        assert!(processes.check("server").is_ok());
    }

    #[test]
    fn an_ended_server_is_reported_with_its_log() {
        let mut processes = Processes::new(&logs("ended")).expect("a group");
        shell(&mut processes, "server", "echo bad flag >&2; exit 3");
        let mut fault = None;
        let began = Instant::now();
        while fault.is_none() && began.elapsed() < Duration::from_secs(10) {
            fault = processes.check("server").err();
            std::thread::sleep(Duration::from_millis(10));
        }
        let text = fault.expect("it ended").to_string();
        assert!(
            text.starts_with("server ended with exit status: 3; its log "),
            "{text}"
        );
        assert!(text.ends_with("\n  bad flag"), "{text}");
    }
}
