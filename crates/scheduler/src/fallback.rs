//! What becomes of items that an engine was given and did not answer: a pure decision.

use outrigger_types::{Backend, EngineError, Rejection};

/// What to do with items that were not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Run them on the CPU.
    Repeat,
    /// Tell the caller.
    Fail(Rejection),
}

/// Decides, by what the engine said, which engine it was, whether the request forced it, and whether there is a
/// CPU engine that does the operation. A device's failure costs time and not answers, wherever the CPU can help;
/// it is never a verdict.
pub fn after(error: &EngineError, backend: Backend, forced: bool, cpu: bool) -> Next {
    if *error == EngineError::Expired {
        return Next::Fail(Rejection::DeadlineExceeded { predicted: None });
    }
    if backend != Backend::Cpu && !forced && cpu {
        return Next::Repeat;
    }
    Next::Fail(match error {
        EngineError::Busy | EngineError::Unsupported if forced => {
            Rejection::BackendUnavailable(format!("backend {backend}: {error}"))
        }
        _ => Rejection::Internal(format!("backend {backend} did not finish: {error}")),
    })
}

/// Whether an error speaks against the engine's health. Being busy, late or told to stop does not.
pub const fn is_fault(error: &EngineError) -> bool {
    matches!(error, EngineError::Fault(_) | EngineError::UnknownJob)
}

#[cfg(test)]
mod tests {
    use outrigger_types::{Backend, EngineError, Rejection};

    use super::*;

    #[test]
    fn a_device_fault_is_repeated_and_a_cpu_fault_is_not() {
        let fault = EngineError::Fault("xid 79".into());
        for error in [&fault, &EngineError::Busy, &EngineError::UnknownJob] {
            assert_eq!(after(error, Backend::Cuda, false, true), Next::Repeat);
            assert!(matches!(after(error, Backend::Cpu, false, true), Next::Fail(Rejection::Internal(_))));
            assert!(matches!(after(error, Backend::Cuda, false, false), Next::Fail(Rejection::Internal(_))));
        }
    }

    #[test]
    fn a_forced_backend_is_never_replaced() {
        let busy = after(&EngineError::Busy, Backend::Cuda, true, true);
        assert!(matches!(busy, Next::Fail(Rejection::BackendUnavailable(_))));
        let fault = after(&EngineError::Fault("hang".into()), Backend::Cuda, true, true);
        assert!(matches!(fault, Next::Fail(Rejection::Internal(_))));
    }

    #[test]
    fn late_work_is_not_repeated_and_blames_nobody() {
        let late = Next::Fail(Rejection::DeadlineExceeded { predicted: None });
        assert_eq!(after(&EngineError::Expired, Backend::Cuda, false, true), late);
        assert!(!is_fault(&EngineError::Expired) && !is_fault(&EngineError::Busy));
        assert!(is_fault(&EngineError::Fault(String::new())));
    }
}
