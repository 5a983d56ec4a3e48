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
  return exports;
}
