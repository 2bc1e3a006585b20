//! An allocator that ends the process when it is asked for an absurd amount: a header that lies must not be believed.

use std::alloc::{GlobalAlloc, Layout, System};

/// More than any input of the fuzzer deserves at once.
const MOST_AT_ONCE: usize = 256 << 20;

pub(crate) struct Limited;

impl Limited {
    #[allow(clippy::print_stderr, reason = "the process ends here")]
    fn check(size: usize) {
        if size > MOST_AT_ONCE {
            // The message must not ask for memory itself, nor find its way back here.
            eprintln!("fuzz: somebody asks for {size} bytes at once");
            std::process::abort();
        }
    }
}

#[allow(unsafe_code, reason = "there is no other way to write an allocator")]
// SAFETY: every request goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Limited {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::check(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::check(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Self::check(size);
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}
