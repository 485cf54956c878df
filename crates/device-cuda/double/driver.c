/* A double of libcuda.so.1, for machines without a GPU: what `cust` and this crate call, on memory of the host and with
 * the kernels that the host's compiler made. The code that drives a GPU is linked against it, and tests run with it;
 * a program that is installed beside a driver loads the driver's own library, which has the same name.
 *
 * It does everything at once: streams and events are there, but never behind. Groups run one after another, those of a
 * cooperative kernel by turns from barrier to barrier. Images of modules are not looked at: a kernel is known by its name.
 *
 * The environment says what it is, and makes it fail:
 *   CUDA_DOUBLE_DEVICES=n     so many devices (1), all of the same name
 *   CUDA_DOUBLE_MEMORY=n      bytes that each has (256 MiB)
 *   CUDA_DOUBLE_FAULT=n       the n-th launch ends in an illegal address, and after that nothing works, as on a GPU
 *   CUDA_DOUBLE_FAULTS=path   a file with a fault a line, looked at in every call that one can befall, so that faults
 *                             begin and end while processes run. No file, no faults. The lines:
 *     hang               launches do not return while the line is there
 *     lost               a launch ends in an illegal address: nothing works any more in this process
 *     out-of-memory      no memory is given
 *     wrong [BYTE BIT]   a bit (of byte 0, bit 0) of the first input that came from the host is another one while a
 *                        kernel runs: it computes something else, and calls it right
 *     flip WORD BIT      what is copied from the device has another bit in this word of 32 bits, if it is that long: it
 *                        was damaged after the kernel
 *     no-device          there is no device any more for who asks anew */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef int status;
#define CUDA_SUCCESS 0
#define CUDA_ERROR_INVALID_VALUE 1
#define CUDA_ERROR_OUT_OF_MEMORY 2
#define CUDA_ERROR_NOT_INITIALIZED 3
#define CUDA_ERROR_NO_DEVICE 100
#define CUDA_ERROR_INVALID_DEVICE 101
#define CUDA_ERROR_INVALID_CONTEXT 201
#define CUDA_ERROR_NOT_FOUND 500
#define CUDA_ERROR_ILLEGAL_ADDRESS 700
#define CUDA_ERROR_LAUNCH_FAILED 719

/* Attributes of a device that are asked for. */
#define MAX_THREADS_PER_BLOCK 1
#define MULTIPROCESSOR_COUNT 16
#define COMPUTE_CAPABILITY_MAJOR 75
#define COMPUTE_CAPABILITY_MINOR 76

/* Work-items of a group at most: GROUP_MAX of the host build. */
#define GROUP_MAX 8

/* A kernel: `parameters` has a letter for each, `i` for a buffer that is read, `o` for one that is written to, and `n` for
 * a number. */
struct kernel {
    const char *name;
    void (*entry)(void *const *arguments);
    int cooperative;
    const char *parameters;
};
extern const struct kernel outrigger_kernels[];
extern int outrigger_host_run(void (*entry)(void *const *), void *const *arguments, unsigned int groups,
                              unsigned int size, int cooperative);

struct allocation {
    struct allocation *next;
    size_t bytes;
    /* The host has copied something to it. */
    int is_from_host;
    _Alignas(256) unsigned char memory[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int initialised;
static status broken;
static unsigned long launches;
static size_t held;
static struct allocation *allocations;
static _Thread_local void *current;

static unsigned long setting(const char *name, unsigned long otherwise) {
    const char *text = getenv(name);
    return text != NULL ? strtoul(text, NULL, 10) : otherwise;
}

/* Whether a line of the file of faults begins with this name; then with its numbers, 0 where there are none. */
static int fault(const char *name, unsigned long numbers[2]) {
    const char *path = getenv("CUDA_DOUBLE_FAULTS");
    char text[1024], *rest = text, *line;
    int file = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) {
        return 0;
    }
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    text[length > 0 ? length : 0] = 0;
    while ((line = strsep(&rest, "\n")) != NULL) {
        char word[32] = "";
        unsigned long first = 0, second = 0;
        if (sscanf(line, "%31s %lu %lu", word, &first, &second) >= 1 && strcmp(word, name) == 0) {
            if (numbers != NULL) {
                numbers[0] = first, numbers[1] = second;
            }
            return 1;
        }
    }
    return 0;
}

static unsigned long devices(void) { return fault("no-device", NULL) ? 0 : setting("CUDA_DOUBLE_DEVICES", 1); }

static unsigned long memory_bytes(void) { return setting("CUDA_DOUBLE_MEMORY", 256ul << 20); }

/* What every call begins with once there is a context. */
static status ready(void) {
    if (!initialised) {
        return CUDA_ERROR_NOT_INITIALIZED;
    }
    return current == NULL ? CUDA_ERROR_INVALID_CONTEXT : broken;
}

status cuInit(unsigned int flags) {
    (void)flags;
    initialised = 1;
    return devices() == 0 ? CUDA_ERROR_NO_DEVICE : CUDA_SUCCESS;
}

status cuDriverGetVersion(int *version) {
    *version = 13000;
    return CUDA_SUCCESS;
}

status cuGetErrorString(status error, const char **text) {
    *text = error == CUDA_ERROR_OUT_OF_MEMORY     ? "out of memory (double)"
            : error == CUDA_ERROR_ILLEGAL_ADDRESS ? "an illegal memory access was encountered (double)"
                                                  : "an error (double)";
    return CUDA_SUCCESS;
}

status cuDeviceGetCount(int *count) {
    *count = (int)devices();
    return initialised ? CUDA_SUCCESS : CUDA_ERROR_NOT_INITIALIZED;
}

status cuDeviceGet(int *device, int ordinal) {
    *device = ordinal;
    return ordinal >= 0 && ordinal < (int)devices() ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

status cuDeviceGetName(char *name, int length, int device) {
    (void)device;
    snprintf(name, (size_t)length, "double");
    return CUDA_SUCCESS;
}

status cuDeviceTotalMem_v2(size_t *bytes, int device) {
    (void)device;
    *bytes = memory_bytes();
    return CUDA_SUCCESS;
}

status cuDeviceGetAttribute(int *value, int attribute, int device) {
    (void)device;
    switch (attribute) {
    case MAX_THREADS_PER_BLOCK: *value = GROUP_MAX; return CUDA_SUCCESS;
    case MULTIPROCESSOR_COUNT: *value = 1; return CUDA_SUCCESS;
    case COMPUTE_CAPABILITY_MAJOR: *value = 9; return CUDA_SUCCESS;
    case COMPUTE_CAPABILITY_MINOR: *value = 0; return CUDA_SUCCESS;
    default: return CUDA_ERROR_INVALID_VALUE;
    }
}

/* Any address will do for what is only handed back. */
static int context, stream, module;

status cuDevicePrimaryCtxRetain(void **result, int device) {
    (void)device;
    *result = &context;
    return broken;
}

status cuDevicePrimaryCtxRelease_v2(int device) {
    (void)device;
    return CUDA_SUCCESS;
}

status cuCtxSetCurrent(void *one) {
    current = one;
    return CUDA_SUCCESS;
}

status cuModuleLoadDataEx(void **result, const void *image, unsigned int count, void *options, void **values) {
    (void)count, (void)options, (void)values;
    *result = &module;
    return image == NULL ? CUDA_ERROR_INVALID_VALUE : ready();
}

status cuModuleUnload(void *one) {
    (void)one;
    return ready();
}

status cuModuleGetFunction(void **function, void *one, const char *name) {
    (void)one;
    for (const struct kernel *kernel = outrigger_kernels; kernel->name != NULL; kernel++) {
        if (strcmp(kernel->name, name) == 0) {
            *function = (void *)kernel;
            return ready();
        }
    }
    return CUDA_ERROR_NOT_FOUND;
}

status cuMemAlloc_v2(uint64_t *address, size_t bytes) {
    status state = ready();
    if (state != CUDA_SUCCESS || bytes == 0) {
        return state != CUDA_SUCCESS ? state : CUDA_ERROR_INVALID_VALUE;
    }
    pthread_mutex_lock(&lock);
    struct allocation *one = NULL;
    if (bytes <= memory_bytes() - held && !fault("out-of-memory", NULL)) {
        one = aligned_alloc(256, (sizeof *one + bytes + 255) / 256 * 256);
    }
    if (one != NULL) {
        memset(one->memory, 0xA5, bytes);
        one->bytes = bytes;
        one->is_from_host = 0;
        one->next = allocations;
        allocations = one;
        held += bytes;
        *address = (uint64_t)(uintptr_t)one->memory;
    }
    pthread_mutex_unlock(&lock);
    return one != NULL ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}

status cuMemFree_v2(uint64_t address) {
    status state = CUDA_ERROR_INVALID_VALUE;
    pthread_mutex_lock(&lock);
    for (struct allocation **place = &allocations; *place != NULL; place = &(*place)->next) {
        struct allocation *one = *place;
        if ((uint64_t)(uintptr_t)one->memory == address) {
            *place = one->next;
            held -= one->bytes;
            free(one);
            state = CUDA_SUCCESS;
            break;
        }
    }
    pthread_mutex_unlock(&lock);
    return state != CUDA_SUCCESS ? state : ready();
}

/* The allocation in which a range lies; NULL where it lies in none. The caller holds the lock. */
static struct allocation *allocation_of(uint64_t address, size_t bytes) {
    for (struct allocation *one = allocations; one != NULL; one = one->next) {
        uint64_t start = (uint64_t)(uintptr_t)one->memory;
        if (address >= start && address - start <= one->bytes && bytes <= one->bytes - (address - start)) {
            return one;
        }
    }
    return NULL;
}

static status copy(void *to, const void *from, uint64_t device, size_t bytes, int is_from_host) {
    status state = ready();
    pthread_mutex_lock(&lock);
    struct allocation *memory = allocation_of(device, bytes);
    if (state == CUDA_SUCCESS && memory == NULL) {
        state = CUDA_ERROR_INVALID_VALUE;
    }
    if (state == CUDA_SUCCESS) {
        memcpy(to, from, bytes);
        memory->is_from_host |= is_from_host;
    }
    pthread_mutex_unlock(&lock);
    return state;
}

status cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *on) {
    (void)on;
    return copy((void *)(uintptr_t)to, from, to, bytes, 1);
}

status cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *on) {
    (void)on;
    status state = copy(to, (const void *)(uintptr_t)from, from, bytes, 0);
    unsigned long place[2];
    if (state == CUDA_SUCCESS && fault("flip", place) && place[0] < bytes / 4) {
        ((unsigned char *)to)[4 * place[0] + place[1] / 8 % 4] ^= (unsigned char)(1 << place[1] % 8);
    }
    return state;
}

status cuMemHostRegister_v2(void *memory, size_t bytes, unsigned int flags) {
    (void)flags;
    return memory == NULL || bytes == 0 ? CUDA_ERROR_INVALID_VALUE : ready();
}

status cuStreamCreateWithPriority(void **result, unsigned int flags, int priority) {
    (void)flags, (void)priority;
    *result = &stream;
    return ready();
}

status cuStreamCreate(void **result, unsigned int flags) { return cuStreamCreateWithPriority(result, flags, 0); }

status cuStreamSynchronize(void *one) {
    (void)one;
    return ready();
}

status cuStreamDestroy_v2(void *one) {
    (void)one;
    return ready();
}

status cuEventCreate(void **result, unsigned int flags) {
    (void)flags;
    *result = calloc(1, sizeof(struct timespec));
    return *result == NULL ? CUDA_ERROR_OUT_OF_MEMORY : ready();
}

status cuEventRecord(void *event, void *on) {
    (void)on;
    clock_gettime(CLOCK_MONOTONIC, event);
    return ready();
}

status cuEventElapsedTime(float *milliseconds, void *from, void *to) {
    const struct timespec *start = from, *end = to;
    *milliseconds = (float)(end->tv_sec - start->tv_sec) * 1e3f + (float)(end->tv_nsec - start->tv_nsec) * 1e-6f;
    return ready();
}

status cuEventDestroy_v2(void *event) {
    free(event);
    return ready();
}

/* The byte of the first input from the host that a fault wants to be another one; NULL where there is none. */
static unsigned char *wronged(const struct kernel *kernel, void *const *arguments, unsigned char *mask) {
    unsigned long place[2];
    if (!fault("wrong", place)) {
        return NULL;
    }
    for (size_t i = 0; kernel->parameters[i] != 0; i++) {
        uint64_t address = (uint64_t)(uintptr_t)arguments[i];
        struct allocation *memory = kernel->parameters[i] == 'i' ? allocation_of(address, place[0] + 1) : NULL;
        if (memory != NULL && memory->is_from_host) {
            *mask = (unsigned char)(1 << place[1] % 8);
            return (unsigned char *)arguments[i] + place[0];
        }
    }
    return NULL;
}

status cuLaunchKernel(void *function, unsigned int groups, unsigned int groups_y, unsigned int groups_z,
                      unsigned int size, unsigned int size_y, unsigned int size_z, unsigned int shared_bytes, void *on,
                      void **parameters, void **extra) {
    const struct kernel *kernel = function;
    void *arguments[32];
    size_t count = strlen(kernel->parameters);
    status state = ready();
    (void)on;
    if (state != CUDA_SUCCESS) {
        return state;
    }
    if (groups == 0 || size == 0 || size > GROUP_MAX || groups_y * groups_z * size_y * size_z != 1 ||
        shared_bytes != 0 || extra != NULL || count > 32) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    while (fault("hang", NULL)) {
        usleep(1000);
    }
    pthread_mutex_lock(&lock);
    if (++launches == setting("CUDA_DOUBLE_FAULT", 0) || fault("lost", NULL)) {
        broken = CUDA_ERROR_ILLEGAL_ADDRESS;
    }
    for (size_t i = 0; i < count && broken == CUDA_SUCCESS; i++) {
        arguments[i] = parameters[i];
        if (kernel->parameters[i] != 'n') {
            memcpy(&arguments[i], parameters[i], sizeof(void *));
            if (allocation_of((uint64_t)(uintptr_t)arguments[i], 0) == NULL) {
                broken = CUDA_ERROR_ILLEGAL_ADDRESS;
            }
        }
    }
    /* As on a GPU, a launch that fails says so when somebody waits for it. */
    if (broken == CUDA_SUCCESS) {
        unsigned char mask = 0, *byte = wronged(kernel, arguments, &mask);
        if (byte != NULL) {
            *byte ^= mask;
        }
        if (outrigger_host_run(kernel->entry, arguments, groups, size, kernel->cooperative) != 0) {
            state = CUDA_ERROR_LAUNCH_FAILED;
        }
        if (byte != NULL) {
            *byte ^= mask;
        }
    }
    pthread_mutex_unlock(&lock);
    return state;
}
