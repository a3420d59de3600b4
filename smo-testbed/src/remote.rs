//! Asking the process that holds a testbed to stop or start a server of it.
//!
//! One line a connection: `TOKEN VERB` and the name of a member where it is about one. The answer is `ok`, or the message of an error. Port and token are in a
//! file that only the owner of the testbed's folder can read.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::error::TestbedError;
use crate::pki::token;
use crate::testbed::Testbed;

const FILE: &str = "control";
/// A client that connects and says nothing must not block the others.
const PATIENCE: Duration = Duration::from_secs(5);

/// The address of a holder.
pub(crate) struct Remote {
    port: u16,
    token: String,
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Remote")
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl Remote {
    /// The holder of the testbed to which a kubeconfig belongs.
    pub(crate) fn find(kubeconfig: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(kubeconfig.with_file_name(FILE)).ok()?;
        let (port, token) = text.trim().split_once(' ')?;
        Some(Self {
            port: port.parse().ok()?,
            token: token.to_owned(),
        })
    }

    pub(crate) fn ask(&self, request: &str) -> Result<(), TestbedError> {
        let refused = |message: String| TestbedError::Refused {
            request: request.to_owned(),
            message,
        };
        let exchange = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
            writeln!(stream, "{} {request}", self.token)?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        match exchange().map_err(|error| refused(error.to_string()))?.trim_end() {
            "ok" => Ok(()),
            message => Err(refused(message.to_owned())),
        }
    }
}

/// Lets other processes stop and start servers of a testbed held here, from now on and until it is dropped.
///
/// # Errors
///
/// When no port can be had or the file beside the kubeconfig cannot be written.
pub fn hold(testbed: &Arc<Testbed>) -> Result<(), TestbedError> {
    let path = testbed.kubeconfig().with_file_name(FILE);
    let listen = || {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        Ok((listener, port))
    };
    let (listener, port) = listen().map_err(TestbedError::file(&path))?;
    let token = token()?;
    std::fs::write(&path, format!("{port} {token}\n")).map_err(TestbedError::file(&path))?;
    let testbed: Weak<Testbed> = Arc::downgrade(testbed);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let Some(testbed) = testbed.upgrade() else { return };
            // A broken connection is the client's to report.
            let _ = answer(&stream, &token, &testbed);
        }
    });
    Ok(())
}

fn answer(mut stream: &TcpStream, token: &str, testbed: &Testbed) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(stream.take(1024)).read_line(&mut line)?;
    let words: Vec<&str> = line.split_whitespace().collect();
    let outcome = match words.as_slice() {
        [given, "stop", member] if *given == token => testbed.stop_member(member),
        [given, "start", member] if *given == token => testbed.start_member(member),
        [given, "stop-api"] if *given == token => testbed.stop_api(),
        [given, "start-api"] if *given == token => testbed.start_api(),
        [given, "stop-aggregated"] if *given == token => testbed.stop_aggregated(),
        [given, "start-aggregated"] if *given == token => testbed.start_aggregated(),
        _ => return writeln!(stream, "wrong token or request"),
    };
    match outcome {
        Ok(()) => writeln!(stream, "ok"),
        Err(error) => writeln!(stream, "{error}"),
    }
}
