//! The socket pair between a parent and its worker: packets, each one message.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, Shutdown, SocketFlags, SocketType, recv, recvmsg, send, sendmsg, shutdown, socketpair,
};

use crate::protocol::PACKET_BYTES_MAX;

/// How long somebody who waits looks again and again before going to sleep: a few times what a wake-up costs (5 to 50 µs),
/// so that batches that follow each other closely find both sides awake.
pub(crate) const SPIN: Duration = Duration::from_micros(50);

/// One end of the pair.
pub(crate) struct Link {
    socket: OwnedFd,
}

/// What came of waiting for a packet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// A packet of so many bytes.
    Packet(usize),
    /// Nothing, in the time given.
    Nothing,
    /// The other side is gone.
    Closed,
}

impl Link {
    /// Both ends.
    pub(crate) fn pair() -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        Ok((Self { socket: ours }, theirs))
    }

    /// The end that was handed over.
    pub(crate) const fn of(socket: OwnedFd) -> Self {
        Self { socket }
    }

    /// Sends a packet. Never waits: few packets are under way at any time, so a socket that is full means that the other
    /// side does not read.
    pub(crate) fn send(&self, packet: &[u8]) -> io::Result<()> {
        debug_assert!(packet.len() <= PACKET_BYTES_MAX);
        loop {
            match send(&self.socket, packet, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Sends a packet with a descriptor.
    pub(crate) fn send_with(&self, packet: &[u8], descriptor: BorrowedFd<'_>) -> io::Result<()> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let descriptors = [descriptor];
        control.push(SendAncillaryMessage::ScmRights(&descriptors));
        sendmsg(&self.socket, &[IoSlice::new(packet)], &mut control, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// Waits for a packet that has a descriptor with it.
    pub(crate) fn receive_with(&self, packet: &mut [u8]) -> io::Result<(usize, OwnedFd)> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut parts = [IoSliceMut::new(packet)];
        let message = recvmsg(&self.socket, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC)?;
        let descriptor = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        });
        let missing = || io::Error::new(io::ErrorKind::InvalidData, "a message without the arena");
        Ok((message.bytes, descriptor.ok_or_else(missing)?))
    }

    /// Takes a packet that is there.
    pub(crate) fn try_receive(&self, packet: &mut [u8]) -> io::Result<Received> {
        self.take(packet, RecvFlags::DONTWAIT)
    }

    /// Waits for a packet: awake for [`SPIN`] where `spin` says so, then asleep until `until`, or for ever.
    pub(crate) fn receive(&self, packet: &mut [u8], spin: bool, until: Option<Instant>) -> io::Result<Received> {
        if spin {
            let started = Instant::now();
            while started.elapsed() < SPIN {
                let received = self.try_receive(packet)?;
                if received != Received::Nothing {
                    return Ok(received);
                }
                // Costs next to nothing on an idle core, and gives a busy one to whoever else has work.
                thread::yield_now();
            }
        }
        let Some(until) = until else {
            return self.take(packet, RecvFlags::empty());
        };
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let timeout = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
            match poll(&mut [PollFd::new(&self.socket, PollFlags::IN)], Some(&timeout)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            let received = self.try_receive(packet)?;
            if received != Received::Nothing || Instant::now() >= until {
                return Ok(received);
            }
        }
    }

    /// Ends the conversation: both sides find it closed once they have read what was sent.
    pub(crate) fn close(&self) {
        // It fails where the other side is gone already.
        let _ = shutdown(&self.socket, Shutdown::Both);
    }

    fn take(&self, packet: &mut [u8], flags: RecvFlags) -> io::Result<Received> {
        loop {
            match recv(self.socket.as_fd(), &mut *packet, flags) {
                // No packet of ours is empty, so this is the end.
                Ok((0, _)) | Err(Errno::CONNRESET) => return Ok(Received::Closed),
                Ok((bytes, _)) => return Ok(Received::Packet(bytes)),
                Err(Errno::AGAIN) => return Ok(Received::Nothing),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests;
