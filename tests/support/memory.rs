//! The memory of a test's own process, if the system tells. Such a test runs [in a child](crate::in_child).

use std::fs;

/// Environment variables with which the allocator gives back what is freed: what it keeps for later is not measured.
pub const GIVEN_BACK: [(&str, &str); 3] = [
    ("MALLOC_ARENA_MAX", "1"),
    ("MALLOC_MMAP_THRESHOLD_", "65536"),
    ("MALLOC_TRIM_THRESHOLD_", "65536"),
];

/// Returns the bytes of memory that this process has.
#[must_use]
pub fn resident() -> Option<usize> {
    of_status("VmRSS:")
}

/// Returns the most bytes of memory that this process had at a time since its start, or since the last
/// [`forget_highest`].
#[must_use]
pub fn highest() -> Option<usize> {
    of_status("VmHWM:")
}

/// Starts the measurement of the highest memory again.
pub fn forget_highest() {
    // Systems that do not know this do not tell the highest either.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

fn of_status(name: &str) -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: usize = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}
