/* A stand-in for libnvidia-ml.so.1, compiled by test_nvml.py.
 *
 * The file that STAND_IN_CONTROL names says in words how the driver behaves; it is
 * read anew at every call. STAND_IN_LOG takes one line for every nvmlInit and
 * nvmlShutdown and, beginning with "misuse", for every call that a real driver would
 * refuse and that a correct program never makes.
 *
 * Signatures and numbers: NVIDIA's nvml.h, API version 12.
 * With -DOLD_DRIVER the functions are missing that came after driver 418.
 */

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef int Return;
enum {
    SUCCESS = 0,
    UNINITIALIZED = 1,
    INVALID_ARGUMENT = 2,
    NOT_SUPPORTED = 3,
    NO_PERMISSION = 4,
    NOT_FOUND = 6,
    INSUFFICIENT_SIZE = 7,
    INSUFFICIENT_POWER = 8,
    DRIVER_NOT_LOADED = 9,
    GPU_IS_LOST = 15,
    ARGUMENT_VERSION_MISMATCH = 25,
};

#define GPUS 4
#define SLOTS 7
#define GIB (1ULL << 30)
#define MIB (1ULL << 20)

/* A handle points to one of these; `gpus` are whole, `slices` their MIG slices. */
typedef struct { int index, slot, given; } Device;
static Device gpus[GPUS], slices[GPUS][SLOTS];
static int open_count;
static int dropped; /* the driver went away and nobody was told yet */
static long driver_thread;

typedef struct { unsigned long long total, free, used; } Memory;
typedef struct { unsigned version; unsigned long long total, reserved, free, used; } MemoryV2;
typedef struct { unsigned gpu, memory; } Utilization;

static void note(const char *kind, const char *function, const char *what) {
    FILE *log = fopen(getenv("STAND_IN_LOG"), "a");
    fprintf(log, "%s %s %s\n", kind, function, what);
    fclose(log);
}

static Return misuse(const char *function, const char *what, Return value) {
    note("misuse", function, what);
    return value;
}

/* The number after "word=", 1 for the bare word, -1 where it is not there. */
static int control(const char *word) {
    char line[256] = "";
    FILE *file = fopen(getenv("STAND_IN_CONTROL"), "r");
    if (file) {
        if (!fgets(line, sizeof line, file)) line[0] = 0;
        fclose(file);
    }
    for (char *state, *next = strtok_r(line, " \n", &state); next;
         next = strtok_r(NULL, " \n", &state)) {
        size_t length = strlen(word);
        if (strncmp(next, word, length)) continue;
        if (next[length] == 0) return 1;
        if (next[length] == '=') return atoi(next + length + 1);
    }
    return -1;
}

static void hang_while(const char *word) {
    while (control(word) > 0) usleep(10000);
}

/* Every call but nvmlInit and nvmlShutdown begins here. */
static Return enter(const char *function) {
    long thread = syscall(SYS_gettid);
    if (thread == getpid()) note("misuse", function, "called in the main thread");
    if (thread != driver_thread) note("misuse", function, "called in a second thread");
    if (control("gone") > 0 && open_count) {
        open_count = 0;
        dropped = 1;
    }
    if (open_count) return SUCCESS;
    if (!dropped) return misuse(function, "called before nvmlInit", UNINITIALIZED);
    dropped = 0;
    return UNINITIALIZED;
}

static Return check(const char *function, Device *device) {
    Return result = enter(function);
    if (result) return result;
    Device *whole_first = gpus, *slice_first = &slices[0][0];
    int whole = device >= whole_first && device < whole_first + GPUS;
    int slice = device >= slice_first && device < slice_first + GPUS * SLOTS;
    if (!whole && !slice) return misuse(function, "no such handle", INVALID_ARGUMENT);
    if (!device->given) return misuse(function, "handle never given out", INVALID_ARGUMENT);
    return control("lost") == device->index ? GPU_IS_LOST : SUCCESS;
}

static Return text(const char *function, char *into, unsigned length, const char *value) {
    if (!into) return misuse(function, "no buffer", INVALID_ARGUMENT);
    if (length < strlen(value) + 1) return misuse(function, "buffer small", INSUFFICIENT_SIZE);
    strcpy(into, value);
    return SUCCESS;
}

Return nvmlInitWithFlags(unsigned flags) {
    driver_thread = syscall(SYS_gettid);
    if (driver_thread == getpid()) note("misuse", __func__, "called in the main thread");
    if (flags) note("misuse", __func__, "unexpected flags");
    if (open_count) note("misuse", __func__, "already open");
    hang_while("hang_init");
    if (control("slow_init") > 0) sleep(2);
    if (control("init_fails") > 0 || control("gone") > 0) {
        note("init", __func__, "failed");
        return DRIVER_NOT_LOADED;
    }
    for (int i = 0; i < GPUS; i++) {
        gpus[i] = (Device){.index = i, .slot = -1};
        for (int j = 0; j < SLOTS; j++) slices[i][j] = (Device){.index = i, .slot = j};
    }
    open_count = 1;
    dropped = 0;
    note("init", __func__, "done");
    return SUCCESS;
}

Return nvmlShutdown(void) {
    if (!open_count) return UNINITIALIZED; /* allowed: the driver may be gone */
    open_count = 0;
    note("shutdown", __func__, "done");
    return SUCCESS;
}

const char *nvmlErrorString(Return result) {
    return result == ARGUMENT_VERSION_MISMATCH ? "Argument Version Mismatch" : "Stand-in error";
}

Return nvmlSystemGetDriverVersion(char *version, unsigned length) {
    Return result = enter(__func__);
    return result ? result : text(__func__, version, length, "575.57.08");
}

Return nvmlDeviceGetCount_v2(unsigned *count) {
    Return result = enter(__func__);
    if (result) return result;
    *count = control("gpus") > 0 ? control("gpus") : 0;
    return SUCCESS;
}

Return nvmlDeviceGetHandleByIndex_v2(unsigned index, Device **device) {
    Return result = enter(__func__);
    if (result) return result;
    if (index >= GPUS || (int)index >= control("gpus"))
        return misuse(__func__, "index out of range", INVALID_ARGUMENT);
    if (control("forbidden") == (int)index) return NO_PERMISSION;
    if (control("no_power") == (int)index) return INSUFFICIENT_POWER;
    if (control("lost_at_open") == (int)index) return GPU_IS_LOST;
    gpus[index].given = 1;
    *device = &gpus[index];
    return SUCCESS;
}

Return nvmlDeviceGetUUID(Device *device, char *uuid, unsigned length) {
    Return result = check(__func__, device);
    if (result) return result;
    char value[40];
    if (device->slot < 0) snprintf(value, sizeof value, "GPU-%d", device->index);
    else snprintf(value, sizeof value, "MIG-%d-%d", device->index, device->slot);
    return text(__func__, uuid, length, value);
}

Return nvmlDeviceGetName(Device *device, char *name, unsigned length) {
    Return result = check(__func__, device);
    if (result) return result;
    if (control("garbled_name") > 0) return text(__func__, name, length, "\xff\xfe");
    const char *value = device->slot < 0 ? "Stand-in X1" : "Stand-in X1 MIG 1g.10gb";
    return text(__func__, name, length, value);
}

Return nvmlDeviceGetUtilizationRates(Device *device, Utilization *utilization) {
    hang_while("hang");
    Return result = check(__func__, device);
    if (result) return result;
    if (device->slot >= 0 || control("mig") > 0 || control("no_utilization") > 0)
        return NOT_SUPPORTED;
    utilization->gpu = 29 + 10 * device->index;
    utilization->memory = 3;
    return SUCCESS;
}

/* Used by programs; the driver keeps 512 MiB more for itself. */
static unsigned long long used(Device *device) {
    return device->slot < 0 ? (device->index + 1) * GIB : (device->slot + 1) * 100 * MIB;
}

static unsigned long long total(Device *device) {
    return device->slot < 0 ? 80 * GIB : 10 * GIB;
}

static Return memory_check(const char *function, Device *device) {
    Return result = check(function, device);
    if (result) return result;
    return device->slot < 0 && control("mig") > 0 ? NO_PERMISSION : SUCCESS;
}

Return nvmlDeviceGetMemoryInfo(Device *device, Memory *memory) {
    Return result = memory_check(__func__, device);
    if (result) return result;
    memory->total = total(device);
    memory->used = used(device) + 512 * MIB;
    memory->free = memory->total - memory->used;
    return SUCCESS;
}

#ifndef OLD_DRIVER

Return nvmlDeviceGetMemoryInfo_v2(Device *device, MemoryV2 *memory) {
    Return result = memory_check(__func__, device);
    if (result) return result;
    if (control("other_memory_version") > 0) return ARGUMENT_VERSION_MISMATCH;
    if (memory->version != (sizeof(MemoryV2) | 2 << 24))
        return misuse(__func__, "wrong struct version", ARGUMENT_VERSION_MISMATCH);
    memory->total = total(device);
    memory->reserved = 512 * MIB;
    memory->used = used(device);
    memory->free = memory->total - memory->reserved - memory->used;
    return SUCCESS;
}

Return nvmlDeviceGetMigMode(Device *device, unsigned *current, unsigned *pending) {
    Return result = check(__func__, device);
    if (result) return result;
    if (device->slot >= 0) return misuse(__func__, "asked of a slice", INVALID_ARGUMENT);
    if (control("no_mig") > 0) return NOT_SUPPORTED;
    *current = *pending = control("mig") > 0;
    return SUCCESS;
}

Return nvmlDeviceGetMaxMigDeviceCount(Device *device, unsigned *count) {
    Return result = check(__func__, device);
    if (result) return result;
    *count = SLOTS;
    return SUCCESS;
}

Return nvmlDeviceGetMigDeviceHandleByIndex(Device *device, unsigned slot, Device **slice) {
    Return result = check(__func__, device);
    if (result) return result;
    if (device->slot >= 0) return misuse(__func__, "asked of a slice", INVALID_ARGUMENT);
    if (slot >= SLOTS) return misuse(__func__, "slot out of range", INVALID_ARGUMENT);
    if (slot == 2) return NO_PERMISSION; /* somebody else's */
    if (slot != 1 && slot != 4) return NOT_FOUND;
    *slice = &slices[device->index][slot];
    (*slice)->given = 1;
    return SUCCESS;
}

#endif
