// The floor of apply: the kernel work of a plan, with as little else as C can do.
//
// One user namespace owns all network namespaces, a child holds them; both veth ends are made in
// their final namespaces in one message, 64 messages a send; then one send a namespace. So it does
// what topoweb's engine asks of the kernel, no less: the ratio of the two is the engine's own cost.
//
// gcc -O2 floor.c -o floor; floor PLAN  (see _floor.py for the lines of a plan)
// Prints {"wall", "cpu", "gone", "errors"} in seconds: CPU of this process and of the holder,
// "gone" from the holder's end until every namespace has been seen gone.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LINES = 100000, BATCH = 64, FIRST_FD = 100, UID_BASE = 2000000000 };

typedef struct { int index, mtu, up, master; char name[16], mac[18], tag[64]; } end_t;
typedef struct { int space; end_t end; int far_space; end_t far; } cable_t;
typedef struct { int space, index, length; char prefix[48], via[48]; int next; } line_t;

static int spaces, bridges, cables, addresses, routes, errors;
static int forward[LINES], fds[LINES];
static struct { int space; end_t end; int stp, ageing; } bridge[LINES];
static cable_t *cable;
static line_t *address, *route;

// Lines of each namespace, as linked lists by position.
static int far_first[LINES], *far_next, near_first[LINES], *near_next;
static int address_first[LINES], route_first[LINES];

static char out[1 << 18];
static int used, count, sequence;

static void die(const char *what) { perror(what); exit(1); }

static double seconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static struct nlmsghdr *begin(int type, int flags, const void *body, int size) {
    struct nlmsghdr *m = (void *)(out + used);
    memset(m, 0, sizeof *m);
    m->nlmsg_type = type;
    m->nlmsg_flags = NLM_F_REQUEST | flags;
    m->nlmsg_seq = ++sequence;
    memcpy(NLMSG_DATA(m), body, size);
    m->nlmsg_len = NLMSG_LENGTH(size);
    return m;
}

static struct rtattr *put(struct nlmsghdr *m, int type, const void *data, int size) {
    struct rtattr *a = (void *)((char *)m + NLMSG_ALIGN(m->nlmsg_len));
    a->rta_type = type;
    a->rta_len = RTA_LENGTH(size);
    if (size) memcpy(RTA_DATA(a), data, size);
    m->nlmsg_len = NLMSG_ALIGN(m->nlmsg_len) + RTA_ALIGN(a->rta_len);
    return a;
}

static void put32(struct nlmsghdr *m, int type, unsigned value) { put(m, type, &value, 4); }
static void nest_end(struct nlmsghdr *m, struct rtattr *a) {
    a->rta_len = (char *)m + m->nlmsg_len - (char *)a;
}
static void end_message(struct nlmsghdr *m) { used += NLMSG_ALIGN(m->nlmsg_len); count++; }

static int open_socket(void) {
    int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), one = 1;
    if (s < 0) die("netlink");
    setsockopt(s, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof one);
    return s;
}

static void flush(int s) {  // the last message asks for an acknowledgement
    static char in[1 << 16];
    struct nlmsghdr *m = (void *)out, *last = m;
    if (!used) return;
    for (int at = 0; at < used; at += NLMSG_ALIGN(last->nlmsg_len)) last = (void *)(out + at);
    last->nlmsg_flags |= NLM_F_ACK;
    unsigned wanted = last->nlmsg_seq;
    if (send(s, out, used, 0) < 0) die("send");
    for (int done = 0; !done;) {
        int n = recv(s, in, sizeof in, 0);
        if (n < 0) die("recv");
        for (m = (void *)in; NLMSG_OK(m, n); m = NLMSG_NEXT(m, n)) {
            if (m->nlmsg_type != NLMSG_ERROR) continue;
            int code = ((struct nlmsgerr *)NLMSG_DATA(m))->error;
            if (code && errors++ < 5) fprintf(stderr, "refused: %s\n", strerror(-code));
            done |= m->nlmsg_seq == wanted;
        }
    }
    used = count = 0;
}

static void put_end(struct nlmsghdr *m, const end_t *e) {
    unsigned char mac[6];
    put(m, IFLA_IFNAME, e->name, strlen(e->name) + 1);
    put32(m, IFLA_MTU, e->mtu);
    put32(m, IFLA_NUM_TX_QUEUES, 1);
    put32(m, IFLA_NUM_RX_QUEUES, 1);
    if (sscanf(e->mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2, mac + 3, mac + 4,
               mac + 5) == 6)
        put(m, IFLA_ADDRESS, mac, 6);
}

static void add_cable(const cable_t *c) {
    struct ifinfomsg info = {.ifi_index = c->end.index}, peer = {.ifi_index = c->far.index};
    if (c->end.up) info.ifi_flags = info.ifi_change = 1;
    struct nlmsghdr *m = begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof info);
    put_end(m, &c->end);
    if (c->end.master) put32(m, IFLA_MASTER, c->end.master);
    struct rtattr *link = put(m, IFLA_LINKINFO, 0, 0);
    put(m, IFLA_INFO_KIND, "veth", 5);
    struct rtattr *data = put(m, IFLA_INFO_DATA, 0, 0);
    struct rtattr *far = put(m, VETH_INFO_PEER, &peer, sizeof peer);
    put_end(m, &c->far);
    put32(m, IFLA_NET_NS_FD, fds[c->far_space]);
    nest_end(m, far);
    nest_end(m, data);
    nest_end(m, link);
    end_message(m);
}

static void set_link(const end_t *e, int up, int master) {
    struct ifinfomsg info = {.ifi_index = e->index, .ifi_flags = up, .ifi_change = up >= 0};
    if (up < 0) info.ifi_flags = 0;
    struct nlmsghdr *m = begin(RTM_NEWLINK, 0, &info, sizeof info);
    if (e->tag[0]) put(m, IFLA_IFALIAS, e->tag, strlen(e->tag));
    if (master) put32(m, IFLA_MASTER, master);
    end_message(m);
}

static void add_bridge(int i) {
    struct ifinfomsg info = {.ifi_index = bridge[i].end.index};
    struct nlmsghdr *m = begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof info);
    put(m, IFLA_IFNAME, bridge[i].end.name, strlen(bridge[i].end.name) + 1);
    put32(m, IFLA_MTU, bridge[i].end.mtu);
    struct rtattr *link = put(m, IFLA_LINKINFO, 0, 0);
    put(m, IFLA_INFO_KIND, "bridge", 7);
    struct rtattr *data = put(m, IFLA_INFO_DATA, 0, 0);
    put32(m, IFLA_BR_AGEING_TIME, bridge[i].ageing * 100);
    put32(m, IFLA_BR_STP_STATE, bridge[i].stp);
    nest_end(m, data);
    nest_end(m, link);
    end_message(m);
    set_link(&bridge[i].end, bridge[i].end.up, 0);
}

static void add_address(const line_t *a) {
    struct ifaddrmsg info = {.ifa_family = AF_INET, .ifa_prefixlen = a->length, .ifa_index = a->index};
    unsigned ip, broadcast;
    inet_pton(AF_INET, a->prefix, &ip);
    broadcast = ip | htonl(0xffffffffu >> a->length);
    struct nlmsghdr *m = begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof info);
    put32(m, IFA_LOCAL, ip);
    put32(m, IFA_ADDRESS, ip);
    if (a->length < 31) put32(m, IFA_BROADCAST, broadcast);
    end_message(m);
}

static void add_route(const line_t *r) {
    struct rtmsg info = {.rtm_family = AF_INET, .rtm_dst_len = r->length, .rtm_table = RT_TABLE_MAIN,
                         .rtm_protocol = 200, .rtm_type = RTN_UNICAST};
    unsigned prefix, via;
    inet_pton(AF_INET, r->prefix, &prefix);
    inet_pton(AF_INET, r->via, &via);
    struct nlmsghdr *m = begin(RTM_NEWROUTE, NLM_F_CREATE, &info, sizeof info);
    if (r->length) put32(m, RTA_DST, prefix);
    put32(m, RTA_GATEWAY, via);
    if (r->index) put32(m, RTA_OIF, r->index);
    end_message(m);
}

static void write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY);
    if (fd < 0 || write(fd, text, strlen(text)) < 0) die(path);
    close(fd);
}

static void hold(int to_parent, int from_parent) {  // the child: namespaces by descriptor
    char byte;
    if (unshare(CLONE_NEWUSER)) die("user namespace");
    if (write(to_parent, "u", 1) != 1 || read(from_parent, &byte, 1) != 1) exit(1);
    if (setresgid(0, 0, 0) || setresuid(0, 0, 0)) die("root");
    for (int i = 0; i < spaces; i++) {
        if (unshare(CLONE_NEWNET)) die("network namespace");
        int fd = open("/proc/self/ns/net", O_RDONLY);
        if (dup2(fd, FIRST_FD + i) < 0) die("dup2");
        if (fd != FIRST_FD + i) close(fd);
    }
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    double cpu = r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1e-6;
    if (write(to_parent, &cpu, sizeof cpu) != sizeof cpu) exit(1);
    for (;;) pause();
}

static int make_namespaces(double *cpu) {
    int up[2], down[2];
    char path[64], text[64], byte;
    if (pipe2(up, O_CLOEXEC) || pipe2(down, O_CLOEXEC)) die("pipe");
    int child = fork();
    if (!child) hold(up[1], down[0]);
    if (read(up[0], &byte, 1) != 1) die("child");
    snprintf(text, sizeof text, "0 %u 65536", UID_BASE);
    snprintf(path, sizeof path, "/proc/%d/gid_map", child);
    write_file(path, text);
    snprintf(path, sizeof path, "/proc/%d/uid_map", child);
    write_file(path, text);
    if (write(down[1], "g", 1) != 1 || read(up[0], cpu, sizeof *cpu) != sizeof *cpu) die("child");
    for (int i = 0; i < spaces; i++) {
        snprintf(path, sizeof path, "/proc/%d/fd/%d", child, FIRST_FD + i);
        if ((fds[i] = open(path, O_RDONLY | O_CLOEXEC)) < 0) die(path);
    }
    return child;
}

static void enter(int space) { if (setns(fds[space], CLONE_NEWNET)) die("setns"); }

static void apply(void) {
    for (int i = 0; i < bridges; i++) {
        enter(bridge[i].space);
        write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
        int s = open_socket();
        add_bridge(i);
        flush(s);
        close(s);
    }
    for (int n = 0; n < spaces; n++) {
        if (near_first[n] < 0) continue;
        enter(n);
        int s = open_socket();
        for (int i = near_first[n]; i >= 0; i = near_next[i]) {
            add_cable(cable + i);
            if (count == BATCH) flush(s);
        }
        flush(s);
        close(s);
    }
    end_t lo = {.index = 1};
    for (int n = 0; n < spaces; n++) {
        enter(n);
        if (forward[n]) {
            write_file("/proc/sys/net/ipv4/ip_forward", "1");
            write_file("/proc/sys/net/ipv6/conf/all/forwarding", "1");
        }
        int s = open_socket();
        set_link(&lo, 1, 0);
        for (int i = near_first[n]; i >= 0; i = near_next[i]) {
            set_link(&cable[i].end, -1, 0);
            if (used > 60000) flush(s);
        }
        for (int i = far_first[n]; i >= 0; i = far_next[i])
            set_link(&cable[i].far, cable[i].far.up, cable[i].far.master);
        for (int i = address_first[n]; i >= 0; i = address[i].next) add_address(address + i);
        for (int i = route_first[n]; i >= 0; i = route[i].next) add_route(route + i);
        flush(s);
        close(s);
    }
}

static double wait_until_gone(int child) {  // ids in a namespace of our own vanish with their owners
    static char in[1 << 16];
    if (unshare(CLONE_NEWNET)) die("observer");
    int s = open_socket(), events = open_socket(), group = RTNLGRP_NSID;
    struct sockaddr_nl any = {.nl_family = AF_NETLINK};
    if (bind(events, (void *)&any, sizeof any)) die("bind");
    setsockopt(events, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group);
    fcntl(events, F_SETFL, O_NONBLOCK);
    struct rtgenmsg gen = {0};
    double start = seconds(CLOCK_MONOTONIC);
    for (int i = 0; i < spaces; i++) {
        struct nlmsghdr *m = begin(RTM_NEWNSID, 0, &gen, sizeof gen);
        m->nlmsg_len = NLMSG_LENGTH(4);
        put32(m, NETNSA_NSID, i);
        put32(m, NETNSA_FD, fds[i]);
        end_message(m);
        if (count == BATCH) flush(s);
    }
    flush(s);
    for (int i = 0; i < spaces; i++) close(fds[i]);
    kill(child, SIGKILL);
    waitpid(child, 0, 0);
    for (;;) {
        int left = 0, done = 0;
        struct nlmsghdr *m = begin(RTM_GETNSID, NLM_F_DUMP, &gen, sizeof gen);
        m->nlmsg_len = NLMSG_LENGTH(4);
        if (send(s, m, m->nlmsg_len, 0) < 0) die("send");
        while (!done) {
            int n = recv(s, in, sizeof in, 0);
            for (m = (void *)in; NLMSG_OK(m, n); m = NLMSG_NEXT(m, n))
                if (m->nlmsg_type == NLMSG_DONE) done = 1;
                else left++;
        }
        if (!left) return seconds(CLOCK_MONOTONIC) - start;
        struct pollfd p = {events, POLLIN, 0};
        poll(&p, 1, 1000);
        while (recv(events, in, sizeof in, 0) > 0 || errno == ENOBUFS) {}
    }
}

static void read_plan(const char *path) {
    static char text[512];
    FILE *f = fopen(path, "r");
    if (!f) die(path);
    cable = calloc(LINES, sizeof *cable);
    address = calloc(LINES, sizeof *address);
    route = calloc(LINES, sizeof *route);
    far_next = calloc(LINES, sizeof(int));
    near_next = calloc(LINES, sizeof(int));
    memset(far_first, -1, sizeof far_first);
    memset(near_first, -1, sizeof near_first);
    memset(address_first, -1, sizeof address_first);
    memset(route_first, -1, sizeof route_first);
    while (fgets(text, sizeof text, f)) {
        if (text[0] == 'N') sscanf(text, "N %d", &forward[spaces++]);
        else if (text[0] == 'B') {
            end_t *e = &bridge[bridges].end;
            sscanf(text, "B %d %d %15s %d %d %d %d %63s", &bridge[bridges].space, &e->index, e->name,
                   &e->mtu, &e->up, &bridge[bridges].stp, &bridge[bridges].ageing, e->tag);
            bridges++;
        } else if (text[0] == 'L') {
            cable_t *c = cable + cables;
            sscanf(text, "L %d %d %15s %17s %d %d %d %63s %d %d %15s %17s %d %d %d %63s", &c->space,
                   &c->end.index, c->end.name, c->end.mac, &c->end.mtu, &c->end.up, &c->end.master,
                   c->end.tag, &c->far_space, &c->far.index, c->far.name, c->far.mac, &c->far.mtu,
                   &c->far.up, &c->far.master, c->far.tag);
            near_next[cables] = near_first[c->space];
            near_first[c->space] = cables;
            far_next[cables] = far_first[c->far_space];
            far_first[c->far_space] = cables++;
        } else if (text[0] == 'A') {
            line_t *a = address + addresses;
            sscanf(text, "A %d %d %47s %d", &a->space, &a->index, a->prefix, &a->length);
            a->next = address_first[a->space];
            address_first[a->space] = addresses++;
        } else if (text[0] == 'R') {
            line_t *r = route + routes;
            sscanf(text, "R %d %d %47s %d %47s", &r->space, &r->index, r->prefix, &r->length, r->via);
            r->next = route_first[r->space];
            route_first[r->space] = routes++;
        }
    }
    fclose(f);
}

int main(int argc, char **argv) {
    struct rlimit many;
    if (argc != 2) return 2;
    read_plan(argv[1]);
    getrlimit(RLIMIT_NOFILE, &many);
    many.rlim_cur = many.rlim_max;
    setrlimit(RLIMIT_NOFILE, &many);
    double cpu = 0, start = seconds(CLOCK_MONOTONIC), own = seconds(CLOCK_PROCESS_CPUTIME_ID);
    int child = make_namespaces(&cpu);
    apply();
    cpu += seconds(CLOCK_PROCESS_CPUTIME_ID) - own;
    double wall = seconds(CLOCK_MONOTONIC) - start;
    double gone = wait_until_gone(child);
    printf("{\"wall\": %.6f, \"cpu\": %.6f, \"gone\": %.6f, \"errors\": %d}\n", wall, cpu, gone, errors);
    return 0;
}
