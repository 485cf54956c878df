use std::time::Duration;

use outrigger_types::{FieldViolation, Rejection};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::{of, of_transport, stream_error};

#[test]
fn each_rejection_has_its_code_and_says_whether_to_try_again() {
    let retry_after = Duration::from_millis(70);
    let cases = [
        (Rejection::field("a", "b"), Code::InvalidArgument, false),
        (Rejection::PermissionDenied("no".into()), Code::PermissionDenied, false),
        (Rejection::TenantQuota { quota: "10 items".into(), retry_after }, Code::ResourceExhausted, true),
        (Rejection::TooLarge { limit: "10 bytes".into() }, Code::ResourceExhausted, false),
        (Rejection::Overloaded { retry_after }, Code::Unavailable, true),
        (Rejection::Draining { retry_after }, Code::Unavailable, true),
        (Rejection::DeadlineExceeded { predicted: None }, Code::DeadlineExceeded, false),
        (Rejection::NotFound("gone".into()), Code::NotFound, false),
        (Rejection::BackendUnavailable("no GPU".into()), Code::FailedPrecondition, false),
        (Rejection::Internal("oh".into()), Code::Internal, false),
    ];
    for (rejection, code, retries) in cases {
        let status = of(&rejection);
        assert_eq!((status.code(), status.message()), (code, rejection.to_string().as_str()));
        let info = status.get_details_error_info().expect("a reason for machines");
        assert_eq!((info.domain.as_str(), info.reason.as_str()), ("outrigger", rejection.reason()));
        assert_eq!(status.get_details_retry_info().is_some(), retries, "{rejection}");
        assert_eq!(status.metadata().contains_key("grpc-retry-pushback-ms"), retries, "{rejection}");
        let error = stream_error(&rejection);
        assert_eq!((error.code, error.retry_after_ms), (code as i32, if retries { 70 } else { 0 }));
    }
}

#[test]
fn every_violation_and_the_quota_travel_as_details() {
    let field = |name: &str| FieldViolation { field: name.to_owned(), description: "wrong".to_owned() };
    let status = of(&Rejection::InvalidArgument(vec![field("x"), field("y")]));
    let details = status.get_details_bad_request().expect("a bad request");
    assert_eq!(details.field_violations.len(), 2);
    let status = of(&Rejection::TenantQuota { quota: "10 items".into(), retry_after: Duration::ZERO });
    assert_eq!(status.get_details_quota_failure().expect("a quota").violations[0].description, "10 items");
}

#[test]
fn statuses_of_the_transport_are_put_right_and_ours_are_left() {
    assert_eq!(of_transport(Status::out_of_range("5 is too large"), 4).code(), Code::ResourceExhausted);
    assert_eq!(of_transport(Status::internal("failed to decode"), 4).code(), Code::InvalidArgument);
    assert_eq!(of_transport(of(&Rejection::Internal("x".into())), 4).code(), Code::Internal);
    assert_eq!(of_transport(Status::cancelled("gone"), 4).code(), Code::Cancelled);
}
