//! JUnit XML, against what the schema of Jenkins' xUnit plugin (`junit-10.xsd`) permits: the strictest of those who read it, since it refuses a
//! document with an attribute that it does not know. The table says the same as the schema does, in other words.

use roxmltree::{Document, Node};

use crate::support::{fixture, lockscope};

/// An element: what may be in it, which attributes it must have, and which it may have.
struct Element {
    name: &'static str,
    children: &'static [&'static str],
    required: &'static [&'static str],
    optional: &'static [&'static str],
    has_text: bool,
}

const SCHEMA: [Element; 9] = [
    Element {
        name: "testsuites",
        children: &["testsuite"],
        required: &[],
        optional: &["name", "time", "tests", "failures", "errors"],
        has_text: false,
    },
    Element {
        name: "testsuite",
        children: &["testsuite", "properties", "testcase", "system-out", "system-err"],
        required: &["name", "tests", "failures", "errors"],
        optional: &["group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"],
        has_text: false,
    },
    Element {
        name: "testcase",
        children: &["skipped", "error", "failure", "system-out", "system-err"],
        required: &["name"],
        optional: &["time", "classname", "group"],
        has_text: false,
    },
    Element { name: "failure", children: &[], required: &[], optional: &["type", "message"], has_text: true },
    Element { name: "error", children: &[], required: &[], optional: &["type", "message"], has_text: true },
    Element { name: "skipped", children: &[], required: &[], optional: &["type", "message"], has_text: true },
    Element { name: "system-out", children: &[], required: &[], optional: &[], has_text: true },
    Element { name: "system-err", children: &[], required: &[], optional: &[], has_text: true },
    Element { name: "properties", children: &["property"], required: &[], optional: &[], has_text: false },
];

/// What is wrong with a document; nothing, as a rule.
fn violations(document: &Document<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    if document.root_element().tag_name().name() != "testsuites" {
        wrong.push("the root is another element".to_owned());
    }
    for node in document.descendants().filter(Node::is_element) {
        let name = node.tag_name().name();
        let Some(element) = SCHEMA.iter().find(|element| element.name == name) else {
            wrong.push(format!("there is no element {name}"));
            continue;
        };
        for child in node.children() {
            if child.is_element() && !element.children.contains(&child.tag_name().name()) {
                wrong.push(format!("{} in {name}", child.tag_name().name()));
            }
            if child.is_text() && !element.has_text && !child.text().unwrap_or_default().trim().is_empty() {
                wrong.push(format!("text in {name}"));
            }
        }
        for required in element.required.iter().filter(|required| !node.has_attribute(**required)) {
            wrong.push(format!("{name} without {required}"));
        }
        for attribute in node.attributes() {
            let key = attribute.name();
            if !element.required.contains(&key) && !element.optional.contains(&key) {
                wrong.push(format!("{name} with {key}"));
            }
            // Digits, and a fraction; a testcase's is any text.
            if key == "time" && !attribute.value().chars().all(|c| c.is_ascii_digit() || c == '.') {
                wrong.push(format!("{} is no time", attribute.value()));
            }
        }
    }
    wrong
}

fn check(arguments: &[&str]) -> String {
    lockscope(&[&["check", "--format", "junit"], arguments].concat()).stdout
}

fn parse(text: &str) -> Document<'_> {
    Document::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn every_document_is_what_the_schema_permits() {
    let [hung, inverted, one_order] = ["hung.std", "inverted.std", "one_order.std"].map(fixture);
    for arguments in [
        &[hung.as_str(), &inverted, &one_order][..],
        &["--fail-on", "never", &hung],
        &["-A", "all", &hung],
        &["-W", "no-timeout", "--fail-on", "note", &hung],
    ] {
        let text = check(arguments);
        assert_eq!(violations(&parse(&text)), [""; 0], "{arguments:?}: {text}");
    }
}

#[test]
fn the_schema_refuses_what_it_should() {
    for (text, wrong) in [
        ("<testsuite/>", "the root is another element"),
        ("<testsuites><testcase name=\"a\"/></testsuites>", "testcase in testsuites"),
        ("<testsuites><note/></testsuites>", "there is no element note"),
        ("<testsuites>text</testsuites>", "text in testsuites"),
        ("<testsuites><testsuite tests=\"1\" failures=\"0\" errors=\"0\"/></testsuites>", "testsuite without name"),
        ("<testsuites time=\"1 s\"/>", "1 s is no time"),
        (
            "<testsuites><testsuite name=\"a\" tests=\"1\" failures=\"0\" errors=\"0\"><testcase name=\"b\" line=\"3\"/></testsuite></testsuites>",
            "testcase with line",
        ),
    ] {
        let found = violations(&parse(text));
        assert!(found.iter().any(|found| found == wrong), "{text}: {found:?}");
    }
}

#[test]
fn counts_are_right_and_failures_say_what_and_where() {
    let [hung, inverted, one_order] = ["hung.std", "inverted.std", "one_order.std"].map(fixture);
    let text = check(&[&hung, &inverted, &one_order]);
    let document = parse(&text);
    let count = |node: Node<'_, '_>, name: &str| node.descendants().filter(|n| n.has_tag_name(name)).count();
    for node in document.descendants().filter(|node| node.has_tag_name("testsuite") || node.has_tag_name("testsuites"))
    {
        let attribute = |name| node.attribute(name).and_then(|n| n.parse().ok());
        assert_eq!(attribute("tests"), Some(count(node, "testcase")));
        assert_eq!(attribute("failures"), Some(count(node, "failure")));
    }
    for case in document.descendants().filter(|node| node.has_tag_name("testcase")) {
        for name in ["name", "classname", "time"] {
            assert!(case.has_attribute(name), "{case:?} has {name}");
        }
    }
    let suites: Vec<_> = document.root_element().children().filter(Node::is_element).collect();
    assert_eq!(suites.iter().map(|suite| count(*suite, "failure")).collect::<Vec<_>>(), [1, 1, 0]);
    let failure = document.descendants().find(|node| node.has_tag_name("failure")).expect("one");
    assert_eq!(failure.attribute("type"), Some("deadlock"));
    assert!(
        failure.attribute("message").is_some_and(|message| message.starts_with("loc:13: 2 threads are deadlocked"))
    );
    assert!(failure.text().is_some_and(|text| text.contains("`teller` waits for `audit`")), "{failure:?}");
    assert!(text.contains("<failure type=\"predicted-deadlock\""));
    assert!(!check(&["-W", "predicted-deadlock", &inverted]).contains("<failure"));
}
