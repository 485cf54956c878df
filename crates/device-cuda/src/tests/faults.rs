//! Faults of the double that begin and end while a process runs. Each test runs itself again as a child, whose
//! environment names the file of faults.

use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs, thread};

use outrigger_device::{Argument, Buffer, Device, DeviceError, Queue};
use outrigger_kernels::Program;

use super::{CHILD, device, said_by};
use crate::list;

const FAULTS: &str = "CUDA_DOUBLE_FAULTS";

/// A test that is carried out in a process of its own.
macro_rules! in_child {
    (fn $name:ident($faults:ident) $act:block) => {
        #[test]
        fn $name() {
            in_child(stringify!($name), |$faults| $act);
        }
    };
}

/// Runs a test of this module in a process of its own, with a file for faults.
fn in_child(test: &str, act: fn(&Faults)) {
    if env::var(CHILD).is_ok_and(|child| child == test) {
        return act(&Faults(env::var_os(FAULTS).expect("a file is named").into()));
    }
    let file = env::temp_dir().join(format!("outrigger-cuda-faults-{}-{test}", std::process::id()));
    said_by(&format!("tests::faults::{test}"), test, FAULTS, &file.display().to_string());
    let _ = fs::remove_file(&file);
}

/// The file.
struct Faults(PathBuf);

impl Faults {
    fn begin(&self, line: &str) {
        fs::write(&self.0, line).expect("the file is written");
    }

    fn end(&self) {
        fs::remove_file(&self.0).expect("it was there");
    }
}

fn probe() -> Box<dyn Queue> {
    let mut queue = device().queue().expect("a queue");
    queue.load(Program::find("probe").expect("the probe")).expect("it loads");
    queue
}

fn buffer_of(queue: &mut dyn Queue, words: &[u32]) -> Buffer {
    let buffer = queue.allocate(4 * words.len()).expect("memory");
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    queue.write(&buffer, 0, &bytes).expect("it is written");
    buffer
}

fn words_of(queue: &mut dyn Queue, buffer: &Buffer) -> Result<Vec<u32>, DeviceError> {
    let mut bytes = vec![0; buffer.bytes()];
    queue.read(buffer, 0, &mut bytes)?;
    Ok(bytes.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)).collect())
}

/// Ten times what lies in `source`, by a kernel.
fn scaled(queue: &mut dyn Queue, source: &Buffer) -> Result<Vec<u32>, DeviceError> {
    let target = queue.allocate(source.bytes())?;
    let count = (source.bytes() / 4) as u32;
    let arguments: [Argument<'_>; 4] = [source.into(), (&target).into(), 10.into(), count.into()];
    queue.launch("probe_scale", 1, count, &arguments)?;
    words_of(queue, &target)
}

/// What that is of 1, 2, 3; a place is added to each.
const RIGHT: [u32; 3] = [10, 21, 32];

in_child! {
    fn damage_after_the_kernel_changes_what_is_read_and_nothing_else(faults) {
        let mut queue = probe();
        let source = buffer_of(&mut *queue, &[1, 2, 3]);
        assert_eq!(scaled(&mut *queue, &source).expect("an answer"), RIGHT);
        faults.begin("something\nflip 1 31\n");
        assert_eq!(scaled(&mut *queue, &source).expect("an answer"), [10, 21 | 1 << 31, 32]);
        faults.begin("flip 3 0");
        assert_eq!(scaled(&mut *queue, &source).expect("an answer"), RIGHT, "past the end");
        faults.end();
        assert_eq!(words_of(&mut *queue, &source).expect("words"), [1, 2, 3]);
        assert_eq!(scaled(&mut *queue, &source).expect("an answer"), RIGHT);
    }
}

in_child! {
    fn a_kernel_that_computes_wrong_had_another_input_and_leaves_it_as_it_was(faults) {
        let mut queue = probe();
        let source = buffer_of(&mut *queue, &[1, 2, 3]);
        faults.begin("wrong");
        assert_eq!(scaled(&mut *queue, &source).expect("an answer"), [0, 21, 32]);
        faults.begin("wrong 4 3");
        assert_eq!(scaled(&mut *queue, &source).expect("an answer"), [10, 101, 32]);
        faults.begin("wrong 12 0");
        assert_eq!(scaled(&mut *queue, &source).expect("an answer"), RIGHT, "past the end");
        assert_eq!(words_of(&mut *queue, &source).expect("words"), [1, 2, 3]);
        faults.end();
        assert_eq!(scaled(&mut *queue, &source).expect("an answer"), RIGHT);
    }
}

in_child! {
    fn memory_is_refused_for_a_while(faults) {
        let mut queue = probe();
        faults.begin("out-of-memory\n");
        assert!(matches!(queue.allocate(4), Err(DeviceError::OutOfMemory { wanted: 4, .. })));
        faults.end();
        let source = buffer_of(&mut *queue, &[1, 2, 3]);
        assert_eq!(scaled(&mut *queue, &source).expect("an answer"), RIGHT);
    }
}

in_child! {
    fn a_launch_hangs_while_the_fault_lasts(faults) {
        let mut queue = probe();
        let source = buffer_of(&mut *queue, &[1, 2, 3]);
        faults.begin("hang");
        let working = thread::spawn(move || scaled(&mut *queue, &source).expect("an answer"));
        thread::sleep(Duration::from_millis(300));
        assert!(!working.is_finished(), "it hangs");
        faults.end();
        assert_eq!(working.join().expect("it ends"), RIGHT);
    }
}

in_child! {
    fn a_lost_device_stays_lost(faults) {
        let mut queue = probe();
        let source = buffer_of(&mut *queue, &[1, 2, 3]);
        faults.begin("lost");
        for _ in 0..2 {
            assert!(matches!(scaled(&mut *queue, &source), Err(DeviceError::Lost(_))));
        }
        faults.end();
        assert!(matches!(scaled(&mut *queue, &source), Err(DeviceError::Lost(_))), "until the process ends");
    }
}

in_child! {
    fn a_device_goes_away_and_comes_back(faults) {
        assert_eq!(list().expect("a list").len(), 1);
        faults.begin("no-device");
        assert_eq!(list(), Ok(Vec::new()));
        faults.end();
        assert_eq!(list().expect("a list").len(), 1);
    }
}
