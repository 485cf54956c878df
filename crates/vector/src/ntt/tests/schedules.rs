//! Pieces on threads, in other orders, and stopped.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// Pieces from the last to the first, on as many threads.
struct Threads(usize);

impl Schedule for Threads {
    type Stop = std::convert::Infallible;

    fn run(&self, count: usize, piece: &(dyn Fn(usize) + Sync)) -> Result<(), Self::Stop> {
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..self.0 {
                scope.spawn(|| {
                    loop {
                        let i = next.fetch_add(1, Ordering::Relaxed);
                        if i >= count {
                            break;
                        }
                        piece(count - 1 - i);
                    }
                });
            }
        });
        Ok(())
    }
}

/// Stops after so many pieces.
struct StopsAfter(AtomicUsize);

impl Schedule for StopsAfter {
    type Stop = &'static str;

    fn run(&self, count: usize, piece: &(dyn Fn(usize) + Sync)) -> Result<(), Self::Stop> {
        for i in 0..count {
            let left = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            left.map_err(|_| "enough")?;
            piece(i);
        }
        Ok(())
    }
}

/// Runs the first piece twice.
struct Twice;

impl Schedule for Twice {
    type Stop = std::convert::Infallible;

    fn run(&self, _: usize, piece: &(dyn Fn(usize) + Sync)) -> Result<(), Self::Stop> {
        piece(0);
        piece(0);
        Ok(())
    }
}

/// Leaves pieces out.
struct None;

impl Schedule for None {
    type Stop = std::convert::Infallible;

    fn run(&self, _: usize, _: &(dyn Fn(usize) + Sync)) -> Result<(), Self::Stop> {
        Ok(())
    }
}

const LOG_SIZE: u32 = 10;

fn unit() -> Unit {
    Unit::detect().unwrap_or(Unit::PORTABLE)
}

fn step() -> Quotient<Bn254Scalars> {
    Quotient::new(unit(), LOG_SIZE, Form::Plain, Form::Plain).unwrap()
}

fn run<S: Schedule>(schedule: &S) -> Result<Vec<Number>, S::Stop> {
    let model = Model::new::<Bn254Scalars>();
    let mut random = Random(6);
    let [a, b] = [0, 1].map(|_| numbers(&model, 1 << LOG_SIZE, &mut random));
    let mut found = vec![[0; 4]; 1 << LOG_SIZE];
    step().run(&a, &b, &mut found, &mut Workspace::new(), schedule).map(|()| found)
}

#[test]
fn threads_give_the_same_results() {
    let Ok(expected) = run(&InOrder);
    for threads in 1..4 {
        let Ok(found) = run(&Threads(threads));
        assert!(found == expected, "{threads} threads");
    }
}

/// Memory of one transform is good for the next, of any size.
#[test]
fn a_workspace_is_for_many() {
    let model = Model::new::<Bn254Scalars>();
    let mut workspace = Workspace::new();
    for log_size in [8, 3, 9, 7] {
        let coefficients = numbers(&model, 1 << log_size, &mut Random(7));
        let mut values = coefficients.clone();
        for inverse in [false, true] {
            let transform = Transform::<Bn254Scalars>::new(unit(), log_size, inverse, true).unwrap();
            transform.run(&mut values, &mut workspace, &Threads(2)).unwrap();
        }
        assert!(values.iter().zip(&coefficients).all(|(found, number)| *found == model.reduce(number)));
    }
}

#[test]
fn a_stop_ends_each_pass() {
    let passes = 4 + 4 + 4;
    for pieces in 0..passes {
        assert_eq!(run(&StopsAfter(AtomicUsize::new(pieces))), Err("enough"), "{pieces} pieces");
    }
    assert!(run(&StopsAfter(AtomicUsize::new(passes))).is_ok());
}

#[test]
#[should_panic(expected = "run twice")]
fn a_piece_does_not_run_twice() {
    let _ = run(&Twice);
}

#[test]
#[should_panic(expected = "was not run")]
fn no_piece_is_left_out() {
    let _ = run(&None);
}
