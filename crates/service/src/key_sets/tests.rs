use std::sync::Arc;

use outrigger_types::{ColumnBuf, Rejection, Ruleset};

use super::KeySets;

const RULESET: Ruleset = Ruleset::Fabric;

fn keys(byte: u8) -> ColumnBuf {
    ColumnBuf::from_items(&[[byte; 65], [byte + 1; 65]])
}

#[test]
fn the_same_keys_have_the_same_name_however_they_are_laid_out() {
    let sets = KeySets::default();
    let tenant: Arc<str> = "a".into();
    let strided = sets.put(&tenant, RULESET, keys(1), 1_000).expect("a name");
    let with_lengths = ColumnBuf::with_lengths(keys(1).bytes().clone(), &[65, 65]).expect("a column");
    assert_eq!(sets.put(&tenant, RULESET, with_lengths, 1_000), Ok(strided.clone()));
    assert_ne!(sets.put(&tenant, Ruleset::Bitcoin, keys(1), 1_000), Ok(strided.clone()));
    let shifted = ColumnBuf::with_lengths(keys(1).bytes().clone(), &[64, 66]).expect("a column");
    assert_ne!(sets.put(&tenant, RULESET, shifted, 1_000), Ok(strided));
}

#[test]
fn sets_belong_to_their_tenant_and_ruleset() {
    let sets = KeySets::default();
    let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
    let name = sets.put(&a, RULESET, keys(1), 1_000).expect("a name");
    assert_eq!(sets.find(&a, &name, RULESET).expect("the set").as_ref(), &keys(1));
    assert!(matches!(sets.find(&b, &name, RULESET), Err(Rejection::NotFound(_))));
    assert!(matches!(sets.find(&a, &name, Ruleset::Bitcoin), Err(Rejection::InvalidArgument(_))));
    sets.forget(&b, &name);
    assert!(sets.find(&a, &name, RULESET).is_ok());
    sets.forget(&a, &name);
    assert!(sets.find(&a, &name, RULESET).is_err());
}

#[test]
fn the_least_recently_used_gives_way() {
    let sets = KeySets::default();
    let tenant: Arc<str> = "a".into();
    // Each set counts 386 bytes, so two fit.
    let first = sets.put(&tenant, RULESET, keys(1), 1_000).expect("a name");
    let second = sets.put(&tenant, RULESET, keys(2), 1_000).expect("a name");
    sets.find(&tenant, &first, RULESET).expect("still there");
    let third = sets.put(&tenant, RULESET, keys(3), 1_000).expect("a name");
    assert!(sets.find(&tenant, &second, RULESET).is_err());
    assert!(sets.find(&tenant, &first, RULESET).is_ok() && sets.find(&tenant, &third, RULESET).is_ok());
    assert!(matches!(sets.put(&tenant, RULESET, keys(4), 100), Err(Rejection::TooLarge { .. })));
}
