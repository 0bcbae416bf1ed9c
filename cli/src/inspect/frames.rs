//! Parses the frames of a WebSocket from a copy of its bytes.

use std::{collections::VecDeque, io::Cursor, time::Duration};

use tungstenite::protocol::frame::FrameHeader;

use crate::inspect::exchange::Frame;

/// The largest part of a payload that is kept, in bytes.
pub(crate) const MAX_PAYLOAD: usize = 4 * 1024;

/// The longest header of a frame, in bytes: RFC 6455, section 5.2.
const MAX_HEADER: usize = 14;

/// The largest number of frames that are returned for one piece of the stream.
const MAX_FRAMES: usize = 64;

/// Parses one direction of a WebSocket.
#[derive(Debug)]
pub(crate) struct FrameParser {
    from_app: bool,
    /// Whether an extension compresses messages: RFC 7692.
    may_compress: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The part of a header that has arrived.
    Header(Vec<u8>),
    /// A frame, its mask, and the number of bytes of its payload that have arrived.
    Payload(Frame, Option<[u8; 4]>, u64),
    /// What went through was not a frame, so nothing is known of what follows.
    Lost,
}

/// Frames that ended in a piece of the stream: the last ones, and how many there were.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) last: VecDeque<Frame>,
    pub(crate) count: u64,
}

impl FrameParser {
    pub(crate) fn new(from_app: bool, may_compress: bool) -> Self {
        Self {
            from_app,
            may_compress,
            state: State::Header(Vec::new()),
        }
    }

    /// Takes the next bytes, which arrived at this time, and adds the frames that they end to `seen`.
    pub(crate) fn take(&mut self, mut bytes: &[u8], after: Duration, seen: &mut Seen) {
        loop {
            match &mut self.state {
                State::Lost => return,
                State::Header(head) => {
                    let known = head.len();
                    let missing = MAX_HEADER - known;
                    head.extend_from_slice(bytes.get(..missing).unwrap_or(bytes));
                    let mut cursor = Cursor::new(&head);
                    let header = FrameHeader::parse(&mut cursor);
                    let end = usize::try_from(cursor.position()).unwrap_or_default();
                    match header {
                        Ok(None) => return,
                        Err(_) => self.state = State::Lost,
                        Ok(Some((header, length))) => {
                            bytes = bytes.get(end.saturating_sub(known)..).unwrap_or_default();
                            self.state = self.payload(&header, length, after);
                        }
                    }
                }
                State::Payload(frame, mask, arrived) => {
                    let missing = usize::try_from(frame.length - *arrived).unwrap_or(usize::MAX);
                    let (part, rest) = bytes.split_at(missing.min(bytes.len()));
                    let kept = MAX_PAYLOAD - frame.payload.len();
                    let masked = part.iter().take(kept).zip(frame.payload.len()..);
                    let unmasked: Vec<_> = masked
                        .map(|(byte, index)| byte ^ mask.map_or(0, |mask| key_byte(mask, index)))
                        .collect();
                    frame.payload.extend_from_slice(&unmasked);
                    *arrived += part.len() as u64;
                    bytes = rest;
                    if *arrived < frame.length {
                        return;
                    }
                    let ended = State::Header(Vec::new());
                    if let State::Payload(frame, ..) = std::mem::replace(&mut self.state, ended) {
                        seen.add(frame);
                    }
                }
            }
        }
    }

    fn payload(&self, header: &FrameHeader, length: u64, after: Duration) -> State {
        let frame = Frame {
            from_app: self.from_app,
            after,
            opcode: header.opcode.into(),
            is_final: header.is_final,
            compressed: self.may_compress && header.rsv1,
            length,
            payload: Vec::new(),
        };
        State::Payload(frame, header.mask, 0)
    }
}

impl Seen {
    /// Returns roughly the memory that the frames take.
    pub(crate) fn size(&self) -> usize {
        self.last.iter().map(Frame::size).sum()
    }

    fn add(&mut self, frame: Frame) {
        if self.last.len() == MAX_FRAMES {
            self.last.pop_front();
        }
        self.last.push_back(frame);
        self.count += 1;
    }
}

fn key_byte(mask: [u8; 4], index: usize) -> u8 {
    mask.get(index % 4).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AFTER: Duration = Duration::from_millis(5);

    /// Returns frames with their payloads, however the bytes are cut.
    fn frames(bytes: &[u8], piece: usize, may_compress: bool) -> Vec<Frame> {
        let mut parser = FrameParser::new(true, may_compress);
        let mut seen = Seen::default();
        for piece in bytes.chunks(piece) {
            parser.take(piece, AFTER, &mut seen);
        }
        seen.last.into()
    }

    #[test]
    fn frames_are_found_in_whatever_pieces_they_arrive() {
        let long = vec![b'x'; 70_000];
        let mut bytes =
            b"\x81\x05Hello\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x89\x00".to_vec();
        bytes.extend(b"\x02\x7e\x01\x00");
        bytes.extend(&long[..256]);
        bytes.extend(b"\x80\x7f\x00\x00\x00\x00\x00\x01\x11\x70");
        bytes.extend(&long);
        bytes.extend(b"\x88\x02\x03\xe8");
        for piece in [1, 2, 3, 7, 100, 1000, bytes.len()] {
            let found = frames(&bytes, piece, false);
            let found: Vec<_> = found
                .iter()
                .map(|frame| {
                    (
                        frame.opcode,
                        frame.is_final,
                        frame.length,
                        frame.payload.len(),
                    )
                })
                .collect();
            assert_eq!(
                found,
                [
                    (1, true, 5, 5),
                    (1, true, 5, 5),
                    (9, true, 0, 0),
                    (2, false, 256, 256),
                    (0, true, 70_000, MAX_PAYLOAD),
                    (8, true, 2, 2),
                ],
                "{piece}"
            );
        }
        let texts = frames(&bytes, 4, false);
        assert_eq!(
            (&*texts[0].payload, &*texts[1].payload),
            (&b"Hello"[..], &b"Hello"[..])
        );
    }

    #[test]
    fn what_is_not_a_frame_ends_the_search() {
        assert!(frames(b"\x83\x00\x81\x00", 1, false).is_empty());
        assert!(frames(b"\x8f\x00\x81\x00", 4, false).is_empty());
    }

    #[test]
    fn compressed_frames_are_recognized() {
        let bytes = b"\xc1\x02ab\x81\x02ab";
        let compressed = |may| {
            frames(bytes, 3, may)
                .into_iter()
                .map(|frame| frame.compressed)
        };
        assert!(compressed(true).eq([true, false]));
        assert!(compressed(false).eq([false, false]));
    }

    #[test]
    fn of_many_small_frames_the_last_are_returned() {
        let mut parser = FrameParser::new(false, false);
        let mut seen = Seen::default();
        parser.take(&[0x8a, 0].repeat(1000), AFTER, &mut seen);
        assert_eq!((seen.count, seen.last.len()), (1000, MAX_FRAMES));
    }
}
