/* SPDX-License-Identifier: Apache-2.0 OR (GPL-2.0-only OR BSD-3-Clause)
 *
 * The few fields of the kernel's structures that the tracer reads. Their places in the running
 * kernel are filled in when the object is loaded (CO-RE), from its BTF.
 */
#pragma once

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed int __s32;
typedef signed long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef __u8 bool;
#define true 1
#define false 0

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
};
struct bpf_dynptr {
	__u64 opaque[2];
} __attribute__((aligned(8)));

#define BPF_F_NO_PREALLOC 1
#define BPF_F_MMAPABLE 1024

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct net {
	__u64 net_cookie;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct net_device {
	char name[16];
	int ifindex;
	unsigned short type;
	possible_net_t nd_net;
};

struct sock_common {
	possible_net_t skc_net;
};

struct sock {
	struct sock_common __sk_common;
};

struct skb_shared_info {
	unsigned short gso_size;
	unsigned short gso_segs;
};

struct sk_buff {
	struct net_device *dev;
	struct sock *sk;
	unsigned int len;
	unsigned int data_len;
	unsigned int tail;
	unsigned int end;
	unsigned char *head;
	unsigned char *data;
	__be16 protocol;
	__be16 vlan_proto;
	__u16 vlan_tci;
	__u32 vlan_all; /* since 6.2: a tag is there when it is not 0 */
	__u16 network_header;
	__u16 mac_header;
};

/* Before 6.2. */
struct sk_buff___tagged {
	__u8 vlan_present : 1;
};

#pragma clang attribute pop
