//! What every backend must do, as checks that run on any [`Device`]: in the tests of each backend, and on a machine
//! with a GPU to see that its driver keeps to the seam. They use the program `probe` of `kernels/`.

use std::thread;

use outrigger_kernels::Program;

use crate::{Argument, Buffer, Device, DeviceError, OFFSET_ALIGNMENT, Queue};

/// One check of a device.
pub struct Check {
    /// What it looks at.
    pub name: &'static str,
    /// Runs it. The error says what was found instead.
    pub run: fn(&dyn Device) -> Result<(), String>,
}

/// The name of the check that runs kernels at the same time, which a simulator of one thread cannot.
pub const SEVERAL_THREADS: &str = "queues of several threads keep apart";

/// All checks.
pub const CHECKS: &[Check] = &[
    Check { name: "a plain kernel reaches every item once", run: plain },
    Check { name: "bytes and long words are handed over", run: widths },
    Check { name: "a cooperative group meets at its barriers", run: cooperative },
    Check { name: "an offset moves the pointer", run: offsets },
    Check { name: "parts of a buffer are written and read", run: parts },
    Check { name: "work is carried out in order", run: order },
    Check { name: SEVERAL_THREADS, run: threads },
    Check { name: "buffers of no bytes", run: nothing },
    Check { name: "memory past the budget is refused and given back", run: budget },
    Check { name: "wrong calls are misuse", run: misuse },
    Check { name: "time of kernels is told once", run: time },
];

/// Items of a batch: around the sizes of groups, so that a last group missing or done twice shows.
const COUNTS: [u32; 7] = [1, 7, 8, 9, 127, 129, 1000];

fn plain(device: &dyn Device) -> Result<(), String> {
    let mut queue = probe(device)?;
    let size = device.info().group_size_max;
    for count in COUNTS {
        let input: Vec<u32> = (0..count).map(|i| i.wrapping_mul(0x9E37_79B9)).collect();
        let source = buffer_of(&mut *queue, &input)?;
        let target = queue.allocate(4 * count as usize).map_err(text)?;
        let arguments = [(&source).into(), (&target).into(), 3.into(), count.into()];
        queue.launch("probe_scale", count.div_ceil(size), size, &arguments).map_err(text)?;
        let expected: Vec<u32> = (0..).zip(&input).map(|(i, word)| word.wrapping_mul(3).wrapping_add(i)).collect();
        equal(&words_of(&mut *queue, &target)?, &expected)?;
    }
    Ok(())
}

fn widths(device: &dyn Device) -> Result<(), String> {
    let mut queue = probe(device)?;
    let longs = buffer_of(&mut *queue, &[1, 2, u32::MAX, u32::MAX])?;
    let bytes = queue.allocate(2).map_err(text)?;
    queue.write(&bytes, 0, &[5, 6]).map_err(text)?;
    let sums = queue.allocate(16).map_err(text)?;
    let arguments = [(&longs).into(), (&bytes).into(), (&sums).into(), 2.into()];
    queue.launch("probe_widen", 1, 2, &arguments).map_err(text)?;
    equal(&words_of(&mut *queue, &sums)?, &[6, 2, 5, 0])
}

/// Groups of many sizes, powers of two and others: the tree in LOCAL memory needs each of its barriers.
fn cooperative(device: &dyn Device) -> Result<(), String> {
    let mut queue = probe(device)?;
    let input: Vec<u32> = (0..1000).map(|i| i * i).collect();
    let source = buffer_of(&mut *queue, &input)?;
    for size in [1, 2, 3, 4, 7, 8, 32, 100, 128].into_iter().filter(|&size| size <= device.info().group_size_max) {
        let groups = 1000u32.div_ceil(size);
        let sums = queue.allocate(4 * groups as usize).map_err(text)?;
        queue.launch("probe_sum", groups, size, &[(&source).into(), (&sums).into(), 1000.into()]).map_err(text)?;
        let expected: Vec<u32> = input.chunks(size as usize).map(|group| group.iter().sum()).collect();
        equal(&words_of(&mut *queue, &sums)?, &expected)?;
    }
    Ok(())
}

fn offsets(device: &dyn Device) -> Result<(), String> {
    let mut queue = probe(device)?;
    let mut input = vec![9; OFFSET_ALIGNMENT / 4];
    input.extend([1, 2]);
    let source = buffer_of(&mut *queue, &input)?;
    let target = buffer_of(&mut *queue, &input)?;
    let both = [Argument::Buffer(&source, OFFSET_ALIGNMENT), Argument::Buffer(&target, OFFSET_ALIGNMENT)];
    queue.launch("probe_scale", 1, 2, &[both[0], both[1], 10.into(), 2.into()]).map_err(text)?;
    let last = input.len() - 2;
    input[last..].copy_from_slice(&[10, 21]);
    equal(&words_of(&mut *queue, &target)?, &input)
}

fn parts(device: &dyn Device) -> Result<(), String> {
    let mut queue = device.queue().map_err(text)?;
    let buffer = queue.allocate(10).map_err(text)?;
    queue.write(&buffer, 0, &[0; 10]).map_err(text)?;
    queue.write(&buffer, 3, &[1, 2, 3]).map_err(text)?;
    queue.write(&buffer, 9, &[4]).map_err(text)?;
    let mut bytes = [9; 8];
    queue.read(&buffer, 2, &mut bytes).map_err(text)?;
    equal(&bytes, &[0, 1, 2, 3, 0, 0, 0, 4])
}

fn order(device: &dyn Device) -> Result<(), String> {
    let mut queue = probe(device)?;
    let buffer = buffer_of(&mut *queue, &[1, 1])?;
    for _ in 0..3 {
        let arguments = [(&buffer).into(), (&buffer).into(), 2.into(), 2.into()];
        queue.launch("probe_scale", 1, 2, &arguments).map_err(text)?;
    }
    equal(&words_of(&mut *queue, &buffer)?, &[8, 15])?;
    // A write waits for the launch before it, which reads what it replaces.
    let target = queue.allocate(8).map_err(text)?;
    let arguments = [(&buffer).into(), (&target).into(), 1.into(), 2.into()];
    queue.launch("probe_scale", 1, 2, &arguments).map_err(text)?;
    queue.write(&buffer, 0, &[0; 8]).map_err(text)?;
    equal(&words_of(&mut *queue, &target)?, &[8, 16])
}

fn threads(device: &dyn Device) -> Result<(), String> {
    let one = |thread: u32| -> Result<(), String> {
        let mut queue = probe(device)?;
        let source = buffer_of(&mut *queue, &[thread; 64])?;
        let sums = queue.allocate(4 * 8).map_err(text)?;
        for _ in 0..20 {
            queue.launch("probe_sum", 8, 8, &[(&source).into(), (&sums).into(), 64.into()]).map_err(text)?;
            equal(&words_of(&mut *queue, &sums)?, &[8 * thread; 8])?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let running: Vec<_> = (1..4).map(|thread| scope.spawn(move || one(thread))).collect();
        running.into_iter().try_for_each(|one| one.join().map_err(|_| "a thread panicked".to_owned())?)
    })
}

fn nothing(device: &dyn Device) -> Result<(), String> {
    let mut queue = probe(device)?;
    let none = queue.allocate(0).map_err(text)?;
    queue.write(&none, 0, &[]).map_err(text)?;
    queue.read(&none, 0, &mut []).map_err(text)?;
    queue.launch("probe_scale", 1, 1, &[(&none).into(), (&none).into(), 1.into(), 0.into()]).map_err(text)?;
    queue.finish().map_err(text)
}

fn budget(device: &dyn Device) -> Result<(), String> {
    let mut queue = device.queue().map_err(text)?;
    let too_much = usize::try_from(device.info().memory_bytes).unwrap_or(usize::MAX - 1) + 1;
    for bytes in [too_much, usize::MAX] {
        match queue.allocate(bytes) {
            Err(DeviceError::OutOfMemory { wanted, .. }) => equal(&[wanted], &[bytes as u64])?,
            other => return Err(format!("{bytes} bytes: {other:?}")),
        }
    }
    // A thousand times a tenth of a budget that is not given back would not fit.
    let tenth = usize::try_from(device.info().memory_bytes / 10).unwrap_or(usize::MAX).min(1 << 20);
    for _ in 0..1000 {
        drop(queue.allocate(tenth).map_err(text)?);
    }
    Ok(())
}

fn misuse(device: &dyn Device) -> Result<(), String> {
    let mut queue = probe(device)?;
    let queue = &mut *queue;
    let buffer = buffer_of(queue, &[1, 2])?;
    let over = device.info().group_size_max + 1;
    let results = [
        ("a write past the end", queue.write(&buffer, 1, &[0; 8])),
        ("a read past the end", queue.read(&buffer, 9, &mut [])),
        ("too few arguments", queue.launch("probe_sum", 1, 1, &[(&buffer).into()])),
        ("too large a group", queue.launch("probe_sum", 1, over, &[(&buffer).into(), (&buffer).into(), 1.into()])),
        ("no such kernel", queue.launch("probe_nothing", 1, 1, &[])),
        ("another device", queue.write(&Buffer::new(8, Box::new(())), 0, &[0; 8])),
    ];
    for (what, result) in results {
        if !matches!(result, Err(DeviceError::Misuse(_))) {
            return Err(format!("{what}: {result:?}"));
        }
    }
    equal(&words_of(queue, &buffer)?, &[1, 2])
}

fn time(device: &dyn Device) -> Result<(), String> {
    let mut queue = probe(device)?;
    let buffer = buffer_of(&mut *queue, &[1])?;
    queue.take_kernel_time();
    let rounds = 100_000;
    queue.launch("probe_chain", 1, 1, &[(&buffer).into(), (&buffer).into(), rounds.into(), 1.into()]).map_err(text)?;
    queue.finish().map_err(text)?;
    let (first, second) = (queue.take_kernel_time(), queue.take_kernel_time());
    if first.is_zero() || !second.is_zero() {
        return Err(format!("{first:?} and then {second:?}"));
    }
    Ok(())
}

/// A queue of a device that knows the probe.
fn probe(device: &dyn Device) -> Result<Box<dyn Queue>, String> {
    let mut queue = device.queue().map_err(text)?;
    queue.load(Program::find("probe").ok_or("no program is called probe")?).map_err(text)?;
    Ok(queue)
}

fn buffer_of(queue: &mut dyn Queue, words: &[u32]) -> Result<Buffer, String> {
    let buffer = queue.allocate(4 * words.len()).map_err(text)?;
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    queue.write(&buffer, 0, &bytes).map_err(text)?;
    Ok(buffer)
}

fn words_of(queue: &mut dyn Queue, buffer: &Buffer) -> Result<Vec<u32>, String> {
    let mut bytes = vec![0; buffer.bytes()];
    queue.read(buffer, 0, &mut bytes).map_err(text)?;
    let (words, _) = bytes.as_chunks();
    Ok(words.iter().map(|word| u32::from_le_bytes(*word)).collect())
}

fn equal<T: PartialEq + std::fmt::Debug>(found: &[T], expected: &[T]) -> Result<(), String> {
    match found.iter().zip(expected).position(|(one, other)| one != other) {
        None if found.len() == expected.len() => Ok(()),
        None => Err(format!("{} words, not {}", found.len(), expected.len())),
        Some(at) => Err(format!("word {at} of {} is {:?}, not {:?}", found.len(), found[at], expected[at])),
    }
}

fn text(error: DeviceError) -> String {
    error.to_string()
}
