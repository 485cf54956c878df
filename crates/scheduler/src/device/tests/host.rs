//! All kernels behind the engine, on the host device: trials, planted items, tags and audit with real answers.

use outrigger_algorithms::gpu::{Resident, Session, answer};
use outrigger_device::Device;
use outrigger_device_host::HostDevice;

use super::*;

/// A worker in this process.
struct Here {
    device: HostDevice,
    resident: Resident,
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
    let worker = Arc::new(Here { device: HostDevice::new(), resident: Resident::default() });
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
