//! The page of `check --format html`, as text and in a browser.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::support::{command, file, finish, fixture, lockscope};

/// The page of a hung run whose places are lines of a source file that is there.
fn page() -> String {
    let trace = std::fs::read_to_string(fixture("hung.std")).expect("the fixture");
    let dir = tempfile::tempdir().expect("a directory for the test");
    let source: String =
        (1..=40).map(|line| format!("let line_{line} = lock.lock(); // <script>alert(1)</script>\n")).collect();
    std::fs::write(dir.path().join("loc"), source).expect("a file");
    std::fs::write(dir.path().join("hung.std"), trace).expect("a file");
    finish(command(&["check", "--format", "html", "hung.std"]).current_dir(dir.path())).stdout
}

#[test]
fn the_page_has_everything_and_needs_nothing() {
    let page = page();
    for text in [
        "<title>lockscope: 1 error</title>",
        "2 threads are deadlocked over",
        "`teller` waits for `audit`",
        "<mark>   13  let line_13",
        "id=\"t1-waits\"",
        "id=\"t1-order\"",
        "class=\"graph\"",
        "class=\"timeline\"",
        "<td>accounts</td>",
        "Content-Security-Policy",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    // The name of the SVG namespace is the only address in it.
    let without_namespace = page.replace("http://www.w3.org/2000/svg", "");
    for text in ["http:", "https:", "<script", "<link", "src=", "@import", "url(http"] {
        assert!(!without_namespace.contains(text), "{text}: {page}");
    }
}

#[test]
fn names_cannot_become_markup() {
    let trace = std::fs::read_to_string(fixture("hung.std")).expect("the fixture");
    let evil = "<img/src=x/onerror=alert(1)>&\"'";
    let (_dir, path) = file("evil.std", trace.replace("teller", evil).as_bytes());
    let page = lockscope(&["check", "--format", "html", &path]).stdout;
    assert!(page.contains("&lt;img/src=x/onerror=alert(1)&gt;&amp;&quot;&#39;"), "{page}");
    assert!(!page.contains("<img"), "{page}");
}

#[test]
fn several_traces_are_one_page() {
    let page = lockscope(&["check", "--format", "html", &fixture("hung.std"), &fixture("one_order.std")]).stdout;
    assert!(page.contains("<a href=\"#t2\">") && page.contains("id=\"t2\"") && page.contains("No findings."), "{page}");
    assert_eq!(page.matches("<html").count(), 1);
}

/// A browser that can be run without a screen.
fn browser() -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    std::env::split_paths(&paths).flat_map(|dir| names.map(|name| dir.join(name))).find(|path| path.is_file())
}

fn run(browser: &Path, arguments: &[&str], profile: &Path, page: &Path) -> (String, String) {
    // Programs of a container have no sandbox of their own, and little shared memory.
    let fixed = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"];
    let logging = ["--enable-logging=stderr", "--log-level=0", "--virtual-time-budget=2000", "--timeout=60000"];
    let mut command = Command::new("timeout");
    command.args(["-k", "5", "120"]).arg(browser).args(fixed).args(logging).args(arguments);
    command.arg(format!("--user-data-dir={}", profile.display())).arg(format!("file://{}", page.display()));
    let ran = finish(command.env("HOME", profile).stdin(Stdio::null()));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    (ran.stdout, ran.stderr)
}

/// Opened in a real browser: findings and graphs are in the page that the browser made of it, and its console is silent. It needs a
/// browser and some seconds, so it runs when `LOCKSCOPE_TEST_BROWSER` is set.
#[test]
fn a_browser_shows_the_page() {
    if std::env::var_os("LOCKSCOPE_TEST_BROWSER").is_none() {
        eprintln!("skipped: LOCKSCOPE_TEST_BROWSER=1 opens the page in a browser");
        return;
    }
    let Some(browser) = browser() else { panic!("LOCKSCOPE_TEST_BROWSER is set and there is no chromium in PATH") };
    let dir = tempfile::tempdir().expect("a directory for the test");
    let path = dir.path().join("page.html");
    std::fs::write(&path, page()).expect("a file");
    let (dom, errors) = run(&browser, &["--dump-dom"], dir.path(), &path);
    for text in [
        "<article class=\"finding error\"",
        "2 threads are deadlocked over",
        "<svg",
        "class=\"node cycle\"",
        "class=\"edge cycle\"",
    ] {
        assert!(dom.contains(text), "{text}: {dom}");
    }
    // Nothing of the source became an element.
    assert!(!dom.contains("<script") && dom.contains("&lt;script&gt;"), "{dom}");
    // The browser says so when the page's policy stops something, or an address cannot be loaded.
    for text in ["CONSOLE", "Refused", "ERR_"] {
        assert!(!errors.contains(text), "{errors}");
    }
    // A page that asks for what its policy forbids is told, so the silence above means something.
    let bad = page().replace("</body>", "<img src=\"x.png\"></body>");
    std::fs::write(&path, bad).expect("a file");
    let (_, errors) = run(&browser, &["--dump-dom"], dir.path(), &path);
    assert!(errors.contains("CONSOLE"), "{errors}");
}
