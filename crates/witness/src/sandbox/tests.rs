use super::*;
use crate::screening::screen;

/// The memory holds the witness, and other memory of the process may come to lie there.
#[test]
fn memory_is_wiped_where_it_holds_secrets() {
    let wasm = include_bytes!("../../../groth16/circuits/merkle-membership.wasm");
    let sandbox = Sandbox::compile(wasm, screen(wasm).unwrap()).unwrap();
    let mut store = sandbox.store(&WitnessLimits::default(), &Control::default());
    let (instance, memory) = sandbox.start(&mut store).unwrap();
    let is_zero = |store: &Store<Session>| memory.data(store).iter().all(|byte| *byte == 0);

    drop(Running { instance, memory, store: &mut store, holds_secrets: false });
    assert!(!is_zero(&store), "the program has constant data");
    drop(Running { instance, memory, store: &mut store, holds_secrets: true });
    assert!(is_zero(&store));
}

#[test]
fn only_places_in_the_source_are_kept() {
    let known = String::from("Error in template Known_0");
    let mut session = Session {
        limits: WitnessLimits::default(),
        screened: Arc::new(Screened { places: [known].into() }),
        places: Vec::new(),
        is_reading_message: false,
    };
    for message in [
        "",
        "3141592",
        "Error in template Secret_3141592 line: 1",
        "Error in template Known_0 line: 31415926535",
        "Error in template Known_0 line: -1",
        "Error in template Known_0 3141592 line: 1",
    ] {
        session.keep(message);
    }
    assert_eq!(session.place(), "");
    session.keep("Error in template Known_0 line: 12\n");
    session.keep("Error in template Known_0");
    assert_eq!(session.place(), ": Error in template Known_0 line: 12, from Error in template Known_0");
    (0..100).for_each(|_| session.keep("Error in template Known_0 line: 1"));
    assert_eq!(session.places.len(), PLACES_MAX);
}
