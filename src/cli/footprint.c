#include "cli/footprint.h"

#include <link.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Segments that were ever writable hold relocated addresses, which are in no file. Those of the kernel's own
 * object have no name of a path, nor have those of the program itself, which is small. */
static int shrink_object(struct dl_phdr_info *object, size_t size, void *unused)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

    (void)size;
    (void)unused;
    if (!object->dlpi_name || object->dlpi_name[0] != '/') return 0;
    for (unsigned i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        uintptr_t from = (object->dlpi_addr + segment->p_vaddr) / page * page;
        uintptr_t to = object->dlpi_addr + segment->p_vaddr + segment->p_filesz;
        if (segment->p_type != PT_LOAD || segment->p_flags & PF_W) continue;
        (void)madvise((void *)from, to - from, MADV_DONTNEED); /* if not, they stay: no harm */
    }
    return 0;
}

void footprint_shrink(void)
{
    (void)dl_iterate_phdr(shrink_object, NULL);
    (void)malloc_trim(0);
}
