/* Where a work-item is, as kernels read for the host ask for it. */
#define KERNEL_HOST
#include "platform.h"

_Thread_local struct host_place host_place;

/* The calling thread is work-item `local` of group `group`, of `size` work-items. */
void outrigger_host_place(unsigned int group, unsigned int local, unsigned int size);
void outrigger_host_place(unsigned int group, unsigned int local, unsigned int size) {
    host_place.group = group;
    host_place.local = local;
    host_place.size = size;
}
