// The bench's load generator: many Socket.IO clients in one process on one epoll loop.
//
// It speaks just enough WebSocket, Engine.IO 4 and Socket.IO 5 to connect, answer pings, emit with an ack and
// receive. What comes back is searched for a marker and never parsed, so that the work per delivery is small and
// the same whichever server is measured. C, because a Node generator is easily slower than what it measures.
//
// usage: generator PLAN
// The plan (written by generator.ts) is lines of `key<TAB>value...`; see readPlan(). Once every connection stands it
// prints `ready`. For each line `WARMUP MEASURE` (milliseconds) on stdin it then sends for so long, and prints one line
// of JSON; the end of stdin ends it. Anything unexpected ends it with status 2 and words on stderr.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
  READ_BYTES = 256 * 1024,
  FRAME_BYTES = 64 * 1024,
  EVENTS = 256,
  // Handshakes under way at once: enough to be quick, few enough for a listen backlog.
  OPENING_AT_ONCE = 100,
  // A latency is counted in steps of 0.1 ms; all beyond 20 s share the last.
  LATENCY_STEPS = 200000,
  // After the last expected delivery: time for one that should not come.
  SURPLUS_MS = 200,
};
static const uint64_t MS = 1000000;
static const uint64_t LAG_PERIOD = 10 * 1000000;
static const uint64_t PACE_PERIOD = 1000000;
static const uint64_t OPEN_LIMIT = 120ull * 1000 * 1000000;

enum state { WAITING, UPGRADING, GREETED, JOINING, LIVE };

struct connection {
  int fd;
  enum state state;
  int *rooms;
  int roomCount;
  char *connectPacket;
  uint64_t received;
  char *rest; // the part of a frame that has come so far
  size_t restLength;
};

struct room {
  uint64_t sent; // messages that its members must get; a refused one is taken back
};

struct sender {
  int connection;
  int room;
  char *before, *after; // the emitted JSON around the message's own id
  uint64_t sent;
};

struct message {
  uint64_t dueAt;
  int sender;
  bool answered;
};

static struct {
  char *path, *host, *marker;
  int port;
  int serverPid, postmasterPid;
  bool paced;
  double rate;        // messages a second over all senders, where paced
  uint64_t each;      // messages per sender and run, 0 without end
  uint64_t drain;     // ns
} plan;

static struct connection *connections;
static int connectionCount, opened, live;
static struct room *rooms;
static int roomCount;
static struct sender *senders;
static int senderCount;
static struct message *messages;
static uint64_t messageCount, messageCapacity;

// Of the run under way: all of it, and the part that is measured.
static uint64_t answered, refused, received;
static bool sending, measuring;
static struct { uint64_t acked, deliveries, lag; } window;
static uint32_t latencies[LATENCY_STEPS];
static size_t markerLength;
static int loop;
static char buffer[READ_BYTES];

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("generator: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  exit(2);
}

static void *need(void *memory) {
  if (!memory) fail("out of memory");
  return memory;
}

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static uint64_t randomState;
static uint64_t randomBits(void) { // splitmix64
  uint64_t z = (randomState += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// A UUID of version 7, 36 characters.
static void writeUuid(char *to) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  uint64_t ms = (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
  uint64_t high = ms << 16 | 0x7000 | (randomBits() & 0xfff);
  uint64_t low = (randomBits() >> 2) | 0x8000000000000000;
  for (int i = 0, digit = 0; i < 36; i++) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      to[i] = '-';
      continue;
    }
    uint64_t half = digit < 16 ? high : low;
    to[i] = "0123456789abcdef"[half >> (60 - 4 * (digit % 16)) & 15];
    digit++;
  }
}

// --- the plan ---------------------------------------------------------------------------------------------------

static char *field(char **line, const char *what) {
  char *value = strsep(line, "\t");
  if (!value) fail("the plan lacks %s", what);
  return value;
}

static void readPlan(const char *file) {
  FILE *in = fopen(file, "r");
  if (!in) fail("cannot read %s: %s", file, strerror(errno));
  char *line = NULL;
  size_t capacity = 0;
  ssize_t length;
  int connectionCapacity = 0, senderCapacity = 0;
  while ((length = getline(&line, &capacity, in)) > 0) {
    if (line[length - 1] == '\n') line[length - 1] = 0;
    char *rest = line, *key = field(&rest, "a key");
    char *value = field(&rest, key);
    if (!strcmp(key, "host")) plan.host = need(strdup(value));
    else if (!strcmp(key, "port")) plan.port = atoi(value);
    else if (!strcmp(key, "path")) plan.path = need(strdup(value));
    else if (!strcmp(key, "marker")) plan.marker = need(strdup(value));
    else if (!strcmp(key, "serverPid")) plan.serverPid = atoi(value);
    else if (!strcmp(key, "postmasterPid")) plan.postmasterPid = atoi(value);
    else if (!strcmp(key, "rate")) plan.rate = atof(value), plan.paced = plan.rate > 0;
    else if (!strcmp(key, "each")) plan.each = strtoull(value, NULL, 10);
    else if (!strcmp(key, "drainMs")) plan.drain = strtoull(value, NULL, 10) * MS;
    else if (!strcmp(key, "rooms")) {
      roomCount = atoi(value);
      rooms = need(calloc((size_t)roomCount + 1, sizeof *rooms));
    } else if (!strcmp(key, "connection")) { // its rooms, comma-separated; what it sends to join the namespace
      if (connectionCount == connectionCapacity) {
        connectionCapacity = connectionCapacity * 2 + 64;
        connections = need(realloc(connections, (size_t)connectionCapacity * sizeof *connections));
      }
      struct connection *c = &connections[connectionCount++];
      *c = (struct connection){.fd = -1};
      for (char *number; (number = strsep(&value, ","));) {
        int room = atoi(number);
        if (room < 0 || room >= roomCount) fail("the plan names room %d of %d", room, roomCount);
        c->rooms = need(realloc(c->rooms, (size_t)(c->roomCount + 1) * sizeof(int)));
        c->rooms[c->roomCount++] = room;
      }
      c->connectPacket = need(strdup(field(&rest, "a connect packet")));
    } else if (!strcmp(key, "sender")) { // connection, room, JSON before and after the message's id
      if (senderCount == senderCapacity) {
        senderCapacity = senderCapacity * 2 + 64;
        senders = need(realloc(senders, (size_t)senderCapacity * sizeof *senders));
      }
      struct sender *s = &senders[senderCount++];
      *s = (struct sender){.connection = atoi(value), .room = atoi(field(&rest, "a room"))};
      s->before = need(strdup(field(&rest, "the text before the id")));
      s->after = need(strdup(field(&rest, "the text after the id")));
      if (s->connection < 0 || s->connection >= connectionCount || s->room < 0 || s->room >= roomCount)
        fail("the plan has a sender out of range");
    } else fail("the plan has an unknown key %s", key);
  }
  free(line);
  fclose(in);
  if (!plan.host || !plan.path || !plan.marker || !plan.port || !connectionCount) fail("the plan is incomplete");
  markerLength = strlen(plan.marker);
}

// --- frames -----------------------------------------------------------------------------------------------------

static void sendAll(struct connection *c, const char *bytes, size_t length) {
  ssize_t sent = send(c->fd, bytes, length, MSG_NOSIGNAL);
  // A client here has at most a few hundred bytes under way; a full send buffer means a server that does not read.
  if (sent != (ssize_t)length) fail("connection %d cannot write: %s", (int)(c - connections), strerror(errno));
}

// One masked text frame (opcode 1; 10 for a pong).
static void sendFrame(struct connection *c, int opcode, const char *payload, size_t length) {
  static char frame[FRAME_BYTES + 16];
  if (length > FRAME_BYTES) fail("a frame of %zu bytes is too long", length);
  size_t at = 0;
  frame[at++] = (char)(0x80 | opcode);
  if (length < 126) frame[at++] = (char)(0x80 | length);
  else {
    frame[at++] = (char)(0x80 | 126);
    frame[at++] = (char)(length >> 8);
    frame[at++] = (char)length;
  }
  uint32_t key = (uint32_t)randomBits();
  memcpy(frame + at, &key, 4);
  const char *mask = frame + at;
  at += 4;
  for (size_t i = 0; i < length; i++) frame[at + i] = (char)(payload[i] ^ mask[i & 3]);
  sendAll(c, frame, at + length);
}

static void sendMessage(int number, uint64_t dueAt) {
  static char payload[FRAME_BYTES];
  struct sender *s = &senders[number];
  if (messageCount == messageCapacity) {
    messageCapacity = messageCapacity * 2 + 4096;
    messages = need(realloc(messages, messageCapacity * sizeof *messages));
  }
  messages[messageCount] = (struct message){.dueAt = dueAt, .sender = number};
  char id[37] = "";
  writeUuid(id);
  int length = snprintf(payload, sizeof payload, "42%llu%s%s%s", (unsigned long long)messageCount, s->before, id,
                        s->after);
  messageCount++;
  s->sent++;
  rooms[s->room].sent++;
  sendFrame(&connections[s->connection], 1, payload, (size_t)length);
}

static void takeAck(const char *frame, size_t length) {
  char *end;
  uint64_t id = strtoull(frame + 2, &end, 10); // frames end before the buffer does, and [ ends the number
  if (*end != '[' || id >= messageCount || messages[id].answered)
    fail("an ack nobody waits for: %.*s", (int)(length < 200 ? length : 200), frame);
  uint64_t at = now();
  struct message *m = &messages[id];
  m->answered = true;
  answered++;
  if (!memmem(end, length - (size_t)(end - frame), "\"ok\":true", 9)) {
    if (!refused++) fprintf(stderr, "generator: refused: %.*s\n", (int)(length < 400 ? length : 400), frame);
    rooms[senders[m->sender].room].sent--;
  } else if (measuring) {
    window.acked++;
    uint64_t step = (at - m->dueAt) / (MS / 10);
    latencies[step < LATENCY_STEPS ? step : LATENCY_STEPS - 1]++;
  }
  struct sender *s = &senders[m->sender];
  if (!plan.paced && sending && (!plan.each || s->sent < plan.each)) sendMessage(m->sender, at);
}

static void takeFrame(struct connection *c, int opcode, const char *frame, size_t length) {
  int shown = (int)(length < 200 ? length : 200), index = (int)(c - connections);
  if (opcode == 9) return sendFrame(c, 10, frame, length);
  if (opcode == 8) fail("the server closed connection %d", index);
  if (opcode != 1 || !length) return;
  if (frame[0] == '2') return sendFrame(c, 1, "3", 1);
  if (c->state == GREETED && frame[0] == '0') {
    c->state = JOINING;
    return sendFrame(c, 1, c->connectPacket, strlen(c->connectPacket));
  }
  if (frame[0] == '1' || (length > 1 && frame[0] == '4' && (frame[1] == '1' || frame[1] == '4')))
    fail("the server turned connection %d away: %.*s", index, shown, frame);
  if (length < 2 || frame[0] != '4') return;
  if (frame[1] == '0' && c->state == JOINING) {
    c->state = LIVE;
    live++;
  } else if (frame[1] == '3') takeAck(frame, length);
  else if (frame[1] == '2' && memmem(frame, length, plan.marker, markerLength)) {
    c->received++;
    received++;
    if (measuring) window.deliveries++;
  }
}

// Takes whole frames off `bytes`; returns how many bytes that were.
static size_t takeBytes(struct connection *c, char *bytes, size_t length) {
  size_t at = 0;
  if (c->state == UPGRADING) {
    char *end = memmem(bytes, length, "\r\n\r\n", 4);
    if (!end) return 0;
    if (length < 12 || memcmp(bytes + 9, "101", 3))
      fail("the server did not upgrade connection %d: %.*s", (int)(c - connections), (int)(end - bytes), bytes);
    c->state = GREETED;
    at = (size_t)(end - bytes) + 4;
  }
  while (length - at >= 2) {
    const unsigned char *head = (const unsigned char *)bytes + at;
    size_t size = head[1] & 0x7f, header = 2;
    if (head[1] & 0x80) fail("the server masks its frames");
    if (size == 126) header = 4;
    if (size == 127) header = 10;
    if (length - at < header) break;
    if (header > 2) {
      size = 0;
      for (size_t i = 2; i < header; i++) size = size << 8 | head[i];
    }
    if (header + size >= READ_BYTES) fail("a frame of %zu bytes", size);
    if (length - at < header + size) break;
    takeFrame(c, head[0] & 15, bytes + at + header, size);
    at += header + size;
  }
  return at;
}

static void readConnection(struct connection *c) {
  size_t length = c->restLength;
  if (length) memcpy(buffer, c->rest, length);
  ssize_t got = recv(c->fd, buffer + length, sizeof buffer - 1 - length, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) fail("connection %d ended: %s", (int)(c - connections), got ? strerror(errno) : "closed");
  length += (size_t)got;
  buffer[length] = 0;
  size_t taken = takeBytes(c, buffer, length);
  c->restLength = length - taken;
  if (c->restLength) {
    c->rest = need(realloc(c->rest, c->restLength));
    memcpy(c->rest, buffer + taken, c->restLength);
  } else if (c->rest) {
    free(c->rest);
    c->rest = NULL;
  }
}

static void openConnection(struct connection *c) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)plan.port)};
  if (inet_pton(AF_INET, plan.host, &to.sin_addr) != 1) fail("%s is not an address", plan.host);
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (c->fd < 0) fail("no socket for connection %d: %s (see ulimit -n)", (int)(c - connections), strerror(errno));
  int on = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // Loopback: the kernel answers at once, so waiting costs nothing.
  if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0) fail("cannot connect: %s", strerror(errno));
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
  char request[1024];
  int length = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                        plan.path, plan.host, plan.port);
  sendAll(c, request, (size_t)length);
  c->state = UPGRADING;
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)(c - connections)};
  if (epoll_ctl(loop, EPOLL_CTL_ADD, c->fd, &event)) fail("epoll: %s", strerror(errno));
}

// --- CPU --------------------------------------------------------------------------------------------------------

// Clock ticks of a process from /proc; with `children` those it has waited for too. 0 once it is gone.
static uint64_t ticksOf(int pid, bool children, int *parent) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  if (length <= 0) return 0;
  text[length] = 0;
  char *after = strrchr(text, ')');
  unsigned long user, system;
  long userOfChildren, systemOfChildren;
  int ppid;
  if (!after || sscanf(after + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld", &ppid, &user, &system,
                       &userOfChildren, &systemOfChildren) != 5)
    return 0;
  if (parent) *parent = ppid;
  return user + system + (children ? (uint64_t)(userOfChildren + systemOfChildren) : 0);
}

static double secondsOfServer(void) {
  return plan.serverPid ? (double)ticksOf(plan.serverPid, false, NULL) / (double)sysconf(_SC_CLK_TCK) : 0;
}

// Postgres is its postmaster and the processes below it. Those that ended meanwhile are in the postmaster's account.
static double secondsOfDatabase(void) {
  if (!plan.postmasterPid) return 0;
  uint64_t ticks = ticksOf(plan.postmasterPid, true, NULL);
  DIR *proc = opendir("/proc");
  if (!proc) fail("no /proc");
  for (struct dirent *entry; (entry = readdir(proc));) {
    if (!isdigit((unsigned char)entry->d_name[0])) continue;
    int parent = 0;
    uint64_t own = ticksOf(atoi(entry->d_name), false, &parent);
    if (parent == plan.postmasterPid) ticks += own;
  }
  closedir(proc);
  return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static double secondsOfSelf(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

// --- the run ----------------------------------------------------------------------------------------------------

static const uint32_t LAG_TIMER = UINT32_MAX, PACE_TIMER = UINT32_MAX - 1, INPUT = UINT32_MAX - 2;

static int addTimer(uint64_t period, uint32_t name) {
  int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  struct timespec each = {.tv_nsec = (long)period};
  struct itimerspec setting = {.it_interval = each, .it_value = each};
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = name};
  if (fd < 0 || timerfd_settime(fd, 0, &setting, NULL) || epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event))
    fail("timer: %s", strerror(errno));
  return fd;
}

static uint64_t expirations(int timer) {
  uint64_t count = 0;
  return read(timer, &count, sizeof count) == sizeof count ? count : 0;
}

static uint64_t expectedDeliveries(void) {
  uint64_t expected = 0;
  for (int i = 0; i < connectionCount; i++)
    for (int j = 0; j < connections[i].roomCount; j++) expected += rooms[connections[i].rooms[j]].sent;
  return expected;
}

// Sent and received counts begin anew: each run stands for itself.
static void clearRun(void) {
  for (int i = 0; i < connectionCount; i++) connections[i].received = 0;
  for (int i = 0; i < roomCount; i++) rooms[i].sent = 0;
  for (int i = 0; i < senderCount; i++) senders[i].sent = 0;
  messageCount = answered = refused = received = 0;
  memset(&window, 0, sizeof window);
  memset(latencies, 0, sizeof latencies);
}

static void report(double seconds, double server, double database, double self) {
  uint64_t lost = 0, surplus = 0;
  for (int i = 0; i < connectionCount; i++) {
    uint64_t expected = 0;
    for (int j = 0; j < connections[i].roomCount; j++) expected += rooms[connections[i].rooms[j]].sent;
    if (connections[i].received < expected) lost += expected - connections[i].received;
    else surplus += connections[i].received - expected;
  }
  printf("{\"seconds\":%.6f,\"acked\":%llu,\"deliveries\":%llu,\"sent\":%llu,\"received\":%llu,\"lost\":%llu,"
         "\"surplus\":%llu,\"unanswered\":%llu,\"refused\":%llu,\"serverCpuSeconds\":%.2f,\"databaseCpuSeconds\":%.2f,"
         "\"lagMs\":%.3f,\"cores\":%.4f,\"latencies\":[",
         seconds, (unsigned long long)window.acked, (unsigned long long)window.deliveries,
         (unsigned long long)messageCount, (unsigned long long)received, (unsigned long long)lost,
         (unsigned long long)surplus, (unsigned long long)(messageCount - answered), (unsigned long long)refused, server,
         database, (double)window.lag / 1e6, self / seconds);
  const char *comma = "";
  for (int step = 0; step < LATENCY_STEPS; step++)
    if (latencies[step]) printf("%s[%.1f,%u]", comma, (step + 1) / 10.0, latencies[step]), comma = ",";
  puts("]}");
  fflush(stdout);
}

int main(int count, char **arguments) {
  if (count != 2) fail("usage: generator PLAN");
  readPlan(arguments[1]);
  if (getrandom(&randomState, sizeof randomState, 0) != sizeof randomState) fail("no randomness");
  loop = epoll_create1(EPOLL_CLOEXEC);
  if (loop < 0) fail("epoll: %s", strerror(errno));

  int lagTimer = addTimer(LAG_PERIOD, LAG_TIMER);
  int paceTimer = plan.paced ? addTimer(PACE_PERIOD, PACE_TIMER) : -1;
  uint64_t lagBase = now(), lagPeriods = 0;

  enum { OPENING, HOLDING, WARMING, MEASURING, DRAINING } phase = OPENING;
  uint64_t phaseAt = now(), firstAt = 0, measuredAt = 0, completeAt = 0;
  uint64_t warmup = 0, measure = 0, paced = 0;
  double server = 0, database = 0, self = 0, seconds = 0;

  for (;;) {
    while (opened < connectionCount && opened - live < OPENING_AT_ONCE) openConnection(&connections[opened++]);

    struct epoll_event events[EVENTS];
    int ready = epoll_wait(loop, events, EVENTS, -1);
    if (ready < 0 && errno != EINTR) fail("epoll: %s", strerror(errno));
    for (int i = 0; i < ready; i++) {
      uint32_t name = events[i].data.u32;
      if (name == LAG_TIMER) {
        // How long ago the loop should have come by: the first period that it has not seen yet.
        int64_t late = (int64_t)(now() - (lagBase + (lagPeriods + 1) * LAG_PERIOD));
        lagPeriods += expirations(lagTimer);
        if (measuring && late > (int64_t)window.lag) window.lag = (uint64_t)late;
      } else if (name == PACE_TIMER) {
        expirations(paceTimer);
        if (!sending) continue;
        // Late or not, every message that is due goes out, and its latency counts from when it was due.
        for (uint64_t at = now(); (double)paced * 1e9 / plan.rate <= (double)(at - firstAt); paced++)
          sendMessage((int)(paced % (uint64_t)senderCount), firstAt + (uint64_t)((double)paced * 1e9 / plan.rate));
      } else if (name == INPUT) {
        char line[64];
        ssize_t length = read(STDIN_FILENO, line, sizeof line - 1);
        if (length <= 0) return 0;
        line[length] = 0;
        unsigned long warmupMs, measureMs;
        if (phase != HOLDING || sscanf(line, "%lu %lu", &warmupMs, &measureMs) != 2) fail("not now, or not so: %s", line);
        warmup = warmupMs * MS, measure = measureMs * MS;
        clearRun();
        phase = WARMING;
        phaseAt = firstAt = now();
        completeAt = paced = 0;
        sending = true;
        if (!plan.paced)
          for (int s = 0; s < senderCount; s++) sendMessage(s, now());
      } else readConnection(&connections[name]);
    }

    uint64_t at = now();
    switch (phase) {
      case OPENING:
        if (live == connectionCount) {
          phase = HOLDING;
          struct epoll_event event = {.events = EPOLLIN, .data.u32 = INPUT};
          if (epoll_ctl(loop, EPOLL_CTL_ADD, STDIN_FILENO, &event)) fail("stdin: %s", strerror(errno));
          puts("ready");
          fflush(stdout);
        } else if (at - phaseAt > OPEN_LIMIT) fail("%d of %d connections stand", live, connectionCount);
        break;
      case HOLDING:
        break;
      case WARMING:
        if (at - phaseAt < warmup) break;
        phase = MEASURING;
        server = secondsOfServer(), database = secondsOfDatabase(), self = secondsOfSelf();
        measuring = true;
        measuredAt = now();
        break;
      case MEASURING:
        if (at - measuredAt < measure) break;
        measuring = sending = false;
        seconds = (double)(now() - measuredAt) / 1e9;
        server = secondsOfServer() - server, database = secondsOfDatabase() - database;
        self = secondsOfSelf() - self;
        phase = DRAINING;
        phaseAt = at;
        break;
      case DRAINING:
        if (!completeAt && answered == messageCount && received >= expectedDeliveries()) completeAt = at;
        if ((completeAt && at - completeAt > SURPLUS_MS * MS) || at - phaseAt > plan.drain) {
          report(seconds, server, database, self);
          phase = HOLDING;
        }
        break;
    }
  }
}
