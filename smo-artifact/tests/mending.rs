//! What [`HelmDriver`] does about operations that failed or were cut off, told by what it asks a program that plays Helm
//! (`support/programs/helm-player`).
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::path::Path;

use smo_artifact::{HelmConfig, HelmDriver};
use smo_core::backend::{ChartBackend, ReleaseName};
use smo_core::helm_values::HelmValues;

const LONG_AGO: &str = "2026-01-01 00:00:00 +0000 UTC";
const NOT_YET: &str = "2226-01-01 00:00:00 +0000 UTC";

/// `helm list` with one release.
fn listed(revision: u64, status: &str, updated: &str) -> String {
    format!(
        r#"[{{"name":"web","namespace":"shop","revision":"{revision}","updated":"{updated}","status":"{status}","chart":"web-1.0.0","app_version":""}}]"#
    )
}

/// `helm history` with the states of revisions 1, 2, ...
fn history(states: &[&str]) -> String {
    let row = |(index, state): (usize, &&str)| format!(r#"{{"revision":{},"status":"{state}"}}"#, index + 1);
    let rows: Vec<String> = states.iter().enumerate().map(row).collect();
    format!("[{}]", rows.join(","))
}

/// Applies with these answers of Helm; gives the calls that are no questions, and what came of it.
async fn play(answers: &[(&str, String)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("helm");
    let player = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/programs/helm-player");
    std::os::unix::fs::symlink(player, &program).unwrap();
    for (name, text) in answers {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let driver = HelmDriver::new(HelmConfig::new().with_program(&program)).unwrap();
    let web = ReleaseName {
        namespace: "shop".parse().unwrap(),
        name: "web".parse().unwrap(),
    };
    let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/charts/noise-reduction");
    let result = driver
        .apply(&web, &chart.display().to_string(), &HelmValues::default())
        .await;
    let calls = std::fs::read_to_string(folder.path().join("calls")).unwrap();
    let acts = calls
        .lines()
        .filter(|call| !call.starts_with("list") && !call.starts_with("history"));
    let mut lines: Vec<String> = acts.map(str::to_owned).collect();
    lines.push(match result {
        Ok(installed) => format!("-> revision {} {:?}", installed.revision, installed.state),
        Err(error) => format!("-> {}: {error}", error.kind()),
    });
    lines.join("\n")
}

fn none() -> String {
    "[]".to_owned()
}

fn refused() -> String {
    "Error: execution error at (web/a.yaml:1:1): port is required".to_owned()
}

#[tokio::test(flavor = "current_thread")]
async fn a_first_install() {
    let good = play(&[("list.1", none()), ("list", listed(1, "deployed", LONG_AGO))]).await;
    insta::assert_snapshot!(good, @"
    upgrade web
    -> revision 1 Deployed
    ");
    let failed = listed(1, "failed", LONG_AGO);
    let bad = [
        ("list.1", none()),
        ("list", failed),
        ("history", history(&["failed"])),
        ("upgrade.err", refused()),
    ];
    insta::assert_snapshot!(play(&bad).await, @"
    upgrade web
    uninstall web
    -> invalid: apply shop/web: execution error at (web/a.yaml:1:1): port is required
    ");
    let stuck = [
        &bad[..],
        &[("uninstall.err", "Error: connection refused".to_owned())],
    ]
    .concat();
    insta::assert_snapshot!(play(&stuck).await, @"
    upgrade web
    uninstall web
    -> invalid: apply shop/web: execution error at (web/a.yaml:1:1): port is required; what it left could not be removed: connection refused
    ");
    // Refused before anything was written.
    insta::assert_snapshot!(play(&[("list", none()), ("upgrade.err", refused())]).await, @"
    upgrade web
    -> invalid: apply shop/web: execution error at (web/a.yaml:1:1): port is required
    ");
}

#[tokio::test(flavor = "current_thread")]
async fn an_upgrade_that_fails() {
    let before = || ("list.1", listed(2, "deployed", LONG_AGO));
    let past = || ("history", history(&["superseded", "deployed", "failed"]));
    let failed = || ("list", listed(3, "failed", LONG_AGO));
    let back = [before(), past(), failed(), ("upgrade.err", refused())];
    insta::assert_snapshot!(play(&back).await, @"
    upgrade web
    rollback web to 2
    -> invalid: apply shop/web: execution error at (web/a.yaml:1:1): port is required
    ");
    let stuck = [&back[..], &[("rollback.err", "Error: timed out".to_owned())]].concat();
    insta::assert_snapshot!(play(&stuck).await, @"
    upgrade web
    rollback web to 2
    -> invalid: apply shop/web: execution error at (web/a.yaml:1:1): port is required; the revision before could not be brought back: timed out
    ");
    let unwritten = [
        ("list", listed(2, "deployed", LONG_AGO)),
        ("upgrade.err", refused()),
    ];
    insta::assert_snapshot!(play(&unwritten).await, @"
    upgrade web
    -> invalid: apply shop/web: execution error at (web/a.yaml:1:1): port is required
    ");
}

#[tokio::test(flavor = "current_thread")]
async fn the_work_of_others_is_left_alone() {
    // Another process began between our look and our call.
    let quicker = [
        ("list.1", none()),
        ("list", listed(1, "pending-install", NOT_YET)),
        (
            "upgrade.err",
            "Error: another operation (install/upgrade/rollback) is in progress".to_owned(),
        ),
    ];
    insta::assert_snapshot!(play(&quicker).await, @"
    upgrade web
    -> conflict: apply shop/web: another operation (install/upgrade/rollback) is in progress
    ");
    let exists = "Error: secrets \"sh.helm.release.v1.web.v1\" already exists".to_owned();
    let secret = [quicker[0].clone(), quicker[1].clone(), ("upgrade.err", exists)];
    insta::assert_snapshot!(play(&secret).await, @r#"
    upgrade web
    -> conflict: apply shop/web: secrets "sh.helm.release.v1.web.v1" already exists
    "#);
    // Another process is at work already.
    insta::assert_snapshot!(play(&[("list", listed(2, "pending-upgrade", NOT_YET))]).await, @"-> conflict: apply shop/web: another operation (install, upgrade or rollback) is under way");
}

#[tokio::test(flavor = "current_thread")]
async fn what_was_left_behind_is_mended_first() {
    let cut_off = [
        ("list.1", listed(2, "pending-upgrade", LONG_AGO)),
        ("list.2", listed(3, "deployed", NOT_YET)),
        ("list", listed(4, "deployed", NOT_YET)),
        ("history", history(&["deployed", "pending-upgrade"])),
    ];
    insta::assert_snapshot!(play(&cut_off).await, @"
    rollback web to 1
    upgrade web
    -> revision 4 Deployed
    ");
    let never_installed = [
        ("list.1", listed(1, "pending-install", LONG_AGO)),
        ("list", listed(1, "deployed", NOT_YET)),
        ("history", history(&["pending-install"])),
    ];
    insta::assert_snapshot!(play(&never_installed).await, @"
    uninstall web
    upgrade web
    -> revision 1 Deployed
    ");
    let failed_first = [
        ("list.1", listed(1, "failed", LONG_AGO)),
        ("list", listed(1, "deployed", NOT_YET)),
        ("history", history(&["failed"])),
    ];
    insta::assert_snapshot!(play(&failed_first).await, @"
    uninstall web
    upgrade web
    -> revision 1 Deployed
    ");
    let half_gone = [
        ("list.1", listed(1, "uninstalling", LONG_AGO)),
        ("list", listed(1, "deployed", NOT_YET)),
    ];
    insta::assert_snapshot!(play(&half_gone).await, @"
    uninstall web
    upgrade web
    -> revision 1 Deployed
    ");
    // Helm itself goes on from a failed upgrade where a revision is in force.
    let failed_later = [
        ("list.1", listed(2, "failed", LONG_AGO)),
        ("list", listed(3, "deployed", NOT_YET)),
        ("history", history(&["deployed", "failed"])),
    ];
    insta::assert_snapshot!(play(&failed_later).await, @"
    upgrade web
    -> revision 3 Deployed
    ");
}
