//! All kernels behind the engine, on the host device: trials, planted items, tags and audit with real answers.

use outrigger_algorithms::gpu::{Resident, Session, answer};
use outrigger_algorithms::known_keys;
use outrigger_device::Device;
use outrigger_device_host::HostDevice;
use outrigger_types::Keys;

use super::*;

/// A worker in this process.
struct Here {
    device: HostDevice,
    resident: Resident,
    operations: Vec<Operation>,
}

impl Here {
    fn new(operations: Vec<Operation>) -> Self {
        Self { device: HostDevice::new(), resident: Resident::default(), operations }
    }
}

impl Worker for Here {
    fn backend(&self) -> Backend {
        Backend::Opencl
    }

    fn device(&self) -> &str {
        "host"
    }

    fn life(&self) -> Option<u64> {
        Some(1)
    }

    fn operations(&self) -> Vec<Operation> {
        self.operations.clone()
    }

    fn batch_bytes_max(&self) -> usize {
        1 << 24
    }

    fn run(&self, batch: Batch<'_>) -> Result<Vec<u8>, DeviceError> {
        let (mut input, mut output) = (vec![0; batch.input_len], vec![0; batch.output_len]);
        (batch.fill)(&mut input);
        let mut queue = self.device.queue()?;
        let mut session = Session::new(&mut *queue, &self.resident, batch.nonce);
        let length = answer(&mut session, batch.nonce, &input, &mut output)?;
        output.truncate(length);
        Ok(output)
    }
}

#[test]
fn every_kernel_passes_its_trial_and_serves() {
    let worker = Arc::new(Here::new(gpu::operations().collect()));
    let quarantine = Duration::from_secs(60);
    let engine = DeviceEngine::new(worker, DeviceOptions { audit_rate: 1.0, quarantine, ..DeviceOptions::default() });
    assert!(engine.warm_up(Duration::from_secs(300)), "the trials end");
    assert_eq!(engine.failures(), []);
    let mut served = 0;
    for operation in gpu::operations().filter(|operation| operation.is_divisible()) {
        let work = work(operation, 11);
        assert_eq!(carry_out(&engine, &work, None).as_ref(), Ok(&right(&work)), "{operation:?}");
        served += 1;
    }
    assert!(served > 0, "there are kernels");
}

/// Keys that are known to the parent are verified by combs on the device, under the same checks.
#[test]
fn items_of_known_keys_go_by_combs() {
    const RULESETS: [(Ruleset, &str); 4] = [
        (Ruleset::Fabric, "p256"),
        (Ruleset::Sm2Message, "sm2"),
        (Ruleset::Bitcoin, "secp256k1"),
        (Ruleset::Bip340, "secp256k1"),
    ];
    known_keys::enable(64 << 20);
    let worker = Arc::new(Here::new(RULESETS.map(|(ruleset, _)| Operation::Verify(ruleset)).to_vec()));
    let options = DeviceOptions { audit_rate: 1.0, quarantine: Duration::from_secs(60), ..DeviceOptions::default() };
    let engine = DeviceEngine::new(worker.clone(), options);
    assert!(engine.warm_up(Duration::from_secs(300)), "the trials end");
    for (ruleset, room) in RULESETS {
        let work = work(Operation::Verify(ruleset), 31);
        let Work::Verify(signatures) = &*work else { panic!("signatures") };
        // Keys of a registered set get their tables at once.
        let Keys::Inline(keys) = &signatures.keys else { panic!("keys by value") };
        known_keys::register("tenant", ruleset, keys);
        known_keys::shared().expect("tables are kept").settle();
        assert!(known_keys::marks(&[(work.clone(), 0..31)]).is_marked(30), "{ruleset}");
        let before = worker.resident.comb_stats(room);
        assert_eq!(carry_out(&engine, &work, None).as_ref(), Ok(&right(&work)), "{ruleset}");
        let after = worker.resident.comb_stats(room);
        assert!(after.combs >= 5 && after.damaged == 0, "{ruleset}: {before:?}, then {after:?}");
    }
    assert_eq!(engine.failures(), []);
}
