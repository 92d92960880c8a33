/* A stand-in for libnvidia-ml.so.1, compiled by nvidia.py.
 *
 * The file that STAND_IN_CONTROL names says in words how the driver behaves, from the
 * next call on. STAND_IN_LOG takes one line for every nvmlInit and nvmlShutdown,
 * beginning with "call" for every other call while the word "log_calls" is there, and
 * beginning with "misuse" for every call that a real driver would refuse and that a
 * correct program never makes, samples never freed included.
 *
 * GPUs are whole; with "mig" all, with "mig_gpu=2" the third is divided into the slices
 * 1 and 4, which are the GPU instances 3 and 6. "no_slice=4" destroys that slice, and
 * "new_slice=4" makes another in its place, under the same handle.
 *
 * Signatures and numbers: NVIDIA's nvml.h, API version 12.
 * With -DOLD_DRIVER the functions are missing that came after driver 418, with
 * -DMIDDLE_DRIVER those that came after driver 470.
 */

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
    OUT_OF_MEMORY = 20,
    NO_DATA = 21,
    ARGUMENT_VERSION_MISMATCH = 25,
    UNKNOWN = 999,
};

#define GPUS 8
#define SLOTS 7
#define GIB (1ULL << 30)
#define MIB (1ULL << 20)

/* A handle points to one of these; `gpus` are whole, `slices` their MIG slices. */
typedef struct { int index, slot, given; } Device;
static Device gpus[GPUS], slices[GPUS][SLOTS];
static int open_count;
static int dropped; /* the driver went away and nobody was told yet */
static int closed;  /* the last word was nvmlShutdown */
static long driver_thread;

/* More samples than two for each slice are never needed at a time. */
#define SAMPLES 32
typedef struct { int given, filled, index, instance; long number; } Sample;
static Sample samples[SAMPLES];

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

/* Say in words how to behave; read again only when the file is another one. */
static const char *words(void) {
    static char line[4096];
    static struct stat before;
    struct stat now;
    if (stat(getenv("STAND_IN_CONTROL"), &now)) return "";
    if (now.st_ino == before.st_ino && now.st_mtim.tv_sec == before.st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == before.st_mtim.tv_nsec)
        return line;
    before = now;
    FILE *file = fopen(getenv("STAND_IN_CONTROL"), "r");
    if (!file || !fgets(line, sizeof line, file)) line[0] = 0;
    if (file) fclose(file);
    return line;
}

/* What stands after "word=", "1" for the bare word, NULL where it is not there. */
static const char *value_of(const char *word) {
    size_t length = strlen(word);
    const char *next = words();
    while (*next) {
        if (!strncmp(next, word, length)) {
            if (next[length] == '=') return next + length + 1;
            if (strchr(" \n", next[length])) return "1";
        }
        next += strcspn(next, " \n");
        next += strspn(next, " \n");
    }
    return NULL;
}

/* The number after "word=", 1 for the bare word, -1 where it is not there. */
static int control(const char *word) {
    const char *value = value_of(word);
    return value ? atoi(value) : -1;
}

static void hang_while(const char *word) {
    while (control(word) > 0) usleep(10000);
}

/* Every call but nvmlInit and nvmlShutdown begins here. */
static Return enter(const char *function) {
    if (control("log_calls") > 0) note("call", function, "");
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
    if (control("lost") == device->index) return GPU_IS_LOST;
    return slice && control("no_slice") == device->slot ? INVALID_ARGUMENT : SUCCESS;
}

static int divided(int index) {
    return control("mig") > 0 || control("mig_gpu") == index;
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
    closed = 0;
    note("init", __func__, "done");
    return SUCCESS;
}

Return nvmlShutdown(void) {
    for (int i = 0; i < SAMPLES; i++)
        if (samples[i].given) {
            misuse(__func__, "a sample was never freed", SUCCESS);
            samples[i].given = 0;
        }
    closed = 1;
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
    else snprintf(value, sizeof value, "MIG-%d-%d%s", device->index, device->slot,
                  control("new_slice") == device->slot ? "-new" : "");
    return text(__func__, uuid, length, value);
}

Return nvmlDeviceGetName(Device *device, char *name, unsigned length) {
    Return result = check(__func__, device);
    if (result) return result;
    if (control("garbled_name") > 0) return text(__func__, name, length, "\xff\xfe");
    const char *value = device->slot < 0 ? "Stand-in X1"
        : control("partial") == device->slot ? "Stand-in X1 MIG 1c.2g.20gb"
        : "Stand-in X1 MIG 1g.10gb";
    return text(__func__, name, length, value);
}

Return nvmlDeviceGetUtilizationRates(Device *device, Utilization *utilization) {
    hang_while("hang");
    Return result = check(__func__, device);
    if (result) return result;
    if (device->slot >= 0 || divided(device->index) || control("no_utilization") > 0)
        return NOT_SUPPORTED;
    utilization->gpu = 29 + 10 * device->index;
    utilization->memory = 3;
    return SUCCESS;
}

/* Used by programs; the driver keeps 512 MiB more for itself. */
static unsigned long long used(Device *device) {
    if (control("idle_mib") >= 0) return control("idle_mib") * MIB;
    return device->slot < 0 ? (device->index + 1) * GIB : (device->slot + 1) * 100 * MIB;
}

static unsigned long long total(Device *device) {
    return device->slot < 0 ? 80 * GIB : 10 * GIB;
}

static Return memory_check(const char *function, Device *device) {
    Return result = check(function, device);
    if (result) return result;
    if (control("memory_forbidden") == device->index) return NO_PERMISSION;
    return device->slot < 0 && divided(device->index) ? NO_PERMISSION : SUCCESS;
}

Return nvmlDeviceGetMemoryInfo(Device *device, Memory *memory) {
    Return result = memory_check(__func__, device);
    if (result) return result;
    memory->total = total(device);
    memory->used = used(device) + 512 * MIB;
    memory->free = memory->total - memory->used;
    return SUCCESS;
}

#if !defined OLD_DRIVER && !defined MIDDLE_DRIVER

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

#endif

#ifndef OLD_DRIVER

Return nvmlDeviceGetMigMode(Device *device, unsigned *current, unsigned *pending) {
    Return result = check(__func__, device);
    if (result) return result;
    if (device->slot >= 0) return misuse(__func__, "asked of a slice", INVALID_ARGUMENT);
    if (control("no_mig") > 0) return NOT_SUPPORTED;
    *current = *pending = divided(device->index);
    return SUCCESS;
}

Return nvmlDeviceGetMaxMigDeviceCount(Device *device, unsigned *count) {
    Return result = check(__func__, device);
    if (result) return result;
    *count = divided(device->index) ? SLOTS : 0;
    return SUCCESS;
}

Return nvmlDeviceGetMigDeviceHandleByIndex(Device *device, unsigned slot, Device **slice) {
    Return result = check(__func__, device);
    if (result) return result;
    if (device->slot >= 0) return misuse(__func__, "asked of a slice", INVALID_ARGUMENT);
    if (!divided(device->index)) return misuse(__func__, "not divided", NOT_FOUND);
    if (slot >= SLOTS) return misuse(__func__, "slot out of range", INVALID_ARGUMENT);
    if (slot == 2) return NO_PERMISSION; /* somebody else's */
    if ((slot != 1 && slot != 4) || control("no_slice") == (int)slot) return NOT_FOUND;
    *slice = &slices[device->index][slot];
    (*slice)->given = 1;
    return SUCCESS;
}

typedef struct {
    unsigned pid;
    unsigned long long used;
    unsigned gpu_instance, compute_instance;
} Process;

/* Fill in the processes that "<kind>@<uuid>=<pid>:<MiB>,..." names; -1 MiB is not known. */
static Return processes(const char *function, const char *kind, Device *device, unsigned *count,
                        Process *into) {
    Return result = check(function, device);
    if (result) return result;
    if (device->slot < 0 && divided(device->index)) return NO_PERMISSION;
    if (control("processes_forbidden") == device->index) return NO_PERMISSION;
    if (control("no_processes") > 0) return NOT_SUPPORTED;
    if (control("processes_fail") > 0) return UNKNOWN;
    if (control("only_compute") > 0 && strcmp(kind, "compute")) return NOT_SUPPORTED;
    char word[64];
    if (device->slot < 0) snprintf(word, sizeof word, "%s@GPU-%d", kind, device->index);
    else snprintf(word, sizeof word, "%s@MIG-%d-%d", kind, device->index, device->slot);
    const char *next = value_of(word);
    unsigned there = 0, room = *count;
    while (next && *next && !strchr(" \n", *next)) {
        char *end;
        unsigned pid = strtoul(next, &end, 10);
        long long mib = strtoll(end + 1, &end, 10);
        if (into && there < room)
            into[there] = (Process){pid, mib < 0 ? ~0ULL : (unsigned long long)mib * MIB,
                                    device->slot < 0 ? ~0U : (unsigned)device->slot + 2, 0};
        there++;
        next = end + (*end == ',');
    }
    if (room && !into) return misuse(function, "no buffer", INVALID_ARGUMENT);
    *count = there;
    return there > room ? INSUFFICIENT_SIZE : SUCCESS;
}

#define LIST(name, kind)                                                                   \
    Return name(Device *device, unsigned *count, Process *into) {                          \
        return processes(__func__, kind, device, count, into);                             \
    }

#ifdef MIDDLE_DRIVER
LIST(nvmlDeviceGetComputeRunningProcesses_v2, "compute")
LIST(nvmlDeviceGetGraphicsRunningProcesses_v2, "graphics")
#else
LIST(nvmlDeviceGetComputeRunningProcesses_v3, "compute")
LIST(nvmlDeviceGetGraphicsRunningProcesses_v3, "graphics")
LIST(nvmlDeviceGetMPSComputeRunningProcesses_v3, "mps")

Return nvmlDeviceGetGpuInstanceId(Device *device, unsigned *instance) {
    Return result = check(__func__, device);
    if (result) return result;
    if (device->slot < 0) return misuse(__func__, "asked of a whole GPU", INVALID_ARGUMENT);
    *instance = device->slot + 2;
    return SUCCESS;
}

/* GPM. "gpm" says that the GPUs have it; "gpm=37" how busy slice 0 is, in percent, and
 * every other slice is by its number busier.
 */
typedef struct { unsigned version, is_supported; } GpmSupport;
typedef struct {
    unsigned id;
    Return result;
    double value;
    struct { char *short_name, *long_name, *unit; } info;
} GpmMetric;
typedef struct {
    unsigned version, count;
    Sample *first, *second;
    GpmMetric metrics[];
} GpmMetrics;

static Return known(const char *function, Sample *sample) {
    if (sample < samples || sample >= samples + SAMPLES)
        return misuse(function, "no such sample", INVALID_ARGUMENT);
    if (!sample->given) return misuse(function, "sample not given out", INVALID_ARGUMENT);
    return SUCCESS;
}

Return nvmlGpmQueryDeviceSupport(Device *device, GpmSupport *support) {
    Return result = check(__func__, device);
    if (result) return result;
    if (device->slot >= 0) return misuse(__func__, "asked of a slice", INVALID_ARGUMENT);
    if (support->version != 1) return misuse(__func__, "wrong version", ARGUMENT_VERSION_MISMATCH);
    if (control("gpm_query_forbidden") > 0) return NO_PERMISSION;
    if (control("gpm_query_unsupported") > 0) return NOT_SUPPORTED;
    support->is_supported = value_of("gpm") != NULL;
    return SUCCESS;
}

Return nvmlGpmSampleAlloc(Sample **sample) {
    Return result = enter(__func__);
    if (result) return result;
    if (control("gpm_no_memory") > 0) return OUT_OF_MEMORY;
    for (int i = 0; i < SAMPLES; i++)
        if (!samples[i].given) {
            samples[i] = (Sample){.given = 1};
            *sample = &samples[i];
            return SUCCESS;
        }
    return misuse(__func__, "more samples than are ever needed", OUT_OF_MEMORY);
}

/* Memory of this process: can be freed when the driver went away, but not once closed. */
Return nvmlGpmSampleFree(Sample *sample) {
    if (closed) return misuse(__func__, "called after nvmlShutdown", UNINITIALIZED);
    Return result = known(__func__, sample);
    if (result) return result;
    sample->given = 0;
    return SUCCESS;
}

Return nvmlGpmMigSampleGet(Device *device, unsigned instance, Sample *sample) {
    static long number;
    hang_while("gpm_hang");
    Return result = check(__func__, device);
    if (result) return result;
    if (device->slot >= 0) return misuse(__func__, "asked of a slice", INVALID_ARGUMENT);
    if (!divided(device->index)) return misuse(__func__, "not divided", INVALID_ARGUMENT);
    if (instance != 3 && instance != 6) return misuse(__func__, "no such instance", NOT_FOUND);
    if ((result = known(__func__, sample))) return result;
    if (sample->filled) note("misuse", __func__, "sample filled already");
    if (control("no_slice") == (int)instance - 2) return NOT_FOUND;
    if (control("gpm_forbidden") > 0) return NO_PERMISSION;
    if (control("gpm_unsupported") > 0) return NOT_SUPPORTED;
    if (control("gpm_sample_fails") > 0) return UNKNOWN;
    *sample = (Sample){1, 1, device->index, (int)instance, ++number};
    return SUCCESS;
}

Return nvmlGpmMetricsGet(GpmMetrics *asked) {
    Return result = enter(__func__);
    if (result) return result;
    if (asked->version != 1) return misuse(__func__, "wrong version", ARGUMENT_VERSION_MISMATCH);
    if ((result = known(__func__, asked->first))) return result;
    if ((result = known(__func__, asked->second))) return result;
    if (!asked->first->filled || !asked->second->filled)
        return misuse(__func__, "sample not filled", INVALID_ARGUMENT);
    if (asked->first->number >= asked->second->number)
        return misuse(__func__, "samples not in order", INVALID_ARGUMENT);
    if (asked->first->index != asked->second->index ||
        asked->first->instance != asked->second->instance)
        return misuse(__func__, "samples of two slices", INVALID_ARGUMENT);
    if (asked->count != 1 || asked->metrics[0].id != 1)
        return misuse(__func__, "not graphics utilization alone", INVALID_ARGUMENT);
    if (control("gpm_fails") > 0) return UNKNOWN;
    asked->metrics[0].result = control("gpm_no_data") > 0 ? NO_DATA : SUCCESS;
    asked->metrics[0].value = control("gpm_nan") > 0
        ? 0.0 / 0.0
        : control("gpm") + asked->first->instance - 2;
    return SUCCESS;
}
#endif

#endif
