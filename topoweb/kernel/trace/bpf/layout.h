/* SPDX-License-Identifier: Apache-2.0 OR (GPL-2.0-only OR BSD-3-Clause)
 *
 * What the program shares with user space: `program.py`, `ring.py` and `flows.py` know it, too.
 */
#pragma once

#define DATA 128 /* first bytes of a frame that are recorded */
#define WHOLE 2048 /* of one that is followed, or of a lab that is recorded */
#define STRIPES 8 /* parts of a ring, each for some of the processors */
#define LABS 256
#define BUCKETS 16384
#define SPACES 65536

enum kind { RECEIVED, SENT, DROPPED };

/* Of 64 bytes, and so is a line of a processor's cache: a small packet writes two of them. */
struct event {
	__u32 lap; /* of the ring, from 1 on; written last */
	__u32 length; /* of the whole frame, without a tag that is not in it */
	__u64 time; /* CLOCK_MONOTONIC, ns */
	__u64 skb; /* its address, made unrecognisable */
	__u64 cookie; /* of the network namespace */
	__u64 interface[2]; /* its name, 16 bytes */
	__u8 kind;
	__u8 link_header; /* bytes of data before the network header */
	__u16 captured; /* bytes of data */
	__u16 protocol; /* skb->protocol */
	__u16 vlan_proto; /* of a tag beside the frame; 0: none */
	__u16 vlan_tci;
	__u16 gso_size;
	__u16 gso_segs;
	__u16 unused;
};

struct hop {
	struct event event;
	__u8 data[DATA];
};

struct whole {
	struct event event;
	__u8 data[WHOLE];
};

struct drop {
	struct event event;
	__u64 location;
	__u64 reason;
	__u8 data[DATA];
	__u8 unused[48];
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
	__u64 secret, factor; /* make addresses unrecognisable; the factor is odd: none become equal */
	__u32 stripes; /* in use, less 1; they are a power of two */
	__u32 margin; /* slots of a stripe that its processors may take at once */
	__u32 hop_bits, whole_bits, drop_bits; /* a stripe has 2^bits slots */
	__u32 ordered; /* the processor makes its stores visible in their order */
} settings;

/* Changed while it runs. */
volatile struct {
	__u32 sampling; /* n: one flow in 2^n is recorded */
	__u32 followed; /* how many flows there are in `followed` */
	__u32 crowded; /* how many namespaces there are in `crowded` */
} control;

/* How far a stripe is written and read, on lines of their own. */
struct position {
	__u64 written, apart[7];
	__u64 read, further[7];
};

/* The rings are arrays that the reader maps: to take a slot costs an addition, where the kernel's
 * own ring takes a lock. Their sizes are set before the program is loaded. */
#define RING(name, record)                                 \
	struct {                                           \
		__uint(type, BPF_MAP_TYPE_ARRAY);          \
		__uint(map_flags, BPF_F_MMAPABLE);         \
		__uint(max_entries, 1);                    \
		__type(key, __u32);                        \
		__type(value, record);                     \
	} name##s SEC(".maps");                            \
	struct {                                           \
		__uint(type, BPF_MAP_TYPE_ARRAY);          \
		__uint(map_flags, BPF_F_MMAPABLE);         \
		__uint(max_entries, STRIPES);              \
		__type(key, __u32);                        \
		__type(value, struct position);            \
	} name##_at SEC(".maps")

RING(hop, struct hop);
RING(whole, struct whole);
RING(drop, struct drop);

/* A network namespace by its cookie, which is never used twice, unlike the inode. */
struct space {
	__u64 cookie; /* 0: nobody */
	__u32 slot; /* of its lab, in `losses`; plus RECORDED: frames of it are wanted whole */
};

#define RECORDED 0x80000000

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
