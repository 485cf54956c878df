use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::{ClientError, Failure};

#[test]
fn only_an_invitation_is_a_retry() {
    let delay = Duration::from_millis(70);
    for code in (0..=16).map(Code::from_i32).filter(|code| *code != Code::Ok) {
        let bare = Failure::from(&Status::new(code, "why"));
        assert_eq!(bare.retry_after, None, "{code:?} without RetryInfo");
        let invited =
            Failure::from(&Status::with_error_details(code, "why", ErrorDetails::with_retry_info(Some(delay))));
        let expected = matches!(code, Code::Unavailable | Code::ResourceExhausted).then_some(delay);
        assert_eq!(invited.retry_after, expected, "{code:?} with RetryInfo");
        assert!(!invited.is_transport, "{code:?}: the sidecar answered");
    }
}

#[test]
fn violations_reach_the_caller() {
    let details = ErrorDetails::with_bad_request_violation("signatures", "130 bytes are not 3 items");
    let failure = Failure::from(&Status::with_error_details(Code::InvalidArgument, "misshapen", details));
    assert_eq!(failure.error.to_string(), "the request is misshapen; correct signatures: 130 bytes are not 3 items");
    assert_eq!(failure.error.code(), Code::InvalidArgument);
}

#[test]
fn too_large_and_quota_are_told_apart() {
    let large = Failure::from(&Status::resource_exhausted("messages of 16 MiB"));
    assert!(matches!(large.error, ClientError::TooLarge(_)));
    let details = ErrorDetails::with_retry_info(Some(Duration::from_millis(5)));
    let quota = Failure::from(&Status::with_error_details(Code::ResourceExhausted, "quota", details));
    assert!(matches!(quota.error, ClientError::Unavailable { code: Code::ResourceExhausted, .. }));
}
