use super::{Basis, EMBEDDED, Machine, choose, parse};
use crate::Origin;

fn machine(architecture: &str) -> Machine {
    Machine { architecture: architecture.to_owned(), model: "Some CPU".to_owned(), cores: 2 }
}

#[test]
fn embedded_profiles_parse_and_every_value_says_where_it_comes_from() {
    for text in EMBEDDED {
        let parsed = parse(text, &Origin::Profile("embedded".to_owned())).expect("a good profile");
        let mut layers = crate::layers::Layers::default();
        layers.push_table(parsed.values, &Origin::Default);
        for key in layers.entries.keys() {
            let figures = &parsed.profile.figures;
            assert!(figures.iter().any(|figure| figure.keys.contains(key)), "{key} has no figure behind it");
        }
        assert!(parsed.profile.figures.iter().all(|figure| matches!(figure.basis, Basis::Estimate | Basis::Measured)));
    }
}

#[test]
fn auto_falls_back_to_the_last_resort_on_an_unknown_machine() {
    for architecture in ["x86_64", "aarch64", "riscv64"] {
        let (profile, _) = choose("auto", &machine(architecture)).expect("a profile");
        assert_eq!(profile.name, "cpu-generic");
    }
}

#[test]
fn a_profile_of_unknown_name_lists_the_known() {
    let errors = choose("cpu-generik", &machine("x86_64")).expect_err("no such profile");
    assert!(errors[0].message.contains("cpu-generic"), "{}", errors[0].message);
}

#[test]
fn unknown_keys_about_a_profile_are_errors() {
    let text = "[about]\nname = \"x\"\nsummary = \"y\"\n[match]\ncores_max = 3\n";
    let errors = parse(text, &Origin::Default).map(|_| ()).expect_err("an unknown rule");
    assert_eq!(errors[0].key, "match");
    assert!(errors[0].message.contains("cores_max"), "{}", errors[0].message);
}

#[test]
fn a_rule_that_fails_rules_a_profile_out() {
    let text = "[about]\nname = \"x\"\nsummary = \"y\"\n[match]\nmodel_contains = [\"Xeon\"]\ncores_min = 1\n";
    let parsed = parse(text, &Origin::Default).map_err(|errors| errors[0].to_string()).expect("a profile");
    assert_eq!(parsed.rules.score(&machine("x86_64")), None);
    let xeon = Machine { model: "Intel Xeon".to_owned(), ..machine("x86_64") };
    assert_eq!(parsed.rules.score(&xeon), Some(2));
}
