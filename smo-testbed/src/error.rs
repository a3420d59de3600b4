//! What can go wrong while servers are started or used.

use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

/// Why a testbed could not be started, reached or changed.
///
/// Messages of servers that failed end with the last lines of their log: a test prints them as they are.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TestbedError {
    /// Programs of the once-per-machine installation are absent.
    #[error("{} has no {}; `cargo xtask servers` installs what is missing", folder.display(), names.join(", "))]
    MissingServers {
        /// Where they were looked for.
        folder: PathBuf,
        /// The programs that are not there.
        names: Vec<String>,
    },
    /// Karmada's own programs, or the files of its release, are absent.
    #[error("Karmada cannot be started: {} has no {}; {hint}", folder.display(), names.join(", "))]
    MissingKarmada {
        /// Where they were looked for.
        folder: PathBuf,
        /// What is not there.
        names: Vec<String>,
        /// What to set.
        hint: &'static str,
    },
    /// A file or folder could not be written or read.
    #[error("{}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// A program did not start.
    #[error("{} did not start: {source}", program.display())]
    Spawn {
        /// Which one.
        program: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// A server ended by itself.
    #[error("{server} ended with {status}; its log {}:\n{tail}", log.display())]
    Ended {
        /// Its name in the testbed.
        server: String,
        /// How it ended.
        status: ExitStatus,
        /// Its whole log.
        log: PathBuf,
        /// The last lines of it.
        tail: String,
    },
    /// Something did not happen in time.
    #[error("{what} did not happen within {waited:.0?} ({last}); log {}:\n{tail}", log.display())]
    Late {
        /// What was waited for.
        what: String,
        /// How long.
        waited: Duration,
        /// What was seen last.
        last: String,
        /// The log of the server in question.
        log: PathBuf,
        /// The last lines of it.
        tail: String,
    },
    /// `kubectl` refused or was refused.
    #[error("`kubectl {arguments}`: {message}")]
    Kubectl {
        /// Its arguments, without those that name the cluster.
        arguments: String,
        /// What it wrote to its standard error.
        message: String,
    },
    /// A certificate or key could not be made.
    #[error("certificates: {0}")]
    Certificates(#[from] rcgen::Error),
    /// No loopback port is free in the range the testbed uses.
    #[error("no free port on 127.0.0.1 from {first} to {last}")]
    Ports {
        /// The range's first.
        first: u16,
        /// The range's last.
        last: u16,
    },
    /// The testbed has no member of this name.
    #[error("no member `{name}`; there are {}", known.join(", "))]
    UnknownMember {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The servers were started by somebody else, so they are not ours to stop.
    #[error("{} was not started by the testbed: its servers cannot be stopped or started here", kubeconfig.display())]
    NotOurs {
        /// The kubeconfig that was given.
        kubeconfig: PathBuf,
    },
    /// The process that holds the testbed answered with a fault, or not at all.
    #[error("the testbed's process refused `{request}`: {message}")]
    Refused {
        /// What it was asked.
        request: String,
        /// Its answer.
        message: String,
    },
}

impl TestbedError {
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_what_and_what_to_do() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let servers = TestbedError::MissingServers {
            folder: "target/servers/bin".into(),
            names: names(&["etcd", "kwok"]),
        };
        let karmada = TestbedError::MissingKarmada {
            folder: "target/servers/karmada".into(),
            names: names(&["webhook"]),
            hint: "KARMADA_BIN names the folder with the programs of a Karmada release",
        };
        let late = TestbedError::Late {
            what: "the nodes of m1 becoming ready".to_owned(),
            waited: Duration::from_secs(120),
            last: "2 of 3 are ready".to_owned(),
            log: "target/live/api/log/m1-kwok.log".into(),
            tail: "  no stages found".to_owned(),
        };
        let foreign = TestbedError::NotOurs {
            kubeconfig: "/etc/karmada".into(),
        };
        insta::assert_snapshot!([servers, karmada, late, foreign].map(|error| error.to_string()).join("\n"), @"
        target/servers/bin has no etcd, kwok; `cargo xtask servers` installs what is missing
        Karmada cannot be started: target/servers/karmada has no webhook; KARMADA_BIN names the folder with the programs of a Karmada release
        the nodes of m1 becoming ready did not happen within 120s (2 of 3 are ready); log target/live/api/log/m1-kwok.log:
          no stages found
        /etc/karmada was not started by the testbed: its servers cannot be stopped or started here
        ");
    }
}
