//! Parses the frames of a WebSocket from a copy of its bytes.
