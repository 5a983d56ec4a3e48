// An addon that starts the threads that a runtime's lock and handshake must cope with. Compiled by the test that loads it.
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <node_api.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static sem_t started;

static void forever(void) {
  for (;;) pause();
}

static void *idle(void *unused) {
  (void)unused;
  sem_post(&started);
  forever();
  return NULL;
}

/// Blocks all that glibc lets it block, as Node's SignalInspector does.
static void *blocks_politely(void *unused) {
  (void)unused;
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, NULL);
  sem_post(&started);
  forever();
  return NULL;
}

/// Blocks glibc's own signals too.
static void *blocks_rawly(void *unused) {
  (void)unused;
  uint64_t all = ~UINT64_C(0);
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof all);
  sem_post(&started);
  forever();
  return NULL;
}

/// Sleeps uninterruptibly: a vfork waits for its child, whatever signals come.
static void *waits_for_vfork(void *unused) {
  (void)unused;
  const pid_t child = vfork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sem_post(&started);
    syscall(SYS_pause);
    _exit(0);
  }
  forever();
  return NULL;
}

/// Has a seccomp filter that the others have not.
static void *has_own_filter(void *unused) {
  (void)unused;
  struct sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
  const struct sock_fprog program = {1, &allow};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
  sem_post(&started);
  forever();
  return NULL;
}

static void *nothing(void *unused) { return unused; }

/// Starts and ends threads without a pause.
static void *churns(void *unused) {
  (void)unused;
  sem_post(&started);
  for (;;) {
    pthread_t child;
    if (pthread_create(&child, NULL, nothing, NULL) == 0) pthread_join(child, NULL);
  }
  return NULL;
}

/// Waits in a call that is begun again after a signal, not by the kernel but by itself.
static void *reads(void *unused) {
  (void)unused;
  int ends[2];
  char byte;
  if (pipe(ends) != 0) return NULL;
  sem_post(&started);
  for (;;) read(ends[0], &byte, 1);
  return NULL;
}

static long wanted_call;

static void make_call(int signal) {
  (void)signal;
  syscall(wanted_call, NULL, 0); // on whichever thread it was sent to; NULL: it can do no harm
}

/// `callOn(tid, number)`: makes a system call on a thread of the runtime. By SIGCANCEL (32), which glibc keeps unblocked everywhere.
static napi_value call_on(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  int32_t tid = 0, number = 0;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  napi_get_value_int32(env, arguments[0], &tid);
  napi_get_value_int32(env, arguments[1], &number);
  wanted_call = number;
  // glibc refuses 32 from us, so that its action is made for another signal, and carried over as the kernel has it.
  const struct sigaction plain = {.sa_handler = make_call};
  struct {
    void *handler;
    unsigned long flags;
    void *restorer;
    uint64_t mask;
  } kernels;
  sigaction(SIGUSR2, &plain, NULL);
  syscall(SYS_rt_sigaction, SIGUSR2, NULL, &kernels, sizeof kernels.mask);
  syscall(SYS_rt_sigaction, 32, &kernels, NULL, sizeof kernels.mask);
  syscall(SYS_tgkill, getpid(), tid, 32);
  return NULL;
}

static napi_value start(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  char kind[32] = "";
  size_t length = 0;
  napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
  napi_get_value_string_utf8(env, argument, kind, sizeof kind, &length);
  void *(*body)(void *) = idle;
  if (strcmp(kind, "politely") == 0) body = blocks_politely;
  if (strcmp(kind, "rawly") == 0) body = blocks_rawly;
  if (strcmp(kind, "vfork") == 0) body = waits_for_vfork;
  if (strcmp(kind, "filtered") == 0) body = has_own_filter;
  if (strcmp(kind, "churning") == 0) body = churns;
  if (strcmp(kind, "reading") == 0) body = reads;
  pthread_t thread;
  sem_init(&started, 0, 0);
  pthread_create(&thread, NULL, body, NULL);
  pthread_setname_np(thread, kind);
  sem_wait(&started);
  return NULL;
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "start", NAPI_AUTO_LENGTH, start, NULL, &function);
  napi_set_named_property(env, exports, "start", function);
  napi_create_function(env, "callOn", NAPI_AUTO_LENGTH, call_on, NULL, &function);
  napi_set_named_property(env, exports, "callOn", function);
  return exports;
}
