/* SPDX-License-Identifier: Apache-2.0 OR (GPL-2.0-only OR BSD-3-Clause)
 *
 * Where packets of watched network namespaces go, and where they end.
 *
 * Three tracepoints write one record each into a ring of layout.h: netif_receive_skb (an interface has
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

static __noinline bool is_followed(struct sk_buff *skb, __u32 network)
{
	struct flow flow, any;
	if (!read_flow(skb, network, &flow))
		return false;
	if (bpf_map_lookup_elem(&followed, &flow))
		return true;
	any = flow;
	__builtin_memset(any.source, 0, sizeof(any.source));
	if (bpf_map_lookup_elem(&followed, &any))
		return true;
	any = flow;
	__builtin_memset(any.target, 0, sizeof(any.target));
	return bpf_map_lookup_elem(&followed, &any) != 0;
}

static __noinline bool sampled_away(struct sk_buff *skb, __u32 network)
{
	struct flow flow;
	__u32 mask = (1U << (control.sampling & 31)) - 1;
	return read_flow(skb, network, &flow) && hash_of(&flow) & mask;
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

/* Bytes of the frame that lie in one piece at skb->head; the payload of TCP lies in pages. */
static __always_inline __u32 in_one_piece(struct sk_buff *skb, struct extent at)
{
	return skb->tail > at.start ? skb->tail - at.start : 0;
}

/* Add what lies in pages to the data of a hop. `before` is how much of the frame comes before
 * skb->data: 0 or a link header. */
static __noinline int read_pages(struct sk_buff *skb, struct hop *hop, __u32 before)
{
	struct bpf_dynptr bytes;
	__u32 size = skb->len, room = DATA - before;
	if (before != 0 && before != LINK_HEADER)
		return 0;
	if (size > room)
		size = room;
	if (bpf_dynptr_from_skb(skb, 0, &bytes))
		return 0;
	if (!bpf_dynptr_read(hop->data + before, size, &bytes, 0, 0))
		hop->event.captured = before + size;
	return 0;
}

static __noinline int read_whole_pages(struct sk_buff *skb, struct whole *whole, __u32 before)
{
	struct bpf_dynptr bytes;
	__u32 size = skb->len, room = WHOLE - before;
	if (before != 0 && before != LINK_HEADER)
		return 0;
	if (size > room)
		size = room;
	if (bpf_dynptr_from_skb(skb, 0, &bytes))
		return 0;
	if (!bpf_dynptr_read(whole->data + before, size, &bytes, 0, 0))
		whole->event.captured = before + size;
	return 0;
}

/* Which slot of which lap of a ring was taken. */
struct place {
	__u32 slot;
	__u32 lap; /* 0: none, the ring is full */
};

/* Several may take slots of a stripe at once: other processors, or an interrupt of this one. */
static __always_inline struct place take(void *positions, __u32 bits)
{
	struct place place = {0, 0};
	__u32 stripe = bpf_get_smp_processor_id() & settings.stripes;
	struct position *position = bpf_map_lookup_elem(positions, &stripe);
	if (!position)
		return place;
	/* Less than nothing waits where an interrupt has written, and the reader read, in between. */
	__s64 waiting = position->written - position->read;
	if (waiting >= (1LL << (bits & 31)) - (__s64)settings.margin)
		return place;
	__u64 at = __sync_fetch_and_add(&position->written, 1);
	place.slot = stripe << (bits & 31) | (at & ((1ULL << (bits & 31)) - 1));
	place.lap = (at >> (bits & 31)) + 1;
	return place;
}

/* From now on the reader takes it: all else that was written must be there before. A processor that
 * keeps stores in order needs nothing more; to wait until they are in memory costs a sixth of all. */
static __always_inline void publish(struct event *event, __u32 lap)
{
	if (settings.ordered)
		*(volatile __u32 *)&event->lap = lap;
	else
		__sync_lock_test_and_set(&event->lap, lap);
}

/* All but time, namespace, kind and data. */
static __always_inline void describe(struct event *event, struct sk_buff *skb,
				     struct net_device *dev, struct extent at)
{
	*(volatile __u64 *)&event->skb = (__u64)skb; /* the verifier counts with no pointer */
	event->skb = (*(volatile __u64 *)&event->skb ^ settings.secret) * settings.factor;
	event->interface[0] = event->interface[1] = 0;
	if (dev) {
		event->interface[0] = ((__u64 *)dev->name)[0];
		event->interface[1] = ((__u64 *)dev->name)[1];
	}
	event->length = skb->len + (__u32)(skb->data - skb->head) - at.start;
	event->protocol = skb->protocol;
	event->link_header = at.network - at.start;
	read_tag(skb, event);
	read_segments(skb, event);
}

/* Return how many bytes were captured. */
static __always_inline __u16 read_head(__u8 *data, struct sk_buff *skb, struct extent at)
{
	__u32 captured = in_one_piece(skb, at);
	/* More than there may be: behind a packet's bytes comes its skb_shared_info, of 320 bytes. */
	if (captured <= DATA / 2)
		bpf_probe_read_kernel(data, DATA / 2, skb->head + at.start);
	else
		bpf_probe_read_kernel(data, DATA, skb->head + at.start);
	return captured > DATA ? DATA : captured;
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

/* Record a frame with all that there is room for; false: the ring for those is full. */
static __always_inline bool record_whole(struct sk_buff *skb, struct net_device *dev,
					 enum kind kind, __u64 now, struct extent at, bool pages)
{
	struct place place = take(&whole_at, settings.whole_bits);
	struct whole *whole = bpf_map_lookup_elem(&wholes, &place.slot);
	if (!whole || !place.lap)
		return false;
	__u32 captured = in_one_piece(skb, at);
	if (captured > WHOLE)
		captured = WHOLE;
	whole->event.time = now;
	whole->event.cookie = dev->nd_net.net->net_cookie;
	whole->event.kind = kind;
	describe(&whole->event, skb, dev, at);
	bpf_probe_read_kernel(whole->data, captured, skb->head + at.start);
	whole->event.captured = captured;
	if (pages && skb->data_len && captured < WHOLE)
		read_whole_pages(skb, whole, (__u32)(skb->data - skb->head) - at.start);
	publish(&whole->event, place.lap);
	return true;
}

static __always_inline int hop(struct sk_buff *skb, struct net_device *dev, enum kind kind,
			       struct extent at, bool pages)
{
	__u64 cookie = dev->nd_net.net->net_cookie;
	__u32 *space = slot_of(cookie);
	if (!space)
		return 0;
	__u32 slot = *space & ~RECORDED;
	bool followed = control.followed && is_followed(skb, at.network);
	if (control.sampling && !followed && sampled_away(skb, at.network))
		return count(slot, SAMPLED);
	__u64 now = bpf_ktime_get_ns();
	if (!followed && over_rate(cookie, dev, kind, now))
		return count(slot, LOST_HOP);
	if ((followed || *space & RECORDED) && record_whole(skb, dev, kind, now, at, pages))
		return 0;
	struct place place = take(&hop_at, settings.hop_bits);
	struct hop *hop = bpf_map_lookup_elem(&hops, &place.slot);
	if (!hop || !place.lap)
		return count(slot, LOST_HOP);
	hop->event.time = now;
	hop->event.cookie = cookie;
	hop->event.kind = kind;
	describe(&hop->event, skb, dev, at);
	hop->event.captured = read_head(hop->data, skb, at);
	if (pages && skb->data_len && hop->event.captured < DATA)
		read_pages(skb, hop, (__u32)(skb->data - skb->head) - at.start);
	publish(&hop->event, place.lap);
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
	__u32 *space = slot_of(cookie);
	if (!space)
		return 0;
	struct extent at = extent_of(skb);
	struct place place = take(&drop_at, settings.drop_bits);
	struct drop *drop = bpf_map_lookup_elem(&drops, &place.slot);
	if (!drop || !place.lap)
		return count(*space & ~RECORDED, LOST_DROP);
	drop->event.time = bpf_ktime_get_ns();
	drop->event.cookie = cookie;
	drop->event.kind = DROPPED;
	drop->location = ctx[1];
	drop->reason = settings.arguments > 2 ? (__u32)ctx[2] : 0;
	describe(&drop->event, skb, dev, at);
	drop->event.captured = read_head(drop->data, skb, at);
	publish(&drop->event, place.lap);
	return 0;
}
