//! Each format of `check`: what its schema says, or what its readers do with it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    json::validator,
    support::{Ran, file, fixture, lockscope},
};

fn check(format: &str, arguments: &[&str]) -> Ran {
    lockscope(&[&["check", "--format", format], arguments].concat())
}

fn traces() -> [String; 3] {
    ["hung.std", "inverted.std", "one_order.std"].map(fixture)
}

fn parse(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("JSON: {error}: {ran:?}"))
}

fn assert_valid(schema: &jsonschema::Validator, output: &Value) {
    let errors: Vec<String> =
        schema.iter_errors(output).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{output:#}");
}

#[test]
fn sarif_is_what_oasis_says() {
    let mut schema: Value = serde_json::from_str(include_str!("../schemas/sarif-2.1.0.json")).expect("JSON");
    // A pattern that only JavaScript's older mode takes, of a property that lockscope does not write.
    for part in ["run", "toolComponent"] {
        let language = schema.pointer_mut(&format!("/definitions/{part}/properties/language"));
        language.and_then(Value::as_object_mut).expect("it is there").remove("pattern");
    }
    let schema = validator(&schema.to_string());
    let [hung, inverted, one_order] = traces();
    for arguments in [&[hung.as_str(), &inverted, &one_order][..], &["-A", "all", &hung], &["-W", "no-timeout", &hung]]
    {
        assert_valid(&schema, &parse(&check("sarif", arguments)));
    }
    let mut bad = parse(&check("sarif", &[&hung]));
    bad["runs"][0]["results"][0]["level"] = "fatal".into();
    assert!(!schema.is_valid(&bad), "the schema refuses what it should");
}

#[test]
fn sarif_has_a_flow_for_each_thread() {
    let output = parse(&check("sarif", &[&fixture("hung.std")]));
    let result = &output["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "deadlock");
    let rule = result["ruleIndex"].as_u64().expect("an index") as usize;
    assert_eq!(output["runs"][0]["tool"]["driver"]["rules"][rule]["id"], "deadlock");
    let flows = result["codeFlows"][0]["threadFlows"].as_array().expect("a list");
    assert_eq!(flows.len(), 2, "{result:#}");
    let mut order: Vec<u64> = Vec::new();
    for flow in flows {
        let steps = flow["locations"].as_array().expect("a list");
        assert_eq!(steps.len(), 2, "each thread took one lock and waits for another: {flow:#}");
        let numbers: Vec<u64> = steps.iter().filter_map(|step| step["executionOrder"].as_u64()).collect();
        assert!(numbers.is_sorted(), "{numbers:?}");
        order.extend(numbers);
    }
    assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), 4, "the threads' steps are in one order: {order:?}");
    let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(*uri, json!({ "uri": "loc", "uriBaseId": "SRCROOT" }));
    assert_eq!(result["relatedLocations"].as_array().map(Vec::len), Some(4));
    assert_eq!(result["graphs"][0]["edges"].as_array().map(Vec::len), Some(4));
}

#[test]
fn fingerprints_survive_shifted_lines() {
    let text = std::fs::read_to_string(fixture("inverted.std")).expect("the fixture");
    let shifted: String = text
        .lines()
        .map(|line| {
            let (rest, number) = line.rsplit_once('|').expect("a line has a location");
            format!("{rest}|{}\n", number.parse::<u32>().expect("a number") + 100)
        })
        .collect();
    let (_dir, path) = file("shifted.std", shifted.as_bytes());
    let fingerprints = |path: &str| {
        let output = parse(&check("sarif", &[path]));
        let results = output["runs"][0]["results"].as_array().expect("a list").clone();
        results.iter().map(|result| result["partialFingerprints"].clone()).collect::<Vec<_>>()
    };
    let before = fingerprints(&fixture("inverted.std"));
    assert!(!before.is_empty());
    assert_eq!(before, fingerprints(&path));
}

#[test]
fn what_is_hidden_is_in_sarif_with_its_reason() {
    let trace = fixture("inverted.std");
    let text = b"[[suppress]]\nmatch = \"code:predicted-deadlock\"\nreason = \"it is a test\"\n";
    let (_dir, path) = file("s.toml", text);
    let output = parse(&check("sarif", &["--suppressions", &path, &trace]));
    let suppression = &output["runs"][0]["results"][0]["suppressions"][0];
    assert_eq!(suppression["justification"], "it is a test", "{output:#}");
    assert_eq!(suppression["kind"], "external");
}

#[test]
fn lines_are_documents_of_their_own() {
    let schema = validator(include_str!("../../schema/findings-lines-1.json"));
    let [hung, inverted, one_order] = traces();
    let ran = check("jsonl", &[&hung, &inverted, &one_order]);
    let lines: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    lines.iter().for_each(|line| assert_valid(&schema, line));
    let kinds: Vec<&str> = lines.iter().filter_map(|line| line["type"].as_str()).collect();
    assert_eq!(kinds, ["trace", "finding", "trace", "finding", "trace"]);
    let mut bad = lines[1].clone();
    bad["type"] = "trace".into();
    assert!(!schema.is_valid(&bad), "a finding is no trace");
}

/// The schema of lines is that of the document, taken apart. `LOCKSCOPE_BLESS=1` writes it anew.
#[test]
fn the_schema_of_lines_follows_that_of_the_document() {
    let mut schema: Value = serde_json::from_str(include_str!("../../schema/findings-1.json")).expect("JSON");
    schema["title"] = "A line of the output of `lockscope check --format jsonl`, version 1".into();
    for name in ["type", "required", "properties", "additionalProperties"] {
        schema.as_object_mut().expect("an object").remove(name);
    }
    schema["oneOf"] = json!([{ "$ref": "#/$defs/trace" }, { "$ref": "#/$defs/finding" }]);
    for kind in ["trace", "finding"] {
        let part = &mut schema["$defs"][kind];
        part["properties"]["version"] = json!({ "const": 1 });
        part["properties"]["type"] = json!({ "const": kind });
        part["properties"]["trace"] = json!({ "description": "Path of the trace.", "type": "string" });
        let required = part["required"].as_array_mut().expect("a list");
        required.extend(["version", "type", "trace"].map(Value::from));
        if kind == "trace" {
            // Findings follow as lines of their own.
            required.retain(|name| name != "findings");
            part["properties"]["findings"] = json!({ "const": [] });
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/findings-lines-1.json");
    let expected = format!("{schema:#}\n");
    if std::env::var_os("LOCKSCOPE_BLESS").is_some() {
        std::fs::write(path, &expected).expect("the schema can be written");
    }
    assert!(std::fs::read_to_string(path).is_ok_and(|text| text == expected), "LOCKSCOPE_BLESS=1 writes {path} anew");
}

#[test]
fn short_lines_are_what_editors_read() {
    let [hung, inverted, _] = traces();
    let ran = check("short", &[&hung, &inverted]);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("loc:13: error[deadlock]: 2 threads are deadlocked"), "{lines:?}");
    assert!(lines[1].contains(": error[predicted-deadlock]: "), "{lines:?}");
}

#[test]
fn github_annotates_lines() {
    let ran = check("github", &[&fixture("hung.std")]);
    assert_eq!(ran.stdout.lines().count(), 1, "{ran:?}");
    assert!(ran.stdout.starts_with("::error file=loc,line=13,title=lockscope%3A deadlock::"), "{ran:?}");
    assert!(ran.stdout.contains("%0A- `teller` took `accounts` at loc:"), "{ran:?}");
}

#[test]
fn markdown_has_a_table_and_the_text() {
    let ran = check("markdown", &[&fixture("hung.std"), &fixture("one_order.std")]);
    for text in
        ["# lockscope: 1 error", "| F1 | error | `deadlock` | actual |", "```text\nerror[deadlock]", "no findings; "]
    {
        assert!(ran.stdout.contains(text), "{text}: {}", ran.stdout);
    }
}

#[test]
fn a_baseline_hides_what_is_known() {
    let dir = tempfile::tempdir().expect("a directory for the test");
    let path = dir.path().join("known.json").to_str().expect("a path of text").to_owned();
    let (hung, inverted) = (fixture("hung.std"), fixture("inverted.std"));
    let missing = check("human", &["--baseline", &path, &hung]);
    assert_eq!(missing.code, Some(3), "{missing:?}");
    assert!(missing.stderr.contains("--update-baseline makes it"), "{missing:?}");

    let made = check("human", &["--baseline", &path, "--update-baseline", &hung]);
    assert_eq!(made.code, Some(1), "what is new is reported once: {made:?}");
    assert!(made.stderr.contains("now has 1 finding"), "{made:?}");
    let known = check("human", &["--baseline", &path, &hung]);
    assert_eq!(known.code, Some(0), "{known:?}");
    assert!(known.stdout.contains("no findings (1 known)"), "{known:?}");

    let other = check("human", &["--baseline", &path, "--fail-on", "warning", &inverted]);
    assert_eq!(other.code, Some(1), "what is not known counts: {other:?}");
    assert!(other.stderr.contains("1 finding of the baseline"), "{other:?}");
    let updated = check("json", &["--baseline", &path, "--update-baseline", &inverted]);
    assert!(updated.stderr.contains("now has 1 finding, 1 removed"), "{updated:?}");
    std::fs::write(&path, "{\"version\": 9, \"findings\": []}").expect("a file");
    let newer = check("human", &["--baseline", &path, &hung]);
    assert!(newer.code == Some(3) && newer.stderr.contains("version 9 is not 1"), "{newer:?}");
    let nameless = check("human", &["--update-baseline", &hung]);
    assert!(nameless.code == Some(2) && nameless.stderr.contains("needs a file"), "{nameless:?}");
}

#[test]
fn suppressions_need_a_use() {
    let hung = fixture("hung.std");
    let text = b"[[suppress]]\nmatch = \"code:deadlock lock:audit\"\nreason = \"known\"\n\n\
                 [[suppress]]\nmatch = \"code:poisoned\"\nreason = \"old\"\n";
    let (_dir, path) = file("s.toml", text);
    let ran = check("human", &["--suppressions", &path, &hung]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("(1 suppressed)"), "{ran:?}");
    assert!(ran.stderr.contains("s.toml:5: this suppression fits no finding"), "{ran:?}");
    let (_dir, bad) = file("bad.toml", b"[[suppress]]\nmatch = \"code:deadlock\"\n");
    let ran = check("human", &["--suppressions", &bad, &hung]);
    assert!(ran.code == Some(2) && ran.stderr.contains("bad.toml:1: an entry needs a `reason`"), "{ran:?}");
}
