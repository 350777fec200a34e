"""The BPF tier: a program on the kernel's own tracepoints (`tracer.bpf.c`) and what reads it."""
