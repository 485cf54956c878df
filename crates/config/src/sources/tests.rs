use std::ffi::OsString;
use std::path::Path;

use super::state_directory;

#[test]
fn the_state_directory_is_systemds_then_the_sessions() {
    let all = [("STATE_DIRECTORY", "/var/lib/a:/var/lib/b"), ("XDG_STATE_HOME", "/state"), ("HOME", "/home/n")];
    let from = |variables: &[(&str, &str)]| {
        let variables = variables.to_vec();
        state_directory(move |name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
        })
    };
    assert_eq!(from(&all).as_deref(), Some(Path::new("/var/lib/a")));
    assert_eq!(from(&all[1..]).as_deref(), Some(Path::new("/state/outrigger")));
    assert_eq!(from(&all[2..]).as_deref(), Some(Path::new("/home/n/.local/state/outrigger")));
    assert_eq!(from(&[("STATE_DIRECTORY", ""), ("XDG_STATE_HOME", ""), all[2]]), from(&all[2..]));
    assert_eq!(from(&[]), None);
}
