//! The Rust half of `cargo xtask test`. It leaves out `smo-python`, which needs a Python to build.

use crate::command::Workspace;
use crate::notices;
use crate::report::Report;
use crate::supply;

/// All members but the Python module, with the adapters that the facade may have.
pub(crate) const MEMBERS: [&str; 5] = [
    "--workspace",
    "--exclude",
    "smo-python",
    "--features",
    "smo/artifact,smo/karmada",
];

pub(crate) fn test(workspace: &Workspace, fast: bool, report: &mut Report) {
    report.step("format", || {
        workspace.cargo().args(["fmt", "--all", "--check"]).run()
    });
    report.step("lint", || {
        let call = workspace.cargo().args(["clippy", "--all-targets"]).args(MEMBERS);
        call.args(["--", "-D", "warnings"]).run()
    });
    // Builds and runs unit tests, integration tests and doctests, and compiles the examples. Snapshots are compared only:
    // a test run never changes a file.
    report.step("tests", || {
        let call = workspace.cargo().args(["test", "--no-fail-fast"]).args(MEMBERS);
        // The live suites have steps of their own, where they share their servers.
        let call = if fast { call } else { call.env("SMO_LIVE", "apart") };
        call.env("INSTA_UPDATE", "no").run()
    });
    if fast {
        return;
    }
    report.step("documentation", || {
        let call = workspace.cargo().args(["doc", "--no-deps"]).args(MEMBERS);
        call.env("RUSTDOCFLAGS", "-D warnings").run()
    });
    report.step("licences and bans", || supply::check(workspace));
    report.step("notices", || notices::check(workspace));
}
