"""Every message that crosses a process, as typed records. Pure."""
