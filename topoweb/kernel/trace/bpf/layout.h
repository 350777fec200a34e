/* SPDX-License-Identifier: Apache-2.0 OR (GPL-2.0-only OR BSD-3-Clause)
 *
 * What the program shares with user space: `program.py`, `ring.py` and `flows.py` know it, too.
 */
#pragma once

#define DATA 128 /* first bytes of a frame that are recorded */
#define LABS 256
#define BUCKETS 16384
#define SPACES 65536

enum kind { RECEIVED, SENT, DROPPED };

struct event {
	__u64 time; /* CLOCK_MONOTONIC, ns */
	__u64 skb;
	__u64 location;
	__u64 cookie; /* of the network namespace */
	__u64 interface[2]; /* its name, 16 bytes */
	__u32 length; /* of the whole frame, without a tag that is not in it */
	__u32 reason;
	__u16 protocol; /* skb->protocol */
	__u16 vlan_proto; /* of a tag beside the frame; 0: none */
	__u16 vlan_tci;
	__u16 gso_size;
	__u16 gso_segs;
	__u8 captured; /* bytes of data */
	__u8 link_header; /* bytes of data before the network header */
	__u8 kind;
	__u8 data[DATA];
};

struct loss {
	__u64 hops; /* the ring was full, or the interface over its rate */
	__u64 drops; /* the ring was full */
	__u64 sampled;
};

/* IPv4 addresses are in the first word. An address of zeros stands for any. */
struct flow {
	__u32 source[4];
	__u32 target[4];
	__u32 protocol; /* of IP, plus 256 for IPv6 */
};

/* Set before the program is loaded. */
const volatile struct {
	__u32 arguments; /* of the tracepoint kfree_skb: 2, 3 (reason) or 4 (rx_sk) */
	__u64 interval; /* ns between the hops of one interface in the long run; 0: no limit */
	__u64 burst; /* ns that an interface may be ahead */
} settings;

/* Changed while it runs. */
volatile struct {
	__u32 sampling; /* n: one flow in 2^n is recorded */
	__u32 followed; /* how many flows there are in `followed` */
	__u32 crowded; /* how many namespaces there are in `crowded` */
} control;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} drops SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} hops SEC(".maps");

/* A network namespace by its cookie, which is never used twice, unlike the inode. */
struct space {
	__u64 cookie; /* 0: nobody */
	__u32 slot; /* of its lab, in `losses` */
};

/* By the cookie's low bits. A look costs a sixth of what it does in a hash map. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SPACES);
	__type(key, __u32);
	__type(value, struct space);
} watched SEC(".maps");

/* Namespaces whose place in `watched` is taken, by cookie. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SPACES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u32);
} crowded SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LABS);
	__type(key, __u32);
	__type(value, struct loss);
} losses SEC(".maps");

/* Token buckets by interface and direction (generic cell rate algorithm: when the next is due).
 * Two that fall together share a rate, which costs counted hops at worst, and no upkeep. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BUCKETS);
	__type(key, __u32);
	__type(value, __u64);
} buckets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct flow);
	__type(value, __u32);
} followed SEC(".maps");
