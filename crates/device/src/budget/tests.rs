use super::*;

#[test]
fn a_claim_is_given_back_when_dropped() {
    let budget = MemoryBudget::new(100);
    let first = budget.claim(60).expect("60 of 100");
    assert_eq!(budget.left(), 40);
    assert_eq!(budget.claim(41).err(), Some(DeviceError::OutOfMemory { wanted: 41, left: 40 }));
    let second = budget.claim(40).expect("the rest");
    drop((first, second));
    assert_eq!(budget.left(), 100);
}

#[test]
fn a_sum_past_all_numbers_is_refused() {
    let budget = MemoryBudget::new(u64::MAX);
    let _held = budget.claim(u64::MAX - 1).expect("nearly all");
    assert!(budget.claim(u64::MAX).is_err());
}

#[test]
fn clones_count_as_one() {
    let budget = MemoryBudget::new(10);
    let _held = budget.clone().claim(10).expect("all");
    assert!(budget.claim(1).is_err());
    assert!(budget.claim(0).is_ok());
}
