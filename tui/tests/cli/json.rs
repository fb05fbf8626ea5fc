//! Machine output is what its schema says.

use serde_json::Value;

use crate::support::{fixture, lockscope};

fn schema() -> jsonschema::Validator {
    validator(include_str!("../../schema/findings-1.json"))
}

pub fn validator(text: &str) -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(text).expect("the schema is JSON");
    jsonschema::meta::validate(&schema).expect("the schema is a schema");
    jsonschema::validator_for(&schema).expect("the schema can be used")
}

fn output(arguments: &[&str]) -> Value {
    let ran = lockscope(&[&["check", "--format", "json"], arguments].concat());
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{arguments:?} writes JSON: {error}: {ran:?}"))
}

#[test]
fn output_is_what_the_schema_says() {
    let schema = schema();
    let [hung, inverted, one_order] = ["hung.std", "inverted.std", "one_order.std"].map(fixture);
    for arguments in [
        &[hung.as_str()][..],
        &[&inverted],
        &[&one_order],
        &[&hung, &inverted, &one_order],
        &["-A", "all", &hung],
        &["-W", "no-timeout", &hung],
    ] {
        let output = output(arguments);
        let errors: Vec<String> =
            schema.iter_errors(&output).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{arguments:?}: {errors:#?}\n{output:#}");
    }
}

#[test]
fn the_schema_refuses_what_it_should() {
    let schema = schema();
    let good = output(&[&fixture("hung.std")]);
    for (pointer, wrong) in [
        ("/version", Value::from(2)),
        ("/traces/0/findings/0/severity", Value::from("fatal")),
        ("/traces/0/findings/0/fingerprint", Value::from("short")),
        ("/traces/0/findings/0/participants/0/thread/id", Value::from(1)),
        ("/traces/0/events", Value::from(-1)),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} is there: {good:#}")) = wrong;
        assert!(!schema.is_valid(&bad), "{pointer}");
    }
}

#[test]
fn the_findings_of_a_trace_are_there() {
    let output = output(&[&fixture("hung.std")]);
    let finding = &output["traces"][0]["findings"][0];
    assert_eq!(finding["id"], "F1");
    assert_eq!(finding["code"], "deadlock");
    assert_eq!(finding["confidence"], "actual");
    let participants = finding["participants"].as_array().expect("a list");
    let names: Vec<&str> =
        participants.iter().filter_map(|participant| participant["thread"]["name"].as_str()).collect();
    assert_eq!(names, ["teller", "auditor"]);
    // A trace without times has none, rather than event numbers that look like some.
    assert_eq!(output["traces"][0]["duration_ns"], Value::Null);
    assert_eq!(finding["first_seen_ns"], Value::Null);
}

#[test]
fn tables_are_what_their_schema_says() {
    let validator = validator(include_str!("../../schema/show-1.json"));
    for what in ["threads", "locks", "order"] {
        for name in ["hung.std", "inverted.std"] {
            let ran = lockscope(&["show", &fixture(name), what, "--format", "json", "--at", "#14"]);
            let output: Value =
                serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{what}: {error}: {ran:?}"));
            let errors: Vec<String> =
                validator.iter_errors(&output).map(|error| format!("{}: {error}", error.instance_path())).collect();
            assert!(errors.is_empty(), "{what} of {name}: {errors:#?}\n{output:#}");
            assert!(output[what].as_array().is_some_and(|rows| !rows.is_empty()), "{what} of {name}: {output:#}");
        }
    }
    for at in ["end", "#14"] {
        let ran = lockscope(&["show", &fixture("hung.std"), "contention", "--format", "json", "--at", at]);
        let output: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        let errors: Vec<String> = validator.iter_errors(&output).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}\n{output:#}");
        assert_eq!(output["contention"]["locks"].as_array().map(Vec::len), Some(2), "{output:#}");
    }
    let ran = lockscope(&["show", &fixture("hung.std"), "threads", "--format", "json", "--filter", "teller"]);
    let output: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(output["threads"].as_array().map(Vec::len), Some(1), "the filter applies: {output:#}");
    assert_eq!(lockscope(&["show", &fixture("hung.std"), "events", "--format", "json"]).code, Some(2));
}

#[test]
fn engines_run_alone_and_list_every_occurrence() {
    let schema = schema();
    let inverted = fixture("inverted.std");
    let alone = output(&["--engine", "lock-order", &inverted]);
    let all = output(&["--engine", "lock-order", "--engine", "lock-order", "--all", &inverted]);
    for output in [&alone, &all] {
        let errors: Vec<String> =
            schema.iter_errors(output).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}\n{output:#}");
        assert_eq!(output["traces"][0]["engines"][0]["name"], "lock-order");
        let finding = &output["traces"][0]["findings"][0];
        assert_eq!(finding["code"], "lock-order-inversion", "{output:#}");
        assert_eq!(finding["engines"], serde_json::json!(["lock-order"]));
    }
    let unknown = lockscope(&["check", "--engine", "nonsense", &inverted]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.stderr.contains("lock-order"), "the error lists the engines: {unknown:?}");
}
