//! The keys below `listen`.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::reader::Reader;
use crate::{Listen, SOCKET_MODE_DEFAULT, Sources, Tls};

const ADMIN_DEFAULT: &str = "127.0.0.1:9464";
const CONNECTIONS_DEFAULT: u64 = 1_024;

pub(super) fn read(reader: &mut Reader, sources: &Sources) -> Listen {
    let unix = match reader.text("listen.unix") {
        Some(path) => Some(PathBuf::from(path)).filter(|path| !path.as_os_str().is_empty()),
        None => sources.runtime_directory.as_ref().map(|directory| directory.join("outrigger/outrigger.sock")),
    };
    let unix_mode = reader.text("listen.unix_mode").and_then(|text| mode(reader, &text)).unwrap_or(SOCKET_MODE_DEFAULT);
    let tcp = reader.parsed::<SocketAddr>("listen.tcp").flatten();
    let tls = tls(reader);
    let insecure_loopback = reader.flag("listen.insecure_loopback").unwrap_or(false);
    let admin = reader.parsed("listen.admin").unwrap_or_else(|| ADMIN_DEFAULT.parse().ok());
    let connections_max = reader.number("listen.connections_max", 1..=1 << 20).unwrap_or(CONNECTIONS_DEFAULT) as usize;
    if let Some(address) = tcp
        && tls.is_none()
    {
        check_plain_tcp(reader, address, insecure_loopback);
    }
    if unix.is_none() && tcp.is_none() {
        reader.fail("listen.unix", "there is nothing to listen on: set listen.unix to a path, or listen.tcp");
    }
    Listen { unix, unix_mode, tcp, tls, insecure_loopback, admin, connections_max }
}

fn mode(reader: &mut Reader, text: &str) -> Option<u32> {
    let mode = u32::from_str_radix(text.trim_start_matches("0o"), 8).ok().filter(|mode| *mode <= 0o777);
    if mode.is_none() {
        reader.fail("listen.unix_mode", format!("{text:?} is not a mode; write octal digits such as \"0660\""));
    }
    mode
}

fn tls(reader: &mut Reader) -> Option<Tls> {
    let mut path = |key: &str| reader.text(key).filter(|path| !path.is_empty()).map(PathBuf::from);
    let certificate = path("listen.tls.certificate");
    let key = path("listen.tls.key");
    let client_ca = path("listen.tls.client_ca");
    match (certificate, key) {
        (Some(certificate), Some(key)) => Some(Tls { certificate, key, client_ca }),
        (None, None) => {
            if client_ca.is_some() {
                reader.fail("listen.tls.client_ca", "needs listen.tls.certificate and listen.tls.key beside it");
            }
            None
        }
        (Some(_), None) => {
            reader.fail("listen.tls.certificate", "needs listen.tls.key beside it");
            None
        }
        (None, Some(_)) => {
            reader.fail("listen.tls.key", "needs listen.tls.certificate beside it");
            None
        }
    }
}

fn check_plain_tcp(reader: &mut Reader, address: SocketAddr, insecure_loopback: bool) {
    if !address.ip().is_loopback() {
        reader.fail(
            "listen.tcp",
            format!("{address} is not a loopback address: set listen.tls.certificate, listen.tls.key and listen.tls.client_ca"),
        );
    } else if !insecure_loopback {
        reader.fail("listen.tcp", "has no TLS: set listen.tls, or listen.insecure_loopback = true to do without");
    }
}
