/* Runs kernels that were compiled for the host: the groups of a launch one after another, and where a work-item is.
 *
 * The work-items of a cooperative group are fibers of the calling thread: each goes on until it meets a barrier, then the
 * next does. So a barrier costs nanoseconds, where one of threads costs microseconds, of which a group may have hundreds.
 * They take turns in one order and in the other, so that a barrier that is missing shows. With HOST_THREADS, which
 * sanitizers need since they watch stacks, and on processors that `outrigger_host_switch_to` is not written for, they are
 * threads; then one launch runs at a time. */
#define _GNU_SOURCE
#define KERNEL_HOST
#include "platform.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

_Thread_local struct host_place host_place;

typedef void entry_fn(void *const *arguments);

/* How a launch ends. */
enum { HOST_DONE = 0, HOST_DIVERGED = 1, HOST_NO_MEMORY = 2 };

int outrigger_host_run(entry_fn *entry, void *const *arguments, unsigned groups, unsigned size, int cooperative);

/* Work-items that nobody waits for, one after another. Gives back how many barriers they met. */
static _Thread_local unsigned barriers_met;

static unsigned run_alone(entry_fn *entry, void *const *arguments, unsigned groups, unsigned size) {
    barriers_met = 0;
    for (unsigned group = 0; group < groups; group++) {
        for (unsigned local = 0; local < size; local++) {
            host_place = (struct host_place){group, local, size};
            entry(arguments);
        }
    }
    return barriers_met;
}

#ifdef HOST_FIBERS

/* Of each fiber; a kernel has a few KiB of private memory. Below it is a page that nobody may touch. */
#define STACK_BYTES ((size_t)256 << 10)
#define GUARD_BYTES ((size_t)4 << 10)

/* A fiber: where its stack stands while it waits. */
struct fiber {
    void *stack;
    int has_ended;
};

/* A group at work. */
struct group {
    entry_fn *entry;
    void *const *arguments;
    struct fiber *fibers;
    unsigned current;
    int has_diverged;
    /* The stack of the thread, while a fiber runs. */
    void *outside;
};

static _Thread_local struct group *running;

/* Leaves this stack, whose place goes to `from`, and goes on where `to` was left. By the System V ABI a call preserves six
 * registers beside the stack's pointer. */
void outrigger_host_switch_to(void **from, void *to);
__asm__(".text\n"
        ".globl outrigger_host_switch_to\n"
        ".type outrigger_host_switch_to, @function\n"
        "outrigger_host_switch_to:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size outrigger_host_switch_to, . - outrigger_host_switch_to\n");

static void leave_fiber(struct group *group) {
    outrigger_host_switch_to(&group->fibers[group->current].stack, group->outside);
}

/* What a fiber does. */
static void be_work_item(void) {
    struct group *group = running;
    group->entry(group->arguments);
    group->fibers[group->current].has_ended = 1;
    leave_fiber(group);
}

void host_barrier(void) {
    struct group *group = running;
    barriers_met++;
    /* Of a group that did not meet all go on, so that the launch ends. */
    if (group && !group->has_diverged) leave_fiber(group);
}

/* A stack on which `outrigger_host_switch_to` finds six registers and where to begin. */
static void *new_stack(unsigned char *top) {
    uint64_t *stack = (uint64_t *)top;
    *--stack = 0;
    *--stack = (uint64_t)(uintptr_t)be_work_item;
    for (int i = 0; i < 6; i++) *--stack = 0;
    return stack;
}

/* Each work-item to its next barrier or its end, until all have ended. */
static void run_group(struct group *group, unsigned number, unsigned size) {
    unsigned left = size;
    for (unsigned turn = 0; left > 0; turn++) {
        unsigned waiting = 0, ended = 0;
        for (unsigned i = 0; i < size; i++) {
            unsigned local = turn % 2 ? size - 1 - i : i;
            struct fiber *fiber = &group->fibers[local];
            if (fiber->has_ended) continue;
            group->current = local;
            host_place = (struct host_place){number, local, size};
            outrigger_host_switch_to(&group->outside, fiber->stack);
            if (fiber->has_ended) ended++;
            else waiting++;
        }
        left -= ended;
        if (ended > 0 && waiting > 0) group->has_diverged = 1;
    }
}

static int run_together(entry_fn *entry, void *const *arguments, unsigned groups, unsigned size) {
    size_t each = GUARD_BYTES + STACK_BYTES;
    unsigned char *stacks =
        mmap(NULL, each * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stacks == MAP_FAILED) return HOST_NO_MEMORY;
    struct fiber fibers[GROUP_MAX];
    struct group group = {.entry = entry, .arguments = arguments, .fibers = fibers};
    for (unsigned local = 0; local < size; local++) mprotect(stacks + each * local, GUARD_BYTES, PROT_NONE);
    running = &group;
    for (unsigned number = 0; number < groups && !group.has_diverged; number++) {
        for (unsigned local = 0; local < size; local++) {
            fibers[local] = (struct fiber){new_stack(stacks + each * (local + 1)), 0};
        }
        run_group(&group, number, size);
    }
    running = NULL;
    munmap(stacks, each * size);
    return group.has_diverged ? HOST_DIVERGED : HOST_DONE;
}

#else

/* Where the threads of a group meet, at barriers and at the end of each group. */
struct meeting {
    pthread_mutex_t lock;
    pthread_cond_t released;
    unsigned size, at_barrier, at_end;
    unsigned long round;
    int has_diverged;
};

/* What a thread does: one work-item of each group. */
struct item {
    entry_fn *entry;
    void *const *arguments;
    unsigned groups, size, local;
    struct meeting *meeting;
    pthread_t thread;
};

static _Thread_local struct meeting *attended;

static void meet(struct meeting *meeting, int is_end) {
    pthread_mutex_lock(&meeting->lock);
    /* Those that are still running may have more meetings before them than those that have ended. */
    if (!meeting->has_diverged) {
        if (is_end) meeting->at_end++;
        else meeting->at_barrier++;
        unsigned long round = meeting->round;
        if (meeting->at_barrier + meeting->at_end == meeting->size) {
            meeting->has_diverged = meeting->at_barrier > 0 && meeting->at_end > 0;
            meeting->at_barrier = 0;
            meeting->at_end = 0;
            meeting->round++;
            pthread_cond_broadcast(&meeting->released);
        }
        while (meeting->round == round) pthread_cond_wait(&meeting->released, &meeting->lock);
    }
    pthread_mutex_unlock(&meeting->lock);
}

void host_barrier(void) {
    barriers_met++;
    if (attended) meet(attended, 0);
}

static void *be_work_item(void *data) {
    struct item *item = data;
    attended = item->meeting;
    for (unsigned group = 0; group < item->groups; group++) {
        host_place = (struct host_place){group, item->local, item->size};
        item->entry(item->arguments);
        meet(item->meeting, 1);
    }
    return NULL;
}

static int run_together(entry_fn *entry, void *const *arguments, unsigned groups, unsigned size) {
    struct meeting meeting = {.lock = PTHREAD_MUTEX_INITIALIZER, .released = PTHREAD_COND_INITIALIZER, .size = size};
    struct item items[GROUP_MAX];
    unsigned begun = 0;
    while (begun < size) {
        items[begun] = (struct item){entry, arguments, groups, size, begun, &meeting, 0};
        if (pthread_create(&items[begun].thread, NULL, be_work_item, &items[begun]) != 0) break;
        begun++;
    }
    if (begun < size) {
        /* Those that wait for the others need not. */
        pthread_mutex_lock(&meeting.lock);
        meeting.has_diverged = 1;
        meeting.round++;
        pthread_cond_broadcast(&meeting.released);
        pthread_mutex_unlock(&meeting.lock);
    }
    for (unsigned local = 0; local < begun; local++) pthread_join(items[local].thread, NULL);
    if (begun < size) return HOST_NO_MEMORY;
    return meeting.has_diverged ? HOST_DIVERGED : HOST_DONE;
}

#endif

/* Runs all groups of a launch, of `size` work-items each, GROUP_MAX at most of a cooperative kernel. HOST_DIVERGED: not
 * all of a group reached the same barriers, or a kernel that is not cooperative has one. */
int outrigger_host_run(entry_fn *entry, void *const *arguments, unsigned groups, unsigned size, int cooperative) {
    if (cooperative && size > 1) return size <= GROUP_MAX ? run_together(entry, arguments, groups, size) : HOST_NO_MEMORY;
    return run_alone(entry, arguments, groups, size) > 0 && !cooperative ? HOST_DIVERGED : HOST_DONE;
}
