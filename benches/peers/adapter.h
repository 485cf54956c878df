/* What every adapter shares: the line protocol of README.md, threads, and hex. An adapter defines the functions below
 * and calls adapter_main(). C11 and POSIX threads. */
#ifndef OUTRIGGER_ADAPTER_H
#define OUTRIGGER_ADAPTER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
    uint8_t *data;
    size_t length;
};

struct item {
    struct bytes key, signature, message;
};

/* What one thread keeps from item to item, such as a group or a context; an adapter says what it is. */
struct state;

/* Judges one item from its bytes alone. */
typedef bool (*verify_fn)(struct state *state, const struct item *item);

struct ruleset {
    const char *name;
    verify_fn verify;
};

struct adapter {
    const char *name;
    const char *version;
    const struct ruleset *rulesets; /* up to one without a name */
    struct state *(*state_new)(void);
    void (*state_free)(struct state *state);
};

/* Threads that a run may use; the command line of the bench never asks for more. */
enum { THREADS_MAX = 256 };

struct load {
    struct item *items;
    size_t count;
    int threads;
    verify_fn verify;
};

static inline void adapter_die(const char *what) {
    printf("{\"error\":\"%s\"}\n", what);
    exit(1);
}

/* The string that starts at *text, a quote; *text moves behind it. The protocol has no escapes. */
static inline char *take_string(char **text) {
    char *start = *text + 1, *end = strchr(start, '"');
    if (end == NULL) adapter_die("a string without an end");
    *end = 0;
    *text = end + 1;
    return start;
}

static inline int hex_digit(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    adapter_die("not lower-case hex");
    return 0;
}

static inline struct bytes unhex(const char *hex) {
    struct bytes bytes = {NULL, strlen(hex) / 2};
    bytes.data = malloc(bytes.length + 1);
    if (bytes.data == NULL) adapter_die("out of memory");
    for (size_t i = 0; i < bytes.length; i++)
        bytes.data[i] = (uint8_t)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
    return bytes;
}

static inline void add_item(struct load *load) {
    load->items = realloc(load->items, (load->count + 1) * sizeof *load->items);
    if (load->items == NULL) adapter_die("out of memory");
    memset(&load->items[load->count++], 0, sizeof *load->items);
}

static inline void free_items(struct load *load) {
    for (size_t i = 0; i < load->count; i++) {
        free(load->items[i].key.data);
        free(load->items[i].signature.data);
        free(load->items[i].message.data);
    }
    free(load->items);
    *load = (struct load){NULL, 0, 1, NULL};
}

/* Takes a value of `name` from *text, which stands behind the colon. */
static inline void take_value(const struct adapter *adapter, struct load *load, const char *name, char **text) {
    while (**text == ' ') ++*text;
    if (strcmp(name, "threads") == 0) load->threads = (int)strtol(*text, text, 10);
    if (**text != '"') return; /* a number, or the list of items, whose braces the caller sees */
    char *value = take_string(text);
    if (strcmp(name, "ruleset") == 0) {
        for (const struct ruleset *ruleset = adapter->rulesets; ruleset->name != NULL; ruleset++)
            if (strcmp(ruleset->name, value) == 0) load->verify = ruleset->verify;
        return;
    }
    if (load->count == 0) return;
    struct item *item = &load->items[load->count - 1];
    if (strcmp(name, "public_key") == 0) item->key = unhex(value);
    if (strcmp(name, "signature") == 0) item->signature = unhex(value);
    if (strcmp(name, "message") == 0) item->message = unhex(value);
}

static inline void take_load(const struct adapter *adapter, struct load *load, char *line) {
    free_items(load);
    int depth = 0;
    for (char *text = line; *text != 0;) {
        if (*text == '"') {
            char *name = take_string(&text);
            while (*text == ' ') text++;
            if (*text == ':') {
                text++;
                take_value(adapter, load, name, &text);
            }
            continue;
        }
        if (*text == '{' && ++depth == 2) add_item(load);
        if (*text == '}') depth--;
        text++;
    }
    if (load->verify == NULL) adapter_die("a ruleset that this adapter did not name");
    if (load->threads < 1 || load->threads > THREADS_MAX) adapter_die("threads out of range");
}

struct share {
    const struct adapter *adapter;
    const struct load *load;
    size_t start, end, valid;
};

static inline void *run_share(void *argument) {
    struct share *share = argument;
    struct state *state = share->adapter->state_new();
    for (size_t i = share->start; i < share->end; i++) share->valid += share->load->verify(state, &share->load->items[i]);
    share->adapter->state_free(state);
    return NULL;
}

/* Verifies everything once; how many were valid. */
static inline size_t run(const struct adapter *adapter, const struct load *load) {
    struct share shares[THREADS_MAX];
    pthread_t threads[THREADS_MAX];
    size_t valid = 0, n = (size_t)load->threads;
    for (size_t t = 0; t < n; t++) {
        shares[t] = (struct share){adapter, load, load->count * t / n, load->count * (t + 1) / n, 0};
        if (t > 0 && pthread_create(&threads[t], NULL, run_share, &shares[t]) != 0) adapter_die("no thread");
    }
    run_share(&shares[0]);
    for (size_t t = 0; t < n; t++) {
        if (t > 0) pthread_join(threads[t], NULL);
        valid += shares[t].valid;
    }
    return valid;
}

/* Speaks the protocol until the input ends. */
static inline int adapter_main(const struct adapter *adapter) {
    struct load load = {NULL, 0, 1, NULL};
    char *line = NULL;
    size_t capacity = 0;
    printf("{\"name\":\"%s\",\"version\":\"%s\",\"rulesets\":[", adapter->name, adapter->version);
    for (const struct ruleset *ruleset = adapter->rulesets; ruleset->name != NULL; ruleset++)
        printf("%s\"%s\"", ruleset == adapter->rulesets ? "" : ",", ruleset->name);
    puts("]}");
    fflush(stdout);
    while (getline(&line, &capacity, stdin) > 0) {
        if (strstr(line, "\"command\":\"load\"") != NULL) {
            take_load(adapter, &load, line);
            puts("{}");
        } else if (strstr(line, "\"command\":\"run\"") != NULL) {
            printf("{\"valid\":%zu}\n", load.verify == NULL ? 0 : run(adapter, &load));
        } else {
            puts("{\"error\":\"unknown command\"}");
        }
        fflush(stdout);
    }
    free(line);
    free_items(&load);
    return 0;
}

#endif
