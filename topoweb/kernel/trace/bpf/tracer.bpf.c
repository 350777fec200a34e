/* SPDX-License-Identifier: Apache-2.0 OR (GPL-2.0-only OR BSD-3-Clause)
 *
 * Where packets of watched network namespaces go, and where they end.
 *
 * Three tracepoints write one record each into a ring: netif_receive_skb (an interface has
 * received), net_dev_start_xmit (an interface sends), kfree_skb (a packet is dropped). Only
 * namespaces in the map `watched` are looked at. What is not recorded is counted.
 *
 * `scripts/bpf build` makes tracer.bpf.o of it. The kernel lends its helpers to programs with a
 * GPL-compatible licence alone, hence the licence string.
 */
#include "kernel_types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "layout.h"

/* Since Linux 6.12 for tracepoints. */
extern int bpf_dynptr_from_skb(struct sk_buff *skb, __u64 flags, struct bpf_dynptr *bytes) __ksym
	__attribute__((weak));

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define UNSET 0xffff /* skb->mac_header that was never set */
#define ETHERNET 1 /* net_device->type */
#define LOOPBACK 772
#define LINK_HEADER 14
#define LINK_HEADER_MAX 22 /* with two VLAN tags */
#define IPV4 0x0008 /* skb->protocol, in network order */
#define IPV6 0xdd86

/* Where a frame begins, as offsets from skb->head. */
struct extent {
	__u32 start;
	__u32 network;
};

static __always_inline __u64 mixed(__u64 value)
{
	value ^= value >> 32;
	value *= 0x9e3779b97f4a7c15ULL;
	return value ^ value >> 29;
}

/* Return the slot of a namespace's lab; 0: it is not watched. */
static __always_inline __u32 *slot_of(__u64 cookie)
{
	__u32 at = cookie & (SPACES - 1);
	struct space *space = bpf_map_lookup_elem(&watched, &at);
	if (!space || !cookie)
		return 0;
	if (space->cookie == cookie)
		return &space->slot;
	return control.crowded ? bpf_map_lookup_elem(&crowded, &cookie) : 0;
}

static __always_inline bool has_link_header(struct net_device *dev)
{
	__u16 type = dev->type;
	return type == ETHERNET || type == LOOPBACK;
}

static __always_inline bool over_rate(__u64 cookie, struct net_device *dev, enum kind kind, __u64 now)
{
	if (!settings.interval)
		return false;
	__u32 at = mixed(cookie << 32 ^ dev->ifindex << 1 ^ kind) & (BUCKETS - 1);
	__u64 *bucket = bpf_map_lookup_elem(&buckets, &at);
	if (!bucket)
		return false;
	__u64 due = *bucket < now ? now : *bucket;
	if (due > now + settings.burst)
		return true;
	*bucket = due + settings.interval;
	return false;
}

/* False for what is not IP. */
static __always_inline bool read_flow(struct sk_buff *skb, __u32 network, struct flow *flow)
{
	__u32 header[10];
	__builtin_memset(flow, 0, sizeof(*flow));
	if (skb->protocol == IPV4) {
		if (bpf_probe_read_kernel(header, 20, skb->head + network))
			return false;
		flow->source[0] = header[3];
		flow->target[0] = header[4];
		flow->protocol = ((__u8 *)header)[9];
		return true;
	}
	if (skb->protocol != IPV6 || bpf_probe_read_kernel(header, 40, skb->head + network))
		return false;
	__builtin_memcpy(flow->source, header + 2, 16);
	__builtin_memcpy(flow->target, header + 6, 16);
	flow->protocol = 256 + ((__u8 *)header)[6];
	return true;
}

/* Equal for both directions. */
static __always_inline __u64 hash_of(const struct flow *flow)
{
	__u64 sum = 0;
#pragma unroll
	for (int i = 0; i < 4; i++)
		sum += mixed(flow->source[i] + ((__u64)i << 32)) + mixed(flow->target[i] + ((__u64)i << 32));
	return mixed(sum + flow->protocol);
}

static __always_inline bool is_followed(const struct flow *flow)
{
	if (!control.followed)
		return false;
	if (bpf_map_lookup_elem(&followed, flow))
		return true;
	struct flow any = *flow;
	__builtin_memset(any.source, 0, sizeof(any.source));
	if (bpf_map_lookup_elem(&followed, &any))
		return true;
	any = *flow;
	__builtin_memset(any.target, 0, sizeof(any.target));
	return bpf_map_lookup_elem(&followed, &any) != 0;
}

static __noinline bool spared(struct sk_buff *skb, __u32 network)
{
	struct flow flow;
	return control.followed && read_flow(skb, network, &flow) && is_followed(&flow);
}

static __noinline bool sampled_away(struct sk_buff *skb, __u32 network)
{
	struct flow flow;
	__u32 mask = (1U << (control.sampling & 31)) - 1;
	return mask && read_flow(skb, network, &flow) && hash_of(&flow) & mask && !is_followed(&flow);
}

static __always_inline void read_tag(struct sk_buff *skb, struct event *event)
{
	bool there;
	if (bpf_core_field_exists(((struct sk_buff___tagged *)skb)->vlan_present))
		there = BPF_CORE_READ_BITFIELD_PROBED((struct sk_buff___tagged *)skb, vlan_present);
	else
		there = skb->vlan_all != 0;
	event->vlan_proto = there ? skb->vlan_proto : 0;
	event->vlan_tci = there ? skb->vlan_tci : 0;
}

static __always_inline void read_segments(struct sk_buff *skb, struct event *event)
{
	event->gso_size = event->gso_segs = 0;
	if (event->length <= DATA)
		return;
	struct skb_shared_info *shared = (void *)(skb->head + skb->end);
	event->gso_size = BPF_CORE_READ(shared, gso_size);
	event->gso_segs = BPF_CORE_READ(shared, gso_segs);
}

/* Add what lies in pages, as all payload of TCP does, to the data of a hop. `before` is how much
 * of the frame comes before skb->data: 0 or a link header. */
static __noinline int read_pages(struct sk_buff *skb, struct event *event, __u32 before)
{
	struct bpf_dynptr bytes;
	__u32 size = skb->len, room = DATA - before;
	if (before != 0 && before != LINK_HEADER)
		return 0;
	if (size > room)
		size = room;
	if (bpf_dynptr_from_skb(skb, 0, &bytes))
		return 0;
	if (!bpf_dynptr_read(event->data + before, size, &bytes, 0, 0))
		event->captured = before + size;
	return 0;
}

static __always_inline void record(struct event *event, struct sk_buff *skb,
				   struct net_device *dev, struct extent at, bool pages)
{
	__u32 captured = skb->tail > at.start ? skb->tail - at.start : 0;
	event->skb = (__u64)skb;
	event->interface[0] = event->interface[1] = 0;
	if (dev) {
		event->interface[0] = ((__u64 *)dev->name)[0];
		event->interface[1] = ((__u64 *)dev->name)[1];
	}
	event->length = skb->len + (__u32)(skb->data - skb->head) - at.start;
	event->protocol = skb->protocol;
	event->captured = captured > DATA ? DATA : captured;
	event->link_header = at.network - at.start;
	read_tag(skb, event);
	read_segments(skb, event);
	/* More than there may be: behind a packet's bytes comes its skb_shared_info, of 320 bytes. */
	if (captured <= DATA / 2)
		bpf_probe_read_kernel(event->data, DATA / 2, skb->head + at.start);
	else
		bpf_probe_read_kernel(event->data, DATA, skb->head + at.start);
	if (pages && skb->data_len && captured < DATA)
		read_pages(skb, event, (__u32)(skb->data - skb->head) - at.start);
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
}

enum lost { LOST_HOP, LOST_DROP, SAMPLED };

static __always_inline int count(__u32 slot, enum lost what)
{
	struct loss *loss = bpf_map_lookup_elem(&losses, &slot);
	if (!loss)
		return 0;
	loss->hops += what == LOST_HOP;
	loss->drops += what == LOST_DROP;
	loss->sampled += what == SAMPLED;
	return 0;
}

static __always_inline int hop(struct sk_buff *skb, struct net_device *dev, enum kind kind,
			       struct extent at, bool pages)
{
	__u64 cookie = dev->nd_net.net->net_cookie;
	__u32 *slot = slot_of(cookie);
	if (!slot)
		return 0;
	if (control.sampling && sampled_away(skb, at.network))
		return count(*slot, SAMPLED);
	__u64 now = bpf_ktime_get_ns();
	if (over_rate(cookie, dev, kind, now) && !spared(skb, at.network))
		return count(*slot, LOST_HOP);
	struct event *event = bpf_ringbuf_reserve(&hops, sizeof(*event), 0);
	if (!event)
		return count(*slot, LOST_HOP);
	event->time = now;
	event->cookie = cookie;
	event->kind = kind;
	event->reason = 0;
	event->location = 0;
	record(event, skb, dev, at, pages);
	return 0;
}

static __always_inline int received(__u64 *ctx, bool pages)
{
	struct sk_buff *skb = (void *)ctx[0];
	struct net_device *dev = skb->dev;
	__u32 data = skb->data - skb->head; /* the network header's place is not set yet */
	struct extent at = {data, data};
	if (has_link_header(dev) && skb->mac_header < data)
		at.start = skb->mac_header;
	return hop(skb, dev, RECEIVED, at, pages);
}

static __always_inline int sent(__u64 *ctx, bool pages)
{
	struct sk_buff *skb = (void *)ctx[0];
	struct net_device *dev = (void *)ctx[1];
	__u32 data = skb->data - skb->head;
	struct extent at = {data, data};
	if (has_link_header(dev))
		at.network += LINK_HEADER;
	return hop(skb, dev, SENT, at, pages);
}

SEC("tp_btf/netif_receive_skb")
int on_receive(__u64 *ctx)
{
	return received(ctx, true);
}

SEC("tp_btf/net_dev_start_xmit")
int on_send(__u64 *ctx)
{
	return sent(ctx, true);
}

/* For kernels that let no tracepoint read pages. */
SEC("tp_btf/netif_receive_skb")
int on_receive_plain(__u64 *ctx)
{
	return received(ctx, false);
}

SEC("tp_btf/net_dev_start_xmit")
int on_send_plain(__u64 *ctx)
{
	return sent(ctx, false);
}

/* A packet may be dropped anywhere: with a link header, before it got one, behind it. */
static __always_inline struct extent extent_of(struct sk_buff *skb)
{
	__u32 data = skb->data - skb->head, link = skb->mac_header, network = skb->network_header;
	struct extent at = {data, data};
	if (!network || network == UNSET)
		return at;
	at.start = at.network = network;
	if (link != UNSET && link + LINK_HEADER <= network && network <= link + LINK_HEADER_MAX)
		at.start = link;
	else if (data + LINK_HEADER == network)
		at.start = data;
	return at;
}

static __always_inline __u64 cookie_of(struct sock *sk)
{
	return sk->__sk_common.skc_net.net->net_cookie;
}

SEC("tp_btf/kfree_skb")
int on_drop(__u64 *ctx)
{
	struct sk_buff *skb = (void *)ctx[0];
	struct net_device *dev = skb->dev;
	__u64 cookie = dev ? dev->nd_net.net->net_cookie : 0;
	if (!cookie) { /* no device yet, or something else lies in its place: reads as 0 */
		dev = 0;
		struct sock *sk = skb->sk;
		if (sk)
			cookie = cookie_of(sk);
		else if (settings.arguments > 3) {
			struct sock *receiver = (void *)ctx[3];
			cookie = receiver ? cookie_of(receiver) : 0;
		}
	}
	__u32 *slot = slot_of(cookie);
	if (!slot)
		return 0;
	struct event *event = bpf_ringbuf_reserve(&drops, sizeof(*event), 0);
	if (!event)
		return count(*slot, LOST_DROP);
	event->time = bpf_ktime_get_ns();
	event->cookie = cookie;
	event->kind = DROPPED;
	event->location = ctx[1];
	event->reason = settings.arguments > 2 ? (__u32)ctx[2] : 0;
	record(event, skb, dev, extent_of(skb), false);
	return 0;
}
