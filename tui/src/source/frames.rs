//! Stack frames for people: addresses become functions and lines, and frames that say nothing are folded.
//!
//! Addresses are resolved only for stacks that are shown, since reading debug information costs far more than
//! everything else a report does.

use std::{
    cell::RefCell, collections::HashMap, fs, os::unix::fs::FileExt, path::Path, rc::Rc, sync::Arc, time::SystemTime,
};

use lockscope_trace::{Definitions, Frame, Site, SiteId, StackId, TraceInfo, defs::Module};

/// A frame as it is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShownFrame {
    /// Function, or the address where nothing better is known.
    pub function: String,
    /// Place in the source.
    pub site: Option<Site>,
    /// It belongs to the standard library, the runtime or lockscope itself.
    pub is_boring: bool,
}

/// Resolves the frames of a trace's stacks.
pub struct Symbols {
    recorded: Option<SystemTime>,
    objects: RefCell<HashMap<Arc<str>, Option<Rc<Object>>>>,
}

struct Object {
    loader: addr2line::Loader,
    /// File offset, size in the file, virtual address of each loaded segment.
    segments: Vec<[u64; 3]>,
}

impl Symbols {
    /// Symbols for the stacks of a trace.
    pub fn new(info: &TraceInfo) -> Symbols {
        let recorded = (!info.started.is_zero()).then(|| SystemTime::UNIX_EPOCH.checked_add(info.started)).flatten();
        Symbols { recorded, objects: RefCell::default() }
    }

    /// The stack, innermost frame first, functions that were inlined included.
    pub fn stack(&self, defs: &Definitions, stack: StackId) -> Vec<ShownFrame> {
        let mut shown = Vec::new();
        for frame in defs.stack(stack).unwrap_or_default() {
            match &frame.function {
                Some(function) => shown.push(ShownFrame::new(function, frame.site.clone())),
                None => self.resolve(defs, frame, &mut shown),
            }
        }
        shown
    }

    /// The stack without what is above the call at `site` and without boring frames, unless nothing else is there.
    pub fn folded_stack(&self, defs: &Definitions, stack: StackId, site: Option<SiteId>) -> Vec<ShownFrame> {
        let all = self.stack(defs, stack);
        let call = site.and_then(|site| defs.site(site));
        let from = call.and_then(|call| all.iter().position(|frame| frame.is_at(call))).unwrap_or(0);
        let kept: Vec<ShownFrame> = all[from..].iter().filter(|frame| !frame.is_boring).cloned().collect();
        if kept.is_empty() { all } else { kept }
    }

    fn resolve(&self, defs: &Definitions, frame: &Frame, shown: &mut Vec<ShownFrame>) {
        let before = shown.len();
        // The address is where the call returns to; the call itself lies before it.
        let address = frame.address.saturating_sub(1);
        let module = defs.modules.iter().find(|module| (module.start..module.end).contains(&address));
        if let Some(module) = module
            && let Some(object) = self.object(&module.path)
            && let Some(probe) = object.virtual_address(module, address)
        {
            object.frames(probe, shown);
        }
        if shown.len() == before {
            let inside = module.map_or(String::new(), |module| format!(" in {}", file_name(&module.path)));
            shown.push(ShownFrame {
                function: format!("{:#x}{inside}", frame.address),
                site: frame.site.clone(),
                is_boring: true,
            });
        }
    }

    fn object(&self, path: &Arc<str>) -> Option<Rc<Object>> {
        if let Some(known) = self.objects.borrow().get(path) {
            return known.clone();
        }
        let opened = self.open(Path::new(&**path)).map(Rc::new);
        self.objects.borrow_mut().insert(path.clone(), opened.clone());
        opened
    }

    fn open(&self, path: &Path) -> Option<Object> {
        let metadata = fs::metadata(path).ok()?;
        // A program that was rebuilt since has other functions at these addresses: no name is better than a wrong one.
        let is_newer =
            self.recorded.zip(metadata.modified().ok()).is_some_and(|(recorded, modified)| modified > recorded);
        if !metadata.is_file() || is_newer {
            return None;
        }
        let segments = load_segments(&fs::File::open(path).ok()?)?;
        Some(Object { loader: addr2line::Loader::new(path).ok()?, segments })
    }
}

impl Object {
    fn virtual_address(&self, module: &Module, address: u64) -> Option<u64> {
        let offset = (address - module.start).checked_add(module.offset)?;
        let [start, _, virtual_start] =
            *self.segments.iter().find(|[start, size, _]| offset >= *start && offset - start < *size)?;
        virtual_start.checked_add(offset - start)
    }

    fn frames(&self, probe: u64, shown: &mut Vec<ShownFrame>) {
        let before = shown.len();
        let symbol =
            || self.loader.find_symbol(probe).map(|name| addr2line::demangle_auto(name.into(), None).into_owned());
        if let Ok(mut frames) = self.loader.find_frames(probe) {
            while let Ok(Some(frame)) = frames.next() {
                let name = frame.function.as_ref().and_then(|function| function.demangle().ok()).map(String::from);
                // Line tables alone have places and no functions; the symbol table has those that were not inlined.
                let Some(name) = name.or_else(symbol) else { continue };
                let site = frame.location.and_then(|location| {
                    let file = Definitions::clean(location.file?);
                    Some(Site { file, line: location.line.unwrap_or(0), column: location.column.unwrap_or(0) })
                });
                shown.push(ShownFrame::new(&name, site));
            }
        }
        if shown.len() == before {
            shown.extend(symbol().map(|name| ShownFrame::new(&name, None)));
        }
    }
}

impl ShownFrame {
    /// Whether it is at a recorded place. The compiler writes paths in two ways, so only the file's name is compared.
    fn is_at(&self, place: &Site) -> bool {
        let is_same = |site: &Site| site.line == place.line && file_name(&site.file) == file_name(&place.file);
        self.site.as_ref().is_some_and(is_same)
    }

    fn new(function: &str, site: Option<Site>) -> ShownFrame {
        let function = without_hash(&Definitions::clean(function)).to_owned();
        // The `main` that has a place in the source is the program's own; the other one is the C runtime's.
        let is_boring = (is_boring(&function) && (function != "main" || site.is_none()))
            || site.as_ref().is_some_and(|site| is_boring_file(&site.file));
        ShownFrame { is_boring, function, site }
    }
}

/// The legacy mangling ends in `::h` and 16 digits, which say nothing to people.
fn without_hash(function: &str) -> &str {
    match function.rsplit_once("::h") {
        Some((path, hash)) if hash.len() == 16 && hash.chars().all(|c| c.is_ascii_hexdigit()) => path,
        _ => function,
    }
}

/// Whether a frame belongs to what carries the program rather than to the program.
fn is_boring(function: &str) -> bool {
    const CRATES: &[&str] = &[
        "std",
        "core",
        "alloc",
        "test",
        "lockscope",
        "lockscope_lock_api",
        "lockscope_lock_api_05",
        "lockscope_parking_lot",
        "lockscope_parking_lot_012",
        "lockscope_trace",
        "parking_lot",
        "parking_lot_core",
        "lock_api",
        "backtrace",
        "rustc_demangle",
    ];
    const FUNCTIONS: &[&str] = &[
        "main",
        "_start",
        "clone",
        "clone3",
        "__clone",
        "__clone3",
        "start_thread",
        "__libc_start_main",
        "__libc_start_call_main",
        "__libc_start_main_impl",
        "rust_begin_unwind",
        "__rust_begin_short_backtrace",
    ];
    // `<core::option::Option<T> as bank::Ext>::f` belongs to whoever wrote the impl, which is not known; the trait's
    // crate is the better guess.
    let path = function.trim_start_matches(['<', '&', '*']);
    let path = match function.strip_prefix('<').and_then(|rest| rest.split_once(" as ")) {
        Some((_, of_trait)) => of_trait,
        None => path,
    };
    let first = path.split("::").next().unwrap_or(path);
    let first = first.split('[').next().unwrap_or(first);
    FUNCTIONS.contains(&function) || function.starts_with("__rust") || (path.contains("::") && CRATES.contains(&first))
}

/// Whether a file belongs to the standard library or to lockscope. Functions that were inlined have no path of their
/// own in the debug information, only a file.
fn is_boring_file(path: &str) -> bool {
    const LIBRARIES: &[&str] =
        &["/library/std/src/", "/library/core/src/", "/library/alloc/src/", "/library/test/src/"];
    const PACKAGES: &[&str] = &[
        "/backtrace-",
        "/lockscope-",
        "/lockscope-lock_api-",
        "/lockscope-lock_api_05-",
        "/lockscope-parking_lot-",
        "/lockscope-parking_lot_012-",
        "/parking_lot-",
        "/lock_api-",
    ];
    let is_of = |package: &&str| {
        path.rsplit_once(*package).is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    LIBRARIES.iter().any(|library| path.contains(library)) || PACKAGES.iter().any(is_of)
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Loaded segments of a 64-bit little-endian ELF file: file offset, size in the file, virtual address.
///
/// Mapped files are known by file offset, debug information by virtual address; the two differ by segment.
fn load_segments(file: &fs::File) -> Option<Vec<[u64; 3]>> {
    const LOAD: u32 = 1;
    let mut header = [0; 64];
    file.read_exact_at(&mut header, 0).ok()?;
    if !header.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let table = u64::from_le_bytes(header[32..40].try_into().ok()?);
    let entry_size = u64::from(u16::from_le_bytes([header[54], header[55]]));
    let n_entries = u64::from(u16::from_le_bytes([header[56], header[57]]));
    let mut segments = Vec::new();
    for idx in 0..n_entries {
        let mut entry = [0; 56];
        file.read_exact_at(&mut entry, table.checked_add(idx * entry_size)?).ok()?;
        let word = |at: usize| u64::from_le_bytes(entry[at..at + 8].try_into().expect("eight bytes"));
        if entry[..4] == LOAD.to_le_bytes() {
            segments.push([word(8), word(32), word(16)]);
        }
    }
    Some(segments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_begin_at_the_call() {
        let mut defs = Definitions::default();
        let site = |file: &str, line| Site { file: file.into(), line, column: 0 };
        let frame = |function: &str, site: Option<Site>| Frame { address: 0, function: Some(function.into()), site };
        defs.sites.push(site("examples/bank.rs", 35));
        defs.stacks.push(vec![
            frame("acquire<T>", Some(site("src/ops.rs", 44))),
            frame("bank::transfer", Some(site("crate/../examples/bank.rs", 35))),
            frame("std::thread::spawn", None),
            frame("bank::main", Some(site("crate/../examples/bank.rs", 96))),
        ]);
        let (stack, call) = (StackId::from_index(0).expect("small"), SiteId::from_index(0));
        let functions = |call| -> Vec<String> {
            let frames = Symbols::new(&TraceInfo::default()).folded_stack(&defs, stack, call);
            frames.into_iter().map(|frame| frame.function).collect()
        };
        assert_eq!(functions(call), ["bank::transfer", "bank::main"]);
        assert_eq!(functions(None), ["acquire<T>", "bank::transfer", "bank::main"]);
    }

    #[test]
    fn functions_are_judged_by_their_crate() {
        for (function, expected) in [
            ("std::sys::thread::start", true),
            ("core::ops::function::FnOnce::call_once{{vtable.shim}}", true),
            ("<alloc::boxed::Box<F> as core::ops::function::FnOnce<A>>::call_once", true),
            ("<bank::Bank as core::ops::drop::Drop>::drop", true),
            ("<alloc::vec::Vec<T> as bank::Ledger>::sum", false),
            ("lockscope_parking_lot::mutex::Mutex<T>::lock", true),
            ("bank::transfer", false),
            ("<bank::Bank>::transfer", false),
            ("standard::run", false),
            ("main", true),
            ("bank::main", false),
        ] {
            assert_eq!(is_boring(function), expected, "{function}");
        }
    }

    #[test]
    fn files_are_judged_by_their_package() {
        for (path, expected) in [
            ("/rustc/59807616e1fa/library/std/src/panicking.rs", true),
            ("/home/u/.cargo/registry/src/index-1949/backtrace-0.3.77/src/backtrace/mod.rs", true),
            ("/home/u/.cargo/registry/src/index-1949/lockscope-parking_lot-0.13.0/src/mutex.rs", true),
            ("/home/u/.cargo/registry/src/index-1949/dashmap-6.2.1/src/lib.rs", false),
            ("/home/u/lockscope-demo/src/main.rs", false),
            ("src/library/standard.rs", false),
        ] {
            assert_eq!(is_boring_file(path), expected, "{path}");
        }
    }

    #[test]
    fn hashes_are_dropped() {
        assert_eq!(without_hash("bank::main::h0123456789abcdef"), "bank::main");
        assert_eq!(without_hash("bank::hello"), "bank::hello");
    }

    /// The test's own functions, found by address as a reader of a trace would find them.
    #[test]
    fn addresses_become_functions_and_lines() {
        #[inline(never)]
        fn probe() {}
        let address = probe as *const () as u64 + 1;
        let maps = fs::read_to_string("/proc/self/maps").expect("the system has /proc");
        let mut defs = Definitions::default();
        for line in maps.lines() {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let number = |text: &str| u64::from_str_radix(text, 16).expect("hexadecimal");
            if let ([range, _, offset, _, _, path], Some(_)) = (fields.as_slice(), line.find('/')) {
                let (start, end) = range.split_once('-').expect("a range");
                let (start, end, offset) = (number(start), number(end), number(offset));
                defs.modules.push(Module { start, end, offset, path: (*path).into() });
            }
        }
        defs.stacks.push(vec![Frame { address, ..Frame::default() }]);
        let stack = StackId::from_index(0).expect("a small index");
        let frames = Symbols::new(&TraceInfo::default()).stack(&defs, stack);
        let found = frames.iter().find(|frame| frame.function.ends_with("probe")).expect("the function has a name");
        let site = found.site.as_ref().expect("it has a place");
        assert!(site.file.ends_with("frames.rs"), "{site}");

        let rebuilt = TraceInfo { started: std::time::Duration::from_secs(1), ..TraceInfo::default() };
        let frames = Symbols::new(&rebuilt).stack(&defs, stack);
        assert!(frames[0].function.starts_with("0x"), "a newer executable is not trusted: {}", frames[0].function);
    }
}
