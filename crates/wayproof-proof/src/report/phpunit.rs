//! The list of tests PHPUnit writes. It refuses a document that is no such list.

use std::collections::BTreeSet;

use super::xml::{self, Element};

/// The listed tests as (class, `name[data set]`); `None` when it is no whole list.
pub(crate) fn classes(bytes: &[u8]) -> Option<BTreeSet<(String, String)>> {
    let (document, problem) = xml::read(bytes);
    let is_list = |element: &Element| matches!(element.name.as_str(), "tests" | "testSuite");
    if problem.is_some() || !document.children.iter().any(is_list) {
        return None;
    }
    let mut found = BTreeSet::new();
    collect(&document, &mut found);
    Some(found)
}

/// Newer releases name the elements `testClass` and `testMethod`.
fn collect(element: &Element, found: &mut BTreeSet<(String, String)>) {
    for child in &element.children {
        if !matches!(child.name.as_str(), "testCaseClass" | "testClass") {
            collect(child, found);
            continue;
        }
        let class = child.attribute("name").unwrap_or_default();
        // What stands in for a class without tests is no test.
        if class.ends_with("\\WarningTestCase") {
            continue;
        }
        for method in &child.children {
            let Some(name) = method.attribute("name") else {
                continue;
            };
            let name = match method.attribute("dataSet") {
                Some(set) => format!("{name}[{set}]"),
                None => name.to_owned(),
            };
            found.insert((class.to_owned(), name));
        }
    }
}

/// Turns the report's `testAdd with data set #0` into `testAdd[#0]`.
pub(super) fn with_data_set(name: &str) -> String {
    name.split_once(" with data set ")
        .map_or_else(|| name.to_owned(), |(name, set)| format!("{name}[{set}]"))
}

#[cfg(test)]
mod tests {
    use super::classes;

    #[test]
    fn both_forms_of_the_list_are_read() {
        let old = r##"<?xml version="1.0"?><tests><testCaseClass name="A\BTest"><testCaseMethod name="testA" groups="default"/><testCaseMethod name="testB" dataSet="#0"/></testCaseClass></tests>"##;
        let found: Vec<String> = classes(old.as_bytes())
            .unwrap()
            .into_iter()
            .map(|(class, name)| format!("{class}::{name}"))
            .collect();
        assert_eq!(found, ["A\\BTest::testA", "A\\BTest::testB[#0]"]);
        let new = r#"<testSuite xmlns="x"><tests><testClass name="CTest"><testMethod id="CTest::testA" name="testA"/></testClass></tests></testSuite>"#;
        assert_eq!(classes(new.as_bytes()).unwrap().len(), 1);
        assert!(classes(b"<tests><testCaseClass").is_none() && classes(b"").is_none());
    }
}
