#include "stage0.h"

/*
 * A process that makes system calls for levain. A call to a disk that does not answer waits in the kernel, where no signal and no
 * timeout reaches it: levain leaves such a call to this process and goes on. src/machine/linux/workers/worker.ts has the other
 * side, which writes the orders.
 */
#define CALLS_PER_ORDER 32
#define ARGUMENTS_PER_CALL 6
#define DATA_MAX 69632
#define SOCKET_FD 0
/* include/uapi/asm-generic/errno.h, include/uapi/linux/fadvise.h */
#define ECANCELED 125
#define POSIX_FADV_WILLNEED 3
/* include/linux/socket.h, include/linux/net.h */
#define AF_UNIX 1
#define SOCK_SEQPACKET 5
#define SOCK_CLOEXEC O_CLOEXEC

/* What an argument means. */
enum { KIND_NUMBER, KIND_ADDRESS_IN_DATA, KIND_RESULT_OF_CALL };

struct call {
  u64 number;
  u64 arguments[ARGUMENTS_PER_CALL];
  u8 kinds[8];
};

/* A packet of the socket. The answer is the part from `results` on: all results, then as many bytes of `data` as were asked for. */
struct order {
  u64 call_count;
  u64 answer_data_size;
  /* A call that the later ones depend on: if it fails, they are not made. CALLS_PER_ORDER: there is none. */
  u64 gate;
  struct call calls[CALLS_PER_ORDER];
  long results[CALLS_PER_ORDER];
  u8 data[DATA_MAX];
};

static u64 argument_of(struct order *order, const struct call *call, int index)
{
  u64 word = call->arguments[index];
  if (call->kinds[index] == KIND_ADDRESS_IN_DATA) return (u64)(order->data + (word < DATA_MAX ? word : 0));
  if (call->kinds[index] == KIND_RESULT_OF_CALL) return (u64)order->results[word % CALLS_PER_ORDER];
  return word;
}

/* Has the kernel begin to read the places of all calls from `from` on: a disk serves them at the same time, not one after the other. */
static void announce_reads(struct order *order, u64 from, u64 count)
{
  for (u64 i = from; i < count; i++) {
    const struct call *call = &order->calls[i];
    if (call->number != SYS_pread64) continue;
    call4(SYS_fadvise64, (long)argument_of(order, call, 0), (long)argument_of(order, call, 3), (long)argument_of(order, call, 2), POSIX_FADV_WILLNEED);
  }
}

/* Makes every call, also after one that failed, unless that is the gate: with its result as a descriptor the others fail with EBADF. */
static void carry_out(struct order *order)
{
  const u64 count = order->call_count < CALLS_PER_ORDER ? order->call_count : CALLS_PER_ORDER;
  int is_announced = 0;
  for (u64 i = 0; i < count; i++) {
    const struct call *call = &order->calls[i];
    long words[ARGUMENTS_PER_CALL];
    for (int k = 0; k < ARGUMENTS_PER_CALL; k++) words[k] = (long)argument_of(order, call, k);
    order->results[i] = call6((long)call->number, words[0], words[1], words[2], words[3], words[4], words[5]);
    if (order->results[i] < 0 && i == order->gate) {
      while (++i < count) order->results[i] = -ECANCELED;
    } else if (call->number == SYS_pread64 && order->results[i] > 0 && !is_announced) {
      /* Not before: a disk that cannot be read may take long to refuse each of them. */
      is_announced = 1;
      announce_reads(order, i + 1, count);
    }
  }
}

int is_worker(const struct vector *vector)
{
  return vector->words[0] == 2 && is_same(vector->argv[1], WORKER_ARGUMENT);
}

void serve_orders(void)
{
  struct order order;
  const u64 head = (u64)((u8 *)order.data - (u8 *)&order);
  /* The end of the parent is the end of the socket. */
  for (;;) {
    long size = read_bytes(SOCKET_FD, &order, sizeof order);
    if (size < (long)head) leave(0);
    carry_out(&order);
    u64 data_size = order.answer_data_size < DATA_MAX ? order.answer_data_size : DATA_MAX;
    if (write_bytes(SOCKET_FD, order.results, sizeof order.results + data_size) < 0) leave(0);
  }
}

/*
 * Nearly every boot needs a worker for its first module. A fork of the few pages of stage0 costs much less than what levain would need
 * to start one: posix_spawn(3), which the runtime has to bind first, and an exec of this file.
 */
void start_worker(void)
{
  int ends[2];
  if (make_socket_pair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, ends) < 0) return;
  long pid = fork_process();
  if (pid == 0) {
    duplicate(ends[1], SOCKET_FD, 0);
    /* Also the pipe of the handover, whose end stage0 waits for: a call of ours may never return. */
    close_all_from(3);
    serve_orders();
  }
  close_file(ends[1]);
  if (pid > 0) duplicate(ends[0], WORKER_FD, O_CLOEXEC);
  close_file(ends[0]);
}
