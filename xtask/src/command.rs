//! Child processes, run from the workspace root with their output let through.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// How much of what a watched program wrote is shown when it fails.
const TAIL_LINES: usize = 15;

/// The workspace this program was built from.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    pub(crate) fn here() -> Self {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        Self {
            root: own.parent().unwrap_or(own).to_owned(),
        }
    }

    /// A file or folder below the root.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    pub(crate) fn cargo(&self) -> Call {
        self.program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    pub(crate) fn program(&self, program: impl AsRef<OsStr>) -> Call {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        Call { command }
    }
}

/// One call of a program.
#[derive(Debug)]
pub(crate) struct Call {
    command: Command,
}

impl Call {
    pub(crate) fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.command.args(arguments);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it in another folder than the root.
    pub(crate) fn folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Runs it in the folder that this program was called in.
    pub(crate) fn here(mut self) -> Self {
        if let Ok(folder) = std::env::current_dir() {
            self.command.current_dir(folder);
        }
        self
    }

    /// Runs it with input and output let through, and ends as it ends.
    pub(crate) fn hand_over(mut self) -> Result<ExitCode, String> {
        let line = self.line();
        let status = self.command.status();
        let status = status.map_err(|error| format!("`{line}` did not start: {error}"))?;
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
    }

    /// Runs it quietly, and says from time to time how many lines it has written to its standard error and what the last
    /// one was. When it fails, the error ends with the last lines.
    pub(crate) fn watch(mut self, beat: Duration, mut say: impl FnMut(usize, &str)) -> Result<(), String> {
        let line = self.line();
        let mut child = self
            .command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("`{line}` did not start: {error}"))?;
        let (send, receive) = channel();
        let errors = child.stderr.take();
        std::thread::spawn(move || {
            let lines = errors.map(BufReader::new).into_iter().flat_map(BufRead::lines);
            for line in lines.map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        let (mut count, mut tail) = (0, VecDeque::new());
        let mut next = std::time::Instant::now() + beat;
        loop {
            match receive.recv_timeout(next.saturating_duration_since(std::time::Instant::now())) {
                Ok(line) => {
                    count += 1;
                    tail.push_back(line);
                    if tail.len() > TAIL_LINES {
                        tail.pop_front();
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    next += beat;
                    say(count, tail.back().map_or("", String::as_str));
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let status = child
            .wait()
            .map_err(|error| format!("`{line}` was lost: {error}"))?;
        if status.success() {
            return Ok(());
        }
        let tail: Vec<String> = tail.into();
        Err(format!("`{line}` ended with {status}\n{}", tail.join("\n")))
    }

    /// Starts it and leaves it running, its input and output in pipes.
    pub(crate) fn start(mut self) -> Result<Child, String> {
        let line = self.line();
        println!("$ {line}");
        self.command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("`{line}` did not start: {error}"))
    }

    /// Starts it beside what else is run; what it says is kept in a file until [`Aside::end`].
    pub(crate) fn aside(mut self, log: &Path) -> Result<Aside, String> {
        let line = self.line();
        println!("$ {line} &");
        let fault = |error: std::io::Error| format!("{}: {error}", log.display());
        let file = std::fs::File::create(log).map_err(fault)?;
        let child = self
            .command
            .stdin(Stdio::null())
            .stdout(file.try_clone().map_err(fault)?)
            .stderr(file)
            .spawn()
            .map_err(|error| format!("`{line}` did not start: {error}"))?;
        let log = log.to_owned();
        Ok(Aside { line, child, log })
    }

    /// Prints the command line, runs it with its output let through, and says how it ended when it failed.
    pub(crate) fn run(mut self) -> Result<(), String> {
        let line = self.line();
        println!("$ {line}");
        let status = self
            .command
            .stdin(Stdio::null())
            .status()
            .map_err(|error| format!("`{line}` did not start: {error}"))?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("`{line}` ended with {status}"))
        }
    }

    /// Runs it quietly and returns what it wrote to its standard output.
    pub(crate) fn output(mut self) -> Result<String, String> {
        let line = self.line();
        let output = self
            .command
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("`{line}` did not start: {error}"))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(format!(
                "`{line}` ended with {}\n{}",
                output.status,
                String::from_utf8_lossy(&output.stderr).trim_end()
            ))
        }
    }

    /// The command line as one would type it: the program by its file name.
    fn line(&self) -> String {
        let program = Path::new(self.command.get_program());
        let name = program.file_name().unwrap_or(program.as_os_str());
        let words = std::iter::once(name).chain(self.command.get_args());
        words
            .map(|word| word.to_string_lossy())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// A call that runs beside others.
#[derive(Debug)]
pub(crate) struct Aside {
    line: String,
    child: Child,
    log: PathBuf,
}

impl Aside {
    /// Waits for its end, and prints what it said.
    pub(crate) fn end(mut self) -> Result<(), String> {
        let line = self.line;
        let status = self.child.wait();
        println!("$ {line}");
        print!("{}", std::fs::read_to_string(&self.log).unwrap_or_default());
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("`{line}` ended with {status}")),
            Err(error) => Err(format!("`{line}` was lost: {error}")),
        }
    }
}
