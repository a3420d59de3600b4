//! Real servers for tests, as child processes on loopback.
#![allow(dead_code, reason = "each test program uses a part")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// User `smo` with password `hunter2`, as `htpasswd -B` writes it.
const HTPASSWD: &str = "smo:$2b$04$1w5k.bFMwB.EeyEMJc2j7OCt2RHeUm36YZm0VpgylXnuLe3f4ReKq\n";

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Programs that play others.
pub(crate) fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/programs")
}

/// A program among the servers; none, loudly, when it is not there. In CI it has to be.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("SMO_SERVERS_BIN").filter(|folder| !folder.is_empty());
    let folder = folder.map_or_else(|| root().join("target/servers/bin"), PathBuf::from);
    let path = folder.join(name);
    path.exists().then_some(path).or_else(|| {
        skip(&format!(
            "{name} is not in {}; set SMO_SERVERS_BIN",
            folder.display()
        ));
        None
    })
}

/// The kubeconfig of a control plane for live tests; none, loudly, when there is none.
pub(crate) fn kubeconfig() -> Option<PathBuf> {
    let path = std::env::var_os("SMO_LIVE_KUBECONFIG").filter(|path| !path.is_empty());
    path.map(PathBuf::from).or_else(|| {
        say("no control plane; set SMO_LIVE_KUBECONFIG");
        None
    })
}

fn skip(why: &str) {
    assert_ne!(
        std::env::var("CI").as_deref(),
        Ok("true"),
        "in CI this test has to run: {why}"
    );
    say(why);
}

/// To the real standard error: what a test prints by macro is hidden when it passes.
fn say(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let _ = writeln!(std::io::stderr(), "NOT RUN: {test}: {why}");
}

/// A port of loopback that nobody listens at now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Certificates for 127.0.0.1 whose keys protect nothing.
fn tls_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/tls")
}

/// The certificate that vouches for a registry with TLS.
pub(crate) fn certificates() -> PathBuf {
    tls_folder().join("ca.pem")
}

/// How a registry is reached.
#[derive(Clone, Copy)]
enum Door {
    Open,
    Password,
    Tls,
}

/// An OCI registry that is stopped when dropped.
pub(crate) struct Registry {
    child: Child,
    _folder: TempDir,
    /// `host:port`.
    pub(crate) address: String,
}

impl Registry {
    /// A registry that anybody may use.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(Door::Open)
    }

    /// A registry with a certificate that [`certificates`] vouches for.
    pub(crate) fn start_with_tls() -> Option<Self> {
        Self::start_with(Door::Tls)
    }

    /// A registry that asks for `smo` and `hunter2`.
    pub(crate) fn start_with_password() -> Option<Self> {
        Self::start_with(Door::Password)
    }

    fn start_with(door: Door) -> Option<Self> {
        let program = program("registry")?;
        let folder = tempfile::tempdir().unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let path = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(path("htpasswd"), HTPASSWD).unwrap();
        let mut config = format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '{address}', secret: test}}\n",
            path("data")
        );
        match door {
            Door::Open => {}
            Door::Password => {
                config += &format!("auth: {{htpasswd: {{realm: smo, path: {}}}}}\n", path("htpasswd"));
            }
            Door::Tls => {
                let tls = |name: &str| tls_folder().join(name).display().to_string();
                let keys = format!("certificate: {}, key: {}", tls("server.pem"), tls("server.key"));
                config = config.replace("secret: test", &format!("secret: test, tls: {{{keys}}}"));
            }
        }
        std::fs::write(path("config.yml"), config).unwrap();
        let child = Command::new(program)
            .args(["serve", &path("config.yml")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let registry = Self {
            child,
            _folder: folder,
            address,
        };
        registry.wait();
        Some(registry)
    }

    fn wait(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if let Ok(mut stream) = TcpStream::connect(&self.address) {
                let request = format!("GET /v2/ HTTP/1.0\r\nHost: {}\r\n\r\n", self.address);
                let mut answer = String::new();
                if stream.write_all(request.as_bytes()).is_ok()
                    && stream.read_to_string(&mut answer).is_ok()
                    && answer.starts_with("HTTP/1.")
                {
                    return;
                }
            }
            std::thread::sleep(Duration::from_millis(30));
        }
        panic!("the registry does not answer at {}", self.address);
    }

    /// `oci://` with this registry and a path.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("oci://{}/{path}", self.address)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder with a small chart: one ConfigMap that holds `text`, and a schema that wants `text` to be a string.
pub(crate) fn small_chart(name: &str, version: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "Chart.yaml",
        &format!("apiVersion: v2\nname: {name}\nversion: {version}\n"),
    );
    write("values.yaml", "text: default\nbroken: false\n");
    write(
        "values.schema.json",
        r#"{"type": "object", "properties": {"text": {"type": "string"}}}"#,
    );
    write(
        "templates/objects.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  text: {{ .Values.text | quote }}\n\
         {{- if .Values.broken }}\n---\napiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Release.Name }}\nspec:\n  ports:\n    - port: 99999\n{{- end }}\n",
    );
    folder
}
