/* What differs between OpenCL C 1.2, CUDA C++ and C11: the only place that asks which of them reads the kernels.
 *
 * KERNEL               a kernel without barriers: one work-item, one thread of work
 * KERNEL_COOPERATIVE   a kernel whose work-items meet at BARRIER_LOCAL() and share LOCAL memory; every work-item of a
 *                      group reaches every barrier, also those past the end of the batch
 * GLOBAL, LOCAL        address spaces; a pointer without one is private
 * LOCAL_PTR            a pointer into LOCAL memory, as a function takes it
 * CONSTANT_TABLE       a table at file scope that all work-items read alike; 32 KiB of them in a program at most
 * CONSTANT_PTR         a pointer into one
 * DEVICE_FN            a function that is inlined
 * DEVICE_CALL          a function that is called, so that its code exists once
 * GROUP_MAX            work-items of a group at most: the size of LOCAL arrays
 * UNROLL               before a loop of fixed length: unroll it wholly
 * ATOMIC_ADD_GLOBAL(pointer, addend), ATOMIC_ADD_LOCAL(pointer, addend)
 *                      adds to a u32 in GLOBAL or LOCAL memory, which other work-items may add to at the same time;
 *                      what was there before. Nothing else is ordered by it
 *
 * A kernel returns nothing; its arguments are pointers to GLOBAL u8, u32 or u64 (const or not) and u32 by value. */
#ifndef OUTRIGGER_PLATFORM_H
#define OUTRIGGER_PLATFORM_H

#if defined(__OPENCL_VERSION__)

#define KERNEL __kernel
#define KERNEL_COOPERATIVE __kernel
#define GLOBAL __global
#define LOCAL __local
#define LOCAL_PTR __local
#define CONSTANT_TABLE __constant
#define CONSTANT_PTR __constant
#define DEVICE_FN static inline
#define DEVICE_CALL static __attribute__((noinline))
#define GLOBAL_ID() ((u32)get_global_id(0))
#define LOCAL_ID() ((u32)get_local_id(0))
#define LOCAL_SIZE() ((u32)get_local_size(0))
#define GROUP_ID() ((u32)get_group_id(0))
#define BARRIER_LOCAL() barrier(CLK_LOCAL_MEM_FENCE)
#define UNROLL __attribute__((opencl_unroll_hint))
#define ATOMIC_ADD_GLOBAL(pointer, addend) atomic_add((volatile __global u32 *)(pointer), (addend))
#define ATOMIC_ADD_LOCAL(pointer, addend) atomic_add((volatile __local u32 *)(pointer), (addend))
#ifndef GROUP_MAX
#define GROUP_MAX 128
#endif

#elif defined(__CUDACC__)

#define KERNEL extern "C" __global__
#define KERNEL_COOPERATIVE extern "C" __global__
#define GLOBAL
#define LOCAL __shared__
#define LOCAL_PTR
#define CONSTANT_TABLE static __constant__
#define CONSTANT_PTR
#define DEVICE_FN static __device__ __forceinline__
#define DEVICE_CALL static __device__ __noinline__
#define GLOBAL_ID() ((u32)(blockIdx.x * blockDim.x + threadIdx.x))
#define LOCAL_ID() ((u32)threadIdx.x)
#define LOCAL_SIZE() ((u32)blockDim.x)
#define GROUP_ID() ((u32)blockIdx.x)
#define BARRIER_LOCAL() __syncthreads()
#define UNROLL _Pragma("unroll")
#define ATOMIC_ADD_GLOBAL(pointer, addend) atomicAdd((pointer), (addend))
#define ATOMIC_ADD_LOCAL(pointer, addend) atomicAdd((pointer), (addend))
#ifndef GROUP_MAX
#define GROUP_MAX 128
#endif

#elif defined(KERNEL_HOST)

/* The host runs the groups of a launch one after another and says which work-item runs; those of a cooperative kernel take
 * turns from barrier to barrier on one thread, which LOCAL memory belongs to. Elsewhere, and with HOST_THREADS, they are
 * threads, and all launches share it. */
#define KERNEL
#define KERNEL_COOPERATIVE
#define GLOBAL
#if defined(__x86_64__) && !defined(HOST_THREADS)
#define HOST_FIBERS
#define LOCAL static _Thread_local
#else
#define LOCAL static
#endif
#define LOCAL_PTR
#define CONSTANT_TABLE static const
#define CONSTANT_PTR
#define DEVICE_FN static inline __attribute__((unused))
#define DEVICE_CALL static __attribute__((unused, noinline))
struct host_place {
    unsigned int group, local, size;
};
extern _Thread_local struct host_place host_place;
void host_barrier(void);
#define GLOBAL_ID() (host_place.group * host_place.size + host_place.local)
#define LOCAL_ID() (host_place.local)
#define LOCAL_SIZE() (host_place.size)
#define GROUP_ID() (host_place.group)
#define BARRIER_LOCAL() host_barrier()
#define UNROLL
#define ATOMIC_ADD_GLOBAL(pointer, addend) __atomic_fetch_add((pointer), (addend), __ATOMIC_RELAXED)
#define ATOMIC_ADD_LOCAL(pointer, addend) __atomic_fetch_add((pointer), (addend), __ATOMIC_RELAXED)
#ifndef GROUP_MAX
#define GROUP_MAX 8
#endif

#else
#error "kernels are read as OpenCL C, as CUDA C++, or as C11 with KERNEL_HOST"
#endif

#include "int.h"

#endif
