package supervisor

import "fmt"

// ntstatus names the exit codes that the system itself ends a process with, and those of runtimes that
// everybody meets: https://learn.microsoft.com/openspecs/windows_protocols/ms-erref
var ntstatus = map[uint32]string{
	0x40010004: "DBG_TERMINATE_PROCESS",
	0x80000003: "STATUS_BREAKPOINT",
	0xC0000005: "STATUS_ACCESS_VIOLATION: it used memory that is not its own",
	0xC0000006: "STATUS_IN_PAGE_ERROR: its file or the page file could not be read",
	0xC0000008: "STATUS_INVALID_HANDLE",
	0xC0000017: "STATUS_NO_MEMORY",
	0xC000001D: "STATUS_ILLEGAL_INSTRUCTION: made for another processor, or broken",
	0xC0000025: "STATUS_NONCONTINUABLE_EXCEPTION",
	0xC0000034: "STATUS_OBJECT_NAME_NOT_FOUND",
	0xC000007B: "STATUS_INVALID_IMAGE_FORMAT: a 32-bit DLL in a 64-bit program, or the other way round",
	0xC000008C: "STATUS_ARRAY_BOUNDS_EXCEEDED",
	0xC000008E: "STATUS_FLOAT_DIVIDE_BY_ZERO",
	0xC0000094: "STATUS_INTEGER_DIVIDE_BY_ZERO",
	0xC0000095: "STATUS_INTEGER_OVERFLOW",
	0xC0000096: "STATUS_PRIVILEGED_INSTRUCTION",
	0xC000009A: "STATUS_INSUFFICIENT_RESOURCES",
	0xC00000FD: "STATUS_STACK_OVERFLOW",
	0xC000012D: "STATUS_COMMITMENT_LIMIT: the memory and page file of the machine are used up",
	0xC0000135: "STATUS_DLL_NOT_FOUND: a DLL is missing",
	0xC0000138: "STATUS_ORDINAL_NOT_FOUND: a DLL is of another version",
	0xC0000139: "STATUS_ENTRYPOINT_NOT_FOUND: a DLL is of another version",
	0xC000013A: "STATUS_CONTROL_C_EXIT: ended by Ctrl-C",
	0xC0000142: "STATUS_DLL_INIT_FAILED: a DLL could not start, often because the desktop heap is used up",
	0xC000014A: "STATUS_ILLEGAL_FLOAT_CONTEXT",
	0xC000026B: "STATUS_DLL_INIT_FAILED_LOGOFF: started while the system shuts down",
	0xC000027B: "STATUS_STOWED_EXCEPTION",
	0xC0000374: "STATUS_HEAP_CORRUPTION",
	0xC0000409: "STATUS_STACK_BUFFER_OVERRUN: it ended itself at once, as abort and fail-fast do",
	0xC0000417: "STATUS_INVALID_CRUNTIME_PARAMETER",
	0xC000041D: "STATUS_FATAL_USER_CALLBACK_EXCEPTION",
	0xC0000420: "STATUS_ASSERTION_FAILURE",
	0xC0000602: "STATUS_FAIL_FAST_EXCEPTION",
	0xC06D007E: "a delay-loaded DLL is missing",
	0xC06D007F: "a delay-loaded DLL is of another version",
	0xE0434352: "an unhandled .NET exception",
	0xE06D7363: "an unhandled C++ exception",
}

// statusText shows an exit code of Windows: small ones as programs choose them, those of the system as
// people look them up, with their name.
func statusText(code int) string {
	hex := fmt.Sprintf("0x%08X", uint32(code))
	switch name, ok := ntstatus[uint32(code)]; {
	case ok:
		return hex + " (" + name + ")"
	case uint32(code) >= 0xC0000000:
		return hex
	}
	return fmt.Sprint(code)
}
